//! A space's subscriptions: which changes concern which listener. Its live queries are told from
//! here too.

use super::events::{Mailbox, Registration, Running};
use super::live::LiveHub;
use super::log::Log;
use crate::api::{Change, ChangeBatch, ChangeKind, ChangeListener, ChangeOrigin};
use crate::model::{ObjectId, SpaceId};
use crate::query::{Query, RowView};
use crate::space::{ObjectRow, RowChange};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

type Gathered = BTreeMap<ObjectId, Change>;

struct Subscriber {
    filter: Query,
    mailbox: Arc<Mailbox<Gathered>>,
}

/// The subscriptions of one space.
#[derive(Default)]
pub struct ChangeHub {
    subscribers: Mutex<Vec<Arc<Subscriber>>>,
    live: Arc<LiveHub>,
}

impl ChangeHub {
    /// The live queries.
    pub fn live(&self) -> &Arc<LiveHub> {
        &self.live
    }

    /// Registers a listener.
    pub fn subscribe(
        self: &Arc<Self>,
        space: SpaceId,
        filter: Query,
        listener: Arc<dyn ChangeListener>,
        log: Log,
    ) -> Registration {
        let mailbox = Mailbox::new(move |gathered: Gathered| {
            let batch = ChangeBatch {
                space: space.to_string(),
                changes: gathered.into_values().collect(),
            };
            if let Err(error) = listener.changed(batch) {
                log.warn("subscription", || {
                    format!("a change listener failed: {error}")
                });
            }
        });
        let subscriber = Arc::new(Subscriber { filter, mailbox });
        self.lock().push(Arc::clone(&subscriber));
        let hub = Arc::downgrade(self);
        let subscriber = Mutex::new(Some(subscriber));
        Registration::new(move |running| remove(&hub, &subscriber, running))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<Subscriber>>> {
        self.subscribers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the listeners. Called under the space's lock, so that events keep the order of
    /// commits; listeners run later, on their own threads.
    pub fn publish(&self, rows: &[RowChange], origin: ChangeOrigin) {
        self.live.note(rows);
        // Not a copy of the list: that could be the last to hold a subscriber, whose listener would
        // be dropped here, under the space's lock.
        let subscribers = self.lock();
        if subscribers.is_empty() {
            return;
        }
        let visible = rows.iter().filter(|row| !row.new.is_schema());
        let seen: Vec<Seen> = visible.map(Seen::new).collect();
        for subscriber in subscribers.iter() {
            let changes: Vec<(ObjectId, Change)> = seen
                .iter()
                .filter_map(|row| row.change(&subscriber.filter, origin))
                .collect();
            if !changes.is_empty() {
                subscriber.mailbox.post(|pending| gather(pending, changes));
            }
        }
    }
}

/// Drops the subscriber's listener as soon as nobody runs it: its destructor is the program's.
fn remove(hub: &Weak<ChangeHub>, slot: &Mutex<Option<Arc<Subscriber>>>, running: Running) {
    let subscriber = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
    let Some(subscriber) = subscriber else {
        return;
    };
    if let Some(hub) = hub.upgrade() {
        hub.lock().retain(|other| !Arc::ptr_eq(other, &subscriber));
    }
    subscriber.mailbox.end(running);
}

/// Adds changes to those that wait: one per object, so that `added` then `updated` stays `added`,
/// and `added` then `removed` is nothing the listener need hear of as an addition.
fn gather(pending: Option<Gathered>, changes: Vec<(ObjectId, Change)>) -> Gathered {
    let mut gathered = pending.unwrap_or_default();
    for (id, mut change) in changes {
        if let Some(before) = gathered.get(&id) {
            change.kind = before.kind.then(change.kind);
        }
        gathered.insert(id, change);
    }
    gathered
}

/// A row change with its fields parsed once for all subscribers.
struct Seen<'a> {
    old: Option<(&'a ObjectRow, serde_json::Value)>,
    new: (&'a ObjectRow, serde_json::Value),
}

impl<'a> Seen<'a> {
    fn new(change: &'a RowChange) -> Seen<'a> {
        Seen {
            old: change.old.as_deref().map(|row| (row, plain(row))),
            new: (&change.new, plain(&change.new)),
        }
    }

    fn change(&self, filter: &Query, origin: ChangeOrigin) -> Option<(ObjectId, Change)> {
        let visible = |(row, plain): &(&ObjectRow, serde_json::Value)| {
            let view = RowView {
                id: row.id,
                type_name: row.type_name.as_deref(),
                parent: row.parent,
                gone: row.is_gone(),
                branch: row.system.branch.is_some(),
                created_ms: row.created_ms,
                updated_ms: row.updated_ms,
                system: &row.system,
                plain,
            };
            filter.matches(&view)
        };
        let kind = match (self.old.as_ref().is_some_and(visible), visible(&self.new)) {
            (false, false) => return None,
            (false, true) => ChangeKind::Added,
            (true, true) => ChangeKind::Updated,
            (true, false) => ChangeKind::Removed,
        };
        let row = self.new.0;
        let change = Change {
            id: row.id.to_string(),
            type_name: row.type_name.clone(),
            kind,
            origin,
        };
        Some((row.id, change))
    }
}

fn plain(row: &ObjectRow) -> serde_json::Value {
    serde_json::from_str(row.plain_json()).unwrap_or(serde_json::Value::Null)
}
