//! A blob on its way.

use super::buffer::echodb_buffer;
use super::callback::{Callback, Gate, UserData, echodb_destroy};
use super::error::echodb_error;
use super::live::Live;
use super::operation::{Output, echodb_operation};
use super::status::echodb_status;
use super::subscription::{InvitationFunction, Listener, echodb_subscription, heard};
use super::{blob_records, guard, records, strings};
use crate::api::{BlobFetch, BlobFetchState, BlobListener, BlobProgress, EchoError};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// Under way, or waiting for a peer that holds the blob.
pub const ECHODB_BLOB_FETCHING: i32 = 1;
/// All of the blob is here.
pub const ECHODB_BLOB_DONE: i32 = 2;
/// It cannot be fetched; the progress's `error` says why.
pub const ECHODB_BLOB_FAILED: i32 = 3;
/// It was cancelled, or the space was closed. What has come stays.
pub const ECHODB_BLOB_CANCELLED: i32 = 4;

const _: () = assert!(
    ECHODB_BLOB_FETCHING == BlobFetchState::Fetching as i32
        && ECHODB_BLOB_DONE == BlobFetchState::Done as i32
        && ECHODB_BLOB_FAILED == BlobFetchState::Failed as i32
        && ECHODB_BLOB_CANCELLED == BlobFetchState::Cancelled as i32
);

/// Receives the present progress of a fetch and every further one, on library threads, one at a time.
/// `state` is one of the `ECHODB_BLOB_` numbers; `json` is as `echodb_blob_fetch_progress` gives it,
/// not NUL-terminated, and lives until the callback returns. The callback may call the library,
/// except for freeing the client, and must not throw. It returns `ECHODB_OK`; anything else is logged
/// and changes nothing.
pub type echodb_blob_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        state: i32,
        json: *const c_char,
        json_len: usize,
    ) -> echodb_status,
>;

/// The program's callback as a listener; it looks like that for invitations.
pub(super) struct BlobGate(Gate<InvitationFunction>);

impl BlobListener for BlobGate {
    fn progressed(&self, progress: BlobProgress) -> std::result::Result<(), EchoError> {
        let json = blob_records::blob_progress(&progress).to_string();
        let state = progress.state as i32;
        let status = self.0.call(|function, data| {
            // SAFETY: the gate is open, so the program's function and data are good, and the
            // string outlives the call.
            unsafe { function(data, state, json.as_ptr().cast(), json.len()) }
        });
        heard(status)
    }
}

impl BlobGate {
    pub(super) fn shut(&self) {
        self.0.shut();
    }
}

/// A blob on its way. Any thread may use it.
pub struct echodb_blob_fetch {
    inner: Arc<BlobFetch>,
    _live: Live,
}

impl echodb_blob_fetch {
    pub(super) fn new(inner: Arc<BlobFetch>) -> Self {
        echodb_blob_fetch {
            inner,
            _live: Live::new(),
        }
    }
}

/// Where it stands, as JSON: `state` (a word: `fetching`, `done`, `failed` or `cancelled`),
/// `received` (bytes of the blob that are here), `total` (its size, null until a peer told it),
/// `peers` (connected members that were asked), `sources` (those of them that hold the blob),
/// `status` (0, or that of the failure) and `error`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `fetch` and `out` may not be.
/// Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_fetch_progress(
    fetch: *const echodb_blob_fetch,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live fetch, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let progress = guard::borrow(fetch, "fetch")?.inner.progress();
            Ok(records::buffer(&blob_records::blob_progress(&progress)))
        })
    }
}

/// Waits until all of the blob is here, at most `timeout_ms` milliseconds, a negative number as long
/// as it takes, and gives the progress then.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `fetch` and `out` may not be.
/// Threads: any. Errors: when time ran out (the fetch goes on), `ECHODB_NETWORK` if no member is
/// connected, `ECHODB_NOT_FOUND` if none of those who are holds the blob, `ECHODB_TIMED_OUT` if it is
/// coming; or what ended it: `ECHODB_CANCELLED`, `ECHODB_STORAGE`, `ECHODB_LIMIT_EXCEEDED` for a blob
/// larger than 16 GiB, `ECHODB_CORRUPT` for one that was made wrong; `ECHODB_INVALID_ARGUMENT`.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_fetch_wait(
    fetch: *const echodb_blob_fetch,
    timeout_ms: i64,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live fetch, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let fetch = guard::borrow(fetch, "fetch")?;
            let progress = fetch.inner.wait(strings::limit(timeout_ms))?;
            Ok(records::buffer(&blob_records::blob_progress(&progress)))
        })
    }
}

/// As `echodb_blob_fetch_wait`, without waiting; `echodb_operation_take_text` gives the progress. To
/// cancel the operation ends the waiting, not the fetch.
///
/// Ownership: `*out` is the caller's, for `echodb_operation_free`; the fetch may be freed at once.
/// NULL: `fetch` and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`,
/// `ECHODB_INTERNAL` if there is no thread; the rest through the operation. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_fetch_wait_start(
    fetch: *const echodb_blob_fetch,
    timeout_ms: i64,
    out: *mut *mut echodb_operation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live fetch, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let inner = Arc::clone(&guard::borrow(fetch, "fetch")?.inner);
            echodb_operation::waiting(async move {
                let progress = inner.finished(strings::limit(timeout_ms)).await?;
                Ok(Output::Text(
                    blob_records::blob_progress(&progress).to_string(),
                ))
            })
        })
    }
}

/// Has `callback` called with the present progress and with every further one. Who is slow hears of
/// the newest only; the last is never left out.
///
/// Ownership: `*out` is the caller's, for `echodb_subscription_free`. Takes `user_data`; `destroy`
/// frees it when the subscription ends, or at once if this call fails. NULL: `fetch`, `callback` and
/// `out` may not be; `user_data` and `destroy` may. Threads: any; the callback runs on library
/// threads. Errors: `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_fetch_subscribe(
    fetch: *const echodb_blob_fetch,
    callback: echodb_blob_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    out: *mut *mut echodb_subscription,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live fetch, and writable places.
    unsafe {
        guard::call_out(out, error, move || {
            let callback = Callback::new(callback, data)?;
            let fetch = guard::borrow(fetch, "fetch")?;
            let gate = Arc::new(BlobGate(Gate::new(callback)));
            let inner = fetch.inner.subscribe(gate.clone());
            Ok(echodb_subscription::new(inner, Listener::Blob(gate)))
        })
    }
}

/// Ends it for everybody who fetches this blob. What has come stays, and a later fetch goes on from
/// there. Does nothing after the end.
///
/// Ownership: none; the fetch stays to be freed. NULL: does nothing. Threads: any. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_fetch_cancel(fetch: *const echodb_blob_fetch) {
    // SAFETY: the caller passes NULL or a live fetch.
    if let Some(fetch) = unsafe { fetch.as_ref() } {
        guard::get((), || fetch.inner.cancel());
    }
}

/// Frees a fetch. It goes on: only `echodb_blob_fetch_cancel` and the closing of the space end it.
///
/// Ownership: takes the fetch. NULL: does nothing. Threads: any, once. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_blob_fetch_free(fetch: *mut echodb_blob_fetch) {
    // SAFETY: the caller passes NULL or a fetch that it gives up.
    unsafe { guard::release(fetch) }
}
