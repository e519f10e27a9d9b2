//! One object as an Automerge file, and back. The other program is Automerge itself, used directly.

use super::{alone, get, space};
use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, ObjType, ROOT, ReadDoc, ScalarValue};
use echodb::model::ErrorKind;
use echodb::{MarkExpand, Space, TextUnit};
use serde_json::json;

fn note(space: &Space) -> String {
    let tx = space.transaction();
    let id = tx
        .create(
            Some("Note".into()),
            r#"{"title": "One", "n": 1, "count": {"@counter": 5}, "gone": 1, "when": {"@timestamp": 7},
                "text": {"@text": "hello world"}, "list": [1, {"a": 1}, 3], "raw": {"@bytes": "AAE="},
                "ref": {"@ref": "echo:01k1000000000000000000000a"}, "map": {"deep": {"x": 1.5}}}"#
                .into(),
        )
        .unwrap();
    tx.tag(id.clone(), "old".into()).unwrap();
    tx.set_key(id.clone(), "github".into(), Some("1".into()))
        .unwrap();
    tx.mark(
        id.clone(),
        "text".into(),
        6,
        11,
        TextUnit::CodePoint,
        "bold".into(),
        "true".into(),
        MarkExpand::After,
    )
    .unwrap();
    tx.commit().unwrap();
    id
}

fn child(am: &AutoCommit, of: &automerge::ObjId, key: &str) -> automerge::ObjId {
    am.get(of, key).unwrap().unwrap().1
}

/// What another program does to the note.
fn edit(file: &[u8]) -> AutoCommit {
    let mut am = AutoCommit::load(file).unwrap();
    am.put(ROOT, "title", "Two").unwrap();
    am.delete(ROOT, "gone").unwrap();
    am.put(ROOT, "new", 9).unwrap();
    am.increment(ROOT, "count", 3).unwrap();
    let text = child(&am, &ROOT, "text");
    am.splice_text(&text, 0, 0, "oh, ").unwrap();
    let list = child(&am, &ROOT, "list");
    am.delete(&list, 0).unwrap();
    let entry = am.get(&list, 0).unwrap().unwrap().1;
    am.put(&entry, "a", 2).unwrap();
    am.insert(&list, 2, 4).unwrap();
    am.put(ROOT, "@tag:new", true).unwrap();
    am.put(ROOT, "@tag:old", false).unwrap();
    am.put(ROOT, "@key:github", "2").unwrap();
    let deep = child(&am, &child(&am, &ROOT, "map"), "deep");
    am.put(&deep, "y", ScalarValue::Uint(7)).unwrap();
    am.commit();
    am
}

#[test]
fn what_another_program_changed_is_taken_back_and_merged() {
    let (_client, space) = space();
    let id = note(&space);
    let file = space.export_object(id.clone()).unwrap();
    let mut theirs = edit(&file);
    // Meanwhile, here.
    space
        .splice_text(
            id.clone(),
            "text".into(),
            11,
            0,
            "!".into(),
            TextUnit::CodePoint,
        )
        .unwrap();
    let tx = space.transaction();
    tx.increment(id.clone(), "count".into(), 10).unwrap();
    tx.set(id.clone(), "n".into(), "2".into()).unwrap();
    tx.commit().unwrap();
    let saved = theirs.save();
    let merged = space
        .import_object(saved.clone(), Some(id.clone()))
        .unwrap();
    assert_eq!(merged, id);
    let expected = json!({
        "title": "Two", "n": 2, "count": {"@counter": 18}, "new": 9, "when": {"@timestamp": 7},
        "text": {"@text": "oh, hello world!"}, "list": [{"a": 2}, 3, 4], "raw": {"@bytes": "AAE="},
        "ref": {"@ref": "echo:01k1000000000000000000000a"},
        "map": {"deep": {"x": 1.5, "y": 7}}});
    assert_eq!(get(&space, &id), expected);
    let object = space.get(id.clone()).unwrap().unwrap();
    assert_eq!(object.tags, ["new"]);
    assert_eq!(object.keys["github"], "2");
    let marks = space
        .marks(id.clone(), "text".into(), TextUnit::CodePoint)
        .unwrap();
    assert_eq!((marks.len(), marks[0].start, marks[0].end), (1, 10, 16));
    // Taking the same file in again changes nothing, and the next version only adds what is new.
    let digest = space.digest().unwrap();
    space.import_object(saved, Some(id.clone())).unwrap();
    assert_eq!(space.digest().unwrap(), digest);
    let text = child(&theirs, &ROOT, "text");
    theirs.splice_text(&text, 0, 2, "OH").unwrap();
    theirs.increment(ROOT, "count", 1).unwrap();
    space
        .import_object(theirs.save(), Some(id.clone()))
        .unwrap();
    let now = get(&space, &id);
    assert_eq!(now["text"], json!({"@text": "OH, hello world!"}));
    assert_eq!(now["count"], json!({"@counter": 19}));
    // And the other way round: our file, with both, in theirs.
    let mut back = AutoCommit::load(&space.export_object(id.clone()).unwrap()).unwrap();
    let text = child(&back, &ROOT, "text");
    assert_eq!(back.text(&text).unwrap(), "OH, hello world!");
    let deleted = {
        back.put(ROOT, "@deleted", true).unwrap();
        back.save()
    };
    space.import_object(deleted, Some(id.clone())).unwrap();
    assert!(space.get(id).unwrap().unwrap().deleted);
}

#[test]
fn a_file_becomes_a_new_object_and_a_copy_of_an_old_one() {
    let (client, space) = space();
    let id = note(&space);
    let file = space.export_object(id.clone()).unwrap();
    let copy = space.import_object(file.clone(), None).unwrap();
    assert_ne!(copy, id);
    assert_eq!(get(&space, &copy), get(&space, &id));
    let (one, two) = (
        space.get(id.clone()).unwrap().unwrap(),
        space.get(copy.clone()).unwrap().unwrap(),
    );
    assert_eq!(
        (two.type_name, two.tags, two.keys),
        (one.type_name, one.tags, one.keys)
    );
    let marks = |id: &String| {
        space
            .marks(id.clone(), "text".into(), TextUnit::Utf16)
            .unwrap()
    };
    assert_eq!(marks(&copy), marks(&id));
    // A later version of the file goes into the copy as well.
    let mut theirs = edit(&file);
    space
        .import_object(theirs.save(), Some(copy.clone()))
        .unwrap();
    assert_eq!(
        get(&space, &copy)["text"],
        json!({"@text": "oh, hello world"})
    );
    // Into another space.
    let other = client.create_space("{}".into()).unwrap();
    let there = other.import_object(file, None).unwrap();
    assert_eq!(get(&other, &there), get(&space, &id));
}

#[test]
fn a_document_of_another_program_is_read_as_far_as_the_model_goes() {
    let (_client, space) = space();
    let mut am = AutoCommit::new();
    let kind = am.put_object(ROOT, "@type", ObjType::Text).unwrap();
    am.splice_text(&kind, 0, 0, "Card").unwrap();
    am.put(ROOT, "big", ScalarValue::Uint(u64::MAX)).unwrap();
    am.put(ROOT, "", 1).unwrap();
    am.put(ROOT, "@strange", 1).unwrap();
    am.put(ROOT, "nan", f64::NAN).unwrap();
    let text = am.put_object(ROOT, "text", ObjType::Text).unwrap();
    am.splice_text(&text, 0, 0, "some 😀 text").unwrap();
    am.mark(&text, Mark::new("link".into(), "x", 0, 4), ExpandMark::None)
        .unwrap();
    let mut deep = am.put_object(ROOT, "deep", ObjType::List).unwrap();
    for _ in 0..200 {
        deep = am.insert_object(&deep, 0, ObjType::List).unwrap();
    }
    let id = space.import_object(am.save(), None).unwrap();
    let object = space.get(id.clone()).unwrap().unwrap();
    assert_eq!(object.type_name.as_deref(), Some("Card"));
    let fields = get(&space, &id);
    assert_eq!(fields["big"], json!(u64::MAX as f64));
    assert_eq!(fields["nan"], json!({"@float": "nan"}));
    assert_eq!(fields["text"], json!({"@text": "some 😀 text"}));
    assert!(fields.get("").is_none() && fields.get("@strange").is_none());
    let marks = space.marks(id, "text".into(), TextUnit::CodePoint).unwrap();
    assert_eq!((marks[0].start, marks[0].end), (0, 4));
    // Changes one after the other, as `saveIncremental` writes them, are a file too.
    let mut am = AutoCommit::new();
    am.put(ROOT, "a", 1).unwrap();
    let mut file = am.save();
    am.put(ROOT, "b", "x".repeat(10_000)).unwrap();
    file.extend(am.save_incremental());
    let id = space.import_object(file, None).unwrap();
    assert_eq!(get(&space, &id)["a"], 1);
}

#[test]
fn strangers_files_do_not_merge_and_missing_objects_are_said() {
    let (_client, space) = space();
    let id = note(&space);
    let mut am = AutoCommit::new();
    am.put(ROOT, "a", 1).unwrap();
    let error = space
        .import_object(am.save(), Some(id.clone()))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.detail().contains("shares no history"), "{error}");
    let missing = "01k1000000000000000000000a".to_owned();
    let error = space.export_object(missing.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = space.import_object(am.save(), Some(missing)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = space
        .import_object(AutoCommit::new().save(), None)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(get(&space, &id)["title"] == "One");
}

#[test]
fn files_that_were_spoiled_are_refused_and_leave_nothing() {
    let client = alone(None);
    let space = client.create_space("{}".into()).unwrap();
    let id = note(&space);
    // Large enough that columns are compressed.
    let long = "abc def ".repeat(2000);
    space
        .update(id.clone(), format!(r#"{{"long": {{"@text": "{long}"}}}}"#))
        .unwrap();
    let good = space.export_object(id.clone()).unwrap();
    let digest = space.digest().unwrap();
    for at in (0..good.len()).step_by(good.len() / 61 + 1) {
        for flip in [0x01, 0x80, 0xff] {
            let mut bad = good.clone();
            bad[at] ^= flip;
            for into in [None, Some(id.clone())] {
                let error = space.import_object(bad.clone(), into).unwrap_err();
                assert!(
                    matches!(
                        error.kind(),
                        ErrorKind::InvalidArgument | ErrorKind::LimitExceeded
                    ),
                    "byte {at}: {error}"
                );
            }
        }
        assert!(space.import_object(good[..at].to_vec(), None).is_err());
    }
    for bad in [vec![], b"hello".to_vec(), vec![0; 100_000], vec![0xff; 64]] {
        let error = space.import_object(bad, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    let error = space
        .import_object(vec![0; 17 * 1024 * 1024], None)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(space.query("{}".into()).unwrap().len(), 1);
}
