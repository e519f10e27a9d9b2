//! What is going on, truthfully: nothing here says "synced" unless the other side confirmed it.

use super::{Encryption, SpaceState};

/// A connection to a signalling server.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SignalingStatus {
    /// Its URL.
    pub url: String,
    /// Whether it is connected now.
    pub connected: bool,
    /// The last failure, if it is not.
    pub error: Option<String>,
}

/// The client as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct ClientStatus {
    /// Whether it looks for peers.
    pub online: bool,
    /// Its signalling servers.
    pub signaling: Vec<SignalingStatus>,
    /// Authenticated peers connected now.
    pub peers: u32,
    /// Bytes sent to peers since the client was opened, before encryption.
    pub bytes_sent: u64,
    /// Bytes received from peers likewise.
    pub bytes_received: u64,
    /// What keeps the key of the profile's files.
    pub encryption: Encryption,
}

/// One connected peer, as far as one space is concerned.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct PeerStatus {
    /// The device's key.
    pub device: String,
    /// The identity's key.
    pub identity: String,
    /// The identity's display name.
    pub name: String,
    /// Entries we hold that the peer has not confirmed.
    pub unconfirmed: u64,
    /// Entries the peer says it holds and we lack.
    pub missing: u64,
    /// Whether both numbers are zero.
    pub in_sync: bool,
}

/// One space.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SpaceStatus {
    /// Its state.
    pub state: SpaceState,
    /// Connected peers that share it.
    pub peers: Vec<PeerStatus>,
    /// Objects, deleted ones included.
    pub objects: u64,
    /// Entries held.
    pub entries: u64,
    /// Entries set aside as harmful or malformed; see [`super::Space::quarantined`].
    pub quarantined: u64,
    /// Entries that do not count; see [`super::Space::excluded`].
    pub excluded: u64,
    /// Entries that wait for a content key.
    pub waiting_for_key: u64,
    /// Entries that are held and cannot be read, because they were written before this member's
    /// time, or build on what was: it was invited without the history
    /// ([`super::InviteOptions::history`]). They wait for nothing that is to come.
    pub sealed_off: u64,
    /// Entries that wait for one they depend on.
    pub waiting_for_dependency: u64,
    /// Objects that break the schema of their type; see [`super::Space::violations`].
    pub violations: u64,
    /// This identity's role; `None` once it was removed or has left, and while its admission has not
    /// arrived.
    pub role: Option<String>,
    /// Whether this identity or this device was removed from the space, or has left it: what is here
    /// can be read, nothing can be written, and nothing more comes.
    pub removed: bool,
    /// The generation of the content key that is written under: 1 is the first, each new key has a
    /// higher one. 0 while every key is known to somebody who may not read any more: the next write,
    /// of whomever, makes a new one.
    pub key_generation: u64,
    /// Whether objects are yet to be checked because a schema came or changed: then
    /// `violations` is still moving.
    pub checking: bool,
}

/// A remote entry that was set aside. It stays stored, sealed, and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct QuarantinedEntry {
    /// The entry.
    pub entry: String,
    /// The device that wrote it.
    pub device: String,
    /// Why: a stable code, a colon, and a sentence.
    pub reason: String,
}
