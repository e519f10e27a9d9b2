//! Entries are judged when they arrive, and anew when a denial comes into force or loses it, when an
//! entry arrives that vouches, and when one arrives that a denial names. What has to be looked at is
//! what a denial can touch: what its target wrote beyond the heads it names, and what builds on that.

use super::bench::Judged;
use super::denials::Outline;
use super::ingest::Ingest;
use super::space_core::{SpaceCore, meta};
use super::store::EntryStatus;
use super::validity::{Verdict, judge};
use super::write::RowChange;
use crate::authority::Denial;
use crate::feed::{Entry, FeedHeader};
use crate::model::{EntryId, Error, ErrorKind, Result, Role, limits};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Bytes of entries that are read at once.
const SCAN_BYTES: usize = 1024 * 1024;
/// What is recorded while a judgement is under way in two commits: whoever opens the space after a
/// crash between them judges everything anew.
pub(super) const UNFINISHED: &[u8] = b"unfinished";

/// What the arrival of a data entry means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// It counts, and changes nothing about others.
    Counts,
    /// It does not count, for this reason.
    DoesNot(String),
    /// It may change what counts: these are to be judged with what does not count now.
    Changes(BTreeSet<EntryId>),
}

impl SpaceCore {
    /// Judges an entry that is about to be stored: nothing here builds on it yet.
    pub(super) fn judge_arrival(&mut self, outline: &Outline) -> Result<Arrival> {
        if outline.known.role < Some(Role::Editor) {
            let role = outline.known.role.map_or("no member", Role::name);
            let reason = format!("not_permitted: its author is {role}");
            return Ok(Arrival::DoesNot(reason));
        }
        let refused = |core: &Self, verdict| {
            let reason = reason(&verdict, &core.denials.list);
            Ok(Arrival::DoesNot(reason.unwrap_or_default()))
        };
        if let Some(denial) = self.charges(outline)?.first() {
            return refused(self, Verdict::Denied(*denial));
        }
        let named = self.denials.name(&outline.id);
        let excluded = self.excluded_outlines()?;
        let parents = outline.parents.iter();
        let bad = parents
            .filter(|id| excluded.contains_key(*id))
            .min()
            .copied();
        if let Some(parent) = bad {
            // Whoever knew of every denial vouches for nothing.
            let voids = self.denials.list.iter().any(|denial| denial.is_void);
            let idle = !named && !voids && self.unknown_to(outline, false).is_empty();
            return match idle {
                true => refused(self, Verdict::BuildsOn(parent)),
                false => Ok(Arrival::Changes(BTreeSet::new())),
            };
        }
        let mut vouched = BTreeSet::new();
        if named {
            // Nobody need vouch any more for what lies before it.
            for entry in self.denials.vouched.keys() {
                let place = self.store.entry_place(entry)?;
                if place.is_some_and(|(feed, _)| feed == outline.feed) {
                    vouched.insert(*entry);
                }
            }
        }
        Ok(match vouched.is_empty() {
            true => Arrival::Counts,
            false => Arrival::Changes(vouched),
        })
    }

    /// Whether an entry that does not count is kept. So that a removed member cannot fill the disks
    /// of the others, it is not past a bound, unless another member built on it.
    pub(super) fn has_room_for_excluded(
        &mut self,
        entry: &Entry,
        author: &FeedHeader,
    ) -> Result<bool> {
        let full = self.excluded_outlines()?.len() >= limits::EXCLUDED_ENTRIES;
        Ok(!full || self.is_vouched_for(entry, author))
    }

    /// Judges anew if control entries came and nobody has since. What that changes is told later.
    pub fn judge_if_due(&mut self) -> Result<()> {
        if !self.judging_due {
            return Ok(());
        }
        let mut into = Ingest::default();
        let done = self.forgiving(|core| core.rejudge_if_due(&mut into));
        self.untold.append(&mut into.rows);
        done
    }

    /// The rows that judgements changed and that nobody was told of yet.
    pub fn take_untold(&mut self) -> Vec<RowChange> {
        std::mem::take(&mut self.untold)
    }

    /// Judges anew if the denials in force are not those by which entries were judged. Waits while
    /// edits are gathered: whoever writes them calls this afterwards.
    pub fn rejudge_if_due(&mut self, into: &mut Ingest) -> Result<()> {
        if !self.typing.is_empty() {
            return Ok(());
        }
        let now = self.denials_in_force();
        let same = now.iter().map(|denial| denial.entry);
        if same.eq(self.denials.list.iter().map(|denial| denial.entry)) {
            self.judging_due = false;
            return Ok(());
        }
        let known: BTreeSet<EntryId> = self.denials.list.iter().map(|d| d.entry).collect();
        let added: Vec<&Denial> = now.iter().filter(|d| !known.contains(&d.entry)).collect();
        let mut seeds = BTreeSet::new();
        for denial in added {
            seeds.extend(self.touched_by(denial)?);
        }
        let in_force: BTreeSet<EntryId> = now.iter().map(|denial| denial.entry).collect();
        for (entry, vouched) in &self.denials.vouched {
            if vouched.iter().any(|v| !in_force.contains(&v.denial)) {
                seeds.insert(*entry);
            }
        }
        let before = self.denials.set(now);
        let done = self.rejudge(seeds, into);
        match done.is_err() {
            true => drop(self.denials.set(before)),
            false => self.judging_due = false,
        }
        done
    }

    /// To be called when the space is opened: goes on where an earlier process stopped.
    pub(super) fn resume_judging(&mut self) -> Result<()> {
        self.resume()?;
        let tip = self.store.entry_status(&self.own_data.tip)?;
        self.copied |= tip == Some(EntryStatus::Excluded);
        Ok(())
    }

    fn resume(&mut self) -> Result<()> {
        let judged = self.store.meta(meta::JUDGED)?.unwrap_or_default();
        let by: BTreeSet<EntryId> = judged
            .chunks_exact(EntryId::LEN)
            .filter_map(|id| EntryId::from_slice(id).ok())
            .collect();
        let now = self.denials_in_force();
        if judged == UNFINISHED {
            let mut seeds = BTreeSet::new();
            for denial in &now {
                seeds.extend(self.touched_by(denial)?);
            }
            seeds.extend(self.denials.vouched.keys().copied());
            self.denials.set(now);
            return self.forgiving(|core| core.rejudge(seeds, &mut Ingest::default()));
        }
        let known = now.iter().filter(|denial| by.contains(&denial.entry));
        let known = known.cloned().collect();
        self.denials.set(known);
        if self.denials.list.len() == by.len() {
            return self.forgiving(|core| core.rejudge_if_due(&mut Ingest::default()));
        }
        // Some are not in force any more: what they had excluded is among what is looked at always.
        let vouched: BTreeSet<EntryId> = self.denials.vouched.keys().copied().collect();
        self.forgiving(|core| {
            core.rejudge_if_due(&mut Ingest::default())?;
            core.rejudge(vouched, &mut Ingest::default())
        })
    }

    /// Neither a full disk nor a damaged object keeps anybody out: what could not be judged is judged by
    /// a later call or opening.
    fn forgiving(&mut self, work: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        match work(self) {
            Err(error) if matches!(error.kind(), ErrorKind::Storage | ErrorKind::Corrupt) => Ok(()),
            done => done,
        }
    }

    /// The stored entries that a denial may charge.
    fn touched_by(&self, denial: &Denial) -> Result<Vec<EntryId>> {
        let mut touched = Vec::new();
        let feeds: Vec<_> = self
            .feeds
            .iter()
            .filter(|(_, feed)| feed.stored && self.is_about(denial, &feed.header))
            .map(|(id, _)| *id)
            .collect();
        for feed in feeds {
            let mut from = 0;
            for head in denial.heads.iter().filter(|head| head.feed == feed) {
                let here = self.store.entry_place(&head.id)? == Some((feed, head.seq));
                // With branches, what lies below in number need not lie below in its chain.
                if here && !self.is_forked(&feed) {
                    from = from.max(head.seq.saturating_add(1));
                }
            }
            for arrival in self.store.arrivals_from(&feed, from)? {
                touched.extend(self.store.entry_at(arrival)?.map(|record| record.id));
            }
        }
        Ok(touched)
    }

    /// Judges `seeds`, all that does not count, and what these can touch, and brings the documents
    /// into line.
    pub(super) fn rejudge(&mut self, seeds: BTreeSet<EntryId>, into: &mut Ingest) -> Result<()> {
        let window = self.window(seeds)?;
        let (nodes, contexts) = self.nodes(&window)?;
        let verdicts = judge(&nodes).into_iter();
        let verdicts = verdicts.map(|verdict| contexts.settle(verdict));
        let list = &self.denials.list;
        let judged: Vec<Judged> = window
            .into_iter()
            .zip(verdicts)
            .map(|(outline, verdict)| Judged::new(outline, verdict, list))
            .collect();
        self.carry_out(judged, into)
    }

    /// `seeds` and all that does not count, everything that builds on these, and every entry whose
    /// voucher is among them with what builds on it; in causal order.
    fn window(&mut self, mut seeds: BTreeSet<EntryId>) -> Result<Vec<Outline>> {
        let excluded: Vec<Outline> = self.excluded_outlines()?.values().cloned().collect();
        loop {
            let mut outlines: BTreeMap<i64, Outline> = excluded
                .iter()
                .map(|outline| (outline.arrival, outline.clone()))
                .collect();
            let mut from = None;
            for seed in &seeds {
                let arrival = self.store.entry(seed)?.map(|record| record.n);
                from = from.into_iter().chain(arrival).min();
            }
            if let Some(from) = from {
                self.scan(from, &mut outlines)?;
            }
            let mut members = seeds.clone();
            members.extend(excluded.iter().map(|outline| outline.id));
            for outline in outlines.values() {
                if outline.parents.iter().any(|id| members.contains(id)) {
                    members.insert(outline.id);
                }
            }
            let more: Vec<EntryId> = self
                .denials
                .vouched
                .iter()
                .filter(|(entry, _)| !members.contains(entry))
                .filter(|(_, by)| by.iter().any(|v| members.contains(&v.through)))
                .map(|(entry, _)| *entry)
                .collect();
            if more.is_empty() {
                let all = outlines.into_values();
                return Ok(all
                    .filter(|outline| members.contains(&outline.id))
                    .collect());
            }
            seeds.extend(more);
        }
    }

    /// Adds the outlines of the data entries that arrived as number `from` or later.
    fn scan(&self, from: i64, outlines: &mut BTreeMap<i64, Outline>) -> Result<()> {
        let mut known: HashMap<_, _> = outlines
            .values()
            .map(|outline| (outline.id, outline.known.clone()))
            .collect();
        let mut after = from - 1;
        loop {
            let records = self.store.entries_after(after, SCAN_BYTES)?;
            let Some(last) = records.last() else {
                return Ok(());
            };
            after = last.n;
            for record in records {
                if let Some(outline) = self.outline(record, &known)? {
                    known.insert(outline.id, outline.known.clone());
                    outlines.insert(outline.arrival, outline);
                }
            }
        }
    }

    /// Of some entries those on which no entry builds that counts; `out` do not count.
    pub(super) fn uncovered(
        &self,
        mut candidates: HashSet<EntryId>,
        out: &dyn Fn(&EntryId) -> bool,
    ) -> Result<Vec<Outline>> {
        let mut from = None;
        for id in &candidates {
            let arrival = self.store.entry(id)?.map(|record| record.n);
            from = from.into_iter().chain(arrival).min();
        }
        let mut outlines = BTreeMap::new();
        if let Some(from) = from {
            self.scan(from, &mut outlines)?;
        }
        for outline in outlines.values().filter(|outline| !out(&outline.id)) {
            for parent in &outline.parents {
                candidates.remove(parent);
            }
        }
        let left = outlines.into_values();
        Ok(left
            .filter(|outline| candidates.contains(&outline.id))
            .collect())
    }
}

/// Why an entry does not count: a stable code, a colon, and a sentence.
pub(super) fn reason(verdict: &Verdict, list: &[Denial]) -> Option<String> {
    match verdict {
        Verdict::Valid(_) => None,
        Verdict::NotPermitted => Some("not_permitted: its author might not write".to_owned()),
        Verdict::Denied(at) if list.get(*at).is_some_and(|denial| denial.is_void) => Some(
            "void: what gave its author the right to write was undone, and no member in good standing \
             built on it"
                .to_owned(),
        ),
        Verdict::Denied(at) => {
            let by = list.get(*at).map(|denial| denial.entry.to_string());
            Some(format!(
                "denied: its author was denied by {}, and no member in good standing built on it",
                by.unwrap_or_default()
            ))
        }
        Verdict::BuildsOn(parent) => Some(format!(
            "builds_on_excluded: it builds on {parent}, which does not count"
        )),
    }
}

/// The denials by which entries were judged, as stored.
pub(super) fn judged_by(list: &[Denial]) -> Vec<u8> {
    list.iter().flat_map(|denial| denial.entry.0).collect()
}

/// What is to be said when a change has no entry, which only damage can lead to.
pub(super) fn orphaned() -> Error {
    Error::corrupt("a stored change belongs to no stored entry")
}
