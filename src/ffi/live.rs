//! The leak counter: how many handles and buffers the program holds.

use std::sync::atomic::{AtomicUsize, Ordering};

static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Counts one object of the program's for as long as it exists.
pub(super) struct Live(());

impl Live {
    pub(super) fn new() -> Self {
        LIVE.fetch_add(1, Ordering::Relaxed);
        Live(())
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        LIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The number of objects that exist now.
pub(super) fn count() -> usize {
    LIVE.load(Ordering::Relaxed)
}
