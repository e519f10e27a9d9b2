//! Changes that wait to be fetched: the drain mode, for programs with a loop of their own.

use super::{Result, wrong_state};
use crate::api::{Change, ChangeBatch, ChangeListener, EchoError};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Gathers changes by object, so that it stays bounded by the number of objects however seldom
/// the program fetches.
pub(super) struct Queue {
    pending: Mutex<Pending>,
    bell: Bell,
}

#[derive(Default)]
struct Pending {
    space: String,
    changes: BTreeMap<String, Change>,
}

impl Queue {
    pub(super) fn new() -> Result<Self> {
        Ok(Queue {
            pending: Mutex::default(),
            bell: Bell::new()?,
        })
    }

    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The descriptor that is readable while something waits.
    pub(super) fn fd(&self) -> Result<i32> {
        self.bell.fd()
    }

    /// What waits, if anything.
    pub(super) fn next(&self) -> Option<ChangeBatch> {
        let mut pending = self.pending();
        if pending.changes.is_empty() {
            return None;
        }
        self.bell.silence();
        let changes = std::mem::take(&mut pending.changes);
        Some(ChangeBatch {
            space: pending.space.clone(),
            changes: changes.into_values().collect(),
        })
    }
}

impl ChangeListener for Queue {
    fn changed(&self, batch: ChangeBatch) -> std::result::Result<(), EchoError> {
        let mut pending = self.pending();
        pending.space = batch.space;
        let quiet = pending.changes.is_empty();
        for mut change in batch.changes {
            if let Some(earlier) = pending.changes.get(&change.id) {
                change.kind = earlier.kind.then(change.kind);
            }
            pending.changes.insert(change.id.clone(), change);
        }
        if quiet && !pending.changes.is_empty() {
            self.bell.ring();
        }
        Ok(())
    }
}

/// A descriptor that a loop can wait on: readable from `ring` until `silence`.
#[cfg(unix)]
pub(super) struct Bell {
    inside: std::os::unix::net::UnixStream,
    outside: std::os::unix::net::UnixStream,
}

#[cfg(unix)]
impl Bell {
    pub(super) fn new() -> Result<Bell> {
        let pair = std::os::unix::net::UnixStream::pair().and_then(|(inside, outside)| {
            inside.set_nonblocking(true)?;
            outside.set_nonblocking(true)?;
            Ok(Bell { inside, outside })
        });
        pair.map_err(|e| wrong_state(format!("no file descriptor to be had: {e}")))
    }

    pub(super) fn fd(&self) -> Result<i32> {
        use std::os::fd::AsRawFd;
        Ok(self.outside.as_raw_fd())
    }

    // Neither call can fail in a way that matters: one byte at most is ever on its way.
    pub(super) fn ring(&self) {
        let _ = std::io::Write::write(&mut &self.inside, &[1]);
    }

    pub(super) fn silence(&self) {
        let _ = std::io::Read::read(&mut &self.outside, &mut [0; 8]);
    }
}

#[cfg(not(unix))]
pub(super) struct Bell;

#[cfg(not(unix))]
impl Bell {
    pub(super) fn new() -> Result<Bell> {
        Ok(Bell)
    }

    pub(super) fn fd(&self) -> Result<i32> {
        Err(wrong_state("this system has no descriptors to wait on"))
    }

    pub(super) fn ring(&self) {}

    pub(super) fn silence(&self) {}
}
