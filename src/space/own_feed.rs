//! A feed that this device writes.

use crate::feed::{Dep, DeviceSigner, Entry, EntryDraft, FeedHeader, FeedKind};
use crate::model::{EntryId, FeedId};
use bytes::Bytes;

/// The end of a feed of our own, where the next entry goes.
#[derive(Clone, Debug)]
pub struct OwnFeed {
    /// The feed's id.
    pub id: FeedId,
    /// Its header, as signed.
    pub header: Bytes,
    /// Control or data.
    pub kind: FeedKind,
    /// The next entry's number.
    pub next_seq: u64,
    /// The last entry, zero if there is none.
    pub tip: EntryId,
}

impl OwnFeed {
    /// An empty feed.
    pub fn new(header: &FeedHeader, signer: &DeviceSigner) -> OwnFeed {
        OwnFeed::signed(header, Bytes::from(header.sign(signer)))
    }

    /// An empty feed whose header was signed before.
    pub fn signed(header: &FeedHeader, bytes: Bytes) -> OwnFeed {
        OwnFeed {
            id: header.feed_id(),
            header: bytes,
            kind: header.kind,
            next_seq: 0,
            tip: EntryId::ZERO,
        }
    }

    /// What the next entry is sealed from. [`OwnFeed::advance`] moves on, once it is stored.
    pub fn draft<'a>(
        &self,
        ctl: Vec<EntryId>,
        deps: Vec<Dep>,
        salt: [u8; 16],
        body: &'a [u8],
    ) -> EntryDraft<'a> {
        EntryDraft {
            kind: self.kind,
            feed: self.id,
            seq: self.next_seq,
            prev: self.tip,
            ctl,
            deps,
            salt,
            body,
        }
    }

    /// Records that `entry` is stored.
    pub fn advance(&mut self, entry: &Entry) {
        self.next_seq = entry.header.seq + 1;
        self.tip = entry.id;
    }
}
