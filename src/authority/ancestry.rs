//! The graph of control entries: what lies in whose past.

use super::deed::Deed;
use super::resolution::Dead;
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

    /// Adds a number.
    pub fn insert(&mut self, at: usize) {
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

    /// Takes a number out.
    pub fn remove(&mut self, at: usize) {
        if !self.contains(at) {
            return;
        }
        if let Some(Some(chunk)) = self.chunks.get_mut(at / CHUNK)
            && let Some(word) = Arc::make_mut(chunk).get_mut(at % CHUNK / 64)
        {
            *word &= !(1 << (at % 64));
        }
    }

    /// The numbers in the set, falling.
    pub fn falling(&self) -> impl Iterator<Item = usize> + '_ {
        let chunks = self.chunks.iter().enumerate().rev();
        let chunks = chunks.filter_map(|(at, chunk)| Some((at * CHUNK, chunk.as_deref()?)));
        chunks.flat_map(|(base, chunk)| {
            let words = chunk.iter().enumerate().rev();
            let words = words.filter(|(_, word)| **word != 0);
            words.flat_map(move |(at, word)| {
                let bits = (0..64).rev().filter(move |bit| word >> bit & 1 == 1);
                bits.map(move |bit| base + at * 64 + bit)
            })
        })
    }

    /// The lowest number below `below` that is in the set and not in `other`.
    pub fn first_missing(&self, other: &AncestorSet, below: usize) -> Option<usize> {
        for (at, chunk) in self.chunks.iter().enumerate() {
            if at * CHUNK >= below {
                return None;
            }
            let Some(mine) = chunk else { continue };
            let theirs = other.chunks.get(at).and_then(Option::as_ref);
            if theirs.is_some_and(|theirs| Arc::ptr_eq(mine, theirs)) {
                continue;
            }
            for (word, bits) in mine.iter().enumerate() {
                let missing = bits & !word_of(theirs, word);
                if missing != 0 {
                    let first = at * CHUNK + word * 64 + missing.trailing_zeros() as usize;
                    return (first < below).then_some(first);
                }
            }
        }
        None
    }

    /// Whether `a` and `b` differ about a number that is both in the set and in `within`.
    pub fn disagrees(&self, within: &AncestorSet, a: &AncestorSet, b: &AncestorSet) -> bool {
        let lists = a.chunks.len().max(b.chunks.len());
        (0..lists.min(self.chunks.len())).any(|at| {
            let [of, within, a, b] = [self, within, a, b].map(|set| set.chunk(at));
            let (Some(of), Some(within)) = (of, within) else {
                return false;
            };
            let same = match (a, b) {
                (Some(a), Some(b)) => Arc::ptr_eq(a, b),
                (None, None) => true,
                _ => false,
            };
            let mut words = of.iter().zip(within.iter()).enumerate();
            !same
                && words.any(|(word, (of, within))| {
                    of & within & (word_of(a, word) ^ word_of(b, word)) != 0
                })
        })
    }

    /// The numbers of `inside` that are in the set, and those of `outside` that are not.
    pub fn choose(&self, inside: &AncestorSet, outside: &AncestorSet) -> AncestorSet {
        let lists = inside.chunks.len().max(outside.chunks.len());
        let chunks = (0..lists).map(|at| {
            let (inside, outside) = (inside.chunk(at), outside.chunk(at));
            if inside.is_none() && outside.is_none() {
                return None;
            }
            let by = self.chunk(at);
            Some(Arc::new(std::array::from_fn(|word| {
                let by = word_of(by, word);
                word_of(inside, word) & by | word_of(outside, word) & !by
            })))
        });
        AncestorSet {
            chunks: chunks.collect(),
        }
    }

    fn chunk(&self, at: usize) -> Option<&Arc<[u64; WORDS]>> {
        self.chunks.get(at).and_then(Option::as_ref)
    }

    /// Adds the numbers of another set.
    pub fn union(&mut self, other: &AncestorSet) {
        if self.chunks.len() < other.chunks.len() {
            self.chunks.resize(other.chunks.len(), None);
        }
        for (mine, theirs) in self.chunks.iter_mut().zip(&other.chunks) {
            *mine = join(mine.take(), theirs);
        }
    }
}

fn word_of(chunk: Option<&Arc<[u64; WORDS]>>, at: usize) -> u64 {
    chunk
        .and_then(|chunk| chunk.get(at))
        .copied()
        .unwrap_or_default()
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
    /// What it did, if it was accepted.
    pub deed: Option<Deed>,
    /// What of its past does not stand, seen from it.
    pub dead: Arc<Dead>,
}

/// Where an entry stands, before it is known whether it is accepted.
pub struct Place {
    /// Everything before it.
    pub past: AncestorSet,
    /// The highest key generation in its past.
    pub generation: u64,
    /// The length of the longest path to genesis.
    pub depth: u64,
    /// The entries it builds on.
    pub parents: Vec<usize>,
}

/// What became of an entry.
pub enum Outcome {
    /// It was accepted, and did this.
    Accepted(Box<Deed>),
    /// It was refused, for this reason.
    Refused(String),
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
            parents: Vec::new(),
        };
        for id in parents {
            let at = *self.index.get(id)?;
            let node = self.node(at)?;
            place.past.union(&node.past);
            place.past.insert(at);
            place.parents.push(at);
            place.depth = place.depth.max(node.depth.saturating_add(1));
            place.generation = place.generation.max(node.generation);
        }
        Some(place)
    }

    /// An accepted entry by number, with what it did.
    pub fn deed(&self, at: usize) -> Option<(&Node, &Deed)> {
        let node = self.node(at)?;
        Some((node, node.deed.as_ref()?))
    }

    /// Adds an entry at its place and returns its number. `dead`: what of its past does not stand.
    pub fn add(&mut self, entry: &Entry, place: Place, dead: Arc<Dead>, outcome: Outcome) -> usize {
        let at = self.nodes.len();
        let (deed, refused) = match outcome {
            Outcome::Accepted(deed) => (Some(*deed), None),
            Outcome::Refused(reason) => (None, Some(reason)),
        };
        if deed.is_some() {
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
            deed,
            dead,
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
