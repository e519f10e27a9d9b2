//! What differs between two versions of an object, as a list of changes that programs and people read.

use super::resolve::failure;
use super::text::Units;
use super::{Document, project};
use crate::model::path::escaped;
use crate::model::{Error, Result, TextUnit, Value, json};
use automerge::marks::Mark;
use automerge::{
    AutoCommit, ChangeHash, ObjId, ObjType, Patch, PatchAction, Prop, ROOT, ReadDoc,
    Value as Stored,
};
use serde_json::{Value as Json, json};
use std::collections::{HashMap, HashSet};

impl Document {
    /// The changes that lead from one version to another, each a JSON object, to be read in order: each
    /// builds on those before it. `from` may be empty: before the object was made. Text positions
    /// are counted in `unit`. Fails with `NotFound` for a version that is not held.
    pub fn diff(
        &mut self,
        from: &[[u8; 32]],
        to: &[[u8; 32]],
        unit: TextUnit,
    ) -> Result<Vec<Json>> {
        self.closed()?;
        let (from, to) = (self.known(from)?, self.known(to)?);
        self.contained(|document| {
            let patches = document.am.diff(&from, &to);
            let mut diff = Diff {
                past: document.am.fork_at(&to).map_err(failure)?,
                am: &document.am,
                from,
                unit,
                fresh: HashSet::new(),
                texts: HashMap::new(),
                changes: Vec::new(),
            };
            for patch in &patches {
                diff.patch(patch)?;
            }
            Ok(diff.changes)
        })
    }
}

struct Diff<'a> {
    am: &'a AutoCommit,
    /// The document as of the later version.
    past: AutoCommit,
    from: Vec<ChangeHash>,
    unit: TextUnit,
    /// Containers that were written as a whole: what is in them is part of that.
    fresh: HashSet<ObjId>,
    /// Texts as they have become so far.
    texts: HashMap<ObjId, Units>,
    changes: Vec<Json>,
}

impl Diff<'_> {
    fn patch(&mut self, patch: &Patch) -> Result<()> {
        let within = |id: &ObjId| self.fresh.contains(id);
        if within(&patch.obj) || patch.path.iter().any(|(id, _)| within(id)) {
            self.note_fresh(&patch.action);
            return Ok(());
        }
        let base: String = patch.path.iter().map(|(_, prop)| step(prop)).collect();
        match &patch.action {
            PatchAction::PutMap { key, value, .. } => {
                let path = format!("{base}/{}", escaped(key));
                self.set(path, value, patch.path.len())?;
            }
            PatchAction::PutSeq { index, value, .. } => {
                self.set(format!("{base}/{index}"), value, patch.path.len())?;
            }
            PatchAction::Insert { index, values } => {
                let mut inserted = Vec::with_capacity(values.len());
                for (value, id, _) in values {
                    inserted.push(self.value(value, id, patch.path.len())?);
                }
                let path = format!("{base}/{index}");
                self.changes
                    .push(json!({"op": "insert", "path": path, "values": inserted}));
            }
            PatchAction::SpliceText { index, value, .. } => {
                self.splice(&patch.obj, base, *index, 0, &value.make_string())?;
            }
            PatchAction::DeleteSeq { index, length } => {
                if self.am.object_type(&patch.obj).map_err(failure)? == ObjType::Text {
                    return self.splice(&patch.obj, base, *index, *length, "");
                }
                let path = format!("{base}/{index}");
                self.changes
                    .push(json!({"op": "remove", "path": path, "count": length}));
            }
            PatchAction::DeleteMap { key } => {
                let path = format!("{base}/{}", escaped(key));
                self.changes.push(json!({"op": "remove", "path": path}));
            }
            PatchAction::Increment { prop, value } => {
                let path = base + &step(prop);
                self.changes
                    .push(json!({"op": "increment", "path": path, "by": value}));
            }
            PatchAction::Mark { marks } => self.marks(&patch.obj, &base, marks)?,
            PatchAction::Conflict { .. } => {}
        }
        Ok(())
    }

    /// Containers within containers that are written as a whole.
    fn note_fresh(&mut self, action: &PatchAction) {
        match action {
            PatchAction::PutMap { value, .. } | PatchAction::PutSeq { value, .. } => {
                self.note(&value.0, &value.1);
            }
            PatchAction::Insert { values, .. } => {
                for (value, id, _) in values {
                    self.note(value, id);
                }
            }
            _ => {}
        }
    }

    fn note(&mut self, value: &Stored<'_>, id: &ObjId) {
        if value.is_object() {
            self.fresh.insert(id.clone());
        }
    }

    fn set(&mut self, path: String, value: &(Stored<'static>, ObjId), depth: usize) -> Result<()> {
        let value = self.value(&value.0, &value.1, depth)?;
        self.changes
            .push(json!({"op": "set", "path": path, "value": value}));
        Ok(())
    }

    fn value(&mut self, value: &Stored<'static>, id: &ObjId, depth: usize) -> Result<Json> {
        self.note(value, id);
        let value = project::read(&self.past, value.clone(), id, depth)?;
        Ok(json::to_json(&value))
    }

    fn text(&mut self, text: &ObjId) -> Result<&mut Units> {
        if !self.texts.contains_key(text) {
            let before = self.am.text_at(text, &self.from).map_err(failure)?;
            let units = Units::new(&before, self.unit);
            self.texts.insert(text.clone(), units);
        }
        self.texts
            .get_mut(text)
            .ok_or_else(|| Error::internal("a text that was just read is absent"))
    }

    fn splice(
        &mut self,
        text: &ObjId,
        path: String,
        index: usize,
        delete: usize,
        insert: &str,
    ) -> Result<()> {
        let units = self.text(text)?;
        let position = units.of_code_points(index);
        let deleted = units.of_code_points(index.saturating_add(delete)) - position;
        units.splice(index, delete, insert);
        // An insertion and the deletion of what stood there are one splice.
        if let Some(Json::Object(last)) = self.changes.last_mut()
            && last.get("op") == Some(&"splice".into())
            && last.get("path").and_then(Json::as_str) == Some(&path)
            && last.get("delete") == Some(&0.into())
            && insert.is_empty()
        {
            let before = last.get("insert").and_then(Json::as_str).unwrap_or("");
            let end = last.get("position").and_then(Json::as_u64).unwrap_or(0)
                + self.unit.len(before) as u64;
            if end == position as u64 {
                last.insert("delete".into(), deleted.into());
                return Ok(());
            }
        }
        self.changes
            .push(json!({"op": "splice", "path": path, "position": position,
            "delete": deleted, "insert": insert}));
        Ok(())
    }

    fn marks(&mut self, text: &ObjId, path: &str, marks: &[Mark]) -> Result<()> {
        for mark in marks {
            let units = self.text(text)?;
            let start = units.of_code_points(mark.start);
            let end = units.of_code_points(mark.end);
            let value: Value = project::read_scalar(mark.value.clone());
            self.changes.push(
                json!({"op": "mark", "path": path, "start": start, "end": end,
                "name": mark.name(), "value": json::to_json(&value)}),
            );
        }
        Ok(())
    }
}

fn step(prop: &Prop) -> String {
    match prop {
        Prop::Map(key) => format!("/{}", escaped(key)),
        Prop::Seq(index) => format!("/{index}"),
    }
}

/// Whether a patch concerns an entry of the root.
pub(super) fn root_key(patch: &Patch) -> Option<&str> {
    match patch.path.first() {
        Some((_, Prop::Map(key))) => Some(key),
        Some(_) => None,
        None if patch.obj == ROOT => match &patch.action {
            PatchAction::PutMap { key, .. } | PatchAction::DeleteMap { key } => Some(key),
            PatchAction::Increment {
                prop: Prop::Map(key),
                ..
            } => Some(key),
            _ => None,
        },
        None => None,
    }
}
