//! Feeds: hash-chained, signed logs of entries, two (control and data) per device incarnation.
//!
//! An entry is named by the SHA-256 of its header, which covers the space, the place in the feed,
//! what the author knew, and the hash of the body. Every encoding has exactly one form, so the
//! bytes received are the bytes hashed, kept and passed on. `docs/formats/entries.md` has the
//! layouts.

pub mod codec;
mod content_key;
mod data_body;
mod entry;
mod entry_codec;
mod header;
mod signer;

pub use content_key::ContentKey;
pub use data_body::DataBody;
pub use entry::{Entry, EntryDraft, genesis_space_id};
pub use entry_codec::Dep;
pub use header::{FeedHeader, FeedKind};
pub use signer::{DeviceSigner, check_public_key, sha256, verify_signature};

#[cfg(test)]
mod wycheproof_tests;
