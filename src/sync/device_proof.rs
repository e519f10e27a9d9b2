//! Who is at the other end before there is an identity: a new device shows that it holds the key
//! that is about to be certified. In an invitation of a device this stands where others prove the
//! device of an identity ([`super::peer_proof`]).
//!
//! Format: version (1 byte, 1), device key (32), signature (64); nothing after. Signed bytes:
//! domain, handshake hash (32), role (1 = initiator, 2 = responder), as for a device of an identity,
//! but in another domain.

use crate::feed::{check_public_key, verify_signature};
use crate::model::{DeviceKey, Error, Result};

const DOMAIN: &[u8] = b"echo-db/new-device-proof/v1";
const VERSION: u8 = 1;

/// Makes the proof of the device `device`: `sign` signs with its key.
pub fn create(
    device: &DeviceKey,
    handshake_hash: &[u8; 32],
    initiator: bool,
    sign: impl FnOnce(&[u8]) -> [u8; 64],
) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(device.as_bytes());
    bytes.extend_from_slice(&sign(&signed_bytes(handshake_hash, initiator)));
    bytes
}

/// Reads and verifies what a peer sent. `peer_is_initiator` is the *sender's* role in the
/// handshake.
pub fn verify(
    bytes: &[u8],
    handshake_hash: &[u8; 32],
    peer_is_initiator: bool,
) -> Result<DeviceKey> {
    let bad = || Error::protocol("the new device's proof of its key is malformed");
    let (version, rest) = bytes.split_first().ok_or_else(bad)?;
    if *version != VERSION {
        return Err(Error::protocol(format!(
            "the new device's proof has version {version}; this library knows {VERSION}"
        )));
    }
    let (device, signature) = rest.split_at_checked(DeviceKey::LEN).ok_or_else(bad)?;
    let device = DeviceKey::from_slice(device).map_err(|_| bad())?;
    let signature: [u8; 64] = signature.try_into().map_err(|_| bad())?;
    check_public_key(&device.0)?;
    let signed = signed_bytes(handshake_hash, peer_is_initiator);
    verify_signature(&device.0, &signed, &signature).map_err(|_| {
        Error::protocol("the new device does not hold the key that it asks to be certified")
    })?;
    Ok(device)
}

fn signed_bytes(handshake_hash: &[u8; 32], initiator: bool) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    bytes.extend_from_slice(handshake_hash);
    bytes.push(if initiator { 1 } else { 2 });
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feed::DeviceSigner;

    #[test]
    fn a_proof_holds_on_its_session_in_its_role_for_its_device_only() {
        let signer = DeviceSigner::from_seed([1; 32]);
        let bytes = create(&signer.public(), &[9; 32], true, |b| signer.sign(b));
        assert_eq!(verify(&bytes, &[9; 32], true).unwrap(), signer.public());
        assert!(verify(&bytes, &[8; 32], true).is_err());
        assert!(verify(&bytes, &[9; 32], false).is_err());
        for cut in 0..bytes.len() {
            assert!(verify(&bytes[..cut], &[9; 32], true).is_err(), "{cut}");
        }
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert!(verify(&changed, &[9; 32], true).is_err(), "byte {at}");
        }
        assert!(verify(&[bytes, vec![0]].concat(), &[9; 32], true).is_err());
    }
}
