//! Messages between authenticated peers, in protobuf. Spaces are named by a tag that only those
//! who know the space's id can make or recognise, different on every connection.

use super::blob_wire::BlobMessage;
use crate::model::{Error, FeedId, Result, SpaceId};
use bytes::Bytes;
use prost::Message as _;

/// Names a space on one connection.
pub type SpaceTag = [u8; 16];

/// The tag of a space on a connection whose handshake had this hash.
pub fn space_tag(space: &SpaceId, handshake: &[u8; 32]) -> SpaceTag {
    let hash = crate::feed::sha256(&[b"echodb/space-tag/v1", space.as_bytes(), handshake]);
    let mut tag = [0; 16];
    tag.copy_from_slice(hash.first_chunk::<16>().unwrap_or(&[0; 16]));
    tag
}

/// How far a feed is held: every entry below `next`.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Height {
    /// The feed.
    #[prost(bytes = "bytes", tag = "1")]
    pub feed: Bytes,
    /// The first number not held.
    #[prost(uint64, tag = "2")]
    pub next: u64,
    /// First 8 bytes of the newest entry's id, or, of a feed with branches, of a hash of its tips:
    /// tells apart the feeds of a device that exists twice.
    #[prost(bytes = "bytes", tag = "3")]
    pub head: Bytes,
}

impl Height {
    /// The feed's id, if it is well-formed.
    pub fn feed_id(&self) -> Result<FeedId> {
        FeedId::from_slice(&self.feed).map_err(|_| Error::protocol("a height names no feed"))
    }
}

/// "I hold this space; here is a digest of my heights."
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Open {
    /// Digest of all heights; empty when the sender does not know us as a member.
    #[prost(bytes = "bytes", tag = "1")]
    pub digest: Bytes,
}

/// "I hold this much; send me the rest."
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Heights {
    /// Feeds held, in any order.
    #[prost(message, repeated, tag = "1")]
    pub heights: Vec<Height>,
    /// Send control entries only: the sender does not know us as a member yet.
    #[prost(bool, tag = "2")]
    pub control_only: bool,
}

/// Entries in a causal order, preceded by the headers of feeds not named before.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Entries {
    /// Signed feed headers.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub headers: Vec<Bytes>,
    /// Entries, as they were signed.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub entries: Vec<Bytes>,
}

/// "Stored": heights that changed, and how many bytes of entries were taken in all.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Ack {
    /// Heights of the feeds that changed.
    #[prost(message, repeated, tag = "1")]
    pub heights: Vec<Height>,
    /// Bytes of entries taken on this connection for this space.
    #[prost(uint64, tag = "2")]
    pub taken: u64,
}

/// "Our copies of this feed differ. Of its entries I hold these and all before them; send me what
/// else you have, and tell me the same."
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Branches {
    /// The feed.
    #[prost(bytes = "bytes", tag = "1")]
    pub feed: Bytes,
    /// Ids of entries: all tips, and some below.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub held: Vec<Bytes>,
    /// Whether this answers the other side's: then no answer is wanted.
    #[prost(bool, tag = "3")]
    pub answer: bool,
    /// The first number of the feed that is not held.
    #[prost(uint64, tag = "4")]
    pub next: u64,
}

/// "I closed this space."
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Close {}

/// What a message is about.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum Body {
    /// See [`Open`].
    #[prost(message, tag = "2")]
    Open(Open),
    /// See [`Heights`].
    #[prost(message, tag = "3")]
    Heights(Heights),
    /// See [`Entries`].
    #[prost(message, tag = "4")]
    Entries(Entries),
    /// See [`Ack`].
    #[prost(message, tag = "5")]
    Ack(Ack),
    /// See [`Close`].
    #[prost(message, tag = "6")]
    Close(Close),
    /// See [`Branches`].
    #[prost(message, tag = "7")]
    Branches(Branches),
    /// See [`BlobMessage`].
    #[prost(message, tag = "8")]
    Blob(BlobMessage),
}

/// One message. An empty one (no tag, no body) keeps the connection alive.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Message {
    /// The space's tag.
    #[prost(bytes = "bytes", tag = "1")]
    pub tag: Bytes,
    /// What it says.
    #[prost(oneof = "Body", tags = "2, 3, 4, 5, 6, 7, 8")]
    pub body: Option<Body>,
}

impl Message {
    /// A message about a space.
    pub fn new(tag: &SpaceTag, body: Body) -> Message {
        Message {
            tag: Bytes::copy_from_slice(tag),
            body: Some(body),
        }
    }

    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }

    /// Reads a message. Fields of later versions are skipped.
    pub fn from_bytes(bytes: Bytes) -> Result<Message> {
        Message::decode(bytes).map_err(|e| Error::protocol(format!("a malformed message: {e}")))
    }

    /// The tag, if it is well-formed.
    pub fn tag(&self) -> Option<SpaceTag> {
        self.tag.as_ref().try_into().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;
    use std::fmt::Write as _;

    fn samples() -> Vec<(&'static str, Message)> {
        let tag = space_tag(&SpaceId([1; 32]), &[2; 32]);
        let feed = || Bytes::from_static(&[3; 16]);
        let height = || Height {
            feed: feed(),
            next: 300,
            head: Bytes::from_static(&[4; 8]),
        };
        let bodies = [
            (
                "open",
                Body::Open(Open {
                    digest: Bytes::from_static(&[5; 32]),
                }),
            ),
            (
                "heights",
                Body::Heights(Heights {
                    heights: vec![height()],
                    control_only: true,
                }),
            ),
            (
                "entries",
                Body::Entries(Entries {
                    headers: vec![Bytes::from_static(b"header")],
                    entries: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")],
                }),
            ),
            (
                "ack",
                Body::Ack(Ack {
                    heights: vec![height()],
                    taken: 70_000,
                }),
            ),
            ("close", Body::Close(Close {})),
            (
                "branches",
                Body::Branches(Branches {
                    feed: feed(),
                    held: vec![Bytes::from_static(&[6; 32])],
                    answer: true,
                    next: 7,
                }),
            ),
        ];
        let mut all: Vec<_> = bodies
            .into_iter()
            .map(|(name, body)| (name, Message::new(&tag, body)))
            .collect();
        all.push(("alive", Message::default()));
        all
    }

    /// `ECHODB_BLESS=1 cargo test golden` writes the file anew; do so only for a new version.
    #[test]
    fn golden_messages_are_made_and_read() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/sync_messages.txt"
        );
        let mut lines = String::new();
        for (name, message) in samples() {
            writeln!(lines, "{name} {}", HEXLOWER.encode(&message.to_bytes())).unwrap();
        }
        if std::env::var_os("ECHODB_BLESS").is_some() {
            std::fs::write(path, &lines).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap();
        assert_eq!(
            lines, golden,
            "the messages changed: that takes a new version"
        );
        for (line, (_, message)) in golden.lines().zip(samples()) {
            let (_, hex) = line.split_once(' ').unwrap();
            let bytes = HEXLOWER.decode(hex.as_bytes()).unwrap();
            assert_eq!(Message::from_bytes(bytes.into()).unwrap(), message);
        }
    }
}
