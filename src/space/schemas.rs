//! The schemas of a space: which there are, and which objects have yet to be checked against them.
//!
//! A version of a type's schema is an object with a well-known id ([`ObjectId::schema`]), so that
//! it is replicated, merged and kept like any other, and registered twice it is one. An object of
//! the reserved type that has another id than its fields say is not a schema.

use super::store::{ObjectRow, Store};
use super::write::RowChange;
use crate::feed::sha256;
use crate::model::{Error, ObjectId, Result, SpaceId, Value, json, limits, system};
use crate::schema::CompiledSchema;
use data_encoding::HEXLOWER;
use lru::LruCache;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::num::NonZeroUsize;
use std::ops::Bound;
use std::sync::Arc;

/// Rows read at once when a space is opened.
const READ_AT_ONCE: usize = 64;

/// A schema's object, read.
pub(super) struct Registered {
    pub type_name: String,
    pub version: u32,
    pub text: String,
}

impl Registered {
    /// What an object's row says of a schema; `None` if it is none.
    pub fn read(space: &SpaceId, row: &ObjectRow) -> Option<Registered> {
        if !row.is_schema() {
            return None;
        }
        let mut fields = json::parse_fields(&row.data).ok()?;
        let (Some(Value::String(type_name)), Some(Value::Int(version)), Some(Value::String(text))) = (
            fields.remove("type"),
            fields.remove("version"),
            fields.remove("schema"),
        ) else {
            return None;
        };
        let version = u32::try_from(version).ok().filter(|v| *v > 0)?;
        (row.id == ObjectId::schema(space, &type_name, version)).then_some(Registered {
            type_name,
            version,
            text,
        })
    }
}

/// A version of a schema.
pub(super) struct Held {
    hash: [u8; 32],
    /// Whether its object is deleted: then it is as if it were not there.
    pub withdrawn: bool,
    /// Whether it can be used, once that was asked.
    usable: Option<bool>,
}

/// How far the objects of a type are checked.
#[derive(Clone)]
struct Check {
    /// The type's schemas, as a hash.
    schemas: [u8; 32],
    /// The number of the last object that was checked against them; `None` when all are.
    after: Option<i64>,
}

/// The schemas.
pub struct Schemas {
    space: SpaceId,
    types: BTreeMap<String, BTreeMap<u32, Held>>,
    places: HashMap<ObjectId, (String, u32)>,
    compiled: LruCache<(String, u32), Arc<CompiledSchema>>,
    /// Patterns in those.
    patterns: usize,
    /// How many schemas were read.
    readings: u64,
    /// The steps that checks took.
    #[cfg(test)]
    pub(super) steps: u64,
    checks: BTreeMap<String, Check>,
    /// Objects whose check was put off; some of them may have been checked since.
    put_off: BTreeSet<ObjectId>,
    /// Whether it is the turn of a type that is checked, not of what was put off.
    turn: bool,
}

impl Schemas {
    /// None.
    pub fn new(space: SpaceId) -> Schemas {
        let room = NonZeroUsize::new(limits::COMPILED_SCHEMAS).unwrap_or(NonZeroUsize::MIN);
        Schemas {
            space,
            types: BTreeMap::new(),
            places: HashMap::new(),
            compiled: LruCache::new(room),
            patterns: 0,
            readings: 0,
            #[cfg(test)]
            steps: 0,
            checks: BTreeMap::new(),
            put_off: BTreeSet::new(),
            turn: true,
        }
    }

    /// Those of a stored space. Types whose schemas are not the ones that were checked last, because
    /// the process ended before that was done, are checked again.
    pub fn load(space: SpaceId, store: &dyn Store, checks: Option<Vec<u8>>) -> Result<Schemas> {
        let mut schemas = Schemas::new(space);
        schemas.checks = checks.map(|bytes| decode(&bytes)).unwrap_or_default();
        schemas.put_off = store.unchecked()?.into_iter().collect();
        let mut after = 0;
        loop {
            let rows = store.objects_of_type(system::SCHEMA, after, READ_AT_ONCE)?;
            let Some((last, _)) = rows.last() else { break };
            after = *last;
            for (_, row) in &rows {
                schemas.hold(row);
            }
            if schemas.places.len() >= limits::SCHEMAS {
                break;
            }
        }
        let types: BTreeSet<String> = schemas.types.keys().cloned().collect();
        let checked: BTreeSet<String> = schemas.checks.keys().cloned().collect();
        for type_name in types.union(&checked) {
            schemas.compare(type_name);
        }
        Ok(schemas)
    }

    /// Whether there is nothing to check anywhere: the case that must cost nothing.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty() && self.checks.is_empty()
    }

    /// Whether what objects of the type break is recorded, or was until a moment ago.
    pub fn govern(&self, type_name: Option<&str>) -> bool {
        type_name.is_some_and(|name| {
            self.types.contains_key(name)
                || self
                    .checks
                    .get(name)
                    .is_some_and(|check| check.after.is_some())
        })
    }

    /// The type and version whose schema an object is.
    pub(super) fn place(&self, id: &ObjectId) -> Option<&(String, u32)> {
        self.places.get(id)
    }

    /// All versions of all types.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, u32, &Held)> {
        self.types
            .iter()
            .flat_map(|(name, versions)| versions.iter().map(move |(v, held)| (name, *v, held)))
    }

    /// The versions of a type's schema, rising.
    pub(super) fn versions(&self, type_name: &str) -> Vec<u32> {
        let versions = self.types.get(type_name);
        versions.map_or_else(Vec::new, |versions| versions.keys().copied().collect())
    }

    /// Takes note of committed rows: schemas that came, changed or were withdrawn.
    pub(super) fn note(&mut self, rows: &[RowChange]) {
        let mut touched = BTreeSet::new();
        for row in rows.iter().map(|row| &row.new) {
            if !row.is_schema() && !self.places.contains_key(&row.id) {
                continue;
            }
            touched.extend(self.forget(&row.id));
            touched.extend(self.hold(row));
        }
        for type_name in touched {
            self.compare(&type_name);
        }
    }

    fn hold(&mut self, row: &ObjectRow) -> Option<String> {
        let found = Registered::read(&self.space, row)?;
        if self.places.len() >= limits::SCHEMAS {
            return None;
        }
        let held = Held {
            hash: sha256(&[b"echodb/schema-text/v1", found.text.as_bytes()]),
            withdrawn: row.deleted,
            usable: None,
        };
        let name = found.type_name;
        self.places.insert(row.id, (name.clone(), found.version));
        let versions = self.types.entry(name.clone()).or_default();
        versions.insert(found.version, held);
        Some(name)
    }

    fn forget(&mut self, id: &ObjectId) -> Option<String> {
        let key = self.places.remove(id)?;
        if let Some(compiled) = self.compiled.pop(&key) {
            self.patterns -= compiled.patterns();
        }
        let (name, version) = key;
        if let Some(versions) = self.types.get_mut(&name) {
            versions.remove(&version);
            if versions.is_empty() {
                self.types.remove(&name);
            }
        }
        Some(name)
    }

    /// Has a type's objects checked again if its schemas are not those of the last check.
    fn compare(&mut self, type_name: &str) {
        let now = self.hash(type_name);
        let known = self.checks.get(type_name);
        let before = known.map_or_else(|| self.hash_of_none(), |check| check.schemas);
        if before != now {
            let check = Check {
                schemas: now,
                after: Some(0),
            };
            self.checks.insert(type_name.to_owned(), check);
        }
    }

    fn hash(&self, type_name: &str) -> [u8; 32] {
        let mut flat = Vec::new();
        for (version, held) in self.types.get(type_name).into_iter().flatten() {
            flat.extend_from_slice(&version.to_be_bytes());
            flat.push(u8::from(held.withdrawn));
            flat.extend_from_slice(&held.hash);
        }
        // The number changes with what a schema means to this library.
        sha256(&[b"echodb/schema-checks/v2", &flat])
    }

    fn hash_of_none(&self) -> [u8; 32] {
        sha256(&[b"echodb/schema-checks/v2", &[]])
    }

    /// A version of a type's schema, ready; `None` if there is none that can be used.
    pub(super) fn compiled(
        &mut self,
        store: &dyn Store,
        type_name: &str,
        version: u32,
    ) -> Result<Option<Arc<CompiledSchema>>> {
        let held = self
            .types
            .get_mut(type_name)
            .and_then(|v| v.get_mut(&version));
        let Some(held) = held.filter(|held| !held.withdrawn && held.usable != Some(false)) else {
            return Ok(None);
        };
        let key = (type_name.to_owned(), version);
        if let Some(compiled) = self.compiled.get(&key) {
            return Ok(Some(Arc::clone(compiled)));
        }
        let row = store.object(&ObjectId::schema(&self.space, type_name, version))?;
        let text = row
            .and_then(|row| Registered::read(&self.space, &row))
            .map(|r| r.text);
        let compiled = text.and_then(|text| CompiledSchema::compile(&text).ok());
        held.usable = Some(compiled.is_some());
        self.readings += 1;
        let compiled = compiled.map(Arc::new);
        if let Some(compiled) = &compiled {
            self.keep(key, Arc::clone(compiled));
        }
        Ok(compiled)
    }

    /// Keeps a compiled schema in memory, in place of those that were used longest ago.
    fn keep(&mut self, key: (String, u32), compiled: Arc<CompiledSchema>) {
        let patterns = compiled.patterns();
        while self.patterns + patterns > limits::COMPILED_PATTERNS
            && let Some((_, old)) = self.compiled.pop_lru()
        {
            self.patterns -= old.patterns();
        }
        self.patterns += patterns;
        if let Some((_, old)) = self.compiled.push(key, compiled) {
            self.patterns -= old.patterns();
        }
    }

    /// How many schemas were read so far: each costs more than many checks.
    pub(super) fn readings(&self) -> u64 {
        self.readings
    }

    /// The newest version of a type's schema that can be used: what new objects are written for.
    /// Fails with `InvalidState` if that is not known yet because too many were registered that
    /// cannot: each call finds out about some more.
    pub(super) fn newest(&mut self, store: &dyn Store, type_name: &str) -> Result<Option<u32>> {
        let most = self.readings + limits::SCHEMAS_READ_AT_ONCE as u64;
        for version in self.versions(type_name).into_iter().rev() {
            if self.compiled(store, type_name, version)?.is_some() {
                return Ok(Some(version));
            }
            if self.readings >= most {
                return Err(Error::state(format!(
                    "the schemas of {type_name:?} are still being read: try again"
                )));
            }
        }
        Ok(None)
    }

    /// A type of which objects are yet to be checked, and the number of the last that was.
    pub(super) fn pending(&self) -> Option<(String, i64)> {
        let mut checks = self.checks.iter();
        checks.find_map(|(name, check)| Some((name.clone(), check.after?)))
    }

    /// Has an object checked later; that it is, is recorded with the commit at hand.
    pub(super) fn put_off(&mut self, object: ObjectId) {
        self.put_off.insert(object);
    }

    /// An object whose check was put off.
    pub(super) fn next_put_off(&self) -> Option<ObjectId> {
        self.put_off.first().copied()
    }

    /// The next one.
    pub(super) fn put_off_after(&self, last: Option<&ObjectId>) -> Option<ObjectId> {
        let from = last.map_or(Bound::Unbounded, Bound::Excluded);
        self.put_off.range((from, Bound::Unbounded)).next().copied()
    }

    /// Takes note that its check is made and recorded.
    pub(super) fn made_good(&mut self, object: &ObjectId) {
        self.put_off.remove(object);
    }

    /// Whether it is the turn of a type; the next time it is not.
    pub(super) fn take_turn(&mut self) -> bool {
        self.turn = !self.turn;
        !self.turn
    }

    /// What is recorded of how far types are checked.
    pub(super) fn how_far(&self) -> Vec<u8> {
        encode(&self.checks)
    }

    /// What is recorded once the objects of a type are checked up to a number, or all of them.
    pub(super) fn checked(&self, type_name: &str, after: Option<i64>) -> Vec<u8> {
        let mut checks = self.checks.clone();
        advance(
            &mut checks,
            type_name,
            after,
            !self.types.contains_key(type_name),
        );
        encode(&checks)
    }

    /// Takes note that this is recorded.
    pub(super) fn advance(&mut self, type_name: &str, after: Option<i64>) {
        let gone = !self.types.contains_key(type_name);
        advance(&mut self.checks, type_name, after, gone);
    }
}

fn advance(checks: &mut BTreeMap<String, Check>, type_name: &str, after: Option<i64>, gone: bool) {
    if gone && after.is_none() {
        checks.remove(type_name);
    } else if let Some(check) = checks.get_mut(type_name) {
        check.after = after;
    }
}

fn encode(checks: &BTreeMap<String, Check>) -> Vec<u8> {
    let all: Json = checks
        .iter()
        .map(|(name, check)| {
            json!({"type": name, "schemas": HEXLOWER.encode(&check.schemas), "after": check.after})
        })
        .collect();
    all.to_string().into_bytes()
}

/// What cannot be read is left out: then the objects are checked once more.
fn decode(bytes: &[u8]) -> BTreeMap<String, Check> {
    let all: Json = serde_json::from_slice(bytes).unwrap_or(Json::Null);
    let checks = all.as_array().map(Vec::as_slice).unwrap_or_default();
    let read = |check: &Json| {
        let name = check.get("type")?.as_str()?.to_owned();
        let hash = check.get("schemas")?.as_str()?;
        let schemas = HEXLOWER.decode(hash.as_bytes()).ok()?.try_into().ok()?;
        let after = check.get("after").and_then(Json::as_i64);
        Some((name, Check { schemas, after }))
    };
    checks.iter().filter_map(read).collect()
}
