//! Meeting peers through signalling servers: rooms of opaque topics over WebSockets, several
//! servers at once, payloads sealed so that a server learns neither content nor space.

mod backoff;
mod client;
mod event;
mod frame;
mod seal;
mod session;
mod topics;

#[cfg(test)]
pub(super) mod tests;

pub use client::{SignalingClient, TopicHandle};
pub use event::{PeerId, ServerState, SignalingEvent, Topic};
pub use seal::TopicKey;

/// Reads a server's frame, for the fuzzers.
#[cfg(any(test, fuzzing))]
pub fn fuzz_frame(text: &str) {
    let _ = frame::parse(text);
}
