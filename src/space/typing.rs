//! Edits outside transactions: applied at once, gathered for a short while, then written as one
//! entry. Nothing that was gathered is dropped because a write failed: it is kept and tried again.

use super::checking::Rule;
use super::space_core::SpaceCore;
use super::write::Outcome;
use crate::model::{Error, ObjectId, Operation, Result, Role, limits};
use std::collections::{BTreeMap, BTreeSet};

/// Bytes of gathered insertions, and units deleted, past which an entry is written without waiting:
/// no more than one entry may hold.
const GATHER_BYTES: usize = 256 * 1024;
const _: () = assert!(GATHER_BYTES as u64 <= limits::ENTRY_ROWS);
/// Edits past which it is, likewise.
const GATHER_EDITS: usize = 4096;
/// Objects past which it is, likewise: their documents cannot leave the cache meanwhile.
const GATHER_OBJECTS: usize = limits::LOADED_DOCUMENTS / 2;

/// What has been gathered.
#[derive(Default)]
pub struct Typing {
    /// Objects with edits that are in their documents but not in changes yet.
    pub open: BTreeSet<ObjectId>,
    /// Changes made from them but not stored yet, kept over a failed write.
    pub unsaved: BTreeMap<ObjectId, Vec<Vec<u8>>>,
    bytes: usize,
    edits: usize,
}

impl Typing {
    /// Whether anything is gathered.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty() && self.unsaved.is_empty()
    }

    fn is_full(&self) -> bool {
        self.bytes >= GATHER_BYTES
            || self.edits >= GATHER_EDITS
            || self.open.len() >= GATHER_OBJECTS
    }
}

/// At most how many operations an edit becomes: one for each character that comes or goes.
fn size_of(edit: &Operation) -> usize {
    match edit {
        Operation::Splice { delete, insert, .. } => insert.len().saturating_add(*delete),
        _ => 0,
    }
}

impl SpaceCore {
    /// Applies an edit now and leaves it to be written by [`SpaceCore::commit_typing`]. Returns
    /// what was written if so much had been gathered that it was written at once. An error means
    /// that the edit was not applied.
    pub fn splice_text(&mut self, edit: Operation, now_ms: u64) -> Result<Option<Outcome>> {
        self.require(Role::Editor, "editing")?;
        self.renew_if_copied()?;
        let Operation::Splice { object, insert, .. } = &edit else {
            return Err(Error::internal("only splices are gathered"));
        };
        if insert.len() > GATHER_BYTES {
            return Err(Error::limit(format!(
                "one edit may insert {GATHER_BYTES} bytes, not {}; split it",
                insert.len()
            )));
        }
        let (object, size) = (*object, size_of(&edit));
        self.check_edit(&edit)?;
        // A refused splice has changed nothing, so the edits gathered before it stay.
        match self.documents.loaded(&object) {
            Some(document) => document.gather(&edit)?,
            None => {
                let mut document = self.documents.take(&mut *self.store, object)?;
                let applied = document.gather(&edit);
                self.documents.put(object, document);
                applied?;
            }
        }
        self.typing.open.insert(object);
        self.typing.bytes = self.typing.bytes.saturating_add(size);
        self.typing.edits += 1;
        // A write that fails here is no failure of this edit, which is applied and kept: the next
        // one finds the gathering full.
        match self.typing.is_full() {
            true => Ok(self.commit_typing(now_ms).unwrap_or_default()),
            false => Ok(None),
        }
    }

    /// Whether what was gathered has to be written before this edit can be added: after a write that
    /// failed, or when one entry would not hold both.
    pub fn typing_is_full(&self, edit: &Operation) -> bool {
        let size = self.typing.bytes.saturating_add(size_of(edit));
        self.typing.is_full() || (!self.typing.is_empty() && size > GATHER_BYTES)
    }

    /// Whether edits wait to be written.
    pub fn has_typing(&self) -> bool {
        !self.typing.is_empty()
    }

    /// Writes the gathered edits as one entry. On failure they stay gathered.
    pub fn commit_typing(&mut self, now_ms: u64) -> Result<Option<Outcome>> {
        if self.typing.is_empty() {
            return Ok(None);
        }
        while let Some(object) = self.typing.open.pop_first() {
            let mut document = self.documents.take(&mut *self.store, object)?;
            let committed = document.commit(now_ms, None);
            let kept = committed.map(|changes| self.keep_unsaved(object, changes));
            self.documents.put(object, document);
            kept?;
        }
        let unsaved = std::mem::take(&mut self.typing.unsaved);
        match self.store_unsaved(&unsaved, now_ms) {
            Ok(outcome) => {
                self.typing = Typing::default();
                Ok(outcome)
            }
            Err(error) => {
                self.typing.unsaved = unsaved;
                Err(error)
            }
        }
    }

    fn keep_unsaved(&mut self, object: ObjectId, changes: Vec<Vec<u8>>) {
        if !changes.is_empty() {
            // However little may be kept, the document stays.
            self.documents.unstored(object);
            self.typing
                .unsaved
                .entry(object)
                .or_default()
                .extend(changes);
        }
    }

    fn store_unsaved(
        &mut self,
        unsaved: &BTreeMap<ObjectId, Vec<Vec<u8>>>,
        now_ms: u64,
    ) -> Result<Option<Outcome>> {
        let mut work = Vec::with_capacity(unsaved.len());
        for (object, changes) in unsaved {
            let document = self.documents.take(&mut *self.store, *object)?;
            work.push((*object, document, changes.clone()));
        }
        if work.is_empty() {
            return Ok(None);
        }
        // These edits were checked when they were made.
        let stored = self.append_data(&mut work, Rule::Record, now_ms);
        // Stored or not, these documents hold the edits: they go back.
        for (object, document, _) in work {
            if stored.is_ok() {
                self.documents.stored(&object);
            }
            self.documents.put(object, document);
        }
        stored.map(Some)
    }
}
