//! Wraps: a content key sealed to one device with HPKE (RFC 9180).

use super::hpke_suite::{Aead, Kdf, Random, Suite, check_hpke_key};
use crate::feed::codec::Reader;
use crate::model::{DeviceKey, Error, Result};
use hpke::{Deserializable, Kem, OpModeS, Serializable};

/// Length of a sealed 32-byte key: the key and the authentication tag.
const SEALED_LEN: usize = 48;

/// A content key sealed to one device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrap {
    /// The device it is for.
    pub device: DeviceKey,
    /// The encapsulated key of HPKE.
    pub enc: [u8; 32],
    /// The sealed content key, 48 bytes.
    pub sealed: Vec<u8>,
}

impl Wrap {
    /// Appends device, encapsulated key and sealed key.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.device.as_bytes());
        out.extend_from_slice(&self.enc);
        out.extend_from_slice(&self.sealed);
    }

    /// Length of what [`Wrap::put`] appends.
    pub const ENCODED_LEN: usize = DeviceKey::LEN + 32 + SEALED_LEN;

    /// Reads what [`Wrap::put`] wrote.
    pub fn take(reader: &mut Reader<'_>) -> Result<Wrap> {
        Ok(Wrap {
            device: DeviceKey(reader.array()?),
            enc: reader.array()?,
            sealed: reader.take(SEALED_LEN)?.to_vec(),
        })
    }
}

/// Seals `key` to the holder of the X25519 key `to_hpke`. `info` says what the key is (space and
/// key id), so that a wrap cannot be passed off as another's; the device is authenticated too.
///
/// Errors when `to_hpke` is a key of small order (the all-zero key among them).
pub fn wrap_key(
    to_hpke: &[u8; 32],
    device: DeviceKey,
    info: &[u8],
    key: &[u8; 32],
    random: &mut dyn FnMut(&mut [u8]),
) -> Result<Wrap> {
    check_hpke_key(to_hpke)?;
    let to = <Suite as Kem>::PublicKey::from_bytes(to_hpke)
        .map_err(|_| Error::protocol("not an X25519 public key"))?;
    let (enc, sealed) = hpke::single_shot_seal::<Aead, Kdf, Suite, _>(
        &OpModeS::Base,
        &to,
        info,
        key,
        device.as_bytes(),
        &mut Random(random),
    )
    .map_err(|_| Error::protocol("a key cannot be sealed to this device"))?;
    Ok(Wrap {
        device,
        enc: enc.to_bytes().into(),
        sealed,
    })
}
