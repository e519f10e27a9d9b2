//! Telling the program what happens to its identity.

use super::super::node::Node;
use crate::api::{IdentityChange, IdentityListener};
use crate::runtime::events::{Mailbox, Registration};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Changes = Mailbox<BTreeSet<IdentityChange>>;

/// The listeners of a client.
#[derive(Default)]
pub struct Listeners(Mutex<Vec<Arc<Changes>>>);

impl Listeners {
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Changes>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    /// Registers a listener.
    pub fn subscribe_identity(
        self: &Arc<Self>,
        listener: Arc<dyn IdentityListener>,
    ) -> Registration {
        let log = self.log().clone();
        let mailbox: Arc<Changes> = Mailbox::new(move |changes: BTreeSet<IdentityChange>| {
            for change in changes {
                if let Err(error) = listener.changed(change) {
                    log.warn("halo", || format!("an identity listener failed: {error}"));
                }
            }
        });
        self.note_state();
        self.halo.listeners.lock().push(Arc::clone(&mailbox));
        let node = Arc::downgrade(self);
        let slot = Mutex::new(Some(mailbox));
        Registration::new(move |running| {
            let mailbox = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(mailbox) = mailbox else { return };
            if let Some(node) = node.upgrade() {
                let mut all = node.halo.listeners.lock();
                all.retain(|other| !Arc::ptr_eq(other, &mailbox));
            }
            mailbox.end(running);
        })
    }

    /// Tells the listeners of a change.
    pub(super) fn tell_identity(&self, change: IdentityChange) {
        for mailbox in self.halo.listeners.lock().iter() {
            mailbox.post(|waiting| {
                let mut all = waiting.unwrap_or_default();
                all.insert(change);
                all
            });
        }
    }
}
