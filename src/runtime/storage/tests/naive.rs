//! Queries answered by looking at every object: no SQL, no index, nothing shared with the engine
//! but the rows. Slow, and plain enough to be believed.

use super::*;
use crate::model::{Reference, SpaceId};
use serde_json::{Map, Value as Json};
use std::cmp::Ordering;

type Place = (Option<SpaceId>, ObjectId);

/// A space, with what is parsed once.
pub struct Naive<'a> {
    pub rows: &'a [ObjectRow],
    plain: Vec<Json>,
    refs: Vec<Vec<(String, Reference)>>,
}

impl<'a> Naive<'a> {
    pub fn new(rows: &'a [ObjectRow]) -> Naive<'a> {
        let refs = rows.iter().map(|row| {
            let mut found = Vec::new();
            references(&serde_json::from_str(&row.data).unwrap(), "", &mut found);
            found
        });
        Naive {
            rows,
            plain: rows
                .iter()
                .map(|row| serde_json::from_str(row.plain_json()).unwrap())
                .collect(),
            refs: refs.collect(),
        }
    }

    /// The places of the objects that a query finds, in its order.
    pub fn query(&self, query: &Json) -> Vec<usize> {
        let found = self.all(query);
        let skip = query
            .get("skip")
            .map_or(0, |n| n.as_u64().unwrap() as usize);
        let limit = query
            .get("limit")
            .map_or(usize::MAX, |n| n.as_u64().unwrap() as usize);
        found.into_iter().skip(skip).take(limit).collect()
    }

    /// The same without the window.
    pub fn all(&self, query: &Json) -> Vec<usize> {
        let every = 0..self.rows.len();
        let mut found: Vec<usize> = every
            .filter(|i| self.scoped(*i, query.get("where")))
            .collect();
        for step in query
            .get("follow")
            .and_then(Json::as_array)
            .unwrap_or(&vec![])
        {
            let (name, options) = step.as_object().unwrap().iter().next().unwrap();
            let none = Map::new();
            let options = options.as_object().unwrap_or(&none);
            let mut next: Vec<usize> = Vec::new();
            for from in found {
                for (_, id) in self
                    .led_to(from, name, options)
                    .iter()
                    .filter(|p| p.0.is_none())
                {
                    let to = self.rows.iter().position(|row| row.id == *id);
                    next.extend(to.filter(|to| self.scoped(*to, options.get("where"))));
                }
            }
            next.sort_unstable();
            next.dedup();
            found = next;
        }
        let none = Vec::new();
        let order = query.get("order").and_then(Json::as_array).unwrap_or(&none);
        found.sort_by(|a, b| self.compare(*a, *b, order));
        found
    }

    fn scoped(&self, i: usize, filter: Option<&Json>) -> bool {
        let none = Json::Object(Map::new());
        let filter = filter.unwrap_or(&none);
        let row = &self.rows[i];
        let seen = (mentions(filter, "deleted") || !(row.deleted || row.hidden))
            && (mentions(filter, "branch") || row.system.branch.is_none());
        seen && self.holds(i, filter)
    }

    fn holds(&self, i: usize, filter: &Json) -> bool {
        let map = filter.as_object().unwrap();
        map.iter()
            .all(|(key, value)| self.condition(i, map, key, value))
    }

    fn condition(&self, i: usize, map: &Map<String, Json>, key: &str, value: &Json) -> bool {
        let row = &self.rows[i];
        let one_of = |test: &dyn Fn(&Json) -> bool| match value {
            Json::Array(items) => items.iter().any(test),
            one => test(one),
        };
        match key {
            "op" | "value" => true,
            "type" => one_of(&|name| name.as_str() == row.type_name.as_deref()),
            "id" => one_of(&|id| id.as_str() == Some(row.id.to_string().as_str())),
            "tag" => one_of(&|tag| row.system.tags.contains(tag.as_str().unwrap())),
            "key" => {
                let found = row.system.keys.get(value["source"].as_str().unwrap());
                found.is_some_and(|found| match value.get("key") {
                    None => true,
                    Some(Json::Array(keys)) => keys.iter().any(|key| key == found.as_str()),
                    Some(key) => key == found.as_str(),
                })
            }
            "relation" => {
                let is_one = row.system.source.is_some() || row.system.target.is_some();
                value.as_bool() == Some(is_one)
            }
            "deleted" => value.as_bool() == Some(row.deleted || row.hidden),
            "branch" => value.as_bool() == Some(row.system.branch.is_some()),
            "updated" => value.as_object().unwrap().iter().all(|(op, ms)| {
                let ms = ms.as_i64().unwrap();
                match op.as_str() {
                    "ge" => row.updated_ms >= ms,
                    _ => row.updated_ms < ms,
                }
            }),
            "and" => value.as_array().unwrap().iter().all(|f| self.holds(i, f)),
            "or" => value.as_array().unwrap().iter().any(|f| self.holds(i, f)),
            "not" => !self.holds(i, value),
            "field" => {
                let name = value.as_str().unwrap();
                let path = match name.strip_prefix('/') {
                    Some(_) => name.to_owned(),
                    None => format!("/{name}"),
                };
                let op = map["op"].as_str().unwrap();
                field(self.plain[i].pointer(&path), op, map.get("value"))
            }
            link => self.linked(i, link, value),
        }
    }

    fn linked(&self, i: usize, name: &str, value: &Json) -> bool {
        let none = Map::new();
        let options = match value {
            Json::Object(map) if !map.contains_key("@ref") => map,
            _ => &none,
        };
        let reached = self.led_to(i, name, options);
        let wanted: Vec<Place> = match (value, options.get("id")) {
            (Json::Null, _) => return reached.is_empty(),
            (_, Some(ids)) => places(ids),
            (Json::Bool(_) | Json::Object(_), None) if !is_ref(value) => {
                return reached.iter().filter(|p| p.0.is_none()).any(|(_, id)| {
                    let to = self.rows.iter().position(|row| row.id == *id);
                    to.is_some_and(|to| self.scoped(to, options.get("where")))
                });
            }
            (ids, None) => places(ids),
        };
        reached.iter().any(|place| wanted.contains(place))
    }

    /// Where a link leads from an object, there or not.
    fn led_to(&self, i: usize, name: &str, options: &Map<String, Json>) -> Vec<Place> {
        let me = &self.rows[i];
        let here = |id: ObjectId| (None, id);
        let of = |test: &dyn Fn(&ObjectRow) -> bool| -> Vec<Place> {
            let found = self.rows.iter().filter(|row| test(row));
            found.map(|row| here(row.id)).collect()
        };
        let within = |path: &str| match options.get("path").and_then(Json::as_str) {
            None => true,
            Some(wanted) => path == wanted || path.starts_with(&format!("{wanted}/")),
        };
        match name {
            "parent" => me.parent.map(here).into_iter().collect(),
            "child" => of(&|row| row.parent == Some(me.id)),
            "source" => me.system.source.map(here).into_iter().collect(),
            "target" => me.system.target.map(here).into_iter().collect(),
            "source_of" => of(&|row| row.system.source == Some(me.id)),
            "target_of" => of(&|row| row.system.target == Some(me.id)),
            "ancestor" => self.above(i),
            "descendant" => {
                let every = 0..self.rows.len();
                let below = every.filter(|j| self.above(*j).contains(&here(me.id)));
                below.map(|j| here(self.rows[j].id)).collect()
            }
            "refers_to" => {
                let refs = self.refs[i].iter().filter(|(path, _)| within(path));
                refs.map(|(_, r)| (r.space, r.object)).collect()
            }
            "referred_by" => {
                let mut found = Vec::new();
                for (j, refs) in self.refs.iter().enumerate() {
                    let to_me = |(path, r): &(String, Reference)| {
                        within(path) && r.space.is_none() && r.object == me.id
                    };
                    if refs.iter().any(to_me) {
                        found.push(here(self.rows[j].id));
                    }
                }
                found
            }
            _ => self.related(me.id, options),
        }
    }

    fn above(&self, i: usize) -> Vec<Place> {
        let mut found: Vec<Place> = Vec::new();
        let mut next = self.rows[i].parent;
        while let Some(id) = next {
            if found.contains(&(None, id)) {
                break;
            }
            found.push((None, id));
            next = self
                .rows
                .iter()
                .find(|row| row.id == id)
                .and_then(|row| row.parent);
        }
        found
    }

    fn related(&self, me: ObjectId, options: &Map<String, Json>) -> Vec<Place> {
        let direction = options
            .get("direction")
            .and_then(Json::as_str)
            .unwrap_or("both");
        let mut found = Vec::new();
        for (j, row) in self.rows.iter().enumerate() {
            let typed = options
                .get("type")
                .is_none_or(|name| name.as_str() == row.type_name.as_deref());
            if !typed || !self.scoped(j, options.get("via")) {
                continue;
            }
            let (source, target) = (row.system.source, row.system.target);
            if direction != "in" && source == Some(me) {
                found.extend(target.map(|id| (None, id)));
            }
            if direction != "out" && target == Some(me) {
                found.extend(source.map(|id| (None, id)));
            }
        }
        found
    }

    fn compare(&self, a: usize, b: usize, order: &[Json]) -> Ordering {
        let (x, y) = (&self.rows[a], &self.rows[b]);
        let keys = order.iter().map(|key| {
            let found = match key["by"].as_str().unwrap() {
                "created" => x.created_ms.cmp(&y.created_ms),
                "updated" => x.updated_ms.cmp(&y.updated_ms),
                "id" => x.id.cmp(&y.id),
                "type" => x.type_name.cmp(&y.type_name),
                "parent" => x.parent.cmp(&y.parent),
                path => {
                    let path = format!("/{}", path.trim_start_matches('/'));
                    let value = |i: usize| self.plain[i].pointer(&path);
                    in_order(value(a), value(b))
                }
            };
            match key["desc"] == true {
                true => found.reverse(),
                false => found,
            }
        });
        keys.fold(Ordering::Equal, Ordering::then)
            .then(x.id.cmp(&y.id))
    }

    /// The value of a field of an object.
    pub fn field(&self, i: usize, name: &str) -> Option<&Json> {
        self.plain[i].get(name)
    }
}

fn is_ref(value: &Json) -> bool {
    value.get("@ref").is_some()
}

fn places(ids: &Json) -> Vec<Place> {
    match ids {
        Json::Array(items) => items.iter().flat_map(places).collect(),
        Json::Object(map) => places(&map["@ref"]),
        text => {
            let found = Reference::parse(text.as_str().unwrap()).unwrap();
            vec![(found.space, found.object)]
        }
    }
}

fn mentions(filter: &Json, key: &str) -> bool {
    let inner = |name: &str| filter.get(name).and_then(Json::as_array);
    let lists = ["and", "or"].into_iter().filter_map(inner).flatten();
    filter.get(key).is_some()
        || lists
            .chain(filter.get("not"))
            .any(|inner| mentions(inner, key))
}

fn references(json: &Json, path: &str, found: &mut Vec<(String, Reference)>) {
    match json {
        Json::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                references(item, &format!("{path}/{i}"), found);
            }
        }
        Json::Object(map) => match map.get("@ref").and_then(Json::as_str) {
            Some(text) => found.push((path.to_owned(), Reference::parse(text).unwrap())),
            None => {
                for (key, item) in map {
                    references(item, &format!("{path}/{key}"), found);
                }
            }
        },
        _ => {}
    }
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "boolean",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "list",
        Json::Object(_) => "map",
    }
}

fn same(a: &Json, b: &Json) -> bool {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
        (Json::Array(_) | Json::Object(_), _) => false,
        _ => a == b,
    }
}

/// The order of two values of one kind that has one.
fn between(a: &Json, b: &Json) -> Option<Ordering> {
    match (a, b) {
        (Json::Number(a), Json::Number(b)) => a.as_f64()?.partial_cmp(&b.as_f64()?),
        (Json::String(a), Json::String(b)) => Some(a.cmp(b)),
        (Json::Bool(a), Json::Bool(b)) => Some(a.cmp(b)),
        _ => None,
    }
}

fn in_order(a: Option<&Json>, b: Option<&Json>) -> Ordering {
    const KINDS: [&str; 6] = ["null", "boolean", "number", "string", "list", "map"];
    let (a, b) = (a.unwrap_or(&Json::Null), b.unwrap_or(&Json::Null));
    let rank = |value: &Json| KINDS.iter().position(|name| *name == kind(value));
    rank(a)
        .cmp(&rank(b))
        .then(between(a, b).unwrap_or(Ordering::Equal))
}

fn field(found: Option<&Json>, op: &str, value: Option<&Json>) -> bool {
    let wanted = value.unwrap_or(&Json::Null);
    let has = |part: &Json| match found {
        Some(Json::Array(items)) => items.iter().any(|item| same(item, part)),
        Some(Json::String(text)) => part.as_str().is_some_and(|part| text.contains(part)),
        _ => false,
    };
    let order = |bound: &Json| found.and_then(|found| between(found, bound));
    let list = || wanted.as_array().unwrap().iter();
    match op {
        "eq" => found.is_some_and(|found| same(found, wanted)),
        "ne" => !found.is_some_and(|found| same(found, wanted)),
        "lt" => order(wanted).is_some_and(Ordering::is_lt),
        "le" => order(wanted).is_some_and(Ordering::is_le),
        "gt" => order(wanted).is_some_and(Ordering::is_gt),
        "ge" => order(wanted).is_some_and(Ordering::is_ge),
        "between" => {
            order(&wanted[0]).is_some_and(Ordering::is_ge)
                && order(&wanted[1]).is_some_and(Ordering::is_le)
        }
        "in" => found.is_some_and(|found| list().any(|one| same(found, one))),
        "contains" => has(wanted),
        "contains_any" => list().any(has),
        "contains_all" => list().all(has),
        "exists" => found.is_some() == wanted.as_bool().unwrap(),
        "kind" => found.is_some_and(|found| kind(found) == wanted.as_str().unwrap()),
        "prefix" => found
            .and_then(Json::as_str)
            .is_some_and(|text| text.starts_with(wanted.as_str().unwrap())),
        other => panic!("{other}"),
    }
}
