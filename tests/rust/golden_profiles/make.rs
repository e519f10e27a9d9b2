//! Makes the profiles of two members and of a second device of one, which share a space in which
//! there is something of everything.

use super::people;
use super::seen;
use super::support::{Signal, converge, pair, wait};
use echodb::{Client, ClientOptions, EncryptionMode, MarkExpand, SearchOptions, Space, TextUnit};
use serde_json::{Value as Json, json};
use std::path::Path;
use std::sync::Arc;

/// A blob of one block, which all have.
const BLOB_BYTES: u32 = 3_000;

/// Opens a profile without a network; one that is plain is encrypted.
pub fn open_offline(dir: &Path) -> Arc<Client> {
    open_with(dir, EncryptionMode::Auto)
}

/// As [`open_offline`], of one that stays as it is.
fn open_as_it_is(dir: &Path) -> Arc<Client> {
    open_with(dir, EncryptionMode::Off)
}

fn open_with(dir: &Path, encryption: EncryptionMode) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        online: false,
        encryption,
        ..ClientOptions::default()
    };
    Client::open(options, None).unwrap()
}

/// A client whose profile is made: plain, so that it takes little room when it is compressed, or
/// encrypted as profiles are that nobody says anything about.
fn begin(dir: &Path, signal: &Signal, encryption: EncryptionMode) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        signaling: vec![signal.url.clone()],
        bind: vec!["127.0.0.1:0".into()],
        encryption,
        ..ClientOptions::default()
    };
    Client::open(options, None).unwrap()
}

/// Makes all of them below `dir` and says what is in them. What they share is Ada's default space:
/// of encrypted files there are to be few.
pub fn make(dir: &Path) -> Json {
    let signal = Signal::start();
    let ada = begin(&dir.join("ada"), &signal, EncryptionMode::Auto);
    let bob = begin(&dir.join("bob"), &signal, EncryptionMode::Off);
    let phone = begin(&dir.join("phone"), &signal, EncryptionMode::Off);
    ada.create_identity("Ada".into()).unwrap();
    bob.create_identity("Bob".into()).unwrap();
    let mine = ada.default_space().unwrap();
    mine.set_properties(r#"{"name": "Garden"}"#.into()).unwrap();
    let note = write(&mine);
    let theirs = pair(&mine, &bob);
    converge(&mine, &theirs);
    answer(&theirs, &note);
    converge(&mine, &theirs);
    let pocket = people::add_device(&ada, &phone, &mine);
    people::exclude(&mine, &signal, &note);
    mine.rotate_key().unwrap();
    mine.update(note.clone(), r#"{"after": "the rotation"}"#.into())
        .unwrap();
    let all = [&mine, &theirs, &pocket];
    fetch_all(&pocket, &mine);
    let photo = people::photograph(&pocket);
    converge(&mine, &pocket);
    converge(&mine, &theirs);
    fetch_all(&theirs, &pocket);
    assert!(
        mine.blob_info(photo)
            .unwrap()
            .is_none_or(|blob| blob.held == 0)
    );
    wait("everything is applied", || {
        all.iter().all(|space| {
            let status = space.status().unwrap();
            status.waiting_for_key == 0 && !status.checking && status.excluded == 2
        })
    });
    // So that the index of words is kept.
    for space in all {
        space
            .search("rose".into(), SearchOptions::default())
            .unwrap();
    }
    let shared = mine.id();
    drop((mine, theirs, pocket));
    let mut said = json!({"shared": shared, "note": note});
    for (name, client) in [("ada", ada), ("bob", bob), ("phone", phone)] {
        client.shutdown().unwrap();
        drop(client);
        // As the files say it, not as it was said while they were written.
        let client = open_as_it_is(&dir.join(name));
        said[name] = seen::client(&client, &Json::Null);
        client.shutdown().unwrap();
    }
    said
}

/// Fetches every blob that `from` has.
fn fetch_all(space: &Space, from: &Space) {
    for blob in from.blobs().unwrap() {
        let fetch = space.fetch_blob(blob.id).unwrap();
        fetch.wait(Some(super::support::PATIENCE)).unwrap();
    }
}

/// What the space's owner writes; returns the id of a note that is there to stay.
fn write(space: &Arc<Space>) -> String {
    let schema = json!({"properties": {"title": {"type": "string"}}, "required": ["title"]});
    space
        .register_schema("Note".into(), schema.to_string(), None)
        .unwrap();
    space
        .create_index(Some("Note".into()), "/n".into())
        .unwrap();
    let bytes: Vec<u8> = (0..BLOB_BYTES).map(|n| (n * 7 % 251) as u8).collect();
    let blob = space.put_blob(bytes).unwrap();
    let tx = space.transaction();
    tx.message("the beginning".into()).unwrap();
    let mut notes = Vec::new();
    for n in 0..4 {
        let text = format!("rose number {n}");
        let fields = json!({"n": n, "title": text, "body": {"@text": text}});
        notes.push(tx.create(Some("Note".into()), fields.to_string()).unwrap());
    }
    let [note, parent, child, deleted] = &notes[..] else {
        unreachable!("there are four")
    };
    tx.set_parent(child.clone(), Some(parent.clone())).unwrap();
    tx.tag(note.clone(), "green".into()).unwrap();
    tx.tag(note.clone(), "thorny".into()).unwrap();
    tx.set_key(note.clone(), "wiki".into(), Some("Q1".into()))
        .unwrap();
    let relation = tx.create(Some("Sees".into()), "{}".into()).unwrap();
    tx.relate(relation, Some(note.clone()), Some(parent.clone()))
        .unwrap();
    tx.create(Some("Kinds".into()), kinds(note, &blob.id).to_string())
        .unwrap();
    tx.create(None, r#"{"untyped": true}"#.into()).unwrap();
    tx.commit().unwrap();
    edit(space, note);
    space.delete(deleted.clone()).unwrap();
    // What is below it goes out of sight with it.
    space.delete(parent.clone()).unwrap();
    space.branch(note.clone(), "draft".into()).unwrap();
    space.flush().unwrap();
    note.clone()
}

/// A field of every kind of value.
fn kinds(reference: &str, blob: &str) -> Json {
    json!({
        "null": null, "yes": true, "no": false,
        "int": -7, "largest": i64::MAX, "smallest": i64::MIN,
        "float": 1.5, "whole": 2.0, "nan": {"@float": "nan"}, "endless": {"@float": "-inf"},
        "string": "Ä\u{1F339}\u{0} and \"quotes\"", "empty": "",
        "bytes": {"@bytes": "AAEC/w=="}, "text": {"@text": "thorn"},
        "counter": {"@counter": 5}, "timestamp": {"@timestamp": 1_700_000_000_123i64},
        "ref": {"@ref": reference},
        "blob": {"@blob": blob, "size": BLOB_BYTES},
        "list": [1, "two", [3], {"four": 4}], "map": {"a": {"b": {"c": []}}},
    })
}

/// Texts, marks, counters, moves.
fn edit(space: &Arc<Space>, note: &str) {
    for (n, c) in "thorn ".char_indices() {
        space
            .splice_text(
                note.into(),
                "body".into(),
                n as u64,
                0,
                c.into(),
                TextUnit::Utf8,
            )
            .unwrap();
    }
    space.flush().unwrap();
    let tx = space.transaction();
    tx.mark(
        note.into(),
        "body".into(),
        0,
        5,
        TextUnit::Utf8,
        "bold".into(),
        "true".into(),
        MarkExpand::After,
    )
    .unwrap();
    tx.set(note.into(), "/list".into(), "[1, 2, 3]".into())
        .unwrap();
    tx.commit().unwrap();
    let tx = space.transaction();
    tx.move_item(note.into(), "/list/0".into(), 2).unwrap();
    tx.commit().unwrap();
}

/// What the second member writes.
fn answer(space: &Arc<Space>, note: &str) {
    space
        .update(note.into(), r#"{"n": 20, "by": "Bob"}"#.into())
        .unwrap();
    let tx = space.transaction();
    tx.message("an answer".into()).unwrap();
    tx.splice_text(
        note.into(),
        "body".into(),
        0,
        0,
        "a ".into(),
        TextUnit::Utf8,
    )
    .unwrap();
    tx.create(
        Some("Note".into()),
        r#"{"n": 9, "title": "tulip, thorn"}"#.into(),
    )
    .unwrap();
    tx.commit().unwrap();
    space.flush().unwrap();
}
