//! Which data entries count when members were denied (research: auth.md 3(d); docs/adr/0007): pure,
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
    /// It counts. For every denial that charges it, an entry that vouches; which of several depends
    /// on what was here when it was judged.
    Valid(BTreeMap<DenialIndex, EntryId>),
    /// Its author might not write.
    NotPermitted,
    /// The denial charges it, and nobody vouches.
    Denied(DenialIndex),
    /// It builds on this entry, which does not count.
    BuildsOn(EntryId),
}

type Vouchers = BTreeMap<DenialIndex, EntryId>;

/// Judges the nodes. They hold everything that builds on any of them, and everything that does not
/// count yet: what is outside counts.
pub fn judge(nodes: &[Node]) -> Vec<Verdict> {
    let mut out: Vec<bool> = nodes.iter().map(|node| !node.permitted).collect();
    loop {
        take_followers(nodes, &mut out);
        let vouchers = vouchers(nodes, &out);
        let mut changed = false;
        for ((node, out), vouchers) in nodes.iter().zip(&mut out).zip(&vouchers) {
            let answered = node.charges.iter().all(|r| vouchers.contains_key(r));
            if !*out && !answered {
                *out = true;
                changed = true;
            }
        }
        // Each round takes something away, so that this ends; what is left is the greatest set.
        if !changed {
            let found = nodes.iter().zip(vouchers).enumerate();
            return found
                .map(|(at, (node, vouchers))| verdict(nodes, &out, at, node, vouchers))
                .collect();
        }
    }
}

/// What is said of a node does not depend on the way in which it was found.
fn verdict(
    nodes: &[Node],
    out: &[bool],
    at: usize,
    node: &Node,
    mut vouchers: Vouchers,
) -> Verdict {
    if !is_out(out, at) {
        vouchers.retain(|denial, _| node.charges.contains(denial));
        return Verdict::Valid(vouchers);
    }
    if !node.permitted {
        return Verdict::NotPermitted;
    }
    if let Some(denial) = node.charges.first() {
        return Verdict::Denied(*denial);
    }
    let bad = node.parents.iter().filter(|parent| is_out(out, **parent));
    let bad = bad.filter_map(|parent| nodes.get(*parent));
    Verdict::BuildsOn(bad.map(|node| node.id).min().unwrap_or(EntryId::ZERO))
}

fn is_out(out: &[bool], at: usize) -> bool {
    out.get(at).copied().unwrap_or_default()
}

/// Takes away what builds on what was taken away.
fn take_followers(nodes: &[Node], out: &mut [bool]) {
    for (at, node) in nodes.iter().enumerate() {
        let bad = node.parents.iter().any(|parent| is_out(out, *parent));
        if let (true, Some(out)) = (bad, out.get_mut(at)) {
            *out = true;
        }
    }
}

/// For each node, who vouches after it.
fn vouchers(nodes: &[Node], out: &[bool]) -> Vec<Vouchers> {
    let mut vouchers: Vec<Vouchers> = vec![Vouchers::new(); nodes.len()];
    for (at, node) in nodes.iter().enumerate().rev() {
        // Whatever comes after a node that is out is out as well.
        if is_out(out, at) {
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
