//! Links between objects: trees, references, relations. A filter asks whether one leads from an
//! object to certain others; a step goes where it leads.

use super::filter::Filter;
use crate::model::{ObjectId, Path, Reference};

/// A link, and which of its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    /// Its kind.
    pub kind: LinkKind,
    /// For references: only those at this place, or below it.
    pub path: Option<Path>,
    /// For [`LinkKind::Related`]: what the relation between must be.
    pub via: Option<Box<Filter>>,
}

/// Where a link leads from an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// To its parent.
    Parent,
    /// To its children.
    Child,
    /// To its parent, that one's parent, and so on.
    Ancestor,
    /// To its children, their children, and so on.
    Descendant,
    /// To what it refers to, within the space.
    RefersTo,
    /// To what refers to it, within the space.
    ReferredBy,
    /// From a relation to where it begins.
    Source,
    /// From a relation to where it ends.
    Target,
    /// To the relations that begin at it.
    SourceOf,
    /// To the relations that end at it.
    TargetOf,
    /// Along a relation to its other end.
    Related(Direction),
}

/// Which way relations are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From source to target.
    Out,
    /// From target to source.
    In,
    /// Either way.
    Both,
}

/// What a link has to lead to.
#[derive(Clone, Debug, PartialEq)]
pub enum Destination {
    /// One of these, in sight or not; where a link may dangle, there or not. Only references lead
    /// to other spaces.
    Ids(Vec<Reference>),
    /// An object that satisfies the filter.
    Where(Box<Filter>),
}

/// One step of a traversal.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Along which link.
    pub link: Link,
    /// Which of the objects it leads to are kept.
    pub filter: Filter,
}

impl LinkKind {
    /// The kind of this name in the JSON form.
    pub(super) fn named(name: &str) -> Option<LinkKind> {
        Some(match name {
            "parent" => LinkKind::Parent,
            "child" => LinkKind::Child,
            "ancestor" => LinkKind::Ancestor,
            "descendant" => LinkKind::Descendant,
            "refers_to" => LinkKind::RefersTo,
            "referred_by" => LinkKind::ReferredBy,
            "source" => LinkKind::Source,
            "target" => LinkKind::Target,
            "source_of" => LinkKind::SourceOf,
            "target_of" => LinkKind::TargetOf,
            "related" => LinkKind::Related(Direction::Both),
            _ => return None,
        })
    }

    /// The same link seen from where it leads.
    fn inverse(self) -> LinkKind {
        match self {
            LinkKind::Parent => LinkKind::Child,
            LinkKind::Child => LinkKind::Parent,
            LinkKind::Ancestor => LinkKind::Descendant,
            LinkKind::Descendant => LinkKind::Ancestor,
            LinkKind::RefersTo => LinkKind::ReferredBy,
            LinkKind::ReferredBy => LinkKind::RefersTo,
            LinkKind::Source => LinkKind::SourceOf,
            LinkKind::Target => LinkKind::TargetOf,
            LinkKind::SourceOf => LinkKind::Source,
            LinkKind::TargetOf => LinkKind::Target,
            LinkKind::Related(Direction::Out) => LinkKind::Related(Direction::In),
            LinkKind::Related(Direction::In) => LinkKind::Related(Direction::Out),
            LinkKind::Related(Direction::Both) => self,
        }
    }

    /// Whether following it asks nothing of an object but its id and its number.
    pub(super) fn starts_at_key(self) -> bool {
        self.starts_at_id() || self == LinkKind::RefersTo
    }

    /// Whether following it asks nothing of an object but its id.
    pub(super) fn starts_at_id(self) -> bool {
        matches!(
            self,
            LinkKind::Child
                | LinkKind::Descendant
                | LinkKind::ReferredBy
                | LinkKind::SourceOf
                | LinkKind::TargetOf
                | LinkKind::Related(_)
        )
    }
}

impl Link {
    /// The same link seen from where it leads.
    pub(super) fn inverse(&self) -> Link {
        Link {
            kind: self.kind.inverse(),
            path: self.path.clone(),
            via: self.via.clone(),
        }
    }
}

/// What a traversal ends at, said as a condition on the objects there: each step is asked
/// backwards. Good where few objects are to be judged.
pub(super) fn backwards(start: &Filter, follow: &[Step]) -> Filter {
    follow.iter().fold(start.clone(), |from, step| {
        Filter::And(vec![
            step.filter.clone(),
            Filter::Linked {
                link: step.link.inverse(),
                to: Destination::Where(Box::new(from)),
            },
        ])
    })
}

/// The ids of references within the space.
pub(super) fn own(ids: &[Reference]) -> Vec<ObjectId> {
    let own = ids.iter().filter(|reference| reference.space.is_none());
    own.map(|reference| reference.object).collect()
}
