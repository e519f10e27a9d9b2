//! Feeds with branches. A device whose profile was copied writes two entries of one number. Entries
//! are named by hash, so both branches are taken, as concurrent writes of one author; what is
//! needed is to notice, to fetch what the other branch holds, and to stop (research: auth.md 3(f)).

use super::actors::new_actor;
use super::own_feed::OwnFeed;
use super::space_core::{SpaceCore, meta};
use crate::feed::{Entry, FeedHeader, FeedKind, sha256};
use crate::model::{EntryId, Error, FeedId, Result};
use std::collections::{BTreeMap, HashSet};

/// The tips of a feed: its entries that no other of its entries follows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tips(Vec<(u64, EntryId)>);

/// Bytes of one tip when stored: feed, number, id.
const RECORD: usize = 16 + 8 + 32;

impl Tips {
    /// A feed without branches.
    pub fn single(seq: u64, id: EntryId) -> Tips {
        Tips(vec![(seq, id)])
    }

    /// Records an entry after `prev`.
    pub fn advance(&mut self, seq: u64, id: EntryId, prev: &EntryId) {
        self.0.retain(|(_, tip)| tip != prev);
        self.0.push((seq, id));
        self.0.sort_unstable();
    }

    /// All of them, rising by number.
    pub fn iter(&self) -> impl Iterator<Item = (u64, EntryId)> {
        self.0.iter().copied()
    }

    /// The highest number, if there is an entry.
    pub fn last(&self) -> Option<u64> {
        self.0.last().map(|(seq, _)| *seq)
    }

    /// Whether there are branches.
    pub fn is_forked(&self) -> bool {
        self.0.len() > 1
    }

    /// How many branches there are once an entry after `prev` is there.
    pub fn after(&self, prev: &EntryId) -> usize {
        self.0.iter().filter(|(_, tip)| tip != prev).count() + 1
    }

    /// What names the tips: the tip itself, or a hash of all.
    pub fn name(&self) -> Option<EntryId> {
        match self.0.as_slice() {
            [] => None,
            [(_, tip)] => Some(*tip),
            tips => {
                let flat: Vec<u8> = tips.iter().flat_map(|(_, tip)| tip.0).collect();
                Some(EntryId(sha256(&[b"echodb/tips/v1", &flat])))
            }
        }
    }
}

impl SpaceCore {
    /// Whether a feed has branches.
    pub fn is_forked(&self, feed: &FeedId) -> bool {
        self.feeds
            .get(feed)
            .is_some_and(|feed| feed.tips.is_forked())
    }

    /// The feeds that have branches.
    pub fn forked_feeds(&self) -> Vec<FeedId> {
        let feeds = self.feeds.iter();
        feeds
            .filter(|(_, feed)| feed.tips.is_forked())
            .map(|(id, _)| *id)
            .collect()
    }

    /// The entry of a feed that has a number and an id beginning with `tag`, if it is here.
    pub fn entry_tagged(&self, feed: &FeedId, seq: u64, tag: &[u8]) -> Result<Option<EntryId>> {
        let all = self.store.entries_at(feed, seq)?;
        let tagged = all.into_iter().find(|entry| entry.id.0.starts_with(tag));
        Ok(tagged.map(|entry| entry.id))
    }

    /// Entries of a feed from which a peer can tell what is missing here: the tips, and those at
    /// growing distances below the newest.
    pub fn branch_sample(&self, feed: &FeedId) -> Result<Vec<EntryId>> {
        let Some(state) = self.feeds.get(feed) else {
            return Ok(Vec::new());
        };
        let mut sample: Vec<EntryId> = state.tips.0.iter().map(|(_, tip)| *tip).collect();
        let last = state.tips.last().unwrap_or_default();
        let mut distance = 1;
        while distance <= last {
            let all = self.store.entries_at(feed, last - distance)?;
            sample.extend(all.into_iter().map(|entry| entry.id));
            distance *= 2;
        }
        Ok(sample)
    }

    /// Arrival numbers, rising, of a feed's entries that are neither among `held` nor before one of
    /// them.
    pub fn beyond(&self, feed: &FeedId, held: &[EntryId]) -> Result<Vec<i64>> {
        let mut covered: HashSet<EntryId> = HashSet::new();
        let tips = self.feeds.get(feed).map(|feed| feed.tips.0.as_slice());
        let lowest = tips.and_then(<[_]>::first).map_or(0, |(seq, _)| *seq);
        for id in held {
            if let Some((of, _)) = self.store.entry_place(id)?
                && of == *feed
            {
                covered.insert(*id);
            }
        }
        let mut lacking = Vec::new();
        for seq in (0..self.next(feed)).rev() {
            let all = self.store.entries_at(feed, seq)?;
            let alone = all.len() == 1;
            let mut all_covered = true;
            for record in all {
                if covered.contains(&record.id) {
                    covered.insert(Entry::decode(record.bytes, self.id)?.header.prev);
                } else {
                    all_covered = false;
                    lacking.push(record.n);
                }
            }
            // Below the lowest tip, everything below a number that has one entry lies before it.
            if alone && all_covered && seq <= lowest {
                break;
            }
        }
        lacking.sort_unstable();
        Ok(lacking)
    }

    /// What a commit of `entry` must record of branches: nothing, as long as there are none.
    pub(super) fn branch_facts(&self, entry: &Entry) -> Vec<(&'static str, Vec<u8>)> {
        let mut forked: BTreeMap<FeedId, Tips> = self
            .feeds
            .iter()
            .filter(|(_, feed)| feed.tips.is_forked())
            .map(|(id, feed)| (*id, feed.tips.clone()))
            .collect();
        let before = forked.get(&entry.header.feed).cloned();
        let mut tips = match self.feeds.get(&entry.header.feed) {
            Some(feed) => feed.tips.clone(),
            None => Tips::default(),
        };
        tips.advance(entry.header.seq, entry.id, &entry.header.prev);
        if before.is_none() && !tips.is_forked() {
            return Vec::new();
        }
        forked.insert(entry.header.feed, tips);
        let mut bytes = Vec::new();
        for (feed, tips) in forked {
            for (seq, id) in tips.0 {
                bytes.extend_from_slice(feed.as_bytes());
                bytes.extend_from_slice(&seq.to_be_bytes());
                bytes.extend_from_slice(id.as_bytes());
            }
        }
        vec![(meta::BRANCHES, bytes)]
    }

    /// Reads what [`SpaceCore::branch_facts`] recorded.
    pub(super) fn load_branches(&mut self) -> Result<()> {
        let damaged = || Error::corrupt("the record of branches is damaged");
        let bytes = self.store.meta(meta::BRANCHES)?.unwrap_or_default();
        if bytes.len() % RECORD != 0 {
            return Err(damaged());
        }
        let mut all: BTreeMap<FeedId, Tips> = BTreeMap::new();
        for record in bytes.chunks_exact(RECORD) {
            let (feed, rest) = record.split_at_checked(16).ok_or_else(damaged)?;
            let (seq, id) = rest.split_at_checked(8).ok_or_else(damaged)?;
            let seq = seq
                .try_into()
                .map(u64::from_be_bytes)
                .map_err(|_| damaged())?;
            let tips = all.entry(FeedId::from_slice(feed)?).or_default();
            tips.0.push((seq, EntryId::from_slice(id)?));
        }
        for (feed, tips) in all {
            // A feed of our own with branches is never written again.
            self.copied |= [self.own_control.id, self.own_data.id].contains(&feed);
            if let Some(state) = self.feeds.get_mut(&feed) {
                state.tips = tips;
            }
        }
        Ok(())
    }

    /// Moves to new feeds and a new actor once it is known that ours are written elsewhere too.
    /// Edits that are gathered under the old actor are written to the old feed first, which merely
    /// grows its branch.
    pub(super) fn renew_if_copied(&mut self) -> Result<()> {
        if !self.copied || !self.typing.is_empty() {
            return Ok(());
        }
        let mut incarnation = [0; 16];
        (self.random)(&mut incarnation);
        // Before the incarnation: a crash between them costs a repeated naming of control heads.
        self.store.put_meta(meta::NAMED_CTL, &[])?;
        self.store.put_meta(meta::INCARNATION, &incarnation)?;
        let own = |kind| {
            let header = FeedHeader {
                kind,
                space: self.id,
                identity: self.keyring.identity_key(),
                device: self.keyring.device_key(),
                incarnation,
            };
            OwnFeed::new(&header, self.keyring.device_signer())
        };
        (self.own_control, self.own_data) = (own(FeedKind::Control), own(FeedKind::Data));
        self.named_ctl.clear();
        let actor = new_actor(&self.own_data.id, &mut *self.random);
        self.documents = self.documents.renewed(actor);
        self.copied = false;
        Ok(())
    }
}
