//! What is kept of an invitation over a restart, on either side, beside the counts that the store
//! keeps itself. `docs/formats/invitations.md` describes it.

use crate::feed::DeviceSigner;
use crate::invitation::code::InvitationCode;
use crate::model::{Error, Result, Role, SpaceId};
use prost::Message as _;
use zeroize::Zeroize as _;

/// The version of the format, its first byte.
const VERSION: u8 = 2;

/// What is kept of a device invitation beside its count. It is not taken up again after a restart, so
/// nothing is needed; a later start removes it.
pub const DEVICE: &[u8] = b"device";

/// A record, as read.
pub enum Record {
    /// Of a version that could not be resumed: the space and the invitation's key, to close it.
    Closing(SpaceId, [u8; 32]),
    /// An invitation of ours.
    Host(HostRecord),
    /// A code that we use.
    Guest(GuestRecord),
    /// A device invitation, which ends with its process.
    Device,
}

/// An invitation of ours.
#[derive(Clone, PartialEq, prost::Message)]
pub struct HostRecord {
    /// The code as text.
    #[prost(string, tag = "1")]
    pub code: String,
    /// The space.
    #[prost(bytes = "vec", tag = "2")]
    pub space: Vec<u8>,
    /// The seed of the key that admits guests.
    #[prost(bytes = "vec", tag = "3")]
    pub seed: Vec<u8>,
    /// The role that guests get.
    #[prost(uint32, tag = "4")]
    pub role: u32,
    /// How many guests it may let in; 0: any number.
    #[prost(uint32, tag = "5")]
    pub max_uses: u32,
    /// When it was made, in milliseconds since 1970.
    #[prost(uint64, tag = "6")]
    pub created_ms: u64,
}

/// A code that we use.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GuestRecord {
    /// The code as text.
    #[prost(string, tag = "1")]
    pub code: String,
    /// When the host is looked for no more, in milliseconds since 1970.
    #[prost(uint64, tag = "2")]
    pub ends_ms: u64,
    /// When the code was first used, in milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub created_ms: u64,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Envelope {
    #[prost(oneof = "Side", tags = "1, 2")]
    side: Option<Side>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Side {
    #[prost(message, tag = "1")]
    Host(HostRecord),
    #[prost(message, tag = "2")]
    Guest(GuestRecord),
}

impl Record {
    /// Reads a kept record.
    pub fn decode(bytes: &[u8]) -> Result<Record> {
        if bytes == DEVICE {
            return Ok(Record::Device);
        }
        // Version 1 had no version byte, and no other version is that short.
        if let Ok(first) = <&[u8; 64]>::try_from(bytes) {
            let (space, key) = first.split_at(SpaceId::LEN);
            let key = key.try_into().map_err(|_| damaged())?;
            return Ok(Record::Closing(SpaceId::from_slice(space)?, key));
        }
        let Some((&VERSION, body)) = bytes.split_first() else {
            return Err(damaged());
        };
        match Envelope::decode(body)
            .ok()
            .and_then(|envelope| envelope.side)
        {
            Some(Side::Host(record)) => Ok(Record::Host(record)),
            Some(Side::Guest(record)) => Ok(Record::Guest(record)),
            None => Err(damaged()),
        }
    }
}

fn encode(side: Side) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend(Envelope { side: Some(side) }.encode_to_vec());
    bytes
}

impl HostRecord {
    /// The record's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(Side::Host(self.clone()))
    }

    /// The space.
    pub fn space(&self) -> Result<SpaceId> {
        SpaceId::from_slice(&self.space)
    }

    /// The key that admits guests.
    pub fn signer(&self) -> Result<DeviceSigner> {
        let mut seed: [u8; 32] = self.seed.as_slice().try_into().map_err(|_| damaged())?;
        let signer = DeviceSigner::from_seed(seed);
        seed.zeroize();
        Ok(signer)
    }

    /// The role that guests get.
    pub fn role(&self) -> Result<Role> {
        Role::from_number(self.role).ok_or_else(damaged)
    }

    /// The code.
    pub fn code(&self) -> Result<InvitationCode> {
        InvitationCode::parse(&self.code)
    }
}

impl GuestRecord {
    /// The record's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        encode(Side::Guest(self.clone()))
    }
}

fn damaged() -> Error {
    Error::corrupt("what is kept of an invitation is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_round_trip_and_old_ones_are_told_apart() {
        let host = HostRecord {
            code: "echodb-join-x".repeat(8),
            space: vec![7; 32],
            seed: vec![8; 32],
            role: 3,
            max_uses: 5,
            created_ms: 9,
        };
        match Record::decode(&host.to_bytes()) {
            Ok(Record::Host(read)) => assert_eq!(read, host),
            _ => panic!("a host's record is read as something else"),
        }
        let guest = GuestRecord {
            code: "echodb-join-y".repeat(8),
            ends_ms: 10,
            created_ms: 9,
        };
        match Record::decode(&guest.to_bytes()) {
            Ok(Record::Guest(read)) => assert_eq!(read, guest),
            _ => panic!("a guest's record is read as something else"),
        }
        match Record::decode(&[[1; 32], [2; 32]].concat()) {
            Ok(Record::Closing(space, key)) => {
                assert_eq!((space, key), (SpaceId([1; 32]), [2; 32]));
            }
            _ => panic!("an old record is read as something else"),
        }
        assert!(matches!(Record::decode(DEVICE), Ok(Record::Device)));
        for bad in [
            vec![],
            vec![2],
            vec![3; 70],
            vec![2, 0xff, 0xff],
            vec![0; 63],
        ] {
            assert!(Record::decode(&bad).is_err(), "{bad:?}");
        }
    }
}
