//! What is kept of an invitation over a restart, on either side, beside the counts that the store
//! keeps itself. `docs/formats/invitations.md` describes it.

use crate::feed::DeviceSigner;
use crate::invitation::code::InvitationCode;
use crate::model::{Error, Result, Role, SpaceId};
use prost::Message as _;
use zeroize::{Zeroize as _, Zeroizing};

/// The version of the format, its first byte.
const VERSION: u8 = 2;
/// The version of what is kept of device invitations, likewise.
const DEVICES: u8 = 3;

/// What earlier versions kept of a device invitation, which ended with its process.
const ENDED_DEVICE: &[u8] = b"device";

/// A record, as read.
pub enum Record {
    /// Of a version that could not be resumed: the space and the invitation's key, to close it.
    Closing(SpaceId, [u8; 32]),
    /// An invitation of ours.
    Host(HostRecord),
    /// A code that we use.
    Guest(GuestRecord),
    /// A device invitation of ours.
    DeviceHost(DeviceHostRecord),
    /// A device code that we use.
    DeviceGuest(DeviceGuestRecord),
    /// A device invitation that ended with a process of an earlier version.
    EndedDevice,
}

/// An invitation of ours.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
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
#[prost(skip_debug)]
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

/// A device invitation of ours.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeviceHostRecord {
    /// The code as text.
    #[prost(string, tag = "1")]
    pub code: String,
    /// When it was made, in milliseconds since 1970.
    #[prost(uint64, tag = "2")]
    pub created_ms: u64,
}

/// A device code that we use.
#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
pub struct DeviceGuestRecord {
    /// The code as text.
    #[prost(string, tag = "1")]
    pub code: String,
    /// When the other device is looked for no more, in milliseconds since 1970.
    #[prost(uint64, tag = "2")]
    pub ends_ms: u64,
    /// When the code was first used, in milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub created_ms: u64,
    /// The secrets of the new device's keys: the same device comes back, which may have been
    /// certified already.
    #[prost(bytes = "vec", tag = "4")]
    pub keys: Vec<u8>,
    /// The new device's name.
    #[prost(string, tag = "5")]
    pub name: String,
}

#[derive(Clone, PartialEq, prost::Message)]
#[prost(skip_debug)]
struct Envelope {
    #[prost(oneof = "Side", tags = "1, 2, 3, 4")]
    side: Option<Side>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
#[prost(skip_debug)]
enum Side {
    #[prost(message, tag = "1")]
    Host(HostRecord),
    #[prost(message, tag = "2")]
    Guest(GuestRecord),
    #[prost(message, tag = "3")]
    DeviceHost(DeviceHostRecord),
    #[prost(message, tag = "4")]
    DeviceGuest(DeviceGuestRecord),
}

impl Record {
    /// Reads a kept record.
    pub fn decode(bytes: &[u8]) -> Result<Record> {
        if bytes == ENDED_DEVICE {
            return Ok(Record::EndedDevice);
        }
        // Version 1 had no version byte, and no other version is that short.
        if let Ok(first) = <&[u8; 64]>::try_from(bytes) {
            let (space, key) = first.split_at(SpaceId::LEN);
            let key = key.try_into().map_err(|_| damaged())?;
            return Ok(Record::Closing(SpaceId::from_slice(space)?, key));
        }
        let Some((version, body)) = bytes.split_first() else {
            return Err(damaged());
        };
        let envelope = Envelope::decode(body).map_err(|_| damaged())?;
        match (*version, envelope.side) {
            (VERSION, Some(Side::Host(record))) => Ok(Record::Host(record)),
            (VERSION, Some(Side::Guest(record))) => Ok(Record::Guest(record)),
            (DEVICES, Some(Side::DeviceHost(record))) => Ok(Record::DeviceHost(record)),
            (DEVICES, Some(Side::DeviceGuest(record))) => Ok(Record::DeviceGuest(record)),
            _ => Err(damaged()),
        }
    }
}

// Codes, and the secrets that some of them stand for, do not stay in memory that was given back.

impl Drop for HostRecord {
    fn drop(&mut self) {
        self.code.zeroize();
        self.seed.zeroize();
    }
}

impl Drop for GuestRecord {
    fn drop(&mut self) {
        self.code.zeroize();
    }
}

impl Drop for DeviceHostRecord {
    fn drop(&mut self) {
        self.code.zeroize();
    }
}

impl Drop for DeviceGuestRecord {
    fn drop(&mut self) {
        self.code.zeroize();
        self.keys.zeroize();
    }
}

fn encode(version: u8, side: Side) -> Zeroizing<Vec<u8>> {
    let envelope = Envelope { side: Some(side) };
    // As much as it takes at once: a vector that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(1 + envelope.encoded_len()));
    bytes.push(version);
    envelope
        .encode(&mut *bytes)
        .expect("a vector has room for any message");
    bytes
}

impl HostRecord {
    /// The record's bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode(VERSION, Side::Host(self.clone()))
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
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode(VERSION, Side::Guest(self.clone()))
    }
}

impl DeviceHostRecord {
    /// The record's bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode(DEVICES, Side::DeviceHost(self.clone()))
    }
}

impl DeviceGuestRecord {
    /// The record's bytes.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        encode(DEVICES, Side::DeviceGuest(self.clone()))
    }
}

fn damaged() -> Error {
    Error::corrupt("what is kept of an invitation is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_devices_are_as_they_were_written() {
        let host = DeviceHostRecord {
            code: "echodb-link-x".into(),
            created_ms: 9,
        };
        let guest = DeviceGuestRecord {
            code: "echodb-link-y".into(),
            ends_ms: 10,
            created_ms: 9,
            keys: vec![7; 2],
            name: "Phone".into(),
        };
        let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
        assert_eq!(
            hex(&host.to_bytes()),
            "031a110a0d6563686f64622d6c696e6b2d781009"
        );
        assert_eq!(
            hex(&guest.to_bytes()),
            "03221e0a0d6563686f64622d6c696e6b2d79100a1809220207072a0550686f6e65"
        );
        match Record::decode(&host.to_bytes()) {
            Ok(Record::DeviceHost(read)) => assert!(read == host),
            _ => panic!("a device host's record is read as something else"),
        }
        match Record::decode(&guest.to_bytes()) {
            Ok(Record::DeviceGuest(read)) => assert!(read == guest),
            _ => panic!("a new device's record is read as something else"),
        }
        for mut bytes in [host.to_bytes(), guest.to_bytes()] {
            bytes[0] = VERSION;
            assert!(Record::decode(&bytes).is_err());
        }
    }

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
            Ok(Record::Host(read)) => assert!(read == host),
            _ => panic!("a host's record is read as something else"),
        }
        let guest = GuestRecord {
            code: "echodb-join-y".repeat(8),
            ends_ms: 10,
            created_ms: 9,
        };
        match Record::decode(&guest.to_bytes()) {
            Ok(Record::Guest(read)) => assert!(read == guest),
            _ => panic!("a guest's record is read as something else"),
        }
        match Record::decode(&[[1; 32], [2; 32]].concat()) {
            Ok(Record::Closing(space, key)) => {
                assert_eq!((space, key), (SpaceId([1; 32]), [2; 32]));
            }
            _ => panic!("an old record is read as something else"),
        }
        assert!(matches!(
            Record::decode(ENDED_DEVICE),
            Ok(Record::EndedDevice)
        ));
        // Each side under the version that has it, and no other.
        let mut swapped = [host.to_bytes(), guest.to_bytes()];
        for bytes in &mut swapped {
            bytes[0] = DEVICES;
            assert!(Record::decode(bytes).is_err());
        }
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
