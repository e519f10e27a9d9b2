//! The C projection of [`crate::api`]: one file for each C type, literal functions only, so that
//! cbindgen sees every one of them. `include/echodb.h` is generated from here.
//!
//! Manners, which hold without exception. The receiver comes first, outputs last, then an optional
//! `echodb_error **`. Pointer outputs are NULL from entry on unless the call succeeds. Enumerations
//! enter as numbers and are checked. Every body runs inside [`guard`], so that no panic crosses
//! the boundary; the lints below keep bodies from relying on that.
#![deny(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::undocumented_unsafe_blocks
)]
// Types carry their C names, so that what is read here is what the header says.
#![allow(non_camel_case_types)]

mod blob_fetch;
mod blob_records;
mod blob_writer;
mod buffer;
mod callback;
mod check_records;
mod client;
mod client_options;
mod credential_records;
mod credentials;
mod device_records;
mod devices;
mod encryption;
mod error;
mod guard;
mod import_options;
mod invitation;
mod invitation_options;
mod invitations;
mod library;
mod live;
mod live_query;
mod log;
mod member_records;
mod operation;
mod queries;
mod queue;
mod records;
mod recovery;
mod search_options;
mod space;
mod space_blobs;
mod space_branches;
mod space_check;
mod space_history;
mod space_keys;
mod space_members;
mod space_objects;
mod space_schemas;
mod space_search;
mod space_texts;
mod space_why;
mod status;
mod strings;
mod subscription;
#[cfg(test)]
#[allow(clippy::panic)]
mod tests;
mod transaction;
mod transaction_system;
mod transaction_terms;
mod transfer;

use crate::api::{EchoError, Result};
use crate::model::Error;

/// The error for a misused argument.
fn invalid(detail: impl Into<String>) -> EchoError {
    Error::invalid(detail).into()
}

/// The error for a call at the wrong time.
fn wrong_state(detail: impl Into<String>) -> EchoError {
    Error::state(detail).into()
}
