use super::*;
use crate::identity::wrap_key;
use crate::model::ErrorKind;

fn counting(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut next = seed;
    move |to: &mut [u8]| {
        for byte in to {
            *byte = next;
            next = next.wrapping_add(1);
        }
    }
}

#[test]
fn keyrings_round_trip_and_notice_damage() {
    let keyring = Keyring::generate(&mut counting(0));
    let bytes = keyring.encode();
    let read = Keyring::decode(&bytes).unwrap();
    assert_eq!(read.identity_key(), keyring.identity_key());
    assert_eq!(read.device_key(), keyring.device_key());
    assert_eq!(read.hpke_public(), keyring.hpke_public());
    for at in 0..bytes.len() {
        let mut bad = bytes.to_vec();
        bad[at] ^= 1;
        let kind = Keyring::decode(&bad).unwrap_err().kind();
        let expected = if at == 0 {
            ErrorKind::UnsupportedVersion
        } else {
            ErrorKind::Corrupt
        };
        assert_eq!(kind, expected, "byte {at}");
        assert!(Keyring::decode(&bytes[..at]).is_err());
    }
}

#[test]
fn the_phrase_restores_the_identity_but_not_the_device() {
    let keyring = Keyring::generate(&mut counting(0));
    let phrase = keyring.recovery_phrase();
    assert_eq!(phrase.split(' ').count(), 12);
    let typed = format!("  {} ", phrase.to_uppercase().replace(' ', "\n"));
    let restored = Keyring::recover(&typed, &mut counting(77)).unwrap();
    assert_eq!(restored.identity_key(), keyring.identity_key());
    assert_ne!(restored.device_key(), keyring.device_key());
    let mut words: Vec<_> = phrase.split(' ').collect();
    words.swap(0, 1);
    assert!(Keyring::recover(&words.join(" "), &mut counting(1)).is_err());
    assert!(Keyring::recover("", &mut counting(1)).is_err());
}

#[test]
fn certificates_verify_and_every_mutation_is_refused() {
    let keyring = Keyring::generate(&mut counting(0));
    let bytes = keyring.device_certificate("Büro");
    let certificate = DeviceCertificate::decode(&bytes).unwrap();
    assert_eq!(certificate.identity, keyring.identity_key());
    assert_eq!(certificate.device, keyring.device_key());
    assert_eq!(certificate.hpke, keyring.hpke_public());
    assert_eq!(certificate.name, "Büro");
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80] {
            let mut bad = bytes.clone();
            bad[at] ^= flip;
            assert!(DeviceCertificate::decode(&bad).is_err(), "byte {at}");
        }
        assert!(DeviceCertificate::decode(&bytes[..at]).is_err());
    }
    let long = keyring.device_certificate(&"😀".repeat(1000));
    assert!(long.len() <= DeviceCertificate::MAX_LEN);
    assert_eq!(
        DeviceCertificate::decode(&long)
            .unwrap()
            .name
            .chars()
            .count(),
        256
    );
}

#[test]
fn wraps_open_for_their_device_and_purpose_only() {
    let alice = Keyring::generate(&mut counting(0));
    let bob = Keyring::generate(&mut counting(100));
    let mut random = counting(9);
    let wrap = wrap_key(
        &alice.hpke_public(),
        alice.device_key(),
        b"info",
        &[7; 32],
        &mut random,
    )
    .unwrap();
    assert_eq!(alice.open_wrap(b"info", &wrap).unwrap(), [7; 32]);
    assert!(alice.open_wrap(b"other", &wrap).is_err());
    assert!(bob.open_wrap(b"info", &wrap).is_err());
    let mut bytes = Vec::new();
    wrap.put(&mut bytes);
    assert_eq!(bytes.len(), Wrap::ENCODED_LEN);
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        let bad = Wrap::take(&mut Reader::new(&bad, "wrap")).unwrap();
        assert!(alice.open_wrap(b"info", &bad).is_err(), "byte {at}");
    }
}

#[test]
fn the_all_zero_x25519_key_is_refused() {
    let alice = Keyring::generate(&mut counting(0));
    let mut random = counting(9);
    assert!(wrap_key(&[0; 32], alice.device_key(), b"", &[7; 32], &mut random).is_err());
    let wrap = Wrap {
        device: alice.device_key(),
        enc: [0; 32],
        sealed: vec![0; 48],
    };
    assert!(alice.open_wrap(b"", &wrap).is_err());
    let certificate = DeviceCertificate {
        identity: alice.identity_key(),
        device: alice.device_key(),
        hpke: [0; 32],
        name: String::new(),
    };
    let bytes = certificate.sign(&identity_signer(&alice.entropy), alice.device_signer());
    assert!(DeviceCertificate::decode(&bytes).is_err());
}
