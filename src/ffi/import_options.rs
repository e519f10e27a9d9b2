//! The options of an import, as JSON.

use super::{Result, invalid};
use crate::api::{ColumnKind, ImportColumn, ImportFormat, ImportOptions, OnError};
use crate::model::json;
use serde_json::{Map, Value as Json};

const FORMATS: &[(&str, ImportFormat)] = &[
    ("json", ImportFormat::Json),
    ("ndjson", ImportFormat::Ndjson),
    ("csv", ImportFormat::Csv),
];
const KINDS: &[(&str, ColumnKind)] = &[
    ("infer", ColumnKind::Infer),
    ("string", ColumnKind::String),
    ("text", ColumnKind::Text),
    ("integer", ColumnKind::Integer),
    ("float", ColumnKind::Float),
    ("boolean", ColumnKind::Boolean),
    ("timestamp", ColumnKind::Timestamp),
    ("reference", ColumnKind::Reference),
    ("json", ColumnKind::Json),
    ("ignore", ColumnKind::Ignore),
];
const ON_ERROR: &[(&str, OnError)] = &[("stop", OnError::Stop), ("skip", OnError::Skip)];

/// Reads options; what is left out is as by default, and what is unknown is refused.
pub(super) fn parse(text: &str) -> Result<ImportOptions> {
    let mut options = ImportOptions::default();
    if text.is_empty() {
        return Ok(options);
    }
    for (name, value) in object(json::parse(text)?)? {
        match name.as_str() {
            "format" => options.format = word(&name, &value, FORMATS)?,
            "type" => options.type_name = optional(&name, value)?,
            "key" => options.key = optional(&name, value)?,
            "columns" => options.columns = columns(value)?,
            "other_columns" => options.other_columns = word(&name, &value, KINDS)?,
            "delimiter" => options.delimiter = string(&name, value)?,
            "header" => {
                let header = value.as_bool();
                options.header = header.ok_or_else(|| invalid("\"header\" is true or false"))?;
            }
            "on_error" => options.on_error = word(&name, &value, ON_ERROR)?,
            _ => return Err(invalid(format!("{name:?} is no option of an import"))),
        }
    }
    Ok(options)
}

fn columns(value: Json) -> Result<Vec<ImportColumn>> {
    let Json::Array(items) = value else {
        return Err(invalid("\"columns\" is a list"));
    };
    items.into_iter().map(column).collect()
}

fn column(value: Json) -> Result<ImportColumn> {
    let mut column = ImportColumn {
        name: String::new(),
        field: None,
        kind: ColumnKind::Infer,
    };
    for (name, value) in object(value)? {
        match name.as_str() {
            "name" => column.name = string(&name, value)?,
            "field" => column.field = optional(&name, value)?,
            "kind" => column.kind = word(&name, &value, KINDS)?,
            _ => return Err(invalid(format!("{name:?} says nothing of a column"))),
        }
    }
    Ok(column)
}

fn object(value: Json) -> Result<Map<String, Json>> {
    match value {
        Json::Object(map) => Ok(map),
        _ => Err(invalid("the options of an import are a JSON object")),
    }
}

fn string(name: &str, value: Json) -> Result<String> {
    match value {
        Json::String(text) => Ok(text),
        _ => Err(invalid(format!("{name:?} is a string"))),
    }
}

fn optional(name: &str, value: Json) -> Result<Option<String>> {
    match value {
        Json::Null => Ok(None),
        value => string(name, value).map(Some),
    }
}

fn word<T: Copy>(name: &str, value: &Json, words: &[(&str, T)]) -> Result<T> {
    let text = value.as_str().unwrap_or_default();
    let found = words.iter().find(|(word, _)| *word == text);
    found.map(|(_, meaning)| *meaning).ok_or_else(|| {
        let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        invalid(format!("{name:?} is one of {}", all.join(", ")))
    })
}
