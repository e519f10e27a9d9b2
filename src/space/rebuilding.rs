//! Making a space again from its entries, in storage of its own: every entry goes through the checks
//! that a peer's goes through, so that what is not sound is left out and comes again from peers.

use super::blob_store::{BlobRow, BlobStore};
use super::ingest::Ingest;
use super::space_core::SpaceCore;
use super::store::{IndexRecord, Reads};
use crate::model::blob::{BLOCK_BYTES, BlobShape, BlockPlaces, FANOUT, block_hash};
use crate::model::{EntryId, ErrorKind, FeedId, Result};
use bytes::Bytes;
use std::collections::HashMap;

/// Entries taken in at a time.
const ENTRIES: usize = 64;

/// What came of it.
#[derive(Clone, Debug, Default)]
pub struct Rebuilt {
    /// Entries that are there again.
    pub entries: u64,
    /// Entries that are not: damaged, or after a damaged one. Each with the reason.
    pub lost: Vec<(String, String)>,
    /// Blocks of blobs that were damaged.
    pub blocks: u64,
    /// Blobs that are not whole because of that.
    pub blobs: Vec<String>,
}

impl SpaceCore {
    /// What is stored of blobs.
    pub fn blob_store(&self) -> &dyn BlobStore {
        &*self.store
    }

    /// Takes all that is sound from another storage of this space into this one, which is new.
    pub fn rebuild_from(
        &mut self,
        old: &dyn Reads,
        blobs: &dyn BlobStore,
        now_ms: u64,
    ) -> Result<Rebuilt> {
        let mut rebuilt = Rebuilt::default();
        self.take_entries(old, &mut rebuilt)?;
        for IndexRecord { type_name, path } in sound(old.indexes())?.unwrap_or_default() {
            // One that cannot be made again is no reason to fail.
            let _ = self.create_index(type_name, &path);
        }
        for row in sound(blobs.blobs())?.unwrap_or_default() {
            self.take_blob(blobs, &row, now_ms, &mut rebuilt)?;
        }
        Ok(rebuilt)
    }

    fn take_entries(&mut self, old: &dyn Reads, rebuilt: &mut Rebuilt) -> Result<()> {
        let headers: HashMap<FeedId, Bytes> = old
            .feeds()?
            .into_iter()
            .map(|record| (record.id, record.header))
            .collect();
        let mut waiting: Vec<(EntryId, Bytes)> = Vec::new();
        let last = old.last_arrival()?;
        for n in 1..=last {
            match sound(old.entry_at(n))? {
                None => rebuilt
                    .lost
                    .push((String::new(), format!("entry number {n} cannot be read"))),
                Some(None) => {}
                Some(Some(stored)) => {
                    if !self.knows_feed(&stored.feed)
                        && let Some(header) = headers.get(&stored.feed)
                        && let Err(e) = self.add_feed(header)
                    {
                        rebuilt
                            .lost
                            .push((stored.id.to_string(), e.detail().to_owned()));
                        continue;
                    }
                    waiting.push((stored.id, stored.bytes));
                }
            }
            if waiting.len() >= ENTRIES || n == last {
                self.take_batch(&mut waiting, rebuilt)?;
            }
        }
        Ok(())
    }

    fn take_batch(
        &mut self,
        waiting: &mut Vec<(EntryId, Bytes)>,
        rebuilt: &mut Rebuilt,
    ) -> Result<()> {
        for (id, bytes) in waiting.drain(..) {
            let mut into = Ingest::default();
            let taken = self.ingest(vec![bytes], &mut into);
            let reason = match taken {
                Ok(()) if self.store.has_entry(&id)? => {
                    rebuilt.entries += 1;
                    continue;
                }
                Ok(()) => "what it builds on is not there".to_owned(),
                Err(e) if is_its_own_fault(e.kind()) => e.detail().to_owned(),
                Err(e) => return Err(e),
            };
            rebuilt.lost.push((id.to_string(), reason));
        }
        Ok(())
    }

    fn take_blob(
        &mut self,
        old: &dyn BlobStore,
        row: &BlobRow,
        now_ms: u64,
        rebuilt: &mut Rebuilt,
    ) -> Result<()> {
        let Ok(shape) = BlobShape::new(row.root.size) else {
            return Ok(());
        };
        self.expect_blob(&row.root, now_ms)?;
        let mut damaged = 0;
        for level in 0..=shape.top_level() {
            for position in 0..shape.count(level) {
                let Some(found) = sound(old.blob_block(row.n, level, position))? else {
                    damaged += 1;
                    continue;
                };
                let Some((hash, bytes)) = found else {
                    continue;
                };
                let good = match block_hash(level, &bytes) == hash {
                    true => Some(bytes),
                    false => self.hashes_below(row, level, position, &shape)?,
                };
                let fits = |bytes: &Vec<u8>| {
                    bytes.len() == shape.block_len(level, position)
                        && block_hash(level, bytes) == hash
                };
                let Some(bytes) = good.filter(fits) else {
                    damaged += 1;
                    continue;
                };
                let places = BlockPlaces {
                    level,
                    positions: vec![position],
                    hash,
                };
                self.put_block(&row.id, &places, &bytes)?;
            }
        }
        let whole = self.blob(&row.id)?.is_some_and(|row| row.is_whole());
        if damaged > 0 && !whole {
            rebuilt.blobs.push(row.id.to_string());
        }
        rebuilt.blocks += damaged;
        Ok(())
    }

    /// A block of hashes, made again from the blocks below, which are here already.
    fn hashes_below(
        &self,
        row: &BlobRow,
        level: u8,
        position: u64,
        shape: &BlobShape,
    ) -> Result<Option<Vec<u8>>> {
        let (Some(below), Some(new)) = (level.checked_sub(1), self.blob(&row.id)?) else {
            return Ok(None);
        };
        let from = position * FANOUT;
        let until = (from + FANOUT).min(shape.count(below));
        let mut bytes = Vec::with_capacity(BLOCK_BYTES);
        for position in from..until {
            match self.store.blob_block(new.n, below, position)? {
                Some((hash, _)) => bytes.extend_from_slice(&hash),
                None => return Ok(None),
            }
        }
        Ok(Some(bytes))
    }
}

/// `None` of what is damaged.
fn sound<T>(read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(found) => Ok(Some(found)),
        Err(e) if e.kind() == ErrorKind::Corrupt => Ok(None),
        Err(e) => Err(e),
    }
}

/// Whether an entry was refused for what it is, and not because storage failed.
fn is_its_own_fault(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Protocol
            | ErrorKind::Corrupt
            | ErrorKind::LimitExceeded
            | ErrorKind::UnsupportedVersion
            | ErrorKind::InvalidArgument
    )
}
