//! The memory that the open spaces of a client may use for what they have read: pages of their
//! files, prepared statements, documents. The bound is the client's, and open spaces share it evenly,
//! but for the HALO space, which is small and seldom read.

use super::space_host::SpaceHost;
use super::storage::READERS;
use crate::api::SpaceState;
use crate::model::{Error, Result};
use crate::space::PageShares;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The least that a client may be given, in bytes.
const LEAST: u64 = 1024 * 1024;
/// The most.
const MOST: u64 = 64 * 1024 * 1024 * 1024;
/// About how much a prepared statement takes.
const STATEMENT_BYTES: u64 = 8 * 1024;
/// The engine's own statements are about forty, the rest are the program's queries.
const STATEMENTS: std::ops::RangeInclusive<u64> = 8..=128;
/// Less than this makes SQLite slow without saving anything.
const LEAST_PAGES: u64 = 32 * 1024;

/// The part of the bound that the HALO space may use, and its most.
const HALO_PART: u64 = 16;
const HALO_MOST: u64 = 4 * 1024 * 1024;

/// What one space may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// Bytes of pages, for its connections.
    pub pages: PageShares,
    /// Prepared statements, for each of its connections.
    pub statements: usize,
    /// Bytes of documents.
    pub documents: usize,
}

impl Share {
    /// The share of each of `spaces`, of a client that may use `total` bytes.
    pub fn of(total: u64, spaces: usize) -> Share {
        Share::in_bytes((total - Share::halo_bytes(total)) / (spaces.max(1) as u64))
    }

    /// The share of the HALO space.
    pub fn of_halo(total: u64) -> Share {
        Share::in_bytes(Share::halo_bytes(total))
    }

    fn halo_bytes(total: u64) -> u64 {
        (total / HALO_PART).min(HALO_MOST)
    }

    fn in_bytes(each: u64) -> Share {
        let connections = 1 + READERS as u64;
        let documents = each / 4;
        let statements = each / 8 / connections / STATEMENT_BYTES;
        let statements = statements.clamp(*STATEMENTS.start(), *STATEMENTS.end());
        let pages = each - documents - each / 8;
        Share {
            pages: PageShares::of(pages),
            statements: usize::try_from(statements).unwrap_or(usize::MAX),
            documents: usize::try_from(documents).unwrap_or(usize::MAX),
        }
    }
}

impl PageShares {
    /// Most programs read on one thread: the connection that is opened first does most.
    fn of(bytes: u64) -> PageShares {
        let others = READERS as u64 - 1;
        PageShares {
            writer: (bytes / 4).max(LEAST_PAGES),
            first: (bytes / 2).max(LEAST_PAGES),
            other: (bytes / 4 / others).max(LEAST_PAGES),
        }
    }
}

/// The bound of one client.
pub struct Cache {
    total: u64,
    spaces: Mutex<Vec<Weak<SpaceHost>>>,
}

impl Cache {
    /// Of `total` bytes.
    pub fn new(total: u64) -> Arc<Cache> {
        Arc::new(Cache {
            total,
            spaces: Mutex::default(),
        })
    }

    /// Fails with `InvalidArgument` unless a client may be given so many bytes.
    pub fn check(total: u64) -> Result<()> {
        if (LEAST..=MOST).contains(&total) {
            return Ok(());
        }
        Err(Error::invalid(format!(
            "cache_bytes is {LEAST} to {MOST}, not {total}"
        )))
    }

    /// Counts a space in, whenever it is open.
    pub fn add(&self, space: &Arc<SpaceHost>) {
        let mut spaces = self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        spaces.retain(|space| space.strong_count() > 0);
        spaces.push(Arc::downgrade(space));
    }

    /// Shares anew: a space was opened or closed. To be called without a space's lock.
    pub fn share(&self) {
        // Held until the end: of two at once, the later knows more.
        let spaces = self.spaces.lock().unwrap_or_else(PoisonError::into_inner);
        let open: Vec<Arc<SpaceHost>> = spaces
            .iter()
            .filter_map(Weak::upgrade)
            .filter(|space| space.state() == SpaceState::Ready)
            .collect();
        let own = open.iter().filter(|space| !space.is_halo()).count();
        let share = Share::of(self.total, own);
        for space in &open {
            space.set_share(match space.is_halo() {
                true => Share::of_halo(self.total),
                false => share,
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_shares_together_keep_to_the_bound() {
        let used = |share: &Share| {
            let connections = 1 + READERS as u64;
            let statements = share.statements as u64 * STATEMENT_BYTES;
            let pages = share.pages;
            let pages = pages.writer + pages.first + pages.other * (READERS as u64 - 1);
            share.documents as u64 + pages + connections * statements
        };
        for total in [LEAST, 32 << 20, 1 << 30] {
            for spaces in 1..20 {
                let share = Share::of(total, spaces);
                if share.pages.other == LEAST_PAGES
                    || share.statements as u64 == *STATEMENTS.start()
                {
                    continue;
                }
                let all = used(&share) * spaces as u64;
                assert!(all < total, "{total} for {spaces}: {share:?}");
                assert!(all * 2 >= total || share.statements == 128);
                let halo = Share::of_halo(total);
                assert!(halo.pages.other == LEAST_PAGES || all + used(&halo) <= total);
            }
        }
    }

    #[test]
    fn only_a_sensible_bound_is_taken() {
        for total in [0, LEAST - 1, MOST + 1, u64::MAX] {
            assert!(Cache::check(total).is_err());
        }
        for total in [LEAST, MOST] {
            assert!(Cache::check(total).is_ok());
        }
    }
}
