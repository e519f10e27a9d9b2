//! Aggregations.

use super::query::{Source, Window, write_list};
use super::{Clock, Field, Filter, Link, Order, field, object};
use serde_json::{Map, Value as Json};

/// What to count, add up and compare of the objects that a query finds.
///
/// ```
/// use echodb::builder::{Aggregation, Filter, GroupKey, Measure, created};
///
/// let totals = Aggregation::new(Filter::of_type("Order"))
///     .group("status")
///     .group(GroupKey::by_tag())
///     .measure("total", Measure::sum("price"))
///     .measure("latest", Measure::max(created()))
///     .order_descending("total")
///     .limit(10);
/// # assert!(totals.to_json().contains(r#""total":{"sum":"/price"}"#));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Aggregation {
    source: Source,
    group: Vec<GroupKey>,
    measures: Map<String, Json>,
    order: Vec<Order>,
    window: Window,
}

impl Aggregation {
    /// Over what satisfies the filter. Without [`group`](Aggregation::group) all objects are one group, which is there
    /// even when nothing is found; without [`measure`](Aggregation::measure) they are counted, as `count`.
    pub fn new(filter: impl Into<Filter>) -> Aggregation {
        Aggregation {
            source: Source::new(filter.into()),
            ..Aggregation::default()
        }
    }

    /// Takes one more step, at most 16, as [`Query::follow`](super::Query::follow) does.
    pub fn follow(mut self, step: Link) -> Aggregation {
        self.source.push(step);
        self
    }

    /// Makes groups by one more key, at most 4, each once.
    pub fn group(mut self, key: impl Into<GroupKey>) -> Aggregation {
        self.group.push(key.into());
        self
    }

    /// Measures something of each group, at most 16 things, under a name of the caller's; a name that was given
    /// before means this from now on.
    pub fn measure(mut self, name: impl Into<String>, measure: Measure) -> Aggregation {
        self.measures.insert(name.into(), measure.0);
        self
    }

    /// Sorts groups by a measure, the smallest first, at most by 8 of them; the first one weighs most. Groups that
    /// agree come in the order of their keys.
    pub fn order(mut self, measure: &str) -> Aggregation {
        self.order.push(Order::by(measure));
        self
    }

    /// As [`order`](Aggregation::order), the largest first.
    pub fn order_descending(mut self, measure: &str) -> Aggregation {
        self.order.push(Order::by(measure).descending());
        self
    }

    /// How many groups there are at most.
    pub fn limit(mut self, limit: u64) -> Aggregation {
        self.window.limit = Some(limit);
        self
    }

    /// How many of the first groups are left out.
    pub fn skip(mut self, skip: u64) -> Aggregation {
        self.window.skip = skip;
        self
    }

    /// The aggregation as JSON.
    pub fn to_json(&self) -> String {
        let mut map = self.source.to_map();
        // Also without keys: it tells an aggregation from a query.
        map.insert("group".into(), self.group.iter().cloned().collect());
        if !self.measures.is_empty() {
            map.insert("aggregate".into(), self.measures.clone().into());
        }
        write_list(&mut map, "order", &self.order);
        self.window.write(&mut map);
        Json::Object(map).to_string()
    }
}

/// What objects are grouped by. A string and a [`Field`] are taken for [`by_field`](GroupKey::by_field).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupKey(String);

impl GroupKey {
    /// By a field. Missing and null are one group, `1` and `1.0` another; lists and maps are grouped with their
    /// equals.
    pub fn by_field(path: impl Into<String>) -> GroupKey {
        GroupKey(field(path).pointer())
    }

    /// By the name of the type.
    pub fn by_type() -> GroupKey {
        GroupKey("type".into())
    }

    /// By the parent.
    pub fn by_parent() -> GroupKey {
        GroupKey("parent".into())
    }

    /// By where a relation begins.
    pub fn by_source() -> GroupKey {
        GroupKey("source".into())
    }

    /// By where a relation ends.
    pub fn by_target() -> GroupKey {
        GroupKey("target".into())
    }

    /// By tag: an object counts in the group of each of its tags, one without tags in that of null.
    pub fn by_tag() -> GroupKey {
        GroupKey("tag".into())
    }
}

impl From<&str> for GroupKey {
    fn from(path: &str) -> GroupKey {
        GroupKey::by_field(path)
    }
}

impl From<Field> for GroupKey {
    fn from(field: Field) -> GroupKey {
        GroupKey(field.pointer())
    }
}

impl From<GroupKey> for Json {
    fn from(group: GroupKey) -> Json {
        group.0.into()
    }
}

/// What is measured of the objects of a group.
#[derive(Clone, Debug, PartialEq)]
pub struct Measure(Json);

impl Measure {
    /// The number of objects.
    pub fn count() -> Measure {
        Measure("count".into())
    }

    /// The number of objects that have the field, null left out.
    pub fn count_of(path: impl Into<Measured>) -> Measure {
        Measure::of("count", path.into())
    }

    /// The first in the order of results, of a field's numbers and strings, or of a time in milliseconds since
    /// 1970; null of none.
    pub fn min(of: impl Into<Measured>) -> Measure {
        Measure::of("min", of.into())
    }

    /// The last, likewise.
    pub fn max(of: impl Into<Measured>) -> Measure {
        Measure::of("max", of.into())
    }

    /// The sum of the field's numbers, other kinds left out; 0 of none. Exact for integers while it fits 64 bits, else
    /// a float.
    pub fn sum(path: impl Into<Field>) -> Measure {
        Measure::of("sum", path.into().into())
    }

    /// The mean of the field's numbers, a float; null of none.
    pub fn avg(path: impl Into<Field>) -> Measure {
        Measure::of("avg", path.into().into())
    }

    fn of(name: &str, Measured(of): Measured) -> Measure {
        Measure(object(name, of).into())
    }
}

/// What a measure looks at: a field, by its name or JSON Pointer, or one of the two times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Measured(String);

impl From<&str> for Measured {
    fn from(path: &str) -> Measured {
        Measured(field(path).pointer())
    }
}

impl From<Field> for Measured {
    fn from(field: Field) -> Measured {
        Measured(field.pointer())
    }
}

impl From<Clock> for Measured {
    fn from(clock: Clock) -> Measured {
        Measured(clock.name().to_owned())
    }
}

super::as_json!(Aggregation);
