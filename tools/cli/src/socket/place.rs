//! Where the socket is.

use std::fs::File;
use std::io::Result;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

/// The socket's name in the profile's directory.
const NAME: &str = "serve.sock";
/// A socket address has room for a path of 103 bytes on macOS, 107 on Linux.
const ADDRESS_BYTES: usize = 103;

/// The socket of a profile.
pub fn path(profile: &Path) -> PathBuf {
    profile.join(NAME)
}

/// Calls `with` with a path to the socket that fits a socket address. A long one is reached
/// through the directory's descriptor.
pub fn with_address<T>(profile: &Path, with: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let path = path(profile);
    if path.as_os_str().len() <= ADDRESS_BYTES || !cfg!(target_os = "linux") {
        return with(&path);
    }
    let directory = File::open(profile)?;
    with(Path::new(&format!(
        "/proc/self/fd/{}/{NAME}",
        directory.as_raw_fd()
    )))
}
