//! Reversing marks, character by character: each gets back the marks it had, unless somebody else has
//! marked it since.

use super::spots::Reversed;
use super::twins::op;
use super::{CHANGED, Reverting, sequence::Sequence};
use crate::model::Result;
use crate::objects::resolve::failure;
use crate::objects::tree;
use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ChangeHash, ObjId, ReadDoc, ScalarValue};
use std::collections::{BTreeSet, HashMap};

/// A character's mark as it shall be; null for none.
type Wanted = (String, usize, ScalarValue);

impl Reverting<'_> {
    /// Reverses the marks of a change on a text, and gives characters that were put back, each with
    /// its index before the change, the marks they had.
    pub(super) fn marks(
        &mut self,
        list: Sequence<'_>,
        change: &Reversed,
        restored: &[(usize, ObjId)],
    ) -> Result<()> {
        let names = change.marks.get(list.object);
        if names.is_none() && restored.is_empty() {
            return Ok(());
        }
        let am = &self.document.am;
        let before = marks_at(am, list.object, &change.deps)?;
        let now = tree::marks(am, list.now)?;
        let mut wanted = Vec::new();
        if let Some(names) = names {
            let after = marks_at(am, list.object, &[change.hash])?;
            let was = self.range_at(list.object, &change.deps);
            let was = was.iter().enumerate();
            let was: HashMap<_, _> = was.map(|(i, (_, id))| (op(id), i)).collect();
            let mut others = false;
            for (index, (_, id)) in self
                .range_at(list.object, &[change.hash])
                .into_iter()
                .enumerate()
            {
                let Some(was) = was.get(&op(&id)) else {
                    continue;
                };
                for name in names {
                    let (old, made) = (mark_of(&before, *was, name), mark_of(&after, index, name));
                    if old == made {
                        continue;
                    }
                    let Some(place) = op(&id).map(|op| self.locate(list, &op)).transpose()? else {
                        continue;
                    };
                    match place {
                        Some(place) if mark_of(&now, place, name) == made => {
                            wanted.push((name.clone(), place, old));
                        }
                        Some(_) => others = true,
                        None => {}
                    }
                }
            }
            if others {
                self.leave(list.now, None, CHANGED);
            }
        }
        self.restored_marks(list, &before, &now, restored, &mut wanted)?;
        self.write_marks(list, wanted)
    }

    fn restored_marks(
        &mut self,
        list: Sequence<'_>,
        before: &[Mark],
        now: &[Mark],
        restored: &[(usize, ObjId)],
        wanted: &mut Vec<Wanted>,
    ) -> Result<()> {
        let names: BTreeSet<&str> = before.iter().chain(now).map(|mark| mark.name()).collect();
        if names.is_empty() {
            return Ok(());
        }
        for (was, id) in restored {
            let Some(op) = op(id) else { continue };
            let Some(place) = self.locate(list, &op)? else {
                continue;
            };
            for name in &names {
                let old = mark_of(before, *was, name);
                if old != mark_of(now, place, name) {
                    wanted.push(((*name).to_owned(), place, old));
                }
            }
        }
        Ok(())
    }

    fn write_marks(&mut self, list: Sequence<'_>, mut wanted: Vec<Wanted>) -> Result<()> {
        wanted.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        wanted.dedup();
        let mut wanted = wanted.into_iter().peekable();
        while let Some((name, start, value)) = wanted.next() {
            let mut end = start + 1;
            while wanted
                .next_if(|(n, at, v)| *n == name && *at == end && *v == value)
                .is_some()
            {
                end += 1;
            }
            self.document.room(2)?;
            self.document
                .am
                .mark(
                    list.now,
                    Mark::new(name, value, start, end),
                    ExpandMark::After,
                )
                .map_err(failure)?;
        }
        Ok(())
    }
}

fn marks_at(am: &AutoCommit, text: &ObjId, heads: &[ChangeHash]) -> Result<Vec<Mark>> {
    let mut marks = am.marks_at(text, heads).map_err(failure)?;
    marks.retain(|mark| !mark.value.is_null());
    Ok(marks)
}

/// A character's mark of a name; null for none.
pub(in crate::objects) fn mark_of(marks: &[Mark], index: usize, name: &str) -> ScalarValue {
    let mark = marks
        .iter()
        .find(|mark| mark.name() == name && (mark.start..mark.end).contains(&index));
    mark.map_or(ScalarValue::Null, |mark| mark.value.clone())
}
