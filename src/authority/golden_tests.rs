//! Golden files pin the formats: what older versions wrote must be read for ever, byte for byte.
//! `ECHODB_BLESS=1 cargo test golden` writes them anew; do so only for a new format version.

use super::tests::{Peer, Rng, World, invite_op, join_op};
use super::*;
use crate::feed::codec::Reader;
use crate::feed::{
    ContentKey, DataBody, Dep, DeviceSigner, Entry, EntryDraft, FeedHeader, FeedKind,
    genesis_space_id,
};
use crate::identity::{DeviceCertificate, Keyring, Wrap};
use crate::model::{EntryId, FeedId, IdentityKey, ObjectId, Role, SpaceId};
use data_encoding::HEXLOWER;
use std::collections::BTreeMap;
use std::path::PathBuf;

const KEY: [u8; 32] = [0x42; 32];

/// The golden files by name. Control entries are numbered in the order they apply.
pub type Golden = BTreeMap<String, Vec<u8>>;

pub fn path(name: &str) -> PathBuf {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    root.join("tests/golden").join(format!("{name}.hex"))
}

/// Sixty-four digits to a line, so that a difference shows where it is.
pub fn to_hex(bytes: &[u8]) -> String {
    let lines = bytes.chunks(32).map(|line| HEXLOWER.encode(line) + "\n");
    lines.collect()
}

pub fn load(name: &str) -> Vec<u8> {
    let text = std::fs::read_to_string(path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    HEXLOWER.decode(text.replace('\n', "").as_bytes()).unwrap()
}

fn head() -> Dep {
    Dep {
        feed: FeedId([0x11; 16]),
        seq: 300,
        id: EntryId([0x22; 32]),
    }
}

/// One operation of every kind, in a history in which all but the unknown one are accepted.
fn control_entries(world: &mut World, creator: &mut Peer, entropy: &[u8; 16], guest: &mut Peer) {
    let key = ContentKey::from_bytes(KEY);
    let older = ContentKey::from_bytes([0x41; 32]);
    let random = &mut |to: &mut [u8]| world.rng.fill(to);
    let (tablet, _) = Keyring::version_1_of(entropy, "tablet", random);
    world.act(
        creator,
        ControlOp::DeviceAdd {
            certificate: tablet.chain().encode(),
        },
    );
    world.act(creator, invite_op(1, Role::Admin));
    let join = join_op(world.space, guest, 1, Role::Editor);
    world.act(guest, join);
    let first = world.rotate_op(0x41, 1);
    world.act(creator, first);
    let mut second = world.rotate_op(0x42, 2);
    if let ControlOp::KeyRotate { back_link, .. } = &mut second {
        *back_link = Some(seal_back_link(&key, &older).unwrap());
    }
    world.act(creator, second);
    let device = world.authority.entitled_devices().remove(0);
    let wraps = vec![world.wrap(&key, &device)];
    world.act(
        creator,
        ControlOp::KeyShare {
            key_id: key.id(),
            wraps,
        },
    );
    world.act(
        creator,
        ControlOp::SetRole {
            identity: guest.header.identity,
            role: Some(Role::Reader),
            heads: vec![head()],
        },
    );
    let invitation = DeviceSigner::from_seed([1; 32]).public().0;
    world.act(
        creator,
        ControlOp::InviteClose {
            invitation_key: invitation,
        },
    );
    world.act(
        creator,
        ControlOp::DeviceRevoke {
            device: guest.header.device,
            heads: vec![head()],
        },
    );
    world.act(
        creator,
        ControlOp::Unknown(op::type_byte::EPOCH, vec![1, 2]),
    );
}

pub fn name_of(op: &ControlOp) -> &'static str {
    match op {
        ControlOp::Genesis { .. } => "genesis",
        ControlOp::SetRole { .. } => "set-role",
        ControlOp::DeviceAdd { .. } => "device-add",
        ControlOp::DeviceRevoke { .. } => "device-revoke",
        ControlOp::InviteOpen { .. } => "invite-open",
        ControlOp::InviteClose { .. } => "invite-close",
        ControlOp::Join { .. } => "join",
        ControlOp::KeyRotate { .. } => "key-rotate",
        ControlOp::KeyShare { .. } => "key-share",
        ControlOp::Succession { .. } => "succession",
        ControlOp::RecoverySet { .. } => "recovery-set",
        ControlOp::NameSet { .. } => "name-set",
        ControlOp::Merge => "merge",
        ControlOp::Unknown(..) => "unknown",
    }
}

fn data_entry(space: SpaceId, creator: &Peer) -> (FeedHeader, Entry) {
    let header = FeedHeader {
        kind: FeedKind::Data,
        space,
        ..creator.header.clone()
    };
    let body = DataBody {
        clock_ms: 1_763_864_160_123,
        changes: vec![(ObjectId([0x33; 16]), vec![1, 2, 3])],
    };
    let draft = EntryDraft {
        kind: FeedKind::Data,
        feed: header.feed_id(),
        seq: 0,
        prev: EntryId::ZERO,
        ctl: vec![EntryId(space.0)],
        deps: vec![head()],
        salt: [0x44; 16],
        body: &body.encode(),
    };
    let key = ContentKey::from_bytes(KEY);
    let entry = Entry::seal(draft, Some(&key), space, creator.keyring.device_signer()).unwrap();
    (header, entry)
}

pub fn make() -> Golden {
    let mut rng = Rng(0x5eed);
    let (keyring, stored) = Keyring::version_1("laptop", &mut |to| rng.fill(to));
    let entropy = stored[1..17].try_into().unwrap();
    let (mut world, mut creator) = World::found(rng, keyring);
    let (keyring, _) = Keyring::version_1("phone", &mut |to| world.rng.fill(to));
    let mut guest = Peer::new(keyring, world.space);
    control_entries(&mut world, &mut creator, &entropy, &mut guest);
    let mut golden = Golden::new();
    for (at, sent) in world.sent.iter().enumerate() {
        let name = format!("control-{at:02}-{}", name_of(&sent.op));
        golden.insert(name, sent.entry.bytes().to_vec());
    }
    let (data_header, data) = data_entry(world.space, &creator);
    let signer = creator.keyring.device_signer();
    let (_, wrap, _) = world.authority.wraps_for(&creator.header.device).remove(0);
    let mut wrap_bytes = Vec::new();
    wrap.put(&mut wrap_bytes);
    let certificate = creator.keyring.chain().encode();
    let guest_header = guest.header.sign(guest.keyring.device_signer());
    for (name, bytes) in [
        ("feed-header-genesis", creator.header.sign(signer)),
        ("feed-header-guest", guest_header),
        ("feed-header-data", data_header.sign(signer)),
        ("data-entry", data.bytes().to_vec()),
        ("key-wrap", wrap_bytes),
        ("device-certificate", certificate),
        ("keyring", stored),
    ] {
        golden.insert(name.to_owned(), bytes);
    }
    golden
}

#[test]
fn golden_files_are_made_again_byte_for_byte() {
    let golden = make();
    if std::env::var_os("ECHODB_BLESS").is_some() {
        for (name, bytes) in &golden {
            std::fs::write(path(name), to_hex(bytes)).unwrap();
        }
    }
    for (name, bytes) in &golden {
        assert_eq!(to_hex(&load(name)), to_hex(bytes), "{name}");
    }
    let files = std::fs::read_dir(path("x").parent().unwrap()).unwrap();
    let ours = files.filter_map(|file| {
        let name = file.unwrap().file_name().into_string().unwrap();
        name.strip_suffix(".hex").map(str::to_owned)
    });
    let stray: Vec<_> = ours
        .filter(|name| name.starts_with("control-") && !golden.contains_key(name))
        .collect();
    assert!(stray.is_empty(), "{stray:?}");
}

/// What reads the golden files back: the space, and the authors by feed.
struct Readers {
    space: SpaceId,
    authors: Vec<FeedHeader>,
    keyring: Keyring,
}

impl Readers {
    fn load() -> Readers {
        let genesis = Entry::decode(load("control-00-genesis").into(), SpaceId::ZERO).unwrap();
        let space = genesis_space_id(&genesis);
        let header = |name: &str| FeedHeader::decode(&load(name), space).unwrap();
        Readers {
            space,
            authors: [
                "feed-header-genesis",
                "feed-header-guest",
                "feed-header-data",
            ]
            .map(header)
            .to_vec(),
            keyring: Keyring::decode(&load("keyring")).unwrap(),
        }
    }

    /// Reads and verifies whatever the file of this name holds.
    fn check(&self, name: &str, bytes: &[u8]) -> crate::model::Result<()> {
        if name.starts_with("feed-header") {
            FeedHeader::decode(bytes, self.space).map(drop)
        } else if name == "keyring" {
            Keyring::decode(bytes).map(drop)
        } else if name == "device-certificate" {
            DeviceCertificate::decode(bytes).map(drop)
        } else if name == "key-wrap" {
            let mut reader = Reader::new(bytes, "wrap");
            let wrap = Wrap::take(&mut reader)?;
            reader.finish()?;
            let key = ContentKey::from_bytes(KEY);
            let info = key_wrap_info(self.space, &key.id());
            let opened = self.keyring.open_wrap(&info, &wrap)?;
            assert_eq!(opened, KEY);
            Ok(())
        } else {
            self.entry(bytes, self.space).map(drop)
        }
    }

    fn entry(&self, bytes: &[u8], space: SpaceId) -> crate::model::Result<(Entry, &FeedHeader)> {
        let entry = Entry::decode(bytes.to_vec().into(), space)?;
        let author = self
            .authors
            .iter()
            .find(|author| author.feed_id() == entry.header.feed)
            .ok_or_else(|| crate::model::Error::not_found("no such feed"))?;
        entry.verify(&author.device)?;
        Ok((entry, author))
    }
}

#[test]
fn golden_files_are_read_and_applied() {
    let readers = Readers::load();
    let mut authority = Authority::new(readers.space);
    for name in make().keys() {
        let bytes = load(name);
        readers
            .check(name, &bytes)
            .unwrap_or_else(|e| panic!("{name}: {e}"));
        if name.starts_with("control-") {
            let (entry, author) = readers.entry(&bytes, readers.space).unwrap();
            let body = entry.open(None).unwrap();
            let op = ControlOp::decode(&body).unwrap();
            assert_eq!(op.encode(), body, "{name}");
            let accepted = authority.apply(&entry, author, &op) == Verdict::Accepted;
            assert_eq!(accepted, !name.ends_with("unknown"), "{name}");
        }
    }
    assert_eq!(authority.members().len(), 2);
    let guest: IdentityKey = readers.authors[1].identity;
    assert_eq!(authority.role(&guest), Some(Role::Reader));
    let (data, _) = readers.entry(&load("data-entry"), readers.space).unwrap();
    let plain = data.open(Some(&ContentKey::from_bytes(KEY))).unwrap();
    let body = DataBody::decode(&plain).unwrap();
    assert_eq!(body.changes, [(ObjectId([0x33; 16]), vec![1, 2, 3])]);
}

#[test]
fn golden_files_with_one_byte_changed_are_refused() {
    let readers = Readers::load();
    for name in make().keys() {
        let bytes = load(name);
        for at in 0..bytes.len() {
            let mut bad = bytes.clone();
            bad[at] ^= 1 << (at % 8);
            assert!(readers.check(name, &bad).is_err(), "{name} byte {at}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert!(readers.check(name, &longer).is_err(), "{name} longer");
        let shorter = &bytes[..bytes.len() - 1];
        assert!(readers.check(name, shorter).is_err(), "{name} shorter");
    }
}

#[test]
fn golden_entries_are_refused_in_another_space() {
    let readers = Readers::load();
    for name in make().keys() {
        if name.starts_with("control-") || name == "data-entry" {
            let moved = readers.entry(&load(name), SpaceId([7; 32]));
            assert!(moved.is_err(), "{name}");
        }
    }
}

#[test]
fn golden_bodies_cut_short_or_retyped_do_not_decode_to_themselves() {
    let readers = Readers::load();
    for name in make().keys().filter(|name| name.starts_with("control-")) {
        let (entry, _) = readers.entry(&load(name), readers.space).unwrap();
        let body = entry.open(None).unwrap();
        let op = ControlOp::decode(&body).unwrap();
        if matches!(op, ControlOp::Unknown(..)) {
            continue;
        }
        for end in 0..body.len() {
            assert!(ControlOp::decode(&body[..end]).is_err(), "{name} {end}");
        }
        assert!(ControlOp::decode(&[body.as_slice(), &[0]].concat()).is_err());
        for kind in 1..=9 {
            let mut retyped = body.clone();
            retyped[0] = kind;
            // Another decoder may accept the bytes by chance, never as the same operation.
            let same = ControlOp::decode(&retyped).is_ok_and(|other| other == op);
            assert_eq!(same, kind == body[0], "{name} as {kind}");
        }
    }
}
