//! Comparisons of fields and times.

use super::{Filter, Order, object};
use crate::model::{Value, json};
use serde_json::Value as Json;

/// A field by its name, or a place inside one by its JSON Pointer (`"/address/city"`).
pub fn field(path: impl Into<String>) -> Field {
    Field { path: path.into() }
}

/// When objects were created, by the clock of the device that did.
pub fn created() -> Clock {
    Clock { name: "created" }
}

/// When objects were last changed, by the clock of the device that did.
pub fn updated() -> Clock {
    Clock { name: "updated" }
}

/// A place in objects to compare with, made by [`field`](field()).
///
/// Values of different kinds are never equal and never in order: `1` is not `true`, and `"1"` is not `1`. A
/// missing field satisfies only [`ne`](Field::ne), [`is_missing`](Field::is_missing) and what `!` turns round. Values
/// are compared in a plain form: texts as strings, counters and timestamps as numbers, references as their text,
/// blobs by id, bytes by their hexadecimal digits, and floats that are no numbers as null. Lists and maps equal
/// nothing, and are refused as values to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    path: String,
}

impl Field {
    /// The field is there and equals the value.
    pub fn eq(&self, value: impl Into<Value>) -> Filter {
        self.test("eq", plain(value))
    }

    /// [`eq`](Field::eq) does not hold: another value, another kind, or no field at all.
    pub fn ne(&self, value: impl Into<Value>) -> Filter {
        self.test("ne", plain(value))
    }

    /// The field is less than the value, a number or a string. Strings compare by code point.
    pub fn lt(&self, value: impl Into<Value>) -> Filter {
        self.test("lt", plain(value))
    }

    /// The field is the value or less.
    pub fn le(&self, value: impl Into<Value>) -> Filter {
        self.test("le", plain(value))
    }

    /// The field is greater than the value.
    pub fn gt(&self, value: impl Into<Value>) -> Filter {
        self.test("gt", plain(value))
    }

    /// The field is the value or greater.
    pub fn ge(&self, value: impl Into<Value>) -> Filter {
        self.test("ge", plain(value))
    }

    /// The field is the first value or greater, and the last or less.
    pub fn between(&self, first: impl Into<Value>, last: impl Into<Value>) -> Filter {
        self.test("between", vec![plain(first), plain(last)])
    }

    /// The field equals one of the values.
    pub fn is_in(&self, values: impl IntoIterator<Item = impl Into<Value>>) -> Filter {
        self.test("in", plain_list(values))
    }

    /// The field is a list that has the value as an element, or a string that has it as a part.
    pub fn contains(&self, value: impl Into<Value>) -> Filter {
        self.test("contains", plain(value))
    }

    /// [`contains`](Field::contains) holds for one of the values.
    pub fn contains_any(&self, values: impl IntoIterator<Item = impl Into<Value>>) -> Filter {
        self.test("contains_any", plain_list(values))
    }

    /// [`contains`](Field::contains) holds for each of the values.
    pub fn contains_all(&self, values: impl IntoIterator<Item = impl Into<Value>>) -> Filter {
        self.test("contains_all", plain_list(values))
    }

    /// The field is a string that begins so.
    pub fn starts_with(&self, prefix: &str) -> Filter {
        self.test("prefix", prefix)
    }

    /// The field is there and of this kind.
    pub fn is_kind(&self, kind: FieldKind) -> Filter {
        self.test("kind", kind.name())
    }

    /// The field is there, null included.
    pub fn exists(&self) -> Filter {
        self.test("exists", true)
    }

    /// The field is not there.
    pub fn is_missing(&self) -> Filter {
        self.test("exists", false)
    }

    /// Sorts by the field, the smallest first: null and missing, booleans, numbers, strings, lists, maps.
    pub fn ascending(&self) -> Order {
        Order::by(&self.pointer())
    }

    /// Sorts by the field, the largest first.
    pub fn descending(&self) -> Order {
        self.ascending().descending()
    }

    /// The JSON Pointer. A bare name could be taken for one of the keys that every object has.
    pub(super) fn pointer(&self) -> String {
        match self.path.starts_with('/') {
            true => self.path.clone(),
            false => format!("/{}", self.path.replace('~', "~0").replace('/', "~1")),
        }
    }

    fn test(&self, op: &str, value: impl Into<Json>) -> Filter {
        let mut test = object("field", self.path.as_str());
        test.insert("op".into(), op.into());
        test.insert("value".into(), value.into());
        Filter::from_map(test)
    }
}

impl From<&str> for Field {
    fn from(path: &str) -> Field {
        field(path)
    }
}

/// One of the two times that every object has, made by [`created`] and [`updated`]. It is compared with
/// milliseconds since 1970.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clock {
    name: &'static str,
}

impl Clock {
    /// It was before.
    pub fn lt(self, ms: i64) -> Filter {
        self.test("lt", ms)
    }

    /// It was then or before.
    pub fn le(self, ms: i64) -> Filter {
        self.test("le", ms)
    }

    /// It was after.
    pub fn gt(self, ms: i64) -> Filter {
        self.test("gt", ms)
    }

    /// It was then or after.
    pub fn ge(self, ms: i64) -> Filter {
        self.test("ge", ms)
    }

    /// Sorts by this time, the oldest first.
    pub fn ascending(self) -> Order {
        Order::by(self.name)
    }

    /// Sorts by this time, the newest first.
    pub fn descending(self) -> Order {
        self.ascending().descending()
    }

    pub(super) fn name(self) -> &'static str {
        self.name
    }

    fn test(self, op: &str, ms: i64) -> Filter {
        Filter::of(self.name, object(op, ms))
    }
}

/// The kinds that comparisons tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// Null.
    Null,
    /// Booleans.
    Boolean,
    /// Integers, floats, counters and timestamps.
    Number,
    /// Strings, texts, bytes, references and blobs.
    String,
    /// Lists.
    List,
    /// Maps.
    Map,
}

impl FieldKind {
    fn name(self) -> &'static str {
        match self {
            FieldKind::Null => "null",
            FieldKind::Boolean => "boolean",
            FieldKind::Number => "number",
            FieldKind::String => "string",
            FieldKind::List => "list",
            FieldKind::Map => "map",
        }
    }
}

fn plain(value: impl Into<Value>) -> Json {
    json::to_plain(&value.into())
}

fn plain_list(values: impl IntoIterator<Item = impl Into<Value>>) -> Json {
    values.into_iter().map(plain).collect()
}
