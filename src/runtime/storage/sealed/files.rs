//! What the layer needs of the file below it, and what it answers to SQLite.

use super::cipher::TRAILER;

/// The page size of every encrypted file.
pub(super) const PAGE: usize = 4096;
/// The bytes at the end of every page that SQLite leaves to the layer.
pub(in crate::runtime::storage) const RESERVED: usize = TRAILER;

/// Why the layer did not do what SQLite asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The file ends before the bytes asked for; the buffer was filled up with zeros.
    Short,
    /// The bytes on the disk were not written by the holder of the key, or not there.
    Damaged,
    /// SQLite asked for something that it is not known to ask for.
    Unexpected,
    /// The file below failed with this code of SQLite's.
    Below(std::ffi::c_int),
}

pub(super) type Outcome<T = ()> = std::result::Result<T, Refusal>;

/// A file on the disk.
pub(super) trait Below {
    /// Reads at `offset` until `buffer` is full or the file ends; what is missing is zeros. Returns
    /// whether the file held all of it.
    fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Outcome<bool>;
    fn write(&mut self, offset: u64, bytes: &[u8]) -> Outcome;
    fn truncate(&mut self, size: u64) -> Outcome;
    fn size(&mut self) -> Outcome<u64>;
}

/// A file as SQLite sees it.
pub(super) trait Layer: Send {
    fn read(&mut self, below: &mut dyn Below, offset: u64, buffer: &mut [u8]) -> Outcome;
    fn write(&mut self, below: &mut dyn Below, offset: u64, bytes: &[u8]) -> Outcome;
    fn truncate(&mut self, below: &mut dyn Below, size: u64) -> Outcome;
    fn size(&mut self, below: &mut dyn Below) -> Outcome<u64>;
    /// Hands everything on that was written: before a sync, and before the file is closed.
    fn settle(&mut self, below: &mut dyn Below) -> Outcome;
}

/// Splits `N` bytes off the end.
pub(super) fn split_end<const N: usize>(bytes: &mut [u8]) -> Option<(&mut [u8], &mut [u8; N])> {
    bytes.split_last_chunk_mut::<N>()
}

/// The journal of a file that is being made, before it has a log. It holds no page, since there is
/// none to go back to; one that held a page would be plain, and is refused.
pub(super) struct JournalFile;

impl Layer for JournalFile {
    fn read(&mut self, below: &mut dyn Below, offset: u64, buffer: &mut [u8]) -> Outcome {
        match below.read(offset, buffer)? {
            true => Ok(()),
            false => Err(Refusal::Short),
        }
    }

    fn write(&mut self, below: &mut dyn Below, offset: u64, bytes: &[u8]) -> Outcome {
        if bytes.len() >= PAGE {
            return Err(Refusal::Unexpected);
        }
        below.write(offset, bytes)
    }

    fn truncate(&mut self, below: &mut dyn Below, size: u64) -> Outcome {
        below.truncate(size)
    }

    fn size(&mut self, below: &mut dyn Below) -> Outcome<u64> {
        below.size()
    }

    fn settle(&mut self, _: &mut dyn Below) -> Outcome {
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod memory {
    use super::{Below, Outcome, Refusal};

    /// A file in memory, which may have room for so many bytes only.
    #[derive(Default)]
    pub struct Memory {
        pub bytes: Vec<u8>,
        pub room: Option<usize>,
    }

    impl Below for Memory {
        fn read(&mut self, offset: u64, buffer: &mut [u8]) -> Outcome<bool> {
            buffer.fill(0);
            let held = self.bytes.get(offset as usize..).unwrap_or_default();
            let n = held.len().min(buffer.len());
            buffer[..n].copy_from_slice(&held[..n]);
            Ok(n == buffer.len())
        }

        fn write(&mut self, offset: u64, bytes: &[u8]) -> Outcome {
            let end = offset as usize + bytes.len();
            if self.room.is_some_and(|room| end > room) {
                return Err(Refusal::Below(rusqlite::ffi::SQLITE_FULL));
            }
            self.bytes.resize(self.bytes.len().max(end), 0);
            self.bytes[offset as usize..end].copy_from_slice(bytes);
            Ok(())
        }

        fn truncate(&mut self, size: u64) -> Outcome {
            self.bytes.resize(size as usize, 0);
            Ok(())
        }

        fn size(&mut self) -> Outcome<u64> {
            Ok(self.bytes.len() as u64)
        }
    }
}
