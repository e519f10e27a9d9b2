//! Which data entries count when members were denied (research: auth.md 3(d); docs/adr/0011): pure,
//! a function of the entries and the denials, whatever the order in which they came.
//!
//! An entry is *charged* by a denial of its author that it does not know of, unless it is at or
//! before an entry which the denial names to be kept. The valid entries are the greatest set of
//! which each member is permitted, builds on members only, and has, for every denial that charges
//! it, a member after it that *vouches*: whose author the denial does not cover, and that does not
//! know of the denial. There is one greatest such set, since the union of two is one.

use crate::model::EntryId;
use std::collections::BTreeMap;

/// Stands for a denial.
pub type DenialIndex = usize;

/// A data entry, as far as its verdict depends on it.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its id.
    pub id: EntryId,
    /// Its parents among the nodes; they come before it.
    pub parents: Vec<usize>,
    /// A parent that is none of the nodes and does not count.
    pub tainted: Option<EntryId>,
    /// Whether its author might write, as far as it knew.
    pub permitted: bool,
    /// The denials that charge it.
    pub charges: Vec<DenialIndex>,
    /// The denials against which it can vouch for what it builds on.
    pub vouches: Vec<DenialIndex>,
}

/// What is to become of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It counts. For every denial that charges it, the entry that vouches; of several the one with
    /// the lowest id, which is the same everywhere.
    Valid(BTreeMap<DenialIndex, EntryId>),
    /// Its author might not write.
    NotPermitted,
    /// The denial charges it, and nobody vouches.
    Denied(DenialIndex),
    /// It builds on this entry, which does not count.
    BuildsOn(EntryId),
}

impl Verdict {
    /// Whether the entry counts.
    pub fn is_valid(&self) -> bool {
        matches!(self, Verdict::Valid(_))
    }
}

type Vouchers = BTreeMap<DenialIndex, EntryId>;

/// Judges the nodes. They hold everything that builds on any of them; what is outside counts,
/// unless it is named as [`Node::tainted`].
pub fn judge(nodes: &[Node]) -> Vec<Verdict> {
    let mut verdicts: Vec<Option<Verdict>> = nodes.iter().map(refused_alone).collect();
    loop {
        forward(nodes, &mut verdicts);
        let vouchers = backward(nodes, &verdicts);
        let mut changed = false;
        for ((node, verdict), vouchers) in nodes.iter().zip(&mut verdicts).zip(&vouchers) {
            let unanswered = node.charges.iter().find(|r| !vouchers.contains_key(r));
            if let (None, Some(denial)) = (&verdict, unanswered) {
                *verdict = Some(Verdict::Denied(*denial));
                changed = true;
            }
        }
        // Each round takes something away, so that this ends; what is left is the greatest set.
        if !changed {
            let found = nodes.iter().zip(verdicts).zip(vouchers);
            return found
                .map(|((node, verdict), mut vouchers)| {
                    verdict.unwrap_or_else(|| {
                        vouchers.retain(|denial, _| node.charges.contains(denial));
                        Verdict::Valid(vouchers)
                    })
                })
                .collect();
        }
    }
}

fn refused_alone(node: &Node) -> Option<Verdict> {
    match (node.permitted, node.tainted) {
        (false, _) => Some(Verdict::NotPermitted),
        (true, Some(parent)) => Some(Verdict::BuildsOn(parent)),
        (true, None) => None,
    }
}

/// Takes away what builds on what was taken away.
fn forward(nodes: &[Node], verdicts: &mut [Option<Verdict>]) {
    for (at, node) in nodes.iter().enumerate() {
        let bad = node.parents.iter().filter(|parent| {
            let verdict = verdicts.get(**parent);
            verdict.is_some_and(|verdict| verdict.is_some())
        });
        let bad = bad
            .filter_map(|parent| nodes.get(*parent))
            .map(|node| node.id);
        if let (Some(parent), Some(verdict)) = (bad.min(), verdicts.get_mut(at)) {
            verdict.get_or_insert(Verdict::BuildsOn(parent));
        }
    }
}

/// For each node, who vouches after it.
fn backward(nodes: &[Node], verdicts: &[Option<Verdict>]) -> Vec<Vouchers> {
    let mut vouchers: Vec<Vouchers> = vec![Vouchers::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate().rev() {
        // Whatever comes after a node that is out is out as well.
        if verdicts.get(at).is_none_or(|verdict| verdict.is_some()) {
            continue;
        }
        let mut handed = vouchers.get(at).cloned().unwrap_or_default();
        for denial in &node.vouches {
            put(&mut handed, *denial, node.id);
        }
        for parent in &node.parents {
            if let Some(vouchers) = vouchers.get_mut(*parent) {
                handed.iter().for_each(|(r, id)| put(vouchers, *r, *id));
            }
        }
    }
    vouchers
}

fn put(vouchers: &mut Vouchers, denial: DenialIndex, id: EntryId) {
    let lowest = vouchers.entry(denial).or_insert(id);
    *lowest = (*lowest).min(id);
}

#[cfg(test)]
#[path = "validity_tests.rs"]
mod tests;
