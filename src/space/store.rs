//! What a space needs of its storage. The runtime implements it over SQLite.

use crate::feed::FeedKind;
use crate::model::{EntryId, FeedId, ObjectId, Result, SystemFields, system};
use crate::query::{Cell, CompiledQuery, Plan};
use crate::schema::Breach;
use bytes::Bytes;
use std::borrow::Cow;
use std::sync::Arc;

/// What became of a stored entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EntryStatus {
    /// Its changes are in the documents.
    Applied = 0,
    /// Set aside for good: kept and forwarded, but changes nothing.
    Quarantined = 1,
    /// Waits for a content key, or for the changes of an entry that does.
    Waiting = 2,
    /// Does not count, because its author was denied, might not write, or built on what does not
    /// count. Kept, and counts again once the denial does not.
    Excluded = 3,
}

/// A feed as stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedRecord {
    /// Its id.
    pub id: FeedId,
    /// Its signed header.
    pub header: Bytes,
}

/// The newest entry of a feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeedTip {
    /// The feed.
    pub feed: FeedId,
    /// The entry's number.
    pub seq: u64,
    /// The entry.
    pub id: EntryId,
}

/// A stored entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Its place in the order of arrival here, rising.
    pub n: i64,
    /// Its id.
    pub id: EntryId,
    /// Its feed.
    pub feed: FeedId,
    /// Its number in the feed.
    pub seq: u64,
    /// What became of it.
    pub status: EntryStatus,
    /// Why, when it is not applied.
    pub reason: Option<String>,
    /// Its exact bytes.
    pub bytes: Bytes,
}

/// An entry that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRecord {
    /// The entry.
    pub id: EntryId,
    /// Its feed.
    pub feed: FeedId,
    /// Why.
    pub reason: String,
}

/// That an entry of somebody who was denied counts, because another member built on it in good
/// standing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vouched {
    /// The entry.
    pub entry: EntryId,
    /// The control entry that denies its author.
    pub denial: EntryId,
    /// The entry of the member who built on it.
    pub through: EntryId,
}

/// What a new judgement changes on disk: one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Rejudged<'a> {
    /// What becomes of entries, and why if they are not applied.
    pub statuses: &'a [(EntryId, EntryStatus, Option<String>)],
    /// Objects whose documents are written anew, by what `objects` holds of them.
    pub rewritten: &'a [ObjectId],
    /// Objects of which nothing is left.
    pub vanished: &'a [ObjectId],
    /// Objects it touches.
    pub objects: &'a [ObjectWrite<'a>],
    /// Entries of which what vouches for them is replaced by `vouched`.
    pub revouched: &'a [EntryId],
    /// What vouches for them from now on.
    pub vouched: &'a [Vouched],
    /// Small facts that must change with it.
    pub meta: &'a [(&'a str, Vec<u8>)],
}

/// A document as stored: a compacted save and the changes since.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StoredDocument {
    /// The save, if there is one.
    pub snapshot: Option<Vec<u8>>,
    /// Changes since, in order.
    pub changes: Vec<Vec<u8>>,
    /// How many changes were ever stored: snapshot and changes hold exactly these. Handed back
    /// with a new snapshot, it says what that covers.
    pub upto: u64,
}

/// An object's row: what reads and queries are answered from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectRow {
    /// The object.
    pub id: ObjectId,
    /// Its type name.
    pub type_name: Option<String>,
    /// Its parent.
    pub parent: Option<ObjectId>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Whether an ancestor of it is deleted.
    pub hidden: bool,
    /// The rest of its system part.
    pub system: SystemFields,
    /// The earliest clock any of its entries gave.
    pub created_ms: i64,
    /// The latest.
    pub updated_ms: i64,
    /// Its heads, sorted.
    pub heads: Vec<[u8; 32]>,
    /// Its fields as tagged JSON.
    pub data: String,
    /// Its fields as plain JSON, where that differs.
    pub plain: Option<String>,
}

impl ObjectRow {
    /// Whether queries count it among the deleted.
    pub fn is_gone(&self) -> bool {
        self.deleted || self.hidden
    }

    /// Whether it holds a schema: such objects are no part of what programs see.
    pub fn is_schema(&self) -> bool {
        self.type_name.as_deref() == Some(system::SCHEMA)
    }

    /// The fields as queries read them.
    pub fn plain_json(&self) -> &str {
        self.plain.as_deref().unwrap_or(&self.data)
    }

    /// What programs see of it.
    pub fn seen(&self) -> SeenRow<'_> {
        SeenRow {
            id: self.id,
            type_name: self.type_name.as_deref().map(Cow::Borrowed),
            parent: self.parent,
            deleted: self.deleted,
            hidden: self.hidden,
            system: Cow::Borrowed(&self.system),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            heads: Cow::Borrowed(&self.heads),
            data: Cow::Borrowed(&self.data),
        }
    }
}

/// What programs see of an object's row, and what queries therefore read: all but the plain form
/// of its fields. Borrowed from storage where it can be, since most rows are looked at once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenRow<'a> {
    /// The object.
    pub id: ObjectId,
    /// Its type name.
    pub type_name: Option<Cow<'a, str>>,
    /// Its parent.
    pub parent: Option<ObjectId>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// Whether an ancestor of it is deleted.
    pub hidden: bool,
    /// The rest of its system part.
    pub system: Cow<'a, SystemFields>,
    /// The earliest clock any of its entries gave.
    pub created_ms: i64,
    /// The latest.
    pub updated_ms: i64,
    /// Its heads, sorted.
    pub heads: Cow<'a, [[u8; 32]]>,
    /// Its fields as tagged JSON.
    pub data: Cow<'a, str>,
}

impl SeenRow<'_> {
    /// The same, to be kept.
    pub fn into_owned(self) -> SeenRow<'static> {
        SeenRow {
            id: self.id,
            type_name: self.type_name.map(|name| Cow::Owned(name.into_owned())),
            parent: self.parent,
            deleted: self.deleted,
            hidden: self.hidden,
            system: Cow::Owned(self.system.into_owned()),
            created_ms: self.created_ms,
            updated_ms: self.updated_ms,
            heads: Cow::Owned(self.heads.into_owned()),
            data: Cow::Owned(self.data.into_owned()),
        }
    }
}

/// An object as a commit writes it.
#[derive(Clone, Copy, Debug)]
pub struct ObjectWrite<'a> {
    /// Its new row.
    pub row: &'a ObjectRow,
    /// The changes that led to it.
    pub changes: &'a [Vec<u8>],
    /// The rules of its type's schema that it breaks from now on; `None` leaves what is recorded,
    /// which is nothing where there is no schema.
    pub breaches: Option<&'a [Breach]>,
}

/// An object that breaks its type's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The object.
    pub id: ObjectId,
    /// Its type.
    pub type_name: String,
    /// The version of the schema that it carries.
    pub version: u32,
    /// One rule that it breaks.
    pub breach: Breach,
}

/// A feed seen for the first time.
#[derive(Clone, Copy, Debug)]
pub struct NewFeed<'a> {
    /// Its id.
    pub id: FeedId,
    /// Its signed header.
    pub header: &'a [u8],
    /// Control or data.
    pub kind: FeedKind,
}

/// An entry to be stored.
#[derive(Clone, Copy, Debug)]
pub struct NewEntry<'a> {
    /// Its id.
    pub id: EntryId,
    /// Its feed.
    pub feed: FeedId,
    /// Its number.
    pub seq: u64,
    /// Its exact bytes.
    pub bytes: &'a [u8],
}

/// How much a space holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Objects, deleted ones included.
    pub objects: u64,
    /// Entries of all feeds.
    pub entries: u64,
    /// Feeds.
    pub feeds: u64,
    /// Entries whose changes were refused.
    pub quarantined: u64,
    /// Entries that wait for a key.
    pub waiting: u64,
    /// Entries that do not count.
    pub excluded: u64,
    /// Objects that break their type's schema.
    pub violations: u64,
    /// Objects that hold schemas.
    pub schemas: u64,
}

/// An index that the program asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexRecord {
    /// Of objects of this type; of all if there is none.
    pub type_name: Option<String>,
    /// Of what, as an order names it.
    pub path: String,
}

/// Everything that one entry changes on disk: one transaction.
#[derive(Clone, Copy, Debug)]
pub struct Commit<'a> {
    /// The entry's feed, if it is new.
    pub feed: Option<NewFeed<'a>>,
    /// The entry.
    pub entry: NewEntry<'a>,
    /// What became of it.
    pub status: EntryStatus,
    /// Why, if it was set aside.
    pub reason: Option<&'a str>,
    /// Automerge actors seen for the first time, bound to their feed from now on.
    pub actors: &'a [(Vec<u8>, FeedId)],
    /// Objects it touches.
    pub objects: &'a [ObjectWrite<'a>],
    /// Small facts that must change with it.
    pub meta: &'a [(&'a str, Vec<u8>)],
}

/// What can be asked of one space's storage.
pub trait Reads {
    /// Everything that is recorded of entries that count because somebody vouches for them.
    fn vouched(&self) -> Result<Vec<Vouched>>;
    /// A small fact.
    fn meta(&self, key: &str) -> Result<Option<Vec<u8>>>;
    /// All feeds.
    fn feeds(&self) -> Result<Vec<FeedRecord>>;
    /// The tips of all feeds.
    fn feed_tips(&self) -> Result<Vec<FeedTip>>;
    /// Whether an entry is stored.
    fn has_entry(&self, id: &EntryId) -> Result<bool>;
    /// An entry's feed and number.
    fn entry_place(&self, id: &EntryId) -> Result<Option<(FeedId, u64)>>;
    /// What is thought of an entry; `None` if it is not here.
    fn entry_status(&self, id: &EntryId) -> Result<Option<EntryStatus>>;
    /// An entry by id.
    fn entry(&self, id: &EntryId) -> Result<Option<StoredEntry>>;
    /// A feed's entries of one number: one, or several if its device exists twice.
    fn entries_at(&self, feed: &FeedId, seq: u64) -> Result<Vec<StoredEntry>>;
    /// All entries of control feeds, refused ones included, in order of arrival.
    fn control_entries(&self) -> Result<Vec<StoredEntry>>;
    /// Entries of a status, in order of arrival.
    fn entries_with_status(&self, status: EntryStatus) -> Result<Vec<StoredEntry>>;
    /// Entries that wait and arrived after number `arrival`, in order of arrival: at most `limit`,
    /// each with its number.
    fn waiting_after(&self, arrival: i64, limit: usize) -> Result<Vec<(i64, EntryId)>>;
    /// The arrival numbers of a feed's entries from `seq` on, rising.
    fn arrivals_from(&self, feed: &FeedId, seq: u64) -> Result<Vec<i64>>;
    /// The entry that arrived as number `arrival`.
    fn entry_at(&self, arrival: i64) -> Result<Option<StoredEntry>>;
    /// Entries that arrived after number `arrival`, at most about `max_bytes` of them.
    fn entries_after(&self, arrival: i64, max_bytes: usize) -> Result<Vec<StoredEntry>>;
    /// Data entries whose changes are in the documents, the last to arrive first: at most `limit`
    /// of those that arrived before number `arrival`.
    fn applied_before(&self, arrival: i64, limit: usize) -> Result<Vec<StoredEntry>>;
    /// The number of the newest arrival, 0 if there is none.
    fn last_arrival(&self) -> Result<i64>;
    /// How much there is.
    fn counts(&self) -> Result<Counts>;
    /// Entries set aside.
    fn quarantined(&self) -> Result<Vec<QuarantineRecord>>;
    /// A document, if the object exists.
    fn load_document(&self, object: &ObjectId) -> Result<Option<StoredDocument>>;
    /// An object's row.
    fn object(&self, id: &ObjectId) -> Result<Option<ObjectRow>>;
    /// At most `limit` rows, deleted objects and branches included, in id order, from the object
    /// after `after` on.
    fn rows_after(&self, after: Option<ObjectId>, limit: usize) -> Result<Vec<ObjectRow>>;
    /// The objects whose parent is this one.
    fn children(&self, parent: &ObjectId) -> Result<Vec<ObjectId>>;
    /// Whether an object is deleted, and its parent: all that trees ask.
    fn tree_node(&self, id: &ObjectId) -> Result<Option<(bool, Option<ObjectId>)>>;
    /// Calls `each` with the rows a query finds, in its order.
    fn query(&self, query: &CompiledQuery, each: &mut dyn FnMut(SeenRow<'_>)) -> Result<()>;
    /// Calls `each` with the rows that a search finds, in its order, each with its rank, the lower the
    /// better, and its fields in plain form, where that differs.
    fn ranked(
        &self,
        query: &CompiledQuery,
        each: &mut dyn FnMut(SeenRow<'_>, f64, Option<&str>),
    ) -> Result<()>;
    /// The indexes that were made.
    fn indexes(&self) -> Result<Vec<IndexRecord>>;
    /// Calls `each` with the rows a query finds, each with the columns that follow a row's: its keys
    /// in the query's order.
    fn query_keyed(
        &self,
        query: &CompiledQuery,
        each: &mut dyn FnMut(SeenRow<'_>, Vec<Cell>),
    ) -> Result<()>;
    /// The rows of any statement that reads.
    fn values(&self, query: &CompiledQuery) -> Result<Vec<Vec<Cell>>>;
    /// How storage would answer a query.
    fn plan(&self, query: &CompiledQuery) -> Result<Plan>;
    /// Rows of a type, deleted ones included, whose numbers are above `after`, with their numbers,
    /// rising; at most `limit`.
    fn objects_of_type(
        &self,
        type_name: &str,
        after: i64,
        limit: usize,
    ) -> Result<Vec<(i64, ObjectRow)>>;
    /// Everything recorded of that kind, by object.
    fn violations(&self) -> Result<Vec<Violation>>;
    /// Objects recorded as unchecked ([`Breach::unchecked`]).
    fn unchecked(&self) -> Result<Vec<ObjectId>>;
    /// Calls `visit` with every object's id and heads, in id order.
    fn visit_heads(&self, visit: &mut dyn FnMut(ObjectId, &[[u8; 32]])) -> Result<()>;

    /// What is wrong with the structure of what is stored; a full check looks at indexes too.
    fn file_faults(&self, full: bool) -> Result<Vec<String>>;
    /// Where what objects are found by does not agree with them: the object, if it is known, and
    /// what is wrong.
    fn derived_faults(&self) -> Result<Vec<(String, String)>>;
    /// How many blobs there are, and which of them are damaged: the blob, and what is wrong.
    fn blob_faults(&self) -> Result<(u64, Vec<(String, String)>)>;
}

/// Reads beside the one who writes: each sees everything that was committed when it began, and
/// nothing that is committed after, and waits for no writer.
pub trait Readers: Send + Sync {
    /// Runs `work` on one; `false`, without having run it, once they are closed. Waits while as many
    /// reads are under way as there may be.
    fn read(&self, work: &mut dyn FnMut(&dyn Reads)) -> Result<bool>;
    /// Lets no further read begin, and waits for those under way.
    fn close(&self);
    /// Sets how much memory each may use for what it has read.
    fn set_cache(&self, pages: u64, statements: usize);
}

/// Storage of one space. A failed call leaves everything as it was.
pub trait Store: Reads + super::blob_store::BlobStore + Send {
    /// Those who read beside this one; `None` where there can be none, as in memory.
    fn readers(&self) -> Option<Arc<dyn Readers>>;
    /// Sets how many bytes of pages and how many prepared statements are kept in memory.
    fn set_cache(&mut self, pages: u64, statements: usize) -> Result<()>;
    /// Stores an entry and what it changes, in one transaction.
    fn commit(&mut self, commit: &Commit<'_>) -> Result<()>;
    /// Decides about an entry that waited, in one transaction.
    fn settle(
        &mut self,
        entry: &EntryId,
        status: EntryStatus,
        reason: Option<&str>,
        actors: &[(Vec<u8>, FeedId)],
        objects: &[ObjectWrite<'_>],
    ) -> Result<()>;
    /// Changes what becomes of entries, with documents and rows, in one transaction.
    fn rejudge(&mut self, judged: &Rejudged<'_>) -> Result<()>;
    /// Brings everything committed to the disk.
    fn flush(&mut self) -> Result<()>;
    /// Stores a small fact.
    fn put_meta(&mut self, key: &str, value: &[u8]) -> Result<()>;
    /// Replaces an object's snapshot by one that covers the changes a [`StoredDocument`] held, and
    /// drops those.
    fn replace_snapshot(&mut self, object: &ObjectId, snapshot: &[u8], upto: u64) -> Result<()>;
    /// Makes an index, if there is none such yet.
    fn create_index(&mut self, index: &IndexRecord) -> Result<()>;
    /// Drops an index.
    fn drop_index(&mut self, index: &IndexRecord) -> Result<()>;
    /// Records which rules objects break, in place of what was recorded of them, with a small fact,
    /// in one transaction.
    fn put_breaches(
        &mut self,
        judged: &[(ObjectId, Vec<Breach>)],
        fact: (&str, &[u8]),
    ) -> Result<()>;
}
