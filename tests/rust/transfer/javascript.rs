//! Automerge in JavaScript, another program over the same format, opens our files and we its.

use super::{get, name, space};
use echodb::{MarkExpand, TextUnit};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;

/// Runs `tests/interop/automerge.mjs` and returns what it prints.
fn node(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/automerge.mjs");
    let output = Command::new("node")
        .arg(script)
        .args(arguments)
        .output()
        .expect("node is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "needs node and the packages of tests/interop"]
fn javascript_opens_an_object_edits_it_and_we_take_it_back() {
    let dir = tempfile::tempdir().unwrap();
    let (_client, space) = space();
    let tx = space.transaction();
    let id = tx
        .create(
            Some("Note".into()),
            r#"{"title": "One", "n": -3, "f": 1.5, "yes": true, "none": null, "gone": 1,
                "text": {"@text": "Hello wörld 😀"}, "count": {"@counter": 5},
                "when": {"@timestamp": 1763864160123}, "raw": {"@bytes": "AAE="},
                "ref": {"@ref": "echo:01k1000000000000000000000a"},
                "list": [1, {"a": [2]}], "map": {"b": {"c": "d"}}}"#
                .into(),
        )
        .unwrap();
    tx.tag(id.clone(), "new".into()).unwrap();
    tx.mark(
        id.clone(),
        "text".into(),
        0,
        5,
        TextUnit::CodePoint,
        "link".into(),
        r#""x""#.into(),
        MarkExpand::None,
    )
    .unwrap();
    tx.commit().unwrap();
    let (ours, theirs) = (name(dir.path(), "ours"), name(dir.path(), "theirs"));
    std::fs::write(&ours, space.export_object(id.clone()).unwrap()).unwrap();
    let seen: Value = serde_json::from_str(&node(&["read", &ours])).unwrap();
    assert_eq!(
        seen["value"],
        json!({"@type": {"immutable": "Note"}, "@tag:new": true, "title": {"immutable": "One"},
               "n": -3, "f": 1.5, "yes": true, "none": null, "gone": 1, "text": "Hello wörld 😀",
               "count": {"counter": 5}, "when": {"date": 1_763_864_160_123_i64},
               "raw": {"bytes": [0, 1]},
               "ref": {"@ref": {"immutable": "echo:01k1000000000000000000000a"}},
               "list": [1, {"a": [2]}], "map": {"b": {"c": {"immutable": "d"}}}})
    );
    assert_eq!(
        seen["marks"],
        json!([{"name": "link", "value": "x", "start": 0, "end": 5}])
    );
    node(&["edit", &ours, &theirs]);
    // Meanwhile, here.
    let tx = space.transaction();
    tx.increment(id.clone(), "count".into(), 10).unwrap();
    tx.insert(id.clone(), "/list/0".into(), "0".into()).unwrap();
    tx.commit().unwrap();
    space
        .import_object(std::fs::read(&theirs).unwrap(), Some(id.clone()))
        .unwrap();
    assert_eq!(
        get(&space, &id),
        json!({"title": "Edited", "n": -3, "f": 1.5, "yes": true, "none": null,
               "text": {"@text": "Hey wörld 😀"}, "words": {"@text": "a JavaScript string"},
               "count": {"@counter": 17}, "when": {"@timestamp": 1_763_864_160_123_i64},
               "raw": {"@bytes": "AAE="}, "ref": {"@ref": "echo:01k1000000000000000000000a"},
               "list": [0, 1, {"a": [2], "done": true}, {"@text": "from JavaScript"}],
               "map": {"b": {"c": "d"}, "deep": {"when": {"@timestamp": 1_763_864_160_123_i64},
                                                 "raw": {"@bytes": "CQg="}}}})
    );
    let object = space.get(id.clone()).unwrap().unwrap();
    assert_eq!(object.tags, ["js", "new"]);
    let marks = space
        .marks(id.clone(), "text".into(), TextUnit::CodePoint)
        .unwrap();
    assert!(
        marks
            .iter()
            .any(|m| (m.name.as_str(), m.start, m.end) == ("bold", 4, 9)),
        "{marks:?}"
    );
    // What was merged opens in JavaScript again, with both sides' work.
    std::fs::write(&ours, space.export_object(id).unwrap()).unwrap();
    let seen: Value = serde_json::from_str(&node(&["read", &ours])).unwrap();
    assert_eq!(seen["value"]["count"], json!({"counter": 17}));
    assert_eq!(seen["value"]["text"], "Hey wörld 😀");
}

#[test]
#[ignore = "needs node and the packages of tests/interop"]
fn a_document_made_in_javascript_becomes_an_object() {
    let dir = tempfile::tempdir().unwrap();
    let (_client, space) = space();
    let file = name(dir.path(), "theirs");
    node(&["make", &file]);
    let id = space
        .import_object(std::fs::read(&file).unwrap(), None)
        .unwrap();
    let object = space.get(id.clone()).unwrap().unwrap();
    assert_eq!(object.type_name.as_deref(), Some("Card"));
    assert_eq!(
        get(&space, &id),
        json!({"title": {"@text": "made in JavaScript"}, "n": 7, "f": 0.5, "big": 1_u64 << 53,
               "yes": true, "none": null, "when": {"@timestamp": 5}, "count": {"@counter": 3},
               "raw": {"@bytes": "AQID"}, "plain": "scalar", "list": [1, [2, {"three": 3}]],
               "long": {"@text": "lorem ipsum ".repeat(500)}})
    );
}
