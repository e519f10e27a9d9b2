//! Devices of one identity, and its recovery phrase.

use crate::common::{Profile, Signal, string};
use crate::pairing::eventually;
use serde_json::Value;

/// Makes `guest`, which has no identity, a device of `host`'s.
pub fn link(host: &Profile, guest: &Profile, name: &str) {
    let mut inviting = host.start(&["device", "invite"]);
    let first = inviting.until("code", |_| true);
    assert!(string(&first, "url").starts_with("echodb://link/"));
    let mut joining = guest.start(&["device", "join", &string(&first, "code"), "--name", name]);
    let shown = inviting.until("auth_code", |code| !code.is_null());
    joining.until("state", |state: &Value| state == "ready_for_authentication");
    joining.enter(&string(&shown, "auth_code"));
    let who = joining.until("identity", |_| true);
    assert_eq!(string(&who, "identity"), string(&first, "identity"));
    inviting.end_well();
    joining.end_well();
}

#[test]
fn a_device_invitation_outlives_a_kill_and_is_listed_and_cancelled() {
    let signal = Signal::start();
    let laptop = Profile::with_signal("Ada", &signal);
    let inviting = laptop.start(&["device", "invite"]);
    let code = string(&inviting.until("code", |_| true), "code");
    // Killed: nobody was there to cancel it.
    drop(inviting);
    let listed = laptop.one(&["invitations", "list"]);
    assert_eq!(
        (&listed["kind"], &listed["uses"]),
        (&"device".into(), &0.into())
    );
    assert_eq!(string(&listed, "code"), code);
    let id = string(&listed, "invitation");
    laptop.text(&["invitations", "cancel", &id]);
    assert!(laptop.all(&["invitations", "list"]).is_empty());
    assert_eq!(laptop.failure(&["invitations", "cancel", &id]).0, 3);
}

#[test]
fn a_phone_is_added_named_and_revoked_and_a_phrase_brings_the_identity_back() {
    let signal = Signal::start();
    let laptop = Profile::with_signal("Ada", &signal);
    let phone = Profile::absent_with_signal(&signal);
    let id = laptop.add(r#"{"title": "before"}"#);
    link(&laptop, &phone, "Phone");
    assert_eq!(
        phone.one(&["get", "default", &id])["fields"]["title"],
        "before"
    );

    laptop.text(&["device", "rename", "Phone", "Old phone"]);
    let devices = laptop.all(&["device", "list"]);
    let names: Vec<String> = devices.iter().map(|d| string(d, "name")).collect();
    assert!(names.contains(&"Old phone".to_owned()), "{names:?}");
    assert!(devices.iter().any(|device| device["this"] == true));
    assert_eq!(laptop.failure(&["device", "revoke", "Nobody"]).0, 3);
    laptop.text(&["device", "revoke", "Old phone"]);
    let devices = laptop.all(&["device", "list"]);
    let phone = devices.iter().find(|d| d["name"] == "Old phone").unwrap();
    assert_eq!(phone["revoked"], true);

    let read = string(&laptop.one(&["identity", "phrase"]), "phrase");
    let replace = ["--json", "identity", "phrase", "--replace"];
    let replaced = laptop.run(&replace, read.as_bytes());
    assert!(replaced.status.success(), "{replaced:?}");
    let phrase: Value = serde_json::from_slice(&replaced.stdout).unwrap();
    let phrase = string(&phrase, "phrase");
    assert_eq!(phrase.split(' ').count(), 24);
    assert_ne!(phrase, read);
    let void = laptop.run(&replace, read.as_bytes());
    assert_eq!(void.status.code(), Some(4), "{void:?}");
    let found = Profile::absent_with_signal(&signal);
    let serving = laptop.serve();
    let recovered = found.run(
        &["--json", "identity", "recover", "--name", "Found"],
        phrase.as_bytes(),
    );
    assert!(recovered.status.success(), "{recovered:?}");
    drop(serving);
    assert_eq!(
        found.one(&["identity", "show"])["identity"],
        laptop.one(&["identity", "show"])["identity"]
    );
    assert_eq!(
        found.one(&["get", "default", &id])["fields"]["title"],
        "before"
    );
}

#[test]
fn recovering_after_a_theft_revokes_every_device_of_before() {
    let signal = Signal::start();
    let laptop = Profile::with_signal("Ada", &signal);
    let id = laptop.add(r#"{"title": "before"}"#);
    let phrase = string(&laptop.one(&["identity", "phrase"]), "phrase");
    let stolen = string(&laptop.one(&["identity", "show"]), "device");
    let _serving = laptop.serve();
    let found = Profile::absent_with_signal(&signal);
    let recover = ["--json", "identity", "recover", "--revoke-older"];
    let misspelt = found.run(&recover, b"no words");
    assert_eq!(misspelt.status.code(), Some(2), "{misspelt:?}");
    let recovered = found.run(&recover, phrase.as_bytes());
    assert!(recovered.status.success(), "{recovered:?}");
    let who: Value = serde_json::from_slice(&recovered.stdout).unwrap();
    assert_eq!(who["name"], "Ada");

    let devices = found.all(&["device", "list"]);
    assert_eq!(devices.len(), 2);
    for device in devices {
        let old = device["device"] == stolen.as_str();
        assert_eq!(
            (&device["revoked"], &device["recovered"], &device["this"]),
            (&old.into(), &(!old).into(), &(!old).into())
        );
    }
    assert_eq!(
        found.one(&["get", "default", &id])["fields"]["title"],
        "before"
    );
    found.add(r#"{"title": "after"}"#);
    // Both online: the stolen device learns what became of it.
    let _online = found.serve();
    eventually("the stolen device's losing its right", || {
        laptop.run(&["add", "default", "{}"], b"").status.code() == Some(4)
    });
    let again = found.run(&recover, phrase.as_bytes());
    assert_eq!(
        again.status.code(),
        Some(1),
        "it has an identity: {again:?}"
    );
}
