//! A change, taken apart by the places that it touched: what stood in each before, and what it left.

use super::super::Document;
use super::absent;
use super::twins::{Op, id};
use crate::model::Result;
use automerge::legacy::{ElementId, Key as ChangeKey, ObjectId, Op as ChangeOp, OpType};
use automerge::{ActorId, Change, ChangeHash, ObjId, ROOT, ReadDoc};
use std::collections::{HashMap, HashSet};

/// A place within an object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Map(String),
    /// An element of a list or text, by the operation that inserted it.
    Element(Op),
}

/// What a change left in a place.
#[derive(Clone, Debug)]
pub(super) enum After {
    Value(Op),
    Nothing,
    /// What stood there, a counter, with something added.
    Counted,
}

/// What a change did in one place.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    pub key: Key,
    /// Whether it made the place: inserted an element.
    pub inserted: bool,
    /// What it replaced.
    pub before: Vec<Op>,
    pub after: After,
    /// What it added to a counter.
    pub by: i64,
}

/// A change to be reversed.
pub(super) struct Reversed {
    pub hash: ChangeHash,
    pub deps: Vec<ChangeHash>,
    /// By the objects that were there before it, in the order it came to them.
    pub objects: Vec<(ObjId, Vec<Spot>)>,
    /// The names of the marks it set, by text.
    pub marks: HashMap<ObjId, HashSet<String>>,
}

impl Reversed {
    pub(super) fn read(document: &Document, hash: &ChangeHash) -> Result<Reversed> {
        let change = ReadDoc::get_change_by_hash(&document.am, hash).ok_or_else(absent)?;
        let mut reversed = Reversed {
            hash: *hash,
            deps: change.deps().to_vec(),
            objects: Vec::new(),
            marks: HashMap::new(),
        };
        let mut gathered = Gathered::default();
        for (op, change_op) in operations(&change) {
            gathered.take(op, &change_op, &mut reversed);
        }
        // What begins with marks only has no other spot.
        for object in reversed.marks.keys() {
            if !gathered.objects.contains_key(object) {
                reversed.objects.push((object.clone(), Vec::new()));
            }
        }
        Ok(reversed)
    }
}

/// A change's operations with their names.
pub(super) fn operations(change: &Change) -> impl Iterator<Item = (Op, ChangeOp)> {
    let expanded = change.decode();
    let actor: ActorId = expanded.actor_id;
    let numbers = expanded.start_op.get()..;
    let numbered = numbers.zip(expanded.operations);
    numbered.map(move |(number, op)| ((number, actor.clone()), op))
}

pub(super) fn object(id_in_change: &ObjectId) -> ObjId {
    match id_in_change {
        ObjectId::Root => ROOT,
        ObjectId::Id(op) => id(&(op.0, op.1.clone())),
    }
}

pub(super) fn named(op: &automerge::legacy::OpId) -> Op {
    (op.0, op.1.clone())
}

#[derive(Default)]
struct Gathered {
    /// Containers that the change made: what it wrote into them goes with them.
    made: HashSet<ObjId>,
    objects: HashMap<ObjId, usize>,
    spots: HashMap<(ObjId, Key), usize>,
}

impl Gathered {
    fn take(&mut self, op: Op, change_op: &ChangeOp, into: &mut Reversed) {
        let object = object(&change_op.obj);
        if let OpType::Make(_) = change_op.action {
            self.made.insert(id(&op));
        }
        if self.made.contains(&object) {
            return;
        }
        if let OpType::MarkBegin(data) = &change_op.action {
            let names = into.marks.entry(object).or_default();
            names.insert(data.name.to_string());
            return;
        }
        let key = match (&change_op.key, change_op.insert) {
            (_, _) if matches!(change_op.action, OpType::MarkEnd(_)) => return,
            (ChangeKey::Map(key), _) => Key::Map(key.to_string()),
            (ChangeKey::Seq(_), true) => Key::Element(op.clone()),
            (ChangeKey::Seq(ElementId::Id(element)), false) => Key::Element(named(element)),
            (ChangeKey::Seq(ElementId::Head), false) => return,
        };
        let place = *self.objects.entry(object.clone()).or_insert_with(|| {
            into.objects.push((object.clone(), Vec::new()));
            into.objects.len() - 1
        });
        let Some((_, spots)) = into.objects.get_mut(place) else {
            return;
        };
        let at = *self.spots.entry((object, key.clone())).or_insert_with(|| {
            spots.push(Spot {
                key,
                inserted: change_op.insert,
                before: change_op.pred.iter().map(named).collect(),
                after: After::Counted,
                by: 0,
            });
            spots.len() - 1
        });
        let Some(spot) = spots.get_mut(at) else {
            return;
        };
        match change_op.action {
            OpType::Put(_) | OpType::Make(_) => spot.after = After::Value(op),
            OpType::Delete => spot.after = After::Nothing,
            OpType::Increment(by) if matches!(spot.after, After::Counted) => {
                spot.by = spot.by.saturating_add(by);
            }
            OpType::Increment(_) | OpType::MarkBegin(_) | OpType::MarkEnd(_) => {}
        }
    }
}
