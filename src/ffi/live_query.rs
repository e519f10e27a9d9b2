//! Live queries, with a callback or to be fetched from.

use super::buffer::echodb_buffer;
use super::callback::{Callback, Gate, UserData, echodb_destroy};
use super::error::echodb_error;
use super::live::Live;
use super::queue::Bell;
use super::space::echodb_space;
use super::status::echodb_status;
use super::subscription::heard;
use super::{Result, guard, records, strings, wrong_state};
use crate::api::{EchoError, LiveBatch, LiveListener, LiveOptions, LiveQuery};
use std::ffi::{c_char, c_void};
use std::sync::Arc;

/// A running live query. Any thread may use it.
pub struct echodb_live_query {
    inner: Arc<LiveQuery>,
    out: Out,
    _live: Live,
}

/// How batches leave.
enum Out {
    Callback(Arc<LiveGate>),
    Bell(Arc<Bell>),
}

/// Receives what changed in a live query's results, on a library thread, one batch at a time for
/// each live query. `json` is UTF-8, not NUL-terminated, and lives until the callback returns:
/// `{"space": ID, "initial": BOOL, "total": N, "changes": [...]}`. With `initial` the changes are to
/// be applied to an empty list, else to the list as the batches before left it; `total` is its
/// length afterwards. Of the changes those come first that only take out, by falling `from`:
/// `{"kind": "removed", "id", "from"}`. The others follow by rising `index`: `{"kind": "added", "id",
/// "index", "object"}`, `{"kind": "moved", "id", "from", "index", "object"}` and `{"kind": "changed",
/// "id", "index", "object"}`, where `from` is a place in the list before the batch, `index` one in
/// the list after it, and `object` is as `echodb_space_query` gives it. Take out all that was removed
/// or moved; then, in the order given, put in what was added or moved, and replace what changed. The
/// callback may call the library, except for freeing the client, and must not throw. It returns
/// `ECHODB_OK`; anything else is logged, and a batch with all results follows, 0.1 seconds later or,
/// after repeated failures, later still.
pub type echodb_live_callback = Option<
    unsafe extern "C" fn(
        user_data: *mut c_void,
        json: *const c_char,
        json_len: usize,
    ) -> echodb_status,
>;

type LiveFunction = unsafe extern "C" fn(*mut c_void, *const c_char, usize) -> echodb_status;

/// The program's callback as a listener.
struct LiveGate(Gate<LiveFunction>);

impl LiveListener for LiveGate {
    fn updated(&self, batch: LiveBatch) -> std::result::Result<(), EchoError> {
        let json = records::live_batch(&batch);
        let status = self.0.call(|function, data| {
            // SAFETY: the gate is open, so the program's function and data are good, and the
            // bytes outlive the call.
            unsafe { function(data, json.as_ptr().cast(), json.len()) }
        });
        heard(status)
    }
}

impl echodb_live_query {
    fn new(inner: Arc<LiveQuery>, out: Out) -> Self {
        echodb_live_query {
            inner,
            out,
            _live: Live::new(),
        }
    }

    fn cancel(&self) {
        self.inner.cancel();
        if let Out::Callback(gate) = &self.out {
            gate.0.shut();
        }
    }

    fn bell(&self) -> Result<&Bell> {
        match &self.out {
            Out::Bell(bell) => Ok(bell),
            Out::Callback(_) => Err(wrong_state("this live query has a callback, not a queue")),
        }
    }

    fn next(&self) -> Result<Option<echodb_buffer>> {
        self.bell()?.silence();
        let batch = self.inner.next()?;
        Ok(batch.map(|batch| echodb_buffer::new(records::live_batch(&batch))))
    }
}

impl Drop for echodb_live_query {
    fn drop(&mut self) {
        self.cancel();
    }
}

/// Has `callback` called with the results of a query (JSON, as `echodb_space_query` takes it), and
/// from then on with what changes in them. Whoever applies the batches in their order always has
/// what the query would have given at one moment, not long ago.
///
/// `interval_ms` is the shortest time between the end of one delivery and the next, 0 to 60,000;
/// changes that come sooner are gathered into one batch. 16 is a frame of a screen. While the space
/// is closed nothing is delivered; when it is opened again, its results are delivered anew. Nothing
/// follows the space's deletion or the client's end.
///
/// Ownership: `*out` is the caller's, for `echodb_live_query_free`. Takes `user_data`; `destroy`
/// frees it when the live query ends, or at once if this call fails. NULL: `space`, `callback` and
/// `out` may not be; `user_data` and `destroy` may. Threads: any; the callback runs on library
/// threads, with no lock held. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_live(
    space: *const echodb_space,
    query: *const c_char,
    query_len: usize,
    interval_ms: u32,
    callback: echodb_live_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    out: *mut *mut echodb_live_query,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, move || {
            let callback = Callback::new(callback, data)?;
            let space = guard::borrow(space, "space")?;
            let query = strings::text(query, query_len, "query")?;
            let gate = Arc::new(LiveGate(Gate::new(callback)));
            let inner = space
                .inner
                .live(query, LiveOptions { interval_ms }, gate.clone())?;
            Ok(echodb_live_query::new(inner, Out::Callback(gate)))
        })
    }
}

/// As `echodb_space_live`, but without a callback: batches are fetched with
/// `echodb_live_query_next`, and `echodb_live_query_fd` lets a loop wait for one. Nothing is gathered
/// meanwhile but the ids of objects that changed.
///
/// Ownership: `*out` is the caller's, for `echodb_live_query_free`. NULL: `space` and `out` may not
/// be. Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`, `ECHODB_LIMIT_EXCEEDED`,
/// `ECHODB_INVALID_STATE` also when the process has no descriptor left. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_space_live_queue(
    space: *const echodb_space,
    query: *const c_char,
    query_len: usize,
    interval_ms: u32,
    out: *mut *mut echodb_live_query,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live space, a readable string, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let space = guard::borrow(space, "space")?;
            let query = strings::text(query, query_len, "query")?;
            let bell = Arc::new(Bell::new()?);
            let ring = Arc::clone(&bell);
            let options = LiveOptions { interval_ms };
            let inner = space
                .inner
                .live_bell(&query, &options, move || ring.ring())?;
            Ok(echodb_live_query::new(inner, Out::Bell(bell)))
        })
    }
}

/// The descriptor of a live query without a callback: readable (`POLLIN`) while a batch may be
/// fetched. Wait for it with `poll`, `epoll`, `kqueue` or a toolkit's loop; do not read from it.
///
/// Ownership: the descriptor belongs to the live query, which closes it when freed. NULL:
/// `live_query` and `out` may not be. Threads: any. Errors: `ECHODB_INVALID_STATE` for a live query
/// with a callback, and on systems without descriptors; `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_live_query_fd(
    live_query: *const echodb_live_query,
    out: *mut i32,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live handle, and writable places.
    unsafe {
        guard::call_value(out, error, || {
            guard::borrow(live_query, "live_query")?.bell()?.fd()
        })
    }
}

/// Finds out what changed since the last batch and gives it as JSON like that of
/// `echodb_live_callback`; `*out` is NULL and the call succeeds when nothing did, while the space is
/// closed, and once the live query has ended. Takes the time of a query of what changed; never waits
/// for a change.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`. NULL: `live_query` and `out` may not
/// be. Threads: any; batches fetched by several at once are not in order. Errors:
/// `ECHODB_INVALID_STATE` for a live query with a callback, `ECHODB_STORAGE` and `ECHODB_CORRUPT`,
/// after which the next batch brings all results; `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_live_query_next(
    live_query: *const echodb_live_query,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live handle, and writable places.
    unsafe {
        guard::call_maybe(out, error, || {
            guard::borrow(live_query, "live_query")?.next()
        })
    }
}

/// Ends the live query. The callback is not running when this returns, and will not run again; its
/// `user_data` is freed. Called from within the callback, this run is the last and the data is freed
/// after it. Nothing can be fetched afterwards. May be called again.
///
/// Ownership: none; the live query stays to be freed. NULL: does nothing. Threads: any. Errors:
/// none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_live_query_cancel(live_query: *const echodb_live_query) {
    // SAFETY: the caller passes NULL or a live handle.
    if let Some(live_query) = unsafe { live_query.as_ref() } {
        guard::get((), || live_query.cancel());
    }
}

/// Ends the live query as `echodb_live_query_cancel` does, and frees it.
///
/// Ownership: takes the live query. NULL: does nothing. Threads: any, once; also from within the
/// callback. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_live_query_free(live_query: *mut echodb_live_query) {
    // SAFETY: the caller passes NULL or a live query that it gives up.
    unsafe { guard::release(live_query) }
}
