//! What an object carries apart from its history: what exports write and imports bring back.

use super::marks::TextMark;
use super::{Document, Projection};
use crate::model::{
    Expand, ObjectId, Operation, Path, Result, Segment, SpaceId, SystemFields, TextUnit, Value,
    system,
};
use std::collections::BTreeMap;

/// An object's present state, marks of its texts included. Positions count Unicode code points.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Carried {
    /// The type name.
    pub type_name: Option<String>,
    /// The parent.
    pub parent: Option<ObjectId>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// The rest of its system part.
    pub system: SystemFields,
    /// The fields.
    pub fields: BTreeMap<String, Value>,
    /// The marks of its texts, each with the text's path.
    pub marks: Vec<(Path, TextMark)>,
}

impl From<Projection> for Carried {
    fn from(seen: Projection) -> Carried {
        Carried {
            type_name: seen.type_name,
            parent: seen.parent,
            deleted: seen.deleted,
            system: seen.system,
            fields: seen.fields,
            marks: Vec::new(),
        }
    }
}

impl Carried {
    /// The natural key that gives the object this id in this space, if it has one that does.
    fn natural_key(&self, space: &SpaceId, object: &ObjectId) -> Option<(String, String)> {
        let type_name = self.type_name.clone()?;
        let key = self.system.keys.get(system::NATURAL)?.clone();
        let named = ObjectId::natural(space, &type_name, &key);
        (named == *object).then_some((type_name, key))
    }

    /// The steps that make the object.
    pub fn create(&self, space: &SpaceId, object: ObjectId) -> Vec<Operation> {
        let fields = self.fields.clone();
        let first = match self.natural_key(space, &object) {
            Some((type_name, key)) => Operation::Upsert {
                object,
                type_name,
                key,
                fields,
            },
            None => Operation::Create {
                object,
                type_name: self.type_name.clone(),
                fields,
            },
        };
        let mut steps = vec![first];
        self.add_system(object, &mut steps);
        for (path, mark) in &self.marks {
            steps.push(set_mark(object, path, mark, mark.value.clone()));
        }
        if self.deleted {
            steps.push(Operation::Delete { object });
        }
        steps
    }

    /// This state over another: what it does not name of fields, tags and foreign keys is as there.
    pub fn over(&self, old: &Carried) -> Carried {
        let mut new = self.clone();
        for (name, value) in &old.fields {
            let field = new.fields.entry(name.clone());
            field.or_insert_with(|| value.clone());
        }
        let kept = |path: &Path| {
            path.field()
                .is_none_or(|name| !self.fields.contains_key(name))
        };
        let marks = old.marks.iter().filter(|(path, _)| kept(path));
        new.marks.extend(marks.cloned());
        new.system.tags.extend(old.system.tags.iter().cloned());
        for (source, key) in &old.system.keys {
            let named = new.system.keys.entry(source.clone());
            named.or_insert_with(|| key.clone());
        }
        let version = new.system.schema_version.or(old.system.schema_version);
        new.system.schema_version = version;
        new
    }

    fn add_system(&self, object: ObjectId, steps: &mut Vec<Operation>) {
        let system = &self.system;
        if self.parent.is_some() {
            let parent = self.parent;
            steps.push(Operation::SetParent { object, parent });
        }
        if system.source.is_some() || system.target.is_some() {
            steps.push(Operation::Relate {
                object,
                source: system.source,
                target: system.target,
            });
        }
        steps.extend(
            system
                .schema_version
                .map(|version| Operation::SetSchemaVersion { object, version }),
        );
        steps.extend(system.tags.iter().map(|tag| Operation::Tag {
            object,
            tag: tag.clone(),
            on: true,
        }));
        for (source, key) in foreign_keys(system) {
            steps.push(Operation::SetKey {
                object,
                source: source.clone(),
                key: Some(key.clone()),
            });
        }
        steps.extend(system.branch.iter().map(|branch| Operation::SetBranch {
            object,
            branch: branch.clone(),
        }));
    }
}

/// The foreign keys; the natural key is none that can be set.
pub(super) fn foreign_keys(system: &SystemFields) -> impl Iterator<Item = (&String, &String)> {
    let keys = system.keys.iter();
    keys.filter(|(source, _)| source.as_str() != system::NATURAL)
}

/// Sets a mark, or clears one with a value of null.
pub(super) fn set_mark(object: ObjectId, path: &Path, mark: &TextMark, value: Value) -> Operation {
    Operation::Mark {
        object,
        path: path.clone(),
        start: mark.start,
        end: mark.end,
        unit: TextUnit::CodePoint,
        name: mark.name.clone(),
        value,
        // What a mark does at its ends is not among what Automerge tells.
        expand: Expand::default(),
    }
}

/// The paths of all texts in these fields.
pub fn text_paths(fields: &BTreeMap<String, Value>) -> Vec<Path> {
    let mut found = Vec::new();
    for (name, value) in fields {
        walk(value, &mut vec![Segment::Key(name.clone())], &mut found);
    }
    found
}

// No deeper than values are, which is bounded.
fn walk(value: &Value, path: &mut Vec<Segment>, found: &mut Vec<Path>) {
    match value {
        Value::Text(_) => found.push(Path(path.clone())),
        Value::List(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Segment::Index(index));
                walk(item, path, found);
                path.pop();
            }
        }
        Value::Map(entries) => {
            for (name, entry) in entries {
                path.push(Segment::Key(name.clone()));
                walk(entry, path, found);
                path.pop();
            }
        }
        _ => {}
    }
}

impl Document {
    /// The marks of the texts at these paths, in code points.
    pub fn marks_of(&mut self, paths: &[Path]) -> Result<Vec<(Path, TextMark)>> {
        let mut all = Vec::new();
        for path in paths {
            let marks = match self.marks(path, TextUnit::CodePoint) {
                // The text was replaced meanwhile: then its marks are gone.
                Err(e) if e.kind() == crate::model::ErrorKind::NotFound => continue,
                marks => marks?,
            };
            all.extend(marks.into_iter().map(|mark| (path.clone(), mark)));
        }
        Ok(all)
    }
}
