//! The order of results, in memory: where a live query puts an object that changed.

use super::fields;
use super::filter::{OrderBy, OrderKey};
use super::matching::RowView;
use super::number::Number;
use serde_json::Value as Json;
use std::cmp::Ordering;

/// The order of two objects in a query's results. Agrees with [`super::compile()`].
pub fn compare(order: &[OrderBy], a: &RowView<'_>, b: &RowView<'_>) -> Ordering {
    order
        .iter()
        .map(|by| {
            let found = compare_key(&by.key, a, b);
            if by.descending {
                found.reverse()
            } else {
                found
            }
        })
        .find(|found| found.is_ne())
        .unwrap_or_else(|| a.id.cmp(&b.id))
}

fn compare_key(key: &OrderKey, a: &RowView<'_>, b: &RowView<'_>) -> Ordering {
    match key {
        OrderKey::Clock(clock) => a.clock(*clock).cmp(&b.clock(*clock)),
        // It depends on all other objects, so that one or two do not tell it.
        OrderKey::Rank => Ordering::Equal,
        OrderKey::Id => a.id.cmp(&b.id),
        OrderKey::Parent => a.parent.cmp(&b.parent),
        OrderKey::Type => a.type_name.cmp(&b.type_name),
        OrderKey::Field(path) => {
            compare_values(fields::at(a.plain, path), fields::at(b.plain, path))
        }
    }
}

fn compare_values(a: Option<&Json>, b: Option<&Json>) -> Ordering {
    rank(a).cmp(&rank(b)).then_with(|| match (a, b) {
        (Some(Json::Bool(a)), Some(Json::Bool(b))) => a.cmp(b),
        (Some(Json::String(a)), Some(Json::String(b))) => a.cmp(b),
        (Some(Json::Number(a)), Some(Json::Number(b))) => {
            match (Number::from_json(a), Number::from_json(b)) {
                (Some(a), Some(b)) => a.order(b),
                _ => Ordering::Equal,
            }
        }
        _ => Ordering::Equal,
    })
}

/// The order of the kinds.
fn rank(json: Option<&Json>) -> u8 {
    match json {
        None | Some(Json::Null) => 0,
        Some(Json::Bool(_)) => 1,
        Some(Json::Number(_)) => 2,
        Some(Json::String(_)) => 3,
        Some(Json::Array(_)) => 4,
        Some(Json::Object(_)) => 5,
    }
}
