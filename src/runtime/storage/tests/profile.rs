//! The profile's file, its lock, and the files of its spaces.

use super::*;
use crate::model::{ErrorKind, IdentityKey, SpaceId};
use std::path::Path;

const INVITATION: [u8; 16] = [3; 16];

fn opened(dir: &Path) -> ProfileStore {
    ProfileStore::open(Some(dir)).unwrap()
}

fn refused<T>(result: crate::model::Result<T>) -> ErrorKind {
    result.err().expect("must be refused").kind()
}

#[test]
fn identity_settings_and_spaces_survive_closing() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("profile");
    let (a, b) = (SpaceId([1; 32]), SpaceId([2; 32]));
    let mut store = opened(&dir);
    assert!(store.keyring().unwrap().is_none());
    assert_eq!(
        refused(store.set_display_name("x")),
        ErrorKind::InvalidState
    );
    store.create_identity(b"secret", "Ada").unwrap();
    assert_eq!(
        refused(store.create_identity(b"", "")),
        ErrorKind::AlreadyExists
    );
    store.set_display_name("Ada L.").unwrap();
    store.set_setting("k", Some(b"v")).unwrap();
    store.add_space(&a, true, 5).unwrap();
    store.add_space(&b, true, 6).unwrap();
    assert_eq!(
        refused(store.add_space(&a, false, 7)),
        ErrorKind::AlreadyExists
    );
    store.set_space_opened(&a, false).unwrap();
    assert_eq!(
        refused(store.set_default_space(&SpaceId([9; 32]))),
        ErrorKind::NotFound
    );
    drop(store);

    let mut store = opened(&dir);
    assert_eq!(store.keyring().unwrap().unwrap().as_slice(), b"secret");
    assert_eq!(store.display_name().unwrap().as_deref(), Some("Ada L."));
    assert_eq!(store.setting("k").unwrap().as_deref(), Some(&b"v"[..]));
    let spaces = store.spaces().unwrap();
    assert_eq!(spaces.iter().map(|s| s.id).collect::<Vec<_>>(), [a, b]);
    assert_eq!(
        (spaces[0].is_default, spaces[0].opened, spaces[0].joined_ms),
        (false, false, 5)
    );
    assert!(spaces[1].is_default);
    store.set_default_space(&a).unwrap();
    store.set_space_position(&a, 9).unwrap();
    let spaces = store.spaces().unwrap();
    assert_eq!(
        (spaces[1].id, spaces[1].is_default, spaces[0].is_default),
        (a, true, false)
    );
    store.set_setting("k", None).unwrap();
    assert_eq!(store.setting("k").unwrap(), None);
}

#[test]
fn a_second_opener_is_told_which_profile_is_in_use() {
    let dir = tempfile::tempdir().unwrap();
    let first = opened(dir.path());
    let error = ProfileStore::open(Some(dir.path())).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::ProfileLocked);
    assert!(
        error.detail().contains(dir.path().to_str().unwrap()),
        "{error}"
    );
    drop(first);
    opened(dir.path());
}

#[test]
fn an_attempt_is_counted_once_and_outlives_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = opened(dir.path());
    assert_eq!(refused(store.use_code(&INVITATION)), ErrorKind::NotFound);
    store.put_invitation(&INVITATION, b"one").unwrap();
    assert_eq!(store.use_code(&INVITATION).unwrap(), 1);
    drop(store);
    let mut store = opened(dir.path());
    assert_eq!(store.use_code(&INVITATION).unwrap(), 2);
    store.put_invitation(&INVITATION, b"two").unwrap();
    let want = |used_codes, uses| StoredInvitation {
        id: INVITATION,
        used_codes,
        uses,
        payload: b"two".to_vec().into(),
    };
    assert_eq!(store.invitations().unwrap(), [want(2, 0)]);
    assert_eq!(store.use_code(&INVITATION).unwrap(), 3);
    // There is no fourth, however often it is asked for.
    for _ in 0..3 {
        assert_eq!(store.use_code(&INVITATION).unwrap(), 4);
    }
    assert_eq!(store.invitation(&INVITATION).unwrap(), Some(want(3, 0)));
    store.remove_invitation(&INVITATION).unwrap();
    assert!(store.invitations().unwrap().is_empty());
    assert_eq!(store.invitation(&INVITATION).unwrap(), None);
}

#[test]
fn attack_03_ten_thousand_guesses_at_once_and_a_killed_host_get_three_codes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = opened(dir.path());
    store.put_invitation(&INVITATION, b"one").unwrap();
    let mut good = 0;
    // Killed after every thousandth: what was counted is counted.
    for _ in 0..10 {
        let shared = std::sync::Mutex::new(store);
        let counted = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..125 {
                        let used = shared.lock().unwrap().use_code(&INVITATION).unwrap();
                        let may_be_checked = used <= crate::model::limits::CODES_PER_INVITATION;
                        counted.fetch_add(
                            u32::from(may_be_checked),
                            std::sync::atomic::Ordering::SeqCst,
                        );
                    }
                });
            }
        });
        good += counted.into_inner();
        drop(shared);
        store = opened(dir.path());
    }
    assert_eq!(good, 3);
}

#[test]
fn guests_are_counted_once_and_each_brings_three_new_codes() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = opened(dir.path());
    let guest = |n: u8| IdentityKey([n; 32]);
    assert_eq!(
        refused(store.admit(&INVITATION, &guest(1), 2)),
        ErrorKind::NotFound
    );
    store.put_invitation(&INVITATION, b"one").unwrap();
    store.use_code(&INVITATION).unwrap();
    store.use_code(&INVITATION).unwrap();
    assert!(store.admit(&INVITATION, &guest(1), 2).unwrap());
    drop(store);
    let mut store = opened(dir.path());
    assert_eq!(store.use_code(&INVITATION).unwrap(), 1);
    // The same one again, whose connection broke: no use, and no codes are given back.
    assert!(store.admit(&INVITATION, &guest(1), 2).unwrap());
    assert_eq!(store.use_code(&INVITATION).unwrap(), 2);
    assert!(store.admit(&INVITATION, &guest(2), 2).unwrap());
    assert!(!store.admit(&INVITATION, &guest(3), 2).unwrap());
    assert!(store.admit(&INVITATION, &guest(2), 2).unwrap());
    let stored = store.invitation(&INVITATION).unwrap().unwrap();
    assert_eq!((stored.uses, stored.used_codes), (2, 0));
    assert_eq!(store.admitted(&INVITATION).unwrap(), [guest(1), guest(2)]);
    store.remove_invitation(&INVITATION).unwrap();
    assert!(store.admitted(&INVITATION).unwrap().is_empty());
}

#[test]
fn deleting_a_space_removes_its_files_even_after_a_crash() {
    let dir = tempfile::tempdir().unwrap();
    let (a, b) = (SpaceId([1; 32]), SpaceId([2; 32]));
    let mut store = opened(dir.path());
    for id in [a, b] {
        store.add_space(&id, false, 0).unwrap();
        make(&mut store.open_space(&id).unwrap(), 0);
    }
    let path = store.space_path(&a).unwrap();
    assert!(path.exists());
    store.delete_space(&a).unwrap();
    assert!(!path.exists());
    assert_eq!(store.spaces().unwrap().len(), 1);
    assert_eq!(refused(store.delete_space(&a)), ErrorKind::NotFound);

    // The crash: the row is marked, and nothing of the rest has happened.
    let path = store.space_path(&b).unwrap();
    store
        .db
        .write(|tx| Ok(tx.execute("UPDATE spaces SET deleting = 1", [])?))
        .unwrap();
    assert!(store.spaces().unwrap().is_empty());
    drop(store);
    let mut store = opened(dir.path());
    assert!(!path.exists());
    store.add_space(&b, false, 0).unwrap();
}

#[test]
fn a_file_that_cannot_be_removed_keeps_nobody_out() {
    let dir = tempfile::tempdir().unwrap();
    let id = SpaceId([1; 32]);
    let mut store = opened(dir.path());
    store.add_space(&id, false, 0).unwrap();
    let path = store.space_path(&id).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert_eq!(refused(store.delete_space(&id)), ErrorKind::Storage);
    drop(store);
    let store = opened(dir.path());
    assert!(store.spaces().unwrap().is_empty());
    drop(store);
    std::fs::remove_dir(&path).unwrap();
    opened(dir.path()).add_space(&id, false, 0).unwrap();
}

#[test]
fn a_profile_in_memory_needs_no_files() {
    let mut store = ProfileStore::open(None).unwrap();
    let id = SpaceId([1; 32]);
    store.create_identity(b"secret", "Ada").unwrap();
    store.add_space(&id, true, 0).unwrap();
    assert_eq!(store.space_path(&id), None);
    make(&mut store.open_space(&id).unwrap(), 0);
    store.delete_space(&id).unwrap();
}

#[cfg(unix)]
#[test]
fn files_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().join("profile");
    let mut store = opened(&dir);
    let id = SpaceId([1; 32]);
    store.add_space(&id, false, 0).unwrap();
    let mut space = store.open_space(&id).unwrap();
    make(&mut space, 0);
    let mut pending = vec![dir];
    let mut files = 0;
    while let Some(path) = pending.pop() {
        let meta = std::fs::metadata(&path).unwrap();
        let mode = meta.permissions().mode() & 0o777;
        if meta.is_dir() {
            assert_eq!(mode, 0o700, "{path:?}");
            pending.extend(std::fs::read_dir(&path).unwrap().map(|e| e.unwrap().path()));
        } else {
            assert_eq!(mode, 0o600, "{path:?}");
            files += 1;
        }
    }
    // Two databases with a log each, the index of the space's log, and the lock.
    assert_eq!(files, 6);
}

/// A profile as version 1 made it, with an identity and two spaces.
#[test]
fn a_profile_of_version_1_is_brought_to_the_present_one() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("profile.sqlite");
    let conn = rusqlite::Connection::open(&file).unwrap();
    conn.execute_batch(
        "PRAGMA application_id = 1162037360; PRAGMA user_version = 1;
         CREATE TABLE identity(
             one INTEGER PRIMARY KEY CHECK(one = 1), display_name TEXT NOT NULL,
             keyring BLOB NOT NULL);
         CREATE TABLE spaces(
             id BLOB PRIMARY KEY, position INTEGER NOT NULL, is_default INTEGER NOT NULL,
             opened INTEGER NOT NULL, joined INTEGER NOT NULL, deleting INTEGER NOT NULL);
         CREATE TABLE invitations(id BLOB PRIMARY KEY, payload BLOB NOT NULL);
         CREATE TABLE attempts(
             invitation BLOB NOT NULL, code INTEGER NOT NULL,
             PRIMARY KEY(invitation, code)) WITHOUT ROWID;
         CREATE TABLE settings(key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
         INSERT INTO identity VALUES(1, 'Ada', x'01');",
    )
    .unwrap();
    for (position, byte) in [(0, 1u8), (1, 2)] {
        conn.execute(
            "INSERT INTO spaces VALUES(?1, ?2, ?3, 1, 5, 0)",
            rusqlite::params![[byte; 32], position, position == 0],
        )
        .unwrap();
    }
    drop(conn);
    let mut store = opened(dir.path());
    let spaces = store.spaces().unwrap();
    assert_eq!(spaces.len(), 2);
    assert!(spaces[0].is_default && spaces.iter().all(|space| !space.is_halo));
    let halo = SpaceId([3; 32]);
    store.add_halo(&halo, 7).unwrap();
    let again = refused(store.create_identity_in(b"x", "Bob", &SpaceId([4; 32]), 8));
    assert_eq!(again, ErrorKind::AlreadyExists);
    drop(store);
    let spaces = opened(dir.path()).spaces().unwrap();
    assert_eq!(spaces.len(), 3, "the refused identity left no space behind");
    assert!(spaces[2].is_halo && spaces[2].id == halo);
}
