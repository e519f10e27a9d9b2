//! The JSON form of queries. Errors say where in the query, what was found, what was expected.

use super::filter::{Clock, Comparison, Filter, OrderBy, OrderKey, Query, Scalar, Test};
use super::jsonpath;
use super::number::Number;
use super::search::Search;
use crate::model::{Error, ObjectId, Path, Reference, Result, json, limits};
use serde_json::{Map, Value as Json};

impl Query {
    /// Reads a query: either a filter, or
    /// `{"where": FILTER, "order": [{"by": "created", "desc": true}], "limit": 10, "skip": 0}`.
    ///
    /// A filter is an object; of several keys, all must hold, and `{}` holds for everything:
    /// `{"type": "Task"}`, `{"id": "…"}`, `{"parent": "…"}`, `{"deleted": true}`, `{"branch": true}`,
    /// `{"created": {"ge": ms}}`, `{"updated": {"lt": ms}}`,
    /// `{"field": "/a/b", "op": "eq", "value": 1}`, `{"search": "some words", "in": ["/a"]}`, `{"and": […]}`, `{"or": […]}`, `{"not": {…}}`.
    /// `type` and `id` take a list too, `type` and `parent` take null. Deleted objects, and what is
    /// below them, are left out unless the filter mentions `deleted`; branches of other objects
    /// unless it mentions `branch`.
    pub fn parse(text: &str) -> Result<Query> {
        let Json::Object(map) = json::parse(text)? else {
            return Err(Error::invalid("a query is a JSON object"));
        };
        const WINDOW: [&str; 4] = ["where", "order", "limit", "skip"];
        let mut reader = Reader::default();
        let windowed = map.keys().any(|key| WINDOW.contains(&key.as_str()));
        if !windowed {
            let filter = reader.filter(&map, 0)?;
            return Ok(reader.finish(filter, Vec::new(), None, 0));
        }
        for key in map.keys() {
            if !WINDOW.contains(&key.as_str()) {
                return Err(Error::invalid(format!(
                    "{key:?} does not stand beside \"where\", \"order\", \"limit\" or \"skip\"; put it into \"where\""
                )));
            }
        }
        let filter = match map.get("where") {
            None => Filter::And(Vec::new()),
            Some(filter) => reader
                .nested(filter, 0)
                .map_err(|e| e.context("\"where\""))?,
        };
        let order = map.get("order").map_or(Ok(Vec::new()), order)?;
        let limit = map.get("limit").map(|v| whole("limit", v)).transpose()?;
        let skip = map.get("skip").map_or(Ok(0), |v| whole("skip", v))?;
        let query = reader.finish(filter, order, limit, skip);
        if query.order.iter().any(|by| by.key == OrderKey::Rank) && query.leading().is_none() {
            return Err(Error::invalid(
                "\"order\": by \"rank\" takes a \"search\" that all results satisfy, not within \"or\" or \"not\"; a field of this name is \"/rank\"",
            ));
        }
        Ok(query)
    }
}

/// Reads filters, and counts what the bounds bound.
#[derive(Default)]
struct Reader {
    nodes: usize,
    values: usize,
    searches: usize,
    mentions_deleted: bool,
    mentions_branch: bool,
}

impl Reader {
    fn finish(self, filter: Filter, order: Vec<OrderBy>, limit: Option<u64>, skip: u64) -> Query {
        let sight = match (self.mentions_deleted, self.mentions_branch) {
            (false, false) => Some(Filter::Visible),
            (true, false) => Some(Filter::Branch(false)),
            (false, true) => Some(Filter::Deleted(false)),
            (true, true) => None,
        };
        let filter = match (sight, filter) {
            (None, filter) => filter,
            (Some(sight), Filter::And(mut all)) => {
                all.push(sight);
                Filter::And(all)
            }
            (Some(sight), filter) => Filter::And(vec![filter, sight]),
        };
        Query {
            filter,
            order,
            limit,
            skip,
        }
    }

    fn nested(&mut self, json: &Json, depth: usize) -> Result<Filter> {
        match json {
            Json::Object(map) => self.filter(map, depth),
            other => Err(expected("a filter is an object", other)),
        }
    }

    fn filter(&mut self, map: &Map<String, Json>, depth: usize) -> Result<Filter> {
        if depth > limits::QUERY_DEPTH {
            return Err(Error::limit(format!(
                "and, or and not may be nested {} deep",
                limits::QUERY_DEPTH
            )));
        }
        let mut all = Vec::with_capacity(1);
        for (key, value) in map {
            // These belong to "field", and are read with it.
            if matches!(key.as_str(), "op" | "value") && map.contains_key("field") {
                continue;
            }
            // And this to "search".
            if key == "in" && map.contains_key("search") {
                continue;
            }
            self.nodes += 1;
            if self.nodes > limits::QUERY_NODES {
                return Err(Error::limit(format!(
                    "a query may have {} conditions",
                    limits::QUERY_NODES
                )));
            }
            let condition = self.condition(map, key, value, depth);
            all.push(condition.map_err(|e| e.context(format!("{key:?}")))?);
        }
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => Ok(Filter::And(all)),
        }
    }

    fn condition(
        &mut self,
        map: &Map<String, Json>,
        key: &str,
        value: &Json,
        depth: usize,
    ) -> Result<Filter> {
        match key {
            "type" => self.types(value),
            "id" => self.ids(value),
            "parent" => match value {
                Json::Null => Ok(Filter::Parent(None)),
                value => Ok(Filter::Parent(Some(object_id(value)?))),
            },
            "deleted" => {
                self.mentions_deleted = true;
                let flag = value.as_bool().map(Filter::Deleted);
                flag.ok_or_else(|| expected("it takes true or false", value))
            }
            "branch" => {
                self.mentions_branch = true;
                let flag = value.as_bool().map(Filter::Branch);
                flag.ok_or_else(|| expected("it takes true or false", value))
            }
            "created" => self.times(Clock::Created, value),
            "updated" => self.times(Clock::Updated, value),
            "field" => self.field(map, value),
            "search" => self.search(map, value).map(Filter::Search),
            "and" => self.list(value, depth).map(Filter::And),
            "or" => self.list(value, depth).map(Filter::Or),
            "not" => Ok(Filter::Not(Box::new(self.nested(value, depth + 1)?))),
            "op" | "value" => Err(Error::invalid("it needs \"field\" beside it")),
            "in" => Err(Error::invalid("it needs \"search\" beside it")),
            _ => Err(Error::invalid(
                "this is no condition: use type, id, parent, deleted, branch, created, updated, field, search, and, or, not",
            )),
        }
    }

    fn list(&mut self, value: &Json, depth: usize) -> Result<Vec<Filter>> {
        let Json::Array(items) = value else {
            return Err(expected("it takes a list of filters", value));
        };
        let numbered = items.iter().enumerate();
        numbered
            .map(|(i, item)| {
                self.nested(item, depth + 1)
                    .map_err(|e| e.context(format!("item {i}")))
            })
            .collect()
    }

    /// The items of a list, counted; a single value counts as a list of one where `or_one`.
    fn items<'a>(&mut self, value: &'a Json, or_one: bool) -> Result<&'a [Json]> {
        let items = match value {
            Json::Array(items) => items.as_slice(),
            one if or_one => std::slice::from_ref(one),
            other => return Err(expected("it takes a list", other)),
        };
        self.values += items.len();
        if items.len() > limits::QUERY_LIST || self.values > limits::QUERY_VALUES {
            return Err(Error::limit(format!(
                "a list may have {} values, and all lists of a query {}",
                limits::QUERY_LIST,
                limits::QUERY_VALUES
            )));
        }
        Ok(items)
    }

    fn types(&mut self, value: &Json) -> Result<Filter> {
        let names = self.items(value, true)?.iter().map(|name| match name {
            Json::Null => Ok(None),
            Json::String(name) => Ok(Some(name.clone())),
            other => Err(expected("a type is a string, or null for none", other)),
        });
        Ok(Filter::Type(names.collect::<Result<_>>()?))
    }

    fn ids(&mut self, value: &Json) -> Result<Filter> {
        let ids = self.items(value, true)?.iter().map(object_id);
        Ok(Filter::Id(ids.collect::<Result<_>>()?))
    }

    fn times(&mut self, clock: Clock, value: &Json) -> Result<Filter> {
        let Json::Object(bounds) = value else {
            return Err(expected("it takes an object such as {\"ge\": 0}", value));
        };
        let all = bounds.iter().map(|(op, bound)| {
            let comparison = comparison(op)
                .ok_or_else(|| Error::invalid(format!("{op:?} is not lt, le, gt or ge")))?;
            let ms = json::to_plain(&json::from_json(bound.clone())?)
                .as_i64()
                .ok_or_else(|| expected("a time is whole milliseconds since 1970", bound))?;
            Ok(Filter::Time {
                clock,
                comparison,
                ms,
            })
        });
        Ok(Filter::And(all.collect::<Result<_>>()?))
    }

    fn field(&mut self, map: &Map<String, Json>, path: &Json) -> Result<Filter> {
        let Json::String(path) = path else {
            return Err(expected("it takes a field name or a path", path));
        };
        let path = query_path(path)?;
        let op = match map.get("op") {
            Some(Json::String(op)) => op,
            Some(other) => return Err(expected("\"op\" is a string", other)),
            None => return Err(Error::invalid("\"op\" is missing beside it")),
        };
        let test = self.test(op, map.get("value"));
        Ok(Filter::Field {
            path,
            test: test.map_err(|e| e.context(format!("\"op\" {op:?}")))?,
        })
    }

    fn search(&mut self, map: &Map<String, Json>, words: &Json) -> Result<Search> {
        let Json::String(words) = words else {
            return Err(expected("it takes the words to look for", words));
        };
        self.searches += 1;
        if self.searches > limits::QUERY_SEARCHES {
            return Err(Error::limit(format!(
                "a query may have {} searches",
                limits::QUERY_SEARCHES
            )));
        }
        let places = match map.get("in") {
            None => &[],
            Some(Json::Array(places)) => places.as_slice(),
            Some(other) => return Err(expected("\"in\" takes a list of fields or paths", other)),
        };
        if places.len() > limits::SEARCH_PATHS {
            return Err(Error::limit(format!(
                "\"in\" may name {} places",
                limits::SEARCH_PATHS
            )));
        }
        let places = places.iter().map(|place| match place {
            Json::String(path) => query_path(path),
            other => Err(expected("\"in\" takes a list of fields or paths", other)),
        });
        Search::parse(words, places.collect::<Result<_>>()?)
    }

    fn test(&mut self, op: &str, value: Option<&Json>) -> Result<Test> {
        if op == "exists" {
            return match value {
                None => Ok(Test::Exists(true)),
                Some(Json::Bool(wanted)) => Ok(Test::Exists(*wanted)),
                Some(other) => Err(expected("\"value\" is true or false", other)),
            };
        }
        let needed = || value.ok_or_else(|| Error::invalid("\"value\" is missing"));
        if let Some(comparison) = comparison(op) {
            let value = needed()?;
            return match scalar(value)? {
                bound @ (Scalar::Number(_) | Scalar::String(_)) => {
                    Ok(Test::Compare(comparison, bound))
                }
                _ => Err(expected("\"value\" is a number or a string", value)),
            };
        }
        match op {
            "eq" => scalar(needed()?).map(Test::Equal),
            "ne" => scalar(needed()?).map(Test::Differ),
            "contains" => scalar(needed()?).map(Test::Contains),
            "prefix" => match scalar(needed()?)? {
                Scalar::String(prefix) => Ok(Test::Prefix(prefix)),
                _ => Err(Error::invalid("\"value\" is a string")),
            },
            "in" => {
                let items = self.items(needed()?, false)?.iter().map(scalar);
                Ok(Test::In(items.collect::<Result<_>>()?))
            }
            _ => Err(Error::invalid(
                "there is no such test: use eq, ne, lt, le, gt, ge, in, contains, prefix, exists",
            )),
        }
    }
}

fn comparison(op: &str) -> Option<Comparison> {
    match op {
        "lt" => Some(Comparison::Less),
        "le" => Some(Comparison::AtMost),
        "gt" => Some(Comparison::Greater),
        "ge" => Some(Comparison::AtLeast),
        _ => None,
    }
}

/// A value to compare with: as stored values are written, seen as queries see them.
fn scalar(json: &Json) -> Result<Scalar> {
    match json::to_plain(&json::from_json(json.clone())?) {
        Json::Null => Ok(Scalar::Null),
        Json::Bool(b) => Ok(Scalar::Bool(b)),
        Json::String(s) => Ok(Scalar::String(s)),
        Json::Number(n) => Number::from_json(&n)
            .map(Scalar::Number)
            .ok_or_else(|| Error::invalid("\"value\" is a number out of range")),
        _ => Err(expected(
            "a value to compare with is null, a boolean, a number or a string",
            json,
        )),
    }
}

fn query_path(text: &str) -> Result<Path> {
    // SQLite ends names at a NUL character.
    if text.contains('\0') {
        return Err(Error::invalid("a path in a query holds no NUL character"));
    }
    let path = Path::parse(text)?;
    if jsonpath::numeric_steps(&path) > limits::QUERY_INDEXES {
        return Err(Error::limit(format!(
            "a path in a query may have {} numeric steps",
            limits::QUERY_INDEXES
        )));
    }
    Ok(path)
}

/// An object's id, written bare or as a reference within the space.
fn object_id(value: &Json) -> Result<ObjectId> {
    let text = match value {
        Json::String(text) => text,
        Json::Object(map) if map.len() == 1 => match map.get("@ref") {
            Some(Json::String(text)) => text,
            _ => return Err(expected("an object id is a string", value)),
        },
        other => return Err(expected("an object id is a string", other)),
    };
    match Reference::parse(text)? {
        Reference {
            space: None,
            object,
        } => Ok(object),
        _ => Err(Error::invalid(
            "a query finds objects of its own space; this reference names another space",
        )),
    }
}

fn order(value: &Json) -> Result<Vec<OrderBy>> {
    let Json::Array(items) = value else {
        return Err(expected("\"order\" takes a list", value));
    };
    if items.len() > limits::QUERY_ORDER {
        return Err(Error::limit(format!(
            "\"order\" may have {} keys",
            limits::QUERY_ORDER
        )));
    }
    let numbered = items.iter().enumerate();
    numbered
        .map(|(i, item)| order_by(item).map_err(|e| e.context(format!("\"order\": item {i}"))))
        .collect()
}

fn order_by(item: &Json) -> Result<OrderBy> {
    let Json::Object(map) = item else {
        return Err(expected(
            "a key is an object such as {\"by\": \"created\", \"desc\": true}",
            item,
        ));
    };
    if let Some(unknown) = map.keys().find(|k| !matches!(k.as_str(), "by" | "desc")) {
        return Err(Error::invalid(format!(
            "{unknown:?} is not \"by\" or \"desc\""
        )));
    }
    let descending = match map.get("desc") {
        None => false,
        Some(Json::Bool(descending)) => *descending,
        Some(other) => return Err(expected("\"desc\" is true or false", other)),
    };
    let key = match map.get("by") {
        Some(Json::String(by)) => order_key(by)?,
        Some(other) => return Err(expected("\"by\" is a string", other)),
        None => return Err(Error::invalid("\"by\" is missing")),
    };
    Ok(OrderBy { key, descending })
}

/// What the name of a key of an order means.
pub fn order_key(by: &str) -> Result<OrderKey> {
    Ok(match by {
        "created" => OrderKey::Clock(Clock::Created),
        "updated" => OrderKey::Clock(Clock::Updated),
        "id" => OrderKey::Id,
        "rank" => OrderKey::Rank,
        "type" => OrderKey::Type,
        path => OrderKey::Field(query_path(path)?),
    })
}

/// The one name of what an index is of.
pub fn index_name(by: &str) -> Result<String> {
    Ok(match order_key(by)? {
        OrderKey::Field(path) => path.to_string(),
        _ => by.to_owned(),
    })
}

fn whole(key: &str, value: &Json) -> Result<u64> {
    value
        .as_u64()
        .ok_or_else(|| expected(&format!("{key:?} is a whole number from 0"), value))
}

/// "what was expected, not what was found".
fn expected(what: &str, found: &Json) -> Error {
    let kind = match found {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    };
    Error::invalid(format!("{what}, not {kind}"))
}
