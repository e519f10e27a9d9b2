//! The SQL of orders, and of what comes after a place in one.

use super::compile::{Compiler, RANK, column};
use super::cursor::Cell;
use super::filter::{OrderBy, OrderKey, Query};
use std::borrow::Cow;

/// Which way each key of a query's order goes, `true` for descending.
pub fn directions(query: &Query) -> Vec<bool> {
    let terms = Compiler::default().order(&query.order);
    terms.iter().map(|term| term.descending).collect()
}

/// One key of the order.
pub(super) struct Term {
    /// Its value.
    pub(super) sql: Cow<'static, str>,
    /// Whether the last come first.
    pub(super) descending: bool,
}

impl Term {
    /// What breaks every tie.
    pub(super) const ID: Term = Term {
        sql: Cow::Borrowed("o.id"),
        descending: false,
    };

    pub(super) fn ordered_as(&self, sql: &str) -> String {
        let direction = if self.descending { " DESC" } else { "" };
        format!("{sql}{direction}")
    }
}

impl Compiler<'_> {
    /// The keys of an order, the id last.
    pub(super) fn order(&mut self, order: &[OrderBy]) -> Vec<Term> {
        // Nothing that comes after the id can matter.
        let id = order.iter().position(|by| by.key == OrderKey::Id);
        let until_id = order.get(..=id.unwrap_or(usize::MAX - 1)).unwrap_or(order);
        let mut terms = self.order_terms(until_id);
        if id.is_none() {
            terms.push(Term::ID);
        }
        terms
    }

    /// The terms of an order; ties are left to the id.
    pub(super) fn order_terms(&mut self, order: &[OrderBy]) -> Vec<Term> {
        let mut terms = Vec::new();
        for by in order {
            let keys: Vec<Cow<'static, str>> = match &by.key {
                OrderKey::Clock(clock) => vec![column(*clock).into()],
                OrderKey::Id => vec!["o.id".into()],
                OrderKey::Type => vec!["o.type".into()],
                // Of no words, nothing is found that could be in order.
                OrderKey::Rank => vec![self.leading.map_or("NULL", |_| RANK).into()],
                OrderKey::Parent => vec!["o.parent".into()],
                OrderKey::Field(path) => {
                    let place = self.place(path);
                    vec![place.kind_order.into(), place.scalar.into()]
                }
            };
            terms.extend(keys.into_iter().map(|sql| Term {
                sql,
                descending: by.descending,
            }));
        }
        terms
    }

    /// What is true of rows that come after one with these keys. SQLite puts NULL before all else.
    pub(super) fn after(&mut self, terms: &[Term], cells: &[Cell]) -> String {
        let pairs = terms.iter().zip(cells).rev();
        pairs.fold("0".to_owned(), |rest, (term, cell)| {
            let sql = &term.sql;
            let Some(value) = cell else {
                return match term.descending {
                    true => format!("({sql} IS NULL AND {rest})"),
                    false => format!("({sql} IS NOT NULL OR {rest})"),
                };
            };
            let bound = self.bind(value.clone());
            match term.descending {
                true => {
                    format!("({sql} IS NULL OR {sql} < {bound} OR ({sql} = {bound} AND {rest}))")
                }
                false => format!("({sql} > {bound} OR ({sql} = {bound} AND {rest}))"),
            }
        })
    }
}
