//! What an identity's device and a new one tell each other inside an invitation, under the key that
//! only the two of them can have.

use bytes::Bytes;

/// From the existing device: for whom the new one is asked to sign.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Offer {
    /// The identity.
    #[prost(bytes = "bytes", tag = "1")]
    pub identity: Bytes,
    /// The device that will certify.
    #[prost(bytes = "bytes", tag = "2")]
    pub issuer: Bytes,
    /// The new device's place among the identity's.
    #[prost(uint32, tag = "3")]
    pub order: u32,
}

/// From the new device: its signed request for a certificate.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Request {
    /// As [`crate::identity::DeviceKeys::request`] makes it.
    #[prost(bytes = "bytes", tag = "1")]
    pub request: Bytes,
}

/// From the existing device: what makes the new one a device of the identity.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Welcome {
    /// The links of the new device's chain, root first.
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub links: Vec<Bytes>,
    /// The HALO space.
    #[prost(bytes = "bytes", tag = "2")]
    pub halo: Bytes,
    /// The identity's display name.
    #[prost(string, tag = "3")]
    pub display_name: String,
    /// Headers of the control feeds of the HALO space.
    #[prost(bytes = "bytes", repeated, tag = "4")]
    pub headers: Vec<Bytes>,
    /// Its control entries, in a causal order, the new device's admission and keys among them.
    #[prost(bytes = "bytes", repeated, tag = "5")]
    pub entries: Vec<Bytes>,
}
