//! Recovery phrases that replace others by means of the words of these.

use super::device_tests::{add, keys, revoke, set_recovery};
use super::tests::{Peer, Rng, World, observe, shuffle};
use super::*;
use crate::identity::{DeviceKeys, Keyring, RecoveryPhrase};
use crate::model::Role;

/// One phrase states another in its place.
fn replace(of: &Peer, old: &RecoveryPhrase, new: &RecoveryPhrase, generation: u64) -> ControlOp {
    let identity = of.header.identity;
    ControlOp::RecoverySet {
        identity,
        recovery: new.key(),
        statement: old.replaced_by(new, identity, generation),
    }
}

/// A device by a phrase, to which the space knows a way.
fn recovered(world: &mut World, of: &Peer, phrase: &RecoveryPhrase, order: u32) -> Peer {
    let way = world
        .authority
        .way_to_recovery(&of.header.identity, &phrase.key());
    let (chain, way) = way.expect("it was stated");
    let keys = DeviceKeys::generate(&mut |to| world.rng.fill(to));
    let keyring = Keyring::recover(keys, phrase, &chain, &way, order, "").unwrap();
    Peer::new(keyring, world.space)
}

fn accept(world: &mut World, peer: &mut Peer, op: ControlOp) {
    assert_eq!(world.act(peer, op), Verdict::Accepted);
}

fn resolves_alike_in_every_order(world: &World, of: &Peer) {
    let expected = (observe(&world.authority), keys(world, of));
    let mut rng = Rng(3);
    for _ in 0..40 {
        let mut replica = Authority::new(world.space);
        for sent in shuffle(world, &mut rng) {
            replica.apply(&sent.entry, &sent.author, &sent.op);
        }
        let found = replica.recoveries(&of.header.identity).into_iter();
        let found = (observe(&replica), found.map(|view| view.key).collect());
        assert_eq!(found, expected);
    }
}

/// A space of an identity with two devices.
fn two_devices(seed: u64) -> (World, Peer, Peer) {
    let (mut world, mut first) = World::create(seed);
    let second = world.second(&first, 1);
    accept(&mut world, &mut first, add(&second.keyring));
    (world, first, second)
}

#[test]
fn any_device_replaces_a_phrase_by_means_of_the_one_before() {
    let (mut world, mut first, mut second) = two_devices(31);
    let phrases: Vec<_> = (0..6).map(|_| world.phrase()).collect();
    let [a, b, c, junior, stranger, d] = phrases.as_slice() else {
        unreachable!("there are six")
    };
    let set = set_recovery(&first.keyring, a, 1);
    accept(&mut world, &mut first, set);
    let set = set_recovery(&first.keyring, junior, 2);
    accept(&mut world, &mut first, set);
    // Words that nobody knows of give no right, nor do the right ones out of turn.
    let refused = [
        replace(&first, stranger, b, 3),
        replace(&first, a, b, 2),
        replace(&first, a, b, 1 << 20),
    ];
    for op in refused {
        world.refuse(&mut second, op);
    }
    // Another identity has no part in it.
    let mut bob = world.member(&mut first, 1, Role::Admin);
    world.refuse(&mut bob, replace(&first, a, b, 3));
    // By the junior one only that is replaced; by the senior one everything.
    let op = replace(&first, junior, d, 3);
    accept(&mut world, &mut second, op);
    assert_eq!(keys(&world, &first), [a.key(), d.key()]);
    let op = replace(&first, a, b, 4);
    accept(&mut world, &mut second, op);
    assert_eq!(keys(&world, &first), [b.key()]);
    world.refuse(&mut second, replace(&first, a, c, 5));
    let mut late = recovered(&mut world, &first, a, u32::MAX);
    let op = add(&late.keyring);
    world.refuse(&mut late, op);
    // The next one comes by the one in between, and leads to a device above all others.
    let op = replace(&first, b, c, 5);
    accept(&mut world, &mut second, op);
    assert_eq!(keys(&world, &first), [c.key()]);
    let mut back = recovered(&mut world, &first, c, 2);
    assert_eq!(back.keyring.chain().links().len(), 5);
    let op = add(&back.keyring);
    accept(&mut world, &mut back, op);
    let ranked = [&back, &first, &second].map(|peer| peer.header.device);
    let known = world.authority.devices_by_rank(&first.header.identity);
    assert_eq!(known, ranked);
    resolves_alike_in_every_order(&world, &first);
}

/// Whoever stole the most senior device, or read the words, cannot undo it by revoking, at the same
/// time, the device that passes it on.
#[test]
fn a_replacement_stands_when_the_device_that_passes_it_on_is_revoked_meanwhile() {
    let (mut world, mut stolen, mut second) = two_devices(32);
    let (old, new) = (world.phrase(), world.phrase());
    let set = set_recovery(&stolen.keyring, &old, 1);
    accept(&mut world, &mut stolen, set);
    let before = world.authority.heads();
    let mut thief = recovered(&mut world, &stolen, &old, u32::MAX);
    let op = replace(&stolen, &old, &new, 2);
    accept(&mut world, &mut second, op);
    // As if none of them had heard of it.
    let op = revoke(&second.keyring);
    let verdict = world.act_after(&mut stolen, before.clone(), op);
    assert_eq!(verdict, Verdict::Accepted);
    let op = add(&thief.keyring);
    let verdict = world.act_after(&mut thief, before, op);
    assert_eq!(verdict, Verdict::Accepted);
    let last = vec![thief.last.unwrap().1];
    let verdict = world.act_after(&mut thief, last, revoke(&second.keyring));
    assert_eq!(verdict, Verdict::Accepted);
    assert!(!world.acts(&second) && world.acts(&thief));
    assert_eq!(keys(&world, &stolen), [new.key()]);
    // What comes by the new one stands above what came by the old one.
    let mut back = recovered(&mut world, &stolen, &new, 3);
    let op = add(&back.keyring);
    accept(&mut world, &mut back, op);
    world.refuse(&mut thief, revoke(&back.keyring));
    let op = revoke(&thief.keyring);
    accept(&mut world, &mut back, op);
    resolves_alike_in_every_order(&world, &stolen);
}

/// Two devices that replace one phrase without knowing of each other: both new ones are in force, and
/// the next replaces both.
#[test]
fn concurrent_replacements_are_both_in_force() {
    let (mut world, mut first, mut second) = two_devices(33);
    let [a, b, c, d] = [(); 4].map(|()| world.phrase());
    let set = set_recovery(&first.keyring, &a, 1);
    accept(&mut world, &mut first, set);
    let before = world.authority.heads();
    for (peer, new) in [(&mut first, &b), (&mut second, &c)] {
        let op = replace(peer, &a, new, 2);
        let verdict = world.act_after(peer, before.clone(), op);
        assert_eq!(verdict, Verdict::Accepted);
    }
    let mut both = keys(&world, &first);
    both.sort();
    let mut expected = [b.key(), c.key()];
    expected.sort();
    assert_eq!(both, expected);
    let op = replace(&first, &c, &d, 3);
    accept(&mut world, &mut first, op);
    assert_eq!(keys(&world, &first), [d.key()]);
    resolves_alike_in_every_order(&world, &first);
}
