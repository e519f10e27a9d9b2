//! A filter evaluated on one object in memory: what live queries ask about a change.

use super::fields;
use super::filter::{Clock, End, Filter, Kind, Query, Scalar, Test};
use super::number::Number;
use crate::model::{Error, ObjectId, Result, SystemFields};
use serde_json::Value as Json;

/// What a filter sees of an object.
#[derive(Clone, Copy, Debug)]
pub struct RowView<'a> {
    /// The object.
    pub id: ObjectId,
    /// Its type name.
    pub type_name: Option<&'a str>,
    /// Its parent.
    pub parent: Option<ObjectId>,
    /// Whether it, or an ancestor of it, is deleted.
    pub gone: bool,
    /// Whether it is a branch of another object.
    pub branch: bool,
    /// When it was made: milliseconds since 1970.
    pub created_ms: i64,
    /// When it last changed.
    pub updated_ms: i64,
    /// The rest of its system part.
    pub system: &'a SystemFields,
    /// Its fields in plain form.
    pub plain: &'a Json,
}

impl RowView<'_> {
    pub(super) fn clock(&self, clock: Clock) -> i64 {
        match clock {
            Clock::Created => self.created_ms,
            Clock::Updated => self.updated_ms,
        }
    }
}

impl Query {
    /// Whether an object is among the query's results, order and window aside.
    pub fn matches(&self, row: &RowView<'_>) -> bool {
        matches(&self.filter, row)
    }

    /// Fails if it takes more than an object itself to say whether the object is among the results.
    pub fn check_row_decides(&self) -> Result<()> {
        match self.follow.is_empty() && row_decides(&self.filter) {
            true => Ok(()),
            false => Err(Error::invalid(
                "a subscription sees one object at a time: it takes no link to other objects and no \
                 \"follow\"; use a live query",
            )),
        }
    }
}

fn row_decides(filter: &Filter) -> bool {
    match filter {
        Filter::Linked { .. } => false,
        Filter::And(all) | Filter::Or(all) => all.iter().all(row_decides),
        Filter::Not(filter) => row_decides(filter),
        _ => true,
    }
}

/// Whether an object satisfies a filter. Agrees with what [`super::compile()`] makes of it.
pub fn matches(filter: &Filter, row: &RowView<'_>) -> bool {
    match filter {
        Filter::Type(names) => names.iter().any(|name| name.as_deref() == row.type_name),
        Filter::Id(ids) => ids.contains(&row.id),
        Filter::Parent(parent) => *parent == row.parent,
        Filter::End { end, id } => {
            let found = match end {
                End::Source => row.system.source,
                End::Target => row.system.target,
            };
            *id == found
        }
        Filter::Relation(relation) => {
            *relation == (row.system.source.is_some() || row.system.target.is_some())
        }
        Filter::Tag(tags) => tags.iter().any(|tag| row.system.tags.contains(tag)),
        Filter::Key { source, keys } => match (row.system.keys.get(source), keys) {
            (Some(found), Some(keys)) => keys.contains(found),
            (found, _) => found.is_some(),
        },
        // Refused where one object has to decide.
        Filter::Linked { .. } => false,
        Filter::Visible => !row.gone && !row.branch,
        Filter::Deleted(deleted) => *deleted == row.gone,
        Filter::Branch(branch) => *branch == row.branch,
        Filter::Time {
            clock,
            comparison,
            ms,
        } => comparison.holds(row.clock(*clock).cmp(ms)),
        Filter::Field { path, test } => holds(test, fields::at(row.plain, path)),
        Filter::Search(search) => search.matches(row.plain),
        Filter::And(all) => all.iter().all(|filter| matches(filter, row)),
        Filter::Or(any) => any.iter().any(|filter| matches(filter, row)),
        Filter::Not(filter) => !matches(filter, row),
    }
}

fn holds(test: &Test, found: Option<&Json>) -> bool {
    let equals = |scalar: &Scalar| found.is_some_and(|json| fields::equal(json, scalar));
    match test {
        Test::Equal(scalar) => equals(scalar),
        Test::Differ(scalar) => !equals(scalar),
        Test::In(scalars) => scalars.iter().any(equals),
        Test::Kind(kind) => matches!(
            (kind, found),
            (Kind::Null, Some(Json::Null))
                | (Kind::Boolean, Some(Json::Bool(_)))
                | (Kind::Number, Some(Json::Number(_)))
                | (Kind::String, Some(Json::String(_)))
                | (Kind::List, Some(Json::Array(_)))
                | (Kind::Map, Some(Json::Object(_)))
        ),
        Test::Exists(wanted) => found.is_some() == *wanted,
        Test::Compare(comparison, scalar) => {
            let order = match (found, scalar) {
                (Some(Json::String(a)), Scalar::String(b)) => Some(a.as_str().cmp(b)),
                (Some(Json::Number(a)), Scalar::Number(b)) => {
                    Number::from_json(a).map(|a| a.order(*b))
                }
                _ => None,
            };
            order.is_some_and(|order| comparison.holds(order))
        }
        Test::Contains(scalar) => match (found, scalar) {
            (Some(Json::Array(items)), _) => items.iter().any(|item| fields::equal(item, scalar)),
            (Some(Json::String(text)), Scalar::String(part)) => text.contains(part),
            _ => false,
        },
        Test::Prefix(prefix) => {
            matches!(found, Some(Json::String(text)) if text.starts_with(prefix))
        }
    }
}
