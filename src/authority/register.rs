//! The register: accepted operations by author and by target, and what does not stand of them all.
//! It is brought up to date as entries arrive where that is easy, and anew when somebody asks.

use super::ancestry::{AncestorSet, Graph};
use super::deed::{Deed, Ground};
use super::denials::Target;
use super::facts::Facts;
use super::resolution::{Dead, resolve};
use crate::model::{DeviceKey, IdentityKey};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

/// Outcomes kept for points that lie on several branches.
const KEPT: usize = 256;

#[derive(Debug, Default)]
pub struct Register {
    accepted: AncestorSet,
    by_identity: HashMap<IdentityKey, AncestorSet>,
    by_device: HashMap<DeviceKey, AncestorSet>,
    denials: HashMap<Target, Vec<usize>>,
    raised: HashMap<IdentityKey, AncestorSet>,
    /// By invitation: the entries that close it, and those that join by it.
    closes: HashMap<[u8; 32], AncestorSet>,
    joins: HashMap<[u8; 32], AncestorSet>,
    /// What does not stand of all entries.
    current: OnceLock<Arc<Dead>>,
    /// The same of the pasts of these entries together.
    kept: Mutex<HashMap<Vec<usize>, Arc<Dead>>>,
}

impl Clone for Register {
    fn clone(&self) -> Self {
        Register {
            accepted: self.accepted.clone(),
            by_identity: self.by_identity.clone(),
            by_device: self.by_device.clone(),
            denials: self.denials.clone(),
            raised: self.raised.clone(),
            closes: self.closes.clone(),
            joins: self.joins.clone(),
            current: self.current.clone(),
            // A copy numbers its entries on its own.
            kept: Mutex::default(),
        }
    }
}

impl Register {
    /// What does not stand of all entries.
    pub fn current<'a>(&'a self, graph: &Graph, facts: &Facts) -> &'a Arc<Dead> {
        self.current
            .get_or_init(|| resolve(graph, facts, &self.accepted))
    }

    /// What does not stand of `past`, the pasts of `parents` and these themselves.
    pub fn seen_from(
        &self,
        graph: &Graph,
        facts: &Facts,
        parents: &[usize],
        past: &AncestorSet,
    ) -> Arc<Dead> {
        let covers = |parent: &usize| {
            let mut others = parents.iter().filter(|other| *other != parent);
            others.all(|other| graph.precedes(*other, *parent))
        };
        if let Some(only) = parents.iter().find(|parent| covers(parent)) {
            return graph
                .node(*only)
                .map(|n| n.dead.clone())
                .unwrap_or_default();
        }
        if self.accepted.first_missing(past, usize::MAX).is_none() {
            return self.current(graph, facts).clone();
        }
        let covered = |parent: &usize| parents.iter().any(|other| graph.precedes(*parent, *other));
        let mut tips: Vec<usize> = parents.iter().copied().filter(|p| !covered(p)).collect();
        tips.sort_unstable();
        tips.dedup();
        let kept = || self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = kept().get(&tips) {
            return known.clone();
        }
        let dead = resolve(graph, facts, past);
        let mut kept = kept();
        if kept.len() >= KEPT {
            kept.clear();
        }
        kept.insert(tips, dead.clone());
        dead
    }

    /// Takes in an entry that was just added to graph and facts.
    pub fn note(&mut self, graph: &Graph, at: usize) {
        let Some((node, deed)) = graph.deed(at) else {
            return;
        };
        if !self.changes_nothing(node, deed) {
            self.current.take();
        }
        self.accepted.insert(at);
        let of = self.by_identity.entry(deed.identity).or_default();
        of.insert(at);
        self.by_device.entry(deed.device).or_default().insert(at);
        if let Some((target, _)) = deed.denies {
            self.denials.entry(target).or_default().push(at);
        }
        if let Some(invitation) = deed.closes {
            self.closes.entry(invitation).or_default().insert(at);
        }
        if let Ground::Invitation(invitation, _) = deed.ground {
            self.joins.entry(invitation).or_default().insert(at);
        }
        if let Some(raised) = deed.raises {
            self.raised.entry(raised).or_default().insert(at);
        }
    }

    /// Whether a new entry leaves everything as it is and stands itself: nothing concurrent with
    /// it denies its author, it is against nobody who did anything concurrently, no join and closing
    /// of one invitation meet, and what it was judged by has not changed since.
    fn changes_nothing(&self, node: &super::ancestry::Node, deed: &Deed) -> bool {
        let Some(current) = self.current.get() else {
            return false;
        };
        let missed = |set: Option<&AncestorSet>| {
            set.is_some_and(|set| set.first_missing(&node.past, usize::MAX).is_some())
        };
        if !missed(Some(&self.accepted)) {
            return true;
        }
        let denied = [Target::Identity(deed.identity), Target::Device(deed.device)]
            .iter()
            .filter_map(|target| self.denials.get(target))
            .flatten()
            .any(|denial| !node.past.contains(*denial));
        let hits = match deed.denies {
            Some((Target::Identity(identity), _)) => missed(self.by_identity.get(&identity)),
            Some((Target::Device(device), _)) => missed(self.by_device.get(&device)),
            None => false,
        };
        let shielded = deed
            .against
            .is_some_and(|who| missed(self.raised.get(&who)));
        let closed = match deed.ground {
            Ground::Invitation(key, _) => missed(self.closes.get(&key)),
            _ => false,
        };
        let closes = deed.closes.is_some_and(|key| missed(self.joins.get(&key)));
        let stale = node
            .past
            .disagrees(&self.accepted, &current.set, &node.dead.set);
        deed.raises.is_none() && !(denied || hits || shielded || closed || closes || stale)
    }
}
