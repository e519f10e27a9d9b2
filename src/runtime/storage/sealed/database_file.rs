//! The database itself: pages of 4096 bytes, each sealed with its number. SQLite leaves the last
//! bytes of every page free, and the trailer stands there.

use super::cipher::{Cipher, Kind, TRAILER};
use super::files::{Below, Layer, Outcome, PAGE, Refusal, split_end};

/// How a file of SQLite's begins.
pub(super) const PLAIN_START: &[u8; 16] = b"SQLite format 3\0";
/// How an encrypted one begins, in the place of the above. The digit is the format's version.
pub(super) const SEALED_START: &[u8; 16] = b"echodb sealed 1\0";

pub(super) struct DatabaseFile {
    cipher: Cipher,
    /// Whether pages may be missing: in a file that is being built, SQLite may read back a page that
    /// it took up and gave up without writing it.
    building: bool,
    scratch: Vec<u8>,
}

impl DatabaseFile {
    pub(super) fn new(cipher: Cipher, building: bool) -> DatabaseFile {
        debug_assert_eq!(cipher.kind(), Kind::Database);
        DatabaseFile {
            cipher,
            building,
            scratch: vec![0; PAGE],
        }
    }

    /// Reads page `index` into `page`, which has its size.
    fn read_page(&mut self, below: &mut dyn Below, index: u64, page: &mut [u8]) -> Outcome {
        let whole = below.read(index * PAGE as u64, page)?;
        if page.iter().all(|byte| *byte == 0) {
            if self.building {
                return if whole { Ok(()) } else { Err(Refusal::Short) };
            }
            return Err(Refusal::Damaged);
        }
        let (body, trailer) = split_end::<TRAILER>(page).ok_or(Refusal::Unexpected)?;
        let (start, sealed) = body.split_at_mut(start_len(index));
        if (index == 0 && start != SEALED_START) || !self.cipher.open(index, sealed, trailer) {
            return Err(Refusal::Damaged);
        }
        if index == 0 {
            start.copy_from_slice(PLAIN_START);
        }
        trailer.fill(0);
        Ok(())
    }
}

/// How many bytes of a page are not sealed: on the first one, those that say what the file is.
fn start_len(index: u64) -> usize {
    match index {
        0 => SEALED_START.len(),
        _ => 0,
    }
}

impl Layer for DatabaseFile {
    fn read(&mut self, below: &mut dyn Below, offset: u64, buffer: &mut [u8]) -> Outcome {
        let (index, within) = (offset / PAGE as u64, (offset % PAGE as u64) as usize);
        if within == 0 && buffer.len() == PAGE {
            return self.read_page(below, index, buffer);
        }
        // SQLite looks at the start of the file before it holds a lock. Then the file may be empty,
        // or what a crash has left of its first page, to be mended from the log.
        let mut page = std::mem::take(&mut self.scratch);
        let done = self.read_page(below, index, &mut page);
        let part = page.get(within..within + buffer.len());
        let done = match (done, part) {
            (Ok(()), Some(part)) => {
                buffer.copy_from_slice(part);
                Ok(())
            }
            (Err(Refusal::Damaged), Some(_)) if index == 0 => {
                buffer.fill(0);
                Err(Refusal::Short)
            }
            (Err(refusal), _) => Err(refusal),
            (Ok(()), None) => Err(Refusal::Unexpected),
        };
        self.scratch = page;
        done
    }

    fn write(&mut self, below: &mut dyn Below, offset: u64, bytes: &[u8]) -> Outcome {
        let index = offset / PAGE as u64;
        if bytes.len() != PAGE || !offset.is_multiple_of(PAGE as u64) {
            return Err(Refusal::Unexpected);
        }
        self.scratch.copy_from_slice(bytes);
        let (body, trailer) = split_end::<TRAILER>(&mut self.scratch).ok_or(Refusal::Unexpected)?;
        let (start, plain) = body.split_at_mut(start_len(index));
        if index == 0 {
            start.copy_from_slice(SEALED_START);
        }
        *trailer = self.cipher.seal(index, plain);
        below.write(offset, &self.scratch)
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
mod tests {
    use super::super::cipher::FileKey;
    use super::super::files::memory::Memory;
    use super::*;
    use std::sync::Arc;

    fn file(building: bool) -> DatabaseFile {
        let key = Arc::new(FileKey::derive(&[1; 32], b"x"));
        DatabaseFile::new(Cipher::new(key, Kind::Database), building)
    }

    fn page(start: &[u8], fill: u8) -> Vec<u8> {
        let mut page = vec![fill; PAGE];
        page[..start.len()].copy_from_slice(start);
        page[PAGE - TRAILER..].fill(0);
        page
    }

    #[test]
    fn pages_come_back_and_nothing_plain_is_below() {
        let mut below = Memory::default();
        let pages = [page(PLAIN_START, 0x5a), page(b"", 0x5b), page(b"", 0)];
        for (n, page) in pages.iter().enumerate() {
            file(false)
                .write(&mut below, (n * PAGE) as u64, page)
                .unwrap();
        }
        assert!(below.bytes.starts_with(SEALED_START));
        let runs = [[0x5a; 16], [0x5b; 16], [0; 16]];
        assert!(
            !below
                .bytes
                .windows(16)
                .any(|w| runs.iter().any(|run| w == run))
        );
        for (n, page) in pages.iter().enumerate() {
            let mut read = vec![1; PAGE];
            file(false)
                .read(&mut below, (n * PAGE) as u64, &mut read)
                .unwrap();
            assert!(read == *page, "{n}");
        }
        let mut start = [0; 100];
        file(false).read(&mut below, 0, &mut start).unwrap();
        assert_eq!(start, pages[0][..100]);
    }

    #[test]
    fn what_is_missing_moved_or_changed_is_damaged() {
        let mut below = Memory::default();
        for n in 0..3 {
            file(false)
                .write(&mut below, n * PAGE as u64, &page(PLAIN_START, n as u8))
                .unwrap();
        }
        let whole = below.bytes.clone();
        let mut damaged = |bytes: Vec<u8>, index: u64| {
            below.bytes = bytes;
            let mut read = vec![0; PAGE];
            let done = file(false).read(&mut below, index * PAGE as u64, &mut read);
            assert_eq!(done, Err(Refusal::Damaged));
        };
        for at in (0..PAGE).step_by(7) {
            for page in 0..3 {
                let mut bytes = whole.clone();
                bytes[page * PAGE + at] ^= 0x10;
                damaged(bytes, page as u64);
            }
        }
        let mut swapped = whole.clone();
        swapped.copy_within(PAGE..2 * PAGE, 2 * PAGE);
        damaged(swapped, 2);
        let mut wiped = whole.clone();
        wiped[PAGE..2 * PAGE].fill(0);
        damaged(wiped, 1);
        damaged(whole[..2 * PAGE + 1000].to_vec(), 2);
        damaged(whole[..2 * PAGE].to_vec(), 2);
    }

    #[test]
    fn a_first_look_at_a_torn_start_finds_nothing() {
        let mut below = Memory::default();
        let mut start = [9; 100];
        let look = |below: &mut Memory, start: &mut [u8]| file(false).read(below, 0, start);
        assert_eq!(look(&mut below, &mut start), Err(Refusal::Short));
        assert_eq!(start, [0; 100]);
        file(false)
            .write(&mut below, 0, &page(PLAIN_START, 4))
            .unwrap();
        below.bytes[3000] ^= 1;
        start.fill(9);
        assert_eq!(look(&mut below, &mut start), Err(Refusal::Short));
        assert_eq!(start, [0; 100]);
    }

    #[test]
    fn a_file_that_is_built_may_have_holes() {
        let mut below = Memory::default();
        file(true)
            .write(&mut below, 2 * PAGE as u64, &page(b"", 4))
            .unwrap();
        let mut read = vec![1; PAGE];
        let done = file(true).read(&mut below, PAGE as u64, &mut read);
        assert_eq!((done, read.as_slice()), (Ok(()), [0; PAGE].as_slice()));
        let done = file(true).read(&mut below, 9 * PAGE as u64, &mut read);
        assert_eq!(done, Err(Refusal::Short));
    }

    #[test]
    fn only_whole_pages_are_written() {
        let mut below = Memory::default();
        for (offset, length) in [(0, 100), (0, 2 * PAGE), (17, PAGE), (0, PAGE - 1)] {
            let done = file(false).write(&mut below, offset, &vec![0; length]);
            assert_eq!(done, Err(Refusal::Unexpected));
        }
        assert!(below.bytes.is_empty());
    }
}
