//! Who is at the other end of a session: each side sends its device chain and a signature of
//! the handshake hash by that device's key.
//!
//! Format: version (1 byte), chain length (big-endian `u16`), chain, signature
//! (64 bytes); nothing after. Signed bytes: domain, handshake hash (32), role (1 = initiator,
//! 2 = responder). The role byte keeps one side's proof from being sent back as the other's. The
//! handshake hash covers both Noise static keys, both ephemeral keys and both DTLS fingerprints.
//!
//! The proof travels inside the session, so only the peer sees who is there. Both sides send
//! before they read; neither sends anything of a space before the other's proof is verified.

use crate::model::{DeviceKey, Error, Result, limits};
use ring::signature::{ED25519, UnparsedPublicKey};

/// Separates these signatures from everything else that a device key signs.
const DOMAIN: &[u8] = b"echo-db/peer-proof/v1";
/// The version of the format.
const VERSION: u8 = 1;
/// Bytes before the certificate.
const HEADER_BYTES: usize = 3;
/// Bytes of an Ed25519 signature (RFC 8032).
const SIGNATURE_BYTES: usize = 64;
/// Largest chain taken from a peer, in bytes.
pub const CERTIFICATE_BYTES: usize = limits::CHAIN_BYTES;

/// A decoded proof. Nothing in it is believed before [`PeerProof::verify`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerProof {
    certificate: Vec<u8>,
    signature: [u8; SIGNATURE_BYTES],
}

impl PeerProof {
    /// Makes this side's proof: `sign` signs with the key of the device that `certificate` names.
    pub fn create(
        certificate: &[u8],
        handshake_hash: &[u8; 32],
        initiator: bool,
        sign: impl FnOnce(&[u8]) -> [u8; 64],
    ) -> Result<PeerProof> {
        if certificate.is_empty() || certificate.len() > CERTIFICATE_BYTES {
            return Err(Error::limit(format!(
                "a device certificate has 1 to {CERTIFICATE_BYTES} bytes, not {}",
                certificate.len()
            )));
        }
        Ok(PeerProof {
            certificate: certificate.to_vec(),
            signature: sign(&signed_bytes(handshake_hash, initiator)),
        })
    }

    /// The bytes to send.
    pub fn encode(&self) -> Vec<u8> {
        let length = u16::try_from(self.certificate.len())
            .expect("create and decode bound the certificate far below 64 KiB");
        let mut bytes = Vec::with_capacity(HEADER_BYTES + self.certificate.len() + SIGNATURE_BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(&self.certificate);
        bytes.extend_from_slice(&self.signature);
        bytes
    }

    /// Reads what a peer sent.
    pub fn decode(bytes: &[u8]) -> Result<PeerProof> {
        let bad = || Error::protocol("the peer's proof of its device is malformed");
        let (header, rest) = bytes.split_first_chunk::<HEADER_BYTES>().ok_or_else(bad)?;
        let [version, high, low] = *header;
        if version != VERSION {
            return Err(Error::protocol(format!(
                "the peer's proof of its device has version {version}; this library knows {VERSION}"
            )));
        }
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 || length > CERTIFICATE_BYTES {
            return Err(bad());
        }
        let (certificate, signature) = rest.split_at_checked(length).ok_or_else(bad)?;
        Ok(PeerProof {
            certificate: certificate.to_vec(),
            signature: signature.try_into().map_err(|_| bad())?,
        })
    }

    /// The peer's device certificate, exactly as sent; the caller decodes and verifies it.
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// Verifies the signature with the key of the device that the certificate names.
    /// `peer_is_initiator` is the *sender's* role in the handshake.
    pub fn verify(
        &self,
        device: &DeviceKey,
        handshake_hash: &[u8; 32],
        peer_is_initiator: bool,
    ) -> Result<()> {
        UnparsedPublicKey::new(&ED25519, device.as_bytes())
            .verify(
                &signed_bytes(handshake_hash, peer_is_initiator),
                &self.signature,
            )
            .map_err(|_| {
                Error::protocol("the peer does not hold the key of the device that it claims to be")
            })
    }
}

fn signed_bytes(handshake_hash: &[u8; 32], initiator: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(DOMAIN.len() + 33);
    bytes.extend_from_slice(DOMAIN);
    bytes.extend_from_slice(handshake_hash);
    bytes.push(if initiator { 1 } else { 2 });
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ErrorKind;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    fn device(seed: u8) -> (Ed25519KeyPair, DeviceKey) {
        let pair = Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap();
        let key = DeviceKey::from_slice(pair.public_key().as_ref()).unwrap();
        (pair, key)
    }

    fn proof(seed: u8, hash: &[u8; 32], initiator: bool) -> PeerProof {
        let (pair, _) = device(seed);
        PeerProof::create(b"certificate", hash, initiator, |bytes| {
            pair.sign(bytes).as_ref().try_into().unwrap()
        })
        .unwrap()
    }

    #[test]
    fn round_trip() {
        let sent = proof(1, &[9; 32], true);
        let got = PeerProof::decode(&sent.encode()).unwrap();
        assert_eq!(got, sent);
        assert_eq!(got.certificate(), b"certificate");
        got.verify(&device(1).1, &[9; 32], true).unwrap();
    }

    #[test]
    fn another_session_role_or_device_is_refused() {
        let sent = proof(1, &[9; 32], true);
        let refused =
            |result: Result<()>| assert_eq!(result.unwrap_err().kind(), ErrorKind::Protocol);
        refused(sent.verify(&device(1).1, &[8; 32], true));
        refused(sent.verify(&device(1).1, &[9; 32], false));
        refused(sent.verify(&device(2).1, &[9; 32], true));
    }

    #[test]
    fn every_truncation_and_every_change_is_refused() {
        let bytes = proof(1, &[9; 32], false).encode();
        let accepted = |bytes: &[u8]| {
            PeerProof::decode(bytes).is_ok_and(|p| {
                // The certificate is checked by its own signatures; here it must be unchanged.
                p.certificate() == b"certificate" && p.verify(&device(1).1, &[9; 32], false).is_ok()
            })
        };
        assert!(accepted(&bytes));
        for cut in 0..bytes.len() {
            assert!(!accepted(&bytes[..cut]));
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert!(!accepted(&longer));
        for at in 0..bytes.len() {
            for bit in 0..8 {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(!accepted(&changed), "byte {at} bit {bit}");
            }
        }
        assert!(
            PeerProof::create(&[0; CERTIFICATE_BYTES + 1], &[0; 32], true, |_| [0; 64]).is_err()
        );
    }
}
