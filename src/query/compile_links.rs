//! The SQL of links.
//!
//! A condition that other objects decide has two forms. Asked of many objects, it is membership in
//! a set that is worked out once, from the other end: those that satisfy the inner filter, and what
//! they are linked with. Asked of few, it is a look from each.
//!
//! Joins are written with CROSS JOIN, which fixes their order: SQLite keeps no statistics here, and
//! would now and then begin at the wrong end. For the same reason the objects that a step leads to
//! are looked up by what is known of them, whatever else their filter offers; each of them once.

use super::compile::{Compiler, IN_SIGHT, SqlValue, USER, join};
use super::filter::Filter;
use super::link::{Destination, Direction, Link, LinkKind, Step, own};
use crate::model::{Path, Reference};

/// What links need of an object, which they call `a`.
const NODE: &str = "o.n,o.id,o.parent,o.source,o.target";
/// The same of the object that a condition is about, from within a SELECT.
const OUTER: &str =
    "SELECT o.n AS n,o.id AS id,o.parent AS parent,o.source AS source,o.target AS target";

/// Has objects found by their ids: the index is that of the column's UNIQUE.
const BY_ID: &str = " INDEXED BY sqlite_autoindex_objects_1";
/// Has them found by their numbers.
const BY_NUMBER: &str = " NOT INDEXED";

/// A link as a join: from `a` to where it leads.
struct Hop {
    /// What is joined.
    tables: String,
    /// On which conditions.
    on: Vec<String>,
    /// How the far end is known.
    far: Far,
}

enum Far {
    /// By its id.
    Id(String),
    /// By its number.
    Number(String),
    /// By a condition on its row.
    Row(String),
}

/// The objects that a query begins with, before its other conditions.
pub(super) struct Ends {
    /// What stands behind the table's name: which index is to be used.
    pub(super) by: &'static str,
    /// The condition on them.
    pub(super) condition: String,
}

impl Ends {
    fn new(hop: &Hop) -> Ends {
        let (by, condition) = match &hop.far {
            Far::Id(id) => (BY_ID, format!("o.id IN (SELECT {id} {})", hop.alone())),
            Far::Number(n) => (BY_NUMBER, format!("o.n IN (SELECT {n} {})", hop.alone())),
            Far::Row(_) => (BY_NUMBER, format!("o.n IN (SELECT o.n {})", hop.with_row())),
        };
        Ends { by, condition }
    }
}

impl Hop {
    /// `FROM … WHERE …`, without the far end's row.
    fn alone(&self) -> String {
        match self.on.is_empty() {
            true => format!("FROM {}", self.tables),
            false => format!("FROM {} WHERE {}", self.tables, self.on.join(" AND ")),
        }
    }

    /// `FROM … WHERE …`, the far end's row joined as `o`.
    fn with_row(&self) -> String {
        let condition = match &self.far {
            Far::Id(id) => format!("o.id = {id}"),
            Far::Number(n) => format!("o.n = {n}"),
            Far::Row(condition) => condition.clone(),
        };
        let on = [self.on.as_slice(), &[condition]].concat().join(" AND ");
        format!("FROM {} CROSS JOIN objects AS o WHERE {on}", self.tables)
    }
}

impl Compiler<'_> {
    /// The objects at the end of a traversal. The space's own are yet to be left out.
    pub(super) fn traversal(&mut self, start: &Filter, follow: &[Step]) -> Ends {
        let Some((last, before)) = follow.split_last() else {
            return Ends {
                by: "",
                condition: self.filter(start),
            };
        };
        let mut nexts = follow.iter().map(|step| step.link.kind);
        let mut from = match (parts(start), nexts.next()) {
            ([ids @ Filter::Id(_), Filter::Visible], Some(next)) if next.starts_at_key() => {
                let ids = self.filter(ids);
                format!("SELECT {NODE} FROM objects AS o{BY_ID} WHERE {IN_SIGHT} AND {ids}")
            }
            _ => self.nodes(start),
        };
        for (step, next) in before.iter().zip(nexts) {
            let hop = self.hop(&step.link, &from);
            let by_id = matches!(hop.far, Far::Id(_));
            let Ends { by, condition } = Ends::new(&hop);
            let kept =
                match by_id && next.starts_at_key() && parts(&step.filter) == [Filter::Visible] {
                    true => IN_SIGHT.to_owned(),
                    false => format!("{USER} AND {}", self.filter(&step.filter)),
                };
            from = format!("SELECT {NODE} FROM objects AS o{by} WHERE {condition} AND {kept}");
        }
        self.reached(last, &from)
    }

    /// The objects that a step leads to.
    fn reached(&mut self, step: &Step, from: &str) -> Ends {
        let hop = self.hop(&step.link, from);
        let Ends { by, condition } = Ends::new(&hop);
        let filter = self.filter(&step.filter);
        let condition = format!("{condition} AND {filter}");
        Ends { by, condition }
    }

    /// The objects that satisfy a filter, as links see them.
    fn nodes(&mut self, filter: &Filter) -> String {
        let filter = self.filter(filter);
        format!("SELECT {NODE} FROM objects AS o WHERE {USER} AND {filter}")
    }

    /// Whether a link leads to such an object.
    pub(super) fn linked(&mut self, link: &Link, to: &Destination) -> String {
        match to {
            Destination::Ids(ids) if ids.is_empty() => "0".into(),
            Destination::Ids(ids) if link.kind == LinkKind::RefersTo => {
                self.refers_to(ids, link.path.as_ref())
            }
            to if self.few => self.looked_up(link, to),
            to => self.worked_out(link, to),
        }
    }

    fn looked_up(&mut self, link: &Link, to: &Destination) -> String {
        let hop = self.hop(link, OUTER);
        let found = match to {
            Destination::Where(filter) => {
                let filter = self.filter(filter);
                format!("{} AND {USER} AND {filter}", hop.with_row())
            }
            Destination::Ids(ids) => {
                let ids = self.ids(ids);
                match &hop.far {
                    Far::Id(id) => {
                        let far = format!("{id} IN ({ids})");
                        let on = [hop.on.as_slice(), &[far]].concat().join(" AND ");
                        format!("FROM {} WHERE {on}", hop.tables)
                    }
                    _ => format!("{} AND o.id IN ({ids})", hop.with_row()),
                }
            }
        };
        // SQLite adds up the depths of expressions that stand within each other, and bounds the sum;
        // what stands in FROM begins anew.
        format!("EXISTS(SELECT 1 FROM (SELECT 1 {found}))")
    }

    fn worked_out(&mut self, link: &Link, to: &Destination) -> String {
        let back = link.inverse();
        let from = match to {
            Destination::Where(filter) => self.nodes(filter),
            Destination::Ids(ids) if back.kind.starts_at_id() => {
                let own = own(ids);
                let rows = own.iter().map(|id| {
                    let bound = self.bind(SqlValue::Blob(id.0.to_vec()));
                    format!("({bound})")
                });
                let rows: Vec<String> = rows.collect();
                format!("SELECT column1 AS id FROM (VALUES {})", rows.join(","))
            }
            Destination::Ids(ids) => {
                let ids = self.ids(ids);
                format!("SELECT {NODE} FROM objects AS o WHERE o.id IN ({ids})")
            }
        };
        let hop = self.hop(&back, &from);
        match &hop.far {
            Far::Number(n) => {
                format!(
                    "o.n IN (SELECT {n} FROM {} WHERE {})",
                    hop.tables,
                    hop.on.join(" AND ")
                )
            }
            _ => format!("o.n IN (SELECT o.n {})", hop.with_row()),
        }
    }

    fn ids(&mut self, ids: &[Reference]) -> String {
        self.bind_all(own(ids).iter().map(|id| SqlValue::Blob(id.0.to_vec())))
    }

    /// References are rows of their own: neither end has to be there, and they may lead elsewhere.
    fn refers_to(&mut self, ids: &[Reference], path: Option<&Path>) -> String {
        let mut targets = Vec::new();
        let inside = self.ids(ids);
        if !inside.is_empty() {
            targets.push(format!("(r.target IN ({inside}) AND r.space IS NULL)"));
        }
        for reference in ids {
            if let Some(space) = &reference.space {
                let target = self.bind(SqlValue::Blob(reference.object.0.to_vec()));
                let space = self.bind(SqlValue::Blob(space.as_bytes().to_vec()));
                targets.push(format!("(r.target = {target} AND r.space IS {space})"));
            }
        }
        let mut on = vec![join(&targets, "OR", "0")];
        on.extend(path.map(|path| self.at_or_below(path)));
        let on = on.join(" AND ");
        match self.few {
            true => format!("EXISTS(SELECT 1 FROM refs AS r WHERE r.object = o.n AND {on})"),
            false => format!("o.n IN (SELECT r.object FROM refs AS r WHERE {on})"),
        }
    }

    /// A reference's place is `path`, or within it: an item of a list, say.
    fn at_or_below(&mut self, path: &Path) -> String {
        let text = path.to_string();
        // What begins with "/a/" is from "/a/" on, and before "/a0": '0' follows '/'.
        let [first, past] = ["/", "0"].map(|end| SqlValue::Text(format!("{text}{end}")));
        let exact = self.bind(SqlValue::Text(text));
        let (first, past) = (self.bind(first), self.bind(past));
        format!("(r.path = {exact} OR (r.path >= {first} AND r.path < {past}))")
    }

    /// The join of a link from the objects that `from` selects.
    fn hop(&mut self, link: &Link, from: &str) -> Hop {
        let plain = |far: Far| Hop {
            tables: format!("({from}) AS a"),
            on: Vec::new(),
            far,
        };
        match link.kind {
            LinkKind::Parent => plain(Far::Id("a.parent".into())).known(),
            LinkKind::Child => plain(Far::Row("o.parent = a.id".into())),
            LinkKind::Source => plain(Far::Id("a.source".into())).known(),
            LinkKind::Target => plain(Far::Id("a.target".into())).known(),
            LinkKind::SourceOf => plain(Far::Row("o.source = a.id".into())),
            LinkKind::TargetOf => plain(Far::Row("o.target = a.id".into())),
            LinkKind::Ancestor => recursive(
                &format!("SELECT a.parent FROM ({from}) AS a WHERE a.parent IS NOT NULL"),
                "SELECT p.parent FROM t CROSS JOIN objects AS p WHERE p.id = t.id \
                 AND p.parent IS NOT NULL",
            ),
            LinkKind::Descendant => recursive(
                &format!(
                    "SELECT p.id FROM ({from}) AS a CROSS JOIN objects AS p WHERE p.parent = a.id"
                ),
                "SELECT p.id FROM t CROSS JOIN objects AS p WHERE p.parent = t.id",
            ),
            LinkKind::RefersTo => {
                self.references(link, from, "r.object = a.n", Far::Id("r.target".into()))
            }
            LinkKind::ReferredBy => self.references(
                link,
                from,
                "r.target = a.id",
                Far::Number("r.object".into()),
            ),
            LinkKind::Related(direction) => self.related(link, from, direction),
        }
    }

    fn references(&mut self, link: &Link, from: &str, near: &str, far: Far) -> Hop {
        let mut on = vec![near.to_owned(), "r.space IS NULL".to_owned()];
        on.extend(link.path.as_ref().map(|path| self.at_or_below(path)));
        Hop {
            tables: format!("({from}) AS a CROSS JOIN refs AS r"),
            on,
            far,
        }
    }

    fn related(&mut self, link: &Link, from: &str, direction: Direction) -> Hop {
        let (near, far) = match direction {
            Direction::Out => ("l.source = a.id", "l.target"),
            Direction::In => ("l.target = a.id", "l.source"),
            // One that begins and ends at the same object leads there.
            Direction::Both => (
                "(l.source = a.id OR l.target = a.id)",
                "CASE l.source WHEN a.id THEN l.target ELSE l.source END",
            ),
        };
        let mut on = vec![near.to_owned()];
        if let Some(via) = &link.via {
            let few = std::mem::replace(&mut self.few, true);
            let via = self.filter(via);
            self.few = few;
            on.push(format!(
                "EXISTS(SELECT 1 FROM objects AS o WHERE o.n = l.n AND {USER} AND {via})"
            ));
        }
        Hop {
            tables: format!("({from}) AS a CROSS JOIN objects AS l"),
            on,
            far: Far::Id(far.into()),
        }
    }

    /// Has one of the tags.
    pub(super) fn tag(&mut self, tags: &[String]) -> String {
        if tags.is_empty() {
            return "0".into();
        }
        let tags = self.bind_all(tags.iter().cloned().map(SqlValue::Text));
        self.labelled("tags", &format!("g.tag IN ({tags})"))
    }

    /// Has one of the foreign keys of a source.
    pub(super) fn key(&mut self, source: &str, keys: Option<&[String]>) -> String {
        if keys.is_some_and(<[String]>::is_empty) {
            return "0".into();
        }
        let source = self.bind(SqlValue::Text(source.to_owned()));
        let mut condition = format!("g.source = {source}");
        if let Some(keys) = keys {
            let keys = self.bind_all(keys.iter().cloned().map(SqlValue::Text));
            condition.push_str(&format!(" AND g.key IN ({keys})"));
        }
        self.labelled("keys", &condition)
    }

    fn labelled(&self, table: &str, condition: &str) -> String {
        match self.few {
            true => {
                format!("EXISTS(SELECT 1 FROM {table} AS g WHERE {condition} AND g.object = o.n)")
            }
            false => format!("o.n IN (SELECT g.object FROM {table} AS g WHERE {condition})"),
        }
    }
}

impl Hop {
    /// With the far end asked to be known. Else SQLite looks a NULL up for each object.
    fn known(mut self) -> Hop {
        if let Far::Id(id) = &self.far {
            self.on.push(format!("{id} IS NOT NULL"));
        }
        self
    }
}

/// Objects found from objects found before. UNION drops those found already, so that it ends
/// where a tree is a ring.
fn recursive(first: &str, next: &str) -> Hop {
    Hop {
        tables: format!(
            "(WITH RECURSIVE t(id) AS ({first} UNION {next}) SELECT t.id AS id FROM t) AS a"
        ),
        on: Vec::new(),
        far: Far::Id("a.id".into()),
    }
}

/// The conditions of a filter, all of which have to hold.
fn parts(filter: &Filter) -> &[Filter] {
    match filter {
        Filter::And(all) => all,
        one => std::slice::from_ref(one),
    }
}
