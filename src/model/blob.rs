//! Blobs: larger values, named by their content (docs/formats/blobs.md).
//!
//! A blob's bytes are cut into blocks of 64 KiB. The hashes of up to 2048 blocks make a block of the
//! level above, until one block is left, whose hash and the size make the id. Each block can so be
//! verified by itself as soon as the one above it is known.

use super::{BlobId, Error, Result, limits};

/// The hash of a block.
pub type BlockHash = [u8; 32];

/// Bytes of a full block.
pub const BLOCK_BYTES: usize = limits::BLOB_BLOCK_BYTES;
/// Hashes in a full block of hashes.
pub const FANOUT: u64 = (BLOCK_BYTES / 32) as u64;

/// A blob as an object's field names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct BlobRef {
    /// The blob.
    pub id: BlobId,
    /// How large the writer said that it is; the id alone decides.
    pub size: u64,
}

/// The size of a blob and the hash of its topmost block: what its id is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRoot {
    /// Bytes.
    pub size: u64,
    /// The hash of the one block of the highest level.
    pub top: BlockHash,
}

impl BlobRoot {
    /// The blob's id.
    pub fn id(&self) -> BlobId {
        BlobId(hash(&[
            b"echodb/blob/v1",
            &self.size.to_le_bytes(),
            &self.top,
        ]))
    }
}

/// The hash of a block of a level, 0 being that of the blob's own bytes.
pub fn block_hash(level: u8, bytes: &[u8]) -> BlockHash {
    hash(&[b"echodb/blob-block/v1", &[level], bytes])
}

fn hash(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// How many blocks a blob of some size has, and how large they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobShape {
    size: u64,
    /// Blocks of each level; the last is 1.
    counts: Vec<u64>,
}

impl BlobShape {
    /// Fails with `LimitExceeded` for a size past [`limits::BLOB_BYTES`].
    pub fn new(size: u64) -> Result<BlobShape> {
        if size > limits::BLOB_BYTES {
            return Err(too_large(size));
        }
        // The empty blob has one empty block.
        let mut count = size.div_ceil(BLOCK_BYTES as u64).max(1);
        let mut counts = vec![count];
        while count > 1 {
            count = count.div_ceil(FANOUT);
            counts.push(count);
        }
        Ok(BlobShape { size, counts })
    }

    /// The highest level.
    pub fn top_level(&self) -> u8 {
        u8::try_from(self.counts.len().saturating_sub(1)).unwrap_or(u8::MAX)
    }

    /// Blocks of a level.
    pub fn count(&self, level: u8) -> u64 {
        self.counts.get(usize::from(level)).copied().unwrap_or(0)
    }

    /// Bytes of one block.
    pub fn block_len(&self, level: u8, position: u64) -> usize {
        let whole = match level.checked_sub(1) {
            None => self.size,
            Some(below) => self.count(below) * 32,
        };
        let before = position.saturating_mul(BLOCK_BYTES as u64);
        usize::try_from(whole.saturating_sub(before))
            .unwrap_or(usize::MAX)
            .min(BLOCK_BYTES)
    }
}

fn too_large(size: u64) -> Error {
    Error::limit(format!(
        "a blob may have {} bytes, not {size}",
        limits::BLOB_BYTES
    ))
}

/// A block that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its level.
    pub level: u8,
    /// Its place in the level.
    pub position: u64,
    /// Its hash.
    pub hash: BlockHash,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

/// Where a block goes: its level and its places, several if a blob repeats itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockPlaces {
    /// The level.
    pub level: u8,
    /// The places in it.
    pub positions: Vec<u64>,
    /// The hash of what goes there.
    pub hash: BlockHash,
}

/// Makes a blob's blocks from its bytes as they come, holding less than one block of each level.
#[derive(Debug, Default)]
pub struct BlobBuilder {
    size: u64,
    rest: Vec<u8>,
    levels: Vec<Level>,
}

#[derive(Debug, Default)]
struct Level {
    count: u64,
    /// Hashes of its blocks that are in no block of the level above yet.
    hashes: Vec<u8>,
}

impl BlobBuilder {
    /// Bytes taken so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Takes bytes and hands out the blocks that they fill. Fails with `LimitExceeded`, having taken
    /// nothing, when the blob would get too large.
    pub fn write(&mut self, mut bytes: &[u8], out: &mut Vec<Block>) -> Result<()> {
        let size = self.size.saturating_add(bytes.len() as u64);
        if size > limits::BLOB_BYTES {
            return Err(too_large(size));
        }
        self.size = size;
        while !bytes.is_empty() {
            let room = BLOCK_BYTES - self.rest.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.rest.extend_from_slice(now);
            bytes = later;
            if self.rest.len() == BLOCK_BYTES {
                let full = std::mem::take(&mut self.rest);
                self.push(0, full, out);
            }
        }
        Ok(())
    }

    /// Hands out the last blocks, and what the id is made of.
    pub fn finish(mut self, out: &mut Vec<Block>) -> BlobRoot {
        if !self.rest.is_empty() || self.levels.is_empty() {
            let last = std::mem::take(&mut self.rest);
            self.push(0, last, out);
        }
        let mut number = 0;
        while let Some(level) = self.levels.get_mut(usize::from(number)) {
            let hashes = std::mem::take(&mut level.hashes);
            if level.count == 1 {
                let top = hashes.first_chunk::<32>().copied().unwrap_or_default();
                let size = self.size;
                return BlobRoot { size, top };
            }
            number += 1;
            if !hashes.is_empty() {
                self.push(number, hashes, out);
            }
        }
        // Each level with more than one block has one above it.
        BlobRoot {
            size: self.size,
            top: [0; 32],
        }
    }

    fn push(&mut self, number: u8, bytes: Vec<u8>, out: &mut Vec<Block>) {
        if self.levels.len() <= usize::from(number) {
            self.levels.push(Level::default());
        }
        let Some(level) = self.levels.get_mut(usize::from(number)) else {
            return;
        };
        let hash = block_hash(number, &bytes);
        let position = level.count;
        level.count += 1;
        level.hashes.extend_from_slice(&hash);
        out.push(Block {
            level: number,
            position,
            hash,
            bytes,
        });
        if level.hashes.len() == BLOCK_BYTES {
            let full = std::mem::take(&mut level.hashes);
            self.push(number + 1, full, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write as _;

    /// The size is what matters; the bytes are the low bytes of a running number.
    fn build(size: usize, step: usize) -> (BlobRoot, Vec<Block>) {
        let bytes: Vec<u8> = (0..size).map(|i| (i / 7) as u8).collect();
        let mut builder = BlobBuilder::default();
        let mut out = Vec::new();
        for part in bytes.chunks(step) {
            builder.write(part, &mut out).unwrap();
        }
        let root = builder.finish(&mut out);
        (root, out)
    }

    #[test]
    fn blocks_fit_the_shape_whatever_the_steps() {
        for size in [
            0,
            1,
            BLOCK_BYTES - 1,
            BLOCK_BYTES,
            BLOCK_BYTES + 1,
            1_000_000,
        ] {
            let (root, blocks) = build(size, 1000);
            assert_eq!(
                (root, &blocks),
                (build(size, 70_001).0, &build(size, 70_001).1)
            );
            let shape = BlobShape::new(size as u64).unwrap();
            for level in 0..=shape.top_level() {
                let of_level: Vec<_> = blocks.iter().filter(|b| b.level == level).collect();
                assert_eq!(of_level.len() as u64, shape.count(level));
                for block in of_level {
                    assert_eq!(block.bytes.len(), shape.block_len(level, block.position));
                    assert_eq!(block.hash, block_hash(level, &block.bytes));
                }
            }
            let top = blocks.iter().find(|b| b.level == shape.top_level());
            assert_eq!(top.unwrap().hash, root.top);
        }
    }

    #[test]
    fn a_full_group_makes_one_block_above() {
        let full = BLOCK_BYTES * FANOUT as usize;
        for (size, levels) in [(full, [2048, 1, 0]), (full + 1, [2049, 2, 1])] {
            let mut builder = BlobBuilder::default();
            let mut out = Vec::new();
            let mut counts = [0; 3];
            let piece = vec![0; BLOCK_BYTES];
            let mut left = size;
            while left > 0 {
                let part = left.min(BLOCK_BYTES);
                builder.write(&piece[..part], &mut out).unwrap();
                left -= part;
                out.drain(..)
                    .for_each(|b| counts[usize::from(b.level)] += 1);
            }
            builder.finish(&mut out);
            out.drain(..)
                .for_each(|b| counts[usize::from(b.level)] += 1);
            assert_eq!(counts, levels);
            let shape = BlobShape::new(size as u64).unwrap();
            for (level, count) in levels.into_iter().enumerate() {
                assert_eq!(shape.count(level as u8), count);
            }
        }
    }

    #[test]
    fn a_blob_past_the_bound_is_refused() {
        let e = BlobShape::new(limits::BLOB_BYTES + 1).unwrap_err();
        assert_eq!(e.kind(), crate::model::ErrorKind::LimitExceeded);
        assert_eq!(BlobShape::new(limits::BLOB_BYTES).unwrap().top_level(), 2);
    }

    /// `ECHODB_BLESS=1 cargo test golden` writes the file anew; do so only for a new version.
    #[test]
    fn golden_blob_ids() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/blob_ids.txt");
        let mut lines = String::new();
        for size in [0, 1, 65_535, 65_536, 65_537, 1_000_000, 134_217_729] {
            let (root, _) = build(size, 65_536);
            writeln!(lines, "{size} {}", root.id()).unwrap();
        }
        if std::env::var_os("ECHODB_BLESS").is_some() {
            std::fs::write(path, &lines).unwrap();
        }
        let golden = std::fs::read_to_string(path).unwrap();
        assert_eq!(lines, golden, "ids changed: that takes a new version");
    }
}
