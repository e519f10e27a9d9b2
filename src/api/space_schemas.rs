//! JSON Schemas for the types of a space's objects, what breaks them, and migrations from one
//! version to the next. `docs/guide/schemas.md` tells how they work together.

use super::error::Result;
use super::{EchoError, Space};
use std::sync::Arc;

/// A registered version of a type's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SchemaInfo {
    /// The object that holds it. Deleting that withdraws the schema; restoring it undoes that.
    pub id: String,
    /// The type.
    pub type_name: String,
    /// The version, from 1.
    pub version: u32,
    /// The schema: JSON text.
    pub schema: String,
    /// Whether it was withdrawn: then it is not in force.
    pub withdrawn: bool,
    /// Why it cannot be used (a peer may register anything): then it is not in force.
    pub problem: Option<String>,
    /// Whether peers registered different schemas as this version at the same time. This one won,
    /// on every peer.
    pub conflict: bool,
}

/// A rule of its type's schema that an object breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Violation {
    /// The object.
    pub id: String,
    /// Its type.
    pub type_name: String,
    /// The version of the schema, which the object carries.
    pub version: u32,
    /// Where in the fields, as a JSON Pointer; empty for the object as a whole.
    pub path: String,
    /// The schema's keyword, a colon, and a sentence.
    pub reason: String,
}

/// An object that a migration could not move.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct MigrationFailure {
    /// The object.
    pub id: String,
    /// Why.
    pub reason: String,
}

/// What came of a migration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct MigrationReport {
    /// Objects that carry the new version now.
    pub migrated: u64,
    /// Objects that the program left as they were.
    pub left: u64,
    /// Objects that could not be moved.
    pub failed: u64,
    /// The first hundred of them.
    pub failures: Vec<MigrationFailure>,
}

/// What objects' fields become in a newer version of their type's schema: the program's part of
/// [`Space::migrate`]. Called on the thread of that call (in other languages, on a library thread),
/// one object at a time, with no lock held.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait Migration: Send + Sync {
    /// The new fields of an object, all of them, as a JSON object; `None` leaves it as it is.
    /// `version` is the one it carries, if any. An error counts the object as failed; one of the
    /// kind `Cancelled` ends the migration.
    fn migrate(
        &self,
        id: String,
        version: Option<u32>,
        fields: String,
    ) -> std::result::Result<Option<String>, EchoError>;
}

impl Space {
    /// Registers a JSON Schema (text) for the objects of a type, as `version` (from 1), or as the
    /// next one, and returns the version. Does nothing if that version, or without `version` the
    /// newest in force, is the same schema already: a program may call this at every start. Takes
    /// the role of editor.
    ///
    /// New objects of the type carry the newest version in force; local writes are checked against
    /// the version that an object carries, and refused with `SchemaViolation`.
    ///
    /// Fails with `InvalidArgument` if it is no JSON Schema (drafts 4 to 2020-12) or uses what is
    /// not supported (references to elsewhere), `LimitExceeded` past the bounds, and
    /// `AlreadyExists` if the version is another schema.
    pub fn register_schema(
        &self,
        type_name: String,
        schema: String,
        version: Option<u32>,
    ) -> Result<u32> {
        super::space::check_type_name(Some(&type_name))?;
        Ok(self
            .handle()
            .register_schema(&type_name, &schema, version)?)
    }

    /// Every registered schema, by type and version, those included that are not in force.
    pub fn schemas(&self) -> Result<Vec<SchemaInfo>> {
        Ok(self.handle().schemas()?)
    }

    /// The schema that new objects of a type carry the version of; `None` if there is none.
    pub fn schema(&self, type_name: String) -> Result<Option<SchemaInfo>> {
        Ok(self.handle().schema(&type_name)?)
    }

    /// The rules that objects break, by object, at most eight of each: what merges, and schemas that
    /// came later than the objects, led to. Checks first what is yet to be checked.
    pub fn violations(&self) -> Result<Vec<Violation>> {
        Ok(self.handle().violations()?)
    }

    /// Moves the objects of a type that carry an older version than `to_version`, or none, to that
    /// version, as `migration` says; deleted ones are passed over. Written in batches, each checked
    /// against the new schema; only fields that differ are written. An object that is changed
    /// meanwhile is read again. How far it came is in the objects' versions, so it may be
    /// interrupted and run again.
    ///
    /// Fails with `NotFound` if the version is not registered, `InvalidState` if it is not in force,
    /// `Cancelled` if the program ended it.
    pub fn migrate(
        &self,
        type_name: String,
        to_version: u32,
        migration: Arc<dyn Migration>,
    ) -> Result<MigrationReport> {
        Ok(self
            .handle()
            .migrate(&type_name, to_version, migration.as_ref())?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Registers a JSON Schema (text) for the objects of a type, as `version` (from 1), or as the
    /// next one, and returns the version. Does nothing if that version, or without `version` the
    /// newest in force, is the same schema already: a program may call this at every start. Takes
    /// the role of editor. New objects of the type carry the newest version in force; local writes
    /// are checked against the version that an object carries.
    #[uniffi::method(name = "register_schema")]
    pub async fn register_schema_async(
        self: Arc<Self>,
        type_name: String,
        schema: String,
        version: Option<u32>,
    ) -> Result<u32> {
        super::run(move || self.register_schema(type_name, schema, version)).await
    }

    /// Every registered schema, by type and version, those included that are not in force.
    #[uniffi::method(name = "schemas")]
    pub async fn schemas_async(self: Arc<Self>) -> Result<Vec<SchemaInfo>> {
        super::run(move || self.schemas()).await
    }

    /// The schema that new objects of a type carry the version of, if there is one.
    #[uniffi::method(name = "schema")]
    pub async fn schema_async(self: Arc<Self>, type_name: String) -> Result<Option<SchemaInfo>> {
        super::run(move || self.schema(type_name)).await
    }

    /// The rules that objects break, by object, at most eight of each: what merges, and schemas that
    /// came later than the objects, led to. Checks first what is yet to be checked.
    #[uniffi::method(name = "violations")]
    pub async fn violations_async(self: Arc<Self>) -> Result<Vec<Violation>> {
        super::run(move || self.violations()).await
    }

    /// Moves the objects of a type that carry an older version than `to_version`, or none, to that
    /// version, as `migration` says; deleted ones are passed over. Written in batches, each checked
    /// against the new schema; only fields that differ are written. An object that is changed
    /// meanwhile is read again. It may be interrupted and run again.
    #[uniffi::method(name = "migrate")]
    pub async fn migrate_async(
        self: Arc<Self>,
        type_name: String,
        to_version: u32,
        migration: Arc<dyn Migration>,
    ) -> Result<MigrationReport> {
        super::run(move || self.migrate(type_name, to_version, migration)).await
    }
}
