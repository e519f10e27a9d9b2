//! Content keys of a space.

use super::error::echodb_error;
use super::guard;
use super::space::echodb_space;
use super::status::echodb_status;

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
