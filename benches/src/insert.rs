//! Making one object, durably.

use crate::Setting;
use crate::create::{fields, open};
use crate::result::{Outcome, Row, time};
use rusqlite::{Connection, params};

/// `insert_one`: until the object would survive a power cut.
pub fn measure(setting: &Setting) -> Outcome<Row> {
    let runs = if setting.quick { 20 } else { 200 };
    let folder = tempfile::tempdir()?;
    let client = open(&folder.path().join("profile"))?;
    client.create_identity("Bench".into())?;
    let space = client.create_space("{}".into())?;
    let plain = Connection::open(folder.path().join("plain.sqlite"))?;
    plain.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE tasks(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, data TEXT NOT NULL);",
    )?;
    let (mut ours, mut bounds) = (Vec::new(), Vec::new());
    for run in 0..=runs {
        let (id, elapsed) = time(|| {
            let id = space.create(Some("Task".into()), fields(run))?;
            space.flush()?;
            Ok(id)
        })?;
        let ((), bound) = time(|| {
            let sql = "INSERT INTO tasks(id, data) VALUES(?, ?)";
            plain
                .prepare_cached(sql)?
                .execute(params![id, fields(run)])?;
            Ok(())
        })?;
        // The first prepares the statements.
        if run > 0 {
            ours.push(elapsed);
            bounds.push(bound);
        }
    }
    client.shutdown()?;
    let bound = "raw SQLite inserting one row, as durably";
    Ok(Row::new("insert_one", "ms", &ours, bound, &bounds))
}
