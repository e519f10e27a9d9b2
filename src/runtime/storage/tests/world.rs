//! Small random spaces, and random queries about them.

use super::*;
use crate::model::system::{Branch, SystemFields};
use crate::model::{Reference, SpaceId, json};
use serde_json::{Map, Value as Json, json as j};

/// Another space, which some references name.
pub const ELSEWHERE: SpaceId = SpaceId([9; 32]);
const TYPES: [&str; 3] = ["A", "B", "Knows"];
const TAGS: [&str; 3] = ["red", "big", "é"];
const SOURCES: [&str; 3] = ["github", "mail", "natural"];
const TEXTS: [&str; 5] = ["", "x", "xy", "y", "10"];
const PATHS: [&str; 5] = ["/to", "/list", "/list/0", "/deep/x", "/list1"];
pub const LINKS: [&str; 11] = [
    "parent",
    "child",
    "ancestor",
    "descendant",
    "refers_to",
    "referred_by",
    "source",
    "target",
    "source_of",
    "target_of",
    "related",
];

/// Makes spaces and queries.
pub struct Maker {
    pub random: Random,
    /// Ids up to here are objects; the next few dangle.
    pub size: usize,
}

impl Maker {
    fn chance(&mut self, one_in: usize) -> bool {
        self.random.below(one_in) == 0
    }

    fn any(&mut self) -> ObjectId {
        object_id(self.random.below(self.size + 2) as u64)
    }

    fn maybe(&mut self, one_in: usize) -> Option<ObjectId> {
        self.chance(one_in).then(|| self.any())
    }

    fn reference(&mut self) -> Json {
        let space = self.chance(5).then_some(ELSEWHERE);
        let object = self.any();
        j!({"@ref": Reference { space, object }.to_string()})
    }

    fn fields(&mut self) -> Json {
        let mut fields = Map::new();
        for name in ["n", "s", "t"] {
            if !self.chance(3) {
                fields.insert(name.into(), self.value());
            }
        }
        if self.chance(2) {
            fields.insert("to".into(), self.reference());
        }
        for name in ["list", "list1"] {
            if self.chance(4) {
                let items = (0..self.random.below(3)).map(|_| self.reference());
                fields.insert(name.into(), items.collect());
            }
        }
        if self.chance(4) {
            let reference = self.reference();
            fields.insert("deep".into(), j!({"x": reference, "y": self.value()}));
        }
        Json::Object(fields)
    }

    fn value(&mut self) -> Json {
        match self.random.below(9) {
            0 => Json::Null,
            1 => j!(self.chance(2)),
            2 => j!(self.random.below(4) as f64 / 2.0),
            3..=5 => j!(self.random.below(5)),
            6 => (0..self.random.below(3))
                .map(|_| j!(self.random.below(3)))
                .collect(),
            _ => j!(self.random.pick(&TEXTS)),
        }
    }

    /// The rows of a space, with what is below deleted objects out of sight.
    pub fn space(&mut self) -> Vec<ObjectRow> {
        let mut rows: Vec<ObjectRow> = (0..self.size as u64).map(|n| self.object(n)).collect();
        let parents: Vec<(ObjectId, Option<ObjectId>, bool)> =
            rows.iter().map(|r| (r.id, r.parent, r.deleted)).collect();
        for row in &mut rows {
            let mut above = row.parent;
            for _ in 0..self.size {
                let found = parents.iter().find(|(id, ..)| Some(*id) == above);
                let Some((_, parent, deleted)) = found else {
                    break;
                };
                row.hidden |= *deleted;
                above = *parent;
            }
        }
        rows
    }

    fn object(&mut self, n: u64) -> ObjectRow {
        let fields = self.fields();
        let tagged = json::parse_fields(&fields.to_string()).unwrap();
        let plain: Map<String, Json> = tagged
            .iter()
            .map(|(name, value)| (name.clone(), json::to_plain(value)))
            .collect();
        let mut system = SystemFields::default();
        if self.chance(3) {
            (system.source, system.target) = (self.maybe(1), self.maybe(1));
        } else {
            (system.source, system.target) = (self.maybe(12), self.maybe(12));
        }
        for tag in TAGS {
            if self.chance(4) {
                system.tags.insert(tag.into());
            }
        }
        for source in SOURCES {
            if self.chance(6) {
                let key = self.random.pick(&TEXTS[1..]).to_string();
                system.keys.insert(source.into(), key);
            }
        }
        if self.chance(12) {
            system.branch = Some(Branch {
                of: self.any(),
                heads: vec![],
                name: "b".into(),
                at: Vec::new(),
            });
        }
        ObjectRow {
            type_name: (!self.chance(4)).then(|| self.random.pick(&TYPES).to_string()),
            parent: self.maybe(2),
            deleted: self.chance(9),
            updated_ms: self.random.below(6) as i64,
            system,
            plain: Some(Json::Object(plain).to_string()),
            ..row(n, &json::fields_to_json(&tagged).to_string())
        }
    }

    fn ids(&mut self) -> Json {
        let one = self.any().to_string();
        match self.random.below(4) {
            0 => j!([one, self.any().to_string()]),
            1 => j!({"@ref": format!("echo:{one}")}),
            _ => j!(one),
        }
    }

    fn options(&mut self, name: &str, depth: usize) -> Map<String, Json> {
        let mut options = Map::new();
        if !self.chance(3) {
            options.insert("where".into(), self.filter(depth));
        }
        if ["refers_to", "referred_by"].contains(&name) && self.chance(2) {
            options.insert("path".into(), j!(self.random.pick(&PATHS)));
        }
        if name == "related" {
            if self.chance(2) {
                options.insert("type".into(), j!(self.random.pick(&TYPES)));
            }
            if self.chance(3) {
                options.insert("via".into(), self.filter(depth));
            }
            if !self.chance(3) {
                let direction = *self.random.pick(&["in", "out", "both"]);
                options.insert("direction".into(), j!(direction));
            }
        }
        options
    }

    fn link(&mut self, depth: usize) -> Json {
        let name = *self.random.pick(&LINKS);
        let value = match self.random.below(8) {
            0 if ["parent", "source", "target"].contains(&name) => Json::Null,
            0..=1 => j!(true),
            2 => self.ids(),
            3 if name == "refers_to" => {
                let object = self.any();
                let space = Some(ELSEWHERE);
                j!(Reference { space, object }.to_string())
            }
            3 => {
                let mut options = self.options(name, depth);
                options.remove("where");
                options.insert("id".into(), self.ids());
                Json::Object(options)
            }
            _ => Json::Object(self.options(name, depth)),
        };
        j!({ name: value })
    }

    fn field(&mut self) -> Json {
        let field = *self
            .random
            .pick(&["n", "s", "t", "/deep/y", "/list/0", "to"]);
        let op = *self.random.pick(&[
            "eq",
            "ne",
            "lt",
            "le",
            "gt",
            "ge",
            "in",
            "between",
            "contains",
            "contains_any",
            "contains_all",
            "exists",
            "kind",
            "prefix",
        ]);
        let number = |maker: &mut Maker| j!(maker.random.below(5));
        let text = |maker: &mut Maker| j!(maker.random.pick(&TEXTS));
        let value = match op {
            "exists" => j!(self.chance(2)),
            "prefix" => text(self),
            "kind" => {
                let kinds = ["null", "boolean", "number", "string", "list", "map"];
                j!(self.random.pick(&kinds))
            }
            "between" if self.chance(2) => j!([text(self), text(self)]),
            "between" => j!([number(self), number(self)]),
            "in" | "contains_any" | "contains_all" => {
                (0..self.random.below(3)).map(|_| number(self)).collect()
            }
            _ if self.chance(3) => text(self),
            _ => number(self),
        };
        j!({"field": field, "op": op, "value": value})
    }

    /// A random filter, nested at most so deep.
    pub fn filter(&mut self, depth: usize) -> Json {
        if depth > 0 && self.chance(3) {
            return self.link(depth - 1);
        }
        if depth > 0 && self.chance(3) {
            let some = (0..self.random.below(4)).map(|_| self.filter(depth - 1));
            let some: Json = some.collect();
            return match self.random.below(4) {
                0 => j!({ "and": some }),
                1 => j!({ "or": some }),
                2 => j!({"type": self.random.pick(&TYPES), "and": some}),
                _ => j!({"not": self.filter(depth - 1)}),
            };
        }
        match self.random.below(12) {
            0 => j!({}),
            1 => j!({"type": self.random.pick(&[j!("A"), j!(null), j!(["A", "Knows", null])])}),
            2 => j!({"id": [self.any().to_string(), self.any().to_string()]}),
            3 => j!({"tag": self.random.pick(&[j!("red"), j!(["big", "é"]), j!([])])}),
            4 => {
                let source = *self.random.pick(&SOURCES);
                match self.random.below(3) {
                    0 => j!({"key": {"source": source}}),
                    1 => j!({"key": {"source": source, "key": self.random.pick(&TEXTS)}}),
                    _ => j!({"key": {"source": source, "key": ["x", "y"]}}),
                }
            }
            5 => j!({"relation": self.chance(2)}),
            6 => j!({"deleted": self.chance(2)}),
            7 => j!({"branch": self.chance(2)}),
            8 => j!({"updated": {"ge": 1, "lt": self.random.below(7)}}),
            _ => self.field(),
        }
    }

    /// A random query with steps, order and window.
    pub fn query(&mut self) -> Json {
        let mut query = Map::new();
        query.insert("where".into(), self.filter(3));
        if self.chance(2) {
            let steps = (0..1 + self.random.below(3)).map(|_| {
                let name = *self.random.pick(&LINKS);
                let options = self.options(name, 1);
                match options.is_empty() {
                    true => j!({ name: true }),
                    false => j!({ name: options }),
                }
            });
            query.insert("follow".into(), steps.collect());
        }
        let keys = [
            "created", "updated", "id", "type", "parent", "n", "s", "/deep/y",
        ];
        let order = (0..self.random.below(3))
            .map(|_| j!({"by": self.random.pick(&keys), "desc": self.chance(2)}));
        query.insert("order".into(), order.collect());
        if self.chance(3) {
            query.insert("limit".into(), j!(self.random.below(9)));
        }
        if self.chance(4) {
            query.insert("skip".into(), j!(self.random.below(5)));
        }
        Json::Object(query)
    }
}
