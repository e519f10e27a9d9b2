//! Reads beside the one who writes: a few connections to a space's file that never write. In WAL
//! mode each reads the file as of when its transaction began, whatever is written meanwhile.

use super::database::Database;
use super::sealed::Seal;
use super::space::SpaceStore;
use crate::model::Result;
use crate::space::{PageShares, Readers, Reads};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Connections for reading, for each space. More only wait for each other at the disk and the
/// processor, and each has a cache of pages.
pub const READERS: usize = 3;

/// The connections of one space. They are opened when they are needed and kept until the space is
/// closed.
pub(super) struct SpaceReaders {
    path: PathBuf,
    seal: Option<Seal>,
    pool: Mutex<Pool>,
    /// A connection was given back.
    freed: Condvar,
}

#[derive(Default)]
struct Pool {
    closed: bool,
    /// Connections, lent ones included.
    open: usize,
    /// Whether the first of them is among these.
    first: bool,
    idle: Vec<Reader>,
    cache: Cache,
}

/// How much connections may keep in memory: bytes of pages, and prepared statements.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Cache(Option<(PageShares, usize)>);

struct Reader {
    store: SpaceStore,
    cache: Cache,
    /// Whether it may use most, as the first that was opened.
    first: bool,
}

/// A connection in use. It goes back, or is closed if what was done with it did not end well.
struct Lent<'a> {
    owner: &'a SpaceReaders,
    reader: Option<Reader>,
    sound: bool,
}

impl SpaceReaders {
    /// Of the file at `path`, which its writer has open.
    pub(super) fn new(path: PathBuf, seal: Option<Seal>) -> SpaceReaders {
        SpaceReaders {
            path,
            seal,
            pool: Mutex::default(),
            freed: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A connection; `None` once they are closed.
    fn take(&self) -> Result<Option<Lent<'_>>> {
        let mut pool = self.lock();
        loop {
            if pool.closed {
                return Ok(None);
            }
            let cache = pool.cache;
            // The last to be used first: it remembers most.
            if let Some(reader) = pool.idle.pop() {
                drop(pool);
                return self.ready(reader, cache).map(Some);
            }
            if pool.open < READERS {
                pool.open += 1;
                let first = !std::mem::replace(&mut pool.first, true);
                drop(pool);
                return self.open(first, cache).map(Some);
            }
            pool = self
                .freed
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self, first: bool, cache: Cache) -> Result<Lent<'_>> {
        match Database::open_reader(&self.path, self.seal.clone()) {
            Ok(db) => self.ready(
                Reader {
                    store: SpaceStore { db },
                    cache: Cache::default(),
                    first,
                },
                cache,
            ),
            Err(error) => {
                self.lock().forget(first);
                self.freed.notify_all();
                Err(error)
            }
        }
    }

    fn ready(&self, reader: Reader, cache: Cache) -> Result<Lent<'_>> {
        let mut lent = Lent {
            owner: self,
            reader: Some(reader),
            sound: false,
        };
        if let (Some(reader), Cache(Some((pages, statements)))) = (&mut lent.reader, cache)
            && reader.cache != cache
        {
            let pages = match reader.first {
                true => pages.first,
                false => pages.other,
            };
            reader.store.db.set_cache(pages, statements)?;
            reader.cache = cache;
        }
        Ok(lent)
    }
}

impl Pool {
    /// A connection is closed, the first or another.
    fn forget(&mut self, first: bool) {
        self.open -= 1;
        self.first &= !first;
    }

    fn close_idle(&mut self) {
        for reader in std::mem::take(&mut self.idle) {
            self.forget(reader.first);
        }
    }
}

impl Readers for SpaceReaders {
    fn read(&self, work: &mut dyn FnMut(&dyn Reads)) -> Result<bool> {
        let Some(mut lent) = self.take()? else {
            return Ok(false);
        };
        if let Some(reader) = &lent.reader {
            reader.store.db.as_of_now(|| work(&reader.store))?;
            lent.sound = true;
        }
        Ok(true)
    }

    fn close(&self) {
        let mut pool = self.lock();
        pool.closed = true;
        pool.close_idle();
        self.freed.notify_all();
        while pool.open > 0 {
            pool = self
                .freed
                .wait(pool)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn set_cache(&self, pages: PageShares, statements: usize) {
        let mut pool = self.lock();
        pool.cache = Cache(Some((pages, statements)));
        // They are opened anew, with no more than they may have.
        pool.close_idle();
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let Some(reader) = self.reader.take() else {
            return;
        };
        let mut pool = self.owner.lock();
        if self.sound && !pool.closed {
            pool.idle.push(reader);
        } else {
            let first = reader.first;
            // Closed under the lock: whoever waits for the end finds no connection open.
            drop(reader);
            pool.forget(first);
        }
        drop(pool);
        self.owner.freed.notify_all();
    }
}
