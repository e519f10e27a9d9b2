//! Reading Automerge's primitive encodings from hostile bytes, without allocation.

use super::super::{Quarantine, QuarantineCode};

/// A cursor over bytes; every read is checked.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Reader { rest: bytes }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn take(&mut self, count: u64) -> Result<&'a [u8], Quarantine> {
        let (taken, rest) = usize::try_from(count)
            .ok()
            .and_then(|count| self.rest.split_at_checked(count))
            .ok_or_else(|| malformed("the change ends too early"))?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Quarantine> {
        let (taken, rest) = self
            .rest
            .split_first_chunk::<N>()
            .ok_or_else(|| malformed("the change ends too early"))?;
        self.rest = rest;
        Ok(*taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Quarantine> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// An unsigned LEB128 number in its only allowed, shortest form.
    pub(super) fn unsigned(&mut self) -> Result<u64, Quarantine> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(malformed("a number is longer than it need be"));
                }
                return Ok(value);
            }
        }
        Err(malformed("a number does not fit 64 bits"))
    }

    /// A signed LEB128 number in its only allowed, shortest form.
    pub(super) fn signed(&mut self) -> Result<i64, Quarantine> {
        let mut value = 0i64;
        let mut before = 0u8;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = i64::from(byte & 0x7f);
            // The tenth byte holds nothing but the sign.
            if shift == 63 && bits != 0 && bits != 0x7f {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                let negative = byte & 0x40 != 0;
                let repeats_sign = shift > 0
                    && ((byte == 0 && before & 0x40 == 0) || (byte == 0x7f && before & 0x40 != 0));
                if repeats_sign {
                    return Err(malformed("a number is longer than it need be"));
                }
                if negative && shift < 57 {
                    value |= -1i64 << (shift + 7);
                }
                return Ok(value);
            }
            before = byte;
        }
        Err(malformed("a number does not fit 64 bits"))
    }

    /// Bytes preceded by their number.
    pub(super) fn prefixed(&mut self) -> Result<&'a [u8], Quarantine> {
        let count = self.unsigned()?;
        self.take(count)
    }

    /// UTF-8 preceded by its number of bytes.
    pub(super) fn text(&mut self) -> Result<&'a str, Quarantine> {
        std::str::from_utf8(self.prefixed()?).map_err(|_| malformed("a string is not UTF-8"))
    }
}

pub(super) fn malformed(detail: impl Into<String>) -> Quarantine {
    Quarantine::new(QuarantineCode::Malformed, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_in_their_shortest_form_only() {
        let unsigned = |bytes: &[u8]| Reader::new(bytes).unsigned().ok();
        assert_eq!(unsigned(&[0]), Some(0));
        assert_eq!(unsigned(&[0x80, 0x01]), Some(128));
        assert_eq!(unsigned(&[0x80, 0x00]), None);
        let max = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        assert_eq!(unsigned(&max), Some(u64::MAX));
        assert_eq!(unsigned(&[0xff; 10]), None);
        assert_eq!(unsigned(&[0xff]), None);

        let signed = |bytes: &[u8]| Reader::new(bytes).signed().ok();
        assert_eq!(signed(&[0x7f]), Some(-1));
        assert_eq!(signed(&[0x40]), Some(-64));
        assert_eq!(signed(&[0xc0, 0x00]), Some(64));
        assert_eq!(signed(&[0xbf, 0x7f]), Some(-65));
        assert_eq!(signed(&[0xff, 0x7f]), None);
        let min = [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f];
        assert_eq!(signed(&min), Some(i64::MIN));
    }
}
