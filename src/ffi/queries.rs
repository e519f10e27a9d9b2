//! Queries beyond one result: pages, aggregation, explanation, several spaces.

use super::buffer::echodb_buffer;
use super::client::echodb_client;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, records, strings};
use std::ffi::c_char;

/// One page of a query's results (JSON), as large as its `limit` says (1 to 10,000; 100 without
/// one); it has no `skip`. Gives a JSON object: `objects`, as from `echodb_space_query`, and
/// `next`, a string to hand over as `after` for the next page, or null after the last one. Objects
/// whose place in the order stays are on exactly one page, whatever else changes meanwhile.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `after` stands for the first
/// page, with length 0; `space` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT` also for an `after` of another query, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_query_page(
    space: *const echodb_space,
    query: *const c_char,
    query_len: usize,
    after: *const c_char,
    after_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let query = strings::text(query, query_len, "query")?;
            let after = strings::optional_text(after, after_len, "after")?;
            Ok(records::query_page(&space.query_page(query, after)?))
        })
    }
}

/// Counts, sums and extremes over the objects that a query (JSON) finds, whole or by groups, as a
/// JSON array. `docs/guide/query.md` describes what is asked and answered.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_aggregate(
    space: *const echodb_space,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let query = strings::text(query, query_len, "query")?;
            Ok(echodb_buffer::new(space.aggregate(query)?))
        })
    }
}

/// How a query or an aggregation (JSON) is answered, as a JSON object: `sql`, `parameters`, `plan`
/// (SQLite's lines), `indexes`, `scans` (whether every object is read) and `words` (the plan for
/// people). What it says may change.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_explain(
    space: *const echodb_space,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let query = strings::text(query, query_len, "query")?;
            Ok(echodb_buffer::new(space.explain(query)?))
        })
    }
}

/// The objects that a query (JSON) finds in several spaces, as one JSON array in its order, `limit`
/// and `skip` counting over all. Each is as from `echodb_space_query`, and says its `space`.
/// `spaces` is a JSON array of ids; none stands for all spaces that are open.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `spaces`, with length 0,
/// stands for all open ones; `client` and `out` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND` for a space that the profile lacks, `ECHODB_INVALID_STATE` for one that is
/// closed, `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_query(
    client: *const echodb_client,
    spaces: *const c_char,
    spaces_len: usize,
    query: *const c_char,
    query_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = &guard::borrow(client, "client")?.inner;
            let spaces = strings::list(spaces, spaces_len, "spaces")?;
            let query = strings::text(query, query_len, "query")?;
            Ok(echodb_buffer::new(client.query(spaces, query)?))
        })
    }
}
