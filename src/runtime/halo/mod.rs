//! HALO at work: the space in which an identity's devices keep what they have in common, and what
//! follows from it for all other spaces. It is the source of truth of which devices live; every
//! client brings the spaces that it holds in line with it ([`Node::reconcile`]), so that it does not
//! matter which device is online when another one acts.

mod credentials;
mod devices;
mod entering;
mod events;
mod founding;
mod holding;
mod reconcile;
mod recovery;
mod recovery_wire;
mod renewal;
mod seeking;
#[cfg(test)]
mod seeking_tests;
#[cfg(test)]
mod tests;

pub use entering::NewDevice;
pub use seeking::recover;

use self::events::Listeners;
use self::holding::Holding;
use self::recovery::Listening;
use super::executor;
use super::node::Node;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long changes are gathered before the spaces are brought in line with them.
const GATHERING: Duration = Duration::from_millis(50);
/// How often a running device says that it is in use, at most.
const SEEN_EVERY: Duration = Duration::from_secs(3600);

/// What a client keeps for HALO while it runs.
#[derive(Default)]
pub struct HaloWork {
    /// Whether spaces are about to be brought in line.
    pending: AtomicBool,
    /// One at a time.
    running: Mutex<()>,
    /// Whether this device was revoked, as far as it knows.
    revoked: AtomicBool,
    /// A digest of the devices as they were last, to tell whether they changed.
    known: Mutex<Option<[u8; 32]>>,
    /// The thread that loads the HALO space, until somebody waited for it.
    loading: Mutex<Option<JoinHandle<()>>>,
    /// Revocations that wait for what others have written.
    holding: Holding,
    listeners: Listeners,
    listening: Mutex<Vec<Listening>>,
}

impl HaloWork {
    fn lock_loading(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.loading.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the thread that loads the HALO space.
    pub fn set_loading(&self, loading: JoinHandle<()>) {
        *self.lock_loading() = Some(loading);
    }

    /// Returns once the HALO space is loaded, or cannot be, which the log tells. To be called
    /// without a space's lock.
    pub fn await_loading(&self) {
        // Under the lock, so that all wait who come meanwhile.
        let mut loading = self.lock_loading();
        if let Some(thread) = loading.take() {
            thread.thread().unpark();
            // What it panicked with was printed.
            let _ = thread.join();
        }
    }
}

impl Node {
    /// Brings the spaces in line with HALO soon, on a thread of the library's.
    pub fn schedule_reconciling(&self) {
        if self.check_open().is_err() || self.halo.pending.swap(true, Ordering::AcqRel) {
            return;
        }
        let me = Weak::clone(&self.me);
        let Ok(handle) = executor::handle() else {
            self.halo.pending.store(false, Ordering::Release);
            return;
        };
        handle.spawn(async move {
            tokio::time::sleep(GATHERING).await;
            let work = tokio::task::spawn_blocking(move || {
                let Some(node) = me.upgrade() else { return };
                // Before it begins: what comes in meanwhile is for another round.
                node.halo.pending.store(false, Ordering::Release);
                if let Err(error) = node.reconcile()
                    && node.check_open().is_ok()
                {
                    node.log().warn("halo", || {
                        format!("spaces could not be brought in line with HALO yet: {error}")
                    });
                }
            });
            let _ = work.await;
        });
    }

    /// Begins what goes on while the client is open.
    pub fn start_halo(self: &Arc<Self>) {
        self.schedule_reconciling();
        let me = Arc::downgrade(self);
        let Ok(handle) = executor::handle() else {
            return;
        };
        handle.spawn(async move {
            loop {
                tokio::time::sleep(SEEN_EVERY).await;
                match me.upgrade() {
                    Some(node) if node.check_open().is_ok() => node.schedule_reconciling(),
                    _ => return,
                }
            }
        });
    }

    /// Whether this device was revoked, as far as it knows.
    pub fn is_revoked(&self) -> bool {
        self.halo.revoked.load(Ordering::Acquire)
    }
}

/// Reads what the two sides of a recovery say, for the fuzzers.
#[cfg(any(test, fuzzing))]
pub fn fuzz_message(bytes: &[u8]) {
    let _ = recovery_wire::decode::<recovery_wire::Hello>(bytes);
    let _ = recovery_wire::decode::<recovery_wire::Offer>(bytes);
    let _ = recovery_wire::decode::<recovery_wire::Entries>(bytes);
}
