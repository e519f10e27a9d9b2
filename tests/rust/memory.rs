//! The memory of a client stays within its bound however much its spaces hold. In a process of its
//! own, for what other tests leave in memory.
#![cfg(target_os = "linux")]

use echodb::{Client, ClientOptions, Space, TextUnit};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;

/// How many objects: `ECHODB_MEMORY_OBJECTS`.
fn objects() -> usize {
    let given = std::env::var("ECHODB_MEMORY_OBJECTS");
    given.map_or(10_000, |text| {
        text.parse().expect("the objects are a number")
    })
}

/// Resident memory of this process, in bytes.
fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = statm.split(' ').nth(1).unwrap().parse().unwrap();
    pages * 4096
}

fn open(dir: &Path, cache_bytes: u64) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        online: false,
        cache_bytes,
        ..ClientOptions::default()
    };
    Client::open(options, None).unwrap()
}

fn fill(space: &Space, objects: usize) -> Vec<String> {
    let mut ids = Vec::with_capacity(objects);
    while ids.len() < objects {
        let tx = space.transaction();
        for _ in 0..500.min(objects - ids.len()) {
            let n = ids.len();
            let fields =
                json!({"n": n, "title": format!("note {n}"), "body": {"@text": "some words "}});
            ids.push(tx.create(Some("Note".into()), fields.to_string()).unwrap());
        }
        tx.commit().unwrap();
    }
    ids
}

#[test]
fn a_space_that_is_opened_queried_and_edited_stays_within_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let count = objects();
    let client = open(dir.path(), 8 << 20);
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    let (id, ids) = (space.id(), fill(&space, count));
    client.shutdown().unwrap();
    drop((space, client));

    let client = open(dir.path(), 8 << 20);
    let space = client.space(id).unwrap();
    let mut most = 0;
    for round in 0..count.min(2_000) {
        let n = round * 7919 % count;
        let query = json!({"and": [{"type": "Note"}, {"field": "n", "op": "eq", "value": n}]});
        if round % 50 == 0 {
            assert_eq!(space.query(query.to_string()).unwrap().len(), 1);
        }
        let edit = (
            ids[n].clone(),
            "body".into(),
            0,
            0,
            "x".into(),
            TextUnit::Utf8,
        );
        space
            .splice_text(edit.0, edit.1, edit.2, edit.3, edit.4, edit.5)
            .unwrap();
        most = most.max(resident());
    }
    let counted = r#"{"where": {"type": "Note"}, "measures": {"n": {"count": true}}}"#;
    let _ = space.aggregate(counted.into());
    most = most.max(resident());
    client.shutdown().unwrap();
    eprintln!("{count} objects: {} MB resident at most", most / 1_000_000);
    assert!(most < 128_000_000, "{most} bytes are resident");
}
