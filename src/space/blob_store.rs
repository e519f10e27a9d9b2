//! What a space needs of its storage for blobs.

use crate::model::blob::{BlobRoot, Block, BlockHash, BlockPlaces};
use crate::model::{BlobId, Result};

/// A blob as stored: whole, or as far as it has been fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Its number in the file.
    pub n: i64,
    /// Its id.
    pub id: BlobId,
    /// Its size and topmost hash.
    pub root: BlobRoot,
    /// Blocks of its own bytes that are here.
    pub blocks: u64,
    /// Bytes in them.
    pub held: u64,
    /// Whether an object in sight names it.
    pub referenced: bool,
}

impl BlobRow {
    /// Whether all of its bytes are here.
    pub fn is_whole(&self) -> bool {
        let count = self
            .root
            .size
            .div_ceil(crate::model::blob::BLOCK_BYTES as u64);
        self.blocks == count.max(1)
    }
}

/// Storage of a space's blobs. A failed call leaves everything as it was.
pub trait BlobStore {
    /// Makes room for a blob whose content is still to come; what was written to it is dropped unless
    /// it is finished.
    fn begin_blob(&mut self) -> Result<i64>;
    /// Adds blocks to it.
    fn add_blocks(&mut self, blob: i64, blocks: &[Block]) -> Result<()>;
    /// Adds its last blocks and names it. A whole blob of the same content that is here already stays,
    /// and this one is given up.
    fn finish_blob(
        &mut self,
        blob: i64,
        blocks: &[Block],
        root: &BlobRoot,
        now_ms: i64,
    ) -> Result<BlobRow>;
    /// Makes room for a blob that is to come from peers, unless it is here.
    fn expect_blob(&mut self, root: &BlobRoot, now_ms: i64) -> Result<BlobRow>;
    /// Puts a verified block where it goes; places that are filled stay.
    fn put_block(&mut self, blob: i64, places: &BlockPlaces, bytes: &[u8]) -> Result<()>;
    /// Fills those of the places whose blocks are here as parts of other blobs and have the length
    /// that `length` gives; says which are not.
    fn link_blocks(
        &mut self,
        blob: i64,
        wanted: Vec<BlockPlaces>,
        length: &dyn Fn(u64) -> usize,
    ) -> Result<Vec<BlockPlaces>>;
    /// The blob of an id.
    fn blob(&self, id: &BlobId) -> Result<Option<BlobRow>>;
    /// All blobs, in id order.
    fn blobs(&self) -> Result<Vec<BlobRow>>;
    /// One block of a blob, with its hash.
    fn blob_block(
        &self,
        blob: i64,
        level: u8,
        position: u64,
    ) -> Result<Option<(BlockHash, Vec<u8>)>>;
    /// The places of a level from `from` on and below `until` that are filled.
    fn filled(&self, blob: i64, level: u8, from: u64, until: u64) -> Result<Vec<u64>>;
    /// A block by its hash, with its level.
    fn block(&self, hash: &BlockHash) -> Result<Option<(u8, Vec<u8>)>>;
    /// Gives a blob up that is being written: it is gone at once, its blocks go with
    /// [`BlobStore::sweep_blocks`]. Does nothing to a finished one.
    fn give_up_blob(&mut self, blob: i64) -> Result<()>;
    /// Gives up blobs that a crash left unfinished; to be called before any is begun.
    fn give_up_unfinished(&mut self) -> Result<()>;
    /// Notes since when blobs are idle, which no object in sight names, and gives up those that have
    /// been for `grace_ms`, except `kept`. Returns how many.
    fn give_up_idle(&mut self, now_ms: i64, grace_ms: i64, kept: &[BlobId]) -> Result<u64>;
    /// Removes some blocks of blobs that were given up; returns their bytes, and `None` when there
    /// are none left.
    fn sweep_blocks(&mut self) -> Result<Option<u64>>;
}
