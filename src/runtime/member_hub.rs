//! Who is told of changes of a space's members.

use super::events::{Mailbox, Registration, Running};
use super::log::Log;
use super::space_members::missed;
use crate::api::{MemberEvent, MemberListener};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// Events that wait for a slow listener; of more, the oldest are dropped, and one event says so.
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
                bound(&mut waiting);
                waiting
            });
        }
    }
}

/// Drops the oldest of too many events, and says so in their place.
fn bound(waiting: &mut Waiting) {
    let surplus = waiting.len().saturating_sub(WAITING);
    if surplus > 0 {
        let last = waiting.drain(..=surplus).next_back();
        waiting.extend(last.map(|last| missed(last.space)));
        waiting.rotate_right(1);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::MemberEventKind;

    #[test]
    fn what_is_dropped_is_said_in_its_place() {
        let event = |n: usize| MemberEvent {
            kind: MemberEventKind::Joined,
            identity: n.to_string(),
            ..missed("space".to_owned())
        };
        let mut waiting: Waiting = (0..WAITING).map(event).collect();
        bound(&mut waiting);
        assert!(waiting.iter().all(|e| e.kind == MemberEventKind::Joined));
        for n in WAITING..WAITING + 3 {
            waiting.push_back(event(n));
            bound(&mut waiting);
            assert_eq!(waiting.len(), WAITING);
            let (first, last) = (&waiting[0], &waiting[WAITING - 1]);
            assert_eq!(
                (first.kind, first.space.as_str()),
                (MemberEventKind::Missed, "space")
            );
            assert_eq!(last.identity, n.to_string());
            // One says it; the rest are the newest.
            let next: usize = waiting[1].identity.parse().unwrap();
            assert_eq!(next, n + 2 - WAITING);
        }
    }
}
