//! Golden files of what came after the first version: chains of devices, recovery, the second
//! keyring. And two attacks on golden entries of both generations.

use super::golden_tests::{self, Golden, load, name_of, path, to_hex};
use super::tests::{Peer, Rng, World, invite_op, join_op};
use super::*;
use crate::feed::{Entry, FeedHeader, genesis_space_id};
use crate::identity::{DeviceChain, DeviceKeys, Keyring, RecoveryPhrase, RecoveryStatement};
use crate::model::{Role, SpaceId, limits};

/// What the guest, who joined under another name, calls itself at the end.
const NEW_NAME: &str = "Béa";

fn add(keyring: &Keyring) -> ControlOp {
    ControlOp::DeviceAdd {
        certificate: keyring.chain().encode(),
    }
}

/// A space founded by a second device, in which an identity gets devices, loses all and recovers.
fn make() -> Golden {
    let mut rng = Rng(0xcafe);
    let first = Keyring::generate(&mut |to| rng.fill(to));
    let desk = first.enrol(1, "desk", &mut |to| rng.fill(to));
    let (mut world, mut desk) = World::found(rng, desk);
    let mut random = Rng(7);
    let mut fill = |to: &mut [u8]| random.fill(to);
    let phone = desk.keyring.enrol(2, "phone", &mut fill);
    let phrase = RecoveryPhrase::generate(&mut fill);
    let statement = desk.keyring.recovery_statement(&phrase, 1);
    let chain = desk.keyring.chain();
    let keys = DeviceKeys::generate(&mut fill);
    let back = Keyring::recover(keys, &phrase, chain, &[&statement], 3, "new desk").unwrap();
    let renewed = back.renew_hpke(&mut fill).unwrap();
    let guest = Keyring::generate(&mut fill).enrol(1, "tablet", &mut fill);
    let (mut back, mut guest) = (Peer::new(back, world.space), Peer::new(guest, world.space));
    world.act(&mut desk, add(&phone));
    let set = ControlOp::RecoverySet {
        identity: first.identity_key(),
        recovery: phrase.key(),
        statement: statement.clone(),
    };
    world.act(&mut desk, set);
    let recovered = add(&back.keyring);
    world.act(&mut back, recovered);
    world.act(&mut back, add(&renewed));
    let revoke = ControlOp::DeviceRevoke {
        device: desk.header.device,
        heads: Vec::new(),
    };
    world.act(&mut back, revoke);
    world.act(&mut back, invite_op(1, Role::Editor));
    let join = join_op(world.space, &guest, 1, Role::Editor);
    world.act(&mut guest, join);
    let name = ControlOp::NameSet {
        display_name: NEW_NAME.into(),
    };
    world.act(&mut guest, name);
    let mut golden = Golden::new();
    for (at, sent) in world.sent.iter().enumerate() {
        let name = format!("v2-control-{at:02}-{}", name_of(&sent.op));
        golden.insert(name, sent.entry.bytes().to_vec());
    }
    for (name, peer) in [("desk", &desk), ("back", &back), ("guest", &guest)] {
        let header = peer.header.sign(peer.keyring.device_signer());
        golden.insert(format!("v2-feed-header-{name}"), header);
    }
    golden.insert("v2-recovery-statement".into(), statement);
    golden.insert("v2-device-chain".into(), renewed.chain().encode());
    golden.insert("v2-keyring".into(), renewed.encode().to_vec());
    golden
}

#[test]
fn golden_files_of_version_2_are_made_again_byte_for_byte() {
    let golden = make();
    for (name, bytes) in &golden {
        if std::env::var_os("ECHODB_BLESS").is_some() {
            std::fs::write(path(name), to_hex(bytes)).unwrap();
        }
        assert_eq!(to_hex(&load(name)), to_hex(bytes), "{name}");
    }
}

/// A space's golden entries in order, with what reads them.
struct Stored {
    space: SpaceId,
    authors: Vec<FeedHeader>,
    names: Vec<String>,
}

impl Stored {
    fn read(prefix: &str, golden: &Golden) -> Stored {
        let control = format!("{prefix}control-");
        let names = golden.keys().filter(|n| n.starts_with(&control));
        let names: Vec<_> = names.cloned().collect();
        let genesis = Entry::decode(load(&names[0]).into(), SpaceId::ZERO).unwrap();
        let space = genesis_space_id(&genesis);
        let headers = format!("{prefix}feed-header-");
        let headers = golden.keys().filter(|n| n.starts_with(&headers));
        Stored {
            authors: headers
                .map(|name| FeedHeader::decode(&load(name), space).unwrap())
                .collect(),
            space,
            names,
        }
    }

    fn all() -> [Stored; 2] {
        [
            Stored::read("", &golden_tests::make()),
            Stored::read("v2-", &make()),
        ]
    }

    fn entry(&self, bytes: Vec<u8>, space: SpaceId) -> Option<(Entry, &FeedHeader)> {
        let entry = Entry::decode(bytes.into(), space).ok()?;
        let author = self
            .authors
            .iter()
            .find(|author| author.feed_id() == entry.header.feed)?;
        entry.verify(&author.device).ok()?;
        Some((entry, author))
    }

    fn authority(&self) -> Authority {
        let mut authority = Authority::new(self.space);
        for name in &self.names {
            let (entry, author) = self.entry(load(name), self.space).unwrap();
            let op = ControlOp::decode(&entry.open(None).unwrap()).unwrap();
            let accepted = authority.apply(&entry, author, &op) == Verdict::Accepted;
            assert_eq!(accepted, !name.ends_with("unknown"), "{name}");
        }
        authority
    }
}

#[test]
fn golden_files_of_version_2_are_read_and_applied() {
    let [_, stored] = Stored::all();
    let authority = stored.authority();
    let keyring = Keyring::decode(&load("v2-keyring")).unwrap();
    let identity = keyring.identity_key();
    let chain = DeviceChain::decode(&load("v2-device-chain")).unwrap();
    assert_eq!(keyring.chain(), &chain);
    let said = RecoveryStatement::decode(&load("v2-recovery-statement")).unwrap();
    assert_eq!(authority.recoveries(&identity)[0].key, said.recovery);
    let devices = authority.devices_by_rank(&identity);
    assert_eq!(devices[0], keyring.device_key());
    assert_eq!(devices.len(), 2);
    assert_eq!(authority.members().len(), 2);
    let own = authority.entitled_devices();
    let own = own.iter().find(|view| view.device == keyring.device_key());
    assert_eq!(own.unwrap().hpke, keyring.hpke_public());
    let guest = &stored.authors[2];
    assert_ne!(guest.identity, identity);
    assert_eq!(authority.name_of(&guest.identity), NEW_NAME);
}

/// Its body, written out: the type byte, then the name's length and bytes. What is not such a name
/// does not decode.
#[test]
fn the_golden_name_is_what_the_format_says() {
    let [_, stored] = Stored::all();
    let (entry, _) = stored
        .entry(load("v2-control-08-name-set"), stored.space)
        .unwrap();
    let body = entry.open(None).unwrap();
    assert_eq!(&body[..], b"\x10\x04B\xc3\xa9a");
    let op = ControlOp::decode(&body).unwrap();
    assert_eq!(op.encode(), &body[..]);
    for end in 0..body.len() {
        assert!(ControlOp::decode(&body[..end]).is_err(), "{end}");
    }
    let longest = "n".repeat(limits::NAME_CHARS);
    for (name, taken) in [(longest.clone(), true), (longest + "n", false)] {
        let op = ControlOp::NameSet { display_name: name };
        assert_eq!(ControlOp::decode(&op.encode()).is_ok(), taken);
    }
    assert!(
        ControlOp::decode(b"\x10\x04B\xc3\xa9a\0").is_err(),
        "longer"
    );
    assert!(ControlOp::decode(b"\x10\x02\xc3\x28").is_err(), "not UTF-8");
}

/// Attack 10 of the research: replay into another space.
#[test]
fn attack_10_no_golden_entry_is_taken_by_a_second_space() {
    let all = Stored::all();
    let [one, two] = &all;
    for (from, to) in [(one, two), (two, one)] {
        let mut authority = to.authority();
        let before = format!("{:?} {:?}", authority.members(), authority.heads());
        for name in &from.names {
            // Under its own space's name, its signature does not cover the entry.
            assert!(from.entry(load(name), to.space).is_none(), "{name}");
            // As it is, it is handed to the other space's rules all the same.
            let (entry, author) = from.entry(load(name), from.space).unwrap();
            let op = ControlOp::decode(&entry.open(None).unwrap()).unwrap();
            let verdict = authority.apply(&entry, author, &op);
            assert!(matches!(verdict, Verdict::Refused(_)), "{name}");
        }
        let after = format!("{:?} {:?}", authority.members(), authority.heads());
        assert_eq!(before, after);
    }
}

/// Attack 19: one operation passed off as another, and a second signature for the same entry.
#[test]
fn attack_19_no_golden_entry_is_another_operation_or_has_another_signature() {
    for stored in Stored::all() {
        for name in &stored.names {
            let bytes = load(name);
            let (entry, _) = stored.entry(bytes.clone(), stored.space).unwrap();
            let body = entry.open(None).unwrap();
            let op = ControlOp::decode(&body).unwrap();
            // Header, signature, body.
            let place = bytes.len() - body.len();
            assert_eq!(&bytes[place..], &body[..], "control bodies are not sealed");
            for kind in (0..=u8::MAX).filter(|kind| *kind != body[0]) {
                // The type byte stands inside what the signature covers.
                let mut retyped = bytes.clone();
                retyped[place] = kind;
                assert!(
                    stored.entry(retyped, stored.space).is_none(),
                    "{name} {kind}"
                );
                let mut other = body.to_vec();
                other[0] = kind;
                let same = ControlOp::decode(&other).is_ok_and(|other| other == op);
                assert!(!same, "{name} {kind}");
            }
            let mut twin = bytes.clone();
            add_group_order(&mut twin[place - 32..place]);
            assert_ne!(twin, bytes);
            assert!(stored.entry(twin, stored.space).is_none(), "{name}");
        }
    }
}

/// A second number S that satisfies the equation of an Ed25519 signature as well: RFC 8032 section
/// 5.1.7 has it refused.
fn add_group_order(s: &mut [u8]) {
    const ORDER: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (to, add) in s.iter_mut().zip(ORDER) {
        let sum = u16::from(*to) + u16::from(add) + carry;
        *to = sum as u8;
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
}
