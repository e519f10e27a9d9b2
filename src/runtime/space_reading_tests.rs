//! Reads beside a writer: they wait for none, and miss nothing that their caller was told of.

use crate::api::{ClientOptions, SearchOptions, TextUnit};
use crate::model::{ErrorKind, ObjectId, Operation, Path, Value};
use crate::query::{Aggregate, Query};
use crate::runtime::live::Out;
use crate::runtime::node::NodeGuard;
use crate::runtime::space_handle::{SpaceHandle, Terms};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

const PATIENCE: Duration = Duration::from_secs(60);

fn client(profile: Option<&std::path::Path>) -> (Arc<NodeGuard>, SpaceHandle) {
    let options = ClientOptions {
        profile: profile.map(|dir| dir.to_string_lossy().into_owned()),
        online: false,
        coalesce_ms: 1000,
        ..ClientOptions::default()
    };
    let guard = NodeGuard::open(options, None).unwrap();
    guard.node().create_identity("Ada".into()).unwrap();
    let space = guard.create_space(BTreeMap::new()).unwrap();
    (guard, space)
}

fn note(n: i64) -> BTreeMap<String, Value> {
    let body = Value::Text("rose".into());
    BTreeMap::from([("n".into(), Value::Int(n)), ("body".into(), body)])
}

fn create(space: &SpaceHandle, n: i64) -> ObjectId {
    let object = space.new_object_id();
    let create = Operation::Create {
        object,
        type_name: Some("Note".into()),
        fields: note(n),
    };
    space
        .transact(vec![create], None, None, Terms::default())
        .unwrap();
    object
}

fn all() -> Query {
    Query::parse(r#"{"type": "Note"}"#).unwrap()
}

/// Keeps the space's lock until it is told, or dropped.
fn hold(space: &SpaceHandle) -> mpsc::Sender<()> {
    let (free, until) = mpsc::channel::<()>();
    let (tell, told) = mpsc::channel();
    let host = Arc::clone(space.host());
    std::thread::spawn(move || {
        host.with_settled(|_| {
            tell.send(()).unwrap();
            let _ = until.recv();
            Ok(())
        })
    });
    told.recv_timeout(PATIENCE).unwrap();
    free
}

/// Everything that reads, of a space in which `id` is one of two notes; what it found.
fn read_all(guard: &Arc<NodeGuard>, space: &SpaceHandle, id: ObjectId) -> usize {
    let body = Path::parse("body").unwrap();
    assert!(space.get(id).unwrap().is_some());
    let found = space.query(&all()).unwrap().len();
    space.query_json(&all()).unwrap();
    space.query_page(all(), None).unwrap();
    guard.query(&[space.id()], &all()).unwrap();
    let count = r#"{"where": {"type": "Note"}, "measures": {"n": {"count": true}}}"#;
    if let Ok(count) = Aggregate::parse(count) {
        space.aggregate(&count).unwrap();
    }
    space.explain(r#"{"type": "Note"}"#).unwrap();
    space.search("rose", &SearchOptions::default()).unwrap();
    assert_eq!(space.text(id, &body).unwrap(), "rose");
    let history = space.history(id, &[]).unwrap();
    let heads = history.last().unwrap().hash.clone();
    let hash = data_encoding::HEXLOWER.decode(heads.as_bytes()).unwrap();
    let hash: [u8; 32] = hash.try_into().unwrap();
    space.get_at(id, &[hash]).unwrap();
    space
        .diff(id, &[hash], &[hash], TextUnit::Utf8.into())
        .unwrap();
    space.branches(id).unwrap();
    space.marks(id, &body, TextUnit::Utf8.into()).unwrap();
    space.properties().unwrap();
    space.digest().unwrap();
    space.indexes().unwrap();
    space.info().unwrap();
    guard.node().spaces().unwrap();
    let (rung, bell) = mpsc::channel();
    let ring = Out::Bell(Box::new(move || {
        let _ = rung.send(());
    }));
    let (registration, runner) = space.live(&all(), Duration::ZERO, ring).unwrap();
    bell.recv_timeout(PATIENCE).unwrap();
    let first = runner.upgrade().unwrap().next().unwrap().unwrap();
    assert!(first.initial);
    drop(registration);
    found
}

#[test]
fn reads_do_not_wait_for_who_has_the_lock() {
    let dir = tempfile::tempdir().unwrap();
    let (guard, space) = client(Some(dir.path()));
    let id = create(&space, 1);
    space.search("rose", &SearchOptions::default()).unwrap();
    // The index of words is behind now.
    create(&space, 2);
    let free = hold(&space);
    let (tell, told) = mpsc::channel();
    let reading = (Arc::clone(&guard), space.clone());
    std::thread::spawn(move || tell.send(read_all(&reading.0, &reading.1, id)));
    let found = told.recv_timeout(PATIENCE).expect("no read waits");
    assert_eq!(found, 2);
    drop(free);
    create(&space, 3);
    assert_eq!(space.query(&all()).unwrap().len(), 3);
    guard.node().shutdown().unwrap();
}

/// A writer that is in the middle of its transaction, as long as it may be.
#[test]
fn reads_see_what_was_committed_before_an_unfinished_transaction() {
    let dir = tempfile::tempdir().unwrap();
    let (guard, space) = client(Some(dir.path()));
    let id = create(&space, 1);
    create(&space, 2);
    let file = dir
        .path()
        .join("spaces")
        .join(format!("{}.sqlite", space.id()));
    let writer = crate::runtime::storage::inspect(&file).unwrap();
    writer
        .execute_batch("BEGIN IMMEDIATE; UPDATE objects SET type = 'Other'")
        .unwrap();
    let free = hold(&space);
    let (tell, told) = mpsc::channel();
    let reading = (Arc::clone(&guard), space.clone());
    std::thread::spawn(move || tell.send(read_all(&reading.0, &reading.1, id)));
    assert_eq!(told.recv_timeout(PATIENCE).expect("no read waits"), 2);
    drop(free);
    writer.execute_batch("ROLLBACK").unwrap();
    guard.node().shutdown().unwrap();
}

#[test]
fn whoever_wrote_sees_it_whatever_others_do() {
    let dir = tempfile::tempdir().unwrap();
    let (guard, space) = client(Some(dir.path()));
    let rounds = 60;
    std::thread::scope(|scope| {
        for writer in 0..3 {
            let space = &space;
            scope.spawn(move || {
                for n in 0..rounds {
                    let id = create(space, writer * rounds + n);
                    assert!(space.get(id).unwrap().is_some());
                    let query = format!(
                        r#"{{"field": "n", "op": "eq", "value": {}}}"#,
                        writer * rounds + n
                    );
                    let found = space.query(&Query::parse(&query).unwrap()).unwrap();
                    assert_eq!(found.len(), 1, "writer {writer}, round {n}");
                    let body = Path::parse("body").unwrap();
                    let unit = || TextUnit::Utf8.into();
                    space
                        .splice_text(id, body.clone(), 0, 0, "a ".into(), unit())
                        .unwrap();
                    // Gathered for a second, and yet seen at once.
                    assert_eq!(space.text(id, &body).unwrap(), "a rose");
                    let seen = space.get(id).unwrap().unwrap().fields;
                    assert!(seen.contains("a rose"), "{seen}");
                }
            });
        }
    });
    assert_eq!(space.query(&all()).unwrap().len(), 3 * rounds as usize);
    guard.node().shutdown().unwrap();
}

#[test]
fn closing_ends_reads_and_leaves_no_log_behind() {
    let dir = tempfile::tempdir().unwrap();
    let (guard, space) = client(Some(dir.path()));
    let id = create(&space, 1);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let start = Instant::now();
                loop {
                    assert!(start.elapsed() < PATIENCE);
                    match space.query(&all()) {
                        Ok(found) => assert_eq!(found.len(), 1),
                        Err(error) => {
                            assert_eq!(error.kind(), ErrorKind::InvalidState, "{error}");
                            break;
                        }
                    }
                }
            });
        }
        std::thread::sleep(Duration::from_millis(50));
        space.close().unwrap();
    });
    let log = dir
        .path()
        .join("spaces")
        .join(format!("{}.sqlite-wal", space.id()));
    assert!(!log.exists(), "the one who writes was the last to close");
    assert_eq!(space.get(id).unwrap_err().kind(), ErrorKind::InvalidState);
    space.open().unwrap();
    assert!(space.get(id).unwrap().is_some());
    guard.node().delete_space(space.id()).unwrap();
    assert_eq!(space.get(id).unwrap_err().kind(), ErrorKind::InvalidState);
    guard.node().shutdown().unwrap();
}

#[test]
fn in_memory_reads_take_the_lock_and_find_the_same() {
    let (guard, space) = client(None);
    let id = create(&space, 1);
    create(&space, 2);
    assert_eq!(read_all(&guard, &space, id), 2);
    space.close().unwrap();
    assert_eq!(space.get(id).unwrap_err().kind(), ErrorKind::InvalidState);
}
