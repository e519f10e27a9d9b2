//! The memory of a client stays within its bound however much its spaces hold. In a process of its
//! own, for what other tests leave in memory. The bound is that of the defaults: what a program gets
//! that sets nothing.
#![cfg(target_os = "linux")]

use echodb::{
    Client, ClientOptions, EchoError, LiveBatch, LiveListener, LiveOptions, SearchOptions, Space,
    TextUnit,
};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// The most that may be resident, in bytes.
const BOUND: u64 = 128_000_000;
/// How many typed edits are made.
const EDITS: usize = 2_000;
/// How many results a live query shows.
const WINDOW: usize = 100;

/// How many objects: `ECHODB_MEMORY_OBJECTS`.
fn objects() -> usize {
    let given = std::env::var("ECHODB_MEMORY_OBJECTS");
    given.map_or(10_000, |text| {
        text.parse().expect("the objects are a number")
    })
}

/// The most that was resident since this process began, in bytes: what a call needs while it runs
/// is in it.
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.unwrap().parse::<u64>().unwrap() * 1024
}

/// Tells the peak after a step, and asserts the bound.
fn stays_within(step: &str) {
    let peak = peak();
    eprintln!("{step}: {} MB resident at most", peak / 1_000_000);
    assert!(peak < BOUND, "{step}: {peak} bytes were resident");
}

fn open(dir: &Path) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        online: false,
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

/// Follows a live query: how many results it has, and what the first of them says.
#[derive(Default)]
struct Follower {
    total: AtomicU64,
    /// The text of the first note, as it was last shown.
    shown: Mutex<String>,
}

impl LiveListener for Follower {
    fn updated(&self, batch: LiveBatch) -> Result<(), EchoError> {
        self.total.store(batch.total, Ordering::SeqCst);
        let changes: Vec<Value> = serde_json::from_slice(&batch.changes).unwrap();
        for change in changes {
            if let Some(text) = change["object"]["fields"]["body"]["@text"].as_str()
                && change["object"]["fields"]["n"] == json!(0)
            {
                text.clone_into(&mut self.shown.lock().unwrap());
            }
        }
        Ok(())
    }
}

impl Follower {
    fn waits_for(&self, what: &str, holds: impl Fn(&Follower) -> bool) {
        let start = Instant::now();
        while !holds(self) {
            assert!(start.elapsed() < Duration::from_secs(60), "gave up: {what}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Types into notes all over the space, and looks for some of them by a field without an index.
fn edit(space: &Space, ids: &[String]) {
    let count = ids.len();
    for round in 0..EDITS.min(count) {
        let n = round * 7919 % count;
        if round % 50 == 0 {
            let query = json!({"and": [{"type": "Note"}, {"field": "n", "op": "eq", "value": n}]});
            assert_eq!(space.query(query.to_string()).unwrap().len(), 1);
        }
        let (id, path) = (ids[n].clone(), "body".into());
        space
            .splice_text(id, path, 0, 0, "x".into(), TextUnit::Utf8)
            .unwrap();
    }
    space.flush().unwrap();
}

/// Counts and adds up over all objects.
fn aggregate(space: &Space, count: usize) {
    let asked = r#"{"where": {"type": "Note"}, "aggregate": {"n": "count", "s": {"sum": "/n"}}}"#;
    let found: Value = serde_json::from_str(&space.aggregate(asked.into()).unwrap()).unwrap();
    let sum = count * (count - 1) / 2;
    let expected = json!([{"group": [], "values": {"n": count, "s": sum}}]);
    assert_eq!(found, expected);
}

/// The first search makes the index of words over all objects; the words are in each of them.
fn search(space: &Space, count: usize) {
    let find = |words: &str| -> Vec<Value> {
        let found = space.search(words.into(), SearchOptions::default());
        serde_json::from_slice(&found.unwrap()).unwrap()
    };
    assert_eq!(find("words").len(), 20.min(count));
    let last = count - 1;
    let found = find(&format!("\"note {last}\""));
    assert_eq!(found.len(), 1);
    assert_eq!(found[0]["fields"]["n"], json!(last));
}

/// All objects, a page at a time, in the order of a field without an index.
fn walk(space: &Space, count: usize) {
    let query = json!({"where": {"type": "Note"}, "order": [{"by": "n"}], "limit": 1000});
    let (mut seen, mut after) = (0, None);
    loop {
        let page = space.query_page(query.to_string(), after).unwrap();
        let objects: Vec<Value> = serde_json::from_slice(&page.objects).unwrap();
        for object in objects {
            assert_eq!(object["fields"]["n"], json!(seen));
            seen += 1;
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, count);
}

#[test]
fn a_space_that_is_opened_queried_and_edited_stays_within_its_bound() {
    let dir = tempfile::tempdir().unwrap();
    let count = objects();
    eprintln!("{count} objects");
    let client = open(dir.path());
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    let (id, ids) = (space.id(), fill(&space, count));
    client.shutdown().unwrap();
    drop((space, client));
    stays_within("fill");

    let client = open(dir.path());
    let space = client.space(id).unwrap();
    let follower = Arc::new(Follower::default());
    let followed = json!({"where": {"type": "Note"}, "order": [{"by": "n"}], "limit": WINDOW});
    let live = space
        .live(
            followed.to_string(),
            LiveOptions::default(),
            follower.clone(),
        )
        .unwrap();
    let shown = WINDOW.min(count) as u64;
    follower.waits_for("the first results", |f| {
        f.total.load(Ordering::SeqCst) == shown
    });
    stays_within("follow");
    edit(&space, &ids);
    let text = space.text(ids[0].clone(), "body".into()).unwrap();
    assert_eq!(text, "xsome words ");
    follower.waits_for("the edits", |f| *f.shown.lock().unwrap() == text);
    stays_within("edit");
    aggregate(&space, count);
    stays_within("aggregate");
    search(&space, count);
    stays_within("search");
    walk(&space, count);
    stays_within("walk");
    live.cancel();
    client.shutdown().unwrap();
}
