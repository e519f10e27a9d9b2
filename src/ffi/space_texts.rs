//! What texts and fields carry beside their present value.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, records, strings};
use crate::api::TextUnit;
use std::ffi::c_char;

/// The marks of a text as a JSON array, by name and place. Each has `start` and `end` in bytes,
/// `name` and `value`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_marks(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let marks = space.marks(id, path, TextUnit::Utf8)?;
            Ok(records::list(&marks, records::text_mark))
        })
    }
}

/// Names the place before byte `position` of a text, for as long as the text exists: what
/// `echodb_space_cursor_position` finds again after any edits. The text's length names its end,
/// whatever is added there.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_cursor(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    position: u64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let cursor = space.cursor(id, path, position, TextUnit::Utf8)?;
            Ok(echodb_buffer::new(cursor))
        })
    }
}

/// The byte at which a cursor's place is now. If its character was deleted, that is where it stood.
///
/// Ownership: strings are copied. NULL: `space` and `out` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT` also for a cursor of another text,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_cursor_position(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    cursor: *const c_char,
    cursor_len: usize,
    out: *mut u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let cursor = strings::text(cursor, cursor_len, "cursor")?;
            space.cursor_position(id, path, cursor, TextUnit::Utf8)
        })
    }
}

/// The values that concurrent writes put in one place, as a JSON array; the one that reads show
/// comes last. One value where there is no conflict. Writing the place settles it.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_conflicts(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let values = space.conflicts(id, path)?;
            Ok(echodb_buffer::new(format!("[{}]", values.join(","))))
        })
    }
}
