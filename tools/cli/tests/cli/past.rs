//! The past on the command line: each command is a process of its own, so that undoing lives on disk.

use crate::common::{Profile, string};
use serde_json::json;

#[test]
fn the_past_of_an_object() {
    let profile = Profile::new("Ann");
    let id = profile.add(r#"{"n": 1, "t": {"@text": "one"}}"#);
    let first = profile.one(&["get", "default", &id])["heads"][0].clone();
    let first = first.as_str().unwrap();
    profile.one(&["set", "default", &id, r#"{"n": 2}"#]);
    profile.one(&["text", "default", &id, "t", "--insert", " two"]);
    let then = profile.one(&["get", "default", &id, "--at", first]);
    assert_eq!(then["fields"], json!({"n": 1, "t": {"@text": "one"}}));
    assert_eq!(
        profile.all(&["diff", "default", &id, first]),
        [
            json!({"op": "set", "path": "/n", "value": 2}),
            json!({"op": "splice", "path": "/t", "position": 3, "delete": 0, "insert": " two"}),
        ]
    );
    let human = profile.text(&["diff", "default", &id, first]);
    assert_eq!(human, "/n = 2\n/t at 3: -0 +\" two\"\n");
    assert_eq!(profile.all(&["history", "default", &id]).len(), 3);
    let log = profile.all(&["log", "default", "--limit", "2"]);
    assert_eq!((log.len(), &log[0]["name"]), (2, &json!("Ann")));
    let entry = string(&log[0], "entry");
    assert_eq!(
        profile.all(&["log", "default", "--before", &entry])[0],
        log[1]
    );
    assert!(
        profile
            .text(&["log", "default"])
            .contains("Ann  1 object\n")
    );

    let now = || profile.one(&["get", "default", &id])["fields"].clone();
    let undone = profile.one(&["undo", "default"]);
    assert_eq!(
        (&undone["done"], &undone["skipped"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(now()["t"]["@text"], "one");
    profile.one(&["undo", "default"]);
    assert_eq!(now()["n"], 1);
    profile.one(&["redo", "default"]);
    profile.one(&["redo", "default"]);
    assert_eq!(now(), json!({"n": 2, "t": {"@text": "one two"}}));
    assert_eq!(profile.one(&["redo", "default"])["done"], false);
    profile.one(&["restore", "default", &id, first]);
    assert_eq!(now(), then["fields"]);
    let unknown = "7".repeat(64);
    assert_eq!(
        profile
            .failure(&["get", "default", &id, "--at", &unknown])
            .0,
        3
    );
    assert_eq!(profile.failure(&["restore", "default", &id, &unknown]).0, 3);
    assert_eq!(profile.failure(&["diff", "default", &id, &unknown]).0, 3);
}

#[test]
fn branches_of_an_object() {
    let profile = Profile::new("Ann");
    let id = profile.add(r#"{"t": {"@text": "one"}}"#);
    let made = profile.one(&["branch", "add", "default", &id, "draft"]);
    let branch = string(&made, "id");
    let listed = profile.one(&["branch", "ls", "default", &id]);
    assert_eq!(
        (&listed["id"], &listed["name"]),
        (&json!(branch), &json!("draft"))
    );
    assert_eq!(
        profile.text(&["branch", "ls", "default", &id]),
        format!("{branch}  draft\n")
    );
    profile.one(&["text", "default", &branch, "t", "--insert", "!"]);
    assert_eq!(profile.all(&["ls", "default"]).len(), 1);
    assert_eq!(
        profile.one(&["branch", "merge", "default", &branch])["state"],
        "merged"
    );
    assert_eq!(
        profile.one(&["branch", "merge", "default", &branch])["state"],
        "unchanged"
    );
    let fields = profile.one(&["get", "default", &id])["fields"].clone();
    assert_eq!(fields["t"]["@text"], "one!");
    assert_ne!(profile.failure(&["branch", "merge", "default", &id]).0, 0);
    profile.one(&["rm", "default", &branch]);
    assert!(profile.all(&["branch", "ls", "default", &id]).is_empty());
}
