//! Registering schemas, and reading them.

use super::schemas::Registered;
use super::space_core::SpaceCore;
use super::write::Outcome;
use crate::model::{
    Error, ErrorKind, ObjectId, Operation, Path, Result, Role, Segment, Value, json, limits, system,
};
use crate::schema::CompiledSchema;
use std::collections::BTreeMap;

/// Version numbers tried when the next one is taken by something that is no schema.
const TRIES: u32 = 64;

/// A registered schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaRecord {
    /// The object that holds it.
    pub id: ObjectId,
    /// The type.
    pub type_name: String,
    /// The version.
    pub version: u32,
    /// The schema's text.
    pub text: String,
    /// Whether its object is deleted: then it is not in force.
    pub withdrawn: bool,
    /// Why it cannot be used, and therefore is not in force.
    pub problem: Option<String>,
    /// Whether peers registered different schemas as this version at the same time, of which this
    /// one won, everywhere.
    pub conflict: bool,
}

impl SpaceCore {
    /// Registers a schema for objects of a type, as the version given or the next one. Does nothing
    /// if that version, or else the newest one in force, says the same already. Returns the version.
    pub fn register_schema(
        &mut self,
        type_name: &str,
        text: &str,
        version: Option<u32>,
        now_ms: u64,
    ) -> Result<(u32, Outcome)> {
        self.require(Role::Editor, "registering a schema")?;
        CompiledSchema::compile(text)?;
        let version = match version {
            Some(0) => return Err(Error::invalid("versions of a schema start at 1")),
            Some(version) => version,
            None => self.next_version(type_name, text)?,
        };
        let object = ObjectId::schema(&self.id, type_name, version);
        let operation = match self.store.object(&object)? {
            None => create(object, type_name, version, text),
            Some(row) => match Registered::read(&self.id, &row) {
                Some(found) if same(&found.text, text) && row.deleted => {
                    Operation::Restore { object }
                }
                Some(found) if same(&found.text, text) => {
                    return Ok((version, Outcome::default()));
                }
                _ => return Err(taken(type_name, version)),
            },
        };
        if self.schemas.all().count() >= limits::SCHEMAS {
            return Err(Error::limit(format!(
                "a space may have {} schemas, all versions counted",
                limits::SCHEMAS
            )));
        }
        let outcome = self.transact_any(&[operation], None, None, now_ms)?;
        Ok((version, outcome))
    }

    /// The version that a schema is registered as when none is named: the newest in force if that
    /// says the same, or the first free one above all.
    fn next_version(&mut self, type_name: &str, text: &str) -> Result<u32> {
        if let Some(newest) = self.newest_schema(type_name)?
            && same(&newest.text, text)
        {
            return Ok(newest.version);
        }
        let last = self
            .schemas
            .versions(type_name)
            .last()
            .copied()
            .unwrap_or(0);
        for version in (1..=TRIES).filter_map(|step| last.checked_add(step)) {
            let object = ObjectId::schema(&self.id, type_name, version);
            if self.store.object(&object)?.is_none() {
                return Ok(version);
            }
        }
        Err(Error::limit(format!(
            "no version above {last} is free for the schema of {type_name:?}: name a version, or \
             withdraw the newest ones by deleting their objects"
        )))
    }

    /// The schema that new objects of a type are written for.
    pub fn newest_schema(&mut self, type_name: &str) -> Result<Option<SchemaRecord>> {
        match self.schemas.newest(&*self.store, type_name)? {
            Some(version) => self.schema_record(type_name, version),
            None => Ok(None),
        }
    }

    /// Every registered schema, by type and version.
    pub fn schema_records(&mut self) -> Result<Vec<SchemaRecord>> {
        let all: Vec<(String, u32)> = self
            .schemas
            .all()
            .map(|(name, version, _)| (name.clone(), version))
            .collect();
        let mut records = Vec::with_capacity(all.len());
        for (name, version) in all {
            records.extend(self.schema_record(&name, version)?);
        }
        Ok(records)
    }

    fn schema_record(&mut self, type_name: &str, version: u32) -> Result<Option<SchemaRecord>> {
        let id = ObjectId::schema(&self.id, type_name, version);
        let Some(row) = self.store.object(&id)? else {
            return Ok(None);
        };
        let Some(found) = Registered::read(&self.id, &row) else {
            return Ok(None);
        };
        let problem = CompiledSchema::compile(&found.text).err();
        Ok(Some(SchemaRecord {
            id,
            type_name: found.type_name,
            version,
            text: found.text,
            withdrawn: row.deleted,
            problem: problem.map(|e| e.detail().to_owned()),
            conflict: self.has_rivals(id)?,
        }))
    }

    /// Whether concurrent writes left different schemas in one object.
    fn has_rivals(&mut self, id: ObjectId) -> Result<bool> {
        let path = Path(vec![Segment::Key("schema".into())]);
        let values = self.read_document(id, |document| document.conflicts(&path))?;
        Ok(values.windows(2).any(|pair| match pair {
            [Value::String(a), Value::String(b)] => !same(a, b),
            [a, b] => a != b,
            _ => false,
        }))
    }
}

fn create(object: ObjectId, type_name: &str, version: u32, text: &str) -> Operation {
    let fields = BTreeMap::from([
        ("type".to_owned(), Value::String(type_name.to_owned())),
        ("version".to_owned(), Value::Int(i64::from(version))),
        ("schema".to_owned(), Value::String(text.to_owned())),
    ]);
    Operation::Create {
        object,
        type_name: Some(system::SCHEMA.to_owned()),
        fields,
    }
}

/// Whether two texts are one schema: as JSON, however they are laid out.
fn same(a: &str, b: &str) -> bool {
    a == b || matches!((json::parse(a), json::parse(b)), (Ok(a), Ok(b)) if a == b)
}

fn taken(type_name: &str, version: u32) -> Error {
    Error::new(
        ErrorKind::AlreadyExists,
        format!(
            "version {version} of the schema of {type_name:?} is another one, and a version never \
             changes: register it as the next version"
        ),
    )
}
