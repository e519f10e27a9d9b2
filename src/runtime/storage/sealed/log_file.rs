//! The write-ahead log: after SQLite's header, which holds nothing of the content, one frame for
//! each page. A frame is sealed as a whole, its own header included (the sums in it tell of the
//! page), with its place in the log. On the disk it is longer than SQLite believes, by the trailer.
//!
//! A frame that does not open, as after a power cut, is shown to SQLite's recovery as zeros, which
//! it takes for the end of the log. A read of a page alone, which SQLite makes only of frames that it
//! knows to be whole, fails.

use super::cipher::{Cipher, Kind, TRAILER};
use super::files::{Below, Layer, Outcome, PAGE, Refusal, split_end};

/// The log's header.
const HEADER: u64 = 32;
/// A frame's header.
const FRAME_HEADER: usize = 24;
/// A frame, as SQLite sees it.
const FRAME: u64 = (FRAME_HEADER + PAGE) as u64;
/// A frame on the disk.
const SEALED_FRAME: u64 = FRAME + TRAILER as u64;

pub(super) struct LogFile {
    cipher: Cipher,
    /// The header of a frame whose page is yet to come.
    header: Option<(u64, [u8; FRAME_HEADER])>,
    scratch: Vec<u8>,
}

impl LogFile {
    pub(super) fn new(cipher: Cipher) -> LogFile {
        debug_assert_eq!(cipher.kind(), Kind::Log);
        LogFile {
            cipher,
            header: None,
            scratch: vec![0; SEALED_FRAME as usize],
        }
    }

    /// Reads frame `n` into the scratch space.
    fn load(&mut self, below: &mut dyn Below, n: u64) -> Outcome {
        let whole = below.read(HEADER + n * SEALED_FRAME, &mut self.scratch)?;
        let (body, trailer) = split_end::<TRAILER>(&mut self.scratch).ok_or(Refusal::Unexpected)?;
        match whole && self.cipher.open(n, body, trailer) {
            true => Ok(()),
            false => Err(Refusal::Damaged),
        }
    }

    /// Writes the scratch space as frame `n`.
    fn store(&mut self, below: &mut dyn Below, n: u64) -> Outcome {
        let (body, trailer) = split_end::<TRAILER>(&mut self.scratch).ok_or(Refusal::Unexpected)?;
        *trailer = self.cipher.seal(n, body);
        below.write(HEADER + n * SEALED_FRAME, &self.scratch)
    }
}

/// The frame in which an offset falls, and where in it; `None` for one in the log's header.
fn place(offset: u64) -> Option<(u64, usize)> {
    let behind = offset.checked_sub(HEADER)?;
    Some((behind / FRAME, (behind % FRAME) as usize))
}

impl Layer for LogFile {
    fn read(&mut self, below: &mut dyn Below, offset: u64, buffer: &mut [u8]) -> Outcome {
        self.settle(below)?;
        let Some((n, within)) = place(offset) else {
            if offset + buffer.len() as u64 > HEADER {
                return Err(Refusal::Unexpected);
            }
            return match below.read(offset, buffer)? {
                true => Ok(()),
                false => Err(Refusal::Short),
            };
        };
        let end = within + buffer.len();
        if end > FRAME as usize {
            return Err(Refusal::Unexpected);
        }
        match self.load(below, n) {
            Ok(()) => {
                let part = self.scratch.get(within..end);
                buffer.copy_from_slice(part.ok_or(Refusal::Unexpected)?);
                Ok(())
            }
            // Recovery reads whole frames, and nothing else does so before it has read the frame's
            // header.
            Err(Refusal::Damaged) if buffer.len() == FRAME as usize => {
                buffer.fill(0);
                Ok(())
            }
            Err(refusal) => Err(refusal),
        }
    }

    fn write(&mut self, below: &mut dyn Below, offset: u64, bytes: &[u8]) -> Outcome {
        let Some((n, within)) = place(offset) else {
            self.settle(below)?;
            if offset != 0 || bytes.len() as u64 != HEADER {
                return Err(Refusal::Unexpected);
            }
            return below.write(0, bytes);
        };
        if within == 0
            && let Ok(header) = bytes.try_into()
        {
            self.settle(below)?;
            self.header = Some((n, header));
            return Ok(());
        }
        if within != FRAME_HEADER || bytes.len() != PAGE {
            return Err(Refusal::Unexpected);
        }
        match self.header.take() {
            Some((of, header)) if of == n => self.scratch[..FRAME_HEADER].copy_from_slice(&header),
            other => {
                self.header = other;
                self.settle(below)?;
                // A page that is written once more in one transaction keeps its frame.
                self.load(below, n)?;
            }
        }
        self.scratch[FRAME_HEADER..FRAME as usize].copy_from_slice(bytes);
        self.store(below, n)
    }

    fn truncate(&mut self, below: &mut dyn Below, size: u64) -> Outcome {
        self.settle(below)?;
        below.truncate(match place(size) {
            None => size,
            Some((n, within)) => HEADER + n * SEALED_FRAME + within as u64,
        })
    }

    fn size(&mut self, below: &mut dyn Below) -> Outcome<u64> {
        self.settle(below)?;
        let size = below.size()?;
        let Some(behind) = size.checked_sub(HEADER) else {
            return Ok(size);
        };
        let rest = (behind % SEALED_FRAME).min(FRAME - 1);
        Ok(HEADER + behind / SEALED_FRAME * FRAME + rest)
    }

    /// A header without its page belongs to a frame that is there already: SQLite corrects its sums.
    fn settle(&mut self, below: &mut dyn Below) -> Outcome {
        let Some((n, header)) = self.header.take() else {
            return Ok(());
        };
        self.load(below, n)?;
        self.scratch[..FRAME_HEADER].copy_from_slice(&header);
        self.store(below, n)
    }
}

#[cfg(test)]
mod tests {
    use super::super::cipher::FileKey;
    use super::super::files::memory::Memory;
    use super::*;
    use std::sync::Arc;

    fn log() -> LogFile {
        let key = Arc::new(FileKey::derive(&[1; 32], b"x"));
        LogFile::new(Cipher::new(key, Kind::Log))
    }

    fn frame(n: u64, fill: u8) -> Vec<u8> {
        let mut frame = vec![fill; FRAME as usize];
        frame[0] = n as u8 + 1;
        frame
    }

    fn put(log: &mut LogFile, below: &mut Memory, n: u64, frame: &[u8]) -> Outcome {
        let at = HEADER + n * FRAME;
        log.write(below, at, &frame[..FRAME_HEADER])?;
        log.write(below, at + FRAME_HEADER as u64, &frame[FRAME_HEADER..])
    }

    fn get(log: &mut LogFile, below: &mut Memory, n: u64) -> Vec<u8> {
        let mut read = vec![1; FRAME as usize];
        log.read(below, HEADER + n * FRAME, &mut read).unwrap();
        read
    }

    fn three() -> Memory {
        let mut below = Memory::default();
        let mut log = log();
        log.write(&mut below, 0, &[3; 32]).unwrap();
        for n in 0..3 {
            put(&mut log, &mut below, n, &frame(n, 0x61)).unwrap();
        }
        log.settle(&mut below).unwrap();
        below
    }

    #[test]
    fn frames_come_back_and_nothing_plain_is_below() {
        let mut below = three();
        assert_eq!(below.bytes.len() as u64, HEADER + 3 * SEALED_FRAME);
        assert!(!below.bytes[32..].windows(4).any(|w| w == [0x61; 4]));
        let mut log = log();
        assert_eq!(log.size(&mut below), Ok(HEADER + 3 * FRAME));
        for n in 0..3 {
            assert!(get(&mut log, &mut below, n) == frame(n, 0x61), "{n}");
            let mut page = vec![0; PAGE];
            let at = HEADER + n * FRAME + FRAME_HEADER as u64;
            log.read(&mut below, at, &mut page).unwrap();
            assert!(page == vec![0x61; PAGE]);
            let mut sums = [0; 8];
            log.read(&mut below, HEADER + n * FRAME + 16, &mut sums)
                .unwrap();
            assert_eq!(sums, [0x61; 8]);
        }
        let mut header = [0; 8];
        log.read(&mut below, 24, &mut header).unwrap();
        assert_eq!(header, [3; 8]);
    }

    #[test]
    fn pages_and_headers_are_corrected_in_place() {
        let mut below = three();
        let mut log = log();
        let at = HEADER + FRAME;
        log.write(&mut below, at + FRAME_HEADER as u64, &[0x70; PAGE])
            .unwrap();
        log.write(&mut below, at, &[0x71; FRAME_HEADER]).unwrap();
        let mut expected = vec![0x70; FRAME as usize];
        expected[..FRAME_HEADER].fill(0x71);
        assert!(get(&mut log, &mut below, 1) == expected);
        log.write(&mut below, at, &[0x72; FRAME_HEADER]).unwrap();
        log.write(&mut below, HEADER, &[0x73; FRAME_HEADER])
            .unwrap();
        log.settle(&mut below).unwrap();
        expected[..FRAME_HEADER].fill(0x72);
        assert!(get(&mut self::log(), &mut below, 1) == expected);
        assert_eq!(get(&mut self::log(), &mut below, 0)[0], 0x73);
        assert!(get(&mut self::log(), &mut below, 2) == frame(2, 0x61));
    }

    #[test]
    fn a_torn_frame_ends_recovery_and_fails_other_reads() {
        let whole = three().bytes;
        type Harm = fn(&mut Vec<u8>);
        let cases: [(usize, Harm); 3] = [
            (1, |b| b[(HEADER + SEALED_FRAME) as usize + 900] ^= 1),
            (2, |b| b.truncate(b.len() - 1)),
            // A frame at another place.
            (0, |b| {
                b.copy_within(
                    (HEADER + SEALED_FRAME) as usize..(HEADER + 2 * SEALED_FRAME) as usize,
                    HEADER as usize,
                )
            }),
        ];
        for (n, harm) in cases {
            let mut below = Memory {
                bytes: whole.clone(),
                room: None,
            };
            harm(&mut below.bytes);
            let mut log = log();
            assert!(
                get(&mut log, &mut below, n as u64) == vec![0; FRAME as usize],
                "{n}"
            );
            let at = HEADER + n as u64 * FRAME + FRAME_HEADER as u64;
            let done = log.read(&mut below, at, &mut [0; PAGE]);
            assert_eq!(done, Err(Refusal::Damaged), "{n}");
            // Neither can it be made whole by a new header.
            log.write(&mut below, HEADER + n as u64 * FRAME, &[1; FRAME_HEADER])
                .unwrap();
            assert_eq!(log.settle(&mut below), Err(Refusal::Damaged), "{n}");
        }
    }

    #[test]
    fn sizes_count_frames() {
        let mut below = three();
        let mut log = log();
        for (size, expected) in [
            (HEADER + 2 * FRAME, HEADER + 2 * SEALED_FRAME),
            (HEADER + FRAME + 7, HEADER + SEALED_FRAME + 7),
            (20, 20),
            (0, 0),
        ] {
            log.truncate(&mut below, size).unwrap();
            assert_eq!(below.bytes.len() as u64, expected);
            assert_eq!(log.size(&mut below), Ok(size));
        }
        // All but the last byte of a frame is not a frame.
        below.bytes = vec![0; (HEADER + SEALED_FRAME) as usize - 1];
        assert_eq!(log.size(&mut below), Ok(HEADER + FRAME - 1));
    }

    #[test]
    fn a_full_disk_shows_at_the_page() {
        let mut below = three();
        below.room = Some(below.bytes.len() + 100);
        let mut log = log();
        let full = Err(Refusal::Below(rusqlite::ffi::SQLITE_FULL));
        assert_eq!(put(&mut log, &mut below, 3, &frame(3, 1)), full);
        below.room = None;
        put(&mut log, &mut below, 3, &frame(3, 2)).unwrap();
        assert!(get(&mut log, &mut below, 3) == frame(3, 2));
    }

    #[test]
    fn other_shapes_are_refused() {
        let mut below = three();
        let before = below.bytes.clone();
        let mut log = log();
        for (offset, length) in [
            (0, 16),
            (8, 32),
            (32, 100),
            (56, 512),
            (60, PAGE),
            (0, PAGE),
        ] {
            let done = log.write(&mut below, offset, &vec![0; length]);
            assert_eq!(done, Err(Refusal::Unexpected), "{offset} {length}");
        }
        for (offset, length) in [(16, 32), (56, PAGE + 1), (0, PAGE)] {
            let done = log.read(&mut below, offset, &mut vec![0; length]);
            assert_eq!(done, Err(Refusal::Unexpected), "{offset} {length}");
        }
        assert!(below.bytes == before);
    }
}
