//! Who is at the other end of a Unix socket, as the kernel tells it.

use crate::failure::{Failure, Result};
use echodb::model::ErrorKind;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;

/// The user that this process acts as.
pub fn own_uid() -> u32 {
    // SAFETY: geteuid takes nothing, always succeeds, and touches no memory of ours.
    unsafe { libc::geteuid() }
}

/// Refuses a peer that is another user's process. The modes of the directory and the socket keep
/// others out already; this holds even if someone widened them.
pub fn check(stream: &UnixStream) -> Result<()> {
    let uid = peer_uid(stream).map_err(|error| Failure::storage("the local socket", error))?;
    match uid == own_uid() {
        true => Ok(()),
        false => Err(Failure::new(
            ErrorKind::PermissionDenied,
            format!("the local socket's other end belongs to user {uid}"),
        )),
    }
}

#[cfg(target_os = "linux")]
fn peer_uid(stream: &UnixStream) -> std::io::Result<u32> {
    let mut credentials = libc::ucred {
        pid: 0,
        uid: 0,
        gid: 0,
    };
    let mut length = size_of::<libc::ucred>() as libc::socklen_t;
    // SAFETY: the descriptor is open while `stream` is borrowed, and the pointers are to locals of
    // the length given.
    let status = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERCRED,
            (&raw mut credentials).cast(),
            &raw mut length,
        )
    };
    match status {
        0 => Ok(credentials.uid),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[cfg(not(target_os = "linux"))]
fn peer_uid(stream: &UnixStream) -> std::io::Result<u32> {
    let (mut uid, mut gid) = (0, 0);
    // SAFETY: the descriptor is open while `stream` is borrowed, and the pointers are to locals.
    match unsafe { libc::getpeereid(stream.as_raw_fd(), &raw mut uid, &raw mut gid) } {
        0 => Ok(uid),
        _ => Err(std::io::Error::last_os_error()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_processes_are_let_in() {
        let (one, other) = UnixStream::pair().unwrap();
        check(&one).unwrap();
        assert_eq!(peer_uid(&other).unwrap(), own_uid());
    }
}
