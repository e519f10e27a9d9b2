//! Messages of up to [`limits::MESSAGE_BYTES`] cut into frames that fit a sealed Noise message, and
//! put together again.
//!
//! A frame is one byte of kind and then a piece of the message: [`MORE`] says that further frames
//! follow, [`LAST`] ends the message. The channel is ordered and reliable, so no numbers are
//! needed; messages do not interleave.

use super::session::PLAIN_BYTES;
use crate::model::{Error, Result, limits};

/// Kind byte of a frame that does not end its message.
const MORE: u8 = 0;
/// Kind byte of the frame that ends its message.
const LAST: u8 = 1;

/// Bytes of message that one frame carries.
const PIECE: usize = PLAIN_BYTES - 1;

/// Cuts a message into frames. A message past [`limits::MESSAGE_BYTES`] is refused.
pub fn split(message: &[u8]) -> Result<Vec<Vec<u8>>> {
    if message.len() > limits::MESSAGE_BYTES {
        return Err(Error::limit(format!(
            "a message between peers may have {} bytes, not {}",
            limits::MESSAGE_BYTES,
            message.len()
        )));
    }
    let mut frames = Vec::with_capacity(message.len() / PIECE + 1);
    let mut rest = message;
    while let Some((piece, more)) = rest.split_at_checked(PIECE).filter(|(_, m)| !m.is_empty()) {
        frames.push(frame(MORE, piece));
        rest = more;
    }
    frames.push(frame(LAST, rest));
    Ok(frames)
}

fn frame(kind: u8, piece: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(piece.len() + 1);
    bytes.push(kind);
    bytes.extend_from_slice(piece);
    bytes
}

/// Puts frames together. Holds at most one message's worth of bytes.
#[derive(Debug, Default)]
pub struct Assembler {
    pending: Vec<u8>,
    failed: bool,
}

impl Assembler {
    /// One with nothing pending.
    pub fn new() -> Self {
        Assembler::default()
    }

    /// Takes a frame; gives the message that it completes, if it does. After an error the stream
    /// is out of step, and every further frame is refused too.
    pub fn push(&mut self, frame: &[u8]) -> Result<Option<Vec<u8>>> {
        let taken = self.take(frame);
        if taken.is_err() {
            self.failed = true;
            self.pending = Vec::new();
        }
        taken
    }

    fn take(&mut self, frame: &[u8]) -> Result<Option<Vec<u8>>> {
        if self.failed {
            return Err(Error::protocol("the frame stream has failed before"));
        }
        let Some((kind, piece)) = frame.split_first() else {
            return Err(Error::protocol("a frame is empty"));
        };
        if piece.len() > PIECE {
            return Err(Error::protocol("a frame is too long"));
        }
        if self.pending.len() + piece.len() > limits::MESSAGE_BYTES {
            return Err(Error::protocol("a message in frames is too long"));
        }
        match *kind {
            // Only full frames may be followed by others: one message has one form, and a peer
            // cannot make us hold a message open with frames that carry nothing.
            MORE if piece.len() == PIECE => {
                self.pending.extend_from_slice(piece);
                Ok(None)
            }
            LAST if !piece.is_empty() || self.pending.is_empty() => {
                self.pending.extend_from_slice(piece);
                Ok(Some(std::mem::take(&mut self.pending)))
            }
            MORE | LAST => Err(Error::protocol("a frame is not filled")),
            _ => Err(Error::protocol("a frame has an unknown kind")),
        }
    }

    /// Bytes held for a message that is not complete.
    #[cfg(test)]
    pub fn pending_bytes(&self) -> usize {
        self.pending.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;

    #[test]
    fn every_length_near_a_boundary_round_trips() {
        let mut assembler = Assembler::new();
        for base in [0, PIECE, 2 * PIECE, limits::MESSAGE_BYTES - 1] {
            for length in base.saturating_sub(1)..=base + 1 {
                let message: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
                let frames = split(&message).unwrap();
                let (last, first) = frames.split_last().unwrap();
                for frame in first {
                    assert_eq!(frame.len(), PLAIN_BYTES);
                    assert_eq!(assembler.push(frame).unwrap(), None);
                }
                assert_eq!(assembler.push(last).unwrap(), Some(message));
                assert_eq!(assembler.pending_bytes(), 0);
            }
        }
        let long = vec![0; limits::MESSAGE_BYTES + 1];
        assert_eq!(split(&long).unwrap_err().kind(), ErrorKind::LimitExceeded);
    }

    #[test]
    fn malformed_frames_are_refused_for_good() {
        let mut full = vec![MORE; PLAIN_BYTES];
        full[0] = MORE;
        for bad in [
            vec![],
            vec![2, 1],
            vec![MORE],
            vec![MORE, 1],
            vec![LAST; PLAIN_BYTES + 1],
        ] {
            let mut assembler = Assembler::new();
            assembler.push(&full).unwrap();
            let error = assembler.push(&bad).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Protocol);
            assert!(assembler.push(&[LAST, 1]).is_err());
            assert_eq!(assembler.pending_bytes(), 0);
        }
        let mut assembler = Assembler::new();
        assembler.push(&full).unwrap();
        assert!(
            assembler.push(&[LAST]).is_err(),
            "an empty tail is not canonical"
        );
    }

    #[test]
    fn an_endless_message_is_cut_off() {
        let full = vec![MORE; PLAIN_BYTES];
        let mut assembler = Assembler::new();
        let mut held = 0;
        while assembler.push(&full).is_ok() {
            held = assembler.pending_bytes();
            assert!(held <= limits::MESSAGE_BYTES);
        }
        assert!(held + PIECE > limits::MESSAGE_BYTES);
    }
}
