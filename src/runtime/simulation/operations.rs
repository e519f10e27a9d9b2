//! Operations of every kind, drawn at random.

use super::random::Random;
use crate::model::{
    BlobId, BlobRef, Expand, ObjectId, Operation, Path, Reference, SpaceId, TextUnit, Value,
};
use std::collections::BTreeMap;

/// A path that is known to be one.
pub fn path(text: &str) -> Path {
    Path::parse(text).unwrap()
}

/// Makes an object with fields of many kinds.
pub fn create(object: ObjectId, random: &mut Random) -> Operation {
    let fields = [
        ("title", Value::String(word(random))),
        ("body", Value::Text(word(random))),
        ("log", Value::Text(String::new())),
        ("count", Value::Counter(0)),
        (
            "tags",
            Value::List(vec![value(random, 1), value(random, 1)]),
        ),
        (
            "map",
            Value::Map(BTreeMap::from([("a".to_owned(), value(random, 1))])),
        ),
    ];
    Operation::Create {
        object,
        type_name: random.once_in(2).then(|| "Task".to_owned()),
        fields: fields
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value))
            .collect(),
    }
}

/// A few characters of all widths.
pub fn word(random: &mut Random) -> String {
    let letters = ["a", "b", "é", "😀", "中", " ", "\n", "x"];
    (0..random.below(6))
        .map(|_| *random.pick(&letters))
        .collect()
}

fn value(random: &mut Random, depth: usize) -> Value {
    match random.below(if depth > 2 { 10 } else { 12 }) {
        0 => Value::Null,
        1 => Value::Bool(random.once_in(2)),
        2 => Value::Int(random.next() as i64),
        3 => Value::Float(random.below(100) as f64 / 8.0),
        4 => Value::String(word(random)),
        5 => Value::Bytes(word(random).into_bytes()),
        6 => Value::Timestamp(random.below(1 << 40) as i64),
        7 => Value::Counter(random.below(9) as i64),
        8 => Value::Reference(Reference {
            space: random
                .once_in(4)
                .then(|| SpaceId([random.below(3) as u8; 32])),
            object: some_id(random),
        }),
        9 => Value::Blob(BlobRef {
            id: BlobId([random.below(4) as u8; 32]),
            size: 1,
        }),
        10 => Value::List(
            (0..random.below(3))
                .map(|_| value(random, depth + 1))
                .collect(),
        ),
        _ => Value::Map(
            (0..random.below(3))
                .map(|n| (format!("k{n}"), value(random, depth + 1)))
                .collect(),
        ),
    }
}

/// An operation on an object, as often as not one that does not fit it.
pub fn operation(object: ObjectId, random: &mut Random) -> Operation {
    let places = [
        "title", "body", "count", "tags", "/tags/0", "/tags/1", "/map/a", "/map/k0", "extra",
    ];
    match random.below(17) {
        0 => Operation::Update {
            object,
            fields: BTreeMap::from([
                ("title".to_owned(), value(random, 1)),
                ("extra".to_owned(), value(random, 1)),
            ]),
        },
        1 | 2 => Operation::Set {
            object,
            path: path(random.pick::<&str>(&places)),
            value: value(random, 1),
        },
        3 => Operation::Set {
            object,
            path: path("body"),
            value: Value::Text(word(random)),
        },
        4 => Operation::Insert {
            object,
            path: path(random.pick::<&str>(&["/tags/0", "/tags/1", "/tags/2"])),
            value: value(random, 1),
        },
        5 => Operation::Remove {
            object,
            path: path(random.pick::<&str>(&places)),
        },
        6 => Operation::Splice {
            object,
            path: path("body"),
            position: 0,
            delete: 0,
            insert: word(random),
            unit: TextUnit::CodePoint,
        },
        7 => Operation::Increment {
            object,
            path: path("count"),
            by: random.below(20) as i64 - 10,
        },
        8 => Operation::SetParent {
            object,
            parent: random.once_in(2).then(|| some_id(random)),
        },
        9 => Operation::Delete { object },
        10 => Operation::Restore { object },
        11 => Operation::Move {
            object,
            path: path(random.pick::<&str>(&["/tags/0", "/tags/1", "/tags/2"])),
            to: random.below(3),
        },
        12 => mark(object, random),
        _ => of_system(object, random),
    }
}

/// A mark of a stretch of a text, or its end.
fn mark(object: ObjectId, random: &mut Random) -> Operation {
    let start = random.below(3);
    Operation::Mark {
        object,
        path: path("body"),
        start,
        end: start + 1 + random.below(3),
        unit: TextUnit::CodePoint,
        name: (*random.pick(&["bold", "link"])).to_owned(),
        value: match random.below(3) {
            0 => Value::Null,
            1 => Value::Bool(true),
            _ => Value::String(word(random)),
        },
        expand: *random.pick(&[Expand::None, Expand::Before, Expand::After, Expand::Both]),
    }
}

/// An operation on what is not among an object's fields.
fn of_system(object: ObjectId, random: &mut Random) -> Operation {
    match random.below(4) {
        0 => Operation::Tag {
            object,
            tag: (*random.pick(&["red", "green", "blue"])).to_owned(),
            on: random.once_in(2),
        },
        1 => Operation::SetKey {
            object,
            source: (*random.pick(&["mail", "crm"])).to_owned(),
            key: random.once_in(2).then(|| format!("k{}", random.below(3))),
        },
        2 => Operation::Relate {
            object,
            source: random.once_in(2).then(|| some_id(random)),
            target: random.once_in(2).then(|| some_id(random)),
        },
        _ => Operation::SetSchemaVersion {
            object,
            version: random.below(3) as u32 + 1,
        },
    }
}

/// The object of one of few natural keys, made or changed.
pub fn upsert(space: &SpaceId, random: &mut Random) -> Operation {
    let key = format!("key {}", random.below(3));
    Operation::Upsert {
        object: ObjectId::natural(space, "Task", &key),
        type_name: "Task".to_owned(),
        key,
        fields: BTreeMap::from([
            ("title".to_owned(), value(random, 1)),
            ("body".to_owned(), Value::Text(word(random))),
            ("extra".to_owned(), value(random, 1)),
        ]),
    }
}

/// One of few ids, which several peers take.
pub fn some_id(random: &mut Random) -> ObjectId {
    ObjectId([random.below(5) as u8; 16])
}
