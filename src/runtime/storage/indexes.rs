//! Indexes that the program asked for: of a field, among all objects or those of one type. They are
//! SQLite's own, over the very expressions that queries are compiled to, so that SQLite keeps them
//! in every transaction and finds them by itself.

use super::database::Failure;
use super::space::SpaceStore;
use crate::model::{Error, Result, limits};
use crate::query;
use crate::space::IndexRecord;
use rusqlite::{Connection, OptionalExtension, params};

/// Which indexes there are; each is called `field_` and its number.
pub(super) const TABLE: &str = "
    CREATE TABLE field_indexes(n INTEGER PRIMARY KEY, type TEXT, path TEXT NOT NULL);
";

impl SpaceStore {
    /// Makes an index over the rows that are there and all that come. Does nothing if there is one
    /// already; fails with `LimitExceeded` if there are too many.
    pub fn create_index(&mut self, index: &IndexRecord) -> Result<()> {
        let type_name = index.type_name.as_deref();
        let (columns, condition) = query::index(type_name, &query::order_key(&index.path)?)?;
        let condition = condition.map_or(String::new(), |c| format!(" WHERE {c}"));
        self.db.write(|tx| {
            if find(tx, index)?.is_some() {
                return Ok(());
            }
            let count: i64 =
                tx.query_row("SELECT count(*) FROM field_indexes", [], |row| row.get(0))?;
            if count >= limits::INDEXES as i64 {
                return Err(Failure::Refused(Error::limit(format!(
                    "a space may have {} indexes; drop one first",
                    limits::INDEXES
                ))));
            }
            tx.execute(
                "INSERT INTO field_indexes(type, path) VALUES(?1, ?2)",
                params![index.type_name, index.path],
            )?;
            let name = name(tx.last_insert_rowid());
            // A leftover under this name could only come from a file that somebody has edited.
            tx.execute_batch(&format!(
                "DROP INDEX IF EXISTS {name}; CREATE INDEX {name} ON objects({columns}){condition};"
            ))?;
            Ok(())
        })
    }

    /// Drops an index; fails with `NotFound` if there is none such.
    pub fn drop_index(&mut self, index: &IndexRecord) -> Result<()> {
        self.db.write(|tx| {
            let Some(n) = find(tx, index)? else {
                let of = index.type_name.as_deref().unwrap_or("any type");
                return Err(Failure::Refused(Error::not_found(format!(
                    "there is no index of {:?} among objects of {of}",
                    index.path
                ))));
            };
            tx.execute("DELETE FROM field_indexes WHERE n = ?1", [n])?;
            tx.execute_batch(&format!("DROP INDEX IF EXISTS {}", name(n)))?;
            Ok(())
        })
    }

    /// The indexes, in the order they were made.
    pub fn indexes(&self) -> Result<Vec<IndexRecord>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT type, path FROM field_indexes ORDER BY n")?
                .query_map([], |row| {
                    Ok(IndexRecord {
                        type_name: row.get(0)?,
                        path: row.get(1)?,
                    })
                })?
                .collect()
        })
    }
}

fn name(n: i64) -> String {
    format!("field_{}", n.unsigned_abs())
}

fn find(conn: &Connection, index: &IndexRecord) -> rusqlite::Result<Option<i64>> {
    conn.prepare_cached("SELECT n FROM field_indexes WHERE type IS ?1 AND path = ?2")?
        .query_row(params![index.type_name, index.path], |row| row.get(0))
        .optional()
}
