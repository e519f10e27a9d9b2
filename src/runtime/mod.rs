//! The only part that owns threads, timers, files and sockets.

pub mod blobs;
mod cache;
pub mod changes;
pub mod clock;
pub mod connector;
#[cfg(test)]
mod connector_tests;
pub mod credentials;
mod doctor;
pub mod events;
pub mod executor;
pub mod halo;
mod intake;
pub mod live;
pub mod log;
#[cfg(any(test, feature = "bench-internals"))]
pub mod measure;
mod member_hub;
#[cfg(test)]
pub mod memory;
pub mod node;
pub mod pairing;
pub mod qr;
mod queries;
mod row_json;
pub mod secure_link;
pub mod session_source;
pub mod sessions;
pub mod signal;
pub mod signaling;
pub mod space_handle;
pub mod space_history;
pub mod space_host;
mod space_members;
mod space_reading;
mod space_schemas;
pub mod space_search;
pub mod space_texts;
mod space_why;
pub mod storage;
pub mod transfer;
pub mod transport;
pub mod webrtc;

#[cfg(test)]
mod hostile_tests;
#[cfg(test)]
mod simulation;
#[cfg(test)]
mod tests;
