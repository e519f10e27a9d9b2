//! The steps of a transaction: what a caller asks to be done, checked for form but not yet applied.

use super::{Branch, ObjectId, Path, TextUnit, Value};
use std::collections::BTreeMap;

/// One step. All steps of a transaction take effect together or not at all.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// Makes a new object. Fails with `AlreadyExists` when the id is taken.
    Create {
        /// The new object's id.
        object: ObjectId,
        /// Its type name, if any.
        type_name: Option<String>,
        /// Its fields.
        fields: BTreeMap<String, Value>,
    },
    /// Sets fields of an object; the others stay.
    Update {
        /// The object.
        object: ObjectId,
        /// The fields to set.
        fields: BTreeMap<String, Value>,
    },
    /// Sets the value at a path; the parent must exist.
    Set {
        /// The object.
        object: ObjectId,
        /// Where.
        path: Path,
        /// What.
        value: Value,
    },
    /// Inserts into a list so that the new element gets the path's index.
    Insert {
        /// The object.
        object: ObjectId,
        /// The list's path with the index as last step; the list's length appends.
        path: Path,
        /// The new element.
        value: Value,
    },
    /// Removes a field, a map entry or a list element.
    Remove {
        /// The object.
        object: ObjectId,
        /// Where.
        path: Path,
    },
    /// Replaces a stretch of a text.
    Splice {
        /// The object.
        object: ObjectId,
        /// The text's path.
        path: Path,
        /// Where, counted in `unit`.
        position: usize,
        /// How much to delete, counted in `unit`.
        delete: usize,
        /// What to insert.
        insert: String,
        /// The unit of `position` and `delete`.
        unit: TextUnit,
    },
    /// Adds to a counter.
    Increment {
        /// The object.
        object: ObjectId,
        /// The counter's path.
        path: Path,
        /// How much, possibly negative.
        by: i64,
    },
    /// Sets or clears the parent, which makes trees.
    SetParent {
        /// The object.
        object: ObjectId,
        /// Its parent from now on.
        parent: Option<ObjectId>,
    },
    /// Deletes the object; its data stays until garbage collection.
    Delete {
        /// The object.
        object: ObjectId,
    },
    /// Undoes a deletion.
    Restore {
        /// The object.
        object: ObjectId,
    },
    /// Makes the object that a natural key names, or sets these fields of it if it exists; a
    /// deleted one comes back.
    Upsert {
        /// The id made from the key ([`ObjectId::natural`]).
        object: ObjectId,
        /// Its type name, part of the key.
        type_name: String,
        /// The key.
        key: String,
        /// The fields to set.
        fields: BTreeMap<String, Value>,
    },
    /// Moves a list's element. Automerge has no such operation: it is taken out and put in again,
    /// so that of two concurrent moves of one element both take place.
    Move {
        /// The object.
        object: ObjectId,
        /// The element's path.
        path: Path,
        /// The index that it has afterwards.
        to: usize,
    },
    /// Marks a stretch of a text (bold, a link, a comment), or clears a mark.
    Mark {
        /// The object.
        object: ObjectId,
        /// The text's path.
        path: Path,
        /// Where the mark begins, counted in `unit`.
        start: usize,
        /// Where it ends, likewise.
        end: usize,
        /// The unit of `start` and `end`.
        unit: TextUnit,
        /// The mark's name.
        name: String,
        /// Its value, a scalar; null clears it.
        value: Value,
        /// Whether it grows when text is inserted at its ends.
        expand: Expand,
    },
    /// Makes the object a relation, or sets its ends anew.
    Relate {
        /// The object.
        object: ObjectId,
        /// Where the relation begins.
        source: Option<ObjectId>,
        /// Where it ends.
        target: Option<ObjectId>,
    },
    /// Adds or removes a tag. Of concurrent writes the one that adds wins.
    Tag {
        /// The object.
        object: ObjectId,
        /// The tag.
        tag: String,
        /// Whether it is added.
        on: bool,
    },
    /// Says what the object is called in another system.
    SetKey {
        /// The object.
        object: ObjectId,
        /// The other system's name.
        source: String,
        /// The object's name there; `None` forgets it.
        key: Option<String>,
    },
    /// Says for which version of its type's schema the object is written.
    SetSchemaVersion {
        /// The object.
        object: ObjectId,
        /// The version.
        version: u32,
    },
    /// Makes the object a branch of another.
    SetBranch {
        /// The object.
        object: ObjectId,
        /// Of what.
        branch: Branch,
    },
}

/// Whether a mark grows when text is inserted at its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Expand {
    /// At neither end: as of a link.
    None,
    /// At its start.
    Before,
    /// At its end: as of bold text, which goes on when one types on.
    #[default]
    After,
    /// At both.
    Both,
}

impl Operation {
    /// The object that the step touches.
    pub fn object(&self) -> ObjectId {
        match self {
            Operation::Create { object, .. }
            | Operation::Update { object, .. }
            | Operation::Set { object, .. }
            | Operation::Insert { object, .. }
            | Operation::Remove { object, .. }
            | Operation::Splice { object, .. }
            | Operation::Increment { object, .. }
            | Operation::SetParent { object, .. }
            | Operation::Upsert { object, .. }
            | Operation::Move { object, .. }
            | Operation::Mark { object, .. }
            | Operation::Relate { object, .. }
            | Operation::Tag { object, .. }
            | Operation::SetKey { object, .. }
            | Operation::SetSchemaVersion { object, .. }
            | Operation::SetBranch { object, .. }
            | Operation::Delete { object }
            | Operation::Restore { object } => *object,
        }
    }
}
