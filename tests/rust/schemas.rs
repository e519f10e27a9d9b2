//! Schemas from outside: two clients over real links, migrations, what subscriptions see.

mod support;

use echodb::model::ErrorKind;
use echodb::{
    Change, ChangeBatch, ChangeListener, Client, ClientOptions, EchoError, Migration, Space,
};
use serde_json::{Value as Json, json};
use std::sync::{Arc, Mutex};
use support::{Signal, client, converge, pair, wait};

fn lone() -> (Arc<Client>, Arc<Space>) {
    let options = ClientOptions {
        online: false,
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    (client, space)
}

fn register(space: &Space, name: &str, schema: Json) -> u32 {
    space
        .register_schema(name.into(), schema.to_string(), None)
        .unwrap()
}

fn create(space: &Space, name: &str, fields: Json) -> Result<String, EchoError> {
    space.create(Some(name.into()), fields.to_string())
}

fn fields(space: &Space, id: &str) -> Json {
    let object = space.get(id.into()).unwrap().unwrap();
    serde_json::from_str(&object.fields).unwrap()
}

#[test]
fn two_clients_register_and_break_at_the_same_time() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let mine = ada.create_space("{}".into()).unwrap();
    register(
        &mine,
        "Lists",
        json!({"properties": {"l": {"maxItems": 2}}}),
    );
    let id = create(&mine, "Lists", json!({"l": [1]})).unwrap();
    let theirs = pair(&mine, &bob);
    converge(&mine, &theirs);
    assert_eq!(
        theirs.schema("Lists".into()).unwrap(),
        mine.schema("Lists".into()).unwrap()
    );
    let refused = create(&theirs, "Lists", json!({"l": [1, 2, 3]})).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::SchemaViolation);
    for client in [&ada, &bob] {
        client.set_online(false).unwrap();
    }
    for (space, schema) in [
        (&mine, json!({"required": ["a"]})),
        (&theirs, json!({"required": ["b"]})),
    ] {
        register(space, "Thing", schema);
        let tx = space.transaction();
        tx.insert(id.clone(), "/l/0".into(), "0".into()).unwrap();
        tx.commit().unwrap();
        create(space, "Thing", json!({"a": 1, "b": 2})).unwrap();
        assert_eq!(space.status().unwrap().violations, 0);
    }
    // Only one of the two schemas of Thing will be left, and one of these two keeps to it.
    let only_a = create(&mine, "Thing", json!({"a": 1})).unwrap();
    let only_b = create(&theirs, "Thing", json!({"b": 1})).unwrap();
    for client in [&ada, &bob] {
        client.set_online(true).unwrap();
    }
    converge(&mine, &theirs);
    let found = mine.violations().unwrap();
    assert_eq!(found, theirs.violations().unwrap());
    let broken: Vec<&str> = found.iter().map(|v| v.id.as_str()).collect();
    assert_eq!(broken.len(), 2, "{found:?}");
    assert!(broken.contains(&id.as_str()));
    assert!(broken.contains(&only_a.as_str()) != broken.contains(&only_b.as_str()));
    for space in [&mine, &theirs] {
        let status = space.status().unwrap();
        assert_eq!((status.violations, status.checking), (2, false));
        let thing = space.schema("Thing".into()).unwrap().unwrap();
        assert!(thing.conflict && thing.version == 1, "{thing:?}");
    }
    for client in [ada, bob] {
        client.shutdown().unwrap();
    }
}

/// Checking begins by itself when a schema is withdrawn, and when it comes back.
#[test]
fn objects_are_checked_in_the_background() {
    let (client, space) = lone();
    register(
        &space,
        "Task",
        json!({"properties": {"l": {"maxItems": 1}}}),
    );
    let id = create(&space, "Task", json!({"l": []})).unwrap();
    let schema = space.schema("Task".into()).unwrap().unwrap();
    space.delete(schema.id.clone()).unwrap();
    assert_eq!(space.schema("Task".into()).unwrap(), None);
    space.update(id, r#"{"l": [1, 2]}"#.into()).unwrap();
    let tx = space.transaction();
    tx.restore(schema.id).unwrap();
    tx.commit().unwrap();
    wait("the object is found out", || {
        let status = space.status().unwrap();
        status.violations == 1 && !status.checking
    });
    client.shutdown().unwrap();
}

#[derive(Default)]
struct Heard(Mutex<Vec<Change>>);

impl ChangeListener for Heard {
    fn changed(&self, batch: ChangeBatch) -> Result<(), EchoError> {
        self.0.lock().unwrap().extend(batch.changes);
        Ok(())
    }
}

#[test]
fn schemas_are_no_part_of_what_queries_and_listeners_see() {
    let (client, space) = lone();
    let heard = Arc::new(Heard::default());
    let subscription = space.subscribe("{}".into(), heard.clone()).unwrap();
    register(&space, "Task", json!({}));
    let id = create(&space, "Task", json!({})).unwrap();
    wait("the listener hears", || !heard.0.lock().unwrap().is_empty());
    let seen: Vec<String> = heard
        .0
        .lock()
        .unwrap()
        .iter()
        .map(|c| c.id.clone())
        .collect();
    assert_eq!(seen, std::slice::from_ref(&id));
    for query in [
        json!({}),
        json!({"or": [{"deleted": true}, {"deleted": false}]}),
        json!({"or": [{"type": "@schema"}, {"type": "Task"}]}),
        json!({"where": {}, "limit": 1}),
    ] {
        let found = space.query(query.to_string()).unwrap();
        let ids: Vec<&str> = found.iter().map(|object| object.id.as_str()).collect();
        assert_eq!(ids, [id.as_str()], "{query}");
    }
    assert_eq!(space.status().unwrap().objects, 1);
    let export = String::from_utf8(space.export_json().unwrap()).unwrap();
    assert!(!export.contains("@schema"));
    let reserved = create(&space, "@schema", json!({})).unwrap_err();
    assert_eq!(reserved.kind(), ErrorKind::InvalidArgument);
    subscription.cancel();
    client.shutdown().unwrap();
}

/// Renames `title` to `name`, and does what else the test wants on the way.
struct Rename<F>(F);

impl<F: Fn(&str, Option<u32>) -> Result<bool, EchoError> + Send + Sync> Migration for Rename<F> {
    fn migrate(
        &self,
        id: String,
        version: Option<u32>,
        fields: String,
    ) -> Result<Option<String>, EchoError> {
        if !(self.0)(&id, version)? {
            return Ok(None);
        }
        let mut fields: Json = serde_json::from_str(&fields).unwrap();
        let map = fields.as_object_mut().unwrap();
        if let Some(title) = map.remove("title") {
            map.insert("name".into(), title);
        }
        Ok(Some(fields.to_string()))
    }
}

fn cancelled() -> EchoError {
    EchoError::Cancelled {
        status: ErrorKind::Cancelled.status(),
        detail: "enough".into(),
        retryable: false,
    }
}

#[test]
fn a_migration_is_interrupted_resumed_and_mends_nothing_by_force() {
    let (client, space) = lone();
    // One was there before there was a schema.
    let first = create(&space, "Task", json!({"title": "0"})).unwrap();
    register(&space, "Task", json!({"required": ["title"]}));
    let mut ids = vec![first.clone()];
    for n in 1..150 {
        ids.push(create(&space, "Task", json!({"title": n.to_string()})).unwrap());
    }
    let v2 =
        json!({"properties": {"title": false, "name": {"maxLength": 3}}, "required": ["name"]});
    register(&space, "Task", v2);
    let newer = create(&space, "Task", json!({"name": "new"})).unwrap();
    let long = ids[7].clone();
    space
        .update(long.clone(), r#"{"title": "much too long"}"#.into())
        .unwrap();
    space.delete(ids[8].clone()).unwrap();
    let migrate = |work: Arc<dyn Migration>| space.migrate("Task".into(), 2, work);

    let calls = Mutex::new(0);
    let stopped = migrate(Arc::new(Rename(move |_: &str, _| {
        let mut calls = calls.lock().unwrap();
        *calls += 1;
        if *calls > 70 {
            Err(cancelled())
        } else {
            Ok(true)
        }
    })));
    assert_eq!(stopped.unwrap_err().kind(), ErrorKind::Cancelled);

    // The program may use the space meanwhile, and what it changes is read again.
    let (inner, meddled) = (Arc::clone(&space), Mutex::new(false));
    let left = ids[149].clone();
    let meddle = ids[140].clone();
    let target = meddle.clone();
    let report = migrate(Arc::new(Rename(move |id: &str, version| {
        assert_eq!(version, Some(1), "{id}");
        let mut meddled = meddled.lock().unwrap();
        if id == target && !*meddled {
            *meddled = true;
            inner.update(id.into(), r#"{"extra": 1}"#.into()).unwrap();
        }
        Ok(id != left)
    })))
    .unwrap();
    assert_eq!((report.left, report.failed), (1, 1), "{report:?}");
    assert_eq!(report.failures[0].id, long);
    assert!(
        report.failures[0].reason.contains("maxLength"),
        "{report:?}"
    );
    // 150 and neither deleted, nor in the first batch of 64, nor left, nor too long.
    assert_eq!(report.migrated, 150 - 64 + 1 - 1 - 1 + 1 - 1);
    assert_eq!(fields(&space, &meddle), json!({"name": "140", "extra": 1}));
    assert_eq!(fields(&space, &first), json!({"name": "0"}));
    assert_eq!(fields(&space, &long), json!({"title": "much too long"}));
    let version = |id: &String| space.get(id.clone()).unwrap().unwrap().schema_version;
    let versions = [&first, &long, &newer, &ids[8], &ids[149]].map(version);
    assert_eq!(versions, [Some(2), Some(1), Some(2), Some(1), Some(1)]);
    assert_eq!(space.violations().unwrap(), []);
    for (to, kind) in [(3, ErrorKind::NotFound), (0, ErrorKind::NotFound)] {
        let refused = space.migrate("Task".into(), to, Arc::new(Rename(|_: &str, _| Ok(true))));
        assert_eq!(refused.unwrap_err().kind(), kind);
    }
    client.shutdown().unwrap();
}
