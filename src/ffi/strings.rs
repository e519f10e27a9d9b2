//! Strings, bytes and times as they enter.

use super::{Result, invalid};
use crate::model::json;
use std::ffi::c_char;
use std::time::Duration;

/// Copies `len` bytes. NULL stands for none, with length 0 only.
///
/// # Safety
///
/// As [`slice`].
pub(super) unsafe fn bytes(data: *const u8, len: usize, name: &str) -> Result<Vec<u8>> {
    // SAFETY: the caller vouches for the pointer.
    unsafe { slice(data, len, name) }.map(<[u8]>::to_vec)
}

/// Borrows `len` bytes for the length of a call. NULL stands for none, with length 0 only.
///
/// # Safety
///
/// `data` is NULL or may be read for `len` bytes, which stay as they are during the call.
pub(super) unsafe fn slice<'a>(data: *const u8, len: usize, name: &str) -> Result<&'a [u8]> {
    if len == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(invalid(format!("{name} is NULL but its length is {len}")));
    }
    // No object is larger than this; such a length is a negative number gone astray.
    if isize::try_from(len).is_err() {
        return Err(invalid(format!("{name} cannot be {len} bytes long")));
    }
    // SAFETY: not NULL, of a possible length, and the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

/// Copies a string.
///
/// # Safety
///
/// As [`bytes`].
pub(super) unsafe fn text(data: *const c_char, len: usize, name: &str) -> Result<String> {
    // SAFETY: the caller vouches for the pointer.
    let bytes = unsafe { bytes(data.cast(), len, name) }?;
    String::from_utf8(bytes).map_err(|e| {
        let at = e.utf8_error().valid_up_to();
        invalid(format!("{name} is not UTF-8 from byte {at} on"))
    })
}

/// Copies a string that may be left out: NULL stands for that.
///
/// # Safety
///
/// As [`bytes`].
pub(super) unsafe fn optional_text(
    data: *const c_char,
    len: usize,
    name: &str,
) -> Result<Option<String>> {
    if data.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: the caller vouches for the pointer.
    unsafe { text(data, len, name) }.map(Some)
}

/// Copies a list of strings, written as a JSON array; nothing stands for the empty list.
///
/// # Safety
///
/// As [`bytes`].
pub(super) unsafe fn list(data: *const c_char, len: usize, name: &str) -> Result<Vec<String>> {
    // SAFETY: the caller vouches for the pointer.
    let text = unsafe { text(data, len, name) }?;
    if text.is_empty() {
        return Ok(Vec::new());
    }
    serde_json::from_value(json::parse(&text)?)
        .map_err(|_| invalid(format!("{name} is not a JSON array of strings")))
}

/// A moment in milliseconds since 1970; a negative one is none.
pub(super) fn moment(ms: i64) -> Option<i64> {
    (ms >= 0).then_some(ms)
}

/// A time limit in milliseconds; a negative one is none.
pub(super) fn limit(timeout_ms: i64) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}
