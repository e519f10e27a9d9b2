//! echo-db: a peer-to-peer, local-first graph database. See ARCHITECTURE.md for the map.

pub mod api;
mod authority;
pub mod builder;
mod credential;
mod feed;
mod ffi;
mod identity;
mod invitation;
pub mod model;
mod objects;
mod query;
mod runtime;
mod schema;
mod space;
mod sync;

pub use api::*;

/// What fuzzers feed. No part of the interface.
#[cfg(any(test, fuzzing))]
#[doc(hidden)]
pub mod fuzzing;

/// The bare data channel, for the benchmarks to measure against, a look at a profile's files
/// themselves, and histories to measure with. No part of the interface.
#[cfg(feature = "bench-internals")]
#[doc(hidden)]
pub mod bench_internals {
    pub use crate::authority::{ControlHistory, Resolved};
    pub use crate::runtime::measure::EntryCheck;
    pub use crate::runtime::signal::SignalPayload;
    pub use crate::runtime::storage::{Inspected, inspect};
    pub use crate::runtime::transport::{Link, LinkRole, SignalChannel, Transport};
    pub use crate::runtime::webrtc::{WebRtcOptions, WebRtcTransport};
}

#[cfg(feature = "bindings")]
uniffi::setup_scaffolding!("echodb");
