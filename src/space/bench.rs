//! Carrying a judgement out: what does not count any more is taken out of the documents, what counts
//! again is put in, and all of it is stored in one transaction with the rows that follow. A crash
//! leaves the state before or after.

use super::actors;
use super::checking::Rule;
use super::denials::Outline;
use super::ingest::{Decision, Ingest};
use super::rejudging::{judged_by, orphaned, reason};
use super::space_core::{SpaceCore, meta};
use super::store::{EntryStatus, ObjectWrite, Rejudged, StoredEntry, Vouched};
use super::validity::Verdict;
use super::write::{RowChange, to_row};
use crate::authority::Denial;
use crate::feed::{DataBody, Entry, FeedKind};
use crate::model::{EntryId, ObjectId, Result};
use crate::objects::guard;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

/// A verdict about an entry.
pub(super) struct Judged {
    pub outline: Outline,
    pub reason: Option<String>,
    pub vouched: Vec<Vouched>,
}

impl Judged {
    pub fn new(outline: Outline, verdict: Verdict, list: &[Denial]) -> Judged {
        let reason = reason(&verdict, list);
        let vouchers = match verdict {
            Verdict::Valid(vouchers) => vouchers,
            _ => BTreeMap::new(),
        };
        let entry = outline.id;
        let vouched = vouchers.into_iter().filter_map(|(at, through)| {
            Some(Vouched {
                entry,
                denial: list.get(at)?.entry,
                through,
            })
        });
        Judged {
            vouched: vouched.collect(),
            outline,
            reason,
        }
    }

    fn counted(&self) -> bool {
        self.outline.status != EntryStatus::Excluded
    }

    fn counts(&self) -> bool {
        self.reason.is_none()
    }
}

/// Documents under way.
#[derive(Default)]
struct Bench {
    /// Entries whose changes were in the documents and are taken out.
    undone: HashSet<EntryId>,
    /// The changes that go, by object.
    removed: BTreeMap<ObjectId, HashSet<[u8; 32]>>,
    /// What stays of the documents that lose changes.
    kept: BTreeMap<ObjectId, Vec<Vec<u8>>>,
    /// What comes into documents, in order.
    added: BTreeMap<ObjectId, Vec<Vec<u8>>>,
    /// The earliest and latest clock of that.
    clocks: BTreeMap<ObjectId, (i64, i64)>,
    /// What becomes of entries.
    statuses: BTreeMap<EntryId, (EntryStatus, Option<String>)>,
    /// Hashes of what others may wait for.
    arrived: Vec<[u8; 32]>,
}

impl Bench {
    fn objects(&self) -> BTreeSet<ObjectId> {
        self.kept.keys().chain(self.added.keys()).copied().collect()
    }
}

impl SpaceCore {
    /// Carries verdicts out and records by which denials they were found.
    pub(super) fn carry_out(&mut self, judged: Vec<Judged>, into: &mut Ingest) -> Result<()> {
        #[cfg(test)]
        if self.fail_judging {
            return Err(crate::model::Error::new(
                crate::model::ErrorKind::Storage,
                "a test has it fail",
            ));
        }
        let waiting = self.waiting.clone();
        let mut bench = Bench::default();
        let done = self
            .prepare(&judged, &mut bench)
            .and_then(|()| self.commit_judged(&judged, &mut bench, into));
        match done {
            Ok(()) => self.settle_for(bench.arrived, into),
            Err(error) => {
                // Storage has everything as it was.
                self.waiting = waiting;
                self.denials.excluded = None;
                for object in bench.objects() {
                    self.documents.forget(&object);
                }
                Err(error)
            }
        }
    }

    fn prepare(&mut self, judged: &[Judged], bench: &mut Bench) -> Result<()> {
        let mut out = Vec::new();
        let mut again: BTreeMap<i64, EntryId> = BTreeMap::new();
        for judged in judged {
            let outline = &judged.outline;
            match (judged.counted(), judged.counts()) {
                (true, false) => {
                    self.waiting.remove(&outline.id);
                    if outline.status == EntryStatus::Applied {
                        out.push(outline.id);
                    }
                }
                (false, true) => drop(again.insert(outline.arrival, outline.id)),
                _ => {}
            }
            if !judged.counts() && judged.reason != outline.reason {
                let status = (EntryStatus::Excluded, judged.reason.clone());
                bench.statuses.insert(outline.id, status);
            }
        }
        self.take_out(out, bench)?;
        for (object, kept) in &bench.kept {
            let document = self.documents.build(kept)?;
            self.documents.pin(*object, document);
        }
        // What went along is decided about again, and what was set aside beside it.
        for record in self.affected(bench)? {
            again.insert(record.n, record.id);
        }
        for id in again.into_values() {
            self.decide_again(&id, bench)?;
        }
        Ok(())
    }

    /// Takes the changes of applied entries out of the documents, and of those that build on them.
    fn take_out(&mut self, mut queue: Vec<EntryId>, bench: &mut Bench) -> Result<()> {
        let mut touched = BTreeSet::new();
        loop {
            while let Some(id) = queue.pop() {
                let Some(record) = self.store.entry(&id)? else {
                    continue;
                };
                if record.status != EntryStatus::Applied || !bench.undone.insert(id) {
                    continue;
                }
                let body = self.body_of(&Entry::decode(record.bytes, self.id)?)?;
                for (object, change) in body.changes {
                    let hash = guard::scan(&change)?.hash;
                    bench.removed.entry(object).or_default().insert(hash);
                    touched.insert(object);
                }
            }
            let Some(object) = touched.pop_first() else {
                return Ok(());
            };
            let removed = bench.removed.entry(object).or_default();
            let Some(mut document) = self.documents.take_if_any(&mut *self.store, object)? else {
                continue;
            };
            let rest = document.without(removed);
            self.documents.put(object, document);
            let rest = rest?;
            for (hash, actor) in rest.fallen {
                queue.extend(self.entries_from(&hash, &actor)?);
            }
            bench.kept.insert(object, rest.kept);
        }
    }

    /// The applied entry that holds a change, and those after it in its feed: what they mean may
    /// depend on it.
    fn entries_from(&self, hash: &[u8; 32], actor: &[u8]) -> Result<Vec<EntryId>> {
        let feeds = self.feeds.iter();
        let of_actor = feeds.filter(|(id, feed)| {
            feed.header.kind == FeedKind::Data && actors::belongs_to(actor, id)
        });
        for (feed, _) in of_actor {
            let mut later = Vec::new();
            for arrival in self.store.arrivals_from(feed, 0)?.into_iter().rev() {
                let Some(record) = self.store.entry_at(arrival)? else {
                    continue;
                };
                if record.status != EntryStatus::Applied {
                    continue;
                }
                later.push(record.id);
                let body = self.body_of(&Entry::decode(record.bytes, self.id)?)?;
                let mut changes = body.changes.iter();
                if changes.any(|(_, change)| guard::scan(change).is_ok_and(|s| s.hash == *hash)) {
                    return Ok(later);
                }
            }
        }
        Err(orphaned())
    }

    /// The body of an entry that was opened before.
    pub(super) fn body_of(&self, entry: &Entry) -> Result<DataBody> {
        DataBody::decode(&entry.open(self.held_keys().get(&entry.header.key_id))?)
    }

    /// The entries that count and are to be decided about again: those that fell with others, and
    /// those set aside that touch a document which lost something.
    fn affected(&self, bench: &Bench) -> Result<Vec<StoredEntry>> {
        let mut affected = Vec::new();
        for id in &bench.undone {
            if !bench.statuses.contains_key(id) {
                affected.extend(self.store.entry(id)?);
            }
        }
        if bench.kept.is_empty() {
            return Ok(affected);
        }
        for record in self.store.entries_with_status(EntryStatus::Quarantined)? {
            let data = self.feeds.get(&record.feed);
            let data = data.is_some_and(|feed| feed.header.kind == FeedKind::Data);
            if !data || bench.statuses.contains_key(&record.id) {
                continue;
            }
            let entry = Entry::decode(record.bytes.clone(), self.id)?;
            let body = self.body_of(&entry).unwrap_or_default();
            if body
                .changes
                .iter()
                .any(|(object, _)| bench.kept.contains_key(object))
            {
                affected.push(record);
            }
        }
        Ok(affected)
    }

    fn decide_again(&mut self, id: &EntryId, bench: &mut Bench) -> Result<()> {
        let Some(record) = self.store.entry(id)? else {
            return Ok(());
        };
        let entry = Entry::decode(record.bytes, self.id)?;
        let status = match self.decide(&entry)? {
            Decision::Apply {
                work,
                changes,
                clock,
            } => {
                for (object, document, changes) in work {
                    self.documents.pin(object, document);
                    bench.added.entry(object).or_default().extend(changes);
                    let clocks = bench.clocks.entry(object).or_insert((clock, clock));
                    *clocks = (clocks.0.min(clock), clocks.1.max(clock));
                }
                bench.arrived.extend(changes);
                bench.arrived.push(id.0);
                self.waiting.remove(id);
                (EntryStatus::Applied, None)
            }
            Decision::Wait(missing, reason) => {
                self.waiting.hold(missing, *id);
                (EntryStatus::Waiting, Some(reason))
            }
            Decision::SealedOff(by, reason) => {
                self.waiting.seal(*id, by);
                (EntryStatus::Waiting, Some(reason))
            }
            Decision::WaitForKey(reason) => {
                self.waiting.add(*id);
                (EntryStatus::Waiting, Some(reason))
            }
            Decision::SetAside(reason) => (EntryStatus::Quarantined, Some(reason)),
        };
        if status.0 != EntryStatus::Applied {
            // Documents that it was tried on are gone.
            for (object, _) in self.body_of(&entry).unwrap_or_default().changes {
                self.restore(object, bench)?;
            }
        }
        bench.statuses.insert(*id, status);
        Ok(())
    }

    /// Makes a document under way again from what it is made of.
    fn restore(&mut self, object: ObjectId, bench: &Bench) -> Result<()> {
        let (kept, added) = (bench.kept.get(&object), bench.added.get(&object));
        if self.documents.is_pinned(&object) || (kept.is_none() && added.is_none()) {
            return Ok(());
        }
        let mut document = match kept {
            Some(kept) => self.documents.build(kept)?,
            None => match self.documents.take_if_any(&mut *self.store, object)? {
                Some(document) => document,
                None => self.documents.fresh(),
            },
        };
        let added = added.map(Vec::as_slice).unwrap_or_default();
        document.apply_remote(added)?;
        self.documents.pin(object, document);
        Ok(())
    }

    fn commit_judged(
        &mut self,
        judged: &[Judged],
        bench: &mut Bench,
        into: &mut Ingest,
    ) -> Result<()> {
        let (mut rows, vanished) = self.rows_under_way(bench)?;
        self.settle_trees(&mut rows)?;
        for row in &mut rows {
            if vanished.contains(&row.new.id) {
                Arc::make_mut(&mut row.new).deleted = true;
            }
        }
        let verdicts = self.judge(&rows, Rule::Record)?;
        let mut changes: BTreeMap<ObjectId, Vec<Vec<u8>>> = bench.kept.clone();
        for (object, added) in &bench.added {
            changes
                .entry(*object)
                .or_default()
                .extend(added.iter().cloned());
        }
        let mut writes = Vec::with_capacity(rows.len());
        for (at, row) in rows.iter().enumerate() {
            if !vanished.contains(&row.new.id) {
                let changes = changes.get(&row.new.id).map(Vec::as_slice);
                writes.push(ObjectWrite {
                    row: &row.new,
                    changes: changes.unwrap_or_default(),
                    breaches: verdicts.get(at).and_then(|verdict| verdict.as_deref()),
                });
            }
        }
        let heads = self.heads_after(judged)?;
        let statuses = bench.statuses.iter();
        let statuses: Vec<_> = statuses
            .map(|(id, (status, reason))| (*id, *status, reason.clone()))
            .collect();
        let revouched: Vec<EntryId> = judged
            .iter()
            .filter(|judged| self.vouching_changes(judged))
            .map(|judged| judged.outline.id)
            .collect();
        let vouched: Vec<Vouched> = judged
            .iter()
            .filter(|judged| self.vouching_changes(judged))
            .flat_map(|judged| judged.vouched.iter().copied())
            .collect();
        let rewritten: Vec<ObjectId> = bench.kept.keys().copied().collect();
        self.store.rejudge(&Rejudged {
            statuses: &statuses,
            rewritten: &rewritten,
            vanished: &vanished.iter().copied().collect::<Vec<_>>(),
            objects: &writes,
            revouched: &revouched,
            vouched: &vouched,
            meta: &[
                (meta::JUDGED, judged_by(&self.denials.list)),
                (meta::DATA_HEADS, heads.encode()),
            ],
        })?;
        self.heads = heads;
        self.generation += 1;
        self.schemas.note(&rows);
        into.rows.extend(rows);
        self.note_judged(judged, bench, &vanished)
    }

    /// The rows of the documents under way, and the objects of which nothing is left.
    fn rows_under_way(&mut self, bench: &Bench) -> Result<(Vec<RowChange>, BTreeSet<ObjectId>)> {
        let mut rows = Vec::new();
        let mut vanished = BTreeSet::new();
        for object in bench.objects() {
            let Some(mut document) = self.documents.take_if_any(&mut *self.store, object)? else {
                continue;
            };
            let old = self.store.object(&object)?;
            let clocks = bench.clocks.get(&object).copied().unwrap_or_default();
            let mut new = to_row(object, document.project(), old.as_ref(), clocks.0);
            match (bench.kept.contains_key(&object), document.times()?) {
                (true, Some((first, last))) => (new.created_ms, new.updated_ms) = (first, last),
                (true, None) => drop(vanished.insert(object)),
                (false, _) => new.updated_ms = new.updated_ms.max(clocks.1),
            }
            self.documents.pin(object, document);
            if old.is_some() || !vanished.contains(&object) {
                rows.push(RowChange {
                    old: old.map(Arc::new),
                    new: Arc::new(new),
                });
            }
        }
        Ok((rows, vanished))
    }

    /// The data heads once the verdicts are carried out.
    fn heads_after(&self, judged: &[Judged]) -> Result<super::heads::Heads> {
        let mut heads = self.heads.clone();
        let leaving = || judged.iter().filter(|j| j.counted() && !j.counts());
        let mut out: HashSet<EntryId> = judged
            .iter()
            .filter(|judged| !judged.counts())
            .map(|judged| judged.outline.id)
            .collect();
        let excluded = self.denials.excluded.iter().flat_map(|all| all.keys());
        let back: HashSet<EntryId> = judged
            .iter()
            .filter(|judged| judged.counts())
            .map(|judged| judged.outline.id)
            .collect();
        out.extend(excluded.filter(|id| !back.contains(*id)).copied());
        let mut bared = HashSet::new();
        for judged in leaving() {
            heads.remove(&judged.outline.id);
            let parents = judged.outline.parents.iter();
            bared.extend(parents.filter(|id| !out.contains(*id)).copied());
        }
        if !bared.is_empty() {
            for outline in self.uncovered(bared, &|id| out.contains(id))? {
                heads.insert(outline.id, outline.feed, outline.seq);
            }
        }
        for judged in judged.iter().filter(|j| !j.counted() && j.counts()) {
            let outline = &judged.outline;
            for parent in &outline.parents {
                heads.remove(parent);
            }
            heads.insert(outline.id, outline.feed, outline.seq);
        }
        Ok(heads)
    }

    fn vouching_changes(&self, judged: &Judged) -> bool {
        let known = self.denials.vouched.get(&judged.outline.id);
        known.map(Vec::as_slice).unwrap_or_default() != judged.vouched.as_slice()
    }

    /// Takes note of what was stored.
    fn note_judged(
        &mut self,
        judged: &[Judged],
        bench: &Bench,
        vanished: &BTreeSet<ObjectId>,
    ) -> Result<()> {
        let own = self.own_data.id;
        for judged in judged {
            let outline = &judged.outline;
            // What builds on what does not count does not count either: our next entries must not.
            self.copied |= outline.feed == own && judged.counted() && !judged.counts();
            match judged.vouched.is_empty() {
                true => drop(self.denials.vouched.remove(&outline.id)),
                false => drop(
                    self.denials
                        .vouched
                        .insert(outline.id, judged.vouched.clone()),
                ),
            }
            if judged.counts() {
                self.excluded_outlines()?.remove(&outline.id);
            } else {
                let outline = Outline {
                    status: EntryStatus::Excluded,
                    reason: judged.reason.clone(),
                    ..outline.clone()
                };
                self.excluded_outlines()?.insert(outline.id, outline);
            }
        }
        for id in &bench.undone {
            let place = self.store.entry_place(id)?;
            self.copied |= place.is_some_and(|(feed, _)| feed == own);
        }
        for object in bench.objects() {
            match vanished.contains(&object) {
                true => self.documents.forget(&object),
                false => self.documents.stored(&object),
            }
        }
        Ok(())
    }
}
