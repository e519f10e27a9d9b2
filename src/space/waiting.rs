//! Stored entries that are not applied yet: their content key has not arrived, or a change that
//! they build on. Each is tried again when what it waits for is there, so that in the end the same
//! entries are applied everywhere, in whatever order they came.

use super::checking::Rule;
use super::denials::Known;
use super::ingest::{Decision, Ingest, to_writes};
use super::space_core::SpaceCore;
use super::store::EntryStatus;
use crate::feed::{Entry, FeedHeader};
use crate::model::{EntryId, Result};
use std::collections::{HashMap, HashSet};

/// Which entry waits for which change or entry, both named by hash.
#[derive(Clone, Default)]
pub struct Waiting {
    all: HashSet<EntryId>,
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

    /// Whether an entry waits.
    pub fn contains(&self, entry: &EntryId) -> bool {
        self.all.contains(entry)
    }

    /// Notes that an entry does not wait any more.
    pub fn remove(&mut self, entry: &EntryId) {
        self.all.remove(entry);
    }

    fn release(&mut self, hash: &[u8; 32]) -> Vec<EntryId> {
        self.by_missing.remove(hash).unwrap_or_default()
    }
}

impl SpaceCore {
    /// Tries again every entry that waits, in the order of arrival: keys came, or the space was
    /// just opened and it is not known what they wait for.
    pub(super) fn settle_waiting(&mut self, into: &mut Ingest) -> Result<()> {
        let records = self.store.entries_with_status(EntryStatus::Waiting)?;
        self.waiting = Waiting::default();
        self.waiting.all = records.iter().map(|record| record.id).collect();
        for record in records {
            let done = self.settle(&record.id, into)?;
            self.settle_for(done, into)?;
        }
        Ok(())
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
            Decision::WaitForKey(_) => Ok(Vec::new()),
            Decision::Wait(missing, _) => {
                self.waiting.hold(missing, *id);
                Ok(Vec::new())
            }
            Decision::SetAside(reason) => {
                let status = EntryStatus::Quarantined;
                self.store.settle(id, status, Some(&reason), &[], &[])?;
                self.waiting.all.remove(id);
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
                self.waiting.all.remove(id);
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
