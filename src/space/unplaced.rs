//! Entries that arrived before something they build on. Bounded: past the bounds the newest are
//! dropped, and asking the peer again brings them back.

use crate::feed::Entry;
use crate::model::{EntryId, FeedId, limits};
use std::collections::HashMap;

/// The waiting room.
#[derive(Default)]
pub struct Unplaced {
    by_missing: HashMap<EntryId, Vec<Entry>>,
    count: usize,
    bytes: usize,
}

impl Unplaced {
    /// Keeps `entry` until `missing` is placed; false if there is no room.
    pub fn hold(&mut self, missing: EntryId, entry: Entry) -> bool {
        let held = self.by_missing.entry(missing).or_default();
        if held.iter().any(|other| other.id == entry.id) {
            return true;
        }
        let size = entry.bytes().len();
        if self.count + 1 > limits::UNPLACED_ENTRIES || self.bytes + size > limits::UNPLACED_BYTES {
            if held.is_empty() {
                self.by_missing.remove(&missing);
            }
            return false;
        }
        self.count += 1;
        self.bytes += size;
        held.push(entry);
        true
    }

    /// The feeds of the entries that wait for one.
    pub fn waiting_for(&self, missing: &EntryId) -> impl Iterator<Item = &FeedId> {
        let held = self.by_missing.get(missing);
        held.into_iter().flatten().map(|entry| &entry.header.feed)
    }

    /// The entries that waited for `placed`.
    pub fn release(&mut self, placed: &EntryId) -> Vec<Entry> {
        let released = self.by_missing.remove(placed).unwrap_or_default();
        self.count -= released.len();
        self.bytes -= released.iter().map(|e| e.bytes().len()).sum::<usize>();
        released
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.count
    }
}
