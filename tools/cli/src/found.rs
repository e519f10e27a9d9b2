//! What searches find, and the indexes there are. The names of the members are the keys of `--json`
//! and stay as they are.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// An object that a search found.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hit {
    /// The object's id.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// How well it fits: the lower, the better.
    pub rank: f64,
    /// Where the words occur.
    pub snippet: Option<Excerpt>,
    /// Its fields, a JSON object.
    pub fields: Box<RawValue>,
}

/// A stretch of a text in which words occur.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Excerpt {
    /// The text's place, a JSON Pointer.
    pub path: String,
    /// The stretch.
    pub text: String,
    /// Where it begins in the text, in bytes.
    pub start: u64,
    /// Whether the text goes on after it.
    pub more: bool,
    /// Where the words are in the stretch: pairs of start and end, in bytes.
    pub ranges: Vec<(usize, usize)>,
}

/// An index.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Index {
    /// The space.
    pub space: String,
    /// Of objects of this type; of all if there is none.
    #[serde(rename = "type")]
    pub type_name: Option<String>,
    /// Of what.
    pub path: String,
}
