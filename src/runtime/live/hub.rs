//! A space's live queries.

use super::runner::{Out, Runner};
use crate::query::Query;
use crate::runtime::events::{Registration, Running};
use crate::runtime::space_host::SpaceHost;
use crate::space::RowChange;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// The live queries of one space.
#[derive(Default)]
pub struct LiveHub {
    queries: Mutex<Vec<Arc<Runner>>>,
}

impl LiveHub {
    /// Adds a live query, whose first batch follows as soon as a thread is free.
    pub fn start(
        self: &Arc<Self>,
        host: &Arc<SpaceHost>,
        query: &Query,
        interval: Duration,
        out: Out,
    ) -> (Registration, Weak<Runner>) {
        let runner = Runner::new(host, query, interval, out);
        let weak = Arc::downgrade(&runner);
        self.lock().push(Arc::clone(&runner));
        runner.restart();
        let hub = Arc::downgrade(self);
        let slot = Mutex::new(Some(runner));
        let registration = Registration::new(move |running| remove(&hub, &slot, running));
        (registration, weak)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Runner>>> {
        self.queries.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a commit. Called under the space's lock; nothing is looked up here.
    pub fn note(&self, rows: &[RowChange]) {
        // Not a copy of the list: see `ChangeHub::publish`.
        for runner in self.lock().iter() {
            runner.note(rows);
        }
    }

    /// Called when the space was opened: while it was closed, anything may have happened.
    pub fn opened(&self) {
        for runner in self.lock().iter() {
            runner.restart();
        }
    }
}

/// Drops the listener as soon as nobody runs it: its destructor is the program's.
fn remove(hub: &Weak<LiveHub>, slot: &Mutex<Option<Arc<Runner>>>, running: Running) {
    let runner = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(runner) = runner else {
        return;
    };
    if let Some(hub) = hub.upgrade() {
        hub.lock().retain(|other| !Arc::ptr_eq(other, &runner));
    }
    runner.end(running);
}
