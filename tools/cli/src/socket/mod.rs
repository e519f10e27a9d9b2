//! The local socket through which commands reach a serving process: a Unix socket in the profile's
//! directory that only the owner may open.

pub mod client;
mod peer;
mod place;
pub mod protocol;
pub mod server;

pub use peer::own_uid;
