//! Several devices of one identity over real WebRTC links and a real signalling server.

mod support;

use echodb::{
    Client, ClientOptions, DeviceInfo, EchoError, IdentityChange, IdentityListener,
    InvitationState, InviteOptions, JoinOptions, RecoverOptions, Space,
};
use std::sync::{Arc, Mutex};
use support::{PATIENCE, Signal, client, converge, pair, wait};

/// A client in memory without identity.
fn blank(signal: &Signal) -> Arc<Client> {
    let options = ClientOptions {
        signaling: vec![signal.url.clone()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    Client::open(options, None).unwrap()
}

/// Makes `guest` a device of `host`'s identity.
fn link(host: &Client, guest: &Client, name: &str) {
    let hosting = host
        .create_device_invitation(InviteOptions::default())
        .unwrap();
    assert!(hosting.code().starts_with("echodb-link-"));
    let options = JoinOptions {
        device_name: Some(name.into()),
        ..JoinOptions::default()
    };
    let joining = guest.join_device(hosting.code(), options).unwrap();
    wait("both are ready", || {
        joining.update().state == InvitationState::ReadyForAuthentication
            && hosting.update().auth_code.is_some()
    });
    assert_eq!(hosting.update().peer_name.as_deref(), Some(name));
    joining
        .authenticate(hosting.update().auth_code.unwrap())
        .unwrap();
    let identity = joining.wait(Some(PATIENCE)).unwrap();
    assert_eq!(hosting.wait(Some(PATIENCE)).unwrap(), identity);
    assert_eq!(guest.identity().unwrap().identity, identity);
    assert_eq!(host.identity().unwrap().identity, identity);
}

fn ids(client: &Client) -> Vec<String> {
    let mut ids: Vec<String> = client
        .spaces()
        .unwrap()
        .into_iter()
        .map(|space| space.id)
        .collect();
    ids.sort();
    ids
}

/// Waits until a space is here and the device may write in it.
fn arrived(client: &Client, id: &str) -> Arc<Space> {
    wait("a space is listed", || ids(client).iter().any(|s| s == id));
    let space = client.space(id.to_owned()).unwrap();
    wait("the device is a member", || {
        space.create(None, r#"{"probe": 1}"#.into()).is_ok()
    });
    space
}

fn device<'a>(devices: &'a [DeviceInfo], client: &Client) -> &'a DeviceInfo {
    let key = client.identity().unwrap().device;
    devices.iter().find(|device| device.device == key).unwrap()
}

#[derive(Default)]
struct Heard(Mutex<Vec<IdentityChange>>);

impl IdentityListener for Heard {
    fn changed(&self, change: IdentityChange) -> Result<(), EchoError> {
        self.0.lock().unwrap().push(change);
        Ok(())
    }
}

impl Heard {
    fn has(&self, change: IdentityChange) -> bool {
        self.0.lock().unwrap().contains(&change)
    }
}

#[test]
fn a_new_device_gets_every_space_and_both_see_what_the_other_makes() {
    let signal = Signal::start();
    let laptop = client("Ada", &signal);
    let notes = laptop.create_space(r#"{"name": "Notes"}"#.into()).unwrap();
    let note = notes.create(None, r#"{"text": "old"}"#.into()).unwrap();
    assert_eq!(laptop.spaces().unwrap().len(), 2, "HALO is not listed");
    let phone = blank(&signal);
    link(&laptop, &phone, "Phone");
    assert_eq!(phone.identity().unwrap().display_name, "Ada");

    let there = arrived(&phone, &notes.id());
    wait("the old note is there", || {
        there.get(note.clone()).unwrap().is_some()
    });
    converge(&notes, &there);
    assert_eq!(ids(&laptop), ids(&phone));
    let default = laptop.default_space().unwrap().id();
    assert_eq!(phone.default_space().unwrap().id(), default);
    assert_eq!(notes.members().unwrap().len(), 1, "one identity");

    // A space made on the phone comes to the laptop, and the laptop hears of it.
    let heard = Arc::new(Heard::default());
    let _subscription = laptop.subscribe_identity(heard.clone());
    let made = phone.create_space(r#"{"name": "Trip"}"#.into()).unwrap();
    let here = arrived(&laptop, &made.id());
    converge(&here, &made);
    wait("the laptop heard of the space", || {
        heard.has(IdentityChange::Spaces)
    });

    let devices = laptop.devices().unwrap();
    assert_eq!(devices.len(), 2);
    assert!(device(&devices, &laptop).this_device);
    assert_eq!(device(&devices, &phone).name, "Phone");
    assert!(device(&devices, &phone).last_seen_ms.is_some());
    let key = phone.identity().unwrap().device;
    laptop.rename_device(key, "Old phone".into()).unwrap();
    wait("the phone knows its new name", || {
        device(&phone.devices().unwrap(), &phone).name == "Old phone"
    });
    phone.set_profile("Ada L.".into()).unwrap();
    wait("the laptop knows the identity's new name", || {
        laptop.identity().unwrap().display_name == "Ada L."
    });
    wait("the spaces know it, too", || {
        notes.members().unwrap()[0].display_name == "Ada L."
    });
}

/// Attack 4 of the design: a code of one kind shown where one of the other is expected.
#[test]
fn attack_04_every_code_kind_at_every_entry_point() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let joins = space.invite(InviteOptions::default()).unwrap();
    let links = ada
        .create_device_invitation(InviteOptions::default())
        .unwrap();
    let (bob, new) = (client("Bob", &signal), blank(&signal));
    let refused = |result: echodb::Result<Arc<echodb::Invitation>>| result.err().unwrap();
    let options = JoinOptions::default;

    for code in [links.code(), links.url()] {
        let error = refused(bob.join(code.clone(), options()));
        assert!(
            matches!(error, EchoError::InvitationRefused { .. }),
            "{error}"
        );
        // Whoever has an identity cannot be linked to another, whatever the code.
        let error = refused(bob.join_device(code.clone(), options()));
        assert!(matches!(error, EchoError::InvalidState { .. }), "{error}");
        // Without identity there is nobody who could join a space.
        let error = refused(new.join(code, options()));
        assert!(matches!(error, EchoError::InvalidState { .. }), "{error}");
    }
    let several = InviteOptions {
        max_uses: 3,
        ..InviteOptions::default()
    };
    let delegated = InviteOptions {
        delegated: true,
        role: "reader".into(),
        ..InviteOptions::default()
    };
    let all = [
        joins.clone(),
        space.invite(several).unwrap(),
        space.invite(delegated).unwrap(),
    ];
    for code in all.iter().flat_map(|joins| [joins.code(), joins.url()]) {
        let error = refused(new.join_device(code.clone(), options()));
        assert!(
            matches!(error, EchoError::InvitationRefused { .. }),
            "{error}"
        );
        let error = refused(bob.join_device(code.clone(), options()));
        assert!(matches!(error, EchoError::InvalidState { .. }), "{error}");
        let error = refused(new.join(code, options()));
        assert!(matches!(error, EchoError::InvalidState { .. }), "{error}");
    }
    // A prefix that is exchanged makes no code of the other kind.
    let swapped = links.code().replacen("link", "join", 1);
    let error = refused(bob.join(swapped, options()));
    assert!(
        matches!(error, EchoError::InvitationRefused { .. }),
        "{error}"
    );
    let swapped = joins.code().replacen("join", "link", 1);
    let error = refused(new.join_device(swapped, options()));
    assert!(
        matches!(error, EchoError::InvitationRefused { .. }),
        "{error}"
    );
    // A recovery phrase is no code and a code is no phrase.
    let error = new
        .recover_identity(links.code(), RecoverOptions::default())
        .unwrap_err();
    assert!(
        matches!(error, EchoError::InvalidArgument { .. }),
        "{error}"
    );
    assert!(new.identity().is_none() && ada.devices().unwrap().len() == 1);
}

#[test]
fn wrong_codes_make_nobody_a_device() {
    let signal = Signal::start();
    let (ada, thief) = (client("Ada", &signal), blank(&signal));
    let hosting = ada
        .create_device_invitation(InviteOptions::default())
        .unwrap();
    let joining = thief
        .join_device(hosting.code(), JoinOptions::default())
        .unwrap();
    for left in [3, 2, 1] {
        wait("a code is asked for", || {
            joining.update().state == InvitationState::ReadyForAuthentication
                && hosting.update().auth_code.is_some()
                && hosting.update().attempts_left == left
        });
        let right = hosting.update().auth_code.unwrap();
        let wrong = if right == "000000" {
            "000001"
        } else {
            "000000"
        };
        joining.authenticate(wrong.into()).unwrap();
    }
    assert!(joining.wait(Some(PATIENCE)).is_err());
    assert!(hosting.wait(Some(PATIENCE)).is_err());
    assert!(thief.identity().is_none());
    assert_eq!(ada.devices().unwrap().len(), 1);
}

#[test]
fn a_space_comes_from_another_member_while_the_device_that_has_it_is_offline() {
    let signal = Signal::start();
    let (laptop, bob) = (client("Ada", &signal), client("Bob", &signal));
    let (phone, tablet) = (blank(&signal), blank(&signal));
    link(&laptop, &phone, "Phone");
    link(&laptop, &tablet, "Tablet");
    phone.set_online(false).unwrap();

    let shared = laptop.create_space(r#"{"name": "Shared"}"#.into()).unwrap();
    let at_bob = pair(&shared, &bob);
    let at_tablet = arrived(&tablet, &shared.id());
    converge(&shared, &at_tablet);
    converge(&shared, &at_bob);
    laptop.set_online(false).unwrap();

    // The phone learns of the space from the tablet's HALO, and may have it from Bob too.
    phone.set_online(true).unwrap();
    wait("the phone lists the space", || {
        ids(&phone).contains(&shared.id())
    });
    tablet.shutdown().unwrap();
    let at_phone = arrived(&phone, &shared.id());
    let id = at_bob.create(None, r#"{"from": "Bob"}"#.into()).unwrap();
    wait("the phone has what Bob wrote", || {
        at_phone.get(id.clone()).unwrap().is_some()
    });
}

#[test]
fn a_space_deleted_on_one_device_stays_away_there_until_it_is_restored() {
    let signal = Signal::start();
    let (laptop, phone) = (client("Ada", &signal), blank(&signal));
    let space = laptop.create_space("{}".into()).unwrap();
    let note = space.create(None, r#"{"n": 1}"#.into()).unwrap();
    link(&laptop, &phone, "Phone");
    arrived(&phone, &space.id());
    phone.delete_space(space.id()).unwrap();
    // Something that makes both reconcile.
    let other = laptop.create_space("{}".into()).unwrap();
    arrived(&phone, &other.id());
    assert!(!ids(&phone).contains(&space.id()));
    assert!(ids(&laptop).contains(&space.id()));
    phone.restore_space(space.id()).unwrap();
    let again = arrived(&phone, &space.id());
    wait("the note is back", || {
        again.get(note.clone()).unwrap().is_some()
    });
}

#[test]
fn what_a_revoked_device_wrote_before_stays_though_it_came_late() {
    let signal = Signal::start();
    let (laptop, bob) = (client("Ada", &signal), client("Bob", &signal));
    let phone = blank(&signal);
    let shared = laptop.create_space("{}".into()).unwrap();
    let at_bob = pair(&shared, &bob);
    link(&laptop, &phone, "Phone");
    let at_phone = arrived(&phone, &shared.id());
    converge(&shared, &at_phone);
    converge(&shared, &at_bob);
    laptop.set_online(false).unwrap();
    let late = at_phone.create(None, r#"{"late": 1}"#.into()).unwrap();
    wait("Bob has it, and builds nothing on it", || {
        at_bob.get(late.clone()).unwrap().is_some()
    });
    phone.set_online(false).unwrap();

    // The laptop has not heard of it when it revokes the phone, and has not met Bob yet.
    laptop.set_online(true).unwrap();
    let lost = phone.identity().unwrap().device;
    laptop.revoke_device(lost.clone()).unwrap();
    for space in [&shared, &at_bob] {
        wait("the phone is revoked in the space", || {
            let members = space.members().unwrap();
            let mut devices = members.iter().flat_map(|member| &member.device_details);
            devices.any(|device| device.device == lost && device.revoked)
        });
        assert!(space.get(late.clone()).unwrap().is_some());
        assert_eq!(space.excluded().unwrap(), []);
    }
}

#[test]
fn a_revoked_device_keeps_its_copy_and_writes_nothing_more() {
    let signal = Signal::start();
    let (laptop, bob) = (client("Ada", &signal), client("Bob", &signal));
    let phone = blank(&signal);
    let shared = laptop.create_space("{}".into()).unwrap();
    let at_bob = pair(&shared, &bob);
    link(&laptop, &phone, "Phone");
    let at_phone = arrived(&phone, &shared.id());
    let kept = at_phone.create(None, r#"{"kept": 1}"#.into()).unwrap();
    converge(&shared, &at_phone);
    converge(&shared, &at_bob);
    let heard = Arc::new(Heard::default());
    let _subscription = phone.subscribe_identity(heard.clone());

    // The junior one may not revoke the senior one.
    let error = phone
        .revoke_device(laptop.identity().unwrap().device)
        .unwrap_err();
    assert!(
        matches!(error, EchoError::PermissionDenied { .. }),
        "{error}"
    );

    phone.set_online(false).unwrap();
    laptop
        .revoke_device(phone.identity().unwrap().device)
        .unwrap();
    let stolen = at_phone.create(None, r#"{"stolen": 1}"#.into()).unwrap();
    phone.set_online(true).unwrap();

    let later = shared.create(None, r#"{"later": 1}"#.into()).unwrap();
    wait("Bob has what came later", || {
        at_bob.get(later.clone()).unwrap().is_some()
    });
    wait("the phone learns that it was revoked", || {
        heard.has(IdentityChange::Revoked)
    });
    let error = at_phone.create(None, "{}".into()).unwrap_err();
    assert!(
        matches!(error, EchoError::PermissionDenied { .. }),
        "{error}"
    );
    let error = phone
        .create_device_invitation(InviteOptions::default())
        .err()
        .unwrap();
    assert!(
        matches!(error, EchoError::PermissionDenied { .. }),
        "{error}"
    );
    assert!(
        at_phone.get(kept.clone()).unwrap().is_some(),
        "its copy stays"
    );
    for space in [&shared, &at_bob] {
        assert!(space.get(kept.clone()).unwrap().is_some());
        assert!(space.get(stolen.clone()).unwrap().is_none());
    }
    assert!(
        at_phone.get(later).unwrap().is_none(),
        "it gets nothing new"
    );
    let devices = laptop.devices().unwrap();
    assert!(device(&devices, &phone).revoked && !device(&devices, &laptop).revoked);
}

#[test]
fn a_phrase_brings_the_identity_back_with_one_device_and_no_other_server() {
    let signal = Signal::start();
    let (laptop, bob) = (client("Ada", &signal), client("Bob", &signal));
    let shared = laptop.create_space(r#"{"name": "Shared"}"#.into()).unwrap();
    let at_bob = pair(&shared, &bob);
    let note = shared.create(None, r#"{"n": 1}"#.into()).unwrap();
    let phrase = laptop.create_recovery_phrase().unwrap();
    assert_eq!(phrase.split(' ').count(), 24);
    // One that the device made, which might be stolen, does not put the older one out of force.
    let junior = laptop.create_recovery_phrase().unwrap();
    assert_ne!(junior, phrase);

    let options = |revoke_older| RecoverOptions {
        device_name: Some("New".into()),
        revoke_older,
        timeout_s: 30,
    };
    let new = blank(&signal);
    let error = new
        .recover_identity(phrase.replacen(' ', "  zoo ", 1), options(false))
        .unwrap_err();
    assert!(
        matches!(error, EchoError::InvalidArgument { .. }),
        "{error}"
    );
    let identity = new.recover_identity(phrase.clone(), options(true)).unwrap();
    assert_eq!(identity.identity, laptop.identity().unwrap().identity);
    assert_eq!(identity.display_name, "Ada");
    let there = arrived(&new, &shared.id());
    assert!(there.get(note).unwrap().is_some());

    // All older devices are revoked, on every side.
    wait("the old device knows", || {
        shared.create(None, "{}".into()).is_err()
    });
    let devices = new.devices().unwrap();
    assert!(device(&devices, &laptop).revoked && device(&devices, &new).recovered);
    let id = at_bob.create(None, r#"{"from": "Bob"}"#.into()).unwrap();
    wait("Bob and the new device work on", || {
        there.get(id.clone()).unwrap().is_some()
    });
    // The new device has the say now: it makes the next phrase.
    assert_ne!(new.create_recovery_phrase().unwrap(), phrase);
    let error = new.recover_identity(phrase, options(false)).unwrap_err();
    assert!(matches!(error, EchoError::InvalidState { .. }), "{error}");
}

#[test]
fn a_phrase_is_replaced_on_any_device_by_its_words() {
    let signal = Signal::start();
    let (laptop, phone) = (client("Ada", &signal), blank(&signal));
    let space = laptop.create_space("{}".into()).unwrap();
    let first = laptop.create_recovery_phrase().unwrap();
    link(&laptop, &phone, "Phone");
    arrived(&phone, &space.id());
    let denied = |error: EchoError| {
        let kind = matches!(error, EchoError::PermissionDenied { .. });
        assert!(kind, "{error}");
    };
    denied(phone.create_recovery_phrase().unwrap_err());
    let error = phone
        .replace_recovery_phrase(&first.replacen(' ', " zo ", 1))
        .unwrap_err();
    assert!(
        matches!(error, EchoError::InvalidArgument { .. }),
        "{error}"
    );
    // That of somebody else.
    let bob = client("Bob", &signal);
    denied(bob.replace_recovery_phrase(&first).unwrap_err());
    // The laptop would wait for whoever has the first until it hears of the next.
    laptop.set_online(false).unwrap();
    let second = phone.replace_recovery_phrase(&first).unwrap();
    denied(phone.replace_recovery_phrase(&first).unwrap_err());
    let third = phone.replace_recovery_phrase(&second).unwrap();

    let options = |timeout_s| RecoverOptions {
        timeout_s,
        ..RecoverOptions::default()
    };
    for void in [first, second] {
        let error = blank(&signal)
            .recover_identity(void, options(2))
            .unwrap_err();
        assert!(matches!(error, EchoError::TimedOut { .. }), "{error}");
    }
    let new = blank(&signal);
    new.recover_identity(third.clone(), options(30)).unwrap();
    arrived(&new, &space.id());
    // It ranks above the oldest.
    laptop.set_online(true).unwrap();
    new.revoke_device(laptop.identity().unwrap().device)
        .unwrap();
    wait("the laptop knows", || {
        space.create(None, "{}".into()).is_err()
    });
    let fourth = new.replace_recovery_phrase(&third).unwrap();
    assert_eq!(fourth.split(' ').count(), 24);
}

#[test]
fn a_void_phrase_recovers_nothing() {
    let signal = Signal::start();
    let (ada, tablet) = (client("Ada", &signal), blank(&signal));
    let options = |timeout_s| RecoverOptions {
        timeout_s,
        ..RecoverOptions::default()
    };
    let void = ada.create_recovery_phrase().unwrap();
    tablet.recover_identity(void.clone(), options(30)).unwrap();
    // What came by a phrase replaces it.
    tablet.create_recovery_phrase().unwrap();
    ada.set_online(false).unwrap();
    // Nobody waits where it leads any more.
    let new = blank(&signal);
    let error = new.recover_identity(void, options(3)).unwrap_err();
    assert!(matches!(error, EchoError::TimedOut { .. }), "{error}");
    assert!(new.identity().is_none());
    assert_eq!(tablet.devices().unwrap().len(), 2);
}

#[test]
fn a_space_deleted_and_restored_at_once_comes_back_over_the_same_connection() {
    let signal = Signal::start();
    let (laptop, phone) = (client("Ada", &signal), blank(&signal));
    let space = laptop.create_space("{}".into()).unwrap();
    let note = space.create(None, r#"{"n": 1}"#.into()).unwrap();
    link(&laptop, &phone, "Phone");
    for round in 0..5 {
        converge(&space, &arrived(&phone, &space.id()));
        phone.delete_space(space.id()).unwrap();
        phone.restore_space(space.id()).unwrap();
        let again = arrived(&phone, &space.id());
        wait(&format!("the note is back, round {round}"), || {
            again.get(note.clone()).unwrap().is_some()
        });
    }
}
