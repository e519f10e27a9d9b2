//! What the two space layers tell each other inside an invitation, under the key that only the two
//! of them can have.

use crate::model::{Error, Result};
use bytes::Bytes;
use prost::Message as _;

/// From the host: the space, and the invitation's signature that admits the guest.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Admission {
    /// The space's id.
    #[prost(bytes = "bytes", tag = "1")]
    pub space: Bytes,
    /// Headers of all control feeds.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub headers: Vec<Bytes>,
    /// All control entries, in a causal order.
    #[prost(bytes = "bytes", repeated, tag = "3")]
    pub entries: Vec<Bytes>,
    /// The invitation's public key.
    #[prost(bytes = "bytes", tag = "4")]
    pub invitation_key: Bytes,
    /// The role's number.
    #[prost(uint32, tag = "5")]
    pub role: u32,
    /// The invitation's signature over the guest's keys and role.
    #[prost(bytes = "bytes", tag = "6")]
    pub signature: Bytes,
}

/// Control entries, in a causal order, with the headers of their feeds: the guest's own admission,
/// and the host's answer with the keys.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct ControlEntries {
    /// Feed headers.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub headers: Vec<Bytes>,
    /// Entries.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub entries: Vec<Bytes>,
}

/// Reads either message.
pub fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes)
        .map_err(|e| Error::protocol(format!("a malformed message in an invitation: {e}")))
}

impl Admission {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

impl ControlEntries {
    /// The message's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}
