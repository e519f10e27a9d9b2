//! The objects of a space.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, records, strings};
use crate::api::TextUnit;
use crate::model::Error;
use std::ffi::c_char;

/// Makes one object and gives its id, 26 characters; a transaction of one step. `fields` is a JSON
/// object.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `type_name` stands for no
/// type; `space` and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_create(
    space: *const echodb_space,
    type_name: *const c_char,
    type_name_len: usize,
    fields: *const c_char,
    fields_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let type_name = strings::optional_text(type_name, type_name_len, "type_name")?;
            let fields = strings::text(fields, fields_len, "fields")?;
            Ok(echodb_buffer::new(space.inner.create(type_name, fields)?))
        })
    }
}

/// Sets fields of one object (a JSON object); the others stay. A transaction of one step.
///
/// Ownership: strings are copied. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_update(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    fields: *const c_char,
    fields_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and readable strings.
    unsafe {
        guard::call(error, || {
            let space = guard::borrow(space, "space")?;
            let id = strings::text(id, id_len, "id")?;
            let fields = strings::text(fields, fields_len, "fields")?;
            space.inner.update(id, fields)
        })
    }
}

/// Deletes one object; a transaction of one step.
///
/// Ownership: strings are copied. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_delete(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and a readable string.
    unsafe {
        guard::call(error, || {
            let space = guard::borrow(space, "space")?;
            space.inner.delete(strings::text(id, id_len, "id")?)
        })
    }
}

/// An object as JSON: `id`, `type`, `parent`, `deleted`, `created_ms`, `updated_ms`, `heads` and
/// `fields`. A deleted one is given, marked.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_get(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let object = space.inner.get(strings::text(id, id_len, "id")?)?;
            let object = object.ok_or_else(|| Error::not_found("the space has no such object"))?;
            Ok(records::buffer(&records::object(&object)))
        })
    }
}

/// The objects that a query (JSON) finds, in its order, as a JSON array of what
/// `echodb_space_get` gives.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_query(
    space: *const echodb_space,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let query = strings::text(query, query_len, "query")?;
            Ok(echodb_buffer::new(space.inner.query_json(query)?))
        })
    }
}

/// A text field's present text. `path` is a field name or a JSON Pointer (RFC 6901).
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_text(
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
            let space = guard::borrow(space, "space")?;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            Ok(echodb_buffer::new(space.inner.text(id, path)?))
        })
    }
}

/// Replaces `delete_len` bytes of a text from byte `position` on by `insert`, outside a
/// transaction: the quick path for typing. Positions count bytes of UTF-8 and lie between
/// characters. The edit shows at once in reads of this client; edits in quick succession become
/// one entry. `echodb_space_flush` makes it durable now.
///
/// Ownership: strings are copied. NULL: `space` may not be; `insert` only with length 0. Threads:
/// any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT` also for a position past the end or
/// inside a character, `ECHODB_PERMISSION_DENIED`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_splice_text(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    position: u64,
    delete_len: u64,
    insert: *const c_char,
    insert_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and readable strings.
    unsafe {
        guard::call(error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let insert = strings::text(insert, insert_len, "insert")?;
            space.splice_text(id, path, position, delete_len, insert, TextUnit::Utf8)
        })
    }
}

/// An object's history since a version, oldest first, as a JSON array. Each change has `hash`,
/// `parents`, `message`, `time_ms`, and `identity` and `device` of its author. `since` is a JSON array of hashes, such as an object's
/// `heads`; nothing or `[]` gives all of it.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be; `since` only with length 0. Threads: any. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_history(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    since: *const c_char,
    since_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let id = strings::text(id, id_len, "id")?;
            let since = strings::list(since, since_len, "since")?;
            let changes = space.inner.history(id, since)?;
            Ok(records::list(&changes, records::change_info))
        })
    }
}
