//! Searching for words, and indexes.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, records, search_options, strings};
use std::ffi::c_char;

/// The objects in whose strings and texts the words occur, the best first, as a JSON array of what
/// `echodb_space_get` gives, each with the further keys `rank` and `snippet`.
///
/// All words must occur; `"a phrase"` in this order within one value; `pre*` begins a word; `-word`
/// must not occur; `OR` separates alternatives. Case and diacritics make no difference. No text is
/// malformed; one without a word that must occur finds nothing. `rank` is a number, the lower the
/// better (BM25 as SQLite's FTS5 has it). `snippet` is null or has `path`, `text` (an excerpt,
/// unchanged), `start` (where it begins in the value), `more` (whether the value goes on after it)
/// and `ranges` (pairs of start and end within `text`, of what was found); positions are bytes.
///
/// `options` is a JSON object, of which everything may be left out: `where` (a filter that results
/// satisfy too), `in` (a list of fields or JSON Pointers to look at, at most 8), `limit` (20, at
/// most 1000), `skip` (0), `snippet_chars` (about how many characters an excerpt has: 160, at most
/// 1000, 0 for none). The first search in a space reads all of it to make an index.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `options` stands for `{}`;
/// `space` and `out` may not be; `words` only with length 0. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED` for more than 4096 bytes or 64 words,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_search(
    space: *const echodb_space,
    words: *const c_char,
    words_len: usize,
    options: *const c_char,
    options_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let words = strings::text(words, words_len, "words")?;
            let options = strings::optional_text(options, options_len, "options")?;
            let options = search_options::read(options.as_deref())?;
            Ok(echodb_buffer::new(space.search(words, options)?))
        })
    }
}

/// Makes an index of a field, so that queries which compare it or are ordered by it need not look
/// at every object: among objects of one type, for queries of exactly this type, or among all.
/// `path` is a field name or a JSON Pointer, or `created` or `updated`, as in an order.
///
/// It is made over all objects before the call returns, kept up by every later write, and persists;
/// it belongs to this profile's copy of the space and is not replicated. Does nothing if there is
/// one already.
///
/// Ownership: strings are copied. NULL: `type_name` stands for all objects; `space` may not be.
/// Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED` past 32 of them or for a
/// name or path of more than 256 bytes, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_create_index(
    space: *const echodb_space,
    type_name: *const c_char,
    type_name_len: usize,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and readable strings.
    unsafe {
        guard::call(error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let type_name = strings::optional_text(type_name, type_name_len, "type_name")?;
            let path = strings::text(path, path_len, "path")?;
            space.create_index(type_name, path)
        })
    }
}

/// Drops an index.
///
/// Ownership: strings are copied. NULL: `type_name` stands for all objects; `space` may not be.
/// Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`,
/// `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_drop_index(
    space: *const echodb_space,
    type_name: *const c_char,
    type_name_len: usize,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and readable strings.
    unsafe {
        guard::call(error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let type_name = strings::optional_text(type_name, type_name_len, "type_name")?;
            let path = strings::text(path, path_len, "path")?;
            space.drop_index(type_name, path)
        })
    }
}

/// The indexes that were made, in this order, as a JSON array. Each has `type` (null for all
/// objects) and `path`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not be.
/// Threads: any. Errors: `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_indexes(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            Ok(records::list(&space.indexes()?, records::index_info))
        })
    }
}
