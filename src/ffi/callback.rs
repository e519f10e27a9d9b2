//! Functions of the program's: each comes with a pointer for itself and a function that frees
//! that pointer, and is let go of exactly once.

use super::{Result, invalid};
use std::ffi::c_void;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

/// Frees the `user_data` of a callback. It is called exactly once, when the callback is not
/// running and never will again, also when the call that was given the callback fails. May be
/// NULL when there is nothing to free.
pub type echodb_destroy = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// What a program wants back in its callback; freed when dropped.
pub(super) struct UserData {
    pointer: *mut c_void,
    destroy: echodb_destroy,
}

// SAFETY: the header requires that callbacks and what they point to may be used on any thread.
unsafe impl Send for UserData {}
// SAFETY: as above; the library itself never looks behind the pointer.
unsafe impl Sync for UserData {}

impl UserData {
    pub(super) fn new(pointer: *mut c_void, destroy: echodb_destroy) -> Self {
        UserData { pointer, destroy }
    }
}

impl Drop for UserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the program gave both together, and this is the only call.
            unsafe { destroy(self.pointer) };
        }
    }
}

/// A function with its data. Clones share the data, which is freed with the last.
pub(super) struct Callback<F> {
    function: F,
    data: Arc<UserData>,
}

impl<F: Copy> Callback<F> {
    /// Fails if there is no function; the data is freed then.
    pub(super) fn new(function: Option<F>, data: UserData) -> Result<Self> {
        let function = function.ok_or_else(|| invalid("the callback is NULL"))?;
        Ok(Callback {
            function,
            data: Arc::new(data),
        })
    }

    /// Calls the function.
    pub(super) fn invoke<R>(&self, call: impl FnOnce(F, *mut c_void) -> R) -> R {
        call(self.function, self.data.pointer)
    }
}

impl<F: Copy> Clone for Callback<F> {
    fn clone(&self) -> Self {
        Callback {
            function: self.function,
            data: Arc::clone(&self.data),
        }
    }
}

/// A callback that can be shut: afterwards it is not running and never will again.
pub(super) struct Gate<F> {
    state: Mutex<State<F>>,
    idle: Condvar,
}

struct State<F> {
    callback: Option<Callback<F>>,
    running: Vec<ThreadId>,
}

impl<F: Copy> Gate<F> {
    pub(super) fn new(callback: Callback<F>) -> Self {
        Gate {
            state: Mutex::new(State {
                callback: Some(callback),
                running: Vec::new(),
            }),
            idle: Condvar::new(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State<F>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls the function with no lock held; does nothing once shut.
    pub(super) fn call<R>(&self, call: impl FnOnce(F, *mut c_void) -> R) -> Option<R> {
        let callback = {
            let mut state = self.state();
            let callback = state.callback.clone()?;
            state.running.push(thread::current().id());
            callback
        };
        let result = callback.invoke(call);
        // Before this run counts as over, so that whoever waits in `shut` finds the data freed.
        drop(callback);
        let mut state = self.state();
        let me = thread::current().id();
        if let Some(at) = state.running.iter().rposition(|id| *id == me) {
            state.running.swap_remove(at);
        }
        self.idle.notify_all();
        Some(result)
    }

    /// Shuts the gate and waits for the runs on other threads. Called from within the callback,
    /// it does not wait for that run: its end frees the data.
    pub(super) fn shut(&self) {
        let me = thread::current().id();
        let mut state = self.state();
        let callback = state.callback.take();
        while state.running.iter().any(|id| *id != me) {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        drop(state);
        // Not under the lock: the program's destroy function runs here.
        drop(callback);
    }
}
