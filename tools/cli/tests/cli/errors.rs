//! Failures: exit codes, and errors that programs read.

use crate::common::{Profile, string};
use serde_json::json;

/// A well-formed id that nothing has.
const NO_OBJECT: &str = "01hzzzzzzzzzzzzzzzzzzzzzzz";

#[test]
fn the_kind_decides_the_exit_code() {
    let profile = Profile::new("Ann");
    for served in [false, true] {
        let _serving = served.then(|| profile.serve());
        let cases: &[(&[&str], i32, &str)] = &[
            (&["frobnicate"], 2, "invalid_argument"),
            (&["add", "default"], 2, "invalid_argument"),
            (
                &["text", "default", NO_OBJECT, "a", "--delete", "1"],
                2,
                "invalid_argument",
            ),
            (&["add", "default", "{"], 2, "invalid_argument"),
            (&["add", "default", r#"{"@x": 1}"#], 2, "invalid_argument"),
            (&["get", "default", "nonsense"], 2, "invalid_argument"),
            (
                &["query", "default", r#"{"strange": 1}"#],
                2,
                "invalid_argument",
            ),
            (&["join", "nonsense"], 4, "invitation_refused"),
            (&["get", "default", NO_OBJECT], 3, "not_found"),
            (&["set", "default", NO_OBJECT, "{}"], 3, "not_found"),
            (&["ls", "nowhere"], 3, "not_found"),
            (&["import", "default", "/nonexistent/file"], 3, "not_found"),
            (&["identity", "create"], 1, "already_exists"),
        ];
        for (arguments, code, status) in cases {
            let (exit, error) = profile.failure(arguments);
            assert_eq!(
                (exit, error["status"].as_str()),
                (*code, Some(*status)),
                "{arguments:?} served {served}: {error}"
            );
            assert!(!string(&error, "error").is_empty());
            assert!(error["code"].is_i64());
        }
    }
}

#[test]
fn errors_for_people_are_plain_text() {
    let profile = Profile::new("Ann");
    let output = profile.run(&["get", "default", NO_OBJECT], b"");
    assert_eq!(output.status.code(), Some(3));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.starts_with("error: ") && error.lines().count() == 1,
        "{error}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn a_mistyped_profile_is_not_made() {
    let profile = Profile::absent();
    let (code, error) = profile.failure(&["ls", "default"]);
    assert_eq!((code, &error["status"]), (3, &json!("not_found")));
    assert!(!profile.path().exists());
}

#[test]
fn a_profile_in_use_is_locked() {
    let profile = Profile::new("Ann");
    // On its own, so that it holds the profile and takes no commands.
    let mut watching = profile.start(&["watch", "default"]);
    let locked = (0..100).any(|_| {
        let output = profile.run(&["--json", "digest", "default"], b"");
        output.status.code() == Some(6)
    });
    assert!(locked, "watch never held the profile");
    let (code, error) = profile.failure(&["digest", "default"]);
    assert_eq!((code, &error["status"]), (6, &json!("profile_locked")));
    watching.signal(libc::SIGINT);
    watching.end_well();
    profile.one(&["digest", "default"]);
}

#[test]
fn a_damaged_profile_is_reported_and_left_alone() {
    let profile = Profile::new("Ann");
    let file = profile.path().join("profile.sqlite");
    let damage = vec![0x5a; 8192];
    std::fs::write(&file, &damage).unwrap();
    let _ = std::fs::remove_file(profile.path().join("profile.sqlite-wal"));
    assert_eq!(profile.failure(&["identity", "show"]).0, 6);
    assert_eq!(std::fs::read(&file).unwrap(), damage);
}

#[test]
fn an_empty_profile_says_what_to_do() {
    let profile = Profile::absent();
    let _serving = profile.serve();
    let (code, error) = profile.failure(&["identity", "show"]);
    assert_eq!(code, 3);
    assert!(
        string(&error, "error").contains("identity create"),
        "{error}"
    );
    assert_ne!(profile.failure(&["ls", "default"]).0, 0);
}
