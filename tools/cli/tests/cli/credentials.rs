//! Credentials: shown, verified, issued.

use crate::common::{Profile, string};

const NONCE: &str = "00112233445566778899aabbccddeeff";

#[test]
fn a_profile_shows_its_identity_and_roles_and_anybody_verifies_them() {
    let ada = Profile::new("Ada");
    let listed = ada.all(&["credential", "list"]);
    assert_eq!(listed[0]["id"], "identity");
    let role = listed.iter().find(|c| c["role"] == "owner").unwrap();
    let space = string(role, "space");
    let code = string(&ada.one(&["credential", "export", &space]), "code");
    // No profile is needed to read it.
    let nobody = Profile::absent();
    assert_eq!(nobody.one(&["credential", "read", &code])["role"], "owner");
    assert_eq!(nobody.failure(&["credential", "read", "abc"]).0, 2);
    let present = ["credential", "present", "identity", &space];
    let present = [&present[..], &["--nonce", NONCE, "--audience", "here"]].concat();
    let shown = string(&ada.one(&present), "code");
    let asked = |nonce: &'static str, audience: &'static str| {
        ["--nonce", nonce, "--audience", audience].map(str::to_owned)
    };
    let verify = |asked: [String; 4]| {
        let mut all = vec!["credential".to_owned(), "verify".into(), shown.clone()];
        all.push("--offline".into());
        all.extend(asked);
        all
    };
    let arguments = verify(asked(NONCE, "here"));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let found = nobody.one(&arguments);
    assert_eq!(found["name"], "Ada");
    assert_eq!(found["credentials"].as_array().unwrap().len(), 2);
    for wrong in [
        asked(NONCE, "there"),
        asked("ff112233445566778899aabbccddeeff", "here"),
    ] {
        let arguments = verify(wrong);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        assert_eq!(nobody.failure(&arguments).0, 4);
    }
    let known = [
        "credential",
        "verify",
        &shown,
        "--nonce",
        NONCE,
        "--audience",
        "here",
    ];
    assert_eq!(ada.one(&known)["device_checked"], true);
    assert_eq!(ada.failure(&["credential", "export", "nothing"]).0, 3);
}

#[test]
fn statements_are_issued_and_imported_by_code() {
    let (ada, bob) = (Profile::new("Ada"), Profile::new("Bob"));
    let who = string(&bob.one(&["identity", "show"]), "identity");
    let issue = [
        "credential",
        "issue",
        &who,
        "--type",
        "diploma",
        "--claims",
        r#"{"n": 1}"#,
    ];
    let issued = ada.one(&issue);
    assert_eq!(issued["claims"]["n"], 1);
    let id = string(&issued, "id");
    let code = string(&ada.one(&["credential", "export", &id]), "code");
    let kept = bob.run(&["--json", "credential", "import", "-"], code.as_bytes());
    assert!(kept.status.success(), "{kept:?}");
    let listed = bob.all(&["credential", "list"]);
    assert!(listed.iter().any(|c| c["id"] == id.as_str()));
    assert!(bob.text(&["credential", "list"]).contains("diploma"));
    bob.text(&["credential", "remove", &id]);
    assert_eq!(bob.failure(&["credential", "remove", &id]).0, 3);
}
