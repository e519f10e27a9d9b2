//! What import and export report beside lines and counts.

use echodb::ArchiveInfo;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// See [`crate::event::Event::Archive`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Archive {
    /// The space.
    pub space: String,
    /// The format's version.
    pub version: u32,
    /// Feeds.
    pub feeds: u64,
    /// Entries of all feeds.
    pub entries: u64,
    /// Entries about members and keys among them.
    pub control_entries: u64,
    /// Blobs.
    pub blobs: u64,
    /// The file's size.
    pub bytes: u64,
    /// Its checksum.
    pub digest: String,
    /// The file.
    pub file: String,
}

impl Archive {
    /// What is in a file.
    pub fn new(info: ArchiveInfo, file: &Path) -> Self {
        Archive {
            space: info.space,
            version: info.version,
            feeds: info.feeds,
            entries: info.entries,
            control_entries: info.control_entries,
            blobs: info.blobs,
            bytes: info.bytes,
            digest: info.digest,
            file: file.to_string_lossy().into_owned(),
        }
    }
}

/// See [`crate::event::Event::Skipped`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Skipped {
    /// The line that the row begins on.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// See [`crate::event::Event::Report`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// The space.
    pub space: String,
    /// Rows read.
    pub rows: u64,
    /// Objects made.
    pub created: u64,
    /// Rows that changed objects.
    pub updated: u64,
    /// Rows that changed nothing.
    pub unchanged: u64,
    /// Rows left out.
    pub skipped: u64,
}

/// See [`crate::event::Event::ObjectFile`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObjectFile {
    /// The space.
    pub space: String,
    /// The object.
    pub id: String,
    /// The file.
    pub file: String,
    /// Its size.
    pub bytes: u64,
}
