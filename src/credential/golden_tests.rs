//! Golden files of credentials and of a presentation, and attack 19 of the research on them: one
//! thing passed off as another.

use super::tests::{Story, evidence};
use super::*;
use crate::authority::ControlOp;
use crate::authority::golden_tests::{load, path, to_hex};
use crate::feed::{Entry, FeedHeader};
use crate::identity::{DeviceCertificate, DeviceChain, RecoveryStatement};
use crate::model::{ErrorKind, SpaceId};
use std::collections::BTreeMap;

const NAMES: [&str; 3] = [
    "credential-identity",
    "credential-membership",
    "credential-statement",
];
const PRESENTATION: &str = "presentation";

fn make() -> BTreeMap<&'static str, Vec<u8>> {
    let story = Story::tell(0xc4ed);
    let mut golden: BTreeMap<_, _> = NAMES.into_iter().zip(story.credentials()).collect();
    golden.insert(PRESENTATION, story.presentation());
    golden
}

#[test]
fn golden_credentials_are_made_again_byte_for_byte() {
    let texts = path("credential_codes").with_extension("txt");
    let codes: String = make()
        .iter()
        .map(|(name, bytes)| format!("{name} {}\n", code::to_text(bytes).unwrap()))
        .collect();
    if std::env::var_os("ECHODB_BLESS").is_some() {
        for (name, bytes) in &make() {
            std::fs::write(path(name), to_hex(bytes)).unwrap();
        }
        std::fs::write(&texts, &codes).unwrap();
    }
    for (name, bytes) in &make() {
        assert_eq!(to_hex(&load(name)), to_hex(bytes), "{name}");
    }
    assert_eq!(std::fs::read_to_string(&texts).unwrap(), codes);
}

#[test]
fn golden_credentials_are_read() {
    let story = Story::tell(0xc4ed);
    let [identity, membership, statement] = NAMES.map(|n| Credential::decode(&load(n)).unwrap());
    let guest = story.guest.keyring.identity_key();
    assert!(matches!(&identity, Credential::Identity(card) if card.name == "Bob"));
    let Credential::Membership(m) = &membership else {
        panic!("{membership:?}")
    };
    assert_eq!((m.subject, m.space), (guest, story.world.space));
    assert_eq!(m.shown.role.name(), "editor");
    assert_eq!(m.shown.name, "Bob");
    assert_eq!(m.shown.granted_by_name, "Ada");
    let texts: Vec<_> = m.shown.steps.iter().map(|s| s.text.as_str()).collect();
    assert!(texts[0].ends_with(" created the space."), "{texts:?}");
    assert!(texts[3].contains(" the role of editor."), "{texts:?}");
    let Credential::Statement(s) = &statement else {
        panic!("{statement:?}")
    };
    assert_eq!(s.said.claims.text(), r#"{"course":"boats","grade":1}"#);
    assert_eq!(s.issued_by(), story.creator.keyring.identity_key());
    for credential in [&identity, &membership, &statement] {
        assert_eq!(credential.subject(), guest);
    }
    let shown = Presentation::verify(&load(PRESENTATION), &story.challenge(), 0).unwrap();
    assert_eq!(shown.credentials.len(), 3);
    let text = std::fs::read_to_string(path("credential_codes").with_extension("txt")).unwrap();
    for line in text.lines() {
        let (name, code) = line.split_once(' ').unwrap();
        assert_eq!(*code::to_bytes(code.as_bytes()).unwrap(), load(name));
    }
}

/// Every golden file of bytes that is signed, by name.
fn all() -> Vec<(String, Vec<u8>)> {
    let folder = path("x").parent().unwrap().to_owned();
    let files = std::fs::read_dir(folder).unwrap();
    let names = files.filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".hex").map(str::to_owned)
    });
    names.map(|name| (name.clone(), load(&name))).collect()
}

#[test]
fn attack_19_no_golden_file_is_taken_for_a_credential_nor_a_credential_for_anything_else() {
    let space = Story::tell(0xc4ed).world.space;
    for (name, bytes) in all() {
        let ours = NAMES.contains(&name.as_str());
        assert_eq!(Credential::decode(&bytes).is_ok(), ours, "{name}");
        let shows = Presentation::decode(&bytes).is_ok();
        assert_eq!(shows, name == PRESENTATION, "{name}");
        if !ours && !shows {
            continue;
        }
        assert!(DeviceChain::decode(&bytes).is_err(), "{name}");
        assert!(DeviceCertificate::decode(&bytes).is_err(), "{name}");
        assert!(RecoveryStatement::decode(&bytes).is_err(), "{name}");
        for space in [space, SpaceId::ZERO] {
            assert!(FeedHeader::decode(&bytes, space).is_err(), "{name}");
            let bytes = bytes.clone().into();
            assert!(Entry::decode(bytes, space).is_err(), "{name}");
        }
        let op = ControlOp::decode(&bytes);
        assert!(matches!(op, Err(_) | Ok(ControlOp::Unknown(..))), "{name}");
        for kind in (0..=u8::MAX).filter(|kind| *kind != bytes[0]) {
            let mut retyped = bytes.clone();
            retyped[0] = kind;
            assert!(Credential::decode(&retyped).is_err(), "{name} {kind}");
            assert!(Presentation::decode(&retyped).is_err(), "{name} {kind}");
        }
    }
}

#[test]
fn every_mutation_and_truncation_of_a_golden_credential_is_refused_and_told_apart() {
    let known = [
        ErrorKind::InvalidArgument,
        ErrorKind::UnsupportedVersion,
        ErrorKind::LimitExceeded,
        ErrorKind::NotCertified,
        ErrorKind::BadSignature,
        ErrorKind::ChainBroken,
    ];
    let read = |name: &str, bytes: &[u8]| match name {
        PRESENTATION => Presentation::decode(bytes).map(drop),
        _ => Credential::decode(bytes).map(drop),
    };
    for name in NAMES.into_iter().chain([PRESENTATION]) {
        let bytes = load(name);
        read(name, &bytes).unwrap();
        // Of the longer ones not every byte, for the sake of time.
        for at in (0..bytes.len()).step_by(1 + bytes.len() / 1000) {
            let mut bad = bytes.clone();
            bad[at] ^= if at % 2 == 0 { 0x01 } else { 0x80 };
            let refused = read(name, &bad).expect_err(name).kind();
            assert!(known.contains(&refused), "{name} byte {at}: {refused:?}");
        }
        for end in (0..bytes.len()).step_by(7) {
            assert!(read(name, &bytes[..end]).is_err(), "{name} {end}");
        }
        assert!(read(name, &[&bytes[..], &[0]].concat()).is_err(), "{name}");
    }
}

#[test]
fn what_no_entry_leads_to_is_refused() {
    let story = Story::tell(3);
    let guest = story.guest.keyring.identity_key();
    let all = evidence(&story.world, &guest, &story.peers());
    let space = story.world.space;
    let broken = |evidence: &[(bytes::Bytes, bytes::Bytes)], subject| {
        Membership::of(space, subject, evidence).unwrap_err().kind()
    };
    for left_out in 0..all.len() {
        let mut fewer = all.clone();
        fewer.remove(left_out);
        match left_out + 1 == all.len() {
            // The role that the guest had before: what came of it later anybody can leave out.
            true => {
                let earlier = Membership::of(space, guest, &fewer).unwrap();
                assert_eq!(earlier.shown.role.name(), "reader");
            }
            false => assert_eq!(broken(&fewer, guest), ErrorKind::ChainBroken, "{left_out}"),
        }
        let mut twice = all.clone();
        twice.push(all[left_out].clone());
        assert_eq!(broken(&twice, guest), ErrorKind::ChainBroken, "{left_out}");
    }
    let mut turned = all.clone();
    turned.reverse();
    assert_eq!(broken(&turned, guest), ErrorKind::ChainBroken);
    let creator = story.creator.keyring.identity_key();
    assert_eq!(broken(&all, creator), ErrorKind::ChainBroken);
    let other = Story::tell(4);
    let theirs = evidence(&other.world, &guest_of(&other), &other.peers());
    assert_eq!(broken(&theirs, guest_of(&other)), ErrorKind::ChainBroken);
    let mut mixed = all.clone();
    mixed.push(theirs[3].clone());
    assert_eq!(broken(&mixed, guest), ErrorKind::ChainBroken);
}

fn guest_of(story: &Story) -> crate::model::IdentityKey {
    story.guest.keyring.identity_key()
}
