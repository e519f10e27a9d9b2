//! What a space's file keeps.

use super::*;
use crate::model::ErrorKind;

#[test]
fn stores_may_move_between_threads() {
    fn check<T: Send>() {}
    check::<SpaceStore>();
    check::<ProfileStore>();
}

#[test]
fn everything_survives_closing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deep/er/space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    (0..3).for_each(|n| make(&mut store, n));
    store.put_meta("k", b"v").unwrap();
    store.flush().unwrap();
    drop(store);

    let store = SpaceStore::open(Some(&path)).unwrap();
    assert_eq!(
        store.object(&object_id(1)).unwrap(),
        Some(row(1, r#"{"a":1}"#))
    );
    assert_eq!(store.object(&object_id(9)).unwrap(), None);
    assert_eq!(store.meta("k").unwrap().as_deref(), Some(&b"v"[..]));
    assert_eq!(store.actor_feed(&[1, 2, 3]).unwrap(), Some(FEED));
    assert_eq!(store.actor_feed(&[1]).unwrap(), None);
    let counts = store.counts().unwrap();
    assert_eq!((counts.objects, counts.entries, counts.feeds), (3, 3, 1));
    store.check().unwrap();
    let mut heads = Vec::new();
    store
        .all_heads(|id, h| {
            heads.push((id, h));
            Ok(())
        })
        .unwrap();
    let want: Vec<_> = (0..3)
        .map(|n| (object_id(n), vec![[n as u8; 32]]))
        .collect();
    assert_eq!(heads, want);
}

#[test]
fn feeds_and_entries_are_found_by_place_and_arrival() {
    let mut store = SpaceStore::open(None).unwrap();
    (0..5).for_each(|n| make(&mut store, n));
    let tips = store.feed_tips().unwrap();
    assert_eq!(tips.len(), 1);
    assert_eq!((tips[0].seq, tips[0].id), (4, entry_id(4)));
    let range = |from, to, bytes| {
        let found = store.entries_range(&FEED, from, to, bytes).unwrap();
        found
            .iter()
            .map(|b| String::from_utf8(b.to_vec()).unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(range(1, 2, 1000), ["entry 1", "entry 2"]);
    assert_eq!(range(0, u64::MAX, 14), ["entry 0", "entry 1"]);
    assert_eq!(range(3, 9, 0), ["entry 3"]);
    assert_eq!(range(5, 9, 1000), [""; 0]);
    let after = store.entries_after(2, 2).unwrap();
    assert_eq!(after.iter().map(|e| e.seq).collect::<Vec<_>>(), [2, 3]);
    let entry = store.entry(&entry_id(4)).unwrap().unwrap();
    assert_eq!((entry.feed, &entry.bytes[..]), (FEED, &b"entry 4"[..]));
    assert!(store.has_entry(&entry_id(0)).unwrap());
    assert!(!store.has_entry(&entry_id(5)).unwrap());
    assert_eq!(store.feeds().unwrap()[0].header.as_ref(), b"header");
}

#[test]
fn an_entry_is_stored_once_and_only_in_a_known_feed() {
    let mut store = SpaceStore::open(None).unwrap();
    make(&mut store, 0);
    let again = commit(
        &mut store,
        0,
        EntryStatus::Applied,
        &[write(&row(5, "{}"), &[])],
    );
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    let stray = store.commit(&Commit {
        feed: None,
        entry: NewEntry {
            id: entry_id(1),
            feed: FeedId([8; 16]),
            seq: 0,
            bytes: b"",
        },
        status: EntryStatus::Applied,
        reason: None,
        actors: &[],
        objects: &[write(&row(6, "{}"), &[])],
        meta: &[("k", vec![1])],
    });
    assert_eq!(stray.unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(store.count_objects().unwrap(), 1);
    assert_eq!(store.meta("k").unwrap(), None);
    make(&mut store, 1);
}

#[test]
fn waiting_entries_are_settled_once() {
    let mut store = SpaceStore::open(None).unwrap();
    commit(&mut store, 0, EntryStatus::Waiting, &[]).unwrap();
    commit(&mut store, 1, EntryStatus::Quarantined, &[]).unwrap();
    let quarantined = store.quarantined().unwrap();
    assert_eq!(quarantined.len(), 1);
    assert_eq!(
        (quarantined[0].id, quarantined[0].feed),
        (entry_id(1), FEED)
    );
    assert_eq!(quarantined[0].reason, "bad change");
    let waiting = store.entries_with_status(EntryStatus::Waiting).unwrap();
    assert_eq!(waiting.len(), 1);

    let changes = [b"late".to_vec()];
    let row = row(3, "{}");
    let objects = [write(&row, &changes)];
    let settle = |store: &mut SpaceStore, n| {
        store.settle_entry(&entry_id(n), EntryStatus::Applied, None, &objects, &[])
    };
    settle(&mut store, 0).unwrap();
    assert_eq!(
        settle(&mut store, 0).unwrap_err().kind(),
        ErrorKind::InvalidState
    );
    assert_eq!(
        settle(&mut store, 7).unwrap_err().kind(),
        ErrorKind::NotFound
    );
    assert!(
        store
            .entries_with_status(EntryStatus::Waiting)
            .unwrap()
            .is_empty()
    );
    assert_eq!(store.change_count(&object_id(3)).unwrap(), 1);
}

#[test]
fn snapshots_drop_exactly_the_changes_they_cover() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("s");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    let id = object_id(1);
    let mut seq = 0;
    let mut add = |store: &mut SpaceStore, change: &[u8]| {
        let changes = [change.to_vec()];
        commit(
            store,
            seq,
            EntryStatus::Applied,
            &[write(&row(1, "{}"), &changes)],
        )
        .unwrap();
        seq += 1;
    };
    assert_eq!(store.load_document(&id).unwrap(), None);
    add(&mut store, b"a");
    add(&mut store, b"b");
    let early = store.load_document(&id).unwrap().unwrap();
    assert_eq!(
        (early.snapshot, early.changes.len(), early.upto),
        (None, 2, 2)
    );
    add(&mut store, b"c");
    let late = store.load_document(&id).unwrap().unwrap();
    add(&mut store, b"d");
    assert!(store.replace_snapshot(&id, b"abc", late.upto).unwrap());
    // A slower snapshot of less comes too late.
    assert!(!store.replace_snapshot(&id, b"ab", early.upto).unwrap());
    assert!(store.replace_snapshot(&id, b"?", 99).is_err());
    let now = store.load_document(&id).unwrap().unwrap();
    assert_eq!(now.snapshot.as_deref(), Some(&b"abc"[..]));
    assert_eq!((now.changes, now.upto), (vec![b"d".to_vec()], 4));
    assert!(store.replace_snapshot(&id, b"abcd", 4).unwrap());
    drop(store);

    // Numbers are not given out again, though no change is left.
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    add(&mut store, b"e");
    let now = store.load_document(&id).unwrap().unwrap();
    assert_eq!((now.changes, now.upto), (vec![b"e".to_vec()], 5));
    assert!(!store.replace_snapshot(&id, b"old", 4).unwrap());
}

#[test]
fn rows_move_between_types_and_parents() {
    let mut store = SpaceStore::open(None).unwrap();
    make(&mut store, 1);
    let moved = ObjectRow {
        type_name: None,
        parent: Some(object_id(2)),
        deleted: true,
        plain: Some(r#"{"b":2}"#.into()),
        ..row(1, r#"{"b":{"@counter":2}}"#)
    };
    let writes = [write(&moved, &[])];
    commit(&mut store, 9, EntryStatus::Applied, &writes).unwrap();
    assert_eq!(store.object(&moved.id).unwrap(), Some(moved));
    store.check().unwrap();
}

#[test]
fn a_blob_number_is_given_once_and_a_finished_blob_is_not_given_up() {
    use crate::model::blob::BlobBuilder;
    use crate::space::BlobStore;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    let first = store.begin_blob().unwrap();
    store.give_up_blob(first).unwrap();
    while store.sweep_blocks().unwrap().is_some() {}
    drop(store);
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    let second = store.begin_blob().unwrap();
    assert!(second > first, "{second} after {first}");
    let mut blocks = Vec::new();
    let root = BlobBuilder::default().finish(&mut blocks);
    let row = store.finish_blob(second, &blocks, &root, 0).unwrap();
    store.give_up_blob(second).unwrap();
    assert_eq!(
        store.blob(&root.id()).unwrap().map(|row| row.n),
        Some(row.n)
    );
}
