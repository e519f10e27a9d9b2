//! What does not count: listing it, and writing its effect again under another's name.

use super::space_core::SpaceCore;
use super::store::{EntryStatus, Vouched};
use super::write::{Outcome, Work};
use crate::feed::{DataBody, Entry};
use crate::model::{DeviceKey, EntryId, Error, IdentityKey, ObjectId, Operation, Result, Role};
use crate::objects::{Carried, Document, difference, guard};
use std::collections::{BTreeMap, HashMap, HashSet};

/// The newest changes of a version of an object.
type Version = Vec<[u8; 32]>;
/// Changes by hash.
type ByHash = HashMap<[u8; 32], Vec<u8>>;
/// A change with its hash.
type Change = ([u8; 32], Vec<u8>);

/// An entry that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExcludedInfo {
    /// The entry.
    pub entry: EntryId,
    /// The device that wrote it.
    pub device: DeviceKey,
    /// Whose device that is.
    pub identity: IdentityKey,
    /// Its author's clock; none while its content key is not here.
    pub clock_ms: Option<u64>,
    /// Why: a stable code, a colon, and a sentence.
    pub reason: String,
    /// The objects that it would change, in id order.
    pub objects: Vec<ObjectId>,
}

/// What writing an excluded entry again led to.
#[derive(Debug)]
pub struct Resubmitted {
    /// What was left out, and why.
    pub skipped: Vec<(ObjectId, String)>,
}

impl SpaceCore {
    /// The entries that do not count, in the order in which they came to this device.
    pub fn excluded(&self) -> Result<Vec<ExcludedInfo>> {
        let mut all = Vec::new();
        for record in self.store.entries_with_status(EntryStatus::Excluded)? {
            let entry = Entry::decode(record.bytes, self.id)?;
            let Some(feed) = self.feeds.get(&record.feed) else {
                continue;
            };
            let body = self.body_of(&entry).ok();
            let changes = body.iter().flat_map(|body| &body.changes);
            let mut objects: Vec<ObjectId> = changes.map(|(object, _)| *object).collect();
            objects.sort_unstable();
            objects.dedup();
            all.push(ExcludedInfo {
                entry: record.id,
                device: feed.header.device,
                identity: feed.header.identity,
                clock_ms: body.map(|body| body.clock_ms),
                reason: record.reason.unwrap_or_default(),
                objects,
            });
        }
        Ok(all)
    }

    /// The data heads, rising.
    #[cfg(test)]
    pub fn data_head_ids(&self) -> Vec<EntryId> {
        self.heads.ids()
    }

    /// Who vouches for an entry of somebody who was denied.
    pub(super) fn endorser(&self, entry: &EntryId) -> Result<Option<IdentityKey>> {
        let vouched = self.denials.vouched.get(entry);
        let Some(Vouched { through, .. }) = vouched.and_then(|all| all.first()) else {
            return Ok(None);
        };
        let place = self.store.entry_place(through)?;
        let feed = place.and_then(|(feed, _)| self.feeds.get(&feed));
        Ok(feed.map(|feed| feed.header.identity))
    }

    /// Writes what an excluded entry would have changed as a transaction of our own: what it says
    /// differs between the version that it was made at and the one that it led to. Where that
    /// version is here, it is merged with what happened since; otherwise it is done to the present
    /// state, as far as that has the places. What cannot be done is left out and told. Takes the
    /// role of admin. Fails with `NotFound`, and with `InvalidState` for an entry that counts.
    pub fn resubmit(&mut self, id: &EntryId, now_ms: u64) -> Result<(Outcome, Resubmitted)> {
        self.require(Role::Admin, "submitting an excluded entry again")?;
        self.renew_if_copied()?;
        let record = self.store.entry(id)?;
        let record =
            record.ok_or_else(|| Error::not_found(format!("the space has no entry {id}")))?;
        if record.status != EntryStatus::Excluded {
            return Err(Error::state(format!("the entry {id} is not excluded")));
        }
        let body = self.body_of(&Entry::decode(record.bytes, self.id)?)?;
        let mut groups: BTreeMap<ObjectId, Vec<Change>> = BTreeMap::new();
        for (object, change) in body.changes {
            let hash = guard::scan(&change)?.hash;
            groups.entry(object).or_default().push((hash, change));
        }
        let others = self.excluded_changes()?;
        let message = format!("resubmit: {id}");
        let mut work: Work = Vec::new();
        let mut skipped = Vec::new();
        for (object, changes) in groups {
            if self.schemas.place(&object).is_some() {
                skipped.push((object, "schemas are registered anew instead".to_owned()));
                continue;
            }
            let none = HashMap::new();
            let others = others.get(&object).unwrap_or(&none);
            match self.made_again(object, changes, others, (now_ms, &message), &mut skipped) {
                Ok(done) => work.push(done),
                Err(error) => skipped.push((object, error.detail().to_owned())),
            }
        }
        let outcome = self.store_work(work, Vec::new(), now_ms)?;
        Ok((outcome, Resubmitted { skipped }))
    }

    /// The changes of all excluded entries that can be read, by object and hash.
    fn excluded_changes(&self) -> Result<BTreeMap<ObjectId, ByHash>> {
        let mut all: BTreeMap<ObjectId, ByHash> = BTreeMap::new();
        for record in self.store.entries_with_status(EntryStatus::Excluded)? {
            let entry = Entry::decode(record.bytes, self.id)?;
            let body: DataBody = self.body_of(&entry).unwrap_or_default();
            for (object, change) in body.changes {
                if let Ok(summary) = guard::scan(&change) {
                    all.entry(object).or_default().insert(summary.hash, change);
                }
            }
        }
        Ok(all)
    }

    /// The effect of some changes of one object, made again.
    fn made_again(
        &mut self,
        object: ObjectId,
        changes: Vec<Change>,
        others: &ByHash,
        (now_ms, message): (u64, &str),
        skipped: &mut Vec<(ObjectId, String)>,
    ) -> Result<(ObjectId, Document, Vec<Vec<u8>>)> {
        let present = self.documents.take_if_any(&mut *self.store, object)?;
        let (mut present, here) = match present {
            Some(mut document) => {
                let rest = document.without(&HashSet::new());
                (document, rest?.kept)
            }
            None => (self.documents.fresh(), Vec::new()),
        };
        let exists = !here.is_empty();
        let (from, to) = ends(&changes)?;
        let mut scratch = self.documents.build(&here)?;
        let missing = with_ancestors(&changes, others);
        scratch.apply_remote(&missing)?;
        let before = match from.is_empty() {
            true => Carried::default(),
            false => Carried::from(scratch.at(&from)?.0),
        };
        let after = Carried::from(scratch.at(&to)?.0);
        let steps = match exists {
            true => difference(object, &before, &after),
            false => after.create(&self.id, object),
        };
        if exists && !from.is_empty() && present.holds_version(&from) {
            let steps: Vec<&Operation> = steps.iter().collect();
            let (changes, _) = present.transact_at(&from, &steps, now_ms, Some(message))?;
            return Ok((object, present, changes));
        }
        present.set_clock(now_ms);
        let mut made = Vec::new();
        for step in &steps {
            // One that does not fit the present state must not take the others along.
            match present.apply(step) {
                Ok(()) => made.extend(present.commit(now_ms, Some(message))?),
                Err(error) => {
                    present.rollback();
                    skipped.push((object, error.detail().to_owned()));
                }
            }
        }
        Ok((object, present, made))
    }
}

/// What some changes build on beside each other, and where they lead.
fn ends(changes: &[Change]) -> Result<(Version, Version)> {
    let own: HashSet<[u8; 32]> = changes.iter().map(|(hash, _)| *hash).collect();
    let mut from = HashSet::new();
    let mut to = own.clone();
    for (_, change) in changes {
        for dep in guard::scan(change)?.deps {
            to.remove(&dep);
            if !own.contains(&dep) {
                from.insert(dep);
            }
        }
    }
    let sorted = |set: HashSet<[u8; 32]>| {
        let mut all: Vec<_> = set.into_iter().collect();
        all.sort_unstable();
        all
    };
    Ok((sorted(from), sorted(to)))
}

/// The changes with those of other excluded entries that they build on.
fn with_ancestors(changes: &[Change], others: &ByHash) -> Vec<Vec<u8>> {
    let mut taken: HashSet<[u8; 32]> = changes.iter().map(|(hash, _)| *hash).collect();
    let mut all: Vec<Vec<u8>> = changes.iter().map(|(_, change)| change.clone()).collect();
    let mut at = 0;
    while let Some(change) = all.get(at) {
        let deps = guard::scan(change).map(|summary| summary.deps);
        for dep in deps.unwrap_or_default() {
            if let Some(other) = others.get(&dep)
                && taken.insert(dep)
            {
                all.push(other.clone());
            }
        }
        at += 1;
    }
    all
}
