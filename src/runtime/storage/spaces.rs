//! The profile's list of spaces, and their files.

use super::database::Failure;
use super::files;
use super::profile::ProfileStore;
use super::sealed::{self, Seal, Start};
use super::space::SpaceStore;
use crate::model::{Error, ErrorKind, Result, SpaceId};
use rusqlite::{Transaction, params};
use std::path::{Path, PathBuf};

/// A space of the profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpaceRecord {
    /// The space.
    pub id: SpaceId,
    /// Its place in the list.
    pub position: i64,
    /// Whether it is the one that a program starts with.
    pub is_default: bool,
    /// Whether it is opened when the client starts.
    pub opened: bool,
    /// When it was made or joined here: milliseconds since 1970.
    pub joined_ms: i64,
    /// Whether it is the HALO space of the profile's identity, which is no space of the user's.
    pub is_halo: bool,
}

/// Where a space is stored, and what its file is encrypted with.
pub struct SpaceFile {
    /// `None` in memory.
    path: Option<PathBuf>,
    seal: Option<Seal>,
}

impl SpaceFile {
    /// Opens it, making it when missing.
    pub fn open(self) -> Result<SpaceStore> {
        SpaceStore::open_sealed(self.path.as_deref(), self.seal)
    }
}

/// `spaces.kind` of the HALO space.
const HALO: i64 = 1;

impl ProfileStore {
    /// The spaces, in their order.
    pub fn spaces(&self) -> Result<Vec<SpaceRecord>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT id, position, is_default, opened, joined, kind FROM spaces \
                 WHERE deleting = 0 ORDER BY position, id",
            )?
            .query_map([], |row| {
                Ok(SpaceRecord {
                    id: SpaceId(row.get(0)?),
                    position: row.get(1)?,
                    is_default: row.get(2)?,
                    opened: row.get(3)?,
                    joined_ms: row.get(4)?,
                    is_halo: row.get::<_, i64>(5)? == HALO,
                })
            })?
            .collect()
        })
    }

    /// Adds a space at the end of the list, opened. Fails with `AlreadyExists` when it is there.
    pub fn add_space(&mut self, id: &SpaceId, is_default: bool, joined_ms: i64) -> Result<()> {
        self.db.write(|tx| {
            if is_default {
                tx.execute("UPDATE spaces SET is_default = 0", [])?;
            }
            insert(tx, id, is_default, joined_ms, 0)
        })
    }

    /// Adds the HALO space of the profile's identity.
    pub fn add_halo(&mut self, id: &SpaceId, joined_ms: i64) -> Result<()> {
        self.db.write(|tx| insert(tx, id, false, joined_ms, HALO))
    }

    /// Stores the identity of a device that was added to one, with the HALO space that it was
    /// given: both or neither. Fails with `AlreadyExists` when there is an identity.
    pub fn create_identity_in(
        &mut self,
        keyring: &[u8],
        display_name: &str,
        halo: &SpaceId,
        joined_ms: i64,
    ) -> Result<()> {
        self.db.write(|tx| {
            super::profile::insert_identity(tx, keyring, display_name)?;
            insert(tx, halo, false, joined_ms, HALO)
        })
    }

    /// Makes a space the default one, and no other.
    #[cfg(test)]
    pub fn set_default_space(&mut self, id: &SpaceId) -> Result<()> {
        self.db.write(|tx| {
            tx.execute("UPDATE spaces SET is_default = 0", [])?;
            let changed = tx.execute(
                "UPDATE spaces SET is_default = 1 WHERE id = ?1 AND deleting = 0",
                [id.as_bytes()],
            )?;
            // Refusing undoes the first statement too.
            (changed > 0)
                .then_some(())
                .ok_or_else(|| unknown(id).into())
        })
    }

    /// Sets whether a space is opened when the client starts.
    pub fn set_space_opened(&mut self, id: &SpaceId, opened: bool) -> Result<()> {
        self.update_space(
            id,
            "UPDATE spaces SET opened = ?2 WHERE id = ?1 AND deleting = 0",
            &[i64::from(opened)],
        )
    }

    /// Sets a space's place in the list.
    #[cfg(test)]
    pub fn set_space_position(&mut self, id: &SpaceId, position: i64) -> Result<()> {
        self.update_space(
            id,
            "UPDATE spaces SET position = ?2 WHERE id = ?1 AND deleting = 0",
            &[position],
        )
    }

    /// Where a space's file is; `None` when in memory.
    pub fn space_path(&self, id: &SpaceId) -> Option<PathBuf> {
        let dir = self.directory.as_ref()?;
        Some(dir.join("spaces").join(format!("{id}.sqlite")))
    }

    /// Opens a space's file; of a profile in memory, a new space in memory.
    pub fn open_space(&self, id: &SpaceId) -> Result<SpaceStore> {
        self.space_file(id)?.open()
    }

    /// The file of a space, to be opened without the profile.
    pub fn space_file(&self, id: &SpaceId) -> Result<SpaceFile> {
        self.space_file_at(id, self.space_path(id))
    }

    /// Opens a file of a space that is, or is to be, elsewhere than in its place.
    pub(super) fn open_space_at(&self, id: &SpaceId, path: Option<&Path>) -> Result<SpaceStore> {
        self.space_file_at(id, path.map(Path::to_owned))?.open()
    }

    fn space_file_at(&self, id: &SpaceId, path: Option<PathBuf>) -> Result<SpaceFile> {
        let vault = self.vault.as_ref();
        let seal = vault.map(|vault| vault.space_seal(id)).transpose()?;
        Ok(SpaceFile { path, seal })
    }

    /// Encrypts the spaces whose files are plain still.
    pub(super) fn encrypt_spaces(&self) -> Result<()> {
        if self.vault.is_none() {
            return Ok(());
        }
        for space in self.spaces()? {
            let path = self.space_path(&space.id);
            if let Some(path) = &path
                && sealed::start(path)? == Start::Plain
            {
                // One that is damaged, or has no room to be encrypted, must not keep its owner out of
                // the others: opening it tells.
                let _ = self.open_space(&space.id);
            }
        }
        Ok(())
    }

    /// Removes a space and its files, which nobody may have open. From the moment it begins the
    /// space is gone from the list, and after a crash the next open removes what is left.
    pub fn delete_space(&mut self, id: &SpaceId) -> Result<()> {
        self.update_space(
            id,
            "UPDATE spaces SET deleting = 1, is_default = 0 WHERE id = ?1 AND deleting = 0",
            &[],
        )?;
        self.finish_deletions()
    }

    /// Removes the files of spaces marked for it, then their rows.
    pub(super) fn finish_deletions(&mut self) -> Result<()> {
        let marked: Vec<[u8; 32]> = self.db.read(|conn| {
            conn.prepare("SELECT id FROM spaces WHERE deleting = 1")?
                .query_map([], |row| row.get(0))?
                .collect()
        })?;
        for id in marked.into_iter().map(SpaceId) {
            if let Some(path) = self.space_path(&id) {
                files::remove_database(&path)?;
            }
            self.db.write(|tx| {
                tx.execute("DELETE FROM spaces WHERE id = ?1", [id.as_bytes()])?;
                Ok(())
            })?;
        }
        Ok(())
    }

    fn update_space(&mut self, id: &SpaceId, sql: &str, value: &[i64]) -> Result<()> {
        self.db.write(|tx| {
            let changed = match value.first() {
                None => tx.execute(sql, [id.as_bytes()])?,
                Some(value) => tx.execute(sql, params![id.as_bytes(), value])?,
            };
            if changed == 0 {
                return Err(unknown(id).into());
            }
            Ok(())
        })
    }
}

fn unknown(id: &SpaceId) -> Error {
    Error::not_found(format!("the space {id} is not in this profile"))
}

fn insert(
    tx: &Transaction<'_>,
    id: &SpaceId,
    is_default: bool,
    joined_ms: i64,
    kind: i64,
) -> std::result::Result<(), Failure> {
    let added = tx.execute(
        "INSERT INTO spaces(id, position, is_default, opened, joined, deleting, kind) \
         SELECT ?1, coalesce(max(position) + 1, 0), ?2, 1, ?3, 0, ?4 FROM spaces WHERE true \
         ON CONFLICT(id) DO NOTHING",
        params![id.as_bytes(), is_default, joined_ms, kind],
    )?;
    if added == 0 {
        let detail = format!("the space {id} is in this profile already");
        return Err(Error::new(ErrorKind::AlreadyExists, detail).into());
    }
    Ok(())
}
