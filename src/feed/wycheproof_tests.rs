//! The Ed25519, ChaCha20-Poly1305 and HKDF vectors of Project Wycheproof, over the primitives that
//! this crate uses as it uses them.

use super::signer::{check_public_key, verify_signature};
use data_encoding::HEXLOWER;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, KeyType, Salt};
use serde_json::Value;

struct Case<'a>(&'a Value);

impl Case<'_> {
    fn bytes(&self, field: &str) -> Vec<u8> {
        let text = self.0[field].as_str().expect("a hexadecimal field");
        HEXLOWER.decode(text.as_bytes()).expect("hexadecimal")
    }

    fn is_valid(&self) -> bool {
        self.0["result"] == "valid"
    }
}

fn each(json: &str, count: usize, mut check: impl FnMut(&Case<'_>) -> bool) {
    let tests: Vec<Value> = serde_json::from_str(json).expect("the file is JSON");
    assert_eq!(tests.len(), count);
    for test in &tests {
        assert_eq!(check(&Case(test)), Case(test).is_valid(), "{test}");
    }
}

#[test]
fn ed25519() {
    let json = include_str!("../../tests/vectors/wycheproof_ed25519.json");
    each(json, 151, |case| {
        let key: [u8; 32] = case.bytes("pk").try_into().expect("keys have 32 bytes");
        check_public_key(&key).is_ok()
            && verify_signature(&key, &case.bytes("msg"), &case.bytes("sig")).is_ok()
    });
}

#[test]
fn chacha20_poly1305() {
    let json = include_str!("../../tests/vectors/wycheproof_chacha20_poly1305.json");
    each(json, 325, |case| {
        let key = UnboundKey::new(&CHACHA20_POLY1305, &case.bytes("key"));
        let (Ok(key), Ok(nonce)) = (key, Nonce::try_assume_unique_for_key(&case.bytes("iv")))
        else {
            return false;
        };
        let sealed = [case.bytes("ct"), case.bytes("tag")].concat();
        let mut opened = sealed.clone();
        let key = LessSafeKey::new(key);
        let aad = case.bytes("aad");
        let Ok(plain) = key.open_in_place(nonce, Aad::from(&aad), &mut opened) else {
            return false;
        };
        assert_eq!(plain, case.bytes("msg"), "{}", case.0);
        let nonce =
            Nonce::try_assume_unique_for_key(&case.bytes("iv")).expect("it was taken above");
        let mut again = case.bytes("msg");
        key.seal_in_place_append_tag(nonce, Aad::from(&aad), &mut again)
            .expect("it is short");
        again == sealed
    });
}

#[test]
fn hkdf_sha256() {
    struct Length(usize);
    impl KeyType for Length {
        fn len(&self) -> usize {
            self.0
        }
    }
    let json = include_str!("../../tests/vectors/wycheproof_hkdf_sha256.json");
    each(json, 86, |case| {
        let size = case.0["size"].as_u64().expect("a number");
        let mut out = vec![0; usize::try_from(size).expect("a small number")];
        let info = case.bytes("info");
        let info = [info.as_slice()];
        let filled = Salt::new(HKDF_SHA256, &case.bytes("salt"))
            .extract(&case.bytes("ikm"))
            .expand(&info, Length(out.len()))
            .and_then(|okm| okm.fill(&mut out));
        filled.is_ok() && out == case.bytes("okm")
    });
}
