//! Encrypted files, under SQLite.

use super::*;
use crate::api::EncryptionMode;
use crate::model::{ErrorKind, SpaceId};
use crate::runtime::storage::sealed::{FileKey, Seal, Start, start};
use crate::runtime::storage::{Access, ProfileStore, Vault, connection, files};
use rusqlite::Connection;
use std::fs;
use std::path::{Path, PathBuf};

const WORD: &str = "needle-in-the-haystack";

fn seal() -> Seal {
    Seal::new(FileKey::derive(&[7; 32], b"space")).unwrap()
}

fn open(path: &Path) -> crate::model::Result<SpaceStore> {
    SpaceStore::open_sealed(Some(path), Some(seal()))
}

/// Objects that say [`WORD`], and enough of them to fill pages.
fn fill(store: &mut SpaceStore, seqs: std::ops::Range<u64>) {
    for seq in seqs {
        let changes = [format!("{WORD} {seq} ").repeat(40).into_bytes()];
        let row = row(seq, &format!(r#"{{"word":"{WORD}","n":{seq}}}"#));
        let writes = [write(&row, &changes)];
        commit(store, seq, EntryStatus::Applied, &writes).unwrap();
    }
}

fn files_of(path: &Path) -> Vec<PathBuf> {
    let dir = fs::read_dir(path.parent().unwrap()).unwrap();
    let files = dir.map(|file| file.unwrap().path());
    files.filter(|file| file.is_file()).collect()
}

/// Asserts that no file beside `path`, itself included, says the word.
fn nothing_is_plain(path: &Path) {
    for file in files_of(path) {
        let bytes = fs::read(&file).unwrap();
        let found = bytes.windows(WORD.len()).any(|w| w == WORD.as_bytes());
        assert!(!found, "{}", file.display());
        let magic = bytes.windows(15).any(|w| w == b"SQLite format 3");
        assert!(!magic, "{}", file.display());
    }
}

fn copy_all(from: &Path, to: &Path) {
    for file in files_of(from) {
        let name = file.file_name().unwrap();
        if !name.to_string_lossy().ends_with("-shm") {
            fs::copy(&file, to.join(name)).unwrap();
        }
    }
}

#[test]
fn what_is_written_comes_back_and_is_nowhere_plain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = open(&path).unwrap();
    fill(&mut store, 1..200);
    store.flush().unwrap();
    nothing_is_plain(&path);
    // As a crash leaves it: all of it is in the log.
    let crashed = tempfile::tempdir().unwrap();
    copy_all(&path, crashed.path());
    let other = open(&crashed.path().join("space.sqlite")).unwrap();
    assert_eq!(other.counts().unwrap().entries, 199);
    other.check().unwrap();
    drop(other);
    nothing_is_plain(&crashed.path().join("space.sqlite"));
    drop(store);
    assert_eq!(start(&path).unwrap(), Start::Sealed);
    nothing_is_plain(&path);
    assert_eq!(files_of(&path).len(), 1, "the log is gone");
    let store = open(&path).unwrap();
    assert_eq!(store.counts().unwrap().entries, 199);
    store.check().unwrap();
}

#[test]
fn other_keys_and_none_open_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    fill(&mut open(&path).unwrap(), 1..20);
    let before = fs::read(&path).unwrap();
    let other = Seal::new(FileKey::derive(&[8; 32], b"space")).unwrap();
    let error = SpaceStore::open_sealed(Some(&path), Some(other))
        .err()
        .unwrap();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    let error = SpaceStore::open(Some(&path)).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
    assert!(fs::read(&path).unwrap() == before, "it is untouched");
    let newer = [b"echodb sealed 2\0", &before[16..]].concat();
    fs::write(&path, &newer).unwrap();
    let error = open(&path).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
}

/// Any change to the file is noticed, at the latest when the page is read.
#[test]
fn a_changed_page_is_damage_and_never_other_data() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    fill(&mut open(&path).unwrap(), 1..150);
    let whole = fs::read(&path).unwrap();
    let pages = whole.len() / 4096;
    assert!(pages > 30, "{pages}");
    let mut harmed = 0;
    for page in 0..pages {
        let mut bytes = whole.clone();
        bytes[page * 4096 + 1 + (page * 131) % 4094] ^= 1;
        fs::write(&path, &bytes).unwrap();
        let checked = open(&path).and_then(|store| {
            store.check()?;
            store.counts()
        });
        match checked {
            Ok(counts) => assert_eq!(counts.entries, 149),
            Err(e) => {
                assert_eq!(e.kind(), ErrorKind::Corrupt, "page {page}: {e}");
                harmed += 1;
            }
        }
    }
    // All but pages that hold nothing.
    assert!(harmed + 3 >= pages, "{harmed} of {pages}");
    // Cut short by a page, or by a part of one.
    for cut in [1, 4096, 5000] {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        match open(&path) {
            // The last page holds nothing.
            Ok(store) if cut < 4096 => assert_eq!(store.counts().unwrap().entries, 149),
            Ok(_) => panic!("a page is missing"),
            Err(e) => assert_eq!(e.kind(), ErrorKind::Corrupt, "{cut}"),
        }
    }
}

/// A log whose end is torn is used up to there, as SQLite does.
#[test]
fn a_torn_log_ends_where_it_is_torn() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = open(&path).unwrap();
    fill(&mut store, 1..3);
    let counts: Vec<(u64, u64)> = (3..40)
        .map(|seq| {
            fill(&mut store, seq..seq + 1);
            let log = files::side_file(&path, "-wal").metadata().unwrap().len();
            (log, seq)
        })
        .collect();
    let log = fs::read(files::side_file(&path, "-wal")).unwrap();
    for (n, (end, seq)) in counts.iter().enumerate() {
        for torn in [0, 1, 700, 4159] {
            let crashed = tempfile::tempdir().unwrap();
            copy_all(&path, crashed.path());
            let mut bytes = log.clone();
            let at = (*end as usize - 1) - torn;
            match n % 2 {
                0 => bytes.truncate(at),
                _ => bytes[at] ^= 4,
            }
            fs::write(crashed.path().join("space.sqlite-wal"), &bytes).unwrap();
            let store = open(&crashed.path().join("space.sqlite")).unwrap();
            assert_eq!(store.counts().unwrap().entries, seq - 1, "{end} {torn}");
            store.check().unwrap();
        }
    }
}

/// A transaction that is larger than the cache writes pages to the log more than once, and then
/// corrects the sums in the frames.
#[test]
fn a_transaction_larger_than_the_cache_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    drop(open(&path).unwrap());
    let seal = seal();
    let conn = connection::open(Some(&path), Some(&seal), connection::Access::Write).unwrap();
    conn.execute_batch(
        "PRAGMA cache_size = 5; PRAGMA temp_store = MEMORY; CREATE TABLE t(a, b); BEGIN",
    )
    .unwrap();
    for n in 0..3000 {
        conn.execute("INSERT INTO t VALUES(?1, ?2)", (n, WORD.repeat(20)))
            .unwrap();
    }
    conn.execute_batch("UPDATE t SET b = b || 'x'; CREATE INDEX i ON t(b); SAVEPOINT s; DELETE FROM t; ROLLBACK TO s; COMMIT")
        .unwrap();
    nothing_is_plain(&path);
    let crashed = tempfile::tempdir().unwrap();
    copy_all(&path, crashed.path());
    for path in [path, crashed.path().join("space.sqlite")] {
        let conn = connection::open(Some(&path), Some(&seal), connection::Access::Write).unwrap();
        let verdict: String = conn
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(verdict, "ok");
        let count: i64 = conn
            .query_row("SELECT count(*) FROM t WHERE b LIKE '%x'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(count, 3000);
    }
}

/// Readers beside a writer and its checkpoints, each through the layer.
#[test]
fn readers_see_whole_transactions() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    drop(open(&path).unwrap());
    let seal = seal();
    let connect = || {
        let conn = connection::open(Some(&path), Some(&seal), connection::Access::Write).unwrap();
        conn.busy_timeout(std::time::Duration::from_secs(5))
            .unwrap();
        conn
    };
    let writer = connect();
    writer
        .execute_batch("PRAGMA wal_autocheckpoint = 10; CREATE TABLE t(a INTEGER PRIMARY KEY, b); INSERT INTO t VALUES(1, 0), (2, 0)")
        .unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let conn = connect();
                while !done.load(std::sync::atomic::Ordering::Relaxed) {
                    let (low, high): (i64, i64) = conn
                        .query_row("SELECT min(b), max(b) FROM t", [], |r| {
                            Ok((r.get(0)?, r.get(1)?))
                        })
                        .unwrap();
                    assert_eq!(low, high);
                }
            });
        }
        for n in 1..500 {
            writer.execute("UPDATE t SET b = ?1", [n]).unwrap();
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}

#[test]
fn a_plain_file_becomes_encrypted_and_keeps_everything() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    fill(&mut store, 1..100);
    // A part of it is in the log only, as after a crash.
    let crashed = tempfile::tempdir().unwrap();
    copy_all(&path, crashed.path());
    drop(store);
    let dump = |store: &SpaceStore| {
        store
            .db
            .read(|conn| {
                let sql = "SELECT group_concat(n || id || data || tail, ';') FROM objects";
                conn.query_row(sql, [], |row| row.get::<_, Vec<u8>>(0))
            })
            .or_else(|_| {
                store.db.read(|conn| {
                    let sql = "SELECT count(*), sum(n), sum(tail) FROM objects";
                    conn.query_row(sql, [], |row| {
                        let numbers: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
                        Ok(format!("{numbers:?}").into_bytes())
                    })
                })
            })
            .unwrap()
    };
    let expected = dump(&SpaceStore::open(Some(&path)).unwrap());
    for path in [path, crashed.path().join("space.sqlite")] {
        assert_eq!(start(&path).unwrap(), Start::Plain);
        // What an attempt left that was cut short.
        fs::write(path.with_extension("sealing"), b"half").unwrap();
        let mut store = open(&path).unwrap();
        assert_eq!(start(&path).unwrap(), Start::Sealed);
        nothing_is_plain(&path);
        assert_eq!(dump(&store), expected);
        store.check().unwrap();
        fill(&mut store, 100..120);
        drop(store);
        assert_eq!(open(&path).unwrap().counts().unwrap().entries, 119);
        nothing_is_plain(&path);
        assert_eq!(files_of(&path).len(), 1);
    }
}

#[test]
fn what_is_not_ours_is_not_encrypted() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t(a)")
        .unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(open(&path).err().unwrap().kind(), ErrorKind::Corrupt);
    assert!(fs::read(&path).unwrap() == before);
    // Pages, but nothing in them.
    fs::remove_file(&path).unwrap();
    Connection::open(&path)
        .unwrap()
        .execute_batch("CREATE TABLE t(a); DROP TABLE t; VACUUM")
        .unwrap();
    fill(&mut open(&path).unwrap(), 1..5);
    nothing_is_plain(&path);
}

#[test]
fn a_profile_is_encrypted_as_a_whole() {
    let dir = tempfile::tempdir().unwrap();
    let space = SpaceId([4; 32]);
    let mut plain = ProfileStore::open(Some(dir.path())).unwrap();
    plain.create_identity(WORD.as_bytes(), WORD).unwrap();
    fill(&mut plain.open_space(&space).unwrap(), 1..30);
    plain.add_space(&space, true, 0).unwrap();
    drop(plain);
    let profile = ProfileStore::open_with(Some(dir.path()), Access::default()).unwrap();
    let path = profile.space_path(&space).unwrap();
    assert_eq!(start(&path).unwrap(), Start::Sealed, "before it is opened");
    assert_eq!(profile.display_name().unwrap().unwrap(), WORD);
    assert_eq!(
        profile
            .open_space(&space)
            .unwrap()
            .counts()
            .unwrap()
            .entries,
        29
    );
    drop(profile);
    nothing_is_plain(&path);
    nothing_is_plain(&dir.path().join("profile.sqlite"));
    // Off means that nothing is encrypted that was not, no more.
    let off = Access {
        mode: EncryptionMode::Off,
        ..Access::default()
    };
    let profile = ProfileStore::open_with(Some(dir.path()), off.clone()).unwrap();
    assert_eq!(
        profile.keyring().unwrap().unwrap().as_slice(),
        WORD.as_bytes()
    );
    drop(profile);
    // Without its key file there is no way in, and nothing is begun anew.
    fs::rename(dir.path().join("key"), dir.path().join("elsewhere")).unwrap();
    for access in [off, Access::default()] {
        let error = ProfileStore::open_with(Some(dir.path()), access)
            .err()
            .unwrap();
        assert_eq!(error.kind(), ErrorKind::KeyUnavailable, "{error}");
    }
    assert!(!dir.path().join("key").exists());
}

/// A crash between the steps of a change of keeper leaves one or the other.
#[test]
fn a_change_of_passphrase_is_one_step() {
    let dir = tempfile::tempdir().unwrap();
    let open = |passphrase: Option<&str>| {
        let access = Access {
            passphrase: passphrase.map(|text| text.to_owned().into()),
            ..Access::default()
        };
        ProfileStore::open_with(Some(dir.path()), access)
    };
    let profile = open(None).unwrap();
    let (key, file_key) = (dir.path().join("key"), dir.path().join("file-key"));
    let before = (fs::read(&key).unwrap(), fs::read(&file_key).unwrap());
    let vault: std::sync::Arc<Vault> = profile.vault().unwrap();
    vault.set_passphrase(None, Some("one")).unwrap();
    assert!(!file_key.exists());
    let after = fs::read(&key).unwrap();
    drop(profile);
    // The new file was written, and not put in its place.
    fs::write(&key, &before.0).unwrap();
    fs::write(&file_key, &before.1).unwrap();
    fs::write(dir.path().join("key.new"), &after[..50]).unwrap();
    drop(open(None).unwrap());
    // It was, and the old key was not removed.
    fs::write(&key, &after).unwrap();
    fs::write(&file_key, &before.1).unwrap();
    assert_eq!(open(None).err().unwrap().kind(), ErrorKind::KeyUnavailable);
    drop(open(Some("one")).unwrap());
    assert!(!file_key.exists(), "it is removed then");
    let text = format!("{vault:?}");
    assert_eq!(text, "Vault(Passphrase)");
}
