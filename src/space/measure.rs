//! For the benchmarks: what is done to a remote data entry before its changes are looked at, and
//! nothing of what follows. No part of the interface.

use super::denials::Outline;
use super::ingest::feed_branches;
use super::rejudging::Arrival;
use super::space_core::SpaceCore;
use crate::feed::{ContentKey, DataBody, Entry};
use crate::model::{Error, Result};
use bytes::Bytes;

impl SpaceCore {
    /// Reads an entry that is not stored yet, and checks of it what [`SpaceCore::ingest`] does:
    /// form, chain, signature, what its author may do; then opens it. Nothing is kept of it.
    pub fn examine(&mut self, bytes: Bytes) -> Result<DataBody> {
        let entry = self.decode(bytes)?;
        if self.store.has_entry(&entry.id)? {
            return Err(Error::state("the entry is here"));
        }
        let unfit = || Error::protocol("the entry is not fit to be placed");
        let author = self
            .feeds
            .get(&entry.header.feed)
            .map(|feed| feed.header.clone())
            .filter(|author| author.kind == entry.header.kind)
            .ok_or_else(unfit)?;
        entry.verify(&author.device)?;
        if self.missing(&entry)?.is_some() || feed_branches(&self.feeds, &entry) != 1 {
            return Err(unfit());
        }
        let known = self.known_to(&entry, &author)?.ok_or_else(unfit)?;
        if self.judge_arrival(&Outline::new(&entry, known))? != Arrival::Counts {
            return Err(unfit());
        }
        let key = self.opening_key(&entry).ok_or_else(unfit)?;
        DataBody::decode(&entry.open(Some(key))?)
    }

    fn opening_key(&self, entry: &Entry) -> Option<&ContentKey> {
        self.held_keys().get(&entry.header.key_id)
    }
}
