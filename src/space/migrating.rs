//! Moving objects to a newer version of their type's schema. What their fields become is the
//! program's to say; here are the steps around it: which objects, and the write.

use super::space_core::SpaceCore;
use super::write::Outcome;
use crate::model::{ObjectId, Operation, Result, Value, difference, json};
use std::collections::BTreeMap;

/// An object that may be moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The object.
    pub id: ObjectId,
    /// The version it carries, if any.
    pub version: Option<u32>,
    /// Its fields as tagged JSON.
    pub data: String,
    /// Its version in the history.
    pub heads: Vec<[u8; 32]>,
}

/// Some of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    /// The objects.
    pub objects: Vec<Candidate>,
    /// From where to look on; `None` when these were the last.
    pub after: Option<i64>,
}

/// An object with the fields that it is to have.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewritten {
    /// What was read.
    pub from: Candidate,
    /// All its fields from now on.
    pub fields: BTreeMap<String, Value>,
}

impl SpaceCore {
    /// Objects of a type that are not deleted and carry a version below `below`, or none, among the
    /// `limit` next after number `after`.
    pub fn candidates(
        &self,
        type_name: &str,
        below: u32,
        after: i64,
        limit: usize,
    ) -> Result<Candidates> {
        let rows = self.store.objects_of_type(type_name, after, limit)?;
        let after = rows.last().filter(|_| rows.len() == limit).map(|(n, _)| *n);
        let objects = rows
            .into_iter()
            .map(|(_, row)| row)
            .filter(|row| !row.deleted)
            .filter(|row| row.system.schema_version.is_none_or(|v| v < below))
            .map(|row| Candidate {
                id: row.id,
                version: row.system.schema_version,
                data: row.data,
                heads: row.heads,
            });
        Ok(Candidates {
            objects: objects.collect(),
            after,
        })
    }

    /// One object as a candidate, if it still is one.
    pub fn candidate(&self, id: &ObjectId, below: u32) -> Result<Option<Candidate>> {
        let row = self
            .store
            .object(id)?
            .filter(|row| !row.deleted && row.system.schema_version.is_none_or(|v| v < below));
        Ok(row.map(|row| Candidate {
            id: row.id,
            version: row.system.schema_version,
            data: row.data,
            heads: row.heads,
        }))
    }

    /// Writes objects' new fields, as far as they differ, and their new version, in one transaction.
    /// Objects that changed since they were read are left alone and returned.
    pub fn migrate(
        &mut self,
        objects: &[&Rewritten],
        version: u32,
        now_ms: u64,
    ) -> Result<(Outcome, Vec<ObjectId>)> {
        let mut operations = Vec::new();
        let mut changed = Vec::new();
        for object in objects {
            let id = object.from.id;
            let row = self.store.object(&id)?;
            if row.is_none_or(|row| row.heads != object.from.heads) {
                changed.push(id);
                continue;
            }
            let old = json::parse_fields(&object.from.data)?;
            operations.extend(difference::between(id, &old, &object.fields));
            operations.push(Operation::SetSchemaVersion {
                object: id,
                version,
            });
        }
        if operations.is_empty() {
            return Ok((Outcome::default(), changed));
        }
        let outcome = self.transact(&operations, None, None, now_ms)?;
        Ok((outcome, changed))
    }
}
