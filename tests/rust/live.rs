//! Live queries from outside: a follower that applies batches without thinking has what the query
//! gives, whatever happens to the space, and to the follower.

mod support;

use echodb::model::ErrorKind;
use echodb::{
    Client, ClientOptions, EchoError, LiveBatch, LiveListener, LiveOptions, LiveQuery, Space,
    TextUnit,
};
use serde_json::{Value as Json, json};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::Duration;
use support::{PATIENCE, Signal, client, converge, pair, wait};

/// A list that is built from batches alone.
#[derive(Default)]
struct List {
    objects: Vec<Json>,
    batches: usize,
    initial: usize,
    /// What was wrong with a batch; a panic would be taken for a failing listener.
    wrong: Option<String>,
}

impl List {
    fn apply(&mut self, batch: &LiveBatch) -> Option<()> {
        self.batches += 1;
        if batch.initial {
            self.initial += 1;
            self.objects.clear();
        }
        let changes: Vec<Json> = serde_json::from_slice(&batch.changes).ok()?;
        let before = self.objects.clone();
        for change in &changes {
            if let Some(from) = change.get("from") {
                let gone = before.get(from.as_u64()? as usize)?;
                (gone["id"] == change["id"]).then_some(())?;
                self.objects.retain(|object| object["id"] != change["id"]);
            }
        }
        for change in &changes {
            let kind = change["kind"].as_str()?;
            if kind == "removed" {
                continue;
            }
            let index = change["index"].as_u64()? as usize;
            let object = change["object"].clone();
            (object["id"] == change["id"] && index <= self.objects.len()).then_some(())?;
            match kind {
                "added" | "moved" => self.objects.insert(index, object),
                "changed" => {
                    let place = self.objects.get_mut(index)?;
                    (place["id"] == object["id"]).then_some(())?;
                    *place = object;
                }
                _ => return None,
            }
        }
        (self.objects.len() as u64 == batch.total).then_some(())
    }
}

#[derive(Default)]
struct Follower(Mutex<List>);

impl LiveListener for Follower {
    fn updated(&self, batch: LiveBatch) -> Result<(), EchoError> {
        let mut list = self.0.lock().unwrap();
        if list.apply(&batch).is_none() {
            let text = String::from_utf8_lossy(&batch.changes).into_owned();
            list.wrong.get_or_insert(text);
        }
        Ok(())
    }
}

impl Follower {
    /// Waits until the list is what the query gives.
    fn catches_up(&self, space: &Space, query: &str) {
        wait(&format!("a follower of {query} catches up"), || {
            let wanted: Vec<Json> =
                serde_json::from_slice(&space.query_json(query.into()).unwrap()).unwrap();
            let list = self.0.lock().unwrap();
            assert_eq!(list.wrong, None, "{query}");
            list.objects == wanted
        });
    }

    fn batches(&self) -> usize {
        self.0.lock().unwrap().batches
    }
}

fn at_once() -> LiveOptions {
    LiveOptions { interval_ms: 0 }
}

fn alone() -> (Arc<Client>, Arc<Space>) {
    let options = ClientOptions {
        online: false,
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    (client, space)
}

fn follow(space: &Space, query: &str, options: LiveOptions) -> (Arc<Follower>, Arc<LiveQuery>) {
    let follower = Arc::new(Follower::default());
    let live = space.live(query.into(), options, follower.clone()).unwrap();
    (follower, live)
}

fn make(space: &Space, n: usize) -> String {
    let fields = json!({"n": n, "text": {"@text": ""}}).to_string();
    space.create(Some("Task".into()), fields).unwrap()
}

/// A small generator with a seed, so that a failing run can be repeated.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % sides
    }
}

/// One random thing that a user may do.
fn act(dice: &mut Dice, space: &Space, ids: &mut Vec<String>) {
    let id = ids.get(dice.roll(ids.len().max(1))).cloned();
    let tx = space.transaction();
    match (dice.roll(9), id) {
        (0..=2, _) | (_, None) => {
            let kind = ["Task", "Note"][dice.roll(2)];
            let values = [json!(dice.roll(4)), json!("b"), json!(null), json!(1.5)];
            let fields = json!({"n": values[dice.roll(4)], "text": {"@text": "t"}});
            ids.push(tx.create(Some(kind.into()), fields.to_string()).unwrap());
        }
        (3, Some(id)) => tx.delete(id).unwrap(),
        (4, Some(id)) => tx.restore(id).unwrap(),
        (5, Some(id)) => tx.tag(id, "seen".into()).unwrap(),
        (6, Some(id)) => {
            // Refused for a deleted object.
            let _ = space.splice_text(id, "text".into(), 0, 0, "x".into(), TextUnit::Utf8);
            return;
        }
        (7, Some(id)) => {
            let parent = ids[dice.roll(ids.len())].clone();
            tx.set_parent(id, Some(parent)).unwrap();
        }
        (_, Some(id)) => tx.set(id, "n".into(), dice.roll(9).to_string()).unwrap(),
    }
    // Some are refused, such as a parent that is below.
    let _ = tx.commit();
}

#[test]
fn followers_of_two_replicas_have_what_queries_give() {
    let seed = std::env::var("ECHODB_LIVE_SEED").ok();
    let seed = seed.and_then(|text| text.parse().ok()).unwrap_or(31);
    eprintln!("seed {seed}: repeat with ECHODB_LIVE_SEED={seed}");
    let mut dice = Dice(seed);
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let a = ada.create_space("{}".into()).unwrap();
    let b = pair(&a, &bob);
    let queries = [
        "{}",
        r#"{"type": "Task"}"#,
        r#"{"where": {"type": "Task"}, "order": [{"by": "n", "desc": true}], "limit": 4}"#,
        r#"{"order": [{"by": "updated", "desc": true}], "limit": 5, "skip": 2}"#,
        r#"{"where": {"field": "n", "op": "ge", "value": 2}, "order": [{"by": "type"}, {"by": "n"}]}"#,
        r#"{"where": {"deleted": true}, "order": [{"by": "n"}], "skip": 1}"#,
        r#"{"where": {"field": "text", "op": "contains", "value": "xx"}, "limit": 3}"#,
    ];
    let spaces = [&a, &b];
    let mut following = Vec::new();
    for (n, query) in queries.iter().enumerate() {
        for space in spaces {
            let options = LiveOptions {
                interval_ms: [0, 5, 16][n % 3],
            };
            following.push((space, query, follow(space, query, options)));
        }
    }
    let mut ids = Vec::new();
    for round in 0..25 {
        for _ in 0..=dice.roll(12) {
            act(&mut dice, spaces[round % 2], &mut ids);
        }
        if round % 5 == 4 {
            a.flush().unwrap();
            b.flush().unwrap();
            converge(&a, &b);
        }
        for (space, query, (follower, _)) in &following {
            follower.catches_up(space, query);
        }
        if round % 5 != 4 {
            // Both are to know the objects that the next round works on.
            converge(&a, &b);
        }
    }
    for (_, query, (follower, live)) in &following {
        live.cancel();
        let list = follower.0.lock().unwrap();
        assert_eq!(list.initial, 1, "{query}");
        assert!(list.batches > 1, "{query}");
    }
}

/// A follower that takes a batch only when told to.
struct Slow {
    follower: Follower,
    gate: Mutex<mpsc::Receiver<()>>,
}

impl LiveListener for Slow {
    fn updated(&self, batch: LiveBatch) -> Result<(), EchoError> {
        let _ = self.gate.lock().unwrap().recv_timeout(PATIENCE);
        self.follower.updated(batch)
    }
}

#[test]
fn what_is_too_much_to_note_begins_anew() {
    let (_client, space) = alone();
    let (open, gate) = mpsc::channel();
    let slow = Arc::new(Slow {
        follower: Follower::default(),
        gate: Mutex::new(gate),
    });
    let query = r#"{"where": {"type": "Task"}, "order": [{"by": "n", "desc": true}], "limit": 10}"#;
    let live = space.live(query.into(), at_once(), slow.clone()).unwrap();
    for n in 0..5 {
        let tx = space.transaction();
        for i in 0..1000 {
            let fields = json!({ "n": n * 1000 + i }).to_string();
            tx.create(Some("Task".into()), fields).unwrap();
        }
        tx.commit().unwrap();
    }
    for _ in 0..3 {
        open.send(()).unwrap();
    }
    slow.follower.catches_up(&space, query);
    assert!(slow.follower.0.lock().unwrap().initial >= 2);
    make(&space, 9999);
    open.send(()).unwrap();
    slow.follower.catches_up(&space, query);
    drop(open);
    live.cancel();
}

#[test]
fn a_slow_listener_gets_gathered_changes() {
    let (_client, space) = alone();
    let (open, gate) = mpsc::channel();
    let slow = Arc::new(Slow {
        follower: Follower::default(),
        gate: Mutex::new(gate),
    });
    let query = r#"{"where": {"type": "Task"}, "order": [{"by": "n", "desc": true}], "limit": 10}"#;
    let live = space.live(query.into(), at_once(), slow.clone()).unwrap();
    let first = make(&space, 0);
    for n in 1..300 {
        make(&space, n);
        space
            .update(first.clone(), json!({ "n": 1000 - n }).to_string())
            .unwrap();
    }
    for _ in 0..3 {
        open.send(()).unwrap();
    }
    slow.follower.catches_up(&space, query);
    // The first, and what came while it was held up; perhaps one more, if the first was early.
    assert!(slow.follower.batches() <= 3, "{}", slow.follower.batches());
    drop(open);
    live.cancel();
}

#[test]
fn a_listener_that_fails_is_kept_and_loses_nothing() {
    struct Frail {
        follower: Follower,
        calls: AtomicUsize,
    }
    impl LiveListener for Frail {
        fn updated(&self, batch: LiveBatch) -> Result<(), EchoError> {
            match self.calls.fetch_add(1, Ordering::SeqCst) {
                0 | 3 => panic!("a listener's own fault"),
                1 => Err(EchoError::from(echodb::model::Error::invalid("not today"))),
                _ => self.follower.updated(batch),
            }
        }
    }
    let (_client, space) = alone();
    make(&space, 1);
    let frail = Arc::new(Frail {
        follower: Follower::default(),
        calls: AtomicUsize::new(0),
    });
    let _live = space.live("{}".into(), at_once(), frail.clone()).unwrap();
    // Nothing more changes: what was missed comes by itself.
    frail.follower.catches_up(&space, "{}");
    make(&space, 2);
    frail.follower.catches_up(&space, "{}");
    let list = frail.follower.0.lock().unwrap();
    assert_eq!((list.batches, list.initial), (2, 2));
}

#[test]
fn a_listener_may_call_the_library_and_cancel_itself() {
    struct Busy {
        space: Arc<Space>,
        live: Mutex<Option<Arc<LiveQuery>>>,
        seen: Mutex<Vec<u64>>,
    }
    impl LiveListener for Busy {
        fn updated(&self, batch: LiveBatch) -> Result<(), EchoError> {
            // What is told of is there.
            assert!(self.space.query("{}".into())?.len() as u64 >= batch.total);
            self.seen.lock().unwrap().push(batch.total);
            if batch.total < 5 {
                make(&self.space, 0);
            } else if let Some(live) = self.live.lock().unwrap().take() {
                live.cancel();
            }
            Ok(())
        }
    }
    let (_client, space) = alone();
    let busy = Arc::new(Busy {
        space: space.clone(),
        live: Mutex::default(),
        seen: Mutex::default(),
    });
    let mut slot = busy.live.lock().unwrap();
    *slot = Some(space.live("{}".into(), at_once(), busy.clone()).unwrap());
    drop(slot);
    wait("the listener cancels itself", || {
        busy.live.lock().unwrap().is_none()
    });
    make(&space, 0);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(*busy.seen.lock().unwrap(), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn nothing_runs_once_cancel_has_returned() {
    struct Long(AtomicUsize);
    impl LiveListener for Long {
        fn updated(&self, _: LiveBatch) -> Result<(), EchoError> {
            self.0.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(Duration::from_millis(5));
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }
    }
    let (_client, space) = alone();
    for n in 0..30 {
        let long = Arc::new(Long(AtomicUsize::new(0)));
        let live = space.live("{}".into(), at_once(), long.clone()).unwrap();
        make(&space, n);
        std::thread::sleep(Duration::from_millis(n as u64 % 8));
        live.cancel();
        live.cancel();
        let count = long.0.load(Ordering::SeqCst);
        assert_eq!(count % 2, 0, "it is not running");
        make(&space, n);
        std::thread::sleep(Duration::from_millis(5));
        assert_eq!(long.0.load(Ordering::SeqCst), count);
    }
}

#[test]
fn thousands_come_and_go() {
    let (_client, space) = alone();
    make(&space, 0);
    let mut kept: Vec<Weak<Follower>> = Vec::new();
    for n in 0..3000 {
        let options = LiveOptions {
            interval_ms: [0, 16, 60_000][n % 3],
        };
        let (follower, live) = follow(&space, r#"{"type": "Task"}"#, options);
        kept.push(Arc::downgrade(&follower));
        if n % 50 == 0 {
            make(&space, n);
        }
        match n % 2 {
            0 => live.cancel(),
            _ => drop(live),
        }
    }
    wait("every listener is let go of", || {
        kept.iter().all(|follower| follower.strong_count() == 0)
    });
    // Many at once hear of one change.
    let all: Vec<_> = (0..1000)
        .map(|_| follow(&space, r#"{"type": "Task"}"#, LiveOptions::default()))
        .collect();
    make(&space, 1);
    for (follower, _) in &all {
        follower.catches_up(&space, r#"{"type": "Task"}"#);
    }
}

#[test]
fn rapid_changes_are_one_batch_an_interval() {
    let (_client, space) = alone();
    let (follower, live) = follow(&space, "{}", LiveOptions { interval_ms: 400 });
    wait("the first batch comes", || follower.batches() == 1);
    for n in 0..40 {
        make(&space, n);
    }
    follower.catches_up(&space, "{}");
    assert!(follower.batches() <= 3, "{}", follower.batches());
    live.cancel();
    for (query, interval_ms) in [("{}", 60_001), ("[", 0), (r#"{"typ": 1}"#, 0)] {
        let error = space
            .live(query.into(), LiveOptions { interval_ms }, follower.clone())
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{query}");
    }
}

#[test]
fn closing_pauses_and_opening_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let options = ClientOptions {
        profile: Some(dir.path().to_string_lossy().into_owned()),
        online: false,
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    let (follower, live) = follow(&space, "{}", at_once());
    make(&space, 1);
    follower.catches_up(&space, "{}");
    space.close().unwrap();
    let error = space
        .live("{}".into(), at_once(), follower.clone())
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::InvalidState);
    space.open().unwrap();
    make(&space, 2);
    follower.catches_up(&space, "{}");
    assert_eq!(follower.0.lock().unwrap().initial, 2);

    client.delete_space(space.id()).unwrap();
    let (last, _kept) = follow(&client.default_space().unwrap(), "{}", at_once());
    wait("the first batch comes", || last.batches() == 1);
    client.shutdown().unwrap();
    let batches = follower.batches();
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!((follower.batches(), last.batches()), (batches, 1));
    live.cancel();
}

/// What the packages of other languages read from.
#[cfg(feature = "bindings")]
#[test]
fn batches_are_fetched_when_the_reader_is_ready() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let within = |future| runtime.block_on(async { tokio::time::timeout(PATIENCE, future).await });
    let (client, space) = alone();
    let query = r#"{"where": {"type": "Task"}, "order": [{"by": "n", "desc": true}]}"#;
    let begun = space
        .clone()
        .live_queue_async(query.into(), LiveOptions::default());
    let live = runtime.block_on(begun).unwrap();
    let mut list = List::default();
    let next = |list: &mut List| {
        let batch = within(live.clone().next_async()).unwrap().unwrap();
        list.apply(&batch.unwrap()).unwrap();
    };
    next(&mut list);
    assert!(list.objects.is_empty() && list.initial == 1);
    for n in 0..300 {
        make(&space, n);
    }
    while list.objects.len() < 300 {
        next(&mut list);
    }
    assert!(list.batches < 6, "{} batches", list.batches);
    space.close().unwrap();
    space.open().unwrap();
    next(&mut list);
    assert!(list.objects.len() == 300 && list.initial == 2);
    // Whoever waits is woken by the end, and whoever comes later does not wait.
    let waiting = std::thread::spawn({
        let live = live.clone();
        move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(live.next_async())
        }
    });
    std::thread::sleep(Duration::from_millis(50));
    live.cancel();
    assert_eq!(waiting.join().unwrap(), Ok(None));
    assert_eq!(within(live.clone().next_async()).unwrap(), Ok(None));
    let (_, listened) = follow(&space, query, at_once());
    let refused = within(listened.next_async()).unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidState);
    client.shutdown().unwrap();
}
