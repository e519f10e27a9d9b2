//! The space layer's view of a space's file.

use super::readers::SpaceReaders;
use super::space::SpaceStore;
use crate::model::{EntryId, FeedId, ObjectId, Result, signed};
use crate::query::{Cell, CompiledQuery, Plan};
use crate::schema::Breach;
use crate::space::{
    Commit, Counts, EntryStatus, FeedRecord, FeedTip, IndexRecord, ObjectRow, ObjectWrite,
    QuarantineRecord, Readers, Reads, Rejudged, SeenRow, Store, StoredDocument, StoredEntry,
    Violation, Vouched,
};
use rusqlite::{OptionalExtension, params};
use std::sync::Arc;

/// Entries read at once while their sizes are added up.
const ENTRIES_A_READ: usize = 256;

impl Reads for SpaceStore {
    fn vouched(&self) -> Result<Vec<Vouched>> {
        self.all_vouched()
    }

    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        SpaceStore::meta(self, key)
    }

    fn feeds(&self) -> Result<Vec<FeedRecord>> {
        SpaceStore::feeds(self)
    }

    fn feed_tips(&self) -> Result<Vec<FeedTip>> {
        SpaceStore::feed_tips(self)
    }

    fn has_entry(&self, id: &EntryId) -> Result<bool> {
        SpaceStore::has_entry(self, id)
    }

    fn entry_place(&self, id: &EntryId) -> Result<Option<(FeedId, u64)>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT f.id, e.seq FROM entries AS e JOIN feeds AS f ON f.n = e.feed WHERE e.id = ?1",
            )?
            .query_row([id.as_bytes()], |row| {
                Ok((FeedId(row.get(0)?), row.get::<_, i64>(1)?.unsigned_abs()))
            })
            .optional()
        })
    }

    fn entry_status(&self, id: &EntryId) -> Result<Option<EntryStatus>> {
        SpaceStore::entry_status(self, id)
    }

    fn entry(&self, id: &EntryId) -> Result<Option<StoredEntry>> {
        SpaceStore::entry(self, id)
    }

    fn entries_at(&self, feed: &FeedId, seq: u64) -> Result<Vec<StoredEntry>> {
        SpaceStore::entries_at(self, feed, seq)
    }

    fn control_entries(&self) -> Result<Vec<StoredEntry>> {
        self.entries_of_kind(crate::feed::FeedKind::Control)
    }

    fn waiting_after(&self, arrival: i64, limit: usize) -> Result<Vec<(i64, EntryId)>> {
        SpaceStore::waiting_after(self, arrival, limit)
    }

    fn entries_with_status(&self, status: EntryStatus) -> Result<Vec<StoredEntry>> {
        SpaceStore::entries_with_status(self, status)
    }

    fn arrivals_from(&self, feed: &FeedId, seq: u64) -> Result<Vec<i64>> {
        self.db.read(|conn| {
            conn.prepare_cached(
                "SELECT n FROM entries WHERE feed = (SELECT n FROM feeds WHERE id = ?1) \
                 AND seq >= ?2 ORDER BY n",
            )?
            .query_map(params![feed.as_bytes(), signed(seq)], |row| row.get(0))?
            .collect()
        })
    }

    fn entry_at(&self, arrival: i64) -> Result<Option<StoredEntry>> {
        let after = arrival.saturating_sub(1);
        let found = SpaceStore::entries_after(self, after, 1)?;
        Ok(found.into_iter().find(|entry| entry.n == arrival))
    }

    fn entries_after(&self, arrival: i64, max_bytes: usize) -> Result<Vec<StoredEntry>> {
        let mut entries = SpaceStore::entries_after(self, arrival, ENTRIES_A_READ)?;
        let mut size = 0usize;
        let fits = entries.iter().take_while(|entry| {
            let before = size;
            size = size.saturating_add(entry.bytes.len());
            before < max_bytes
        });
        let count = fits.count();
        entries.truncate(count);
        Ok(entries)
    }

    fn applied_before(&self, arrival: i64, limit: usize) -> Result<Vec<StoredEntry>> {
        SpaceStore::applied_before(self, arrival, limit)
    }

    fn last_arrival(&self) -> Result<i64> {
        self.db.read(|conn| {
            conn.prepare_cached("SELECT coalesce(max(n), 0) FROM entries")?
                .query_row([], |row| row.get(0))
        })
    }

    fn counts(&self) -> Result<Counts> {
        SpaceStore::counts(self)
    }

    fn quarantined(&self) -> Result<Vec<QuarantineRecord>> {
        SpaceStore::quarantined(self)
    }

    fn load_document(&self, object: &ObjectId) -> Result<Option<StoredDocument>> {
        SpaceStore::load_document(self, object)
    }

    fn object(&self, id: &ObjectId) -> Result<Option<ObjectRow>> {
        SpaceStore::object(self, id)
    }

    fn rows_after(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectRow>> {
        SpaceStore::rows_after(self, after, limit)
    }

    fn children(&self, parent: &ObjectId) -> Result<Vec<ObjectId>> {
        SpaceStore::children(self, parent)
    }

    fn tree_node(&self, id: &ObjectId) -> Result<Option<(bool, Option<ObjectId>)>> {
        SpaceStore::tree_node(self, id)
    }

    fn query(&self, query: &CompiledQuery, each: &mut dyn FnMut(SeenRow<'_>)) -> Result<()> {
        SpaceStore::query(self, query, each)
    }

    fn ranked(
        &self,
        query: &CompiledQuery,
        each: &mut dyn FnMut(SeenRow<'_>, f64, Option<&str>),
    ) -> Result<()> {
        SpaceStore::ranked(self, query, each)
    }

    fn indexes(&self) -> Result<Vec<IndexRecord>> {
        SpaceStore::indexes(self)
    }

    fn query_keyed(
        &self,
        query: &CompiledQuery,
        each: &mut dyn FnMut(SeenRow<'_>, Vec<Cell>),
    ) -> Result<()> {
        SpaceStore::query_keyed(self, query, each)
    }

    fn values(&self, query: &CompiledQuery) -> Result<Vec<Vec<Cell>>> {
        SpaceStore::values(self, query)
    }

    fn plan(&self, query: &CompiledQuery) -> Result<Plan> {
        SpaceStore::plan(self, query)
    }

    fn objects_of_type(
        &self,
        type_name: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, ObjectRow)>> {
        SpaceStore::objects_of_type(self, type_name, after, limit)
    }

    fn violations(&self) -> Result<Vec<Violation>> {
        SpaceStore::violations(self)
    }

    fn unchecked(&self) -> Result<Vec<ObjectId>> {
        SpaceStore::unchecked(self)
    }

    fn visit_heads(&self, visit: &mut dyn FnMut(ObjectId, &[[u8; 32]])) -> Result<()> {
        self.all_heads(|id, heads| {
            visit(id, &heads);
            Ok(())
        })
    }

    fn file_faults(&self, full: bool) -> Result<Vec<String>> {
        SpaceStore::file_faults(self, full)
    }

    fn derived_faults(&self) -> Result<Vec<(String, String)>> {
        SpaceStore::derived_faults(self)
    }

    fn blob_faults(&self) -> Result<(u64, Vec<(String, String)>)> {
        SpaceStore::blob_faults(self)
    }
}

impl Store for SpaceStore {
    fn readers(&self) -> Option<Arc<dyn Readers>> {
        let place = self.db.location()?;
        let seal = self.db.seal().cloned();
        Some(Arc::new(SpaceReaders::new(place.to_owned(), seal)))
    }

    fn set_cache(&mut self, pages: u64, statements: usize) -> Result<()> {
        self.db.set_cache(pages, statements)
    }

    fn commit(&mut self, commit: &Commit<'_>) -> Result<()> {
        SpaceStore::commit(self, commit)
    }

    fn settle(
        &mut self,
        entry: &EntryId,
        status: EntryStatus,
        reason: Option<&str>,
        actors: &[(Vec<u8>, FeedId)],
        objects: &[ObjectWrite<'_>],
    ) -> Result<()> {
        self.settle_entry(entry, status, reason, objects, actors)
    }

    fn rejudge(&mut self, judged: &Rejudged<'_>) -> Result<()> {
        self.write_rejudged(judged)
    }

    fn flush(&mut self) -> Result<()> {
        SpaceStore::flush(self)
    }

    fn put_meta(&mut self, key: &str, value: &[u8]) -> Result<()> {
        SpaceStore::put_meta(self, key, value)
    }

    fn replace_snapshot(&mut self, object: &ObjectId, snapshot: &[u8], upto: u64) -> Result<()> {
        SpaceStore::replace_snapshot(self, object, snapshot, upto).map(drop)
    }

    fn create_index(&mut self, index: &IndexRecord) -> Result<()> {
        SpaceStore::create_index(self, index)
    }

    fn drop_index(&mut self, index: &IndexRecord) -> Result<()> {
        SpaceStore::drop_index(self, index)
    }

    fn put_breaches(
        &mut self,
        judged: &[(ObjectId, Vec<Breach>)],
        fact: (&str, &[u8]),
    ) -> Result<()> {
        SpaceStore::put_breaches(self, judged, fact)
    }
}
