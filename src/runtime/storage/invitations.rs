//! Invitations that must outlive the process, and the guesses spent on each.

use super::profile::ProfileStore;
use crate::model::{Error, Result};
use rusqlite::params;

/// An invitation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInvitation {
    /// Its id.
    pub id: [u8; 16],
    /// How many authorization codes were used up.
    pub used_codes: u32,
    /// What the invitation layer keeps about it.
    pub payload: Vec<u8>,
}

impl ProfileStore {
    /// Stores an invitation, or replaces what is kept about it; used codes stay used.
    pub fn put_invitation(&mut self, id: &[u8; 16], payload: &[u8]) -> Result<()> {
        self.db.write(|tx| {
            tx.execute(
                "INSERT INTO invitations(id, payload) VALUES(?1, ?2) \
                 ON CONFLICT(id) DO UPDATE SET payload = excluded.payload",
                params![id, payload],
            )?;
            Ok(())
        })
    }

    /// All invitations.
    pub fn invitations(&self) -> Result<Vec<StoredInvitation>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT id, payload, (SELECT count(*) FROM attempts WHERE invitation = id) \
                 FROM invitations ORDER BY rowid",
            )?
            .query_map([], |row| {
                Ok(StoredInvitation {
                    id: row.get(0)?,
                    payload: row.get(1)?,
                    used_codes: row.get(2)?,
                })
            })?
            .collect()
        })
    }

    /// Uses up one authorization code of an invitation. When it returns `true`, the use survives
    /// a power cut: only then may a guess be checked. `false` means that the code was used before.
    pub fn record_attempt(&mut self, id: &[u8; 16], code_index: u32) -> Result<bool> {
        // The profile commits at `synchronous = FULL`, so this returns after the sync.
        self.db.write(|tx| {
            let known = tx
                .prepare_cached("SELECT 1 FROM invitations WHERE id = ?1")?
                .exists([id])?;
            if !known {
                return Err(Error::not_found("the invitation is not stored").into());
            }
            let added = tx.execute(
                "INSERT INTO attempts(invitation, code) VALUES(?1, ?2) \
                 ON CONFLICT DO NOTHING",
                params![id, code_index],
            )?;
            Ok(added == 1)
        })
    }

    /// Forgets an invitation and its used codes: only when it can never be taken up again.
    pub fn remove_invitation(&mut self, id: &[u8; 16]) -> Result<()> {
        self.db.write(|tx| {
            tx.execute("DELETE FROM attempts WHERE invitation = ?1", [id])?;
            tx.execute("DELETE FROM invitations WHERE id = ?1", [id])?;
            Ok(())
        })
    }
}
