//! The facade: everything a program may use, in shapes that cross every language boundary
//! (owned arguments, `Arc`, `Send + Sync`, no generics, no lifetimes).
//!
//! Calls without a suffix block the calling thread for as long as a local SQLite transaction
//! takes; they may be made from any thread. Their `*_async` twins run the same code on the
//! library's own threads: Python, Kotlin and Swift see those, under the plain name. Dropping such
//! a future never half-applies a write.

mod blobs;
mod client;
mod credentials;
mod devices;
mod encryption;
mod error;
mod invitation;
mod invitations;
mod live;
mod log;
mod members;
mod object;
mod options;
mod queries;
mod recovery;
mod space;
mod space_check;
mod space_history;
mod space_keys;
mod space_schemas;
mod space_search;
mod space_texts;
mod status;
mod subscription;
mod text;
mod transaction;
mod transaction_system;
mod transaction_terms;
mod transfer;
mod why;

pub use blobs::{
    BlobFetch, BlobFetchState, BlobInfo, BlobListener, BlobProgress, BlobWriter, CollectedBlobs,
};
pub use client::{Client, IdentityInfo, library_version};
pub use credentials::{
    CredentialInfo, CredentialKind, CredentialStep, VerifiedPresentation, credential_code,
    read_credential, verify_presentation,
};
pub use devices::{DeviceInfo, IdentityChange, IdentityListener};
pub use encryption::{Encryption, EncryptionMode, KeyProvider};
pub use error::{EchoError, Result};
pub use invitation::{
    GuestUpdate, Invitation, InvitationInfo, InvitationKind, InvitationListener, InvitationState,
    InvitationType, InvitationUpdate, InviteOptions, JoinOptions, QrModules,
};
pub use live::{LiveBatch, LiveListener, LiveOptions, LiveQuery};
pub use log::{LogLevel, LogRecord, LogSink};
pub use members::{
    Contact, ContactSpace, ExcludedEntry, Member, MemberDevice, MemberEvent, MemberEventKind,
    MemberListener, Resubmission, SkippedResubmission,
};
pub use object::{ChangeInfo, ObjectRecord};
pub use options::{ClientOptions, IceServer};
pub use queries::QueryPage;
pub use recovery::RecoverOptions;
pub use space::{Space, SpaceInfo, SpaceState};
pub use space_check::{CheckFinding, CheckFindingKind, CheckReport, LostEntry, RepairReport};
pub use space_history::{BranchInfo, SkippedUndo, TransactionInfo, Undone};
pub use space_schemas::{Migration, MigrationFailure, MigrationReport, SchemaInfo, Violation};
pub use space_search::{IndexInfo, SearchOptions};
pub use space_texts::TextMark;
pub use status::{ClientStatus, PeerStatus, QuarantinedEntry, SignalingStatus, SpaceStatus};
pub use subscription::{
    Change, ChangeBatch, ChangeKind, ChangeListener, ChangeOrigin, Subscription,
};
pub use text::{MarkExpand, TextUnit};
pub use transaction::{Committed, CommittedObject, Transaction};
pub use transfer::{
    ArchiveInfo, ColumnKind, ImportColumn, ImportFormat, ImportOptions, ImportReport, OnError,
    SkippedRow, verify_archive,
};
pub use why::{Explanation, ExplanationStep};

/// Runs a blocking call on the library's own threads. The work is finished even if the returned
/// future is dropped.
#[cfg(feature = "bindings")]
async fn run<T: Send + 'static>(
    work: impl FnOnce() -> error::Result<T> + Send + 'static,
) -> error::Result<T> {
    crate::runtime::executor::run_blocking(work).await?
}

/// Starts blocking work on the library's own threads, for the C projection's operations.
pub(crate) fn spawn_blocking(work: impl FnOnce() + Send + 'static) -> Result<()> {
    crate::runtime::executor::handle()?.spawn_blocking(work);
    Ok(())
}

/// Starts a task on the library's own threads; what it returns aborts the task.
pub(crate) fn spawn_task(
    task: impl Future<Output = ()> + Send + 'static,
) -> Result<impl FnOnce() + Send> {
    let task = crate::runtime::executor::handle()?.spawn(task);
    Ok(move || task.abort())
}
