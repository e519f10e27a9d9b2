//! What the facade's `Space` calls about its past: undo, the log, earlier versions, branches.

use super::clock;
use super::space_handle::{SpaceHandle, committed, record, version};
use crate::api::{BranchInfo, Committed, ObjectRecord, SkippedUndo, TransactionInfo, Undone};
use crate::model::{EntryId, ObjectId, Result, TextUnit, signed};
use crate::space::{self, BranchRow, Outcome, SpaceCore, branches, object_at};
use data_encoding::HEXLOWER;
use serde_json::Value as Json;

type Back = Result<Option<(Outcome, space::Undone)>>;

impl SpaceHandle {
    /// Undoes a step.
    pub fn undo(&self) -> Result<Option<Undone>> {
        self.step_back(SpaceCore::undo)
    }

    /// Redoes a step.
    pub fn redo(&self) -> Result<Option<Undone>> {
        self.step_back(SpaceCore::redo)
    }

    fn step_back(&self, step: impl FnOnce(&mut SpaceCore, u64) -> Back) -> Result<Option<Undone>> {
        self.node().check_open()?;
        let done = self.host().write_with(|core| step(core, clock::now_ms()))?;
        Ok(done.map(|(outcome, undone)| {
            let skipped = undone.left.into_iter();
            Undone {
                committed: committed(outcome),
                label: undone.label,
                skipped: skipped
                    .map(|(object, left)| SkippedUndo {
                        object: object.to_string(),
                        path: left.path,
                        reason: left.reason.to_owned(),
                    })
                    .collect(),
            }
        }))
    }

    /// The transactions, the last first.
    pub fn log_entries(
        &self,
        limit: usize,
        before: Option<EntryId>,
    ) -> Result<Vec<TransactionInfo>> {
        let logged = self.host().with_settled(|core| core.log(limit, before))?;
        Ok(logged
            .into_iter()
            .map(|logged| TransactionInfo {
                entry: logged.entry.to_string(),
                identity: logged.identity.to_string(),
                device: logged.device.to_string(),
                time_ms: signed(logged.clock_ms),
                message: logged.message,
                objects: logged
                    .objects
                    .iter()
                    .map(|(id, _)| id.to_string())
                    .collect(),
                versions: logged
                    .objects
                    .iter()
                    .map(|(id, hash)| version(id, &[*hash]))
                    .collect(),
                endorsed_by: logged.endorsed_by.map(|identity| identity.to_string()),
            })
            .collect())
    }

    /// An object at a version.
    pub fn get_at(&self, id: ObjectId, heads: &[[u8; 32]]) -> Result<ObjectRecord> {
        let row = self
            .host()
            .read_settled_object(id, |store, document| object_at(store, document, id, heads))?;
        Ok(record(row.seen()))
    }

    /// What differs between two versions.
    pub fn diff(
        &self,
        id: ObjectId,
        from: &[[u8; 32]],
        to: &[[u8; 32]],
        unit: TextUnit,
    ) -> Result<String> {
        let changes = self
            .host()
            .read_settled_object(id, |_, document| document.diff(from, to, unit))?;
        Ok(Json::Array(changes).to_string())
    }

    /// Brings a version back.
    pub fn restore_version(&self, id: ObjectId, heads: &[[u8; 32]]) -> Result<Committed> {
        self.node().check_open()?;
        let outcome = self
            .host()
            .write(|core| core.restore_version(id, heads, clock::now_ms()))?;
        Ok(committed(outcome))
    }

    /// Makes a branch.
    pub fn branch(&self, id: ObjectId, name: String) -> Result<String> {
        self.node().check_open()?;
        let branch = self.new_object_id();
        self.host()
            .write(|core| core.branch(id, branch, name, clock::now_ms()))?;
        Ok(branch.to_string())
    }

    /// The branches of an object.
    pub fn branches(&self, id: ObjectId) -> Result<Vec<BranchInfo>> {
        let rows = self.host().read(|store| branches(store, id))?;
        Ok(rows.into_iter().map(branch_info).collect())
    }

    /// Merges a branch.
    pub fn merge_branch(&self, branch: ObjectId) -> Result<Committed> {
        self.node().check_open()?;
        let outcome = self
            .host()
            .write(|core| core.merge_branch(branch, clock::now_ms()))?;
        Ok(committed(outcome))
    }
}

fn branch_info((row, branch): BranchRow) -> BranchInfo {
    BranchInfo {
        id: row.id.to_string(),
        of: branch.of.to_string(),
        name: branch.name,
        heads: branch.heads.iter().map(|h| HEXLOWER.encode(h)).collect(),
        created_ms: row.created_ms,
        updated_ms: row.updated_ms,
    }
}
