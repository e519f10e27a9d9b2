//! Damage, full disks, crashes: what goes wrong outside the program.

use super::*;
use crate::model::ErrorKind;
use crate::query::{Query, compile};
use std::fs;
use std::path::Path;

fn open_error(path: &Path) -> crate::model::Error {
    SpaceStore::open(Some(path)).err().expect("must be refused")
}

/// A space of about a hundred pages.
fn sample(path: &Path) {
    let mut store = SpaceStore::open(Some(path)).unwrap();
    let text = format!(r#"{{"a":"{}"}}"#, "x".repeat(1000));
    for seq in 0..200 {
        let changes = [vec![seq as u8; 500]];
        let row = row(seq, &text);
        let writes = [write(&row, &changes)];
        commit(&mut store, seq, EntryStatus::Applied, &writes).unwrap();
    }
}

#[test]
fn damage_is_recognised_and_the_file_named() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    sample(&path);
    let good = fs::read(&path).unwrap();
    assert!(good.len() > 50 * 4096);

    // The magic, the page size, the schema's page, pages in the middle.
    for at in [0, 16, 100, 4096 * 20, 4096 * 40] {
        let mut bad = good.clone();
        bad[at..at + 12].iter_mut().for_each(|b| *b ^= 0xff);
        fs::write(&path, &bad).unwrap();
        let error = open_error(&path);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "at {at}: {error}");
        assert!(error.detail().contains("space.sqlite"), "{error}");
    }
    for bad in [&b"not a database at all"[..], &good[..4096 * 30 + 7]] {
        fs::write(&path, bad).unwrap();
        assert_eq!(open_error(&path).kind(), ErrorKind::Corrupt);
    }
    fs::write(&path, &good).unwrap();
    assert_eq!(
        SpaceStore::open(Some(&path))
            .unwrap()
            .count_objects()
            .unwrap(),
        200
    );
}

#[test]
fn damage_never_panics_wherever_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    sample(&path);
    let good = fs::read(&path).unwrap();
    let mut random = Random(3);
    for _ in 0..60 {
        let mut bad = good.clone();
        for _ in 0..4 {
            let at = random.below(bad.len());
            bad[at] = random.next() as u8;
        }
        fs::write(&path, &bad).unwrap();
        let Ok(store) = SpaceStore::open(Some(&path)) else {
            continue;
        };
        // Bytes inside a value are none of SQLite's business; what is read must not panic.
        for seq in 0..200 {
            let _ = store.object(&object_id(seq));
            let _ = store.entry(&entry_id(seq));
            let _ = store.load_document(&object_id(seq));
        }
        let _ = store.all_heads(|_, _| Ok(()));
    }
}

#[test]
fn other_databases_and_newer_versions_are_refused_untouched() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("other.sqlite");
    let other = rusqlite::Connection::open(&path).unwrap();
    other.execute_batch("CREATE TABLE t(x)").unwrap();
    drop(other);
    let before = fs::read(&path).unwrap();
    assert_eq!(open_error(&path).kind(), ErrorKind::Corrupt);
    assert_eq!(fs::read(&path).unwrap(), before);

    let path = dir.path().join("space.sqlite");
    sample(&path);
    let newer = rusqlite::Connection::open(&path).unwrap();
    newer.execute_batch("PRAGMA user_version = 99").unwrap();
    drop(newer);
    let error = open_error(&path);
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(error.detail().contains("upgrade echo-db"), "{error}");

    // A profile is no space.
    let profile = dir.path().join("profile");
    drop(ProfileStore::open(Some(&profile)).unwrap());
    let error = open_error(&profile.join("profile.sqlite"));
    assert!(error.detail().contains("not a space of echo-db"), "{error}");
}

#[test]
fn places_that_cannot_be_written_are_storage_errors() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let error = open_error(&file.join("space.sqlite"));
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    let error = ProfileStore::open(Some(&file)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    assert_eq!(open_error(dir.path()).kind(), ErrorKind::Storage);
}

/// Lets nobody write to a directory and what is in it, or lets its owner again.
#[cfg(target_os = "linux")]
fn set_writable(dir: &Path, writable: bool) {
    use std::os::unix::fs::PermissionsExt;
    let more = if writable { 0o200 } else { 0 };
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => set_writable(&path, writable),
            false => fs::set_permissions(&path, fs::Permissions::from_mode(0o400 | more)).unwrap(),
        }
    }
    fs::set_permissions(dir, fs::Permissions::from_mode(0o500 | more)).unwrap();
}

/// Runs `body` in a thread that permissions hold for, also those of the superuser, who owns what is
/// below `dir`.
#[cfg(target_os = "linux")]
fn as_anybody(dir: &Path, body: impl FnOnce() + Send) {
    const NOBODY: u32 = 65_534;
    fn give(path: &Path) {
        std::os::unix::fs::chown(path, Some(NOBODY), None).unwrap();
        if path.is_dir() {
            let held = fs::read_dir(path).unwrap();
            held.for_each(|entry| give(&entry.unwrap().path()));
        }
    }
    // SAFETY: a plain system call.
    let is_root = unsafe { libc::geteuid() } == 0;
    if is_root {
        give(dir);
    }
    std::thread::scope(|scope| {
        let work = scope.spawn(|| {
            if is_root {
                // SAFETY: a plain system call, which changes only who this thread is to the file
                // system.
                unsafe { libc::syscall(libc::SYS_setfsuid, NOBODY) };
            }
            body();
        });
        work.join().unwrap();
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_directory_is_a_storage_error() {
    let dir = tempfile::tempdir().unwrap();
    set_writable(dir.path(), false);
    as_anybody(dir.path(), || {
        let error = open_error(&dir.path().join("space.sqlite"));
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        let error = ProfileStore::open(Some(&dir.path().join("p")))
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn a_profile_on_a_read_only_medium_is_a_storage_error_and_left_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("profile");
    let mut profile = ProfileStore::open(Some(&root)).unwrap();
    profile.create_identity(b"keys", "Ada").unwrap();
    drop(profile);
    let space = root.join("spaces").join("space.sqlite");
    sample(&space);
    set_writable(&root, false);
    as_anybody(dir.path(), || {
        let error = ProfileStore::open(Some(&root)).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
        assert!(error.detail().contains("profile"), "{error}");
        assert_eq!(open_error(&space).kind(), ErrorKind::Storage);
        set_writable(&root, true);
        let profile = ProfileStore::open(Some(&root)).unwrap();
        assert_eq!(profile.display_name().unwrap().as_deref(), Some("Ada"));
        SpaceStore::open(Some(&space)).unwrap();
    });
}

/// Too large for the check at every open: the damage is met when it is read.
#[test]
fn damage_in_a_large_file_is_met_at_the_latest_when_read() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    let big = [vec![1u8; 200_000]];
    for seq in 0..100 {
        let row = row(seq, "{}");
        let writes = [write(&row, &big)];
        commit(&mut store, seq, EntryStatus::Applied, &writes).unwrap();
    }
    drop(store);
    let mut bad = fs::read(&path).unwrap();
    assert!(bad.len() > 17 << 20);
    let middle = bad.len() / 2;
    bad[middle..].fill(0xff);
    fs::write(&path, &bad).unwrap();
    let store = SpaceStore::open(Some(&path)).unwrap();
    let read = (0..100).try_for_each(|n| store.load_document(&object_id(n)).map(drop));
    assert_eq!(read.unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(store.check().unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn damaged_fields_are_corrupt_and_not_a_defect() {
    let mut store = SpaceStore::open(None).unwrap();
    make(&mut store, 0);
    let query = compile(&Query::parse(r#"{"field":"a","op":"eq","value":1}"#).unwrap());
    for damage in ["data = '{'", "plain = x'ff'", "heads = x'00'", "id = 7"] {
        let sql = format!("UPDATE objects SET {damage}");
        store.db.write(|tx| Ok(tx.execute(&sql, [])?)).unwrap();
        let error = found_by(&store, &query).expect_err(damage);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{damage}: {error}");
        let mend = "UPDATE objects SET data = '{\"a\":1}', plain = NULL, heads = x''";
        store.db.write(|tx| Ok(tx.execute(mend, [])?)).unwrap();
    }
}

/// SQLite answers a file at its page limit as it answers a full disk: `SQLITE_FULL`.
#[test]
fn a_full_disk_loses_nothing_and_the_store_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    make(&mut store, 0);
    let pages = |store: &SpaceStore, limit: i64| {
        let pragma = format!("PRAGMA max_page_count = {limit}");
        store
            .db
            .read(|c| c.query_row(&pragma, [], |_| Ok(())))
            .unwrap();
    };
    pages(&store, 1);
    let big = [vec![1u8; 100_000]];
    let error = commit(
        &mut store,
        1,
        EntryStatus::Applied,
        &[
            write(&row(0, r#"{"b":2}"#), &[]),
            write(&row(1, "{}"), &big),
        ],
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.detail().contains("disk is full"), "{error}");
    assert!(error.detail().contains("space.sqlite"), "{error}");

    assert_eq!(
        store.object(&object_id(0)).unwrap(),
        Some(row(0, r#"{"a":1}"#))
    );
    assert!(!store.has_entry(&entry_id(1)).unwrap());
    pages(&store, 1 << 30);
    make(&mut store, 1);
    store.flush().unwrap();
    drop(store);
    let store = SpaceStore::open(Some(&path)).unwrap();
    assert_eq!(store.count_objects().unwrap(), 2);
}

/// The child of [`a_killed_process_loses_no_commit`]: commits, says so, and dies at once.
#[test]
fn crashing_child() {
    let Some(path) = std::env::var_os("ECHODB_TEST_CRASH") else {
        return;
    };
    let mut store = SpaceStore::open(Some(Path::new(&path))).unwrap();
    (0..50).for_each(|n| make(&mut store, n));
    // Halfway through the next one.
    let _ = store.db.write(|tx| -> std::result::Result<(), _> {
        tx.execute("DELETE FROM objects", [])?;
        std::process::abort()
    });
}

#[test]
fn a_killed_process_loses_no_commit() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let name = "runtime::storage::tests::recovery::crashing_child";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--test-threads=1"])
        .env("ECHODB_TEST_CRASH", &path)
        .output()
        .unwrap();
    assert!(!child.status.success());
    assert!(
        dir.path()
            .join("space.sqlite-wal")
            .metadata()
            .unwrap()
            .len()
            > 0
    );
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    assert_eq!(store.counts().unwrap().objects, 50);
    store.check().unwrap();
    make(&mut store, 50);
}

/// A log cut off anywhere, as by a power cut, loses the latest commits and nothing else.
#[test]
fn a_torn_log_loses_only_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    (0..30).for_each(|n| make(&mut store, n));
    let (main, log) = (
        fs::read(&path).unwrap(),
        fs::read(dir.path().join("space.sqlite-wal")).unwrap(),
    );
    drop(store);
    for (i, cut) in (0..=log.len()).step_by(log.len() / 25).enumerate() {
        let path = dir.path().join(format!("cut{i}.sqlite"));
        fs::write(&path, &main).unwrap();
        fs::write(dir.path().join(format!("cut{i}.sqlite-wal")), &log[..cut]).unwrap();
        let mut store = SpaceStore::open(Some(&path)).unwrap();
        let kept = store.counts().unwrap();
        assert_eq!(kept.objects, kept.entries);
        assert!((0..kept.entries).all(|n| store.has_entry(&entry_id(n)).unwrap()));
        make(&mut store, 100);
    }
}
