//! Ed25519 (RFC 8032) signing and strict verification, and the one hash function.

use crate::model::{DeviceKey, Error, Result};
use curve25519_dalek::edwards::CompressedEdwardsY;
use ring::digest::{Context, SHA256};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

/// A device's Ed25519 signing key.
pub struct DeviceSigner {
    pair: Ed25519KeyPair,
    public: DeviceKey,
}

impl DeviceSigner {
    /// From a 32-byte seed (the private key of RFC 8032 section 5.1.5).
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = zeroize::Zeroizing::new(seed);
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_ref())
            .expect("every 32-byte seed is an Ed25519 key");
        let public = DeviceKey::from_slice(pair.public_key().as_ref())
            .expect("an Ed25519 public key has 32 bytes");
        DeviceSigner { pair, public }
    }

    /// The public key.
    pub fn public(&self) -> DeviceKey {
        self.public
    }

    /// Signs a message. Callers put a domain string in front, so that a signature made for one
    /// purpose means nothing elsewhere.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let signature = self.pair.sign(message);
        signature
            .as_ref()
            .try_into()
            .expect("an Ed25519 signature has 64 bytes")
    }
}

/// Checks an Ed25519 signature; a non-canonical S is refused (RFC 8032 section 5.1.7).
pub fn verify_signature(key: &[u8; 32], message: &[u8], signature: &[u8]) -> Result<()> {
    UnparsedPublicKey::new(&ED25519, key)
        .verify(message, signature)
        .map_err(|_| Error::protocol("a signature does not verify"))
}

/// Refuses public keys that are not points, are not in canonical form, or have small order: with
/// one of those a single signature verifies for many messages.
pub fn check_public_key(key: &[u8; 32]) -> Result<()> {
    let point = CompressedEdwardsY(*key).decompress();
    match point {
        Some(point) if !point.is_small_order() && point.compress().0 == *key => Ok(()),
        _ => Err(Error::protocol("not a usable Ed25519 public key")),
    }
}

/// SHA-256 of the parts one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(part);
    }
    let digest = context.finish();
    digest
        .as_ref()
        .try_into()
        .expect("a SHA-256 digest has 32 bytes")
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn rfc_8032_test_1() {
        let seed = HEXLOWER
            .decode(b"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
            .unwrap();
        let signer = DeviceSigner::from_seed(seed.try_into().unwrap());
        assert_eq!(
            HEXLOWER.encode(signer.public().as_bytes()),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"
        );
        let signature = signer.sign(b"");
        assert!(HEXLOWER.encode(&signature).starts_with("e5564300c360ac72"));
        verify_signature(&signer.public().0, b"", &signature).unwrap();
        assert!(verify_signature(&signer.public().0, b"x", &signature).is_err());
    }

    #[test]
    fn weak_and_malformed_public_keys_are_refused() {
        let mut one = [0; 32];
        one[0] = 1;
        // The identity, the points of order 4 and 2, and the identity's non-canonical twin.
        let mut minus_one = [0xff; 32];
        minus_one[0] = 0xec;
        minus_one[31] = 0x7f;
        let mut twin = minus_one;
        twin[0] = 0xee;
        let mut no_point = [0; 32];
        no_point[0] = 2;
        for key in [one, [0; 32], minus_one, twin, no_point] {
            assert!(check_public_key(&key).is_err(), "{key:?}");
        }
        check_public_key(&DeviceSigner::from_seed([7; 32]).public().0).unwrap();
    }

    #[test]
    fn malleated_signature_is_refused() {
        let signer = DeviceSigner::from_seed([3; 32]);
        let mut signature = signer.sign(b"message");
        // Adding the group order to S gives the same equation.
        let order = HEXLOWER
            .decode(b"edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
            .unwrap();
        let mut carry = 0u16;
        for (byte, add) in signature[32..].iter_mut().zip(order) {
            let sum = u16::from(*byte) + u16::from(add) + carry;
            *byte = sum as u8;
            carry = sum >> 8;
        }
        assert!(verify_signature(&signer.public().0, b"message", &signature).is_err());
    }
}
