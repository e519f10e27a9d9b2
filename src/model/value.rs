//! The values an object's fields hold (design section 4).

use super::{BlobRef, Error, ObjectId, Result, SpaceId, limits, path};
use std::collections::BTreeMap;
use std::fmt;

/// A weak reference: it may name an object that does not exist, or not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reference {
    /// The other space, or `None` for the space the reference stands in.
    pub space: Option<SpaceId>,
    /// The object.
    pub object: ObjectId,
}

impl Reference {
    /// Reads `echo:OBJECT` or `echo://SPACE/OBJECT`; a bare object id is taken too.
    pub fn parse(text: &str) -> Result<Reference> {
        if let Some(rest) = text.strip_prefix("echo://") {
            let (space, object) = rest.split_once('/').ok_or_else(|| {
                Error::invalid("a reference to another space reads echo://SPACE/OBJECT")
            })?;
            return Ok(Reference {
                space: Some(SpaceId::parse(space)?),
                object: ObjectId::parse(object)?,
            });
        }
        Ok(Reference {
            space: None,
            object: ObjectId::parse(text.strip_prefix("echo:").unwrap_or(text))?,
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.space {
            None => write!(f, "echo:{}", self.object),
            Some(space) => write!(f, "echo://{space}/{}", self.object),
        }
    }
}

/// A field's value. Concurrent writes of a whole value are settled by the CRDT; texts, counters,
/// lists and maps merge.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// An IEEE 754 double.
    Float(f64),
    /// A string that is replaced as a whole.
    String(String),
    /// Bytes that are replaced as a whole.
    Bytes(Vec<u8>),
    /// A point in time: milliseconds since 1970-01-01T00:00:00Z.
    Timestamp(i64),
    /// An integer to which concurrent increments add up.
    Counter(i64),
    /// Text that merges character by character.
    Text(String),
    /// A weak reference to an object.
    Reference(Reference),
    /// A blob of the same space, which need not be here.
    Blob(BlobRef),
    /// An ordered list.
    List(Vec<Value>),
    /// A map from names to values.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// Checks names, and depth against [`limits::VALUE_DEPTH`].
    pub fn check(&self) -> Result<()> {
        self.check_below(0)
    }

    fn check_below(&self, depth: usize) -> Result<()> {
        if depth > limits::VALUE_DEPTH {
            return Err(Error::limit(format!(
                "values may be nested {} deep",
                limits::VALUE_DEPTH
            )));
        }
        match self {
            Value::List(items) => items.iter().try_for_each(|v| v.check_below(depth + 1)),
            Value::Map(entries) => entries.iter().try_for_each(|(name, v)| {
                path::check_field_name(name)?;
                v.check_below(depth + 1)
            }),
            _ => Ok(()),
        }
    }
}
