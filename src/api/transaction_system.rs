//! The steps of a transaction that concern more than a field's value: natural keys, tags, foreign
//! keys, relations, marks, moves.

use super::error::Result;
use super::space::text_index;
use super::text::{MarkExpand, TextUnit};
use super::transaction::{Transaction, parse_value};
use crate::model::{ObjectId, Operation, Path, json, system};

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Transaction {
    /// Makes the object that a natural key of a type names, or sets these fields of it if it
    /// exists (a deleted one comes back), and returns its id. Every peer makes the same id of the
    /// same key, so that objects made apart become one. `fields` is a JSON object.
    pub fn create_with_key(
        &self,
        type_name: String,
        key: String,
        fields: String,
    ) -> Result<String> {
        super::space::check_type_name(Some(&type_name))?;
        system::check_natural_key(&key)?;
        let object = ObjectId::natural(&self.space_id(), &type_name, &key);
        self.push(Operation::Upsert {
            object,
            type_name,
            key,
            fields: json::parse_fields(&fields)?,
        })?;
        Ok(object.to_string())
    }

    /// Moves a list's element, which the path names, so that it has the index `to` afterwards. If
    /// two peers move one element at the same time, both moves take place and it stands twice.
    pub fn move_item(&self, id: String, path: String, to: u64) -> Result<()> {
        self.push(Operation::Move {
            object: ObjectId::parse(&id)?,
            path: Path::parse(&path)?,
            to: text_index(to)?,
        })
    }

    /// Marks a text from `start` to `end`: bold, a link, a comment. `value` is JSON of a scalar;
    /// null clears the mark. Marks of one name do not overlap: the later one counts.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a plain value that languages name"
    )]
    pub fn mark(
        &self,
        id: String,
        path: String,
        start: u64,
        end: u64,
        unit: TextUnit,
        name: String,
        value: String,
        expand: MarkExpand,
    ) -> Result<()> {
        self.push(Operation::Mark {
            object: ObjectId::parse(&id)?,
            path: Path::parse(&path)?,
            start: text_index(start)?,
            end: text_index(end)?,
            unit: unit.into(),
            name,
            value: parse_value(&value)?,
            expand: expand.into(),
        })
    }

    /// Makes an object a relation from `source` to `target`, or sets its ends anew; they may
    /// dangle.
    pub fn relate(&self, id: String, source: Option<String>, target: Option<String>) -> Result<()> {
        let end = |id: Option<String>| id.as_deref().map(ObjectId::parse).transpose();
        self.push(Operation::Relate {
            object: ObjectId::parse(&id)?,
            source: end(source)?,
            target: end(target)?,
        })
    }

    /// Adds a tag, of 1 to 256 bytes. If a peer removes it at the same time, it stays.
    pub fn tag(&self, id: String, tag: String) -> Result<()> {
        self.set_tag(id, tag, true)
    }

    /// Removes a tag.
    pub fn untag(&self, id: String, tag: String) -> Result<()> {
        self.set_tag(id, tag, false)
    }

    /// Says what the object is called in another system, `source`; without `key` that is
    /// forgotten. Both have 1 to 256 bytes, and sources are not `natural` and do not begin with `@`.
    pub fn set_key(&self, id: String, source: String, key: Option<String>) -> Result<()> {
        system::check_key(&source, key.as_deref().unwrap_or("-"))?;
        self.push(Operation::SetKey {
            object: ObjectId::parse(&id)?,
            source,
            key,
        })
    }
}

impl Transaction {
    fn set_tag(&self, id: String, tag: String, on: bool) -> Result<()> {
        system::check_tag(&tag)?;
        let object = ObjectId::parse(&id)?;
        self.push(Operation::Tag { object, tag, on })
    }
}
