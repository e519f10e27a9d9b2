//! What undoing makes again is new to the CRDT: a character put back has another name than the one
//! that was deleted. Twins say which stand for which, so that a step older than that finds what it
//! wrote. The same device as Yjs' redone items (`UndoManager`).

use automerge::{ActorId, ObjId};
use std::collections::HashMap;

/// An operation's name: counter and actor.
pub type Op = (u64, ActorId);

/// The operation that made a value, a list's element or a character; none made the root.
pub(in crate::objects) fn op(id: &ObjId) -> Option<Op> {
    match id {
        ObjId::Root => None,
        ObjId::Id(counter, actor, _) => Some((*counter, actor.clone())),
    }
}

/// The name under which Automerge finds it.
pub(in crate::objects) fn id(op: &Op) -> ObjId {
    ObjId::Id(op.0, op.1.clone(), 0)
}

/// Which operations of one object's document stand for which.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Twins {
    /// Of values, containers among them.
    pub(super) values: Pairs,
    /// Of the elements of lists and the characters of texts.
    pub(super) elements: Pairs,
}

impl Twins {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.origin.len() + self.elements.origin.len()
    }

    /// All of them: whether it is an element's, the later one, the one it stands for.
    pub fn iter(&self) -> impl Iterator<Item = (bool, &Op, &Op)> {
        let values = self
            .values
            .origin
            .iter()
            .map(|(new, old)| (false, new, old));
        let elements = self.elements.origin.iter();
        values.chain(elements.map(|(new, old)| (true, new, old)))
    }

    /// The latest of those that stand for `old`.
    pub fn latest(&self, element: bool, old: &Op) -> Option<&Op> {
        self.side(element).latest.get(old)
    }

    /// Adds one that [`Twins::iter`] gave; `latest` says whether it is the latest.
    pub fn add(&mut self, element: bool, new: Op, old: Op, latest: bool) {
        let pairs = match element {
            true => &mut self.elements,
            false => &mut self.values,
        };
        if latest {
            pairs.latest.insert(old.clone(), new.clone());
        }
        pairs.origin.insert(new, old);
    }

    fn side(&self, element: bool) -> &Pairs {
        match element {
            true => &self.elements,
            false => &self.values,
        }
    }
}

/// Twins of one kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Pairs {
    origin: HashMap<Op, Op>,
    latest: HashMap<Op, Op>,
}

impl Pairs {
    /// The first of those that stand for one another.
    pub(super) fn first<'a>(&'a self, op: &'a Op) -> &'a Op {
        self.origin.get(op).unwrap_or(op)
    }

    /// The latest of them.
    pub(super) fn now(&self, op: &Op) -> Op {
        let first = self.first(op);
        self.latest.get(first).unwrap_or(first).clone()
    }

    pub(super) fn same(&self, a: &Op, b: &Op) -> bool {
        self.first(a) == self.first(b)
    }

    /// Notes that `new` stands for `old` from now on.
    pub(super) fn join(&mut self, old: &Op, new: Op) {
        if *old == new {
            return;
        }
        let first = self.first(old).clone();
        self.latest.insert(first.clone(), new.clone());
        self.origin.insert(new, first);
    }
}
