//! Messages about blobs, within [`super::wire::Message`]. A peer of a version that knows none of them
//! skips them and answers nothing.

use crate::model::blob::{BlobRoot, BlockHash};
use crate::model::{BlobId, Error, Result};
use bytes::Bytes;

/// "Do you hold this blob?"
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Want {
    /// The blob.
    #[prost(bytes = "bytes", tag = "1")]
    pub blob: Bytes,
}

/// "I hold it whole", with what its id is made of; or, without, "I do not".
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Have {
    /// The blob.
    #[prost(bytes = "bytes", tag = "1")]
    pub blob: Bytes,
    /// Its size in bytes.
    #[prost(uint64, tag = "2")]
    pub size: u64,
    /// The hash of its topmost block; empty: the sender does not hold the blob.
    #[prost(bytes = "bytes", tag = "3")]
    pub top: Bytes,
}

/// "Send me these blocks of it."
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Get {
    /// The blob.
    #[prost(bytes = "bytes", tag = "1")]
    pub blob: Bytes,
    /// The blocks' hashes.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub hashes: Vec<Bytes>,
}

/// "Here is one."
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Sent {
    /// The blob.
    #[prost(bytes = "bytes", tag = "1")]
    pub blob: Bytes,
    /// The block's hash.
    #[prost(bytes = "bytes", tag = "2")]
    pub hash: Bytes,
    /// Its bytes; absent when the sender does not hold the block any more.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub bytes: Option<Bytes>,
}

/// What a message about a blob says.
#[derive(Clone, PartialEq, Eq, prost::Oneof)]
pub enum Body {
    /// See [`Want`].
    #[prost(message, tag = "1")]
    Want(Want),
    /// See [`Have`].
    #[prost(message, tag = "2")]
    Have(Have),
    /// See [`Get`].
    #[prost(message, tag = "3")]
    Get(Get),
    /// See [`Sent`].
    #[prost(message, tag = "4")]
    Sent(Sent),
}

/// A message about a blob.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct BlobMessage {
    /// What it says.
    #[prost(oneof = "Body", tags = "1, 2, 3, 4")]
    pub body: Option<Body>,
}

impl Have {
    /// An answer.
    pub fn new(blob: &BlobId, root: Option<&BlobRoot>) -> Have {
        Have {
            blob: Bytes::copy_from_slice(blob.as_bytes()),
            size: root.map_or(0, |root| root.size),
            top: root.map_or_else(Bytes::new, |root| Bytes::copy_from_slice(&root.top)),
        }
    }

    /// What the id is made of, `None` if the sender does not hold the blob.
    pub fn root(&self) -> Result<Option<BlobRoot>> {
        if self.top.is_empty() {
            return Ok(None);
        }
        let top = block(&self.top)?;
        let size = self.size;
        Ok(Some(BlobRoot { size, top }))
    }
}

/// Reads a blob's id.
pub fn blob(bytes: &Bytes) -> Result<BlobId> {
    BlobId::from_slice(bytes).map_err(|_| Error::protocol("a message names no blob"))
}

/// Reads a block's hash.
pub fn block(bytes: &Bytes) -> Result<BlockHash> {
    let hash: &[u8] = bytes;
    hash.try_into()
        .map_err(|_| Error::protocol("a message names no block of a blob"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SpaceId;
    use crate::sync::wire::{self, Message, space_tag};
    use data_encoding::HEXLOWER;
    use std::fmt::Write as _;

    fn samples() -> Vec<(&'static str, Message)> {
        let tag = space_tag(&SpaceId([1; 32]), &[2; 32]);
        let id = BlobId([3; 32]);
        let blob = || Bytes::from_static(&[3; 32]);
        let hash = || Bytes::from_static(&[4; 32]);
        let root = BlobRoot {
            size: 70_000,
            top: [5; 32],
        };
        let sent = |bytes| {
            Body::Sent(Sent {
                blob: blob(),
                hash: hash(),
                bytes,
            })
        };
        [
            ("want", Body::Want(Want { blob: blob() })),
            ("have", Body::Have(Have::new(&id, Some(&root)))),
            ("lack", Body::Have(Have::new(&id, None))),
            (
                "get",
                Body::Get(Get {
                    blob: blob(),
                    hashes: vec![hash(), blob()],
                }),
            ),
            ("sent", sent(Some(Bytes::from_static(b"bytes")))),
            ("sent_empty", sent(Some(Bytes::new()))),
            ("gone", sent(None)),
        ]
        .into_iter()
        .map(|(name, body)| {
            let message = BlobMessage { body: Some(body) };
            (name, Message::new(&tag, wire::Body::Blob(message)))
        })
        .collect()
    }

    /// `ECHODB_BLESS=1 cargo test golden` writes the file anew; do so only for a new version.
    #[test]
    fn golden_blob_messages_are_made_and_read() {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/golden/blob_messages.txt"
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

    /// A message as versions read it that know nothing of blobs.
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    struct Older {
        #[prost(bytes = "bytes", tag = "1")]
        tag: Bytes,
        #[prost(message, tag = "3")]
        heights: Option<wire::Heights>,
    }

    #[test]
    fn older_peers_skip_what_they_do_not_know() {
        use prost::Message as _;
        for (name, message) in samples() {
            let older = Older::decode(Bytes::from(message.to_bytes())).unwrap();
            assert_eq!(older.heights, None, "{name}");
        }
    }
}
