//! SQLite's binary form of JSON, read: what is at one path, past all else without looking at it. The
//! format is described at <https://sqlite.org/jsonb.html>.

use super::element::{Element, Malformed};
use crate::model::{Path, Segment};
use std::borrow::Cow;

/// What is at `path`, `None` if nothing is. Of what SQLite's `jsonb()` does not make of plain JSON (the
/// forms of JSON5) there is nothing in a file that this library wrote.
pub(super) fn at<'a>(jsonb: &'a [u8], path: &Path) -> Result<Option<Element<'a>>, Malformed> {
    let mut reader = Reader(jsonb);
    let mut node = reader.node()?;
    for segment in &path.0 {
        match step(&node, segment)? {
            Some(next) => node = next,
            None => return Ok(None),
        }
    }
    node.element().map(Some)
}

/// The kinds of nodes, as the format numbers them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Null,
    True,
    False,
    Integer,
    Float,
    /// A string with nothing to escape.
    Text,
    /// A string as JSON writes it, with its escapes.
    Escaped,
    /// A string that JSON would have to escape.
    Raw,
    Array,
    Object,
}

impl Kind {
    fn of(number: u8) -> Result<Kind, Malformed> {
        Ok(match number {
            0 => Kind::Null,
            1 => Kind::True,
            2 => Kind::False,
            3 => Kind::Integer,
            5 => Kind::Float,
            7 => Kind::Text,
            8 => Kind::Escaped,
            10 => Kind::Raw,
            11 => Kind::Array,
            12 => Kind::Object,
            _ => return Err(Malformed),
        })
    }
}

struct Node<'a> {
    kind: Kind,
    payload: &'a [u8],
}

impl<'a> Node<'a> {
    fn element(&self) -> Result<Element<'a>, Malformed> {
        Ok(match self.kind {
            Kind::Null => Element::Null,
            Kind::True => Element::Bool(true),
            Kind::False => Element::Bool(false),
            Kind::Integer | Kind::Float => Element::number(text(self.payload)?)?,
            Kind::Text | Kind::Escaped | Kind::Raw => Element::Text(self.string()?),
            Kind::Array => Element::List,
            Kind::Object => Element::Map,
        })
    }

    fn string(&self) -> Result<Cow<'a, str>, Malformed> {
        let text = text(self.payload)?;
        match self.kind {
            Kind::Text | Kind::Raw => Ok(Cow::Borrowed(text)),
            Kind::Escaped => serde_json::from_str(&format!("\"{text}\""))
                .map(Cow::Owned)
                .map_err(|_| Malformed),
            _ => Err(Malformed),
        }
    }

    fn is(&self, key: &str) -> Result<bool, Malformed> {
        match self.kind {
            Kind::Text | Kind::Raw => Ok(self.payload == key.as_bytes()),
            _ => Ok(self.string()? == key),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Malformed> {
    std::str::from_utf8(bytes).map_err(|_| Malformed)
}

/// One step into a node: a number is an index in a list and a key in a map.
fn step<'a>(node: &Node<'a>, segment: &Segment) -> Result<Option<Node<'a>>, Malformed> {
    match (node.kind, segment) {
        (Kind::Object, Segment::Key(key)) => member(node, key),
        (Kind::Object, Segment::Index(i)) => member(node, &i.to_string()),
        (Kind::Array, Segment::Index(i)) => item(node, *i),
        _ => Ok(None),
    }
}

fn member<'a>(map: &Node<'a>, key: &str) -> Result<Option<Node<'a>>, Malformed> {
    let mut reader = Reader(map.payload);
    while !reader.0.is_empty() {
        let (name, value) = (reader.node()?, reader.node()?);
        if name.is(key)? {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn item<'a>(list: &Node<'a>, index: usize) -> Result<Option<Node<'a>>, Malformed> {
    let mut reader = Reader(list.payload);
    for _ in 0..index {
        if reader.0.is_empty() {
            return Ok(None);
        }
        reader.node()?;
    }
    match reader.0.is_empty() {
        true => Ok(None),
        false => reader.node().map(Some),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Each node begins with its kind in the lower half of a byte; the upper half is the payload's
    /// length, or says in how many bytes the length follows.
    fn node(&mut self) -> Result<Node<'a>, Malformed> {
        let (head, rest) = self.0.split_first().ok_or(Malformed)?;
        self.0 = rest;
        let length = match head >> 4 {
            length @ 0..=11 => usize::from(length),
            more => self.length(1 << (more - 12))?,
        };
        let (payload, rest) = self.0.split_at_checked(length).ok_or(Malformed)?;
        self.0 = rest;
        let kind = Kind::of(head & 15)?;
        Ok(Node { kind, payload })
    }

    fn length(&mut self, bytes: usize) -> Result<usize, Malformed> {
        let (length, rest) = self.0.split_at_checked(bytes).ok_or(Malformed)?;
        self.0 = rest;
        let number = length
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        usize::try_from(number).map_err(|_| Malformed)
    }
}
