//! The JSON form of links and steps.

use super::filter::{End, Filter};
use super::link::{Destination, Direction, Link, LinkKind, Step};
use super::parse::{Reader, expected, object_id, query_path, reference};
use crate::model::{Error, Reference, Result, limits};
use serde_json::{Map, Value as Json};

/// What an object after a link's name may say.
const OPTIONS: [&str; 6] = ["where", "id", "path", "type", "via", "direction"];

impl Reader {
    /// The filter `{NAME: VALUE}` of a link.
    pub(super) fn linked(&mut self, kind: LinkKind, value: &Json, depth: usize) -> Result<Filter> {
        if let Some(own) = self.own_column(kind, value)? {
            return Ok(own);
        }
        self.link()?;
        let whole = |kind| Link {
            kind,
            path: None,
            via: None,
        };
        Ok(match value {
            Json::Bool(true) => Filter::Linked {
                link: self.options(kind, &Map::new(), depth)?,
                to: Destination::Where(Box::new(self.scoped(None, depth + 1)?)),
            },
            Json::Object(map) if !map.contains_key("@ref") => {
                let to = match (map.get("id"), map.get("where")) {
                    (Some(_), Some(_)) => {
                        return Err(Error::invalid(
                            "\"id\" and \"where\" exclude each other: put the id into \"where\"",
                        ));
                    }
                    (Some(ids), None) => Destination::Ids(self.destinations(kind, ids)?),
                    (None, filter) => Destination::Where(Box::new(
                        self.scoped(filter, depth + 1)
                            .map_err(|e| e.context("\"where\""))?,
                    )),
                };
                let link = self.options(kind, map, depth)?;
                Filter::Linked { link, to }
            }
            Json::String(_) | Json::Object(_) | Json::Array(_) => Filter::Linked {
                link: match kind {
                    LinkKind::Related(_) => self.options(kind, &Map::new(), depth)?,
                    _ => whole(kind),
                },
                to: Destination::Ids(self.destinations(kind, value)?),
            },
            other => {
                return Err(expected(
                    "it takes an object id, a list of them, true, or an object such as {\"where\": FILTER}",
                    other,
                ));
            }
        })
    }

    /// Parent, source and target by id, or null for none: the object's own row says it.
    fn own_column(&mut self, kind: LinkKind, value: &Json) -> Result<Option<Filter>> {
        let own = |id| match kind {
            LinkKind::Parent => Some(Filter::Parent(id)),
            LinkKind::Source => Some(Filter::End {
                end: End::Source,
                id,
            }),
            LinkKind::Target => Some(Filter::End {
                end: End::Target,
                id,
            }),
            _ => None,
        };
        let Some(none) = own(None) else {
            return Ok(None);
        };
        Ok(match value {
            Json::Null => Some(none),
            Json::String(_) => own(Some(object_id(value)?)),
            Json::Object(map) if map.contains_key("@ref") => own(Some(object_id(value)?)),
            Json::Array(_) => {
                let items = self.items(value, false)?.iter();
                let any = items.map(|item| match item {
                    Json::Null => Ok(own(None)),
                    id => Ok(own(Some(object_id(id)?))),
                });
                let any: Vec<Option<Filter>> = any.collect::<Result<_>>()?;
                Some(Filter::Or(any.into_iter().flatten().collect()))
            }
            _ => None,
        })
    }

    fn destinations(&mut self, kind: LinkKind, value: &Json) -> Result<Vec<Reference>> {
        let items = self.items(value, true)?.iter();
        let ids = items.map(|item| match kind {
            LinkKind::RefersTo => reference(item),
            _ => object_id(item).map(|object| Reference {
                space: None,
                object,
            }),
        });
        ids.collect()
    }

    /// A link with what an object says of it.
    fn options(&mut self, kind: LinkKind, map: &Map<String, Json>, depth: usize) -> Result<Link> {
        let related = matches!(kind, LinkKind::Related(_));
        let refers = matches!(kind, LinkKind::RefersTo | LinkKind::ReferredBy);
        for key in map.keys() {
            match key.as_str() {
                "where" | "id" => {}
                "path" if refers => {}
                "type" | "via" | "direction" if related => {}
                known if OPTIONS.contains(&known) => {
                    return Err(Error::invalid(format!("{key:?} says nothing of this link")));
                }
                _ => {
                    return Err(Error::invalid(format!(
                        "{key:?} is no option of a link: use where or id; path for references; \
                         type, via and direction for relations"
                    )));
                }
            }
        }
        let path = match map.get("path") {
            None => None,
            Some(Json::String(path)) => Some(query_path(path).map_err(|e| e.context("\"path\""))?),
            Some(other) => return Err(expected("\"path\" is a field name or a path", other)),
        };
        if !related {
            return Ok(Link {
                kind,
                path,
                via: None,
            });
        }
        Ok(Link {
            kind: LinkKind::Related(direction(map.get("direction"))?),
            path,
            via: Some(Box::new(self.via(map, depth)?)),
        })
    }

    /// What the relation must be: in sight, of the types, and as `via` says.
    fn via(&mut self, map: &Map<String, Json>, depth: usize) -> Result<Filter> {
        let via = self
            .scoped(map.get("via"), depth + 1)
            .map_err(|e| e.context("\"via\""))?;
        let Some(types) = map.get("type") else {
            return Ok(via);
        };
        let types = self.types(types).map_err(|e| e.context("\"type\""))?;
        Ok(Filter::And(vec![types, via]))
    }

    /// The steps of `follow`.
    pub(super) fn steps(&mut self, value: &Json) -> Result<Vec<Step>> {
        let Json::Array(items) = value else {
            return Err(expected("it takes a list of steps", value));
        };
        if items.len() > limits::QUERY_STEPS {
            return Err(Error::limit(format!(
                "a query may follow {} steps",
                limits::QUERY_STEPS
            )));
        }
        let numbered = items.iter().enumerate();
        numbered
            .map(|(i, item)| self.step(item).map_err(|e| e.context(format!("step {i}"))))
            .collect()
    }

    fn step(&mut self, item: &Json) -> Result<Step> {
        const SHAPE: &str = "a step is an object of one key such as {\"child\": true}";
        let Json::Object(map) = item else {
            return Err(expected(SHAPE, item));
        };
        let mut entries = map.iter();
        let (Some((name, value)), None) = (entries.next(), entries.next()) else {
            return Err(Error::invalid(SHAPE));
        };
        let Some(kind) = LinkKind::named(name) else {
            return Err(Error::invalid(format!(
                "{name:?} is no link: use parent, child, ancestor, descendant, refers_to, \
                 referred_by, source, target, source_of, target_of or related"
            )));
        };
        self.link()?;
        let none = Map::new();
        let map = match value {
            Json::Bool(true) => &none,
            Json::Object(map) if !map.contains_key("id") && !map.contains_key("@ref") => map,
            Json::Object(_) => {
                return Err(Error::invalid(format!(
                    "{name:?}: a step takes no id; put it into \"where\""
                )));
            }
            other => {
                return Err(expected(
                    &format!("{name:?} takes true, or an object such as {{\"where\": FILTER}}"),
                    other,
                ));
            }
        };
        let step = self.options(kind, map, 0).and_then(|link| {
            let filter = self.scoped(map.get("where"), 1);
            let filter = filter.map_err(|e| e.context("\"where\""))?;
            Ok(Step { link, filter })
        });
        step.map_err(|e| e.context(format!("{name:?}")))
    }
}

fn direction(value: Option<&Json>) -> Result<Direction> {
    match value {
        None => Ok(Direction::Both),
        Some(Json::String(text)) => match text.as_str() {
            "out" => Ok(Direction::Out),
            "in" => Ok(Direction::In),
            "both" => Ok(Direction::Both),
            _ => Err(Error::invalid(
                "\"direction\" is \"out\", \"in\" or \"both\"",
            )),
        },
        Some(other) => Err(expected("\"direction\" is a string", other)),
    }
}
