//! Attacks on the authority, by their numbers in the threat model (`docs/formats/authority.md`).

use super::histories::further_device;
use super::tests::{Peer, World, close_op, invite_op, join_op, refused, set_role};
use super::*;
use crate::model::{EntryId, IdentityKey, Role};

fn revoke(peer: &Peer) -> ControlOp {
    ControlOp::DeviceRevoke {
        device: peer.header.device,
        heads: Vec::new(),
    }
}

fn role(world: &World, peer: &Peer) -> Option<Role> {
    world.authority.role(&peer.header.identity)
}

fn accept(world: &mut World, peer: &mut Peer, op: ControlOp) -> EntryId {
    assert_eq!(world.act(peer, op), Verdict::Accepted);
    world.sent[world.sent.len() - 1].entry.id
}

/// Writes as somebody who knows no more than `ctl`.
fn pretend(
    world: &mut World,
    peer: &mut Peer,
    ctl: &[EntryId],
    op: ControlOp,
) -> (Verdict, EntryId) {
    let verdict = world.act_after(peer, ctl.to_vec(), op);
    (verdict, world.sent[world.sent.len() - 1].entry.id)
}

fn stands(world: &World, entry: &EntryId) -> bool {
    let at = world.authority.graph.number(entry);
    at.is_some_and(|at| world.authority.graph.deed(at).is_some() && world.authority.is_alive(at))
}

#[test]
fn attack_08_a_removed_manager_does_not_remove_the_remover_afterwards() {
    let (mut world, mut creator) = World::create(108);
    let mut alice = world.member(&mut creator, 1, Role::Admin);
    let mut bob = world.member(&mut creator, 2, Role::Admin);
    let eve = world.member(&mut creator, 3, Role::Editor);
    let owner = set_role(&alice, Some(Role::Owner));
    accept(&mut world, &mut creator, owner);
    let before = world.authority.heads();
    accept(&mut world, &mut alice, set_role(&bob, None));
    // Alice goes on: two more members.
    let first = world.member(&mut alice, 5, Role::Editor);
    let second = world.member(&mut alice, 6, Role::Editor);
    let (verdict, _) = pretend(&mut world, &mut bob, &before, set_role(&alice, None));
    assert!(refused(&verdict), "an admin does not outrank an owner");
    // What Bob may do stays accepted, but it has no effect.
    let (verdict, removal) = pretend(&mut world, &mut bob, &before, set_role(&eve, None));
    assert_eq!(verdict, Verdict::Accepted);
    let (verdict, invitation) = pretend(&mut world, &mut bob, &before, invite_op(7, Role::Editor));
    assert_eq!(verdict, Verdict::Accepted);
    let mut puppet = world.peer();
    let join = join_op(world.space, &puppet, 7, Role::Editor);
    let (verdict, joined) = pretend(&mut world, &mut puppet, &[invitation], join);
    assert_eq!(verdict, Verdict::Accepted);
    for entry in [removal, invitation, joined] {
        assert!(!stands(&world, &entry));
    }
    assert_eq!(role(&world, &alice), Some(Role::Owner));
    assert_eq!(role(&world, &bob), None);
    assert_eq!(role(&world, &puppet), None);
    for member in [&eve, &first, &second] {
        assert_eq!(role(&world, member), Some(Role::Editor));
    }
    // Everybody goes on, with the attempts in the past.
    accept(&mut world, &mut alice, set_role(&first, Some(Role::Reader)));
    assert_eq!(role(&world, &first), Some(Role::Reader));
    let join = join_op(world.space, &puppet, 7, Role::Editor);
    assert!(
        refused(&world.act(&mut puppet, join)),
        "its invitation is void"
    );
}

#[test]
fn attack_08_a_sock_puppet_does_not_empty_the_space() {
    let (mut world, mut creator) = World::create(208);
    let mut alice = world.member(&mut creator, 1, Role::Admin);
    let mut bob = world.member(&mut creator, 2, Role::Admin);
    for of in [&alice, &bob] {
        let op = set_role(of, Some(Role::Owner));
        accept(&mut world, &mut creator, op);
    }
    // Two owners, Alice longer. Bob makes a puppet owner "before" he is removed.
    let puppet = world.member(&mut bob, 3, Role::Editor);
    let before = world.authority.heads();
    accept(&mut world, &mut alice, set_role(&bob, None));
    let (verdict, grant) = pretend(
        &mut world,
        &mut bob,
        &before,
        set_role(&puppet, Some(Role::Owner)),
    );
    assert_eq!(verdict, Verdict::Accepted);
    let mut puppet = puppet;
    let known = [grant];
    for target in [&creator, &alice] {
        let (verdict, _) = pretend(&mut world, &mut puppet, &known, set_role(target, None));
        assert!(refused(&verdict), "a puppet outranks nobody who made it");
    }
    // Not even the junior owner that the puppet would have outranked by age.
    assert!(!stands(&world, &grant));
    assert_eq!(role(&world, &puppet), Some(Role::Editor));
    assert_eq!(role(&world, &alice), Some(Role::Owner));
    assert_eq!(role(&world, &creator), Some(Role::Owner));
    accept(&mut world, &mut alice, set_role(&puppet, None));
}

#[test]
fn attack_08_of_two_owners_who_remove_each_other_the_senior_stays() {
    let (mut world, mut creator) = World::create(308);
    let mut alice = world.member(&mut creator, 1, Role::Admin);
    let mut bob = world.member(&mut creator, 2, Role::Admin);
    let carol = world.member(&mut creator, 3, Role::Editor);
    accept(
        &mut world,
        &mut creator,
        set_role(&alice, Some(Role::Owner)),
    );
    accept(&mut world, &mut creator, set_role(&bob, Some(Role::Owner)));
    let before = world.authority.heads();
    let (verdict, _) = pretend(&mut world, &mut bob, &before, set_role(&alice, None));
    assert!(refused(&verdict));
    // Bob takes Carol out, Alice concurrently Bob: Carol is back, and it is said whose fault it was.
    let (verdict, undone) = pretend(&mut world, &mut bob, &before, set_role(&carol, None));
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(role(&world, &carol), None);
    let (verdict, by) = pretend(&mut world, &mut alice, &before, set_role(&bob, None));
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(role(&world, &carol), Some(Role::Editor));
    assert!(
        world
            .authority
            .denials()
            .iter()
            .all(|denial| denial.entry != undone)
    );
    let expected = super::undoing::Undone {
        whose: bob.header.identity,
        by: alice.header.identity,
        entry: by,
    };
    assert_eq!(world.authority.undoing(&undone), Some(expected));
    let roster = world.authority.roster();
    let decided_by = |peer: &Peer| {
        let entry = roster.iter().find(|e| e.identity == peer.header.identity);
        entry.and_then(|entry| entry.decided_by)
    };
    assert_eq!(decided_by(&bob), Some(by));
    assert_ne!(decided_by(&carol), Some(undone));
}

#[test]
fn attack_09_the_removal_by_a_removed_admin_dies_with_the_heads_it_names() {
    let (mut world, mut creator) = World::create(109);
    let mut mallory = world.member(&mut creator, 1, Role::Admin);
    let eve = world.member(&mut creator, 2, Role::Editor);
    let before = world.authority.heads();
    // Naming no heads would set everything aside that Eve wrote and nobody built on.
    let (verdict, removal) = pretend(&mut world, &mut mallory, &before, set_role(&eve, None));
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.authority.denials().len(), 1);
    let (verdict, _) = pretend(&mut world, &mut creator, &before, set_role(&mallory, None));
    assert_eq!(verdict, Verdict::Accepted);
    let denials = world.authority.denials();
    assert_eq!(denials.len(), 1);
    assert_ne!(denials[0].entry, removal);
    assert_eq!(role(&world, &eve), Some(Role::Editor));
    // Who had known of it does not un-know it, but it denies nothing.
    assert_eq!(
        world.authority.knows(&world.authority.heads(), &removal),
        Some(true)
    );
}

#[test]
fn attack_05_a_link_that_is_closed_or_undone_admits_nobody() {
    let (mut world, mut creator) = World::create(105);
    let mut mallory = world.member(&mut creator, 1, Role::Admin);
    let before = world.authority.heads();
    let (_, invitation) = pretend(
        &mut world,
        &mut mallory,
        &before,
        invite_op(2, Role::Editor),
    );
    let mut guest = world.peer();
    let join = join_op(world.space, &guest, 2, Role::Editor);
    pretend(&mut world, &mut guest, &[invitation], join);
    assert_eq!(role(&world, &guest), Some(Role::Editor));
    let (_, by) = pretend(&mut world, &mut creator, &before, set_role(&mallory, None));
    assert_eq!(role(&world, &guest), None);
    assert_eq!(world.authority.role_of_device(&guest.header.device), None);
    let roster = world.authority.roster().into_iter();
    let gone = roster.clone().find(|e| e.identity == guest.header.identity);
    assert_eq!(
        gone.map(|e| (e.undone, e.decided_by)),
        Some((true, Some(by)))
    );
    // A superior who wants the guest says so, and then it stands on that alone.
    accept(&mut world, &mut creator, invite_op(3, Role::Editor));
    let join = join_op(world.space, &guest, 3, Role::Editor);
    accept(&mut world, &mut guest, join);
    assert_eq!(role(&world, &guest), Some(Role::Editor));
    accept(&mut world, &mut creator, close_op(3));
    assert_eq!(role(&world, &guest), Some(Role::Editor));
}

#[test]
fn attack_05_a_join_concurrent_with_the_closing_is_void_in_every_order() {
    let (mut world, mut creator) = World::create(205);
    let open = accept(&mut world, &mut creator, invite_op(2, Role::Editor));
    let mut early = world.peer();
    let join = join_op(world.space, &early, 2, Role::Editor);
    accept(&mut world, &mut early, join);
    let before = world.authority.heads();
    let close = accept(&mut world, &mut creator, close_op(2));
    // Whoever stole the link joins as if it had not heard, and goes on from there.
    let (mut thief, mut second) = (world.peer(), world.peer());
    let join = join_op(world.space, &thief, 2, Role::Editor);
    let (verdict, joined) = pretend(&mut world, &mut thief, &before, join);
    assert_eq!(verdict, Verdict::Accepted);
    let name = ControlOp::NameSet {
        display_name: "Ada".into(),
    };
    let (verdict, named) = pretend(&mut world, &mut thief, &[joined], name);
    assert_eq!(verdict, Verdict::Accepted);
    let join = join_op(world.space, &second, 2, Role::Reader);
    let (verdict, backdated) = pretend(&mut world, &mut second, &[open], join);
    assert_eq!(verdict, Verdict::Accepted);
    let orders = super::tests::all_orders(&world);
    assert!(orders.len() >= 15, "{}", orders.len());
    let expected = super::tests::observe(&world.authority);
    for order in &orders {
        let mut replica = Authority::new(world.space);
        for sent in order {
            assert_eq!(
                replica.apply(&sent.entry, &sent.author, &sent.op),
                Verdict::Accepted
            );
        }
        assert_eq!(super::tests::observe(&replica), expected);
        assert_eq!(replica.role(&early.header.identity), Some(Role::Editor));
        for guest in [&thief, &second] {
            assert_eq!(replica.role(&guest.header.identity), None);
            // It is told so, with what it takes to see why.
            assert!(replica.was_member(&guest.header.device));
            assert!(replica.farewell(&guest.header.device).contains(&open));
        }
        for entry in [&joined, &named, &backdated] {
            assert_eq!(
                replica.undoing(entry).map(|undone| undone.entry),
                Some(close)
            );
        }
        let told = replica.why(&Target::Identity(thief.header.identity), Action::Open);
        let join = told.steps.iter().find(|s| s.entry == joined).unwrap();
        assert!(
            !join.counts
                && join
                    .text
                    .contains("closed that invitation at the same time")
        );
    }
    let mut late = world.peer();
    let join = join_op(world.space, &late, 2, Role::Editor);
    assert!(refused(&world.act(&mut late, join)));
}

#[test]
fn attack_05_a_closing_that_does_not_stand_keeps_nobody_out() {
    let (mut world, mut creator) = World::create(305);
    let mut mallory = world.member(&mut creator, 1, Role::Admin);
    accept(&mut world, &mut creator, invite_op(2, Role::Editor));
    let before = world.authority.heads();
    let (_, close) = pretend(&mut world, &mut mallory, &before, close_op(2));
    let mut guest = world.peer();
    let join = join_op(world.space, &guest, 2, Role::Editor);
    pretend(&mut world, &mut guest, &before, join);
    assert_eq!(role(&world, &guest), None);
    pretend(&mut world, &mut creator, &before, set_role(&mallory, None));
    assert!(!stands(&world, &close));
    assert_eq!(role(&world, &guest), Some(Role::Editor));
    // Nor does one of somebody who might not close it: an admin invited as one by an owner.
    let mut owner = world.member(&mut creator, 3, Role::Admin);
    let up = set_role(&owner, Some(Role::Owner));
    accept(&mut world, &mut creator, up);
    let mut admin = world.member(&mut creator, 4, Role::Admin);
    accept(&mut world, &mut owner, invite_op(5, Role::Admin));
    let before = world.authority.heads();
    assert!(refused(&world.act(&mut admin, close_op(5))));
    let mut guest = world.peer();
    let join = join_op(world.space, &guest, 5, Role::Admin);
    pretend(&mut world, &mut guest, &before, join);
    assert_eq!(role(&world, &guest), Some(Role::Admin));
}

#[test]
fn attack_07_a_revoked_device_neither_governs_nor_brings_in_others() {
    let (mut world, mut creator) = World::create(107);
    let mut bob = world.member(&mut creator, 1, Role::Admin);
    let eve = world.member(&mut creator, 2, Role::Editor);
    let (op, mut stolen) = further_device(&mut world, &bob);
    let added = accept(&mut world, &mut bob, op);
    let before = world.authority.heads();
    accept(&mut world, &mut bob, revoke(&stolen));
    let (op, mut third) = further_device(&mut world, &stolen);
    let (verdict, entry) = pretend(&mut world, &mut stolen, &before, op);
    assert_eq!(verdict, Verdict::Accepted);
    let (verdict, removal) = pretend(&mut world, &mut third, &[entry], set_role(&eve, None));
    assert_eq!(verdict, Verdict::Accepted);
    assert!(!stands(&world, &entry) && !stands(&world, &removal));
    assert_eq!(world.authority.role_of_device(&third.header.device), None);
    assert_eq!(role(&world, &eve), Some(Role::Editor));
    // A superior beats even the most senior device, and undoes what that did to the others.
    let (op, tablet) = further_device(&mut world, &bob);
    accept(&mut world, &mut bob, op);
    let before = world.authority.heads();
    let (verdict, locked_out) = pretend(&mut world, &mut bob, &before, revoke(&tablet));
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.authority.role_of_device(&tablet.header.device), None);
    let (verdict, _) = pretend(&mut world, &mut creator, &before, revoke(&bob));
    assert_eq!(verdict, Verdict::Accepted);
    assert!(!stands(&world, &locked_out));
    assert_eq!(world.authority.role_of_device(&bob.header.device), None);
    let back = world.authority.role_of_device(&tablet.header.device);
    assert_eq!(back, Some((bob.header.identity, Role::Admin)));
    assert!(stands(&world, &added), "what it did earlier stands");
}

/// A duel in which everybody claims some time; returns the roles that come of it.
fn duel(hint: u64) -> Vec<Option<Role>> {
    let timed = |seed, cap| match invite_op(seed, cap) {
        ControlOp::InviteOpen {
            invitation_key,
            role_cap,
            ..
        } => ControlOp::InviteOpen {
            invitation_key,
            role_cap,
            expires_hint_ms: hint,
        },
        other => other,
    };
    let (mut world, mut creator) = World::create(112);
    accept(&mut world, &mut creator, timed(1, Role::Admin));
    let mut guests = Vec::new();
    for _ in 0..3 {
        let mut guest = world.peer();
        let join = join_op(world.space, &guest, 1, Role::Admin);
        accept(&mut world, &mut guest, join);
        guests.push(guest);
    }
    let before = world.authority.heads();
    pretend(&mut world, &mut guests[0], &before, timed(2, Role::Editor));
    let late = world.sent[world.sent.len() - 1].entry.id;
    let mut puppet = world.peer();
    let join = join_op(world.space, &puppet, 2, Role::Editor);
    pretend(&mut world, &mut puppet, &[late], join);
    let out = set_role(&guests[0], None);
    pretend(&mut world, &mut creator, &before, out);
    guests.push(puppet);
    guests.iter().map(|guest| role(&world, guest)).collect()
}

#[test]
fn attack_12_no_clock_decides_anything() {
    let expected = duel(1);
    assert_eq!(expected, [None, Some(Role::Admin), Some(Role::Admin), None]);
    for hint in [0, 4_102_444_800_000, u64::MAX] {
        assert_eq!(duel(hint), expected, "{hint}");
    }
}

#[test]
fn attack_22_grinding_a_hash_changes_no_role() {
    let (mut world, mut creator) = World::create(122);
    let mut alice = world.member(&mut creator, 1, Role::Admin);
    let mut mallory = world.member(&mut creator, 2, Role::Admin);
    let bob = world.member(&mut creator, 3, Role::Editor);
    for of in [&alice, &mallory] {
        let op = set_role(of, Some(Role::Owner));
        accept(&mut world, &mut creator, op);
    }
    let before = world.authority.heads();
    let raise = set_role(&bob, Some(Role::Admin));
    pretend(&mut world, &mut alice, &before, raise);
    pretend(
        &mut world,
        &mut alice,
        &before,
        set_role(&mallory, Some(Role::Reader)),
    );
    let honest = world.authority.clone();
    let last = mallory.last;
    let roles = |authority: &Authority| -> Vec<(IdentityKey, Role)> {
        let members = authority.members().into_iter();
        members
            .map(|member| (member.identity, member.role))
            .collect()
    };
    let expected = roles(&honest);
    let ops = [
        set_role(&bob, None),
        set_role(&bob, Some(Role::Owner)),
        ControlOp::Succession {
            identity: bob.header.identity,
        },
        invite_op(9, Role::Admin),
    ];
    let tries = std::env::var("ECHODB_GRIND_TRIES");
    let tries = tries.map_or(20_000, |tries| tries.parse().expect("it is a number"));
    for op in &ops {
        let (mut low, mut high) = (EntryId([255; 32]), EntryId([0; 32]));
        for salt in 0..tries / ops.len() as u64 {
            mallory.last = last;
            let salt = u128::from(salt).to_le_bytes();
            let sent = mallory.write_salted(world.space, before.clone(), op.clone(), salt);
            let id = sent.entry.id;
            // What somebody grinds for, and some of the rest.
            if id > low && id < high && id.0[31] % 16 != 0 {
                continue;
            }
            (low, high) = (low.min(id), high.max(id));
            let mut replica = honest.clone();
            replica.apply(&sent.entry, &sent.author, &sent.op);
            assert_eq!(roles(&replica), expected, "{:?}", sent.op);
        }
        assert!(
            low.0[0] == 0 && high.0[0] == 255,
            "there was something to choose from"
        );
    }
}

#[test]
fn a_hand_over_has_one_form() {
    let op = ControlOp::Succession {
        identity: IdentityKey([7; 32]),
    };
    let bytes = op.encode();
    assert_eq!(bytes, [&[13][..], &[7; 32]].concat());
    assert_eq!(ControlOp::decode(&bytes).unwrap(), op);
    assert!(ControlOp::decode(&bytes[..32]).is_err());
    assert!(ControlOp::decode(&[&bytes[..], &[0]].concat()).is_err());
}

#[test]
fn a_space_is_handed_over_once_and_the_successor_cannot_be_undone() {
    let (mut world, mut creator) = World::create(40);
    let mut heir = world.member(&mut creator, 1, Role::Admin);
    let mut rival = world.member(&mut creator, 2, Role::Admin);
    let succeed = |peer: &Peer| ControlOp::Succession {
        identity: peer.header.identity,
    };
    assert!(
        refused(&world.act(&mut creator, succeed(&heir))),
        "no owner yet"
    );
    for of in [&heir, &rival] {
        let op = set_role(of, Some(Role::Owner));
        accept(&mut world, &mut creator, op);
    }
    assert!(
        refused(&world.act(&mut heir, succeed(&rival))),
        "not the top owner"
    );
    let leave = set_role(&creator, None);
    assert!(refused(&world.act(&mut creator, leave)));
    let before = world.authority.heads();
    let (copied, unaware) = (creator.last, rival.last);
    let handed = accept(&mut world, &mut creator, succeed(&heir));
    // The successor is safe, the one who handed over may go, or be made to go.
    assert!(refused(&world.act(&mut rival, set_role(&heir, None))));
    let leave = set_role(&heir, None);
    assert!(refused(&world.act(&mut heir, leave)));
    accept(
        &mut world,
        &mut heir,
        set_role(&creator, Some(Role::Editor)),
    );
    // A copy of the creator's device pretends that it did something else: another successor, or a
    // demotion of this one. The rival became owner later, so the heir's line is above.
    let after = creator.last;
    creator.last = copied;
    let (verdict, other) = pretend(&mut world, &mut creator, &before, succeed(&rival));
    assert_eq!(verdict, Verdict::Accepted);
    creator.last = copied;
    let down = set_role(&heir, Some(Role::Reader));
    let (verdict, demotion) = pretend(&mut world, &mut creator, &before, down);
    assert_eq!(verdict, Verdict::Accepted);
    rival.last = unaware;
    let (verdict, coup) = pretend(&mut world, &mut rival, &[other], set_role(&heir, None));
    assert_eq!(verdict, Verdict::Accepted);
    creator.last = after;
    assert!(stands(&world, &handed));
    for (at, entry) in [other, demotion, coup].iter().enumerate() {
        assert!(
            !stands(&world, entry),
            "{at} {:?}",
            world.authority.dead().causes
        );
    }
    assert_eq!(role(&world, &heir), Some(Role::Owner));
    assert_eq!(role(&world, &creator), Some(Role::Editor));
    assert_eq!(
        world.authority.view(None).top().map(|(top, _)| top),
        Some(heir.header.identity)
    );
    accept(&mut world, &mut heir, set_role(&rival, None));
}

/// Whoever steps down and joins again as less, while the space is handed over to it, owns it: else nobody
/// would, once the one who handed over goes.
#[test]
fn a_successor_who_joins_again_meanwhile_stays_one() {
    let (mut world, mut creator) = World::create(42);
    let mut heir = world.member(&mut creator, 1, Role::Admin);
    let op = set_role(&heir, Some(Role::Owner));
    accept(&mut world, &mut creator, op);
    accept(&mut world, &mut creator, invite_op(2, Role::Editor));
    let before = world.authority.heads();
    let hand_over = ControlOp::Succession {
        identity: heir.header.identity,
    };
    let handed = accept(&mut world, &mut creator, hand_over);
    let down = set_role(&heir, Some(Role::Relay));
    let (_, down) = pretend(&mut world, &mut heir, &before, down);
    let join = join_op(world.space, &heir, 2, Role::Editor);
    let (verdict, join) = pretend(&mut world, &mut heir, &[down], join);
    assert_eq!(verdict, Verdict::Accepted);
    assert!(stands(&world, &handed) && !stands(&world, &down) && !stands(&world, &join));
    assert_eq!(role(&world, &heir), Some(Role::Owner));
    assert_eq!(
        world.authority.role_of_device(&heir.header.device),
        Some((heir.header.identity, Role::Owner))
    );
    let leave = set_role(&creator, None);
    accept(&mut world, &mut creator, leave);
    let members = world.authority.members();
    assert!(members.iter().any(|member| member.role == Role::Owner));
}

#[test]
fn leaving_cannot_raise_and_stands_when_the_rank_it_was_done_in_falls() {
    let (mut world, mut creator) = World::create(41);
    let mut admin = world.member(&mut creator, 1, Role::Admin);
    let mut bob = world.member(&mut creator, 2, Role::Reader);
    let before = world.authority.heads();
    let (_, grant) = pretend(
        &mut world,
        &mut admin,
        &before,
        set_role(&bob, Some(Role::Editor)),
    );
    let down = set_role(&bob, Some(Role::Reader));
    let (verdict, _) = pretend(&mut world, &mut bob, &[grant], down);
    assert_eq!(verdict, Verdict::Accepted);
    pretend(&mut world, &mut creator, &before, set_role(&admin, None));
    assert_eq!(role(&world, &bob), Some(Role::Reader));
    let leave = set_role(&bob, None);
    accept(&mut world, &mut bob, leave);
    assert_eq!(role(&world, &bob), None);
}
