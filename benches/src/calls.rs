//! What a call costs in Rust: the bound of the same call in C. `calls/calls.c` and `calls/calls.py`
//! measure the same.

use crate::result::{Outcome, median};
use echodb::{ChangeBatch, ChangeListener, Client, ClientOptions, EchoError, Space};
use serde_json::{Value, json};
use std::hint::black_box;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

const WARM_UP: Duration = Duration::from_millis(300);
const MEASURE: Duration = Duration::from_secs(1);
const MAX_SAMPLES: usize = 2000;

struct Stage {
    client: Arc<Client>,
    space: Arc<Space>,
    many: Arc<Space>,
    record: String,
    text: String,
    listened: String,
}

/// Tells when a change was heard of.
struct Listener(Mutex<Sender<Instant>>);

impl ChangeListener for Listener {
    fn changed(&self, batch: ChangeBatch) -> Result<(), EchoError> {
        black_box(batch);
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever measured may have gone.
        let _ = sender.send(Instant::now());
        Ok(())
    }
}

/// Prints one JSON object: for each measure the median of nanoseconds, and of how many samples.
pub fn print() -> Outcome<()> {
    let stage = set_up()?;
    let Stage { space, many, .. } = &stage;
    let trivial = measure(|| {
        timed(1000, || {
            black_box(space.id());
            Ok(())
        })
    })?;
    let record = measure(|| {
        timed(10, || {
            black_box(space.get(stage.record.clone())?);
            Ok(())
        })
    })?;
    let list = measure(|| {
        timed(1, || {
            black_box(many.query_json(r#"{"type": "Item"}"#.into())?);
            Ok(())
        })
    })?;
    let bytes = measure(|| {
        timed(1, || {
            black_box(space.text(stage.text.clone(), "body".into())?);
            Ok(())
        })
    })?;
    let (sender, heard) = channel();
    let listener = Arc::new(Listener(Mutex::new(sender)));
    let subscription = space.subscribe("{}".into(), listener)?;
    let mut n = 0;
    let callback = measure(|| {
        n += 1;
        answered(space, &stage.listened, n, &heard)
    })?;
    subscription.cancel();
    stage.client.shutdown()?;
    let results = json!({
        "call_trivial": trivial,
        "call_record_1k": record,
        "call_list_1000": list,
        "call_bytes_64k": bytes,
        "call_callback": callback,
    });
    println!("{results}");
    Ok(())
}

fn set_up() -> Outcome<Stage> {
    let options = ClientOptions {
        online: false,
        ..ClientOptions::default()
    };
    let client = Client::open(options, None)?;
    client.create_identity("Bench".into())?;
    let space = client.default_space()?;
    let many = client.create_space("{}".into())?;
    let make = |fields: Value| space.create(Some("Item".into()), fields.to_string());
    let record = make(json!({"text": "x".repeat(1024)}))?;
    let text = make(json!({"body": {"@text": "x".repeat(65536)}}))?;
    let listened = make(json!({"n": -1}))?;
    let transaction = many.transaction();
    for n in 0..1000 {
        transaction.create(Some("Item".into()), json!({"n": n}).to_string())?;
    }
    transaction.commit()?;
    Ok(Stage {
        client,
        space,
        many,
        record,
        text,
        listened,
    })
}

/// The median of samples, after a warm-up.
fn measure(mut sample: impl FnMut() -> Outcome<f64>) -> Outcome<Value> {
    let begun = Instant::now();
    while begun.elapsed() < WARM_UP {
        sample()?;
    }
    let mut samples = Vec::new();
    let begun = Instant::now();
    while samples.len() < MAX_SAMPLES && (samples.len() < 5 || begun.elapsed() < MEASURE) {
        samples.push(sample()?);
    }
    Ok(json!({"ns": median(&samples), "runs": samples.len()}))
}

/// So many calls in a row, as nanoseconds for each.
fn timed(calls: u32, call: impl Fn() -> Outcome<()>) -> Outcome<f64> {
    let begun = Instant::now();
    for _ in 0..calls {
        call()?;
    }
    Ok(begun.elapsed().as_nanos() as f64 / f64::from(calls))
}

/// From before a change until its callback has run.
fn answered(space: &Space, id: &str, n: u64, heard: &Receiver<Instant>) -> Outcome<f64> {
    let begun = Instant::now();
    space.update(id.to_owned(), format!("{{\"n\": {n}}}"))?;
    Ok(heard.recv()?.duration_since(begun).as_nanos() as f64)
}
