//! Transactions.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::live::Live;
use super::status::echodb_status;
use super::{guard, records, strings};
use crate::api::{TextUnit, Transaction};
use std::ffi::c_char;
use std::sync::Arc;

/// Steps that take effect together or not at all. Nothing happens until the commit. Arguments are
/// checked as they are given; a step that does not fit the object (no such field, a position past
/// the end) fails the commit and leaves everything as it was. One thread at a time.
pub struct echodb_transaction {
    pub(super) inner: Arc<Transaction>,
    _live: Live,
}

impl echodb_transaction {
    pub(super) fn new(inner: Arc<Transaction>) -> Self {
        echodb_transaction {
            inner,
            _live: Live::new(),
        }
    }
}

/// Adds a new object and gives its id. `fields` is a JSON object.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `type_name` stands for no
/// type; `transaction` and `out` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_create(
    transaction: *const echodb_transaction,
    type_name: *const c_char,
    type_name_len: usize,
    fields: *const c_char,
    fields_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let type_name = strings::optional_text(type_name, type_name_len, "type_name")?;
            let fields = strings::text(fields, fields_len, "fields")?;
            Ok(echodb_buffer::new(transaction.create(type_name, fields)?))
        })
    }
}

/// Adds a new object under an id of the caller's, for imports. The commit fails with
/// `ECHODB_ALREADY_EXISTS` if the id is taken.
///
/// Ownership: strings are copied. NULL: `type_name` stands for no
/// type; `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_create_with_id(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    type_name: *const c_char,
    type_name_len: usize,
    fields: *const c_char,
    fields_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let type_name = strings::optional_text(type_name, type_name_len, "type_name")?;
            let fields = strings::text(fields, fields_len, "fields")?;
            transaction.create_with_id(id, type_name, fields)
        })
    }
}

/// Sets fields of an object (a JSON object); the others stay.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_update(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    fields: *const c_char,
    fields_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let fields = strings::text(fields, fields_len, "fields")?;
            transaction.update(id, fields)
        })
    }
}

/// Sets the value at a path, a field name or a JSON Pointer (RFC 6901), to `value`, which is JSON.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_set(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let value = strings::text(value, value_len, "value")?;
            transaction.set(id, path, value)
        })
    }
}

/// Inserts `value` (JSON) into a list before the index that ends the path; the list's length
/// appends.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_insert(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    value: *const c_char,
    value_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let value = strings::text(value, value_len, "value")?;
            transaction.insert(id, path, value)
        })
    }
}

/// Removes a field, a map entry or a list element.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_remove(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            transaction.remove(id, path)
        })
    }
}

/// Replaces `delete_len` bytes of a text from byte `position` on by `insert`. Positions count bytes
/// of UTF-8 and lie between characters.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_splice_text(
    transaction: *const echodb_transaction,
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
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            let insert = strings::text(insert, insert_len, "insert")?;
            transaction.splice_text(id, path, position, delete_len, insert, TextUnit::Utf8)
        })
    }
}

/// Adds to a counter, or takes away from it.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_increment(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    by: i64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let path = strings::text(path, path_len, "path")?;
            transaction.increment(id, path, by)
        })
    }
}

/// Sets an object's parent, or clears it.
///
/// Ownership: strings are copied. NULL: `parent` stands for no
/// parent; `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_set_parent(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    parent: *const c_char,
    parent_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let parent = strings::optional_text(parent, parent_len, "parent")?;
            transaction.set_parent(id, parent)
        })
    }
}

/// Deletes an object.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_delete(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            transaction.delete(id)
        })
    }
}

/// Undoes a deletion.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_restore(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            transaction.restore(id)
        })
    }
}

/// Makes the steps at the version `heads` (a JSON array of hashes, such as an object's `heads`)
/// instead of the newest one, as if they had been made then; they merge with what came since. All
/// steps must touch one object.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_at(
    transaction: *const echodb_transaction,
    heads: *const c_char,
    heads_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let heads = strings::list(heads, heads_len, "heads")?;
            transaction.at(heads)
        })
    }
}

/// A note that stays in the history of the touched objects, 1 to 256 characters.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors: `ECHODB_INVALID_ARGUMENT`;
/// `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_message(
    transaction: *const echodb_transaction,
    text: *const c_char,
    text_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let text = strings::text(text, text_len, "text")?;
            transaction.message(text)
        })
    }
}

/// Commits: when this returns, every step is stored and survives the death of the process, and
/// queries and subscriptions see it. Gives what came of it as JSON: `entry` (null when nothing
/// changed) and `objects`, each with `id` and `heads`. Ends the transaction, also when it fails.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`; the transaction stays to be freed.
/// NULL: `transaction` and `out` may not be. Threads: one at a time. Errors: `ECHODB_NOT_FOUND`,
/// `ECHODB_ALREADY_EXISTS`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_PERMISSION_DENIED`,
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_commit(
    transaction: *const echodb_transaction,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            Ok(records::buffer(&records::committed(&transaction.commit()?)))
        })
    }
}

/// Throws the steps away and ends the transaction.
///
/// Ownership: none; the transaction stays to be freed. NULL: does nothing. Threads: one at a time.
/// Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_cancel(transaction: *const echodb_transaction) {
    // SAFETY: the caller passes NULL or a live transaction.
    if let Some(transaction) = unsafe { transaction.as_ref() } {
        guard::get((), || transaction.inner.cancel());
    }
}

/// Frees a transaction; one that was not committed never happened.
///
/// Ownership: takes the transaction. NULL: does nothing. Threads: any, once. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_free(transaction: *mut echodb_transaction) {
    // SAFETY: the caller passes NULL or a transaction that it gives up.
    unsafe { guard::release(transaction) }
}
