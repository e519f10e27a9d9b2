//! Undoing a change of one's own in the state of now. Every operation of the change is reversed on its
//! own, found by the name of what it wrote, wherever that stands by now; and only if what it left is
//! still there. What somebody else has changed since is left alone and reported. The reverse is an
//! ordinary change, so that redoing is undoing that one.

mod history;
mod marks;
mod sequence;
mod spots;
mod twins;

use super::Document;
use super::project::DELETED;
use super::resolve::{failure, get};
use super::tree::{self, Tree};
use super::value::Place;
use crate::model::path::escaped;
use crate::model::{Error, Result};
use automerge::transaction::Transactable;
use automerge::{ChangeHash, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue, Value as Stored};
use history::{History, Since};
pub(super) use marks::mark_of;
use spots::{After, Key, Reversed, Spot};
use std::collections::HashMap;
use twins::op;
pub use twins::{Op, Twins};

/// Something that was left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// Where, as a JSON Pointer; empty for the object as a whole.
    pub path: String,
    /// Why.
    pub reason: &'static str,
}

pub(super) const CHANGED: &str = "somebody else has changed it since";
const REMOVED: &str = "somebody else has removed it since";
const REMOVED_TOO: &str = "somebody else has removed it, too";
const WORKED_IN: &str = "somebody else has changed something in it since";
const NO_PLACE: &str = "what held it is gone";

/// A value and its name.
type Named = (Stored<'static>, ObjId);

impl Document {
    /// Reverses changes, oldest first, of which the document holds every one; `own` tells actors of
    /// whose changes nothing needs protection. Joins the open transaction. Fails with `NotFound` if
    /// a change is absent.
    pub fn revert(
        &mut self,
        changes: &[[u8; 32]],
        own: &dyn Fn(&[u8]) -> bool,
        twins: &mut Twins,
    ) -> Result<Vec<Left>> {
        self.closed()?;
        let hashes = self.known(changes)?;
        self.contained(|document| {
            document.text = None;
            document.projection = None;
            let history = History::of(document);
            let changes = hashes
                .iter()
                .map(|hash| Reversed::read(document, hash))
                .collect::<Result<Vec<_>>>()?;
            let Some(first) = changes.first() else {
                return Ok(Vec::new());
            };
            let since = Since::of(document, &first.deps, own)?;
            let mut work = Reverting {
                document,
                twins,
                history,
                since,
                left: Vec::new(),
                put_on: HashMap::new(),
            };
            match changes.iter().any(|change| change.deps.is_empty()) {
                true => work.unmake()?,
                false => {
                    for change in changes.iter().rev() {
                        work.change(change)?;
                    }
                }
            }
            work.left.dedup();
            Ok(work.left)
        })
    }
}

/// The work of undoing.
struct Reverting<'a> {
    document: &'a mut Document,
    twins: &'a mut Twins,
    history: History,
    since: Since,
    left: Vec<Left>,
    /// Values written over elements of lists meanwhile, with the element.
    put_on: HashMap<Op, Op>,
}

impl Reverting<'_> {
    /// An object that was made is deleted again.
    fn unmake(&mut self) -> Result<()> {
        if self.since.any {
            self.left.push(Left {
                path: String::new(),
                reason: WORKED_IN,
            });
            return Ok(());
        }
        self.document.room(1)?;
        self.document
            .am
            .put(ROOT, DELETED, ScalarValue::Boolean(true))
            .map_err(failure)
    }

    fn change(&mut self, change: &Reversed) -> Result<()> {
        let mut waiting: Vec<usize> = (0..change.objects.len()).collect();
        // What held an object may have been replaced by the same change: it comes back first.
        loop {
            let count = waiting.len();
            let mut still = Vec::new();
            for place in waiting {
                let Some((object, spots)) = change.objects.get(place) else {
                    continue;
                };
                let now = self.now(object);
                match self.attached(&now) {
                    true => self.object(object, &now, spots, change)?,
                    false => still.push(place),
                }
            }
            if still.len() == count || still.is_empty() {
                waiting = still;
                break;
            }
            waiting = still;
        }
        for (object, _) in waiting
            .into_iter()
            .filter_map(|place| change.objects.get(place))
        {
            let now = self.now(object);
            self.leave(&now, None, NO_PLACE);
        }
        Ok(())
    }

    fn object(
        &mut self,
        object: &ObjId,
        now: &ObjId,
        spots: &[Spot],
        change: &Reversed,
    ) -> Result<()> {
        match self.document.am.object_type(now).map_err(failure)? {
            ObjType::Map | ObjType::Table => spots
                .iter()
                .try_for_each(|spot| self.entry(object, now, spot, &change.deps)),
            ObjType::List => self.sequence(object, now, spots, change, false),
            ObjType::Text => self.sequence(object, now, spots, change, true),
        }
    }

    /// Where an object is now: it may have been made again.
    fn now(&self, object: &ObjId) -> ObjId {
        match op(object) {
            None => ROOT,
            Some(op) => twins::id(&self.twins.values.now(&op)),
        }
    }

    fn attached(&self, object: &ObjId) -> bool {
        let parents = self.document.am.parents(object);
        parents.is_ok_and(|parents| parents.visible_path().is_some())
    }

    /// Reverses what was done to an entry of a map.
    fn entry(
        &mut self,
        object: &ObjId,
        now: &ObjId,
        spot: &Spot,
        deps: &[ChangeHash],
    ) -> Result<()> {
        let Key::Map(key) = &spot.key else {
            return Ok(());
        };
        let old = match spot.before.is_empty() {
            true => None,
            false => self
                .document
                .am
                .get_at(object, key.as_str(), deps)
                .map_err(failure)?
                .map(|(value, id)| (value.into_owned(), id)),
        };
        self.settle(now, Prop::Map(key.clone()), spot, old)
    }

    /// Puts back what stood in a place, if what the change left is still there.
    fn settle(&mut self, now: &ObjId, prop: Prop, spot: &Spot, old: Option<Named>) -> Result<()> {
        let found = self.found(now, &prop)?;
        match &spot.after {
            After::Counted => return self.uncount(now, prop, spot, &found),
            After::Value(left) => {
                let [(value, id)] = found.as_slice() else {
                    let reason = if found.is_empty() { REMOVED } else { CHANGED };
                    self.leave(now, Some(&prop), reason);
                    return Ok(());
                };
                if !op(id).is_some_and(|op| self.twins.values.same(&op, left)) {
                    self.leave(now, Some(&prop), CHANGED);
                    return Ok(());
                }
                if self.is_worked_in(value, id) {
                    self.leave(now, Some(&prop), WORKED_IN);
                    return Ok(());
                }
            }
            After::Nothing => {
                if !found.is_empty() {
                    self.leave(now, Some(&prop), CHANGED);
                    return Ok(());
                }
                if spot.before.iter().any(|op| self.since.killed.contains(op)) {
                    self.leave(now, Some(&prop), REMOVED_TOO);
                    return Ok(());
                }
            }
        }
        self.put_back(now, prop, found.first(), old)
    }

    fn found(&self, now: &ObjId, prop: &Prop) -> Result<Vec<Named>> {
        let found = self.document.am.get_all(now, prop.clone());
        let found = found.map_err(failure)?.into_iter();
        Ok(found.map(|(value, id)| (value.into_owned(), id)).collect())
    }

    fn is_worked_in(&self, value: &Stored<'_>, id: &ObjId) -> bool {
        value.is_object() && op(id).is_some_and(|op| self.since.worked_in.contains(&op))
    }

    fn put_back(
        &mut self,
        now: &ObjId,
        prop: Prop,
        found: Option<&Named>,
        old: Option<Named>,
    ) -> Result<()> {
        let Some((value, id)) = old else {
            if found.is_some() {
                self.document.room(1)?;
                self.document.am.delete(now, prop).map_err(failure)?;
            }
            return Ok(());
        };
        let element = match (&prop, found) {
            (Prop::Seq(_), Some((_, id))) => op(id).map(|op| self.element_of(&op)),
            _ => None,
        };
        // As it is now: what others have meanwhile written into what was out of sight counts.
        let tree = tree::read(&self.document.am, &value, &id, 0)?;
        let new = tree::write(self.document, now, Place::Put(prop), &tree)?;
        if let (Some(element), Some(new)) = (element, op(&new)) {
            self.put_on.insert(new, element);
        }
        self.pair(&tree, &id, &new);
        Ok(())
    }

    /// Takes away from a counter what was added to it.
    fn uncount(&mut self, now: &ObjId, prop: Prop, spot: &Spot, found: &[Named]) -> Result<()> {
        let counted = match found {
            [(Stored::Scalar(scalar), id)] => match scalar.as_ref() {
                ScalarValue::Counter(counter) => Some((i64::from(counter), op(id))),
                _ => None,
            },
            _ => None,
        };
        let same = |op: &Op| spot.before.iter().any(|b| self.twins.values.same(op, b));
        let Some((value, _)) = counted.filter(|(_, id)| id.as_ref().is_some_and(same)) else {
            self.leave(now, Some(&prop), CHANGED);
            return Ok(());
        };
        let by = spot
            .by
            .checked_neg()
            .filter(|by| value.checked_add(*by).is_some());
        let Some(by) = by else {
            self.leave(
                now,
                Some(&prop),
                "the counter would leave the range of 64 bits",
            );
            return Ok(());
        };
        self.document.room(1)?;
        self.document.am.increment(now, prop, by).map_err(failure)
    }

    /// Notes that a copy stands for what it was copied from, part by part.
    fn pair(&mut self, tree: &Tree, old: &ObjId, new: &ObjId) {
        if let (Some(old), Some(new)) = (op(old), op(new)) {
            self.twins.values.join(&old, new);
        }
        let am = &self.document.am;
        match tree {
            Tree::Scalar(_) => {}
            Tree::Text { ids, .. } => {
                for ((_, new), old) in tree::elements(am, new, None).iter().zip(ids) {
                    if let (Some(old), Some(new)) = (op(old), op(new)) {
                        self.twins.elements.join(&old, new);
                    }
                }
            }
            Tree::List(items) => {
                let new: Vec<ObjId> = am.list_range(new, ..).map(|item| item.id()).collect();
                for ((old, item), new) in items.iter().zip(&new) {
                    if let (Some(value), Some(element)) = (op(old), op(new)) {
                        let old_element = self.element_of(&value);
                        self.twins.elements.join(&old_element, element);
                    }
                    self.pair(item, old, new);
                }
            }
            Tree::Map(entries) => {
                for (key, old, entry) in entries {
                    if let Ok(Some((_, new))) = get(&self.document.am, new, key.as_str()) {
                        self.pair(entry, old, &new);
                    }
                }
            }
        }
    }

    /// The list's element that a value stands on.
    fn element_of(&mut self, value: &Op) -> Op {
        if let Some(element) = self.put_on.get(value) {
            return element.clone();
        }
        self.history.element_of(&self.document.am, value)
    }

    fn leave(&mut self, object: &ObjId, prop: Option<&Prop>, reason: &'static str) {
        let steps = self
            .document
            .am
            .parents(object)
            .map(|parents| parents.path());
        let steps = steps.unwrap_or_default().into_iter().map(|(_, prop)| prop);
        let path = steps.chain(prop.cloned()).map(|step| match step {
            Prop::Map(key) => format!("/{}", escaped(&key)),
            Prop::Seq(index) => format!("/{index}"),
        });
        self.left.push(Left {
            path: path.collect(),
            reason,
        });
    }
}

fn absent() -> Error {
    Error::internal("a change that was just there is absent")
}
