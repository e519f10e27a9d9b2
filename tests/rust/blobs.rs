//! Blobs: written, read, named by objects, fetched over real links, collected, and what is left of
//! them when processes die.

mod support;

use echodb::model::ErrorKind;
use echodb::{BlobFetchState, BlobListener, BlobProgress, EchoError, Space};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::process::{self, Peer, SignalProcess, pair_processes};
use support::{PATIENCE, Signal, client, client_at, converge, pair, wait};

/// Not a test: the body of the child processes that tests below start.
#[test]
fn plays_a_role_when_asked() {
    process::play_role();
}

/// Bytes that do not repeat.
fn noise(len: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = Vec::with_capacity(len + 8);
    while bytes.len() < len {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(len);
    bytes
}

fn name(space: &Space, id: &str, size: u64) -> String {
    let fields = json!({"file": {"@blob": id, "size": size}}).to_string();
    space.create(Some("File".into()), fields).unwrap()
}

fn space_file(dir: &Path, space: &Space) -> PathBuf {
    dir.join("spaces").join(format!("{}.sqlite", space.id()))
}

/// Looks into the file itself.
fn count(dir: &Path, space: &Space, table: &str) -> u64 {
    let conn = echodb::bench_internals::inspect(&space_file(dir, space)).unwrap();
    let sql = format!("SELECT count(*) FROM {table}");
    conn.query_row(&sql, [], |row| row.get::<_, i64>(0))
        .unwrap() as u64
}

#[test]
fn what_is_written_in_pieces_is_read_in_others() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let bytes = noise(3_000_001, 1);
    let writer = space.blob_writer().unwrap();
    for piece in bytes.chunks(77_777) {
        writer.write(piece.to_vec()).unwrap();
    }
    assert_eq!(writer.size(), bytes.len() as u64);
    let info = writer.finish().unwrap();
    assert_eq!(
        (info.size, info.held, info.whole),
        (3_000_001, 3_000_001, true)
    );
    assert!(!info.referenced);
    for (offset, length) in [
        (0, 10),
        (65_530, 12),
        (1_000_000, 1_000_000),
        (2_999_999, 50),
    ] {
        let read = space.read_blob(info.id.clone(), offset, length).unwrap();
        let end = (offset + length).min(3_000_001) as usize;
        assert!(read == bytes[offset as usize..end], "{offset} {length}");
    }
    assert!(
        space
            .read_blob(info.id.clone(), 3_000_001, 1)
            .unwrap()
            .is_empty()
    );
    let file = dir.path().join("out");
    std::fs::write(&file, "what was there before").unwrap();
    let path = file.to_str().unwrap().to_owned();
    space.blob_to_file(info.id.clone(), path.clone()).unwrap();
    assert!(std::fs::read(&file).unwrap() == bytes);
    // The same content is the same blob, and takes no more room.
    let blocks = count(dir.path(), &space, "blob_blocks");
    assert_eq!(space.put_blob_file(path).unwrap().id, info.id);
    assert_eq!(space.put_blob(bytes.clone()).unwrap().id, info.id);
    // Nor do blobs that share blocks take the room twice.
    let longer = [&bytes[..], b"more"].concat();
    assert_ne!(space.put_blob(longer).unwrap().id, info.id);
    assert_eq!(count(dir.path(), &space, "blobs"), 2);
    assert!(count(dir.path(), &space, "blob_blocks") <= blocks + 2);
    let leftovers: Vec<_> = std::fs::read_dir(dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .collect();
    assert_eq!(leftovers, Vec::<String>::new());
}

#[test]
fn the_empty_blob_and_bad_requests() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let empty = space.put_blob(Vec::new()).unwrap();
    assert!(empty.whole && empty.size == 0);
    assert!(space.read_blob(empty.id.clone(), 0, 10).unwrap().is_empty());
    let path = dir.path().join("empty").to_str().unwrap().to_owned();
    space.blob_to_file(empty.id.clone(), path.clone()).unwrap();
    assert_eq!(std::fs::read(path).unwrap(), b"");
    let absent = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq".to_owned();
    let kind = |result: Result<Vec<u8>, EchoError>| result.unwrap_err().kind();
    assert_eq!(
        kind(space.read_blob(absent.clone(), 0, 1)),
        ErrorKind::NotFound
    );
    assert_eq!(
        kind(space.read_blob("x".into(), 0, 1)),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        kind(space.read_blob(empty.id.clone(), 0, 17 * 1024 * 1024)),
        ErrorKind::LimitExceeded
    );
    assert_eq!(space.blob_info(absent.clone()).unwrap(), None);
    let to_file = space.blob_to_file(absent, dir.path().join("no").to_str().unwrap().into());
    assert_eq!(to_file.unwrap_err().kind(), ErrorKind::NotFound);
    assert!(!dir.path().join("no").exists());
    let nowhere = dir.path().join("no/such/file").to_str().unwrap().to_owned();
    assert!(
        space
            .blob_to_file(empty.id.clone(), nowhere.clone())
            .is_err()
    );
    assert_eq!(
        space.put_blob_file(nowhere).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    let writer = space.blob_writer().unwrap();
    writer.cancel();
    assert_eq!(
        writer.write(vec![1]).unwrap_err().kind(),
        ErrorKind::InvalidState
    );
    let writer = space.blob_writer().unwrap();
    writer.write(noise(100_000, 2)).unwrap();
    space.close().unwrap();
    assert_eq!(writer.finish().unwrap_err().kind(), ErrorKind::InvalidState);
    space.open().unwrap();
    wait("what was not finished is removed", || {
        count(dir.path(), &space, "blobs") == 1 && count(dir.path(), &space, "blob_blocks") == 1
    });
}

#[test]
fn a_writer_that_outlives_a_close_touches_no_other_blob() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let begin = |seed| {
        let writer = space.blob_writer().unwrap();
        writer.write(noise(100_000, seed)).unwrap();
        writer
    };
    let old = [begin(20), begin(21), begin(22)];
    space.close().unwrap();
    space.open().unwrap();
    wait("what was not finished is removed", || {
        count(dir.path(), &space, "blobs") == 0
    });
    let [one, two, three] = [begin(23), begin(24), begin(25)];
    let two = two.finish().unwrap();
    let kind = |error: EchoError| error.kind();
    let written = old[0].write(noise(100_000, 26));
    assert_eq!(written.map_err(kind), Err(ErrorKind::InvalidState));
    old[1].cancel();
    let finished = old[2].finish();
    assert_eq!(
        finished.map(drop).map_err(kind),
        Err(ErrorKind::InvalidState)
    );
    for (blob, seed) in [
        (one.finish().unwrap(), 23),
        (two, 24),
        (three.finish().unwrap(), 25),
    ] {
        assert!(space.read_blob(blob.id, 0, 200_000).unwrap() == noise(100_000, seed));
    }
}

#[test]
fn only_blobs_that_nothing_names_are_collected() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let shared = noise(200_000, 3);
    let kept = space.put_blob(shared.clone()).unwrap();
    let twin = space
        .put_blob([&shared[..131_072], &noise(70_000, 4)].concat())
        .unwrap();
    let fields = json!({"deep": [{"in": {"@blob": kept.id, "size": kept.size}}]}).to_string();
    let object = space.create(None, fields.clone()).unwrap();
    let stored = space.get(object.clone()).unwrap().unwrap().fields;
    assert_eq!(
        serde_json::from_str::<Value>(&stored).unwrap(),
        serde_json::from_str::<Value>(&fields).unwrap()
    );
    assert!(
        space
            .blob_info(kept.id.clone())
            .unwrap()
            .unwrap()
            .referenced
    );
    // A blob just written is not swept before it can be named.
    assert_eq!(space.collect_blobs(3600).unwrap().blobs, 0);
    let collected = space.collect_blobs(0).unwrap();
    // Two of its four blocks are the other's too; the rest are 68,928 + 70,000 - … bytes and hashes.
    let freed = 131_072 + 70_000 - 131_072 + 4 * 32;
    assert_eq!((collected.blobs, collected.bytes), (1, freed));
    assert_eq!(space.blob_info(twin.id.clone()).unwrap(), None);
    assert!(space.read_blob(kept.id.clone(), 0, 200_000).unwrap() == shared);
    // History does not hold a blob, nor does a deleted object; the time begins when it is noticed.
    space
        .update(object.clone(), r#"{"deep": null}"#.into())
        .unwrap();
    assert_eq!(space.collect_blobs(3600).unwrap().blobs, 0);
    let other = name(&space, &kept.id, kept.size);
    assert_eq!(space.collect_blobs(0).unwrap().blobs, 0);
    space.delete(other).unwrap();
    let collected = space.collect_blobs(0).unwrap();
    assert_eq!(collected.blobs, 1);
    assert!(collected.bytes >= 200_000);
    for table in ["blobs", "blob_blocks", "blob_parts"] {
        assert_eq!(count(dir.path(), &space, table), 0, "{table}");
    }
    assert_eq!(
        count(dir.path(), &space, "blob_refs"),
        1,
        "of the deleted object"
    );
}

#[test]
fn objects_queries_and_history_carry_blobs() {
    let signal = Signal::start();
    let ada = client("Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let one = space.put_blob(b"one".to_vec()).unwrap();
    let two = space.put_blob(b"two".to_vec()).unwrap();
    let object = name(&space, &one.id, one.size);
    let other = name(&space, &two.id, two.size);
    let find = |id: &str| {
        let filter = json!({"field": "file", "op": "eq", "value": id}).to_string();
        let found = space.query(filter).unwrap();
        found.into_iter().map(|o| o.id).collect::<Vec<_>>()
    };
    assert_eq!(find(&one.id), std::slice::from_ref(&object));
    assert_eq!(find(&two.id), std::slice::from_ref(&other));
    // A transaction at the version before is merged with what came since.
    let version = space.get(object.clone()).unwrap().unwrap().heads;
    space
        .update(
            object.clone(),
            json!({"file": {"@blob": two.id, "size": two.size}}).to_string(),
        )
        .unwrap();
    let tx = space.transaction();
    tx.at(version).unwrap();
    tx.set(
        object.clone(),
        "/more".into(),
        json!([{"@blob": one.id, "size": one.size}]).to_string(),
    )
    .unwrap();
    tx.commit().unwrap();
    let fields: Value =
        serde_json::from_str(&space.get(object.clone()).unwrap().unwrap().fields).unwrap();
    assert_eq!(fields["file"]["@blob"], json!(two.id));
    assert_eq!(fields["more"][0]["@blob"], json!(one.id));
    assert_eq!(space.collect_blobs(0).unwrap().blobs, 0);
    assert_eq!(space.history(object.clone(), Vec::new()).unwrap().len(), 3);
    // Malformed ones are refused with the field named, and change nothing.
    for bad in [
        json!({"file": {"@blob": one.id}}),
        json!({"file": {"@blob": "x", "size": 1}}),
        json!({"file": {"@blob": one.id, "size": -1}}),
        json!({"file": {"@blob": one.id, "size": 1, "more": 1}}),
    ] {
        let error = space.update(object.clone(), bad.to_string()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{bad}");
        assert!(error.to_string().contains("file"), "{error}");
    }
    assert_eq!(find(&two.id).len(), 2);
}

#[test]
fn what_a_kill_left_of_a_collection_goes_at_the_next_opening() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let kept = space.put_blob(noise(300_000, 10)).unwrap();
    name(&space, &kept.id, kept.size);
    let gone = space.put_blob(noise(30_000_000, 11)).unwrap();
    ada.shutdown().unwrap();
    // As after the first of several steps.
    let conn = echodb::bench_internals::inspect(&space_file(dir.path(), &space)).unwrap();
    conn.execute(
        "UPDATE blobs SET state = 2, id = NULL WHERE size = 30000000",
        [],
    )
    .unwrap();
    conn.execute("DELETE FROM blob_parts WHERE position < 100 AND blob = (SELECT n FROM blobs WHERE id IS NULL)", [])
        .unwrap();
    conn.execute(
        "DELETE FROM blob_blocks WHERE n NOT IN (SELECT block FROM blob_parts)",
        [],
    )
    .unwrap();
    drop(conn);
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.space(space.id()).unwrap();
    assert_eq!(space.blob_info(gone.id).unwrap(), None);
    wait("the rest goes", || count(dir.path(), &space, "blobs") == 1);
    assert_eq!(count(dir.path(), &space, "blob_blocks"), 6);
    assert!(space.read_blob(kept.id, 0, 300_000).unwrap() == noise(300_000, 10));
}

#[test]
fn damage_is_noticed_and_not_given_away() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    let blob = space.put_blob(noise(200_000, 5)).unwrap();
    let conn = echodb::bench_internals::inspect(&space_file(dir.path(), &space)).unwrap();
    conn.execute(
        "UPDATE blob_blocks SET bytes = zeroblob(65536) WHERE n = 2",
        [],
    )
    .unwrap();
    drop(conn);
    assert!(space.read_blob(blob.id.clone(), 0, 65_536).is_ok());
    let read = space.read_blob(blob.id.clone(), 65_536, 1);
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
    let file = dir.path().join("out").to_str().unwrap().to_owned();
    let kind = space
        .blob_to_file(blob.id.clone(), file.clone())
        .unwrap_err()
        .kind();
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(!Path::new(&file).exists());
    let bob = client("Bob", &signal);
    let theirs = pair(&space, &bob);
    let fetch = theirs.fetch_blob(blob.id).unwrap();
    wait("the good blocks come", || {
        fetch.progress().received >= 200_000 - 65_536
    });
    let error = fetch.wait(Some(Duration::from_millis(300))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
}

#[derive(Default)]
struct Heard(Mutex<Vec<BlobProgress>>);

impl BlobListener for Heard {
    fn progressed(&self, progress: BlobProgress) -> Result<(), EchoError> {
        self.0.lock().unwrap().push(progress);
        Ok(())
    }
}

#[test]
fn a_large_blob_is_fetched_while_objects_replicate() {
    let signal = Signal::start();
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let ada = client_at(dirs[0].path(), "Ada", &signal);
    let bob = client_at(dirs[1].path(), "Bob", &signal);
    let mine = ada.create_space("{}".into()).unwrap();
    let theirs = pair(&mine, &bob);
    let bytes = noise(40 * 1024 * 1024, 6);
    let blob = mine.put_blob(bytes.clone()).unwrap();
    let object = name(&mine, &blob.id, blob.size);
    converge(&mine, &theirs);
    let seen = theirs.get(object).unwrap().unwrap().fields;
    let seen: Value = serde_json::from_str(&seen).unwrap();
    let id = seen["file"]["@blob"].as_str().unwrap().to_owned();
    assert_eq!(theirs.blob_info(id.clone()).unwrap(), None);
    let fetch = theirs.fetch_blob(id.clone()).unwrap();
    let heard = Arc::new(Heard::default());
    let subscription = fetch.subscribe(heard.clone());
    // Objects get through at once, in both directions, though megabytes are on their way.
    wait("the fetch is under way", || fetch.progress().received > 0);
    let one = mine.create(None, r#"{"while": "sending"}"#.into()).unwrap();
    let two = theirs
        .create(None, r#"{"while": "receiving"}"#.into())
        .unwrap();
    wait("objects get through", || {
        theirs.get(one.clone()).unwrap().is_some() && mine.get(two.clone()).unwrap().is_some()
    });
    assert_eq!(
        fetch.progress().state,
        BlobFetchState::Fetching,
        "meanwhile"
    );
    let last = fetch.wait(Some(PATIENCE * 4)).unwrap();
    assert_eq!((last.received, last.total), (blob.size, Some(blob.size)));
    wait("the listener hears of the end", || {
        let heard = heard.0.lock().unwrap();
        heard
            .last()
            .is_some_and(|last| last.state == BlobFetchState::Done)
    });
    let heard = heard.0.lock().unwrap();
    assert!(heard.is_sorted_by_key(|progress| progress.received));
    assert!(heard.len() > 3, "there was progress: {heard:?}");
    drop(subscription);
    let out = dirs[1].path().join("out");
    theirs
        .blob_to_file(id.clone(), out.to_str().unwrap().into())
        .unwrap();
    assert!(std::fs::read(out).unwrap() == bytes);
    // Who has it all needs nobody.
    bob.set_online(false).unwrap();
    assert_eq!(
        theirs
            .fetch_blob(id)
            .unwrap()
            .wait(Some(PATIENCE))
            .unwrap()
            .state,
        BlobFetchState::Done
    );
}

#[test]
fn a_blob_comes_from_whoever_has_it_and_says_why_it_does_not() {
    let signal = Signal::start();
    let (ada, bob, cleo) = (
        client("Ada", &signal),
        client("Bob", &signal),
        client("Cleo", &signal),
    );
    let mine = ada.create_space("{}".into()).unwrap();
    let (bobs, cleos) = (pair(&mine, &bob), pair(&mine, &cleo));
    let bytes = noise(5_000_000, 7);
    // Only those who are there are asked, and none has it yet.
    let elsewhere = client("Dora", &signal).create_space("{}".into()).unwrap();
    let id = elsewhere.put_blob(bytes.clone()).unwrap().id;
    let fetch = cleos.fetch_blob(id.clone()).unwrap();
    wait("the others are asked", || fetch.progress().peers == 2);
    let error = fetch.wait(Some(Duration::from_millis(50))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound, "{error}");
    cleo.set_online(false).unwrap();
    wait("nobody is there", || fetch.progress().peers == 0);
    let error = fetch.wait(Some(Duration::from_millis(10))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Network, "{error}");
    cleo.set_online(true).unwrap();
    // The fetch goes on by itself when somebody has it, and two serve better than one.
    assert_eq!(mine.put_blob(bytes.clone()).unwrap().id, id);
    bobs.put_blob(bytes.clone()).unwrap();
    fetch.wait(Some(PATIENCE * 2)).unwrap();
    assert!(cleos.read_blob(id.clone(), 0, 5_000_000).unwrap() == bytes);
    // What is cancelled stays as far as it came.
    let more = mine.put_blob(noise(30_000_000, 8)).unwrap();
    let fetch = cleos.fetch_blob(more.id.clone()).unwrap();
    wait("some has come", || fetch.progress().received > 1_000_000);
    fetch.cancel();
    assert_eq!(fetch.wait(None).unwrap_err().kind(), ErrorKind::Cancelled);
    let held = cleos.blob_info(more.id.clone()).unwrap().unwrap().held;
    assert!(held > 1_000_000 && held < more.size, "{held}");
    let fetch = cleos.fetch_blob(more.id.clone()).unwrap();
    assert!(fetch.progress().received >= held);
    fetch.wait(Some(PATIENCE * 2)).unwrap();
    // Blocks that another blob has need nobody to send them.
    let known = mine.put_blob(bytes[..1_310_720].to_vec()).unwrap();
    let before = ada.status().bytes_sent + bob.status().bytes_sent;
    cleos
        .fetch_blob(known.id)
        .unwrap()
        .wait(Some(PATIENCE))
        .unwrap();
    let sent = ada.status().bytes_sent + bob.status().bytes_sent - before;
    assert!(sent < 100_000, "{sent} bytes were sent again");
}

#[test]
fn memory_stays_bounded_on_both_sides() {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ada = Peer::start(dirs[0].path(), "Ada", &signal.url);
    let mut bob = Peer::start(dirs[1].path(), "Bob", &signal.url);
    let space = pair_processes(&mut ada, &mut bob);
    let source = dirs[0].path().join("source");
    std::fs::write(&source, noise(80_000_000, 12)).unwrap();
    let peak = |peer: &mut Peer| peer.ask(json!({"do": "peak"}))["bytes"].as_u64().unwrap();
    let before = [peak(&mut ada), peak(&mut bob)];
    let id = ada.ask(json!({"do": "put_blob", "space": space, "path": source}))["id"].clone();
    bob.ask(json!({"do": "fetch_blob", "space": space, "id": id}));
    let look = json!({"do": "blob", "space": space, "id": id});
    wait("all has come", || {
        bob.ask(look.clone())["whole"] == json!(true)
    });
    let out = dirs[1].path().join("out");
    bob.ask(json!({"do": "blob_to_file", "space": space, "id": id, "path": out}));
    let grown = [peak(&mut ada) - before[0], peak(&mut bob) - before[1]];
    println!("memory grew by {grown:?} bytes for 80,000,000");
    // Zero where the system does not tell.
    assert!(grown.iter().all(|bytes| *bytes < 40_000_000), "{grown:?}");
}

#[test]
fn a_killed_writer_leaves_nothing() {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dir = tempfile::tempdir().unwrap();
    let mut ada = Peer::start(dir.path(), "Ada", &signal.url);
    let space = ada.ask(json!({"do": "create_space"}))["space"].clone();
    let file = dir
        .path()
        .join("spaces")
        .join(format!("{}.sqlite", space.as_str().unwrap()));
    let count = |table: &str| -> i64 {
        let conn = echodb::bench_internals::inspect(&file).unwrap();
        conn.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
            row.get(0)
        })
        .unwrap()
    };
    ada.ask(json!({"do": "begin_blob", "space": space}));
    wait("some is written", || ada.acknowledged() > 10);
    ada.kill();
    assert!(count("blob_blocks") > 100, "it was in the middle");
    ada.kill_and_restart();
    wait("all of it is gone", || {
        ["blobs", "blob_parts", "blob_blocks"]
            .iter()
            .all(|table| count(table) == 0)
    });
}

#[test]
fn a_fetch_goes_on_where_a_kill_cut_it_short() {
    let signal = SignalProcess::start("127.0.0.1:0");
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let mut ada = Peer::start(dirs[0].path(), "Ada", &signal.url);
    let mut bob = Peer::start(dirs[1].path(), "Bob", &signal.url);
    let space = pair_processes(&mut ada, &mut bob);
    let source = dirs[0].path().join("source");
    let bytes = noise(30_000_000, 9);
    std::fs::write(&source, &bytes).unwrap();
    let id = ada.ask(json!({"do": "put_blob", "space": space, "path": source}))["id"].clone();
    let fetch = json!({"do": "fetch_blob", "space": space, "id": id});
    let look = json!({"do": "blob", "space": space, "id": id});
    let held = |peer: &mut Peer| peer.ask(look.clone())["held"].as_u64().unwrap();
    bob.ask(fetch.clone());
    wait("some has come", || held(&mut bob) > 3_000_000);
    bob.kill_and_restart();
    let kept = held(&mut bob);
    assert!(kept > 3_000_000 && kept < 30_000_000, "{kept}");
    bob.ask(fetch.clone());
    wait("it goes on", || held(&mut bob) > kept + 3_000_000);
    // The one that serves dies too; the fetch waits for it.
    ada.kill_and_restart();
    wait("all has come", || {
        bob.ask(look.clone())["whole"] == json!(true)
    });
    let received = bob.ask(json!({"do": "received"}))["bytes"]
        .as_u64()
        .unwrap();
    assert!(
        received < 30_000_000 - kept + 8_000_000,
        "{received} bytes came for what {kept} lacked"
    );
    let out = dirs[1].path().join("out");
    bob.ask(json!({"do": "blob_to_file", "space": space, "id": id, "path": out}));
    assert!(std::fs::read(out).unwrap() == bytes);
}
