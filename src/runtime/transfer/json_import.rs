//! Reading what the export of JSON lines wrote, of any version.

use super::batches::{self, Batch};
use super::files::{self, Source};
use super::json_export::{FORMAT, TEXT, VERSION};
use super::rows::Lines;
use crate::model::{
    Branch, Error, ErrorKind, ObjectId, Operation, Path, Result, SpaceId, Value, json, limits,
    system,
};
use crate::objects::{Carried, TextMark, difference, text_paths};
use crate::runtime::clock;
use crate::runtime::space_handle::SpaceHandle;
use crate::space::SpaceCore;
use serde_json::{Map, Value as Json};
use std::collections::HashMap;
use std::io::Cursor;

impl SpaceHandle {
    /// Reads an export. It is checked as a whole first, then written in transactions of up to a
    /// thousand objects.
    pub fn import_json(&self, data: Vec<u8>) -> Result<u64> {
        self.import_export(&mut Cursor::new(data))
    }

    /// The same from a file.
    pub fn import_json_file(&self, path: &str) -> Result<u64> {
        self.import_export(&mut files::open(path)?)
    }

    fn import_export(&self, source: &mut dyn Source) -> Result<u64> {
        self.check_open()?;
        let mut ids = Ids::default();
        let mut lines = Exported::begin(source)?;
        while let Some(object) = lines.next()? {
            ids.learn(lines.space.as_ref(), &self.id(), &object);
        }
        let mut count = 0;
        let mut batch: Batch<Object> = Batch::new();
        let mut lines = Exported::begin(source)?;
        while let Some(mut object) = lines.next()? {
            ids.translate(&mut object);
            if batch.is_full(object.size) {
                count += self.write_objects(&batch.take(), count)?;
            }
            let size = object.size;
            batch.push(object, size);
        }
        count += self.write_objects(&batch.take(), count)?;
        Ok(count)
    }

    fn write_objects(&self, objects: &[Object], before: u64) -> Result<u64> {
        let mut done = before;
        let written = batches::write(
            objects,
            &mut |part| {
                self.host().write(|core| {
                    let mut operations = Vec::with_capacity(part.len());
                    for object in part {
                        operations.extend(object.operations(core)?);
                    }
                    core.transact(&operations, None, None, clock::now_ms())
                })?;
                done += part.len() as u64;
                Ok(())
            },
            &mut |object, error| Err(error.context(format!("line {}", object.line))),
        );
        match written {
            Ok(()) => Ok(done - before),
            Err(e) => Err(Error::new(
                e.kind(),
                format!("{}; the {done} objects before it are imported", e.detail()),
            )),
        }
    }
}

/// The lines of an export.
struct Exported<'a> {
    lines: Lines<'a>,
    version: u64,
    space: Option<SpaceId>,
}

impl<'a> Exported<'a> {
    fn begin(source: &'a mut dyn Source) -> Result<Exported<'a>> {
        let mut lines = Lines::of_export(source)?;
        let head = lines.next_line()?.and_then(|(_, bytes)| bytes);
        let (version, space) = check_header(&head.unwrap_or_default())?;
        Ok(Exported {
            lines,
            version,
            space,
        })
    }

    fn next(&mut self) -> Result<Option<Object>> {
        while let Some((line, bytes)) = self.lines.next_line()? {
            let bytes = bytes.ok_or_else(|| {
                Error::limit(format!(
                    "line {line}: it is larger than {} bytes",
                    limits::JSON_BYTES
                ))
            })?;
            let text = std::str::from_utf8(&bytes)
                .map_err(|_| Error::invalid(format!("line {line}: an export is UTF-8 text")))?;
            if !text.trim().is_empty() {
                let object = Object::parse(line, text, self.version > 1);
                return object
                    .map(Some)
                    .map_err(|e| e.context(format!("line {line}")));
            }
        }
        Ok(None)
    }
}

/// Each object of an export, for the fuzzers.
#[cfg(any(test, fuzzing))]
pub(super) fn each(source: &mut dyn Source, see: &mut dyn FnMut(ObjectId, &Carried)) -> Result<()> {
    let mut ids = Ids::default();
    let mut lines = Exported::begin(source)?;
    while let Some(mut object) = lines.next()? {
        ids.learn(lines.space.as_ref(), &SpaceId([7; 32]), &object);
        ids.translate(&mut object);
        see(object.id, &object.carried);
    }
    Ok(())
}

/// Checks the first line; the version, and the space that was exported, if it says which.
fn check_header(line: &[u8]) -> Result<(u64, Option<SpaceId>)> {
    let bad = || Error::invalid("this is not an export: its first line is no header");
    let text = std::str::from_utf8(line).map_err(|_| bad())?;
    let header: Json = json::parse(text).map_err(|_| bad())?;
    if header.get("format").and_then(Json::as_str) != Some(FORMAT) {
        return Err(bad());
    }
    match header.get("version").and_then(Json::as_u64) {
        // Version 1 says nothing of branches and marks.
        Some(version @ 1..=VERSION) => {
            let space = header.get("space").and_then(Json::as_str);
            Ok((version, space.and_then(|space| SpaceId::parse(space).ok())))
        }
        version => Err(Error::new(
            ErrorKind::UnsupportedVersion,
            format!("this export has version {version:?}; this library reads up to {VERSION}"),
        )),
    }
}

/// One object of an export.
struct Object {
    line: u64,
    size: usize,
    id: ObjectId,
    carried: Carried,
    /// Whether the export says which marks there are.
    knows_marks: bool,
}

impl Object {
    fn parse(line: u64, text: &str, knows_marks: bool) -> Result<Object> {
        let Json::Object(mut map) = json::parse(text)? else {
            return Err(Error::invalid("an exported object is a JSON object"));
        };
        let id = match map.get("id") {
            Some(Json::String(id)) => ObjectId::parse(id)?,
            _ => return Err(Error::invalid("an exported object has an id")),
        };
        let fields = match map.remove("fields") {
            Some(Json::Object(fields)) => json::fields_from_json(fields)?,
            _ => return Err(Error::invalid("an exported object has fields")),
        };
        let mut carried = Carried {
            type_name: map.get("type").and_then(Json::as_str).map(str::to_owned),
            parent: object_id(&map, "parent")?,
            deleted: map.get("deleted").and_then(Json::as_bool).unwrap_or(false),
            fields,
            ..Carried::default()
        };
        read_system(&map, &mut carried)?;
        read_marks(&map, &mut carried)?;
        Ok(Object {
            line,
            size: text.len(),
            id,
            carried,
            knows_marks,
        })
    }

    fn operations(&self, core: &mut SpaceCore) -> Result<Vec<Operation>> {
        let Some(row) = core.object(&self.id)? else {
            return Ok(self.carried.create(&core.id(), self.id));
        };
        let mut old = Carried {
            type_name: row.type_name,
            parent: row.parent,
            deleted: row.deleted,
            system: row.system,
            fields: json::parse_fields(&row.data)?,
            marks: Vec::new(),
        };
        if self.knows_marks && row.data.contains(TEXT) {
            let paths = text_paths(&old.fields);
            old.marks = core.read_document(self.id, |document| document.marks_of(&paths))?;
        }
        let new = self.carried.over(&old);
        Ok(difference(self.id, &old, &new))
    }
}

fn object_id(map: &Map<String, Json>, name: &str) -> Result<Option<ObjectId>> {
    let text = map.get(name).and_then(Json::as_str);
    text.map(ObjectId::parse).transpose()
}

fn read_system(map: &Map<String, Json>, carried: &mut Carried) -> Result<()> {
    let fields = &mut carried.system;
    fields.source = object_id(map, "source")?;
    fields.target = object_id(map, "target")?;
    if let Some(version) = map.get("schema_version").and_then(Json::as_u64) {
        let version =
            u32::try_from(version).map_err(|_| Error::invalid("a schema version has 32 bits"))?;
        fields.schema_version = Some(version);
    }
    for tag in map
        .get("tags")
        .and_then(Json::as_array)
        .into_iter()
        .flatten()
    {
        let tag = tag
            .as_str()
            .ok_or_else(|| Error::invalid("a tag is a string"))?;
        system::check_tag(tag)?;
        fields.tags.insert(tag.to_owned());
    }
    for (source, key) in map
        .get("keys")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
    {
        let key = key
            .as_str()
            .ok_or_else(|| Error::invalid("a foreign key is a string"))?;
        match source.as_str() {
            system::NATURAL => system::check_natural_key(key)?,
            _ => system::check_key(source, key)?,
        }
        fields.keys.insert(source.clone(), key.to_owned());
    }
    if let Some(branch) = map.get("branch") {
        let branch = Branch::from_json(branch);
        fields.branch = Some(branch.ok_or_else(|| Error::invalid("the branch is malformed"))?);
    }
    Ok(())
}

fn read_marks(map: &Map<String, Json>, carried: &mut Carried) -> Result<()> {
    let bad = || Error::invalid("the marks are malformed");
    for (path, marks) in map
        .get("marks")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
    {
        let path = Path::parse(path)?;
        for mark in marks.as_array().ok_or_else(bad)? {
            let at = |name: &str| {
                let number = mark.get(name).and_then(Json::as_u64);
                number.and_then(|n| usize::try_from(n).ok()).ok_or_else(bad)
            };
            let name = mark.get("name").and_then(Json::as_str).ok_or_else(bad)?;
            let value = mark.get("value").cloned().ok_or_else(bad)?;
            let mark = TextMark {
                start: at("start")?,
                end: at("end")?,
                name: name.to_owned(),
                value: json::from_json(value)?,
            };
            carried.marks.push((path.clone(), mark));
        }
    }
    Ok(())
}

/// Objects with a natural key are called otherwise in another space: their ids, from what they were
/// to what they are here.
#[derive(Default)]
struct Ids(HashMap<ObjectId, ObjectId>);

impl Ids {
    fn learn(&mut self, from: Option<&SpaceId>, to: &SpaceId, object: &Object) {
        let carried = &object.carried;
        if let Some(from) = from.filter(|from| *from != to)
            && let Some(type_name) = &carried.type_name
            && let Some(key) = carried.system.keys.get(system::NATURAL)
            && ObjectId::natural(from, type_name, key) == object.id
        {
            let here = ObjectId::natural(to, type_name, key);
            self.0.insert(object.id, here);
        }
    }

    fn translate(&self, object: &mut Object) {
        if self.0.is_empty() {
            return;
        }
        let carried = &mut object.carried;
        self.one(&mut object.id);
        let ends = [&mut carried.system.source, &mut carried.system.target];
        let ids = ends.into_iter().chain([&mut carried.parent]).flatten();
        let branch = carried.system.branch.iter_mut().map(|b| &mut b.of);
        ids.chain(branch).for_each(|id| self.one(id));
        carried.fields.values_mut().for_each(|v| self.value(v));
    }

    fn one(&self, id: &mut ObjectId) {
        if let Some(here) = self.0.get(id) {
            *id = *here;
        }
    }

    // No deeper than values are, which is bounded.
    fn value(&self, value: &mut Value) {
        match value {
            Value::Reference(reference) if reference.space.is_none() => {
                self.one(&mut reference.object);
            }
            Value::List(items) => items.iter_mut().for_each(|v| self.value(v)),
            Value::Map(entries) => entries.values_mut().for_each(|v| self.value(v)),
            _ => {}
        }
    }
}
