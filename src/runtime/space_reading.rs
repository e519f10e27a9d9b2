//! Reads of a space that wait for no writer: those who read beside it answer them from what is
//! committed (docs/adr/0005-readers-beside-the-writer.md).

use super::space_host::{Slot, SpaceHost};
use crate::api::SpaceState;
use crate::model::{ObjectId, Result};
use crate::objects::Document;
use crate::space::{Readers, Reads, SpaceCore, read_stored};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, TryLockError};
use std::time::{Duration, Instant};

/// The wait before it is looked again whether gathered edits are committed.
const LOOK_AGAIN: Duration = Duration::from_micros(200);

/// How long a search waits for the lock: with it, what changed is indexed once and for all searches.
const WORTH_WAITING: Duration = Duration::from_millis(200);

/// How a read gets at a space.
enum Way<'a> {
    /// By the lock, which nobody has.
    Core(MutexGuard<'a, Slot>),
    /// Beside whoever has the lock.
    Beside(Arc<dyn Readers>),
}

impl SpaceHost {
    pub(super) fn readers(&self) -> Option<Arc<dyn Readers>> {
        let readers = self.readers.lock();
        readers.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The lock if nobody has it, else those who read beside. Edits that are gathered are with the
    /// core alone, and whoever made them is to see them: while there are any, this waits for the
    /// lock. That is not for long, since whoever keeps it for long has them committed first.
    fn way(&self) -> Way<'_> {
        loop {
            match self.core.try_lock() {
                Ok(slot) => return Way::Core(slot),
                Err(TryLockError::Poisoned(poisoned)) => return Way::Core(poisoned.into_inner()),
                Err(TryLockError::WouldBlock) => {}
            }
            match self.readers() {
                None => return Way::Core(self.lock()),
                Some(readers) if !self.is_typed() => return Way::Beside(readers),
                Some(_) => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }

    fn is_typed(&self) -> bool {
        self.typed.load(std::sync::atomic::Ordering::Acquire)
    }

    /// Reads what is stored, as of one moment, gathered edits included, which are committed first. The
    /// first read of an opening may take the lock, and so keep a writer waiting.
    pub fn read<T>(&self, work: impl FnOnce(&dyn Reads) -> Result<T>) -> Result<T> {
        while self.is_typed() {
            match self.way() {
                Way::Core(mut slot) => drop(self.settled(&mut slot)?),
                Way::Beside(_) => break,
            }
        }
        // A program's first look is not to wait until a connection for it is opened.
        if !self.was_read.swap(true, Ordering::AcqRel)
            && let Way::Core(mut slot) = self.way()
        {
            return work(self.settled(&mut slot)?.reads());
        }
        match self.readers() {
            Some(readers) => self.beside(&readers, work),
            None => self.with_settled(|core| work(core.reads())),
        }
    }

    /// As [`SpaceHost::read`], of searches, for which the index of words is brought up to date. Of
    /// somebody who writes for long it does not wait for the end: then an index is made for this read
    /// alone if need be.
    pub fn read_words<T>(
        &self,
        searches: bool,
        work: impl FnOnce(&dyn Reads) -> Result<T>,
    ) -> Result<T> {
        if !searches {
            return self.read(work);
        }
        let until = Instant::now() + WORTH_WAITING;
        loop {
            match self.way() {
                Way::Core(mut slot) => return work(self.settled(&mut slot)?.reads()),
                Way::Beside(readers) if Instant::now() >= until => {
                    return self.beside(&readers, work);
                }
                Way::Beside(_) => std::thread::sleep(LOOK_AGAIN),
            }
        }
    }

    /// Reads what is stored, whatever is gathered; `work` is told whether it reads beside somebody
    /// who may be writing.
    pub fn read_anyway<T>(&self, work: impl FnOnce(&dyn Reads, bool) -> Result<T>) -> Result<T> {
        match self.way() {
            Way::Core(mut slot) => work(self.opened(&mut slot)?.reads(), false),
            Way::Beside(readers) => self.beside(&readers, |store| work(store, true)),
        }
    }

    /// Reads an object's document, with edits that are not written yet.
    pub fn read_object<T>(
        &self,
        object: ObjectId,
        work: impl FnOnce(&dyn Reads, &mut Document) -> Result<T>,
    ) -> Result<T> {
        match self.way() {
            Way::Core(mut slot) => self.opened(&mut slot)?.read_object(object, work),
            Way::Beside(readers) => self.beside(&readers, |store| read_stored(store, object, work)),
        }
    }

    /// As [`SpaceHost::read_object`], gathered edits being committed first.
    pub fn read_settled_object<T>(
        &self,
        object: ObjectId,
        work: impl FnOnce(&dyn Reads, &mut Document) -> Result<T>,
    ) -> Result<T> {
        match self.way() {
            Way::Core(mut slot) => self.settled(&mut slot)?.read_object(object, work),
            Way::Beside(readers) => self.beside(&readers, |store| read_stored(store, object, work)),
        }
    }

    fn opened<'a>(&self, slot: &'a mut Slot) -> Result<&'a mut SpaceCore> {
        match (slot.state, slot.core.as_mut()) {
            (SpaceState::Ready, Some(core)) => Ok(core),
            _ => Err(self.not_open()),
        }
    }

    /// As [`SpaceHost::opened`], gathered edits being committed first.
    fn settled<'a>(&self, slot: &'a mut Slot) -> Result<&'a mut SpaceCore> {
        let core = self.opened(slot)?;
        self.settle(core)?;
        Ok(core)
    }

    fn beside<T>(
        &self,
        readers: &Arc<dyn Readers>,
        work: impl FnOnce(&dyn Reads) -> Result<T>,
    ) -> Result<T> {
        let mut work = Some(work);
        let mut found = None;
        readers.read(&mut |store| found = work.take().map(|work| work(store)))?;
        // Closed meanwhile.
        found.unwrap_or_else(|| Err(self.not_open()))
    }
}

#[cfg(test)]
#[path = "space_reading_tests.rs"]
mod tests;
