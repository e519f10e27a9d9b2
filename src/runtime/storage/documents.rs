//! The stored form of an object's document: a snapshot, and the changes made since.

use super::objects::Slot;
use super::space::SpaceStore;
use crate::model::{Error, ObjectId, Result, signed};
use crate::space::StoredDocument;
use rusqlite::{OptionalExtension, Transaction, params};

impl SpaceStore {
    /// Loads a document; `None` when the object is not stored.
    pub fn load_document(&self, object: &ObjectId) -> Result<Option<StoredDocument>> {
        self.db.read(|conn| {
            let found = conn
                .prepare_cached(
                    "SELECT o.n, o.tail, d.snapshot FROM objects AS o \
                     LEFT JOIN documents AS d ON d.object = o.n WHERE o.id = ?1",
                )?
                .query_row([object.as_bytes()], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?))
                })
                .optional()?;
            let Some((n, tail, snapshot)) = found else {
                return Ok(None);
            };
            let changes = conn
                .prepare_cached("SELECT change FROM changes WHERE object = ?1 ORDER BY n")?
                .query_map([n], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            Ok(Some(StoredDocument {
                snapshot,
                changes,
                upto: tail.unsigned_abs(),
            }))
        })
    }

    /// How many changes an object has beside its snapshot: when there are many, it is time for a
    /// new one.
    #[cfg(test)]
    pub fn change_count(&self, object: &ObjectId) -> Result<u64> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT count(*) FROM changes \
                 WHERE object = (SELECT n FROM objects WHERE id = ?1)",
            )?
            .query_row([object.as_bytes()], |row| row.get::<_, i64>(0))
            .map(i64::unsigned_abs)
        })
    }

    /// Stores a snapshot of a document as it was loaded with [`StoredDocument::upto`], and drops
    /// the changes it covers; those added since stay. An older snapshot never replaces a newer:
    /// returns whether it was stored.
    pub fn replace_snapshot(
        &mut self,
        object: &ObjectId,
        snapshot: &[u8],
        upto: u64,
    ) -> Result<bool> {
        let upto = signed(upto);
        self.db.write(|tx| {
            let (n, tail) = tx
                .prepare_cached("SELECT n, tail FROM objects WHERE id = ?1")?
                .query_row([object.as_bytes()], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
                })
                .optional()?
                .ok_or_else(|| Error::not_found(format!("the object {object} is not stored")))?;
            if upto > tail {
                return Err(Error::invalid("a snapshot cannot cover changes not stored").into());
            }
            let dropped = tx
                .prepare_cached("DELETE FROM changes WHERE object = ?1 AND n < ?2")?
                .execute([n, upto])?;
            if dropped == 0 {
                // Everything it covers is in the present snapshot already.
                return Ok(false);
            }
            tx.prepare_cached(
                "INSERT INTO documents(object, snapshot) VALUES(?1, ?2) \
                 ON CONFLICT(object) DO UPDATE SET snapshot = excluded.snapshot",
            )?
            .execute(params![n, snapshot])?;
            Ok(true)
        })
    }
}

/// Adds changes to an object's tail.
pub(super) fn append(
    tx: &Transaction<'_>,
    slot: &Slot,
    changes: &[Vec<u8>],
) -> rusqlite::Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    let mut insert =
        tx.prepare_cached("INSERT INTO changes(object, n, change) VALUES(?1, ?2, ?3)")?;
    for (n, change) in (slot.tail..).zip(changes) {
        insert.execute(params![slot.n, n, change])?;
    }
    Ok(())
}
