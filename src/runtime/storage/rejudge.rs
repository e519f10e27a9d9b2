//! New judgements: entries that begin or cease to count, with the documents and rows that follow.

use super::commit::put_effects;
use super::database::Failure;
use super::meta;
use super::space::SpaceStore;
use crate::model::{EntryId, Error, ObjectId, Result};
use crate::space::{EntryStatus, Rejudged, Vouched};
use rusqlite::{OptionalExtension, Transaction, params};

/// Which entries of denied members count because somebody vouches for them, since version 3.
pub(super) const VOUCHED: &str = "
    CREATE TABLE vouched(
        entry BLOB NOT NULL, denial BLOB NOT NULL, through BLOB NOT NULL,
        PRIMARY KEY(entry, denial)) WITHOUT ROWID;
";

/// What is kept under an object's number.
const OF_OBJECTS: [&str; 8] = [
    "DELETE FROM documents WHERE object = ?1",
    "DELETE FROM changes WHERE object = ?1",
    "DELETE FROM refs WHERE object = ?1",
    "DELETE FROM tags WHERE object = ?1",
    "DELETE FROM keys WHERE object = ?1",
    "DELETE FROM blob_refs WHERE object = ?1",
    "DELETE FROM violations WHERE object = ?1",
    "DELETE FROM objects WHERE n = ?1",
];

impl SpaceStore {
    /// Writes a judgement, or, on any error, nothing. Fails with `NotFound` when an entry is not
    /// stored.
    pub fn write_rejudged(&mut self, judged: &Rejudged<'_>) -> Result<()> {
        self.db.write(|tx| {
            for (id, status, reason) in judged.statuses {
                put_status(tx, id, *status, reason.as_deref())?;
            }
            for object in judged.rewritten {
                clear(tx, object, 2)?;
            }
            for object in judged.vanished {
                clear(tx, object, OF_OBJECTS.len())?;
            }
            put_effects(tx, &[], judged.objects)?;
            for entry in judged.revouched {
                tx.prepare_cached("DELETE FROM vouched WHERE entry = ?1")?
                    .execute([entry.as_bytes()])?;
            }
            for vouched in judged.vouched {
                tx.prepare_cached(
                    "INSERT INTO vouched(entry, denial, through) VALUES(?1, ?2, ?3)",
                )?
                .execute(params![
                    vouched.entry.as_bytes(),
                    vouched.denial.as_bytes(),
                    vouched.through.as_bytes()
                ])?;
            }
            for (key, value) in judged.meta {
                meta::put(tx, key, value)?;
            }
            Ok(())
        })
    }

    /// What is recorded of entries that somebody vouches for, rising.
    pub fn all_vouched(&self) -> Result<Vec<Vouched>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT entry, denial, through FROM vouched ORDER BY entry, denial",
            )?
            .query_map([], |row| {
                Ok(Vouched {
                    entry: EntryId(row.get(0)?),
                    denial: EntryId(row.get(1)?),
                    through: EntryId(row.get(2)?),
                })
            })?
            .collect()
        })
    }
}

fn put_status(
    tx: &Transaction<'_>,
    id: &EntryId,
    status: EntryStatus,
    reason: Option<&str>,
) -> std::result::Result<(), Failure> {
    let set = tx
        .prepare_cached("UPDATE entries SET status = ?2, reason = ?3 WHERE id = ?1")?
        .execute(params![id.as_bytes(), status as i64, reason])?;
    match set {
        0 => Err(Error::not_found(format!("the entry {id} is not stored")).into()),
        _ => Ok(()),
    }
}

/// Deletes the first `tables` kinds of what is kept of an object. The number of changes ever stored
/// stays with its row, so that a number is never given to two.
fn clear(tx: &Transaction<'_>, object: &ObjectId, tables: usize) -> rusqlite::Result<()> {
    let n: Option<i64> = tx
        .prepare_cached("SELECT n FROM objects WHERE id = ?1")?
        .query_row([object.as_bytes()], |row| row.get(0))
        .optional()?;
    let Some(n) = n else {
        return Ok(());
    };
    for sql in OF_OBJECTS.iter().take(tables) {
        tx.prepare_cached(sql)?.execute([n])?;
    }
    Ok(())
}
