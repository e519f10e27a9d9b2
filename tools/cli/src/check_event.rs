//! What `space check` and `space repair` report.

use echodb::{CheckFinding, CheckFindingKind, CheckReport, RepairReport};
use serde::{Deserialize, Serialize};

/// See [`crate::event::Event::Stored`].
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Stored {
    /// Something that is wrong.
    Finding(Finding),
    /// The end of a check.
    Checked(Checked),
    /// The end of a repair.
    Repaired(Repaired),
}

/// Something that is wrong with what is stored.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Finding {
    /// The space.
    pub space: String,
    /// `file`, `entry`, `object`, `index` or `blob`.
    pub kind: String,
    /// The id of what it is in, empty if there is none.
    pub subject: String,
    /// What is wrong.
    pub detail: String,
}

impl Finding {
    /// A finding of `space`.
    pub fn new(space: &str, found: CheckFinding) -> Self {
        let kind = match found.kind {
            CheckFindingKind::File => "file",
            CheckFindingKind::Entry => "entry",
            CheckFindingKind::Object => "object",
            CheckFindingKind::Index => "index",
            CheckFindingKind::Blob => "blob",
        };
        Finding {
            space: space.to_owned(),
            kind: kind.to_owned(),
            subject: found.subject,
            detail: found.detail,
        }
    }
}

/// The end of a check.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checked {
    /// The space.
    pub space: String,
    /// How many findings there are.
    pub findings: u64,
    /// Entries that were looked at.
    pub entries: u64,
    /// Objects, in a full check.
    pub objects: u64,
    /// Blobs, in a full check.
    pub blobs: u64,
}

impl Checked {
    /// The end of a check of `space`.
    pub fn new(space: &str, report: &CheckReport) -> Self {
        Checked {
            space: space.to_owned(),
            findings: report.findings.len() as u64 + report.more_findings,
            entries: report.entries,
            objects: report.objects,
            blobs: report.blobs,
        }
    }
}

/// The end of a repair.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Repaired {
    /// The space.
    pub repaired: String,
    /// Entries that were kept.
    pub entries: u64,
    /// Objects that were made again.
    pub objects: u64,
    /// Entries that were not sound.
    pub lost_entries: u64,
    /// Blocks of blobs that were damaged.
    pub damaged_blocks: u64,
    /// Blobs to be fetched again.
    pub incomplete_blobs: Vec<String>,
    /// Where the old file is kept.
    pub kept_file: Option<String>,
}

impl Repaired {
    /// The end of a repair of `space`.
    pub fn new(space: &str, report: RepairReport) -> Self {
        Repaired {
            repaired: space.to_owned(),
            entries: report.entries,
            objects: report.objects,
            lost_entries: report.lost_entries,
            damaged_blocks: report.damaged_blocks,
            incomplete_blobs: report.incomplete_blobs,
            kept_file: report.kept_file,
        }
    }
}
