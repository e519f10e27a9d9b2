//! What `schema` reports.

use echodb::SchemaInfo;
use serde::{Deserialize, Serialize};

/// See [`crate::event::Event::Schema`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Schema {
    /// The space.
    pub space: String,
    /// The object that holds it.
    pub id: String,
    /// The type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The version.
    pub version: u32,
    /// The schema as it was registered, JSON text.
    pub schema: String,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// Why it cannot be used.
    pub problem: Option<String>,
    /// Whether it won over another that was registered as this version at the same time.
    pub conflict: bool,
}

impl Schema {
    /// A schema of `space`.
    pub fn new(space: &str, info: SchemaInfo) -> Self {
        Schema {
            space: space.to_owned(),
            id: info.id,
            type_name: info.type_name,
            version: info.version,
            schema: info.schema,
            withdrawn: info.withdrawn,
            problem: info.problem,
            conflict: info.conflict,
        }
    }
}

/// See [`crate::event::Event::Violation`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Violation {
    /// The space.
    pub space: String,
    /// The object.
    pub id: String,
    /// Its type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// The version of the schema that it carries.
    pub version: u32,
    /// Where in its fields, a JSON Pointer.
    pub path: String,
    /// The keyword, a colon, and a sentence.
    pub reason: String,
}
