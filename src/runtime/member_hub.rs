//! Who is told of changes of a space's members.

use super::events::{Mailbox, Registration, Running};
use super::log::Log;
use crate::api::{MemberEvent, MemberListener};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Events that wait for a slow listener; of more, the oldest are dropped.
const WAITING: usize = 1024;

type Waiting = VecDeque<MemberEvent>;

/// The subscriptions to a space's members.
#[derive(Default)]
pub struct MemberHub {
    mailboxes: Mutex<Vec<Arc<Mailbox<Waiting>>>>,
}

impl MemberHub {
    /// Registers a listener.
    pub fn subscribe(
        self: &Arc<Self>,
        listener: Arc<dyn MemberListener>,
        log: Log,
    ) -> Registration {
        let mailbox = Mailbox::new(move |events: Waiting| {
            for event in events {
                if let Err(error) = listener.changed(event) {
                    log.warn("subscription", || {
                        format!("a member listener failed: {error}")
                    });
                }
            }
        });
        self.lock().push(Arc::clone(&mailbox));
        let hub = Arc::downgrade(self);
        let slot = Mutex::new(Some(mailbox));
        Registration::new(move |running| remove(&hub, &slot, running))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Mailbox<Waiting>>>> {
        self.mailboxes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the listeners; may be called under the space's lock.
    pub fn publish(&self, events: &[MemberEvent]) {
        // Not a copy of the list: see `ChangeHub::publish`.
        for mailbox in self.lock().iter() {
            mailbox.post(|waiting| {
                let mut waiting = waiting.unwrap_or_default();
                waiting.extend(events.iter().cloned());
                let surplus = waiting.len().saturating_sub(WAITING);
                waiting.drain(..surplus);
                waiting
            });
        }
    }
}

/// Drops the listener as soon as nobody runs it: its destructor is the program's.
fn remove(hub: &Weak<MemberHub>, slot: &Mutex<Option<Arc<Mailbox<Waiting>>>>, running: Running) {
    let mailbox = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(mailbox) = mailbox else {
        return;
    };
    if let Some(hub) = hub.upgrade() {
        hub.lock().retain(|other| !Arc::ptr_eq(other, &mailbox));
    }
    mailbox.end(running);
}
