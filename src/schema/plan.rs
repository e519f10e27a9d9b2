//! What checking a schema involves: which subschemas apply to a value and which to its parts. From
//! this the steps of a check are counted before it is done ([`super::cost`]).

use super::pattern;
use crate::model::id::clip;
use crate::model::path::escaped;
use crate::model::{Error, Result, limits};
use serde_json::{Map, Value as Json};
use std::collections::HashMap;

/// Keywords whose schema applies to the same value.
const SAME: [&str; 4] = ["not", "if", "then", "else"];
/// Likewise, with a list of schemas.
const SAME_LISTS: [&str; 3] = ["allOf", "anyOf", "oneOf"];
/// Likewise, with a map of schemas.
const SAME_MAPS: [&str; 2] = ["dependentSchemas", "dependencies"];
/// Keywords whose schema applies to every property, unless it is named elsewhere.
const OTHER: [&str; 2] = ["additionalProperties", "unevaluatedProperties"];
/// Keywords whose schema applies to every item.
const ITEMS: [&str; 3] = ["additionalItems", "unevaluatedItems", "contains"];
/// Keywords that hold schemas which apply only where they are referred to.
const DEFINITIONS: [&str; 2] = ["$defs", "definitions"];
/// Keywords by which a schema names places beside its own structure.
const REFUSED: [&str; 5] = [
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveRef",
    "$recursiveAnchor",
];
/// Keywords that assert nothing here and are taken out before the schema is compiled.
const SILENT: [&str; 4] = [
    "format",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
];

/// One subschema.
#[derive(Default)]
pub(super) struct Node {
    /// Steps of its own, whatever the value.
    pub(super) own: u64,
    /// What applies to the same value.
    pub(super) same: Vec<usize>,
    pub(super) properties: HashMap<String, usize>,
    /// What a character of a property's name costs, in halves of a step, and what applies to it.
    pub(super) patterns: Vec<(u64, usize)>,
    pub(super) others: Vec<usize>,
    /// What applies to the properties' names.
    pub(super) names: Vec<usize>,
    pub(super) first_items: Vec<usize>,
    pub(super) items: Vec<usize>,
    /// What a character of a string costs, in halves of a step.
    pub(super) pattern: u64,
    pub(super) unique: bool,
}

/// A schema's subschemas, the schema itself first.
pub(super) struct Plan {
    nodes: Vec<Node>,
    patterns: usize,
}

/// Reads a schema's structure.
struct Reader<'a> {
    root: &'a Json,
    places: HashMap<String, usize>,
    /// Places found and not read yet.
    open: Vec<(String, usize)>,
    patterns: usize,
}

impl Plan {
    /// The plan of a schema. Fails if the schema uses what is not supported or is out of bounds.
    pub(super) fn read(root: &Json) -> Result<(Plan, Vec<String>)> {
        let mut reader = Reader {
            root,
            places: HashMap::new(),
            open: Vec::new(),
            patterns: 0,
        };
        reader.place(String::new())?;
        let mut nodes: Vec<Node> = Vec::new();
        while let Some((pointer, index)) = reader.open.pop() {
            let node = reader.node(&pointer).map_err(|e| {
                let place = if pointer.is_empty() { "/" } else { &pointer };
                e.context(format!("at {:?}", clip(place)))
            })?;
            if nodes.len() <= index {
                nodes.resize_with(index + 1, Node::default);
            }
            if let Some(slot) = nodes.get_mut(index) {
                *slot = node;
            }
        }
        let plan = Plan {
            nodes,
            patterns: reader.patterns,
        };
        plan.check_same()?;
        Ok((plan, reader.places.into_keys().collect()))
    }

    pub(super) fn node(&self, index: usize) -> Option<&Node> {
        self.nodes.get(index)
    }

    /// How many patterns there are, each a program in memory.
    pub(super) fn patterns(&self) -> usize {
        self.patterns
    }

    /// Refuses a schema that applies itself to the same value for ever, or too often. `sizes` is
    /// the number of schemas that apply where one does.
    fn check_same(&self) -> Result<()> {
        let mut sizes: Vec<Option<u64>> = vec![None; self.nodes.len()];
        for start in 0..self.nodes.len() {
            let mut path = Vec::new();
            self.same_size(start, &mut sizes, &mut path)?;
        }
        Ok(())
    }

    fn same_size(
        &self,
        node: usize,
        sizes: &mut [Option<u64>],
        path: &mut Vec<usize>,
    ) -> Result<u64> {
        if let Some(known) = sizes.get(node).copied().flatten() {
            return Ok(known);
        }
        if path.contains(&node) {
            return Err(Error::invalid(
                "the schema refers to itself without going into the value: it would never end",
            ));
        }
        if path.len() >= limits::SCHEMA_DEPTH {
            return Err(Error::limit(format!(
                "references may follow each other {} times without going into the value",
                limits::SCHEMA_DEPTH
            )));
        }
        path.push(node);
        let mut size = 1u64;
        for child in self.nodes.get(node).map_or(&[][..], |n| &n.same) {
            size = size.saturating_add(self.same_size(*child, sizes, path)?);
        }
        path.pop();
        if size > limits::SCHEMA_NODES as u64 {
            return Err(Error::limit(format!(
                "more than {} schemas would apply to one value",
                limits::SCHEMA_NODES
            )));
        }
        if let Some(slot) = sizes.get_mut(node) {
            *slot = Some(size);
        }
        Ok(size)
    }
}

/// Takes out of a schema what asserts nothing here, at these places, and its own name.
pub(super) fn silence(root: &mut Json, places: &[String]) {
    for place in places {
        if let Some(Json::Object(map)) = root.pointer_mut(place) {
            for keyword in SILENT {
                // Where it is no string it breaks the standard's own schema, which will say so.
                if keyword == "contentSchema" || map.get(keyword).is_some_and(Json::is_string) {
                    map.shift_remove(keyword);
                }
            }
        }
    }
    if let Json::Object(map) = root {
        map.shift_remove("$id");
        map.shift_remove("id");
    }
}

impl Reader<'_> {
    /// The number of the subschema at a place.
    fn place(&mut self, pointer: String) -> Result<usize> {
        if let Some(index) = self.places.get(&pointer) {
            return Ok(*index);
        }
        let index = self.places.len();
        if index >= limits::SCHEMA_NODES {
            return Err(Error::limit(format!(
                "a schema may have {} subschemas",
                limits::SCHEMA_NODES
            )));
        }
        self.places.insert(pointer.clone(), index);
        self.open.push((pointer, index));
        Ok(index)
    }

    fn node(&mut self, pointer: &str) -> Result<Node> {
        let root = self.root;
        let found = root
            .pointer(pointer)
            .ok_or_else(|| Error::invalid("the schema refers to this place, which is not there"))?;
        let mut node = Node::default();
        let Json::Object(map) = found else {
            return Ok(node);
        };
        self.check_names(map, pointer)?;
        node.own = own_steps(map);
        node.unique = map.get("uniqueItems") == Some(&Json::Bool(true));
        if let Some(Json::String(pattern)) = map.get("pattern") {
            node.pattern = self.pattern(pattern)?;
        }
        if let Some(reference) = map.get("$ref") {
            let target = local(reference)?;
            node.same.push(self.place(target)?);
        }
        self.same(map, pointer, &mut node)?;
        self.parts(map, pointer, &mut node)?;
        for keyword in DEFINITIONS {
            self.map_of(map, pointer, keyword)?;
        }
        Ok(node)
    }

    fn check_names(&self, map: &Map<String, Json>, pointer: &str) -> Result<()> {
        if let Some(refused) = REFUSED.iter().find(|name| map.contains_key(**name)) {
            return Err(Error::invalid(format!(
                "{refused:?} is not supported: refer to a place within the schema, as in \
                 {{\"$ref\": \"#/$defs/name\"}}"
            )));
        }
        let names = ["$id", "$schema", "id"];
        // In the older drafts "id" is a name; in the later ones it is nothing.
        let named = names
            .iter()
            .find(|name| map.get(**name).is_some_and(Json::is_string));
        match named {
            Some(name) if !pointer.is_empty() => Err(Error::invalid(format!(
                "{name:?} may stand only at the schema's top"
            ))),
            _ => Ok(()),
        }
    }

    fn same(&mut self, map: &Map<String, Json>, pointer: &str, node: &mut Node) -> Result<()> {
        for keyword in SAME {
            node.same.extend(self.single(map, pointer, keyword)?);
        }
        for keyword in SAME_LISTS {
            node.same.extend(self.list_of(map, pointer, keyword)?);
        }
        for keyword in SAME_MAPS {
            let found = self.map_of(map, pointer, keyword)?;
            node.same.extend(found.into_iter().map(|(_, index)| index));
        }
        Ok(())
    }

    fn parts(&mut self, map: &Map<String, Json>, pointer: &str, node: &mut Node) -> Result<()> {
        node.properties = self
            .map_of(map, pointer, "properties")?
            .into_iter()
            .collect();
        for (pattern, index) in self.map_of(map, pointer, "patternProperties")? {
            node.patterns.push((self.pattern(&pattern)?, index));
        }
        for keyword in OTHER {
            node.others.extend(self.single(map, pointer, keyword)?);
        }
        node.names
            .extend(self.single(map, pointer, "propertyNames")?);
        for keyword in ITEMS {
            node.items.extend(self.single(map, pointer, keyword)?);
        }
        node.items.extend(self.single(map, pointer, "items")?);
        node.first_items = self.list_of(map, pointer, "items")?;
        let prefix = self.list_of(map, pointer, "prefixItems")?;
        if node.first_items.is_empty() {
            node.first_items = prefix;
        }
        Ok(())
    }

    fn single(
        &mut self,
        map: &Map<String, Json>,
        pointer: &str,
        keyword: &str,
    ) -> Result<Option<usize>> {
        match map.get(keyword) {
            Some(Json::Object(_) | Json::Bool(_)) => {
                self.place(format!("{pointer}/{keyword}")).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn list_of(
        &mut self,
        map: &Map<String, Json>,
        pointer: &str,
        keyword: &str,
    ) -> Result<Vec<usize>> {
        let Some(Json::Array(items)) = map.get(keyword) else {
            return Ok(Vec::new());
        };
        (0..items.len())
            .map(|index| self.place(format!("{pointer}/{keyword}/{index}")))
            .collect()
    }

    fn map_of(
        &mut self,
        map: &Map<String, Json>,
        pointer: &str,
        keyword: &str,
    ) -> Result<Vec<(String, usize)>> {
        let Some(Json::Object(entries)) = map.get(keyword) else {
            return Ok(Vec::new());
        };
        let schemas = entries
            .iter()
            .filter(|(_, json)| matches!(json, Json::Object(_) | Json::Bool(_)));
        schemas
            .map(|(name, _)| {
                let place = format!("{pointer}/{keyword}/{}", escaped(name));
                Ok((name.clone(), self.place(place)?))
            })
            .collect()
    }

    fn pattern(&mut self, pattern: &str) -> Result<u64> {
        self.patterns += 1;
        if self.patterns > limits::SCHEMA_PATTERNS {
            return Err(Error::limit(format!(
                "a schema may have {} patterns",
                limits::SCHEMA_PATTERNS
            )));
        }
        pattern::cost(pattern)
    }
}

/// The place that a reference within the schema names, as a JSON Pointer.
fn local(reference: &Json) -> Result<String> {
    let pointer = reference.as_str().and_then(|text| text.strip_prefix('#'));
    match pointer {
        Some(pointer) if pointer.is_empty() || pointer.starts_with('/') => {
            match pointer.contains('%') {
                false => Ok(pointer.to_owned()),
                true => Err(Error::invalid(
                    "references with '%' are not supported: rename what they refer to",
                )),
            }
        }
        _ => Err(Error::invalid(format!(
            "\"$ref\" {} leaves the schema: only references within it, such as \"#/$defs/name\", \
             are followed",
            clip(&reference.to_string())
        ))),
    }
}

/// What a subschema's lists cost wherever it applies.
fn own_steps(map: &Map<String, Json>) -> u64 {
    let listed = [
        "enum",
        "const",
        "required",
        "dependentRequired",
        "dependencies",
    ]
    .iter()
    .filter_map(|keyword| map.get(*keyword));
    listed.map(size).sum()
}

/// How many values a value is made of, itself included.
pub(super) fn size(json: &Json) -> u64 {
    match json {
        Json::Array(items) => 1 + items.iter().map(size).sum::<u64>(),
        Json::Object(map) => 1 + map.values().map(size).sum::<u64>(),
        Json::String(text) => 1 + text.len() as u64 / 64,
        _ => 1,
    }
}
