//! The documents held in memory. A loaded document costs about 20 KB, so only the most recently
//! used stay; everything else is answered from rows.

use super::store::{Store, StoredDocument};
use crate::model::{Error, ObjectId, Result, limits};
use crate::objects::Document;
use lru::LruCache;
use std::collections::HashMap;
use std::num::NonZeroUsize;

/// Changes after which a document's tail is compacted into a snapshot.
const COMPACT_CHANGES: usize = 512;
/// Bytes of tail after which it is, likewise.
const COMPACT_BYTES: usize = 256 * 1024;

/// A cache of loaded documents. A document is taken out to be worked on and put back only when
/// what was done to it is stored, so that a failure throws the working copy away and the next use
/// rebuilds it from storage.
pub struct Documents {
    actor: [u8; 16],
    loaded: LruCache<ObjectId, Document>,
    /// Documents with edits that are in no change yet: nothing else holds these edits, so such a
    /// document is not given up however many others are used.
    open: HashMap<ObjectId, Document>,
}

impl Documents {
    /// An empty cache; new changes are made under `actor`.
    pub fn new(actor: [u8; 16]) -> Self {
        let capacity = NonZeroUsize::new(limits::LOADED_DOCUMENTS).unwrap_or(NonZeroUsize::MIN);
        Documents {
            actor,
            loaded: LruCache::new(capacity),
            open: HashMap::new(),
        }
    }

    /// A new, empty document.
    pub fn fresh(&self) -> Document {
        Document::new(self.actor)
    }

    /// Takes a document out; fails with `NotFound` if the object does not exist.
    pub fn take(&mut self, store: &mut dyn Store, object: ObjectId) -> Result<Document> {
        self.take_if_any(store, object)?
            .ok_or_else(|| Error::not_found(format!("there is no object {object} in this space")))
    }

    /// As [`Documents::take`], `None` if the object does not exist.
    pub fn take_if_any(
        &mut self,
        store: &mut dyn Store,
        object: ObjectId,
    ) -> Result<Option<Document>> {
        if let Some(mut document) = self.open.remove(&object) {
            // Whoever asks for it sees every edit.
            document
                .settle()
                .map_err(|e| e.context(format!("object {object}")))?;
            return Ok(Some(document));
        }
        if let Some(document) = self.loaded.pop(&object) {
            return Ok(Some(document));
        }
        let Some(stored) = store.load_document(&object)? else {
            return Ok(None);
        };
        let mut document = Document::load(self.actor, stored.snapshot.as_deref(), &stored.changes)
            .map_err(|e| e.context(format!("object {object}")))?;
        compact(store, object, &stored, &mut document)?;
        Ok(Some(document))
    }

    /// A document that is in the cache, to gather edits in: only for what cannot fail halfway.
    pub fn loaded(&mut self, object: &ObjectId) -> Option<&mut Document> {
        if let Some(document) = self.loaded.pop(object) {
            // The change opens it.
            self.open.insert(*object, document);
        }
        self.open.get_mut(object)
    }

    /// Puts a document back.
    pub fn put(&mut self, object: ObjectId, document: Document) {
        match document.is_open() {
            true => drop(self.open.insert(object, document)),
            false => drop(self.loaded.put(object, document)),
        }
    }
}

/// Turns a long tail into a snapshot. Raw changes are dropped only after the save was loaded again
/// and compared (`Document::save`); if that fails they stay, and nothing is lost but some time.
fn compact(
    store: &mut dyn Store,
    object: ObjectId,
    stored: &StoredDocument,
    document: &mut Document,
) -> Result<()> {
    let bytes: usize = stored.changes.iter().map(Vec::len).sum();
    if stored.changes.len() < COMPACT_CHANGES && bytes < COMPACT_BYTES {
        return Ok(());
    }
    match document.save() {
        Ok(snapshot) => store.replace_snapshot(&object, &snapshot, stored.upto),
        Err(_) => Ok(()),
    }
}
