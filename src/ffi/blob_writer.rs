//! A blob being written.

use super::buffer::echodb_buffer;
use super::error::echodb_error;
use super::live::Live;
use super::status::echodb_status;
use super::{blob_records, guard, records, strings};
use crate::api::BlobWriter;
use std::sync::Arc;

/// A blob being written, in as many pieces as wanted. Any thread may use it, one at a time.
pub struct echodb_blob_writer {
    inner: Arc<BlobWriter>,
    _live: Live,
}

impl echodb_blob_writer {
    pub(super) fn new(inner: Arc<BlobWriter>) -> Self {
        echodb_blob_writer {
            inner,
            _live: Live::new(),
        }
    }
}

/// Adds bytes at the end.
///
/// Ownership: the bytes are copied. NULL: `writer` may not be; `data` may if `data_len` is 0.
/// Threads: any. Errors: `ECHODB_LIMIT_EXCEEDED`, with nothing taken, past 16 GiB in all; others end
/// the writing: `ECHODB_STORAGE`, `ECHODB_INVALID_STATE`, also after the end;
/// `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_writer_write(
    writer: *const echodb_blob_writer,
    data: *const u8,
    data_len: usize,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live writer, and readable bytes.
    unsafe {
        guard::call(error, || {
            let writer = guard::borrow(writer, "writer")?;
            let bytes = strings::slice(data, data_len, "data")?;
            writer.inner.write_slice(bytes)
        })
    }
}

/// The number of bytes written so far, 0 after the end.
///
/// Ownership: none. NULL: gives 0. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_writer_size(writer: *const echodb_blob_writer) -> u64 {
    // SAFETY: the caller passes NULL or a live writer.
    let writer = unsafe { writer.as_ref() };
    guard::get(0, || writer.map_or(0, |writer| writer.inner.size()))
}

/// Ends the writing and gives what is known of the blob, as `echodb_space_blob_info` does. From now
/// on it is here, and is offered to peers who ask for it.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`; the writer stays to be freed. NULL:
/// `writer` and `out` may not be. Threads: any. Errors: `ECHODB_STORAGE`, `ECHODB_INVALID_STATE` also
/// after the end, `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_writer_finish(
    writer: *const echodb_blob_writer,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live writer, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let writer = guard::borrow(writer, "writer")?;
            let info = writer.inner.finish()?;
            Ok(records::buffer(&blob_records::blob_info(&info)))
        })
    }
}

/// Gives the blob up; what was written goes. Does nothing after the end.
///
/// Ownership: none; the writer stays to be freed. NULL: does nothing. Threads: any. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_writer_cancel(writer: *const echodb_blob_writer) {
    // SAFETY: the caller passes NULL or a live writer.
    if let Some(writer) = unsafe { writer.as_ref() } {
        guard::get((), || writer.inner.cancel());
    }
}

/// Frees a writer. A blob that was not finished is given up.
///
/// Ownership: takes the writer. NULL: does nothing. Threads: any, once. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_writer_free(writer: *mut echodb_blob_writer) {
    // SAFETY: the caller passes NULL or a writer that it gives up.
    unsafe { guard::release(writer) }
}
