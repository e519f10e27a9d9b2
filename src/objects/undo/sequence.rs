//! Reversing what was done to lists and texts. Elements and characters are found by their names, so
//! that edits made since do not shift anything.

use super::spots::{After, Key, Reversed, Spot};
use super::twins::{self, Op, op};
use super::{CHANGED, Named, REMOVED, REMOVED_TOO, Reverting, WORKED_IN};
use crate::model::Result;
use crate::model::contain::contain;
use crate::objects::resolve::failure;
use crate::objects::tree;
use crate::objects::value::Place;
use automerge::transaction::Transactable;
use automerge::{ChangeHash, Cursor, ObjId, Prop, ReadDoc, Value as Stored};
use std::collections::HashMap;

/// How far a neighbour that is still there is looked for.
const NEIGHBOURS: usize = 64;

/// A list or text that is being worked on.
#[derive(Clone, Copy)]
pub(super) struct Sequence<'a> {
    /// As the change names it.
    pub object: &'a ObjId,
    /// As it is named now.
    pub now: &'a ObjId,
    pub text: bool,
}

/// An element that goes back to where it was.
struct Gone {
    /// Its index before the change.
    was: usize,
    /// Where it goes now, nothing else having been put back yet.
    to: usize,
    element: Op,
    value: Named,
}

impl Reverting<'_> {
    pub(super) fn sequence(
        &mut self,
        object: &ObjId,
        now: &ObjId,
        spots: &[Spot],
        change: &Reversed,
        text: bool,
    ) -> Result<()> {
        let list = Sequence { object, now, text };
        // Names in order before the change; only needed if something that was there is touched.
        let before = match spots.iter().any(|spot| !spot.inserted) {
            true => self.range_at(object, &change.deps),
            false => Vec::new(),
        };
        let mut inserted = Vec::new();
        let mut gone = Vec::new();
        for spot in spots {
            match (&spot.key, &spot.after) {
                (Key::Map(_), _) => {}
                (Key::Element(_), After::Nothing) if spot.inserted => {}
                (Key::Element(element), After::Value(value)) if spot.inserted => {
                    inserted.extend(self.removable(list, element, value)?);
                }
                (Key::Element(element), After::Nothing) => gone.push((element, spot)),
                (Key::Element(element), _) => self.overwritten(list, element, spot, &before)?,
            }
        }
        self.remove(list, inserted)?;
        let gone = self.gone(list, &gone, &before)?;
        let restored = self.reinsert(list, gone)?;
        if text {
            self.marks(list, change, &restored)?;
        }
        Ok(())
    }

    /// What a list or text held at a version, in order.
    pub(super) fn range_at(&self, object: &ObjId, heads: &[ChangeHash]) -> Vec<Named> {
        tree::elements(&self.document.am, object, Some(heads))
    }

    /// Where an element is, if it is still there.
    pub(super) fn locate(&mut self, list: Sequence<'_>, element: &Op) -> Result<Option<usize>> {
        let element = self.twins.elements.now(element);
        if list.object != list.now {
            // The container was made again. Its elements are looked for one by one, since asking
            // for one that another container holds is not allowed.
            let elements = tree::elements(&self.document.am, list.now, None);
            for (index, (_, id)) in elements.iter().enumerate() {
                let Some(value) = op(id) else { continue };
                if value == element || !list.text && self.element_of(&value) == element {
                    return Ok(Some(index));
                }
            }
            return Ok(None);
        }
        let Some(index) = self.place_of(list, &element) else {
            return Ok(None);
        };
        if index >= self.document.am.length(list.now) {
            return Ok(None);
        }
        let found = self.document.am.get(list.now, index).map_err(failure)?;
        let Some(value) = found.and_then(|(_, id)| op(&id)) else {
            return Ok(None);
        };
        let there = value == element || !list.text && self.element_of(&value) == element;
        Ok(there.then_some(index))
    }

    /// Where an element is or stood.
    fn place_of(&self, list: Sequence<'_>, element: &Op) -> Option<usize> {
        let name = format!("{}@{}", element.0, element.1.to_hex_string());
        let cursor = Cursor::try_from(name.as_str()).ok()?;
        let am = &self.document.am;
        // For an element that is gone, with nothing behind it that is not, an assertion of
        // Automerge 0.12's debug builds fails, of reading only: it stood at the end.
        match contain(|| am.get_cursor_position(list.now, &cursor, None)) {
            Ok(place) => place.ok(),
            Err(_) => Some(am.length(list.now)),
        }
    }

    /// Where an element that the change inserted is, if it may be removed.
    fn removable(&mut self, list: Sequence<'_>, element: &Op, value: &Op) -> Result<Option<usize>> {
        let Some(index) = self.locate(list, element)? else {
            return Ok(None);
        };
        if list.text {
            return Ok(Some(index));
        }
        let prop = Prop::Seq(index);
        let found = self.found(list.now, &prop)?;
        let reason = match found.as_slice() {
            [(stored, id)] if op(id).is_some_and(|op| self.twins.values.same(&op, value)) => {
                self.is_worked_in(stored, id).then_some(WORKED_IN)
            }
            _ => Some(CHANGED),
        };
        match reason {
            None => Ok(Some(index)),
            Some(reason) => {
                self.leave(list.now, Some(&prop), reason);
                Ok(None)
            }
        }
    }

    fn remove(&mut self, list: Sequence<'_>, mut indexes: Vec<usize>) -> Result<()> {
        indexes.sort_unstable();
        while let Some(last) = indexes.pop() {
            let mut first = last;
            while indexes.last().is_some_and(|index| index + 1 == first) {
                first = indexes.pop().unwrap_or(first);
            }
            if list.text {
                let count = last + 1 - first;
                crate::objects::text::replace(self.document, list.now, first, count, "")?;
                continue;
            }
            for index in (first..=last).rev() {
                self.document.room(1)?;
                self.document.am.delete(list.now, index).map_err(failure)?;
            }
        }
        Ok(())
    }

    /// An element that was there before and has another value, or counted on.
    fn overwritten(
        &mut self,
        list: Sequence<'_>,
        element: &Op,
        spot: &Spot,
        before: &[Named],
    ) -> Result<()> {
        let Some(index) = self.locate(list, element)? else {
            self.leave(list.now, None, REMOVED);
            return Ok(());
        };
        let old = before.iter().find(|(_, id)| is_one_of(id, &spot.before));
        self.settle(list.now, Prop::Seq(index), spot, old.cloned())
    }

    /// The elements that were deleted and may come back, with their places.
    fn gone(
        &mut self,
        list: Sequence<'_>,
        spots: &[(&Op, &Spot)],
        before: &[Named],
    ) -> Result<Vec<Gone>> {
        let mut elements: HashMap<&Op, &Op> = HashMap::new();
        let mut others = false;
        for (element, spot) in spots {
            let killed = |op: &Op| self.since.killed.contains(op);
            if spot.before.iter().any(killed) {
                others = true;
                continue;
            }
            elements.extend(spot.before.iter().map(|value| (value, *element)));
        }
        if others {
            self.leave(list.now, None, REMOVED_TOO);
        }
        let mut gone = Vec::with_capacity(elements.len());
        let mut bounds = None;
        for (was, value) in before.iter().enumerate() {
            let element = op(&value.1).and_then(|value| elements.get(&value).copied());
            let Some(element) = element else {
                bounds = None;
                continue;
            };
            let (low, high) = match bounds {
                Some(bounds) => bounds,
                None => *bounds.insert(self.bounds(list, before, was, &elements)?),
            };
            let stood = match list.object == list.now {
                true => self.place_of(list, &self.twins.elements.now(element)),
                false => None,
            };
            let to = stood.unwrap_or(low).min(high).max(low);
            gone.push(Gone {
                was,
                to,
                element: element.clone(),
                value: value.clone(),
            });
        }
        Ok(gone)
    }

    /// Between which places of now a run of elements stood that begins at index `was`.
    fn bounds(
        &mut self,
        list: Sequence<'_>,
        before: &[Named],
        was: usize,
        gone: &HashMap<&Op, &Op>,
    ) -> Result<(usize, usize)> {
        let is_gone = |(_, id): &&Named| op(id).is_some_and(|op| gone.contains_key(&op));
        let left = before.iter().take(was).rev();
        let mut low = 0;
        for (_, id) in left.filter(|named| !is_gone(named)).take(NEIGHBOURS) {
            if let Some(index) = self.locate_value(list, id)? {
                low = index + 1;
                break;
            }
        }
        let right = before.iter().skip(was);
        let mut high = self.document.am.length(list.now);
        for (_, id) in right.filter(|named| !is_gone(named)).take(NEIGHBOURS) {
            if let Some(index) = self.locate_value(list, id)? {
                high = index;
                break;
            }
        }
        Ok((low, high))
    }

    fn locate_value(&mut self, list: Sequence<'_>, value: &ObjId) -> Result<Option<usize>> {
        let Some(value) = op(value) else {
            return Ok(None);
        };
        let element = match list.text {
            true => value,
            false => self.element_of(&value),
        };
        self.locate(list, &element)
    }

    /// Puts elements back; returns, for characters, where each was and its name now.
    fn reinsert(&mut self, list: Sequence<'_>, mut gone: Vec<Gone>) -> Result<Vec<(usize, ObjId)>> {
        gone.sort_by_key(|gone| (gone.to, gone.was));
        let mut restored = Vec::new();
        // From the end, so that what is put back shifts nothing that is yet to come.
        while let Some(last) = gone.last() {
            let to = last.to;
            let from = gone.partition_point(|gone| gone.to < to);
            let run = gone.split_off(from);
            match list.text {
                true => self.reinsert_characters(list, to, &run, &mut restored)?,
                false => self.reinsert_elements(list, to, &run)?,
            }
        }
        Ok(restored)
    }

    fn reinsert_characters(
        &mut self,
        list: Sequence<'_>,
        to: usize,
        run: &[Gone],
        restored: &mut Vec<(usize, ObjId)>,
    ) -> Result<()> {
        let characters = run.iter().map(|gone| match &gone.value.0 {
            Stored::Scalar(scalar) => scalar.as_str().unwrap_or("\u{fffc}").to_owned(),
            Stored::Object(_) => "\u{fffc}".to_owned(),
        });
        let text: String = characters.collect();
        let count = text.chars().count();
        crate::objects::text::replace(self.document, list.now, to, 0, &text)?;
        for (index, gone) in (to..to + count).zip(run) {
            let made = self.document.am.get(list.now, index).map_err(failure)?;
            let Some((_, new)) = made else { continue };
            if let Some(name) = op(&new) {
                self.twins.elements.join(&gone.element, name);
            }
            restored.push((gone.was, new));
        }
        Ok(())
    }

    fn reinsert_elements(&mut self, list: Sequence<'_>, to: usize, run: &[Gone]) -> Result<()> {
        for (index, gone) in (to..).zip(run) {
            let (value, id) = &gone.value;
            let tree = tree::read(&self.document.am, value, id, 0)?;
            let new = tree::write(self.document, list.now, Place::Insert(index), &tree)?;
            if let Some(name) = op(&new) {
                self.twins.elements.join(&gone.element, name);
            }
            self.pair(&tree, id, &new);
        }
        Ok(())
    }
}

fn is_one_of(id: &ObjId, ops: &[twins::Op]) -> bool {
    op(id).is_some_and(|op| ops.contains(&op))
}
