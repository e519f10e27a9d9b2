//! Earlier versions: reading, comparing, bringing back; and copies that are merged.

use super::*;
use serde_json::{Value as Json, json};

#[test]
fn a_version_is_read_compared_and_brought_back() {
    let (mut document, _) = document(
        1,
        r#"{"s":"a","t":{"@text":"héllo"},"l":[1,2],"c":{"@counter":1},"m":{"k":1}}"#,
    );
    let first = document.heads();
    change(
        &mut document,
        &[
            set("s", "\"b\""),
            splice("t", 1, 4, "i there"),
            insert("/l/1", "{\"x\":[1]}"),
            increment("c", 4),
            remove("/m/k"),
            set("new", "true"),
        ],
    );
    let second = document.heads();
    let then = document.at(&first).unwrap().0;
    let now = document.project();
    let changes = document.diff(&first, &second, TextUnit::Utf8).unwrap();
    let has = |change: Json| assert!(changes.contains(&change), "{change} in {changes:?}");
    has(json!({"op": "set", "path": "/s", "value": "b"}));
    has(json!({"op": "splice", "path": "/t", "position": 1, "delete": 5, "insert": "i there"}));
    has(json!({"op": "insert", "path": "/l/1", "values": [{"x": [1]}]}));
    has(json!({"op": "increment", "path": "/c", "by": 4}));
    has(json!({"op": "remove", "path": "/m/k"}));
    has(json!({"op": "set", "path": "/new", "value": true}));
    assert_eq!(changes.len(), 6, "{changes:?}");

    document.go_back(&first).unwrap();
    assert!(!document.commit(3, None).unwrap().is_empty());
    let back = document.project();
    assert_eq!(
        (&back.fields, &back.type_name),
        (&then.fields, &then.type_name)
    );
    document.go_back(&second).unwrap();
    document.commit(4, None).unwrap();
    assert_eq!(document.project().fields, now.fields);
    document.go_back(&second).unwrap();
    assert!(
        document.commit(5, None).unwrap().is_empty(),
        "nothing differs"
    );
}

#[test]
fn bringing_back_merges_with_what_others_write_meanwhile() {
    let (mut a, first) = document(1, r#"{"t":{"@text":"one two"},"c":{"@counter":1}}"#);
    let version = a.heads();
    let more = change(&mut a, &[splice("t", 7, 0, " three"), increment("c", 5)]);
    let mut b = copy(2, &first);
    b.apply_remote(&more).unwrap();
    a.go_back(&version).unwrap();
    let back = a.commit(3, None).unwrap();
    let theirs = change(&mut b, &[splice("t", 0, 0, "zero "), increment("c", 2)]);
    a.apply_remote(&theirs).unwrap();
    b.apply_remote(&back).unwrap();
    same(&mut a, &mut b);
    assert_eq!(
        shown(&mut a),
        r#"{"c":{"@counter":3},"t":{"@text":"zero one two"}}"#
    );
}

#[test]
fn unknown_versions_are_not_found_by_name() {
    let (mut document, _) = document(1, "{}");
    let known = document.heads()[0];
    let name = data_encoding::HEXLOWER.encode(&[7; 32]);
    for heads in [vec![[7; 32]], vec![known, [7; 32]]] {
        let errors = [
            document.at(&heads).map(drop).unwrap_err(),
            document.diff(&heads, &[known], TextUnit::Utf8).unwrap_err(),
            document.go_back(&heads).unwrap_err(),
        ];
        for error in errors {
            assert_eq!(error.kind(), crate::model::ErrorKind::NotFound);
            assert!(error.detail().contains(&name), "{error}");
        }
    }
}

#[test]
fn a_copys_edits_come_back_and_merge() {
    let (mut original, _) = document(
        1,
        r#"{"t":{"@text":"one two"},"l":[1,{"k":{"@text":"deep"}}],"c":{"@counter":1}}"#,
    );
    change(
        &mut original,
        &[Operation::Mark {
            object: OBJECT,
            path: path("t"),
            start: 0,
            end: 3,
            unit: TextUnit::CodePoint,
            name: "bold".into(),
            value: Value::Bool(true),
            expand: crate::model::Expand::None,
        }],
    );
    let base = original.heads();
    let mut branch = Document::new([3; 16]);
    branch.copy_of(&mut original, &base).unwrap();
    branch.commit(1, None).unwrap();
    let from = branch.heads();
    assert_eq!(branch.project().fields, original.project().fields);
    let marks = |d: &mut Document| d.marks(&path("t"), TextUnit::CodePoint).unwrap();
    assert_eq!(marks(&mut branch), marks(&mut original));
    change(
        &mut branch,
        &[
            splice("t", 3, 4, " 2"),
            splice("/l/1/k", 4, 0, "er"),
            insert("/l/0", "0"),
            increment("c", 2),
            set("new", "{\"a\":[1]}"),
        ],
    );
    change(
        &mut original,
        &[splice("t", 7, 0, " three"), increment("c", 10)],
    );
    let to = branch.heads();
    let (changes, version) = original
        .merge_from(&base, &mut branch, (&from, &to), 5, None)
        .unwrap();
    assert!(!changes.is_empty());
    assert_eq!(
        shown(&mut original),
        r#"{"c":{"@counter":13},"l":[0,1,{"k":{"@text":"deeper"}}],"new":{"a":[1]},"t":{"@text":"one 2 three"}}"#
    );
    // At the version that the merge made, the original is what the branch is: edits can go on.
    assert_eq!(
        original.at(&version).unwrap().0.fields,
        branch.project().fields
    );
    change(&mut branch, &[splice("t", 0, 3, "1")]);
    let more = branch.heads();
    original
        .merge_from(&version, &mut branch, (&to, &more), 6, None)
        .unwrap();
    assert!(shown(&mut original).contains("1 2 three"));
    // What is no copy is refused.
    let (mut other, _) = document(4, r#"{"t":{"@text":"something else"}}"#);
    let heads = other.heads();
    let refused = original.merge_from(&base, &mut other, (&heads, &heads), 7, None);
    assert_eq!(
        refused.unwrap_err().kind(),
        crate::model::ErrorKind::InvalidArgument
    );
}
