//! The JSON form of values: how they cross every language boundary.
//!
//! Null, booleans, strings, lists and maps are themselves; a number with a fraction or exponent is
//! a float, any other an integer. What JSON lacks is a map with one reserved name:
//! `{"@text": "…"}`, `{"@counter": 3}`, `{"@timestamp": ms}`, `{"@bytes": "base64"}`,
//! `{"@ref": "echo:…"}`, `{"@blob": "id", "size": bytes}`, and `{"@float": "nan" | "inf" | "-inf"}`.

use super::value::{Reference, Value};
use super::{BlobId, BlobRef, Error, Result, limits};
use data_encoding::BASE64;
use serde_json::{Map, Number, Value as Json};
use std::collections::BTreeMap;

/// Parses JSON text of at most [`limits::JSON_BYTES`] bytes.
pub fn parse(text: &str) -> Result<Json> {
    if text.len() > limits::JSON_BYTES {
        return Err(Error::limit(format!(
            "a JSON argument may have {} bytes, not {}",
            limits::JSON_BYTES,
            text.len()
        )));
    }
    serde_json::from_str(text).map_err(|e| Error::invalid(format!("malformed JSON: {e}")))
}

/// Parses a JSON object into an object's fields; checks names and depth.
pub fn parse_fields(text: &str) -> Result<BTreeMap<String, Value>> {
    match parse(text)? {
        Json::Object(map) => fields_from_json(map),
        other => Err(Error::invalid(format!(
            "fields are a JSON object, not {}",
            kind_name(&other)
        ))),
    }
}

/// As [`parse_fields`], from parsed JSON.
pub fn fields_from_json(map: Map<String, Json>) -> Result<BTreeMap<String, Value>> {
    let mut fields = BTreeMap::new();
    for (name, json) in map {
        super::path::check_field_name(&name)?;
        let value = from_json(json).map_err(|e| e.context(format!("field {name:?}")))?;
        value.check()?;
        fields.insert(name, value);
    }
    Ok(fields)
}

/// Reads one value.
pub fn from_json(json: Json) -> Result<Value> {
    Ok(match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(b),
        Json::Number(n) => number(&n)?,
        Json::String(s) => Value::String(s),
        Json::Array(items) => Value::List(
            items
                .into_iter()
                .map(from_json)
                .collect::<Result<Vec<_>>>()?,
        ),
        Json::Object(map) => return object(map),
    })
}

fn number(n: &Number) -> Result<Value> {
    if let Some(i) = n.as_i64() {
        return Ok(Value::Int(i));
    }
    match n.as_f64() {
        Some(f) if n.is_f64() => Ok(Value::Float(f)),
        _ => Err(Error::invalid(format!(
            "{n} does not fit a signed 64-bit integer; write it as a float or a string"
        ))),
    }
}

fn object(map: Map<String, Json>) -> Result<Value> {
    if let Some(id) = map.get("@blob") {
        return blob(id, &map);
    }
    if map.len() == 1
        && let Some((tag, inner)) = map.iter().next()
        && tag.starts_with('@')
    {
        return tagged(tag, inner);
    }
    let mut entries = BTreeMap::new();
    for (name, json) in map {
        super::path::check_field_name(&name)?;
        entries.insert(name, from_json(json)?);
    }
    Ok(Value::Map(entries))
}

fn blob(id: &Json, map: &Map<String, Json>) -> Result<Value> {
    let bad = || {
        Error::invalid(format!(
            "{{\"@blob\": id, \"size\": bytes}} takes a blob's id and its size, 0 to {}, and nothing else",
            limits::BLOB_BYTES
        ))
    };
    let size = map.get("size").and_then(Json::as_u64);
    match (id.as_str(), size) {
        (Some(id), Some(size)) if map.len() == 2 && size <= limits::BLOB_BYTES => {
            let id = BlobId::parse(id)?;
            Ok(Value::Blob(BlobRef { id, size }))
        }
        _ => Err(bad()),
    }
}

fn tagged(tag: &str, inner: &Json) -> Result<Value> {
    let bad = |want: &str| Error::invalid(format!("{{{tag:?}: …}} takes {want}"));
    match tag {
        "@text" => inner
            .as_str()
            .map(|s| Value::Text(s.into()))
            .ok_or_else(|| bad("a string")),
        "@counter" => inner
            .as_i64()
            .map(Value::Counter)
            .ok_or_else(|| bad("an integer")),
        "@timestamp" => inner
            .as_i64()
            .map(Value::Timestamp)
            .ok_or_else(|| bad("milliseconds since 1970 as an integer")),
        "@bytes" => inner
            .as_str()
            .and_then(|s| BASE64.decode(s.as_bytes()).ok())
            .map(Value::Bytes)
            .ok_or_else(|| bad("base64 text with padding")),
        "@ref" => {
            Reference::parse(inner.as_str().ok_or_else(|| bad("a string"))?).map(Value::Reference)
        }
        "@float" => match inner.as_str() {
            Some("nan") => Ok(Value::Float(f64::NAN)),
            Some("inf") => Ok(Value::Float(f64::INFINITY)),
            Some("-inf") => Ok(Value::Float(f64::NEG_INFINITY)),
            _ => Err(bad("\"nan\", \"inf\" or \"-inf\"")),
        },
        _ => Err(Error::invalid(format!(
            "{tag:?} is not a kind of value: use @text, @counter, @timestamp, @bytes, @ref, @blob or @float"
        ))),
    }
}

/// Writes one value; [`from_json`] reads it back unchanged.
pub fn to_json(value: &Value) -> Json {
    let tag = |name: &str, inner: Json| Json::Object(Map::from_iter([(name.to_owned(), inner)]));
    match value {
        Value::Null => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => Json::from(*i),
        Value::Float(f) => match Number::from_f64(*f) {
            Some(n) => Json::Number(n),
            None if f.is_nan() => tag("@float", "nan".into()),
            None if *f > 0.0 => tag("@float", "inf".into()),
            None => tag("@float", "-inf".into()),
        },
        Value::String(s) => Json::String(s.clone()),
        Value::Bytes(b) => tag("@bytes", BASE64.encode(b).into()),
        Value::Timestamp(ms) => tag("@timestamp", (*ms).into()),
        Value::Counter(n) => tag("@counter", (*n).into()),
        Value::Text(s) => tag("@text", s.clone().into()),
        Value::Reference(r) => tag("@ref", r.to_string().into()),
        Value::Blob(blob) => Json::Object(Map::from_iter([
            ("@blob".to_owned(), blob.id.to_string().into()),
            ("size".to_owned(), blob.size.into()),
        ])),
        Value::List(items) => Json::Array(items.iter().map(to_json).collect()),
        Value::Map(entries) => fields_to_json(entries),
    }
}

/// Writes an object's fields as a JSON object.
pub fn fields_to_json(fields: &BTreeMap<String, Value>) -> Json {
    Json::Object(
        fields
            .iter()
            .map(|(name, v)| (name.clone(), to_json(v)))
            .collect(),
    )
}

/// The plain form that queries compare and sort: texts are strings, counters and timestamps are
/// numbers, references are their text, blobs their id, bytes are lower-case hexadecimal. Cannot be read back.
pub fn to_plain(value: &Value) -> Json {
    match value {
        Value::Counter(n) | Value::Timestamp(n) => Json::from(*n),
        Value::Text(s) => Json::String(s.clone()),
        Value::Reference(r) => Json::String(r.to_string()),
        Value::Blob(blob) => Json::String(blob.id.to_string()),
        Value::Bytes(b) => Json::String(data_encoding::HEXLOWER.encode(b)),
        Value::Float(f) => Number::from_f64(*f).map_or(Json::Null, Json::Number),
        Value::List(items) => Json::Array(items.iter().map(to_plain).collect()),
        Value::Map(entries) => Json::Object(
            entries
                .iter()
                .map(|(name, v)| (name.clone(), to_plain(v)))
                .collect(),
        ),
        other => to_json(other),
    }
}

fn kind_name(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_round_trips() {
        let text = r#"{"a":null,"b":true,"c":-9223372036854775808,"d":2.0,"e":"s","f":{"@bytes":"AAE="},
            "g":{"@timestamp":1763864160123},"h":{"@counter":3},"i":{"@text":"héllo"},
            "j":{"@ref":"echo:00000000000000000000000001"},"k":[1,[2,{"x":{"@float":"-inf"}}]],"l":{"m":{}},
            "n":{"@blob":"aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq","size":17179869184}}"#;
        let fields = parse_fields(text).unwrap();
        let again = parse_fields(&fields_to_json(&fields).to_string()).unwrap();
        assert_eq!(fields, again);
        assert_eq!(fields["d"], Value::Float(2.0));
    }

    #[test]
    fn malformed_values_are_refused_with_the_field_named() {
        for bad in [
            r#"{"@x":1}"#,
            r#"{"a":{"@text":1}}"#,
            r#"{"a":{"@nope":1}}"#,
            r#"{"a":{"@bytes":"!"}}"#,
            r#"{"a":18446744073709551615}"#,
            r#"{"a":{"@blob":"aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq"}}"#,
            r#"{"a":{"@blob":"aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq","size":-1}}"#,
            r#"{"a":{"@blob":"aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq","size":1,"x":1}}"#,
            r#"{"a":{"@blob":"short","size":1}}"#,
            r#"{"a":{"b":1,"@c":2}}"#,
            r#"[1]"#,
            r#"{"#,
        ] {
            assert!(parse_fields(bad).is_err(), "{bad}");
        }
        let e = parse_fields(r#"{"when":{"@timestamp":"x"}}"#).unwrap_err();
        assert!(e.detail().contains("when"), "{e}");
    }

    #[test]
    fn nesting_is_bounded() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(100), "]".repeat(100));
        assert!(parse_fields(&deep).is_err());
    }
}
