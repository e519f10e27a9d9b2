//! How connections to the files are opened: the one place that names flags and settings.

use super::sealed::{RESERVED, Seal};
use super::{sorting, words};
use rusqlite::config::DbConfig;
use rusqlite::functions::FunctionFlags;
use rusqlite::{Connection, OpenFlags, ffi};
use std::ffi::c_int;
use std::path::Path;
use std::sync::Once;
use std::time::Duration;

/// How long a statement waits for another program that reads the file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How our functions are made known: they depend on their arguments alone, and nothing in a file's
/// schema may call them.
pub(super) const FUNCTION: FunctionFlags = FunctionFlags::SQLITE_UTF8
    .union(FunctionFlags::SQLITE_DETERMINISTIC)
    .union(FunctionFlags::SQLITE_DIRECTONLY);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Reads and writes: one for each file.
    Write,
    /// Reads only, beside the one that writes. It never makes a file.
    Read,
}

/// Opens a connection to the file at `path`, which exists; `None` is a new database in memory. It
/// knows the functions that queries call, and trusts nothing in the file. An encrypted file is opened
/// with its `seal`, which is to outlive the connection.
pub(super) fn open(
    path: Option<&Path>,
    seal: Option<&Seal>,
    access: Access,
) -> rusqlite::Result<Connection> {
    without_statistics();
    let conn = match path {
        None => Connection::open_in_memory()?,
        Some(path) => {
            let mode = match access {
                Access::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
                Access::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
            };
            let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            match seal {
                None => Connection::open_with_flags(path, flags)?,
                Some(seal) => {
                    let flags = flags | OpenFlags::SQLITE_OPEN_URI;
                    Connection::open_with_flags(seal.uri(path), flags)?
                }
            }
        }
    };
    conn.busy_timeout(BUSY_TIMEOUT)?;
    // A plan is made once for a statement. Without this SQLite looks at the values that are bound, and
    // prepares the statement anew whenever one has changed: a third of a traversal's time.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    // The file may come from a backup that somebody else could write: nothing in its schema may
    // call functions.
    conn.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY;
         PRAGMA journal_size_limit = 16777216;",
    )?;
    // Pages of an encrypted file are as they were written, or are not read at all.
    if seal.is_none() {
        conn.execute_batch("PRAGMA cell_size_check = ON")?;
    }
    words::register(&conn)?;
    sorting::register(&conn)?;
    Ok(conn)
}

/// Has SQLite not count what it allocates, which takes a lock for the whole process each time. Nobody
/// asks for the count.
fn without_statistics() {
    static ONCE: Once = Once::new();
    // SAFETY: this option takes one `int`. SQLite refuses options once it is initialized, which it
    // is by the first connection of the process, and this is called before the library opens one: so
    // no other thread is within it, and if a program has begun to use the same copy of SQLite, the
    // call changes nothing.
    ONCE.call_once(|| unsafe {
        ffi::sqlite3_config(ffi::SQLITE_CONFIG_MEMSTATUS, 0 as c_int);
    });
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
