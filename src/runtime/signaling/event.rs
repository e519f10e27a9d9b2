//! What signalling reports.

use bytes::Bytes;

/// A peer's name on signalling servers: random for each process start, so that servers cannot
/// follow a device.
pub type PeerId = [u8; 16];

/// The name of a room: derived from a secret, so that it tells a server nothing.
pub type Topic = [u8; 32];

/// One event. A peer seen through several servers is reported once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignalingEvent {
    /// A peer is in the room.
    PeerSeen {
        /// The room.
        topic: Topic,
        /// The peer.
        peer: PeerId,
    },
    /// A peer left the room, or no connected server sees it any more.
    PeerGone {
        /// The room.
        topic: Topic,
        /// The peer.
        peer: PeerId,
    },
    /// A payload from a peer, opened with the topic's key.
    Message {
        /// The room.
        topic: Topic,
        /// The sender: proven to hold the topic's key, but not more.
        from: PeerId,
        /// The payload.
        payload: Bytes,
    },
    /// A server became reachable or unreachable.
    StateChanged {
        /// The server.
        url: String,
        /// Its state now.
        state: ServerState,
    },
}

/// The state of one server's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerState {
    /// Never reached so far.
    Connecting,
    /// Welcomed us.
    Connected,
    /// Was lost; the client tries again.
    Reconnecting,
}
