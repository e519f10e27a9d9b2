//! The JSON form of queries. Errors say where in the query, what was found, what was expected.

use super::filter::{Clock, Comparison, Filter, Kind, OrderBy, Query, Scalar, Test};
use super::jsonpath;
use super::link::{LinkKind, Step};
use super::number::Number;
use super::parse_search::order_key;
use super::print::print;
use crate::model::{Error, ObjectId, Path, Reference, Result, json, limits};
use serde_json::{Map, Value as Json};

/// What may stand beside `where`.
const WINDOW: [&str; 5] = ["where", "follow", "order", "limit", "skip"];

impl Query {
    /// Reads a query: either a filter, or
    /// `{"where": FILTER, "follow": [STEP], "order": [{"by": "created", "desc": true}], "limit": 10,
    /// "skip": 0}`. `docs/guide/query.md` describes filters and steps.
    ///
    /// Deleted objects, and what is below them, are left out unless the filter mentions `deleted`;
    /// branches of other objects unless it mentions `branch`. That holds of each filter within a
    /// link or step by itself.
    pub fn parse(text: &str) -> Result<Query> {
        let Json::Object(map) = json::parse(text)? else {
            return Err(Error::invalid("a query is a JSON object"));
        };
        let mut reader = Reader::default();
        let print = print(&map);
        let windowed = map.keys().any(|key| WINDOW.contains(&key.as_str()));
        if !windowed {
            return Ok(Query {
                filter: reader.scoped_map(&map, 0)?,
                follow: Vec::new(),
                order: Vec::new(),
                limit: None,
                skip: 0,
                print,
            });
        }
        if let Some(key) = map.keys().find(|key| !WINDOW.contains(&key.as_str())) {
            return Err(Error::invalid(format!(
                "{key:?} does not stand beside \"where\", \"follow\", \"order\", \"limit\" or \"skip\"; put it into \"where\""
            )));
        }
        let (filter, follow) = reader.source(&map)?;
        let (limit, skip) = window(&map)?;
        let query = Query {
            filter,
            follow,
            order: map.get("order").map_or(Ok(Vec::new()), order)?,
            limit,
            skip,
            print,
        };
        if query.is_ranked() && query.leading().is_none() {
            return Err(Error::invalid(
                "\"order\": by \"rank\" takes a \"search\" that all results satisfy: not within \"or\", \"not\" or a link, nor with \"follow\"; a field of this name is \"/rank\"",
            ));
        }
        Ok(query)
    }
}

/// `limit` and `skip`.
pub(super) fn window(map: &Map<String, Json>) -> Result<(Option<u64>, u64)> {
    let limit = map.get("limit").map(|v| whole("limit", v)).transpose()?;
    let skip = map.get("skip").map_or(Ok(0), |v| whole("skip", v))?;
    Ok((limit, skip))
}

/// Reads filters, and counts what the bounds bound.
#[derive(Default)]
pub(super) struct Reader {
    nodes: usize,
    values: usize,
    pub(super) searches: usize,
    links: usize,
    mentions: Mentions,
}

/// What a filter says of objects that are out of sight.
#[derive(Clone, Copy, Default)]
struct Mentions {
    deleted: bool,
    branch: bool,
}

impl Mentions {
    /// The filter, which finds what is in sight unless it says otherwise.
    fn apply(self, filter: Filter) -> Filter {
        let sight = match (self.deleted, self.branch) {
            (false, false) => Filter::Visible,
            (true, false) => Filter::Branch(false),
            (false, true) => Filter::Deleted(false),
            (true, true) => return filter,
        };
        match filter {
            Filter::And(mut all) => {
                all.push(sight);
                Filter::And(all)
            }
            filter => Filter::And(vec![filter, sight]),
        }
    }
}

impl Reader {
    /// `where` and `follow`.
    pub(super) fn source(&mut self, map: &Map<String, Json>) -> Result<(Filter, Vec<Step>)> {
        let filter = self
            .scoped(map.get("where"), 0)
            .map_err(|e| e.context("\"where\""))?;
        let follow = match map.get("follow") {
            None => Vec::new(),
            Some(steps) => self.steps(steps).map_err(|e| e.context("\"follow\""))?,
        };
        Ok((filter, follow))
    }

    /// A filter whose mentions of what is out of sight are its own; nothing is everything in sight.
    pub(super) fn scoped(&mut self, json: Option<&Json>, depth: usize) -> Result<Filter> {
        match json {
            None => Ok(Mentions::default().apply(Filter::And(Vec::new()))),
            Some(Json::Object(map)) => self.scoped_map(map, depth),
            Some(other) => Err(expected("a filter is an object", other)),
        }
    }

    fn scoped_map(&mut self, map: &Map<String, Json>, depth: usize) -> Result<Filter> {
        let outside = std::mem::take(&mut self.mentions);
        let filter = self.filter(map, depth);
        let mentions = std::mem::replace(&mut self.mentions, outside);
        Ok(mentions.apply(filter?))
    }

    /// Counts a link.
    pub(super) fn link(&mut self) -> Result<()> {
        self.links += 1;
        if self.links > limits::QUERY_LINKS {
            return Err(Error::limit(format!(
                "a query may have {} links and steps",
                limits::QUERY_LINKS
            )));
        }
        Ok(())
    }

    pub(super) fn nested(&mut self, json: &Json, depth: usize) -> Result<Filter> {
        match json {
            Json::Object(map) => self.filter(map, depth),
            other => Err(expected("a filter is an object", other)),
        }
    }

    fn filter(&mut self, map: &Map<String, Json>, depth: usize) -> Result<Filter> {
        if depth > limits::QUERY_DEPTH {
            return Err(Error::limit(format!(
                "and, or, not and links may be nested {} deep",
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
            self.node()?;
            let condition = self.condition(map, key, value, depth);
            all.push(condition.map_err(|e| e.context(format!("{key:?}")))?);
        }
        match all.len() {
            1 => Ok(all.remove(0)),
            _ => Ok(Filter::And(all)),
        }
    }

    fn node(&mut self) -> Result<()> {
        self.nodes += 1;
        if self.nodes > limits::QUERY_NODES {
            return Err(Error::limit(format!(
                "a query may have {} conditions",
                limits::QUERY_NODES
            )));
        }
        Ok(())
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
            "deleted" => {
                self.mentions.deleted = true;
                flag(value).map(Filter::Deleted)
            }
            "branch" => {
                self.mentions.branch = true;
                flag(value).map(Filter::Branch)
            }
            "relation" => flag(value).map(Filter::Relation),
            "tag" => self.labels(value).map(Filter::Tag),
            "key" => self.key(value),
            "created" => self.times(Clock::Created, value),
            "updated" => self.times(Clock::Updated, value),
            "field" => self.field(map, value),
            "search" => self.search(map, value).map(Filter::Search),
            "and" => self.list(value, depth).map(Filter::And),
            "or" => self.list(value, depth).map(Filter::Or),
            "not" => Ok(Filter::Not(Box::new(self.nested(value, depth + 1)?))),
            "op" | "value" => Err(Error::invalid("it needs \"field\" beside it")),
            "in" => Err(Error::invalid("it needs \"search\" beside it")),
            name => match LinkKind::named(name) {
                Some(kind) => self.linked(kind, value, depth),
                None => Err(Error::invalid(
                    "this is no condition: use type, id, tag, key, deleted, branch, relation, created, updated, field, search, and, or, not, \
                     or a link: parent, child, ancestor, descendant, refers_to, referred_by, source, target, source_of, target_of, related",
                )),
            },
        }
    }

    /// The items of a list of strings, or one string.
    pub(super) fn labels(&mut self, value: &Json) -> Result<Vec<String>> {
        let items = self.items(value, true)?.iter();
        items
            .map(|item| match item {
                // SQLite ends names at a NUL character; no label has one.
                Json::String(text) if !text.contains('\0') => Ok(text.clone()),
                Json::String(_) => Err(Error::invalid("it holds no NUL character")),
                other => Err(expected("it takes a string or a list of them", other)),
            })
            .collect()
    }

    fn key(&mut self, value: &Json) -> Result<Filter> {
        let Json::Object(map) = value else {
            return Err(expected(
                "it takes an object such as {\"source\": \"github\", \"key\": \"42\"}",
                value,
            ));
        };
        if let Some(other) = map.keys().find(|k| !matches!(k.as_str(), "source" | "key")) {
            return Err(Error::invalid(format!(
                "{other:?} is not \"source\" or \"key\""
            )));
        }
        let source = match map.get("source") {
            Some(Json::String(source)) if !source.contains('\0') => source.clone(),
            Some(other) => return Err(expected("\"source\" is a string", other)),
            None => return Err(Error::invalid("\"source\" is missing")),
        };
        let keys = map.get("key").map(|keys| self.labels(keys)).transpose();
        Ok(Filter::Key {
            source,
            keys: keys.map_err(|e| e.context("\"key\""))?,
        })
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
    pub(super) fn items<'a>(&mut self, value: &'a Json, or_one: bool) -> Result<&'a [Json]> {
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

    pub(super) fn types(&mut self, value: &Json) -> Result<Filter> {
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
        let tests = self.tests(op, map.get("value"));
        let (tests, all) = tests.map_err(|e| e.context(format!("\"op\" {op:?}")))?;
        let tests = tests.into_iter().map(|test| Filter::Field {
            path: path.clone(),
            test,
        });
        let mut tests: Vec<Filter> = tests.collect();
        match (tests.len(), all) {
            (1, _) => Ok(tests.remove(0)),
            (_, true) => Ok(Filter::And(tests)),
            (_, false) => Ok(Filter::Or(tests)),
        }
    }

    /// What an operator asks: all of the tests, or one of them.
    fn tests(&mut self, op: &str, value: Option<&Json>) -> Result<(Vec<Test>, bool)> {
        let needed = || value.ok_or_else(|| Error::invalid("\"value\" is missing"));
        let tests = match op {
            "between" => match needed()? {
                Json::Array(ends) if ends.len() == 2 => {
                    self.node()?;
                    vec![
                        self.test("ge", ends.first())?,
                        self.test("le", ends.get(1))?,
                    ]
                }
                other => return Err(expected("\"value\" is a list of two", other)),
            },
            "contains_all" | "contains_any" => {
                let items = self.items(needed()?, false)?.iter();
                let tests = items.map(|item| {
                    self.node()?;
                    scalar(item).map(Test::Contains)
                });
                tests.collect::<Result<_>>()?
            }
            op => vec![self.test(op, value)?],
        };
        Ok((tests, op != "contains_any"))
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
            "kind" => match needed()? {
                Json::String(kind) => kind_named(kind).map(Test::Kind),
                other => Err(expected("\"value\" is a string", other)),
            },
            "in" => {
                let items = self.items(needed()?, false)?.iter().map(scalar);
                Ok(Test::In(items.collect::<Result<_>>()?))
            }
            _ => Err(Error::invalid(
                "there is no such test: use eq, ne, lt, le, gt, ge, between, in, contains, contains_any, contains_all, prefix, exists, kind",
            )),
        }
    }
}

fn flag(value: &Json) -> Result<bool> {
    value
        .as_bool()
        .ok_or_else(|| expected("it takes true or false", value))
}

fn kind_named(name: &str) -> Result<Kind> {
    Ok(match name {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "number" => Kind::Number,
        "string" => Kind::String,
        "list" => Kind::List,
        "map" => Kind::Map,
        _ => {
            return Err(Error::invalid(
                "there is no such kind: use null, boolean, number, string, list, map",
            ));
        }
    })
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

pub(super) fn query_path(text: &str) -> Result<Path> {
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
pub(super) fn object_id(value: &Json) -> Result<ObjectId> {
    match reference(value)? {
        Reference {
            space: None,
            object,
        } => Ok(object),
        _ => Err(Error::invalid(
            "a query finds objects of its own space; this reference names another space",
        )),
    }
}

/// An object's id, or a reference to one of another space.
pub(super) fn reference(value: &Json) -> Result<Reference> {
    let text = match value {
        Json::String(text) => text,
        Json::Object(map) if map.len() == 1 => match map.get("@ref") {
            Some(Json::String(text)) => text,
            _ => return Err(expected("an object id is a string", value)),
        },
        other => return Err(expected("an object id is a string", other)),
    };
    Reference::parse(text)
}

pub(super) fn order(value: &Json) -> Result<Vec<OrderBy>> {
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

pub(super) fn whole(key: &str, value: &Json) -> Result<u64> {
    value
        .as_u64()
        .ok_or_else(|| expected(&format!("{key:?} is a whole number from 0"), value))
}

/// "what was expected, not what was found".
pub(super) fn expected(what: &str, found: &Json) -> Error {
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
