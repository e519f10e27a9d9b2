//! Queries beyond rows: parts with their keys, aggregation, explanation.

use super::space_core::SpaceCore;
use super::store::SeenRow;
use crate::model::Result;
use crate::query::{Aggregate, Cell, CompiledQuery, More, Query, Selection, compile_part, explain};

impl SpaceCore {
    /// Calls `each` with the rows of a part of a query's results, each with its keys in the query's
    /// order.
    pub fn query_keyed(
        &self,
        query: &Query,
        after: Option<&[Cell]>,
        each: &mut dyn FnMut(SeenRow<'_>, Vec<Cell>),
    ) -> Result<()> {
        let part = Selection {
            after,
            more: More::Keys,
            ..Selection::default()
        };
        self.store.query_keyed(&compile_part(query, part), each)
    }

    /// An aggregation's answer, JSON.
    pub fn aggregate(&self, aggregate: &Aggregate) -> Result<String> {
        let rows = self.store.values(&aggregate.compile())?;
        Ok(aggregate.answer(&rows))
    }

    /// How a statement would be answered, JSON.
    pub fn explain(&self, query: &CompiledQuery) -> Result<String> {
        Ok(explain(query, &self.store.plan(query)?))
    }
}
