//! Rows together with what a query orders them by: what live queries keep.

use super::objects::{Bound, KEPT_QUERY_BYTES, read_row};
use super::space::SpaceStore;
use crate::model::Result;
use crate::query::CompiledQuery;
use crate::query::live::KeyValue;
use crate::space::ObjectRow;
use rusqlite::types::ValueRef;
use rusqlite::{Row, params_from_iter};

impl SpaceStore {
    /// Calls `each` with every row that a query finds, and with the values of its last `terms`
    /// columns.
    pub fn query_ordered(
        &self,
        query: &CompiledQuery,
        terms: usize,
        each: &mut dyn FnMut(ObjectRow, Box<[KeyValue]>),
    ) -> Result<()> {
        self.db.read(|conn| {
            let mut statement = conn.prepare_cached(&query.sql)?;
            let columns = statement.column_count();
            let keys = columns.saturating_sub(terms)..columns;
            let mut rows = statement.query(params_from_iter(query.params.iter().map(Bound)))?;
            while let Some(row) = rows.next()? {
                let values: rusqlite::Result<_> = keys.clone().map(|at| key(row, at)).collect();
                each(read_row(row)?, values?);
            }
            drop(rows);
            if query.sql.len() > KEPT_QUERY_BYTES {
                statement.discard();
            }
            Ok(())
        })
    }
}

fn key(row: &Row<'_>, column: usize) -> rusqlite::Result<KeyValue> {
    Ok(match row.get_ref(column)? {
        ValueRef::Null => KeyValue::Null,
        ValueRef::Integer(i) => KeyValue::Integer(i),
        ValueRef::Real(f) => KeyValue::Real(f),
        ValueRef::Text(text) => KeyValue::Text(text.into()),
        ValueRef::Blob(bytes) => KeyValue::Blob(bytes.into()),
    })
}
