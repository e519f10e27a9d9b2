//! Which accepted operations stand: superiors' denials void what the denied did concurrently, and
//! what stood on that falls with it (research: auth.md 3(c)).
//!
//! Decided in one order: first the operations of each identity about its own devices, by the
//! devices' rank, then all others by their authors' rank. An operation is void when a denial that
//! stands, of somebody strictly higher and concurrent with it, takes from its author more than it
//! needs; and it falls when what stands in its past gives its author too little. What ranks lower
//! than an operation cannot change it: it counts as it did when the operation was written. So
//! everything depends on what was decided before, and the result on the set of entries alone.
//!
//! Whoever closes an invitation stands above the role it gives, so that a close is decided before
//! every join that it voids.

use super::ancestry::{AncestorSet, Graph, Node};
use super::deed::{Deed, Ground};
use super::denials::Target;
use super::facts::{Facts, View};
use super::tenure::outranks;
use crate::model::{DeviceKey, IdentityKey};
use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Why an accepted operation has no effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// This entry denies its author.
    Denied(usize),
    /// It is against somebody, or joins as somebody, whom this entry makes top owner.
    Shielded(usize),
    /// It joins by an invitation that this entry closes.
    Closed(usize),
    /// What gave its author the right to it does not stand.
    Fallen,
}

/// The operations of a set of entries that do not stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dead {
    /// Their numbers.
    pub set: AncestorSet,
    /// Why.
    pub causes: BTreeMap<usize, Cause>,
}

/// Decides which operations of `universe`, a set that has its entries' pasts in it, stand.
///
/// Only what lies above the newest point that everything newer builds on is decided anew: below it
/// nothing can have changed, and its first entry there knows the outcome.
pub fn resolve(graph: &Graph, facts: &Facts, universe: &AncestorSet) -> Arc<Dead> {
    let region = region(graph, universe);
    let Some(first) = region.last().and_then(|at| graph.node(*at)) else {
        return Arc::default();
    };
    if region.len() == 1 {
        return first.dead.clone();
    }
    let mut pass = Pass::new(graph, facts, first, &region);
    pass.run();
    pass.finish()
}

/// The numbers above the newest such point, falling.
fn region(graph: &Graph, universe: &AncestorSet) -> Vec<usize> {
    let mut region = Vec::new();
    // The lowest entry so far that one of the region does not build on.
    let mut lowest = usize::MAX;
    for at in universe.falling() {
        let Some(node) = graph.node(at) else { continue };
        let missing = universe.first_missing(&node.past, at);
        lowest = lowest.min(missing.unwrap_or(usize::MAX));
        region.push(at);
        if lowest >= at {
            break;
        }
    }
    region
}

struct Pass<'a> {
    graph: &'a Graph,
    facts: &'a Facts,
    base: Arc<Dead>,
    /// What is decided: everything below the region, and of the region what had its turn.
    decided: AncestorSet,
    dead: AncestorSet,
    causes: BTreeMap<usize, Cause>,
    offices: Vec<(usize, &'a Node, &'a Deed)>,
    /// Of each identity the operations about its devices, in order of rank.
    house: HashMap<IdentityKey, Vec<(usize, &'a Node, &'a Deed)>>,
    /// Revocations of devices by their own identity.
    revokes: HashMap<DeviceKey, Vec<usize>>,
    /// Denials by others that stand.
    denials: HashMap<Target, Vec<usize>>,
    /// Hand-overs that stand, by successor.
    raised: HashMap<IdentityKey, Vec<usize>>,
    /// Closings that stand, by invitation.
    closed: HashMap<[u8; 32], Vec<usize>>,
    /// Operations about own devices that a superior's revocation voids, with that.
    voided: BTreeMap<usize, usize>,
}

impl<'a> Pass<'a> {
    fn new(graph: &'a Graph, facts: &'a Facts, first: &'a Node, region: &[usize]) -> Pass<'a> {
        let mut pass = Pass {
            graph,
            facts,
            base: first.dead.clone(),
            decided: first.past.clone(),
            dead: first.dead.set.clone(),
            causes: BTreeMap::new(),
            offices: Vec::new(),
            house: HashMap::new(),
            revokes: HashMap::new(),
            denials: HashMap::new(),
            raised: HashMap::new(),
            closed: HashMap::new(),
            voided: BTreeMap::new(),
        };
        for at in region.iter().rev() {
            let Some((node, deed)) = graph.deed(*at) else {
                continue;
            };
            if !deed.is_house() {
                pass.offices.push((*at, node, deed));
                continue;
            }
            let house = pass.house.entry(deed.identity).or_default();
            house.push((*at, node, deed));
            if let Some((Target::Device(device), _)) = deed.denies {
                pass.revokes.entry(device).or_default().push(*at);
            }
        }
        for house in pass.house.values_mut() {
            house.sort_by(|a, b| {
                let rank = a.2.device_rank.cmp(&b.2.device_rank);
                rank.then_with(|| (a.1.depth, a.1.id).cmp(&(b.1.depth, b.1.id)))
            });
        }
        pass.offices.sort_by(|a, b| by_rank((a.1, a.2), (b.1, b.2)));
        pass
    }

    fn run(&mut self) {
        let identities: Vec<_> = self.house.keys().copied().collect();
        for identity in identities {
            self.keep_house(&identity);
        }
        for (at, node, deed) in std::mem::take(&mut self.offices) {
            let cause = match deed.ground {
                Ground::Nothing => None,
                _ => self.killer(at, node, deed),
            };
            self.decide(at, node, deed, cause);
            if cause.is_some() || self.dead.contains(at) {
                continue;
            }
            if let Some(raised) = deed.raises {
                self.raised.entry(raised).or_default().push(at);
            }
            if let Some(invitation) = deed.closes {
                self.closed.entry(invitation).or_default().push(at);
            }
            if let Some((target, _)) = deed.denies {
                self.denials.entry(target).or_default().push(at);
                if let Target::Device(device) = target {
                    self.void_house(at, deed, device);
                }
            }
        }
    }

    /// Records the outcome of an operation whose turn it is.
    fn decide(&mut self, at: usize, node: &Node, deed: &Deed, cause: Option<Cause>) {
        let fallen = || (!self.stands(node, deed)).then_some(Cause::Fallen);
        if let Some(cause) = cause.or_else(fallen) {
            self.dead.insert(at);
            self.causes.insert(at, cause);
        }
        self.decided.insert(at);
    }

    /// Decides the operations of an identity about its own devices.
    fn keep_house(&mut self, identity: &IdentityKey) {
        let Some(house) = self.house.remove(identity) else {
            return;
        };
        for (at, _, _) in &house {
            self.decided.remove(*at);
            self.dead.remove(*at);
            self.causes.remove(at);
        }
        for (at, node, deed) in &house {
            let voided = self.voided.get(at).map(|by| Cause::Denied(*by));
            let cause = voided.or_else(|| self.revoked_within(*at, deed).map(Cause::Denied));
            self.decide(*at, node, deed, cause);
        }
        self.house.insert(*identity, house);
    }

    /// A superior revoked a device: what it did concurrently to the devices of its identity is
    /// void, and what followed from that is decided again.
    fn void_house(&mut self, by: usize, denial: &Deed, device: DeviceKey) {
        let mut again = Vec::new();
        for (identity, house) in &self.house {
            let hit = house.iter().filter(|(at, _, deed)| {
                deed.device == device
                    && !self.voided.contains_key(at)
                    && self.concurrent(by, *at)
                    && stands_above(denial, deed)
            });
            let hit: Vec<usize> = hit.map(|(at, _, _)| *at).collect();
            if !hit.is_empty() {
                again.push((*identity, hit));
            }
        }
        for (identity, hit) in again {
            self.voided.extend(hit.into_iter().map(|at| (at, by)));
            self.keep_house(&identity);
        }
    }

    fn concurrent(&self, a: usize, b: usize) -> bool {
        a != b && !self.graph.precedes(a, b) && !self.graph.precedes(b, a)
    }

    /// A more senior device of the same identity that revoked the author's device concurrently.
    fn revoked_within(&self, at: usize, deed: &Deed) -> Option<usize> {
        let revokes = self.revokes.get(&deed.device)?;
        revokes.iter().copied().find(|by| {
            let revoke = self.graph.deed(*by).map(|(_, revoke)| revoke);
            self.decided.contains(*by)
                && !self.dead.contains(*by)
                && revoke.is_some_and(|revoke| revoke.device_rank < deed.device_rank)
                && self.concurrent(*by, at)
        })
    }

    /// What voids an operation: the first in the order of ranks.
    fn killer(&self, at: usize, node: &Node, deed: &Deed) -> Option<Cause> {
        if let Ground::Invitation(key, _) = &deed.ground {
            let closed = self.closer(at, deed, key).map(Cause::Closed);
            return closed.or_else(|| self.shield(at, deed));
        }
        if let Some(by) = self.revoked_within(at, deed) {
            return Some(Cause::Denied(by));
        }
        let targets = [Target::Identity(deed.identity), Target::Device(deed.device)];
        for target in targets {
            let denials = self.denials.get(&target).into_iter().flatten();
            let by = denials.copied().find(|by| {
                let denial = self.graph.deed(*by).map(|(_, denial)| denial);
                denial.is_some_and(|denial| denies(denial, deed))
                    && !node.past.contains(*by)
                    && !self.graph.precedes(at, *by)
            });
            if let Some(by) = by {
                return Some(Cause::Denied(by));
            }
        }
        self.shield(at, deed)
    }

    /// The hand-over, concurrent with an operation, to whom that is against.
    fn shield(&self, at: usize, deed: &Deed) -> Option<Cause> {
        let raised = self.raised.get(&deed.against?)?;
        let by = raised.iter().copied().find(|by| {
            let raising = self.graph.deed(*by).map(|(_, raising)| raising);
            raising.is_some_and(|raising| shields(raising, deed)) && self.concurrent(*by, at)
        });
        by.map(Cause::Shielded)
    }

    /// Who closed the invitation of a join concurrently with it: whoever stole a link can let its
    /// guests join in entries that pretend to be older than the closing.
    fn closer(&self, at: usize, join: &Deed, key: &[u8; 32]) -> Option<usize> {
        self.closed.get(key)?.iter().copied().find(|by| {
            let close = self.graph.deed(*by).map(|(_, close)| close);
            close.is_some_and(|close| stands_above(close, join)) && self.concurrent(*by, at)
        })
    }

    /// Whether what stands in an operation's past still gives its author what it needs. If what
    /// it could see is as it was when it was judged, it does.
    fn stands(&self, node: &Node, deed: &Deed) -> bool {
        let then = &node.dead.set;
        if !node.past.disagrees(&self.decided, &self.dead, then) {
            return true;
        }
        let dead = self.decided.choose(&self.dead, then);
        let view = View {
            graph: self.graph,
            facts: self.facts,
            past: Some(&node.past),
            dead: &dead,
        };
        let acts = || view.device(&deed.device, &deed.identity).is_some();
        match &deed.ground {
            Ground::Nothing | Ground::Recovery => true,
            Ground::House => acts(),
            Ground::Office(need) => acts() && view.role(&deed.identity) >= *need,
            Ground::Invitation(key, role) => view
                .invitation(key)
                .is_some_and(|(cap, open)| open && cap >= *role),
        }
    }

    fn finish(self) -> Arc<Dead> {
        if self.causes.is_empty() {
            return self.base;
        }
        let mut causes = self.base.causes.clone();
        causes.extend(self.causes);
        Arc::new(Dead {
            set: self.dead,
            causes,
        })
    }
}

/// Higher ranks first; of one rank what comes earlier in the graph.
fn by_rank(a: (&Node, &Deed), b: (&Node, &Deed)) -> Ordering {
    let rank = match (&a.1.rank, &b.1.rank) {
        (Some(a), Some(b)) => (Reverse(a.0), &a.1).cmp(&(Reverse(b.0), &b.1)),
        (a, b) => b.is_some().cmp(&a.is_some()),
    };
    // A hand-over comes before what its successor does, or what is done against that one.
    let raises = b.1.raises.is_some().cmp(&a.1.raises.is_some());
    let age = (a.0.depth, a.0.id).cmp(&(b.0.depth, b.0.id));
    rank.then(raises).then(age)
}

fn stands_above(upper: &Deed, lower: &Deed) -> bool {
    match (&upper.rank, &lower.rank) {
        (Some(upper), Some(lower)) => outranks(upper, lower),
        (upper, _) => upper.is_some(),
    }
}

/// Whether a denial of an operation's author, or its device, takes what the operation needs.
fn denies(denial: &Deed, deed: &Deed) -> bool {
    let takes = match (&denial.denies, &deed.ground) {
        (Some((Target::Identity(_), leaves)), Ground::Office(need)) => leaves < need,
        (Some((Target::Device(_), _)), _) => true,
        _ => false,
    };
    takes && denial.identity != deed.identity && stands_above(denial, deed)
}

/// Whether a hand-over voids what is done against the successor: by those below it, by the one
/// who handed over, or by the successor itself, who may not step down any more, nor join as less.
fn shields(raising: &Deed, deed: &Deed) -> bool {
    deed.identity == raising.identity
        || Some(deed.identity) == raising.raises
        || stands_above(raising, deed)
}
