//! What an object's history tells: what others did since, and on which element a value stands.

use super::super::Document;
use super::super::resolve::failure;
use super::spots::{object, operations};
use super::twins::{Op, op};
use crate::model::Result;
use automerge::legacy::{Key, OpType};
use automerge::{ActorId, AutoCommit, ChangeHash, ObjId, ReadDoc};
use std::collections::{HashMap, HashSet};

/// What others did since, or at the same time as, a change.
pub(super) struct Since {
    /// Whether there is anything.
    pub any: bool,
    /// Values, elements and characters that they replaced or removed.
    pub killed: HashSet<Op>,
    /// Containers in which they changed anything, however deep.
    pub worked_in: HashSet<Op>,
}

impl Since {
    pub(super) fn of(
        document: &mut Document,
        deps: &[ChangeHash],
        own: &dyn Fn(&[u8]) -> bool,
    ) -> Result<Since> {
        let changes = document.am.get_changes_meta(deps).into_iter();
        let foreign: Vec<ChangeHash> = changes
            .filter(|change| !own(change.actor.to_bytes()))
            .map(|change| change.hash)
            .collect();
        let mut since = Since {
            any: !foreign.is_empty(),
            killed: HashSet::new(),
            worked_in: HashSet::new(),
        };
        let mut objects: HashSet<ObjId> = HashSet::new();
        for hash in foreign {
            let Some(change) = ReadDoc::get_change_by_hash(&document.am, &hash) else {
                continue;
            };
            for (_, change_op) in operations(&change) {
                if !matches!(change_op.action, OpType::Increment(_)) {
                    let killed = change_op.pred.iter();
                    since.killed.extend(killed.map(|op| (op.0, op.1.clone())));
                }
                objects.insert(object(&change_op.obj));
            }
        }
        for object in objects {
            since.worked_in.extend(op(&object));
            let parents = document.am.parents(&object).map_err(failure)?;
            let parents = parents.filter_map(|parent| op(&parent.obj));
            since.worked_in.extend(parents);
        }
        Ok(since)
    }
}

/// Which change holds which operation.
pub(super) struct History {
    by_actor: HashMap<ActorId, Vec<(u64, u64, ChangeHash)>>,
    elements: HashMap<Op, Op>,
}

impl History {
    pub(super) fn of(document: &mut Document) -> History {
        let mut by_actor: HashMap<ActorId, Vec<(u64, u64, ChangeHash)>> = HashMap::new();
        for change in document.am.get_changes_meta(&[]) {
            let ranges = by_actor.entry(change.actor.into_owned()).or_default();
            ranges.push((change.start_op, change.max_op, change.hash));
        }
        for ranges in by_actor.values_mut() {
            ranges.sort_unstable_by_key(|(start, _, _)| *start);
        }
        History {
            by_actor,
            elements: HashMap::new(),
        }
    }

    /// The element of a list that a value stands on; of one that is in no change yet, itself.
    pub(super) fn element_of(&mut self, am: &AutoCommit, value: &Op) -> Op {
        if let Some(element) = self.elements.get(value) {
            return element.clone();
        }
        let Some(hash) = self.holder(value) else {
            return value.clone();
        };
        let Some(change) = ReadDoc::get_change_by_hash(am, &hash) else {
            return value.clone();
        };
        for (op, change_op) in operations(&change) {
            let element = match (&change_op.key, change_op.insert) {
                (Key::Seq(element), false) => element.as_opid().map(|e| (e.0, e.1.clone())),
                _ => Some(op.clone()),
            };
            if let Some(element) = element {
                self.elements.insert(op, element);
            }
        }
        self.elements.get(value).unwrap_or(value).clone()
    }

    fn holder(&self, op: &Op) -> Option<ChangeHash> {
        let ranges = self.by_actor.get(&op.1)?;
        let after = ranges.partition_point(|(start, _, _)| *start <= op.0);
        let (_, last, hash) = ranges.get(after.checked_sub(1)?)?;
        (op.0 <= *last).then_some(*hash)
    }
}
