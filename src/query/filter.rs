//! What a query is, once read: a filter, an order, and a window.

use super::link::{Destination, Link, Step};
use super::number::Number;
use super::search::Search;
use crate::model::{ObjectId, Path};
use std::cmp::Ordering;

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub struct Query {
    /// Which objects. Excludes deleted ones explicitly, unless the text mentioned them.
    pub filter: Filter,
    /// Where to go from those, step by step: the results are where the last step leads.
    pub follow: Vec<Step>,
    /// In which order; ties are broken by id.
    pub order: Vec<OrderBy>,
    /// How many at most.
    pub limit: Option<u64>,
    /// How many of the first to leave out.
    pub skip: u64,
    /// A hash of all but the window: two texts with the same hash ask the same in the same order.
    pub print: [u8; 32],
}

impl Query {
    /// The search that results are found and ranked by: the first that all results satisfy.
    pub fn leading(&self) -> Option<&Search> {
        fn first(filter: &Filter) -> Option<&Search> {
            match filter {
                Filter::Search(search) => Some(search),
                Filter::And(all) => all.iter().find_map(first),
                _ => None,
            }
        }
        // Steps lead to other objects.
        first(&self.filter).filter(|_| self.follow.is_empty())
    }

    /// Whether the results are ordered by how well they fit a search.
    pub fn is_ranked(&self) -> bool {
        self.order.iter().any(|by| by.key == OrderKey::Rank)
    }
}

/// A condition on one object.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// One of these types; `None` stands for objects without a type.
    Type(Vec<Option<String>>),
    /// One of these objects.
    Id(Vec<ObjectId>),
    /// A child of this object; `None` stands for objects without a parent.
    Parent(Option<ObjectId>),
    /// A relation that begins or ends at this object; `None` stands for objects without such an end.
    End {
        /// Which end.
        end: End,
        /// Whose.
        id: Option<ObjectId>,
    },
    /// A relation, or not one.
    Relation(bool),
    /// Has one of these tags.
    Tag(Vec<String>),
    /// Has a foreign key of this source: one of `keys`, or any at all.
    Key {
        /// The other system.
        source: String,
        /// The object's name there.
        keys: Option<Vec<String>>,
    },
    /// A link leads from it to such an object.
    Linked {
        /// Which link.
        link: Link,
        /// To what.
        to: Destination,
    },
    /// Neither deleted nor a branch: what a query finds that mentions neither.
    Visible,
    /// Deleted, or a descendant of a deleted one; or neither.
    Deleted(bool),
    /// A branch of another object, or not.
    Branch(bool),
    /// By one of the two clocks of an object.
    Time {
        /// Which.
        clock: Clock,
        /// How the clock compares with `ms`.
        comparison: Comparison,
        /// Milliseconds since 1970.
        ms: i64,
    },
    /// By the value at a path.
    Field {
        /// Where.
        path: Path,
        /// What must hold of it.
        test: Test,
    },
    /// By the words within it.
    Search(Search),
    /// All of them; of none, true.
    And(Vec<Filter>),
    /// At least one of them; of none, false.
    Or(Vec<Filter>),
    /// Not this one.
    Not(Box<Filter>),
}

/// The ends of a relation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Where it begins.
    Source,
    /// Where it ends.
    Target,
}

/// A time that every object has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// When it was made.
    Created,
    /// When it last changed.
    Updated,
}

/// A test of the value at a path.
#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    /// Equals the value.
    Equal(Scalar),
    /// Does not equal the value.
    Differ(Scalar),
    /// Has the value's kind, and compares so with it. The value is a number or a string.
    Compare(Comparison, Scalar),
    /// Equals one of the values.
    In(Vec<Scalar>),
    /// A list with such an element, or a string with such a part.
    Contains(Scalar),
    /// A string that begins so.
    Prefix(String),
    /// Is there, or is not.
    Exists(bool),
    /// Is of this kind.
    Kind(Kind),
}

/// The kinds of values, as comparisons tell them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Null.
    Null,
    /// A boolean.
    Boolean,
    /// A number.
    Number,
    /// A string.
    String,
    /// A list.
    List,
    /// A map.
    Map,
}

/// How two values of one kind are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Before.
    Less,
    /// Before or equal.
    AtMost,
    /// After.
    Greater,
    /// After or equal.
    AtLeast,
}

impl Comparison {
    /// Whether two values in this order satisfy the comparison.
    pub(super) fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Less => order.is_lt(),
            Comparison::AtMost => order.is_le(),
            Comparison::Greater => order.is_gt(),
            Comparison::AtLeast => order.is_ge(),
        }
    }
}

/// A value that others are compared with.
#[derive(Clone, Debug, PartialEq)]
pub enum Scalar {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number.
    Number(Number),
    /// A string.
    String(String),
}

/// One key of the order.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderBy {
    /// By what.
    pub key: OrderKey,
    /// Whether the last come first.
    pub descending: bool,
}

/// What objects are ordered by.
#[derive(Clone, Debug, PartialEq)]
pub enum OrderKey {
    /// The time they were made or last changed.
    Clock(Clock),
    /// Their ids.
    Id,
    /// How well they fit the query's search, the best first.
    Rank,
    /// The names of their types; those without one come first.
    Type,
    /// Their parents' ids; those without one come first.
    Parent,
    /// The value at a path.
    Field(Path),
}
