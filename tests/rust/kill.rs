//! Processes that die without warning: nothing that was acknowledged is lost, and a sync that was
//! cut short goes on by itself.

mod support;

use serde_json::json;
use std::time::Duration;
use support::changes::Expected;
use support::process::{self, Peer, SignalProcess, pair_processes};
use support::{is_sound, random, wait};

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

/// Another seed kills at other moments: `ECHODB_KILL_SEED`.
fn seed() -> u64 {
    let given = std::env::var("ECHODB_KILL_SEED");
    given.map_or(1, |text| text.parse().expect("the seed is a number"))
}

/// How often a writer is killed: `ECHODB_KILLS`.
fn kills() -> u64 {
    let given = std::env::var("ECHODB_KILLS");
    given.map_or(25, |text| text.parse().expect("the kills are a number"))
}

/// Kills a writer again and again, all on one profile. A kill falls after some reports and a pause,
/// both chosen at random, so that it meets every part of a write of any kind; how many changes it
/// meets is up to the machine, and nothing depends on it.
#[test]
fn what_was_committed_is_there_after_any_number_of_kills() {
    let (seed, kills) = (seed(), kills());
    let mut state = seed;
    let signal = SignalProcess::start("127.0.0.1:0");
    let dir = tempfile::tempdir().unwrap();
    let mut ada = Peer::start(dir.path(), "Ada", &signal.url);
    let space = ada.ask(json!({"do": "create_space"}))["space"]
        .as_str()
        .unwrap()
        .to_owned();
    ada.ask(json!({"do": "index", "space": space, "type": "Item", "path": "n"}));
    let mut expected = Expected::default();
    for kill in 1..=kills {
        let what = format!("seed {seed}, kill {kill}");
        let enough = 1 + random(&mut state, 20) as usize;
        let pause = Duration::from_micros(random(&mut state, 20_000));
        let some = expected.some(&mut state);
        ada.begin_changing(&space, seed.wrapping_add(kill), &some);
        wait("some is written", || ada.reported() >= enough);
        std::thread::sleep(pause);
        ada.kill();
        let reports = ada.reports();
        if kill % 25 == 0 {
            is_sound(dir.path(), &what);
        }
        ada.restart();
        expected.after(reports, &mut ada, &space, &what);
        // Everything is read for this, which takes long when there is much.
        if kill <= 25 || kill % 50 == 0 {
            expected.is_all(&mut ada, &space, &what);
        }
    }
    expected.is_all(&mut ada, &space, "at last");
    let digest = ada.digest(&space);
    ada.kill();
    is_sound(dir.path(), "at last");
    ada.restart();
    assert_eq!(ada.digest(&space), digest);
    eprintln!(
        "seed {seed}: {kills} kills, {} changes made, {} kept and {} lost in their middle, {} items",
        expected.done,
        expected.kept,
        expected.lost,
        expected.count()
    );
}

#[test]
fn an_invitation_outlives_a_kill_and_lets_its_guest_in() {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ada = Peer::start(dirs[0].path(), "Ada", &signal.url);
    let space = ada.ask(json!({"do": "create_space"}))["space"].clone();
    let invited = ada.ask(json!({"do": "invite", "space": space}));
    let mut bob = Peer::start(dirs[1].path(), "Bob", &signal.url);
    bob.ask(json!({"do": "join", "code": invited["code"]}));
    for _ in 0..3 {
        ada.ask(json!({"do": "auth_code"}));
        ada.kill_and_restart();
        ada.ask(json!({"do": "resume", "id": invited["id"], "as": "host"}));
    }
    // The guest's process too.
    bob.kill_and_restart();
    bob.ask(json!({"do": "resume", "id": invited["id"], "as": "guest"}));
    let auth = ada.ask(json!({"do": "auth_code"}))["auth_code"].clone();
    let joined = bob.ask(json!({"do": "authenticate", "auth_code": auth}));
    assert_eq!(joined["space"], space);
}

fn has(peer: &mut Peer, space: &str) -> bool {
    peer.ask(json!({"do": "has", "space": space}))["has"] == json!(true)
}

fn assert_sound(peer: &mut Peer, space: &str, what: &str) {
    let found = peer.ask(json!({"do": "check", "space": space}));
    assert_eq!(found["findings"], json!([]), "{what}");
}

#[test]
fn an_import_that_is_killed_brings_in_all_or_nothing() {
    let mut state = seed();
    let signal = SignalProcess::start("127.0.0.1:0");
    let dir = tempfile::tempdir().unwrap();
    let mut ada = Peer::start(&dir.path().join("ada"), "Ada", &signal.url);
    let space = ada.ask(json!({"do": "create_space"}))["space"].clone();
    let space = space.as_str().unwrap();
    ada.begin_writing(space, 60, 10);
    wait("all is written", || ada.acknowledged() == 600);
    let digest = ada.digest(space);
    let path = dir.path().join("archive").to_string_lossy().into_owned();
    ada.ask(json!({"do": "export", "space": space, "path": path}));
    ada.ask(json!({"do": "delete", "space": space}));
    let mut finished = 0;
    for round in 0..10 {
        ada.ask(json!({"do": "begin_import", "path": path}));
        std::thread::sleep(Duration::from_millis(random(&mut state, 1200)));
        ada.kill_and_restart();
        if has(&mut ada, space) {
            finished += 1;
            assert_eq!(ada.digest(space), digest, "round {round}");
            assert_sound(&mut ada, space, "after an import");
            ada.ask(json!({"do": "delete", "space": space}));
        }
    }
    ada.ask(json!({"do": "import", "path": path}));
    assert_eq!(ada.digest(space), digest);
    assert_sound(&mut ada, space, "at last");
    ada.kill();
    is_sound(&dir.path().join("ada"), "at last");
    eprintln!("{finished} of 10 imports were finished when they were killed");
}

#[test]
fn a_guest_that_is_killed_while_it_joins_is_in_or_can_join_again() {
    let mut state = seed();
    let signal = SignalProcess::start("127.0.0.1:0");
    let dir = tempfile::tempdir().unwrap();
    let mut ada = Peer::start(&dir.path().join("ada"), "Ada", &signal.url);
    let mut joined = 0;
    for round in 0..6 {
        let what = format!("round {round}");
        let profile = dir.path().join(format!("bob{round}"));
        let mut bob = Peer::start(&profile, "Bob", &signal.url);
        let space = ada.ask(json!({"do": "create_space"}))["space"].clone();
        let space = space.as_str().unwrap();
        ada.begin_writing(space, 1, 10);
        let code = ada.ask(json!({"do": "invite", "space": space}))["code"].clone();
        bob.ask(json!({"do": "join", "code": code}));
        let auth = ada.ask(json!({"do": "auth_code"}))["auth_code"].clone();
        bob.ask(json!({"do": "begin_authenticate", "auth_code": auth}));
        std::thread::sleep(Duration::from_millis(random(&mut state, 150)));
        bob.kill_and_restart();
        if has(&mut bob, space) {
            joined += 1;
        } else {
            let code = ada.ask(json!({"do": "invite", "space": space}))["code"].clone();
            bob.ask(json!({"do": "join", "code": code}));
            let auth = ada.ask(json!({"do": "auth_code"}))["auth_code"].clone();
            bob.ask(json!({"do": "authenticate", "auth_code": auth}));
        }
        wait("both hold the same", || {
            bob.count(space) == 10 && ada.digest(space) == bob.digest(space)
        });
        assert_sound(&mut bob, space, &what);
        bob.kill();
        is_sound(&profile, &what);
    }
    eprintln!("{joined} of 6 guests were in when they were killed");
}
