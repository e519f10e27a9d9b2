//! Devices of one identity: who may add, revoke and recover them.

use super::tests::{
    Peer, Rng, World, close_op, invite_op, join_op, observe, refused, set_role, shuffle,
};
use super::*;
use crate::identity::{DeviceKeys, Keyring, RecoveryPhrase};
use crate::model::{RecoveryKey, Role, SpaceId};

pub(super) fn add(keyring: &Keyring) -> ControlOp {
    ControlOp::DeviceAdd {
        certificate: keyring.chain().encode(),
    }
}

pub(super) fn revoke(keyring: &Keyring) -> ControlOp {
    ControlOp::DeviceRevoke {
        device: keyring.device_key(),
        heads: Vec::new(),
    }
}

pub(super) fn set_recovery(by: &Keyring, phrase: &RecoveryPhrase, generation: u64) -> ControlOp {
    ControlOp::RecoverySet {
        identity: by.identity_key(),
        recovery: phrase.key(),
        statement: by.recovery_statement(phrase, generation),
    }
}

/// The operation may be made from the peer that writes it.
macro_rules! accept {
    ($world:ident, $peer:ident, $op:expr $(,)?) => {{
        let op = $op;
        assert_eq!($world.act(&mut $peer, op), Verdict::Accepted);
    }};
}

macro_rules! refuse {
    ($world:ident, $peer:ident, $op:expr $(,)?) => {{
        let op = $op;
        $world.refuse(&mut $peer, op);
    }};
}

impl World {
    pub(super) fn second(&mut self, of: &Peer, order: u32) -> Peer {
        let keyring = of.keyring.enrol(order, "", &mut |to| self.rng.fill(to));
        Peer::new(keyring, self.space)
    }

    pub(super) fn phrase(&mut self) -> RecoveryPhrase {
        RecoveryPhrase::generate(&mut |to| self.rng.fill(to))
    }

    fn recovered(&mut self, phrase: &RecoveryPhrase, issuer: &Peer, generation: u64) -> Peer {
        let statement = issuer.keyring.recovery_statement(phrase, generation);
        let keys = DeviceKeys::generate(&mut |to| self.rng.fill(to));
        let order = self.authority.next_device_order(&issuer.header.identity);
        let chain = issuer.keyring.chain();
        let keyring = Keyring::recover(keys, phrase, chain, &[&statement], order, "").unwrap();
        Peer::new(keyring, self.space)
    }

    pub(super) fn acts(&self, peer: &Peer) -> bool {
        self.authority.role_of_device(&peer.header.device).is_some()
    }

    #[track_caller]
    pub(super) fn refuse(&mut self, peer: &mut Peer, op: ControlOp) {
        let before = peer.last;
        assert!(refused(&self.act(peer, op)));
        let id = self.sent[self.sent.len() - 1].entry.id;
        if !self.authority.remembers(&id) {
            peer.last = before;
        }
    }
}

#[test]
fn seniority_is_the_same_in_every_space() {
    let mut rng = Rng(1);
    let first = Keyring::generate(&mut |to| rng.fill(to));
    let second = first.enrol(1, "", &mut |to| rng.fill(to));
    let third = first.enrol(2, "", &mut |to| rng.fill(to));
    // The third founds a space; the others come later, the first last.
    let (mut world, mut third) = World::found(rng, third);
    let mut first = Peer::new(first, world.space);
    let mut second = Peer::new(second, world.space);
    assert!(world.acts(&third));
    assert!(!world.acts(&first), "those it came by do not act");
    refuse!(world, first, add(&first.keyring));
    accept!(world, third, add(&second.keyring));
    accept!(world, second, add(&first.keyring));
    let ranked = [&first, &second, &third].map(|peer| peer.header.device);
    let identity = first.header.identity;
    assert_eq!(world.authority.devices_by_rank(&identity), ranked);
    assert_eq!(world.authority.next_device_order(&identity), 3);
    refuse!(world, third, revoke(&second.keyring));
    refuse!(world, third, revoke(&first.keyring));
    refuse!(world, second, revoke(&first.keyring));
    accept!(world, second, revoke(&third.keyring));
    assert!(!world.acts(&third));
    refuse!(world, first, add(&third.keyring));
    accept!(world, first, revoke(&second.keyring));
    // A device may always revoke itself, be it the last.
    accept!(world, first, revoke(&first.keyring));
    assert!(world.authority.devices_by_rank(&identity).is_empty());
}

#[test]
fn the_most_senior_device_sets_the_recovery_key() {
    let (mut world, mut first) = World::create(2);
    let mut second = world.second(&first, 1);
    let identity = first.header.identity;
    accept!(world, first, add(&second.keyring));
    let phrases: Vec<_> = (0..4).map(|_| world.phrase()).collect();
    refuse!(world, second, set_recovery(&second.keyring, &phrases[0], 1));
    refuse!(world, first, set_recovery(&first.keyring, &phrases[0], 0));
    refuse!(
        world,
        first,
        set_recovery(&first.keyring, &phrases[0], 1 << 20),
    );
    assert!(world.authority.recoveries(&identity).is_empty());
    accept!(world, first, set_recovery(&first.keyring, &phrases[0], 1));
    let present = world.authority.recoveries(&identity).remove(0);
    assert_eq!((present.key, present.generation), (phrases[0].key(), 1));
    // A statement of the first may be passed on by any, but not again after a newer one.
    accept!(world, second, set_recovery(&first.keyring, &phrases[1], 2));
    refuse!(world, second, set_recovery(&first.keyring, &phrases[0], 1));
    refuse!(world, second, set_recovery(&first.keyring, &phrases[0], 2));
    let both = [phrases[0].key(), phrases[1].key()];
    assert_eq!(keys(&world, &first), both);
    // Another identity's, or under another key than it says.
    let mut bob = world.member(&mut first, 1, Role::Editor);
    refuse!(world, bob, set_recovery(&first.keyring, &phrases[2], 3));
    let mut lie = set_recovery(&first.keyring, &phrases[2], 3);
    if let ControlOp::RecoverySet { recovery, .. } = &mut lie {
        *recovery = phrases[3].key();
    }
    refuse!(world, first, lie);
    // Once the first is gone the second is the most senior.
    accept!(world, first, revoke(&first.keyring));
    refuse!(world, second, set_recovery(&bob.keyring, &phrases[2], 3));
    accept!(world, second, set_recovery(&second.keyring, &phrases[2], 3));
}

#[test]
fn a_recovered_device_outranks_all_older_ones() {
    let (mut world, mut first) = World::create(3);
    let identity = first.header.identity;
    let phrase = world.phrase();
    accept!(world, first, set_recovery(&first.keyring, &phrase, 1));
    let mut back = world.recovered(&phrase, &first, 1);
    assert!(world.authority.may_recover(back.keyring.chain()));
    let mut stranger = world.peer();
    refuse!(world, stranger, add(&back.keyring));
    accept!(world, back, add(&back.keyring));
    assert!(world.acts(&back));
    let ranked = [&back, &first].map(|peer| peer.header.device);
    assert_eq!(world.authority.devices_by_rank(&identity), ranked);
    refuse!(world, first, revoke(&back.keyring));
    // A device it adds is an ordinary one.
    let mut next = world.second(&back, 9);
    accept!(world, back, add(&next.keyring));
    refuse!(world, next, revoke(&first.keyring));
    // The same phrase again: the newest comes first.
    let mut again = world.recovered(&phrase, &first, 1);
    accept!(world, again, add(&again.keyring));
    refuse!(world, back, revoke(&again.keyring));
    accept!(world, again, revoke(&back.keyring));
    accept!(world, again, revoke(&first.keyring));
    // What came by a phrase replaces it.
    let newer = world.phrase();
    accept!(world, again, set_recovery(&again.keyring, &newer, 2));
    assert_eq!(keys(&world, &first), [newer.key()]);
    let mut void = world.recovered(&phrase, &first, 1);
    assert!(!world.authority.may_recover(void.keyring.chain()));
    refuse!(world, void, add(&void.keyring));
    let lost = world.authority.chain_of(&first.header.device);
    assert_eq!(*lost.unwrap(), *first.keyring.chain());
}

/// The recovery keys in force, the most senior first.
pub(super) fn keys(world: &World, of: &Peer) -> Vec<RecoveryKey> {
    let keys = world.authority.recoveries(&of.header.identity);
    keys.into_iter().map(|view| view.key).collect()
}

/// Whoever stole the most senior device makes a phrase of their own, and a device by it. The older
/// phrase still beats all of that, in whatever order it is heard of.
#[test]
fn a_phrase_that_a_stolen_device_sets_does_not_displace_the_older_one() {
    let (mut world, mut stolen) = World::create(9);
    let (phrase, theirs) = (world.phrase(), world.phrase());
    accept!(world, stolen, set_recovery(&stolen.keyring, &phrase, 1));
    accept!(world, stolen, set_recovery(&stolen.keyring, &theirs, 2));
    assert_eq!(keys(&world, &stolen), [phrase.key(), theirs.key()]);
    let mut puppet = world.recovered(&theirs, &stolen, 2);
    accept!(world, puppet, add(&puppet.keyring));
    refuse!(world, stolen, revoke(&puppet.keyring));
    let mut back = world.recovered(&phrase, &stolen, 1);
    accept!(world, back, add(&back.keyring));
    // Another by theirs is newer, and still below.
    let mut newest = world.recovered(&theirs, &stolen, 2);
    accept!(world, newest, add(&newest.keyring));
    refuse!(world, puppet, revoke(&back.keyring));
    refuse!(world, newest, revoke(&back.keyring));
    refuse!(world, stolen, revoke(&back.keyring));
    // By theirs only theirs is replaced.
    let third = world.phrase();
    accept!(world, newest, set_recovery(&newest.keyring, &third, 3));
    assert_eq!(keys(&world, &stolen), [phrase.key(), third.key()]);
    let before = world.authority.heads();
    for thief in [&puppet, &newest, &stolen] {
        accept!(world, back, revoke(&thief.keyring));
    }
    let own = world.phrase();
    accept!(world, back, set_recovery(&back.keyring, &own, 4));
    assert_eq!(keys(&world, &stolen), [own.key()]);
    // As if it had not heard of any of that.
    let late = set_recovery(&stolen.keyring, &world.phrase(), 4);
    world.act_after(&mut stolen, before, late);
    assert_eq!(keys(&world, &stolen), [own.key()]);
    let expected = (observe(&world.authority), keys(&world, &stolen));
    let mut rng = Rng(9);
    for _ in 0..40 {
        let mut replica = Authority::new(world.space);
        for sent in shuffle(&world, &mut rng) {
            replica.apply(&sent.entry, &sent.author, &sent.op);
        }
        let keys = replica.recoveries(&stolen.header.identity).into_iter();
        let found = (observe(&replica), keys.map(|view| view.key).collect());
        assert_eq!(found, expected);
    }
}

#[test]
fn a_recovery_key_of_ones_own_making_gives_no_rank() {
    let (mut world, mut first) = World::create(4);
    let mut second = world.second(&first, 1);
    accept!(world, first, add(&second.keyring));
    let (phrase, own) = (world.phrase(), world.phrase());
    accept!(world, first, set_recovery(&first.keyring, &phrase, 1));
    // A valid chain, but the space knows another key.
    let mut spare = world.recovered(&own, &second, 7);
    refuse!(world, spare, add(&spare.keyring));
    accept!(world, second, add(&spare.keyring));
    assert!(world.acts(&spare));
    refuse!(world, spare, revoke(&second.keyring));
    refuse!(world, spare, revoke(&first.keyring));
    accept!(world, first, revoke(&spare.keyring));
}

#[test]
fn a_thief_cannot_fill_the_places_that_recovery_needs() {
    let (mut world, mut first) = World::create(5);
    let phrase = world.phrase();
    accept!(world, first, set_recovery(&first.keyring, &phrase, 1));
    for order in 1..16 {
        let spare = world.second(&first, order);
        accept!(world, first, add(&spare.keyring));
    }
    let more = world.second(&first, 16);
    refuse!(world, first, add(&more.keyring));
    let mut back = world.recovered(&phrase, &first, 1);
    accept!(world, back, add(&back.keyring));
    // One that is there may still renew its certificate.
    let renewed = first.keyring.renew_hpke(&mut |to| world.rng.fill(to));
    accept!(world, first, add(&renewed.unwrap()));
}

#[test]
fn a_renewed_certificate_replaces_the_key_and_nothing_else() {
    let (mut world, first) = World::create(6);
    let mut bob = {
        let mut first = first;
        world.member(&mut first, 1, Role::Editor)
    };
    let renewed = bob
        .keyring
        .renew_hpke(&mut |to| world.rng.fill(to))
        .unwrap();
    let ranked = world.authority.devices_by_rank(&bob.header.identity);
    accept!(world, bob, add(&renewed));
    let entitled = world.authority.entitled_devices();
    let view = entitled.iter().find(|v| v.device == bob.header.device);
    assert_eq!(view.unwrap().hpke, renewed.hpke_public());
    assert_eq!(entitled.len(), 2);
    let after = world.authority.devices_by_rank(&bob.header.identity);
    assert_eq!(after, ranked);
    // Nothing is recorded twice.
    let before = format!("{:?}", world.authority.members());
    accept!(world, bob, add(&renewed));
    assert_eq!(format!("{:?}", world.authority.members()), before);
}

#[test]
fn a_joining_chain_brings_one_device_and_none_that_was_revoked() {
    let (mut world, mut ada) = World::create(7);
    accept!(world, ada, invite_op(1, Role::Editor));
    let lost = world.peer();
    let mut bob = world.second(&lost, 1);
    let op = join_op(world.space, &bob, 1, Role::Editor);
    accept!(world, bob, op);
    assert!(world.acts(&bob) && !world.acts(&lost));
    // The member's other devices come by the one that acts, not by themselves.
    let mut third = world.second(&bob, 2);
    let op = join_op(world.space, &third, 1, Role::Editor);
    refuse!(world, third, op);
    accept!(world, bob, add(&third.keyring));
    // Joining again with a device that acts is no harm.
    let op = join_op(world.space, &third, 1, Role::Editor);
    accept!(world, third, op);
    // After the lost one was added and revoked, and Bob removed, its offspring does not join.
    accept!(world, bob, add(&lost.keyring));
    accept!(world, ada, revoke(&lost.keyring));
    accept!(world, ada, revoke(&bob.keyring));
    accept!(world, ada, revoke(&third.keyring));
    accept!(world, ada, set_role(&bob, None));
    let mut thief = world.second(&lost, 5);
    let op = join_op(world.space, &thief, 1, Role::Editor);
    refuse!(world, thief, op);
    accept!(world, ada, close_op(1));
}

#[test]
fn a_backdated_join_through_a_revoked_device_falls() {
    let (mut world, mut ada) = World::create(8);
    accept!(world, ada, invite_op(1, Role::Editor));
    let before = world.authority.heads();
    let mut lost = world.peer();
    let op = join_op(world.space, &lost, 1, Role::Editor);
    accept!(world, lost, op);
    let phone = world.second(&lost, 1);
    accept!(world, lost, add(&phone.keyring));
    accept!(world, lost, revoke(&lost.keyring));
    // Whoever has the lost device and the invitation pretends to have joined before all this.
    let mut thief = world.second(&lost, 2);
    let op = join_op(world.space, &thief, 1, Role::Editor);
    let verdict = world.act_after(&mut thief, before.clone(), op);
    assert_eq!(verdict, Verdict::Accepted, "its own past knows of nothing");
    assert!(!world.acts(&thief));
    // Renewing its key does not vouch for itself.
    let renewed = thief.keyring.renew_hpke(&mut |to| world.rng.fill(to));
    let tip = vec![thief.last.unwrap().1];
    let verdict = world.act_after(&mut thief, tip, add(&renewed.unwrap()));
    assert_eq!(verdict, Verdict::Accepted);
    assert!(!world.acts(&thief) && world.acts(&phone));
    let members = world.authority.members();
    let bob = members.iter().find(|m| m.identity == lost.header.identity);
    assert_eq!(bob.unwrap().devices.len(), 1);
}

#[test]
fn a_device_leads_to_one_identity_only() {
    let (mut world, mut ada) = World::create(9);
    let mut bob = world.member(&mut ada, 1, Role::Editor);
    // Of Bob's identity, offered by Ada; of Ada's, under Bob's authorship.
    let tablet = world.second(&bob, 1);
    refuse!(world, ada, add(&tablet.keyring));
    let desk = world.second(&ada, 1);
    refuse!(world, bob, add(&desk.keyring));
    for bytes in [Vec::new(), vec![3, 1, 0], vec![9; 40]] {
        refuse!(world, ada, ControlOp::DeviceAdd { certificate: bytes });
    }
    assert_ne!(world.space, SpaceId::ZERO);
}

#[test]
fn devices_are_added_by_their_identity_and_revoked_by_seniors() {
    let (mut world, mut creator) = World::create(5);
    let mut bob = world.member(&mut creator, 1, Role::Editor);
    let second = bob.keyring.enrol(1, "tablet", &mut |to| world.rng.fill(to));
    let add = ControlOp::DeviceAdd {
        certificate: second.chain().encode(),
    };
    assert!(refused(&world.act(&mut creator, add.clone())));
    assert_eq!(world.act(&mut bob, add.clone()), Verdict::Accepted);
    let mut tablet = Peer::new(second, world.space);
    let revoke = |peer: &Peer| ControlOp::DeviceRevoke {
        device: peer.header.device,
        heads: Vec::new(),
    };
    // The junior may not revoke the senior, nor an editor somebody else's device.
    assert!(refused(&world.act(&mut tablet, revoke(&bob))));
    assert!(refused(&world.act(&mut bob, revoke(&creator))));
    assert_eq!(world.act(&mut bob, revoke(&tablet)), Verdict::Accepted);
    assert_eq!(world.authority.role_of_device(&tablet.header.device), None);
    assert!(refused(&world.act(&mut bob, add)));
    assert_eq!(world.act(&mut creator, revoke(&bob)), Verdict::Accepted);
    assert_eq!(world.authority.role_of_device(&bob.header.device), None);
    assert_eq!(
        world.authority.role(&bob.header.identity),
        Some(Role::Editor)
    );
}
