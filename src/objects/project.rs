//! Reading a document as plain values.

use super::resolve;
use super::resolve::{BLOB_KEY, BLOB_SIZE_KEY, REFERENCE_KEY, failure, get};
use crate::model::path::check_field_name;
use crate::model::{BlobId, BlobRef, ObjectId, Reference, Result, SystemFields, Value, limits};
use crate::model::{Error, Path};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value as Stored};
use std::collections::BTreeMap;

/// The object's type name, a string at the root.
pub(super) const TYPE: &str = "@type";
/// The id of the object's parent, a string at the root.
pub(super) const PARENT: &str = "@parent";
/// Whether the object is deleted, a boolean at the root.
pub(super) const DELETED: &str = "@deleted";

/// An object's state as plain values.
///
/// What another program may have written and this model has no name for becomes the nearest thing:
/// unsigned integers past 63 bits are floats, scalars of unknown type their bytes, tables maps. In
/// maps, entries whose names this model does not allow are left out (empty, too long, or beginning
/// with `@`, except the entries of a reference or a blob). A list or map whose
/// contents would be nested deeper than [`limits::VALUE_DEPTH`] is null.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Projection {
    /// The type name.
    pub type_name: Option<String>,
    /// The parent, which need not exist.
    pub parent: Option<ObjectId>,
    /// Whether the object is deleted: so once any of several concurrent writes says so.
    pub deleted: bool,
    /// The rest of its system part.
    pub system: SystemFields,
    /// The fields.
    pub fields: BTreeMap<String, Value>,
    /// The hashes of the latest changes, sorted.
    pub heads: Vec<[u8; 32]>,
}

/// Projects the whole document.
pub(super) fn project(am: &AutoCommit) -> Result<Projection> {
    let deleted = super::system::any_is_true(am, DELETED)?;
    Ok(Projection {
        type_name: root_string(am, TYPE)?,
        parent: root_string(am, PARENT)?.and_then(|text| ObjectId::parse(&text).ok()),
        deleted,
        system: super::system::read(am)?,
        fields: entries(am, &ROOT, 0)?,
        heads: heads(am),
    })
}

/// The hashes of the latest changes, sorted; an open transaction does not count.
pub(super) fn heads(am: &AutoCommit) -> Vec<[u8; 32]> {
    // Not `get_heads`, which commits an open transaction.
    let mut heads: Vec<[u8; 32]> = am.base_heads().iter().map(|hash| hash.0).collect();
    heads.sort_unstable();
    heads
}

pub(super) fn root_string(am: &AutoCommit, key: &str) -> Result<Option<String>> {
    Ok(get(am, &ROOT, key)?.and_then(|(value, _)| string(&value)))
}

pub(super) fn string(value: &Stored<'_>) -> Option<String> {
    match value {
        Stored::Scalar(scalar) => match scalar.as_ref() {
            ScalarValue::Str(text) => Some(text.to_string()),
            _ => None,
        },
        Stored::Object(_) => None,
    }
}

/// The value at a path; the empty path means all fields.
pub(super) fn value_at(am: &AutoCommit, path: &Path) -> Result<Value> {
    if path.0.is_empty() {
        return Ok(Value::Map(entries(am, &ROOT, 0)?));
    }
    let slot = resolve::slot(am, path)?;
    match slot.found {
        None => Err(Error::not_found(format!("{path} does not exist"))),
        Some((value, id)) => read(am, value, &id, 0),
    }
}

fn entries(am: &AutoCommit, map: &ObjId, depth: usize) -> Result<BTreeMap<String, Value>> {
    let mut entries = BTreeMap::new();
    for item in am.map_range(map, ..) {
        if check_field_name(&item.key).is_ok() {
            let id = item.id();
            let key = item.key.into_owned();
            entries.insert(key, read(am, item.value.into_value(), &id, depth)?);
        }
    }
    Ok(entries)
}

/// Reads one value; `depth` is the number of lists and maps around it.
pub(super) fn read(am: &AutoCommit, value: Stored<'_>, id: &ObjId, depth: usize) -> Result<Value> {
    let foreign = depth >= limits::VALUE_DEPTH;
    match value {
        Stored::Scalar(scalar) => Ok(read_scalar(scalar.into_owned())),
        Stored::Object(ObjType::Text) => Ok(Value::Text(am.text(id).map_err(failure)?)),
        // What lies deeper than this model allows, with what holds it.
        Stored::Object(ObjType::List) if foreign && am.length(id) > 0 => Ok(Value::Null),
        Stored::Object(ObjType::List) => {
            let mut items = Vec::new();
            for item in am.list_range(id, ..) {
                let item_id = item.id();
                items.push(read(am, item.value.into_value(), &item_id, depth + 1)?);
            }
            Ok(Value::List(items))
        }
        Stored::Object(ObjType::Map | ObjType::Table) => match read_special(am, id)? {
            Some(special) => Ok(special),
            None if foreign && am.length(id) > 0 => Ok(Value::Null),
            None => Ok(Value::Map(entries(am, id, depth + 1)?)),
        },
    }
}

/// What a map stands for, if it is no map.
fn read_special(am: &AutoCommit, map: &ObjId) -> Result<Option<Value>> {
    if let Some(reference) = read_reference(am, map)? {
        return Ok(Some(Value::Reference(reference)));
    }
    Ok(read_blob(am, map)?.map(Value::Blob))
}

fn read_blob(am: &AutoCommit, map: &ObjId) -> Result<Option<BlobRef>> {
    let Some((id, _)) = get(am, map, BLOB_KEY)? else {
        return Ok(None);
    };
    let size = match get(am, map, BLOB_SIZE_KEY)? {
        Some((Stored::Scalar(size), _)) => match read_scalar(size.into_owned()) {
            Value::Int(size) => u64::try_from(size).ok(),
            _ => None,
        },
        _ => None,
    };
    let id = string(&id).and_then(|text| BlobId::parse(&text).ok());
    // Anything else is a foreign map that happens to use the name.
    let (Some(id), Some(size)) = (id, size.filter(|size| *size <= limits::BLOB_BYTES)) else {
        return Ok(None);
    };
    Ok((am.length(map) == 2).then_some(BlobRef { id, size }))
}

fn read_reference(am: &AutoCommit, map: &ObjId) -> Result<Option<Reference>> {
    let Some((value, _)) = get(am, map, REFERENCE_KEY)? else {
        return Ok(None);
    };
    let reference = string(&value).and_then(|text| Reference::parse(&text).ok());
    // With other entries beside it, it is a foreign map that happens to use the name.
    Ok(reference.filter(|_| am.length(map) == 1))
}

pub(super) fn read_scalar(scalar: ScalarValue) -> Value {
    match scalar {
        ScalarValue::Bytes(bytes) => Value::Bytes(bytes),
        ScalarValue::Str(text) => Value::String(text.to_string()),
        ScalarValue::Int(n) => Value::Int(n),
        ScalarValue::Uint(n) => match i64::try_from(n) {
            Ok(n) => Value::Int(n),
            Err(_) => Value::Float(n as f64),
        },
        ScalarValue::F64(n) => Value::Float(n),
        ScalarValue::Counter(n) => Value::Counter(i64::from(&n)),
        ScalarValue::Timestamp(ms) => Value::Timestamp(ms),
        ScalarValue::Boolean(b) => Value::Bool(b),
        ScalarValue::Unknown { bytes, .. } => Value::Bytes(bytes),
        ScalarValue::Null => Value::Null,
    }
}
