//! Undo and redo of what this device wrote. The steps are the entries of its own feed: they are
//! read from there, so that writing costs nothing more. What the feed does not tell, namely what was undone and
//! which parts stand for which, is stored with the entry that undoes, and so survives a restart.

use super::actors;
use super::edits::Facts;
use super::space_core::SpaceCore;
use super::undo_codec;
use super::write::{Outcome, Work};
use crate::feed::{DataBody, Entry};
use crate::model::{EntryId, ErrorKind, FeedId, ObjectId, Result, Role, limits};
use crate::objects::{Left, Twins, guard, look};
use std::collections::{BTreeMap, HashMap};

/// Entries that are read back to find the steps.
const ENTRIES_BACK: usize = 1024;
/// Typing with shorter pauses is one step, in milliseconds.
const PAUSE_MS: u64 = 1000;
/// Under which fact the stacks are kept.
const FACT: &str = "undo";

/// What is undone at once: changes, oldest first, by object.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Step {
    pub changes: Vec<(ObjectId, Vec<[u8; 32]>)>,
    /// The transaction's message.
    pub label: Option<String>,
    /// Neighbours of one group are one step.
    pub group: Option<String>,
    /// If it is typing: into which text, and when it ended.
    pub typing: Option<(String, u64)>,
}

/// The steps of one own feed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stacks {
    pub feed: FeedId,
    /// The number of the first entry that is not taken into account yet.
    pub next: u64,
    pub undo: Vec<Step>,
    pub redo: Vec<Step>,
    pub twins: BTreeMap<ObjectId, Twins>,
}

/// What can be undone in a space.
#[derive(Default)]
pub struct Undo {
    stacks: Option<Stacks>,
    /// The groups that transactions were put in since the start.
    groups: HashMap<EntryId, String>,
}

/// What undoing or redoing a step did.
#[derive(Debug)]
pub struct Undone {
    /// The message of the transaction that it was about.
    pub label: Option<String>,
    /// What was left as it is, and why.
    pub left: Vec<(ObjectId, Left)>,
}

impl SpaceCore {
    /// Puts a transaction that was just made in a group: neighbours of one group are undone at once.
    pub fn group_for_undo(&mut self, outcome: &Outcome, group: String) {
        if let Some(entry) = outcome.entry {
            if self.undo.groups.len() >= ENTRIES_BACK {
                self.undo.groups.clear();
            }
            self.undo.groups.insert(entry, group);
        }
    }

    /// Undoes the last step of this device that is not undone; `None` if there is none.
    pub fn undo(&mut self, now_ms: u64) -> Result<Option<(Outcome, Undone)>> {
        self.step_back(true, now_ms)
    }

    /// Undoes the last undoing, if nothing was written since.
    pub fn redo(&mut self, now_ms: u64) -> Result<Option<(Outcome, Undone)>> {
        self.step_back(false, now_ms)
    }

    fn step_back(&mut self, undo: bool, now_ms: u64) -> Result<Option<(Outcome, Undone)>> {
        self.require(Role::Editor, "undoing")?;
        self.renew_if_copied()?;
        self.gather_data_heads(now_ms)?;
        let mut stacks = self.caught_up()?;
        let taken = match undo {
            true => stacks.undo.pop(),
            false => stacks.redo.pop(),
        };
        let Some(step) = taken else {
            self.undo.stacks = Some(stacks);
            return Ok(None);
        };
        let given_up = stacks.clone();
        match self.reverse(stacks, &step, undo, now_ms) {
            Ok(done) => Ok(Some(done)),
            Err(error) => {
                // What cannot be undone because it is too much never can: it must not bar the way
                // to what was done before it.
                if error.kind() == ErrorKind::LimitExceeded {
                    self.undo.stacks = Some(given_up);
                }
                Err(error)
            }
        }
    }

    fn reverse(
        &mut self,
        mut stacks: Stacks,
        step: &Step,
        undo: bool,
        now_ms: u64,
    ) -> Result<(Outcome, Undone)> {
        let what = if undo { "undo" } else { "redo" };
        let message = match &step.label {
            Some(label) => format!("{what}: {label}"),
            None => what.to_owned(),
        };
        let feed = self.own_data.id;
        let own = |actor: &[u8]| actors::belongs_to(actor, &feed);
        let mut left = Vec::new();
        let mut work: Work = Vec::with_capacity(step.changes.len());
        let mut back = Step {
            label: step.label.clone(),
            ..Step::default()
        };
        for (object, hashes) in &step.changes {
            let Some(mut document) = self.documents.take_if_any(&mut *self.store, *object)? else {
                continue;
            };
            document.set_clock(now_ms);
            let twins = stacks.twins.entry(*object).or_default();
            let kept = document.revert(hashes, &own, twins)?;
            left.extend(kept.into_iter().map(|kept| (*object, kept)));
            let changes = document.commit(now_ms, Some(&message))?;
            if !changes.is_empty() {
                back.changes.push((*object, hashes_of(&changes)?));
            }
            work.push((*object, document, changes));
        }
        let facts = match back.changes.is_empty() {
            true => Vec::new(),
            false => {
                match undo {
                    true => stacks.redo.push(back),
                    false => stacks.undo.push(back),
                }
                stacks.next = self.own_data.next_seq + 1;
                facts(&mut stacks)
            }
        };
        let outcome = self.store_work(work, facts, now_ms)?;
        self.undo.stacks = Some(stacks);
        let label = step.label.clone();
        Ok((outcome, Undone { label, left }))
    }

    /// The stacks, with what was written since they were last looked at.
    fn caught_up(&mut self) -> Result<Stacks> {
        let feed = self.own_data.id;
        let mut stacks = match self.undo.stacks.take().filter(|stacks| stacks.feed == feed) {
            Some(stacks) => stacks,
            None => self.stored_stacks(feed)?,
        };
        let mut entries = Vec::new();
        let mut at = self.own_data.tip;
        while entries.len() < ENTRIES_BACK
            && let Some(stored) = self.store.entry(&at)?
            && stored.seq >= stacks.next
        {
            let entry = Entry::decode(stored.bytes, self.id)?;
            at = entry.header.prev;
            entries.push(entry);
        }
        for entry in entries.iter().rev() {
            stacks.redo.clear();
            if let Some(step) = self.step_of(entry) {
                stacks.push(step);
            }
        }
        stacks.next = self.own_data.next_seq;
        Ok(stacks)
    }

    fn stored_stacks(&self, feed: FeedId) -> Result<Stacks> {
        let stored = self.store.meta(FACT)?;
        // What cannot be read is forgotten: the feed still has the steps.
        let stored = stored.and_then(|bytes| undo_codec::decode(&bytes).ok());
        Ok(stored
            .filter(|stacks| stacks.feed == feed && stacks.next <= self.own_data.next_seq)
            .unwrap_or(Stacks {
                feed,
                next: 0,
                undo: Vec::new(),
                redo: Vec::new(),
                twins: BTreeMap::new(),
            }))
    }

    /// The step that an own entry made; `None` if it made none, or cannot be opened any more.
    fn step_of(&self, entry: &Entry) -> Option<Step> {
        let key = self.held_keys().get(&entry.header.key_id)?;
        let body = DataBody::decode(&entry.open(Some(key)).ok()?).ok()?;
        let mut step = Step {
            group: self.undo.groups.get(&entry.id).cloned(),
            ..Step::default()
        };
        let mut typing = Vec::new();
        let mut changes: BTreeMap<ObjectId, Vec<[u8; 32]>> = BTreeMap::new();
        // A space's name is a setting, and making a space sets it: no step of the work in it.
        let user = |object: &ObjectId| *object != ObjectId::PROPERTIES;
        for (object, change) in body.changes.iter().filter(|(object, _)| user(object)) {
            let seen = look(change).ok()?;
            typing.push(seen.typing.map(|text| format!("{object}{text}")));
            step.label = seen.message.or(step.label);
            changes.entry(*object).or_default().push(seen.hash);
        }
        if changes.is_empty() {
            return None;
        }
        step.changes = changes.into_iter().collect();
        typing.dedup();
        if let (None, [Some(text)]) = (&step.label, typing.as_slice()) {
            step.typing = Some((text.clone(), body.clock_ms));
        }
        Some(step)
    }
}

impl Stacks {
    /// Adds a step, to the last one if they belong together.
    fn push(&mut self, step: Step) {
        if let Some(last) = self.undo.last_mut()
            && last.continues(&step)
        {
            for (object, hashes) in step.changes {
                match last.changes.iter_mut().find(|(known, _)| *known == object) {
                    Some((_, known)) => known.extend(hashes),
                    None => last.changes.push((object, hashes)),
                }
            }
            last.typing = step.typing;
            last.label = step.label.or(last.label.take());
            return;
        }
        self.undo.push(step);
        self.trim();
    }

    /// Drops what there is no room for.
    fn trim(&mut self) {
        let surplus = self.undo.len().saturating_sub(limits::UNDO_STEPS);
        self.undo.drain(..surplus);
        let twins: usize = self.twins.values().map(Twins::len).sum();
        if twins > limits::UNDO_TWINS {
            self.undo.clear();
            self.redo.clear();
            self.twins.clear();
        }
    }
}

impl Step {
    fn continues(&self, next: &Step) -> bool {
        let same_group = self.group.is_some() && self.group == next.group;
        let typing = match (&self.typing, &next.typing) {
            (Some((text, ended)), Some((other, clock))) => {
                self.group == next.group && text == other && clock.abs_diff(*ended) <= PAUSE_MS
            }
            _ => false,
        };
        let objects = self.changes.len() + next.changes.len();
        (same_group || typing) && objects <= limits::OBJECTS_PER_TRANSACTION
    }
}

fn facts(stacks: &mut Stacks) -> Facts {
    stacks.trim();
    let mut bytes = undo_codec::encode(stacks);
    if bytes.len() > limits::UNDO_BYTES {
        // Too much to be kept over a restart: then nothing before this is undone after it.
        let empty = Stacks {
            feed: stacks.feed,
            next: stacks.next,
            undo: Vec::new(),
            redo: Vec::new(),
            twins: BTreeMap::new(),
        };
        bytes = undo_codec::encode(&empty);
    }
    vec![(FACT, bytes)]
}

fn hashes_of(changes: &[Vec<u8>]) -> Result<Vec<[u8; 32]>> {
    let hashes = changes.iter().map(|change| Ok(guard::scan(change)?.hash));
    hashes.collect()
}
