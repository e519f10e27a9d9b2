//! An object's row as JSON: what queries answer.

use crate::model::ObjectId;
use crate::space::SeenRow;
use data_encoding::HEXLOWER;
use serde::Serialize;
use std::fmt::Write as _;

/// Writes rows as they come, as one JSON array.
pub(super) struct RowsJson(String);

impl Default for RowsJson {
    fn default() -> RowsJson {
        RowsJson("[".into())
    }
}

impl RowsJson {
    /// Adds a row.
    pub(super) fn push(&mut self, row: &SeenRow<'_>) {
        write_json(self.next(), row);
    }

    /// Where the next row is to be written.
    pub(super) fn next(&mut self) -> &mut String {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        &mut self.0
    }

    /// The array.
    pub(super) fn finish(mut self) -> Vec<u8> {
        self.0.push(']');
        self.0.into_bytes()
    }
}

/// Writes a row as one JSON object. Its fields are JSON already and are copied as they stand. Written
/// by hand: this is most of what a query costs that SQLite does not.
pub(super) fn write_json(out: &mut String, row: &SeenRow<'_>) {
    let system = &row.system;
    out.reserve(row.data.len() + 512);
    out.push_str("{\"id\":");
    id(out, Some(row.id));
    out.push_str(",\"type\":");
    match &row.type_name {
        Some(name) => json(out, name.as_ref()),
        None => out.push_str("null"),
    }
    out.push_str(",\"parent\":");
    id(out, row.parent);
    out.push_str(",\"deleted\":");
    out.push_str(if row.deleted { "true" } else { "false" });
    out.push_str(",\"hidden\":");
    out.push_str(if row.hidden { "true" } else { "false" });
    out.push_str(",\"schema_version\":");
    match system.schema_version {
        Some(version) => number(out, i64::from(version)),
        None => out.push_str("null"),
    }
    out.push_str(",\"source\":");
    id(out, system.source);
    out.push_str(",\"target\":");
    id(out, system.target);
    out.push_str(",\"tags\":");
    match system.tags.is_empty() {
        true => out.push_str("[]"),
        false => json(out, &system.tags),
    }
    out.push_str(",\"keys\":");
    match system.keys.is_empty() {
        true => out.push_str("{}"),
        false => json(out, &system.keys),
    }
    out.push_str(",\"branch_of\":");
    id(out, system.branch.as_ref().map(|branch| branch.of));
    out.push_str(",\"created_ms\":");
    number(out, row.created_ms);
    out.push_str(",\"updated_ms\":");
    number(out, row.updated_ms);
    out.push_str(",\"heads\":[");
    for (i, hash) in row.heads.iter().enumerate() {
        out.push_str(if i == 0 { "\"" } else { ",\"" });
        HEXLOWER.encode_append(hash, out);
        out.push('"');
    }
    out.push_str("],\"fields\":");
    out.push_str(&row.data);
    out.push('}');
}

fn id(out: &mut String, id: Option<ObjectId>) {
    match id {
        // Letters and digits alone.
        Some(id) => {
            out.push('"');
            // Writing to a string cannot fail.
            let _ = write!(out, "{id}");
            out.push('"');
        }
        None => out.push_str("null"),
    }
}

fn number(out: &mut String, number: i64) {
    // Writing to a string cannot fail.
    let _ = write!(out, "{number}");
}

fn json(out: &mut String, value: &(impl Serialize + ?Sized)) {
    out.push_str(&serde_json::to_string(value).expect("strings are JSON"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Branch, SystemFields};
    use std::borrow::Cow;

    #[test]
    fn a_row_is_the_json_that_serde_would_write() {
        let one = |n: u8| ObjectId([n; 16]);
        let plain = SeenRow {
            id: one(7),
            type_name: None,
            parent: None,
            deleted: false,
            hidden: true,
            system: Cow::Owned(SystemFields::default()),
            created_ms: i64::MIN,
            updated_ms: 5,
            heads: Cow::Owned(vec![]),
            data: "{\"a\":1}".into(),
        };
        let full = SeenRow {
            type_name: Some("a \"b\"\\\n\u{1}é".into()),
            parent: Some(one(1)),
            deleted: true,
            hidden: false,
            system: Cow::Owned(SystemFields {
                schema_version: Some(3),
                source: Some(one(2)),
                target: Some(one(3)),
                tags: ["x\"y".to_owned(), "z".to_owned()].into(),
                keys: [("s\\".to_owned(), "k".to_owned())].into(),
                branch: Some(Branch {
                    of: one(4),
                    heads: vec![[8; 32]],
                    name: "draft".into(),
                    at: vec![[9; 32]],
                }),
            }),
            heads: Cow::Owned(vec![[0xab; 32], [0; 32]]),
            ..plain.clone()
        };
        let mut rows = RowsJson::default();
        let mut want = Vec::new();
        for row in [&plain, &full] {
            rows.push(row);
            let system = &row.system;
            let text = |id: Option<ObjectId>| id.map(|id| id.to_string());
            let heads: Vec<String> = row.heads.iter().map(|h| HEXLOWER.encode(h)).collect();
            want.push(serde_json::json!({
                "id": row.id.to_string(),
                "type": row.type_name,
                "parent": text(row.parent),
                "deleted": row.deleted,
                "hidden": row.hidden,
                "schema_version": system.schema_version,
                "source": text(system.source),
                "target": text(system.target),
                "tags": system.tags,
                "keys": system.keys,
                "branch_of": text(system.branch.as_ref().map(|branch| branch.of)),
                "created_ms": row.created_ms,
                "updated_ms": row.updated_ms,
                "heads": heads,
                "fields": {"a": 1},
            }));
        }
        let written = String::from_utf8(rows.finish()).unwrap();
        assert_eq!(written, serde_json::Value::Array(want).to_string());
    }
}
