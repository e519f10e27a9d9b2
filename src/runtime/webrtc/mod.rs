//! Links over WebRTC data channels. `driver` holds what makes the crate run well, `setup` the way
//! from nothing to an open channel, `link` the open channel.

mod certificate;
mod driver;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod handler;
mod interfaces;
mod link;
mod setup;
mod transport;

#[cfg(test)]
mod tests;

pub use transport::{IceServer, WebRtcOptions, WebRtcTransport};

/// A failure of the WebRTC stack, as ours.
fn network_error(doing: &str, error: impl std::fmt::Display) -> crate::model::Error {
    crate::model::Error::network(format!("{doing}: {error}"))
}
