//! On what terms a transaction is made.

use super::error::echodb_error;
use super::status::echodb_status;
use super::transaction::echodb_transaction;
use super::{guard, strings};
use std::ffi::c_char;

/// Takes it for granted that an object is at exactly the version `heads` (a JSON array of hashes,
/// such as an object's `heads`), or, if that is empty, that it does not exist. Otherwise the commit
/// fails with `ECHODB_CONFLICT` and changes nothing. May be said of several objects.
///
/// Ownership: strings are copied. NULL: `transaction` may not be; `heads` only with length 0. Threads: one at a
/// time. Errors: `ECHODB_INVALID_ARGUMENT`; `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_only_if(
    transaction: *const echodb_transaction,
    id: *const c_char,
    id_len: usize,
    heads: *const c_char,
    heads_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            let id = strings::text(id, id_len, "id")?;
            transaction.only_if(id, strings::list(heads, heads_len, "heads")?)
        })
    }
}

/// Puts the transaction in a group, named by 1 to 256 characters: transactions of one group that
/// follow each other are undone, and redone, at once. Groups are forgotten when the space is closed.
///
/// Ownership: strings are copied. NULL: `transaction` may not be. Threads: one at a time. Errors:
/// `ECHODB_INVALID_ARGUMENT`; `ECHODB_INVALID_STATE` after the end. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_transaction_group(
    transaction: *const echodb_transaction,
    name: *const c_char,
    name_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live transaction, and readable strings.
    unsafe {
        guard::call(error, || {
            let transaction = &guard::borrow(transaction, "transaction")?.inner;
            transaction.group(strings::text(name, name_len, "name")?)
        })
    }
}
