//! One space: the single write path. Local transactions and remote entries enter here, take the
//! same commit, and come out as the same row changes, so that they cannot differ in durability,
//! indexing or notification. No I/O of its own: storage is a trait, the clock and randomness are
//! passed in. A space is a monitor, not a mailbox (docs/adr/0001-space-is-a-monitor.md): the
//! runtime calls it under a lock.

mod actors;
mod archive_check;
mod authors;
mod bench;
mod blob_store;
mod blobs;
mod branches;
mod check;
mod checking;
mod control;
mod copies;
mod denials;
mod devices;
mod documents;
mod edits;
mod evidencing;
mod excluded;
mod family;
#[cfg(any(test, fuzzing))]
mod forging;
mod founding;
mod halo;
mod heads;
mod ingest;
mod inviting;
mod keys;
mod live;
mod log;
#[cfg(any(test, feature = "bench-internals"))]
mod measure;
mod members;
mod migrating;
mod own_feed;
mod read;
mod rebuilding;
mod registering;
mod rejudging;
mod schemas;
mod searching;
mod space_core;
mod store;
mod trees;
mod typing;
mod undo;
mod undo_codec;
mod unplaced;
mod validity;
mod voids;
mod waiting;
mod write;

#[cfg(any(test, fuzzing))]
pub use actors::new_actor;
pub use archive_check::{ArchiveCheck, Checked, require_member};
pub use authors::Authors;
pub use blob_store::{BlobRow, BlobStore};
pub use check::{Checkup, Fault, FaultKind, check};
pub use copies::{BranchRow, branches};
pub use edits::object_at;
#[cfg(test)]
pub use family::FamilyPhrase;
pub use family::{Family, FamilyMember};
pub use founding::Founding;
pub use halo::{HaloFact, HaloState};
pub use ingest::Ingest;
pub use live::{LiveDelta, LiveFilter, LiveResults};
pub use members::{MemberChange, MemberEvent, MemberInfo};
pub use migrating::{Candidate, Rewritten};
pub use read::{digest, name, read_stored};
pub use rebuilding::Rebuilt;
pub use registering::SchemaRecord;
#[cfg(any(test, fuzzing))]
pub use space_core::Entropy;
pub use space_core::SpaceCore;
#[cfg(test)]
pub use store::NewEntry;
pub use store::{
    Commit, Counts, EntryStatus, FeedRecord, FeedTip, IndexRecord, NewFeed, ObjectRow, ObjectWrite,
    QuarantineRecord, Readers, Reads, Rejudged, SeenRow, Store, StoredDocument, StoredEntry,
    Violation, Vouched,
};
pub use undo::Undone;
pub use write::{Outcome, RowChange};
