//! Finding the place that a path names.

use crate::model::{Error, Path, Result, Segment, path::check_field_name};
use automerge::{
    AutoCommit, AutomergeError, ObjId, ObjType, Prop, ROOT, ReadDoc, ScalarValue, Value,
};

/// The key of the one entry of a map that stands for a reference.
pub(super) const REFERENCE_KEY: &str = "@ref";
/// The key of the blob's id in a map that stands for a blob.
pub(super) const BLOB_KEY: &str = "@blob";
/// The key of its size.
pub(super) const BLOB_SIZE_KEY: &str = "size";

/// A place within a map or a list, and what is there.
pub(super) struct Slot {
    /// The map or list.
    pub(super) parent: ObjId,
    /// The key or index in it.
    pub(super) prop: Prop,
    /// The list's length, if it is a list.
    pub(super) list_len: Option<usize>,
    /// What is there: nothing if the key is free or the index past the end.
    pub(super) found: Option<(Value<'static>, ObjId)>,
}

/// Finds the place that `path` names; everything above it must exist.
pub(super) fn slot(am: &AutoCommit, path: &Path) -> Result<Slot> {
    let field = path
        .field()
        .ok_or_else(|| Error::invalid("a path starts with a field name"))?;
    check_field_name(field)?;
    let mut parent = ROOT;
    let mut kind = ObjType::Map;
    let mut steps = path.0.iter().enumerate().peekable();
    while let Some((depth, segment)) = steps.next() {
        let prop = step(am, path, depth, segment, &parent, kind)?;
        let found = get(am, &parent, prop.clone())?;
        if steps.peek().is_none() {
            let list_len = (kind == ObjType::List).then(|| am.length(&parent));
            return Ok(Slot {
                parent,
                prop,
                list_len,
                found,
            });
        }
        (parent, kind) = enter(am, path, depth, found)?;
    }
    Err(Error::invalid("a path starts with a field name"))
}

/// What a path step means in the map or list it meets.
fn step(
    am: &AutoCommit,
    path: &Path,
    depth: usize,
    segment: &Segment,
    parent: &ObjId,
    kind: ObjType,
) -> Result<Prop> {
    match (kind, segment) {
        (ObjType::Map | ObjType::Table, Segment::Key(key)) => {
            check_field_name(key).map_err(|e| e.context(format!("path {path}")))?;
            Ok(Prop::Map(key.clone()))
        }
        (ObjType::Map | ObjType::Table, Segment::Index(index)) => Ok(Prop::Map(index.to_string())),
        (ObjType::List, Segment::Index(index)) => Ok(Prop::Seq(*index)),
        (ObjType::List, Segment::Key(key)) => Err(Error::invalid(format!(
            "{} is a list of {}: {key:?} is not an index",
            upto(path, depth),
            am.length(parent)
        ))),
        (ObjType::Text, _) => Err(Error::invalid(format!(
            "{} is a text and holds no values",
            upto(path, depth)
        ))),
    }
}

/// Steps into what was found.
fn enter(
    am: &AutoCommit,
    path: &Path,
    depth: usize,
    found: Option<(Value<'static>, ObjId)>,
) -> Result<(ObjId, ObjType)> {
    match found {
        None => Err(Error::not_found(format!(
            "{} does not exist",
            upto(path, depth + 1)
        ))),
        Some((value, id)) => {
            let what = describe(am, &value, &id);
            match value {
                Value::Object(kind) if what != "a reference" && what != "a blob" => Ok((id, kind)),
                _ => Err(Error::invalid(format!(
                    "{} is {what} and holds no values",
                    upto(path, depth + 1)
                ))),
            }
        }
    }
}

/// The first `steps` steps of a path, for an error message.
fn upto(path: &Path, steps: usize) -> Path {
    Path(path.0.iter().take(steps).cloned().collect())
}

/// The text that `path` names.
pub(super) fn text(am: &AutoCommit, path: &Path) -> Result<ObjId> {
    let slot = slot(am, path)?;
    match slot.found {
        Some((Value::Object(ObjType::Text), id)) => Ok(id),
        found => Err(unexpected(am, path, found.as_ref(), "a text")),
    }
}

/// Says that something else than `wanted` was found.
pub(super) fn unexpected(
    am: &AutoCommit,
    path: &Path,
    found: Option<&(Value<'static>, ObjId)>,
    wanted: &str,
) -> Error {
    match found {
        None => Error::not_found(format!("{path} does not exist")),
        Some((value, id)) => Error::invalid(format!(
            "{path} is {}, not {wanted}",
            describe(am, value, id)
        )),
    }
}

/// Names a kind of value.
pub(super) fn describe(am: &AutoCommit, value: &Value<'_>, id: &ObjId) -> &'static str {
    match value {
        Value::Object(ObjType::Text) => "a text",
        Value::Object(ObjType::List) => "a list",
        Value::Object(_) => match get(am, id, REFERENCE_KEY) {
            Ok(Some(_)) => "a reference",
            _ if matches!(get(am, id, BLOB_KEY), Ok(Some(_))) => "a blob",
            _ => "a map",
        },
        Value::Scalar(scalar) => describe_scalar(scalar),
    }
}

fn describe_scalar(scalar: &ScalarValue) -> &'static str {
    match scalar {
        ScalarValue::Bytes(_) => "bytes",
        ScalarValue::Str(_) => "a string",
        ScalarValue::Int(_) | ScalarValue::Uint(_) => "an integer",
        ScalarValue::F64(_) => "a float",
        ScalarValue::Counter(_) => "a counter",
        ScalarValue::Timestamp(_) => "a timestamp",
        ScalarValue::Boolean(_) => "a boolean",
        ScalarValue::Unknown { .. } => "a value of unknown kind",
        ScalarValue::Null => "null",
    }
}

/// Reads one place.
pub(super) fn get(
    am: &AutoCommit,
    parent: &ObjId,
    prop: impl Into<Prop>,
) -> Result<Option<(Value<'static>, ObjId)>> {
    match am.get(parent, prop) {
        Ok(found) => Ok(found.map(|(value, id)| (value.into_owned(), id))),
        Err(e) => Err(failure(e)),
    }
}

/// An error that no input explains.
pub(super) fn failure(e: AutomergeError) -> Error {
    Error::internal(format!("the object's document: {e}"))
}
