//! The file of one space.

use super::database::{Database, Durability};
use super::schema;
use super::sealed::Seal;
use crate::model::Result;
use std::path::Path;

/// A space's entries, documents and objects. One owner at a time: the space's actor. Every call
/// blocks on the disk; the caller keeps it off the threads that serve the network.
pub struct SpaceStore {
    pub(super) db: Database,
}

impl SpaceStore {
    /// Opens a plain file.
    #[cfg(any(test, fuzzing, feature = "bench-internals"))]
    pub fn open(path: Option<&Path>) -> Result<SpaceStore> {
        SpaceStore::open_sealed(path, None)
    }

    /// Opens the file at `path`, making it, and the directories above it, when missing; `None`
    /// keeps the space in memory. Fails with `Corrupt` when the file is damaged or something
    /// else, `UnsupportedVersion` when a newer version of the library wrote it, and `Storage`
    /// when the file system refuses. With a `seal` the file is encrypted.
    pub(super) fn open_sealed(path: Option<&Path>, seal: Option<Seal>) -> Result<SpaceStore> {
        let db = Database::open(path, seal, &schema::SPACE, Durability::Later)?;
        Ok(SpaceStore { db })
    }

    /// Opens what is there, for reading alone and without a check.
    pub(super) fn salvage(path: &Path, seal: Option<Seal>) -> Result<SpaceStore> {
        let db = Database::salvage(path, seal, &schema::SPACE)?;
        Ok(SpaceStore { db })
    }

    /// Returns once everything committed so far is safe from a power cut.
    pub fn flush(&mut self) -> Result<()> {
        // A commit syncs the log only when it has written to it, so the barrier writes one row: another
        // value each time, since SQLite does not write what is there already.
        self.db.write_through(|tx| {
            tx.prepare_cached(
                "INSERT INTO meta(key, value) VALUES('barrier', 0) \
                 ON CONFLICT(key) DO UPDATE SET value = (value = 0)",
            )?
            .execute([])?;
            Ok(())
        })
    }

    /// Checks the whole file, every index against its table: for a doctor, not for every start.
    #[cfg(test)]
    pub fn check(&self) -> Result<()> {
        self.db.check("integrity_check(1)")
    }
}
