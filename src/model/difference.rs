//! The steps from one set of fields to another, as few and as small as maps allow: what is the same
//! is not written again, so that it goes on to merge with what others write.

use super::{ObjectId, Operation, Path, Segment, Value};
use std::collections::BTreeMap;

/// The steps that turn `old` fields of an object into `new` ones.
pub fn between(
    object: ObjectId,
    old: &BTreeMap<String, Value>,
    new: &BTreeMap<String, Value>,
) -> Vec<Operation> {
    let mut operations = Vec::new();
    maps(object, &mut Vec::new(), old, new, &mut operations);
    operations
}

fn maps(
    object: ObjectId,
    at: &mut Vec<Segment>,
    old: &BTreeMap<String, Value>,
    new: &BTreeMap<String, Value>,
    operations: &mut Vec<Operation>,
) {
    for key in old.keys().filter(|key| !new.contains_key(*key)) {
        let path = below(at, key);
        operations.push(Operation::Remove { object, path });
    }
    for (key, value) in new {
        match (old.get(key), value) {
            (Some(before), value) if before == value => {}
            (Some(Value::Map(before)), Value::Map(after)) => {
                at.push(Segment::Key(key.clone()));
                maps(object, at, before, after, operations);
                at.pop();
            }
            _ => operations.push(Operation::Set {
                object,
                path: below(at, key),
                value: value.clone(),
            }),
        }
    }
}

fn below(at: &[Segment], key: &str) -> Path {
    let mut steps = at.to_vec();
    steps.push(Segment::Key(key.to_owned()));
    Path(steps)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::json::parse_fields;

    #[test]
    fn only_what_differs_is_written() {
        let fields = |text| parse_fields(text).unwrap();
        let old = fields(r#"{"a": 1, "b": {"c": 1, "d": [1]}, "e": null, "f": "x"}"#);
        let new = fields(r#"{"a": 1, "b": {"c": 2, "d": [1]}, "f": {"g": 1}, "h": 0}"#);
        let places: Vec<String> = between(ObjectId::ZERO, &old, &new)
            .iter()
            .map(|operation| match operation {
                Operation::Remove { path, .. } => format!("-{path}"),
                Operation::Set { path, .. } => path.to_string(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(places, ["-/e", "/b/c", "/f", "/h"]);
        assert_eq!(between(ObjectId::ZERO, &old, &old), []);
    }
}
