//! A second device, and a member whose entries came to be excluded.

use super::support::{PATIENCE, Signal, client, converge, pair, wait};
use echodb::{Client, InvitationState, InviteOptions, JoinOptions, Space};
use serde_json::json;
use std::sync::Arc;

/// Makes `phone` a device of `owner`'s identity, waits until `space` has come to it, and writes there.
pub fn add_device(owner: &Client, phone: &Client, space: &Space) -> Arc<Space> {
    let hosting = owner
        .create_device_invitation(InviteOptions::default())
        .unwrap();
    let options = JoinOptions {
        device_name: Some("Phone".into()),
        ..JoinOptions::default()
    };
    let joining = phone.join_device(hosting.code(), options).unwrap();
    wait("both are ready", || {
        joining.update().state == InvitationState::ReadyForAuthentication
            && hosting.update().auth_code.is_some()
    });
    let code = hosting.update().auth_code.unwrap();
    joining.authenticate(code).unwrap();
    let identity = joining.wait(Some(PATIENCE)).unwrap();
    assert_eq!(hosting.wait(Some(PATIENCE)).unwrap(), identity);
    wait("the space is listed", || {
        let spaces = phone.spaces().unwrap();
        spaces.iter().any(|info| info.id == space.id())
    });
    let there = phone.space(space.id()).unwrap();
    let fields = r#"{"n": 12, "title": "thorn from the phone"}"#;
    wait("the device may write", || {
        there.create(Some("Note".into()), fields.into()).is_ok()
    });
    converge(space, &there);
    there
}

/// Puts a blob of two blocks on the device, and an object that names it; returns the blob's id.
pub fn photograph(space: &Space) -> String {
    let bytes: Vec<u8> = (0..70_000u32).map(|n| (n * 7 % 251) as u8).collect();
    let blob = space.put_blob(bytes).unwrap();
    let fields = json!({"photo": {"@blob": blob.id, "size": blob.size}});
    space
        .create(Some("Photo".into()), fields.to_string())
        .unwrap();
    blob.id
}

/// A member is made a reader and writes, twice, before it hears of that.
pub fn exclude(space: &Arc<Space>, signal: &Signal, note: &str) {
    let carol = client("Carol", signal);
    let identity = carol.identity().unwrap().identity;
    let there = pair(space, &carol);
    converge(space, &there);
    carol.set_online(false).unwrap();
    space.set_role(identity, "reader".into()).unwrap();
    let fields = r#"{"title": "a thorn too late"}"#;
    there.create(Some("Note".into()), fields.into()).unwrap();
    there
        .update(note.into(), r#"{"late": true}"#.into())
        .unwrap();
    carol.set_online(true).unwrap();
    wait("what the reader wrote is excluded", || {
        space.status().unwrap().excluded == 2
    });
    converge(space, &there);
    drop(there);
    carol.shutdown().unwrap();
}
