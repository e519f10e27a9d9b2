//! The feed header: says once, signed by the device, whose feed this is.

use super::codec::Reader;
use super::signer::{DeviceSigner, check_public_key, sha256, verify_signature};
use crate::model::{DeviceKey, Error, FeedId, IdentityKey, Result, SpaceId};

const SIGN_DOMAIN: &[u8] = b"echodb/feed/v1";
const ID_DOMAIN: &[u8] = b"echodb/feed-id/v1";
const VERSION: u8 = 1;

/// What a feed carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum FeedKind {
    /// Control operations: membership, devices, keys. Never pruned, never sealed.
    Control = 0,
    /// Changes of objects, sealed under a content key.
    Data = 1,
}

impl FeedKind {
    /// From its byte. Errors on any other.
    pub fn from_byte(byte: u8) -> Result<FeedKind> {
        match byte {
            0 => Ok(FeedKind::Control),
            1 => Ok(FeedKind::Data),
            other => Err(Error::protocol(format!("{other} is not a feed kind"))),
        }
    }
}

/// Travels once per feed, signed by the device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedHeader {
    /// What the feed carries.
    pub kind: FeedKind,
    /// The space; zero in the control feed that creates the space, whose id is not known yet.
    pub space: SpaceId,
    /// The identity the device writes for.
    pub identity: IdentityKey,
    /// The device that signs the feed's entries.
    pub device: DeviceKey,
    /// Random: a device that may have been copied or restored starts new feeds with a new one.
    pub incarnation: [u8; 16],
}

impl FeedHeader {
    /// Length of the encoded, signed header.
    pub const ENCODED_LEN: usize = 178;

    /// The feed's id: the first 16 bytes of a hash over every field, so that nobody can present
    /// the feed under another identity.
    pub fn feed_id(&self) -> FeedId {
        let [id, _] = split(sha256(&[ID_DOMAIN, &self.fields()]));
        FeedId(id)
    }

    /// The header's bytes with the device's signature. `signer` must hold the key of `device`.
    pub fn sign(&self, signer: &DeviceSigner) -> Vec<u8> {
        let mut bytes = self.fields();
        let signature = signer.sign(&[SIGN_DOMAIN, &bytes].concat());
        bytes.extend_from_slice(&signature);
        bytes
    }

    /// Reads a header and verifies its signature.
    ///
    /// Errors when it is malformed, of another version, wrongly signed, or made for a space other
    /// than `space`; a control feed may also name no space (it may have created this one, which
    /// the authority checks).
    pub fn decode(bytes: &[u8], space: SpaceId) -> Result<FeedHeader> {
        let (header, signature) = FeedHeader::read(bytes, space)?;
        check_public_key(&header.identity.0)?;
        check_public_key(&header.device.0)?;
        let signed = [SIGN_DOMAIN, &header.fields()].concat();
        verify_signature(&header.device.0, &signed, &signature)
            .map_err(|e| e.context("feed header"))?;
        Ok(header)
    }

    /// Decodes a header that [`FeedHeader::decode`] was once happy with, as those that are stored.
    pub fn decode_known(bytes: &[u8], space: SpaceId) -> Result<FeedHeader> {
        FeedHeader::read(bytes, space).map(|(header, _)| header)
    }

    fn read(bytes: &[u8], space: SpaceId) -> Result<(FeedHeader, [u8; 64])> {
        let mut reader = Reader::new(bytes, "feed header");
        reader.version(VERSION)?;
        let header = FeedHeader {
            kind: FeedKind::from_byte(reader.u8()?)?,
            space: SpaceId(reader.array()?),
            identity: IdentityKey(reader.array()?),
            device: DeviceKey(reader.array()?),
            incarnation: reader.array()?,
        };
        let signature: [u8; 64] = reader.array()?;
        reader.finish()?;
        let creates = header.kind == FeedKind::Control && header.space == SpaceId::ZERO;
        if header.space != space && !creates {
            return Err(Error::protocol("feed header: made for another space"));
        }
        Ok((header, signature))
    }

    fn fields(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(Self::ENCODED_LEN);
        out.extend_from_slice(&[VERSION, self.kind as u8]);
        out.extend_from_slice(self.space.as_bytes());
        out.extend_from_slice(self.identity.as_bytes());
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.incarnation);
        out
    }
}

/// The two halves of a hash.
pub(super) fn split(hash: [u8; 32]) -> [[u8; 16]; 2] {
    let mut halves = [[0; 16]; 2];
    for (to, from) in halves.iter_mut().flatten().zip(hash) {
        *to = from;
    }
    halves
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(kind: FeedKind, space: SpaceId) -> (FeedHeader, Vec<u8>) {
        let signer = DeviceSigner::from_seed([2; 32]);
        let header = FeedHeader {
            kind,
            space,
            identity: IdentityKey(DeviceSigner::from_seed([1; 32]).public().0),
            device: signer.public(),
            incarnation: [5; 16],
        };
        let bytes = header.sign(&signer);
        (header, bytes)
    }

    #[test]
    fn round_trip() {
        let space = SpaceId([9; 32]);
        let (header, bytes) = sample(FeedKind::Data, space);
        assert_eq!(bytes.len(), FeedHeader::ENCODED_LEN);
        assert_eq!(FeedHeader::decode(&bytes, space).unwrap(), header);
    }

    #[test]
    fn other_spaces_are_refused_and_only_control_feeds_may_name_none() {
        let space = SpaceId([9; 32]);
        let (_, bytes) = sample(FeedKind::Data, SpaceId([8; 32]));
        assert!(FeedHeader::decode(&bytes, space).is_err());
        let (_, bytes) = sample(FeedKind::Data, SpaceId::ZERO);
        assert!(FeedHeader::decode(&bytes, space).is_err());
        let (_, bytes) = sample(FeedKind::Control, SpaceId::ZERO);
        FeedHeader::decode(&bytes, space).unwrap();
    }

    #[test]
    fn every_mutation_and_truncation_is_refused() {
        let space = SpaceId([9; 32]);
        let (_, bytes) = sample(FeedKind::Control, space);
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80, 0xff] {
                let mut bad = bytes.clone();
                bad[at] ^= flip;
                assert!(FeedHeader::decode(&bad, space).is_err(), "byte {at}");
            }
            assert!(FeedHeader::decode(&bytes[..at], space).is_err());
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(FeedHeader::decode(&longer, space).is_err());
    }
}
