//! Members who were invited without the history: what they can read and cannot, and that nobody else
//! notices (docs/adr/0008).

use super::keys::meet;
use super::peer::Peer;
use super::schemas::{hand_over, peers};
use crate::authority::InviteHint;
use crate::feed::{DeviceSigner, Entry, FeedKind};
use crate::model::{ErrorKind, ObjectId, Operation, Path, Role, Value};
use crate::space::EntryStatus;
use std::collections::BTreeMap;
use tempfile::TempDir;

fn invite(host: &mut Peer, from_now_on: bool, role: Role) -> DeviceSigner {
    let mut seed = [0; 32];
    host.random.fill(&mut seed);
    let invitation = DeviceSigner::from_seed(seed);
    let hint = InviteHint {
        from_now_on,
        ..InviteHint::default()
    };
    host.core()
        .offer_invitation(invitation.public().0, role, hint)
        .unwrap();
    invitation
}

/// A further peer, who came in through an invitation and has heard of nothing since.
fn guest(
    folder: &TempDir,
    name: usize,
    host: &mut Peer,
    invitation: &DeviceSigner,
    role: Role,
) -> Peer {
    let mut guest = Peer::new(name, name as u64 + 50, folder.path());
    guest.remember(host.core().id());
    guest.come_in(host, invitation, role);
    hand_over(&mut guest, host);
    guest
}

fn create(peer: &mut Peer, now_ms: u64) -> ObjectId {
    let object = peer.core().new_object_id(now_ms);
    let create = Operation::Create {
        object,
        type_name: None,
        fields: BTreeMap::from([("n".to_owned(), Value::Int(now_ms as i64))]),
    };
    peer.core().transact(&[create], None, None, now_ms).unwrap();
    object
}

fn set(peer: &mut Peer, object: ObjectId, now_ms: u64) {
    let set = Operation::Set {
        object,
        path: Path::parse("/n").unwrap(),
        value: Value::Int(now_ms as i64),
    };
    peer.core().transact(&[set], None, None, now_ms).unwrap();
}

fn reads(peer: &mut Peer, object: ObjectId) -> bool {
    peer.core().object(&object).unwrap().is_some()
}

fn agrees(one: &mut Peer, other: &mut Peer) {
    assert_eq!(one.core().heights(), other.core().heights());
    assert_eq!(
        one.core().heights_digest(),
        other.core().heights_digest(),
        "nothing is left to be exchanged"
    );
    assert_eq!(
        one.core().everything().unwrap(),
        other.core().everything().unwrap()
    );
    assert_eq!(one.core().digest().unwrap(), other.core().digest().unwrap());
}

/// What waits does so because it is sealed off, and that is told.
fn only_sealed(peer: &mut Peer) -> u64 {
    let counts = peer.core().counts().unwrap();
    assert_eq!(
        (counts.quarantined, counts.waiting),
        (0, peer.core().sealed_off())
    );
    counts.waiting
}

#[test]
fn a_newcomer_reads_what_is_written_from_then_on() {
    let (folder, mut peers) = peers(3);
    let old: Vec<ObjectId> = (0..3).map(|at| create(&mut peers[at], 1)).collect();
    meet(&mut peers);
    let invitation = invite(&mut peers[0], true, Role::Editor);
    let between = create(&mut peers[0], 2);
    let mut newcomer = guest(&folder, 7, &mut peers[0], &invitation, Role::Editor);
    peers[0].core().share_keys().unwrap();
    hand_over(&mut peers[0], &mut newcomer);
    assert!(reads(&mut newcomer, between), "from the invitation on");
    assert_eq!(only_sealed(&mut newcomer), 3, "what everybody wrote before");
    // Others learn of it, and go on with old objects and new ones, beside each other in one feed.
    meet(&mut peers);
    set(&mut peers[1], old[0], 3);
    let new = create(&mut peers[1], 4);
    set(&mut peers[1], new, 5);
    peers.push(newcomer);
    meet(&mut peers);
    let theirs = create(&mut peers[3], 6);
    set(&mut peers[3], new, 7);
    meet(&mut peers);
    for at in 0..3 {
        assert!(reads(&mut peers[at], theirs));
        let [first, other] = peers.get_disjoint_mut([at, (at + 1) % 3]).unwrap();
        agrees(first, other);
    }
    for _ in 0..2 {
        let newcomer = &mut peers[3];
        assert!(old.iter().all(|object| !reads(newcomer, *object)));
        assert!(reads(newcomer, new) && reads(newcomer, between));
        assert_eq!(only_sealed(newcomer), 4);
        let digest = peers[3].core().heights_digest();
        assert_eq!(digest, peers[0].core().heights_digest());
        peers[3].restart();
    }
    for object in [between, new, theirs] {
        let here = peers[0].core().object(&object).unwrap();
        assert_eq!(here, peers[3].core().object(&object).unwrap());
    }
    // What a further device of the newcomer, or a newcomer with the history, gets is their own.
    let invitation = invite(&mut peers[0], false, Role::Reader);
    let reader = guest(&folder, 8, &mut peers[0], &invitation, Role::Reader);
    peers.push(reader);
    meet(&mut peers);
    let [first, reader] = peers.get_disjoint_mut([1, 4]).unwrap();
    agrees(first, reader);
    assert_eq!(only_sealed(&mut peers[3]), 4);
}

#[test]
fn the_history_can_be_given_later() {
    let (folder, mut peers) = peers(2);
    let old = create(&mut peers[1], 1);
    meet(&mut peers);
    let invitation = invite(&mut peers[0], true, Role::Editor);
    let newcomer = guest(&folder, 7, &mut peers[0], &invitation, Role::Editor);
    let identity = newcomer.keyring.identity_key();
    peers.push(newcomer);
    meet(&mut peers);
    set(&mut peers[1], old, 2);
    let new = create(&mut peers[1], 3);
    set(&mut peers[0], old, 4);
    meet(&mut peers);
    assert!(!reads(&mut peers[2], old) && reads(&mut peers[2], new));
    let refused = peers[1].core().share_history(&identity).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    let nobody = crate::model::IdentityKey([9; 32]);
    let refused = peers[0].core().share_history(&nobody).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::NotFound);
    assert!(peers[0].core().share_history(&identity).unwrap());
    assert!(!peers[0].core().share_history(&identity).unwrap());
    meet(&mut peers);
    assert_eq!(only_sealed(&mut peers[2]), 0);
    for at in [0, 1] {
        let [other, newcomer] = peers.get_disjoint_mut([at, 2]).unwrap();
        agrees(other, newcomer);
    }
    set(&mut peers[2], old, 5);
    meet(&mut peers);
    peers[2].restart();
    let [first, newcomer] = peers.get_disjoint_mut([0, 2]).unwrap();
    agrees(first, newcomer);
}

#[test]
fn no_key_of_a_newcomer_opens_what_is_older() {
    let (folder, mut peers) = peers(2);
    let secret = create(&mut peers[1], 1);
    meet(&mut peers);
    let invitation = invite(&mut peers[0], true, Role::Admin);
    let newcomer = guest(&folder, 7, &mut peers[0], &invitation, Role::Admin);
    let identity = newcomer.keyring.identity_key();
    peers.push(newcomer);
    meet(&mut peers);
    // It asks in every way that there is: by new keys, and by friends whom it invites.
    peers[2].core().renew_key().unwrap();
    let invitation = invite(&mut peers[2], false, Role::Editor);
    let friend = guest(&folder, 8, &mut peers[2], &invitation, Role::Editor);
    peers.push(friend);
    meet(&mut peers);
    peers[1].core().renew_key().unwrap();
    let shared = create(&mut peers[1], 2);
    meet(&mut peers);
    peers[2].core().share_history(&identity).unwrap();
    meet(&mut peers);
    for at in [2, 3] {
        assert!(reads(&mut peers[at], shared) && !reads(&mut peers[at], secret));
        let keys = peers[at].core().content_keys();
        let space = peers[at].core().id();
        let mut sealed = 0;
        for stored in peers[at].core().entries_after(0, usize::MAX).unwrap() {
            if stored.status != EntryStatus::Waiting {
                continue;
            }
            let entry = Entry::decode(stored.bytes, space).unwrap();
            assert_eq!(entry.header.kind, FeedKind::Data);
            assert!(stored.reason.unwrap().starts_with("sealed_off:"));
            sealed += 1;
            let known = peers[0].core().authority().keys();
            for key in known.iter().filter_map(|known| keys.get(&known.key_id)) {
                assert!(entry.open(Some(key)).is_err());
            }
        }
        assert_eq!(sealed, 1);
    }
}

#[test]
fn those_who_have_not_heard_of_the_invitation_leak_nothing() {
    let (folder, mut peers) = peers(3);
    let old = create(&mut peers[0], 1);
    meet(&mut peers);
    let invitation = invite(&mut peers[0], true, Role::Editor);
    let newcomer = guest(&folder, 7, &mut peers[0], &invitation, Role::Editor);
    // At the same time another member makes a new key that opens the older ones, and writes.
    for _ in 0..2 {
        peers[1].core().renew_key().unwrap();
    }
    let unaware = create(&mut peers[1], 2);
    peers.push(newcomer);
    meet(&mut peers);
    assert!(!reads(&mut peers[3], old) && !reads(&mut peers[3], unaware));
    assert_eq!(only_sealed(&mut peers[3]), 2);
    // From now on everybody writes what everybody can read.
    let mut all = Vec::new();
    for at in 0..4 {
        all.push(create(&mut peers[at], 3 + at as u64));
        meet(&mut peers);
    }
    for peer in &mut peers {
        assert!(all.iter().all(|object| reads(peer, *object)));
    }
    // A removal makes a new key, which must not open the old ones to the newcomer either.
    let gone = peers[2].keyring.identity_key();
    peers[0].core().set_role(&gone, None).unwrap();
    let after = create(&mut peers[0], 9);
    peers.remove(2);
    meet(&mut peers);
    assert!(reads(&mut peers[2], after) && reads(&mut peers[1], after));
    assert!(!reads(&mut peers[2], old) && !reads(&mut peers[2], unaware));
    let [first, second] = peers.get_disjoint_mut([0, 1]).unwrap();
    agrees(first, second);
}

#[test]
fn keys_that_are_on_their_way_are_waited_for() {
    let (folder, mut peers) = peers(2);
    create(&mut peers[0], 1);
    meet(&mut peers);
    let invitation = invite(&mut peers[0], true, Role::Editor);
    let [host, other] = peers.get_disjoint_mut([0, 1]).unwrap();
    hand_over(host, other);
    // The other knows of the invitation, and not of the guest.
    let mut newcomer = guest(&folder, 7, &mut peers[0], &invitation, Role::Editor);
    peers[1].core().renew_key().unwrap();
    let new = create(&mut peers[1], 2);
    hand_over(&mut peers[1], &mut newcomer);
    let counts = newcomer.core().counts().unwrap();
    assert_eq!((counts.waiting, newcomer.core().sealed_off()), (2, 1));
    newcomer.restart();
    assert!(!reads(&mut newcomer, new));
    peers.push(newcomer);
    meet(&mut peers);
    assert!(reads(&mut peers[2], new));
    assert_eq!(only_sealed(&mut peers[2]), 1);
}

#[test]
fn what_does_not_count_is_the_same_for_those_who_cannot_read_it() {
    let (folder, mut peers) = peers(3);
    let old = create(&mut peers[0], 1);
    meet(&mut peers);
    // Removed, and writing without having heard: it does not count.
    let gone = peers[2].keyring.identity_key();
    peers[0].core().set_role(&gone, None).unwrap();
    set(&mut peers[2], old, 2);
    set(&mut peers[2], old, 3);
    let invitation = invite(&mut peers[0], true, Role::Editor);
    let newcomer = guest(&folder, 7, &mut peers[0], &invitation, Role::Editor);
    peers.push(newcomer);
    meet(&mut peers);
    let excluded = |peer: &mut Peer| -> Vec<_> {
        let excluded = peer.core().excluded().unwrap();
        excluded.into_iter().map(|info| info.entry).collect()
    };
    let theirs = excluded(&mut peers[0]);
    assert_eq!(theirs.len(), 2);
    assert_eq!(excluded(&mut peers[3]), theirs);
    assert_eq!(only_sealed(&mut peers[3]), 1);
    // What is built on sealed entries by those who hold them is sealed off; the rest is not.
    set(&mut peers[1], old, 4);
    let new = create(&mut peers[1], 5);
    meet(&mut peers);
    assert!(reads(&mut peers[3], new) && !reads(&mut peers[3], old));
    assert_eq!(excluded(&mut peers[3]), theirs);
    let identity = peers[3].keyring.identity_key();
    peers[0].core().share_history(&identity).unwrap();
    meet(&mut peers);
    let [first, newcomer] = peers.get_disjoint_mut([0, 3]).unwrap();
    agrees(first, newcomer);
}
