//! Filters.

use super::{Link, Names, object};
use serde_json::{Map, Value as Json};
use std::ops::{BitAnd, BitOr, Not};

/// What objects must satisfy. Combined with `&`, `|` and `!`; comparisons are made by
/// [`field`](super::field()), [`created`](super::created), [`updated`](super::updated) and [`Link`].
///
/// Deleted objects are left out by a filter that does not mention [`deleted`](Filter::deleted), branches by one that
/// does not mention [`branch`](Filter::branch). That holds of each filter within a link by itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter(Map<String, Json>);

impl Filter {
    /// Everything in sight.
    pub fn everything() -> Filter {
        Filter::default()
    }

    /// Objects of one of these types.
    pub fn of_type(names: impl Into<Names>) -> Filter {
        Filter::of("type", names.into().list())
    }

    /// Objects without a type.
    pub fn untyped() -> Filter {
        Filter::of("type", vec![Json::Null])
    }

    /// The objects of these ids.
    pub fn with_id(ids: impl Into<Names>) -> Filter {
        Filter::of("id", ids.into().list())
    }

    /// The children of the object of this id. Those of several are found by [`Link::to`], those at any depth by
    /// [`Link::ancestor`], objects without a parent by [`Link::is_none`].
    pub fn child_of(parent: &str) -> Filter {
        Filter::of("parent", parent)
    }

    /// Objects with one of these tags.
    pub fn tagged(tags: impl Into<Names>) -> Filter {
        Filter::of("tag", tags.into().list())
    }

    /// Objects that have one of these keys in another system, `source`; that of natural keys is `natural`.
    pub fn with_key(source: &str, keys: impl Into<Names>) -> Filter {
        let mut key = object("source", source);
        key.insert("key".into(), keys.into().list_or_one());
        Filter::of("key", key)
    }

    /// Objects that have any key in another system.
    pub fn with_any_key(source: &str) -> Filter {
        Filter::of("key", object("source", source))
    }

    /// Deleted objects and what is below them; or, with `false`, the others.
    pub fn deleted(deleted: bool) -> Filter {
        Filter::of("deleted", deleted)
    }

    /// Branches of other objects; or, with `false`, the others.
    pub fn branch(branch: bool) -> Filter {
        Filter::of("branch", branch)
    }

    /// Relations, which are objects with a source or a target; or, with `false`, the others.
    pub fn relation(relation: bool) -> Filter {
        Filter::of("relation", relation)
    }

    /// Objects in whose strings and texts the words occur: `red rose`, `"a phrase"`, `ros*`, `-thorn`, `rose OR
    /// tulip`. At most 4096 bytes and 64 words; a query has at most 16 searches.
    pub fn search(words: &str) -> Filter {
        Filter::of("search", words)
    }

    /// As [`search`](Filter::search), looking only at these fields, at most 8, and what is below them.
    pub fn search_in(words: &str, fields: impl Into<Names>) -> Filter {
        let mut search = object("search", words);
        search.insert("in".into(), fields.into().list());
        Filter(search)
    }

    /// Objects that satisfy all of the filters; of none, everything.
    pub fn all_of(filters: impl IntoIterator<Item = Filter>) -> Filter {
        Filter::of("and", filters.into_iter().map(Json::from).collect::<Json>())
    }

    /// Objects that satisfy at least one of the filters; of none, nothing.
    pub fn any_of(filters: impl IntoIterator<Item = Filter>) -> Filter {
        Filter::of("or", filters.into_iter().map(Json::from).collect::<Json>())
    }

    /// The filter as JSON.
    pub fn to_json(&self) -> String {
        Json::Object(self.0.clone()).to_string()
    }

    /// A filter of one key.
    pub(super) fn of(key: &str, value: impl Into<Json>) -> Filter {
        Filter(object(key, value))
    }

    /// A filter of these keys.
    pub(super) fn from_map(map: Map<String, Json>) -> Filter {
        Filter(map)
    }

    /// `a & b & c` is one list, not a tree, of which depth is bounded.
    fn join(key: &str, filters: [Filter; 2]) -> Filter {
        let mut operands = Vec::new();
        for Filter(mut map) in filters {
            let alone = map.len() == 1;
            match map.get_mut(key) {
                Some(Json::Array(inner)) if alone => operands.append(inner),
                _ => operands.push(Json::Object(map)),
            }
        }
        Filter::of(key, operands)
    }
}

impl BitAnd for Filter {
    type Output = Filter;

    /// Objects that satisfy both.
    fn bitand(self, other: Filter) -> Filter {
        Filter::join("and", [self, other])
    }
}

impl BitOr for Filter {
    type Output = Filter;

    /// Objects that satisfy at least one.
    fn bitor(self, other: Filter) -> Filter {
        Filter::join("or", [self, other])
    }
}

impl Not for Filter {
    type Output = Filter;

    /// Objects that do not satisfy it.
    fn not(self) -> Filter {
        Filter::of("not", self)
    }
}

/// Objects from which the link leads to at least one, as [`Link::exists`] says.
impl From<Link> for Filter {
    fn from(link: Link) -> Filter {
        link.exists()
    }
}

/// The JSON itself.
impl From<Filter> for Json {
    fn from(filter: Filter) -> Json {
        Json::Object(filter.0)
    }
}

super::as_json!(Filter);
