//! Writing values into a document.

use super::Document;
use super::document::CHANGE_OPS;
use super::resolve::{BLOB_KEY, BLOB_SIZE_KEY, REFERENCE_KEY, failure};
use crate::model::{Error, Result, Value, signed};
use automerge::hydrate::{Text, Value as Hydrated};
use automerge::transaction::Transactable;
use automerge::{ObjId, ObjType, Prop, ScalarValue, TextEncoding};
use std::collections::{BTreeMap, HashMap};

/// Where a value goes within a map or list.
pub(super) enum Place {
    /// To a key, or in place of a list element.
    Put(Prop),
    /// Before the list element with this index.
    Insert(usize),
}

/// Writes `value` and everything in it. The caller has checked its depth.
pub(super) fn write(
    document: &mut Document,
    parent: &ObjId,
    place: Place,
    value: &Value,
) -> Result<()> {
    let ops = ops(value);
    document.budget(ops)?;
    if ops > CHANGE_OPS {
        return write_in_parts(document, parent, place, value);
    }
    document.room(ops)?;
    // One call for the whole value: element by element, a list takes quadratic time.
    match (hydrated(value), place) {
        (Hydrated::Scalar(scalar), Place::Put(prop)) => document.am.put(parent, prop, scalar),
        (Hydrated::Scalar(scalar), Place::Insert(at)) => document.am.insert(parent, at, scalar),
        (value, Place::Put(prop)) => document
            .am
            .batch_create_object(parent, prop, &value, false)
            .map(drop),
        (value, Place::Insert(at)) => document
            .am
            .batch_create_object(parent, at, &value, true)
            .map(drop),
    }
    .map_err(failure)
}

/// Writes an empty document's type and fields in one call, which costs half of what they cost one
/// by one. False, with nothing done, if they are too many for one change.
pub(super) fn init_root(
    document: &mut Document,
    system: (&str, ScalarValue),
    fields: &BTreeMap<String, Value>,
) -> Result<bool> {
    let ops = 1 + fields.values().map(ops).sum::<usize>();
    document.budget(ops)?;
    if ops > CHANGE_OPS {
        return Ok(false);
    }
    let mut root: HashMap<&str, Hydrated> = fields
        .iter()
        .map(|(name, value)| (name.as_str(), hydrated(value)))
        .collect();
    root.insert(system.0, Hydrated::Scalar(system.1));
    let root = automerge::hydrate::Map::from(root);
    document.am.init_root_from_hydrate(&root).map_err(failure)?;
    Ok(true)
}

/// Writes a value that takes more than one change: each change holds as many of its parts as fit.
fn write_in_parts(
    document: &mut Document,
    parent: &ObjId,
    place: Place,
    value: &Value,
) -> Result<()> {
    match value {
        Value::Text(text) => {
            let id = make(document, parent, place, ObjType::Text)?;
            super::text::replace(document, &id, 0, 0, text)
        }
        Value::List(items) => {
            let id = make(document, parent, place, ObjType::List)?;
            write_items(document, &id, items)
        }
        Value::Map(entries) => {
            let id = make(document, parent, place, ObjType::Map)?;
            for (key, entry) in entries {
                write(document, &id, Place::Put(Prop::Map(key.clone())), entry)?;
            }
            Ok(())
        }
        _ => Err(Error::internal("a scalar is one operation")),
    }
}

fn write_items(document: &mut Document, list: &ObjId, items: &[Value]) -> Result<()> {
    let mut group = Vec::new();
    let mut group_ops = 0;
    let mut at = 0;
    for item in items {
        let item_ops = ops(item);
        if group_ops + item_ops > CHANGE_OPS {
            at += append(document, list, at, std::mem::take(&mut group), group_ops)?;
            group_ops = 0;
        }
        if item_ops > CHANGE_OPS {
            write(document, list, Place::Insert(at), item)?;
            at += 1;
        } else {
            group.push(hydrated(item));
            group_ops += item_ops;
        }
    }
    append(document, list, at, group, group_ops)?;
    Ok(())
}

/// Inserts items at the end of a list of `at`; returns how many.
fn append(
    document: &mut Document,
    list: &ObjId,
    at: usize,
    items: Vec<Hydrated>,
    ops: usize,
) -> Result<usize> {
    let count = items.len();
    if count > 0 {
        document.room(ops)?;
        document.am.splice(list, at, 0, items).map_err(failure)?;
    }
    Ok(count)
}

/// How many operations writing a value takes.
fn ops(value: &Value) -> usize {
    match value {
        Value::Text(text) => 1 + text.chars().count(),
        Value::Reference(_) => 2,
        Value::Blob(_) => 3,
        Value::List(items) => items.iter().map(ops).fold(1, usize::saturating_add),
        Value::Map(entries) => entries.values().map(ops).fold(1, usize::saturating_add),
        _ => 1,
    }
}

/// The value in Automerge's terms.
fn hydrated(value: &Value) -> Hydrated {
    match value {
        Value::Text(text) => Hydrated::Text(Text::new(TextEncoding::UnicodeCodePoint, text)),
        Value::List(items) => Hydrated::from(items.iter().map(hydrated).collect::<Vec<_>>()),
        Value::Map(entries) => Hydrated::from(
            entries
                .iter()
                .map(|(key, entry)| (key.as_str(), hydrated(entry)))
                .collect::<HashMap<_, _>>(),
        ),
        Value::Reference(reference) => {
            let target = Hydrated::Scalar(reference.to_string().into());
            Hydrated::from(HashMap::from([(REFERENCE_KEY, target)]))
        }
        Value::Blob(blob) => {
            let id = Hydrated::Scalar(blob.id.to_string().into());
            let size = signed(blob.size);
            let size = Hydrated::Scalar(ScalarValue::Int(size));
            Hydrated::from(HashMap::from([(BLOB_KEY, id), (BLOB_SIZE_KEY, size)]))
        }
        other => Hydrated::Scalar(scalar(other).unwrap_or(ScalarValue::Null)),
    }
}

fn make(document: &mut Document, parent: &ObjId, place: Place, kind: ObjType) -> Result<ObjId> {
    document.room(1)?;
    match place {
        Place::Put(prop) => document.am.put_object(parent, prop, kind),
        Place::Insert(index) => document.am.insert_object(parent, index, kind),
    }
    .map_err(failure)
}

/// The scalar that a value is stored as, if it is stored as one.
pub(super) fn scalar(value: &Value) -> Option<ScalarValue> {
    Some(match value {
        Value::Null => ScalarValue::Null,
        Value::Bool(b) => ScalarValue::Boolean(*b),
        Value::Int(n) => ScalarValue::Int(*n),
        Value::Float(n) => ScalarValue::F64(*n),
        Value::String(text) => ScalarValue::Str(text.as_str().into()),
        Value::Bytes(bytes) => ScalarValue::Bytes(bytes.clone()),
        Value::Timestamp(ms) => ScalarValue::Timestamp(*ms),
        Value::Counter(n) => ScalarValue::counter(*n),
        Value::Text(_) | Value::Reference(_) | Value::Blob(_) | Value::List(_) | Value::Map(_) => {
            return None;
        }
    })
}
