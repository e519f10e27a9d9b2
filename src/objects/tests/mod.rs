//! Tests of the module as a whole.

mod blobs;
mod growth;
pub(crate) mod hostile;
mod hostile_file;
mod large;
mod merging;
mod operations;
mod system;
mod texts;
mod undoing;
mod versions;

use super::{Document, Projection};
use crate::model::{ObjectId, Operation, Path, TextUnit, Value, json};
use std::collections::BTreeMap;

pub(super) const OBJECT: ObjectId = ObjectId([1; 16]);

pub(super) fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

pub(super) fn fields(text: &str) -> BTreeMap<String, Value> {
    json::parse_fields(text).unwrap()
}

pub(super) fn create(text: &str) -> Operation {
    Operation::Create {
        object: OBJECT,
        type_name: Some("Task".into()),
        fields: fields(text),
    }
}

pub(super) fn update(text: &str) -> Operation {
    Operation::Update {
        object: OBJECT,
        fields: fields(text),
    }
}

pub(super) fn set(at: &str, value: &str) -> Operation {
    Operation::Set {
        object: OBJECT,
        path: path(at),
        value: json::from_json(json::parse(value).unwrap()).unwrap(),
    }
}

pub(super) fn insert(at: &str, value: &str) -> Operation {
    Operation::Insert {
        object: OBJECT,
        path: path(at),
        value: json::from_json(json::parse(value).unwrap()).unwrap(),
    }
}

pub(super) fn remove(at: &str) -> Operation {
    Operation::Remove {
        object: OBJECT,
        path: path(at),
    }
}

pub(super) fn increment(at: &str, by: i64) -> Operation {
    Operation::Increment {
        object: OBJECT,
        path: path(at),
        by,
    }
}

pub(super) fn splice(at: &str, position: usize, delete: usize, text: &str) -> Operation {
    splice_in(TextUnit::CodePoint, at, position, delete, text)
}

pub(super) fn splice_in(
    unit: TextUnit,
    at: &str,
    position: usize,
    delete: usize,
    text: &str,
) -> Operation {
    Operation::Splice {
        object: OBJECT,
        path: path(at),
        position,
        delete,
        insert: text.into(),
        unit,
    }
}

/// A document by the actor `[n; 16]` with one committed change.
pub(super) fn document(n: u8, text: &str) -> (Document, Vec<Vec<u8>>) {
    let mut document = Document::new([n; 16]);
    document.apply(&create(text)).unwrap();
    let changes = document.commit(1000, None).unwrap();
    (document, changes)
}

/// Another writer's copy.
pub(super) fn copy(n: u8, changes: &[Vec<u8>]) -> Document {
    let mut document = Document::new([n; 16]);
    document.apply_remote(changes).unwrap();
    document
}

/// Applies and commits.
pub(super) fn change(document: &mut Document, ops: &[Operation]) -> Vec<Vec<u8>> {
    for op in ops {
        document.apply(op).unwrap();
    }
    document.commit(2000, None).unwrap()
}

/// The fields as tagged JSON.
pub(super) fn shown(document: &mut Document) -> String {
    json::fields_to_json(&document.project().fields).to_string()
}

pub(super) fn same(a: &mut Document, b: &mut Document) -> Projection {
    let (a, b) = (a.project(), b.project());
    assert_eq!(a, b);
    a
}
