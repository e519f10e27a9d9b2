//! Reading and writing the fixed binary formats. Integers are little-endian; lengths and counts
//! are unsigned LEB128 in the shortest form. A value has one encoding, or a signature over it
//! would cover several byte strings.

use crate::model::{Error, ErrorKind, Result};

/// Reads a byte string from front to back; every read is checked against what is left.
pub struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Reads `bytes`; `what` names the thing in error messages.
    pub fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Reader { rest: bytes, what }
    }

    /// A protocol error that names what was being read.
    pub fn error(&self, problem: impl std::fmt::Display) -> Error {
        Error::protocol(format!("{}: {problem}", self.what))
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// The next `count` bytes. Errors when fewer are left.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (head, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or_else(|| self.error("cut short"))?;
        self.rest = rest;
        Ok(head)
    }

    /// Everything that is left.
    pub fn take_rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.rest)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        let bytes = self.take(N)?;
        bytes.try_into().map_err(|_| self.error("cut short"))
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8> {
        self.array::<1>().map(|[b]| b)
    }

    /// A 32-bit integer.
    pub fn u32(&mut self) -> Result<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// A 64-bit integer.
    pub fn u64(&mut self) -> Result<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// An LEB128 integer. Errors on more than 64 bits and on any but the shortest form.
    pub fn varint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.u8()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                return Err(self.error("an integer is larger than 64 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(self.error("an integer is not in its shortest form"));
                }
                return Ok(value);
            }
        }
        Err(self.error("an integer is larger than 64 bits"))
    }

    /// A count or length of at most `limit`.
    pub fn count(&mut self, limit: usize, of: &str) -> Result<usize> {
        let value = self.varint()?;
        match usize::try_from(value) {
            Ok(count) if count <= limit => Ok(count),
            _ => Err(Error::limit(format!(
                "{}: {value} {of}, at most {limit} are allowed",
                self.what
            ))),
        }
    }

    /// A length of at most `limit`, then that many bytes.
    pub fn bytes(&mut self, limit: usize) -> Result<&'a [u8]> {
        let len = self.count(limit, "bytes")?;
        self.take(len)
    }

    /// A length, then UTF-8 of at most `chars` characters.
    pub fn text(&mut self, chars: usize) -> Result<String> {
        // A character takes at most four bytes, so the length is bounded before it is looked at.
        let bytes = self.bytes(chars.saturating_mul(4))?;
        let text = std::str::from_utf8(bytes).map_err(|_| self.error("a name is not UTF-8"))?;
        if text.chars().count() > chars {
            return Err(Error::limit(format!(
                "{}: a name is longer than {chars} characters",
                self.what
            )));
        }
        Ok(text.to_owned())
    }

    /// The version byte. Errors with [`ErrorKind::UnsupportedVersion`] when it is another.
    pub fn version(&mut self, supported: u8) -> Result<()> {
        let version = self.u8()?;
        if version == supported {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::UnsupportedVersion,
            format!(
                "{} has version {version}, this library reads version {supported}",
                self.what
            ),
        ))
    }

    /// Errors when anything is left.
    pub fn finish(self) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(self.error(format!("{} bytes too many", self.rest.len())))
    }
}

/// Appends an integer as LEB128 in its shortest form.
pub fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// Appends a length and the bytes.
pub fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_varint(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn varints_round_trip_and_have_one_form() {
        for value in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut bytes = Vec::new();
            put_varint(&mut bytes, value);
            let mut reader = Reader::new(&bytes, "test");
            assert_eq!(reader.varint().unwrap(), value);
            reader.finish().unwrap();
        }
        let too_long: [&[u8]; 5] = [
            &[0x80, 0x00],
            &[0xff, 0x80, 0x00],
            &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02],
            &[0xff; 11],
            &[0x80],
        ];
        for bytes in too_long {
            assert!(Reader::new(bytes, "test").varint().is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn text_is_bounded_in_characters() {
        let mut bytes = Vec::new();
        put_bytes(&mut bytes, "ééé".as_bytes());
        assert_eq!(Reader::new(&bytes, "test").text(3).unwrap(), "ééé");
        assert!(Reader::new(&bytes, "test").text(2).is_err());
        assert!(Reader::new(&[2, 0xff, 0xff], "test").text(3).is_err());
    }
}
