//! Entries that arrived before something they build on. Bounded: past the bounds the newest of the
//! author who has the most are dropped, and asking a peer again brings them back. So whoever floods the
//! room drops its own, and others find place.

use crate::feed::Entry;
use crate::model::{DeviceKey, EntryId, FeedId, limits};
use std::collections::{BTreeMap, HashMap};

/// The waiting room.
#[derive(Default)]
pub struct Unplaced {
    by_missing: HashMap<EntryId, Vec<(DeviceKey, Entry)>>,
    shares: BTreeMap<DeviceKey, Share>,
    count: usize,
    bytes: usize,
}

/// What of it one author has.
#[derive(Default)]
struct Share {
    bytes: usize,
    /// What each entry waits for, with the entry, the newest last.
    held: Vec<(EntryId, EntryId)>,
}

impl Unplaced {
    /// Keeps `entry`, which `author` signed, until `missing` is placed, if there is room for it.
    pub fn hold(&mut self, missing: EntryId, author: DeviceKey, entry: Entry) {
        let held = self.by_missing.entry(missing).or_default();
        if held.iter().any(|(_, other)| other.id == entry.id) {
            return;
        }
        let size = entry.bytes().len();
        let share = self.shares.entry(author).or_default();
        share.held.push((missing, entry.id));
        share.bytes += size;
        held.push((author, entry));
        self.count += 1;
        self.bytes += size;
        while self.count > limits::UNPLACED_ENTRIES || self.bytes > limits::UNPLACED_BYTES {
            if !self.drop_one() {
                break;
            }
        }
    }

    /// Drops the newest entry of whoever has most of what there is too much of.
    fn drop_one(&mut self) -> bool {
        let many = self.count > limits::UNPLACED_ENTRIES;
        let largest = self.shares.iter().max_by_key(|(_, share)| match many {
            true => share.held.len(),
            false => share.bytes,
        });
        let newest = largest.and_then(|(_, share)| share.held.last().copied());
        let Some((missing, id)) = newest else {
            return false;
        };
        let Some(held) = self.by_missing.get_mut(&missing) else {
            return false;
        };
        let Some(at) = held.iter().position(|(_, entry)| entry.id == id) else {
            return false;
        };
        let (author, entry) = held.remove(at);
        if held.is_empty() {
            self.by_missing.remove(&missing);
        }
        self.forget(&author, &entry);
        true
    }

    fn forget(&mut self, author: &DeviceKey, entry: &Entry) {
        let size = entry.bytes().len();
        self.count -= 1;
        self.bytes -= size;
        if let Some(share) = self.shares.get_mut(author) {
            share.bytes -= size;
            share.held.retain(|(_, id)| *id != entry.id);
            if share.held.is_empty() {
                self.shares.remove(author);
            }
        }
    }

    /// The feeds of the entries that wait for one.
    pub fn waiting_for(&self, missing: &EntryId) -> impl Iterator<Item = &FeedId> {
        let held = self.by_missing.get(missing);
        let held = held.into_iter().flatten();
        held.map(|(_, entry)| &entry.header.feed)
    }

    /// The entries that waited for `placed`.
    pub fn release(&mut self, placed: &EntryId) -> Vec<Entry> {
        let released = self.by_missing.remove(placed).unwrap_or_default();
        for (author, entry) in &released {
            self.forget(author, entry);
        }
        released.into_iter().map(|(_, entry)| entry).collect()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.count
    }
}
