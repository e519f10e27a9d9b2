//! Keys of an order.

use super::{field, object};
use serde_json::Value as Json;

/// A key that results are sorted by. Results that agree in all keys are sorted by id, but come as they were found
/// where they are sorted by rank alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    by: String,
    descending: bool,
}

impl Order {
    /// By a field, as [`Field::ascending`](super::Field::ascending) does.
    pub fn by_field(path: impl Into<String>) -> Order {
        field(path).ascending()
    }

    /// By the time of creation, the oldest first.
    pub fn by_created() -> Order {
        Order::by("created")
    }

    /// By the time of the last change, the oldest first.
    pub fn by_updated() -> Order {
        Order::by("updated")
    }

    /// By id, which is roughly the order of creation.
    pub fn by_id() -> Order {
        Order::by("id")
    }

    /// By the name of the type, objects without one first.
    pub fn by_type() -> Order {
        Order::by("type")
    }

    /// By the parent's id, objects without a parent first.
    pub fn by_parent() -> Order {
        Order::by("parent")
    }

    /// By how well objects fit the [`Filter::search`](super::Filter::search) that all results satisfy, the best
    /// first. Without such a search, with steps, and in pages, the query is refused with `InvalidArgument`.
    pub fn by_rank() -> Order {
        Order::by("rank")
    }

    /// The same key, the last first.
    pub fn descending(self) -> Order {
        Order {
            descending: true,
            ..self
        }
    }

    /// By what has this name in the JSON.
    pub(super) fn by(name: &str) -> Order {
        Order {
            by: name.to_owned(),
            descending: false,
        }
    }
}

impl From<Order> for Json {
    fn from(order: Order) -> Json {
        let mut key = object("by", order.by);
        key.insert("desc".into(), order.descending.into());
        Json::Object(key)
    }
}
