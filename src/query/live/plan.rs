//! Queries that can be kept up to date by looking at changed objects alone, and the SQL for that.

use super::super::compile::{Compiler, ROW_COLUMNS, USER};
use super::super::compile_order::Term;
use super::super::filter::{Filter, OrderBy, OrderKey, Query};
use super::super::link::{Destination, LinkKind};
use super::super::{CompiledQuery, SqlValue};
use super::ranked::Entry;
use crate::model::{ObjectId, signed};
use std::ops::Range;

/// Results known beyond the window, so that not every object that leaves it costs a query for the
/// one that takes its place.
const SPARE: Range<usize> = if cfg!(test) { 1..4 } else { 16..256 };

/// How one query is kept up to date.
pub struct LivePlan {
    filter: Filter,
    order: Vec<OrderBy>,
    descending: Vec<bool>,
    window: Range<usize>,
    /// Finds those of some objects, which the first parameter names.
    among: CompiledQuery,
}

impl LivePlan {
    /// `None` for a query of which an object's own row does not tell whether, and where, it is
    /// among the results: such a query has to be run again.
    pub fn new(query: &Query) -> Option<LivePlan> {
        // Whatever else queries come to have must be judged here.
        let Query {
            filter,
            order,
            limit,
            skip,
            follow,
            print: _,
        } = query;
        if !follow.is_empty()
            || !is_of_row(filter)
            || !order.iter().all(|by| is_key_of_row(&by.key))
        {
            return None;
        }
        let count = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        let start = count(*skip);
        let end = limit.map_or(usize::MAX, |limit| start.saturating_add(count(limit)));
        let mut plan = LivePlan {
            filter: filter.clone(),
            order: order.clone(),
            descending: Vec::new(),
            window: start..end,
            among: CompiledQuery {
                sql: String::new(),
                params: Vec::new(),
                searches: false,
                unindexed: None,
            },
        };
        plan.descending = Compiler::default()
            .order_terms(order)
            .into_iter()
            .map(|term| term.descending)
            .collect();
        plan.among = plan.compile_among();
        Some(plan)
    }

    /// Which of the objects that satisfy the filter are results.
    pub fn window(&self) -> Range<usize> {
        self.window.clone()
    }

    /// How many are worth knowing, `None` if all are.
    pub fn capacity(&self) -> Option<usize> {
        let limit = self.window.end.checked_sub(self.window.start)?;
        let spare = (limit / 2).clamp(SPARE.start, SPARE.end);
        (self.window.end < usize::MAX).then(|| self.window.end.saturating_add(spare))
    }

    /// For each term of the order whether its last come first.
    pub fn descending(&self) -> &[bool] {
        &self.descending
    }

    /// Finds the first `limit` objects. Rows come with the terms of the order as last columns.
    pub fn first(&self, limit: Option<usize>) -> CompiledQuery {
        let mut c = Compiler::default();
        let filter = c.filter(&self.filter);
        self.ordered(c, &filter, limit)
    }

    /// Finds the first `limit` objects after a place.
    pub fn after(&self, place: &Entry, limit: usize) -> CompiledQuery {
        let mut c = Compiler::default();
        let filter = c.filter(&self.filter);
        let mut terms = c.order_terms(&self.order);
        terms.push(Term::ID);
        let id = SqlValue::Blob(place.id.as_bytes().to_vec());
        let cells = [&place.keys[..], &[Some(id)]].concat();
        let after = c.after(&terms, &cells);
        self.ordered(c, &format!("({filter}) AND {after}"), Some(limit))
    }

    /// Finds those of some objects that satisfy the filter, in no order.
    pub fn among(&self, ids: &[ObjectId]) -> CompiledQuery {
        let mut query = self.among.clone();
        if let Some(list) = query.params.first_mut() {
            let hex: Vec<String> = ids
                .iter()
                .map(|id| format!("\"{}\"", data_encoding::HEXLOWER.encode(id.as_bytes())))
                .collect();
            *list = SqlValue::Text(format!("[{}]", hex.join(",")));
        }
        query
    }

    fn compile_among(&self) -> CompiledQuery {
        let mut c = Compiler::default();
        c.few = true;
        let ids = c.bind(SqlValue::Text(String::new()));
        let filter = c.filter(&self.filter);
        let keys = self.keys(&mut c);
        // CROSS JOIN makes SQLite begin with the ids, whatever else the filter offers it: their
        // number is known, how many others the filter finds is not.
        let sql = format!(
            "SELECT {ROW_COLUMNS}{keys} FROM json_each({ids}) AS t CROSS JOIN objects AS o \
             WHERE o.id = unhex(t.value) AND {USER} AND ({filter})"
        );
        CompiledQuery {
            sql,
            params: c.params,
            searches: c.searches,
            unindexed: None,
        }
    }

    /// The terms of the order as columns with names.
    fn keys(&self, c: &mut Compiler<'_>) -> String {
        let terms = c.order_terms(&self.order).into_iter().enumerate();
        terms
            .map(|(i, term)| format!(",{} AS k{i}", term.sql))
            .collect()
    }

    fn ordered(&self, mut c: Compiler<'_>, condition: &str, limit: Option<usize>) -> CompiledQuery {
        let keys = self.keys(&mut c);
        let mut sql = format!(
            "SELECT {ROW_COLUMNS}{keys} FROM objects AS o WHERE {USER} AND ({condition}) ORDER BY "
        );
        for (i, descending) in self.descending.iter().enumerate() {
            sql.push_str(&format!("k{i}{},", if *descending { " DESC" } else { "" }));
        }
        sql.push_str("o.id");
        if let Some(limit) = limit {
            let limit = signed(limit);
            sql.push_str(&format!(" LIMIT {}", c.bind(SqlValue::Integer(limit))));
        }
        CompiledQuery {
            sql,
            params: c.params,
            searches: c.searches,
            unindexed: None,
        }
    }
}

/// Whether an object's own row, with the tables beside it, tells whether the filter holds. Kinds of
/// conditions that are not known here do not: to run such a query again is never wrong.
fn is_of_row(filter: &Filter) -> bool {
    match filter {
        Filter::And(parts) | Filter::Or(parts) => parts.iter().all(is_of_row),
        Filter::Not(part) => is_of_row(part),
        // References are kept beside the row that holds them, whether or not they lead anywhere.
        Filter::Linked {
            link,
            to: Destination::Ids(_),
        } => link.kind == LinkKind::RefersTo,
        other => matches!(
            other,
            Filter::Type(_)
                | Filter::Id(_)
                | Filter::Parent(_)
                | Filter::Visible
                | Filter::Deleted(_)
                | Filter::Branch(_)
                | Filter::Time { .. }
                | Filter::End { .. }
                | Filter::Relation(_)
                | Filter::Tag(_)
                | Filter::Key { .. }
                | Filter::Field { .. }
        ),
    }
}

fn is_key_of_row(key: &OrderKey) -> bool {
    matches!(
        key,
        OrderKey::Clock(_) | OrderKey::Id | OrderKey::Type | OrderKey::Parent | OrderKey::Field(_)
    )
}
