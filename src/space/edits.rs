//! Writing what is not made of single operations: undone steps, earlier versions, branches. As a
//! transaction: one entry, all or nothing.

use super::checking::Rule;
use super::space_core::SpaceCore;
use super::store::{ObjectRow, Reads};
use super::write::{Outcome, Work, to_row};
use crate::model::{Error, ErrorKind, ObjectId, Result, Role};
use crate::objects::{Document, guard};

/// Facts that must change with an entry.
pub(super) type Facts = Vec<(&'static str, Vec<u8>)>;

/// What a transaction takes for granted: an object's version, none if it must not exist.
type Expected = (ObjectId, Vec<[u8; 32]>);

impl SpaceCore {
    /// Fails with `Conflict` unless every object is at exactly the version given.
    pub fn expect_versions(&self, expected: &[Expected]) -> Result<()> {
        for (object, heads) in expected {
            let now = self.store.object(object)?.map(|row| row.heads);
            let now = now.unwrap_or_default();
            let mut wanted = heads.clone();
            wanted.sort_unstable();
            wanted.dedup();
            if now == wanted {
                continue;
            }
            let detail = match (now.is_empty(), wanted.is_empty()) {
                (true, _) => format!("object {object} does not exist"),
                (_, true) => format!("object {object} exists already"),
                _ => format!("object {object} has changed: read it again and decide anew"),
            };
            return Err(Error::new(ErrorKind::Conflict, detail));
        }
        Ok(())
    }

    /// Stores what was done to documents; those that it left as they were have no part in the entry.
    pub(super) fn store_work(
        &mut self,
        mut work: Work,
        facts: Facts,
        now_ms: u64,
    ) -> Result<Outcome> {
        let versions = work
            .iter_mut()
            .map(|(object, document, _)| (*object, document.heads()))
            .collect();
        let (mut changed, same): (Work, Work) = work
            .into_iter()
            .partition(|(_, _, changes)| !changes.is_empty());
        let mut outcome = Outcome::default();
        if !changed.is_empty() {
            check_total(&changed)?;
            // What comes back was allowed when it was made: a schema does not bar the way to it.
            outcome = self.append_data_with(&mut changed, facts, Rule::Record, now_ms)?;
        }
        self.put_back(changed);
        self.put_back(same);
        outcome.versions = versions;
        Ok(outcome)
    }

    /// Makes an object as it was at a version, by a new change.
    pub fn restore_version(
        &mut self,
        object: ObjectId,
        heads: &[[u8; 32]],
        now_ms: u64,
    ) -> Result<Outcome> {
        self.require(Role::Editor, "writing")?;
        self.renew_if_copied()?;
        check_version(heads)?;
        let mut document = self.documents.take(&mut *self.store, object)?;
        document.set_clock(now_ms);
        document.go_back(heads)?;
        let changes = document.commit(now_ms, Some("restore"))?;
        self.store_work(vec![(object, document, changes)], Vec::new(), now_ms)
    }
}

/// An object as it was at a version. Whether an ancestor is deleted is told as of now.
pub fn object_at(
    store: &dyn Reads,
    document: &mut Document,
    object: ObjectId,
    heads: &[[u8; 32]],
) -> Result<ObjectRow> {
    check_version(heads)?;
    let now = store.object(&object)?;
    let (seen, (first, last)) = document.at(heads)?;
    let mut row = to_row(object, seen, None, last);
    row.created_ms = first;
    row.hidden = now.is_some_and(|now| now.hidden);
    Ok(row)
}

fn check_version(heads: &[[u8; 32]]) -> Result<()> {
    match heads.is_empty() {
        false => Ok(()),
        true => Err(Error::invalid("a version names at least one change")),
    }
}

/// Refuses changes that together are more than one entry may hold.
pub(super) fn check_total(work: &[(ObjectId, Document, Vec<Vec<u8>>)]) -> Result<()> {
    let mut total = guard::EntryTotal::default();
    for change in work.iter().flat_map(|(_, _, changes)| changes) {
        guard::scan(change)
            .and_then(|summary| total.add(&summary))
            .map_err(|q| Error::limit(format!("the transaction is too large: {q}")))?;
    }
    Ok(())
}
