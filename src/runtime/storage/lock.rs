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
    file: File,
    /// The process that took it.
    owner: u32,
}

impl ProfileLock {
    /// Takes the lock of the profile in `dir`.
    pub(super) fn take(dir: &Path) -> Result<ProfileLock> {
        let path = dir.join("lock");
        let file = files::open_private_file(&path)?;
        match file.try_lock() {
            Ok(()) => Ok(ProfileLock {
                file,
                owner: std::process::id(),
            }),
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

impl Drop for ProfileLock {
    /// Gives the lock back. Closing the file would not be enough: a child that another thread has
    /// just forked holds the same open file until it runs its own program, and with it the lock. For
    /// the same reason a forked child that drops what it got from its parent leaves the lock alone.
    fn drop(&mut self) {
        if self.owner == std::process::id() {
            // It fails only where the file is no longer open, and the lock then no longer held.
            let _ = self.file.unlock();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_was_given_back_is_free_though_a_child_still_has_the_file() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let lock = ProfileLock::take(dir.path()).expect("nobody holds it");
        let refused = ProfileLock::take(dir.path()).expect_err("it is held");
        assert_eq!(refused.kind(), ErrorKind::ProfileLocked);
        // As after a fork: a second descriptor of the same open file.
        let child = lock.file.try_clone().expect("one more descriptor");
        drop(lock);
        ProfileLock::take(dir.path()).expect("it was given back");
        drop(child);
    }

    #[test]
    fn a_forked_child_does_not_give_back_the_lock_of_its_parent() {
        let dir = tempfile::tempdir().expect("a directory for the test");
        let lock = ProfileLock::take(dir.path()).expect("nobody holds it");
        drop(ProfileLock {
            file: lock.file.try_clone().expect("one more descriptor"),
            owner: lock.owner.wrapping_add(1),
        });
        let refused = ProfileLock::take(dir.path()).expect_err("it is still held");
        assert_eq!(refused.kind(), ErrorKind::ProfileLocked);
    }
}
