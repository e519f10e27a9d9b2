//! The SQL of orders, and of what comes after a place in one.

use super::compile::{Compiler, PLAIN, RANK, column};
use super::cursor::Cell;
use super::filter::{OrderBy, OrderKey, Query};
use super::place;
use super::sort_key::SORT_KEY;
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

/// An order for which no index is looked for.
pub(super) struct UnindexedOrder {
    /// Its keys, the id last.
    pub(super) terms: Vec<Term>,
    /// The fields in it, by the names of indexes.
    pub(super) fields: Vec<String>,
}

impl Compiler<'_> {
    /// The keys of an order, the id last.
    pub(super) fn order(&mut self, order: &[OrderBy]) -> Vec<Term> {
        let terms = self.order_terms(until_id(order));
        with_id(order, terms)
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

    /// The same order by sort keys, for where no index of a field serves it: SQLite would look three
    /// times at what is there. `None` where no field is in it, or one whose path is too long to stand
    /// within a statement.
    pub(super) fn unindexed_order(&mut self, order: &[OrderBy]) -> Option<UnindexedOrder> {
        let mut terms = Vec::new();
        let mut fields = Vec::new();
        for by in until_id(order) {
            let OrderKey::Field(path) = &by.key else {
                terms.extend(self.order_terms(std::slice::from_ref(by)));
                continue;
            };
            // Of a longer one, parameters are bound that this statement would not use.
            place::literals(path).ok()?;
            let path = path.to_string();
            terms.push(Term {
                sql: format!("{SORT_KEY}({PLAIN},{})", place::literal(&path)?).into(),
                descending: by.descending,
            });
            fields.push(path);
        }
        let terms = with_id(order, terms);
        (!fields.is_empty()).then_some(UnindexedOrder { terms, fields })
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

/// The keys up to the id: nothing that comes after it can matter.
fn until_id(order: &[OrderBy]) -> &[OrderBy] {
    let id = order.iter().position(|by| by.key == OrderKey::Id);
    id.and_then(|id| order.get(..=id)).unwrap_or(order)
}

fn with_id(order: &[OrderBy], mut terms: Vec<Term>) -> Vec<Term> {
    if !order.iter().any(|by| by.key == OrderKey::Id) {
        terms.push(Term::ID);
    }
    terms
}
