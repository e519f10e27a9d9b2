//! The index of words, from which searches are answered: an FTS5 table without content of its own,
//! with the words of each object under the object's number.
//!
//! A space that is never searched pays nothing for it. The first search indexes everything and sets
//! triggers that note, in the transaction of every later write, which objects it changed; each
//! search indexes these first. So the index and the rows agree whenever a search looks, however
//! the rows were written and wherever a crash fell.

use super::connection::FUNCTION;
use super::error::from_sqlite;
use super::space::SpaceStore;
use crate::model::{Error, ErrorKind, ObjectId, Result};
use crate::query::{FINDS, Search, each_string, indexed};
use rusqlite::functions::Context;
use rusqlite::types::{FromSqlError, ValueRef};
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior};
use serde_json::Value as Json;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// What `meta` says once the index is kept: how words are read. Another value, of another version
/// of the library, has everything indexed anew.
const READING: i64 = 1;
/// Where `meta` says so.
const KEY: &str = "words";

/// The table. Its words are separated by spaces and folded already.
pub(super) const TABLE: &str = "
    CREATE VIRTUAL TABLE words USING fts5(
        text, content = '', contentless_delete = 1, tokenize = 'ascii');
    CREATE TABLE unindexed(object INTEGER PRIMARY KEY);
";

/// A stand-in of the same name, in memory, which SQLite finds first.
const STAND_IN: &str = "CREATE VIRTUAL TABLE temp.words USING fts5(
    text, content = '', contentless_delete = 1, tokenize = 'ascii')";

/// Note what changed. The notes must not fail on one that is there, whatever the statement that
/// set them off says about conflicts.
const TRIGGERS: &str = "
    CREATE TRIGGER IF NOT EXISTS words_insert AFTER INSERT ON objects
      WHEN NOT EXISTS(SELECT 1 FROM unindexed WHERE object = new.n)
      BEGIN INSERT INTO unindexed(object) VALUES(new.n); END;
    CREATE TRIGGER IF NOT EXISTS words_update AFTER UPDATE OF data, plain ON objects
      WHEN (old.data IS NOT new.data OR old.plain IS NOT new.plain)
        AND NOT EXISTS(SELECT 1 FROM unindexed WHERE object = new.n)
      BEGIN INSERT INTO unindexed(object) VALUES(new.n); END;
    CREATE TRIGGER IF NOT EXISTS words_delete AFTER DELETE ON objects
      WHEN NOT EXISTS(SELECT 1 FROM unindexed WHERE object = old.n)
      BEGIN INSERT INTO unindexed(object) VALUES(old.n); END;
";

const FIELDS: &str = "coalesce(json(plain), data)";

impl SpaceStore {
    /// Runs `read` with an index of words that agrees with the rows. If the disk refuses to take
    /// what is to be indexed, that is done in memory, which is slow: a search does not fail for
    /// what a write would.
    pub(super) fn with_words<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T> {
        match self.index_words() {
            Ok(()) => self.db.read(read),
            Err(error) if error.kind() == ErrorKind::Storage => self.db.read(|conn| {
                conn.execute_batch(STAND_IN)?;
                let filled = fill(conn, "temp.words");
                let found = filled.and_then(|()| read(conn));
                conn.execute_batch("DROP TABLE temp.words")?;
                found
            }),
            Err(error) => Err(error),
        }
    }

    /// Indexes what is not indexed yet.
    fn index_words(&self) -> Result<()> {
        let conn = self.db.conn();
        let broken = |e| from_sqlite(self.db.place(), e);
        let kept = is_kept(conn).map_err(broken)?;
        if kept && !is_behind(conn).map_err(broken)? {
            return Ok(());
        }
        if self.db.only_reads() {
            return Err(Error::new(
                ErrorKind::Storage,
                "the index of words is behind, and only the one who writes brings it up to date",
            ));
        }
        let tx = Transaction::new_unchecked(conn, TransactionBehavior::Immediate);
        let tx = tx.map_err(broken)?;
        match kept {
            true => catch_up(&tx),
            false => begin(&tx),
        }
        .and_then(|()| tx.commit())
        .map_err(broken)
    }
}

fn is_kept(conn: &Connection) -> rusqlite::Result<bool> {
    let reading: Option<i64> = conn
        .prepare_cached("SELECT value FROM meta WHERE key = ?1")?
        .query_row([KEY], |row| row.get(0))
        .optional()?;
    Ok(reading == Some(READING))
}

fn is_behind(conn: &Connection) -> rusqlite::Result<bool> {
    conn.prepare_cached("SELECT 1 FROM unindexed LIMIT 1")?
        .exists([])
}

/// Indexes everything, and keeps the index from now on.
fn begin(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    tx.execute("INSERT INTO main.words(words) VALUES('delete-all')", [])?;
    tx.execute("DELETE FROM unindexed", [])?;
    tx.execute_batch(TRIGGERS)?;
    fill(tx, "main.words")?;
    tx.execute(
        "INSERT INTO meta(key, value) VALUES(?1, ?2) \
         ON CONFLICT(key) DO UPDATE SET value = excluded.value",
        (KEY, READING),
    )?;
    Ok(())
}

/// Indexes every object into an empty table.
fn fill(conn: &Connection, table: &str) -> rusqlite::Result<()> {
    let mut objects = conn.prepare(&format!("SELECT n, {FIELDS} FROM objects"))?;
    let mut put = conn.prepare(&format!("INSERT INTO {table}(rowid, text) VALUES(?1, ?2)"))?;
    let mut rows = objects.query([])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        put.execute((n, words_of(row.get_ref(1)?.as_str()?)))?;
    }
    Ok(())
}

/// Indexes what changed.
fn catch_up(tx: &Transaction<'_>) -> rusqlite::Result<()> {
    let mut changed = tx.prepare_cached(&format!(
        "SELECT u.object, {FIELDS} FROM unindexed AS u LEFT JOIN objects AS o ON o.n = u.object"
    ))?;
    let mut take = tx.prepare_cached("DELETE FROM main.words WHERE rowid = ?1")?;
    let mut put = tx.prepare_cached("INSERT INTO main.words(rowid, text) VALUES(?1, ?2)")?;
    let mut rows = changed.query([])?;
    while let Some(row) = rows.next()? {
        let n: i64 = row.get(0)?;
        take.execute([n])?;
        if let Some(fields) = row.get_ref(1)?.as_str_or_null()? {
            put.execute((n, words_of(fields)))?;
        }
    }
    tx.execute("DELETE FROM unindexed", [])?;
    Ok(())
}

/// Where the index, if one is kept, does not say what the rows say. An object's words are compared by
/// a sum over each word and its place.
pub(super) fn faults(conn: &Connection) -> rusqlite::Result<Vec<(String, String)>> {
    if !is_kept(conn)? || is_behind(conn)? {
        // The next search sees to it.
        return Ok(Vec::new());
    }
    let mut sums: HashMap<i64, u64> = HashMap::new();
    let mut objects = conn.prepare(&format!("SELECT n, {FIELDS} FROM objects"))?;
    let mut rows = objects.query([])?;
    while let Some(row) = rows.next()? {
        let words = words_of(row.get_ref(1)?.as_str()?);
        let words = words.split(' ').filter(|word| !word.is_empty());
        let sum = words.enumerate().fold(0u64, |sum, (place, word)| {
            sum.wrapping_add(mix(word, place))
        });
        sums.insert(row.get(0)?, sum);
    }
    conn.execute_batch("CREATE VIRTUAL TABLE temp.places USING fts5vocab(main, words, instance)")?;
    let taken = take_away(conn, &mut sums);
    conn.execute_batch("DROP TABLE temp.places")?;
    taken?;
    let differ = sums.into_iter().filter(|(_, sum)| *sum != 0);
    differ
        .map(|(n, _)| {
            let id: Option<[u8; 16]> = conn
                .prepare_cached("SELECT id FROM objects WHERE n = ?1")?
                .query_row([n], |row| row.get(0))
                .optional()?;
            let id = id.map_or_else(String::new, |id| ObjectId(id).to_string());
            Ok((id, "its words are not found by".to_owned()))
        })
        .collect()
}

fn take_away(conn: &Connection, sums: &mut HashMap<i64, u64>) -> rusqlite::Result<()> {
    let mut places = conn.prepare("SELECT term, doc, offset FROM temp.places")?;
    let mut rows = places.query([])?;
    while let Some(row) = rows.next()? {
        let (n, place): (i64, i64) = (row.get(1)?, row.get(2)?);
        let place = usize::try_from(place).unwrap_or(usize::MAX);
        let sum = sums.entry(n).or_default();
        *sum = sum.wrapping_sub(mix(row.get_ref(0)?.as_str()?, place));
    }
    Ok(())
}

fn mix(word: &str, place: usize) -> u64 {
    let mut hasher = DefaultHasher::new();
    (word, place).hash(&mut hasher);
    hasher.finish()
}

fn words_of(fields: &str) -> String {
    // Damaged JSON has no words; whoever reads the row is told.
    let fields: Json = serde_json::from_str(fields).unwrap_or_default();
    indexed(&fields)
}

/// Makes the function known that runs a search on some of an object's values.
pub(super) fn register(conn: &Connection) -> rusqlite::Result<()> {
    conn.create_scalar_function(FINDS, -1, FUNCTION, finds)
}

/// The arguments are what was typed, and then kind and value of each place.
fn finds(context: &mut Context<'_>) -> rusqlite::Result<bool> {
    let search = context.get_or_create_aux(0, |typed| {
        Search::parse(typed.as_str()?, Vec::new()).map_err(FromSqlError::other)
    })?;
    let mut parsed = Vec::new();
    let mut texts = Vec::new();
    for place in 0..context.len() / 2 {
        let (kind, value) = (
            context.get_raw(1 + 2 * place),
            context.get_raw(2 + 2 * place),
        );
        let ValueRef::Text(value) = value else {
            continue;
        };
        let value = std::str::from_utf8(value).unwrap_or_default();
        match kind {
            ValueRef::Text(b"text") => texts.push(value),
            _ => parsed.push(serde_json::from_str::<Json>(value).unwrap_or_default()),
        }
    }
    for json in &parsed {
        each_string(json, &mut |text| texts.push(text));
    }
    Ok(search.finds(&texts))
}
