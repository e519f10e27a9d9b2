//! Local transactions.

use super::checking::{Rule, check_reserved};
use super::control::new_feed;
use super::edits::{Facts, check_total};
use super::ingest::to_writes;
use super::space_core::{SpaceCore, meta};
use super::store::{Commit, EntryStatus, NewEntry, ObjectRow, ObjectWrite};
use crate::feed::{ContentKey, DataBody, Entry};
use crate::model::{
    EntryId, Error, ErrorKind, ObjectId, Operation, Result, Role, json, limits, signed,
};
use crate::objects::{Document, Projection};
use std::collections::BTreeMap;
use std::sync::Arc;

/// An object's row before and after.
#[derive(Clone, Debug)]
pub struct RowChange {
    /// Before, `None` for a new object.
    pub old: Option<Arc<ObjectRow>>,
    /// After.
    pub new: Arc<ObjectRow>,
}

/// What a commit led to.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// The entry.
    pub entry: Option<EntryId>,
    /// The rows it changed, in id order.
    pub rows: Vec<RowChange>,
    /// For each touched object the version that this transaction made: its heads after it, or,
    /// for a transaction at an older version, the change's own hash.
    pub versions: Vec<(ObjectId, Vec<[u8; 32]>)>,
}

/// Documents being worked on, with the changes to be stored.
pub(super) type Work = Vec<(ObjectId, Document, Vec<Vec<u8>>)>;

impl SpaceCore {
    /// Applies `operations` together: stored when this returns, or nothing happened. With `heads`
    /// they are made at that version and merged. Fails with `SchemaViolation` if an object would
    /// break the schema of its type. Where there are several, an error of one says which it is,
    /// counted from 1.
    pub fn transact(
        &mut self,
        operations: &[Operation],
        heads: Option<&[[u8; 32]]>,
        message: Option<&str>,
        now_ms: u64,
    ) -> Result<Outcome> {
        check_reserved(self, operations)?;
        self.transact_any(operations, heads, message, now_ms)
    }

    /// As [`SpaceCore::transact`], also on what is not for programs.
    pub(super) fn transact_any(
        &mut self,
        operations: &[Operation],
        heads: Option<&[[u8; 32]]>,
        message: Option<&str>,
        now_ms: u64,
    ) -> Result<Outcome> {
        self.require(Role::Editor, "writing")?;
        self.renew_if_copied()?;
        let steps = operations.len();
        let groups = by_object(operations);
        if groups.len() > limits::OBJECTS_PER_TRANSACTION {
            return Err(Error::limit(format!(
                "a transaction may touch {} objects, not {}",
                limits::OBJECTS_PER_TRANSACTION,
                groups.len()
            )));
        }
        if heads.is_some() && groups.len() != 1 {
            return Err(Error::invalid(
                "a transaction at an older version touches exactly one object",
            ));
        }
        let mut versions = Vec::with_capacity(groups.len());
        let mut work: Work = Vec::with_capacity(groups.len());
        for (object, (indexes, operations)) in groups {
            let mut document = self
                .checkout(object, &operations)
                .map_err(|e| e.in_step(indexes[0], steps))?;
            document.set_clock(now_ms);
            let (changes, version) = match heads {
                None => {
                    let versioning = self.versioning(&operations, &mut document)?;
                    for (index, operation) in indexes.into_iter().zip(operations) {
                        document
                            .apply(operation)
                            .map_err(|e| e.in_step(index, steps))?;
                    }
                    if let Some(operation) = &versioning {
                        document.apply(operation)?;
                    }
                    let changes = document.commit(now_ms, message)?;
                    (changes, document.heads())
                }
                Some(heads) => document.transact_at(heads, &operations, now_ms, message)?,
            };
            versions.push((object, version));
            work.push((object, document, changes));
        }
        // Up to here only copies taken out of the cache were changed; dropping them undoes it all.
        // An object that the operations left as it was has no part in the entry: others would not
        // hear of it, and its row here would differ from theirs.
        let (mut changed, same): (Work, Work) = work
            .into_iter()
            .partition(|(_, _, changes)| !changes.is_empty());
        let mut outcome = Outcome::default();
        if !changed.is_empty() {
            // Each document has seen to its own changes; peers count those of the entry.
            if changed.len() > 1 {
                check_total(&changed)?;
            }
            outcome = self.append_data(&mut changed, Rule::Enforce, now_ms)?;
        }
        self.put_back(changed);
        self.put_back(same);
        outcome.versions = versions;
        Ok(outcome)
    }

    fn checkout(&mut self, object: ObjectId, operations: &[&Operation]) -> Result<Document> {
        if matches!(operations.first(), Some(Operation::Upsert { .. })) {
            let found = self.documents.take_if_any(&mut *self.store, object)?;
            return Ok(found.unwrap_or_else(|| self.documents.fresh()));
        }
        let creates = matches!(operations.first(), Some(Operation::Create { .. }));
        if !creates {
            return self.documents.take(&mut *self.store, object);
        }
        if self.store.object(&object)?.is_some() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("object {object} exists already"),
            ));
        }
        Ok(self.documents.fresh())
    }

    /// Seals the changes of `work` into one entry and stores it with the new rows.
    pub(super) fn append_data(
        &mut self,
        work: &mut Work,
        rule: Rule,
        now_ms: u64,
    ) -> Result<Outcome> {
        self.append_data_with(work, Facts::new(), rule, now_ms)
    }

    /// As [`SpaceCore::append_data`], with facts that change with the entry.
    pub(super) fn append_data_with(
        &mut self,
        work: &mut Work,
        more: Facts,
        rule: Rule,
        now_ms: u64,
    ) -> Result<Outcome> {
        let clock = signed(now_ms);
        self.gather_data_heads(now_ms)?;
        let rows = self.project(work, clock)?;
        let verdicts = self.judge(&rows, rule)?;
        let entry = self.seal_data(work, now_ms)?;
        let writes = to_writes(&rows, work, &verdicts);
        self.commit_data(&entry, &writes, more)?;
        self.schemas.note(&rows);
        Ok(Outcome {
            entry: Some(entry.id),
            rows,
            versions: Vec::new(),
        })
    }

    /// Brings the data heads together, by entries that change nothing, until one entry can name them
    /// all: what it does not name it does not vouch for (docs/adr/0007).
    pub(super) fn gather_data_heads(&mut self, now_ms: u64) -> Result<()> {
        while self.heads.beside(&self.own_data.tip) > limits::ENTRY_DEPS {
            let entry = self.seal_data(&Work::new(), now_ms)?;
            self.commit_data(&entry, &[], Facts::new())?;
        }
        Ok(())
    }

    /// Stores an own entry with what it changes.
    fn commit_data(
        &mut self,
        entry: &Entry,
        objects: &[ObjectWrite<'_>],
        more: Facts,
    ) -> Result<()> {
        let mut heads = self.heads.clone();
        let header = &entry.header;
        heads.advance(
            entry.id,
            header.feed,
            header.seq,
            &header.prev,
            &header.deps,
        );
        let mut facts = vec![(meta::DATA_HEADS, heads.encode())];
        if !header.ctl.is_empty() {
            facts.push((meta::NAMED_CTL, concat_ids(&header.ctl)));
        }
        facts.extend(self.branch_facts(entry));
        facts.extend(more);
        let own = self.own_data.id;
        self.store.commit(&Commit {
            feed: new_feed(&self.feeds, &own),
            entry: NewEntry {
                id: entry.id,
                feed: own,
                seq: header.seq,
                bytes: entry.bytes(),
            },
            status: EntryStatus::Applied,
            reason: None,
            actors: &[],
            objects,
            meta: &facts,
        })?;
        self.heads = heads;
        if !entry.header.ctl.is_empty() {
            self.named_ctl = entry.header.ctl.clone();
        }
        self.own_data.advance(entry);
        self.note_stored(entry);
        Ok(())
    }

    fn seal_data(&mut self, work: &Work, now_ms: u64) -> Result<Entry> {
        let body = DataBody {
            clock_ms: now_ms,
            changes: work
                .iter()
                .flat_map(|(object, _, changes)| changes.iter().map(|c| (*object, c.clone())))
                .collect(),
        }
        .encode();
        if body.len() + 4096 > limits::DATA_ENTRY_BYTES {
            return Err(Error::limit(format!(
                "a transaction may hold about {} bytes of changes, not {}; split it, or store large values apart",
                limits::DATA_ENTRY_BYTES,
                body.len()
            )));
        }
        let key = self.writing_key(now_ms)?;
        let mut salt = [0; 16];
        (self.random)(&mut salt);
        self.gather_heads()?;
        if self.authority.heads().len() > limits::ENTRY_CTL {
            // One more than a control entry names, which has its own feed's tip in its past anyway.
            self.gather_all_heads()?;
        }
        // Control heads are named only when they changed (research: auth.md 3(a)).
        let mut ctl = self.authority.heads();
        ctl.truncate(limits::ENTRY_CTL);
        if ctl == self.named_ctl {
            ctl.clear();
        }
        let deps = self
            .heads
            .dependencies(&self.own_data.tip, limits::ENTRY_DEPS);
        let signer = self.keyring.device_signer();
        let draft = self.own_data.draft(ctl, deps, salt, &body);
        let entry = Entry::seal(draft, Some(&key), self.id, signer)?;
        self.remember_own_feed(self.own_data.clone());
        Ok(entry)
    }

    /// The content key to write under. A key that somebody holds who may not read any more, or
    /// that we cannot open, is not used: a new one is made first (research: auth.md 3(e)).
    fn writing_key(&mut self, now_ms: u64) -> Result<ContentKey> {
        if let Some(key) = self.usable_key() {
            if !self.is_key_old(&key.id(), now_ms)? || self.rotate_key().is_err() {
                return Ok(key);
            }
        } else {
            self.rotate_key()?;
        }
        self.usable_key()
            .ok_or_else(|| Error::state("no content key can be used for writing"))
    }

    fn usable_key(&self) -> Option<ContentKey> {
        let id = self.authority.writing_key()?;
        self.held_keys().get(&id).cloned()
    }

    /// The rows that `work` leads to, beside the ones they replace: first those of `work`, in its
    /// order, then those of objects that come in or out of sight with them.
    pub(super) fn project(&mut self, work: &mut Work, clock: i64) -> Result<Vec<RowChange>> {
        let mut rows = Vec::with_capacity(work.len());
        for (object, document, _) in work.iter_mut() {
            let old = self.store.object(object)?;
            let new = to_row(*object, document.project(), old.as_ref(), clock);
            rows.push(RowChange {
                old: old.map(Arc::new),
                new: Arc::new(new),
            });
        }
        self.settle_trees(&mut rows)?;
        Ok(rows)
    }
}

/// The operations on each object, with their places among all.
fn by_object(operations: &[Operation]) -> BTreeMap<ObjectId, (Vec<usize>, Vec<&Operation>)> {
    let mut groups: BTreeMap<ObjectId, (Vec<usize>, Vec<&Operation>)> = BTreeMap::new();
    for (index, operation) in operations.iter().enumerate() {
        let (indexes, operations) = groups.entry(operation.object()).or_default();
        indexes.push(index);
        operations.push(operation);
    }
    groups
}

/// The row of an object from its document.
pub(super) fn to_row(
    id: ObjectId,
    seen: Projection,
    old: Option<&ObjectRow>,
    clock: i64,
) -> ObjectRow {
    let data = json::fields_to_json(&seen.fields).to_string();
    let plain = serde_json::Value::Object(
        seen.fields
            .iter()
            .map(|(name, value)| (name.clone(), json::to_plain(value)))
            .collect(),
    )
    .to_string();
    ObjectRow {
        id,
        type_name: seen.type_name,
        parent: seen.parent,
        deleted: seen.deleted,
        hidden: old.is_some_and(|old| old.hidden),
        system: seen.system,
        created_ms: old.map_or(clock, |old| old.created_ms.min(clock)),
        updated_ms: old.map_or(clock, |old| old.updated_ms.max(clock)),
        heads: seen.heads,
        plain: (plain != data).then_some(plain),
        data,
    }
}

pub(super) fn concat_ids(ids: &[EntryId]) -> Vec<u8> {
    ids.iter().flat_map(|id| id.0).collect()
}
