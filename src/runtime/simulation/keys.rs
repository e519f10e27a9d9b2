//! Content keys and devices among whole peers: who can read what after somebody lost the right to.

use super::peer::Peer;
use super::schemas::{hand_over, peers};
use crate::identity::{DeviceKeys, Keyring, RecoveryPhrase};
use crate::model::{ErrorKind, ObjectId, Operation, Role};
use crate::space::{Family, FamilyMember, FamilyPhrase, SpaceCore};
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// Has everybody hear of everything, those too who are to get nothing of it.
pub(super) fn meet(peers: &mut [Peer]) {
    for _ in 0..2 {
        for from in 0..peers.len() {
            peers[from].core().share_keys().unwrap();
            for to in (0..peers.len()).filter(|to| *to != from) {
                let [from, to] = peers.get_disjoint_mut([from, to]).unwrap();
                hand_over(from, to);
            }
        }
    }
}

fn write(peer: &mut Peer, now_ms: u64) -> ObjectId {
    let object = peer.core().new_object_id(now_ms);
    let create = Operation::Create {
        object,
        type_name: None,
        fields: BTreeMap::new(),
    };
    peer.core().transact(&[create], None, None, now_ms).unwrap();
    object
}

fn reads(peer: &mut Peer, object: ObjectId) -> bool {
    peer.core().object(&object).unwrap().is_some()
}

fn generation(peer: &mut Peer) -> u64 {
    peer.core().key_in_use().map_or(0, |key| key.generation)
}

/// Another device with this keyring, that was given everything but the right to act.
fn device(folder: &TempDir, name: usize, keyring: Keyring, host: &mut Peer) -> Peer {
    let mut peer = Peer::new(name, name as u64 + 100, folder.path());
    peer.keyring = Arc::new(keyring);
    let (headers, entries) = host.core().control_history().unwrap();
    let (store, entropy) = (peer.store(), peer.entropy());
    let space = host.core().id();
    let mut core = SpaceCore::join(space, store, Arc::clone(&peer.keyring), entropy).unwrap();
    for header in &headers {
        core.add_feed(header).unwrap();
    }
    core.ingest(entries, &mut Default::default()).unwrap();
    peer.core = Some(core);
    peer
}

#[test]
fn whoever_removes_makes_a_new_key_and_nobody_else_does() {
    let (_folder, mut peers) = peers(3);
    let before = generation(&mut peers[0]);
    let gone = peers[2].keyring.identity_key();
    peers[0].core().set_role(&gone, None).unwrap();
    assert_eq!(generation(&mut peers[0]), before + 1);
    let secret = write(&mut peers[0], 1);
    meet(&mut peers);
    assert!(!peers[1].core().heal_keys().unwrap(), "it was done already");
    assert!(!peers[2].core().heal_keys().unwrap(), "it may not");
    assert!(reads(&mut peers[1], secret) && !reads(&mut peers[2], secret));
    let also = write(&mut peers[1], 2);
    meet(&mut peers);
    assert!(reads(&mut peers[0], also) && !reads(&mut peers[2], also));
    assert_eq!(generation(&mut peers[1]), before + 1);
}

/// As where there are more devices than one entry has room for.
#[test]
fn a_key_reaches_all_in_as_many_entries_as_it_takes() {
    let (_folder, mut peers) = peers(6);
    let gone = peers[5].keyring.identity_key();
    for peer in &mut peers {
        peer.core().wrap_at_once(2);
    }
    peers[0].core().set_role(&gone, None).unwrap();
    let secret = write(&mut peers[0], 1);
    meet(&mut peers);
    let who: Vec<bool> = peers.iter_mut().map(|peer| reads(peer, secret)).collect();
    assert_eq!(who, [true, true, true, true, true, false]);
    // Each of them writes under the same key.
    let before = generation(&mut peers[0]);
    for at in 0..5 {
        let object = write(&mut peers[at], 2);
        meet(&mut peers);
        assert!(reads(&mut peers[4 - at], object) && !reads(&mut peers[5], object));
        assert_eq!(generation(&mut peers[at]), before);
    }
}

#[test]
fn concurrent_removals_are_healed_once_by_whoever_is_there() {
    let (_folder, mut peers) = peers(4);
    let admin = peers[1].keyring.identity_key();
    peers[0].core().set_role(&admin, Some(Role::Admin)).unwrap();
    meet(&mut peers);
    for (by, whom) in [(0, 2), (1, 3)] {
        let whom = peers[whom].keyring.identity_key();
        peers[by].core().set_role(&whom, None).unwrap();
        assert_ne!(generation(&mut peers[by]), 0);
    }
    meet(&mut peers);
    // Each new key is known to the one whom the other removed.
    assert_eq!(generation(&mut peers[0]), 0);
    assert!(peers[1].core().wants_key() && !peers[2].core().wants_key());
    assert!(peers[1].core().heal_keys().unwrap());
    meet(&mut peers);
    assert!(!peers[0].core().heal_keys().unwrap());
    let secret = write(&mut peers[0], 1);
    meet(&mut peers);
    let who: Vec<bool> = peers.iter_mut().map(|peer| reads(peer, secret)).collect();
    assert_eq!(who, [true, true, false, false]);
}

#[test]
fn old_keys_are_replaced_by_the_next_writer_and_by_no_clock_alone() {
    let (_folder, mut peers) = peers(2);
    let first = generation(&mut peers[0]);
    write(&mut peers[0], 10 * DAY_MS);
    write(&mut peers[0], 29 * DAY_MS);
    // A clock that is turned back makes nothing old.
    write(&mut peers[0], 0);
    assert_eq!(generation(&mut peers[0]), first);
    peers[0].restart();
    assert_eq!(generation(&mut peers[0]), first);
    write(&mut peers[0], 31 * DAY_MS);
    assert_eq!(generation(&mut peers[0]), first + 1);
    meet(&mut peers);
    let object = write(&mut peers[1], 32 * DAY_MS);
    assert_eq!(generation(&mut peers[1]), first + 1);
    meet(&mut peers);
    assert!(reads(&mut peers[0], object));
    // On request, for readers and above.
    peers[1].core().renew_key().unwrap();
    assert_eq!(generation(&mut peers[1]), first + 2);
    let reader = peers[1].keyring.identity_key();
    peers[0]
        .core()
        .set_role(&reader, Some(Role::Relay))
        .unwrap();
    meet(&mut peers);
    let refused = peers[1].core().renew_key().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    assert!(!peers[1].core().heal_keys().unwrap());
}

#[test]
fn devices_come_and_go_and_take_no_key_along() {
    let (folder, mut peers) = peers(2);
    let mut fill = peers[0].entropy();
    let keyring = peers[1].keyring.enrol(1, "phone", &mut *fill);
    let mut phone = device(&folder, 8, keyring, &mut peers[1]);
    let chain = phone.keyring.chain().clone();
    // The founder is no device of that identity.
    assert!(peers[0].core().add_device(&chain).is_err());
    assert!(peers[1].core().add_device(&chain).unwrap());
    assert!(!peers[1].core().add_device(&chain).unwrap());
    meet(&mut peers);
    hand_over(&mut peers[1], &mut phone);
    let one = write(&mut phone, 1);
    hand_over(&mut phone, &mut peers[0]);
    assert!(reads(&mut peers[0], one));
    // It renews its key: what is sealed from now on is sealed to the new one.
    let mut fill = peers[0].entropy();
    let renewed = Arc::new(phone.keyring.renew_hpke(&mut *fill).unwrap());
    assert!(phone.core().renew_keyring(Arc::clone(&renewed)).unwrap());
    assert!(!phone.core().renew_keyring(renewed).unwrap());
    hand_over(&mut phone, &mut peers[1]);
    peers[1].core().renew_key().unwrap();
    let two = write(&mut peers[1], 2);
    hand_over(&mut peers[1], &mut phone);
    assert!(reads(&mut phone, two) && reads(&mut phone, one));
    // Lost, and revoked by its senior.
    let before = generation(&mut peers[1]);
    let lost = phone.keyring.device_key();
    assert!(
        phone
            .core()
            .revoke_device(peers[1].keyring.device_key())
            .is_err()
    );
    peers[1].core().revoke_device(lost).unwrap();
    assert_eq!(generation(&mut peers[1]), before + 1);
    let three = write(&mut peers[1], 3);
    meet(&mut peers);
    hand_over(&mut peers[1], &mut phone);
    assert!(reads(&mut peers[0], three) && !reads(&mut phone, three));
    assert!(
        peers[1].core().add_device(&chain).is_err(),
        "it never returns"
    );
}

#[test]
fn a_phrase_brings_an_identity_back_when_its_devices_are_lost() {
    let (folder, mut peers) = peers(2);
    let mut fill = peers[0].entropy();
    let phrase = RecoveryPhrase::generate(&mut *fill);
    let keys = DeviceKeys::generate(&mut *fill);
    let statement = peers[1].keyring.recovery_statement(&phrase, 1);
    assert!(peers[1].core().set_recovery(&statement).unwrap());
    assert!(!peers[1].core().set_recovery(&statement).unwrap());
    let old = write(&mut peers[1], 1);
    meet(&mut peers);
    // The founder alone is left of those who hold the space. It has all that recovery takes.
    let identity = peers[1].keyring.identity_key();
    let authority = peers[0].core().authority();
    let known = authority.recoveries(&identity).remove(0);
    assert_eq!(known.key, phrase.key());
    let (issuer, statements) = authority.way_to_recovery(&identity, &known.key).unwrap();
    let order = authority.next_device_order(&identity);
    let keyring = Keyring::recover(keys, &phrase, &issuer, &statements, order, "").unwrap();
    let mut back = device(&folder, 9, keyring, &mut peers[0]);
    let chain = back.keyring.chain().clone();
    assert!(peers[0].core().authority().may_recover(&chain));
    assert!(back.core().add_device(&chain).unwrap());
    assert_eq!(back.core().own_role(), Some(Role::Editor));
    // A revocation keeps what its author holds of the device: the history comes first.
    hand_over(&mut peers[0], &mut back);
    back.core()
        .revoke_device(peers[1].keyring.device_key())
        .unwrap();
    hand_over(&mut back, &mut peers[0]);
    peers[0].core().share_keys().unwrap();
    hand_over(&mut peers[0], &mut back);
    assert!(reads(&mut back, old), "its history is there");
    let new = write(&mut back, 2);
    hand_over(&mut back, &mut peers[0]);
    hand_over(&mut back, &mut peers[1]);
    assert!(reads(&mut peers[0], new) && !reads(&mut peers[1], new));
    assert_eq!(peers[1].core().own_role(), None);
}

/// A space that was not looked at while a phrase was replaced twice, the second time by a device that
/// came by the first: it is told of both, or the oldest would stay in force there, above the others.
#[test]
fn a_space_that_missed_a_phrase_learns_of_those_in_between() {
    let (folder, mut peers) = peers(2);
    let mut fill = peers[0].entropy();
    let [a, b, c] = [(); 3].map(|()| RecoveryPhrase::generate(&mut *fill));
    let identity = peers[1].keyring.identity_key();
    let first = peers[1].keyring.recovery_statement(&a, 1);
    assert!(peers[1].core().set_recovery(&first).unwrap());
    meet(&mut peers);
    let second = a.replaced_by(&b, identity, 2);
    let keys = DeviceKeys::generate(&mut *fill);
    let issuer = peers[1].keyring.chain().clone();
    let statements = [first, second];
    let keyring = Keyring::recover(keys, &b, &issuer, &statements, 5, "").unwrap();
    let third = keyring.recovery_statement(&c, 3);
    let member = |chain: &crate::identity::DeviceChain, recovered| FamilyMember {
        chain: Arc::new(chain.clone()),
        revoked: false,
        recovered,
    };
    let [first, second] = statements.map(Arc::from);
    let family = Family {
        members: vec![member(keyring.chain(), true), member(&issuer, false)],
        recoveries: vec![FamilyPhrase {
            key: c.key(),
            statements: vec![first, second, third.into()],
        }],
        display_name: "1".into(),
    };
    // The oldest device may set a phrase of its own, but is not to: it would be below the oldest.
    let core = peers[1].core();
    assert!(core.bring_in_line(&family, true, &mut Vec::new()).unwrap());
    let known = |core: &mut SpaceCore| {
        let known = core.authority().recoveries(&identity).into_iter();
        known.map(|view| view.key).collect::<Vec<_>>()
    };
    assert_eq!(known(core), [c.key()]);
    core.bring_in_line(&family, true, &mut Vec::new()).unwrap();
    assert_eq!(known(core), [c.key()]);
    meet(&mut peers);
    let mut back = device(&folder, 9, keyring, &mut peers[0]);
    assert_eq!(known(back.core()), [c.key()]);
    let order = back.core().authority().devices_by_rank(&identity);
    assert_eq!(order.first(), Some(&back.keyring.device_key()));
}
