//! The frames: JSON objects in WebSocket text messages, told apart by their field `t`.

use serde::{Deserialize, Serialize};

/// The protocol's version, named in the hello.
pub const VERSION: u32 = 1;
/// Longest topic name, in characters.
const TOPIC_CHARS: usize = 64;
/// Characters of a peer id: 16 bytes in hexadecimal.
const PEER_CHARS: usize = 32;

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase", deny_unknown_fields)]
pub enum ClientFrame {
    /// The first frame.
    Hello {
        /// The protocol's version.
        v: u32,
        /// The client's chosen peer id: 16 random bytes in lower-case hexadecimal.
        peer: String,
    },
    /// Enters a room.
    Join {
        /// The room's name, in the alphabet of base64url.
        topic: String,
    },
    /// Leaves a room.
    Leave {
        /// The room's name.
        topic: String,
    },
    /// A payload for a peer in a room that both are in.
    Send {
        /// The room's name.
        topic: String,
        /// The receiver.
        to: String,
        /// The payload, in base64url without padding; the server does not look at it.
        data: String,
    },
}

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "t", rename_all = "lowercase")]
pub enum ServerFrame {
    /// Answers the hello.
    Welcome,
    /// Answers a join: who else is in the room.
    Peers {
        /// The room.
        topic: String,
        /// Everyone else in it.
        peers: Vec<String>,
    },
    /// A peer entered a room.
    Joined {
        /// The room.
        topic: String,
        /// The peer.
        peer: String,
    },
    /// A peer left a room.
    Left {
        /// The room.
        topic: String,
        /// The peer.
        peer: String,
    },
    /// A payload.
    Message {
        /// The room.
        topic: String,
        /// The sender.
        from: String,
        /// The payload.
        data: String,
    },
    /// A refusal.
    Error {
        /// What was refused, for programs.
        code: Code,
        /// What was refused, for people.
        detail: String,
    },
}

/// Why something was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The frame is not of this protocol.
    BadFrame,
    /// The first frame was no hello, or a later one was.
    HelloExpected,
    /// No hello came in time.
    HelloTimeout,
    /// The client's version is not served.
    UnsupportedVersion,
    /// Another live connection uses this peer id.
    PeerTaken,
    /// The server is full.
    TooManyConnections,
    /// The address has too many connections.
    TooManyFromAddress,
    /// The connection is in too many topics.
    TooManyTopics,
    /// The topic is full.
    TopicFull,
    /// Too many frames or bytes; the frame was dropped.
    RateLimited,
    /// The frame is too large.
    FrameTooLarge,
    /// The sender is not in the topic.
    NotInTopic,
    /// The receiver is not in the topic.
    NoSuchPeer,
    /// The client reads too slowly.
    SlowConsumer,
    /// The server stops.
    ShuttingDown,
}

impl ServerFrame {
    /// A refusal.
    pub fn error(code: Code, detail: impl Into<String>) -> Self {
        ServerFrame::Error {
            code,
            detail: detail.into(),
        }
    }

    /// The frame's text.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("a struct of strings always serialises")
    }
}

impl ClientFrame {
    /// Reads a client's frame, strictly.
    pub fn parse(text: &str) -> Result<Self, String> {
        let frame: ClientFrame = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let sound = match &frame {
            ClientFrame::Hello { peer, .. } => is_peer(peer),
            ClientFrame::Join { topic } | ClientFrame::Leave { topic } => is_topic(topic),
            ClientFrame::Send { topic, to, data } => {
                is_topic(topic) && is_peer(to) && data.bytes().all(is_base64url)
            }
        };
        if sound {
            Ok(frame)
        } else {
            Err("a topic, peer or payload is malformed".into())
        }
    }
}

fn is_peer(text: &str) -> bool {
    text.len() == PEER_CHARS && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_topic(text: &str) -> bool {
    (1..=TOPIC_CHARS).contains(&text.len()) && text.bytes().all(is_base64url)
}

fn is_base64url(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_strictly() {
        let peer = "0f".repeat(16);
        let good = [
            format!(r#"{{"t":"hello","v":1,"peer":"{peer}"}}"#),
            r#"{"t":"join","topic":"abc-_"}"#.into(),
            format!(r#"{{"t":"send","topic":"a","to":"{peer}","data":""}}"#),
        ];
        for text in good {
            assert!(ClientFrame::parse(&text).is_ok(), "{text}");
        }
        let bad = [
            format!(r#"{{"t":"hello","v":1,"peer":"{}"}}"#, peer.to_uppercase()),
            format!(r#"{{"t":"hello","v":1,"peer":"{peer}","x":1}}"#),
            r#"{"t":"join","topic":""}"#.into(),
            format!(r#"{{"t":"join","topic":"{}"}}"#, "a".repeat(65)),
            r#"{"t":"join","topic":"a b"}"#.into(),
            r#"{"t":"dance"}"#.into(),
            "[]".into(),
            String::new(),
        ];
        for text in bad {
            assert!(ClientFrame::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn codes_have_stable_names() {
        let text = ServerFrame::error(Code::TopicFull, "x").text();
        assert_eq!(text, r#"{"t":"error","code":"topic_full","detail":"x"}"#);
        assert_eq!(ServerFrame::Welcome.text(), r#"{"t":"welcome"}"#);
    }
}
