//! Checking objects against the schemas that they carry the version of. Local writes that break one
//! are refused; whatever else does, such as a merge, is recorded and told, and never dropped.

use super::space_core::{SpaceCore, meta};
use super::store::{ObjectRow, Violation};
use super::write::RowChange;
use crate::model::{
    Error, ErrorKind, ObjectId, Operation, Path, Result, Segment, TextUnit, json, limits,
};
use crate::objects::Document;
use crate::schema::{Breach, Checked, CompiledSchema};
use serde_json::Value as Json;
use std::sync::Arc;

/// For each row what it breaks from now on; `None` where nothing is or was recorded.
pub(super) type Verdicts = Vec<Option<Vec<Breach>>>;

/// Whether breaking a schema is refused.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// Refused with `SchemaViolation`: the writer is here and can write something else.
    Enforce,
    /// Recorded: it happened elsewhere, or was allowed when it was made.
    Record,
}

impl SpaceCore {
    /// Checks the rows that a commit is about to write. **Every commit of rows goes through here**,
    /// local ones with [`Rule::Enforce`], and hands the verdicts on to storage with the rows: that
    /// alone keeps the record of violations equal to what a check of all objects would find. Costs
    /// nothing but a comparison where a space has no schemas.
    ///
    /// What a peer's entry changes is checked within [`limits::JUDGED_STEPS`]; the objects that are
    /// left then are recorded as unchecked, and checked later ([`SpaceCore::check_some`]): no schema
    /// and no entry holds up those that come after it.
    pub(super) fn judge(&mut self, rows: &[RowChange], rule: Rule) -> Result<Verdicts> {
        if self.schemas.is_empty() {
            return Ok(Vec::new());
        }
        let (mut recorded, mut enforced) = (0, 0);
        let mut verdicts = Vec::with_capacity(rows.len());
        for row in rows {
            let old = row.old.as_deref();
            let was = old.is_some_and(|old| self.schemas.govern(old.type_name.as_deref()));
            if !was && !self.schemas.govern(row.new.type_name.as_deref()) {
                verdicts.push(None);
                continue;
            }
            if rule == Rule::Enforce && !old.is_some_and(|old| says_the_same(old, &row.new)) {
                let checked = self.breaches(&row.new)?;
                refuse(&row.new, &checked.breaches)?;
                enforced += checked.steps;
                check_enforced(enforced)?;
                verdicts.push(Some(Vec::new()));
            } else if recorded >= limits::JUDGED_STEPS && !row.new.is_gone() {
                self.schemas.put_off(row.new.id);
                verdicts.push(Some(vec![Breach::unchecked()]));
            } else {
                let checked = self.breaches(&row.new)?;
                recorded += checked.steps;
                verdicts.push(Some(checked.breaches));
            }
        }
        Ok(verdicts)
    }

    /// What an object breaks, and the steps that it took to find out.
    fn breaches(&mut self, row: &ObjectRow) -> Result<Checked> {
        if row.is_gone() {
            return Ok(Checked::default());
        }
        let before = self.schemas.readings();
        let schema = self.schema_of(row)?;
        let reading = (self.schemas.readings() - before) * limits::SCHEMA_READING_STEPS;
        let mut checked = match schema {
            Some(schema) => {
                let plain: Json = serde_json::from_str(row.plain_json()).unwrap_or(Json::Null);
                schema.check_counted(&plain)
            }
            None => Checked::default(),
        };
        checked.steps += reading;
        #[cfg(test)]
        {
            self.schemas.steps += checked.steps;
        }
        Ok(checked)
    }

    fn schema_of(&mut self, row: &ObjectRow) -> Result<Option<Arc<CompiledSchema>>> {
        match (&row.type_name, row.system.schema_version) {
            (Some(name), Some(version)) => self.schemas.compiled(&*self.store, name, version),
            _ => Ok(None),
        }
    }

    /// The step that says for which schema a new object is written: the newest of its type.
    pub(super) fn versioning(
        &mut self,
        operations: &[&Operation],
        document: &mut Document,
    ) -> Result<Option<Operation>> {
        let (object, type_name) = match operations.first() {
            Some(Operation::Create {
                object,
                type_name: Some(name),
                ..
            }) => (*object, name),
            Some(Operation::Upsert {
                object, type_name, ..
            }) => (*object, type_name),
            _ => return Ok(None),
        };
        let said = operations
            .iter()
            .any(|operation| matches!(operation, Operation::SetSchemaVersion { .. }));
        if said || !self.schemas.govern(Some(type_name)) || !document.heads().is_empty() {
            return Ok(None);
        }
        let newest = self.schemas.newest(&*self.store, type_name)?;
        Ok(newest.map(|version| Operation::SetSchemaVersion { object, version }))
    }

    /// Refuses an edit of a text, outside a transaction, that would break the object's schema. Such
    /// edits are applied before they are committed, when it would be too late to refuse.
    pub(super) fn check_edit(&mut self, edit: &Operation) -> Result<()> {
        let Operation::Splice { object, path, .. } = edit else {
            return Ok(());
        };
        if self.schemas.is_empty() {
            return Ok(());
        }
        let Some(row) = self.store.object(object)?.filter(|row| !row.is_gone()) else {
            return Ok(());
        };
        let Some(schema) = self.schema_of(&row)? else {
            return Ok(());
        };
        // Edits that are not committed yet count.
        let fields = self.read_document(*object, |document| Ok(document.project().fields))?;
        let fields = fields
            .iter()
            .map(|(name, value)| (name.clone(), json::to_plain(value)));
        let mut plain = Json::Object(fields.collect());
        // What is no text, or past its end, is refused where the edit is applied.
        match text_at(&mut plain, path).and_then(|text| splice(text, edit)) {
            Some(()) => refuse(&row, &schema.check(&plain)),
            None => Ok(()),
        }
    }

    /// Whether objects are yet to be checked: schemas came or changed, or a check was put off.
    pub fn has_schema_checks(&self) -> bool {
        self.schemas.pending().is_some() || self.schemas.next_put_off().is_some()
    }

    /// Checks some of them; whether there are more.
    pub fn check_some(&mut self) -> Result<bool> {
        let of_type = self.schemas.pending();
        // In turns, so that neither has to wait for the end of the other, which may never come.
        let put_off = self.schemas.next_put_off().is_some();
        match of_type {
            Some((type_name, after)) if !put_off || self.schemas.take_turn() => {
                self.check_type(&type_name, after)?;
            }
            _ if put_off => self.check_put_off()?,
            _ => {}
        }
        Ok(self.has_schema_checks())
    }

    fn check_type(&mut self, type_name: &str, after: i64) -> Result<()> {
        let rows = self
            .store
            .objects_of_type(type_name, after, limits::CHECKED_AT_ONCE)?;
        let mut judged = Vec::with_capacity(rows.len());
        let mut reached = None;
        let mut steps = 0;
        for (n, row) in &rows {
            let checked = self.breaches(row)?;
            judged.push((row.id, checked.breaches));
            steps += checked.steps;
            reached = Some(*n);
            if steps >= limits::SCHEMA_STEPS {
                break;
            }
        }
        let all = judged.len() == rows.len() && rows.len() < limits::CHECKED_AT_ONCE;
        let after = if all { None } else { reached };
        let fact = self.schemas.checked(type_name, after);
        self.store
            .put_breaches(&judged, (meta::SCHEMA_CHECKS, &fact))?;
        self.schemas.advance(type_name, after);
        Ok(())
    }

    /// Checks objects whose check was put off.
    fn check_put_off(&mut self) -> Result<()> {
        let mut judged = Vec::new();
        let mut steps = 0;
        let mut last = None;
        while steps < limits::SCHEMA_STEPS && judged.len() < limits::CHECKED_AT_ONCE {
            let Some(id) = self.schemas.put_off_after(last.as_ref()) else {
                break;
            };
            last = Some(id);
            let checked = match self.store.object(&id)? {
                Some(row) => self.breaches(&row)?,
                None => Checked::default(),
            };
            steps += checked.steps;
            judged.push((id, checked.breaches));
        }
        let fact = self.schemas.how_far();
        self.store
            .put_breaches(&judged, (meta::SCHEMA_CHECKS, &fact))?;
        for (id, _) in &judged {
            self.schemas.made_good(id);
        }
        Ok(())
    }

    /// The objects that break their schema, as recorded.
    pub fn violations(&self) -> Result<Vec<Violation>> {
        self.store.violations()
    }
}

/// A transaction that is too dear to check as a whole is none that a program waits for.
fn check_enforced(steps: u64) -> Result<()> {
    match steps > limits::ENFORCED_STEPS {
        false => Ok(()),
        true => Err(Error::limit(format!(
            "to check a transaction's objects against their schemas may take {} steps: split it",
            limits::ENFORCED_STEPS
        ))),
    }
}

/// Whether a row says nothing that a schema judges otherwise than before: then a tag can be set, or
/// a deletion undone, although a merge broke the object.
fn says_the_same(old: &ObjectRow, new: &ObjectRow) -> bool {
    old.data == new.data
        && old.type_name == new.type_name
        && old.system.schema_version == new.system.schema_version
}

fn refuse(row: &ObjectRow, breaches: &[Breach]) -> Result<()> {
    let Some(first) = breaches.first() else {
        return Ok(());
    };
    let more = match breaches.len() {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    Err(Error::new(
        ErrorKind::SchemaViolation,
        format!(
            "object {} would break version {} of the schema of {:?} at {:?}: {}{more}",
            row.id,
            row.system.schema_version.unwrap_or_default(),
            row.type_name.as_deref().unwrap_or_default(),
            first.path,
            first.reason
        ),
    ))
}

fn text_at<'a>(plain: &'a mut Json, path: &Path) -> Option<&'a mut String> {
    let found = path
        .0
        .iter()
        .try_fold(plain, |json, step| match (json, step) {
            (Json::Object(map), Segment::Key(key)) => map.get_mut(key),
            (Json::Object(map), Segment::Index(index)) => map.get_mut(&index.to_string()),
            (Json::Array(items), Segment::Index(index)) => items.get_mut(*index),
            _ => None,
        });
    match found {
        Some(Json::String(text)) => Some(text),
        _ => None,
    }
}

/// Edits a string as the edit does the text.
fn splice(text: &mut String, edit: &Operation) -> Option<()> {
    let Operation::Splice {
        position,
        delete,
        insert,
        unit,
        ..
    } = edit
    else {
        return None;
    };
    let from = offset(text, *unit, *position)?;
    let to = offset(text, *unit, position.checked_add(*delete)?)?;
    text.replace_range(from..to, insert);
    Some(())
}

/// The byte at a position.
fn offset(text: &str, unit: TextUnit, position: usize) -> Option<usize> {
    let points = unit.to_code_points(text, position)?;
    let mut places = text.char_indices().map(|(at, _)| at);
    Some(places.nth(points).unwrap_or(text.len()))
}

/// Refuses what programs may not do with schemas but through the calls for them: objects of reserved
/// types, and changes of schemas other than withdrawing them.
pub(super) fn check_reserved(core: &SpaceCore, operations: &[Operation]) -> Result<()> {
    for (index, operation) in operations.iter().enumerate() {
        let refused = |error: Error| error.in_step(index, operations.len());
        let type_name = match operation {
            Operation::Create { type_name, .. } => type_name.as_deref(),
            Operation::Upsert { type_name, .. } => Some(type_name.as_str()),
            _ => None,
        };
        if type_name.is_some_and(|name| name.starts_with('@')) {
            return Err(refused(Error::invalid(
                "type names that start with '@' are reserved: choose another name",
            )));
        }
        let free = matches!(
            operation,
            Operation::Delete { .. } | Operation::Restore { .. }
        );
        if !free && core.schemas.place(&operation.object()).is_some() {
            return Err(refused(holds_schema(&operation.object())));
        }
    }
    Ok(())
}

fn holds_schema(id: &ObjectId) -> Error {
    Error::invalid(format!(
        "object {id} holds a schema: it may be deleted and restored; register a new version to \
         change the schema"
    ))
}
