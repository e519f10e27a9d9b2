//! The signalling server: rooms of opaque topics in which peers find each other and exchange
//! sealed set-up messages. It stores nothing, knows nobody, and reads no payload.

mod bucket;
mod config;
mod connection;
pub mod protocol;
mod registry;
mod server;

pub use config::Config;
pub use server::Server;
