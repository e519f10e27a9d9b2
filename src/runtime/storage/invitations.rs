//! Invitations that must outlive the process, and the guesses spent on each.

use super::database::Failure;
use super::profile::ProfileStore;
use crate::model::{Error, IdentityKey, Result, limits};
use rusqlite::{Transaction, params};
use zeroize::Zeroizing;

/// An invitation as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredInvitation {
    /// Its id.
    pub id: [u8; 16],
    /// How many authorization codes were used up since the last guest was let in.
    pub used_codes: u32,
    /// How many guests were let in.
    pub uses: u32,
    /// What the invitation layer keeps about it.
    pub payload: Zeroizing<Vec<u8>>,
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
                "SELECT id, payload, uses, \
                   (SELECT count(*) FROM attempts WHERE invitation = id AND code >= ?1 * uses) \
                 FROM (SELECT rowid AS n, id, payload, \
                   (SELECT count(*) FROM admissions WHERE invitation = id) AS uses \
                   FROM invitations) ORDER BY n",
            )?
            .query_map([limits::CODES_PER_INVITATION], |row| {
                Ok(StoredInvitation {
                    id: row.get(0)?,
                    payload: Zeroizing::new(row.get(1)?),
                    uses: row.get(2)?,
                    used_codes: row.get(3)?,
                })
            })?
            .collect()
        })
    }

    /// One of them.
    pub fn invitation(&self, id: &[u8; 16]) -> Result<Option<StoredInvitation>> {
        let all = self.invitations()?;
        Ok(all.into_iter().find(|stored| stored.id == *id))
    }

    /// Uses up one authorization code of an invitation. When it returns a number up to
    /// [`limits::CODES_PER_INVITATION`], that many are used up since the last guest was let in, and
    /// it survives a power cut: only then may a guess be checked. A higher number means that there
    /// was none left.
    pub fn use_code(&mut self, id: &[u8; 16]) -> Result<u32> {
        // The profile commits at `synchronous = FULL`, so this returns after the sync.
        self.db.write(|tx| {
            require(tx, id)?;
            let uses = count_admissions(tx, id)?;
            let first = uses.saturating_mul(limits::CODES_PER_INVITATION);
            let used: u32 = tx
                .prepare_cached(
                    "SELECT count(*) FROM attempts WHERE invitation = ?1 AND code >= ?2",
                )?
                .query_row(params![id, first], |row| row.get(0))?;
            if used < limits::CODES_PER_INVITATION {
                tx.execute(
                    "INSERT INTO attempts(invitation, code) VALUES(?1, ?2)",
                    params![id, first.saturating_add(used)],
                )?;
            }
            Ok(used.saturating_add(1))
        })
    }

    /// Lets a guest in through an invitation that has room for `most`. `true` means that this
    /// survives a power cut; the same guest is let in again and counts once. `false` means that
    /// others have come before.
    pub fn admit(&mut self, id: &[u8; 16], guest: &IdentityKey, most: u32) -> Result<bool> {
        self.db.write(|tx| {
            require(tx, id)?;
            let before = tx
                .prepare_cached("SELECT 1 FROM admissions WHERE invitation = ?1 AND guest = ?2")?
                .exists(params![id, guest.as_bytes()])?;
            if before {
                return Ok(true);
            }
            if count_admissions(tx, id)? >= most {
                return Ok(false);
            }
            tx.execute(
                "INSERT INTO admissions(invitation, guest) VALUES(?1, ?2)",
                params![id, guest.as_bytes()],
            )?;
            Ok(true)
        })
    }

    /// The guests that an invitation let in.
    pub fn admitted(&self, id: &[u8; 16]) -> Result<Vec<IdentityKey>> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT guest FROM admissions WHERE invitation = ?1")?
                .query_map([id], |row| row.get(0).map(IdentityKey))?
                .collect()
        })
    }

    /// Forgets an invitation and its used codes: only when it can never be taken up again.
    pub fn remove_invitation(&mut self, id: &[u8; 16]) -> Result<()> {
        self.db.write(|tx| {
            tx.execute("DELETE FROM attempts WHERE invitation = ?1", [id])?;
            tx.execute("DELETE FROM admissions WHERE invitation = ?1", [id])?;
            tx.execute("DELETE FROM invitations WHERE id = ?1", [id])?;
            Ok(())
        })
    }
}

fn require(tx: &Transaction<'_>, id: &[u8; 16]) -> std::result::Result<(), Failure> {
    let known = tx
        .prepare_cached("SELECT 1 FROM invitations WHERE id = ?1")?
        .exists([id])?;
    match known {
        true => Ok(()),
        false => Err(Error::not_found("the invitation is not stored").into()),
    }
}

fn count_admissions(tx: &Transaction<'_>, id: &[u8; 16]) -> std::result::Result<u32, Failure> {
    Ok(tx
        .prepare_cached("SELECT count(*) FROM admissions WHERE invitation = ?1")?
        .query_row([id], |row| row.get(0))?)
}
