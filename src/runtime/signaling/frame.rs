//! The frames of the signalling protocol, version 1: JSON objects told apart by their field `t`.

use super::event::{PeerId, Topic};
use super::seal;
use crate::model::limits;
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde::{Deserialize, Serialize};

/// The protocol's version.
const VERSION: u32 = 1;
/// Bytes of a frame that we read; the largest payload in base64 and its envelope fit.
pub(super) const FRAME_BYTES: usize = (limits::SIGNAL_BYTES + seal::OVERHEAD) / 3 * 4 + 1024;

#[derive(Serialize)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Outgoing {
    Hello {
        v: u32,
        peer: String,
    },
    Join {
        topic: String,
    },
    Leave {
        topic: String,
    },
    Send {
        topic: String,
        to: String,
        data: String,
    },
}

pub(super) fn hello(peer: &PeerId) -> String {
    text(&Outgoing::Hello {
        v: VERSION,
        peer: HEXLOWER.encode(peer),
    })
}

pub(super) fn join(topic: &Topic) -> String {
    text(&Outgoing::Join {
        topic: BASE64URL_NOPAD.encode(topic),
    })
}

pub(super) fn leave(topic: &Topic) -> String {
    text(&Outgoing::Leave {
        topic: BASE64URL_NOPAD.encode(topic),
    })
}

pub(super) fn send(topic: &Topic, to: &PeerId, sealed: &[u8]) -> String {
    text(&Outgoing::Send {
        topic: BASE64URL_NOPAD.encode(topic),
        to: HEXLOWER.encode(to),
        data: BASE64URL_NOPAD.encode(sealed),
    })
}

fn text(frame: &Outgoing) -> String {
    serde_json::to_string(frame).expect("a struct of strings always serialises")
}

/// What a server sends, decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Incoming {
    Welcome,
    Peers(Topic, Vec<PeerId>),
    Joined(Topic, PeerId),
    Left(Topic, PeerId),
    Message {
        topic: Topic,
        from: PeerId,
        sealed: Vec<u8>,
    },
    /// A refusal, with the code that names it.
    Error(String),
}

#[derive(Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
enum Wire {
    Welcome,
    Peers {
        topic: String,
        peers: Vec<String>,
    },
    Joined {
        topic: String,
        peer: String,
    },
    Left {
        topic: String,
        peer: String,
    },
    Message {
        topic: String,
        from: String,
        data: String,
    },
    Error {
        code: String,
    },
}

/// Reads a server's frame; `None` if it is not of this protocol. Unknown fields are let pass, so
/// that servers may say more one day.
pub(super) fn parse(text: &str) -> Option<Incoming> {
    Some(match serde_json::from_str(text).ok()? {
        Wire::Welcome => Incoming::Welcome,
        Wire::Peers { topic, peers } => {
            let peers = peers.iter().map(|peer| peer_of(peer));
            Incoming::Peers(topic_of(&topic)?, peers.collect::<Option<_>>()?)
        }
        Wire::Joined { topic, peer } => Incoming::Joined(topic_of(&topic)?, peer_of(&peer)?),
        Wire::Left { topic, peer } => Incoming::Left(topic_of(&topic)?, peer_of(&peer)?),
        Wire::Message { topic, from, data } => Incoming::Message {
            topic: topic_of(&topic)?,
            from: peer_of(&from)?,
            sealed: BASE64URL_NOPAD.decode(data.as_bytes()).ok()?,
        },
        Wire::Error { code } => Incoming::Error(code),
    })
}

fn topic_of(text: &str) -> Option<Topic> {
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

fn peer_of(text: &str) -> Option<PeerId> {
    let bytes = HEXLOWER.decode(text.as_bytes()).ok()?;
    bytes.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use echodb_signal::protocol::{ClientFrame, Code, ServerFrame};

    #[test]
    fn the_server_understands_our_frames_and_we_understand_its() {
        let (topic, peer) = ([1; 32], [2; 16]);
        for text in [
            hello(&peer),
            join(&topic),
            leave(&topic),
            send(&topic, &peer, &[3; 70_000]),
        ] {
            ClientFrame::parse(&text).unwrap();
        }
        let (topic_text, peer_text) = (BASE64URL_NOPAD.encode(&topic), HEXLOWER.encode(&peer));
        let message = ServerFrame::Message {
            topic: topic_text.clone(),
            from: peer_text.clone(),
            data: "AAAA".into(),
        };
        let expected = Incoming::Message {
            topic,
            from: peer,
            sealed: vec![0; 3],
        };
        assert_eq!(parse(&message.text()), Some(expected));
        let peers = ServerFrame::Peers {
            topic: topic_text,
            peers: vec![peer_text],
        };
        let expected = Incoming::Peers(topic, vec![peer]);
        assert_eq!(parse(&peers.text()), Some(expected));
        let error = ServerFrame::error(Code::TopicFull, "x");
        let expected = Incoming::Error("topic_full".into());
        assert_eq!(parse(&error.text()), Some(expected));
        assert_eq!(parse(&ServerFrame::Welcome.text()), Some(Incoming::Welcome));
    }

    #[test]
    fn the_largest_payload_fits_into_a_frame_of_either_side() {
        let largest = limits::SIGNAL_BYTES + seal::OVERHEAD;
        let text = send(&[1; 32], &[2; 16], &vec![0; largest]);
        assert!(text.len() <= FRAME_BYTES);
        assert!(text.len() <= echodb_signal::Config::default().frame_bytes);
    }

    #[test]
    fn nonsense_is_no_frame() {
        for text in [
            "",
            "{}",
            "[1]",
            r#"{"t":"joined","topic":"AA","peer":"00"}"#,
            r#"{"t":"peers","topic":"!","peers":[]}"#,
            r#"{"t":"welcome""#,
            r#"{"t":7}"#,
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
