//! Bytes on their way out.

use super::guard;
use super::live::Live;
use std::ffi::c_char;
use zeroize::{Zeroize as _, Zeroizing};

/// Bytes that the library made and the program owns: a string or JSON in UTF-8, or, from
/// `echodb_space_read_blob` and `echodb_space_export_object`, bytes of a blob or file. It never
/// changes; any thread may read it.
pub struct echodb_buffer {
    /// The bytes and one NUL, which the length leaves out.
    bytes: Vec<u8>,
    /// Whether they are wiped when they are given back.
    secret: bool,
    _live: Live,
}

impl echodb_buffer {
    pub(super) fn new(bytes: impl Into<Vec<u8>>) -> Self {
        let mut bytes = bytes.into();
        bytes.push(0);
        echodb_buffer {
            bytes,
            secret: false,
            _live: Live::new(),
        }
    }

    /// Of a text that does not stay in memory that was given back.
    pub(super) fn secret(text: String) -> Self {
        let text = Zeroizing::new(text);
        let mut bytes = Vec::with_capacity(text.len() + 1);
        bytes.extend_from_slice(text.as_bytes());
        bytes.push(0);
        echodb_buffer {
            bytes,
            secret: true,
            _live: Live::new(),
        }
    }
}

impl Drop for echodb_buffer {
    fn drop(&mut self) {
        if self.secret {
            self.bytes.zeroize();
        }
    }
}

/// The bytes, followed by a NUL for convenience. A string with a NUL inside is cut short by
/// functions like `strlen`; `echodb_buffer_len` counts all of it.
///
/// Ownership: the bytes belong to the buffer and live as long. NULL: gives an empty string.
/// Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_buffer_data(buffer: *const echodb_buffer) -> *const c_char {
    // SAFETY: the caller passes NULL or a live buffer.
    let buffer = unsafe { buffer.as_ref() };
    buffer.map_or(c"".as_ptr(), |b| b.bytes.as_ptr().cast())
}

/// The number of bytes, the final NUL not counted.
///
/// Ownership: none. NULL: gives 0. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_buffer_len(buffer: *const echodb_buffer) -> usize {
    // SAFETY: the caller passes NULL or a live buffer.
    let buffer = unsafe { buffer.as_ref() };
    buffer.map_or(0, |b| b.bytes.len().saturating_sub(1))
}

/// Frees a buffer.
///
/// Ownership: takes the buffer. NULL: does nothing. Threads: any, once. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_buffer_free(buffer: *mut echodb_buffer) {
    // SAFETY: the caller passes NULL or a buffer that it gives up.
    unsafe { guard::release(buffer) }
}
