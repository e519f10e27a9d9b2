//! Members: roles, removal, leaving, and who hears what of it, over real links.

mod support;

use echodb::model::ErrorKind;
use echodb::{
    ChangeBatch, ChangeKind, ChangeListener, EchoError, InviteOptions, JoinOptions, MemberEvent,
    MemberEventKind, MemberListener, Space,
};
use std::sync::{Arc, Mutex};
use support::{PATIENCE, Signal, client, converge, pair, wait};

/// Keeps what it hears.
#[derive(Default)]
struct Heard(Mutex<Vec<MemberEvent>>);

impl MemberListener for Heard {
    fn changed(&self, event: MemberEvent) -> Result<(), EchoError> {
        self.0.lock().unwrap().push(event);
        Ok(())
    }
}

impl Heard {
    fn last(&self, kind: MemberEventKind) -> Option<MemberEvent> {
        let events = self.0.lock().unwrap();
        events.iter().rfind(|event| event.kind == kind).cloned()
    }

    fn texts(&self) -> Vec<String> {
        let events = self.0.lock().unwrap();
        events.iter().map(|event| event.text.clone()).collect()
    }
}

fn kind<T: std::fmt::Debug>(result: Result<T, EchoError>) -> ErrorKind {
    result.unwrap_err().kind()
}

fn role_of(space: &Space, identity: &str) -> Option<String> {
    let members = space.members().unwrap().into_iter();
    let mut found = members.filter(|member| member.identity == identity);
    found.next().map(|member| member.role)
}

#[test]
fn roles_change_and_a_removed_member_reads_what_it_has() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let [a, b] = [&ada, &bob].map(|client| client.identity().unwrap().identity);
    let here = ada.create_space(r#"{"name": "Notes"}"#.into()).unwrap();
    let id = here.create(None, r#"{"n": 1}"#.into()).unwrap();
    let at_host = Arc::new(Heard::default());
    let _first = here.subscribe_members(at_host.clone()).unwrap();
    let there = pair(&here, &bob);
    converge(&here, &there);
    let at_guest = Arc::new(Heard::default());
    let _second = there.subscribe_members(at_guest.clone()).unwrap();
    wait("the host hears of the newcomer", || {
        at_host.texts() == ["Bob joined as editor"]
    });

    let members = here.members().unwrap();
    let of = |who: &str| members.iter().find(|m| m.identity == who).unwrap();
    assert_eq!((of(&a).rank, of(&b).rank), (1, 2));
    assert!(of(&b).joined_ms.unwrap() > 1_600_000_000_000);
    assert_eq!(of(&b).devices.len(), 1);
    assert!(!of(&b).device_details[0].revoked);
    let contacts = ada.contacts().unwrap();
    assert_eq!(contacts.len(), 1);
    assert_eq!(contacts[0].display_name, "Bob");
    assert_eq!(contacts[0].spaces[0].space_name, "Notes");

    // Whoever stands below decides nothing; nobody raises the own role; the creator stays.
    assert_eq!(
        kind(there.set_role(a.clone(), "reader".into())),
        ErrorKind::PermissionDenied
    );
    assert_eq!(
        kind(there.set_role(b.clone(), "owner".into())),
        ErrorKind::PermissionDenied
    );
    assert_eq!(kind(here.leave()), ErrorKind::PermissionDenied);
    assert_eq!(
        kind(here.set_role(b.clone(), "king".into())),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        kind(here.remove_member(of(&a).devices[0].clone())),
        ErrorKind::NotFound
    );

    here.set_role(b.clone(), "reader".into()).unwrap();
    wait("the guest hears that it only reads", || {
        at_guest.texts() == ["Bob was made reader by Ada"]
    });
    assert_eq!(there.status().unwrap().role.as_deref(), Some("reader"));
    assert_eq!(
        kind(there.update(id.clone(), r#"{"n": 2}"#.into())),
        ErrorKind::PermissionDenied
    );
    here.update(id.clone(), r#"{"n": 3}"#.into()).unwrap();
    converge(&here, &there);

    here.set_role(b.clone(), "admin".into()).unwrap();
    wait("the guest is admin", || {
        role_of(&there, &b).as_deref() == Some("admin")
    });
    there.update(id.clone(), r#"{"n": 4}"#.into()).unwrap();
    converge(&here, &there);

    let told = there.why(b.clone(), "administer".into()).unwrap();
    assert!(told.allowed && told.steps.len() >= 4, "{told:?}");
    let device = of(&b).devices[0].clone();
    assert!(here.why(device, "write".into()).unwrap().allowed);
    here.remove_member(b.clone()).unwrap();
    let told = here.why(b.clone(), "read".into()).unwrap();
    assert!(
        !told.allowed && told.summary.contains("may not read"),
        "{told:?}"
    );
    let last = told.steps.last().unwrap();
    assert!(
        last.counts && last.text.contains(" removed Bob ("),
        "{told:?}"
    );
    let asked = here.why(b.clone(), "fly".into());
    assert_eq!(kind(asked.map(drop)), ErrorKind::InvalidArgument);
    wait("the guest hears of its removal", || {
        at_guest.last(MemberEventKind::Removed).is_some()
    });
    let told = at_guest.last(MemberEventKind::Removed).unwrap();
    assert_eq!(told.text, "Bob was removed by Ada");
    assert_eq!(
        (told.by, told.previous_role),
        (Some(a.clone()), Some("admin".into()))
    );
    assert_eq!((told.identity, told.role), (b.clone(), None));
    let status = there.status().unwrap();
    assert!(status.removed && status.role.is_none());
    let refused = there.create(None, "{}".into()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    assert!(refused.detail().contains("removed"), "{}", refused.detail());
    assert!(there.get(id.clone()).unwrap().unwrap().fields.contains('4'));
    assert_eq!(here.members().unwrap().len(), 1);
    assert!(ada.contacts().unwrap().is_empty());

    // It gets nothing more, neither of data nor of control.
    here.update(id.clone(), r#"{"n": 5}"#.into()).unwrap();
    let digest = here.digest().unwrap();
    wait("the session ends", || {
        ada.status().peers == 0 || bob.status().peers == 0
    });
    std::thread::sleep(std::time::Duration::from_millis(500));
    assert!(there.get(id).unwrap().unwrap().fields.contains('4'));
    assert_ne!(there.digest().unwrap(), digest);
    assert_eq!(
        at_guest.last(MemberEventKind::Removed).unwrap(),
        at_guest.0.lock().unwrap().last().unwrap().clone()
    );
}

#[test]
fn a_member_leaves() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let here = ada.create_space("{}".into()).unwrap();
    here.create(None, r#"{"n": 1}"#.into()).unwrap();
    let at_host = Arc::new(Heard::default());
    let subscription = here.subscribe_members(at_host.clone()).unwrap();
    let there = pair(&here, &bob);
    converge(&here, &there);
    there.leave().unwrap();
    let status = there.status().unwrap();
    assert!(status.removed && status.role.is_none());
    assert_eq!(there.query("{}".into()).unwrap().len(), 1);
    wait("the host hears it", || {
        at_host.last(MemberEventKind::Left).is_some()
    });
    assert_eq!(at_host.texts(), ["Bob joined as editor", "Bob left"]);
    assert_eq!(here.members().unwrap().len(), 1);
    subscription.cancel();
    drop(pair(&here, &client("Cem", &signal)));
    assert_eq!(at_host.texts().len(), 2, "nothing is told after the end");
}

/// Keeps the changes it hears of.
#[derive(Default)]
struct Changes(Mutex<Vec<(String, ChangeKind)>>);

impl ChangeListener for Changes {
    fn changed(&self, batch: ChangeBatch) -> Result<(), EchoError> {
        let changes = batch.changes.into_iter();
        let mut all = self.0.lock().unwrap();
        all.extend(changes.map(|change| (change.id, change.kind)));
        Ok(())
    }
}

#[test]
fn what_a_reader_wrote_without_having_heard_is_excluded_and_submitted_again() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let b = bob.identity().unwrap().identity;
    let here = ada.create_space("{}".into()).unwrap();
    let kept = here.create(None, r#"{"n": 1}"#.into()).unwrap();
    let there = pair(&here, &bob);
    converge(&here, &there);
    there.update(kept.clone(), r#"{"mine": 1}"#.into()).unwrap();
    converge(&here, &there);

    bob.set_online(false).unwrap();
    here.set_role(b.clone(), "reader".into()).unwrap();
    here.update(kept.clone(), r#"{"n": 2}"#.into()).unwrap();
    let heard = Arc::new(Changes::default());
    let _listening = there.subscribe("{}".into(), heard.clone()).unwrap();
    let lost = there.create(None, r#"{"lost": 1}"#.into()).unwrap();
    there.update(kept.clone(), r#"{"n": 3}"#.into()).unwrap();
    bob.set_online(true).unwrap();
    wait("both exclude what the reader wrote", || {
        [&here, &there]
            .iter()
            .all(|space| space.status().unwrap().excluded == 2)
    });
    converge(&here, &there);
    assert!(there.get(lost.clone()).unwrap().is_none());
    let fields = there.get(kept.clone()).unwrap().unwrap().fields;
    assert!(
        fields.contains(r#""n":2"#) && fields.contains("mine"),
        "{fields}"
    );
    wait("the reader's program hears that its object is gone", || {
        let heard = heard.0.lock().unwrap();
        heard.iter().rfind(|(id, _)| *id == lost).unwrap().1 == ChangeKind::Removed
    });
    let excluded = here.excluded().unwrap();
    assert_eq!(excluded.len(), 2);
    assert_eq!(
        (&excluded[0].identity, &excluded[0].objects),
        (&b, &vec![lost.clone()])
    );
    assert!(
        excluded[0].reason.starts_with("denied: "),
        "{}",
        excluded[0].reason
    );

    let entry = excluded[0].entry.clone();
    assert_eq!(
        kind(there.resubmit(entry.clone())),
        ErrorKind::PermissionDenied
    );
    let again = here.resubmit(entry).unwrap();
    assert!(again.skipped.is_empty() && again.committed.entry.is_some());
    // This one was made at a version that is here: it merges, as what came later by its clock.
    here.resubmit(excluded[1].entry.clone()).unwrap();
    converge(&here, &there);
    assert!(there.get(lost).unwrap().unwrap().fields.contains("lost"));
    assert!(there.get(kept).unwrap().unwrap().fields.contains("mine"));
    assert_eq!(here.status().unwrap().excluded, 2);
}

#[test]
fn a_guest_who_came_by_a_link_that_was_cancelled_at_the_same_time_is_told_why_it_is_out() {
    let signal = Signal::start();
    let (ada, bob, eve) = (
        client("Ada", &signal),
        client("Bob", &signal),
        client("Eve", &signal),
    );
    let e = eve.identity().unwrap().identity;
    let here = ada.create_space("{}".into()).unwrap();
    let at_bob = pair(&here, &bob);
    let hosting = here
        .invite(InviteOptions {
            delegated: true,
            max_uses: 0,
            ..InviteOptions::default()
        })
        .unwrap();
    let code = hosting.code();
    wait("Bob knows of the link", || {
        bob.invitations().unwrap().len() == 1
    });
    ada.set_online(false).unwrap();
    ada.cancel_invitation(hosting.id()).unwrap();
    // Bob has not heard that the link was stolen, and lets Eve in.
    let joining = eve.join(code, JoinOptions::default()).unwrap();
    let at_eve = eve.space(joining.wait(Some(PATIENCE)).unwrap()).unwrap();
    converge(&at_bob, &at_eve);
    let heard = Arc::new(Heard::default());
    let _first = at_eve.subscribe_members(heard.clone()).unwrap();
    let at_host = Arc::new(Heard::default());
    let _second = at_bob.subscribe_members(at_host.clone()).unwrap();
    ada.set_online(true).unwrap();
    wait("Eve hears that she is no member", || {
        heard.last(MemberEventKind::Removed).is_some()
    });
    let told = heard.last(MemberEventKind::Removed).unwrap();
    assert_eq!(
        told.text,
        "Eve is no member any more: what let them in was undone by Ada"
    );
    assert_eq!(told.by_name.as_deref(), Some("Ada"));
    let status = at_eve.status().unwrap();
    assert!(status.removed && status.role.is_none());
    for space in [&here, &at_bob, &at_eve] {
        wait("Eve is no member", || role_of(space, &e).is_none());
        wait("it can be told why", || {
            let told = space.why(e.clone(), "read".into()).unwrap();
            let closed =
                |text: &str| text.contains("Ada (") && text.contains("closed that invitation");
            !told.allowed && told.steps.iter().any(|s| !s.counts && closed(&s.text))
        });
    }
    let told = at_host.last(MemberEventKind::Removed).unwrap();
    assert_eq!(told.identity, e);
    let refused = at_eve.create(None, "{}".into());
    assert_eq!(kind(refused), ErrorKind::PermissionDenied);
}

#[test]
fn a_space_is_handed_over_and_its_creator_leaves() {
    let signal = Signal::start();
    let (ada, bob, cem) = (
        client("Ada", &signal),
        client("Bob", &signal),
        client("Cem", &signal),
    );
    let [a, b, c] = [&ada, &bob, &cem].map(|client| client.identity().unwrap().identity);
    let here = ada.create_space("{}".into()).unwrap();
    let (there, other) = (pair(&here, &bob), pair(&here, &cem));
    converge(&here, &there);
    converge(&here, &other);
    let refused = here.leave().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
    assert!(refused.to_string().contains("hand it over"), "{refused}");
    assert_eq!(
        kind(there.hand_over(b.clone())),
        ErrorKind::PermissionDenied
    );
    assert_eq!(kind(here.hand_over(a.clone())), ErrorKind::InvalidArgument);
    assert_eq!(kind(here.hand_over("x".into())), ErrorKind::InvalidArgument);
    let device = bob.identity().unwrap().device;
    assert_eq!(kind(here.hand_over(device)), ErrorKind::NotFound);
    here.set_role(b.clone(), "owner".into()).unwrap();
    wait("Bob is owner", || {
        role_of(&there, &b).as_deref() == Some("owner")
    });
    assert_eq!(
        kind(there.hand_over(b.clone())),
        ErrorKind::PermissionDenied
    );

    let heard = Arc::new(Heard::default());
    let _told = other.subscribe_members(heard.clone()).unwrap();
    here.hand_over(b.clone()).unwrap();
    assert_eq!(kind(here.hand_over(c.clone())), ErrorKind::PermissionDenied);
    wait("all hear of it", || {
        heard.last(MemberEventKind::HandedOver).is_some()
    });
    let event = heard.last(MemberEventKind::HandedOver).unwrap();
    assert_eq!((&event.identity, event.by.as_deref()), (&b, Some(&a[..])));
    assert_eq!(
        event.text,
        "Bob is top owner of the space now, in place of Ada"
    );
    wait("Bob is first", || {
        let members = there.members().unwrap();
        members.iter().any(|m| m.identity == b && m.rank == 1)
    });
    let told = other.why(b.clone(), "administer".into()).unwrap();
    let made = |text: &str| text.contains("made Bob (") && text.contains("top owner");
    assert!(
        told.steps.iter().any(|s| s.counts && made(&s.text)),
        "{told:?}"
    );

    // Who handed over is an owner like any other, below all of them.
    assert_eq!(
        kind(here.set_role(b.clone(), "reader".into())),
        ErrorKind::PermissionDenied
    );
    there.set_role(a.clone(), "editor".into()).unwrap();
    wait("Ada is editor", || {
        role_of(&here, &a).as_deref() == Some("editor")
    });
    here.leave().unwrap();
    wait("Ada is gone everywhere", || {
        [&there, &other]
            .iter()
            .all(|space| role_of(space, &a).is_none())
    });
    assert_eq!(kind(there.leave()), ErrorKind::PermissionDenied);
    // To one who is no owner yet.
    there.hand_over(c.clone()).unwrap();
    wait("Cem owns it", || {
        role_of(&other, &c).as_deref() == Some("owner")
    });
    there.leave().unwrap();
    wait("Cem is alone", || other.members().unwrap().len() == 1);
}
