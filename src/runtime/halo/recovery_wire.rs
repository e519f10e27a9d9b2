//! What a client that recovers an identity and a device of the identity tell each other, inside a
//! session. Neither is known to the other when it begins; the client speaks first.

use crate::model::{Error, Result};
use bytes::Bytes;
use prost::Message as _;

/// The version of the exchange.
pub const VERSION: u32 = 1;
/// Bytes of control entries in one message.
pub const PART: usize = 512 * 1024;
/// Messages of one history.
pub const PARTS: usize = 128;

/// First, from the client: it has the phrase.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Hello {
    /// [`VERSION`].
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// The recovery key.
    #[prost(bytes = "bytes", tag = "2")]
    pub recovery: Bytes,
    /// The client's new device.
    #[prost(bytes = "bytes", tag = "3")]
    pub device: Bytes,
    /// The recovery key's signature of this session and device.
    #[prost(bytes = "bytes", tag = "4")]
    pub possession: Bytes,
}

/// The answer: whose device this is, and what the client needs to certify itself.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Offer {
    /// The device's proof on this session, in the session layer's format.
    #[prost(bytes = "bytes", tag = "1")]
    pub proof: Bytes,
    /// The statement that names the recovery key.
    #[prost(bytes = "bytes", tag = "2")]
    pub statement: Bytes,
    /// The chain of the device that made the statement, or the first of `earlier`.
    #[prost(bytes = "bytes", tag = "3")]
    pub issuer: Bytes,
    /// The new device's place among the identity's.
    #[prost(uint32, tag = "4")]
    pub order: u32,
    /// The HALO space.
    #[prost(bytes = "bytes", tag = "5")]
    pub halo: Bytes,
    /// The identity's display name.
    #[prost(string, tag = "6")]
    pub display_name: String,
    /// Why there is no offer; then nothing else is set.
    #[prost(string, optional, tag = "7")]
    pub refused: Option<String>,
    /// Statements between chain and statement, the oldest first, each by the key of the one before.
    #[prost(bytes = "bytes", repeated, tag = "8")]
    pub earlier: Vec<Bytes>,
}

/// Control entries of the HALO space: its history, after the offer; the client's own admission; and
/// what the device adds to it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Entries {
    /// Feed headers.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub headers: Vec<Bytes>,
    /// Entries, in a causal order.
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub entries: Vec<Bytes>,
    /// Whether more follow.
    #[prost(bool, tag = "3")]
    pub more: bool,
}

/// Reads any of them.
pub fn decode<M: prost::Message + Default>(bytes: &[u8]) -> Result<M> {
    M::decode(bytes).map_err(|e| Error::protocol(format!("a malformed message in a recovery: {e}")))
}

/// Splits a history into messages.
pub fn split(headers: Vec<Bytes>, entries: Vec<Bytes>) -> Vec<Vec<u8>> {
    let mut parts = Vec::new();
    let mut part = Entries::default();
    let mut size = 0;
    let all = headers.into_iter().map(|header| (true, header));
    for (is_header, bytes) in all.chain(entries.into_iter().map(|entry| (false, entry))) {
        if size + bytes.len() > PART {
            let mut full = std::mem::take(&mut part);
            full.more = true;
            parts.push(full.encode_to_vec());
            size = 0;
        }
        size += bytes.len();
        match is_header {
            true => part.headers.push(bytes),
            false => part.entries.push(bytes),
        }
    }
    parts.push(part.encode_to_vec());
    parts
}
