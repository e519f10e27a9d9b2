//! Queries.

use super::{Filter, Link, Order, object};
use serde_json::{Map, Value as Json};

/// What is asked of a space: a filter, steps from what it finds, an order and a window.
///
/// ```
/// use echodb::builder::{Filter, Link, Order, Query};
///
/// // The people to whom tasks in open projects are assigned.
/// let query = Query::new(Filter::of_type("Project") & Filter::tagged("open"))
///     .follow(Link::descendant().that(Filter::of_type("Task")))
///     .follow(Link::refers_to().at("/assignee"))
///     .order(Order::by_field("name"));
/// assert!(query.to_json().starts_with(r#"{"where":{"and":[{"type":["Project"]},"#));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Query {
    source: Source,
    order: Vec<Order>,
    window: Window,
}

/// What queries and aggregations begin with.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Source {
    filter: Filter,
    follow: Vec<Link>,
}

/// What they end with.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Window {
    pub(super) limit: Option<u64>,
    pub(super) skip: u64,
}

impl Query {
    /// What satisfies the filter, in the order of ids. [`Query::default`] asks for everything.
    pub fn new(filter: impl Into<Filter>) -> Query {
        Query {
            source: Source::new(filter.into()),
            ..Query::default()
        }
    }

    /// Takes one more step, at most 16: it leads on from what was found so far. The result is where the last one ends,
    /// each object once; order and window are about the result.
    pub fn follow(mut self, step: Link) -> Query {
        self.source.follow.push(step);
        self
    }

    /// Adds a key to the order, at most 8; the first one weighs most.
    pub fn order(mut self, key: Order) -> Query {
        self.order.push(key);
        self
    }

    /// How many results there are at most. For pages: how large they are, 1 to 10,000, and 100 without this.
    pub fn limit(mut self, limit: u64) -> Query {
        self.window.limit = Some(limit);
        self
    }

    /// How many of the first results are left out. A query for pages has no place for it.
    pub fn skip(mut self, skip: u64) -> Query {
        self.window.skip = skip;
        self
    }

    /// The query as JSON.
    pub fn to_json(&self) -> String {
        let mut map = self.source.to_map();
        write_list(&mut map, "order", &self.order);
        self.window.write(&mut map);
        Json::Object(map).to_string()
    }
}

impl Source {
    pub(super) fn new(filter: Filter) -> Source {
        Source {
            filter,
            follow: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, step: Link) {
        self.follow.push(step);
    }

    pub(super) fn to_map(&self) -> Map<String, Json> {
        let mut map = object("where", self.filter.clone());
        write_list(&mut map, "follow", &self.follow);
        map
    }
}

impl Window {
    pub(super) fn write(self, map: &mut Map<String, Json>) {
        if let Some(limit) = self.limit {
            map.insert("limit".into(), limit.into());
        }
        if self.skip != 0 {
            map.insert("skip".into(), self.skip.into());
        }
    }
}

/// A list, left out where it is empty.
pub(super) fn write_list<T>(map: &mut Map<String, Json>, key: &str, items: &[T])
where
    T: Clone + Into<Json>,
{
    if !items.is_empty() {
        map.insert(
            key.to_owned(),
            items.iter().cloned().map(Into::into).collect(),
        );
    }
}

impl From<Filter> for Query {
    fn from(filter: Filter) -> Query {
        Query::new(filter)
    }
}

super::as_json!(Query);
