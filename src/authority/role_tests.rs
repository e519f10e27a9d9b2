//! Roles: who gives and takes them.

use super::tests::{World, refused, set_role};
use super::*;
use crate::model::{EntryId, Role, SpaceId};

#[test]
fn the_creator_is_owner_and_its_device_acts() {
    let (world, creator) = World::create(1);
    let identity = creator.header.identity;
    assert_eq!(world.authority.role(&identity), Some(Role::Owner));
    let role = world.authority.role_of_device(&creator.header.device);
    assert_eq!(role, Some((identity, Role::Owner)));
    let members = world.authority.members();
    assert_eq!(members.len(), 1);
    assert_eq!(members[0].display_name, "Ada");
    assert_eq!(members[0].devices[0].hpke, creator.keyring.hpke_public());
    assert_eq!(world.authority.heads(), [EntryId(world.space.0)]);
    // The same genesis creates no other space.
    let mut other = Authority::new(SpaceId([1; 32]));
    let genesis = &world.sent[0];
    assert!(refused(&other.apply(
        &genesis.entry,
        &genesis.author,
        &genesis.op
    )));
}

#[test]
fn roles_follow_rank_and_concurrent_changes_the_most_restrictive() {
    let (mut world, mut creator) = World::create(6);
    let mut admin = world.member(&mut creator, 1, Role::Admin);
    let mut other = world.member(&mut creator, 2, Role::Admin);
    let bob = world.member(&mut creator, 3, Role::Editor);
    assert!(refused(&world.act(&mut admin, set_role(&other, None))));
    assert!(refused(&world.act(&mut admin, set_role(&creator, None))));
    assert!(refused(
        &world.act(&mut admin, set_role(&bob, Some(Role::Admin)))
    ));
    let heads = world.authority.heads();
    let up = set_role(&bob, Some(Role::Reader));
    let out = set_role(&bob, None);
    assert_eq!(
        world.act_after(&mut admin, heads.clone(), up),
        Verdict::Accepted
    );
    assert_eq!(world.act_after(&mut other, heads, out), Verdict::Accepted);
    assert_eq!(world.authority.role(&bob.header.identity), None);
    let back = set_role(&bob, Some(Role::Editor));
    assert_eq!(world.act(&mut admin, back), Verdict::Accepted);
    assert_eq!(
        world.authority.role(&bob.header.identity),
        Some(Role::Editor)
    );
    // The creator neither leaves nor is removed, by owners either.
    let owner = set_role(&other, Some(Role::Owner));
    assert_eq!(world.act(&mut creator, owner), Verdict::Accepted);
    assert!(refused(&world.act(&mut other, set_role(&creator, None))));
    let leave = set_role(&creator, None);
    assert!(refused(&world.act(&mut creator, leave)));
    let leave = set_role(&other, None);
    assert_eq!(world.act(&mut other, leave), Verdict::Accepted);
}

#[test]
fn denials_are_listed_and_known_to_whoever_has_them_in_the_past() {
    let (mut world, mut creator) = World::create(21);
    let bob = world.member(&mut creator, 1, Role::Editor);
    let before = world.authority.heads();
    let up = set_role(&bob, Some(Role::Admin));
    assert_eq!(world.act(&mut creator, up), Verdict::Accepted);
    assert!(world.authority.denials().is_empty());
    let down = set_role(&bob, Some(Role::Reader));
    assert_eq!(world.act(&mut creator, down), Verdict::Accepted);
    let denials = world.authority.denials();
    assert_eq!(denials.len(), 1);
    let target = Target::Identity(bob.header.identity);
    assert_eq!(
        (denials[0].target, denials[0].leaves),
        (target, Some(Role::Reader))
    );
    let entry = denials[0].entry;
    let authority = &world.authority;
    assert_eq!(authority.knows(&before, &entry), Some(false));
    assert_eq!(authority.knows(&authority.heads(), &entry), Some(true));
    assert_eq!(authority.knows(&[EntryId([9; 32])], &entry), None);
    let earlier = authority.role_of_device_at(&bob.header.device, &before);
    assert_eq!(earlier.map(|(_, role)| role), Some(Role::Editor));
    let revoke = ControlOp::DeviceRevoke {
        device: bob.header.device,
        heads: Vec::new(),
    };
    assert_eq!(world.act(&mut creator, revoke), Verdict::Accepted);
    let target = Target::Device(bob.header.device);
    let denials = world.authority.denials();
    assert!(
        denials
            .iter()
            .any(|d| d.target == target && d.leaves.is_none())
    );
}

/// A copy of the creator's device demotes the successor without knowing of the hand-over, and gives it
/// less than everything back. The demotion is void, and what seemed to raise the successor is no
/// demotion instead: else nobody would own the space, once the creator has gone.
#[test]
fn a_successor_demoted_and_half_restored_meanwhile_stays_one() {
    let (mut world, mut creator) = World::create(43);
    let mut heir = world.member(&mut creator, 1, Role::Admin);
    let owner = set_role(&heir, Some(Role::Owner));
    assert_eq!(world.act(&mut creator, owner), Verdict::Accepted);
    let (before, copied) = (world.authority.heads(), creator.last);
    for role in [Some(Role::Reader), Some(Role::Admin)] {
        let op = set_role(&heir, role);
        assert_eq!(world.act(&mut creator, op), Verdict::Accepted);
    }
    creator.last = copied;
    let identity = heir.header.identity;
    let hand_over = ControlOp::Succession { identity };
    let verdict = world.act_after(&mut creator, before, hand_over);
    assert_eq!(verdict, Verdict::Accepted);
    assert_eq!(world.authority.role(&identity), Some(Role::Owner));
    let leave = set_role(&creator, None);
    assert_eq!(world.act(&mut heir, leave), Verdict::Accepted);
    let members = world.authority.members();
    assert_eq!((members.len(), members[0].role), (1, Role::Owner));
}
