//! Objects as CRDT documents: one Automerge document each. This is the only module that calls
//! Automerge. Local operations become changes here, remote changes are bounded, applied and
//! verified here, and documents are projected to the plain values that the store and the queries
//! work on.

mod conflicts;
mod contain;
mod diff;
mod document;
pub mod guard;
mod history;
mod local;
mod marks;
mod patch;
mod project;
mod quarantine;
mod remote;
mod resolve;
mod system;
mod text;
mod tree;
mod undo;
mod value;

pub use document::Document;
pub use history::{ChangeInfo, actor, look};
#[cfg(test)]
pub use marks::TextMark;
pub use project::Projection;
pub use quarantine::{Quarantine, QuarantineCode};
pub use undo::{Left, Op, Twins};

#[cfg(test)]
pub(crate) mod tests;
