//! Files and directories that only their owner can read.

use super::error::from_io;
use crate::model::Result;
use std::ffi::OsString;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Makes a directory, and those above it, with mode 0700. One that exists is left as it is: its
/// owner may have opened it to a group on purpose.
pub(super) fn create_private_dir(dir: &Path) -> Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(dir)
        .map_err(|e| from_io(dir.display(), &e))?;
    match dir.parent() {
        Some(parent) => sync_dir(parent),
        None => Ok(()),
    }
}

/// Opens a file for reading and writing, making it with mode 0600 when it is missing. SQLite
/// gives its side files the mode of the file they belong to.
pub(super) fn open_private_file(path: &Path) -> Result<fs::File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|e| from_io(path.display(), &e))
}

/// Makes the names in a directory durable.
pub(super) fn sync_dir(dir: &Path) -> Result<()> {
    // The parent of a relative path of one step is empty: it stands for the working directory.
    #[cfg(unix)]
    if !dir.as_os_str().is_empty() {
        fs::File::open(dir)
            .and_then(|d| d.sync_all())
            .map_err(|e| from_io(dir.display(), &e))?;
    }
    Ok(())
}

/// The side file of a database: `-wal` or `-shm`.
pub(super) fn side_file(database: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = database.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Removes a database's side files; those that are missing already are fine.
pub(super) fn remove_side_files(path: &Path) -> Result<()> {
    for suffix in ["-wal", "-shm"] {
        remove(&side_file(path, suffix))?;
    }
    Ok(())
}

fn remove(file: &Path) -> Result<()> {
    match fs::remove_file(file) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(from_io(file.display(), &e)),
        _ => Ok(()),
    }
}

/// Removes a database and its side files; those that are missing already are fine. The database
/// goes last, so that a log is never left to be replayed into a new file of the same name.
pub(super) fn remove_database(path: &Path) -> Result<()> {
    remove_side_files(path)?;
    remove(path)?;
    match path.parent() {
        Some(parent) if parent.is_dir() => sync_dir(parent),
        _ => Ok(()),
    }
}
