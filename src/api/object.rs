//! Objects as programs read them.

use std::collections::HashMap;

/// An object at one moment.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ObjectRecord {
    /// Its id, 26 characters.
    pub id: String,
    /// Its type name, if any.
    pub type_name: Option<String>,
    /// Its parent's id, if any; may dangle.
    pub parent: Option<String>,
    /// Whether it is deleted; a deleted object keeps its fields until garbage collection.
    pub deleted: bool,
    /// Whether an ancestor of it is deleted: queries then leave it out too.
    pub hidden: bool,
    /// The version of its type's schema that it was written for, if any.
    pub schema_version: Option<u32>,
    /// Where it begins, if it is a relation; may dangle.
    pub source: Option<String>,
    /// Where it ends, if it is a relation; may dangle.
    pub target: Option<String>,
    /// Its tags, sorted.
    pub tags: Vec<String>,
    /// Its names in other systems, by system; a natural key stands under `natural`.
    pub keys: HashMap<String, String>,
    /// The object of which it is a branch, if it is one.
    pub branch_of: Option<String>,
    /// Its fields as a JSON object (see `model::json` for the kinds that JSON lacks).
    pub fields: String,
    /// When it was created, in milliseconds since 1970, by the clock of the device that did.
    pub created_ms: i64,
    /// When it was last changed, likewise.
    pub updated_ms: i64,
    /// Its version: the CRDT heads, sorted, as lower-case hexadecimal.
    pub heads: Vec<String>,
}

/// One change in an object's history.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ChangeInfo {
    /// The change's hash, lower-case hexadecimal: the version it led to.
    pub hash: String,
    /// The versions it was made on.
    pub parents: Vec<String>,
    /// The message given to the transaction, if any.
    pub message: Option<String>,
    /// Milliseconds since 1970, by the author's clock: a claim, not a fact.
    pub time_ms: i64,
    /// The identity of its author.
    pub identity: String,
    /// The device that made it, which signed the entry that it came in.
    pub device: String,
}
