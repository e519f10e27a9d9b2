//! Sending: whole, or what is too large for one message in parts that are sealed one by one and put
//! together again. A space's history can be; whoever takes parts says so in its hello.

use super::machine::{Core, Effect, Step};
use super::sealing::TAG_BYTES;
use super::wire::{self, Body, Part};
use crate::model::{Error, ErrorKind, Result, limits};

const _: () = assert!(limits::INVITATION_WHOLE_BYTES + 1 + TAG_BYTES == limits::MESSAGE_BYTES);

/// The parts of something, of which all but the last are full.
pub(super) fn cut(bytes: &[u8]) -> impl Iterator<Item = Part> + '_ {
    let count = bytes.len().div_ceil(limits::INVITATION_PART_BYTES);
    let pieces = bytes.chunks(limits::INVITATION_PART_BYTES).enumerate();
    pieces.map(move |(at, piece)| Part {
        piece: piece.to_vec(),
        more: at + 1 < count,
    })
}

/// Puts together what comes in parts.
#[derive(Default)]
pub(super) struct Parts {
    bytes: Vec<u8>,
    count: u32,
}

impl Parts {
    /// Takes the next part; what they say together once it was the last.
    pub(super) fn take(&mut self, part: &Part) -> Result<Option<Body>> {
        let malformed = || Error::protocol("a part of an invitation message is malformed");
        let (length, full) = (part.piece.len(), limits::INVITATION_PART_BYTES);
        if length == 0 || length > full || (part.more && length < full) {
            return Err(malformed());
        }
        self.count += 1;
        if self.count > limits::INVITATION_PARTS {
            return Err(Error::protocol("an invitation message has too many parts"));
        }
        self.bytes.extend_from_slice(&part.piece);
        if part.more {
            return Ok(None);
        }
        let whole = std::mem::take(self);
        match Body::from_whole(&whole.bytes)? {
            Body::Part(_) => Err(malformed()),
            body => Ok(Some(body)),
        }
    }
}

/// Whether a side that takes so many parts (0: none) can be sent so much. An older version of the
/// library takes none.
pub fn check_size(bytes: usize, parts: u32) -> Result<()> {
    if bytes <= limits::INVITATION_WHOLE_BYTES {
        return Ok(());
    }
    if parts == 0 {
        return Err(Error::new(
            ErrorKind::UnsupportedVersion,
            "the history is too large for the version of this library on the other side: update it",
        ));
    }
    let most = (parts.min(limits::INVITATION_PARTS) as usize) * limits::INVITATION_PART_BYTES;
    if bytes > most {
        return Err(Error::limit(format!(
            "an invitation can hand over {most} bytes of a space's history, not {bytes}"
        )));
    }
    Ok(())
}

impl Core {
    /// Sends something, in parts if it is too large for one message; in how many.
    pub(super) fn send(&mut self, body: Body) -> Step<u32> {
        let bytes = body.into_bytes();
        let link = self.link()?;
        let parts = match link.sealer.is_some() {
            true => link.peer_parts,
            false => 0,
        };
        check_size(bytes.len(), parts)?;
        if bytes.len() <= limits::INVITATION_WHOLE_BYTES {
            self.send_whole(bytes)?;
            return Ok(1);
        }
        let mut sent = 0;
        for part in cut(&bytes) {
            self.send_whole(Body::Part(part).into_bytes())?;
            sent += 1;
        }
        Ok(sent)
    }

    /// Sends a message that is no larger than one may be.
    fn send_whole(&mut self, bytes: Vec<u8>) -> Step<()> {
        let bytes = self.pack(bytes)?;
        self.effect(Effect::Send(bytes));
        Ok(())
    }

    /// Seals a message, if it is to be.
    pub(super) fn pack(&mut self, mut bytes: Vec<u8>) -> Result<Vec<u8>> {
        let sealer = self.link.as_mut().and_then(|link| link.sealer.as_mut());
        let kind = match sealer {
            Some(sealer) => {
                bytes = sealer.seal(bytes)?;
                wire::SEALED
            }
            None => wire::CLEAR,
        };
        bytes.insert(0, kind);
        Ok(bytes)
    }

    /// Takes a part, which the other side has a step's time for, each.
    pub(super) fn take_part(&mut self, part: &Part) -> Step<Option<Body>> {
        self.start_step(1);
        Ok(self.link()?.parts.take(part)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole_again_and_nothing_else_does() {
        let full = limits::INVITATION_PART_BYTES;
        for length in [1, full - 1, full, full + 1, 5 * full + 7] {
            let body = Body::Admission(vec![7; length]);
            let mut parts = Parts::default();
            let mut whole = None;
            for part in cut(&body.clone().into_bytes()) {
                assert!(whole.is_none());
                whole = parts.take(&part).unwrap();
            }
            assert!(whole == Some(body), "{length}");
        }
        let part = |length, more| Part {
            piece: vec![0; length],
            more,
        };
        for bad in [
            part(0, false),
            part(0, true),
            part(full - 1, true),
            part(full + 1, true),
            part(full + 1, false),
            // No message.
            part(3, false),
        ] {
            assert!(Parts::default().take(&bad).is_err());
        }
        // A part of a part.
        let inner = Body::Part(part(1, false)).into_bytes();
        let outer = Part {
            piece: inner,
            more: false,
        };
        assert!(Parts::default().take(&outer).is_err());
    }

    #[test]
    fn no_more_is_gathered_than_was_said() {
        let mut parts = Parts::default();
        let part = Part {
            piece: vec![0; limits::INVITATION_PART_BYTES],
            more: true,
        };
        for _ in 0..limits::INVITATION_PARTS {
            assert!(parts.take(&part).unwrap().is_none());
        }
        assert!(parts.take(&part).is_err());
        let most = limits::INVITATION_PARTS as usize * limits::INVITATION_PART_BYTES;
        assert!(check_size(most, limits::INVITATION_PARTS).is_ok());
        assert!(check_size(most, u32::MAX).is_ok());
        let kind = |bytes, parts| check_size(bytes, parts).unwrap_err().kind();
        assert_eq!(kind(most + 1, u32::MAX), ErrorKind::LimitExceeded);
        assert_eq!(kind(most, 3), ErrorKind::LimitExceeded);
        let whole = limits::INVITATION_WHOLE_BYTES;
        assert!(check_size(whole, 0).is_ok());
        assert_eq!(kind(whole + 1, 0), ErrorKind::UnsupportedVersion);
    }
}
