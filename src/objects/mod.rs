//! Objects as CRDT documents: one Automerge document each. This is the only module that calls
//! Automerge. Local operations become changes here, remote changes are bounded, applied and
//! verified here, and documents are projected to the plain values that the store and the queries
//! work on.

mod carried;
mod conflicts;
mod diff;
mod difference;
mod document;
mod file;
pub mod guard;
mod history;
mod local;
mod marks;
mod patch;
mod project;
mod quarantine;
mod rebuild;
mod remote;
mod resolve;
mod system;
mod text;
mod tree;
mod undo;
mod value;

pub use carried::{Carried, text_paths};
pub use difference::difference;
pub use document::Document;
pub use file::ObjectFile;
pub use history::{actor, hash_of, look};
pub use marks::TextMark;
pub use project::Projection;
pub use quarantine::{Quarantine, QuarantineCode};
pub use undo::{Left, Op, Twins};

#[cfg(test)]
pub(crate) mod tests;
