//! Showing on a session that one has the recovery phrase, before the other side tells anything.
//!
//! Signed bytes: domain, handshake hash (32), role (1 = initiator, 2 = responder), the new device's
//! key (32). The handshake hash covers both sides' session keys and DTLS fingerprints, so that the
//! signature is of no use on any other session.

use super::device_keys::DeviceKeys;
use super::recovery::RecoveryPhrase;
use crate::feed::verify_signature;
use crate::model::{DeviceKey, Error, RecoveryKey, Result};

const DOMAIN: &[u8] = b"echodb/recovery-possession/v1";

impl RecoveryPhrase {
    /// Shows, on one session and for one device, that this phrase is here.
    pub fn prove(
        &self,
        handshake_hash: &[u8; 32],
        initiator: bool,
        device: &DeviceKey,
    ) -> [u8; 64] {
        let signed = signed_bytes(handshake_hash, initiator, device);
        self.signer().sign(&signed)
    }
}

impl DeviceKeys {
    /// The same keys once more, for whoever proves them on a session while they are being
    /// certified.
    pub fn duplicate(&self) -> DeviceKeys {
        DeviceKeys::from_secrets(self.seed.clone(), self.hpke_secret.clone())
    }
}

/// Checks what [`RecoveryPhrase::prove`] made. `peer_is_initiator` is the *sender's* role.
pub fn verify_possession(
    key: &RecoveryKey,
    handshake_hash: &[u8; 32],
    peer_is_initiator: bool,
    device: &DeviceKey,
    signature: &[u8; 64],
) -> Result<()> {
    let signed = signed_bytes(handshake_hash, peer_is_initiator, device);
    verify_signature(&key.0, &signed, signature)
        .map_err(|_| Error::protocol("the other side does not have the recovery phrase"))
}

fn signed_bytes(handshake_hash: &[u8; 32], initiator: bool, device: &DeviceKey) -> Vec<u8> {
    let mut bytes = DOMAIN.to_vec();
    bytes.extend_from_slice(handshake_hash);
    bytes.push(if initiator { 1 } else { 2 });
    bytes.extend_from_slice(device.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_holds_on_its_session_in_its_role_for_its_device_and_key_only() {
        let phrase = |seed: u8| RecoveryPhrase::generate(&mut |bytes| bytes.fill(seed));
        let (own, other) = (phrase(1), phrase(2));
        let device = DeviceKey([7; 32]);
        let proof = own.prove(&[9; 32], true, &device);
        assert!(verify_possession(&own.key(), &[9; 32], true, &device, &proof).is_ok());
        assert!(verify_possession(&own.key(), &[8; 32], true, &device, &proof).is_err());
        assert!(verify_possession(&own.key(), &[9; 32], false, &device, &proof).is_err());
        let another = DeviceKey([8; 32]);
        assert!(verify_possession(&own.key(), &[9; 32], true, &another, &proof).is_err());
        assert!(verify_possession(&other.key(), &[9; 32], true, &device, &proof).is_err());
        for at in 0..proof.len() {
            let mut changed = proof;
            changed[at] ^= 1;
            assert!(verify_possession(&own.key(), &[9; 32], true, &device, &changed).is_err());
        }
    }
}
