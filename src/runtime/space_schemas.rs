//! Schemas, what breaks them, and migrations.

use super::clock;
use super::space_handle::SpaceHandle;
use crate::api::{EchoError, Migration, MigrationFailure, MigrationReport, SchemaInfo, Violation};
use crate::model::{Error, ErrorKind, ObjectId, Result, json, limits};
use crate::space::{Candidate, Rewritten, SchemaRecord};

/// How often an object is read again because it changed while the program looked at it.
const ATTEMPTS: usize = 3;

impl SpaceHandle {
    /// Registers a schema and returns its version.
    pub fn register_schema(
        &self,
        type_name: &str,
        schema: &str,
        version: Option<u32>,
    ) -> Result<u32> {
        self.node().check_open()?;
        let mut registered = 0;
        self.host().write(|core| {
            let (version, outcome) =
                core.register_schema(type_name, schema, version, clock::now_ms())?;
            registered = version;
            Ok(outcome)
        })?;
        Ok(registered)
    }

    /// All schemas.
    pub fn schemas(&self) -> Result<Vec<SchemaInfo>> {
        let records = self.host().with_settled(|core| core.schema_records())?;
        Ok(records.into_iter().map(info).collect())
    }

    /// The schema that new objects of a type are written for.
    pub fn schema(&self, type_name: &str) -> Result<Option<SchemaInfo>> {
        let found = self
            .host()
            .with_settled(|core| core.newest_schema(type_name))?;
        Ok(found.map(info))
    }

    /// What objects break, once all are checked.
    pub fn violations(&self) -> Result<Vec<Violation>> {
        self.host().with_settled(|_| Ok(()))?;
        self.host().check_all()?;
        let found = self.host().with(|core| core.violations())?;
        Ok(found
            .into_iter()
            .map(|violation| Violation {
                id: violation.id.to_string(),
                type_name: violation.type_name,
                version: violation.version,
                path: violation.breach.path,
                reason: violation.breach.reason,
            })
            .collect())
    }

    /// Moves objects to a version, batch by batch. The program's part runs with no lock held.
    pub fn migrate(
        &self,
        type_name: &str,
        version: u32,
        migration: &dyn Migration,
    ) -> Result<MigrationReport> {
        self.node().check_open()?;
        self.host().with_settled(|core| {
            let mut records = core.schema_records()?.into_iter();
            let wanted = records.find(|r| r.type_name == type_name && r.version == version);
            check_target(type_name, version, wanted)
        })?;
        let mut run = Run {
            space: self,
            version,
            migration,
            report: MigrationReport::default(),
        };
        let mut after = Some(0);
        while let Some(from) = after {
            let found = self.host().with_settled(|core| {
                core.candidates(type_name, version, from, limits::MIGRATED_AT_ONCE)
            })?;
            after = found.after;
            run.batch(found.objects)?;
        }
        Ok(run.report)
    }
}

/// Whether objects can be moved to a version.
fn check_target(type_name: &str, version: u32, schema: Option<SchemaRecord>) -> Result<()> {
    match schema {
        None => Err(Error::not_found(format!(
            "version {version} of the schema of {type_name:?} is not registered: register it first"
        ))),
        Some(SchemaRecord {
            withdrawn: true, ..
        }) => Err(Error::state(format!(
            "version {version} of the schema of {type_name:?} was withdrawn"
        ))),
        Some(SchemaRecord {
            problem: Some(problem),
            ..
        }) => Err(Error::state(format!(
            "version {version} of the schema of {type_name:?} cannot be used: {problem}"
        ))),
        Some(_) => Ok(()),
    }
}

/// A migration under way.
struct Run<'a> {
    space: &'a SpaceHandle,
    version: u32,
    migration: &'a dyn Migration,
    report: MigrationReport,
}

impl Run<'_> {
    fn batch(&mut self, mut objects: Vec<Candidate>) -> Result<()> {
        for attempt in 1.. {
            let mut rewritten = Vec::with_capacity(objects.len());
            for object in objects {
                rewritten.extend(self.rewrite(object)?);
            }
            let changed = self.write(&rewritten)?;
            if changed.is_empty() {
                break;
            }
            if attempt == ATTEMPTS {
                for id in changed {
                    self.fail(&id, "it kept changing while it was migrated: run it again");
                }
                break;
            }
            objects = self.read_again(&changed)?;
        }
        Ok(())
    }

    /// Asks the program; `None` if the object stays as it is.
    fn rewrite(&mut self, from: Candidate) -> Result<Option<Rewritten>> {
        let asked = self
            .migration
            .migrate(from.id.to_string(), from.version, from.data.clone());
        let fields = match asked {
            Ok(Some(fields)) => json::parse_fields(&fields),
            Ok(None) => {
                self.report.left += 1;
                return Ok(None);
            }
            // The program's way to stop; what was written stays written.
            Err(e) if e.kind() == ErrorKind::Cancelled => {
                return Err(Error::new(ErrorKind::Cancelled, e.detail()));
            }
            Err(e) => Err(callback_failed(&e)),
        };
        match fields {
            Ok(fields) => Ok(Some(Rewritten { from, fields })),
            Err(e) => {
                self.fail(&from.id, e.detail());
                Ok(None)
            }
        }
    }

    /// Writes all together or, if that is refused, each by itself. Returns those that changed
    /// meanwhile.
    fn write(&mut self, objects: &[Rewritten]) -> Result<Vec<ObjectId>> {
        let all: Vec<&Rewritten> = objects.iter().collect();
        match self.write_these(&all) {
            Ok(changed) => return Ok(changed),
            Err(e) if !is_of_object(&e) => return Err(e),
            Err(_) => {}
        }
        let mut changed = Vec::new();
        for object in &all {
            match self.write_these(&[object]) {
                Ok(again) => changed.extend(again),
                Err(e) if is_of_object(&e) => self.fail(&object.from.id, e.detail()),
                Err(e) => return Err(e),
            }
        }
        Ok(changed)
    }

    fn write_these(&mut self, objects: &[&Rewritten]) -> Result<Vec<ObjectId>> {
        let version = self.version;
        let mut changed = Vec::new();
        self.space.host().write(|core| {
            let (outcome, again) = core.migrate(objects, version, clock::now_ms())?;
            changed = again;
            Ok(outcome)
        })?;
        self.report.migrated += (objects.len() - changed.len()) as u64;
        Ok(changed)
    }

    fn read_again(&self, ids: &[ObjectId]) -> Result<Vec<Candidate>> {
        self.space.host().with_settled(|core| {
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                found.extend(core.candidate(id, self.version)?);
            }
            Ok(found)
        })
    }

    fn fail(&mut self, id: &ObjectId, reason: &str) {
        self.report.failed += 1;
        if self.report.failures.len() < limits::MIGRATION_FAILURES {
            self.report.failures.push(MigrationFailure {
                id: id.to_string(),
                reason: reason.to_owned(),
            });
        }
    }
}

/// Whether an error is about what is written, so that other objects may still be written.
fn is_of_object(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::SchemaViolation
            | ErrorKind::InvalidArgument
            | ErrorKind::LimitExceeded
            | ErrorKind::NotFound
    )
}

fn callback_failed(error: &EchoError) -> Error {
    let detail = format!("the migration failed: {}", error.detail());
    Error::new(ErrorKind::Callback, detail)
}

fn info(record: SchemaRecord) -> SchemaInfo {
    SchemaInfo {
        id: record.id.to_string(),
        type_name: record.type_name,
        version: record.version,
        schema: record.text,
        withdrawn: record.withdrawn,
        problem: record.problem,
        conflict: record.conflict,
    }
}
