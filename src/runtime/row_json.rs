//! An object's row as JSON: what queries answer.

use crate::space::ObjectRow;
use data_encoding::HEXLOWER;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// All of an object but its fields, in the order in which it is written.
#[derive(Serialize)]
struct Head<'a> {
    id: String,
    r#type: Option<&'a str>,
    parent: Option<String>,
    deleted: bool,
    hidden: bool,
    schema_version: Option<u32>,
    source: Option<String>,
    target: Option<String>,
    tags: &'a BTreeSet<String>,
    keys: &'a BTreeMap<String, String>,
    branch_of: Option<String>,
    created_ms: i64,
    updated_ms: i64,
    heads: Vec<String>,
}

/// Writes a row as one JSON object. Its fields are JSON already and are copied as they stand.
pub(super) fn write_json(out: &mut String, row: &ObjectRow) {
    let system = &row.system;
    let head = Head {
        id: row.id.to_string(),
        r#type: row.type_name.as_deref(),
        parent: row.parent.map(|id| id.to_string()),
        deleted: row.deleted,
        hidden: row.hidden,
        schema_version: system.schema_version,
        source: system.source.map(|id| id.to_string()),
        target: system.target.map(|id| id.to_string()),
        tags: &system.tags,
        keys: &system.keys,
        branch_of: system.branch.as_ref().map(|branch| branch.of.to_string()),
        created_ms: row.created_ms,
        updated_ms: row.updated_ms,
        heads: row.heads.iter().map(|hash| HEXLOWER.encode(hash)).collect(),
    };
    let head = serde_json::to_string(&head).expect("strings and numbers are JSON");
    out.push_str(head.strip_suffix('}').unwrap_or(&head));
    out.push_str(",\"fields\":");
    out.push_str(&row.data);
    out.push('}');
}
