//! Device invitations over the death of either side: they go on, their guesses stay used up, and a
//! device that was certified is one in the end.

mod support;

use echodb::model::ErrorKind;
use echodb::{Client, ClientOptions, InvitationKind, InvitationState, InviteOptions, JoinOptions};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use support::process::{self, Peer, SignalProcess};
use support::{PATIENCE, Signal, client_at, wait};

/// Not a test: the body of the child processes that the tests below start.
#[test]
fn plays_a_role_when_asked() {
    process::play_role();
}

fn kind<T>(result: echodb::Result<T>) -> ErrorKind {
    result.err().expect("it fails").kind()
}

/// A client with a profile on disk and no identity.
fn blank_at(dir: &Path, signal: &Signal) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        signaling: vec![signal.url.clone()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    Client::open(options, None).unwrap()
}

/// An identity's device and a new one, processes of their own, and an invitation between them.
struct Two {
    _signal: SignalProcess,
    ada: Peer,
    phone: Peer,
    id: Value,
    _dirs: [tempfile::TempDir; 2],
}

fn two() -> Two {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ada = Peer::start(dirs[0].path(), "Ada", &signal.url);
    let mut phone = Peer::start_blank(dirs[1].path(), "Phone", &signal.url);
    let invitation = ada.ask(json!({"do": "device_invite"}));
    phone.ask(json!({"do": "join_device", "code": invitation["code"]}));
    Two {
        _signal: signal,
        ada,
        phone,
        id: invitation["id"].clone(),
        _dirs: dirs,
    }
}

impl Two {
    /// The digits that are shown: the new device is connected, and asked for them.
    fn auth_code(&mut self) -> String {
        let shown = self.ada.ask(json!({"do": "auth_code"}));
        shown["auth_code"].as_str().unwrap().to_owned()
    }

    fn enter(&mut self, auth_code: &str) {
        self.phone
            .ask(json!({"do": "begin_authenticate", "auth_code": auth_code}));
    }

    fn restart_host(&mut self) {
        self.ada.kill_and_restart();
        self.ada
            .ask(json!({"do": "resume", "as": "host", "id": self.id}));
    }

    fn restart_guest(&mut self) {
        self.phone.kill_and_restart();
        self.phone
            .ask(json!({"do": "resume", "as": "guest", "id": self.id}));
    }

    fn host(&mut self) -> Value {
        self.ada.ask(json!({"do": "update", "as": "host"}))
    }

    fn open(peer: &mut Peer) -> usize {
        let all = peer.ask(json!({"do": "invitations"}));
        all["invitations"].as_array().unwrap().len()
    }

    fn identity(&mut self) -> Value {
        self.phone.ask(json!({"do": "identity"}))["identity"].clone()
    }

    /// The new device is one, both know it, and nothing is left of the invitation.
    fn end_well(&mut self) {
        wait("the new device has the identity", || {
            !self.identity().is_null()
        });
        wait("both know both devices", || {
            let devices = |peer: &mut Peer| peer.ask(json!({"do": "devices"}))["devices"].clone();
            devices(&mut self.ada) == 2 && devices(&mut self.phone) == 2
        });
        wait("nothing is left of the invitation", || {
            Two::open(&mut self.ada) == 0 && Two::open(&mut self.phone) == 0
        });
    }
}

#[test]
fn an_invitation_outlives_the_death_of_either_side() {
    let mut two = two();
    two.auth_code();
    two.restart_host();
    two.auth_code();
    two.restart_guest();
    assert_eq!(Two::open(&mut two.phone), 1);
    assert_eq!(Two::open(&mut two.ada), 1);
    // Both at once.
    two.phone.kill();
    two.restart_host();
    two.phone.restart();
    two.phone
        .ask(json!({"do": "resume", "as": "guest", "id": two.id}));
    let digits = two.auth_code();
    two.enter(&digits);
    two.end_well();
}

#[test]
fn there_is_no_fourth_guess_over_any_number_of_kills() {
    let mut two = two();
    for left in [2, 1, 0] {
        let right = two.auth_code();
        let wrong = if right == "123456" {
            "654321"
        } else {
            "123456"
        };
        two.enter(wrong);
        wait("the guess is counted", || two.host()["left"] == left);
        if left > 0 {
            two.restart_host();
            wait("the count is known again", || two.host()["left"] == left);
            if left == 1 {
                two.restart_guest();
            }
        }
    }
    wait("it is over", || two.host()["state"] == "error");
    assert_eq!(two.host()["status"], ErrorKind::InvitationRefused.status());
    wait("it is over for the other side", || {
        let update = two.phone.ask(json!({"do": "update", "as": "guest"}));
        update["state"] == "error"
    });
    for peer in [&mut two.ada, &mut two.phone] {
        peer.kill_and_restart();
        assert_eq!(Two::open(peer), 0);
    }
    assert!(two.identity().is_null());
    assert_eq!(two.ada.ask(json!({"do": "devices"}))["devices"], 1);
}

/// Kills the new device at some moment after the right digits were entered: it may have been
/// certified and not know it. It comes back as the same device and gets what it lacks.
#[test]
fn a_device_that_is_killed_while_it_is_added_is_one_in_the_end() {
    for pause in [0, 10, 20, 40, 80, 160] {
        let mut two = two();
        let digits = two.auth_code();
        two.enter(&digits);
        std::thread::sleep(Duration::from_millis(pause));
        if pause % 20 == 0 {
            two.phone.kill_and_restart();
        } else {
            two.phone.kill();
            two.ada.kill_and_restart();
            two.phone.restart();
        }
        // It has everything, or is asked again. The host may show the digits of the connection that
        // the kill broke for a while, beside those of the new one.
        let (mut resumed, mut entered) = (false, Vec::new());
        wait("the new device has the identity", || {
            if !two.identity().is_null() {
                return true;
            }
            if !resumed {
                for (peer, side) in [(&mut two.ada, "host"), (&mut two.phone, "guest")] {
                    peer.ask(json!({"do": "resume", "as": side, "id": two.id}));
                }
                resumed = true;
            }
            let update = two.phone.ask(json!({"do": "update", "as": "guest"}));
            let shown = two.ada.ask(json!({"do": "newest_code"}))["auth_code"].clone();
            let asked = update["state"] == "ready_for_authentication";
            if asked && shown.is_string() && !entered.contains(&shown) {
                two.phone
                    .ask(json!({"do": "try_authenticate", "auth_code": shown}));
                entered.push(shown);
            }
            false
        });
        two.end_well();
    }
}

#[test]
fn they_are_listed_and_cancelled_on_either_side_running_or_not() {
    let signal = Signal::start();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let ada = client_at(dirs[0].path(), "Ada", &signal);
    let hosting = ada
        .create_device_invitation(InviteOptions::default())
        .unwrap();
    let phone = blank_at(dirs[1].path(), &signal);
    let joining = phone
        .join_device(hosting.code(), JoinOptions::default())
        .unwrap();
    wait("the new device is asked", || {
        joining.update().state == InvitationState::ReadyForAuthentication
    });
    // The same code again is the same attempt.
    let twice = phone
        .join_device(hosting.code(), JoinOptions::default())
        .unwrap();
    assert_eq!(twice.id(), joining.id());
    let check = |ada: &Client, phone: &Client| {
        let [mine] = &ada.invitations().unwrap()[..] else {
            panic!("one invitation is open");
        };
        let [theirs] = &phone.invitations().unwrap()[..] else {
            panic!("one code is being used");
        };
        for info in [mine, theirs] {
            assert_eq!(info.kind, InvitationKind::Device);
            assert_eq!(info.id, hosting.id());
            assert_eq!(info.code, Some(hosting.code()));
            assert!(info.space.is_none() && info.role.is_none() && info.created_ms > 0);
        }
        assert_eq!(
            (mine.max_uses, mine.uses, mine.joining),
            (Some(1), 0, false)
        );
        assert!(theirs.joining);
    };
    check(&ada, &phone);
    for client in [&ada, &phone] {
        client.shutdown().unwrap();
    }
    for side in [&hosting, &joining] {
        let error = side.wait(Some(PATIENCE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Cancelled);
        assert!(error.to_string().contains("goes on"), "{error}");
    }
    let id = hosting.id();
    drop((ada, phone));
    // Running.
    let phone = blank_at(dirs[1].path(), &signal);
    wait("it runs again", || phone.invitation(id.clone()).is_ok());
    let joining = phone.invitation(id.clone()).unwrap();
    // And not.
    let options = ClientOptions {
        profile: Some(dirs[0].path().to_string_lossy().into_owned()),
        online: false,
        ..ClientOptions::default()
    };
    let ada = Client::open(options, None).unwrap();
    check(&ada, &phone);
    assert_eq!(kind(ada.invitation(id.clone())), ErrorKind::InvalidState);
    for client in [&ada, &phone] {
        client.cancel_invitation(id.clone()).unwrap();
        assert!(client.invitations().unwrap().is_empty());
        let again = client.cancel_invitation(id.clone());
        assert_eq!(kind(again), ErrorKind::NotFound);
    }
    assert_eq!(kind(joining.wait(Some(PATIENCE))), ErrorKind::Cancelled);
}

#[test]
fn one_that_expired_while_nobody_ran_is_gone_at_the_next_start() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let options = InviteOptions {
        expires_s: 1,
        ..InviteOptions::default()
    };
    ada.create_device_invitation(options).unwrap();
    ada.shutdown().unwrap();
    drop(ada);
    std::thread::sleep(Duration::from_secs(1));
    let ada = client_at(dir.path(), "Ada", &signal);
    wait("it is forgotten", || ada.invitations().unwrap().is_empty());
}
