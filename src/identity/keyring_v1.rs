//! Keyrings of version 1, which held the entropy that the identity's key follows from. Reading one
//! certifies the device and drops the entropy.

use super::device_keys::DeviceKeys;
use super::keyring::Keyring;
use super::keyring_codec::{CHECK_LEN, damaged, verify_sum};
use crate::feed::DeviceSigner;
use crate::feed::codec::Reader;
use crate::model::Result;
use ring::hkdf::{HKDF_SHA256, Salt};
use zeroize::Zeroizing;

pub(super) const VERSION: u8 = 1;
const DOMAIN: &[u8] = b"echodb/keyring/v1";
const IDENTITY_DOMAIN: &[u8] = b"echodb/identity-seed/v1";
const ENTROPY_LEN: usize = 16;

/// Version, entropy, device seed, HPKE secret, check sum.
pub(super) fn decode(bytes: &[u8]) -> Result<Keyring> {
    let mut reader = Reader::new(bytes, "keyring");
    reader.version(VERSION)?;
    verify_sum(DOMAIN, bytes)?;
    let entropy: Zeroizing<[u8; ENTROPY_LEN]> = Zeroizing::new(reader.array().map_err(damaged)?);
    let seed = Zeroizing::new(reader.array().map_err(damaged)?);
    let hpke_secret = Zeroizing::new(reader.array().map_err(damaged)?);
    reader.take(CHECK_LEN).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    let keys = DeviceKeys::from_secrets(seed, hpke_secret);
    Ok(Keyring::first(&identity_signer(&entropy), keys, ""))
}

/// The identity's key followed from the entropy alone (HKDF-SHA256, RFC 5869).
pub(super) fn identity_signer(entropy: &[u8; ENTROPY_LEN]) -> DeviceSigner {
    let mut seed = Zeroizing::new([0; 32]);
    Salt::new(HKDF_SHA256, IDENTITY_DOMAIN)
        .extract(entropy)
        .expand(&[b"ed25519"], HKDF_SHA256)
        .and_then(|okm| okm.fill(seed.as_mut()))
        .expect("HKDF yields 32 bytes");
    DeviceSigner::from_seed(*seed)
}

#[cfg(test)]
pub(super) fn encode(entropy: &[u8; ENTROPY_LEN], keys: &DeviceKeys) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(entropy);
    out.extend_from_slice(keys.seed.as_ref());
    out.extend_from_slice(keys.hpke_secret.as_ref());
    let check = super::keyring_codec::check_sum(DOMAIN, &out);
    out.extend_from_slice(&check);
    out
}
