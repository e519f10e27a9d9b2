//! Object rows: the present state of every object, ready for reads and queries.

use super::blob_refs;
use super::error::from_sqlite;
use super::side;
use super::sorting;
use super::space::SpaceStore;
use crate::model::{ObjectId, Result, SystemFields, signed};
use crate::query::{Cell, CompiledQuery, Plan, SqlValue};
use crate::space::{ObjectRow, SeenRow};
use rusqlite::types::{FromSqlError, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use std::borrow::Cow;

/// The columns that [`read_row`] reads.
macro_rules! rows {
    ($rest:literal) => {
        concat!(
            "SELECT id, type, parent, gone, created, updated, heads, data, version, source, target, \
             extra, json(plain) FROM objects ",
            $rest
        )
    };
}

const BY_ID: &str = rows!("WHERE id = ?1");

/// The columns of an object's row in a query's results: those that [`read_seen`] reads.
const SEEN_COLUMNS: usize = 12;

/// Why ordinary queries leave an object out, as bits of `objects.gone`.
const DELETED: i64 = 1;
const HIDDEN: i64 = 2;
const BRANCH: i64 = 4;
const SCHEMA: i64 = 8;

/// Prepared queries up to this length are kept: longer ones are rarely asked twice.
const KEPT_QUERY_BYTES: usize = 8 * 1024;

impl SpaceStore {
    /// The row of one object, deleted or not.
    pub fn object(&self, id: &ObjectId) -> Result<Option<ObjectRow>> {
        self.db.read(|conn| {
            conn.prepare_cached(BY_ID)?
                .query_row([id.as_bytes()], read_row)
                .optional()
        })
    }

    /// Calls `each` with the rows that a query finds, in its order.
    pub fn query(&self, query: &CompiledQuery, each: &mut dyn FnMut(SeenRow<'_>)) -> Result<()> {
        self.rows(query, &mut |row| {
            each(read_seen(row)?);
            Ok(())
        })
    }

    /// The same, of a search: each row with its rank and plain fields.
    pub fn ranked(
        &self,
        query: &CompiledQuery,
        each: &mut dyn FnMut(SeenRow<'_>, f64, Option<&str>),
    ) -> Result<()> {
        self.rows(query, &mut |row| {
            let plain = row.get_ref("plain")?.as_str_or_null()?;
            each(read_seen(row)?, row.get("score")?, plain);
            Ok(())
        })
    }

    /// The same, of a statement whose columns after an object's are keys, with those.
    pub fn query_keyed(
        &self,
        query: &CompiledQuery,
        each: &mut dyn FnMut(SeenRow<'_>, Vec<Cell>),
    ) -> Result<()> {
        self.rows(query, &mut |row| {
            each(read_seen(row)?, read_cells(row, SEEN_COLUMNS)?);
            Ok(())
        })
    }

    /// The rows of any statement.
    pub fn values(&self, query: &CompiledQuery) -> Result<Vec<Vec<Cell>>> {
        let mut values = Vec::new();
        self.rows(query, &mut |row| {
            values.push(read_cells(row, 0)?);
            Ok(())
        })?;
        Ok(values)
    }

    /// How SQLite would run a query.
    pub fn plan(&self, query: &CompiledQuery) -> Result<Plan> {
        self.db.read(|conn| {
            let sql = sorting::statement(conn, query)?.to_owned();
            let steps = conn
                .prepare(&format!("EXPLAIN QUERY PLAN {sql}"))?
                .query_map(params_from_iter(query.params.iter().map(Bound)), |row| {
                    Ok((row.get("id")?, row.get("parent")?, row.get("detail")?))
                })?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Plan { sql, steps })
        })
    }

    fn rows(
        &self,
        query: &CompiledQuery,
        each: &mut dyn FnMut(&Row<'_>) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let run = |conn: &Connection| {
            let sql = sorting::statement(conn, query)?;
            let mut statement = conn.prepare_cached(sql)?;
            let mut rows = statement.query(params_from_iter(query.params.iter().map(Bound)))?;
            while let Some(row) = rows.next()? {
                each(row)?;
            }
            drop(rows);
            if sql.len() > KEPT_QUERY_BYTES {
                statement.discard();
            }
            Ok(())
        };
        match query.searches {
            true => self.with_words(run),
            false => self.db.read(run),
        }
    }

    /// At most `limit` rows in id order, from the object after `after` on.
    pub fn rows_after(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectRow>> {
        let limit = signed(limit);
        // Ids are not empty, so that nothing is left out before the first.
        let after = after.as_ref().map_or(&[][..], ObjectId::as_bytes);
        self.db.read(|conn| {
            conn.prepare_cached(rows!("WHERE id > ?1 ORDER BY id LIMIT ?2"))?
                .query_map(params![after, limit], read_row)?
                .collect()
        })
    }

    /// The objects whose parent is this one.
    pub fn children(&self, parent: &ObjectId) -> Result<Vec<ObjectId>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT id FROM objects WHERE parent = ?1 ORDER BY id")?
                .query_map([parent.as_bytes()], |row| Ok(ObjectId(row.get(0)?)))?
                .collect()
        })
    }

    /// Whether an object is deleted, and its parent.
    pub fn tree_node(&self, id: &ObjectId) -> Result<Option<(bool, Option<ObjectId>)>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT gone, parent FROM objects WHERE id = ?1")?
                .query_row([id.as_bytes()], |row| {
                    let gone: i64 = row.get(0)?;
                    Ok((gone & DELETED != 0, side::id(row.get(1)?)))
                })
                .optional()
        })
    }

    /// Calls `each` with every object, deleted ones included, and the heads of its document, in
    /// order of the ids; stops at the first error.
    pub fn all_heads(
        &self,
        mut each: impl FnMut(ObjectId, Vec<[u8; 32]>) -> Result<()>,
    ) -> Result<()> {
        let place = self.db.place();
        let broken = |e| from_sqlite(place, e);
        let mut statement = self
            .db
            .conn()
            .prepare_cached("SELECT id, heads FROM objects ORDER BY id")
            .map_err(broken)?;
        let mut rows = statement.query([]).map_err(broken)?;
        while let Some(row) = rows.next().map_err(broken)? {
            let id = ObjectId(row.get(0).map_err(broken)?);
            let heads = read_heads(row, 1).map_err(broken)?;
            each(id, heads.to_vec())?;
        }
        Ok(())
    }
}

/// Where an object's row is, and what its document's next change is numbered.
pub(super) struct Slot {
    /// The object's number.
    pub(super) n: i64,
    /// The number of the first change that the write adds.
    pub(super) tail: i64,
}

/// What a row that is there already says of what is written apart when it changes.
struct Present {
    n: i64,
    tail: i64,
    data: String,
    extra: Option<String>,
    /// Whether the columns that have indexes are as they will be.
    same_place: bool,
}

/// Writes a row, adding `changes` to the numbers given out.
pub(super) fn put(tx: &Transaction<'_>, row: &ObjectRow, changes: i64) -> rusqlite::Result<Slot> {
    let extra = row.system.extra_json();
    let Some(present) = find(tx, row)? else {
        let n = insert(tx, row, changes, extra.as_deref())?;
        side::put_refs(tx, n, &row.data)?;
        side::put_labels(tx, n, &row.system)?;
        blob_refs::put(tx, n, &row.data)?;
        return Ok(Slot { n, tail: 0 });
    };
    let (n, tail) = (present.n, present.tail);
    update(tx, n, tail + changes, row, extra.as_deref())?;
    // Columns with an index are set only when they change: SQLite rewrites the index otherwise.
    if !present.same_place {
        move_to(tx, n, row)?;
    }
    side::replace_refs(tx, n, &present.data, &row.data)?;
    blob_refs::replace(tx, n, &present.data, &row.data)?;
    if present.extra != extra {
        side::replace_labels(tx, n, &row.system)?;
    }
    Ok(Slot { n, tail })
}

fn find(tx: &Transaction<'_>, row: &ObjectRow) -> rusqlite::Result<Option<Present>> {
    tx.prepare_cached(
        "SELECT n, tail, type IS ?2 AND parent IS ?3 AND source IS ?4 AND target IS ?5 \
           AND created = ?6, \
           extra, data FROM objects WHERE id = ?1",
    )?
    .query_row(
        params![
            row.id.as_bytes(),
            row.type_name,
            bytes(&row.parent),
            bytes(&row.system.source),
            bytes(&row.system.target),
            row.created_ms,
        ],
        |found| {
            Ok(Present {
                n: found.get(0)?,
                tail: found.get(1)?,
                same_place: found.get(2)?,
                extra: found.get(3)?,
                data: found.get(4)?,
            })
        },
    )
    .optional()
}

fn insert(
    tx: &Transaction<'_>,
    row: &ObjectRow,
    changes: i64,
    extra: Option<&str>,
) -> rusqlite::Result<i64> {
    tx.prepare_cached(
        "INSERT INTO objects(id, tail, type, parent, gone, created, updated, heads, data, plain, \
           version, source, target, extra) \
         VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, jsonb(?10), ?11, ?12, ?13, ?14)",
    )?
    .execute(params![
        row.id.as_bytes(),
        changes,
        row.type_name,
        bytes(&row.parent),
        gone(row),
        row.created_ms,
        row.updated_ms,
        row.heads.concat(),
        row.data,
        row.plain,
        row.system.schema_version,
        bytes(&row.system.source),
        bytes(&row.system.target),
        extra,
    ])?;
    Ok(tx.last_insert_rowid())
}

/// Sets the columns that have no index.
fn update(
    tx: &Transaction<'_>,
    n: i64,
    tail: i64,
    row: &ObjectRow,
    extra: Option<&str>,
) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE objects SET tail = ?2, gone = ?3, updated = ?4, heads = ?5, \
           data = ?6, plain = jsonb(?7), version = ?8, extra = ?9 WHERE n = ?1",
    )?
    .execute(params![
        n,
        tail,
        gone(row),
        row.updated_ms,
        row.heads.concat(),
        row.data,
        row.plain,
        row.system.schema_version,
        extra,
    ])?;
    Ok(())
}

/// Sets those that have one.
fn move_to(tx: &Transaction<'_>, n: i64, row: &ObjectRow) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "UPDATE objects SET type = ?2, parent = ?3, source = ?4, target = ?5, created = ?6 \
           WHERE n = ?1",
    )?
    .execute(params![
        n,
        row.type_name,
        bytes(&row.parent),
        bytes(&row.system.source),
        bytes(&row.system.target),
        row.created_ms,
    ])?;
    Ok(())
}

fn bytes(id: &Option<ObjectId>) -> Option<&[u8]> {
    id.as_ref().map(ObjectId::as_bytes)
}

fn gone(row: &ObjectRow) -> i64 {
    let bit = |on: bool, bit: i64| if on { bit } else { 0 };
    bit(row.deleted, DELETED)
        | bit(row.hidden, HIDDEN)
        | bit(row.system.branch.is_some(), BRANCH)
        | bit(row.is_schema(), SCHEMA)
}

pub(super) fn read_row(row: &Row<'_>) -> rusqlite::Result<ObjectRow> {
    let seen = read_seen(row)?;
    Ok(ObjectRow {
        id: seen.id,
        type_name: seen.type_name.map(Cow::into_owned),
        parent: seen.parent,
        deleted: seen.deleted,
        hidden: seen.hidden,
        system: seen.system.into_owned(),
        created_ms: seen.created_ms,
        updated_ms: seen.updated_ms,
        heads: seen.heads.into_owned(),
        data: seen.data.into_owned(),
        plain: row.get(SEEN_COLUMNS)?,
    })
}

fn read_seen<'a>(row: &'a Row<'_>) -> rusqlite::Result<SeenRow<'a>> {
    let gone: i64 = row.get(3)?;
    let mut system = SystemFields {
        schema_version: row.get(8)?,
        source: side::id(row.get(9)?),
        target: side::id(row.get(10)?),
        ..SystemFields::default()
    };
    if let Some(extra) = row.get_ref(11)?.as_str_or_null()? {
        system.add_extra(extra).map_err(FromSqlError::other)?;
    }
    Ok(SeenRow {
        id: ObjectId(row.get(0)?),
        type_name: row.get_ref(1)?.as_str_or_null()?.map(Cow::Borrowed),
        parent: side::id(row.get(2)?),
        deleted: gone & DELETED != 0,
        hidden: gone & HIDDEN != 0,
        system: Cow::Owned(system),
        created_ms: row.get(4)?,
        updated_ms: row.get(5)?,
        heads: Cow::Borrowed(read_heads(row, 6)?),
        data: Cow::Borrowed(row.get_ref(7)?.as_str()?),
    })
}

/// The values of a row from a column on.
fn read_cells(row: &Row<'_>, from: usize) -> rusqlite::Result<Vec<Cell>> {
    let cells = (from..row.as_ref().column_count()).map(|column| {
        Ok(match row.get_ref(column)? {
            ValueRef::Null => None,
            ValueRef::Integer(i) => Some(SqlValue::Integer(i)),
            ValueRef::Real(f) => Some(SqlValue::Real(f)),
            ValueRef::Text(_) => Some(SqlValue::Text(row.get(column)?)),
            ValueRef::Blob(bytes) => Some(SqlValue::Blob(bytes.to_vec())),
        })
    });
    cells.collect()
}

fn read_heads<'a>(row: &'a Row<'_>, column: usize) -> rusqlite::Result<&'a [[u8; 32]]> {
    let blob = row.get_ref(column)?.as_blob()?;
    let (heads, rest) = blob.as_chunks::<32>();
    if rest.is_empty() {
        return Ok(heads);
    }
    Err(FromSqlError::InvalidBlobSize {
        expected_size: heads.len() * 32,
        blob_size: blob.len(),
    }
    .into())
}

/// A query's parameter, bound without copying it.
struct Bound<'a>(&'a SqlValue);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            SqlValue::Integer(i) => ValueRef::Integer(*i),
            SqlValue::Real(f) => ValueRef::Real(*f),
            SqlValue::Text(s) => ValueRef::Text(s.as_bytes()),
            SqlValue::Blob(b) => ValueRef::Blob(b),
        }))
    }
}
