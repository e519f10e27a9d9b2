//! One client on disk: objects, transactions, queries, subscriptions, reopening.

mod support;

use echodb::model::ErrorKind;
use echodb::{ChangeBatch, ChangeKind, ChangeListener, Client, ClientOptions, EchoError, TextUnit};
use std::sync::{Arc, Mutex};
use support::{Signal, client_at, wait};

#[derive(Default)]
struct Seen(Mutex<Vec<ChangeBatch>>);

impl ChangeListener for Seen {
    fn changed(&self, batch: ChangeBatch) -> Result<(), EchoError> {
        self.0.lock().unwrap().push(batch);
        Ok(())
    }
}

#[test]
fn everything_is_there_after_reopening() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let identity = ada.identity().unwrap();
    let space = ada.create_space(r#"{"name": "Tasks"}"#.into()).unwrap();
    let fields = r#"{"null":null,"bool":true,"int":-3,"float":1.5,"string":"s","bytes":{"@bytes":"AAE="},
        "when":{"@timestamp":1763864160123},"count":{"@counter":2},"text":{"@text":"héllo 😀"},
        "ref":{"@ref":"echo:00000000000000000000000001"},"list":[1,[2,{"deep":[]}]],"map":{"a":{"b":null}}}"#;
    let id = space.create(Some("Task".into()), fields.into()).unwrap();
    space
        .splice_text(
            id.clone(),
            "text".into(),
            5,
            0,
            "!".into(),
            TextUnit::CodePoint,
        )
        .unwrap();
    let digest = space.digest().unwrap();
    let before = space.get(id.clone()).unwrap().unwrap();
    ada.shutdown().unwrap();
    assert!(
        space.get(id.clone()).is_err(),
        "a client that is shut down refuses"
    );

    let ada = client_at(dir.path(), "Ada", &signal);
    assert_eq!(ada.identity().unwrap(), identity);
    assert_eq!(ada.spaces().unwrap().len(), 2);
    let space = ada.space(space.id()).unwrap();
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(space.get(id.clone()).unwrap().unwrap(), before);
    assert_eq!(space.text(id, "text".into()).unwrap(), "héllo! 😀");
    assert_eq!(space.info().unwrap().name, "Tasks");
}

#[test]
fn a_transaction_is_all_or_nothing() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.default_space().unwrap();
    let id = space
        .create(None, r#"{"n": 1, "t": {"@text": "abc"}}"#.into())
        .unwrap();
    let digest = space.digest().unwrap();
    let tx = space.transaction();
    tx.create(None, "{}".into()).unwrap();
    tx.set(id.clone(), "n".into(), "2".into()).unwrap();
    tx.splice_text(id.clone(), "t".into(), 9, 0, "x".into(), TextUnit::Utf8)
        .unwrap();
    let error = tx.commit().unwrap_err();
    assert_eq!(
        error.kind(),
        echodb::model::ErrorKind::InvalidArgument,
        "{error}"
    );
    assert!(error.detail().starts_with("step 3: "), "{error}");
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(space.query("{}".into()).unwrap().len(), 1);
}

#[test]
fn subscriptions_and_queries_follow_the_data() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.default_space().unwrap();
    let seen = Arc::new(Seen::default());
    let subscription = space
        .subscribe(r#"{"type": "Task"}"#.into(), seen.clone())
        .unwrap();
    let id = space
        .create(Some("Task".into()), r#"{"done": false, "n": 3}"#.into())
        .unwrap();
    space.create(Some("Other".into()), "{}".into()).unwrap();
    space.delete(id.clone()).unwrap();
    wait("the deletion is seen", || {
        let seen = seen.0.lock().unwrap();
        seen.iter()
            .flat_map(|b| &b.changes)
            .any(|c| c.kind == ChangeKind::Removed && c.id == id)
    });
    assert!(
        seen.0
            .lock()
            .unwrap()
            .iter()
            .flat_map(|b| &b.changes)
            .all(|c| c.id == id)
    );
    subscription.cancel();
    let count = |q: &str| space.query(q.into()).unwrap().len();
    assert_eq!(count(r#"{"type": "Task"}"#), 0);
    assert_eq!(count(r#"{"type": "Task", "deleted": true}"#), 1);
    let tx = space.transaction();
    tx.restore(id).unwrap();
    tx.commit().unwrap();
    assert_eq!(count(r#"{"field": "n", "op": "gt", "value": 2}"#), 1);
}

#[test]
fn a_second_client_on_one_profile_is_refused() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let _ada = client_at(dir.path(), "Ada", &signal);
    let options = echodb::ClientOptions {
        profile: Some(dir.path().to_string_lossy().into_owned()),
        ..Default::default()
    };
    let error = echodb::Client::open(options, None).err().unwrap();
    assert_eq!(error.kind(), echodb::model::ErrorKind::ProfileLocked);
}

/// What peers would refuse as too much for one entry is refused here, however it is spread.
#[test]
fn a_transaction_of_too_many_operations_is_refused_as_a_whole() {
    let client = Client::open(ClientOptions::default(), None).unwrap();
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    let long = format!(r#"{{"t": {{"@text": "{}"}}}}"#, "x".repeat(140_000));
    let tx = space.transaction();
    tx.create(None, long.clone()).unwrap();
    tx.create(None, long.clone()).unwrap();
    let error = tx.commit().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
    assert!(space.query("{}".into()).unwrap().is_empty());
    space.create(None, long.clone()).unwrap();
    space.create(None, long).unwrap();
}
