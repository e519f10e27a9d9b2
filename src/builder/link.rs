//! Links, as conditions and as steps.

use super::{Filter, Names, object};
use serde_json::{Map, Value as Json};

/// A way from an object to others: a condition ([`exists`](Link::exists), [`to`](Link::to),
/// [`is_none`](Link::is_none)), or a step that a query [follows](super::Query::follow).
///
/// It leads within the space, to every object in sight at its other end, unless [`that`](Link::that) narrows it. An
/// option that says nothing of a link is refused with `InvalidArgument`.
#[derive(Clone, Debug, PartialEq)]
pub struct Link {
    name: &'static str,
    options: Map<String, Json>,
}

/// Which way relations are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RelationDirection {
    /// From source to target.
    Out,
    /// From target to source.
    In,
    /// Either way.
    #[default]
    Both,
}

impl Link {
    /// To the parent.
    pub fn parent() -> Link {
        Link::named("parent")
    }

    /// To the children.
    pub fn child() -> Link {
        Link::named("child")
    }

    /// To the parent, its parent, and so on.
    pub fn ancestor() -> Link {
        Link::named("ancestor")
    }

    /// To the children, theirs, and so on.
    pub fn descendant() -> Link {
        Link::named("descendant")
    }

    /// To what an object refers to, in any field, or at one [place](Link::at).
    pub fn refers_to() -> Link {
        Link::named("refers_to")
    }

    /// To what refers to an object, in any field, or at one [place](Link::at).
    pub fn referred_by() -> Link {
        Link::named("referred_by")
    }

    /// From a relation to where it begins.
    pub fn source() -> Link {
        Link::named("source")
    }

    /// From a relation to where it ends.
    pub fn target() -> Link {
        Link::named("target")
    }

    /// To the relations that begin at an object.
    pub fn source_of() -> Link {
        Link::named("source_of")
    }

    /// To the relations that end at an object.
    pub fn target_of() -> Link {
        Link::named("target_of")
    }

    /// To the other ends of an object's relations; [`of_type`](Link::of_type), [`direction`](Link::direction) and
    /// [`via`](Link::via) say of which.
    pub fn related() -> Link {
        Link::named("related")
    }

    /// For references: only those at this field, or below it.
    pub fn at(self, path: impl Into<String>) -> Link {
        self.with("path", path.into())
    }

    /// For [`related`](Link::related): relations of one of these types.
    pub fn of_type(self, names: impl Into<Names>) -> Link {
        self.with("type", names.into().list())
    }

    /// For [`related`](Link::related): which way relations are followed.
    pub fn direction(mut self, direction: RelationDirection) -> Link {
        let name = match direction {
            RelationDirection::Out => "out",
            RelationDirection::In => "in",
            // That is what a link says that says nothing.
            RelationDirection::Both => {
                self.options.shift_remove("direction");
                return self;
            }
        };
        self.with("direction", name)
    }

    /// For [`related`](Link::related): relations that satisfy the filter.
    pub fn via(self, filter: impl Into<Filter>) -> Link {
        self.with("via", filter.into())
    }

    /// Leads only to objects that satisfy the filter.
    pub fn that(self, filter: impl Into<Filter>) -> Link {
        self.with("where", filter.into())
    }

    /// Objects from which the link leads to at least one.
    pub fn exists(self) -> Filter {
        let Link { name, .. } = self;
        Filter::of(name, self.said())
    }

    /// Objects from which the link leads to one of these ids. They may be deleted, and where a link may dangle they
    /// need not exist. For [`refers_to`](Link::refers_to) a reference into another space is taken too
    /// (`echo://SPACE/OBJECT`). Not beside [`that`](Link::that), and not in steps.
    pub fn to(self, ids: impl Into<Names>) -> Filter {
        let ids = ids.into().list();
        match self.options.is_empty() {
            true => Filter::of(self.name, ids),
            false => self.with("id", ids).exists(),
        }
    }

    /// Objects that have none: for [`parent`](Link::parent), [`source`](Link::source) and
    /// [`target`](Link::target), of which options are left out.
    pub fn is_none(&self) -> Filter {
        Filter::of(self.name, Json::Null)
    }

    fn named(name: &'static str) -> Link {
        Link {
            name,
            options: Map::new(),
        }
    }

    fn with(mut self, option: &str, value: impl Into<Json>) -> Link {
        self.options.insert(option.to_owned(), value.into());
        self
    }

    /// What is said of it.
    fn said(self) -> Json {
        match self.options.is_empty() {
            true => Json::Bool(true),
            false => Json::Object(self.options),
        }
    }
}

/// The JSON of the step.
impl From<Link> for Json {
    fn from(link: Link) -> Json {
        let Link { name, .. } = link;
        Json::Object(object(name, link.said()))
    }
}
