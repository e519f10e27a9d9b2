//! What encryption at rest costs: the same work on an encrypted profile and on a plain one, turn by turn.

use crate::Setting;
use crate::corpus::word;
use crate::result::{Outcome, Row, time};
use echodb::{Client, ClientOptions, EncryptionMode, Space};
use serde_json::json;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

/// Objects in a transaction of the measured writes.
const BATCH: usize = 100;
/// Those of the profiles that are queried.
const LARGE_BATCH: usize = 1000;
const BOUND: &str = "the same on a plain profile";

/// `at_rest_write`, `at_rest_query` and `at_rest_scan`.
pub fn measure(setting: &Setting) -> Outcome<Vec<Row>> {
    let mut rows = vec![write(setting)?];
    rows.extend(query(setting)?);
    Ok(rows)
}

/// A profile with one space.
struct Side {
    _folder: TempDir,
    client: Arc<Client>,
    space: Arc<Space>,
}

impl Side {
    fn make(encryption: EncryptionMode) -> Outcome<Side> {
        let folder = tempfile::tempdir()?;
        let client = open(folder.path(), encryption)?;
        client.create_identity("Bench".into())?;
        let space = client.default_space()?;
        Ok(Side {
            _folder: folder,
            client,
            space,
        })
    }

    fn both() -> Outcome<[Side; 2]> {
        Ok([
            Side::make(EncryptionMode::Auto)?,
            Side::make(EncryptionMode::Off)?,
        ])
    }

    fn create(&self, from: usize, objects: usize, batch: usize) -> Outcome<()> {
        for start in (from..from + objects).step_by(batch) {
            let transaction = self.space.transaction();
            for n in start..start + batch {
                let title: Vec<String> = (0..8).map(|i| word(n * 7 % 5000 + i)).collect();
                let fields = json!({
                    "title": title.join(" "), "project": n % 100, "due": n * 7919 % 100_000,
                });
                transaction.create(Some("Task".into()), fields.to_string())?;
            }
            transaction.commit()?;
        }
        Ok(self.space.flush()?)
    }
}

fn open(profile: &Path, encryption: EncryptionMode) -> Outcome<Arc<Client>> {
    let options = ClientOptions {
        profile: Some(profile.display().to_string()),
        online: false,
        encryption,
        ..ClientOptions::default()
    };
    Ok(Client::open(options, None)?)
}

/// Objects in transactions of a hundred, and a flush, again and again in the same two spaces.
fn write(setting: &Setting) -> Outcome<Row> {
    let (objects, runs) = if setting.quick { (500, 3) } else { (5000, 9) };
    let sides = Side::both()?;
    let mut times = [Vec::new(), Vec::new()];
    for run in 0..=runs {
        for (side, times) in sides.iter().zip(&mut times) {
            let ((), elapsed) = time(|| side.create(run * objects, objects, BATCH))?;
            // The first fills caches.
            if run > 0 {
                times.push(elapsed);
            }
        }
    }
    let [sealed, plain] = &times;
    Ok(Row::new("at_rest_write", "ms", sealed, BOUND, plain))
}

/// An indexed field with an order, and a scan of all rows.
fn query(setting: &Setting) -> Outcome<Vec<Row>> {
    let (objects, runs) = if setting.quick {
        (5000, 20)
    } else {
        (100_000, 200)
    };
    let sides = Side::both()?;
    for side in &sides {
        side.create(0, objects, LARGE_BATCH)?;
        side.space
            .create_index(Some("Task".into()), "project".into())?;
        side.space.flush()?;
    }
    let of_project = |run: usize| {
        json!({
            "where": {"and": [
                {"type": "Task"}, {"field": "project", "op": "eq", "value": run * 37 % 100}]},
            "order": [{"by": "due"}],
            "limit": 50,
        })
    };
    let scan = |run: usize| json!({"field": "due", "op": "eq", "value": run});
    let rows = vec![
        compare("at_rest_query", &sides, runs, of_project)?,
        compare("at_rest_scan", &sides, (runs / 20).max(3), scan)?,
    ];
    for side in sides {
        drop(side.space);
        side.client.shutdown()?;
    }
    Ok(rows)
}

fn compare(
    name: &str,
    sides: &[Side; 2],
    runs: usize,
    query: impl Fn(usize) -> serde_json::Value,
) -> Outcome<Row> {
    let mut times = [Vec::new(), Vec::new()];
    for run in 0..=runs {
        let text = query(run).to_string();
        let mut lengths = Vec::new();
        for (side, times) in sides.iter().zip(&mut times) {
            let (found, elapsed) = time(|| Ok(side.space.query_json(text.clone())?))?;
            lengths.push(found.len());
            if run > 0 {
                times.push(elapsed);
            }
        }
        if lengths.iter().any(|length| *length < 3) || lengths[0] != lengths[1] {
            return Err(format!("{name}: {lengths:?} bytes were found").into());
        }
    }
    let [sealed, plain] = &times;
    Ok(Row::new(name, "ms", sealed, BOUND, plain))
}
