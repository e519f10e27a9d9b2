//! Content keys against members who lost the right to read, and against hostile rotations.

use super::tests::{Peer, World, refused, set_role};
use super::*;
use crate::feed::ContentKey;
use crate::model::{ContentKeyId, DeviceKey, EntryId, Role};
use std::collections::BTreeSet;

/// The first of the secrets that honest writers draw where others are hostile, who draw lower ones:
/// nobody guesses a secret.
const HONEST: u8 = 200;

/// The keys that a device can get at from the control entries: those sealed to it, and older ones
/// that the links of these open.
fn readable(authority: &Authority, peer: &Peer) -> BTreeSet<ContentKeyId> {
    let mut keys = ContentKeys::default();
    let mut ids = BTreeSet::new();
    for (id, wrap, info) in authority.wraps_for(&peer.header.device) {
        let opened = peer.keyring.open_wrap(&info, &wrap);
        let key = opened.map(ContentKey::from_bytes);
        if let Some(key) = key.ok().filter(|key| key.id() == id) {
            ids.insert(keys.insert(key));
        }
    }
    ids.extend(keys.open_back_links(&authority.back_links()));
    ids
}

/// What a writer uses, as `space::write` has it: the best usable key, or a new one, made first.
fn write(world: &mut World, writer: &mut Peer, secret: u8) -> ContentKeyId {
    if let Some(key) = world.authority.writing_key()
        && readable(&world.authority, writer).contains(&key)
    {
        return key;
    }
    let generation = world.authority.next_generation(&world.authority.heads());
    let op = world.rotate_op(secret, generation);
    assert_eq!(world.act(writer, op), Verdict::Accepted);
    let key = world.authority.writing_key().expect("it was just made");
    assert_eq!(key, ContentKey::from_bytes([secret; 32]).id());
    key
}

fn permutations(of: &[usize]) -> Vec<Vec<usize>> {
    if of.is_empty() {
        return vec![Vec::new()];
    }
    let mut all = Vec::new();
    for (at, first) in of.iter().enumerate() {
        let mut rest = of.to_vec();
        rest.remove(at);
        for mut tail in permutations(&rest) {
            tail.insert(0, *first);
            all.push(tail);
        }
    }
    all
}

/// Attack 13 of the research: a rotation that is concurrent with a removal hands the new key to the
/// removed. Two removals and two rotations, none of which knows of another, in all orders; after
/// each of them a writer never uses a key that somebody removed by then can read.
#[test]
fn attack_13_no_new_entry_is_readable_by_a_removed_key() {
    for link in [false, true] {
        for order in permutations(&[0, 1, 2, 3]) {
            let (mut world, mut ada) = World::create(13);
            let mut bob = world.member(&mut ada, 1, Role::Admin);
            let mut cem = world.member(&mut ada, 2, Role::Editor);
            let mut eve = world.member(&mut ada, 3, Role::Editor);
            let mut out = [
                world.member(&mut ada, 4, Role::Editor),
                world.member(&mut ada, 5, Role::Reader),
            ];
            let first = world.rotate_op(1, 1);
            world.act(&mut ada, first);
            let heads = world.authority.heads();
            let old = ContentKey::from_bytes([1; 32]);
            let mut rotations = [world.rotate_op(2, 2), world.rotate_op(3, 2)];
            for (op, secret) in rotations.iter_mut().zip([2, 3]) {
                if let (true, ControlOp::KeyRotate { back_link, .. }) = (link, op) {
                    let new = ContentKey::from_bytes([secret; 32]);
                    *back_link = Some(seal_back_link(&new, &old).unwrap());
                }
            }
            let [two, three] = rotations;
            let sent = [
                ada.write(world.space, heads.clone(), set_role(&out[0], None), 90),
                bob.write(world.space, heads.clone(), set_role(&out[1], None), 91),
                cem.write(world.space, heads.clone(), two, 92),
                eve.write(world.space, heads, three, 93),
            ];
            let mut removed = Vec::new();
            for step in order {
                assert_eq!(world.deliver(sent[step].clone()), Verdict::Accepted);
                if step < 2 {
                    removed.push(step);
                }
                if let Some(key) = world.authority.writing_key() {
                    for at in &removed {
                        let known = readable(&world.authority, &out[*at]);
                        assert!(!known.contains(&key));
                    }
                }
            }
            // All four are there: both keys are known to the removed, so the next writer heals.
            assert_eq!(world.authority.writing_key(), None);
            let key = write(&mut world, &mut eve, 4);
            assert_eq!(write(&mut world, &mut ada, 5), key, "one is enough");
            for gone in &mut out {
                assert!(!readable(&world.authority, gone).contains(&key));
                // Nor do they bring it about by what they say afterwards, knowing or not.
                let again = world.rotate_op(6, world.authority.next_generation(&[]));
                let verdict = world.act(gone, again);
                assert!(refused(&verdict));
            }
            assert_eq!(write(&mut world, &mut bob, 7), key);
        }
    }
}

/// What a hostile reader may put into a rotation.
fn hostile(
    world: &mut World,
    mallory: &Peer,
    past: &[EntryId],
    honest: &[ContentKeyId],
) -> ControlOp {
    let secret = world.rng.below(usize::from(HONEST)) as u8;
    let own: Vec<EntryId> = mallory.last.iter().map(|(_, id)| *id).collect();
    let next = world.authority.next_generation(&[past, &own].concat());
    let generations = [
        0,
        1,
        next,
        next.wrapping_add(1),
        next / 2,
        u64::MAX,
        u64::MAX - 1,
    ];
    let generation = match world.rng.below(3) {
        0 => generations[world.rng.below(generations.len())],
        _ => next,
    };
    let mut op = world.rotate_op(secret, generation);
    let ControlOp::KeyRotate {
        key_id,
        wraps,
        back_link,
        ..
    } = &mut op
    else {
        unreachable!()
    };
    match world.rng.below(5) {
        0 => *key_id = ContentKeyId::ZERO,
        // The smallest id wins among equals: one that belongs to no key.
        1 => *key_id = ContentKeyId([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, secret]),
        2 => *key_id = honest[world.rng.below(honest.len())],
        _ => {}
    }
    match world.rng.below(4) {
        0 => wraps.retain(|wrap| wrap.device == mallory.header.device),
        1 => wraps
            .iter_mut()
            .for_each(|wrap| wrap.sealed = vec![secret; 48]),
        2 => {
            if let Some(wrap) = wraps.last_mut() {
                wrap.device = DeviceKey([secret; 32]);
            }
        }
        _ => {}
    }
    if world.rng.below(2) == 0 {
        *back_link = Some((honest[world.rng.below(honest.len())], vec![secret; 48]));
    }
    op
}

/// Attack 14 of the research: a crafted key id or a huge generation that keeps later rotations from
/// ever being used. Whatever a reader puts into rotations, also into ones that pretend to be older,
/// the next honest writer has a key that it holds, that all who may read can open, and nobody else.
#[test]
fn attack_14_no_rotation_keeps_later_ones_from_being_used() {
    let (mut accepted, mut refusals) = (0, 0);
    for seed in 0..40 {
        let (mut world, mut ada) = World::create(1400 + seed);
        let mut bob = world.member(&mut ada, 1, Role::Editor);
        let mut mallory = world.member(&mut ada, 2, Role::Reader);
        let first = world.rotate_op(0, 1);
        world.act(&mut ada, first);
        let mut honest = vec![ContentKey::from_bytes([0; 32]).id()];
        let mut heads: Vec<Vec<EntryId>> = vec![world.authority.heads()];
        for round in 0..12u8 {
            for _ in 0..1 + world.rng.below(3) {
                let past = heads[world.rng.below(heads.len())].clone();
                let op = hostile(&mut world, &mallory, &past, &honest);
                match world.act_after(&mut mallory, past, op) {
                    Verdict::Accepted => accepted += 1,
                    Verdict::Refused(_) => refusals += 1,
                }
            }
            let writer = if round % 2 == 0 { &mut ada } else { &mut bob };
            let key = write(&mut world, writer, HONEST + round);
            for peer in [&ada, &bob] {
                assert!(
                    readable(&world.authority, peer).contains(&key),
                    "{seed} {round}"
                );
            }
            let all = world.authority.keys();
            let used = all.iter().find(|k| k.key_id == key).unwrap();
            let entitled = world.authority.entitled_devices();
            let entitled: BTreeSet<_> = entitled.iter().map(|view| view.device).collect();
            assert!(used.recipients.is_subset(&entitled));
            // Generations rise by at most one with each entry, whatever anybody claims.
            assert!(used.generation <= world.sent.len() as u64, "{seed} {round}");
            honest.push(key);
            heads.push(world.authority.heads());
        }
    }
    assert!(accepted > 100 && refusals > 100, "{accepted} {refusals}");
}

#[test]
fn keys_are_usable_while_every_recipient_may_read() {
    let (mut world, mut creator) = World::create(7);
    let rotate = world.rotate_op(1, 1);
    assert_eq!(world.act(&mut creator, rotate), Verdict::Accepted);
    let first = ContentKey::from_bytes([1; 32]);
    assert_eq!(world.authority.writing_key(), Some(first.id()));
    let bob = world.member(&mut creator, 1, Role::Editor);
    let missing = world.authority.missing_wraps();
    assert_eq!(missing.len(), 1);
    assert_eq!(
        (missing[0].0, missing[0].1.device),
        (first.id(), bob.header.device)
    );
    let share = ControlOp::KeyShare {
        key_id: first.id(),
        wraps: vec![world.wrap(&first, &missing[0].1)],
    };
    assert_eq!(world.act(&mut creator, share), Verdict::Accepted);
    assert!(world.authority.missing_wraps().is_empty());
    let (id, wrap, info) = world.authority.wraps_for(&bob.header.device).remove(0);
    assert_eq!(id, first.id());
    assert_eq!(
        bob.keyring.open_wrap(&info, &wrap).unwrap(),
        *first.as_bytes()
    );
    assert_eq!(
        world.act(&mut creator, set_role(&bob, None)),
        Verdict::Accepted
    );
    assert_eq!(world.authority.writing_key(), None);
    let rotate = world.rotate_op(2, 2);
    assert_eq!(world.act(&mut creator, rotate), Verdict::Accepted);
    let second = ContentKey::from_bytes([2; 32]);
    assert_eq!(world.authority.writing_key(), Some(second.id()));
}

#[test]
fn hostile_rotations_are_refused() {
    let (mut world, mut creator) = World::create(8);
    let rotate = world.rotate_op(1, 1);
    assert_eq!(world.act(&mut creator, rotate.clone()), Verdict::Accepted);
    for generation in [0, 1, 3, u64::MAX] {
        let op = world.rotate_op(2, generation);
        assert!(refused(&world.act(&mut creator, op)), "{generation}");
    }
    let again = world.rotate_op(1, 2);
    assert!(refused(&world.act(&mut creator, again)), "a known key");
    let mut relay = world.member(&mut creator, 1, Role::Relay);
    let op = world.rotate_op(3, 2);
    assert!(refused(&world.act(&mut relay, op)), "a relay rotates");
    for device in [relay.header.device, DeviceKey([9; 32])] {
        let mut op = world.rotate_op(4, 2);
        if let ControlOp::KeyRotate { wraps, .. } = &mut op {
            wraps[0].device = device;
        }
        assert!(
            refused(&world.act(&mut creator, op)),
            "to a device without right"
        );
    }
    let op = ControlOp::KeyRotate {
        key_id: ContentKeyId([1; 16]),
        generation: 2,
        wraps: Vec::new(),
        back_link: None,
    };
    assert!(refused(&world.act(&mut creator, op)), "to nobody");
}

#[test]
fn a_removed_member_cannot_spoil_new_keys() {
    let (mut world, mut creator) = World::create(11);
    let mut mallory = world.member(&mut creator, 1, Role::Reader);
    let before = world.authority.heads();
    let view = world.authority.entitled_devices();
    let own = view
        .iter()
        .find(|view| view.device == mallory.header.device);
    assert_eq!(
        world.act(&mut creator, set_role(&mallory, None)),
        Verdict::Accepted
    );
    let rotate = world.rotate_op(1, 1);
    assert_eq!(world.act(&mut creator, rotate), Verdict::Accepted);
    let key = ContentKey::from_bytes([1; 32]);
    // Mallory knows the new key's id, not the key, and pretends not to know of the removal.
    let mut wrap = world.wrap(&key, own.unwrap());
    wrap.sealed = vec![0; 48];
    let claim = ControlOp::KeyRotate {
        key_id: key.id(),
        generation: 1,
        wraps: vec![wrap],
        back_link: None,
    };
    assert_eq!(
        world.act_after(&mut mallory, before, claim),
        Verdict::Accepted
    );
    assert_eq!(world.authority.writing_key(), Some(key.id()));
}

#[test]
fn back_links_count_as_wraps() {
    let (mut world, mut creator) = World::create(9);
    let (old, new) = (
        ContentKey::from_bytes([1; 32]),
        ContentKey::from_bytes([2; 32]),
    );
    let first = world.rotate_op(1, 1);
    world.act(&mut creator, first);
    let mut second = world.rotate_op(2, 2);
    if let ControlOp::KeyRotate { back_link, .. } = &mut second {
        *back_link = Some(seal_back_link(&new, &old).unwrap());
    }
    assert_eq!(world.act(&mut creator, second), Verdict::Accepted);
    world.member(&mut creator, 1, Role::Reader);
    let missing = world.authority.missing_wraps();
    assert_eq!(
        missing.iter().map(|(id, _)| *id).collect::<Vec<_>>(),
        [new.id()]
    );
    let mut keys = ContentKeys::default();
    keys.insert(new);
    assert_eq!(
        keys.open_back_links(&world.authority.back_links()),
        [old.id()]
    );
}
