//! Reads. Rows and entries come from storage; only text and history need a document.

use super::space_core::SpaceCore;
#[cfg(test)]
use super::store::SeenRow;
use super::store::{Counts, ObjectRow, QuarantineRecord, Reads, StoredEntry};
use crate::feed::{FeedKind, sha256};
use crate::model::{EntryId, Error, FeedId, ObjectId, Result, SpaceId, Value};
use crate::objects::Document;
use bytes::Bytes;

impl SpaceCore {
    /// An object's row.
    pub fn object(&self, id: &ObjectId) -> Result<Option<ObjectRow>> {
        self.store.object(id)
    }

    /// The rows of a space's objects that a query finds.
    #[cfg(test)]
    pub fn query_all(&self, query: &crate::query::Query) -> Result<Vec<SeenRow<'static>>> {
        let mut rows = Vec::new();
        let query = crate::query::compile(query);
        self.store
            .query(&query, &mut |row| rows.push(row.into_owned()))?;
        Ok(rows)
    }

    /// At most `limit` rows, deleted objects and branches included, in id order, from the object
    /// after `after` on.
    pub fn rows_after(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectRow>> {
        self.store.rows_after(after, limit)
    }

    /// Every row, in id order.
    #[cfg(test)]
    pub fn everything(&self) -> Result<Vec<ObjectRow>> {
        self.store.rows_after(None, usize::MAX)
    }

    /// A text, with edits that are not written yet.
    #[cfg(test)]
    pub fn text(&mut self, object: ObjectId, path: &crate::model::Path) -> Result<String> {
        self.read_document(object, |document| document.text(path))
    }

    /// Runs `read` on an object's document, with edits that are not written yet.
    pub fn read_document<T>(
        &mut self,
        object: ObjectId,
        read: impl FnOnce(&mut Document) -> Result<T>,
    ) -> Result<T> {
        self.read_object(object, |_, document| read(document))
    }

    /// As [`SpaceCore::read_document`], with what is stored beside.
    pub fn read_object<T>(
        &mut self,
        object: ObjectId,
        read: impl FnOnce(&dyn Reads, &mut Document) -> Result<T>,
    ) -> Result<T> {
        let mut document = self.documents.take(&mut *self.store, object)?;
        let found = read(self.reads(), &mut document);
        self.documents.put(object, document);
        found
    }

    /// SHA-256 over every object's id and heads: see [`digest`].
    #[cfg(test)]
    pub fn digest(&self) -> Result<[u8; 32]> {
        digest(self.reads(), &self.id)
    }

    /// Whether an entry is stored, whatever became of it.
    #[cfg(test)]
    pub fn holds(&self, entry: &EntryId) -> Result<bool> {
        self.store.has_entry(entry)
    }

    /// A content key, for tests that write what no honest member would, and for measurements.
    #[cfg(any(test, feature = "bench-internals"))]
    pub fn content_key(&self, id: &crate::model::ContentKeyId) -> Option<crate::feed::ContentKey> {
        self.held_keys().get(id).cloned()
    }

    /// Brings everything committed to the disk.
    pub fn flush(&mut self) -> Result<()> {
        self.store.flush()
    }

    /// Entries set aside, with their authors' devices.
    pub fn quarantined(&self) -> Result<Vec<(QuarantineRecord, Option<crate::model::DeviceKey>)>> {
        let records = self.store.quarantined()?;
        Ok(records
            .into_iter()
            .map(|record| {
                let device = self.feeds.get(&record.feed).map(|feed| feed.header.device);
                (record, device)
            })
            .collect())
    }

    /// How much there is.
    pub fn counts(&self) -> Result<Counts> {
        self.store.counts()
    }

    /// Each stored feed with the number of its newest entry and what names its tips, in feed order.
    pub fn heights(&self) -> Vec<(FeedId, u64, EntryId)> {
        let mut heights: Vec<_> = self
            .feeds
            .iter()
            .filter_map(|(id, feed)| Some((*id, feed.tips.last()?, feed.tips.name()?)))
            .collect();
        heights.sort_unstable();
        heights
    }

    /// A digest of the heights: what two peers compare first.
    pub fn heights_digest(&self) -> [u8; 32] {
        let mut flat = Vec::new();
        for (feed, seq, tips) in self.heights() {
            flat.extend_from_slice(feed.as_bytes());
            flat.extend_from_slice(&seq.to_be_bytes());
            flat.extend_from_slice(tips.as_bytes());
        }
        sha256(&[b"echodb/heights/v1", &flat])
    }

    /// A stored feed's signed header, and whether it is a control feed.
    pub fn feed_header(&self, id: &FeedId) -> Option<(Bytes, bool)> {
        self.feeds.get(id).filter(|feed| feed.stored).map(|feed| {
            (
                feed.header_bytes.clone(),
                feed.header.kind == FeedKind::Control,
            )
        })
    }

    /// The first number of a feed that is not held.
    pub fn next(&self, id: &FeedId) -> u64 {
        let last = self.feeds.get(id).and_then(|feed| feed.tips.last());
        last.map_or(0, |seq| seq + 1)
    }

    /// The arrival numbers of all entries that a peer with `theirs` (feed, next number) lacks,
    /// rising: a causal order.
    pub fn lacking(&self, theirs: &dyn Fn(&FeedId) -> u64) -> Result<Vec<i64>> {
        let mut arrivals = Vec::new();
        for (feed, seq, _) in self.heights() {
            let next = theirs(&feed);
            if next <= seq {
                arrivals.extend(self.store.arrivals_from(&feed, next)?);
            }
        }
        arrivals.sort_unstable();
        Ok(arrivals)
    }

    /// A stored entry by arrival number.
    pub fn entry_at(&self, arrival: i64) -> Result<Option<StoredEntry>> {
        self.store.entry_at(arrival)
    }

    /// Entries that arrived after a number.
    pub fn entries_after(&self, arrival: i64, max_bytes: usize) -> Result<Vec<StoredEntry>> {
        self.store.entries_after(arrival, max_bytes)
    }

    /// The newest arrival's number.
    pub fn last_arrival(&self) -> Result<i64> {
        self.store.last_arrival()
    }
}

/// The `name` in a space's properties.
pub fn name(store: &dyn Reads) -> Result<Option<String>> {
    let Some(row) = store.object(&ObjectId::PROPERTIES)? else {
        return Ok(None);
    };
    let fields = crate::model::json::parse_fields(&row.data)?;
    Ok(match fields.get("name") {
        Some(Value::String(name) | Value::Text(name)) => Some(name.clone()),
        _ => None,
    })
}

/// SHA-256 over every object's id and heads, in id order: equal digests mean equal objects with
/// equal histories.
pub fn digest(store: &dyn Reads, space: &SpaceId) -> Result<[u8; 32]> {
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    context.update(b"echodb/space-digest/v1");
    context.update(space.as_bytes());
    store.visit_heads(&mut |id, heads| {
        context.update(id.as_bytes());
        context.update(&(heads.len() as u64).to_be_bytes());
        for head in heads {
            context.update(head);
        }
    })?;
    let mut digest = [0; 32];
    digest.copy_from_slice(context.finish().as_ref());
    Ok(digest)
}

/// Runs `read` on an object's document as it is stored, which it does not keep. Fails with
/// `NotFound` if there is no such object.
pub fn read_stored<T>(
    store: &dyn Reads,
    object: ObjectId,
    read: impl FnOnce(&dyn Reads, &mut Document) -> Result<T>,
) -> Result<T> {
    let stored = store.load_document(&object)?;
    let stored = stored
        .ok_or_else(|| Error::not_found(format!("there is no object {object} in this space")))?;
    // Nothing is changed, so that no name is needed to change it under.
    let mut document = Document::load([0; 16], stored.snapshot.as_deref(), &stored.changes)
        .map_err(|e| e.context(format!("object {object}")))?;
    read(store, &mut document)
}
