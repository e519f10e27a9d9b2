//! A look at a profile's files themselves, encrypted or not: for tests and measurements.

use super::connection;
use super::sealed::Seal;
use super::vault::{Access, Vault};
use crate::api::EncryptionMode;
use crate::model::{Error, Result, SpaceId};
use rusqlite::Connection;
use std::ops::Deref;
use std::path::Path;

/// A connection to a file of a profile.
pub struct Inspected {
    conn: Connection,
    // Dropped after the connection, which needs it.
    _seal: Option<Seal>,
}

impl Deref for Inspected {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.conn
    }
}

/// Connects to a file of a profile whose key is in a file, or that is plain.
pub fn inspect(file: &Path) -> Result<Inspected> {
    let dir = file.parent().ok_or_else(|| Error::invalid("no profile"))?;
    let (dir, space) = match dir.file_name().is_some_and(|name| name == "spaces") {
        true => (dir.parent().unwrap_or(dir), true),
        false => (dir, false),
    };
    let access = Access {
        mode: EncryptionMode::Off,
        ..Access::default()
    };
    let seal = match Vault::open(dir, &dir.join("profile.sqlite"), access)? {
        None => None,
        Some(vault) if space => {
            let name = file.file_stem().unwrap_or_default().to_string_lossy();
            Some(vault.space_seal(&SpaceId::parse(&name)?)?)
        }
        Some(vault) => Some(vault.profile_seal()?),
    };
    let conn = connection::open(Some(file), seal.as_ref(), connection::Access::Write)
        .map_err(|e| super::error::from_sqlite(&file.display().to_string(), e))?;
    Ok(Inspected { conn, _seal: seal })
}
