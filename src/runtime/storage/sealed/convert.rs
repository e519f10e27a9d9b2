//! Files that were made plain become encrypted ones: built beside, checked, and put in their place in
//! one step. A crash before that step leaves the plain file as it was, whole; one after it, the
//! encrypted one.

use super::Seal;
use super::database_file::{PLAIN_START, SEALED_START};
use crate::model::{Error, ErrorKind, Result};
use crate::runtime::storage::connection::{self, Access};
use crate::runtime::storage::error::{damaged, from_io, from_sqlite};
use crate::runtime::storage::files;
use rusqlite::Connection;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// How encrypted files of all versions begin.
const FAMILY: &[u8] = b"echodb sealed ";

/// How a file begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime::storage) enum Start {
    /// As a database that is not encrypted.
    Plain,
    /// As an encrypted one.
    Sealed,
    /// As one that a newer version of the library has encrypted.
    Newer,
    /// Otherwise, or it is missing or empty.
    Other,
}

/// How the file at `path` begins.
pub(in crate::runtime::storage) fn start(path: &Path) -> Result<Start> {
    let failed = |e: &io::Error| from_io(path.display(), e);
    let mut file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Start::Other),
        file => file.map_err(|e| failed(&e))?,
    };
    let mut start = [0; PLAIN_START.len()];
    match file.read_exact(&mut start) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(Start::Other),
        Err(e) => Err(failed(&e)),
        Ok(()) if start == *PLAIN_START => Ok(Start::Plain),
        Ok(()) if start == *SEALED_START => Ok(Start::Sealed),
        Ok(()) if start.starts_with(FAMILY) => Ok(Start::Newer),
        Ok(()) => Ok(Start::Other),
    }
}

/// Encrypts the plain file at `path`, over which `conn` is the only connection; it is closed.
pub(in crate::runtime::storage) fn seal_file(
    path: &Path,
    conn: Connection,
    seal: &Seal,
) -> Result<()> {
    let place = path.display().to_string();
    let target = path.with_extension("sealing");
    files::remove_database(&target)?;
    files::open_private_file(&target)?;
    let done = (|| {
        write_sealed(&conn, &target, seal)?;
        finish_sealed(&target, seal)
    })();
    if let Err(e) = done {
        files::remove_database(&target)?;
        return Err(e.context(format!("{place} could not be encrypted")));
    }
    conn.close().map_err(|(_, e)| from_sqlite(&place, e))?;
    // The log was emptied into the file before. It must not outlive it: its frames are plain.
    for suffix in ["-wal", "-shm"] {
        match std::fs::remove_file(files::side_file(path, suffix)) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(from_io(&place, &e)),
            _ => {}
        }
    }
    std::fs::rename(&target, path).map_err(|e| from_io(&place, &e))?;
    match path.parent() {
        Some(parent) => files::sync_dir(parent),
        None => Ok(()),
    }
}

/// Copies the whole database into the file at `target`.
fn write_sealed(conn: &Connection, target: &Path, seal: &Seal) -> Result<()> {
    let place = target.display().to_string();
    let failed = |e| from_sqlite(&place, e);
    let busy: i64 = conn
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))
        .map_err(failed)?;
    if busy != 0 {
        let detail = "another program has the file open; close it and try again";
        return Err(Error::new(ErrorKind::Storage, detail));
    }
    let building = seal.to_build()?;
    let reserve = super::RESERVED;
    let into = format!("{}&reserve={reserve}", building.uri(target));
    conn.execute("VACUUM INTO ?1", [into]).map_err(failed)?;
    Ok(())
}

/// Makes the copy what a new file would be, checks it, and has it on the disk.
fn finish_sealed(target: &Path, seal: &Seal) -> Result<()> {
    let place = target.display().to_string();
    let failed = |e| from_sqlite(&place, e);
    let conn = connection::open(Some(target), Some(seal), Access::Write).map_err(failed)?;
    let pragma = |text: &str| conn.query_row(text, [], |row| row.get::<_, String>(0));
    // A journal in memory: one on the disk would hold a page, and nobody needs it here.
    pragma("PRAGMA journal_mode = MEMORY").map_err(failed)?;
    pragma("PRAGMA journal_mode = WAL").map_err(failed)?;
    let verdict = pragma("PRAGMA quick_check(1)").map_err(failed)?;
    if verdict != "ok" {
        return Err(damaged(&place, verdict.trim()));
    }
    conn.close().map_err(|(_, e)| from_sqlite(&place, e))?;
    files::open_private_file(target)?
        .sync_all()
        .map_err(|e| from_io(&place, &e))
}
