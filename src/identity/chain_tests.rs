use super::*;
use crate::identity::{DeviceKeys, Keyring, RecoveryPhrase};
use crate::model::ErrorKind;

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

fn links(keyring: &Keyring) -> Vec<Vec<u8>> {
    keyring.chain().extended(&[]).unwrap()
}

#[test]
fn chains_round_trip_and_every_mutation_is_refused() {
    let first = Keyring::generate(&mut counting(0));
    let second = first.enrol(1, "b", &mut counting(9));
    let phrase = RecoveryPhrase::generate(&mut counting(3));
    let statement = second.recovery_statement(&phrase, 1);
    let keys = DeviceKeys::generate(&mut counting(60));
    let third = Keyring::recover(keys, &phrase, second.chain(), &[&statement], 2, "c").unwrap();
    let fourth = third.enrol(3, "d", &mut counting(70));
    let renewed = fourth.renew_hpke(&mut counting(90)).unwrap();
    for keyring in [&first, &second, &third, &fourth, &renewed] {
        let chain = keyring.chain();
        let bytes = chain.encode();
        assert_eq!(&DeviceChain::decode(&bytes).unwrap(), chain);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1;
            assert!(DeviceChain::decode(&bad).is_err(), "byte {at}");
            assert!(DeviceChain::decode(&bytes[..at]).is_err());
        }
    }
    let lineage = [first.device_key(), second.device_key(), third.device_key()];
    assert_eq!(renewed.chain().lineage(), lineage);
    assert_eq!(
        renewed.chain().enrolled_by(),
        Issuer::Device(third.device_key())
    );
}

#[test]
fn every_issuer_stands_before_what_it_issues() {
    let first = Keyring::generate(&mut counting(0));
    let second = first.enrol(1, "", &mut counting(9));
    let third = second.enrol(2, "", &mut counting(19));
    let all = links(&third);
    assert_eq!(all.len(), 3);
    for missing in 0..2 {
        let mut cut = all.clone();
        cut.remove(missing);
        assert!(DeviceChain::from_links(&cut).is_err(), "without {missing}");
    }
    let swapped = [all[0].clone(), all[2].clone(), all[1].clone()];
    assert!(DeviceChain::from_links(&swapped).is_err());
    let twice = [all[0].clone(), all[1].clone(), all[1].clone()];
    assert!(DeviceChain::from_links(&twice).is_err());
    assert!(DeviceChain::from_links(&[[0u8; 0]; 0]).is_err());
    // Of another identity, if everything else is right.
    let other = Keyring::generate(&mut counting(40));
    let mixed = [&links(&other)[..], &all[..]].concat();
    assert!(DeviceChain::from_links(&mixed).is_err());
    // A statement leads to no device.
    let phrase = RecoveryPhrase::generate(&mut counting(3));
    let mut ends = links(&first);
    ends.push(first.recovery_statement(&phrase, 1));
    assert!(DeviceChain::from_links(&ends).is_err());
    // A recovery key that a stranger to the chain stated.
    let stranger = first.enrol(9, "", &mut counting(77));
    let keys = DeviceKeys::generate(&mut counting(60));
    let statement = stranger.recovery_statement(&phrase, 1);
    let refused = Keyring::recover(keys, &phrase, second.chain(), &[&statement], 12, "");
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::Protocol);
}

#[test]
fn a_phrase_stands_in_for_the_device_that_stated_the_one_before() {
    let first = Keyring::generate(&mut counting(0));
    let [a, b, c] = [3, 4, 5].map(|seed| RecoveryPhrase::generate(&mut counting(seed)));
    let identity = first.identity_key();
    let statements = [
        first.recovery_statement(&a, 1),
        a.replaced_by(&b, identity, 2),
        b.replaced_by(&c, identity, 3),
    ];
    let recover = |phrase: &RecoveryPhrase, statements: &[Vec<u8>], order| {
        let keys = DeviceKeys::generate(&mut counting(60));
        Keyring::recover(keys, phrase, first.chain(), statements, order, "c")
    };
    let back = recover(&c, &statements, 1).unwrap();
    let chain = back.chain();
    assert_eq!(DeviceChain::decode(&chain.encode()).unwrap(), *chain);
    assert_eq!(chain.enrolled_by(), Issuer::Recovery(c.key()));
    assert_eq!(chain.lineage(), [first.device_key()]);
    assert_eq!(chain.statements().count(), 3);
    // Every statement is needed, in its place, and none lowers the order.
    assert!(recover(&c, &statements[1..], 1).is_err());
    let gap = [statements[0].clone(), statements[2].clone()];
    assert!(recover(&c, &gap, 1).is_err());
    assert!(recover(&b, &statements, 1).is_err());
    assert!(recover(&c, &[], 1).is_err());
    assert!(recover(&c, &statements, 0).is_err());
    // Nor is another identity's of any use.
    let foreign = b.replaced_by(&c, IdentityKey([7; 32]), 3);
    let mixed = [statements[0].clone(), statements[1].clone(), foreign];
    assert!(recover(&c, &mixed, 1).is_err());
}

#[test]
fn nobody_makes_a_device_senior_to_itself() {
    let first = Keyring::generate(&mut counting(0));
    let second = first.enrol(5, "", &mut counting(9));
    for order in 0..=5 {
        let keys = DeviceKeys::generate(&mut counting(30));
        let request = keys.request(first.identity_key(), second.device_key(), order, "");
        assert!(second.certify(&request).is_err(), "{order}");
        let phrase = RecoveryPhrase::generate(&mut counting(3));
        let statement = second.recovery_statement(&phrase, 1);
        let recovered = Keyring::recover(keys, &phrase, second.chain(), &[&statement], order, "");
        assert!(recovered.is_err(), "{order}");
    }
    // Nor itself, by renewing its certificate in another place.
    let mut certificate = second.chain().certificate().clone();
    certificate.issuer = Issuer::Device(second.device_key());
    for (order, ok) in [(1, false), (5, true), (6, false)] {
        certificate.order = order;
        let bytes = certificate.sign(second.device_signer(), second.device_signer());
        let chain = [links(&second), vec![bytes]].concat();
        assert_eq!(DeviceChain::from_links(&chain).is_ok(), ok, "{order}");
    }
}

#[test]
fn long_chains_are_refused_before_they_are_verified() {
    let mut keyring = Keyring::generate(&mut counting(0));
    for order in 1..limits::CHAIN_LINKS as u32 {
        keyring = keyring.enrol(order, "", &mut counting(order as u8 + 100));
    }
    let bytes = keyring.chain().encode();
    assert!(bytes.len() <= DeviceChain::MAX_LEN);
    DeviceChain::decode(&bytes).unwrap();
    let keys = DeviceKeys::generate(&mut counting(60));
    let request = keys.request(keyring.identity_key(), keyring.device_key(), 99, "");
    let refused = keyring.certify(&request).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    let many = vec![vec![0u8; 4]; limits::CHAIN_LINKS + 1];
    let refused = DeviceChain::from_links(&many).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    let huge = vec![3; DeviceChain::MAX_LEN + 1];
    let refused = DeviceChain::decode(&huge).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
}
