//! Members: their roles, why they may do something, and what becomes of those who were removed.

use crate::common::{Profile, Signal, string};
use crate::pairing::{eventually, pair};
use serde_json::{Value, json};

/// Two members of Ann's default space, and the space.
fn two_members() -> (Signal, Profile, Profile, String) {
    let signal = Signal::start();
    let ann = Profile::with_signal("Ann", &signal);
    let bob = Profile::with_signal("Bob", &signal);
    let space = pair(&ann, &bob);
    (signal, ann, bob, space)
}

fn identity(profile: &Profile) -> String {
    string(&profile.one(&["identity", "show"]), "identity")
}

/// The exit code and the kind of a failure.
fn refused(profile: &Profile, arguments: &[&str]) -> (i32, String) {
    let (code, error) = profile.failure(arguments);
    (code, string(&error, "status"))
}

fn denied() -> (i32, String) {
    (4, "permission_denied".to_owned())
}

/// Whether somebody may do something, with the sentence and how many operations led to it.
fn why(profile: &Profile, arguments: &[&str]) -> (bool, String, usize) {
    let told = profile.one(arguments);
    let steps = told["steps"].as_array().unwrap();
    for step in steps {
        assert!(!string(step, "entry").is_empty() && step["counts"].is_boolean());
    }
    (
        told["allowed"].as_bool().unwrap(),
        string(&told, "summary"),
        steps.len(),
    )
}

fn role_of(profile: &Profile, space: &str, member: &str) -> Option<String> {
    let members = profile.all(&["member", "list", space]);
    let found = members.iter().find(|listed| listed["identity"] == member);
    found.map(|listed| string(listed, "role"))
}

#[test]
fn members_are_listed_and_their_roles_changed() {
    let (_signal, ann, bob, space) = two_members();
    let (a, b) = (identity(&ann), identity(&bob));
    let _serving = [ann.serve(), bob.serve()];
    for (profile, name) in [(&ann, "default"), (&bob, space.as_str())] {
        let members = profile.all(&["member", "list", name]);
        assert_eq!(members.len(), 2);
        let told = |who: &str| {
            let mut members = members.iter();
            members
                .find(|m| m["identity"] == who)
                .unwrap_or_else(|| panic!("no {who}"))
        };
        assert_eq!(
            (&told(&a)["name"], &told(&a)["role"], &told(&a)["rank"]),
            (&json!("Ann"), &json!("owner"), &json!(1))
        );
        assert_eq!(
            (&told(&b)["name"], &told(&b)["role"], &told(&b)["rank"]),
            (&json!("Bob"), &json!("editor"), &json!(2))
        );
        assert_eq!(told(&b)["devices"].as_array().unwrap().len(), 1);
    }

    let bobs = |role| ["member", "role", "default", "Bob", role];
    assert_eq!(refused(&ann, &bobs("king")).0, 2);
    assert_eq!(
        refused(&ann, &["member", "role", "default", "Nobody", "reader"]).0,
        3
    );
    let own = ["member", "role", space.as_str(), a.as_str(), "reader"];
    assert_eq!(refused(&bob, &own), denied());
    assert_eq!(
        ann.one(&bobs("reader")),
        json!({"space": space, "id": b, "state": "reader"})
    );
    assert_eq!(role_of(&ann, "default", &b).as_deref(), Some("reader"));
    eventually("Bob's own becoming a reader", || {
        role_of(&bob, &space, &b).as_deref() == Some("reader")
    });
    assert_eq!(refused(&bob, &["add", &space, "{}"]), denied());
    assert!(!why(&bob, &["why", &space, "write"]).0);
    assert!(why(&bob, &["why", &space, "read"]).0);
    // By a prefix of the key.
    ann.one(&["member", "role", "default", &b[..8], "editor"]);
    eventually("Bob's writing again", || {
        bob.run(&["add", &space, "{}"], b"").status.success()
    });
}

#[test]
fn why_tells_what_a_removed_member_may_and_the_key_is_renewed() {
    let (_signal, ann, bob, space) = two_members();
    let b = identity(&bob);
    let device = string(&bob.one(&["identity", "show"]), "device");
    let _serving = [ann.serve(), bob.serve()];
    for (profile, subject, called) in [
        (&ann, &b, "Bob"),
        (&bob, &b, "Bob"),
        (&ann, &device, &device[..8]),
    ] {
        let (allowed, text, steps) = why(profile, &["why", &space, "write", subject]);
        assert!(allowed && text.contains(called) && steps > 0, "{text}");
    }
    assert!(why(&bob, &["why", &space, "write"]).0, "oneself");
    assert!(!why(&bob, &["why", &space, "invite"]).0);
    assert_eq!(refused(&ann, &["why", "default", "fly"]).0, 2);
    assert_eq!(refused(&ann, &["why", "default", "write", "nobody"]).0, 2);

    let rotated = bob.one(&["rotate-key", &space]);
    assert_eq!(rotated, json!({"space": space, "state": "key_rotated"}));
    let sealed = ann.add(r#"{"sealed": "by the new key"}"#);
    eventually("Bob's reading what is under the new key", || {
        bob.run(&["get", &space, &sealed], b"").status.success()
    });

    assert_eq!(
        refused(&bob, &["member", "remove", &space, "Ann"]),
        denied()
    );
    assert_eq!(
        ann.one(&["member", "remove", "default", "Bob"]),
        json!({"space": space, "id": b, "state": "removed"})
    );
    assert_eq!(role_of(&ann, "default", &b), None);
    assert_eq!(
        refused(&ann, &["member", "remove", "default", "Bob"]).0,
        3,
        "there is no such name any more"
    );
    let (allowed, text, steps) = why(&ann, &["why", "default", "write", &b]);
    assert!(!allowed && text.contains("Bob") && steps > 0, "{text}");
    eventually("Bob's hearing of it", || {
        bob.one(&["status", &space])["removed"] == true
    });
    assert!(!why(&bob, &["why", &space, "write"]).0);
    assert_eq!(refused(&bob, &["add", &space, "{}"]), denied());
    assert_eq!(refused(&bob, &["rotate-key", &space]), denied());
}

#[test]
fn what_a_reader_wrote_without_having_heard_is_listed_and_submitted_again() {
    let (_signal, ann, bob, space) = two_members();
    let b = identity(&bob);
    {
        let _serving = ann.serve();
        ann.one(&["member", "role", "default", "Bob", "reader"]);
    }
    // Bob was not online.
    let lost = string(&bob.one(&["add", &space, r#"{"lost": 1}"#]), "id");
    let _serving = [ann.serve(), bob.serve()];
    let mut excluded: Vec<Value> = Vec::new();
    for (profile, name) in [(&bob, space.as_str()), (&ann, "default")] {
        eventually("leaving it out", || {
            excluded = profile.all(&["member", "excluded", name]);
            !excluded.is_empty()
        });
    }
    let [entry] = excluded.as_slice() else {
        panic!("{excluded:?}")
    };
    assert_eq!(
        (&entry["space"], &entry["identity"], &entry["objects"]),
        (&json!(space), &json!(b), &json!([lost]))
    );
    assert!(string(entry, "reason").starts_with("denied: "), "{entry}");
    assert_eq!(ann.one(&["status", "default"])["excluded"], 1);
    assert_eq!(refused(&ann, &["get", "default", &lost]).0, 3);

    let id = string(entry, "entry");
    assert_eq!(
        refused(&bob, &["member", "resubmit", &space, &id]),
        denied()
    );
    assert_eq!(
        refused(&ann, &["member", "resubmit", "default", "nothing"]).0,
        2
    );
    let done = ann.one(&["member", "resubmit", "default", &id]);
    assert_eq!(done["state"], "resubmitted");
    assert_ne!(string(&done, "id"), id, "an entry of Ann's own");
    assert_eq!(ann.one(&["get", "default", &lost])["fields"]["lost"], 1);
    eventually("Bob's seeing it again", || {
        bob.run(&["get", &space, &lost], b"").status.success()
    });
    assert_eq!(ann.all(&["member", "excluded", "default"]).len(), 1);
}

#[test]
fn an_expired_invitation_lets_nobody_in() {
    let signal = Signal::start();
    let ann = Profile::with_signal("Ann", &signal);
    let bob = Profile::with_signal("Bob", &signal);
    let mut inviting = ann.start(&["invite", "default", "--expires", "1"]);
    let code = string(&inviting.until("code", |_| true), "code");
    inviting.until("state", |state| state == "expired");
    let (exit, error) = inviting.end_badly();
    assert_eq!((exit, &error["status"]), (4, &json!("invitation_refused")));
    assert_eq!(
        refused(&bob, &["join", &code]),
        (4, "invitation_refused".to_owned())
    );
    assert!(ann.all(&["invitations", "list"]).is_empty());
    assert_eq!(ann.all(&["member", "list", "default"]).len(), 1);
}
