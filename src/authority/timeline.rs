//! A timeline: facts about one thing, of which the causally latest count.

use super::ancestry::Graph;

/// A fact with the number of the entry that established it.
#[derive(Clone, Debug)]
pub struct Dated<T> {
    /// The entry's number.
    pub at: usize,
    /// The fact.
    pub fact: T,
    /// Whether every earlier fact of the timeline lies in its past. Where history is linear all
    /// do, and looking back ends at once; without it, changing one role over and over would cost
    /// the square of the number of changes.
    settles: bool,
}

/// Facts in order of arrival, which is a causal order.
#[derive(Clone, Debug)]
pub struct Timeline<T> {
    facts: Vec<Dated<T>>,
}

impl<T> Default for Timeline<T> {
    fn default() -> Self {
        Timeline { facts: Vec::new() }
    }
}

impl<T> Timeline<T> {
    /// Adds a fact of entry number `at`, which is in the graph.
    pub fn push(&mut self, graph: &Graph, at: usize, fact: T) {
        let mut settles = true;
        for earlier in self.facts.iter().rev() {
            // Facts of one entry stand side by side: neither comes before the other.
            settles &= graph.precedes(earlier.at, at);
            if !settles || earlier.settles {
                break;
            }
        }
        self.facts.push(Dated { at, fact, settles });
    }

    /// All facts.
    pub fn iter(&self) -> impl Iterator<Item = &Dated<T>> {
        self.facts.iter()
    }

    /// The latest of the facts that `sees` shows: those that no other shown one has in its past.
    pub fn latest(&self, graph: &Graph, sees: impl Fn(usize) -> bool) -> Vec<&Dated<T>> {
        let mut latest: Vec<&Dated<T>> = Vec::new();
        // Going backwards, nothing met later can cover what was taken.
        for dated in self.facts.iter().rev().filter(|dated| sees(dated.at)) {
            let covered = |later: &&Dated<T>| graph.precedes(dated.at, later.at);
            if !latest.iter().any(covered) {
                latest.push(dated);
            }
            if dated.settles {
                break;
            }
        }
        latest
    }
}
