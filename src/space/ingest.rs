//! Remote entries. Cheap checks come before dear ones: form, size and chain, then the signature,
//! then the author's role, then decryption, then the bounds of the changes, and only then the
//! CRDT, under guard (research: auth.md, bounds). A remote entry ends in the same commit as a
//! local one.

use super::actors;
use super::branches::Tips;
use super::checking::{Rule, Verdicts};
use super::control::new_feed;
use super::denials::Outline;
use super::rejudging::{Arrival, UNFINISHED};
use super::space_core::{FeedState, SpaceCore, meta};
use super::store::{Commit, EntryStatus, NewEntry, ObjectWrite};
use super::waiting::Seal;
use super::write::{RowChange, Work};
use crate::authority::{ControlOp, Verdict};
use crate::feed::{DataBody, Entry, FeedHeader, FeedKind};
use crate::model::{
    DeviceKey, EntryId, Error, ErrorKind, FeedId, ObjectId, Result, SpaceId, limits, signed,
};
use crate::objects::{Quarantine, guard};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What came of a batch of remote entries.
#[derive(Debug, Default)]
pub struct Ingest {
    /// The device that sent them, if one did.
    pub from: Option<DeviceKey>,
    /// Entries stored.
    pub stored: usize,
    /// Entries that were here already.
    pub known: usize,
    /// Entries that wait for one they build on, or were dropped for want of room: ask again.
    pub unplaced: usize,
    /// How far the sender holds each feed, by what it sent.
    pub sent: BTreeMap<FeedId, u64>,
    /// Rows changed, in the order of commits.
    pub rows: Vec<RowChange>,
    /// Whether members or keys changed.
    pub control: bool,
    /// Why entries were set aside.
    pub quarantined: Vec<String>,
    /// Entries that do not count as they came: written by who might not, or was denied.
    pub excluded: usize,
    /// Devices of which it came out that they exist twice: a feed of theirs has branches, or one
    /// of our own was continued elsewhere.
    pub copied: BTreeSet<DeviceKey>,
    /// Why entries that had waited were dropped.
    pub dropped: Vec<String>,
}

/// What is to become of a data entry.
pub(super) enum Decision {
    /// Its changes are good.
    Apply {
        work: Work,
        /// The hashes of the changes.
        changes: Vec<[u8; 32]>,
        clock: i64,
    },
    /// It waits for the change or the entry of this hash.
    Wait([u8; 32], String),
    /// It waits for its content key.
    WaitForKey(String),
    /// It was written before this member's time, or builds on what was.
    SealedOff(Seal, String),
    /// It never takes effect.
    SetAside(String),
}

impl SpaceCore {
    /// Learns a feed. Nothing is stored before its first entry is. Fails with `Protocol` if the
    /// header is malformed or not signed by its device, and with `LimitExceeded` past the bound.
    pub fn add_feed(&mut self, header: &Bytes) -> Result<FeedId> {
        let decoded = FeedHeader::decode(header, self.id)?;
        let id = decoded.feed_id();
        if self.feeds.contains_key(&id) {
            return Ok(id);
        }
        self.make_room_for_feed()?;
        self.feeds.insert(
            id,
            FeedState {
                header: decoded,
                header_bytes: header.clone(),
                stored: false,
                tips: Tips::default(),
            },
        );
        Ok(id)
    }

    /// Whether a feed's header is known: one without entries may have been forgotten.
    pub fn knows_feed(&self, id: &FeedId) -> bool {
        self.feeds.contains_key(id)
    }

    /// Feeds without an entry cost their sender nothing, so they must not use up the space's
    /// feeds: past a bound they are forgotten, strangers' before members'. Whoever has entries of
    /// them sends them again.
    fn make_room_for_feed(&mut self) -> Result<()> {
        if self.feeds.len() < limits::EMPTY_FEEDS {
            return Ok(());
        }
        let stored = self.feeds.values().filter(|feed| feed.stored).count();
        if stored >= limits::FEEDS {
            return Err(Error::limit("the space has as many feeds as it may have"));
        }
        let own = [self.own_control.id, self.own_data.id];
        for forget_members in [false, true] {
            if self.feeds.len() - stored < limits::EMPTY_FEEDS {
                break;
            }
            let authority = &self.authority;
            self.feeds.retain(|id, feed| {
                let member = || authority.role_of_device(&feed.header.device).is_some();
                feed.stored || own.contains(id) || (!forget_members && member())
            });
        }
        Ok(())
    }

    /// Takes remote entries. An error means that the sender broke the protocol (or that storage
    /// failed: nothing of the failing entry was kept); what was placed before it stays.
    pub fn ingest(&mut self, entries: Vec<Bytes>, into: &mut Ingest) -> Result<()> {
        for bytes in entries {
            let entry = self.decode(bytes)?;
            // Whoever is no member may tell why it is one after all, and nothing else: it could fill
            // the disk. What it wrote comes through members who built on it.
            let stranger = |device: &DeviceKey| self.authority.role_of_device(device).is_none();
            if entry.header.kind == FeedKind::Data && into.from.as_ref().is_some_and(stranger) {
                continue;
            }
            let sent = into.sent.entry(entry.header.feed).or_default();
            *sent = (*sent).max(entry.header.seq + 1);
            self.place_all(entry, into)?;
        }
        if into.control {
            self.control_changed();
            self.rejudge_if_due(into)?;
            self.settle_waiting(into)?;
        }
        self.renew_if_copied()
    }

    /// Places an entry and then those that waited for it.
    fn place_all(&mut self, entry: Entry, into: &mut Ingest) -> Result<()> {
        let mut ready = match self.placed(entry, into)? {
            Some(released) => released,
            None => return Ok(()),
        };
        while let Some(entry) = ready.pop() {
            match self.placed(entry, into) {
                Ok(released) => ready.extend(released.unwrap_or_default()),
                // What waited may have come from another peer: this one is not to blame for it.
                Err(e) if matches!(e.kind(), ErrorKind::Protocol | ErrorKind::LimitExceeded) => {
                    into.dropped.push(e.detail().to_owned());
                }
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// Places one entry and returns those that waited for it; `None` if it must wait itself.
    fn placed(&mut self, entry: Entry, into: &mut Ingest) -> Result<Option<Vec<Entry>>> {
        let id = entry.id;
        let placed = self.place(entry, into)?;
        Ok(placed.then(|| self.unplaced.release(&id)))
    }

    /// How many entries wait for one they build on.
    pub fn waiting_for_dependency(&self) -> usize {
        self.unplaced.len()
    }

    pub(super) fn decode(&self, bytes: Bytes) -> Result<Entry> {
        // Only the genesis is sealed without a space id, and its hash is the space id.
        let entry = Entry::decode(bytes.clone(), self.id)?;
        let of_genesis = entry.header.kind == FeedKind::Control && entry.header.seq == 0;
        if of_genesis
            && let Ok(genesis) = Entry::decode(bytes, SpaceId::ZERO)
            && genesis.id.0 == self.id.0
        {
            return Ok(genesis);
        }
        Ok(entry)
    }

    /// Places one entry; false if it must wait, or is one branch too many.
    fn place(&mut self, entry: Entry, into: &mut Ingest) -> Result<bool> {
        if self.store.has_entry(&entry.id)? {
            into.known += 1;
            return Ok(true);
        }
        let Some(feed) = self.feeds.get(&entry.header.feed) else {
            return Err(Error::protocol("an entry arrived before its feed's header"));
        };
        let author = feed.header.clone();
        if author.kind != entry.header.kind {
            return Err(Error::protocol("an entry's kind is not its feed's"));
        }
        // Before it may wait: room to wait is for entries that a device answers for.
        entry.verify(&author.device)?;
        if let Some(missing) = self.missing(&entry)? {
            into.unplaced += 1;
            self.unplaced.hold(missing, author.device, entry);
            return Ok(false);
        }
        let forked = self.is_forked(&entry.header.feed);
        let branches = feed_branches(&self.feeds, &entry);
        if branches > limits::FEED_BRANCHES && !self.is_vouched_for(&entry, &author) {
            return Ok(false);
        }
        match entry.header.kind {
            FeedKind::Control => self.place_control(&entry, &author, into)?,
            FeedKind::Data if !self.place_data(&entry, &author, into)? => return Ok(false),
            FeedKind::Data => {}
        }
        let own = [self.own_control.id, self.own_data.id].contains(&entry.header.feed);
        self.copied |= own;
        if own || (branches > 1 && !forked) {
            into.copied.insert(author.device);
        }
        Ok(true)
    }

    /// Whether a member other than its author built on an entry: then it is taken even if its feed
    /// has more branches than it may have, or that member's entry could never be placed.
    pub(super) fn is_vouched_for(&self, entry: &Entry, author: &FeedHeader) -> bool {
        self.unplaced.waiting_for(&entry.id).any(|feed| {
            self.feeds.get(feed).is_some_and(|feed| {
                feed.header.identity != author.identity
                    && self.authority.role_of_device(&feed.header.device).is_some()
            })
        })
    }

    /// The first thing the entry builds on that is not here. Also checks that what it names is what
    /// it says.
    pub(super) fn missing(&self, entry: &Entry) -> Result<Option<EntryId>> {
        let header = &entry.header;
        if header.seq > 0 {
            match self.store.entry_place(&header.prev)? {
                None => return Ok(Some(header.prev)),
                Some(place) if place == (header.feed, header.seq - 1) => {}
                Some(_) => {
                    return Err(Error::protocol("an entry does not follow the one it names"));
                }
            }
        }
        for dep in &header.deps {
            match self.store.entry_place(&dep.id)? {
                None => return Ok(Some(dep.id)),
                Some(place) if place == (dep.feed, dep.seq) => {}
                Some(_) => return Err(Error::protocol("an entry misnames one it depends on")),
            }
        }
        for ctl in &header.ctl {
            if !self.store.has_entry(ctl)? {
                return Ok(Some(*ctl));
            }
        }
        Ok(None)
    }

    fn place_control(
        &mut self,
        entry: &Entry,
        author: &FeedHeader,
        into: &mut Ingest,
    ) -> Result<()> {
        let op = ControlOp::decode(&entry.open(None)?)?;
        let (status, reason) = match self.authority.apply(entry, author, &op) {
            Verdict::Accepted => (EntryStatus::Applied, None),
            // A stranger's refused entry is not kept: keeping it would let anybody fill the disk.
            // Who is a stranger is judged in the entry's own past, by every peer alike: otherwise
            // one would keep and pass on what makes another end the session.
            Verdict::Refused(reason) if !self.authority.remembers(&entry.id) => {
                return Err(Error::protocol(format!(
                    "a control entry was refused: {reason}"
                )));
            }
            Verdict::Refused(reason) => {
                (EntryStatus::Quarantined, Some(format!("refused: {reason}")))
            }
        };
        self.store(entry, status, reason.as_deref(), &[], &[])?;
        into.stored += 1;
        into.control = true;
        into.quarantined.extend(reason);
        Ok(())
    }

    /// Places a data entry; false if there is no room for more that does not count.
    fn place_data(
        &mut self,
        entry: &Entry,
        author: &FeedHeader,
        into: &mut Ingest,
    ) -> Result<bool> {
        // Judged by what the author knew, not by what is known here: peers that learn of a denial
        // before or after the entry must not differ.
        let known = self.known_to(entry, author)?;
        let Some(known) = known.filter(|known| known.role.is_some()) else {
            return Err(Error::protocol(
                "a data entry comes from a device that is no member",
            ));
        };
        let outline = Outline::new(entry, known.clone());
        let arrival = self.judge_arrival(&outline)?;
        if arrival != Arrival::Counts && !self.has_room_for_excluded(entry, author)? {
            return Ok(false);
        }
        self.keep_known(entry, known);
        match arrival {
            Arrival::Counts => self.place_counting(entry, into)?,
            Arrival::DoesNot(reason) => self.place_excluded(entry, outline, reason, &[], into)?,
            Arrival::Changes(seeds) => {
                // Counted and put in with what it changes about others.
                let reason = "unfinished: it is being judged".to_owned();
                let unfinished = [(meta::JUDGED, UNFINISHED.to_vec())];
                self.place_excluded(entry, outline, reason, &unfinished, into)?;
                self.rejudge(seeds, into)?;
            }
        }
        Ok(true)
    }

    fn place_excluded(
        &mut self,
        entry: &Entry,
        outline: Outline,
        reason: String,
        facts: &[(&str, Vec<u8>)],
        into: &mut Ingest,
    ) -> Result<()> {
        self.store(entry, EntryStatus::Excluded, Some(&reason), &[], facts)?;
        into.stored += 1;
        into.excluded += 1;
        let outline = Outline {
            arrival: self.store.last_arrival()?,
            status: EntryStatus::Excluded,
            reason: Some(reason),
            ..outline
        };
        self.excluded_outlines()?.insert(entry.id, outline);
        Ok(())
    }

    /// Places an entry that counts.
    fn place_counting(&mut self, entry: &Entry, into: &mut Ingest) -> Result<()> {
        let decision = self.decide(entry)?;
        let mut heads = self.heads.clone();
        let header = &entry.header;
        heads.advance(
            entry.id,
            header.feed,
            header.seq,
            &header.prev,
            &header.deps,
        );
        let facts = [(meta::DATA_HEADS, heads.encode())];
        let mut arrived = Vec::new();
        match decision {
            Decision::SetAside(reason) => {
                self.store(entry, EntryStatus::Quarantined, Some(&reason), &[], &facts)?;
                into.quarantined.push(reason);
            }
            Decision::WaitForKey(reason) => {
                self.store(entry, EntryStatus::Waiting, Some(&reason), &[], &facts)?;
                self.waiting.add(entry.id);
            }
            Decision::Wait(missing, reason) => {
                self.store(entry, EntryStatus::Waiting, Some(&reason), &[], &facts)?;
                self.waiting.hold(missing, entry.id);
            }
            Decision::SealedOff(by, reason) => {
                self.store(entry, EntryStatus::Waiting, Some(&reason), &[], &facts)?;
                self.waiting.seal(entry.id, by);
            }
            Decision::Apply {
                mut work,
                changes,
                clock,
            } => {
                let rows = self.project(&mut work, clock)?;
                let verdicts = self.judge(&rows, Rule::Record)?;
                let writes = to_writes(&rows, &work, &verdicts);
                self.store(entry, EntryStatus::Applied, None, &writes, &facts)?;
                self.schemas.note(&rows);
                self.put_back(work);
                into.rows.extend(rows);
                arrived = changes;
            }
        }
        self.heads = heads;
        into.stored += 1;
        self.settle_for(arrived, into)
    }

    /// What is to become of a data entry whose author may write.
    pub(super) fn decide(&mut self, entry: &Entry) -> Result<Decision> {
        // One after the other within a feed: what an entry means may depend on the one before.
        if self.waiting.holds_up(&entry.header.prev) {
            let reason = "waiting: the entry before it waits".to_owned();
            return Ok(Decision::Wait(entry.header.prev.0, reason));
        }
        let key_id = entry.header.key_id;
        let Some(key) = self.held_keys().get(&key_id) else {
            if self.withheld.contains(&key_id) {
                let reason = "sealed_off: it was written before this member's time".to_owned();
                return Ok(Decision::SealedOff(Seal::Key(key_id), reason));
            }
            let reason = "waiting_for_key: its content key has not arrived".to_owned();
            return Ok(Decision::WaitForKey(reason));
        };
        let body = entry
            .open(Some(key))
            .and_then(|plain| DataBody::decode(&plain));
        let body = match body {
            Ok(body) => body,
            Err(e) => {
                let reason = format!("malformed_body: {}", e.detail());
                return Ok(Decision::SetAside(reason));
            }
        };
        match self.apply_body(entry.header.feed, body)? {
            // All that it builds on is here: the change is in an entry that cannot be opened.
            Decision::Wait(missing, _) if self.waiting.sealed() > 0 => {
                let reason = "sealed_off: it builds on what was written before this member's time";
                Ok(Decision::SealedOff(
                    Seal::Change(missing),
                    reason.to_owned(),
                ))
            }
            decision => Ok(decision),
        }
    }

    /// Applies a body to copies of the documents: all of it or nothing.
    fn apply_body(&mut self, feed: FeedId, body: DataBody) -> Result<Decision> {
        let clock = signed(body.clock_ms);
        let mut groups: BTreeMap<ObjectId, Vec<Vec<u8>>> = BTreeMap::new();
        let mut changes = Vec::with_capacity(body.changes.len());
        let mut budget = guard::EntryTotal::default();
        let mut actors: BTreeMap<ObjectId, guard::ObjectActors> = BTreeMap::new();
        for (object, change) in body.changes {
            let scanned = guard::scan(&change).and_then(|summary| {
                budget.add(&summary)?;
                actors.entry(object).or_default().add(&summary)?;
                Ok(summary)
            });
            let summary = match scanned {
                Ok(summary) => summary,
                Err(quarantine) => return Ok(set_aside(&quarantine)),
            };
            if !actors::belongs_to(&summary.actor, &feed) {
                let reason = "foreign_actor: a change is made under another feed's name".to_owned();
                return Ok(Decision::SetAside(reason));
            }
            changes.push(summary.hash);
            groups.entry(object).or_default().push(change);
        }
        let mut work: Work = Vec::with_capacity(groups.len());
        for (object, changes) in groups {
            let mut document = match self.documents.take_if_any(&mut *self.store, object)? {
                Some(document) => document,
                None => self.documents.fresh(),
            };
            if let Err(quarantine) = document.apply_remote(&changes) {
                // The documents taken out so far are dropped: storage has the good ones.
                return Ok(set_aside(&quarantine));
            }
            work.push((object, document, changes));
        }
        Ok(Decision::Apply {
            work,
            changes,
            clock,
        })
    }

    pub(super) fn put_back(&mut self, work: Work) {
        for (object, document, _) in work {
            self.documents.put(object, document);
        }
    }

    fn store(
        &mut self,
        entry: &Entry,
        status: EntryStatus,
        reason: Option<&str>,
        objects: &[ObjectWrite<'_>],
        facts: &[(&str, Vec<u8>)],
    ) -> Result<()> {
        let mut facts = facts.to_vec();
        facts.extend(self.branch_facts(entry));
        self.store.commit(&Commit {
            feed: new_feed(&self.feeds, &entry.header.feed),
            entry: NewEntry {
                id: entry.id,
                feed: entry.header.feed,
                seq: entry.header.seq,
                bytes: entry.bytes(),
            },
            status,
            reason,
            actors: &[],
            objects,
            meta: &facts,
        })?;
        self.note_stored(entry);
        Ok(())
    }
}

/// A refusal as a decision. A change that others build on may be in an entry that is yet to come:
/// to refuse for good what came too early would make peers differ by the order of arrival.
fn set_aside(quarantine: &Quarantine) -> Decision {
    let reason = quarantine.to_string();
    match quarantine.missing {
        Some(missing) => Decision::Wait(missing, reason),
        None => Decision::SetAside(reason),
    }
}

/// How many branches a feed has once `entry` is stored.
pub(super) fn feed_branches(feeds: &HashMap<FeedId, FeedState>, entry: &Entry) -> usize {
    feeds
        .get(&entry.header.feed)
        .map_or(1, |feed| feed.tips.after(&entry.header.prev))
}

pub(super) fn to_writes<'a>(
    rows: &'a [RowChange],
    work: &'a Work,
    verdicts: &'a Verdicts,
) -> Vec<ObjectWrite<'a>> {
    let mut changes = work.iter().map(|(_, _, changes)| changes.as_slice());
    let mut verdicts = verdicts.iter();
    rows.iter()
        .map(|row| ObjectWrite {
            row: &row.new,
            changes: changes.next().unwrap_or_default(),
            breaches: verdicts.next().and_then(|verdict| verdict.as_deref()),
        })
        .collect()
}
