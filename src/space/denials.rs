//! The denials in force, as data entries are judged by them, and what of entries that takes.

use super::space_core::SpaceCore;
use super::store::{EntryStatus, Store, StoredEntry, Vouched};
use super::validity::{DenialIndex, Node};
use super::voids::Contexts;
use crate::authority::{Denial, Target};
use crate::feed::{Entry, FeedHeader, FeedKind};
use crate::model::{EntryId, FeedId, Result, Role};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

/// A data entry without its body.
#[derive(Clone, Debug)]
pub(super) struct Outline {
    pub id: EntryId,
    /// Its place in the order of arrival.
    pub arrival: i64,
    pub feed: FeedId,
    pub seq: u64,
    /// What it builds on: the entry before it in its feed, and its dependencies.
    pub parents: Vec<EntryId>,
    pub status: EntryStatus,
    pub reason: Option<String>,
    pub known: Known,
}

impl Outline {
    /// Of an entry that is not stored yet.
    pub fn new(entry: &Entry, known: Known) -> Outline {
        Outline {
            id: entry.id,
            arrival: i64::MAX,
            feed: entry.header.feed,
            seq: entry.header.seq,
            parents: parents(entry),
            status: EntryStatus::Applied,
            reason: None,
            known,
        }
    }
}

/// The control entries that the author of an entry knew: those that it, or the latest of its feed
/// before it, names.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// The entry that names them.
    pub anchor: EntryId,
    /// They.
    pub ctl: Arc<[EntryId]>,
    /// The author's role as of these; none for a stranger.
    pub role: Option<Role>,
}

/// What entries are judged by.
#[derive(Default)]
pub(super) struct Denials {
    /// The denials by which the stored entries were judged, those only that leave less than writing.
    pub list: Vec<Denial>,
    /// The entries that they name to be kept.
    named: HashSet<EntryId>,
    /// The data entries that do not count; looked up when somebody asks first.
    pub excluded: Option<HashMap<EntryId, Outline>>,
    /// Those that count because somebody vouches for them.
    pub vouched: BTreeMap<EntryId, Vec<Vouched>>,
    /// Whether the author of an entry that names control entries knew of a denial. Never changes.
    knows: HashMap<(EntryId, EntryId), bool>,
    /// The chains of feeds with branches, below the heads that denials name.
    chains: HashMap<EntryId, Arc<HashSet<EntryId>>>,
}

/// Answers that are kept; past this many, all are found again.
const KEPT_ANSWERS: usize = 100_000;

impl Denials {
    /// Reads what is stored.
    pub fn load(store: &dyn Store) -> Result<Denials> {
        let mut denials = Denials::default();
        for vouched in store.vouched()? {
            denials
                .vouched
                .entry(vouched.entry)
                .or_default()
                .push(vouched);
        }
        Ok(denials)
    }

    /// Sets the denials, and returns those that were set.
    pub fn set(&mut self, list: Vec<Denial>) -> Vec<Denial> {
        let heads = list.iter().flat_map(|denial| &denial.heads);
        self.named = heads.map(|head| head.id).collect();
        std::mem::replace(&mut self.list, list)
    }

    /// Whether a denial names an entry to be kept.
    pub fn name(&self, entry: &EntryId) -> bool {
        self.named.contains(entry)
    }
}

/// Whether a denial is about the author of a feed.
fn covers(denial: &Denial, author: &FeedHeader) -> bool {
    match denial.target {
        Target::Identity(identity) => identity == author.identity,
        Target::Device(device) => device == author.device,
    }
}

impl SpaceCore {
    /// The denials in force after which somebody may not write.
    pub(super) fn denials_in_force(&self) -> Vec<Denial> {
        let mut denials = self.authority.denials();
        denials.retain(|denial| denial.leaves.is_none_or(|left| left < Role::Editor));
        denials.extend(self.authority.voids());
        denials.sort_unstable_by_key(|denial| denial.entry);
        denials
    }

    /// Whether a denial is about the author of a data feed.
    pub(super) fn is_about(&self, denial: &Denial, author: &FeedHeader) -> bool {
        author.kind == FeedKind::Data && covers(denial, author)
    }

    /// The outline of a stored data entry; none for a control entry. `earlier` holds entries before
    /// it, so that not all has to be looked up.
    pub(super) fn outline(
        &self,
        record: StoredEntry,
        earlier: &HashMap<EntryId, Known>,
    ) -> Result<Option<Outline>> {
        let Some(author) = self.data_author(&record.feed) else {
            return Ok(None);
        };
        let entry = Entry::decode(record.bytes, self.id)?;
        let known = match earlier.get(&entry.header.prev) {
            Some(known) if entry.header.ctl.is_empty() => Some(known.clone()),
            _ => self.known_to(&entry, author)?,
        };
        Ok(known.map(|known| Outline {
            id: record.id,
            arrival: record.n,
            feed: record.feed,
            seq: record.seq,
            parents: parents(&entry),
            status: record.status,
            reason: record.reason,
            known,
        }))
    }

    fn data_author(&self, feed: &FeedId) -> Option<&FeedHeader> {
        let feed = self.feeds.get(feed)?;
        (feed.header.kind == FeedKind::Data).then_some(&feed.header)
    }

    /// The entries that do not count, by id.
    pub(super) fn excluded_outlines(&mut self) -> Result<&mut HashMap<EntryId, Outline>> {
        if self.denials.excluded.is_none() {
            let mut outlines = HashMap::new();
            let mut known = HashMap::new();
            for record in self.store.entries_with_status(EntryStatus::Excluded)? {
                if let Some(outline) = self.outline(record, &known)? {
                    known.insert(outline.id, outline.known.clone());
                    outlines.insert(outline.id, outline);
                }
            }
            self.denials.excluded = Some(outlines);
        }
        Ok(self.denials.excluded.get_or_insert_default())
    }

    /// The denials that charge an entry: they cover its author, who did not know of them, and name
    /// neither it nor one after it to be kept; and what its author stood on that was undone.
    pub(super) fn charges(&mut self, outline: &Outline) -> Result<Vec<DenialIndex>> {
        let mut charges = self.denied(outline)?;
        charges.extend(self.void_charge(outline).map(|(at, _)| at));
        Ok(charges)
    }

    fn denied(&mut self, outline: &Outline) -> Result<Vec<DenialIndex>> {
        let mut charges = Vec::new();
        for at in self.unknown_to(outline, true) {
            if !self.is_kept_by(at, outline)? {
                charges.push(at);
            }
        }
        Ok(charges)
    }

    /// The denials that the author of an entry did not know of: those that cover it, or the others.
    pub(super) fn unknown_to(&mut self, outline: &Outline, covering: bool) -> Vec<DenialIndex> {
        let Some(author) = self.data_author(&outline.feed).cloned() else {
            return Vec::new();
        };
        if self.denials.knows.len() > KEPT_ANSWERS {
            self.denials.knows.clear();
        }
        let mut unknown = Vec::new();
        for (at, denial) in self.denials.list.iter().enumerate() {
            if denial.is_void || covers(denial, &author) != covering {
                continue;
            }
            let asked = (outline.known.anchor, denial.entry);
            let authority = &self.authority;
            let knew = *self.denials.knows.entry(asked).or_insert_with(|| {
                authority.knows(&outline.known.ctl, &denial.entry) == Some(true)
            });
            if !knew {
                unknown.push(at);
            }
        }
        unknown
    }

    /// Whether a denial names the entry, or one after it in its feed, to be kept. A head that is not
    /// here says nothing yet.
    fn is_kept_by(&mut self, denial: DenialIndex, outline: &Outline) -> Result<bool> {
        let heads = self.denials.list.get(denial).map(|d| d.heads.as_slice());
        let heads: Vec<(u64, EntryId)> = heads
            .unwrap_or_default()
            .iter()
            .filter(|head| head.feed == outline.feed && head.seq >= outline.seq)
            .map(|head| (head.seq, head.id))
            .collect();
        for (seq, id) in heads {
            if id == outline.id {
                return Ok(true);
            }
            if self.store.entry_place(&id)? != Some((outline.feed, seq)) {
                continue;
            }
            if !self.is_forked(&outline.feed) || self.chain_below(id)?.contains(&outline.id) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The entries of a feed that lie before one.
    fn chain_below(&mut self, head: EntryId) -> Result<Arc<HashSet<EntryId>>> {
        if let Some(chain) = self.denials.chains.get(&head) {
            return Ok(Arc::clone(chain));
        }
        let mut chain = HashSet::new();
        let mut at = head;
        while let Some(record) = self.store.entry(&at)? {
            chain.insert(at);
            at = Entry::decode(record.bytes, self.id)?.header.prev;
        }
        let chain = Arc::new(chain);
        self.denials.chains.insert(head, Arc::clone(&chain));
        Ok(chain)
    }

    /// The entries as they are judged; they are in causal order.
    pub(super) fn nodes(&mut self, outlines: &[Outline]) -> Result<(Vec<Node>, Contexts)> {
        let mut contexts = Contexts::new(self.denials.list.len());
        let mut nodes = Vec::with_capacity(outlines.len());
        let mut places: HashMap<EntryId, usize> = HashMap::with_capacity(outlines.len());
        let mut charged = BTreeSet::new();
        for outline in outlines {
            let mut charges = self.denied(outline)?;
            charged.extend(charges.iter().copied());
            charges.extend(self.context_of(outline, &mut contexts));
            let inside = outline.parents.iter().filter_map(|id| places.get(id));
            let inside = inside.copied().collect();
            places.insert(outline.id, nodes.len());
            nodes.push(Node {
                id: outline.id,
                parents: inside,
                permitted: outline.known.role >= Some(Role::Editor),
                charges,
                vouches: Vec::new(),
            });
        }
        if !charged.is_empty() {
            for (node, outline) in nodes.iter_mut().zip(outlines) {
                node.vouches = self.unknown_to(outline, false);
                node.vouches.retain(|denial| charged.contains(denial));
            }
        }
        if !contexts.is_empty() {
            for (node, outline) in nodes.iter_mut().zip(outlines) {
                node.vouches.extend(self.vouches_in(outline, &mut contexts));
            }
        }
        Ok((nodes, contexts))
    }
}

/// What an entry builds on.
pub(super) fn parents(entry: &Entry) -> Vec<EntryId> {
    let header = &entry.header;
    let prev = (header.prev != EntryId::ZERO).then_some(header.prev);
    let deps = header.deps.iter().map(|dep| dep.id);
    prev.into_iter().chain(deps).collect()
}
