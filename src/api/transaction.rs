//! Transactions: several steps on several objects that take effect together or not at all.

use super::error::Result;
use super::text::TextUnit;
use crate::model::{Error, ObjectId, Operation, Path, Value, json};
use crate::runtime::space_handle::{SpaceHandle, Terms};
use std::sync::{Arc, Mutex, PoisonError};

/// What a committed transaction led to.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Committed {
    /// The entry that carries it; `None` when the transaction changed nothing.
    pub entry: Option<String>,
    /// For each touched object, in id order: its id and its version after the transaction.
    pub objects: Vec<CommittedObject>,
}

/// An object's version after a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct CommittedObject {
    /// The object's id.
    pub id: String,
    /// The version this transaction made, lower-case hexadecimal hashes.
    pub heads: Vec<String>,
}

/// Gathers steps; nothing happens until [`Transaction::commit`]. Arguments are checked as they
/// are given; a step that does not fit the object (no such field, position past the end) fails
/// the commit and leaves everything as it was. One thread at a time.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct Transaction {
    space: SpaceHandle,
    draft: Mutex<Option<Draft>>,
}

#[derive(Default)]
struct Draft {
    operations: Vec<Operation>,
    heads: Option<Vec<[u8; 32]>>,
    message: Option<String>,
    terms: Terms,
}

impl Transaction {
    pub(crate) fn new(space: SpaceHandle) -> Arc<Self> {
        Arc::new(Transaction {
            space,
            draft: Mutex::new(Some(Draft::default())),
        })
    }

    fn edit<T>(&self, change: impl FnOnce(&mut Draft) -> Result<T>) -> Result<T> {
        let mut draft = self.draft.lock().unwrap_or_else(PoisonError::into_inner);
        match draft.as_mut() {
            Some(draft) => change(draft),
            None => Err(closed().into()),
        }
    }

    pub(super) fn edit_terms(&self, change: impl FnOnce(&mut Terms)) -> Result<()> {
        self.edit(|draft| {
            change(&mut draft.terms);
            Ok(())
        })
    }

    pub(super) fn space_id(&self) -> crate::model::SpaceId {
        self.space.id()
    }

    pub(super) fn push(&self, operation: Operation) -> Result<()> {
        self.edit(|draft| {
            draft.operations.push(operation);
            Ok(())
        })
    }

    /// Commits: when this returns, every step is stored and survives the death of the process, and
    /// queries and subscriptions see it.
    pub fn commit(&self) -> Result<Committed> {
        let draft = self
            .draft
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .ok_or_else(closed)?;
        self.space
            .transact(draft.operations, draft.heads, draft.message, draft.terms)
            .map_err(Into::into)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Transaction {
    /// Commits: when this completes, every step is stored and survives the death of the process,
    /// and queries and subscriptions see it.
    #[uniffi::method(name = "commit")]
    pub async fn commit_async(self: Arc<Self>) -> Result<Committed> {
        super::run(move || self.commit()).await
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Transaction {
    /// Adds a new object and returns its id. `fields` is a JSON object.
    pub fn create(&self, type_name: Option<String>, fields: String) -> Result<String> {
        let fields = json::parse_fields(&fields)?;
        let object = self.space.new_object_id();
        super::space::check_type_name(type_name.as_deref())?;
        self.push(Operation::Create {
            object,
            type_name,
            fields,
        })?;
        Ok(object.to_string())
    }

    /// Adds a new object under an id of the caller's, for imports.
    pub fn create_with_id(
        &self,
        id: String,
        type_name: Option<String>,
        fields: String,
    ) -> Result<()> {
        super::space::check_type_name(type_name.as_deref())?;
        self.push(Operation::Create {
            object: ObjectId::parse(&id)?,
            type_name,
            fields: json::parse_fields(&fields)?,
        })
    }

    /// Sets fields of an object; the others stay.
    pub fn update(&self, id: String, fields: String) -> Result<()> {
        self.push(Operation::Update {
            object: ObjectId::parse(&id)?,
            fields: json::parse_fields(&fields)?,
        })
    }

    /// Sets the value at a path (a field name or a JSON Pointer); `value` is JSON.
    pub fn set(&self, id: String, path: String, value: String) -> Result<()> {
        let value = parse_value(&value)?;
        self.push(Operation::Set {
            object: ObjectId::parse(&id)?,
            path: Path::parse(&path)?,
            value,
        })
    }

    /// Inserts into a list before the index that ends the path; the list's length appends.
    pub fn insert(&self, id: String, path: String, value: String) -> Result<()> {
        let value = parse_value(&value)?;
        self.push(Operation::Insert {
            object: ObjectId::parse(&id)?,
            path: Path::parse(&path)?,
            value,
        })
    }

    /// Removes a field, a map entry or a list element.
    pub fn remove(&self, id: String, path: String) -> Result<()> {
        self.push(Operation::Remove {
            object: ObjectId::parse(&id)?,
            path: Path::parse(&path)?,
        })
    }

    /// Replaces `delete` units of a text from `position` on by `insert`.
    pub fn splice_text(
        &self,
        id: String,
        path: String,
        position: u64,
        delete: u64,
        insert: String,
        unit: TextUnit,
    ) -> Result<()> {
        self.push(Operation::Splice {
            object: ObjectId::parse(&id)?,
            path: Path::parse(&path)?,
            position: super::space::text_index(position)?,
            delete: super::space::text_index(delete)?,
            insert,
            unit: unit.into(),
        })
    }

    /// Adds to a counter.
    pub fn increment(&self, id: String, path: String, by: i64) -> Result<()> {
        self.push(Operation::Increment {
            object: ObjectId::parse(&id)?,
            path: Path::parse(&path)?,
            by,
        })
    }

    /// Sets or clears an object's parent.
    pub fn set_parent(&self, id: String, parent: Option<String>) -> Result<()> {
        self.push(Operation::SetParent {
            object: ObjectId::parse(&id)?,
            parent: parent.as_deref().map(ObjectId::parse).transpose()?,
        })
    }

    /// Deletes an object.
    pub fn delete(&self, id: String) -> Result<()> {
        self.push(Operation::Delete {
            object: ObjectId::parse(&id)?,
        })
    }

    /// Undoes a deletion.
    pub fn restore(&self, id: String) -> Result<()> {
        self.push(Operation::Restore {
            object: ObjectId::parse(&id)?,
        })
    }

    /// Makes the steps at the version `heads` (hexadecimal hashes) instead of the newest one, as
    /// if they had been made then; they merge with what came since. All steps must touch one
    /// object.
    pub fn at(&self, heads: Vec<String>) -> Result<()> {
        let heads = heads
            .iter()
            .map(|h| super::space::parse_head(h))
            .collect::<crate::model::Result<Vec<_>>>()?;
        self.edit(|draft| {
            draft.heads = Some(heads);
            Ok(())
        })
    }

    /// A note that stays in the history of the touched objects, at most 256 characters.
    pub fn message(&self, text: String) -> Result<()> {
        super::space::check_name("a message", &text)?;
        self.edit(|draft| {
            draft.message = Some(text);
            Ok(())
        })
    }

    /// Throws the steps away.
    pub fn cancel(&self) {
        self.draft
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
    }
}

fn closed() -> Error {
    Error::state("this transaction was committed or cancelled already")
}

pub(super) fn parse_value(text: &str) -> crate::model::Result<Value> {
    let value = json::from_json(json::parse(text)?)?;
    value.check()?;
    Ok(value)
}
