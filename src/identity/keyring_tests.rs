use super::*;
use crate::feed::codec::Reader;
use crate::identity::wrap_key;
use crate::model::{ErrorKind, limits};

fn counting(seed: u8) -> impl FnMut(&mut [u8]) {
    let mut count = 0u64;
    move |to: &mut [u8]| {
        for part in to.chunks_mut(32) {
            count += 1;
            let hash = crate::feed::sha256(&[&[seed], &count.to_le_bytes()]);
            part.copy_from_slice(&hash[..part.len()]);
        }
    }
}

#[test]
fn keyrings_round_trip_and_notice_damage() {
    let first = Keyring::generate(&mut counting(0));
    let second = first.enrol(1, "phone", &mut counting(9));
    let renewed = second.renew_hpke(&mut counting(20)).unwrap();
    for keyring in [first, second, renewed] {
        let bytes = keyring.encode();
        assert!(!Keyring::is_outdated(&bytes));
        let read = Keyring::decode(&bytes).unwrap();
        assert_eq!(read.device_key(), keyring.device_key());
        assert_eq!(read.hpke_public(), keyring.hpke_public());
        assert_eq!(read.chain(), keyring.chain());
        assert_eq!(read.older, keyring.older);
        assert_eq!(*read.encode(), *bytes);
        for at in 0..bytes.len() {
            let mut bad = bytes.to_vec();
            bad[at] ^= 4;
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
}

#[test]
fn version_1_certifies_its_device_and_is_forgotten() {
    let (made, bytes) = Keyring::version_1("", &mut counting(0));
    assert!(Keyring::is_outdated(&bytes));
    let read = Keyring::decode(&bytes).unwrap();
    assert_eq!(read.chain(), made.chain());
    let certificate = read.chain().certificate();
    assert_eq!(certificate.issuer, Issuer::Identity);
    assert_eq!(certificate.device, read.device_key());
    let entropy = &bytes[1..17];
    let stored = read.encode();
    assert!(!stored.windows(16).any(|part| part == entropy));
    let mut bad = bytes.clone();
    bad[40] ^= 1;
    assert_eq!(
        Keyring::decode(&bad).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
}

#[test]
fn another_device_is_certified_on_its_own_request_only() {
    let first = Keyring::generate(&mut counting(0));
    let keys = DeviceKeys::generate(&mut counting(50));
    let request = keys.request(first.identity_key(), first.device_key(), 3, "Büro");
    for at in 0..request.len() {
        let mut bad = request.clone();
        bad[at] ^= 1;
        assert!(first.certify(&bad).is_err(), "byte {at}");
        assert!(first.certify(&request[..at]).is_err());
    }
    // A request that another made is of no use here, and neither is one for a place above our own.
    let stranger = Keyring::generate(&mut counting(80));
    assert!(stranger.certify(&request).is_err());
    let second = first.enrol(2, "tablet", &mut counting(30));
    let above = keys.request(first.identity_key(), second.device_key(), 2, "");
    assert!(second.certify(&above).is_err());
    let links = first.certify(&request).unwrap();
    assert!(Keyring::for_device(DeviceKeys::generate(&mut counting(51)), &links).is_err());
    let third = Keyring::for_device(keys, &links).unwrap();
    assert_eq!(third.identity_key(), first.identity_key());
    assert_eq!(third.chain().certificate().name, "Büro");
    assert_eq!(third.chain().certificate().order, 3);
    assert_eq!(third.chain().lineage(), [first.device_key()]);
}

#[test]
fn certificates_verify_and_every_mutation_is_refused() {
    let first = Keyring::generate(&mut counting(0));
    let second = first.enrol(1, "Büro", &mut counting(9));
    let phrase = RecoveryPhrase::generate(&mut counting(3));
    let statement = first.recovery_statement(&phrase, 1);
    let keys = DeviceKeys::generate(&mut counting(60));
    let third = Keyring::recover(keys, &phrase, first.chain(), &[&statement], 2, "new").unwrap();
    for keyring in [&first, &second, &third] {
        let bytes = keyring.chain().links().last().unwrap();
        let certificate = DeviceCertificate::decode(bytes).unwrap();
        assert_eq!(&certificate, keyring.chain().certificate());
        assert_eq!(certificate.hpke, keyring.hpke_public());
        for at in 0..bytes.len() {
            for flip in [0x01, 0x80] {
                let mut bad = bytes.to_vec();
                bad[at] ^= flip;
                assert!(DeviceCertificate::decode(&bad).is_err(), "byte {at}");
            }
            assert!(DeviceCertificate::decode(&bytes[..at]).is_err());
        }
        let longer = [bytes.as_ref(), &[0]].concat();
        assert!(DeviceCertificate::decode(&longer).is_err());
    }
    let long = first.enrol(1, &"😀".repeat(1000), &mut counting(9));
    let certificate = long.chain().certificate();
    assert_eq!(certificate.name.chars().count(), limits::NAME_CHARS);
    assert!(long.chain().links()[1].len() <= DeviceCertificate::MAX_LEN);
}

#[test]
fn statements_verify_and_every_mutation_is_refused() {
    let first = Keyring::generate(&mut counting(0));
    let phrase = RecoveryPhrase::generate(&mut counting(3));
    let bytes = first.recovery_statement(&phrase, 7);
    assert_eq!(bytes.len(), RecoveryStatement::LEN);
    let said = RecoveryStatement::decode(&bytes).unwrap();
    assert_eq!((said.recovery, said.generation), (phrase.key(), 7));
    for at in 0..bytes.len() {
        let mut bad = bytes.clone();
        bad[at] ^= 1;
        assert!(RecoveryStatement::decode(&bad).is_err(), "byte {at}");
        assert!(RecoveryStatement::decode(&bytes[..at]).is_err());
    }
    assert!(DeviceCertificate::decode(&bytes).is_err());
}

#[test]
fn only_the_present_phrase_recovers() {
    let first = Keyring::generate(&mut counting(0));
    let old = RecoveryPhrase::generate(&mut counting(3));
    let new = RecoveryPhrase::generate(&mut counting(4));
    let statement = first.recovery_statement(&new, 2);
    let keys = DeviceKeys::generate(&mut counting(60));
    let refused = Keyring::recover(keys, &old, first.chain(), &[&statement], 1, "").unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    let keys = DeviceKeys::generate(&mut counting(60));
    let back = Keyring::recover(keys, &new, first.chain(), &[&statement], 1, "").unwrap();
    assert_eq!(back.identity_key(), first.identity_key());
    assert_eq!(back.chain().enrolled_by(), Issuer::Recovery(new.key()));
    assert_eq!(back.chain().links().len(), 3);
}

#[test]
fn renewals_keep_the_device_and_open_what_was_sealed_before() {
    let first = Keyring::generate(&mut counting(0));
    let mut keyring = first.enrol(1, "phone", &mut counting(9));
    let seal = |to: &Keyring| {
        let (hpke, device) = (to.hpke_public(), to.device_key());
        wrap_key(&hpke, device, b"info", &[7; 32], &mut counting(1)).unwrap()
    };
    let mut wraps = vec![seal(&keyring)];
    for round in 0..OLDER_SECRETS as u8 {
        let renewed = keyring.renew_hpke(&mut counting(100 + round)).unwrap();
        assert_ne!(renewed.hpke_public(), keyring.hpke_public());
        assert_eq!(renewed.device_key(), keyring.device_key());
        assert_eq!(renewed.chain().links().len(), 3);
        assert_eq!(renewed.chain().lineage(), keyring.chain().lineage());
        assert_eq!(renewed.chain().certificate().order, 1);
        keyring = renewed;
        wraps.push(seal(&keyring));
    }
    for wrap in &wraps {
        assert_eq!(keyring.open_wrap(b"info", wrap).unwrap(), [7; 32]);
    }
    let keyring = keyring.renew_hpke(&mut counting(200)).unwrap();
    assert!(keyring.open_wrap(b"info", &wraps[0]).is_err());
    // What it issues has no part of its own renewals.
    let next = keyring.enrol(2, "", &mut counting(33));
    assert_eq!(next.chain().links().len(), 3);
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
    let mut certificate = alice.chain().certificate().clone();
    certificate.hpke = [0; 32];
    certificate.issuer = Issuer::Device(alice.device_key());
    let bytes = certificate.sign(alice.device_signer(), alice.device_signer());
    assert!(DeviceCertificate::decode(&bytes).is_err());
}
