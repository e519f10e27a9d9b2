//! A space as replication with one peer sees it.

use crate::model::{DeviceKey, EntryId, FeedId, Result};
use crate::space::SpaceCore;
use crate::sync::replicator::{Source, Stored};
use bytes::Bytes;

/// A space as replication with one peer sees it.
pub struct CoreSource<'a> {
    /// The space.
    pub core: &'a SpaceCore,
    /// The peer's device.
    pub peer: DeviceKey,
}

fn stored(record: crate::space::StoredEntry) -> Stored {
    Stored {
        arrival: record.n,
        feed: record.feed,
        seq: record.seq,
        bytes: record.bytes,
    }
}

impl Source for CoreSource<'_> {
    fn heights(&self) -> Vec<(FeedId, u64, [u8; 8])> {
        self.core
            .heights()
            .into_iter()
            .map(|(feed, seq, tip)| {
                let head = tip.0.first_chunk::<8>().copied().unwrap_or_default();
                (feed, seq + 1, head)
            })
            .collect()
    }

    fn digest(&self) -> [u8; 32] {
        self.core.heights_digest()
    }

    fn next(&self, feed: &FeedId) -> u64 {
        self.core.next(feed)
    }

    fn header(&self, feed: &FeedId) -> Option<(Bytes, bool)> {
        self.core.feed_header(feed)
    }

    fn lacking(&self, theirs: &dyn Fn(&FeedId) -> u64) -> Result<Vec<i64>> {
        self.core.lacking(theirs)
    }

    fn is_forked(&self, feed: &FeedId) -> bool {
        self.core.is_forked(feed)
    }

    fn forked(&self) -> Vec<FeedId> {
        self.core.forked_feeds()
    }

    fn tagged(&self, feed: &FeedId, seq: u64, tag: &[u8]) -> Result<Option<EntryId>> {
        self.core.entry_tagged(feed, seq, tag)
    }

    fn sample(&self, feed: &FeedId) -> Result<Vec<EntryId>> {
        self.core.branch_sample(feed)
    }

    fn beyond(&self, feed: &FeedId, held: &[EntryId]) -> Result<Vec<i64>> {
        self.core.beyond(feed, held)
    }

    fn entry_at(&self, arrival: i64) -> Result<Option<Stored>> {
        Ok(self.core.entry_at(arrival)?.map(stored))
    }

    fn entries_after(&self, arrival: i64, max_bytes: usize) -> Result<Vec<Stored>> {
        let records = self.core.entries_after(arrival, max_bytes)?;
        Ok(records.into_iter().map(stored).collect())
    }

    fn last_arrival(&self) -> Result<i64> {
        self.core.last_arrival()
    }

    fn farewell(&self) -> Result<Vec<i64>> {
        self.core.farewell(&self.peer)
    }

    fn peer_may_read(&self) -> bool {
        self.core.authority().role_of_device(&self.peer).is_some()
    }
}
