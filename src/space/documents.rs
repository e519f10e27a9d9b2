//! The documents held in memory. A loaded document costs about 20 KB, so only the most recently
//! used stay, as many as fit their budget; everything else is answered from rows.

use super::store::{Store, StoredDocument};
use crate::model::{Error, ObjectId, Result, limits};
use crate::objects::Document;
use lru::LruCache;
use std::collections::{HashMap, HashSet};

/// Changes after which a document's tail is compacted into a snapshot.
const COMPACT_CHANGES: usize = 512;
/// Bytes of tail after which it is, likewise.
const COMPACT_BYTES: usize = 256 * 1024;

/// A cache of loaded documents. A document is taken out to be worked on and put back only when
/// what was done to it is stored, so that a failure throws the working copy away and the next use
/// rebuilds it from storage.
pub struct Documents {
    actor: [u8; 16],
    /// Each with the bytes that it is taken to cost.
    loaded: LruCache<ObjectId, (Document, usize)>,
    /// What those cost together.
    used: usize,
    /// What they may cost.
    budget: usize,
    /// Documents with edits that are in no change yet, or in changes that storage does not have:
    /// nothing else holds these edits, so such a document is not given up however many others are
    /// used.
    open: HashMap<ObjectId, Document>,
    /// Objects of which storage does not have all changes.
    unstored: HashSet<ObjectId>,
}

impl Documents {
    /// An empty cache; new changes are made under `actor`.
    pub fn new(actor: [u8; 16]) -> Self {
        Documents {
            actor,
            loaded: LruCache::unbounded(),
            used: 0,
            budget: limits::DOCUMENT_BYTES,
            open: HashMap::new(),
            unstored: HashSet::new(),
        }
    }

    /// An empty cache with the same budget; new changes are made under `actor`.
    pub fn renewed(&self, actor: [u8; 16]) -> Self {
        Documents {
            budget: self.budget,
            ..Documents::new(actor)
        }
    }

    /// Sets how many bytes of documents are kept. Those with open edits are kept beside.
    pub fn set_budget(&mut self, bytes: usize) {
        self.budget = bytes;
        self.shrink();
    }

    fn shrink(&mut self) {
        while self.used > self.budget
            && let Some((_, (_, cost))) = self.loaded.pop_lru()
        {
            self.used -= cost;
        }
    }

    fn pop(&mut self, object: &ObjectId) -> Option<Document> {
        let (document, cost) = self.loaded.pop(object)?;
        self.used -= cost;
        Some(document)
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
        if let Some(document) = self.pop(&object) {
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
        if let Some(document) = self.pop(object) {
            // The change opens it.
            self.open.insert(*object, document);
        }
        self.open.get_mut(object)
    }

    /// A document made of changes.
    pub fn build(&self, changes: &[Vec<u8>]) -> Result<Document> {
        Document::load(self.actor, None, changes)
    }

    /// Storage does not have what was done to an object: from now on its document is kept, whatever
    /// else is used, until [`Documents::stored`] or [`Documents::forget`].
    pub fn unstored(&mut self, object: ObjectId) {
        self.unstored.insert(object);
        if let Some(document) = self.pop(&object) {
            self.open.insert(object, document);
        }
    }

    /// Puts a document back of which storage does not have what was done to it.
    pub fn pin(&mut self, object: ObjectId, document: Document) {
        self.unstored(object);
        self.put(object, document);
    }

    /// Whether a document is kept so.
    pub fn is_pinned(&self, object: &ObjectId) -> bool {
        self.open.contains_key(object)
    }

    /// What was done to it is stored.
    pub fn stored(&mut self, object: &ObjectId) {
        self.unstored.remove(object);
        if let Some(document) = self.open.remove(object) {
            self.put(*object, document);
        }
    }

    /// Gives up a document: the next use makes it anew from storage.
    pub fn forget(&mut self, object: &ObjectId) {
        self.unstored.remove(object);
        self.open.remove(object);
        self.pop(object);
    }

    /// Puts a document back.
    pub fn put(&mut self, object: ObjectId, document: Document) {
        if document.is_open() || self.unstored.contains(&object) {
            self.open.insert(object, document);
            return;
        }
        let cost = document.memory_estimate();
        self.used += cost;
        if let Some((_, cost)) = self.loaded.put(object, (document, cost)) {
            self.used -= cost;
        }
        self.shrink();
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Operation, Value};

    fn document(object: ObjectId, bytes: usize) -> Document {
        let mut document = Document::new([1; 16]);
        let fields = [("text".to_owned(), Value::Text("x".repeat(bytes)))];
        document
            .apply(&Operation::Create {
                object,
                type_name: None,
                fields: fields.into_iter().collect(),
            })
            .unwrap();
        document.commit(1, None).unwrap();
        document
    }

    #[test]
    fn documents_keep_to_their_budget_whatever_their_size() {
        let mut documents = Documents::new([1; 16]);
        documents.set_budget(400_000);
        for n in 0..200u64 {
            let object = ObjectId::from_parts(n, [0; 10]);
            documents.put(object, document(object, n as usize * 10));
            assert!(documents.used <= 400_000);
        }
        assert!(documents.loaded.len() > 5);
        let sum: usize = documents.loaded.iter().map(|(_, (_, cost))| cost).sum();
        assert_eq!(sum, documents.used);
        // One that was taken out does not count.
        let last = ObjectId::from_parts(199, [0; 10]);
        let before = documents.used;
        let taken = documents.pop(&last).expect("the newest is kept");
        assert!(documents.used < before);
        documents.put(last, taken);
        assert_eq!(documents.used, before);
        documents.set_budget(0);
        assert_eq!((documents.loaded.len(), documents.used), (0, 0));
    }
}
