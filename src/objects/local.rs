//! The local operations of a transaction, each turned into Automerge's.

use super::Document;
use super::project::{DELETED, PARENT, TYPE};
use super::resolve::{self, failure, get, unexpected};
use super::system;
use super::value::{self, Place};
use crate::model::path::check_field_name;
use crate::model::{Error, Operation, Path, Result, Value};
use automerge::transaction::Transactable;
use automerge::{Prop, ROOT, ReadDoc, ScalarValue, Value as Stored};
use std::collections::BTreeMap;

/// Applies one operation. After an error some of it may be done.
pub(super) fn apply(document: &mut Document, op: &Operation) -> Result<()> {
    if let Operation::Splice {
        path,
        position,
        delete,
        insert,
        unit,
        ..
    } = op
    {
        return super::text::splice(document, path, *position, *delete, insert, *unit);
    }
    // Any other operation may replace the text that was edited last.
    super::text::settle(document)?;
    document.text = None;
    match op {
        Operation::Create {
            type_name, fields, ..
        } => create(document, type_name.as_deref(), fields),
        Operation::Update { fields, .. } => set_fields(document, fields),
        Operation::Set { path, value, .. } => set(document, path, value),
        Operation::Insert { path, value, .. } => insert(document, path, value),
        Operation::Remove { path, .. } => remove(document, path),
        Operation::Increment { path, by, .. } => increment(document, path, *by),
        Operation::SetParent { parent, .. } => put_root(
            document,
            PARENT,
            match parent {
                Some(parent) => ScalarValue::Str(parent.to_string().into()),
                None => ScalarValue::Null,
            },
        ),
        Operation::Delete { .. } => put_root(document, DELETED, ScalarValue::Boolean(true)),
        Operation::Restore { .. } => put_root(document, DELETED, ScalarValue::Boolean(false)),
        Operation::Upsert {
            type_name,
            key,
            fields,
            ..
        } => system::upsert(document, type_name, key, fields),
        Operation::Move { path, to, .. } => move_element(document, path, *to),
        Operation::Mark {
            path,
            start,
            end,
            unit,
            name,
            value,
            expand,
            ..
        } => super::marks::mark(document, path, (*start, *end, *unit), name, value, *expand),
        Operation::Relate { source, target, .. } => system::relate(document, *source, *target),
        Operation::Tag { tag, on, .. } => system::tag(document, tag, *on),
        Operation::SetKey { source, key, .. } => system::set_key(document, source, key.as_deref()),
        Operation::SetSchemaVersion { version, .. } => system::set_version(document, *version),
        Operation::SetBranch { branch, .. } => system::set_branch(document, branch),
        Operation::Splice { .. } => Err(Error::internal("handled above")),
    }
}

pub(super) fn create(
    document: &mut Document,
    type_name: Option<&str>,
    fields: &BTreeMap<String, Value>,
) -> Result<()> {
    if !document.am.base_heads().is_empty() || document.is_open() {
        return Err(Error::new(
            crate::model::ErrorKind::AlreadyExists,
            "the object exists already",
        ));
    }
    // Written even when there is no type: an object without a change would not exist.
    let type_name = type_name.map_or(ScalarValue::Null, |name| ScalarValue::Str(name.into()));
    for (name, value) in fields {
        check_field_name(name)?;
        value.check()?;
    }
    if value::init_root(document, (TYPE, type_name.clone()), fields)? {
        return Ok(());
    }
    put_root(document, TYPE, type_name)?;
    set_fields(document, fields)
}

pub(super) fn put_root(document: &mut Document, key: &str, value: ScalarValue) -> Result<()> {
    // Clearing what is not there would be a change that says nothing.
    let blank = matches!(value, ScalarValue::Null | ScalarValue::Boolean(false));
    if blank && key != TYPE && get(&document.am, &ROOT, key)?.is_none() {
        return Ok(());
    }
    document.room(1)?;
    document.am.put(ROOT, key, value).map_err(failure)
}

pub(super) fn set_fields(document: &mut Document, fields: &BTreeMap<String, Value>) -> Result<()> {
    for (name, value) in fields {
        check_field_name(name)?;
        let path = Path(vec![crate::model::Segment::Key(name.clone())]);
        set(document, &path, value)?;
    }
    Ok(())
}

fn set(document: &mut Document, path: &Path, new: &Value) -> Result<()> {
    check(path, new)?;
    let slot = resolve::slot(&document.am, path)?;
    if let (Some(len), Prop::Seq(index)) = (slot.list_len, &slot.prop)
        && *index >= len
    {
        return Err(past_end(path, *index, len));
    }
    // Rewriting a text in place lets it merge with what others write meanwhile.
    if let (Value::Text(text), Some((Stored::Object(automerge::ObjType::Text), id))) =
        (new, &slot.found)
    {
        return super::text::rewrite(document, id, text);
    }
    if slot.found.as_ref().is_some_and(|found| same(found, new)) && !conflicted(document, &slot)? {
        return Ok(());
    }
    value::write(document, &slot.parent, Place::Put(slot.prop), new)
}

/// Whether a scalar is there already: writing it again would only grow the history. Automerge
/// does this for most values, but counters restart, and NaN never equals itself.
fn same(found: &(Stored<'static>, automerge::ObjId), new: &Value) -> bool {
    match (&found.0, value::scalar(new)) {
        (Stored::Scalar(old), Some(new)) => {
            old.as_ref() == &new && !matches!(new, ScalarValue::Counter(_))
        }
        _ => false,
    }
}

/// Whether concurrent writes left several values in a place; then writing the winner settles it.
fn conflicted(document: &Document, slot: &resolve::Slot) -> Result<bool> {
    let all = document
        .am
        .get_all(&slot.parent, slot.prop.clone())
        .map_err(failure)?;
    Ok(all.len() > 1)
}

fn insert(document: &mut Document, path: &Path, new: &Value) -> Result<()> {
    check(path, new)?;
    let slot = resolve::slot(&document.am, path)?;
    let (Some(len), Prop::Seq(index)) = (slot.list_len, slot.prop) else {
        return Err(Error::invalid(format!(
            "{path} lies in a map: only lists take insertions, use set"
        )));
    };
    if index > len {
        return Err(past_end(path, index, len));
    }
    value::write(document, &slot.parent, Place::Insert(index), new)
}

fn remove(document: &mut Document, path: &Path) -> Result<()> {
    let slot = resolve::slot(&document.am, path)?;
    if slot.found.is_none() {
        return Err(match (slot.list_len, &slot.prop) {
            (Some(len), Prop::Seq(index)) => past_end(path, *index, len),
            _ => Error::not_found(format!("{path} does not exist")),
        });
    }
    document.room(1)?;
    document.am.delete(&slot.parent, slot.prop).map_err(failure)
}

/// Takes an element out of a list and puts it in again at `to`, counted without it.
fn move_element(document: &mut Document, path: &Path, to: usize) -> Result<()> {
    let slot = resolve::slot(&document.am, path)?;
    let (Some(len), Prop::Seq(index)) = (slot.list_len, slot.prop.clone()) else {
        return Err(Error::invalid(format!(
            "{path} lies in a map: only a list's elements move"
        )));
    };
    if slot.found.is_none() {
        return Err(past_end(path, index, len));
    }
    if to >= len {
        return Err(past_end(path, to, len));
    }
    if to == index {
        return Ok(());
    }
    let element = super::project::value_at(&document.am, path)?;
    document.room(1)?;
    document
        .am
        .delete(&slot.parent, slot.prop)
        .map_err(failure)?;
    value::write(document, &slot.parent, Place::Insert(to), &element)
}

fn increment(document: &mut Document, path: &Path, by: i64) -> Result<()> {
    let slot = resolve::slot(&document.am, path)?;
    let counter = match &slot.found {
        Some((Stored::Scalar(scalar), _)) => match scalar.as_ref() {
            ScalarValue::Counter(counter) => Some(i64::from(counter)),
            _ => None,
        },
        _ => None,
    };
    let Some(now) = counter else {
        return Err(unexpected(
            &document.am,
            path,
            slot.found.as_ref(),
            "a counter",
        ));
    };
    if now.checked_add(by).is_none() {
        return Err(Error::invalid(format!(
            "{path} is {now}: adding {by} leaves the range of 64 bits"
        )));
    }
    document.room(1)?;
    document
        .am
        .increment(&slot.parent, slot.prop, by)
        .map_err(failure)
}

/// Checks a value's names, and its depth at the place it goes to.
fn check(path: &Path, value: &Value) -> Result<()> {
    value
        .check()
        .map_err(|e| e.context(format!("the value for {path}")))
}

fn past_end(path: &Path, index: usize, len: usize) -> Error {
    Error::invalid(format!(
        "{path}: index {index} is past the end of a list of {len}"
    ))
}
