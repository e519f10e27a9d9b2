//! A drill: a device is stolen, keeps writing, and is revoked.
//!
//! Ada has a laptop and a phone, and shares a space with Bob. The phone is stolen. The thief goes on
//! writing with it, offline so far; Ada revokes it from her laptop; then the phone comes online. What
//! the thief wrote is on nobody else's device, and what comes later is not on the phone.
//!
//! Run it with a signalling server: `cargo run -p echodb-signal`, then
//! `cargo run --example stolen_device -- ws://127.0.0.1:8765`.

use echodb::{
    Client, ClientOptions, Invitation, InvitationState, InviteOptions, JoinOptions, Result, Space,
};
use std::sync::Arc;
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let server = std::env::args()
        .nth(1)
        .unwrap_or_else(|| "ws://127.0.0.1:8765".into());
    let (laptop, phone, bob) = (open(&server)?, open(&server)?, open(&server)?);
    laptop.create_identity("Ada".into())?;
    bob.create_identity("Bob".into())?;

    let plans = laptop.create_space(r#"{"name": "Plans"}"#.into())?;
    let hosting = plans.invite(InviteOptions::default())?;
    let joining = bob.join(hosting.code(), JoinOptions::default())?;
    enter_code(&hosting, &joining)?;
    let at_bob = bob.space(plans.id())?;

    let hosting = laptop.create_device_invitation(InviteOptions::default())?;
    let options = JoinOptions {
        device_name: Some("Phone".into()),
        ..JoinOptions::default()
    };
    let joining = phone.join_device(hosting.code(), options)?;
    enter_code(&hosting, &joining)?;
    wait("the phone has the space", || {
        phone.space(plans.id()).is_ok_and(|space| {
            space
                .members()
                .is_ok_and(|members| members.iter().any(|member| member.display_name == "Bob"))
        })
    });
    let at_phone = phone.space(plans.id())?;
    let before = write_when_member(&at_phone, r#"{"text": "written by Ada, on the phone"}"#);
    wait("Bob has what Ada wrote on the phone", || {
        at_bob.get(before.clone()).is_ok_and(|note| note.is_some())
    });
    println!("1. Ada's phone is one of her devices, and works.");

    phone.set_online(false)?;
    let by_thief = at_phone.create(None, r#"{"text": "written by the thief"}"#.into())?;
    println!("2. The phone is stolen. The thief writes, offline.");

    let stolen = laptop
        .devices()?
        .into_iter()
        .find(|device| device.name == "Phone")
        .expect("it was just added");
    laptop.revoke_device(stolen.device)?;
    let later = plans.create(None, r#"{"text": "for Bob's eyes"}"#.into())?;
    wait("Bob has what came later", || {
        at_bob.get(later.clone()).is_ok_and(|note| note.is_some())
    });
    println!("3. Ada revokes the phone from her laptop, and goes on working with Bob.");

    phone.set_online(true)?;
    wait("the phone learns that it was revoked", || {
        at_phone.create(None, "{}".into()).is_err()
    });
    println!("4. The phone comes online: it learns that it was revoked, and its writes fail.");

    for (who, space) in [("Ada", &plans), ("Bob", &at_bob)] {
        assert!(space.get(before.clone())?.is_some());
        assert!(space.get(by_thief.clone())?.is_none());
        println!("   {who} has what was written before, and nothing of the thief's.");
    }
    assert!(at_phone.get(later)?.is_none());
    println!("   The phone has nothing of what came later.");
    for client in [laptop, phone, bob] {
        client.shutdown()?;
    }
    Ok(())
}

fn open(server: &str) -> Result<Arc<Client>> {
    let options = ClientOptions {
        signaling: vec![server.to_owned()],
        ..ClientOptions::default()
    };
    Client::open(options, None)
}

/// What the people do: one side shows six digits, the other enters them.
fn enter_code(hosting: &Invitation, joining: &Invitation) -> Result<()> {
    wait("the code is shown and asked for", || {
        hosting.update().auth_code.is_some()
            && joining.update().state == InvitationState::ReadyForAuthentication
    });
    joining.authenticate(hosting.update().auth_code.unwrap_or_default())?;
    joining.wait(None)?;
    hosting.wait(None).map(drop)
}

/// Writes as soon as the device has been given the right and the keys.
fn write_when_member(space: &Space, fields: &str) -> String {
    let mut id = None;
    wait("the phone may write", || {
        id = space.create(None, fields.to_owned()).ok();
        id.is_some()
    });
    id.expect("it was just written")
}

fn wait(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(30), "{what}: never");
        std::thread::sleep(Duration::from_millis(20));
    }
}
