//! Small named values of a space: what its layers must remember beside the entries.

use super::space::SpaceStore;
use crate::model::Result;
use rusqlite::{OptionalExtension, Transaction, params};

impl SpaceStore {
    /// The value under `key`.
    pub fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT value FROM meta WHERE key = ?1")?
                .query_row([key], |row| row.get(0))
                .optional()
        })
    }

    /// Sets the value under `key`, in a transaction of its own.
    pub fn put_meta(&mut self, key: &str, value: &[u8]) -> Result<()> {
        self.db.write(|tx| Ok(put(tx, key, value)?))
    }
}

/// Sets one value within a transaction.
pub(super) fn put(tx: &Transaction<'_>, key: &str, value: &[u8]) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO meta(key, value) VALUES(?1, ?2) \
         ON CONFLICT(key) DO UPDATE SET value = excluded.value",
    )?
    .execute(params![key, value])?;
    Ok(())
}
