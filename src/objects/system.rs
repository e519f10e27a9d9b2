//! The system part of an object: root entries whose names begin with `@`. Each tag and each foreign
//! key is an entry of its own at the root, so that concurrent writes of different ones never meet.

use super::Document;
use super::local::{create, put_root, set_fields};
use super::project::{DELETED, root_string, string};
use super::resolve::{failure, get};
use crate::model::{Branch, ErrorKind, ObjectId, Result, SystemFields, Value, limits, system};
use automerge::{AutoCommit, ROOT, ReadDoc, ScalarValue, Value as Stored};
use std::collections::BTreeMap;

/// The version of the type's schema, an integer.
const VERSION: &str = "@version";
/// A relation's ends, strings.
const SOURCE: &str = "@source";
const TARGET: &str = "@target";
/// What the object is a branch of, JSON text.
const BRANCH: &str = "@branch";
/// Before a tag; true or false.
const TAG: &str = "@tag:";
/// Before the name of another system; the object's name there.
const KEY: &str = "@key:";

/// Reads the system part. What is malformed or past a bound is left out: the first labels in order
/// count, so that every peer sees the same.
pub(super) fn read(am: &AutoCommit) -> Result<SystemFields> {
    let mut fields = SystemFields::default();
    // The names stand together in order, so that an object without any costs one look.
    for item in am.map_range(&ROOT, "@".to_owned().."A".to_owned()) {
        let key = item.key.as_ref();
        if let Some(tag) = key.strip_prefix(TAG) {
            let room = fields.tags.len() < limits::LABELS && system::check_tag(tag).is_ok();
            if room && any_is_true(am, key)? {
                fields.tags.insert(tag.to_owned());
            }
        } else if let Some(source) = key.strip_prefix(KEY) {
            let room = fields.keys.len() < limits::LABELS;
            if let Some(name) = root_string(am, key)?.filter(|_| room)
                && is_key(source, &name)
            {
                fields.keys.insert(source.to_owned(), name);
            }
        } else {
            read_single(am, key, &mut fields)?;
        }
    }
    Ok(fields)
}

fn read_single(am: &AutoCommit, key: &str, fields: &mut SystemFields) -> Result<()> {
    let object = || -> Result<Option<ObjectId>> {
        Ok(root_string(am, key)?.and_then(|text| ObjectId::parse(&text).ok()))
    };
    match key {
        SOURCE => fields.source = object()?,
        TARGET => fields.target = object()?,
        VERSION => {
            fields.schema_version = match get(am, &ROOT, key)? {
                Some((Stored::Scalar(scalar), _)) => match scalar.as_ref() {
                    ScalarValue::Int(n) => u32::try_from(*n).ok(),
                    ScalarValue::Uint(n) => u32::try_from(*n).ok(),
                    _ => None,
                },
                _ => None,
            }
        }
        BRANCH => {
            fields.branch = root_string(am, key)?
                .and_then(|text| serde_json::from_str(&text).ok())
                .and_then(|json| Branch::from_json(&json));
        }
        _ => {}
    }
    Ok(())
}

fn is_key(source: &str, name: &str) -> bool {
    match source {
        system::NATURAL => system::check_natural_key(name).is_ok(),
        _ => system::check_key(source, name).is_ok(),
    }
}

/// Whether one of several concurrent writes says true.
pub(super) fn any_is_true(am: &AutoCommit, key: &str) -> Result<bool> {
    let all = am.get_all(ROOT, key).map_err(failure)?;
    Ok(all
        .iter()
        .any(|(value, _)| matches!(value, Stored::Scalar(s) if **s == ScalarValue::Boolean(true))))
}

/// Makes the object that a natural key names, or sets fields of it.
pub(super) fn upsert(
    document: &mut Document,
    type_name: &str,
    key: &str,
    fields: &BTreeMap<String, Value>,
) -> Result<()> {
    system::check_natural_key(key)?;
    match create(document, Some(type_name), fields) {
        Ok(()) => put(document, &format!("{KEY}{}", system::NATURAL), Some(key)),
        Err(e) if e.kind() == ErrorKind::AlreadyExists => {
            if any_is_true(&document.am, DELETED)? {
                put_root(document, DELETED, ScalarValue::Boolean(false))?;
            }
            set_fields(document, fields)
        }
        Err(e) => Err(e),
    }
}

/// Sets the ends of a relation.
pub(super) fn relate(
    document: &mut Document,
    source: Option<ObjectId>,
    target: Option<ObjectId>,
) -> Result<()> {
    put(document, SOURCE, source.map(|id| id.to_string()).as_deref())?;
    put(document, TARGET, target.map(|id| id.to_string()).as_deref())
}

/// Adds or removes a tag.
pub(super) fn tag(document: &mut Document, tag: &str, on: bool) -> Result<()> {
    system::check_tag(tag)?;
    let key = format!("{TAG}{tag}");
    if any_is_true(&document.am, &key)? == on {
        return Ok(());
    }
    if on {
        check_room(document, TAG, "tags")?;
    }
    put_root(document, &key, ScalarValue::Boolean(on))
}

/// Sets or forgets a foreign key.
pub(super) fn set_key(document: &mut Document, source: &str, key: Option<&str>) -> Result<()> {
    system::check_key(source, key.unwrap_or("-"))?;
    let name = format!("{KEY}{source}");
    if key.is_some() && get(&document.am, &ROOT, name.as_str())?.is_none() {
        check_room(document, KEY, "foreign keys")?;
    }
    put(document, &name, key)
}

/// Sets the schema version.
pub(super) fn set_version(document: &mut Document, version: u32) -> Result<()> {
    let value = ScalarValue::Int(i64::from(version));
    if get(&document.am, &ROOT, VERSION)?.is_some_and(|(found, _)| holds(&found, &value)) {
        return Ok(());
    }
    put_root(document, VERSION, value)
}

/// Makes the object a branch.
pub(super) fn set_branch(document: &mut Document, branch: &Branch) -> Result<()> {
    put(document, BRANCH, Some(&branch.to_json().to_string()))
}

fn put(document: &mut Document, key: &str, text: Option<&str>) -> Result<()> {
    let found = get(&document.am, &ROOT, key)?;
    let now = found.as_ref().and_then(|(value, _)| string(value));
    if now.as_deref() == text {
        return Ok(());
    }
    let value = text.map_or(ScalarValue::Null, |text| ScalarValue::Str(text.into()));
    put_root(document, key, value)
}

fn holds(found: &Stored<'_>, value: &ScalarValue) -> bool {
    matches!(found, Stored::Scalar(scalar) if scalar.as_ref() == value)
}

/// Refuses one label more than an object may have, which peers would not see.
fn check_room(document: &Document, prefix: &str, what: &str) -> Result<()> {
    // The character after ':' ends the range of names with this prefix.
    let end = format!("{};", prefix.trim_end_matches(':'));
    let count = document.am.map_range(&ROOT, prefix.to_owned()..end).count();
    match count < limits::LABELS {
        true => Ok(()),
        false => Err(crate::model::Error::limit(format!(
            "an object may have {} {what}, those taken away again included",
            limits::LABELS
        ))),
    }
}
