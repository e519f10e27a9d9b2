//! The tables beside an object's row, by which it is found: its references, tags and foreign keys.

use crate::model::path::escaped;
use crate::model::{ObjectId, Reference, SpaceId, SystemFields};
use rusqlite::{Transaction, params};
use serde_json::Value as Json;

/// What stands in an object's JSON wherever it holds a reference.
pub(super) const MARK: &str = "\"@ref\"";

/// Replaces the references of an object whose tagged JSON was `old`.
pub(super) fn replace_refs(
    tx: &Transaction<'_>,
    n: i64,
    old: &str,
    new: &str,
) -> rusqlite::Result<()> {
    if old == new || !(old.contains(MARK) || new.contains(MARK)) {
        return Ok(());
    }
    tx.prepare_cached("DELETE FROM refs WHERE object = ?1")?
        .execute([n])?;
    put_refs(tx, n, new)
}

/// Replaces the tags and foreign keys of an object.
pub(super) fn replace_labels(
    tx: &Transaction<'_>,
    n: i64,
    system: &SystemFields,
) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM tags WHERE object = ?1")?
        .execute([n])?;
    tx.prepare_cached("DELETE FROM keys WHERE object = ?1")?
        .execute([n])?;
    put_labels(tx, n, system)
}

/// Writes the references of an object's tagged JSON.
pub(super) fn put_refs(tx: &Transaction<'_>, n: i64, data: &str) -> rusqlite::Result<()> {
    for (path, reference) in refs_of(data) {
        tx.prepare_cached("INSERT INTO refs(object, path, target, space) VALUES(?1, ?2, ?3, ?4)")?
            .execute(params![
                n,
                path,
                reference.object.as_bytes(),
                reference.space.as_ref().map(SpaceId::as_bytes)
            ])?;
    }
    Ok(())
}

/// The references in an object's tagged JSON, with their places.
pub(super) fn refs_of(data: &str) -> Vec<(String, Reference)> {
    let mut found = Vec::new();
    if data.contains(MARK) {
        let json: Json = serde_json::from_str(data).unwrap_or(Json::Null);
        walk(&json, &mut String::new(), &mut found);
    }
    found
}

/// Gathers the references in a value, with their places as JSON Pointers (RFC 6901).
fn walk(json: &Json, path: &mut String, found: &mut Vec<(String, Reference)>) {
    let length = path.len();
    match json {
        Json::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push_str(&format!("/{index}"));
                walk(item, path, found);
                path.truncate(length);
            }
        }
        Json::Object(map) => {
            if let Some(Json::String(text)) = map.get("@ref") {
                found.extend(Reference::parse(text).ok().map(|r| (path.clone(), r)));
                return;
            }
            for (key, item) in map {
                path.push('/');
                path.push_str(&escaped(key));
                walk(item, path, found);
                path.truncate(length);
            }
        }
        _ => {}
    }
}

/// Writes an object's tags and foreign keys.
pub(super) fn put_labels(
    tx: &Transaction<'_>,
    n: i64,
    system: &SystemFields,
) -> rusqlite::Result<()> {
    for tag in &system.tags {
        tx.prepare_cached("INSERT INTO tags(tag, object) VALUES(?1, ?2)")?
            .execute(params![tag, n])?;
    }
    for (source, key) in &system.keys {
        tx.prepare_cached("INSERT INTO keys(source, key, object) VALUES(?1, ?2, ?3)")?
            .execute(params![source, key, n])?;
    }
    Ok(())
}

/// An id of a column that may be NULL.
pub(super) fn id(bytes: Option<[u8; 16]>) -> Option<ObjectId> {
    bytes.map(ObjectId)
}
