//! For tests and fuzzers: entries that a member's own code would never write.

use super::space_core::SpaceCore;
#[cfg(test)]
use super::{
    checking::Rule,
    write::{Outcome, Work},
};
use crate::feed::{Entry, EntryDraft, FeedKind};
#[cfg(test)]
use crate::model::{Operation, Result};
use crate::model::{SpaceId, limits};
use bytes::Bytes;

impl SpaceCore {
    /// The signed header of our data feed.
    pub fn forged_header(&self) -> Bytes {
        self.own_data.header.clone()
    }

    /// A well signed entry of our data feed with any body; `change` spoils its draft. It is not
    /// stored, so that each is the feed's next.
    #[cfg(test)]
    pub fn forge(&mut self, body: &[u8], change: impl FnOnce(&mut EntryDraft<'_>)) -> Entry {
        let space = self.id;
        self.forge_in(space, body, change)
    }

    /// As [`SpaceCore::forge`], sealed for another space.
    #[cfg(test)]
    pub fn forge_in(
        &mut self,
        space: SpaceId,
        body: &[u8],
        change: impl FnOnce(&mut EntryDraft<'_>),
    ) -> Entry {
        self.forged(space, body, change).unwrap()
    }

    /// As [`SpaceCore::forge`], of any body that an entry can hold.
    pub fn try_forge(&mut self, body: &[u8]) -> Option<Entry> {
        let space = self.id;
        self.forged(space, body, |_| {})
    }

    fn forged(
        &mut self,
        space: SpaceId,
        body: &[u8],
        change: impl FnOnce(&mut EntryDraft<'_>),
    ) -> Option<Entry> {
        let id = self.authority.writing_key()?;
        let key = self.held_keys().get(&id)?.clone();
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
        Entry::seal(draft, Some(&key), space, self.keyring.device_signer()).ok()
    }

    /// A well signed entry of our control feed with any body that an entry can hold.
    pub fn forge_control(&mut self, body: &[u8]) -> Option<Entry> {
        let mut ctl = self.authority.heads();
        ctl.retain(|head| *head != self.own_control.tip);
        ctl.truncate(limits::ENTRY_CTL);
        let mut salt = [0; 16];
        (self.random)(&mut salt);
        let draft = self.own_control.draft(ctl, vec![], salt, body);
        Entry::seal(draft, None, self.id, self.keyring.device_signer()).ok()
    }

    /// Goes on after a forged entry.
    pub fn advance_forged(&mut self, entry: &Entry) {
        self.own_data.advance(entry);
    }

    /// Goes on after a forged control entry.
    pub fn advance_forged_control(&mut self, entry: &Entry) {
        self.own_control.advance(entry);
    }
}

#[cfg(test)]
impl SpaceCore {
    /// Makes judgements fail, as on a full disk, until the space is opened again.
    pub fn fail_judging(&mut self) {
        self.fail_judging = true;
    }

    /// Changes objects as the program of a member who minds no schema.
    pub fn transact_unenforced(&mut self, operations: &[Operation]) -> Result<Outcome> {
        let mut work = Work::new();
        for operation in operations {
            let object = operation.object();
            let mut document = self.documents.take(&mut *self.store, object)?;
            document.apply(operation)?;
            let changes = document.commit(0, None)?;
            work.push((object, document, changes));
        }
        let outcome = self.append_data(&mut work, Rule::Record, 0);
        self.put_back(work);
        outcome
    }

    /// The steps that checks took since the space was opened.
    pub fn schema_steps(&self) -> u64 {
        self.schemas.steps
    }

    /// A transaction on what programs may not touch.
    pub fn transact_forged(&mut self, operations: &[Operation]) -> Result<Outcome> {
        self.transact_any(operations, None, None, 0)
    }
}
