//! What commands report about the past. The names of the members are the keys of `--json`.

use echodb::{BranchInfo, ChangeInfo, TransactionInfo};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A transaction, from `log`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Transaction {
    /// The entry that carries it.
    pub entry: String,
    /// When, in milliseconds since 1970, by its author's clock.
    pub time_ms: i64,
    /// Its author's identity.
    pub identity: String,
    /// Its author's name in the space, empty if it is no member any more.
    pub name: String,
    /// The device that signed it.
    pub device: String,
    /// Its message.
    pub message: Option<String>,
    /// The objects that it changed.
    pub objects: Vec<String>,
    /// The version that it made of each, in the same order.
    pub versions: Vec<Vec<String>>,
}

impl Transaction {
    /// With the author's name.
    pub fn new(info: TransactionInfo, name: String) -> Self {
        Transaction {
            entry: info.entry,
            time_ms: info.time_ms,
            identity: info.identity,
            name,
            device: info.device,
            message: info.message,
            objects: info.objects,
            versions: info.versions.into_iter().map(|o| o.heads).collect(),
        }
    }
}

/// A change in an object's history, from `history`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Version {
    /// The version that it led to.
    pub hash: String,
    /// The versions it was made on.
    pub parents: Vec<String>,
    /// When, in milliseconds since 1970, by its author's clock.
    pub time_ms: i64,
    /// Its author's identity.
    pub identity: String,
    /// Its author's name in the space, empty if it is no member any more.
    pub name: String,
    /// The device that made it.
    pub device: String,
    /// Its message.
    pub message: Option<String>,
}

impl Version {
    /// With the author's name.
    pub fn new(info: ChangeInfo, name: String) -> Self {
        Version {
            hash: info.hash,
            parents: info.parents,
            time_ms: info.time_ms,
            identity: info.identity,
            name,
            device: info.device,
            message: info.message,
        }
    }
}

/// What `undo` or `redo` did.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Undone {
    /// Whether there was anything to undo or redo.
    pub done: bool,
    /// The entry that was written, if any.
    pub entry: Option<String>,
    /// The message of the transaction that it was about.
    pub label: Option<String>,
    /// The objects that it changed.
    pub objects: Vec<String>,
    /// What was left as it is.
    pub skipped: Vec<Skipped>,
}

/// Something that undoing left as it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Skipped {
    /// The object.
    pub object: String,
    /// The place in it.
    pub path: String,
    /// Why.
    pub reason: String,
}

impl From<Option<echodb::Undone>> for Undone {
    fn from(undone: Option<echodb::Undone>) -> Self {
        let done = undone.is_some();
        let Some(undone) = undone else {
            return Undone {
                done,
                entry: None,
                label: None,
                objects: Vec::new(),
                skipped: Vec::new(),
            };
        };
        let skipped = undone.skipped.into_iter();
        Undone {
            done,
            entry: undone.committed.entry,
            label: undone.label,
            objects: undone.committed.objects.into_iter().map(|o| o.id).collect(),
            skipped: skipped
                .map(|skipped| Skipped {
                    object: skipped.object,
                    path: skipped.path,
                    reason: skipped.reason,
                })
                .collect(),
        }
    }
}

/// One difference, from `diff`: as `docs/guide/history.md` has it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Difference(pub Value);

/// A branch, from `branch ls`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Branch {
    /// Its id.
    pub id: String,
    /// The object it is a branch of.
    pub of: String,
    /// Its name.
    pub name: String,
    /// The original's version that it began with or was last merged into.
    pub heads: Vec<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: i64,
    /// When it was last changed, likewise.
    pub updated_ms: i64,
}

impl From<BranchInfo> for Branch {
    fn from(info: BranchInfo) -> Self {
        Branch {
            id: info.id,
            of: info.of,
            name: info.name,
            heads: info.heads,
            created_ms: info.created_ms,
            updated_ms: info.updated_ms,
        }
    }
}
