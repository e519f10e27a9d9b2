//! The file of a profile: who this device is, which spaces it has, and what must not be forgotten.

use super::database::{Database, Durability, Failure};
use super::error::{damaged, from_io};
use super::lock::ProfileLock;
use super::vault::{Access, Vault};
use super::{files, schema};
use crate::model::{Error, ErrorKind, Result};
use rusqlite::{OptionalExtension, Transaction, params};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use zeroize::Zeroizing;

/// A profile. Its writes are rare, and durable before they return.
pub struct ProfileStore {
    pub(super) db: Database,
    pub(super) directory: Option<PathBuf>,
    pub(super) vault: Option<Arc<Vault>>,
    // Dropped last: nobody else may open the files before they are closed here.
    _lock: Option<ProfileLock>,
}

impl ProfileStore {
    /// Opens the profile in `dir`, plain if it is new.
    #[cfg(test)]
    pub fn open(dir: Option<&Path>) -> Result<ProfileStore> {
        let mode = crate::api::EncryptionMode::Off;
        ProfileStore::open_with(
            dir,
            Access {
                mode,
                ..Access::default()
            },
        )
    }

    /// Opens the profile in `dir`, making it when missing; `None` keeps it in memory. Holds the
    /// profile until dropped: a second opener gets `ProfileLocked`. Finishes the removal of
    /// spaces that a crash cut short, and encrypts what is plain if that is to be.
    pub fn open_with(dir: Option<&Path>, access: Access) -> Result<ProfileStore> {
        let mut vault = None;
        let mut lock = None;
        let mut file = None;
        if let Some(dir) = dir {
            files::create_private_dir(dir)?;
            lock = Some(ProfileLock::take(dir)?);
            let spaces = dir.join("spaces");
            files::create_private_dir(&spaces)?;
            let path = dir.join("profile.sqlite");
            refuse_to_start_over(&path, &spaces)?;
            vault = Vault::open(dir, &path, access)?.map(Arc::new);
            file = Some(path);
        }
        let seal = vault
            .as_ref()
            .map(|vault| vault.profile_seal())
            .transpose()?;
        let db = Database::open(file.as_deref(), seal, &schema::PROFILE, Durability::AtOnce)?;
        let mut store = ProfileStore {
            db,
            directory: dir.map(Path::to_owned),
            vault,
            _lock: lock,
        };
        match store.finish_deletions() {
            // A file that cannot be removed now must not keep its owner out: the next open tries
            // again, and until then the space is in no list.
            Err(e) if e.kind() == ErrorKind::Storage => {}
            done => done?,
        }
        store.encrypt_spaces()?;
        Ok(store)
    }

    /// The key of its files, if they are encrypted.
    pub fn vault(&self) -> Option<Arc<Vault>> {
        self.vault.clone()
    }

    /// Stores the identity. Fails with `AlreadyExists` when there is one: it is never overwritten.
    pub fn create_identity(&mut self, keyring: &[u8], display_name: &str) -> Result<()> {
        self.db
            .write(|tx| insert_identity(tx, keyring, display_name))
    }

    /// The keyring, if there is an identity.
    pub fn keyring(&self) -> Result<Option<Zeroizing<Vec<u8>>>> {
        self.db.read(|conn| {
            conn.query_row("SELECT keyring FROM identity", [], |row| row.get(0))
                .optional()
                .map(|found| found.map(Zeroizing::new))
        })
    }

    /// Replaces the keyring. Nothing of the one before is left in the file.
    pub fn replace_keyring(&mut self, keyring: &[u8]) -> Result<()> {
        self.db.write(|tx| {
            // What is overwritten is zeroed, and the log, which holds the page as it was, emptied.
            tx.execute_batch("PRAGMA secure_delete = ON")?;
            if tx.execute("UPDATE identity SET keyring = ?1", [keyring])? == 0 {
                return Err(Error::state("this profile has no identity yet").into());
            }
            Ok(())
        })?;
        self.db.read(|conn| {
            conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .optional()
                .map(drop)
        })
    }

    /// The identity's display name.
    pub fn display_name(&self) -> Result<Option<String>> {
        self.db.read(|conn| {
            conn.query_row("SELECT display_name FROM identity", [], |row| row.get(0))
                .optional()
        })
    }

    /// Changes the identity's display name.
    pub fn set_display_name(&mut self, name: &str) -> Result<()> {
        self.update_identity("UPDATE identity SET display_name = ?1", name)
    }

    /// A setting.
    pub fn setting(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.db.read(|conn| {
            conn.query_row("SELECT value FROM settings WHERE key = ?1", [key], |row| {
                row.get(0)
            })
            .optional()
        })
    }

    /// Changes a setting; `None` removes it.
    pub fn set_setting(&mut self, key: &str, value: Option<&[u8]>) -> Result<()> {
        self.db.write(|tx| {
            match value {
                None => tx.execute("DELETE FROM settings WHERE key = ?1", [key])?,
                Some(value) => tx.execute(
                    "INSERT INTO settings(key, value) VALUES(?1, ?2) \
                     ON CONFLICT(key) DO UPDATE SET value = excluded.value",
                    params![key, value],
                )?,
            };
            Ok(())
        })
    }

    fn update_identity(&mut self, sql: &str, value: impl rusqlite::ToSql) -> Result<()> {
        self.db.write(|tx| {
            if tx.execute(sql, [value])? == 0 {
                return Err(Error::state("this profile has no identity yet").into());
            }
            Ok(())
        })
    }
}

pub(super) fn insert_identity(
    tx: &Transaction<'_>,
    keyring: &[u8],
    display_name: &str,
) -> std::result::Result<(), Failure> {
    let added = tx.execute(
        "INSERT INTO identity(one, display_name, keyring) VALUES(1, ?1, ?2) \
         ON CONFLICT(one) DO NOTHING",
        params![display_name, keyring],
    )?;
    if added == 0 {
        let detail = "this profile has an identity already";
        return Err(Error::new(ErrorKind::AlreadyExists, detail).into());
    }
    Ok(())
}

/// Spaces without a profile are no new profile: whoever lost the file may still have a backup of
/// it, and a new identity could not open them.
fn refuse_to_start_over(file: &Path, spaces: &Path) -> Result<()> {
    if file.metadata().is_ok_and(|found| found.len() > 0) {
        return Ok(());
    }
    let mut held = std::fs::read_dir(spaces).map_err(|e| from_io(spaces.display(), &e))?;
    match held.next() {
        None => Ok(()),
        Some(_) => Err(damaged(
            &file.display().to_string(),
            "it is empty or gone, but there are spaces beside it",
        )),
    }
}
