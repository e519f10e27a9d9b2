//! For tests: entries that a member's own code would never write.

use super::space_core::SpaceCore;
use super::write::Outcome;
use crate::feed::{Entry, EntryDraft, FeedKind};
use crate::model::{Operation, Result, SpaceId};
use bytes::Bytes;

impl SpaceCore {
    /// The signed header of our data feed.
    pub fn forged_header(&self) -> Bytes {
        self.own_data.header.clone()
    }

    /// A well signed entry of our data feed with any body; `change` spoils its draft. It is not
    /// stored, so that each is the feed's next.
    pub fn forge(&mut self, body: &[u8], change: impl FnOnce(&mut EntryDraft<'_>)) -> Entry {
        let space = self.id;
        self.forge_in(space, body, change)
    }

    /// As [`SpaceCore::forge`], sealed for another space.
    pub fn forge_in(
        &mut self,
        space: SpaceId,
        body: &[u8],
        change: impl FnOnce(&mut EntryDraft<'_>),
    ) -> Entry {
        let id = self.authority.writing_key().unwrap();
        let key = self.keys.get(&id).unwrap().clone();
        let mut salt = [0; 16];
        (self.random)(&mut salt);
        let mut draft = EntryDraft {
            kind: FeedKind::Data,
            feed: self.own_data.id,
            seq: self.own_data.next_seq,
            prev: self.own_data.tip,
            ctl: self.authority.heads(),
            deps: vec![],
            salt,
            body,
        };
        change(&mut draft);
        Entry::seal(draft, Some(&key), space, self.keyring.device_signer()).unwrap()
    }

    /// Goes on after a forged entry.
    pub fn advance_forged(&mut self, entry: &Entry) {
        self.own_data.advance(entry);
    }
}

impl SpaceCore {
    /// Makes judgements fail, as on a full disk, until the space is opened again.
    pub fn fail_judging(&mut self) {
        self.fail_judging = true;
    }

    /// A transaction on what programs may not touch.
    pub fn transact_forged(&mut self, operations: &[Operation]) -> Result<Outcome> {
        self.transact_any(operations, None, None, 0)
    }
}
