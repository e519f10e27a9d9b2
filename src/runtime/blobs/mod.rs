//! Blobs at work: written and read through a space's file, given to peers and fetched from them, and
//! collected.

mod collect;
mod fetches;
mod handle;
mod traffic;
mod writer;

pub use collect::tidy;
pub use fetches::{FetchHandle, Fetches};
pub use traffic::BlobTraffic;
pub use writer::WriterHandle;
