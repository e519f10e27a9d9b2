//! Branches of objects.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, records, strings};
use std::ffi::c_char;

/// Makes a branch of an object and gives its id. It is an object of its own, which ordinary queries
/// leave out; edits to it do not touch the original until `echodb_space_merge_branch`. `name` has 1 to
/// 256 characters.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_ALREADY_EXISTS` if there is one of that name, `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_branch(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    name: *const c_char,
    name_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let name = strings::text(name, name_len, "name")?;
            Ok(echodb_buffer::new(space.branch(id, name)?))
        })
    }
}

/// The branches of an object as a JSON array, those that were deleted left out. Each has `id`, `of`,
/// `name`, `heads` (the original's version that it began with or was last merged into), `created_ms`
/// and `updated_ms`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_branches(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let branches = space.branches(id)?;
            Ok(records::list(&branches, records::branch))
        })
    }
}

/// Brings what was done to a branch since it was made, or last merged, into the original, as one
/// transaction; the branch stays. Two devices that merge one branch without knowing of each other
/// bring its insertions in twice. Gives what `echodb_transaction_commit` gives.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_merge_branch(
    space: *const echodb_space,
    branch: *const c_char,
    branch_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let branch = strings::text(branch, branch_len, "branch")?;
            let done = space.merge_branch(branch)?;
            Ok(records::buffer(&records::committed(&done)))
        })
    }
}
