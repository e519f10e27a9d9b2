//! Credentials and presentations as text, for whatever carries no bytes.
//!
//! Crockford base32 of the bytes and of a checksum (4), behind a prefix that names what it is. The
//! checksum covers the prefix, so that one cannot be passed off as the other by changing it.

use super::fault::malformed;
use super::type_byte;
use crate::feed::sha256;
use crate::model::{Error, Result, crockford, limits};
use std::borrow::Cow;

const CREDENTIAL: &str = "echodb-credential-";
const PRESENTATION: &str = "echodb-presentation-";
const CHECKSUM_BYTES: usize = 4;
/// Bytes of a text that is looked at: eight letters for five bytes, and some room for white space.
const TEXT_BYTES: usize = limits::PRESENTATION_BYTES * 2;

/// The text of a credential's or presentation's bytes; fails with `InvalidArgument` for others.
pub fn to_text(bytes: &[u8]) -> Result<String> {
    let prefix = prefix_of(bytes)?;
    let mut with_sum = bytes.to_vec();
    with_sum.extend_from_slice(&checksum(prefix, bytes));
    Ok(format!("{prefix}{}", crockford().encode(&with_sum)))
}

/// The bytes of what a program was handed: bytes as they are, or text, in either case and with
/// white space or hyphens in between.
pub fn to_bytes(input: &[u8]) -> Result<Cow<'_, [u8]>> {
    match std::str::from_utf8(input) {
        // Bytes begin with a byte with which no UTF-8 text does.
        Ok(text) if !text.is_empty() => parse(text).map(Cow::Owned),
        _ => Ok(Cow::Borrowed(input)),
    }
}

fn parse(text: &str) -> Result<Vec<u8>> {
    if text.len() > TEXT_BYTES {
        return Err(Error::limit(
            "this is too long to be a credential or a presentation",
        ));
    }
    let text = text.trim();
    let mut prefixes = [CREDENTIAL, PRESENTATION].into_iter();
    let found = prefixes.find_map(|prefix| {
        let (head, letters) = text.split_at_checked(prefix.len())?;
        head.eq_ignore_ascii_case(prefix)
            .then_some((prefix, letters))
    });
    let Some((prefix, letters)) = found else {
        return Err(malformed(format!(
            "this is neither a credential nor a presentation: their codes begin with {CREDENTIAL} \
             and {PRESENTATION}"
        )));
    };
    let letters: Vec<u8> = letters
        .bytes()
        .filter(|byte| *byte != b'-' && !byte.is_ascii_whitespace())
        .collect();
    let bytes = crockford().decode(&letters).map_err(|_| damaged())?;
    let end = bytes.len().saturating_sub(CHECKSUM_BYTES);
    let (bytes, sum) = bytes.split_at_checked(end).ok_or_else(damaged)?;
    if sum != checksum(prefix, bytes) || prefix_of(bytes)? != prefix {
        return Err(damaged());
    }
    Ok(bytes.to_vec())
}

fn prefix_of(bytes: &[u8]) -> Result<&'static str> {
    match bytes.first() {
        Some(&(type_byte::IDENTITY | type_byte::MEMBERSHIP | type_byte::STATEMENT)) => {
            Ok(CREDENTIAL)
        }
        Some(&type_byte::PRESENTATION) => Ok(PRESENTATION),
        _ => Err(malformed("this is neither a credential nor a presentation")),
    }
}

fn checksum(prefix: &str, bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let [a, b, c, d, ..] = sha256(&[prefix.as_bytes(), bytes]);
    [a, b, c, d]
}

fn damaged() -> Error {
    malformed("the code is mistyped, cut off or damaged: copy it again, to the last letter")
}
