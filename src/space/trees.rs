//! Trees: a descendant of a deleted object is out of sight. Whether an object is, follows from the
//! tombstones and parents of its ancestors alone, so that every peer that holds the same objects
//! sees the same, in whatever order they came.

use super::space_core::SpaceCore;
use super::write::RowChange;
use crate::model::{ObjectId, Result, limits};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

impl SpaceCore {
    /// Says of every row whether an ancestor is deleted, and adds the rows of descendants for which
    /// that changes.
    pub(super) fn settle_trees(&self, rows: &mut Vec<RowChange>) -> Result<()> {
        let moved = rows.iter().filter(|row| may_hide(row));
        let mut queue: VecDeque<ObjectId> = moved.map(|row| row.new.id).collect();
        if queue.is_empty() {
            return Ok(());
        }
        let places = rows.iter().enumerate();
        let mut places: HashMap<ObjectId, usize> =
            places.map(|(place, row)| (row.new.id, place)).collect();
        let mut seen: HashSet<ObjectId> = queue.iter().copied().collect();
        while let Some(id) = queue.pop_front() {
            if !self.settle_one(id, rows, &mut places)? {
                continue;
            }
            for child in self.children_now(&id, rows, &places)? {
                if seen.insert(child) {
                    queue.push_back(child);
                }
            }
        }
        Ok(())
    }

    /// Settles one object; whether its descendants may see that.
    fn settle_one(
        &self,
        id: ObjectId,
        rows: &mut Vec<RowChange>,
        places: &mut HashMap<ObjectId, usize>,
    ) -> Result<bool> {
        let hidden = self.has_deleted_ancestor(id, rows, places)?;
        if let Some(row) = places.get(&id).and_then(|place| rows.get_mut(*place)) {
            if row.new.hidden != hidden {
                Arc::make_mut(&mut row.new).hidden = hidden;
            }
            let was = row.old.as_ref().is_some_and(|old| old.is_gone());
            return Ok(was != row.new.is_gone() || row.old.is_some() && may_hide(row));
        }
        let Some(old) = self.store.object(&id)?.filter(|row| row.hidden != hidden) else {
            return Ok(false);
        };
        let mut new = old.clone();
        new.hidden = hidden;
        places.insert(id, rows.len());
        rows.push(RowChange {
            old: Some(Arc::new(old)),
            new: Arc::new(new),
        });
        Ok(true)
    }

    fn has_deleted_ancestor(
        &self,
        id: ObjectId,
        rows: &[RowChange],
        places: &HashMap<ObjectId, usize>,
    ) -> Result<bool> {
        let mut parent = self.tree_node(&id, rows, places)?.and_then(|node| node.1);
        let mut seen = HashSet::from([id]);
        while let Some(ancestor) = parent.filter(|ancestor| seen.insert(*ancestor)) {
            match self.tree_node(&ancestor, rows, places)? {
                Some((true, _)) => return Ok(true),
                Some((false, next)) if seen.len() <= limits::TREE_DEPTH => parent = next,
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    /// Whether an object is deleted, and its parent, as of the rows to be written.
    fn tree_node(
        &self,
        id: &ObjectId,
        rows: &[RowChange],
        places: &HashMap<ObjectId, usize>,
    ) -> Result<Option<(bool, Option<ObjectId>)>> {
        match places.get(id).and_then(|place| rows.get(*place)) {
            Some(row) => Ok(Some((row.new.deleted, row.new.parent))),
            None => self.store.tree_node(id),
        }
    }

    fn children_now(
        &self,
        id: &ObjectId,
        rows: &[RowChange],
        places: &HashMap<ObjectId, usize>,
    ) -> Result<Vec<ObjectId>> {
        let mut children = self.store.children(id)?;
        children.retain(|child| !places.contains_key(child));
        let written = rows.iter().filter(|row| row.new.parent == Some(*id));
        children.extend(written.map(|row| row.new.id));
        Ok(children)
    }
}

/// Whether a row's change may put it, or what is below it, in or out of sight.
fn may_hide(row: &RowChange) -> bool {
    match &row.old {
        None => row.new.parent.is_some() || row.new.deleted,
        Some(old) => old.deleted != row.new.deleted || old.parent != row.new.parent,
    }
}
