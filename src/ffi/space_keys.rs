//! Content keys of a space.

use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, strings};
use std::ffi::c_char;

/// Makes a new content key for what is written from now on, sealed to every device that may read.
/// Keys are made anew by themselves when somebody loses the right to read and about every 30 days;
/// call this when a device may have been read by others and is clean again. What was written before
/// stays readable to those who could read it, and to those who had the old key. Takes the role of
/// reader or above.
///
/// Ownership: none. NULL: `space` may not be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_rotate_key(
    space: *const echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space.
    unsafe { guard::call(error, || guard::borrow(space, "space")?.inner.rotate_key()) }
}

/// Gives a member who was invited without the history the keys of what was written before its time,
/// as far as this device has them. What is sealed off for it opens as soon as it hears of that. It
/// cannot be taken back. Takes the role of admin or above.
///
/// Ownership: `*out` says whether there was anything that the member lacked. NULL: `space` and `out`
/// may not be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED`, `ECHODB_NOT_FOUND` for an identity
/// that is no member who may read, `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`,
/// `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_share_history(
    space: *const echodb_space,
    identity: *const c_char,
    identity_len: usize,
    out: *mut bool,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes a live space, a readable string and a pointer good for writing, or
    // NULL for any.
    unsafe {
        guard::call_value(out, error, || {
            let space = guard::borrow(space, "space")?;
            let identity = strings::text(identity, identity_len, "identity")?;
            space.inner.share_history(&identity)
        })
    }
}
