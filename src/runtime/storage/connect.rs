//! The one way to a connection: over the layer that encrypts where there is a key.

use super::sealed::{RESERVED, Seal};
use rusqlite::{Connection, OpenFlags, ffi};
use std::ffi::c_int;
use std::path::Path;

/// Opens a connection to the file at `path`, which `seal`, if there is one, is to outlive.
pub(super) fn connect(
    path: &Path,
    seal: Option<&Seal>,
    flags: OpenFlags,
) -> rusqlite::Result<Connection> {
    match seal {
        None => Connection::open_with_flags(path, flags),
        Some(seal) => {
            Connection::open_with_flags(seal.uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
        }
    }
}

/// Prepares a new file to be encrypted: every page keeps room for what the layer adds.
pub(super) fn reserve(conn: &Connection) -> rusqlite::Result<()> {
    conn.execute_batch("PRAGMA page_size = 4096")?;
    let mut bytes = RESERVED as c_int;
    // SAFETY: the connection is open and not in use; for this operation SQLite reads and writes one
    // `int`, which outlives the call.
    let code = unsafe {
        ffi::sqlite3_file_control(
            conn.handle(),
            c"main".as_ptr(),
            ffi::SQLITE_FCNTL_RESERVE_BYTES,
            (&raw mut bytes).cast(),
        )
    };
    match code {
        ffi::SQLITE_OK => Ok(()),
        code => Err(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)),
    }
}
