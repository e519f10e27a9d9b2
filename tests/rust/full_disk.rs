//! A full disk, in a process of its own: the system refuses to let files grow. Every write fails
//! with `Storage`, nothing is half applied, and all is well again when there is room.
#![cfg(unix)]

mod support;

use echodb::model::ErrorKind;
use echodb::{Client, Space, TextUnit};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use support::{Signal, client, client_at, converge, pair, wait};

/// Runs `body` in a child process that starts this test program with only the test `name`.
fn in_a_child(name: &str, body: fn()) {
    if std::env::var_os("ECHODB_TEST_CHILD").is_some() {
        return body();
    }
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env("ECHODB_TEST_CHILD", "1")
        .status()
        .unwrap();
    assert!(status.success(), "{name} failed in its process");
}

/// Lets files grow to `bytes` and no further; `None` lifts the limit.
fn limit_files(bytes: Option<u64>) {
    let soft = bytes.unwrap_or(libc::RLIM_INFINITY);
    let limit = libc::rlimit {
        rlim_cur: soft,
        rlim_max: libc::RLIM_INFINITY,
    };
    // SAFETY: plain system calls on valid arguments. Without the signal's default action, which
    // would end the process, a write past the limit fails as on a full disk.
    unsafe {
        libc::signal(libc::SIGXFSZ, libc::SIG_IGN);
        assert_eq!(libc::setrlimit(libc::RLIMIT_FSIZE, &limit), 0);
    }
}

/// The largest size of the space's files at present.
fn largest_file(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir.join("spaces")).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .max()
        .unwrap()
}

/// A look at the file itself: asking the space would write gathered edits.
fn stored_entries(dir: &Path, space: &Space) -> u64 {
    let file = dir.join("spaces").join(format!("{}.sqlite", space.id()));
    let conn = echodb::bench_internals::inspect(&file).unwrap();
    let count: i64 = conn
        .query_row("SELECT count(*) FROM entries", [], |row| row.get(0))
        .unwrap();
    count as u64
}

fn is_storage<T>(result: echodb::Result<T>) {
    assert_eq!(
        result.err().expect("there is no room").kind(),
        ErrorKind::Storage
    );
}

fn reopened(client: Arc<Client>, dir: &Path, signal: &Signal, id: String) -> Arc<Space> {
    client.shutdown().unwrap();
    drop(client);
    client_at(dir, "Ada", signal).space(id).unwrap()
}

#[test]
fn transactions_fail_whole_and_work_again() {
    in_a_child("transactions_fail_whole_and_work_again", || {
        let signal = Signal::start();
        let dir = tempfile::tempdir().unwrap();
        let ada = client_at(dir.path(), "Ada", &signal);
        let space = ada.default_space().unwrap();
        let id = space.create(None, r#"{"n": 0}"#.into()).unwrap();
        let digest = space.digest().unwrap();
        // From no room at all to room for a part of the transaction.
        for room in [0, 4 * 1024, 40 * 1024, 200 * 1024] {
            limit_files(Some(if room == 0 {
                1
            } else {
                largest_file(dir.path()) + room
            }));
            let tx = space.transaction();
            for n in 0..100 {
                tx.create(
                    None,
                    format!(r#"{{"n": {n}, "v": "{}"}}"#, random_text(5_000, n)),
                )
                .unwrap();
            }
            tx.update(id.clone(), r#"{"n": 1}"#.into()).unwrap();
            is_storage(tx.commit());
            assert_eq!(space.digest().unwrap(), digest, "room for {room} bytes");
            assert_eq!(space.query("{}".into()).unwrap().len(), 1);
            if room == 0 {
                is_storage(ada.create_space("{}".into()));
            }
            limit_files(None);
        }
        let listed = ada.spaces().unwrap().len();
        assert_eq!(listed, 1, "a space that could not be made is not listed");
        space.update(id.clone(), r#"{"n": 2}"#.into()).unwrap();
        let made = space.create(None, "{}".into()).unwrap();
        let digest = space.digest().unwrap();
        let space = reopened(ada, dir.path(), &signal, space.id());
        assert_eq!(space.digest().unwrap(), digest);
        assert_eq!(space.get(id).unwrap().unwrap().fields, r#"{"n":2}"#);
        assert!(space.get(made).unwrap().is_some());
    });
}

/// Text that does not compress, so that it takes the room that it seems to.
fn random_text(length: usize, seed: u64) -> String {
    let mut state = seed + 1;
    std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        char::from(b'a' + (state >> 40) as u8 % 26)
    })
    .take(length)
    .collect()
}

#[test]
fn typed_edits_wait_for_room() {
    in_a_child("typed_edits_wait_for_room", || {
        let signal = Signal::start();
        let dir = tempfile::tempdir().unwrap();
        let ada = client_at(dir.path(), "Ada", &signal);
        let space = ada.default_space().unwrap();
        let id = space
            .create(None, r#"{"t": {"@text": ""}}"#.into())
            .unwrap();
        let other = space
            .create(None, r#"{"t": {"@text": ""}}"#.into())
            .unwrap();
        space.flush().unwrap();
        limit_files(Some(1));
        let mut typed = 0;
        let append = |id: &String, at: u64, text: &str| {
            space.splice_text(id.clone(), "t".into(), at, 0, text.into(), TextUnit::Utf8)
        };
        // Every accepted edit counts, every refused one does not: there is no third case. More
        // edits than may be gathered, so that both happen.
        let text = "ab".repeat(1000);
        let (mut accepted, mut refused) = (0, 0);
        for _ in 0..600 {
            match append(&id, typed, &text) {
                Ok(()) => {
                    accepted += 1;
                    typed += text.len() as u64;
                }
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::Storage);
                    refused += 1;
                    if refused == 20 {
                        break;
                    }
                }
            }
        }
        assert!(
            accepted > 0 && refused > 0,
            "{accepted} accepted, {refused} refused"
        );
        is_storage(space.flush());
        limit_files(None);
        append(&other, 0, "x").unwrap();
        space.flush().unwrap();
        assert_eq!(
            space.text(id.clone(), "t".into()).unwrap(),
            text.repeat(accepted)
        );
        // Edits that nobody asks about again are written all the same.
        let entries = space.status().unwrap().entries;
        limit_files(Some(1));
        append(&other, 1, "y").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(100));
        limit_files(None);
        wait("the edit is written", || {
            stored_entries(dir.path(), &space) > entries
        });
        let digest = space.digest().unwrap();
        let space = reopened(ada, dir.path(), &signal, space.id());
        assert_eq!(space.digest().unwrap(), digest);
        assert_eq!(space.text(id, "t".into()).unwrap(), text.repeat(accepted));
        assert_eq!(space.text(other, "t".into()).unwrap(), "xy");
    });
}

#[test]
fn a_sync_waits_for_room() {
    in_a_child("a_sync_waits_for_room", || {
        let signal = Signal::start();
        let dir = tempfile::tempdir().unwrap();
        // The writer keeps everything in memory: only the reader's disk is full.
        let (ada, bob) = (
            support::client("Ada", &signal),
            client_at(dir.path(), "Bob", &signal),
        );
        let here = ada.create_space("{}".into()).unwrap();
        let there = pair(&here, &bob);
        converge(&here, &there);
        limit_files(Some(largest_file(dir.path()) + 60 * 1024));
        for n in 0..100 {
            here.create(None, format!(r#"{{"v": "{}"}}"#, random_text(5_000, n)))
                .unwrap();
        }
        wait("the disk is full", || {
            there.create(None, "{}".into()).is_err()
        });
        let held = there.query("{}".into()).unwrap().len();
        assert!(held < 100, "{held}");
        assert_ne!(here.digest().unwrap(), there.digest().unwrap());
        limit_files(None);
        converge(&here, &there);
        assert!(here.query("{}".into()).unwrap().len() >= 100);
        assert_eq!(there.status().unwrap().quarantined, 0);
    });
}

#[test]
fn a_blob_that_does_not_fit_leaves_nothing() {
    in_a_child("a_blob_that_does_not_fit_leaves_nothing", || {
        let signal = Signal::start();
        let dir = tempfile::tempdir().unwrap();
        let ada = client("Ada", &signal);
        let bob = client_at(dir.path(), "Bob", &signal);
        let mine = ada.create_space("{}".into()).unwrap();
        let theirs = pair(&mine, &bob);
        let noise = |i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8;
        let bytes: Vec<u8> = (0..30_000_000).map(noise).collect();
        let blob = mine.put_blob(bytes.clone()).unwrap();
        limit_files(Some(largest_file(dir.path()) + 8_000_000));
        let error = theirs.put_blob(bytes.clone()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        let fetch = theirs.fetch_blob(blob.id.clone()).unwrap();
        let error = fetch.wait(Some(support::PATIENCE)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        // The session lives: no peer is to blame.
        assert_eq!(bob.status().peers, 1);
        limit_files(None);
        let held = theirs.blob_info(blob.id.clone()).unwrap().unwrap().held;
        assert!(held > 0 && held < blob.size, "{held}");
        let fetch = theirs.fetch_blob(blob.id.clone()).unwrap();
        fetch.wait(Some(support::PATIENCE)).unwrap();
        assert!(theirs.read_blob(blob.id, 29_000_000, 1_000_000).unwrap() == bytes[29_000_000..]);
        assert_eq!(theirs.blobs().unwrap().len(), 1);
    });
}
