//! An error as an object of its own: no thread-local state, so that it survives coroutines and
//! thread pools.

use super::guard;
use super::live::Live;
use super::status::{ECHODB_OK, echodb_status};
use crate::api::EchoError;
use std::ffi::{CString, c_char};

/// Why a call failed. It never changes; any thread may read it.
pub struct echodb_error {
    status: echodb_status,
    message: CString,
    retryable: bool,
    _live: Live,
}

impl echodb_error {
    fn new(error: &EchoError) -> Self {
        // A NUL would cut the message short where it is read as a C string.
        let message = error.detail().replace('\0', "\u{fffd}");
        echodb_error {
            status: status(error),
            message: CString::new(message).unwrap_or_default(),
            retryable: error.retryable(),
            _live: Live::new(),
        }
    }

    /// Empties the place where a caller wants an error.
    ///
    /// # Safety
    ///
    /// `place` is NULL or may be written.
    pub(super) unsafe fn clear(place: *mut *mut echodb_error) {
        if !place.is_null() {
            // SAFETY: not NULL, and the caller vouches for the rest.
            unsafe { *place = std::ptr::null_mut() };
        }
    }

    /// Hands an error over, if it is wanted, and returns its status.
    ///
    /// # Safety
    ///
    /// `place` is NULL or may be written.
    pub(super) unsafe fn give(place: *mut *mut echodb_error, error: &EchoError) -> echodb_status {
        if !place.is_null() {
            // SAFETY: not NULL, and the caller vouches for the rest.
            unsafe { *place = Box::into_raw(Box::new(echodb_error::new(error))) };
        }
        status(error)
    }
}

/// Through the kind, because a foreign callback may have made up a number, even 0.
fn status(error: &EchoError) -> echodb_status {
    error.kind().status()
}

/// The status that the failed call returned as well.
///
/// Ownership: none. NULL: gives `ECHODB_OK`. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_error_status(error: *const echodb_error) -> echodb_status {
    // SAFETY: the caller passes NULL or a live error.
    let error = unsafe { error.as_ref() };
    error.map_or(ECHODB_OK, |e| e.status)
}

/// What was wrong and what to do about it: one line of UTF-8 in English, for people.
///
/// Ownership: the string belongs to the error and lives as long. NULL: gives an empty string.
/// Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_error_message(error: *const echodb_error) -> *const c_char {
    // SAFETY: the caller passes NULL or a live error.
    let error = unsafe { error.as_ref() };
    error.map_or(c"".as_ptr(), |e| e.message.as_ptr())
}

/// Whether the same call may succeed later without being changed.
///
/// Ownership: none. NULL: gives false. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_error_retryable(error: *const echodb_error) -> bool {
    // SAFETY: the caller passes NULL or a live error.
    let error = unsafe { error.as_ref() };
    error.is_some_and(|e| e.retryable)
}

/// Frees an error.
///
/// Ownership: takes the error. NULL: does nothing. Threads: any, once. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_error_free(error: *mut echodb_error) {
    // SAFETY: the caller passes NULL or an error that it gives up.
    unsafe { guard::release(error) }
}
