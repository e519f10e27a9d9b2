//! Invitations for several guests and through any member, their life over restarts, and the list
//! of them.

mod support;

use echodb::model::ErrorKind;
use echodb::{
    Client, Invitation, InvitationInfo, InvitationState, InvitationType, InviteOptions,
    JoinOptions, Space,
};
use std::sync::Arc;
use support::{PATIENCE, Signal, client, client_at, converge, pair, wait};

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

fn several(max_uses: u32) -> InviteOptions {
    InviteOptions {
        max_uses,
        ..InviteOptions::default()
    }
}

fn delegated() -> InviteOptions {
    InviteOptions {
        delegated: true,
        max_uses: 0,
        ..InviteOptions::default()
    }
}

fn only(client: &Client) -> InvitationInfo {
    let mut all = client.invitations().unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0)
}

/// The code that the host shows for the guest of this name.
fn code_for(hosting: &Invitation, name: &str) -> String {
    let find = || {
        let guests = hosting.update().guests.into_iter();
        let mut named = guests.filter(|guest| guest.name.as_deref() == Some(name));
        named.find_map(|guest| guest.auth_code)
    };
    wait(&format!("a code is shown for {name}"), || find().is_some());
    find().unwrap()
}

/// Lets a guest who is at the door in.
fn let_in(hosting: &Invitation, joining: &Invitation, name: &str) {
    in_state(joining, InvitationState::ReadyForAuthentication);
    joining.authenticate(code_for(hosting, name)).unwrap();
    joining.wait(Some(PATIENCE)).unwrap();
}

fn names(space: &Space) -> Vec<String> {
    let members = space.members().unwrap().into_iter();
    let mut names: Vec<_> = members.map(|member| member.display_name).collect();
    names.sort();
    names
}

#[test]
fn three_guests_come_in_at_once_each_with_a_code_of_its_own() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let hosting = space.invite(several(3)).unwrap();
    let info = only(&ada);
    assert_eq!(info.invitation_type, InvitationType::MultiUse);
    assert_eq!((info.max_uses, info.uses), (Some(3), 0));
    assert_eq!(info.code, Some(hosting.code()));
    assert_eq!(info.id, hosting.id());
    let guests = ["Bob", "Cem", "Dan"].map(|name| client(name, &signal));
    let joinings: Vec<_> = guests.iter().map(|g| join(g, &hosting.code())).collect();
    for joining in &joinings {
        in_state(joining, InvitationState::ReadyForAuthentication);
    }
    wait("all three are asked", || {
        let guests = hosting.update().guests;
        guests
            .iter()
            .filter(|guest| guest.auth_code.is_some())
            .count()
            == 3
    });
    let codes = ["Bob", "Cem", "Dan"].map(|name| code_for(&hosting, name));
    // One guest's code is not another's.
    if codes[0] != codes[1] {
        joinings[0].authenticate(codes[1].clone()).unwrap();
        wait("the wrong code is counted", || {
            hosting.update().attempts_left == 2
        });
    }
    for (joining, name) in joinings.iter().zip(["Bob", "Cem", "Dan"]) {
        let_in(&hosting, joining, name);
    }
    assert_eq!(hosting.wait(Some(PATIENCE)).unwrap(), space.id());
    assert_eq!(hosting.update().uses, 3);
    assert_eq!(names(&space), ["Ada", "Bob", "Cem", "Dan"]);
    assert!(ada.invitations().unwrap().is_empty());
    for guest in &guests {
        wait("the guest's side is over too", || {
            guest.invitations().unwrap().is_empty()
        });
    }
    // The code is worth nothing now.
    let eve = client("Eve", &signal);
    let options = JoinOptions {
        timeout_s: 1,
        ..JoinOptions::default()
    };
    let late = eve.join(hosting.code(), options).unwrap();
    assert_eq!(kind(late.wait(Some(PATIENCE))), ErrorKind::TimedOut);
}

#[test]
fn more_guests_than_places_wait_for_their_turn() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let hosting = space.invite(several(5)).unwrap();
    let names = ["Bob", "Cem", "Dan", "Eve", "Flo"];
    let guests = names.map(|name| (name, client(name, &signal)));
    let mut waiting: Vec<_> = guests
        .iter()
        .map(|(name, guest)| (*name, join(guest, &hosting.code())))
        .collect();
    while !waiting.is_empty() {
        wait("somebody is asked", || {
            waiting
                .iter()
                .any(|(_, j)| j.update().state == InvitationState::ReadyForAuthentication)
        });
        assert!(hosting.update().guests.len() <= 3);
        let next = waiting
            .iter()
            .position(|(_, j)| j.update().state == InvitationState::ReadyForAuthentication)
            .unwrap();
        let (name, joining) = waiting.remove(next);
        let_in(&hosting, &joining, name);
    }
    hosting.wait(Some(PATIENCE)).unwrap();
    assert_eq!(space.members().unwrap().len(), 6);
}

#[test]
fn a_multi_use_invitation_and_its_counts_outlive_the_process() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let hosting = space.invite(several(2)).unwrap();
    let (code, id) = (hosting.code(), hosting.id());
    let bob = client("Bob", &signal);
    let_in(&hosting, &join(&bob, &code), "Bob");
    wait("the use is counted", || hosting.update().uses == 1);
    ada.shutdown().unwrap();
    // Whoever waits is told, and that it is not over.
    let error = hosting.wait(Some(PATIENCE)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Cancelled);
    assert!(error.to_string().contains("goes on"), "{error}");
    let cem = client("Cem", &signal);
    let joining = join(&cem, &code);
    drop((ada, space, hosting));
    let ada = client_at(dir.path(), "Ada", &signal);
    wait("it runs again", || ada.invitation(id.clone()).is_ok());
    let info = only(&ada);
    assert_eq!((info.id.as_str(), info.uses), (id.as_str(), 1));
    assert_eq!(info.code.as_deref(), Some(code.as_str()));
    let hosting = ada.invitation(id).unwrap();
    let_in(&hosting, &joining, "Cem");
    hosting.wait(Some(PATIENCE)).unwrap();
    assert!(ada.invitations().unwrap().is_empty());
}

#[test]
fn a_running_join_outlives_the_process() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let bob = client_at(dir.path(), "Bob", &signal);
    let joining = join(&bob, &hosting.code());
    in_state(&joining, InvitationState::ReadyForAuthentication);
    // The same code again is the same attempt.
    let twice = join(&bob, &hosting.code());
    assert_eq!(twice.id(), joining.id());
    bob.shutdown().unwrap();
    drop((bob, joining, twice));
    let bob = client_at(dir.path(), "Bob", &signal);
    let info = only(&bob);
    assert!(info.joining);
    wait("it runs again", || bob.invitation(info.id.clone()).is_ok());
    let joining = bob.invitation(info.id).unwrap();
    let_in(&hosting, &joining, "Bob");
    hosting.wait(Some(PATIENCE)).unwrap();
    wait("the guest's side is over too", || {
        bob.invitations().unwrap().is_empty()
    });
    assert_eq!(names(&space), ["Ada", "Bob"]);
}

#[test]
fn any_member_lets_in_who_has_a_delegated_code() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let there = pair(&space, &bob);
    let hosting = space.invite(delegated()).unwrap();
    let code = hosting.code();
    // Bob hears of it, and does not have the code.
    // The one by which Bob came may not be known to be closed yet.
    wait("the invitation is known, and it alone", || {
        let known = bob.invitations().unwrap();
        matches!(&known[..], [info] if info.invitation_type == InvitationType::Delegated)
    });
    let info = only(&bob);
    assert_eq!((info.code, info.max_uses), (None, None));
    assert_eq!(info.id, hosting.id());
    ada.set_online(false).unwrap();
    let cem = client("Cem", &signal);
    let joining = join(&cem, &code);
    joining.wait(Some(PATIENCE)).unwrap();
    let theirs = cem.space(joining.wait(None).unwrap()).unwrap();
    there.create(None, r#"{"by": "Bob"}"#.into()).unwrap();
    converge(&there, &theirs);
    assert_eq!(names(&theirs), ["Ada", "Bob", "Cem"]);
    // Nobody watched, so nobody was asked for a code.
    assert_eq!(joining.update().fingerprint, None);
    ada.set_online(true).unwrap();
    converge(&space, &theirs);
    // The newcomer, a member now, lets in the next one; the inviter need not know.
    wait("one use is known", || only(&ada).uses == 1);
    ada.set_online(false).unwrap();
    bob.set_online(false).unwrap();
    let dan = client("Dan", &signal);
    join(&dan, &code).wait(Some(PATIENCE)).unwrap();
    ada.set_online(true).unwrap();
    wait("Dan is known", || names(&space).contains(&"Dan".to_owned()));
    // Closed, it lets in nobody.
    ada.cancel_invitation(hosting.id()).unwrap();
    assert_eq!(kind(hosting.wait(Some(PATIENCE))), ErrorKind::Cancelled);
    wait("all know that it is closed", || {
        [&ada, &cem, &dan]
            .iter()
            .all(|client| client.invitations().unwrap().is_empty())
    });
    let eve = client("Eve", &signal);
    let options = JoinOptions {
        timeout_s: 2,
        ..JoinOptions::default()
    };
    let late = eve.join(code, options).unwrap();
    assert!(late.wait(Some(PATIENCE)).is_err());
    assert_eq!(space.members().unwrap().len(), 4);
}

#[test]
fn a_delegated_invitation_ends_when_its_uses_are_known_to_be_used() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let hosting = space
        .invite(InviteOptions {
            delegated: true,
            role: "reader".into(),
            ..InviteOptions::default()
        })
        .unwrap();
    let bob = client("Bob", &signal);
    join(&bob, &hosting.code()).wait(Some(PATIENCE)).unwrap();
    assert_eq!(hosting.wait(Some(PATIENCE)).unwrap(), space.id());
    let members = space.members().unwrap();
    let bob = members.iter().find(|m| m.display_name == "Bob").unwrap();
    assert_eq!(bob.role, "reader");
    assert!(ada.invitations().unwrap().is_empty());
}

#[test]
fn guests_whom_members_apart_let_in_stay_though_more_came_than_were_meant() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let there = pair(&space, &bob);
    let hosting = space
        .invite(InviteOptions {
            max_uses: 1,
            ..delegated()
        })
        .unwrap();
    let code = hosting.code();
    wait("Bob knows it", || !bob.invitations().unwrap().is_empty());
    bob.set_online(false).unwrap();
    let cem = client("Cem", &signal);
    join(&cem, &code).wait(Some(PATIENCE)).unwrap();
    // Used up, it lets nobody in here any more; it is not closed, for others may not have heard.
    hosting.wait(Some(PATIENCE)).unwrap();
    assert!(ada.invitations().unwrap().is_empty());
    ada.set_online(false).unwrap();
    cem.set_online(false).unwrap();
    bob.set_online(true).unwrap();
    let dan = client("Dan", &signal);
    join(&dan, &code).wait(Some(PATIENCE)).unwrap();
    ada.set_online(true).unwrap();
    cem.set_online(true).unwrap();
    for space in [&space, &there] {
        wait("both guests stay", || {
            names(space) == ["Ada", "Bob", "Cem", "Dan"]
        });
    }
    assert!(bob.invitations().unwrap().is_empty());
    // Whoever takes it for stolen can still close it.
    ada.cancel_invitation(hosting.id()).unwrap();
    assert_eq!(
        kind(ada.cancel_invitation(hosting.id())),
        ErrorKind::NotFound
    );
    assert_eq!(names(&space), ["Ada", "Bob", "Cem", "Dan"]);
}

#[test]
fn roles_uses_and_times_are_bounded() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let refused = |options: InviteOptions| kind(space.invite(options));
    let default = InviteOptions::default;
    for options in [
        InviteOptions {
            role: "boss".into(),
            ..default()
        },
        InviteOptions {
            role: "admin".into(),
            ..delegated()
        },
        InviteOptions {
            max_uses: 0,
            ..default()
        },
        InviteOptions {
            max_uses: 201,
            ..default()
        },
        InviteOptions {
            max_uses: 201,
            ..delegated()
        },
        InviteOptions {
            expires_s: 0,
            ..default()
        },
        InviteOptions {
            expires_s: 604_801,
            ..default()
        },
        InviteOptions {
            expires_s: 7_776_001,
            ..several(2)
        },
        InviteOptions {
            expires_s: 7_776_001,
            ..delegated()
        },
    ] {
        assert_eq!(
            refused(options.clone()),
            ErrorKind::InvalidArgument,
            "{options:?}"
        );
    }
    // The creator is owner: an invitation gives less.
    let owner = InviteOptions {
        role: "owner".into(),
        ..default()
    };
    assert_eq!(refused(owner), ErrorKind::PermissionDenied);
    let admins = InviteOptions {
        role: "admin".into(),
        ..default()
    };
    let there = support::pair_with(&space, &bob, admins, JoinOptions::default());
    let admin = InviteOptions {
        role: "admin".into(),
        ..default()
    };
    assert_eq!(kind(there.invite(admin)), ErrorKind::PermissionDenied);
    let long = InviteOptions {
        expires_s: 7_776_000,
        ..several(2)
    };
    let hosting = there.invite(long).unwrap();
    // Somebody who may not invite at all.
    let cem = client("Cem", &signal);
    let joining = join(&cem, &hosting.code());
    let_in(&hosting, &joining, "Cem");
    let theirs = cem.space(space.id()).unwrap();
    assert_eq!(kind(theirs.invite(default())), ErrorKind::PermissionDenied);
    assert!(cem.invitations().unwrap().iter().all(|i| i.code.is_none()));
    // As many as may be open, and not one more.
    for _ in 0..15 {
        space.invite(default()).unwrap();
    }
    wait("all are known to the owner", || {
        ada.invitations().unwrap().len() == 16
    });
    assert_eq!(refused(default()), ErrorKind::LimitExceeded);
    // The owner ends the admin's, who is told.
    ada.cancel_invitation(only_others(&ada)).unwrap();
    assert_eq!(kind(hosting.wait(Some(PATIENCE))), ErrorKind::Cancelled);
    space.invite(default()).unwrap();
    // An editor ends nobody's.
    let other = cem.invitations().unwrap().remove(0).id;
    assert_eq!(
        kind(cem.cancel_invitation(other)),
        ErrorKind::PermissionDenied
    );
    for id in ["", "xy", "00112233445566778899aabbccddeef"] {
        assert_eq!(
            kind(ada.cancel_invitation(id.into())),
            ErrorKind::InvalidArgument
        );
    }
    let nobody = "00112233445566778899aabbccddeeff".to_owned();
    assert_eq!(
        kind(ada.cancel_invitation(nobody.clone())),
        ErrorKind::NotFound
    );
    assert_eq!(kind(ada.invitation(nobody)), ErrorKind::NotFound);
}

/// The id of the one invitation in the list that is not this client's.
fn only_others(client: &Client) -> String {
    let all = client.invitations().unwrap().into_iter();
    let mut others = all.filter(|info| info.code.is_none());
    others.next().expect("somebody else's invitation").id
}

#[test]
fn guests_without_the_history_read_what_is_written_from_then_on() {
    let signal = Signal::start();
    let [ada, bob, cem] = ["Ada", "Bob", "Cem"].map(|name| client(name, &signal));
    let space = ada.create_space(r#"{"name": "Notes"}"#.into()).unwrap();
    let at_bob = pair(&space, &bob);
    let old = at_bob.create(None, r#"{"old": 1}"#.into()).unwrap();
    converge(&space, &at_bob);
    let hosting = space
        .invite(InviteOptions {
            history: false,
            ..delegated()
        })
        .unwrap();
    wait("Bob can let guests in", || {
        let all = bob.invitations().unwrap().into_iter();
        all.filter(|info| info.invitation_type == InvitationType::Delegated)
            .count()
            == 1
    });
    // Not the inviter lets the guest in.
    ada.set_online(false).unwrap();
    let joining = join(&cem, &hosting.code());
    let at_cem = cem.space(joining.wait(Some(PATIENCE)).unwrap()).unwrap();
    let new = at_bob.create(None, r#"{"new": 1}"#.into()).unwrap();
    at_bob.update(old.clone(), r#"{"old": 2}"#.into()).unwrap();
    let newer = at_bob.create(None, r#"{"newer": 1}"#.into()).unwrap();
    wait("Cem has what is new", || {
        at_cem.get(new.clone()).unwrap().is_some() && at_cem.get(newer.clone()).unwrap().is_some()
    });
    let by_cem = at_cem.create(None, r#"{"by": "Cem"}"#.into()).unwrap();
    wait("Bob has what Cem wrote", || {
        at_bob.get(by_cem.clone()).unwrap().is_some()
    });
    wait("they agree on what there is, and say so", || {
        [&at_bob, &at_cem].iter().all(|space| {
            let status = space.status().unwrap();
            status.peers.len() == 1 && status.peers.iter().all(|peer| peer.in_sync)
        })
    });
    let status = at_cem.status().unwrap();
    assert!(status.sealed_off >= 3, "{status:?}");
    assert_eq!((status.waiting_for_key, status.quarantined), (0, 0));
    assert!(at_cem.get(old.clone()).unwrap().is_none());

    let identity = cem.identity().unwrap().identity;
    assert_eq!(
        kind(at_bob.share_history(&identity)),
        ErrorKind::PermissionDenied
    );
    assert_eq!(
        kind(space.share_history("nobody")),
        ErrorKind::InvalidArgument
    );
    let stranger = client("Dan", &signal).identity().unwrap().identity;
    assert_eq!(kind(space.share_history(&stranger)), ErrorKind::NotFound);
    ada.set_online(true).unwrap();
    converge(&space, &at_bob);
    assert!(space.share_history(&identity).unwrap());
    assert!(!space.share_history(&identity).unwrap());
    converge(&space, &at_cem);
    assert_eq!(at_cem.status().unwrap().sealed_off, 0);
    assert!(at_cem.get(old).unwrap().is_some());
}

#[test]
fn both_screens_show_the_same_four_words() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = join(&bob, &hosting.code());
    in_state(&joining, InvitationState::ReadyForAuthentication);
    assert_eq!(joining.update().fingerprint, None);
    let_in(&hosting, &joining, "Bob");
    hosting.wait(Some(PATIENCE)).unwrap();
    let words = joining.update().fingerprint.expect("four words");
    assert_eq!(words.split(' ').count(), 4);
    assert_eq!(hosting.update().fingerprint, Some(words));
    assert_eq!(hosting.update().peer_name.as_deref(), Some("Bob"));
}

#[test]
fn a_qr_code_holds_the_link() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    for options in [InviteOptions::default(), several(3), delegated()] {
        let hosting = space.invite(options).unwrap();
        let modules = hosting.qr_modules().unwrap();
        let side = modules.width as usize;
        assert_eq!(modules.modules.len(), side * side);
        let svg = hosting.qr_svg().unwrap();
        assert!(svg.contains("<svg") && svg.contains("</svg>"));
    }
}

#[test]
fn an_invitation_that_expired_while_nobody_ran_is_closed_at_the_next_start() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let bob = client("Bob", &signal);
    let there = pair(&space, &bob);
    let options = InviteOptions {
        expires_s: 2,
        ..several(2)
    };
    space.invite(options).unwrap();
    wait("Bob knows it", || !bob.invitations().unwrap().is_empty());
    ada.shutdown().unwrap();
    drop((ada, space));
    std::thread::sleep(std::time::Duration::from_secs(2));
    let ada = client_at(dir.path(), "Ada", &signal);
    wait("it is closed everywhere", || {
        ada.invitations().unwrap().is_empty() && bob.invitations().unwrap().is_empty()
    });
    drop(there);
}
