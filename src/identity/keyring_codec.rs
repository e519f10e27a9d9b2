//! The keyring as it is stored.

use super::chain::DeviceChain;
use super::device_keys::DeviceKeys;
use super::keyring::{Keyring, OLDER_SECRETS};
use crate::feed::codec::{Reader, put_bytes};
use crate::feed::sha256;
use crate::model::{Error, Result};
use zeroize::Zeroizing;

const VERSION: u8 = 2;
const DOMAIN: &[u8] = b"echodb/keyring/v2";
pub(super) const CHECK_LEN: usize = 8;

/// Version, device seed, HPKE secret, older HPKE secrets (count, then each), chain, and a check sum
/// against damage (not against malice: whoever can write here has the secrets).
pub(super) fn encode(keyring: &Keyring) -> Zeroizing<Vec<u8>> {
    let chain = keyring.chain.encode();
    let secrets = 2 + keyring.older.len();
    // Allocated at once: a vector that grows leaves copies of secrets behind.
    let len = 2 + secrets * 32 + 5 + chain.len() + CHECK_LEN;
    let mut out = Zeroizing::new(Vec::with_capacity(len));
    out.push(VERSION);
    out.extend_from_slice(keyring.keys.seed.as_ref());
    out.extend_from_slice(keyring.keys.hpke_secret.as_ref());
    out.push(u8::try_from(keyring.older.len()).expect("few are kept"));
    for secret in &keyring.older {
        out.extend_from_slice(secret.as_ref());
    }
    put_bytes(&mut out, &chain);
    let check = check_sum(DOMAIN, &out);
    out.extend_from_slice(&check);
    out
}

pub(super) fn decode(bytes: &[u8]) -> Result<Keyring> {
    let mut reader = Reader::new(bytes, "keyring");
    reader.version(VERSION)?;
    verify_sum(DOMAIN, bytes)?;
    let seed = Zeroizing::new(reader.array().map_err(damaged)?);
    let hpke_secret = Zeroizing::new(reader.array().map_err(damaged)?);
    let count = usize::from(reader.u8().map_err(damaged)?);
    if count > OLDER_SECRETS {
        return Err(Error::corrupt("the keyring is damaged"));
    }
    let older = (0..count)
        .map(|_| reader.array().map(Zeroizing::new).map_err(damaged))
        .collect::<Result<Vec<_>>>()?;
    let chain = reader.bytes(DeviceChain::MAX_LEN).map_err(damaged)?;
    let chain = DeviceChain::decode(chain).map_err(damaged)?;
    reader.take(CHECK_LEN).map_err(damaged)?;
    reader.finish().map_err(damaged)?;
    let keys = DeviceKeys::from_secrets(seed, hpke_secret);
    let certificate = chain.certificate();
    if certificate.device != keys.device_key() || certificate.hpke != keys.hpke_public() {
        return Err(Error::corrupt("the keyring is damaged"));
    }
    Ok(Keyring { keys, older, chain })
}

/// Whether the last bytes are the check sum of those before.
pub(super) fn verify_sum(domain: &[u8], bytes: &[u8]) -> Result<()> {
    let split = bytes.split_last_chunk::<CHECK_LEN>();
    match split {
        Some((covered, check)) if check_sum(domain, covered) == *check => Ok(()),
        _ => Err(Error::corrupt("the keyring is damaged")),
    }
}

pub(super) fn check_sum(domain: &[u8], bytes: &[u8]) -> [u8; CHECK_LEN] {
    let mut check = [0; CHECK_LEN];
    for (to, from) in check.iter_mut().zip(sha256(&[domain, bytes])) {
        *to = from;
    }
    check
}

pub(super) fn damaged(_: Error) -> Error {
    Error::corrupt("the keyring is damaged")
}
