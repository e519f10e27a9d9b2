//! Credentials: what an identity shows, to whom, and how others verify it, over real links.

mod support;

use echodb::model::ErrorKind;
use echodb::{CredentialKind, EchoError, credential_code, read_credential, verify_presentation};
use support::{Signal, client, converge, pair, wait};

const NONCE: [u8; 32] = [7; 32];
const AUDIENCE: &str = "https://notes.example";

fn kind<T: std::fmt::Debug>(result: Result<T, EchoError>) -> ErrorKind {
    result.unwrap_err().kind()
}

#[test]
fn a_guest_presents_its_role_and_whoever_has_the_space_knows_when_it_is_gone() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let [a, b] = [&ada, &bob].map(|client| client.identity().unwrap());
    let here = ada.create_space(r#"{"name": "Notes"}"#.into()).unwrap();
    let there = pair(&here, &bob);
    converge(&here, &there);

    let shown = bob.credentials().unwrap();
    assert_eq!(shown[0].id, "identity");
    assert_eq!(shown[0].device.as_ref(), Some(&b.device));
    let role = shown.iter().find(|c| c.id == here.id()).unwrap();
    assert_eq!(role.kind, CredentialKind::Membership);
    assert_eq!(role.role.as_deref(), Some("editor"));
    assert_eq!(
        (&role.issuer, role.issuer_name.as_str()),
        (&a.identity, "Ada")
    );
    assert!(role.checked_against_space);
    // Its own default space, too.
    assert!(shown.iter().any(|c| c.role.as_deref() == Some("owner")));

    let bytes = bob.export_credential(here.id()).unwrap();
    let code = credential_code(bytes.clone()).unwrap();
    let read = read_credential(code.into_bytes(), None).unwrap();
    assert_eq!(
        (read.role.as_deref(), &read.subject),
        (Some("editor"), &b.identity)
    );
    assert!(!read.checked_against_space);
    assert!(
        read.steps[0].text.ends_with(" created the space."),
        "{read:?}"
    );
    let ids = vec!["identity".to_owned(), here.id()];
    let present = || bob.present_credentials(ids.clone(), NONCE.to_vec(), AUDIENCE.into());
    let shown = present().unwrap();
    let verify = |shown: &[u8], nonce: u8, audience: &str| {
        verify_presentation(shown.to_vec(), vec![nonce; 32], audience.into(), None)
    };
    let found = verify(&shown, 7, AUDIENCE).unwrap();
    assert_eq!((&found.identity, found.name.as_str()), (&b.identity, "Bob"));
    assert_eq!(found.device, b.device);
    assert_eq!(found.credentials.len(), 2);
    assert!(!found.device_checked);
    assert_eq!(kind(verify(&shown, 8, AUDIENCE)), ErrorKind::WrongNonce);
    assert_eq!(kind(verify(&shown, 7, "x")), ErrorKind::WrongAudience);
    let mut changed = shown.clone();
    let last = changed.len() - 1;
    changed[last] ^= 1;
    assert_eq!(kind(verify(&changed, 7, AUDIENCE)), ErrorKind::BadSignature);
    assert_eq!(
        kind(verify(b"none", 7, AUDIENCE)),
        ErrorKind::InvalidArgument
    );

    // A member compares with what it knows.
    let compare = || ada.verify_presentation(present()?, NONCE.to_vec(), AUDIENCE.into(), None);
    let found = compare().unwrap();
    assert!(found.device_checked);
    assert!(found.credentials.iter().all(|c| c.checked_against_space));
    here.set_role(b.identity.clone(), "admin".into()).unwrap();
    assert!(compare().is_ok(), "more than was shown");
    converge(&here, &there);
    wait("the guest shows its new role", || {
        let mut found = compare().unwrap().credentials.into_iter();
        found.any(|c| c.role.as_deref() == Some("admin") && c.issuer == a.identity)
    });
    let before = present().unwrap();
    here.remove_member(b.identity.clone()).unwrap();
    let gone = ada.verify_presentation(before.clone(), NONCE.to_vec(), AUDIENCE.into(), None);
    assert_eq!(kind(gone), ErrorKind::Revoked);
    assert!(verify(&before, 7, AUDIENCE).is_ok(), "nobody told it");
    wait("the guest can show the role no more", || {
        bob.export_credential(here.id()).is_err()
    });
    assert_eq!(kind(bob.export_credential(here.id())), ErrorKind::NotFound);
    assert_eq!(kind(present()), ErrorKind::NotFound);
    let listed = bob.credentials().unwrap();
    assert!(listed.iter().all(|c| c.id != here.id()));
}

#[test]
fn statements_are_issued_handed_over_kept_and_presented() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let [a, b] = [&ada, &bob].map(|client| client.identity().unwrap().identity);
    let claims = r#"{"grade": 1, "course": "boats"}"#;
    let issue = |expires| ada.issue_credential(b.clone(), "diploma".into(), claims.into(), expires);
    let issued = issue(None).unwrap();
    assert_eq!(
        issued.claims.as_deref(),
        Some(r#"{"course":"boats","grade":1}"#)
    );
    assert_eq!((&issued.issuer, &issued.subject), (&a, &b));
    let bytes = ada.export_credential(issued.id.clone()).unwrap();
    // The issuer has it, and cannot present it.
    assert!(ada.credentials().unwrap().contains(&issued));
    let present = |client: &echodb::Client| {
        client.present_credentials(vec![issued.id.clone()], NONCE.to_vec(), AUDIENCE.into())
    };
    assert_eq!(kind(present(&ada)), ErrorKind::InvalidArgument);
    assert_eq!(kind(present(&bob)), ErrorKind::NotFound);
    let kept = bob.import_credential(bytes.clone()).unwrap();
    assert_eq!(kept, issued);
    bob.import_credential(credential_code(bytes.clone()).unwrap().into_bytes())
        .unwrap();
    let held = bob.credentials().unwrap();
    assert_eq!(held.iter().filter(|c| c.id == issued.id).count(), 1);
    let shown = present(&bob).unwrap();
    let found = verify_presentation(shown, NONCE.to_vec(), AUDIENCE.into(), None).unwrap();
    assert_eq!(found.credentials, [issued.clone()]);

    let eve = client("Eve", &signal);
    assert_eq!(
        kind(eve.import_credential(bytes)),
        ErrorKind::InvalidArgument
    );
    let card = bob.export_credential("identity".into()).unwrap();
    assert_eq!(
        kind(bob.import_credential(card)),
        ErrorKind::InvalidArgument
    );

    bob.remove_credential(issued.id.clone()).unwrap();
    assert_eq!(
        kind(bob.remove_credential(issued.id.clone())),
        ErrorKind::NotFound
    );
    assert_eq!(kind(present(&bob)), ErrorKind::NotFound);

    let end = issued.issued_ms.unwrap() + 3_600_000;
    let brief = issue(Some(end)).unwrap();
    let bytes = ada.export_credential(brief.id).unwrap();
    assert!(read_credential(bytes.clone(), Some(end - 1)).is_ok());
    let late = read_credential(bytes, Some(end));
    assert_eq!(kind(late), ErrorKind::Expired);
    assert_eq!(kind(issue(Some(1))), ErrorKind::InvalidArgument);
    for claims in ["[]", "{", r#"{"a": 1.5}"#] {
        let refused = ada.issue_credential(b.clone(), "x".into(), claims.into(), None);
        assert_eq!(kind(refused), ErrorKind::InvalidArgument, "{claims}");
    }
    let refused = ada.issue_credential("nobody".into(), "x".into(), "{}".into(), None);
    assert_eq!(kind(refused), ErrorKind::InvalidArgument);
}

#[test]
fn who_has_no_identity_shows_nothing_and_closed_spaces_are_shown_too() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let id = space.id();
    space.close().unwrap();
    let shown = ada.export_credential(id.clone()).unwrap();
    let read = read_credential(shown, None).unwrap();
    assert_eq!((read.role.as_deref(), read.steps.len()), (Some("owner"), 1));
    assert!(ada.credentials().unwrap().iter().any(|c| c.id == id));
    let asked = |ids: &[&str], nonce: usize, audience: &str| {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        kind(ada.present_credentials(ids, vec![1; nonce], audience.into()))
    };
    assert_eq!(asked(&["nothing"], 32, "x"), ErrorKind::NotFound);
    assert_eq!(asked(&[], 15, "x"), ErrorKind::InvalidArgument);
    assert_eq!(asked(&[], 16, ""), ErrorKind::InvalidArgument);
    assert_eq!(asked(&["identity"; 17], 16, "x"), ErrorKind::LimitExceeded);
    let nobody = echodb::ClientOptions {
        online: false,
        ..echodb::ClientOptions::default()
    };
    let nobody = echodb::Client::open(nobody, None);
    let nobody = nobody.unwrap();
    assert_eq!(kind(nobody.credentials()), ErrorKind::InvalidState);
    let empty = ada.present_credentials(vec![], vec![1; 16], "x".into());
    let found = nobody.verify_presentation(empty.unwrap(), vec![1; 16], "x".into(), None);
    let found = found.unwrap();
    assert_eq!(found.identity, ada.identity().unwrap().identity);
    assert!(found.credentials.is_empty() && !found.device_checked);
}
