//! The lock that keeps a second process out of a profile.

use super::error::from_io;
use super::files;
use crate::model::{Error, ErrorKind, Result};
use std::fs::{File, TryLockError};
use std::path::Path;

/// Holds the profile for as long as it lives. The system drops the lock when the process ends,
/// however it ends, so that a crash never leaves a profile locked.
#[derive(Debug)]
pub(super) struct ProfileLock {
    _file: File,
}

impl ProfileLock {
    /// Takes the lock of the profile in `dir`.
    pub(super) fn take(dir: &Path) -> Result<ProfileLock> {
        let path = dir.join("lock");
        let file = files::open_private_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(ProfileLock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(Error::new(
                ErrorKind::ProfileLocked,
                format!(
                    "the profile {} is in use by another program or another client; close it, or use another profile directory",
                    dir.display()
                ),
            )),
            Err(TryLockError::Error(e)) => Err(from_io(path.display(), &e)),
        }
    }
}
