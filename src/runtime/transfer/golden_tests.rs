//! A golden archive: what today's version writes every later one must read.
//! `ECHODB_BLESS=1 cargo test golden` writes it anew; do so only for a new format version.

use super::archive;
use super::archive_format::{Reader, Record, Writer};
use crate::api::ClientOptions;
use crate::identity::Keyring;
use crate::model::{ObjectId, Operation, json};
use crate::runtime::node::NodeGuard;
use crate::runtime::storage::{ProfileStore, SpaceStore};
use crate::space::{Founding, SpaceCore};
use data_encoding::HEXLOWER;
use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const NOW: u64 = 1_763_864_160_123;

/// Bytes that are not random at all.
fn counting(seed: u8) -> impl FnMut(&mut [u8]) + Send {
    let mut next = seed;
    move |to: &mut [u8]| {
        for byte in to {
            *byte = next;
            next = next.wrapping_mul(5).wrapping_add(1);
        }
    }
}

/// As the first version made it, with its stored form.
fn keyring() -> (Arc<Keyring>, Vec<u8>) {
    let (keyring, stored) = Keyring::version_1("", &mut counting(7));
    (Arc::new(keyring), stored)
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/archive.hex")
}

fn load() -> Vec<u8> {
    let text = std::fs::read_to_string(golden()).unwrap();
    HEXLOWER.decode(text.replace('\n', "").as_bytes()).unwrap()
}

/// A space of one member with two objects, as an archive.
fn write(path: &str) {
    let (keyring, _) = keyring();
    let founding = Founding::new(&keyring, "Ada", &mut counting(1)).unwrap();
    let store = Box::new(SpaceStore::open(None).unwrap());
    let random = Box::new(counting(3));
    let mut core = SpaceCore::found(founding, store, keyring, random, NOW).unwrap();
    for (object, fields) in [
        (ObjectId::PROPERTIES, r#"{"name": "Golden"}"#),
        (
            ObjectId([9; 16]),
            r#"{"text": {"@text": "héllo"}, "count": {"@counter": 2}, "list": [1, null]}"#,
        ),
    ] {
        let create = Operation::Create {
            object,
            type_name: None,
            fields: json::parse_fields(fields).unwrap(),
        };
        core.transact(&[create], None, None, NOW).unwrap();
    }
    let mut writer = Writer::begin(path, &core.id()).unwrap();
    let mut named = Vec::new();
    for entry in core.entries_after(0, usize::MAX).unwrap() {
        if !named.contains(&entry.feed) {
            writer
                .feed(&core.feed_header(&entry.feed).unwrap().0)
                .unwrap();
            named.push(entry.feed);
        }
        writer.entry(&entry.bytes).unwrap();
    }
    writer.finish().unwrap();
}

/// What the identity's key followed from is gone from the profile's files.
fn forgets_the_entropy(profile: &Path) {
    let (_, stored) = keyring();
    let entropy = &stored[1..17];
    let mut seen = 0;
    for file in std::fs::read_dir(profile).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            seen += bytes.len();
            let found = bytes.windows(entropy.len()).any(|part| part == entropy);
            assert!(!found, "{}", path.display());
        }
    }
    assert!(seen > 4096);
}

#[test]
fn the_golden_archive_is_checked_and_imported() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("golden.echo").display().to_string();
    if std::env::var_os("ECHODB_BLESS").is_some() {
        write(&path);
        let bytes = std::fs::read(&path).unwrap();
        let lines = bytes.chunks(32).map(|line| HEXLOWER.encode(line) + "\n");
        std::fs::write(golden(), lines.collect::<String>()).unwrap();
    }
    std::fs::write(&path, load()).unwrap();
    let info = archive::verify(&path).unwrap();
    assert_eq!((info.version, info.feeds, info.entries), (1, 2, 4));
    assert_eq!(info.control_entries, 2);

    let profile = dir.path().join("profile");
    let mut store = ProfileStore::open(Some(&profile)).unwrap();
    store.create_identity(&keyring().1, "Ada").unwrap();
    drop(store);
    let options = ClientOptions {
        profile: Some(profile.display().to_string()),
        online: false,
        ..ClientOptions::default()
    };
    let node = NodeGuard::open(options, None).unwrap();
    forgets_the_entropy(&profile);
    let space = node.import_archive(&path).unwrap();
    assert_eq!(space.info().unwrap().name, "Golden");
    let object = space.get(ObjectId([9; 16])).unwrap().unwrap();
    let expected = r#"{"count":{"@counter":2},"list":[1,null],"text":{"@text":"héllo"}}"#;
    assert_eq!(object.fields, expected);
    assert_eq!(space.status().unwrap().entries, 4);
}

#[test]
fn the_golden_archive_is_written_again_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("again.echo").display().to_string();
    let bytes = load();
    let mut source = Cursor::new(bytes.clone());
    let mut reader = Reader::begin(&mut source).unwrap();
    let mut writer = Writer::begin(&path, &reader.space()).unwrap();
    while let Ok(record) = reader.next().unwrap() {
        match record {
            Record::Feed(header) => writer.feed(&header).unwrap(),
            Record::Entry(entry) => writer.entry(&entry).unwrap(),
            Record::Blob(_) | Record::Block(_) => panic!("the golden archive has no blobs"),
        }
    }
    writer.finish().unwrap();
    assert!(std::fs::read(&path).unwrap() == bytes);
}
