//! Two profiles, a signalling server, and the codes that pass between their users.

use crate::common::{PATIENCE, Profile, Running, Signal, string};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// Starts `invite` and returns it with the code.
fn invite(host: &Profile) -> (Running, String) {
    let inviting = host.start(&["invite", "default"]);
    let first = inviting.until("code", |_| true);
    let code = string(&first, "code");
    assert!(string(&first, "url").starts_with("echodb://join/"));
    inviting.until("state", |state| state == "connecting");
    (inviting, code)
}

/// Takes both sides through an invitation; returns the space.
pub fn pair(host: &Profile, guest: &Profile) -> String {
    let (mut inviting, code) = invite(host);
    let mut joining = guest.start(&["join", &code]);
    let asked = |state: &Value| state == "ready_for_authentication";
    let shown = inviting.until("auth_code", |_| true);
    joining.until("state", asked);
    joining.enter(&string(&shown, "auth_code"));
    let joined = joining.until("in_sync", |_| true);
    let invited = inviting.until("in_sync", |_| true);
    assert_eq!(
        (&joined["host"], &invited["host"]),
        (&json!(false), &json!(true))
    );
    assert_eq!(joined["space"], invited["space"]);
    inviting.end_well();
    joining.end_well();
    string(&joined, "space")
}

pub fn eventually(what: &str, mut test: impl FnMut() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !test() {
        assert!(Instant::now() < end, "{what} does not happen");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn on_their_own() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let id = host.add(r#"{"title": "before"}"#);
    let space = pair(&host, &guest);
    // Both processes are over; what they exchanged while they ran is there.
    let got = guest.one(&["get", &space, &id]);
    assert_eq!(got["fields"], json!({"title": "before"}));
    assert_eq!(
        host.one(&["digest", &space])["digest"],
        guest.one(&["digest", &space])["digest"]
    );
    let members = guest.one(&["space", "info", &space])["members"].clone();
    let mut names: Vec<_> = members
        .as_array()
        .unwrap()
        .iter()
        .map(|m| string(m, "name"))
        .collect();
    names.sort();
    assert_eq!(names, ["Ann", "Bob"]);
    assert_eq!(
        guest.failure(&["space", "delete", "default"]).0,
        2,
        "the default stays"
    );
}

#[test]
fn through_serve_and_then_replicating() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let (_one, _other) = (host.serve(), guest.serve());
    let space = pair(&host, &guest);
    let watching = guest.start(&["watch", &space]);
    let id = host.add(r#"{"body": {"@text": "one"}}"#);
    eventually("replication", || {
        guest.run(&["get", &space, &id], b"").status.success()
    });
    guest.one(&["text", &space, &id, "body", "--insert", " two"]);
    eventually("replication back", || {
        string(&host.one(&["text", "default", &id, "body"]), "text") == "one two"
    });
    host.add("{}");
    watching.until("origin", |origin| origin == "remote");
    eventually("being in sync", || {
        let peers = host.one(&["status", "default"])["peers"].clone();
        peers[0]["in_sync"] == true && peers[0]["name"] == "Bob"
    });
    let status = host.one(&["status"]);
    assert_eq!(status["signaling"][0]["connected"], true);
    assert_eq!(
        host.one(&["digest", "default"])["digest"],
        guest.one(&["digest", &space])["digest"]
    );
}

#[test]
fn a_wrong_code_is_refused_and_the_next_one_taken() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let (mut inviting, code) = invite(&host);
    let mut joining = guest.start(&["join", &code]);
    let first = inviting.until("auth_code", |_| true);
    joining.until("state", |state| state == "ready_for_authentication");
    let right = string(&first, "auth_code");
    joining.enter("12");
    joining.enter(if right == "000000" {
        "000001"
    } else {
        "000000"
    });
    let left = first["attempts_left"].as_u64().unwrap();
    let second = inviting.until("auth_code", |code| code.as_str() != Some(&right));
    assert!(second["attempts_left"].as_u64().unwrap() < left);
    joining.until("state", |state| state == "authenticating");
    joining.until("state", |state| state == "ready_for_authentication");
    joining.enter(&string(&second, "auth_code"));
    inviting.until("state", |state| state == "success");
    joining.until("state", |state| state == "success");
    inviting.end_well();
    joining.end_well();
}

#[test]
fn a_wrong_code_given_in_advance_fails_as_refused() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let (mut inviting, code) = invite(&host);
    // One time in a million it is right.
    let (exit, error) = guest.failure(&["join", &code, "--auth-code", "123 456"]);
    assert_eq!((exit, &error["status"]), (4, &json!("invitation_refused")));
    // The guest gave up, which the host learns.
    let (exit, error) = inviting.end_badly();
    assert_eq!((exit, &error["status"]), (1, &json!("cancelled")));
}

#[test]
fn ctrl_c_cancels_alone_and_through_serve() {
    let signal = Signal::start();
    let host = Profile::with_signal("Ann", &signal);
    for served in [false, true] {
        let _serving = served.then(|| host.serve());
        let (mut inviting, _) = invite(&host);
        inviting.signal(libc::SIGINT);
        let (exit, error) = inviting.end_badly();
        assert_eq!((exit, &error["status"]), (1, &json!("cancelled")));
    }
}

#[test]
fn an_invitation_ends_with_the_process_that_asked_for_it() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let _serving = host.serve();
    let (mut inviting, code) = invite(&host);
    inviting.signal(libc::SIGKILL);
    inviting.end();
    std::thread::sleep(Duration::from_secs(1));
    let (exit, error) = guest.failure(&["join", &code, "--timeout", "2"]);
    assert_eq!((exit, &error["status"]), (5, &json!("timed_out")));
    // The serving process took no harm.
    assert_eq!(host.one(&["status"])["serving"], true);
}

#[test]
fn nobody_there_is_a_timeout() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let (mut inviting, code) = invite(&host);
    inviting.signal(libc::SIGKILL);
    inviting.end();
    assert_eq!(guest.failure(&["join", &code, "--timeout", "1"]).0, 5);
}

#[test]
fn the_end_of_input_is_no_authorization_code() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    for served in [false, true] {
        let _serving = served.then(|| guest.serve());
        let (_inviting, code) = invite(&host);
        let (exit, error) = guest.failure(&["join", &code]);
        assert_eq!(
            (exit, &error["status"]),
            (2, &json!("invalid_argument")),
            "{error}"
        );
    }
}

#[test]
fn several_guests_and_the_list_of_invitations() {
    let signal = Signal::start();
    let host = Profile::with_signal("Ann", &signal);
    let guests = ["Bob", "Cem"].map(|name| Profile::with_signal(name, &signal));
    let mut inviting = host.start(&["invite", "default", "--multi-use", "3", "--role", "reader"]);
    let first = inviting.until("code", |_| true);
    let (code, id) = (string(&first, "code"), string(&first, "id"));
    for (guest, name) in guests.iter().zip(["Bob", "Cem"]) {
        let mut joining = guest.start(&["join", &code]);
        let shown = inviting.until("auth_code", |_| true);
        assert_eq!(shown["peer"], name);
        joining.until("state", |state| state == "ready_for_authentication");
        joining.enter(&string(&shown, "auth_code"));
        joining.until("in_sync", |_| true);
        joining.end_well();
        inviting.until("state", |state| state == "connecting");
    }
    // Interrupted, it stays open, and another command ends it.
    inviting.signal(libc::SIGINT);
    assert_eq!(inviting.end_badly().0, 1);
    let listed = host.one(&["invitations", "list"]);
    assert_eq!(listed["invitation"], id);
    assert_eq!(
        (&listed["type"], &listed["role"]),
        (&json!("multi_use"), &json!("reader"))
    );
    assert_eq!(
        (&listed["uses"], &listed["max_uses"]),
        (&json!(2), &json!(3))
    );
    assert!(host.text(&["invitations", "list"]).contains("2 of 3 uses"));
    host.text(&["invitations", "cancel", &id]);
    assert!(host.all(&["invitations", "list"]).is_empty());
    assert_eq!(host.failure(&["invitations", "cancel", &id]).0, 3);
    let roles = host.one(&["space", "info", "default"])["members"].clone();
    let readers = roles
        .as_array()
        .unwrap()
        .iter()
        .filter(|m| m["role"] == "reader");
    assert_eq!(readers.count(), 2);
    // The one who made the space goes once another owns it.
    let leave = ["member", "leave", "default", "--sync-wait", "0"];
    assert_ne!(host.failure(&leave).0, 0);
    assert_eq!(
        host.failure(&["member", "handover", "default", "Nobody"]).0,
        3
    );
    let handover = ["member", "handover", "default", "Bob"];
    let done = host.one(&[&handover[..], &["--sync-wait", "0"]].concat());
    assert_eq!(done["state"], "handed_over");
    host.text(&leave);
}

#[test]
fn a_delegated_invitation_outlives_its_command() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let _serving = host.serve();
    let invited = host.all(&["invite", "default", "--delegated", "--sync-wait", "0"]);
    let code = string(&invited[0], "code");
    assert_eq!(invited[0]["delegated"], true);
    let mut joining = guest.start(&["join", &code]);
    joining.until("in_sync", |_| true);
    joining.end_well();
    eventually("the one use is counted", || {
        host.all(&["invitations", "list"]).is_empty()
    });
}

#[test]
fn guests_without_the_history_are_given_it_later() {
    let signal = Signal::start();
    let (host, guest) = (
        Profile::with_signal("Ann", &signal),
        Profile::with_signal("Bob", &signal),
    );
    let old = string(&host.one(&["add", "default", r#"{"old": 1}"#]), "id");
    let _serving = host.serve();
    let invite = ["invite", "default", "--delegated", "--no-history"];
    let invited = host.all(&[&invite[..], &["--sync-wait", "0"]].concat());
    let space = string(&invited[0], "space");
    let mut joining = guest.start(&["join", &string(&invited[0], "code")]);
    joining.until("in_sync", |_| true);
    joining.end_well();
    let status = guest.one(&["status", &space]);
    assert!(status["sealed_off"].as_u64().unwrap() > 0, "{status}");
    assert_eq!(status["waiting_for_key"], 0);
    let text = guest.text(&["status", &space]);
    assert!(text.contains("from before this member's time"), "{text}");
    assert_eq!(guest.failure(&["get", &space, &old]).0, 3);
    let _there = guest.serve();
    let shared = host.one(&["share-history", "default", "Bob"]);
    assert_eq!(shared["state"], "history_shared");
    eventually("the guest reads it", || {
        guest.one(&["status", &space])["sealed_off"] == 0
    });
    assert_eq!(guest.one(&["get", &space, &old])["fields"]["old"], 1);
    let again = host.one(&["share-history", "default", "Bob"]);
    assert_eq!(again["state"], "history_known");
}
