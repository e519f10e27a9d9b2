//! Commands that others should hear of, with no `serve` on the profile: they meet somebody before
//! and afterwards, and say so if they have met nobody.

use crate::common::{Profile, Running, Signal, string};
use crate::devices::link;
use crate::pairing::{eventually, pair};
use serde_json::{Value, json};

/// Longer than a test may take: what waits for so long is seen to wait.
const FOR_EVER: &str = "3600";

/// Two members of Ann's default space, and the space.
fn two_members() -> (Signal, Profile, Profile, String) {
    let signal = Signal::start();
    let ann = Profile::with_signal("Ann", &signal);
    let bob = Profile::with_signal("Bob", &signal);
    let space = pair(&ann, &bob);
    (signal, ann, bob, space)
}

/// What a command warns of that must succeed, and in time.
fn warnings(running: &mut Running) -> Vec<String> {
    let (status, error) = running.end();
    assert!(status.success(), "{status}: {error}");
    let lines = error.lines();
    lines
        .map(|line| string(&serde_json::from_str(line).unwrap(), "warning"))
        .collect()
}

fn warned(profile: &Profile, arguments: &[&str]) -> Vec<String> {
    warnings(&mut profile.start(arguments))
}

fn role_of(profile: &Profile, space: &str, name: &str) -> Option<String> {
    let members = profile.all(&["member", "list", space]);
    let found = members.iter().find(|member| member["name"] == name);
    found.map(|member| string(member, "role"))
}

fn none() -> Vec<String> {
    Vec::new()
}

#[test]
fn a_member_who_is_online_is_heard_before_and_told() {
    let (_signal, ann, bob, space) = two_members();
    let serving = bob.serve();
    let id = string(&bob.one(&["add", &space, r#"{"by": "Bob"}"#]), "id");
    let role = ["member", "role", "default", "Bob", "reader"];
    assert_eq!(
        warned(&ann, &[&role[..], &["--sync-wait", FOR_EVER]].concat()),
        none()
    );
    // What Bob had written came in time to count.
    assert_eq!(ann.one(&["get", "default", &id])["fields"]["by"], "Bob");
    eventually("Bob's hearing of it", || {
        role_of(&bob, &space, "Bob").as_deref() == Some("reader")
    });
    assert!(bob.all(&["member", "excluded", &space]).is_empty());
    assert_eq!(
        warned(&ann, &["rotate-key", "default", "--sync-wait", FOR_EVER]),
        none()
    );
    let handover = ["member", "handover", "default", "Bob"];
    assert_eq!(
        warned(&ann, &[&handover[..], &["--sync-wait", FOR_EVER]].concat()),
        none()
    );
    eventually("Bob's owning the space", || {
        role_of(&bob, &space, "Bob").as_deref() == Some("owner")
    });
    // Nobody confirms anything to one who has left.
    let leave = ["member", "leave", "default", "--sync-wait", FOR_EVER];
    assert_eq!(warned(&ann, &leave), none());
    eventually("Bob's being alone", || {
        role_of(&bob, &space, "Ann").is_none()
    });
    drop(serving);
}

#[test]
fn the_removed_one_is_told_if_nobody_else_is_there() {
    let (_signal, ann, bob, space) = two_members();
    let _serving = bob.serve();
    let id = string(&bob.one(&["add", &space, r#"{"by": "Bob"}"#]), "id");
    let remove = ["member", "remove", "default", "Bob"];
    assert_eq!(
        warned(&ann, &[&remove[..], &["--sync-wait", FOR_EVER]].concat()),
        none()
    );
    assert_eq!(ann.one(&["get", "default", &id])["fields"]["by"], "Bob");
    eventually("Bob's hearing of it", || {
        bob.one(&["status", &space])["removed"] == true
    });
}

#[test]
fn whoever_was_met_vouches_for_a_revoked_device_and_hears_of_it() {
    let (signal, laptop, bob, space) = two_members();
    let phone = Profile::absent_with_signal(&signal);
    link(&laptop, &phone, "Phone");
    let _bob = bob.serve();
    let id = {
        let _phone = phone.serve();
        let id = string(&phone.one(&["add", &space, r#"{"by": "the phone"}"#]), "id");
        eventually("Bob's having what the phone wrote", || {
            bob.run(&["get", &space, &id], b"").status.success()
        });
        id
    };
    // Only Bob is there, and the laptop has nothing of it yet.
    let revoke = ["device", "revoke", "Phone", "--sync-wait", FOR_EVER];
    assert_eq!(warned(&laptop, &revoke), none());
    let got = laptop.one(&["get", "default", &id]);
    assert_eq!(got["fields"]["by"], "the phone");
    assert!(laptop.all(&["member", "excluded", "default"]).is_empty());
    eventually("Bob's hearing of the revocation", || {
        let members = bob.all(&["member", "list", &space]);
        let ann = members.iter().find(|member| member["name"] == "Ann");
        ann.unwrap()["devices"].as_array().unwrap().len() == 1
    });
    assert!(bob.all(&["member", "excluded", &space]).is_empty());
    // A phrase is shown first, and then told of.
    let mut making = laptop.start(&["identity", "phrase", "--sync-wait", FOR_EVER]);
    assert_eq!(string(&making.next(), "phrase").split(' ').count(), 24);
    let told = warnings(&mut making);
    assert!(
        told.len() == 1 && told[0].contains("write these words down"),
        "{told:?}"
    );
}

#[test]
fn with_nobody_there_it_warns_and_with_nobody_else_at_all_it_does_not_wait() {
    let (signal, ann, _bob, _space) = two_members();
    for command in [
        &["member", "role", "default", "Bob", "reader"][..],
        &["rotate-key", "default"],
        &["identity", "phrase"],
        &["member", "handover", "default", "Bob"],
        &["member", "leave", "default"],
    ] {
        let told = warned(&ann, &[command, &["--sync-wait", "1"]].concat());
        let last = told.last().unwrap_or_else(|| panic!("{command:?}: none"));
        assert!(
            last.starts_with("nobody else has heard of this yet in \"default\""),
            "{command:?}: {last}"
        );
    }
    let ann = Profile::with_signal("Ann", &signal);
    let alone = ["rotate-key", "default", "--sync-wait", FOR_EVER];
    assert_eq!(warned(&ann, &alone), none());
    // The one who could hear is the one who is revoked.
    let phone = Profile::absent_with_signal(&signal);
    link(&ann, &phone, "Phone");
    let revoke = ["device", "revoke", "Phone", "--sync-wait", FOR_EVER];
    assert_eq!(warned(&ann, &revoke), none());
}

#[test]
fn what_is_not_to_wait_does_not() {
    let (_signal, ann, _bob, _space) = two_members();
    assert_eq!(
        warned(&ann, &["rotate-key", "default", "--sync-wait", "0"]),
        none()
    );
    let mut offline = ann.command(&["--json", "rotate-key", "default", "--sync-wait", FOR_EVER]);
    let told = warnings(&mut Running::start(offline.env_remove("ECHODB_SIGNAL")));
    assert!(
        told.len() == 1 && told[0].starts_with("no signalling server is set"),
        "{told:?}"
    );
    // The serving process stays, and tells others when they come.
    let _serving = ann.serve();
    let rotate = ["rotate-key", "default", "--sync-wait", FOR_EVER];
    assert_eq!(warned(&ann, &rotate), none());
}

#[test]
fn interrupted_before_it_has_done_nothing() {
    let (_signal, ann, _bob, _space) = two_members();
    let role = ["member", "role", "default", "Bob", "reader"];
    let mut waiting = ann.start(&[&role[..], &["--sync-wait", FOR_EVER]].concat());
    eventually("holding the profile", || {
        ann.run(&["digest", "default"], b"").status.code() == Some(6)
    });
    waiting.signal(libc::SIGINT);
    let (exit, error): (i32, Value) = waiting.end_badly();
    assert_eq!((exit, &error["status"]), (1, &json!("cancelled")));
    assert_eq!(role_of(&ann, "default", "Bob").as_deref(), Some("editor"));
}
