//! Why a remote change was set aside.

use std::fmt;

/// The reason, as a stable name that programs, logs and stored records may compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum QuarantineCode {
    /// The bytes are not an Automerge chunk, or end too early.
    Malformed,
    /// The chunk's checksum does not match its contents.
    Checksum,
    /// A whole document, a compressed change or a bundle where a plain change is expected.
    ChunkType,
    /// Bytes follow the chunk, or the change's own columns.
    TrailingBytes,
    /// A column decodes to more rows than [`crate::model::limits::CHANGE_ROWS`].
    ChangeRows,
    /// The changes of one entry hold more than [`crate::model::limits::ENTRY_ROWS`] rows.
    EntryRows,
    /// The changes of one entry mark texts more often than [`crate::model::limits::ENTRY_MARKS`].
    EntryMarks,
    /// An entry changes an object under more than [`crate::model::limits::ENTRY_ACTORS`] names.
    EntryActors,
    /// A change that this one builds on is absent.
    MissingDependency,
    /// The actor has another change with the same sequence number, or a number was skipped.
    Sequence,
    /// Automerge's decoder refused the change.
    Undecodable,
    /// Automerge refused to apply the change, or did not keep it.
    Unapplicable,
    /// Applied, the change does not read back as the bytes that were received.
    NotCanonical,
    /// Automerge panicked on the change; the panic was contained.
    Panic,
    /// The document had failed before and must be reloaded first.
    Poisoned,
}

impl QuarantineCode {
    /// The stable name.
    pub fn as_str(self) -> &'static str {
        match self {
            QuarantineCode::Malformed => "malformed",
            QuarantineCode::Checksum => "checksum",
            QuarantineCode::ChunkType => "chunk_type",
            QuarantineCode::TrailingBytes => "trailing_bytes",
            QuarantineCode::ChangeRows => "change_rows",
            QuarantineCode::EntryRows => "entry_rows",
            QuarantineCode::EntryMarks => "entry_marks",
            QuarantineCode::EntryActors => "entry_actors",
            QuarantineCode::MissingDependency => "missing_dependency",
            QuarantineCode::Sequence => "sequence",
            QuarantineCode::Undecodable => "undecodable",
            QuarantineCode::Unapplicable => "unapplicable",
            QuarantineCode::NotCanonical => "not_canonical",
            QuarantineCode::Panic => "panic",
            QuarantineCode::Poisoned => "poisoned",
        }
    }
}

/// A refusal of a remote change: a stable code, and a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantine {
    /// What programs compare.
    pub code: QuarantineCode,
    /// What people read.
    pub detail: String,
    /// The change that is absent, if that is the reason.
    pub missing: Option<[u8; 32]>,
}

impl Quarantine {
    /// A refusal with `code`.
    pub fn new(code: QuarantineCode, detail: impl Into<String>) -> Self {
        Quarantine {
            code,
            detail: detail.into(),
            missing: None,
        }
    }
}

impl fmt::Display for Quarantine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.detail)
    }
}

impl std::error::Error for Quarantine {}
