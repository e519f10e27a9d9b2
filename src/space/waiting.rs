//! Stored entries that are not applied yet: their content key has not arrived, or a change that
//! they build on. Each is tried again when what it waits for is there, so that in the end the same
//! entries are applied everywhere, in whatever order they came.
//!
//! Some are *sealed off*: written before this member's time, under a key that it is not given
//! (docs/adr/0008), or building on what is. They wait for nothing that is to come, and hold up nothing
//! else; if the key is given after all, they are applied.

use super::checking::Rule;
use super::denials::Known;
use super::ingest::{Decision, Ingest, to_writes};
use super::space_core::SpaceCore;
use super::store::EntryStatus;
use crate::feed::{Entry, FeedHeader};
use crate::model::{ContentKeyId, EntryId, Result};
use std::collections::{HashMap, HashSet};

/// Entries read at a time.
const BATCH: usize = 256;

/// Which entry waits for which change or entry, both named by hash.
#[derive(Clone, Default)]
pub struct Waiting {
    all: HashSet<EntryId>,
    /// Those of them that are sealed off.
    sealed: HashSet<EntryId>,
    /// Those that a key would open.
    by_key: HashMap<ContentKeyId, Vec<EntryId>>,
    by_missing: HashMap<[u8; 32], Vec<EntryId>>,
}

impl Waiting {
    /// Notes that an entry waits.
    pub fn add(&mut self, entry: EntryId) {
        self.all.insert(entry);
    }

    /// Notes that an entry waits for a change or an entry.
    pub fn hold(&mut self, missing: [u8; 32], entry: EntryId) {
        self.all.insert(entry);
        self.by_missing.entry(missing).or_default().push(entry);
    }

    /// Notes that an entry is sealed off, by a key or by a change that is not here. Whether it was
    /// not until now.
    pub fn seal(&mut self, entry: EntryId, by: Seal) -> bool {
        self.all.insert(entry);
        let new = self.sealed.insert(entry);
        match by {
            Seal::Key(key) if new => self.by_key.entry(key).or_default().push(entry),
            Seal::Key(_) => {}
            Seal::Change(missing) => self.hold(missing, entry),
        }
        new
    }

    /// Whether what follows an entry in its feed is to wait for it.
    pub fn holds_up(&self, entry: &EntryId) -> bool {
        self.all.contains(entry) && !self.sealed.contains(entry)
    }

    /// How many entries are sealed off.
    pub fn sealed(&self) -> usize {
        self.sealed.len()
    }

    fn contains(&self, entry: &EntryId) -> bool {
        self.all.contains(entry)
    }

    /// Notes that an entry does not wait any more.
    pub fn remove(&mut self, entry: &EntryId) {
        self.all.remove(entry);
        self.sealed.remove(entry);
    }

    fn release(&mut self, hash: &[u8; 32]) -> Vec<EntryId> {
        self.by_missing.remove(hash).unwrap_or_default()
    }
}

/// What seals an entry off.
#[derive(Clone, Copy, Debug)]
pub enum Seal {
    /// A key that this member is not given.
    Key(ContentKeyId),
    /// A change that is in an entry that is sealed off.
    Change([u8; 32]),
}

impl SpaceCore {
    /// How many entries are sealed off: written before this member's time, or building on such.
    pub fn sealed_off(&self) -> u64 {
        self.waiting.sealed() as u64
    }

    /// Tries again every entry that waits, in the order of arrival: the space was just opened and it
    /// is not known what they wait for, or it is not what it was.
    pub(super) fn settle_all_waiting(&mut self, into: &mut Ingest) -> Result<()> {
        self.waiting = Waiting::default();
        self.seals_changed = false;
        let mut after = 0;
        loop {
            let batch = self.store.waiting_after(after, BATCH)?;
            let Some((last, _)) = batch.last() else {
                return Ok(());
            };
            after = *last;
            self.waiting.all.extend(batch.iter().map(|(_, id)| *id));
            for (_, id) in batch {
                let done = self.settle(&id, into)?;
                self.settle_for(done, into)?;
            }
        }
    }

    /// After control entries: tries again, in the order of arrival, what waits for keys, and what is
    /// sealed off under a key that came after all.
    pub(super) fn settle_waiting(&mut self, into: &mut Ingest) -> Result<()> {
        if std::mem::take(&mut self.seals_changed) {
            return self.settle_all_waiting(into);
        }
        let waiting = &self.waiting;
        let mut again: Vec<EntryId> = waiting.all.difference(&waiting.sealed).copied().collect();
        let opened: Vec<ContentKeyId> = waiting
            .by_key
            .keys()
            .filter(|key| self.held_keys().get(key).is_some())
            .copied()
            .collect();
        for key in opened {
            again.extend(self.waiting.by_key.remove(&key).unwrap_or_default());
        }
        let mut ordered = Vec::with_capacity(again.len());
        for id in again {
            let record = self.store.entry(&id)?;
            ordered.extend(record.map(|record| (record.n, id)));
        }
        ordered.sort_unstable();
        for (_, id) in ordered {
            let done = self.settle(&id, into)?;
            self.settle_for(done, into)?;
        }
        Ok(())
    }

    /// Writes down why an entry waits, if that is not what it was.
    fn still_waits(&mut self, id: &EntryId, before: Option<&str>, reason: &str) -> Result<()> {
        if before == Some(reason) {
            return Ok(());
        }
        let status = EntryStatus::Waiting;
        self.store.settle(id, status, Some(reason), &[], &[])
    }

    /// Tries again the entries that wait for one of these, and for what follows from that.
    pub(super) fn settle_for(
        &mut self,
        mut arrived: Vec<[u8; 32]>,
        into: &mut Ingest,
    ) -> Result<()> {
        while let Some(hash) = arrived.pop() {
            for id in self.waiting.release(&hash) {
                arrived.extend(self.settle(&id, into)?);
            }
        }
        Ok(())
    }

    /// Decides about an entry that waits. Returns the hashes of what others may wait for.
    fn settle(&mut self, id: &EntryId, into: &mut Ingest) -> Result<Vec<[u8; 32]>> {
        let Some(record) = self.store.entry(id)?.filter(|_| self.waiting.contains(id)) else {
            return Ok(Vec::new());
        };
        let entry = Entry::decode(record.bytes, self.id)?;
        match self.decide(&entry)? {
            Decision::WaitForKey(reason) => {
                self.still_waits(id, record.reason.as_deref(), &reason)?;
                Ok(Vec::new())
            }
            Decision::Wait(missing, reason) => {
                self.waiting.hold(missing, *id);
                self.still_waits(id, record.reason.as_deref(), &reason)?;
                Ok(Vec::new())
            }
            Decision::SealedOff(by, reason) => {
                self.still_waits(id, record.reason.as_deref(), &reason)?;
                // What comes after it in its feed need not wait for it any more.
                Ok(match self.waiting.seal(*id, by) {
                    true => vec![id.0],
                    false => Vec::new(),
                })
            }
            Decision::SetAside(reason) => {
                let status = EntryStatus::Quarantined;
                self.store.settle(id, status, Some(&reason), &[], &[])?;
                self.waiting.remove(id);
                into.quarantined.push(reason);
                Ok(vec![id.0])
            }
            Decision::Apply {
                mut work,
                mut changes,
                clock,
            } => {
                let rows = self.project(&mut work, clock)?;
                let verdicts = self.judge(&rows, Rule::Record)?;
                let writes = to_writes(&rows, &work, &verdicts);
                self.store
                    .settle(id, EntryStatus::Applied, None, &[], &writes)?;
                self.schemas.note(&rows);
                self.waiting.remove(id);
                self.put_back(work);
                into.rows.extend(rows);
                changes.push(id.0);
                Ok(changes)
            }
        }
    }

    /// What the author of an entry knew: the control entries that it, or the latest of its feed
    /// before it, names. `None` if none names any.
    pub(super) fn known_to(&self, entry: &Entry, author: &FeedHeader) -> Result<Option<Known>> {
        let mut anchor = entry.id;
        let mut ctl = entry.header.ctl.clone();
        let mut prev = entry.header.prev;
        while ctl.is_empty() {
            if let Some(known) = self.author_knew.get(&prev) {
                return Ok(Some(known.clone()));
            }
            let Some(before) = self.store.entry(&prev)? else {
                return Ok(None);
            };
            let header = Entry::decode(before.bytes, self.id)?.header;
            (anchor, ctl, prev) = (before.id, header.ctl, header.prev);
        }
        let role = self.authority.role_of_device_at(&author.device, &ctl);
        Ok(Some(Known {
            anchor,
            ctl: ctl.into(),
            role: role.map(|(_, role)| role),
        }))
    }

    /// Keeps that for the next entry of the feed. What is not here is read from storage.
    pub(super) fn keep_known(&mut self, entry: &Entry, known: Known) {
        self.author_knew.remove(&entry.header.prev);
        self.author_knew.insert(entry.id, known);
    }
}
