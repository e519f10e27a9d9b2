//! A space's past: undo and redo, the log, earlier versions of objects, branches of objects.

use super::error::Result;
use super::{Committed, CommittedObject, ObjectRecord, Space, TextUnit};
use crate::model::{EntryId, ObjectId};
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// What undoing or redoing a step did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct Undone {
    /// What was written; without an entry if everything had to be skipped.
    pub committed: Committed,
    /// The message of the transaction that it was about, if it had one.
    pub label: Option<String>,
    /// What was left as it is, since somebody else has changed it.
    pub skipped: Vec<SkippedUndo>,
}

/// Something that undoing left as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SkippedUndo {
    /// The object.
    pub object: String,
    /// The place in it, a JSON Pointer (RFC 6901); empty for the object as a whole. Names that
    /// begin with `@` are its system part: its type, parent, tags and the like.
    pub path: String,
    /// Why, a sentence for people.
    pub reason: String,
}

/// One transaction in a space's log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct TransactionInfo {
    /// The entry that carries it.
    pub entry: String,
    /// The identity of its author.
    pub identity: String,
    /// The device that signed it.
    pub device: String,
    /// Milliseconds since 1970, by the author's clock: a claim, not a fact.
    pub time_ms: i64,
    /// The message given to it, if any.
    pub message: Option<String>,
    /// The objects that it changed, in id order.
    pub objects: Vec<String>,
    /// The same, each with the version that it made of it, for [`Space::get_at`], [`Space::diff`] and
    /// [`Space::restore_version`].
    pub versions: Vec<CommittedObject>,
    /// If its author, or the author's device, was removed, demoted or revoked without having known:
    /// the identity of a member who had built on it in good standing, which is why it counts. Of
    /// several such members devices may name different ones.
    pub endorsed_by: Option<String>,
}

/// A branch of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct BranchInfo {
    /// The branch's own id: it is read, edited and deleted like any object.
    pub id: String,
    /// The object it is a branch of.
    pub of: String,
    /// Its name.
    pub name: String,
    /// The original's version that it began with or was last merged into.
    pub heads: Vec<String>,
    /// When it was made, in milliseconds since 1970, by the clock of the device that did.
    pub created_ms: i64,
    /// When it was last changed, likewise.
    pub updated_ms: i64,
}

impl Space {
    /// Undoes the last step of this device that stands, by writing the reverse; `None` if there is
    /// none. A step is a transaction, or typing into one text with pauses of at most a second.
    /// Others' work is never undone: what somebody else has changed since is skipped and reported.
    /// The last 100 steps can be undone, also after a restart. Fails with `LimitExceeded` if the
    /// reverse does not fit one transaction; then the step is given up.
    pub fn undo(&self) -> Result<Option<Undone>> {
        Ok(self.handle().undo()?)
    }

    /// Undoes the last [`Space::undo`], likewise; `None` if there is none, or if this device has
    /// written anything since.
    pub fn redo(&self) -> Result<Option<Undone>> {
        Ok(self.handle().redo()?)
    }

    /// The space's transactions, the last first in the order in which they came to this device: at
    /// most `limit` (up to 1,000) of those before the entry `before`, or of all. Ones that were set
    /// aside, or wait for a key, are left out. Fails with `NotFound` for an unknown entry.
    pub fn log(&self, limit: u32, before: Option<String>) -> Result<Vec<TransactionInfo>> {
        let before = before.as_deref().map(EntryId::parse).transpose()?;
        Ok(self.handle().log_entries(limit as usize, before)?)
    }

    /// An object as it was at the version `heads`. Whether an ancestor is deleted is told as of now.
    /// Fails with `NotFound`, naming the version, if any part of it is not here.
    pub fn get_at(&self, id: String, heads: Vec<String>) -> Result<ObjectRecord> {
        let heads = parse_heads(&heads)?;
        Ok(self.handle().get_at(ObjectId::parse(&id)?, &heads)?)
    }

    /// What leads from one version of an object to another, as a JSON array of changes that build on
    /// each other; `docs/guide/history.md` has their forms. `from` may be empty: before the object
    /// was made. Text positions are counted in `unit`. Fails with `NotFound`, naming the version,
    /// if any part of one is not here.
    pub fn diff(
        &self,
        id: String,
        from: Vec<String>,
        to: Vec<String>,
        unit: TextUnit,
    ) -> Result<String> {
        let (from, to) = (parse_heads(&from)?, parse_heads(&to)?);
        Ok(self
            .handle()
            .diff(ObjectId::parse(&id)?, &from, &to, unit.into())?)
    }

    /// Makes an object as it was at a version, deleted or not, by a new change: only what differs is
    /// written, so that it merges with what others do meanwhile. Fails with `NotFound`, naming the
    /// version, if any part of it is not here.
    pub fn restore_version(&self, id: String, heads: Vec<String>) -> Result<Committed> {
        let heads = parse_heads(&heads)?;
        Ok(self
            .handle()
            .restore_version(ObjectId::parse(&id)?, &heads)?)
    }

    /// Makes a branch of an object, named by 1 to 256 characters, and returns its id. It is an
    /// object of its own, which ordinary queries leave out; edits to it do not touch the original
    /// until [`Space::merge_branch`]. Fails with `AlreadyExists` if there is one of that name.
    pub fn branch(&self, id: String, name: String) -> Result<String> {
        super::space::check_name("a branch", &name)?;
        Ok(self.handle().branch(ObjectId::parse(&id)?, name)?)
    }

    /// The branches of an object, those that were deleted left out, in id order.
    pub fn branches(&self, id: String) -> Result<Vec<BranchInfo>> {
        Ok(self.handle().branches(ObjectId::parse(&id)?)?)
    }

    /// Brings what was done to a branch since it was made, or last merged, into the original: as one
    /// transaction, made at the version that it branched from, so that it merges with what was done
    /// there since. The branch stays. Two devices that merge one branch without knowing of each
    /// other bring its insertions in twice. Fails with `InvalidArgument` if it is no branch.
    pub fn merge_branch(&self, branch: String) -> Result<Committed> {
        Ok(self.handle().merge_branch(ObjectId::parse(&branch)?)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Undoes the last step of this device that stands, by writing the reverse; `None` if there is
    /// none. A step is a transaction, or typing into one text with pauses of at most a second.
    /// Others' work is never undone: what somebody else has changed since is skipped and reported.
    /// The last 100 steps can be undone, also after a restart. Fails with `LimitExceeded` if the
    /// reverse does not fit one transaction; then the step is given up.
    #[uniffi::method(name = "undo")]
    pub async fn undo_async(self: Arc<Self>) -> Result<Option<Undone>> {
        super::run(move || self.undo()).await
    }

    /// Undoes the last `undo`, likewise; `None` if there is none, or if this device has
    /// written anything since.
    #[uniffi::method(name = "redo")]
    pub async fn redo_async(self: Arc<Self>) -> Result<Option<Undone>> {
        super::run(move || self.redo()).await
    }

    /// The space's transactions, the last first in the order in which they came to this device: at
    /// most `limit` (up to 1,000) of those before the entry `before`, or of all. Ones that were set
    /// aside, or wait for a key, are left out. Fails with `NotFound` for an unknown entry.
    #[uniffi::method(name = "log")]
    pub async fn log_async(
        self: Arc<Self>,
        limit: u32,
        before: Option<String>,
    ) -> Result<Vec<TransactionInfo>> {
        super::run(move || self.log(limit, before)).await
    }

    /// An object as it was at the version `heads`. Whether an ancestor is deleted is told as of now.
    /// Fails with `NotFound`, naming the version, if any part of it is not here.
    #[uniffi::method(name = "get_at")]
    pub async fn get_at_async(
        self: Arc<Self>,
        id: String,
        heads: Vec<String>,
    ) -> Result<ObjectRecord> {
        super::run(move || self.get_at(id, heads)).await
    }

    /// What leads from one version of an object to another, as a JSON array of changes that build on
    /// each other; `docs/guide/history.md` has their forms. `from` may be empty: before the object
    /// was made. Text positions are counted in `unit`. Fails with `NotFound`, naming the version,
    /// if any part of one is not here.
    #[uniffi::method(name = "diff")]
    pub async fn diff_async(
        self: Arc<Self>,
        id: String,
        from: Vec<String>,
        to: Vec<String>,
        unit: TextUnit,
    ) -> Result<String> {
        super::run(move || self.diff(id, from, to, unit)).await
    }

    /// Makes an object as it was at a version, deleted or not, by a new change: only what differs is
    /// written, so that it merges with what others do meanwhile. Fails with `NotFound`, naming the
    /// version, if any part of it is not here.
    #[uniffi::method(name = "restore_version")]
    pub async fn restore_version_async(
        self: Arc<Self>,
        id: String,
        heads: Vec<String>,
    ) -> Result<Committed> {
        super::run(move || self.restore_version(id, heads)).await
    }

    /// Makes a branch of an object, named by 1 to 256 characters, and returns its id. It is an
    /// object of its own, which ordinary queries leave out; edits to it do not touch the original
    /// until `merge_branch`. Fails with `AlreadyExists` if there is one of that name.
    #[uniffi::method(name = "branch")]
    pub async fn branch_async(self: Arc<Self>, id: String, name: String) -> Result<String> {
        super::run(move || self.branch(id, name)).await
    }

    /// The branches of an object, those that were deleted left out, in id order.
    #[uniffi::method(name = "branches")]
    pub async fn branches_async(self: Arc<Self>, id: String) -> Result<Vec<BranchInfo>> {
        super::run(move || self.branches(id)).await
    }

    /// Brings what was done to a branch since it was made, or last merged, into the original: as one
    /// transaction, made at the version that it branched from, so that it merges with what was done
    /// there since. The branch stays. Two devices that merge one branch without knowing of each
    /// other bring its insertions in twice. Fails with `InvalidArgument` if it is no branch.
    #[uniffi::method(name = "merge_branch")]
    pub async fn merge_branch_async(self: Arc<Self>, branch: String) -> Result<Committed> {
        super::run(move || self.merge_branch(branch)).await
    }
}

/// Reads a version.
pub(super) fn parse_heads(heads: &[String]) -> crate::model::Result<Vec<[u8; 32]>> {
    let heads = heads.iter().map(|head| super::space::parse_head(head));
    heads.collect()
}
