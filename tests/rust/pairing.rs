//! Two and more clients over real WebRTC links and a real signalling server.

mod support;

use echodb::{InvitationState, InviteOptions, JoinOptions, TextUnit};
use support::{PATIENCE, Signal, client, converge, pair, wait};

#[test]
fn two_clients_pair_and_edit_one_space() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let here = ada.create_space(r#"{"name": "Notes"}"#.into()).unwrap();
    let id = here
        .create(
            Some("Note".into()),
            r#"{"title": "a", "body": {"@text": "hello"}}"#.into(),
        )
        .unwrap();
    let there = pair(&here, &bob);
    converge(&here, &there);
    assert_eq!(
        there.get(id.clone()).unwrap().unwrap().type_name.as_deref(),
        Some("Note")
    );
    assert_eq!(there.info().unwrap().name, "Notes");

    there
        .splice_text(
            id.clone(),
            "body".into(),
            5,
            0,
            " world".into(),
            TextUnit::CodePoint,
        )
        .unwrap();
    here.splice_text(
        id.clone(),
        "body".into(),
        0,
        0,
        "Oh, ".into(),
        TextUnit::CodePoint,
    )
    .unwrap();
    here.flush().unwrap();
    there.flush().unwrap();
    converge(&here, &there);
    assert_eq!(
        here.text(id.clone(), "body".into()).unwrap(),
        "Oh, hello world"
    );

    wait("both say that they are in sync", || {
        [&here, &there].iter().all(|space| {
            let status = space.status().unwrap();
            status.peers.len() == 1 && status.peers[0].in_sync
        })
    });
    assert_eq!(here.members().unwrap().len(), 2);
    ada.shutdown().unwrap();
    bob.shutdown().unwrap();
}

#[test]
fn a_third_member_joins_and_all_three_converge() {
    let signal = Signal::start();
    let clients = [
        client("Ada", &signal),
        client("Bob", &signal),
        client("Cem", &signal),
    ];
    let first = clients[0].create_space("{}".into()).unwrap();
    let second = pair(&first, &clients[1]);
    second.create(None, r#"{"from": "second"}"#.into()).unwrap();
    let third = pair(&first, &clients[2]);
    third.create(None, r#"{"from": "third"}"#.into()).unwrap();
    first.create(None, r#"{"from": "first"}"#.into()).unwrap();
    wait("three objects are everywhere", || {
        [&first, &second, &third]
            .iter()
            .all(|s| s.query("{}".into()).unwrap().len() == 3)
    });
    converge(&first, &second);
    converge(&first, &third);
}

#[test]
fn offline_writes_merge_on_return() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let here = ada.create_space("{}".into()).unwrap();
    let there = pair(&here, &bob);
    let id = here
        .create(None, r#"{"n": {"@counter": 0}}"#.into())
        .unwrap();
    converge(&here, &there);
    bob.set_online(false).unwrap();
    for space in [&here, &there] {
        let tx = space.transaction();
        tx.increment(id.clone(), "n".into(), 5).unwrap();
        tx.commit().unwrap();
    }
    assert_ne!(here.digest().unwrap(), there.digest().unwrap());
    bob.set_online(true).unwrap();
    converge(&here, &there);
    assert!(here.get(id).unwrap().unwrap().fields.contains("10"));
}

#[test]
fn wrong_codes_burn_and_the_third_ends_the_invitation() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let joining = bob.join(hosting.code(), JoinOptions::default()).unwrap();
    for left in [2, 1, 0] {
        wait("the guest is asked for a code", || {
            joining.update().state == InvitationState::ReadyForAuthentication
                && hosting.update().auth_code.is_some()
                && hosting.update().attempts_left == left + 1
        });
        let right = hosting.update().auth_code.unwrap();
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        joining.authenticate(wrong.into()).unwrap();
    }
    assert!(joining.wait(Some(PATIENCE)).is_err());
    assert!(hosting.wait(Some(PATIENCE)).is_err());
    assert_eq!(bob.spaces().unwrap().len(), 1, "only the default space");
    assert_eq!(space.members().unwrap().len(), 1);
}
