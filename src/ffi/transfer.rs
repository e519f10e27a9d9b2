//! Import and export.

use super::buffer::echodb_buffer;
use super::client::echodb_client;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{guard, import_options, records, strings};
use std::ffi::c_char;

/// Checks an archive, without any key: that it is whole, that every entry is signed by its author's
/// device, follows the entries it names, and that its author was a member. Gives JSON: `space`,
/// `version`, `feeds`, `entries`, `control_entries`, `blobs`, `bytes`, `digest`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `out` may not be. Threads:
/// any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT` if it is no archive,
/// `ECHODB_UNSUPPORTED_VERSION`, `ECHODB_CORRUPT`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_verify_archive(
    path: *const c_char,
    path_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let path = strings::text(path, path_len, "path")?;
            let info = crate::api::verify_archive(path)?;
            Ok(records::buffer(&records::archive_info(&info)))
        })
    }
}

/// Brings in a space's archive and opens the space: as a new space of this profile, into the one
/// that is here, or in place of one whose file is lost or damaged. The archive is checked as a whole
/// before anything is written.
///
/// Ownership: `*out` is the caller's, for `echodb_space_free`. NULL: `client` and `out` may not be.
/// Threads: any. Errors: those of `echodb_verify_archive`, `ECHODB_PERMISSION_DENIED` if this
/// profile's device is no member of the space, `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_client_import_archive(
    client: *const echodb_client,
    path: *const c_char,
    path_len: usize,
    out: *mut *mut echodb_space,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live client, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let client = guard::borrow(client, "client")?;
            let path = strings::text(path, path_len, "path")?;
            Ok(echodb_space::new(client.inner.import_archive(path)?))
        })
    }
}

/// Writes the space with its history into one file, signed and sealed as it was received. The file
/// appears when it is whole and replaces one of that name. Gives what `echodb_verify_archive` gives.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not be.
/// Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE` if the
/// file cannot be written. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_export_archive(
    space: *const echodb_space,
    path: *const c_char,
    path_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let path = strings::text(path, path_len, "path")?;
            let info = space.inner.export_archive(path)?;
            Ok(records::buffer(&records::archive_info(&info)))
        })
    }
}

/// As `echodb_space_export_json`, into a file, without holding all of it in memory. The file appears
/// when it is whole and replaces one of that name. Gives the number of objects.
///
/// Ownership: the string is copied. NULL: `space` and `out` may not be. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE` if the file cannot be
/// written. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_export_json_file(
    space: *const echodb_space,
    path: *const c_char,
    path_len: usize,
    out: *mut u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            let space = guard::borrow(space, "space")?;
            let path = strings::text(path, path_len, "path")?;
            space.inner.export_json_file(path)
        })
    }
}

/// As `echodb_space_import_json`, from a file, without holding all of it in memory.
///
/// Ownership: the string is copied. NULL: `space` and `out` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_UNSUPPORTED_VERSION`,
/// `ECHODB_PERMISSION_DENIED`, `ECHODB_LIMIT_EXCEEDED`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_import_json_file(
    space: *const echodb_space,
    path: *const c_char,
    path_len: usize,
    out: *mut u64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            let space = guard::borrow(space, "space")?;
            let path = strings::text(path, path_len, "path")?;
            space.inner.import_json_file(path)
        })
    }
}

/// Makes objects of plain data, up to a thousand rows a transaction. `options` is a JSON object:
/// `format` (`json`, `ndjson` or `csv`), `type`, `key` (the column whose value is the natural key),
/// `columns` (a list of `name`, `field`, `kind`), `other_columns` (a kind; `infer` if left out),
/// `delimiter`, `header`, `on_error` (`stop` or `skip`). A kind is `infer`, `string`, `text`,
/// `integer`, `float`, `boolean`, `timestamp`, `reference`, `json` or `ignore`. Gives JSON: `rows`,
/// `created`, `updated`, `unchanged`, `skipped`, and `skips`, a list of `line` and `reason`.
///
/// Ownership: bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and
/// `out` may not be; `data` and `options` only with length 0. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT`, `ECHODB_PERMISSION_DENIED`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`; the message says whether rows were imported. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_import_data(
    space: *const echodb_space,
    data: *const c_char,
    data_len: usize,
    options: *const c_char,
    options_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable bytes, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let data = strings::bytes(data.cast(), data_len, "data")?;
            let options = import_options::parse(&strings::text(options, options_len, "options")?)?;
            let report = space.inner.import_data(data, options)?;
            Ok(records::buffer(&records::import_report(&report)))
        })
    }
}

/// As `echodb_space_import_data`, from a file, without holding all of it in memory.
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and
/// `out` may not be; `options` only with length 0. Threads: any. Errors: those of
/// `echodb_space_import_data`, `ECHODB_NOT_FOUND`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_import_file(
    space: *const echodb_space,
    path: *const c_char,
    path_len: usize,
    options: *const c_char,
    options_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable strings, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let path = strings::text(path, path_len, "path")?;
            let options = import_options::parse(&strings::text(options, options_len, "options")?)?;
            let report = space.inner.import_file(path, options)?;
            Ok(records::buffer(&records::import_report(&report)))
        })
    }
}

/// An object with its history as an Automerge file, which any program of Automerge opens. The buffer
/// holds the file's bytes, not text.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not be.
/// Threads: any. Errors: `ECHODB_NOT_FOUND`, `ECHODB_INVALID_ARGUMENT`, `ECHODB_INVALID_STATE`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_export_object(
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
            let id = strings::text(id, id_len, "id")?;
            Ok(echodb_buffer::new(space.inner.export_object(id)?))
        })
    }
}

/// Makes an object of an Automerge file and gives its id; or, with `into`, brings the changes that a
/// file has beyond that object into it. The file may be hostile: it is bounded, and what it says is
/// written anew under this device's name, without its history.
///
/// Ownership: bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `into` stands
/// for a new object; `space` and `out` may not be; `data` only with length 0. Threads: any. Errors:
/// `ECHODB_INVALID_ARGUMENT` if the file is malformed or shares no history with `into`,
/// `ECHODB_NOT_FOUND`, `ECHODB_PERMISSION_DENIED`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_import_object(
    space: *const echodb_space,
    data: *const c_char,
    data_len: usize,
    into: *const c_char,
    into_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable bytes, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let data = strings::bytes(data.cast(), data_len, "data")?;
            let into = strings::optional_text(into, into_len, "into")?;
            Ok(echodb_buffer::new(space.inner.import_object(data, into)?))
        })
    }
}
