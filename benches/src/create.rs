//! Making many objects, durably.

use crate::Setting;
use crate::result::{Outcome, Row, time};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ROOT, ReadDoc};
use echodb::{Client, ClientOptions, EncryptionMode, Space};
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Objects made where nothing else is said.
pub const OBJECTS: usize = 10_000;
/// Objects made where it is about many.
const MANY: usize = 100_000;
/// Objects in a transaction.
const BATCH: usize = 100;

/// The i-th object's fields.
pub fn fields(i: usize) -> String {
    format!(
        r#"{{"title": "Task number {i}", "done": {}, "priority": {}, "estimate": {}.5, "owner": "user-{}", "note": "Something to remember about {i}"}}"#,
        i.is_multiple_of(3),
        i % 5,
        i % 40,
        i % 17
    )
}

/// Makes the objects in `space`, and returns when they are on disk.
pub fn fill(space: &Space) -> Outcome<()> {
    fill_with(space, OBJECTS)
}

fn fill_with(space: &Space, objects: usize) -> Outcome<()> {
    for batch in 0..objects / BATCH {
        let transaction = space.transaction();
        for i in batch * BATCH..(batch + 1) * BATCH {
            transaction.create(Some("Task".into()), fields(i))?;
        }
        transaction.commit()?;
    }
    Ok(space.flush()?)
}

/// A client without network on a profile, which is kept plain: the bounds are plain files too, and
/// `at_rest_*` measure what encryption adds.
pub fn open(profile: &Path) -> Outcome<Arc<Client>> {
    let options = ClientOptions {
        profile: Some(profile.display().to_string()),
        online: false,
        encryption: EncryptionMode::Off,
        ..ClientOptions::default()
    };
    Ok(Client::open(options, None)?)
}

/// A client on a profile that meets others through `signal`.
pub fn open_online(profile: &Path, signal: &str) -> Outcome<Arc<Client>> {
    let options = ClientOptions {
        profile: Some(profile.display().to_string()),
        signaling: vec![signal.to_owned()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    Ok(Client::open(options, None)?)
}

/// The raw changes of all documents of a space's file.
pub fn changes(connection: &Connection) -> Outcome<Vec<Vec<u8>>> {
    let mut statement = connection.prepare("SELECT change FROM changes")?;
    let changes = statement.query_map([], |row| row.get(0))?;
    Ok(changes.collect::<Result<_, _>>()?)
}

/// `create_10k`.
pub fn measure(setting: &Setting) -> Outcome<Row> {
    let runs = if setting.quick { 1 } else { 5 };
    measure_with("create_10k", OBJECTS, runs)
}

/// `insert_100k`.
pub fn measure_many(setting: &Setting) -> Outcome<Row> {
    match setting.quick {
        true => measure_with("insert_100k", OBJECTS, 1),
        false => measure_with("insert_100k", MANY, 3),
    }
}

fn measure_with(name: &str, objects: usize, runs: usize) -> Outcome<Row> {
    let (mut ours, mut bounds) = (Vec::new(), Vec::new());
    for _ in 0..runs {
        let folder = tempfile::tempdir()?;
        let client = open(folder.path())?;
        client.create_identity("Bench".into())?;
        let space = client.create_space("{}".into())?;
        ours.push(time(|| fill_with(&space, objects))?.1);
        client.shutdown()?;
        let file = space_file(folder.path())?;
        let copy = folder.path().join("bound.sqlite");
        let rows = bare_sqlite(&file, &copy, objects / BATCH)?;
        bounds.push(rows + time(|| bare_automerge(objects))?.1);
    }
    Ok(Row::new(
        name,
        "ms",
        &ours,
        "raw SQLite inserting the same rows, and Automerge making the same documents",
        &bounds,
    ))
}

/// The file of the space with the most in it.
pub fn space_file(profile: &Path) -> Outcome<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![profile.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "sqlite")
                && path
                    .file_name()
                    .is_some_and(|name| name != "profile.sqlite")
            {
                files.push((path.metadata()?.len(), path));
            }
        }
    }
    files.sort();
    Ok(files.pop().ok_or("the profile has no space")?.1)
}

/// Copies a database's schema, then times the insertion of its rows in as many transactions as
/// there were, with the same durability. Milliseconds.
fn bare_sqlite(from: &Path, to: &Path, batches: usize) -> Outcome<f64> {
    let source = echodb::bench_internals::inspect(from)?;
    let target = Connection::open(to)?;
    target.pragma_update(None, "journal_mode", "wal")?;
    target.pragma_update(None, "synchronous", "normal")?;
    let mut schema = source.prepare(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
         AND name NOT LIKE 'words%'",
    )?;
    for sql in schema.query_map([], |row| row.get::<_, String>(0))? {
        target.execute(&sql?, [])?;
    }
    let mut tables = Vec::new();
    for table in ["entries", "objects", "changes"] {
        tables.push((table, rows(&source, table)?));
    }
    let ((), elapsed) = time(|| {
        for batch in 0..batches {
            target.execute_batch("BEGIN IMMEDIATE")?;
            for (table, rows) in &tables {
                let part = |n: usize| n * rows.len() / batches;
                insert(&target, table, &rows[part(batch)..part(batch + 1)])?;
            }
            target.execute_batch("COMMIT")?;
        }
        target.pragma_update(None, "synchronous", "full")?;
        target.execute("UPDATE meta SET value = value", [])?;
        target.execute("INSERT INTO meta VALUES ('flushed', x'00')", [])?;
        Ok(())
    })?;
    Ok(elapsed)
}

fn rows(source: &Connection, table: &str) -> Outcome<Vec<Vec<Sql>>> {
    let mut statement = source.prepare(&format!("SELECT * FROM {table}"))?;
    let columns = statement.column_count();
    let rows = statement.query_map([], |row| (0..columns).map(|i| row.get(i)).collect())?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn insert(target: &Connection, table: &str, rows: &[Vec<Sql>]) -> Outcome<()> {
    let Some(first) = rows.first() else {
        return Ok(());
    };
    let marks = vec!["?"; first.len()].join(",");
    let mut statement = target.prepare_cached(&format!("INSERT INTO {table} VALUES ({marks})"))?;
    for row in rows {
        statement.execute(params_from_iter(row))?;
    }
    Ok(())
}

/// The same documents, each with the bytes of its change.
fn bare_automerge(objects: usize) -> Outcome<()> {
    for i in 0..objects {
        let mut document = AutoCommit::new();
        document.put(ROOT, "@type", "Task")?;
        document.put(ROOT, "title", format!("Task number {i}"))?;
        document.put(ROOT, "done", i.is_multiple_of(3))?;
        document.put(ROOT, "priority", i64::try_from(i % 5)?)?;
        document.put(ROOT, "estimate", f64::from(u32::try_from(i % 40)?) + 0.5)?;
        document.put(ROOT, "owner", format!("user-{}", i % 17))?;
        document.put(ROOT, "note", format!("Something to remember about {i}"))?;
        let hash = document.commit().ok_or("nothing to commit")?;
        let change = document.get_change_by_hash(&hash).ok_or("no change")?;
        std::hint::black_box(change.raw_bytes().len());
    }
    Ok(())
}
