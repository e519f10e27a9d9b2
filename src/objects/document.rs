//! One object's document: its life, its transactions, its bytes.

use super::project::{self, Projection};
use super::text::TextCache;
use super::{Quarantine, guard, local};
#[cfg(test)]
use crate::model::Value;
use crate::model::contain::contain;
use crate::model::{Error, Operation, Path, Result, limits, signed};
use automerge::transaction::{CommitOptions, Transactable};
use automerge::{ActorId, AutoCommit, ChangeHash, LoadOptions, ReadDoc, TextEncoding};

/// Operations that one change may hold. Below [`limits::CHANGE_ROWS`], because a column of
/// predecessors may have a few more rows than there are operations.
pub(super) const CHANGE_OPS: usize = 60_000;

/// The raw changes of a transaction, and the version they lead to.
pub type Made = (Vec<Vec<u8>>, Vec<[u8; 32]>);

/// An object's Automerge document.
///
/// Operations open a transaction; [`Document::commit`] turns it into changes, and
/// [`Document::rollback`] forgets it. A document that a panic or a refused remote change went
/// through is *poisoned*: every further call fails, and the caller loads it again from its changes.
pub struct Document {
    pub(super) am: AutoCommit,
    /// The document before the open transaction: kept once a part of it had to be committed early,
    /// when Automerge can no longer undo it.
    before: Option<Box<AutoCommit>>,
    /// Changes of the open transaction that are committed already.
    made: Vec<ChangeHash>,
    /// Operations in them.
    made_ops: usize,
    clock_ms: i64,
    pub(super) text: Option<TextCache>,
    /// What the present state projects to, if that was just computed.
    pub(super) projection: Option<Projection>,
    pub(super) poisoned: bool,
}

impl Document {
    /// An empty document, written by `actor`. An actor must never write the same document from two
    /// places.
    pub fn new(actor: [u8; 16]) -> Self {
        let mut am = AutoCommit::new_with_encoding(TextEncoding::UnicodeCodePoint);
        am.set_actor(ActorId::from(&actor[..]));
        Document::around(am)
    }

    pub(super) fn around(am: AutoCommit) -> Self {
        Document {
            am,
            before: None,
            made: Vec::new(),
            made_ops: 0,
            clock_ms: 0,
            text: None,
            projection: None,
            poisoned: false,
        }
    }

    /// Loads a document from a snapshot made by [`Document::save`] and changes made since. Changes
    /// that the snapshot holds already are skipped. Fails with `Corrupt`.
    pub fn load(actor: [u8; 16], snapshot: Option<&[u8]>, changes: &[Vec<u8>]) -> Result<Self> {
        let mut document = Document::new(actor);
        if let Some(snapshot) = snapshot.filter(|bytes| !bytes.is_empty()) {
            document.am = load_snapshot(snapshot)?;
            document.am.set_actor(ActorId::from(&actor[..]));
        }
        document
            .take_changes(changes, false)
            .map_err(|q| Error::corrupt(format!("a stored change: {q}")))?;
        Ok(document)
    }

    /// Sets the clock that is stamped on changes which must be committed before
    /// [`Document::commit`] names the time: the early parts of large transactions, and operations
    /// at earlier versions. Without it, the time of the last commit serves.
    pub fn set_clock(&mut self, now_ms: u64) {
        self.clock_ms = signed(now_ms);
    }

    /// Whether the document failed and must be loaded again.
    #[cfg(test)]
    pub fn is_poisoned(&self) -> bool {
        self.poisoned
    }

    /// Applies one local operation within the open transaction. After an error the transaction is
    /// half done: call [`Document::rollback`].
    pub fn apply(&mut self, op: &Operation) -> Result<()> {
        self.contained(|document| {
            document.projection = None;
            local::apply(document, op)
        })
    }

    /// As [`Document::apply`] of a splice, which Automerge makes together with others around it when
    /// the document is [settled](Document::settle): until then nothing else is asked of it. An error
    /// means that the edit was not made, and that those before it were.
    pub fn gather(&mut self, edit: &Operation) -> Result<()> {
        let Operation::Splice {
            path,
            position,
            delete,
            insert,
            unit,
            ..
        } = edit
        else {
            return Err(Error::internal("only splices are gathered"));
        };
        self.contained(|document| {
            document.projection = None;
            super::text::gather(document, path, *position, *delete, insert, *unit)
        })
    }

    /// Makes the edits that were gathered.
    pub fn settle(&mut self) -> Result<()> {
        self.contained(super::text::settle)
    }

    /// Applies one operation as if the document were still at `heads`; what happened since is
    /// merged as concurrent. Joins the open transaction as changes of its own. Costs a copy of the
    /// document.
    #[cfg(test)]
    pub fn apply_at(&mut self, heads: &[[u8; 32]], op: &Operation) -> Result<()> {
        let hashes = self.known(heads)?;
        if self.made.is_empty() && self.am.pending_ops() == 0 && self.is_current(&hashes) {
            return self.apply(op);
        }
        self.contained(|document| {
            document.projection = None;
            document.text = None;
            document.split();
            document.am.isolate(&hashes);
            local::apply(document, op)?;
            document.commit_part(None);
            document.am.integrate();
            document.text = None;
            Ok(())
        })
    }

    /// A transaction of its own, made as if the document were still at `heads`: the operations see
    /// that version and each other, and merge with what happened since. Returns the changes and
    /// the version they lead to. After an error the document must be thrown away.
    pub fn transact_at(
        &mut self,
        heads: &[[u8; 32]],
        ops: &[&Operation],
        now_ms: u64,
        message: Option<&str>,
    ) -> Result<Made> {
        self.make_at(heads, now_ms, message, |document| {
            ops.iter().enumerate().try_for_each(|(index, op)| {
                local::apply(document, op).map_err(|e| e.in_step(index, ops.len()))
            })
        })
    }

    /// As [`Document::transact_at`], of whatever `make` does.
    pub(super) fn make_at(
        &mut self,
        heads: &[[u8; 32]],
        now_ms: u64,
        message: Option<&str>,
        make: impl FnOnce(&mut Document) -> Result<()>,
    ) -> Result<Made> {
        self.closed()?;
        let hashes = self.known(heads)?;
        self.set_clock(now_ms);
        let (changes, last) = self.contained(|document| {
            let past = !document.is_current(&hashes);
            document.projection = None;
            document.text = None;
            if past {
                document.am.isolate(&hashes);
            }
            make(document)?;
            document.commit_part(message);
            if past {
                document.am.integrate();
                document.text = None;
            }
            let last = document.made.last().copied();
            Ok((document.finish(message)?, last))
        })?;
        self.made.clear();
        self.made_ops = 0;
        let version = last.map_or_else(|| heads.to_vec(), |hash| vec![hash.0]);
        Ok((changes, version))
    }

    /// Forgets the open transaction. A poisoned document stays poisoned unless the state before
    /// the transaction was kept.
    pub fn rollback(&mut self) {
        self.text = None;
        self.made.clear();
        self.made_ops = 0;
        if let Some(before) = self.before.take() {
            self.projection = None;
            self.am = *before;
            self.poisoned = false;
        } else if !self.poisoned && self.am.pending_ops() > 0 {
            self.projection = None;
            self.poisoned = contain(|| self.am.rollback()).is_err();
        }
    }

    /// Commits the open transaction and returns the raw, uncompressed changes made since the last
    /// commit, in order; none if nothing changed. Each passes [`guard::scan`], all together
    /// [`guard::EntryTotal`]; a transaction that does not is undone and refused with
    /// `LimitExceeded`. `message` goes with the change that is
    /// made here, which is the last one; not with those that had to be made earlier.
    pub fn commit(&mut self, now_ms: u64, message: Option<&str>) -> Result<Vec<Vec<u8>>> {
        self.set_clock(now_ms);
        let base = self.am.base_heads();
        let outcome = self.contained(|document| {
            super::text::settle(document)?;
            document.finish(message)
        });
        if outcome.is_err() {
            self.undo_commit(&base);
        }
        self.before = None;
        self.made.clear();
        self.made_ops = 0;
        outcome
    }

    fn finish(&mut self, message: Option<&str>) -> Result<Vec<Vec<u8>>> {
        self.commit_part(message);
        let mut total = guard::EntryTotal::default();
        let mut actors = guard::ObjectActors::default();
        let mut marks = false;
        let mut changes = Vec::with_capacity(self.made.len());
        for hash in &self.made {
            let change = ReadDoc::get_change_by_hash(&self.am, hash)
                .ok_or_else(|| Error::internal("a change that was just made is absent"))?;
            let summary = guard::scan(change.raw_bytes())
                .and_then(|summary| {
                    total.add(&summary)?;
                    actors.add(&summary)?;
                    Ok(summary)
                })
                .map_err(|q| Error::limit(format!("the transaction is too large: {q}")))?;
            marks |= summary.marks > 0;
            changes.push(change.raw_bytes().to_vec());
        }
        if marks {
            // What others would set aside is not sent (see `verify_marks`).
            self.saved()
                .map_err(|e| Error::invalid(format!("these marks do not fit: {}", e.detail())))?;
        }
        if !changes.is_empty() {
            self.projection = Some(project::project(&self.am)?);
        }
        Ok(changes)
    }

    /// Takes back what a failed commit left behind.
    fn undo_commit(&mut self, base: &[ChangeHash]) {
        self.text = None;
        self.projection = None;
        if let Some(before) = self.before.take() {
            self.am = *before;
            self.poisoned = false;
        } else if !self.poisoned && !self.made.is_empty() {
            let actor = self.am.get_actor().clone();
            match contain(|| self.am.fork_at(base)) {
                Ok(Ok(mut am)) => {
                    am.set_actor(actor);
                    self.am = am;
                }
                _ => self.poisoned = true,
            }
        }
    }

    /// Makes room for `ops` more operations in the present change, by committing what is there if
    /// need be. Refuses a transaction that would not fit one entry.
    pub(super) fn room(&mut self, ops: usize) -> Result<()> {
        let pending = self.am.pending_ops();
        self.budget(ops)?;
        if pending > 0 && pending + ops > CHANGE_OPS {
            self.split();
        }
        Ok(())
    }

    /// Refuses `ops` more operations if the transaction would no longer fit one entry.
    pub(super) fn budget(&self, ops: usize) -> Result<()> {
        let all = self.made_ops + self.am.pending_ops() + ops;
        if all as u64 > limits::ENTRY_ROWS {
            return Err(Error::limit(format!(
                "a transaction may make {} changes to characters, list elements and fields, \
                 this one would make at least {all}",
                limits::ENTRY_ROWS
            )));
        }
        Ok(())
    }

    /// Commits the operations so far as a change of their own, keeping the way back.
    fn split(&mut self) {
        if self.before.is_none() {
            let mut before = Box::new(self.am.clone());
            before.rollback();
            self.before = Some(before);
        }
        self.commit_part(None);
    }

    fn commit_part(&mut self, message: Option<&str>) {
        let ops = self.am.pending_ops();
        if ops == 0 {
            return;
        }
        let mut options = CommitOptions::default().with_time(self.clock_ms);
        if let Some(message) = message {
            options = options.with_message(message);
        }
        if let Some(hash) = self.am.commit_with(options) {
            self.made.push(hash);
            self.made_ops += ops;
        }
    }

    /// Whether a transaction is open.
    pub fn is_open(&self) -> bool {
        let gathering = self.text.as_ref().is_some_and(TextCache::is_gathering);
        gathering || !self.made.is_empty() || self.am.pending_ops() > 0
    }

    /// The hashes of the latest changes, sorted; an open transaction does not count.
    pub fn heads(&mut self) -> Vec<[u8; 32]> {
        project::heads(&self.am)
    }

    /// The object's state, an open transaction included. See [`Projection`] for what remote data of
    /// foreign shape becomes.
    pub fn project(&mut self) -> Projection {
        if let Some(projection) = self.projection.take() {
            return projection;
        }
        // A state that could not be projected was refused when it came in, so that this cannot
        // fail for what remote peers sent.
        self.contained(|document| project::project(&document.am))
            .unwrap_or_default()
    }

    /// The object's state as of `heads`. Costs a copy of that much of the document's history.
    #[cfg(test)]
    pub fn project_at(&mut self, heads: &[[u8; 32]]) -> Result<Projection> {
        self.closed()?;
        let hashes = self.known(heads)?;
        self.contained(|document| {
            let past = document.am.fork_at(&hashes);
            project::project(&past.map_err(super::resolve::failure)?)
        })
    }

    /// The text at `path`.
    pub fn text(&mut self, path: &Path) -> Result<String> {
        self.contained(|document| {
            super::text::settle(document)?;
            let id = super::resolve::text(&document.am, path)?;
            document.am.text(&id).map_err(super::resolve::failure)
        })
    }

    /// The value at `path`; the empty path means all fields.
    #[cfg(test)]
    pub fn value_at(&mut self, path: &Path) -> Result<Value> {
        self.contained(|document| project::value_at(&document.am, path))
    }

    /// The whole document in compact form, for [`Document::load`]. Verified: what it returns was
    /// loaded again and has the same heads.
    pub fn save(&mut self) -> Result<Vec<u8>> {
        self.closed()?;
        if self.poisoned {
            return Err(Error::internal("the object must be loaded again"));
        }
        self.saved()
    }

    /// Saves and loads again. A snapshot that does not load leaves the document as it
    /// is: its changes are still good.
    pub(super) fn saved(&mut self) -> Result<Vec<u8>> {
        let bytes = contain(|| self.am.save())
            .map_err(|message| Error::corrupt(format!("the object cannot be saved: {message}")))?;
        let again = load_snapshot(&bytes)?;
        if project::heads(&again) != project::heads(&self.am) {
            return Err(Error::corrupt("the saved document has other heads"));
        }
        Ok(bytes)
    }

    /// Roughly how many bytes of memory the document takes. Measured on loaded documents: 18 kB when
    /// empty, 128 bytes a change, up to 30 bytes an operation and far less in long runs of typing.
    pub fn memory_estimate(&self) -> usize {
        let stats = self.am.stats();
        let ops = usize::try_from(stats.num_ops).unwrap_or(usize::MAX);
        let changes = usize::try_from(stats.num_changes).unwrap_or(usize::MAX);
        let mirror = self.text.as_ref().map_or(0, TextCache::memory);
        18_000usize
            .saturating_add(ops.saturating_mul(16))
            .saturating_add(changes.saturating_mul(128))
            .saturating_add(mirror)
    }

    /// Refuses when a transaction is open.
    pub(super) fn closed(&self) -> Result<()> {
        if self.is_open() {
            return Err(Error::state(
                "a transaction is open on the object: commit it or roll it back first",
            ));
        }
        Ok(())
    }

    /// Turns hashes into Automerge's, refusing ones that the document does not hold.
    pub(super) fn known(&self, heads: &[[u8; 32]]) -> Result<Vec<ChangeHash>> {
        let hashes: Vec<ChangeHash> = heads.iter().copied().map(ChangeHash).collect();
        let missing = contain(|| ReadDoc::get_missing_deps(&self.am, &hashes))
            .map_err(|message| Error::internal(format!("the object's history: {message}")))?;
        match missing.first() {
            None => Ok(hashes),
            Some(hash) => Err(Error::not_found(format!(
                "the object has no version {hash}"
            ))),
        }
    }

    fn is_current(&self, hashes: &[ChangeHash]) -> bool {
        let mut now = self.am.base_heads();
        let mut hashes = hashes.to_vec();
        now.sort_unstable();
        hashes.sort_unstable();
        now == hashes
    }

    /// Runs `work`, turning a panic into an error and poisoning the document.
    pub(super) fn contained<T>(
        &mut self,
        work: impl FnOnce(&mut Document) -> Result<T>,
    ) -> Result<T> {
        if self.poisoned {
            return Err(Error::internal("the object must be loaded again"));
        }
        contain(|| work(self)).unwrap_or_else(|message| {
            self.poisoned = true;
            Err(Error::internal(format!(
                "the object's document failed: {message}"
            )))
        })
    }
}

/// Loads stored bytes, whose heads Automerge recomputes and compares.
fn load_snapshot(bytes: &[u8]) -> Result<AutoCommit> {
    let options = || LoadOptions::new().text_encoding(TextEncoding::UnicodeCodePoint);
    match contain(|| AutoCommit::load_with_options(bytes, options())) {
        Ok(Ok(am)) => Ok(am),
        Ok(Err(e)) => Err(Error::corrupt(format!("the object's snapshot: {e}"))),
        Err(panic) => Err(Error::corrupt(format!("the object's snapshot: {panic}"))),
    }
}

impl From<Quarantine> for Error {
    fn from(quarantine: Quarantine) -> Self {
        Error::protocol(quarantine.to_string())
    }
}
