//! The steps of a transaction that concern more than a field's value.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::status::echodb_status;
use super::transaction::echodb_transaction;
use super::{guard, invalid, strings};
use crate::api::{MarkExpand, TextUnit};
use std::ffi::c_char;

/// Makes the object that a natural key of a type names, or sets these fields of it if it exists (a
/// deleted one comes back), and gives its id. Every peer makes the same id of the same key, so that
/// objects made apart become one. `fields` is a JSON object.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `transaction` and `out` may
/// not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED` for a
/// key of more than 256 bytes; `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_create_with_key(
    transaction: *const echodb_transaction,
    type_name: *const c_char,
    type_name_len: usize,
    key: *const c_char,
    key_len: usize,
    fields: *const c_char,
    fields_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let type_name = strings::text(type_name, type_name_len, "type_name")?;
            let key = strings::text(key, key_len, "key")?;
            let fields = strings::text(fields, fields_len, "fields")?;
            let id = transaction.create_with_key(type_name, key, fields)?;
            Ok(echodb_buffer::new(id))
        })
    }
}

/// Moves a list's element, which the path names, so that it has the index `to` afterwards. If two
/// peers move one element at the same time, both moves take place and it stands twice.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_move_item(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    to: u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            transaction.move_item(id, path, to)
        })
    }
}

/// At neither end: as of a link.
pub const ECHODB_MARK_EXPAND_NONE: i32 = 1;
/// At its start.
pub const ECHODB_MARK_EXPAND_BEFORE: i32 = 2;
/// At its end: as of bold text, which goes on when one types on.
pub const ECHODB_MARK_EXPAND_AFTER: i32 = 3;
/// At both.
pub const ECHODB_MARK_EXPAND_BOTH: i32 = 4;

/// Marks a text from byte `start` to byte `end`: bold, a link, a comment. `value` is JSON of a scalar;
/// `null` clears the mark. Marks of one name do not overlap: the later one counts. `expand` is one
/// of `ECHODB_MARK_EXPAND_…` and says whether the mark grows when text is inserted at its ends.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_mark(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    start: u64,
    end: u64,
    name: *const c_char,
    name_len: usize,
    value: *const c_char,
    value_len: usize,
    expand: i32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let name = strings::text(name, name_len, "name")?;
            let value = strings::text(value, value_len, "value")?;
            let expand = mark_expand(expand)?;
            transaction.mark(id, path, start, end, TextUnit::Utf8, name, value, expand)
        })
    }
}

fn mark_expand(number: i32) -> crate::api::Result<MarkExpand> {
    match number {
        ECHODB_MARK_EXPAND_NONE => Ok(MarkExpand::None),
        ECHODB_MARK_EXPAND_BEFORE => Ok(MarkExpand::Before),
        ECHODB_MARK_EXPAND_AFTER => Ok(MarkExpand::After),
        ECHODB_MARK_EXPAND_BOTH => Ok(MarkExpand::Both),
        other => Err(invalid(format!(
            "{other} is none of ECHODB_MARK_EXPAND_NONE, _BEFORE, _AFTER and _BOTH"
        ))),
    }
}

/// Makes an object a relation from `source` to `target`, or sets its ends anew; they may dangle.
///
/// Ownership: strings are copied. NULL: `source` and `target` stand for no end; `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_relate(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    source: *const c_char,
    source_len: usize,
    target: *const c_char,
    target_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let source = strings::optional_text(source, source_len, "source")?;
            let target = strings::optional_text(target, target_len, "target")?;
            transaction.relate(id, source, target)
        })
    }
}

/// Adds a tag, of 1 to 256 bytes. If a peer removes it at the same time, it stays.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_tag(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    tag: *const c_char,
    tag_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let tag = strings::text(tag, tag_len, "tag")?;
            transaction.tag(id, tag)
        })
    }
}

/// Removes a tag.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_untag(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    tag: *const c_char,
    tag_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let tag = strings::text(tag, tag_len, "tag")?;
            transaction.untag(id, tag)
        })
    }
}

/// Says what the object is called in another system, `source`; without `key` that is forgotten. Both
/// have 1 to 256 bytes, and sources are not `natural` and do not begin with `@`.
///
/// Ownership: strings are copied. NULL: `key` forgets; `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_set_key(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    source: *const c_char,
    source_len: usize,
    key: *const c_char,
    key_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let source = strings::text(source, source_len, "source")?;
            let key = strings::optional_text(key, key_len, "key")?;
            transaction.set_key(id, source, key)
        })
    }
}
