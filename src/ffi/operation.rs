//! Long work: it completes exactly once, may be waited for, polled, called back from, cancelled.

use super::buffer::echodb_buffer;
use super::callback::{Callback, UserData, echodb_destroy};
use super::client::{Opened, echodb_client};
use super::error::echodb_error;
use super::live::Live;
use super::status::{ECHODB_OK, echodb_status};
use super::{Result, guard, strings, wrong_state};
use crate::model::{Error, ErrorKind};
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};
use std::time::Instant;

/// Work that goes on without the program. It completes exactly once: with its result, with its
/// error, or with `ECHODB_CANCELLED`. Any thread may use it.
pub struct echodb_operation {
    shared: Arc<Shared>,
    _live: Live,
}

/// Hears that an operation completed, with its status: exactly once, on a library thread; on the
/// calling thread if it has completed already or is being cancelled or freed. `name` is that of
/// the status, static and NUL-terminated. The callback must not throw.
pub type echodb_completion_callback = Option<
    unsafe extern "C" fn(user_data: *mut c_void, status: echodb_status, name: *const c_char),
>;

type CompletionFunction = unsafe extern "C" fn(*mut c_void, echodb_status, *const c_char);

/// What an operation leads to.
pub(super) enum Output {
    Nothing,
    Text(String),
    Client(Opened),
}

/// The part that the work shares with the handle.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// Set once. The output may be taken from it.
    outcome: Option<Result<Option<Output>>>,
    completion: Option<Callback<CompletionFunction>>,
    /// The thread on which the completion callback runs now.
    announcing: Option<ThreadId>,
    /// Ends the waiting for something that goes on by itself.
    abort: Option<Box<dyn FnOnce() + Send>>,
}

impl Shared {
    fn new() -> Arc<Self> {
        Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Completes; the first call counts.
    fn complete(&self, outcome: Result<Output>) {
        let mut state = self.state();
        if state.outcome.is_some() {
            // Too late: the output is dropped, but not under the lock, as it may be a client.
            drop(state);
            drop(outcome);
            return;
        }
        let status = status_of(&outcome);
        state.outcome = Some(outcome.map(Some));
        let completion = state.completion.take();
        state.announcing = Some(thread::current().id());
        drop(state);
        self.changed.notify_all();
        announce(completion, status);
        self.state().announcing = None;
        self.changed.notify_all();
    }

    fn cancel(&self) {
        let abort = self.state().abort.take();
        let cancelled = Error::new(ErrorKind::Cancelled, "the operation was cancelled");
        self.complete(Err(cancelled.into()));
        // Afterwards, because an aborted task completes the operation as a lost one.
        if let Some(abort) = abort {
            abort();
        }
    }

    /// Takes the output of a completed operation, if it is of the kind that `pick` wants.
    fn take<T>(&self, pick: impl FnOnce(Output) -> std::result::Result<T, Output>) -> Result<T> {
        let mut state = self.state();
        match state.outcome.as_mut() {
            None => Err(wrong_state("the operation has not completed yet")),
            Some(Err(e)) => Err(e.clone()),
            Some(Ok(output)) => match output.take().map(pick) {
                Some(Ok(value)) => Ok(value),
                Some(Err(other)) => {
                    *output = Some(other);
                    Err(wrong_state("the operation has no result of this kind"))
                }
                None => Err(wrong_state("the operation's result was taken already")),
            },
        }
    }
}

fn status_of<T>(outcome: &Result<T>) -> echodb_status {
    outcome
        .as_ref()
        .map_or_else(|e| e.kind().status(), |_| ECHODB_OK)
}

fn announce(completion: Option<Callback<CompletionFunction>>, status: echodb_status) {
    if let Some(completion) = completion {
        let name = super::status::name(status).as_ptr();
        // SAFETY: the program's function and data are good until the callback is dropped below.
        completion.invoke(|function, data| unsafe { function(data, status, name) });
    }
}

impl echodb_operation {
    /// Starts blocking work on a library thread.
    pub(super) fn blocking(work: impl FnOnce() -> Result<Output> + Send + 'static) -> Result<Self> {
        let shared = Shared::new();
        let worker = Arc::clone(&shared);
        crate::api::spawn_blocking(move || worker.complete(contained(work)))?;
        Ok(echodb_operation::over(shared))
    }

    /// Starts to wait for something that goes on whether or not somebody waits.
    pub(super) fn waiting(
        future: impl Future<Output = Result<Output>> + Send + 'static,
    ) -> Result<Self> {
        let shared = Shared::new();
        let waiter = Waiter(Arc::clone(&shared));
        let abort = crate::api::spawn_task(async move { waiter.done(future.await) })?;
        shared.state().abort = Some(Box::new(abort));
        Ok(echodb_operation::over(shared))
    }

    fn over(shared: Arc<Shared>) -> Self {
        echodb_operation {
            shared,
            _live: Live::new(),
        }
    }
}

/// Completes an operation even if its task ends without an outcome.
struct Waiter(Arc<Shared>);

impl Waiter {
    /// The callback gets a thread on which it may block; a worker of the runtime is none.
    fn done(self, outcome: Result<Output>) {
        let shared = Arc::clone(&self.0);
        // If there is no thread, dropping both tells that the outcome was lost.
        let work = move || {
            shared.complete(outcome);
            drop(self);
        };
        let _ = crate::api::spawn_blocking(work);
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        let lost = Error::internal("the operation's outcome was lost");
        self.0.complete(Err(lost.into()));
    }
}

impl Drop for echodb_operation {
    fn drop(&mut self) {
        self.shared.cancel();
        let me = thread::current().id();
        let mut state = self.shared.state();
        while state.announcing.is_some_and(|thread| thread != me) {
            state = wait_on(&self.shared.changed, state);
        }
        // Here and now, not when the work lets go of its share: a client may be left in it.
        let outcome = state.outcome.replace(Ok(None));
        drop(state);
        drop(outcome);
    }
}

fn wait_on<'a>(changed: &Condvar, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
    changed.wait(state).unwrap_or_else(PoisonError::into_inner)
}

fn contained(work: impl FnOnce() -> Result<Output>) -> Result<Output> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|payload| Err(guard::contained(payload.as_ref())))
}

/// Whether the operation has completed. Never waits.
///
/// Ownership: none. NULL: gives true. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_is_done(operation: *const echodb_operation) -> bool {
    // SAFETY: the caller passes NULL or a live operation.
    let operation = unsafe { operation.as_ref() };
    guard::get(true, || {
        operation.is_none_or(|o| o.shared.state().outcome.is_some())
    })
}

/// Waits until the operation has completed, at most `timeout_ms` milliseconds; a negative number
/// waits as long as it takes. Tells only whether it completed: `echodb_operation_result` tells how.
///
/// Ownership: none. NULL: `operation` may not be. Threads: any. Errors: `ECHODB_TIMED_OUT` (the
/// operation goes on), `ECHODB_INVALID_ARGUMENT`. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_wait(
    operation: *const echodb_operation,
    timeout_ms: i64,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live operation.
    unsafe {
        guard::call(error, || {
            let shared = &guard::borrow(operation, "operation")?.shared;
            wait(shared, timeout_ms)
        })
    }
}

fn wait(shared: &Shared, timeout_ms: i64) -> Result<()> {
    let limit = strings::limit(timeout_ms);
    let deadline = limit.and_then(|limit| Instant::now().checked_add(limit));
    let mut state = shared.state();
    while state.outcome.is_none() {
        let Some(deadline) = deadline else {
            state = wait_on(&shared.changed, state);
            continue;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            let what = format!("the operation has not completed in {timeout_ms} ms");
            return Err(Error::new(ErrorKind::TimedOut, what).into());
        }
        let waited = shared.changed.wait_timeout(state, left);
        state = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    Ok(())
}

/// How the operation ended: `ECHODB_OK`, or its failure with the error.
///
/// Ownership: `*error`, if any, is the caller's. NULL: `operation` may not be. Threads: any.
/// Errors: the operation's; `ECHODB_INVALID_STATE` before it completed. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_result(
    operation: *const echodb_operation,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live operation.
    unsafe {
        guard::call(error, || {
            let operation = guard::borrow(operation, "operation")?;
            match operation.shared.state().outcome.as_ref() {
                None => Err(wrong_state("the operation has not completed yet")),
                Some(outcome) => outcome.as_ref().map(|_| ()).map_err(Clone::clone),
            }
        })
    }
}

/// Takes the client that `echodb_client_open_start` opened.
///
/// Ownership: `*out` is the caller's, for `echodb_client_free`; it can be taken once. An operation
/// freed with its client still in it frees that too. NULL: `operation` and `out` may not be.
/// Threads: any. Errors: the operation's; `ECHODB_INVALID_STATE` before it completed, the second
/// time, and for operations without a client. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_take_client(
    operation: *const echodb_operation,
    out: *mut *mut echodb_client,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live operation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let operation = guard::borrow(operation, "operation")?;
            let opened = operation.shared.take(|output| match output {
                Output::Client(opened) => Ok(opened),
                other => Err(other),
            })?;
            Ok(echodb_client::new(opened))
        })
    }
}

/// Takes the text that the operation led to: the space's id for `echodb_invitation_wait_start`.
///
/// Ownership: `*out` is the caller's, for `echodb_buffer_free`; it can be taken once. NULL:
/// `operation` and `out` may not be. Threads: any. Errors: the operation's; `ECHODB_INVALID_STATE`
/// before it completed, the second time, and for operations without a text. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_take_text(
    operation: *const echodb_operation,
    out: *mut *mut echodb_buffer,
    error: *mut *mut echodb_error,
) -> echodb_status {
    // SAFETY: the caller passes NULL or a live operation, and writable places.
    unsafe {
        guard::call_out(out, error, || {
            let operation = guard::borrow(operation, "operation")?;
            let text = operation.shared.take(|output| match output {
                Output::Text(text) => Ok(text),
                other => Err(other),
            })?;
            Ok(echodb_buffer::new(text))
        })
    }
}

/// Has `callback` called when the operation completes; at once if it has. One callback for each
/// operation.
///
/// Ownership: takes `user_data`; `destroy` frees it after the callback ran, or at once if this
/// call fails. NULL: `operation` and `callback` may not be; `user_data` and `destroy` may.
/// Threads: any. Errors: `ECHODB_INVALID_ARGUMENT`; `ECHODB_INVALID_STATE` if there is a callback
/// already. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_on_complete(
    operation: *const echodb_operation,
    callback: echodb_completion_callback,
    user_data: *mut c_void,
    destroy: echodb_destroy,
    error: *mut *mut echodb_error,
) -> echodb_status {
    let data = UserData::new(user_data, destroy);
    // SAFETY: the caller passes NULL or a live operation.
    unsafe {
        guard::call(error, move || {
            let callback = Callback::new(callback, data)?;
            on_complete(&guard::borrow(operation, "operation")?.shared, callback)
        })
    }
}

fn on_complete(shared: &Shared, callback: Callback<CompletionFunction>) -> Result<()> {
    let mut state = shared.state();
    if let Some(outcome) = &state.outcome {
        let status = status_of(outcome);
        drop(state);
        announce(Some(callback), status);
        return Ok(());
    }
    if state.completion.is_some() {
        drop(state);
        return Err(wrong_state("the operation has a completion callback"));
    }
    state.completion = Some(callback);
    Ok(())
}

/// Cancels: the operation completes with `ECHODB_CANCELLED` unless it has completed. Work under
/// way may still take effect; what it leads to is freed.
///
/// Ownership: none. NULL: does nothing. Threads: any. Errors: none. Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_cancel(operation: *const echodb_operation) {
    // SAFETY: the caller passes NULL or a live operation.
    if let Some(operation) = unsafe { operation.as_ref() } {
        guard::get((), || operation.shared.cancel());
    }
}

/// Cancels and frees an operation. Its callback has run when this returns, except when it is the
/// callback that calls this.
///
/// Ownership: takes the operation. NULL: does nothing. Threads: any, once. Errors: none.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn echodb_operation_free(operation: *mut echodb_operation) {
    // SAFETY: the caller passes NULL or an operation that it gives up.
    unsafe { guard::release(operation) }
}
