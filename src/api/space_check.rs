//! Checking what is stored of a space, and making it again (docs/guide/store.md).

use super::Space;
use super::error::Result;
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// What a finding is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum CheckFindingKind {
    /// The structure of the space's file.
    File = 1,
    /// An entry or a feed, from which everything else is made: it comes again from peers.
    Entry = 2,
    /// An object's document or row.
    Object = 3,
    /// What objects are found by: references, tags, keys, words.
    Index = 4,
    /// A blob: what is damaged of it comes again from peers.
    Blob = 5,
}

/// Something that is not as this library would have written it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct CheckFinding {
    /// What it is in.
    pub kind: CheckFindingKind,
    /// The id of the entry, feed, object or blob; empty where there is none.
    pub subject: String,
    /// What is wrong, a sentence for people.
    pub detail: String,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct CheckReport {
    /// What is wrong, the first thousand; nothing if all is sound.
    pub findings: Vec<CheckFinding>,
    /// How many findings there are beyond those.
    pub more_findings: u64,
    /// Entries that were looked at.
    pub entries: u64,
    /// Objects that were looked at, those included that hold schemas and properties; none in a quick
    /// check.
    pub objects: u64,
    /// Blobs that were looked at; none in a quick check.
    pub blobs: u64,
}

/// An entry that a repair could not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct LostEntry {
    /// Its id; empty if not even that could be read.
    pub entry: String,
    /// Why.
    pub reason: String,
}

/// What a repair did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct RepairReport {
    /// Entries that were kept.
    pub entries: u64,
    /// Objects that were made again, those included that hold schemas and properties.
    pub objects: u64,
    /// Entries that were not sound, or stand after one that was not. Those that a peer holds come
    /// again; of the others, what `kept_file` holds is all there is.
    pub lost_entries: u64,
    /// Those entries, the first thousand.
    pub lost: Vec<LostEntry>,
    /// Blocks of blobs that were damaged.
    pub damaged_blocks: u64,
    /// The blobs that are not whole because of that: fetch them again.
    pub incomplete_blobs: Vec<String>,
    /// Where the file is kept that was there before, if anything of it was lost.
    pub kept_file: Option<String>,
}

impl Space {
    /// Checks what is stored of the space, and changes nothing. A quick check looks at the structure of
    /// the file and at every entry: its form, its signature, what it follows. A full check also looks
    /// at indexes, at every object's document, row and what it is found by, and at every block of
    /// blobs. Damage is a finding, not an error. Others may use the space meanwhile; a full check
    /// takes as long as reading everything, about a second for 10,000 objects.
    pub fn check(&self, full: bool) -> Result<CheckReport> {
        Ok(self.handle().check(full)?)
    }

    /// Makes the space's file again from its entries: documents, rows, indexes. What is not sound is
    /// left out and comes again from peers that hold it. Entries are the truth, so that nothing is lost
    /// but what is damaged; if anything is, the old file is kept. Also mends a space that cannot be
    /// opened. The space cannot be written to meanwhile; steps to be undone are forgotten, and
    /// fetches of blobs end. After a crash the file is either the old one or the new.
    ///
    /// Fails with `Corrupt` if too little can be read: import an archive, or join again.
    pub fn repair(&self) -> Result<RepairReport> {
        Ok(self.handle().repair()?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Checks what is stored of the space, and changes nothing. A quick check looks at the structure of
    /// the file and at every entry: its form, its signature, what it follows. A full check also looks
    /// at indexes, at every object's document, row and what it is found by, and at every block of
    /// blobs. Damage is a finding, not an error. Others may use the space meanwhile; a full check
    /// takes as long as reading everything, about a second for 10,000 objects.
    #[uniffi::method(name = "check")]
    pub async fn check_async(self: Arc<Self>, full: bool) -> Result<CheckReport> {
        super::run(move || self.check(full)).await
    }

    /// Makes the space's file again from its entries: documents, rows, indexes. What is not sound is
    /// left out and comes again from peers that hold it. Entries are the truth, so that nothing is lost
    /// but what is damaged; if anything is, the old file is kept. Also mends a space that cannot be
    /// opened. The space cannot be written to meanwhile; steps to be undone are forgotten, and
    /// fetches of blobs end. After a crash the file is either the old one or the new.
    #[uniffi::method(name = "repair")]
    pub async fn repair_async(self: Arc<Self>) -> Result<RepairReport> {
        super::run(move || self.repair()).await
    }
}
