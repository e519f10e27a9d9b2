//! Every row of the table of failures in `docs/guide/invitations.md`: what both sides are shown, and
//! the kind of the error. Rows that need thousands of members, or a peer of another version, are in
//! `src/runtime/pairing`.

mod support;

use data_encoding::{Encoding, Specification};
use echodb::model::ErrorKind;
use echodb::{
    Client, ClientOptions, Invitation, InvitationState, InviteOptions, JoinOptions, Space,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use support::{PATIENCE, Signal, client, client_at, pair_with, wait};

/// The rows, by what happened, and the tests that assert them.
const ROWS: &[(&str, &str)] = &[
    (
        "the code is mistyped, cut off, or no code",
        "a_code_that_is_none",
    ),
    (
        "it is a code for adding a device",
        "devices: attack_04_every_code_kind_at_every_entry_point",
    ),
    (
        "it is of a newer version or type",
        "a_code_of_a_newer_version_or_type",
    ),
    (
        "this profile is in the space already",
        "whoever_is_in_the_space_already",
    ),
    (
        "the code has expired",
        "invitation_hostile: time_runs_out_on_either_side",
    ),
    ("the client is offline", "a_client_that_is_offline"),
    (
        "nobody answered within the guest's `timeout_s`",
        "invitation_hostile: time_runs_out_on_either_side",
    ),
    (
        "what was entered is not six digits",
        "what_is_not_six_digits_costs_nothing",
    ),
    (
        "wrong digits, some left",
        "invitation_hostile: there_is_no_fourth_guess_over_any_number_of_restarts",
    ),
    (
        "wrong digits, none left",
        "invitation_hostile: there_is_no_fourth_guess_over_any_number_of_restarts",
    ),
    (
        "the connection broke",
        "invitation_hostile: a_broken_connection_costs_nothing_and_is_made_again",
    ),
    (
        "it broke when the guest was in already",
        "a_host_that_goes_while_the_guest_comes_in",
    ),
    (
        "the other side cancelled",
        "invitation_hostile: either_side_may_change_its_mind",
    ),
    (
        "another member closed the invitation",
        "another_member_closes_the_invitation",
    ),
    ("others came first", "others_who_came_first"),
    (
        "the guest's identity is a member already",
        "whoever_is_in_the_space_already",
    ),
    (
        "the inviter is no longer admin",
        "an_inviter_who_is_admin_no_more",
    ),
    (
        "the space has 200 members",
        "pairing: a_space_that_is_full_lets_nobody_in_and_says_so",
    ),
    (
        "16 invitations are open",
        "invitations: roles_uses_and_times_are_bounded",
    ),
    (
        "the role is not below the inviter's",
        "invitations: roles_uses_and_times_are_bounded",
    ),
    (
        "the two programs speak different versions",
        "pairing: another_version_of_the_exchange_is_named_as_such",
    ),
    (
        "somebody sits in between, or the host is not the one that the code names",
        "pairing: attack_01",
    ),
    (
        "the inviter's disk is full, or its space closed",
        "an_inviter_whose_space_is_closed",
    ),
    (
        "the client was shut down",
        "invitations: a_multi_use_invitation_and_its_counts_outlive_the_process",
    ),
    (
        "the new device has an identity already",
        "devices: attack_04_every_code_kind_at_every_entry_point",
    ),
    (
        "the identity has 16 devices",
        "pairing: an_identity_has_so_many_devices_and_says_so",
    ),
    (
        "the inviting device was revoked",
        "devices: a_revoked_device_keeps_its_copy_and_writes_nothing_more",
    ),
];

#[test]
fn every_row_of_the_guide_has_its_test() {
    let guide = include_str!("../../docs/guide/invitations.md");
    let (_, table) = guide.split_once("| What happened |").unwrap();
    let rows = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let rows: BTreeSet<&str> = rows.filter_map(|row| row.split(" | ").next()).collect();
    let rows: BTreeSet<&str> = rows
        .iter()
        .map(|row| row.trim_start_matches("| "))
        .collect();
    assert_eq!(rows, ROWS.iter().map(|(row, _)| *row).collect());
    let sources = [
        ("", include_str!("invitation_errors.rs")),
        ("devices", include_str!("devices.rs")),
        ("invitations", include_str!("invitations.rs")),
        ("invitation_hostile", include_str!("invitation_hostile.rs")),
        (
            "pairing",
            concat!(
                include_str!("../../src/runtime/pairing/tests.rs"),
                include_str!("../../src/runtime/pairing/crowd_tests.rs")
            ),
        ),
    ];
    for (row, test) in ROWS {
        let (file, name) = test.split_once(": ").unwrap_or(("", test));
        let (_, source) = sources.iter().find(|(known, _)| *known == file).unwrap();
        assert!(source.contains(&format!("fn {name}")), "{row}: {test}");
    }
}

fn kind<T>(result: echodb::Result<T>) -> ErrorKind {
    result.err().expect("it fails").kind()
}

fn ends(invitation: &Invitation, state: InvitationState, expected: ErrorKind) {
    assert_eq!(kind(invitation.wait(Some(PATIENCE))), expected);
    let update = invitation.update();
    assert_eq!(update.state, state);
    assert_eq!(update.status, expected.status());
    assert!(update.error.is_some() && update.auth_code.is_none());
}

fn join(guest: &Client, code: &str) -> Arc<Invitation> {
    guest.join(code.to_owned(), JoinOptions::default()).unwrap()
}

/// Brings both to the point where the guest is asked for the code.
fn ready(hosting: &Invitation, guest: &Client) -> Arc<Invitation> {
    let joining = join(guest, &hosting.code());
    wait("the guest is asked", || {
        joining.update().state == InvitationState::ReadyForAuthentication
            && hosting.update().auth_code.is_some()
    });
    joining
}

fn enter(hosting: &Invitation, joining: &Invitation) {
    joining
        .authenticate(hosting.update().auth_code.unwrap())
        .unwrap();
}

fn role(name: &str) -> InviteOptions {
    InviteOptions {
        role: name.into(),
        ..InviteOptions::default()
    }
}

fn two() -> (Signal, Arc<Client>, Arc<Client>, Arc<Space>) {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    (signal, ada, bob, space)
}

#[test]
fn a_code_that_is_none() {
    let (_signal, _ada, bob, space) = two();
    let code = space.invite(InviteOptions::default()).unwrap().code();
    let mut mistyped = code.clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == 'z' { 'y' } else { 'z' });
    let cut = &code[..code.len() - 9];
    for code in [mistyped.as_str(), cut, "", "hello", "https://example.org/"] {
        let refused = bob.join(code.to_owned(), JoinOptions::default());
        assert_eq!(kind(refused), ErrorKind::InvitationRefused, "{code}");
    }
    assert!(bob.invitations().unwrap().is_empty());
}

fn letters() -> Encoding {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789abcdefghjkmnpqrstvwxyz");
    spec.encoding().unwrap()
}

/// A code whose byte at a place is another, with a check sum that fits.
fn forged(code: &str, at: usize, byte: u8) -> String {
    let prefix = "echodb-join-";
    let text = code.strip_prefix(prefix).unwrap().replace('-', "");
    let mut bytes = letters().decode(text.as_bytes()).unwrap();
    bytes.truncate(bytes.len() - 4);
    bytes[at] = byte;
    let covered = [prefix.as_bytes(), &bytes].concat();
    let sum = ring::digest::digest(&ring::digest::SHA256, &covered);
    bytes.extend_from_slice(&sum.as_ref()[..4]);
    format!("{prefix}{}", letters().encode(&bytes))
}

#[test]
fn a_code_of_a_newer_version_or_type() {
    let (_signal, _ada, bob, space) = two();
    let several = InviteOptions {
        max_uses: 2,
        ..InviteOptions::default()
    };
    let code = space.invite(several).unwrap().code();
    for (at, byte) in [(0, 3), (0, 255), (3, 4), (3, 255)] {
        let refused = bob.join(forged(&code, at, byte), JoinOptions::default());
        assert_eq!(kind(refused), ErrorKind::UnsupportedVersion, "{at}: {byte}");
    }
    // Nothing but that byte was wrong with it.
    let same = forged(&code, 0, 2);
    bob.join(same, JoinOptions::default()).unwrap();
}

#[test]
fn whoever_is_in_the_space_already() {
    let (_signal, _ada, bob, space) = two();
    let there = support::pair(&space, &bob);
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let again = bob.join(hosting.code(), JoinOptions::default());
    assert_eq!(kind(again), ErrorKind::AlreadyExists);
    // The space is not in the profile any more, and the identity a member still.
    bob.delete_space(there.id()).unwrap();
    let joining = ready(&hosting, &bob);
    enter(&hosting, &joining);
    for side in [&joining, &hosting] {
        ends(side, InvitationState::Error, ErrorKind::AlreadyExists);
    }
}

#[test]
fn a_client_that_is_offline() {
    let (signal, ada, bob, space) = two();
    let code = space.invite(InviteOptions::default()).unwrap().code();
    bob.set_online(false).unwrap();
    let refused = bob.join(code, JoinOptions::default());
    assert_eq!(kind(refused), ErrorKind::InvalidState);
    ada.set_online(false).unwrap();
    let refused = space.invite(InviteOptions::default());
    assert_eq!(kind(refused), ErrorKind::InvalidState);
    let refused = ada.create_device_invitation(InviteOptions::default());
    assert_eq!(kind(refused), ErrorKind::InvalidState);
    let options = ClientOptions {
        signaling: vec![signal.url.clone()],
        online: false,
        ..ClientOptions::default()
    };
    let new = Client::open(options, None).unwrap();
    let cem = client("Cem", &signal);
    let links = cem
        .create_device_invitation(InviteOptions::default())
        .unwrap();
    let refused = new.join_device(links.code(), JoinOptions::default());
    assert_eq!(kind(refused), ErrorKind::InvalidState);
}

#[test]
fn what_is_not_six_digits_costs_nothing() {
    let (_signal, _ada, bob, space) = two();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = ready(&hosting, &bob);
    for entered in ["", "12345", "1234567", "abcdef", "12345\u{0}"] {
        let refused = joining.authenticate(entered.into());
        assert_eq!(kind(refused), ErrorKind::InvalidArgument, "{entered}");
    }
    assert_eq!(
        joining.update().state,
        InvitationState::ReadyForAuthentication
    );
    assert_eq!(hosting.update().attempts_left, 3);
    enter(&hosting, &joining);
    joining.wait(Some(PATIENCE)).unwrap();
    hosting.wait(Some(PATIENCE)).unwrap();
}

/// "It failed, and I am in": whatever happens to the host once the guest is being let in, the guest
/// ends in the space or is asked again, and both sides say the same.
#[test]
fn a_host_that_goes_while_the_guest_comes_in() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    for pause in [0, 5, 15, 40, 100] {
        let bob = client("Bob", &signal);
        let space = ada.create_space("{}".into()).unwrap();
        let hosting = space.invite(InviteOptions::default()).unwrap();
        let joining = ready(&hosting, &bob);
        enter(&hosting, &joining);
        std::thread::sleep(std::time::Duration::from_millis(pause));
        ada.set_online(false).unwrap();
        ada.set_online(true).unwrap();
        let mut asked = String::new();
        wait("the guest is in", || {
            let update = joining.update();
            let shown = hosting.update().auth_code;
            if let (InvitationState::ReadyForAuthentication, Some(digits)) = (update.state, shown)
                && digits != asked
            {
                // It was cut off before: new digits.
                let _ = joining.authenticate(digits.clone());
                asked = digits;
            }
            assert!(
                !update.state.is_final() || update.state == InvitationState::Success,
                "{update:?}"
            );
            update.state == InvitationState::Success
        });
        assert_eq!(joining.wait(Some(PATIENCE)).unwrap(), space.id());
        assert_eq!(hosting.wait(Some(PATIENCE)).unwrap(), space.id());
        support::converge(&space, &bob.space(space.id()).unwrap());
    }
}

#[test]
fn another_member_closes_the_invitation() {
    let (signal, ada, bob, space) = two();
    let there = pair_with(&space, &bob, role("admin"), JoinOptions::default());
    let hosting = there.invite(InviteOptions::default()).unwrap();
    let cem = client("Cem", &signal);
    let joining = ready(&hosting, &cem);
    // The code of somebody else's is not known here.
    let theirs = |info: &echodb::InvitationInfo| info.code.is_none();
    wait("the owner knows it", || {
        ada.invitations().unwrap().iter().any(theirs)
    });
    let known = ada.invitations().unwrap();
    let id = known.into_iter().find(theirs).unwrap().id;
    ada.cancel_invitation(id).unwrap();
    for side in [&hosting, &joining] {
        ends(side, InvitationState::Cancelled, ErrorKind::Cancelled);
    }
}

#[test]
fn others_who_came_first() {
    let (signal, _ada, bob, space) = two();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let (cem, joining) = (client("Cem", &signal), ready(&hosting, &bob));
    let late = join(&cem, &hosting.code());
    wait("both are at the door", || {
        let guests = hosting.update().guests;
        guests
            .iter()
            .filter(|guest| guest.auth_code.is_some())
            .count()
            == 2
    });
    let guests = hosting.update().guests;
    let first = guests.iter().find(|g| g.name.as_deref() == Some("Bob"));
    let digits = first.and_then(|guest| guest.auth_code.clone()).unwrap();
    joining.authenticate(digits).unwrap();
    joining.wait(Some(PATIENCE)).unwrap();
    ends(&late, InvitationState::Error, ErrorKind::InvitationRefused);
    hosting.wait(Some(PATIENCE)).unwrap();
    assert_eq!(space.members().unwrap().len(), 2);
}

#[test]
fn an_inviter_who_is_admin_no_more() {
    let (signal, _ada, bob, space) = two();
    let there = pair_with(&space, &bob, role("admin"), JoinOptions::default());
    let hosting = there.invite(InviteOptions::default()).unwrap();
    let cem = client("Cem", &signal);
    let joining = ready(&hosting, &cem);
    let bob = bob.identity().unwrap().identity;
    space.set_role(bob, "editor".into()).unwrap();
    wait("the inviter knows", || {
        there.status().unwrap().role.as_deref() == Some("editor")
    });
    if !joining.update().state.is_final() {
        // It may have been told in the meantime.
        let digits = hosting.update().auth_code.unwrap_or_default();
        let _ = joining.authenticate(digits);
    }
    for side in [&hosting, &joining] {
        ends(side, InvitationState::Error, ErrorKind::PermissionDenied);
    }
    assert_eq!(space.members().unwrap().len(), 2);
}

#[test]
fn an_inviter_whose_space_is_closed() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let bob = client("Bob", &signal);
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = ready(&hosting, &bob);
    space.close().unwrap();
    enter(&hosting, &joining);
    ends(
        &joining,
        InvitationState::Error,
        ErrorKind::InvitationRefused,
    );
    ends(&hosting, InvitationState::Error, ErrorKind::InvalidState);
    assert_eq!(bob.spaces().unwrap().len(), 1);
}
