//! From cells to values: what a column holds, given or found out from all of its cells.

use super::timestamp::{parse_date, parse_instant};
use crate::api::ColumnKind;
use crate::model::{Reference, Value, json};
use serde_json::Value as Json;

/// The result of reading a cell: why it does not fit, in words.
type Read<T> = std::result::Result<T, String>;

/// What is known of a column whose kind is to be found out, from the cells seen so far.
#[derive(Clone, Copy, Debug)]
pub(super) struct Guess {
    any: bool,
    boolean: bool,
    integer: bool,
    float: bool,
    timestamp: bool,
}

impl Guess {
    pub(super) fn new() -> Guess {
        Guess {
            any: false,
            boolean: true,
            integer: true,
            float: true,
            timestamp: true,
        }
    }

    /// Takes a cell into account; an empty one says nothing.
    pub(super) fn see(&mut self, cell: &str) {
        if cell.is_empty() {
            return;
        }
        self.any = true;
        self.boolean &= matches!(cell, "true" | "false" | "TRUE" | "FALSE" | "True" | "False");
        self.integer &= is_plain_integer(cell) && cell.parse::<i64>().is_ok();
        self.float &= is_plain_number(cell) && cell.parse::<f64>().is_ok_and(f64::is_finite);
        self.timestamp &= parse_instant(cell).is_some();
    }

    /// What fits all cells.
    pub(super) fn kind(self) -> ColumnKind {
        match self {
            Guess { any: false, .. } => ColumnKind::String,
            Guess { boolean: true, .. } => ColumnKind::Boolean,
            Guess { integer: true, .. } => ColumnKind::Integer,
            Guess { float: true, .. } => ColumnKind::Float,
            Guess {
                timestamp: true, ..
            } => ColumnKind::Timestamp,
            _ => ColumnKind::String,
        }
    }
}

/// Digits with a sign at most. A leading zero, as in a postal code, makes it no number.
fn is_plain_integer(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    let all = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    all && (digits == "0" || !digits.starts_with('0')) && cell != "-0"
}

/// A number as JSON writes it.
fn is_plain_number(cell: &str) -> bool {
    matches!(serde_json::from_str(cell), Ok(Json::Number(_)))
}

/// Reads a cell; nothing if the field is to be left as it is. An empty cell is an empty string in a
/// column that was said to hold strings or texts, and nothing in any other.
pub(super) fn read(kind: ColumnKind, cell: &str) -> Read<Option<Value>> {
    let is_text = matches!(kind, ColumnKind::String | ColumnKind::Text);
    if cell.is_empty() && !is_text {
        return Ok(None);
    }
    let clipped = || crate::model::id::clip(cell);
    Ok(Some(match kind {
        ColumnKind::Ignore => return Ok(None),
        ColumnKind::Infer | ColumnKind::String => Value::String(cell.to_owned()),
        ColumnKind::Text => Value::Text(cell.to_owned()),
        ColumnKind::Integer => Value::Int(
            cell.parse()
                .map_err(|_| format!("{:?} is no integer of 64 bits", clipped()))?,
        ),
        ColumnKind::Float => Value::Float(
            cell.parse()
                .map_err(|_| format!("{:?} is no number", clipped()))?,
        ),
        ColumnKind::Boolean => Value::Bool(match cell.to_ascii_lowercase().as_str() {
            "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            _ => return Err(format!("{:?} is neither true nor false", clipped())),
        }),
        ColumnKind::Timestamp => Value::Timestamp(
            parse_instant(cell)
                .or_else(|| parse_date(cell))
                .or_else(|| cell.parse().ok())
                .ok_or_else(|| {
                    format!(
                        "{:?} is no time: write 2024-02-29T12:30:00Z, 2024-02-29, or milliseconds since 1970",
                        clipped()
                    )
                })?,
        ),
        ColumnKind::Reference => {
            Value::Reference(Reference::parse(cell).map_err(|e| e.detail().to_owned())?)
        }
        ColumnKind::Json => {
            let parsed = json::parse(cell).and_then(json::from_json);
            parsed.map_err(|e| e.detail().to_owned())?
        }
    }))
}

/// Reads a JSON value as of a column.
pub(super) fn read_json(kind: ColumnKind, value: Json) -> Read<Option<Value>> {
    match (kind, value) {
        (ColumnKind::Ignore, _) => Ok(None),
        (ColumnKind::Infer | ColumnKind::Json, value) => {
            let value = json::from_json(value).map_err(|e| e.detail().to_owned())?;
            Ok(Some(value))
        }
        (_, Json::Null) => Ok(Some(Value::Null)),
        (kind, Json::String(text)) => read(kind, &text),
        (kind, value @ (Json::Number(_) | Json::Bool(_))) => read(kind, &value.to_string()),
        // Tagged values are of the kind that they say.
        (_, value @ Json::Object(_)) => match json::from_json(value) {
            Ok(Value::Map(_)) => Err("a map stands where one value is wanted".to_owned()),
            Ok(value) => Ok(Some(value)),
            Err(e) => Err(e.detail().to_owned()),
        },
        (_, Json::Array(_)) => Err("a list stands where one value is wanted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guess(cells: &[&str]) -> ColumnKind {
        let mut guess = Guess::new();
        cells.iter().for_each(|cell| guess.see(cell));
        guess.kind()
    }

    #[test]
    fn a_column_is_what_all_its_cells_are() {
        assert_eq!(guess(&["true", "", "FALSE"]), ColumnKind::Boolean);
        assert_eq!(guess(&["1", "-20", "0"]), ColumnKind::Integer);
        assert_eq!(guess(&["1", "2.5", "-1e3"]), ColumnKind::Float);
        assert_eq!(guess(&["9223372036854775808"]), ColumnKind::Float);
        assert_eq!(guess(&["2024-02-29T12:00:00Z"]), ColumnKind::Timestamp);
        for strings in [
            &["", ""][..],
            &["01234", "12345"],
            &["1", "x"],
            &["+1"],
            &["1,5"],
            &["1e999"],
            &["NaN"],
            &["0x10"],
            &[" 1"],
            &["true", "1"],
            &["2024-02-29"],
        ] {
            assert_eq!(guess(strings), ColumnKind::String, "{strings:?}");
        }
    }

    #[test]
    fn cells_are_read_as_said() {
        let value = |kind, cell| read(kind, cell).unwrap();
        assert_eq!(value(ColumnKind::Boolean, "Yes"), Some(Value::Bool(true)));
        assert_eq!(value(ColumnKind::Integer, ""), None);
        assert_eq!(
            value(ColumnKind::String, ""),
            Some(Value::String(String::new()))
        );
        assert_eq!(value(ColumnKind::Timestamp, "5"), Some(Value::Timestamp(5)));
        assert_eq!(value(ColumnKind::Ignore, "x"), None);
        assert_eq!(
            value(ColumnKind::Json, r#"{"@counter": 3}"#),
            Some(Value::Counter(3))
        );
        for (kind, bad) in [
            (ColumnKind::Integer, "1.5"),
            (ColumnKind::Float, "x"),
            (ColumnKind::Boolean, "maybe"),
            (ColumnKind::Timestamp, "today"),
            (ColumnKind::Reference, "x"),
            (ColumnKind::Json, "{"),
        ] {
            assert!(read(kind, bad).is_err(), "{bad}");
        }
    }
}
