//! The one HPKE suite of format version 1 (RFC 9180): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20-Poly1305, base mode.

use crate::model::{Error, Result};
use curve25519_dalek::montgomery::MontgomeryPoint;
use hpke::rand_core::{CryptoRng, RngCore};
use hpke::{Deserializable, Kem, Serializable};

pub(super) type Aead = hpke::aead::ChaCha20Poly1305;
pub(super) type Kdf = hpke::kdf::HkdfSha256;
pub(super) type Suite = hpke::kem::X25519HkdfSha256;

/// Feeds the caller's random bytes to the HPKE crate.
pub(super) struct Random<'a>(pub &'a mut dyn FnMut(&mut [u8]));

impl RngCore for Random<'_> {
    fn next_u32(&mut self) -> u32 {
        hpke::rand_core::impls::next_u32_via_fill(self)
    }

    fn next_u64(&mut self) -> u64 {
        hpke::rand_core::impls::next_u64_via_fill(self)
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        (self.0)(to)
    }
}

// The runtime passes the operating system's generator; tests pass a fixed one on purpose.
impl CryptoRng for Random<'_> {}

pub(super) fn secret_from(bytes: &[u8; 32]) -> <Suite as Kem>::PrivateKey {
    <Suite as Kem>::PrivateKey::from_bytes(bytes).expect("every 32 bytes are an X25519 key")
}

pub(super) fn public_of(secret: &[u8; 32]) -> [u8; 32] {
    Suite::sk_to_pk(&secret_from(secret)).to_bytes().into()
}

/// Refuses X25519 public keys of small order, zero among them: a shared secret made with one is
/// zero for everybody (RFC 7748 section 6.1).
pub(super) fn check_hpke_key(key: &[u8; 32]) -> Result<()> {
    // Clamping makes any scalar a multiple of the cofactor, which sends those points to zero.
    if MontgomeryPoint(*key).mul_clamped([0; 32]).0 == [0; 32] {
        return Err(Error::protocol("not a usable X25519 public key"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use data_encoding::HEXLOWER;

    #[test]
    fn small_order_keys_are_refused() {
        // The list of small-order points that the Wycheproof X25519 vectors use.
        for hex in [
            "0000000000000000000000000000000000000000000000000000000000000000",
            "0100000000000000000000000000000000000000000000000000000000000000",
            "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
            "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        ] {
            let key: [u8; 32] = HEXLOWER.decode(hex.as_bytes()).unwrap().try_into().unwrap();
            assert!(check_hpke_key(&key).is_err(), "{hex}");
        }
        check_hpke_key(&public_of(&[1; 32])).unwrap();
    }

    #[test]
    fn public_keys_follow_rfc_7748() {
        // Alice's keys in section 6.1.
        let secret: [u8; 32] = HEXLOWER
            .decode(b"77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
            .unwrap()
            .try_into()
            .unwrap();
        assert_eq!(
            HEXLOWER.encode(&public_of(&secret)),
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
        );
    }

    #[test]
    fn keys_whose_secret_is_zero_are_refused_and_no_others() {
        let json = include_str!("../../tests/vectors/wycheproof_x25519.json");
        let tests: Vec<serde_json::Value> = serde_json::from_str(json).unwrap();
        for test in &tests {
            let text = test["public"].as_str().unwrap();
            let key: [u8; 32] = HEXLOWER
                .decode(text.as_bytes())
                .unwrap()
                .try_into()
                .unwrap();
            let zero = test["shared"].as_str().unwrap().bytes().all(|b| b == b'0');
            assert_eq!(check_hpke_key(&key).is_err(), zero, "{test}");
        }
    }
}
