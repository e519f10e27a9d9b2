//! The blobs of a space.

use super::blob_fetch::echodb_blob_fetch;
use super::blob_writer::echodb_blob_writer;
use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::space::echodb_space;
use super::status::echodb_status;
use super::{blob_records, guard, records, strings};
use crate::model::Error;
use std::ffi::c_char;

/// Begins to write a blob, piece by piece, in bounded memory.
///
/// Ownership: `*out` is the caller's, for `echodb_blob_writer_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED` for who may not write objects,
/// `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_blob_writer(
    space: *const echodb_space,
    out: *mut *mut echodb_blob_writer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            Ok(echodb_blob_writer::new(space.blob_writer()?))
        })
    }
}

/// Stores bytes as a blob, at most 16 GiB, and gives what is known of it, as
/// `echodb_space_blob_info` does. Equal bytes are stored once and have one id. To keep the blob, put
/// `{"@blob": id, "size": size}` into an object's field: blobs that no object names are collected.
///
/// Ownership: the bytes are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `space`
/// and `out` may not be; `data` may if `data_len` is 0. Threads: any. Errors:
/// `ECHODB_LIMIT_EXCEEDED`, `ECHODB_PERMISSION_DENIED`, `ECHODB_INVALID_STATE`, `ECHODB_STORAGE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_put_blob(
    space: *const echodb_space,
    data: *const u8,
    data_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, readable bytes, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let bytes = strings::slice(data, data_len, "data")?;
            Ok(records::buffer(&blob_records::blob_info(
                &space.put_blob_slice(bytes)?,
            )))
        })
    }
}

/// As `echodb_space_put_blob`, with the bytes of a file, however large, in bounded memory.
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `space`
/// and `out` may not be. Threads: any. Errors: `ECHODB_NOT_FOUND` if there is no such file,
/// `ECHODB_STORAGE` also if it cannot be read; else those of `echodb_space_put_blob`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_put_blob_file(
    space: *const echodb_space,
    path: *const c_char,
    path_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let path = strings::text(path, path_len, "path")?;
            Ok(records::buffer(&blob_records::blob_info(
                &space.put_blob_file(path)?,
            )))
        })
    }
}

/// Gives bytes of a blob from `offset` on, at most `length` of them, which may be 16 MiB; fewer at
/// its end. Each block is verified. Unlike other buffers, this one need not be UTF-8.
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `space`
/// and `out` may not be. Threads: any. Errors: `ECHODB_NOT_FOUND` if the bytes are not here: fetch
/// the blob first; `ECHODB_LIMIT_EXCEEDED`, `ECHODB_CORRUPT`, `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_read_blob(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    offset: u64,
    length: u64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            Ok(echodb_buffer::new(space.read_blob(id, offset, length)?))
        })
    }
}

/// Writes a whole blob to a file, in bounded memory. A file that is there is replaced once all is
/// written.
///
/// Ownership: strings are copied. NULL: `space` may not be. Threads: any. Errors:
/// `ECHODB_NOT_FOUND` if not all of the blob is here, `ECHODB_STORAGE` if the file cannot be
/// written, `ECHODB_CORRUPT`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_blob_to_file(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    path: *const c_char,
    path_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and readable strings.
    unsafe {
        guard::call(error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            space.blob_to_file(id, strings::text(path, path_len, "path")?)
        })
    }
}

/// What is here of a blob, as JSON: `id`, `size`, `held` (bytes that are here), `whole` (whether all
/// are) and `referenced` (whether an object that is not deleted names it).
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_buffer_free`. NULL: `space`
/// and `out` may not be. Threads: any. Errors: `ECHODB_NOT_FOUND` if nothing of it is here,
/// `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_blob_info(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            let info = space.blob_info(id.clone())?;
            let none = || Error::not_found(format!("nothing of the blob {id} is here"));
            Ok(records::buffer(&blob_records::blob_info(
                &info.ok_or_else(none)?,
            )))
        })
    }
}

/// Every blob of which something is here, as a JSON array in id order; each as
/// `echodb_space_blob_info` gives it.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not be.
/// Threads: any. Errors: `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_blobs(
    space: *const echodb_space,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            Ok(records::list(&space.blobs()?, blob_records::blob_info))
        })
    }
}

/// Fetches a blob from members who hold it, now and whenever one connects, until it is here. Blocks
/// that are here already are not asked for again. Who fetches a blob that is on its way joins that.
///
/// Ownership: strings are copied; `*out` is the caller's, for `echodb_blob_fetch_free`. NULL: `space`
/// and `out` may not be. Threads: any. Errors: `ECHODB_PERMISSION_DENIED` for a relay,
/// `ECHODB_LIMIT_EXCEEDED` when 256 are under way, `ECHODB_INVALID_STATE`,
/// `ECHODB_INVALID_ARGUMENT`; what fails later shows in the progress. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_fetch_blob(
    space: *const echodb_space,
    id: *const c_char,
    id_len: usize,
    out: *mut *mut echodb_blob_fetch,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let id = strings::text(id, id_len, "id")?;
            Ok(echodb_blob_fetch::new(space.fetch_blob(id)?))
        })
    }
}

/// Removes blobs that no object in sight has named for `grace_s` seconds, as far as this device
/// noticed: the time begins with the blob's writing or fetching, or with the first collection, this
/// one included, that finds it unnamed. Gives JSON: `blobs`, how many were removed, and `bytes`,
/// which that freed in the space's file. Blobs named only by deleted objects or older versions count
/// as unnamed. Every opening of the space does this in the background, with a week.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `space` and `out` may not be.
/// Threads: any. Errors: `ECHODB_STORAGE`, `ECHODB_INVALID_STATE`, `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_collect_blobs(
    space: *const echodb_space,
    grace_s: u64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = &guard::borrow(space, "space")?.inner;
            let collected = space.collect_blobs(grace_s)?;
            Ok(records::buffer(&blob_records::collected_blobs(&collected)))
        })
    }
}
