//! Whether what is stored of a space is what this library would have written: entries follow each
//! other and are signed, documents hold what entries brought, rows say what documents say, and what
//! rows are found by agrees with them.

use super::store::{EntryStatus, ObjectRow, Reads, StoredEntry};
use super::write::to_row;
use crate::authority::ContentKeys;
use crate::feed::{DataBody, Entry, FeedHeader, FeedKind};
use crate::model::{EntryId, ErrorKind, FeedId, ObjectId, Result, SpaceId, limits};
use crate::objects::{Document, guard};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Faults that are told one by one.
const TOLD: usize = 1000;
/// Rows read at a time.
const ROWS: usize = 256;
/// Bytes of entries read at a time.
const ENTRY_BYTES: usize = 1024 * 1024;

/// What a fault is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The structure of the file.
    File,
    /// An entry or a feed: what everything else is made from.
    Entry,
    /// An object's document or row.
    Object,
    /// What objects are found by: references, tags, keys, words.
    Index,
    /// A blob.
    Blob,
}

/// Something that is not as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What it is in.
    pub kind: FaultKind,
    /// The id of the entry, object or blob; empty of the file.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
}

/// What a check found.
#[derive(Clone, Debug, Default)]
pub struct Checkup {
    /// The faults, the first thousand.
    pub faults: Vec<Fault>,
    /// Faults beyond those.
    pub more: u64,
    /// Entries looked at.
    pub entries: u64,
    /// Objects looked at.
    pub objects: u64,
    /// Blobs looked at.
    pub blobs: u64,
}

impl Checkup {
    /// Adds a fault.
    pub fn add(&mut self, kind: FaultKind, subject: impl ToString, detail: impl Into<String>) {
        if self.faults.len() >= TOLD {
            self.more += 1;
            return;
        }
        self.faults.push(Fault {
            kind,
            subject: subject.to_string(),
            detail: detail.into(),
        });
    }
}

struct Checking<'a> {
    space: SpaceId,
    store: &'a dyn Reads,
    keys: &'a ContentKeys,
    full: bool,
    found: Checkup,
    /// The starts of the hashes of what entries changed, by object.
    changes: HashMap<ObjectId, BTreeSet<[u8; 8]>>,
}

/// Checks what is stored. A quick check looks at the file's structure and at the entries; a full one
/// at everything. Fails only if storage cannot be read at all; what is damaged is a fault.
pub fn check(space: SpaceId, store: &dyn Reads, keys: &ContentKeys, full: bool) -> Result<Checkup> {
    let mut checking = Checking {
        space,
        store,
        keys,
        full,
        found: Checkup::default(),
        changes: HashMap::new(),
    };
    let done = checking.file();
    checking.take(done)?;
    let done = checking.entries();
    checking.take(done)?;
    if full {
        let done = checking.objects();
        checking.take(done)?;
        let done = checking.derived();
        checking.take(done)?;
        let done = checking.blobs();
        checking.take(done)?;
    }
    Ok(checking.found)
}

impl Checking<'_> {
    /// Makes a fault of damage that ended a part of the check.
    fn take(&mut self, done: Result<()>) -> Result<()> {
        match done {
            Err(e) if e.kind() == ErrorKind::Corrupt => {
                self.found.add(FaultKind::File, "", e.detail());
                Ok(())
            }
            done => done,
        }
    }

    fn file(&mut self) -> Result<()> {
        for fault in self.store.file_faults(self.full)? {
            self.found.add(FaultKind::File, "", fault);
        }
        Ok(())
    }

    fn entries(&mut self) -> Result<()> {
        let mut feeds = HashMap::new();
        for record in self.store.feeds()? {
            match FeedHeader::decode(&record.header, self.space) {
                Ok(header) if header.feed_id() == record.id => {
                    feeds.insert(record.id, header);
                }
                Ok(_) => self.bad_entry(record.id, "the feed's header is another's"),
                Err(e) => self.bad_entry(record.id, format!("the feed's header: {}", e.detail())),
            }
        }
        let mut after = 0;
        loop {
            let batch = self.store.entries_after(after, ENTRY_BYTES)?;
            let Some(last) = batch.last() else {
                return Ok(());
            };
            after = last.n;
            for stored in batch {
                self.found.entries += 1;
                let id = stored.id;
                if let Some(fault) = self.entry(stored, &feeds)? {
                    self.bad_entry(id, fault);
                }
            }
        }
    }

    fn bad_entry(&mut self, subject: impl ToString, detail: impl Into<String>) {
        self.found.add(FaultKind::Entry, subject, detail);
    }

    /// What is wrong with an entry.
    fn entry(
        &mut self,
        stored: StoredEntry,
        feeds: &HashMap<FeedId, FeedHeader>,
    ) -> Result<Option<String>> {
        let fault = |detail: &str| Ok(Some(detail.to_owned()));
        // Only the genesis is sealed without a space id, and its hash is the space id.
        let space = match stored.id.0 == self.space.0 {
            true => SpaceId::ZERO,
            false => self.space,
        };
        let entry = match Entry::decode(stored.bytes.clone(), space) {
            Ok(entry) => entry,
            Err(e) => return fault(e.detail()),
        };
        let header = &entry.header;
        if entry.id != stored.id {
            return fault("its bytes are not what its id says");
        }
        if (header.feed, header.seq) != (stored.feed, stored.seq) {
            return fault("it is stored in another place than it says");
        }
        let Some(author) = feeds.get(&header.feed) else {
            return fault("its feed's header is not sound");
        };
        if author.kind != header.kind {
            return fault("its kind is not its feed's");
        }
        if entry.verify(&author.device).is_err() {
            return fault("its signature does not verify");
        }
        if let Some(missing) = self.missing(&entry)? {
            return Ok(Some(missing));
        }
        if self.full && header.kind == FeedKind::Data && stored.status == EntryStatus::Applied {
            return self.note_changes(&entry);
        }
        Ok(None)
    }

    /// What an entry builds on and is not there.
    fn missing(&self, entry: &Entry) -> Result<Option<String>> {
        let header = &entry.header;
        let stands = |id: &EntryId, feed, seq| -> Result<bool> {
            Ok(self.store.entry_place(id)? == Some((feed, seq)))
        };
        if header.seq > 0 && !stands(&header.prev, header.feed, header.seq - 1)? {
            return Ok(Some("the entry before it is not there".to_owned()));
        }
        for dep in &header.deps {
            if !stands(&dep.id, dep.feed, dep.seq)? {
                return Ok(Some(format!("it builds on {}, which is not there", dep.id)));
            }
        }
        for ctl in &header.ctl {
            if !self.store.has_entry(ctl)? {
                return Ok(Some(format!("it names {ctl}, which is not there")));
            }
        }
        Ok(None)
    }

    fn note_changes(&mut self, entry: &Entry) -> Result<Option<String>> {
        let Some(key) = self.keys.get(&entry.header.key_id) else {
            return Ok(Some("it is applied, but its key is not here".to_owned()));
        };
        let body = entry.open(Some(key)).and_then(|b| DataBody::decode(&b));
        let body = match body {
            Ok(body) => body,
            Err(e) => return Ok(Some(e.detail().to_owned())),
        };
        for (object, change) in &body.changes {
            match guard::scan(change) {
                Ok(summary) => drop(
                    self.changes
                        .entry(*object)
                        .or_default()
                        .insert(start(&summary.hash)),
                ),
                Err(e) => return Ok(Some(format!("it is applied, but {e}"))),
            }
        }
        Ok(None)
    }

    fn objects(&mut self) -> Result<()> {
        let mut after = None;
        loop {
            let rows = self.store.rows_after(after, ROWS)?;
            let Some(last) = rows.last() else {
                break;
            };
            after = Some(last.id);
            for row in rows {
                self.found.objects += 1;
                let changes = self.changes.remove(&row.id).unwrap_or_default();
                if let Some(fault) = self.object(&row, &changes)? {
                    self.found.add(FaultKind::Object, row.id, fault);
                }
            }
        }
        for (object, _) in std::mem::take(&mut self.changes) {
            self.found.add(
                FaultKind::Object,
                object,
                "entries tell of it, but it has no row",
            );
        }
        Ok(())
    }

    /// What is wrong with an object.
    fn object(&self, row: &ObjectRow, changes: &BTreeSet<[u8; 8]>) -> Result<Option<String>> {
        let fault = |detail: String| Ok(Some(detail));
        let stored = match self.store.load_document(&row.id) {
            Ok(stored) => stored.unwrap_or_default(),
            Err(e) if e.kind() == ErrorKind::Corrupt => return fault(e.detail().to_owned()),
            Err(e) => return Err(e),
        };
        let loaded = Document::load([0; 16], stored.snapshot.as_deref(), &stored.changes);
        let mut document = match loaded {
            Ok(document) => document,
            Err(e) => return fault(format!("its document: {}", e.detail())),
        };
        let held = match document.history(&[]) {
            Ok(history) => history.iter().map(|change| start(&change.hash)).collect(),
            Err(e) => return fault(format!("its document's history: {}", e.detail())),
        };
        if *changes != held {
            let (lacks, more) = (
                changes.difference(&held).count(),
                held.difference(changes).count(),
            );
            return fault(format!(
                "its document lacks {lacks} changes of entries, and has {more} that are in none"
            ));
        }
        // Its times are those of its entries, and whether it is hidden is seen below.
        let said = to_row(row.id, document.project(), Some(row), row.created_ms);
        if said != *row {
            return fault("its row is not what its document says".to_owned());
        }
        if self.is_hidden(row)? != row.hidden {
            return fault("it is in sight and should not be, or the other way round".to_owned());
        }
        Ok(None)
    }

    fn is_hidden(&self, row: &ObjectRow) -> Result<bool> {
        let mut parent = row.parent;
        let mut seen = HashSet::from([row.id]);
        while let Some(ancestor) = parent.filter(|ancestor| seen.insert(*ancestor)) {
            match self.store.tree_node(&ancestor)? {
                Some((true, _)) => return Ok(true),
                Some((false, next)) if seen.len() <= limits::TREE_DEPTH => parent = next,
                _ => return Ok(false),
            }
        }
        Ok(false)
    }

    fn derived(&mut self) -> Result<()> {
        for (subject, detail) in self.store.derived_faults()? {
            self.found.add(FaultKind::Index, subject, detail);
        }
        Ok(())
    }

    fn blobs(&mut self) -> Result<()> {
        let (count, faults) = self.store.blob_faults()?;
        self.found.blobs = count;
        for (subject, detail) in faults {
            self.found.add(FaultKind::Blob, subject, detail);
        }
        Ok(())
    }
}

/// Enough of a hash to tell it from those of the same object.
fn start(hash: &[u8; 32]) -> [u8; 8] {
    let [a, b, c, d, e, f, g, h, ..] = *hash;
    [a, b, c, d, e, f, g, h]
}
