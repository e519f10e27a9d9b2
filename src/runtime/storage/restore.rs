//! A space's file built anew, from an archive: beside its place until it is whole.

use super::error::from_io;
use super::files;
use super::profile::ProfileStore;
use super::space::SpaceStore;
use crate::model::{Error, ErrorKind, Result, SpaceId};
use std::path::{Path, PathBuf};

/// How many damaged files of one space are kept.
const KEPT: u32 = 100;

impl ProfileStore {
    /// Begins a new file of a space; of a profile in memory, a new space in memory. What an earlier
    /// attempt left is removed.
    pub fn begin_restore(&self, id: &SpaceId) -> Result<SpaceStore> {
        let path = self.restore_path(id);
        if let Some(path) = &path {
            files::remove_database(path)?;
        }
        self.open_space_at(id, path.as_deref())
    }

    /// Removes a file that was begun; it is closed by now.
    pub fn abandon_restore(&self, id: &SpaceId) -> Result<()> {
        match self.restore_path(id) {
            None => Ok(()),
            Some(path) => files::remove_database(&path),
        }
    }

    /// Puts the finished file, which is closed by now, in its place, lists the space, and opens it.
    /// A damaged file that stands there is kept under another name.
    pub fn finish_restore(&mut self, id: &SpaceId, joined_ms: i64) -> Result<SpaceStore> {
        let (Some(from), Some(to)) = (self.restore_path(id), self.space_path(id)) else {
            return Err(Error::internal("a space in memory has no file to move"));
        };
        self.set_aside(id, &to)?;
        std::fs::rename(&from, &to).map_err(|e| from_io(to.display(), &e))?;
        if let Some(parent) = to.parent() {
            files::sync_dir(parent)?;
        }
        self.list_restored(id, joined_ms)?;
        self.open_space(id)
    }

    /// Opens what is there of a space's file, unchecked and for reading alone: to be read with care.
    pub fn salvage_space(&self, id: &SpaceId) -> Result<SpaceStore> {
        let path = self.space_path(id);
        let path = path.ok_or_else(|| Error::internal("a space in memory has no file"))?;
        let vault = self.vault.as_ref();
        let seal = vault.map(|vault| vault.space_seal(id)).transpose()?;
        SpaceStore::salvage(&path, seal)
    }

    /// Puts the finished file, which is closed by now as the old one is, in the place of the old one.
    /// With `keep` the old one is kept under another name, which is returned. At every moment there
    /// is a whole file in the place.
    pub fn finish_repair(&mut self, id: &SpaceId, keep: bool) -> Result<Option<PathBuf>> {
        let (Some(from), Some(to)) = (self.restore_path(id), self.space_path(id)) else {
            return Err(Error::internal("a space in memory has no file to move"));
        };
        let kept = match keep && to.exists() {
            true => Some(free_name(&to)?),
            false => None,
        };
        for suffix in ["", "-wal"] {
            let old = files::side_file(&to, suffix);
            if let Some(kept) = &kept
                && old.exists()
            {
                copy(&old, &files::side_file(kept, suffix))?;
            }
        }
        // A log that is still there would be replayed into the new file.
        files::remove_side_files(&to)?;
        std::fs::rename(&from, &to).map_err(|e| from_io(to.display(), &e))?;
        if let Some(parent) = to.parent() {
            files::sync_dir(parent)?;
        }
        Ok(kept)
    }

    /// Lists a space unless it is listed.
    pub fn list_restored(&mut self, id: &SpaceId, joined_ms: i64) -> Result<()> {
        match self.add_space(id, false, joined_ms) {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => self.set_space_opened(id, true),
            added => added,
        }
    }

    /// Makes way for a new file: one without entries is removed, any other is kept beside.
    fn set_aside(&self, id: &SpaceId, path: &Path) -> Result<()> {
        if !path.exists() {
            return files::remove_database(path);
        }
        let empty = self
            .open_space_at(id, Some(path))
            .and_then(|store| store.counts())
            .is_ok_and(|counts| counts.entries == 0);
        match empty {
            true => files::remove_database(path),
            false => keep(path),
        }
    }

    fn restore_path(&self, id: &SpaceId) -> Option<PathBuf> {
        self.space_path(id)
            .map(|path| path.with_extension("restore"))
    }
}

/// A name for a damaged file that is kept.
fn free_name(path: &Path) -> Result<PathBuf> {
    let free = (1..=KEPT)
        .map(|n| path.with_extension(format!("damaged-{n}")))
        .find(|kept| !kept.exists());
    free.ok_or_else(|| {
        Error::new(
            ErrorKind::Storage,
            format!(
                "{} cannot be set aside: {KEPT} damaged files of the space are kept already",
                path.display()
            ),
        )
    })
}

/// A second name for a file; a copy, where files have one name each.
fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::hard_link(from, to)
        .or_else(|_| std::fs::copy(from, to).map(drop))
        .map_err(|e| from_io(to.display(), &e))
}

/// Keeps a damaged file under another name.
fn keep(path: &Path) -> Result<()> {
    let kept = free_name(path)?;
    for suffix in ["-wal", "-shm"] {
        let side = files::side_file(path, suffix);
        if side.exists() {
            std::fs::rename(&side, files::side_file(&kept, suffix))
                .map_err(|e| from_io(side.display(), &e))?;
        }
    }
    std::fs::rename(path, &kept).map_err(|e| from_io(path.display(), &e))
}
