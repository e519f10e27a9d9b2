//! The graph of control entries: what lies in whose past.

use crate::feed::Entry;
use crate::model::{EntryId, FeedId};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

const WORDS: usize = 32;
const CHUNK: usize = WORDS * 64;

type Chunk = Option<Arc<[u64; WORDS]>>;

/// A set of node numbers. Full pasts of neighbours differ in a few chunks only and share the
/// rest, which keeps a long history at a few hundred bytes per entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AncestorSet {
    chunks: Vec<Chunk>,
}

impl AncestorSet {
    /// Whether node `at` is in the set.
    pub fn contains(&self, at: usize) -> bool {
        self.chunks
            .get(at / CHUNK)
            .and_then(Option::as_ref)
            .and_then(|chunk| chunk.get(at % CHUNK / 64))
            .is_some_and(|word| word >> (at % 64) & 1 == 1)
    }

    fn insert(&mut self, at: usize) {
        if self.chunks.len() <= at / CHUNK {
            self.chunks.resize(at / CHUNK + 1, None);
        }
        if let Some(slot) = self.chunks.get_mut(at / CHUNK) {
            let chunk = Arc::make_mut(slot.get_or_insert_with(|| Arc::new([0; WORDS])));
            if let Some(word) = chunk.get_mut(at % CHUNK / 64) {
                *word |= 1 << (at % 64);
            }
        }
    }

    fn union(&mut self, other: &AncestorSet) {
        if self.chunks.len() < other.chunks.len() {
            self.chunks.resize(other.chunks.len(), None);
        }
        for (mine, theirs) in self.chunks.iter_mut().zip(&other.chunks) {
            *mine = join(mine.take(), theirs);
        }
    }
}

/// The union of two chunks, sharing the memory of either where it is the union already.
fn join(mine: Chunk, theirs: &Chunk) -> Chunk {
    let (Some(a), Some(b)) = (&mine, theirs) else {
        return mine.or_else(|| theirs.clone());
    };
    if Arc::ptr_eq(a, b) || a.iter().zip(b.iter()).all(|(a, b)| a | b == *a) {
        return mine;
    }
    if a.iter().zip(b.iter()).all(|(a, b)| a | b == *b) {
        return theirs.clone();
    }
    let mut both = **a;
    for (word, other) in both.iter_mut().zip(b.iter()) {
        *word |= other;
    }
    Some(Arc::new(both))
}

/// A control entry in the graph.
#[derive(Debug)]
pub struct Node {
    /// Its id.
    pub id: EntryId,
    feed: FeedId,
    seq: u64,
    /// The length of the longest path to genesis: the same on every peer.
    pub depth: u64,
    /// Everything before it.
    pub past: AncestorSet,
    /// The highest key generation in it and its past.
    pub generation: u64,
    /// Why it was refused, if it was. A refused entry has no effect but keeps its place, because
    /// later entries of its feed build on it.
    pub refused: Option<String>,
}

/// Where an entry stands, before it is known whether it is accepted.
pub struct Place {
    /// Everything before it.
    pub past: AncestorSet,
    /// The highest key generation in its past.
    pub generation: u64,
    depth: u64,
}

/// Nodes are numbered as they arrive, parents first. The numbers are local and never decide
/// anything that peers must agree on.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    nodes: Vec<Arc<Node>>,
    index: HashMap<EntryId, usize>,
    heads: BTreeSet<usize>,
}

impl Graph {
    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// An entry by number.
    pub fn node(&self, at: usize) -> Option<&Node> {
        self.nodes.get(at).map(Arc::as_ref)
    }

    /// An entry by id.
    pub fn find(&self, id: &EntryId) -> Option<&Node> {
        self.index.get(id).and_then(|at| self.node(*at))
    }

    /// The number of an entry.
    pub fn number(&self, id: &EntryId) -> Option<usize> {
        self.index.get(id).copied()
    }

    /// The accepted entries that no accepted entry has in its past, rising by id.
    pub fn heads(&self) -> Vec<EntryId> {
        let mut heads: Vec<_> = self
            .heads
            .iter()
            .filter_map(|at| self.node(*at))
            .map(|node| node.id)
            .collect();
        heads.sort_unstable();
        heads
    }

    /// Whether `earlier` is in the past of `later`.
    pub fn precedes(&self, earlier: usize, later: usize) -> bool {
        self.node(later).is_some_and(|n| n.past.contains(earlier))
    }

    /// What ranks entries by age on every peer alike.
    pub fn age(&self, at: usize) -> (u64, EntryId) {
        self.node(at)
            .map_or((u64::MAX, EntryId::ZERO), |n| (n.depth, n.id))
    }

    /// Finds an entry's place. Errors with the reason when a parent is not in the graph or the
    /// entry does not continue its feed.
    pub fn place(&self, entry: &Entry) -> Result<Place, String> {
        let header = &entry.header;
        if header.prev != EntryId::ZERO {
            let continues = self.find(&header.prev).is_some_and(|prev| {
                prev.feed == header.feed && prev.seq.checked_add(1) == Some(header.seq)
            });
            if !continues {
                return Err("it does not continue its feed".into());
            }
        }
        let parents = header.ctl.iter().chain([&header.prev]);
        self.after(parents.filter(|id| **id != EntryId::ZERO))
            .ok_or_else(|| "it builds on an entry that is not in the graph".into())
    }

    /// The place after all of `parents`. None when one is unknown.
    pub fn after<'a>(&self, parents: impl Iterator<Item = &'a EntryId>) -> Option<Place> {
        let mut place = Place {
            past: AncestorSet::default(),
            generation: 0,
            depth: 0,
        };
        for id in parents {
            let at = *self.index.get(id)?;
            let node = self.node(at)?;
            place.past.union(&node.past);
            place.past.insert(at);
            place.depth = place.depth.max(node.depth.saturating_add(1));
            place.generation = place.generation.max(node.generation);
        }
        Some(place)
    }

    /// Adds an entry at its place and returns its number.
    pub fn add(&mut self, entry: &Entry, place: Place, refused: Option<String>) -> usize {
        let at = self.nodes.len();
        if refused.is_none() {
            self.heads.retain(|head| !place.past.contains(*head));
            self.heads.insert(at);
        }
        self.index.insert(entry.id, at);
        self.nodes.push(Arc::new(Node {
            id: entry.id,
            feed: entry.header.feed,
            seq: entry.header.seq,
            depth: place.depth,
            past: place.past,
            generation: place.generation,
            refused,
        }));
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_insert_unite_and_share() {
        let mut a = AncestorSet::default();
        for at in 0..CHUNK + 10 {
            a.insert(at);
        }
        let mut b = a.clone();
        b.insert(3 * CHUNK + 1);
        assert!(!a.contains(3 * CHUNK + 1) && b.contains(3 * CHUNK + 1));
        assert!(!b.contains(2 * CHUNK) && !b.contains(CHUNK + 10) && b.contains(CHUNK + 9));
        a.union(&b);
        assert_eq!(a, b);
        let shared = a.chunks.iter().zip(&b.chunks);
        for (a, b) in shared.filter_map(|(a, b)| a.as_ref().zip(b.as_ref())) {
            assert!(Arc::ptr_eq(a, b));
        }
        let (mut odd, mut even) = (AncestorSet::default(), AncestorSet::default());
        odd.insert(1);
        even.insert(2);
        odd.union(&even);
        assert!(odd.contains(1) && odd.contains(2) && !odd.contains(0));
    }
}
