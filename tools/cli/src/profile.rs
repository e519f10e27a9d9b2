//! Where the profile is, and opening it.

use crate::args::Args;
use crate::failure::{Failure, Result};
use crate::passphrase::Secret;
use echodb::model::ErrorKind;
use echodb::{Client, ClientOptions, LogLevel, LogSink};
use std::ffi::OsString;
use std::fs::{DirBuilder, Permissions};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The profile's directory: as given, or in the XDG data directory.
pub fn directory(args: &Args) -> Result<PathBuf> {
    let given = args
        .profile
        .clone()
        .filter(|path| !path.as_os_str().is_empty());
    match given {
        // The serving process may have another working directory; names must mean the same.
        Some(path) => {
            std::path::absolute(&path).map_err(|error| Failure::storage(path.display(), error))
        }
        None => default_directory(std::env::var_os("XDG_DATA_HOME"), std::env::var_os("HOME")),
    }
}

fn default_directory(data_home: Option<OsString>, home: Option<OsString>) -> Result<PathBuf> {
    // The XDG base directory specification has relative paths ignored.
    let absolute = |value: Option<OsString>| value.map(PathBuf::from).filter(|p| p.is_absolute());
    absolute(data_home)
        .or_else(|| absolute(home).map(|home| home.join(".local/share")))
        .map(|data| data.join("echodb"))
        .ok_or_else(|| Failure::usage("neither --profile nor $HOME is set"))
}

/// Makes the directory if it is absent, and sees that only its owner may enter it.
pub fn make_private(directory: &Path) -> Result<()> {
    let fail = |error| Failure::storage(directory.display(), error);
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(fail)?;
    let metadata = std::fs::metadata(directory).map_err(fail)?;
    if metadata.uid() != crate::socket::own_uid() {
        return Err(Failure::new(
            ErrorKind::Storage,
            format!("{} belongs to another user", directory.display()),
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        std::fs::set_permissions(directory, Permissions::from_mode(0o700)).map_err(fail)?;
    }
    Ok(())
}

/// How the profile is opened.
pub struct Opening<'a> {
    /// The signalling servers.
    pub signaling: Vec<String>,
    /// Whether to look for peers.
    pub online: bool,
    /// How much memory may be used for what was read, in MiB.
    pub cache: Option<u64>,
    /// The passphrase, if it was given.
    pub passphrase: Option<&'a Secret>,
}

/// Opens the profile in this process.
pub fn open(
    directory: &Path,
    opening: Opening<'_>,
    log: Option<Arc<dyn LogSink>>,
) -> Result<Arc<Client>> {
    let profile = directory
        .to_str()
        .ok_or_else(|| Failure::usage("the profile's path is not UTF-8"))?;
    let usual = ClientOptions::default();
    let options = ClientOptions {
        profile: Some(profile.to_owned()),
        signaling: opening.signaling,
        online: opening.online,
        log_level: LogLevel::Warn,
        cache_bytes: opening.cache.map_or(usual.cache_bytes, |mib| mib << 20),
        passphrase: opening.passphrase.map(Secret::text),
        ..usual
    };
    Ok(Client::open(options, log)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_directory_is_xdg() {
        let at = |data: Option<&str>, home: Option<&str>| {
            default_directory(data.map(Into::into), home.map(Into::into)).ok()
        };
        assert_eq!(at(Some("/d"), Some("/h")), Some("/d/echodb".into()));
        assert_eq!(at(None, Some("/h")), Some("/h/.local/share/echodb".into()));
        assert_eq!(
            at(Some("d"), Some("/h")),
            Some("/h/.local/share/echodb".into())
        );
        assert_eq!(at(None, None), None);
    }
}
