//! What objects break of their types' schemas.

use super::meta;
use super::objects::read_row;
use super::space::SpaceStore;
use crate::model::{ObjectId, Result, signed};
use crate::schema::Breach;
use crate::space::{ObjectRow, Violation};
use rusqlite::{OptionalExtension, Transaction, params};

impl SpaceStore {
    /// Rows of a type above number `after`, with their numbers, rising.
    pub fn objects_of_type(
        &self,
        type_name: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, ObjectRow)>> {
        let limit = signed(limit);
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT id, type, parent, gone, created, updated, heads, data, version, \
                   source, target, extra, json(plain), n FROM objects \
                 WHERE type = ?1 AND n > ?2 ORDER BY n LIMIT ?3",
            )?
            .query_map(params![type_name, after, limit], |row| {
                Ok((row.get(13)?, read_row(row)?))
            })?
            .collect()
        })
    }

    /// Records what objects break, with a small fact. An object that is not stored is passed over.
    pub fn put_breaches(
        &mut self,
        judged: &[(ObjectId, Vec<Breach>)],
        fact: (&str, &[u8]),
    ) -> Result<()> {
        self.db.write(|tx| {
            for (object, breaches) in judged {
                let n: Option<i64> = tx
                    .prepare_cached("SELECT n FROM objects WHERE id = ?1")?
                    .query_row([object.as_bytes()], |row| row.get(0))
                    .optional()?;
                if let Some(n) = n {
                    put(tx, n, breaches)?;
                }
            }
            Ok(meta::put(tx, fact.0, fact.1)?)
        })
    }

    /// Objects whose check was put off.
    pub fn unchecked(&self) -> Result<Vec<ObjectId>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT o.id FROM violations AS v JOIN objects AS o ON o.n = v.object \
                 WHERE v.n = 0 AND v.reason = ?1",
            )?
            .query_map([Breach::unchecked().reason], |row| {
                Ok(ObjectId(row.get(0)?))
            })?
            .collect()
        })
    }

    /// Everything recorded, but for what is yet to be checked.
    pub fn violations(&self) -> Result<Vec<Violation>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT o.id, o.type, o.version, v.path, v.reason FROM violations AS v \
                 JOIN objects AS o ON o.n = v.object WHERE v.reason <> ?1 ORDER BY o.id, v.n",
            )?
            .query_map([Breach::unchecked().reason], |row| {
                Ok(Violation {
                    id: ObjectId(row.get(0)?),
                    type_name: row.get::<_, Option<String>>(1)?.unwrap_or_default(),
                    version: row.get::<_, Option<u32>>(2)?.unwrap_or_default(),
                    breach: Breach {
                        path: row.get(3)?,
                        reason: row.get(4)?,
                    },
                })
            })?
            .collect()
        })
    }
}

/// Replaces what is recorded of the object of number `n`.
pub(super) fn put(tx: &Transaction<'_>, n: i64, breaches: &[Breach]) -> rusqlite::Result<()> {
    tx.prepare_cached("DELETE FROM violations WHERE object = ?1")?
        .execute([n])?;
    for (place, breach) in (0i64..).zip(breaches) {
        tx.prepare_cached(
            "INSERT INTO violations(object, n, path, reason) VALUES(?1, ?2, ?3, ?4)",
        )?
        .execute(params![n, place, breach.path, breach.reason])?;
    }
    Ok(())
}
