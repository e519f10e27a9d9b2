//! Invitations that go wrong: bad codes, people who change their minds, connections that break,
//! and guesses beyond the third.

mod support;

use echodb::model::ErrorKind;
use echodb::{Client, Invitation, InvitationState, InviteOptions, JoinOptions, Space};
use std::sync::Arc;
use support::{PATIENCE, Signal, client, client_at, pair, wait};

fn kind<T>(result: echodb::Result<T>) -> ErrorKind {
    result.err().expect("it fails").kind()
}

fn join(guest: &Client, code: &str) -> Arc<Invitation> {
    guest.join(code.to_owned(), JoinOptions::default()).unwrap()
}

fn in_state(invitation: &Invitation, state: InvitationState) {
    wait(&format!("it is {}", state.name()), || {
        invitation.update().state == state
    });
}

/// Brings both to the point where the guest is asked for the code.
fn ready(hosting: &Invitation, guest: &Client) -> Arc<Invitation> {
    let joining = join(guest, &hosting.code());
    in_state(&joining, InvitationState::ReadyForAuthentication);
    wait("the host shows a code", || {
        hosting.update().auth_code.is_some()
    });
    joining
}

fn wrong_code(hosting: &Invitation) -> String {
    let right = hosting.update().auth_code.unwrap();
    if right == "123456" {
        "654321"
    } else {
        "123456"
    }
    .to_owned()
}

fn let_in(hosting: &Invitation, joining: &Invitation) {
    joining
        .authenticate(hosting.update().auth_code.unwrap())
        .unwrap();
    joining.wait(Some(PATIENCE)).unwrap();
    hosting.wait(Some(PATIENCE)).unwrap();
}

fn three() -> (Signal, Arc<Client>, Arc<Client>, Arc<Space>) {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    (signal, ada, bob, space)
}

#[test]
fn codes_that_are_none_are_refused_at_once() {
    let (_signal, ada, bob, space) = three();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let refused = |code: &str| {
        let kind = kind(bob.join(code.to_owned(), JoinOptions::default()));
        assert!(
            matches!(
                kind,
                ErrorKind::InvalidArgument | ErrorKind::InvitationRefused
            ),
            "{code}: {kind:?}"
        );
    };
    for form in [hosting.code(), hosting.url()] {
        for cut in 0..form.len() {
            refused(&form[..cut]);
        }
        for at in [form.len() / 4, form.len() / 2, form.len() - 2] {
            let mut changed = form.clone().into_bytes();
            changed[at] = if changed[at] == b'z' { b'y' } else { b'z' };
            refused(&String::from_utf8(changed).unwrap());
        }
        refused(&format!("{form}{form}"));
    }
    for foreign in [
        "https://example.org/",
        "echodb://join/",
        "echodb://pair/abc",
        "\u{0}",
        "ééééé",
        &"a".repeat(100_000),
    ] {
        refused(foreign);
    }
    // One's own code, and one for a space that one is in.
    let own = ada.join(hosting.code(), JoinOptions::default());
    assert_eq!(kind(own), ErrorKind::AlreadyExists);
    let joining = ready(&hosting, &bob);
    let_in(&hosting, &joining);
    let again = space.invite(InviteOptions::default()).unwrap();
    let member = bob.join(again.code(), JoinOptions::default());
    assert_eq!(kind(member), ErrorKind::AlreadyExists);
    // A code that was used is dead.
    let cem = client("Cem", &_signal);
    let options = JoinOptions {
        timeout_s: 1,
        ..JoinOptions::default()
    };
    let late = cem.join(hosting.code(), options).unwrap();
    assert_eq!(kind(late.wait(Some(PATIENCE))), ErrorKind::TimedOut);
    // Nothing is asked for, so nothing may be entered.
    assert_eq!(
        kind(late.authenticate("123456".into())),
        ErrorKind::InvalidState
    );
    assert_eq!(
        kind(late.authenticate("12345".into())),
        ErrorKind::InvalidArgument
    );
}

#[test]
fn a_member_on_a_profile_that_lost_the_space_is_told_so() {
    let (_signal, _ada, bob, space) = three();
    let there = pair(&space, &bob);
    bob.delete_space(there.id()).unwrap();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = ready(&hosting, &bob);
    joining
        .authenticate(hosting.update().auth_code.unwrap())
        .unwrap();
    assert_eq!(kind(joining.wait(Some(PATIENCE))), ErrorKind::AlreadyExists);
    assert_eq!(kind(hosting.wait(Some(PATIENCE))), ErrorKind::AlreadyExists);
    assert_eq!(bob.spaces().unwrap().len(), 1);
}

#[test]
fn either_side_may_change_its_mind() {
    let (_signal, _ada, bob, space) = three();
    // Before anybody came.
    let hosting = space.invite(InviteOptions::default()).unwrap();
    hosting.cancel();
    assert_eq!(kind(hosting.wait(Some(PATIENCE))), ErrorKind::Cancelled);
    let joining = join(&bob, &hosting.code());
    joining.cancel();
    assert_eq!(kind(joining.wait(Some(PATIENCE))), ErrorKind::Cancelled);
    // With the other side there.
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = ready(&hosting, &bob);
    hosting.cancel();
    for side in [&hosting, &joining] {
        assert_eq!(kind(side.wait(Some(PATIENCE))), ErrorKind::Cancelled);
        assert_eq!(side.update().state, InvitationState::Cancelled);
        assert!(side.update().auth_code.is_none());
    }
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = ready(&hosting, &bob);
    joining.cancel();
    for side in [&hosting, &joining] {
        assert_eq!(kind(side.wait(Some(PATIENCE))), ErrorKind::Cancelled);
    }
    joining.cancel();
    assert_eq!(space.members().unwrap().len(), 1);
    // All of which was no harm.
    pair(&space, &bob);
}

#[test]
fn time_runs_out_on_either_side() {
    let (_signal, _ada, bob, space) = three();
    let options = InviteOptions {
        expires_s: 1,
        ..InviteOptions::default()
    };
    let hosting = space.invite(options).unwrap();
    assert_eq!(
        kind(hosting.wait(Some(PATIENCE))),
        ErrorKind::InvitationRefused
    );
    assert_eq!(hosting.update().state, InvitationState::Expired);
    let late = bob.join(hosting.code(), JoinOptions::default());
    assert_eq!(kind(late), ErrorKind::InvitationRefused);
    let hosting = space.invite(InviteOptions::default()).unwrap();
    hosting.cancel();
    hosting.wait(Some(PATIENCE)).unwrap_err();
    let alone = bob
        .join(
            hosting.code(),
            JoinOptions {
                timeout_s: 1,
                ..JoinOptions::default()
            },
        )
        .unwrap();
    assert_eq!(kind(alone.wait(Some(PATIENCE))), ErrorKind::TimedOut);
    assert_eq!(alone.update().state, InvitationState::Timeout);
    for timeout_s in [0, u64::MAX] {
        let refused = bob.join(
            hosting.code(),
            JoinOptions {
                timeout_s,
                ..JoinOptions::default()
            },
        );
        assert_eq!(kind(refused), ErrorKind::InvalidArgument);
    }
}

#[test]
fn a_broken_connection_costs_nothing_and_is_made_again() {
    let (_signal, ada, bob, space) = three();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = ready(&hosting, &bob);
    ada.set_online(false).unwrap();
    in_state(&joining, InvitationState::Connecting);
    ada.set_online(true).unwrap();
    in_state(&joining, InvitationState::ReadyForAuthentication);
    bob.set_online(false).unwrap();
    in_state(&hosting, InvitationState::Connecting);
    assert!(
        hosting.update().auth_code.is_none(),
        "a code that nobody may use is shown"
    );
    bob.set_online(true).unwrap();
    in_state(&joining, InvitationState::ReadyForAuthentication);
    wait("a code is shown", || hosting.update().auth_code.is_some());
    assert_eq!(hosting.update().attempts_left, 3);
    let_in(&hosting, &joining);
}

#[test]
fn there_is_no_fourth_guess_over_any_number_of_restarts() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let bob = client("Bob", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let id = space.id();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let code = hosting.code();
    let joining = ready(&hosting, &bob);
    for left in [2, 1] {
        joining.authenticate(wrong_code(&hosting)).unwrap();
        wait("the guess is counted", || {
            hosting.update().attempts_left == left && hosting.update().auth_code.is_some()
        });
        in_state(&joining, InvitationState::ReadyForAuthentication);
        // A new connection brings no guess back.
        bob.set_online(false).unwrap();
        in_state(&hosting, InvitationState::Connecting);
        bob.set_online(true).unwrap();
        in_state(&joining, InvitationState::ReadyForAuthentication);
        wait("a code is shown", || hosting.update().auth_code.is_some());
        assert_eq!(hosting.update().attempts_left, left);
    }
    // Nor does a restart: the invitation goes on, with the one code that is left.
    let name = hosting.id();
    ada.shutdown().unwrap();
    assert!(hosting.wait(Some(PATIENCE)).is_err());
    drop((ada, space, hosting));
    let ada = client_at(dir.path(), "Ada", &signal);
    wait("it runs again", || ada.invitation(name.clone()).is_ok());
    let hosting = ada.invitation(name).unwrap();
    wait("a code is shown again", || {
        hosting.update().auth_code.is_some()
    });
    assert_eq!(hosting.update().attempts_left, 1);
    in_state(&joining, InvitationState::ReadyForAuthentication);
    joining.authenticate(wrong_code(&hosting)).unwrap();
    for side in [&hosting, &joining] {
        let end = kind(side.wait(Some(PATIENCE)));
        assert_eq!(end, ErrorKind::InvitationRefused);
    }
    // And over is over.
    assert!(ada.invitations().unwrap().is_empty());
    let late = bob
        .join(
            code,
            JoinOptions {
                timeout_s: 2,
                ..JoinOptions::default()
            },
        )
        .unwrap();
    assert_eq!(kind(late.wait(Some(PATIENCE))), ErrorKind::TimedOut);
    let space = ada.space(id).unwrap();
    assert_eq!(space.members().unwrap().len(), 1);
    pair(&space, &bob);
}

#[test]
fn invitations_that_are_cancelled_do_not_use_up_the_space() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let mut id = None;
    // More than may be open at once.
    for round in 0..20 {
        let ada = client_at(dir.path(), "Ada", &signal);
        let space = match id {
            None => ada.create_space("{}".into()).unwrap(),
            Some(id) => ada.space(id).unwrap(),
        };
        let hosting = space.invite(InviteOptions::default()).unwrap();
        id = Some(space.id());
        if round % 2 == 0 {
            ada.cancel_invitation(hosting.id()).unwrap();
            assert_eq!(kind(hosting.wait(Some(PATIENCE))), ErrorKind::Cancelled);
        }
        ada.shutdown().unwrap();
        // Those that were not are there at the next start, running or not.
        if round % 2 == 1 {
            drop((ada, space));
            let ada = client_at(dir.path(), "Ada", &signal);
            let all = ada.invitations().unwrap();
            assert_eq!(all.len(), 1);
            ada.cancel_invitation(all[0].id.clone()).unwrap();
            assert!(ada.invitations().unwrap().is_empty());
            ada.shutdown().unwrap();
        }
    }
    let ada = client_at(dir.path(), "Ada", &signal);
    let bob = client("Bob", &signal);
    pair(&ada.space(id.unwrap()).unwrap(), &bob);
}
