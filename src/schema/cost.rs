//! Counting the steps of a check before it is made. The count is never less than what the validator
//! does: where that depends on the outcome of other steps, all are counted.

use super::plan::{Node, Plan, size};
use crate::model::limits;
use serde_json::Value as Json;
use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hasher};

/// Items up to which the validator compares each with each.
const FEW_ITEMS: usize = 20;
/// Bytes of a string that are read in one step.
const STEP_BYTES: u64 = 64;

/// What a check takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    /// A subschema that looks at a value, a character matched, a value compared.
    pub(super) steps: u64,
    /// What may be found fault with, each with the length of its path: what errors take in memory.
    pub(super) places: u64,
}

impl Plan {
    /// Counts a check of `value`; `None` past the bounds of steps or of nesting.
    pub(super) fn cost(&self, value: &Json) -> Option<Cost> {
        let mut count = Count {
            plan: self,
            left: limits::SCHEMA_STEPS,
            places: 0,
        };
        count.walk(0, value, 0, 0)?;
        Some(Cost {
            steps: limits::SCHEMA_STEPS - count.left,
            places: count.places,
        })
    }
}

struct Count<'a> {
    plan: &'a Plan,
    left: u64,
    places: u64,
}

impl<'a> Count<'a> {
    fn spend(&mut self, steps: u64) -> Option<()> {
        self.left = self.left.checked_sub(steps)?;
        Some(())
    }

    /// `depth` is that of steps within each other, `level` that of the value within the object.
    fn walk(&mut self, node: usize, value: &Json, depth: usize, level: u64) -> Option<()> {
        let node = self.plan.node(node)?;
        if depth > limits::SCHEMA_CHECK_DEPTH {
            return None;
        }
        self.places += 1 + level;
        self.spend(1 + node.own)?;
        for child in &node.same {
            self.walk(*child, value, depth + 1, level)?;
        }
        match value {
            Json::String(text) => self.text(node, text.len() as u64)?,
            Json::Array(items) => {
                self.spend(items.len() as u64)?;
                if node.unique {
                    self.unique(items)?;
                }
                for (index, item) in items.iter().enumerate() {
                    let first = node.first_items.get(index);
                    for child in first.into_iter().chain(&node.items) {
                        self.walk(*child, item, depth + 1, level + 1)?;
                    }
                }
            }
            Json::Object(map) => {
                self.spend(map.len() as u64)?;
                for (name, item) in map {
                    self.property(node, name, item, (depth + 1, level + 1))?;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn text(&mut self, node: &Node, bytes: u64) -> Option<()> {
        self.spend(bytes / STEP_BYTES + bytes * node.pattern / 2)
    }

    fn property(
        &mut self,
        node: &'a Node,
        name: &str,
        item: &Json,
        (depth, level): (usize, u64),
    ) -> Option<()> {
        if let Some(child) = node.properties.get(name) {
            self.walk(*child, item, depth, level)?;
        }
        for (cost, child) in &node.patterns {
            self.spend(1 + name.len() as u64 * cost / 2)?;
            self.walk(*child, item, depth, level)?;
        }
        for child in &node.others {
            self.walk(*child, item, depth, level)?;
        }
        if !node.names.is_empty() {
            // The validator makes a value of the name as well.
            let name = Json::String(name.to_owned());
            for child in &node.names {
                self.walk(*child, &name, depth, level)?;
            }
        }
        Some(())
    }

    /// Whether items are equal. Of many, the validator compares those whose hashes agree, and its
    /// hash does not see how arrays are nested: `[]`, `[[]]` and `[[], []]` have the same.
    fn unique(&mut self, items: &[Json]) -> Option<()> {
        let sizes = items.iter().map(size);
        let (all, most) = sizes.fold((0u64, 0), |(all, most), size| (all + size, most.max(size)));
        if items.len() <= FEW_ITEMS {
            return self.spend(all.saturating_mul(items.len() as u64));
        }
        self.spend(all)?;
        let mut alike: HashMap<u64, u64> = HashMap::new();
        let mut seen = HashSet::new();
        for item in items {
            let mut flat = DefaultHasher::new();
            flatten(item, &mut flat);
            let before = alike.entry(flat.finish()).or_default();
            let compared = *before;
            *before += 1;
            self.spend(compared.saturating_mul(most))?;
            // It stops at the first pair. What is taken for equal here is equal for certain, or the
            // rest of the items would go uncounted.
            if !seen.insert((exact(item, 1), exact(item, 2))) {
                return Some(());
            }
        }
        Some(())
    }
}

/// Hashes a value no finer than the validator does.
fn flatten(value: &Json, into: &mut DefaultHasher) {
    match value {
        Json::Null => into.write_u8(0),
        Json::Bool(b) => into.write_u8(1 + u8::from(*b)),
        Json::Number(n) => into.write_u64(n.as_f64().unwrap_or_default().to_bits()),
        Json::String(text) => into.write(text.as_bytes()),
        Json::Array(items) => items.iter().for_each(|item| flatten(item, into)),
        // The validator adds the entries' hashes up, under keys that anybody knows: whoever chooses
        // several entries can make the sum what they like.
        Json::Object(map) if map.len() > 1 => into.write_u8(3),
        Json::Object(map) => {
            for (name, item) in map {
                into.write(name.as_bytes());
                flatten(item, into);
            }
        }
    }
}

/// Hashes a value as it is written.
fn exact(value: &Json, key: u8) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write_u8(key);
    write_exact(value, &mut hasher);
    hasher.finish()
}

fn write_exact(value: &Json, into: &mut DefaultHasher) {
    match value {
        Json::Array(items) => {
            into.write_u8(4);
            into.write_u64(items.len() as u64);
            items.iter().for_each(|item| write_exact(item, into));
        }
        Json::Object(map) => {
            into.write_u8(5);
            into.write_u64(map.len() as u64);
            for (name, item) in map {
                into.write_u64(name.len() as u64);
                into.write(name.as_bytes());
                write_exact(item, into);
            }
        }
        Json::String(text) => {
            into.write_u8(3);
            into.write_u64(text.len() as u64);
            into.write(text.as_bytes());
        }
        // A whole number is not what the float that it rounds to is.
        Json::Number(n) => match (n.as_i64(), n.as_u64()) {
            (Some(n), _) => {
                into.write_u8(6);
                into.write_i64(n);
            }
            (_, Some(n)) => {
                into.write_u8(7);
                into.write_u64(n);
            }
            _ => {
                into.write_u8(8);
                into.write_u64(n.as_f64().unwrap_or_default().to_bits());
            }
        },
        Json::Null => into.write_u8(0),
        Json::Bool(b) => into.write_u8(1 + u8::from(*b)),
    }
}
