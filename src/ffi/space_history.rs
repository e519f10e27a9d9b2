//! A space's past: undo, the log, earlier versions of objects.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, records, strings};
use crate::api::TextUnit;
use std::ffi::c_char;

/// Undoes the last step of this device that stands, by writing the reverse. A step is a transaction,
/// or typing into one text with pauses of at most a second. Others' work is never undone: what
/// somebody else has changed since is skipped. The last 100 steps can be undone, also after a
/// restart. Gives JSON: `entry` (null if everything was skipped) and `objects` as
/// `echodb_transaction_commit` does, `label`, the message of the transaction that it was about, and
/// `skipped`, each with `object`, `path` and `reason`; or `null` if there is nothing to undo.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_undo(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            Ok(records::buffer(&records::undone(space.undo()?.as_ref())))
        })
    }
}

/// Undoes the last `echodb_space_undo`, unless this device has written anything since. Gives the same.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_redo(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            Ok(records::buffer(&records::undone(space.redo()?.as_ref())))
        })
    }
}

/// The space's transactions as a JSON array, the last first in the order in which they came to this
/// device: at most `limit` (up to 1,000) of those before the entry `before`, or of all. Each has
/// `entry`, `identity` and `device` of its author, `time_ms`, `message`, `objects`, and `versions`: the
/// same objects, each as `{"id", "heads"}` with the version that it made of it.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `before` only with length 0; `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_log(
    space: *const echodb_space,
    limit: u32,
    before: *const c_char,
    before_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let before = strings::optional_text(before, before_len, "before")?;
            let log = space.log(limit, before)?;
            Ok(records::list(&log, records::transaction))
        })
    }
}

/// An object as it was at a version, as JSON like that of `echodb_space_get`. `heads` is a JSON array
/// of hashes, such as an object's `heads`. Fails with `ECHODB_NOT_FOUND`, naming the version, if any
/// part of it is not here.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_get_at(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    heads: *const c_char,
    heads_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let heads = strings::list(heads, heads_len, "heads")?;
            let object = space.get_at(id, heads)?;
            Ok(records::buffer(&records::object(&object)))
        })
    }
}

/// What leads from one version of an object to another, as a JSON array of changes that build on each
/// other; `docs/guide/history.md` has their forms. Versions are JSON arrays of hashes; `from` may be
/// empty: before the object was made. Text positions count bytes of UTF-8.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_diff(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    from: *const c_char,
    from_len: usize,
    to: *const c_char,
    to_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let from = strings::list(from, from_len, "from")?;
            let to = strings::list(to, to_len, "to")?;
            Ok(echodb_buffer::new(space.diff(
                id,
                from,
                to,
                TextUnit::Utf8,
            )?))
        })
    }
}

/// Makes an object as it was at a version, deleted or not, by a new change: only what differs is
/// written, so that it merges with what others do meanwhile. Gives what `echodb_transaction_commit`
/// gives.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_restore_version(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    heads: *const c_char,
    heads_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let heads = strings::list(heads, heads_len, "heads")?;
            let done = space.restore_version(id, heads)?;
            Ok(records::buffer(&records::committed(&done)))
        })
    }
}
