//! The blobs in an archive (docs/formats/archive.md). Their blocks are sealed under a content key of
//! the space, as its entries are: whoever may not read the space reads nothing of its archive.

use super::archive_format::{Reader, Record, Writer};
use super::files::Source;
use crate::authority::ContentKeys;
use crate::feed::{ContentKey, codec};
use crate::model::blob::{BlobRoot, BlobShape};
use crate::model::{ContentKeyId, Error, ErrorKind, Result, SpaceId};
use crate::runtime::blobs::WriterHandle;
use crate::runtime::clock;
use crate::runtime::node::NodeGuard;
use crate::runtime::space_host::SpaceHost;
use std::sync::Arc;

const DOMAIN: &[u8] = b"echodb/archive/blob/v1";
/// The place of what comes before a blob's blocks, which are counted from 0.
const HEAD: u64 = u64::MAX;
const SALT: usize = 16;

/// Writes the blobs that objects in sight name and that are whole here. Without a content key
/// nothing can be sealed, and none is written.
pub(super) fn export(host: &SpaceHost, writer: &mut Writer) -> Result<()> {
    let (key, blobs) = host.with(|core| Ok((core.sealing_key(), core.blobs()?)))?;
    let Some(key) = key else {
        return Ok(());
    };
    for row in blobs.iter().filter(|row| row.referenced && row.is_whole()) {
        let sealing = Sealing {
            space: host.id(),
            salt: clock::random(),
            key: key.clone(),
        };
        writer.blob(&sealing.head(&row.root)?)?;
        for position in 0..BlobShape::new(row.root.size)?.count(0) {
            // Others get at the space between two blocks. One of them may have collected the blob:
            // whoever reads the archive passes over one that lacks blocks.
            let Some(bytes) = host.with(|core| core.blob_bytes(row, position))? else {
                break;
            };
            writer.block(&sealing.seal(position, &bytes)?)?;
        }
    }
    Ok(())
}

/// Brings in those that lack here. One whose key this device does not have is left to its peers.
pub(super) fn import(
    node: &Arc<NodeGuard>,
    host: &Arc<SpaceHost>,
    source: &mut dyn Source,
) -> Result<()> {
    let keys = host.with(|core| Ok(core.content_keys()))?;
    let mut reader = Reader::begin(source)?;
    let mut coming: Option<Coming> = None;
    loop {
        match reader.next()? {
            Ok(Record::Blob(sealed)) => {
                coming = match Sealing::of(host.id(), &keys, &sealed)? {
                    None => None,
                    Some((sealing, root)) => Coming::begin(node, host, sealing, root)?,
                };
            }
            Ok(Record::Block(sealed)) => {
                if let Some(blob) = coming.take() {
                    coming = blob.take(&sealed)?;
                }
            }
            Ok(Record::Feed(_) | Record::Entry(_)) => {}
            Err(_) => return Ok(()),
        }
    }
}

/// How the records of one blob are sealed. The salt is drawn for each: a derived key seals one thing.
struct Sealing {
    space: SpaceId,
    salt: [u8; SALT],
    key: ContentKey,
}

impl Sealing {
    fn context(&self, position: u64) -> Vec<u8> {
        [
            self.space.as_bytes(),
            &self.salt[..],
            &position.to_le_bytes(),
        ]
        .concat()
    }

    fn seal(&self, position: u64, plain: &[u8]) -> Result<Vec<u8>> {
        self.key.seal(DOMAIN, &self.context(position), plain)
    }

    fn open(&self, position: u64, sealed: &[u8]) -> Result<Vec<u8>> {
        self.key
            .open(DOMAIN, &self.context(position), sealed)
            .map_err(|_| wrong("a record does not open with its key"))
    }

    fn head(&self, root: &BlobRoot) -> Result<Vec<u8>> {
        let root = [&root.size.to_le_bytes()[..], &root.top].concat();
        let sealed = self.seal(HEAD, &root)?;
        Ok([&self.key.id().0[..], &self.salt, &sealed].concat())
    }

    /// Reads what [`Sealing::head`] wrote; `None` if its key is not here.
    fn of(space: SpaceId, keys: &ContentKeys, head: &[u8]) -> Result<Option<(Sealing, BlobRoot)>> {
        let mut head = codec::Reader::new(head, "a record");
        let id = ContentKeyId(head.array().map_err(malformed)?);
        let salt = head.array().map_err(malformed)?;
        let Some(key) = keys.get(&id).cloned() else {
            return Ok(None);
        };
        let sealing = Sealing { space, salt, key };
        let root = sealing.open(HEAD, head.take_rest())?;
        let mut root = codec::Reader::new(&root, "a blob's size and hash");
        let found = BlobRoot {
            size: root.u64().map_err(malformed)?,
            top: root.array().map_err(malformed)?,
        };
        root.finish().map_err(malformed)?;
        Ok(Some((sealing, found)))
    }
}

/// A blob that is being brought in; dropping it gives it up.
struct Coming {
    sealing: Sealing,
    root: BlobRoot,
    blocks: u64,
    taken: u64,
    writer: WriterHandle,
}

impl Coming {
    /// `None` if the blob is here already.
    fn begin(
        node: &Arc<NodeGuard>,
        host: &Arc<SpaceHost>,
        sealing: Sealing,
        root: BlobRoot,
    ) -> Result<Option<Coming>> {
        let blocks = BlobShape::new(root.size)?.count(0);
        let here = host.with(|core| core.blob(&root.id()))?;
        if here.is_some_and(|row| row.is_whole()) {
            return Ok(None);
        }
        Ok(Some(Coming {
            sealing,
            root,
            blocks,
            taken: 0,
            writer: WriterHandle::restoring(Arc::clone(node), Arc::clone(host))?,
        }))
    }

    /// Takes the next block; `None` when it was the last one.
    fn take(mut self, sealed: &[u8]) -> Result<Option<Coming>> {
        let bytes = self.sealing.open(self.taken, sealed)?;
        let size = self.writer.size().saturating_add(bytes.len() as u64);
        if size > self.root.size {
            return Err(wrong("it is larger than it says"));
        }
        self.writer.write(&bytes)?;
        self.taken += 1;
        if self.taken < self.blocks {
            return Ok(Some(self));
        }
        // One that is something else than it says is named by what it is, and so by no object.
        let id = self.root.id().to_string();
        match self.writer.finish()?.id == id {
            true => Ok(None),
            false => Err(wrong("its blocks make another blob than it says")),
        }
    }
}

fn malformed(error: Error) -> Error {
    wrong(error.detail())
}

fn wrong(detail: &str) -> Error {
    Error::new(
        ErrorKind::Corrupt,
        format!("the space was brought in, but a blob of the archive was made wrong: {detail}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealing() -> Sealing {
        Sealing {
            space: SpaceId([3; 32]),
            salt: [4; SALT],
            key: ContentKey::from_bytes([5; 32]),
        }
    }

    const GOLDEN_HEAD: &str = "c3bd8b4e356df04d1e892ff6356e41c70404040404040404040404040404040405e17d87c2182637d52f428343ec74d91902a656adfb286b63125c8d8fc2e111e4112fa84d5d96c954391d38b270352e629f00db7d71d7e4";
    const GOLDEN_BLOCK: &str = "fb675fe09f5a13916d80cd08c879eaaf4dd633f32c";
    const ROOT: BlobRoot = BlobRoot {
        size: 70_000,
        top: [6; 32],
    };

    /// What one version seals every later one opens.
    #[test]
    fn records_are_sealed_as_ever() {
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        assert_eq!(hex(&sealing().head(&ROOT).unwrap()), GOLDEN_HEAD);
        assert_eq!(hex(&sealing().seal(1, b"hello").unwrap()), GOLDEN_BLOCK);
    }

    #[test]
    fn what_is_cut_short_or_changed_is_refused() {
        let mut keys = ContentKeys::default();
        keys.insert(ContentKey::from_bytes([5; 32]));
        let space = SpaceId([3; 32]);
        let head = sealing().head(&ROOT).unwrap();
        let (_, root) = Sealing::of(space, &keys, &head).unwrap().unwrap();
        assert_eq!(root, ROOT);
        for length in 0..head.len() {
            assert!(
                Sealing::of(space, &keys, &head[..length]).is_err(),
                "{length}"
            );
        }
        for at in 0..head.len() {
            let mut other = head.clone();
            other[at] ^= 1;
            let found = Sealing::of(space, &keys, &other);
            // Of another key nothing is known.
            assert!(
                matches!(found, Ok(None)) == (at < ContentKeyId::LEN),
                "{at}"
            );
        }
        assert!(Sealing::of(SpaceId([4; 32]), &keys, &head).is_err());
        let block = sealing().seal(1, b"hello").unwrap();
        assert_eq!(sealing().open(1, &block).unwrap(), b"hello");
        assert!(sealing().open(2, &block).is_err());
    }
}
