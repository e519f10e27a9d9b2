//! Branches of objects. A branch is an object of its own, a copy of the original as it was, with
//! changes of its own: every change is made under its writer's name, so that nobody can bring
//! another's changes where that one did not make them (docs/adr/0004-branches-are-copies.md). What
//! was done to it since comes back as changes made at the version that was copied.

use super::space_core::SpaceCore;
use super::store::{Reads, SeenRow};
use super::write::Outcome;
use crate::model::{Branch, Error, ErrorKind, ObjectId, Operation, Result, Role};
use crate::query::{Query, compile};

/// A branch.
pub type BranchRow = (SeenRow<'static>, Branch);

impl SpaceCore {
    /// Makes `branch` a branch of `object` as it is now. Fails with `AlreadyExists` if it has one of
    /// that name.
    pub fn branch(
        &mut self,
        object: ObjectId,
        branch: ObjectId,
        name: String,
        now_ms: u64,
    ) -> Result<Outcome> {
        self.require(Role::Editor, "writing")?;
        self.renew_if_copied()?;
        let mut others = branches(self.reads(), object)?.into_iter();
        if others.any(|(_, other)| other.name == name) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("object {object} has a branch of this name already"),
            ));
        }
        let mut original = self.documents.take(&mut *self.store, object)?;
        let heads = original.heads();
        let mut copy = self.documents.fresh();
        copy.set_clock(now_ms);
        let copied = copy.copy_of(&mut original, &heads);
        self.documents.put(object, original);
        copied?;
        let mut changes = copy.commit(now_ms, None)?;
        let at = copy.heads();
        let facts = Branch {
            of: object,
            heads,
            name,
            at,
        };
        copy.apply(&Operation::SetBranch {
            object: branch,
            branch: facts,
        })?;
        changes.extend(copy.commit(now_ms, None)?);
        self.store_work(vec![(branch, copy, changes)], Vec::new(), now_ms)
    }

    /// Brings what was done to a branch into its original. The branch stays, and can be edited and
    /// merged again.
    pub fn merge_branch(&mut self, branch: ObjectId, now_ms: u64) -> Result<Outcome> {
        self.require(Role::Editor, "writing")?;
        self.renew_if_copied()?;
        let row = self.store.object(&branch)?;
        let row = row.ok_or_else(|| {
            Error::not_found(format!("there is no object {branch} in this space"))
        })?;
        let no_branch = || Error::invalid(format!("object {branch} is no branch"));
        let facts = row.system.branch.ok_or_else(no_branch)?;
        if facts.at.is_empty() || facts.heads.is_empty() || facts.of == branch {
            return Err(no_branch());
        }
        let object = facts.of;
        let mut copy = self.documents.take(&mut *self.store, branch)?;
        let mut original = self.documents.take(&mut *self.store, object)?;
        let to = copy.heads();
        let message = format!("merge: {}", facts.name);
        let (changes, version) = original.merge_from(
            &facts.heads,
            &mut copy,
            (&facts.at, &to),
            now_ms,
            Some(&message),
        )?;
        let mut branch_changes = Vec::new();
        if !changes.is_empty() {
            let merged = Branch {
                heads: version,
                at: to,
                ..facts
            };
            copy.apply(&Operation::SetBranch {
                object: branch,
                branch: merged,
            })?;
            branch_changes = copy.commit(now_ms, None)?;
        }
        let mut work = vec![(object, original, changes), (branch, copy, branch_changes)];
        work.sort_by_key(|(object, _, _)| *object);
        self.store_work(work, Vec::new(), now_ms)
    }
}

/// The branches of an object that are not deleted, in id order.
pub fn branches(store: &dyn Reads, object: ObjectId) -> Result<Vec<BranchRow>> {
    let query = Query::parse(r#"{"where": {"branch": true}, "order": [{"by": "id"}]}"#)?;
    let mut found = Vec::new();
    store.query(&compile(&query), &mut |row| {
        if let Some(branch) = row.system.branch.clone().filter(|b| b.of == object) {
            found.push((row.into_owned(), branch));
        }
    })?;
    Ok(found)
}
