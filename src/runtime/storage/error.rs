//! From SQLite's and the file system's errors to ours: each names the file and says what to do.

use crate::model::{Error, ErrorKind};
use rusqlite::ErrorCode;
use std::io;

/// An error of SQLite while working on the file at `place`.
pub(super) fn from_sqlite(place: &str, error: rusqlite::Error) -> Error {
    let code = match &error {
        // Of JSON that was well formed when it was written.
        rusqlite::Error::SqliteFailure(_, Some(why)) if why == "malformed JSON" => {
            return damaged(place, why);
        }
        rusqlite::Error::SqliteFailure(failure, _) => failure.code,
        // A stored value has the wrong type or length: only damage makes that.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => {
            return damaged(place, &error.to_string());
        }
        _ => return Error::internal(format!("{place}: {error}")),
    };
    let storage = |advice: &str| Error::new(ErrorKind::Storage, format!("{place}: {advice}"));
    match code {
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => damaged(place, &error.to_string()),
        ErrorCode::DiskFull => storage("the disk is full; free some space and try again"),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => {
            storage("the file cannot be written; check its permissions and its file system")
        }
        ErrorCode::CannotOpen => storage("the file cannot be opened; check its permissions"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => {
            storage("another program keeps the file locked; close it and try again")
        }
        ErrorCode::SystemIoFailure
        | ErrorCode::FileLockingProtocolFailed
        | ErrorCode::NoLargeFileSupport
        | ErrorCode::OutOfMemory => storage(&format!("reading or writing failed ({error})")),
        ErrorCode::TooBig => Error::limit(format!("{place}: a value is too large to store")),
        _ => Error::internal(format!("{place}: {error}")),
    }
}

/// The file at `place` holds bytes that this library did not write.
pub(super) fn damaged(place: &str, why: &str) -> Error {
    Error::corrupt(format!(
        "{place} is damaged or not a database ({why}); restore it from a backup or from another device"
    ))
}

/// An error of the file system at `place`.
pub(super) fn from_io(place: impl std::fmt::Display, error: &io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("{place}: {error}"))
}
