//! Which objects name which blobs.

use crate::model::BlobId;
use rusqlite::Transaction;
use serde_json::Value as Json;
use std::collections::BTreeSet;

/// What stands in an object's JSON wherever it names a blob.
const MARK: &str = "\"@blob\"";

/// Replaces the blobs of an object whose tagged JSON was `old`.
pub(super) fn replace(tx: &Transaction<'_>, n: i64, old: &str, new: &str) -> rusqlite::Result<()> {
    if old == new || !(old.contains(MARK) || new.contains(MARK)) {
        return Ok(());
    }
    tx.prepare_cached("DELETE FROM blob_refs WHERE object = ?1")?
        .execute([n])?;
    put(tx, n, new)
}

/// Writes the blobs of an object's tagged JSON.
pub(super) fn put(tx: &Transaction<'_>, n: i64, data: &str) -> rusqlite::Result<()> {
    for blob in of(data) {
        tx.prepare_cached("INSERT INTO blob_refs(object, blob) VALUES(?1, ?2)")?
            .execute(rusqlite::params![n, blob.as_bytes()])?;
    }
    Ok(())
}

/// The blobs that an object's tagged JSON names.
pub(super) fn of(data: &str) -> BTreeSet<BlobId> {
    let mut found = BTreeSet::new();
    if data.contains(MARK) {
        let json: Json = serde_json::from_str(data).unwrap_or(Json::Null);
        walk(&json, &mut found);
    }
    found
}

fn walk(json: &Json, found: &mut BTreeSet<BlobId>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Json::Object(map) => match map.get("@blob") {
            Some(Json::String(id)) => found.extend(BlobId::parse(id).ok()),
            _ => map.values().for_each(|item| walk(item, found)),
        },
        _ => {}
    }
}
