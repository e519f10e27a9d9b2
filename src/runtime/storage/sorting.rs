//! How SQLite sorts by a field: where an index serves the order by the expressions of that, otherwise
//! by keys that a function of ours makes at once.

use super::connection::FUNCTION;
use crate::model::Path;
use crate::query::{CompiledQuery, Malformed, SORT_KEY, SortKey, StoredJson, sort_key};
use rusqlite::functions::Context;
use rusqlite::types::{FromSqlError, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, Error};

/// The text of a query that is the faster one with the indexes that there are.
pub(super) fn statement<'q>(
    conn: &Connection,
    query: &'q CompiledQuery,
) -> rusqlite::Result<&'q str> {
    let Some(unindexed) = &query.unindexed else {
        return Ok(&query.sql);
    };
    let mut find = conn.prepare_cached("SELECT 1 FROM field_indexes WHERE path = ?1")?;
    for field in &unindexed.fields {
        if find.exists([field])? {
            return Ok(&query.sql);
        }
    }
    Ok(&unindexed.sql)
}

/// Makes the function of sort keys known.
pub(super) fn register(conn: &Connection) -> rusqlite::Result<()> {
    conn.create_scalar_function(SORT_KEY, 2, FUNCTION, key)
}

/// The arguments are an object's fields and the path of one.
fn key(context: &mut Context<'_>) -> rusqlite::Result<Key> {
    let path = context.get_or_create_aux(1, |path| {
        Path::parse(path.as_str()?).map_err(FromSqlError::other)
    })?;
    let json = match context.get_raw(0) {
        ValueRef::Blob(bytes) => StoredJson::Binary(bytes),
        ValueRef::Text(bytes) => StoredJson::Text(bytes),
        _ => return Err(malformed(Malformed)),
    };
    sort_key(json, &path).map(Key).map_err(malformed)
}

/// In the words of SQLite's own functions, which mean that the file is damaged.
fn malformed(_: Malformed) -> Error {
    Error::UserFunctionError("malformed JSON".into())
}

struct Key(SortKey);

impl ToSql for Key {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.0.as_bytes())))
    }
}
