//! The value at a path of an object's plain JSON.

use super::filter::Scalar;
use super::number::Number;
use crate::model::{Path, Segment};
use serde_json::Value as Json;

/// The value at `path`. A numeric step is an index in a list and a key in a map.
pub(super) fn at<'a>(plain: &'a Json, path: &Path) -> Option<&'a Json> {
    path.0
        .iter()
        .try_fold(plain, |json, segment| match (json, segment) {
            (Json::Object(map), Segment::Key(key)) => map.get(key),
            (Json::Object(map), Segment::Index(i)) => map.get(&i.to_string()),
            (Json::Array(items), Segment::Index(i)) => items.get(*i),
            _ => None,
        })
}

/// Whether a value equals a scalar: same kind, same value.
pub(super) fn equal(json: &Json, scalar: &Scalar) -> bool {
    match (json, scalar) {
        (Json::Null, Scalar::Null) => true,
        (Json::Bool(a), Scalar::Bool(b)) => a == b,
        (Json::String(a), Scalar::String(b)) => a == b,
        (Json::Number(a), Scalar::Number(b)) => {
            Number::from_json(a).is_some_and(|a| a.order(*b).is_eq())
        }
        _ => false,
    }
}
