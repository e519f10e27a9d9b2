//! Blobs of a space: written here, read, given to peers and taken from them, collected.

use super::blob_store::BlobRow;
use super::space_core::SpaceCore;
use crate::model::blob::{
    BLOCK_BYTES, BlobRoot, BlobShape, Block, BlockHash, BlockPlaces, FANOUT, block_hash,
};
use crate::model::{BlobId, DeviceKey, Error, Result, Role, signed};
use std::collections::HashMap;

impl SpaceCore {
    /// Begins a blob whose content is still to come.
    pub fn begin_blob(&mut self) -> Result<i64> {
        self.require(Role::Editor, "writing a blob")?;
        self.store.begin_blob()
    }

    /// Begins one that a member wrote before, as from an archive.
    pub fn begin_restored_blob(&mut self) -> Result<i64> {
        self.store.begin_blob()
    }

    /// Adds blocks to it.
    pub fn add_blocks(&mut self, blob: i64, blocks: &[Block]) -> Result<()> {
        self.store.add_blocks(blob, blocks)
    }

    /// Ends it.
    pub fn finish_blob(
        &mut self,
        blob: i64,
        blocks: &[Block],
        root: &BlobRoot,
        now_ms: u64,
    ) -> Result<BlobRow> {
        self.store.finish_blob(blob, blocks, root, signed(now_ms))
    }

    /// Gives up one that is not finished.
    pub fn give_up_blob(&mut self, blob: i64) -> Result<()> {
        self.store.give_up_blob(blob)
    }

    /// A blob, if any of it is here.
    pub fn blob(&self, id: &BlobId) -> Result<Option<BlobRow>> {
        self.store.blob(id)
    }

    /// All blobs of which something is here.
    pub fn blobs(&self) -> Result<Vec<BlobRow>> {
        self.store.blobs()
    }

    /// One block of a blob's bytes, verified; `None` if it is not here.
    pub fn blob_bytes(&self, blob: &BlobRow, position: u64) -> Result<Option<Vec<u8>>> {
        match self.store.blob_block(blob.n, 0, position)? {
            None => Ok(None),
            Some((hash, bytes)) if block_hash(0, &bytes) == hash => Ok(Some(bytes)),
            Some(_) => Err(damaged(&blob.id)),
        }
    }

    /// Whether a peer may have blobs: a relay reads nothing, and blobs are not sealed.
    pub fn peer_may_have_blobs(&self, device: &DeviceKey) -> bool {
        let role = self.authority.role_of_device(device);
        role.is_some_and(|(_, role)| role >= Role::Reader)
    }

    /// Fails unless this device may have them.
    pub fn may_fetch(&self) -> Result<()> {
        self.require(Role::Reader, "fetching a blob")
    }

    /// A block for a peer. One that is damaged here is not given away.
    pub fn block(&self, hash: &BlockHash) -> Result<Option<Vec<u8>>> {
        let found = self.store.block(hash)?;
        Ok(found.and_then(|(level, bytes)| (block_hash(level, &bytes) == *hash).then_some(bytes)))
    }

    /// Notes that a blob is to come from peers.
    pub fn expect_blob(&mut self, root: &BlobRoot, now_ms: u64) -> Result<BlobRow> {
        self.store.expect_blob(root, signed(now_ms))
    }

    /// The blocks that a group of a level lacks: those whose hashes are in the block number `group`
    /// of the level above, which must be here; for the highest level, its only block. Blocks that
    /// other blobs have are put in place.
    pub fn missing_blocks(
        &mut self,
        id: &BlobId,
        level: u8,
        group: u64,
    ) -> Result<Vec<BlockPlaces>> {
        let blob = self.store.blob(id)?.ok_or_else(|| gone(id))?;
        let shape = BlobShape::new(blob.root.size)?;
        let hashes = match level == shape.top_level() {
            true => blob.root.top.to_vec(),
            false => match self.store.blob_block(blob.n, level + 1, group)? {
                Some((hash, bytes)) if block_hash(level + 1, &bytes) == hash => bytes,
                _ => return Err(damaged(id)),
            },
        };
        let from = group * FANOUT;
        let filled = self.store.filled(blob.n, level, from, from + FANOUT)?;
        let mut filled = filled.into_iter().peekable();
        let mut wanted: Vec<BlockPlaces> = Vec::new();
        let mut places: HashMap<BlockHash, usize> = HashMap::new();
        for (position, hash) in (from..).zip(hashes.as_chunks::<32>().0) {
            if filled.next_if_eq(&position).is_some() {
                continue;
            }
            let at = *places.entry(*hash).or_insert(wanted.len());
            match wanted.get_mut(at) {
                Some(same) => same.positions.push(position),
                None => wanted.push(BlockPlaces {
                    level,
                    positions: vec![position],
                    hash: *hash,
                }),
            }
        }
        if wanted.is_empty() {
            return Ok(wanted);
        }
        self.store
            .link_blocks(blob.n, wanted, &|position| shape.block_len(level, position))
    }

    /// Stores a block that a peer sent, whose hash was verified.
    pub fn put_block(&mut self, id: &BlobId, places: &BlockPlaces, bytes: &[u8]) -> Result<()> {
        let blob = self.store.blob(id)?.ok_or_else(|| gone(id))?;
        let shape = BlobShape::new(blob.root.size)?;
        let fits = |position: &u64| shape.block_len(places.level, *position) == bytes.len();
        if bytes.len() > BLOCK_BYTES || !places.positions.iter().all(fits) {
            return Err(Error::corrupt(format!(
                "the blob {id} was made wrong: its blocks do not have the sizes that its size demands"
            )));
        }
        self.store.put_block(blob.n, places, bytes)
    }

    /// Gives up blobs that no object in sight has named for `grace_ms`, except `kept`; how many.
    pub fn give_up_idle_blobs(
        &mut self,
        now_ms: u64,
        grace_ms: u64,
        kept: &[BlobId],
    ) -> Result<u64> {
        self.store
            .give_up_idle(signed(now_ms), signed(grace_ms), kept)
    }

    /// Removes some blocks of what was given up: bytes, `None` when nothing is left to do.
    pub fn sweep_blobs(&mut self) -> Result<Option<u64>> {
        self.store.sweep_blocks()
    }
}

fn gone(id: &BlobId) -> Error {
    Error::not_found(format!("nothing of the blob {id} is here"))
}

fn damaged(id: &BlobId) -> Error {
    Error::corrupt(format!(
        "stored bytes of the blob {id} are damaged; restore the profile from a backup or from another device"
    ))
}
