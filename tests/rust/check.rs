//! Checking what is stored of a space, and making it again: damage of every kind is found, what is
//! sound is kept, and what is not comes again from peers.

mod support;

use echodb::model::ErrorKind;
use echodb::{
    CheckFindingKind, CheckReport, Client, ClientOptions, EncryptionMode, SearchOptions, Space,
    SpaceState,
};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use support::{PATIENCE, Signal, converge, is_sound, pair, wait};

/// Opens a plain profile, so that damage can be aimed at bytes of its files.
fn open(dir: &Path) -> Arc<Client> {
    open_with(dir, "Ada", EncryptionMode::Off, None)
}

fn open_with(
    dir: &Path,
    name: &str,
    encryption: EncryptionMode,
    signal: Option<&Signal>,
) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        encryption,
        online: signal.is_some(),
        signaling: signal
            .map(|signal| signal.url.clone())
            .into_iter()
            .collect(),
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    if client.identity().is_none() {
        client.create_identity(name.into()).unwrap();
    }
    client
}

fn file(dir: &Path, space: &str) -> PathBuf {
    dir.join("spaces").join(format!("{space}.sqlite"))
}

/// A space with something of everything; returns a blob in it too.
fn fill(space: &Arc<Space>) -> String {
    let schema = json!({"properties": {"title": {"type": "string"}}});
    space
        .register_schema("Note".into(), schema.to_string(), None)
        .unwrap();
    space
        .create_index(Some("Note".into()), "/n".into())
        .unwrap();
    let bytes: Vec<u8> = (0..300_000u32).map(|n| (n % 251) as u8).collect();
    let blob = space.put_blob(bytes).unwrap().id;
    let tx = space.transaction();
    let mut ids = Vec::new();
    for n in 0..20 {
        let fields = json!({"n": n, "title": format!("rose {n}"), "body": {"@text": "a red, red rose"},
            "blob": {"@blob": blob, "size": 300_000}});
        let id = tx.create(Some("Note".into()), fields.to_string()).unwrap();
        tx.tag(id.clone(), "green".into()).unwrap();
        tx.set_key(id.clone(), "wiki".into(), Some(format!("Q{n}")))
            .unwrap();
        ids.push(id);
    }
    tx.set_parent(ids[1].clone(), Some(ids[0].clone())).unwrap();
    tx.commit().unwrap();
    space
        .update(ids[2].clone(), json!({"see": {"@ref": ids[3]}}).to_string())
        .unwrap();
    space.delete(ids[0].clone()).unwrap();
    space
        .search("rose".into(), SearchOptions::default())
        .unwrap();
    space.flush().unwrap();
    blob
}

fn rows(space: &Space) -> Vec<Value> {
    let all = r#"{"or": [{"deleted": true}, {"deleted": false}]}"#;
    serde_json::from_slice(&space.query_json(all.into()).unwrap()).unwrap()
}

fn kinds(report: &CheckReport) -> Vec<CheckFindingKind> {
    let mut kinds: Vec<_> = report.findings.iter().map(|found| found.kind).collect();
    kinds.dedup();
    kinds
}

/// Closes the space, has SQL run on its file, and opens it.
fn meddle(dir: &Path, space: &Space, sql: &str) {
    space.close().unwrap();
    let conn = echodb::bench_internals::inspect(&file(dir, &space.id())).unwrap();
    conn.execute_batch(sql).unwrap();
    drop(conn);
    space.open().unwrap();
}

/// Searches until the file's index of words is up to date: a search while somebody writes makes one
/// for itself, and leaves the file as it is.
fn index_words(dir: &Path, space: &Space) {
    wait("the index of words is up to date", || {
        let hits = space.search("rose".into(), SearchOptions::default());
        assert!(hits.unwrap().len() > 100);
        let conn = echodb::bench_internals::inspect(&file(dir, &space.id())).unwrap();
        !conn
            .prepare("SELECT 1 FROM unindexed")
            .unwrap()
            .exists([])
            .unwrap()
    });
}

#[test]
fn a_sound_space_has_no_findings_and_a_repair_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(dir.path());
    let space = client.create_space("{}".into()).unwrap();
    fill(&space);
    for full in [false, true] {
        let report = space.check(full).unwrap();
        assert_eq!(report.findings, Vec::new());
        assert!(report.entries >= 4);
        assert_eq!(report.objects > 20 && report.blobs == 1, full, "{report:?}");
    }
    let (digest, before) = (space.digest().unwrap(), rows(&space));
    let report = space.repair().unwrap();
    assert_eq!(
        (report.lost_entries, report.damaged_blocks),
        (0, 0),
        "{report:?}"
    );
    assert_eq!((report.kept_file, report.lost), (None, Vec::new()));
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(rows(&space), before);
    assert_eq!(space.indexes().unwrap().len(), 1);
    assert_eq!(space.check(true).unwrap().findings, Vec::new());
    // It is written on, and opened again.
    space.create(None, r#"{"after": true}"#.into()).unwrap();
    let digest = space.digest().unwrap();
    client.shutdown().unwrap();
    is_sound(dir.path(), "after a repair");
    let client = open(dir.path());
    let space = client.space(space.id()).unwrap();
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(space.blobs().unwrap().len(), 1);
    client.shutdown().unwrap();
}

#[test]
fn whatever_was_derived_and_does_not_agree_is_found_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(dir.path());
    let space = client.create_space("{}".into()).unwrap();
    fill(&space);
    index_words(dir.path(), &space);
    let (digest, before) = (space.digest().unwrap(), rows(&space));
    for (sql, kind) in [
        (
            "UPDATE objects SET heads = zeroblob(32) WHERE n = 5",
            CheckFindingKind::Object,
        ),
        (
            "UPDATE objects SET data = '{\"n\":1}', plain = NULL WHERE n = 6",
            CheckFindingKind::Object,
        ),
        (
            "UPDATE objects SET gone = gone & ~2",
            CheckFindingKind::Object,
        ),
        (
            "DELETE FROM changes WHERE object = 7",
            CheckFindingKind::Object,
        ),
        ("DELETE FROM objects WHERE n = 8", CheckFindingKind::Object),
        ("DELETE FROM tags", CheckFindingKind::Index),
        (
            "DELETE FROM keys WHERE source = 'wiki'",
            CheckFindingKind::Index,
        ),
        ("UPDATE refs SET path = '/other'", CheckFindingKind::Index),
        ("DELETE FROM blob_refs", CheckFindingKind::Index),
        (
            "INSERT INTO tags(tag, object) VALUES('x', 999)",
            CheckFindingKind::Index,
        ),
        (
            "DELETE FROM words WHERE rowid = (SELECT min(rowid) FROM words WHERE words MATCH 'rose')",
            CheckFindingKind::Index,
        ),
    ] {
        meddle(dir.path(), &space, sql);
        let found = space.check(true).unwrap();
        assert!(kinds(&found).contains(&kind), "{sql}: {found:?}");
        assert_eq!(space.check(false).unwrap().findings, Vec::new(), "{sql}");
        let report = space.repair().unwrap();
        assert_eq!(report.lost_entries, 0, "{sql}: {report:?}");
        assert_eq!(space.digest().unwrap(), digest, "{sql}");
        assert_eq!(rows(&space), before, "{sql}");
        index_words(dir.path(), &space);
        assert_eq!(space.check(true).unwrap().findings, Vec::new(), "{sql}");
    }
    client.shutdown().unwrap();
}

#[test]
fn damaged_entries_and_blobs_come_again_from_peers() {
    let signal = Signal::start();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let ada = open_with(dirs[0].path(), "Ada", EncryptionMode::Off, Some(&signal));
    let bob = open_with(dirs[1].path(), "Bob", EncryptionMode::Off, Some(&signal));
    let mine = ada.create_space("{}".into()).unwrap();
    let blob = fill(&mine);
    let theirs = pair(&mine, &bob);
    converge(&mine, &theirs);
    let fetch = theirs.fetch_blob(blob.clone()).unwrap();
    fetch.wait(Some(PATIENCE)).unwrap();
    let before = rows(&theirs);
    bob.set_online(false).unwrap();
    meddle(
        dirs[1].path(),
        &theirs,
        "UPDATE entries SET bytes = zeroblob(length(bytes)) WHERE n = (
           SELECT max(e.n) FROM entries AS e JOIN feeds AS f ON f.n = e.feed WHERE f.kind = 1);
         UPDATE blob_blocks SET bytes = zeroblob(length(bytes)) WHERE n IN (
           SELECT min(n) FROM blob_blocks WHERE level = 0 UNION SELECT max(n) FROM blob_blocks WHERE level > 0)",
    );
    let found = theirs.check(true).unwrap();
    let of = |kind| {
        found
            .findings
            .iter()
            .filter(move |f| f.kind == kind)
            .count()
    };
    assert!(of(CheckFindingKind::Entry) >= 1, "{found:?}");
    assert!(of(CheckFindingKind::Blob) >= 2, "{found:?}");
    assert!(theirs.read_blob(blob.clone(), 0, 1000).is_err());
    let report = theirs.repair().unwrap();
    assert!(report.lost_entries >= 1, "{report:?}");
    assert!(report.damaged_blocks >= 1, "{report:?}");
    assert_eq!(report.incomplete_blobs, std::slice::from_ref(&blob));
    let kept = report.kept_file.expect("the old file is kept");
    assert!(Path::new(&kept).exists());
    assert_eq!(theirs.check(true).unwrap().findings, Vec::new());
    bob.set_online(true).unwrap();
    converge(&mine, &theirs);
    wait("all objects are back", || rows(&theirs) == before);
    let fetch = theirs.fetch_blob(blob.clone()).unwrap();
    fetch.wait(Some(PATIENCE)).unwrap();
    assert_eq!(
        theirs.read_blob(blob.clone(), 0, 300_000).unwrap(),
        mine.read_blob(blob, 0, 300_000).unwrap()
    );
    for client in [ada, bob] {
        client.shutdown().unwrap();
    }
}

#[test]
fn a_space_that_cannot_be_opened_is_made_again_from_what_can_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(dir.path());
    let space = client.create_space("{}".into()).unwrap();
    fill(&space);
    let (id, digest) = (space.id(), space.digest().unwrap());
    space.close().unwrap();
    assert_eq!(
        space.repair().unwrap_err().kind(),
        ErrorKind::InvalidState,
        "a closed space is opened first"
    );
    // The pages of the table of objects.
    let path = file(dir.path(), &id);
    let conn = rusqlite::Connection::open(&path).unwrap();
    let root: i64 = conn
        .query_row(
            "SELECT rootpage FROM sqlite_schema WHERE name = 'objects'",
            [],
            |row| row.get(0),
        )
        .unwrap();
    drop(conn);
    let mut bytes = std::fs::read(&path).unwrap();
    let at = (root as usize - 1) * 4096;
    bytes[at..at + 4096].fill(0xa5);
    std::fs::write(&path, bytes).unwrap();
    assert_eq!(space.open().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(space.info().unwrap().state, SpaceState::Failed);
    let report = space.repair().unwrap();
    assert_eq!(report.lost_entries, 0, "{report:?}");
    assert!(report.kept_file.is_some());
    assert_eq!(space.info().unwrap().state, SpaceState::Ready);
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(space.check(true).unwrap().findings, Vec::new());
    client.shutdown().unwrap();
    let client = open(dir.path());
    assert_eq!(client.space(id).unwrap().digest().unwrap(), digest);
    client.shutdown().unwrap();
}

#[test]
fn an_encrypted_space_is_checked_and_repaired_likewise() {
    let dir = tempfile::tempdir().unwrap();
    let client = open_with(dir.path(), "Ada", EncryptionMode::Auto, None);
    let space = client.create_space("{}".into()).unwrap();
    fill(&space);
    let (digest, before) = (space.digest().unwrap(), rows(&space));
    let start = std::fs::read(file(dir.path(), &space.id())).unwrap();
    assert!(!start.starts_with(b"SQLite format 3"), "it is encrypted");
    meddle(
        dir.path(),
        &space,
        "DELETE FROM tags; UPDATE objects SET heads = zeroblob(32) WHERE n = 5",
    );
    let found = kinds(&space.check(true).unwrap());
    assert!(found.contains(&CheckFindingKind::Index), "{found:?}");
    assert!(found.contains(&CheckFindingKind::Object), "{found:?}");
    let report = space.repair().unwrap();
    assert_eq!(report.lost_entries, 0, "{report:?}");
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(rows(&space), before);
    assert_eq!(space.check(true).unwrap().findings, Vec::new());
    let bytes = std::fs::read(file(dir.path(), &space.id())).unwrap();
    assert!(!bytes.starts_with(b"SQLite format 3"), "it stays encrypted");
    client.shutdown().unwrap();
    is_sound(dir.path(), "after a repair");
}
