//! How connections to the files are opened: the one place that names flags and settings.

use super::words;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;
use std::time::Duration;

/// How long a statement waits for another program that reads the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Reads and writes: one for each file.
    Write,
    /// Reads only, beside the one that writes. It never makes a file.
    Read,
}

/// Opens a connection to the file at `path`, which exists; `None` is a new database in memory. It
/// knows the functions that queries call, and trusts nothing in the file.
pub(super) fn open(path: Option<&Path>, access: Access) -> rusqlite::Result<Connection> {
    let conn = match path {
        None => Connection::open_in_memory()?,
        Some(path) => {
            let mode = match access {
                Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
                Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            };
            Connection::open_with_flags(path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?
        }
    };
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // The file may come from a backup that somebody else could write: nothing in its schema may
    // call functions, and cells are checked before they are followed.
    conn.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;",
    )?;
    words::register(&conn)?;
    Ok(conn)
}
