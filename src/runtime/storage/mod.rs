//! What is kept on disk, in SQLite: one file per space ([`SpaceStore`]) and one for the profile
//! ([`ProfileStore`]).
//!
//! A space's file takes one transaction per feed entry: the entry, its feed, the changes it
//! brings and the rows that queries read are written together or not at all. Commits are atomic
//! at once and durable at the next checkpoint or [`SpaceStore::flush`]; the profile's writes are
//! rare and durable before they return.

mod blob_refs;
mod blobs;
mod check;
mod commit;
mod connection;
mod counts;
mod database;
mod documents;
mod entries;
mod error;
mod files;
mod indexes;
#[cfg(any(test, feature = "bench-internals"))]
mod inspect;
mod invitations;
mod key_file;
mod lock;
mod meta;
mod objects;
mod page_cache;
mod profile;
mod readers;
mod rejudge;
mod restore;
mod schema;
mod sealed;
mod side;
mod sorting;
mod space;
mod space_reads;
mod spaces;
#[cfg(test)]
mod tests;
mod upgrade;
mod vault;
mod violations;
mod words;

#[cfg(any(test, feature = "bench-internals"))]
pub use inspect::{Inspected, inspect};
pub use invitations::StoredInvitation;
pub use profile::ProfileStore;
pub use readers::READERS;
pub use space::SpaceStore;
pub use spaces::{SpaceFile, SpaceRecord};
pub use vault::{Access, Vault};
