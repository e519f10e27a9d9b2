//! How soon a live query's listener hears of a change, in a space of many objects.

use crate::Setting;
use crate::create::open;
use crate::result::{Outcome, Row, millis, time};
use echodb::{EchoError, LiveBatch, LiveListener, LiveOptions, Space};
use serde_json::{Value, json};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Objects that the live query finds.
const RESULTS: usize = 1000;
/// Objects in a transaction.
const BATCH: usize = 1000;
const FEW: usize = 10_000;
const MANY: usize = 100_000;
const VERY_MANY: usize = 1_000_000;

/// Tells when a batch came, and what was in it.
struct Listener(Mutex<Sender<(Instant, LiveBatch)>>);

impl LiveListener for Listener {
    fn updated(&self, batch: LiveBatch) -> Result<(), EchoError> {
        let now = Instant::now();
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever measured may have gone.
        let _ = sender.send((now, batch));
        Ok(())
    }
}

/// `live_update`, against a query for one object in the same space, and `live_update_growth`, the
/// same with ten times the objects against that with fewer.
pub fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let sizes: &[usize] = match (setting.quick, setting.large) {
        (true, _) => &[1000, FEW],
        (false, false) => &[FEW, MANY],
        (false, true) => &[MANY, VERY_MANY],
    };
    let mut values = Vec::new();
    let mut rows = Vec::new();
    for objects in sizes {
        let (updates, queries) = in_a_space_of(*objects, setting)?;
        rows = vec![Row::new(
            "live_update",
            "ms",
            &updates,
            "a query for one object by its id",
            &queries,
        )];
        values.push(updates);
    }
    if let [few, many] = &values[..] {
        let bound = "the same among a tenth of the objects";
        rows.push(Row::new("live_update_growth", "ms", many, bound, few));
    }
    Ok(rows)
}

/// The times from a commit's return to the listener's start, and those of a query for one object.
fn in_a_space_of(objects: usize, setting: &Setting) -> Outcome<(Vec<f64>, Vec<f64>)> {
    let folder = tempfile::tempdir()?;
    let client = open(folder.path())?;
    client.create_identity("Bench".into())?;
    let space = client.create_space("{}".into())?;
    let results = fill(&space, objects)?;
    let query = json!({
        "where": {"field": "list", "op": "eq", "value": 0},
        "order": [{"by": "/rank"}],
    });
    let (sender, heard) = channel();
    let listener = Arc::new(Listener(Mutex::new(sender)));
    let options = LiveOptions { interval_ms: 0 };
    let live = space.live(query.to_string(), options, listener)?;
    let (_, first) = heard.recv()?;
    if first.total != results.len() as u64 {
        return Err(format!("{} results instead of {}", first.total, results.len()).into());
    }
    let runs = if setting.quick { 20 } else { 300 };
    let (mut updates, mut queries) = (Vec::new(), Vec::new());
    for run in 0..runs {
        let id = &results[run * 37 % results.len()];
        updates.push(update(&space, id, run, &heard)?);
        let one = json!({ "id": id }).to_string();
        queries.push(time(|| Ok(space.query_json(one)?))?.1);
    }
    live.cancel();
    client.shutdown()?;
    Ok((updates, queries))
}

/// Makes the objects; gives the ids of those that the live query finds.
fn fill(space: &Space, objects: usize) -> Outcome<Vec<String>> {
    let lists = objects.div_ceil(RESULTS);
    let mut found = Vec::new();
    for batch in 0..objects / BATCH {
        let transaction = space.transaction();
        for i in batch * BATCH..(batch + 1) * BATCH {
            let fields = json!({"title": format!("Task {i}"), "list": i % lists, "rank": i});
            let id = transaction.create(Some("Task".into()), fields.to_string())?;
            if i % lists == 0 {
                found.push(id);
            }
        }
        transaction.commit()?;
    }
    space.flush()?;
    Ok(found)
}

/// Gives an object another rank, and waits until the listener hears of it.
fn update(
    space: &Space,
    id: &str,
    run: usize,
    heard: &Receiver<(Instant, LiveBatch)>,
) -> Outcome<f64> {
    // As a user's edits come: not in the midst of others.
    std::thread::sleep(Duration::from_millis(2));
    // Between any two of those given out at first.
    let rank = (run * 7919 % 100_000) as f64 + 0.5;
    space.update(id.to_owned(), json!({ "rank": rank }).to_string())?;
    let done = Instant::now();
    let (at, batch) = heard.recv()?;
    let changes: Vec<Value> = serde_json::from_slice(&batch.changes)?;
    match &changes[..] {
        [one] if one["id"] == id => Ok(millis(at.saturating_duration_since(done))),
        _ => Err(format!("{} changes instead of one", changes.len()).into()),
    }
}
