//! JSON as text, read: what is at one path, past all else without keeping it.

use super::element::{Element, Malformed};
use super::number::Number;
use crate::model::{Path, Segment};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// What is at `path`, `None` if nothing is.
pub(super) fn at<'a>(json: &'a [u8], path: &Path) -> Result<Option<Element<'a>>, Malformed> {
    let mut reader = serde_json::Deserializer::from_slice(json);
    let found = At(&path.0).deserialize(&mut reader);
    let found = found.and_then(|found| reader.end().map(|()| found));
    found.map_err(|_| Malformed)
}

/// Reads what is at a path, and past all else.
#[derive(Clone, Copy)]
struct At<'p>(&'p [Segment]);

impl<'de> DeserializeSeed<'de> for At<'_> {
    type Value = Option<Element<'de>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> At<'_> {
    /// A value that nothing can be within.
    fn leaf<E>(self, element: Element<'de>) -> Result<Option<Element<'de>>, E> {
        Ok(self.0.is_empty().then_some(element))
    }
}

impl<'de> Visitor<'de> for At<'_> {
    type Value = Option<Element<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        self.leaf(Element::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        self.leaf(Element::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        self.leaf(Element::Number(Number::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        let number = i64::try_from(value).map(Number::Int);
        self.leaf(Element::Number(
            number.unwrap_or(Number::Float(value as f64)),
        ))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        self.leaf(Element::Number(Number::Float(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        self.leaf(Element::Text(Cow::Borrowed(value)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        self.leaf(Element::Text(Cow::Owned(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        match self.0.split_first() {
            None => found = Some(Element::List),
            Some((Segment::Index(wanted), rest)) => {
                let mut before = *wanted;
                while before > 0 && items.next_element::<IgnoredAny>()?.is_some() {
                    before -= 1;
                }
                if before == 0 {
                    found = items.next_element_seed(At(rest))?.flatten();
                }
            }
            Some(_) => {}
        }
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(found)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        let mut found = None;
        match self.0.split_first() {
            None => found = Some(Element::Map),
            Some((step, rest)) => {
                let key = match step {
                    Segment::Key(key) => Cow::Borrowed(key.as_str()),
                    Segment::Index(i) => Cow::Owned(i.to_string()),
                };
                while let Some(wanted) = members.next_key_seed(Is(&key))? {
                    if wanted {
                        found = members.next_value_seed(At(rest))?;
                        break;
                    }
                    members.next_value::<IgnoredAny>()?;
                }
            }
        }
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(found)
    }
}

/// Whether a key is this one.
struct Is<'k>(&'k str);

impl<'de> DeserializeSeed<'de> for Is<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Is<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<bool, E> {
        Ok(key == self.0)
    }
}
