//! What tells one query from another, whatever its text looks like.

use crate::feed::sha256;
use serde_json::{Map, Value as Json};

/// A hash of what a query asks, its window left out, and however its keys are arranged.
pub(super) fn print(map: &Map<String, Json>) -> [u8; 32] {
    let mut text = String::new();
    let asked = map
        .iter()
        .filter(|(key, _)| *key != "limit" && *key != "skip");
    write_sorted(&mut text, asked);
    sha256(&[b"echodb/query/v1", text.as_bytes()])
}

fn write_sorted<'a>(text: &mut String, entries: impl Iterator<Item = (&'a String, &'a Json)>) {
    let sorted: std::collections::BTreeMap<_, _> = entries.collect();
    text.push('{');
    for (key, value) in sorted {
        text.push_str(&format!("{}:", Json::from(key.as_str())));
        write_value(text, value);
        text.push(',');
    }
    text.push('}');
}

fn write_value(text: &mut String, value: &Json) {
    match value {
        Json::Object(map) => write_sorted(text, map.iter()),
        Json::Array(items) => {
            text.push('[');
            for item in items {
                write_value(text, item);
                text.push(',');
            }
            text.push(']');
        }
        other => text.push_str(&other.to_string()),
    }
}
