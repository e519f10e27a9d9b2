//! The messages of an invitation: protobuf behind one byte that says whether they are sealed under
//! the key of the password exchange. All travel inside the session.

use crate::model::{Error, Result, limits};
use prost::Message;

/// The version of the flow; a side that speaks another is refused in the first message.
pub(super) const VERSION: u32 = 1;
/// First byte of a message that only the session protects.
pub(super) const CLEAR: u8 = 0;
/// First byte of a message sealed under the key of the password exchange.
pub(super) const SEALED: u8 = 1;
/// Largest message before the password exchange has succeeded.
pub(super) const CLEAR_BYTES: usize = 16 * 1024;

/// Any message.
#[derive(Clone, PartialEq, Message)]
struct Envelope {
    #[prost(oneof = "Body", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14")]
    body: Option<Body>,
}

/// What a message says.
#[derive(Clone, PartialEq, prost::Oneof)]
pub(super) enum Body {
    /// Both, first.
    #[prost(message, tag = "1")]
    Hello(Hello),
    /// Both, once the other's hello was right; the guest first.
    #[prost(message, tag = "2")]
    Introduction(Introduction),
    /// Guest: its share of the password exchange.
    #[prost(bytes = "vec", tag = "3")]
    GuestShare(Vec<u8>),
    /// Host: its share.
    #[prost(bytes = "vec", tag = "4")]
    HostShare(Vec<u8>),
    /// Guest: its confirmation tag, which is its one guess.
    #[prost(bytes = "vec", tag = "5")]
    GuestConfirmation(Vec<u8>),
    /// Host: its confirmation tag; everything after it is sealed.
    #[prost(bytes = "vec", tag = "6")]
    HostConfirmation(Vec<u8>),
    /// Host: the code was wrong, so many are left.
    #[prost(uint32, tag = "7")]
    WrongCode(u32),
    /// Both: the end, and why (numbers of `Refusal`).
    #[prost(uint32, tag = "8")]
    Refused(u32),
    /// Host, sealed: what the guest needs to join.
    #[prost(bytes = "vec", tag = "9")]
    Admission(Vec<u8>),
    /// Guest, sealed: its join entry.
    #[prost(bytes = "vec", tag = "10")]
    JoinEntry(Vec<u8>),
    /// Host, sealed: the join is stored; what the guest needs to read.
    #[prost(bytes = "vec", tag = "11")]
    Completed(Vec<u8>),
    /// Guest, sealed: it has everything; the host may hang up.
    #[prost(bool, tag = "12")]
    Finished(bool),
    /// Guest, delegated: the signature of the invitation's seed, instead of a password exchange.
    #[prost(bytes = "vec", tag = "13")]
    Token(Vec<u8>),
    /// Both, sealed: a piece of a message that is too large for one, to a side that takes parts.
    #[prost(message, tag = "14")]
    Part(Part),
}

/// A piece of a message.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Part {
    /// The piece: full, unless it is the last.
    #[prost(bytes = "vec", tag = "1")]
    pub piece: Vec<u8>,
    /// Whether more follow.
    #[prost(bool, tag = "2")]
    pub more: bool,
}

/// The first message of both sides.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Hello {
    /// [`VERSION`].
    #[prost(uint32, tag = "1")]
    pub version: u32,
    /// The invitation's kind.
    #[prost(uint32, tag = "2")]
    pub kind: u32,
    /// Shows that the sender has the invitation.
    #[prost(bytes = "vec", tag = "3")]
    pub check: Vec<u8>,
    /// In how many parts, at most, the sender takes a message; 0: whole only, as earlier versions
    /// of the library do.
    #[prost(uint32, tag = "4")]
    pub parts: u32,
}

/// Who the sender is.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Introduction {
    /// Device certificate and signature of the handshake hash, in the session layer's format.
    #[prost(bytes = "vec", tag = "1")]
    pub proof: Vec<u8>,
    /// The name to show.
    #[prost(string, tag = "2")]
    pub display_name: String,
}

impl Body {
    /// The message without its first byte.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        Envelope { body: Some(self) }.encode_to_vec()
    }

    /// Reads a message without its first byte.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Body> {
        if bytes.len() > limits::MESSAGE_BYTES {
            return Err(Error::protocol("an invitation message is too long"));
        }
        Body::from_whole(bytes)
    }

    /// As [`Body::from_bytes`], of something that came in parts.
    pub(super) fn from_whole(bytes: &[u8]) -> Result<Body> {
        Envelope::decode(bytes)
            .ok()
            .and_then(|envelope| envelope.body)
            .ok_or_else(|| Error::protocol("an invitation message is malformed"))
    }
}
