//! One value of an object's stored JSON, without what is within it.

use super::number::Number;
use super::{json_text, jsonb};
use crate::model::Path;
use std::borrow::Cow;

/// JSON as SQLite stores it.
#[derive(Clone, Copy)]
pub enum StoredJson<'a> {
    /// As text.
    Text(&'a [u8]),
    /// In SQLite's binary form.
    Binary(&'a [u8]),
}

/// It is not what this library wrote.
#[derive(Debug, PartialEq, Eq)]
pub struct Malformed;

/// A value at a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Element<'a> {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    Text(Cow<'a, str>),
    /// A list.
    List,
    /// A map.
    Map,
}

impl<'a> Element<'a> {
    /// What is at `path`; `None` if nothing is.
    pub(super) fn at(json: StoredJson<'a>, path: &Path) -> Result<Option<Self>, Malformed> {
        match json {
            StoredJson::Binary(bytes) => jsonb::at(bytes, path),
            StoredJson::Text(bytes) => json_text::at(bytes, path),
        }
    }

    /// A number as JSON writes it: an integer where it is one that 64 bits hold.
    pub(super) fn number(text: &str) -> Result<Self, Malformed> {
        let integer = text.parse().map(Number::Int);
        let number = integer.or_else(|_| text.parse().map(Number::Float));
        number.map(Element::Number).map_err(|_| Malformed)
    }
}
