//! What commands report about objects and what they hold. The names of the members are the keys of
//! `--json` and stay as they are.

use echodb::{ObjectRecord, TextMark};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// See [`crate::event::Event::Object`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Object {
    /// Its space, where several were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// Its id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Its parent's id.
    pub parent: Option<String>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Whether something above it is deleted.
    #[serde(default)]
    pub hidden: bool,
    /// The version of its type's schema that it was written for.
    pub schema_version: Option<u32>,
    /// Where it begins, if it is a relation.
    pub source: Option<String>,
    /// Where it ends, if it is one.
    pub target: Option<String>,
    /// Its tags.
    #[serde(default)]
    pub tags: Vec<String>,
    /// What it is called in other systems, by system; `natural` is its natural key.
    #[serde(default)]
    pub keys: BTreeMap<String, String>,
    /// The object of which it is a branch.
    pub branch_of: Option<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was last changed, likewise.
    pub updated_ms: i64,
    /// Its version.
    pub heads: Vec<String>,
    /// Its fields, a JSON object. Kept as text: reading numbers and writing them again could
    /// change their last digit.
    pub fields: Box<RawValue>,
}

impl TryFrom<ObjectRecord> for Object {
    type Error = serde_json::Error;

    fn try_from(record: ObjectRecord) -> Result<Self, Self::Error> {
        Ok(Object {
            space: None,
            id: record.id,
            type_name: record.type_name,
            parent: record.parent,
            deleted: record.deleted,
            hidden: record.hidden,
            schema_version: record.schema_version,
            source: record.source,
            target: record.target,
            tags: record.tags,
            keys: record.keys.into_iter().collect(),
            branch_of: record.branch_of,
            created_ms: record.created_ms,
            updated_ms: record.updated_ms,
            heads: record.heads,
            fields: RawValue::from_string(record.fields)?,
        })
    }
}

/// What `change` did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Changed {
    /// The space.
    pub space: String,
    /// The entry that carries it; none if nothing was changed.
    pub entry: Option<String>,
    /// The objects that it made, in the order of the steps.
    pub created: Vec<Made>,
    /// All objects that it touched, in the order of their ids.
    pub objects: Vec<Version>,
}

/// An object that a step made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Made {
    /// The step, counted from 1.
    pub step: usize,
    /// The object.
    pub id: String,
    /// What the step calls it.
    #[serde(rename = "as")]
    pub name: Option<String>,
}

/// An object's version.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    /// The object.
    pub id: String,
    /// The version that the transaction made.
    pub heads: Vec<String>,
}

/// A value that concurrent writes left in one place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ConflictValue {
    /// The value.
    pub value: Box<RawValue>,
    /// Whether it is the one that reads show.
    pub shown: bool,
}

/// A mark on a stretch of a text, in code points.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Mark {
    /// Where it begins.
    pub start: u64,
    /// Where it ends.
    pub end: u64,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Box<RawValue>,
}

impl TryFrom<TextMark> for Mark {
    type Error = serde_json::Error;

    fn try_from(mark: TextMark) -> Result<Self, Self::Error> {
        Ok(Mark {
            start: mark.start,
            end: mark.end,
            name: mark.name,
            value: RawValue::from_string(mark.value)?,
        })
    }
}
