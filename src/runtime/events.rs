//! Delivery of events to the program's listeners: on library threads, one at a time for each
//! listener, with no lock held, and never after a cancellation returned.

use super::executor;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

/// Events of one listener that wait to be delivered. They are gathered, not queued one by one, so
/// that a slow listener costs no more memory than the gathered form does.
pub struct Mailbox<T> {
    state: Mutex<State<T>>,
    idle: Condvar,
    deliver: Box<dyn Fn(T) + Send + Sync>,
}

struct State<T> {
    pending: Option<T>,
    /// Whether a delivery is scheduled or running.
    scheduled: bool,
    /// The thread on which the listener runs now.
    running: Option<ThreadId>,
    cancelled: bool,
}

impl<T: Send + 'static> Mailbox<T> {
    /// A mailbox for a listener. A listener that panics is contained and kept.
    pub fn new(deliver: impl Fn(T) + Send + Sync + 'static) -> Arc<Mailbox<T>> {
        Arc::new(Mailbox {
            state: Mutex::new(State {
                pending: None,
                scheduled: false,
                running: None,
                cancelled: false,
            }),
            idle: Condvar::new(),
            deliver: Box::new(deliver),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to what waits; `gather` gets what waits already. May be called under any lock: the
    /// listener runs elsewhere.
    pub fn post(self: &Arc<Self>, gather: impl FnOnce(Option<T>) -> T) {
        let mut state = self.lock();
        if state.cancelled {
            return;
        }
        let pending = state.pending.take();
        state.pending = Some(gather(pending));
        if !state.scheduled {
            let mailbox = Arc::clone(self);
            // Without threads there is nobody to tell; the events stay and later ones try again.
            if let Ok(handle) = executor::handle() {
                state.scheduled = true;
                handle.spawn_blocking(move || mailbox.drain());
            }
        }
    }

    fn drain(&self) {
        let me = std::thread::current().id();
        loop {
            let mut state = self.lock();
            state.running = None;
            let event = match state.cancelled {
                true => None,
                false => state.pending.take(),
            };
            let Some(event) = event else {
                state.scheduled = false;
                drop(state);
                self.idle.notify_all();
                return;
            };
            state.running = Some(me);
            drop(state);
            // The listener is the program's code: its panic must not end our thread's loop.
            let _ = catch_unwind(AssertUnwindSafe(|| (self.deliver)(event)));
        }
    }

    /// Ends deliveries. Even [`Running::Wait`] does not wait when called from within one.
    pub fn end(&self, running: Running) {
        let mut state = self.lock();
        state.cancelled = true;
        state.pending = None;
        let me = std::thread::current().id();
        while running == Running::Wait && state.running.is_some_and(|thread| thread != me) {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A listener's registration; dropping it ends it.
pub struct Registration {
    end: Box<dyn Fn(Running) + Send + Sync>,
}

/// What to do about a delivery that is under way when its registration ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// Wait for it, unless it is the one that ends the registration.
    Wait,
    /// Let it come to its end meanwhile.
    Leave,
}

impl Registration {
    /// `end` may run several times.
    pub fn new(end: impl Fn(Running) + Send + Sync + 'static) -> Registration {
        Registration { end: Box::new(end) }
    }

    /// Ends it. When this returns, the listener is not running, except when it is the listener
    /// that calls this.
    pub fn cancel(&self) {
        (self.end)(Running::Wait);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        // Garbage collectors drop it on a thread of their choice, perhaps one that holds a lock
        // which the listener waits for.
        (self.end)(Running::Leave);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn slow_listeners_get_gathered_events_and_none_after_cancel() {
        let (gate_in, gate) = mpsc::channel::<()>();
        let (seen_in, seen) = mpsc::channel::<Vec<u32>>();
        let gate = Mutex::new(gate);
        let mailbox = Mailbox::new(move |batch: Vec<u32>| {
            seen_in.send(batch).unwrap();
            gate.lock()
                .unwrap()
                .recv_timeout(Duration::from_secs(5))
                .ok();
        });
        let add = |n| {
            move |old: Option<Vec<u32>>| {
                let mut all = old.unwrap_or_default();
                all.push(n);
                all
            }
        };
        mailbox.post(add(1));
        assert_eq!(seen.recv_timeout(Duration::from_secs(5)).unwrap(), [1]);
        mailbox.post(add(2));
        mailbox.post(add(3));
        gate_in.send(()).unwrap();
        assert_eq!(seen.recv_timeout(Duration::from_secs(5)).unwrap(), [2, 3]);
        mailbox.post(add(4));
        gate_in.send(()).unwrap();
        assert_eq!(seen.recv_timeout(Duration::from_secs(5)).unwrap(), [4]);
        gate_in.send(()).unwrap();
        mailbox.end(Running::Wait);
        mailbox.post(add(5));
        assert!(seen.recv_timeout(Duration::from_millis(50)).is_err());
    }

    #[test]
    fn dropping_a_registration_does_not_wait_for_its_listener() {
        let (gate_in, gate) = mpsc::channel::<()>();
        let (seen_in, seen) = mpsc::channel::<&str>();
        let gate = Mutex::new(gate);
        let mailbox = Mailbox::new(move |(): ()| {
            seen_in.send("begun").unwrap();
            // Answered only after the registration was dropped.
            gate.lock().unwrap().recv().unwrap();
            seen_in.send("ended").unwrap();
        });
        let ended = Arc::clone(&mailbox);
        let registration = Registration::new(move |running| ended.end(running));
        mailbox.post(|_| ());
        assert_eq!(seen.recv().unwrap(), "begun");
        drop(registration);
        mailbox.post(|_| ());
        gate_in.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), "ended");
        mailbox.end(Running::Wait);
        assert!(seen.try_recv().is_err());
    }

    #[test]
    fn a_listener_may_cancel_itself_and_a_panic_is_contained() {
        let (seen_in, seen) = mpsc::channel();
        let slot: Arc<Mutex<Option<Arc<Mailbox<u32>>>>> = Arc::default();
        let own = Arc::clone(&slot);
        let mailbox = Mailbox::new(move |n| {
            seen_in.send(n).unwrap();
            match n {
                1 => panic!("a listener's own fault"),
                _ => own.lock().unwrap().as_ref().unwrap().end(Running::Wait),
            }
        });
        *slot.lock().unwrap() = Some(Arc::clone(&mailbox));
        mailbox.post(|_| 1);
        assert_eq!(seen.recv_timeout(Duration::from_secs(5)).unwrap(), 1);
        mailbox.post(|_| 2);
        assert_eq!(seen.recv_timeout(Duration::from_secs(5)).unwrap(), 2);
        mailbox.post(|_| 3);
        assert!(seen.recv_timeout(Duration::from_millis(50)).is_err());
    }
}
