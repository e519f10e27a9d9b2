//! Processes that die without warning: nothing that was acknowledged is lost, and a sync that was
//! cut short goes on by itself.

mod support;

use serde_json::json;
use support::process::{self, Peer, SignalProcess, pair_processes};
use support::wait;

/// Not a test: the body of the child processes that the tests below start.
#[test]
fn plays_a_role_when_asked() {
    process::play_role();
}

struct Two {
    signal: Option<SignalProcess>,
    ada: Peer,
    bob: Peer,
    space: String,
    _dirs: [tempfile::TempDir; 2],
}

fn two() -> Two {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ada = Peer::start(dirs[0].path(), "Ada", &signal.url);
    let mut bob = Peer::start(dirs[1].path(), "Bob", &signal.url);
    let space = pair_processes(&mut ada, &mut bob);
    Two {
        signal: Some(signal),
        ada,
        bob,
        space,
        _dirs: dirs,
    }
}

impl Two {
    /// Waits until both hold the same, which is to include `ids`.
    fn end_equal(&mut self, ids: &[String]) {
        wait("both hold the same", || {
            self.ada.digest(&self.space) == self.bob.digest(&self.space)
        });
        for peer in [&mut self.ada, &mut self.bob] {
            assert_eq!(
                peer.lacking(&self.space, ids),
                Vec::<serde_json::Value>::new()
            );
        }
    }
}

#[test]
fn a_sync_survives_the_death_of_either_peer() {
    let mut two = two();
    // One writes all the while, so that every kill falls into the middle of a sync.
    two.ada.begin_writing(&two.space, 300, 10);
    wait("the guest has some", || two.bob.count(&two.space) > 100);
    two.bob.kill_and_restart();
    let before = two.bob.count(&two.space);
    wait("the guest gets on", || {
        two.bob.count(&two.space) > before + 100
    });
    let acknowledged = two.ada.kill_and_restart();
    assert!(acknowledged.len() > 200, "it was in the middle");
    two.end_equal(&acknowledged);
    two.bob.begin_writing(&two.space, 20, 10);
    wait("the guest has written", || two.bob.acknowledged() == 200);
    let more = two.bob.kill_and_restart();
    two.end_equal(&[acknowledged, more].concat());
}

#[test]
fn a_sync_survives_the_death_of_the_signalling_server() {
    let mut two = two();
    let address = two
        .signal
        .as_ref()
        .unwrap()
        .url
        .trim_start_matches("ws://")
        .to_owned();
    two.ada.begin_writing(&two.space, 200, 10);
    wait("the guest has some", || two.bob.count(&two.space) > 100);
    two.signal = None;
    let before = two.bob.count(&two.space);
    wait("an open connection needs no server", || {
        two.bob.count(&two.space) > before + 100
    });
    // Without a server nobody finds the guest again; with it, all goes on by itself.
    two.bob.kill_and_restart();
    wait("the host has written", || two.ada.acknowledged() == 2000);
    let acknowledged = two.ada.kill_and_restart();
    two.signal = Some(SignalProcess::start(&address));
    two.end_equal(&acknowledged);
    assert_eq!(two.bob.count(&two.space), 2000);
}

#[test]
fn what_was_committed_is_there_after_a_kill() {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dir = tempfile::tempdir().unwrap();
    let mut ada = Peer::start(dir.path(), "Ada", &signal.url);
    let space = ada.ask(json!({"do": "create_space"}))["space"]
        .as_str()
        .unwrap()
        .to_owned();
    let mut all = Vec::new();
    for round in 1..=4 {
        ada.begin_writing(&space, 10_000, round);
        wait("some is written", || ada.acknowledged() > 40);
        all.extend(ada.kill_and_restart());
        assert_eq!(ada.lacking(&space, &all), Vec::<serde_json::Value>::new());
    }
}

#[test]
fn invitations_that_a_kill_left_open_do_not_use_up_the_space() {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ada = Peer::start(dirs[0].path(), "Ada", &signal.url);
    let space = ada.ask(json!({"do": "create_space"}))["space"].clone();
    // A space has room for sixteen open invitations.
    for _ in 0..17 {
        ada.ask(json!({"do": "invite", "space": space}));
        ada.kill_and_restart();
    }
    ada.ask(json!({"do": "invite", "space": space}));
}
