//! The system part, marks, cursors, moves and conflicts.

use super::*;
use crate::model::{Branch, ErrorKind, Expand, ObjectId, TextUnit, limits};

fn tag(name: &str, on: bool) -> Operation {
    Operation::Tag {
        object: OBJECT,
        tag: name.into(),
        on,
    }
}

fn upsert(text: &str) -> Operation {
    Operation::Upsert {
        object: OBJECT,
        type_name: "Book".into(),
        key: "isbn:1".into(),
        fields: fields(text),
    }
}

fn mark(start: usize, end: usize, value: Value) -> Operation {
    Operation::Mark {
        object: OBJECT,
        path: path("t"),
        start,
        end,
        unit: TextUnit::CodePoint,
        name: "bold".into(),
        value,
        expand: Expand::After,
    }
}

fn exchange(a: &mut Document, from_a: &[Vec<u8>], b: &mut Document, from_b: &[Vec<u8>]) {
    a.apply_remote(from_b).unwrap();
    b.apply_remote(from_a).unwrap();
}

#[test]
fn labels_of_two_writers_all_stay() {
    let (mut a, base) = document(1, "{}");
    let mut b = copy(2, &base);
    let key = |source: &str, key: Option<&str>| Operation::SetKey {
        object: OBJECT,
        source: source.into(),
        key: key.map(str::to_owned),
    };
    let from_a = change(&mut a, &[tag("x", true), key("github", Some("1"))]);
    let from_b = change(&mut b, &[tag("y", true), key("gitlab", Some("2"))]);
    exchange(&mut a, &from_a, &mut b, &from_b);
    let seen = same(&mut a, &mut b).system;
    assert_eq!(seen.tags, ["x", "y"].map(str::to_owned).into());
    assert_eq!(seen.keys.len(), 2);
    // Of one that adds and one that removes at the same time, the one that adds wins.
    let off = change(&mut a, &[tag("x", false)]);
    b.apply_remote(&off).unwrap();
    let from_a = change(&mut a, &[tag("x", true), key("github", None)]);
    let from_b = change(&mut b, &[tag("y", false)]);
    exchange(&mut a, &from_a, &mut b, &from_b);
    let seen = same(&mut a, &mut b).system;
    assert_eq!(seen.tags, ["x"].map(str::to_owned).into());
    assert_eq!(seen.keys, [("gitlab".to_owned(), "2".to_owned())].into());
    // What is so already takes no change.
    assert!(change(&mut a, &[tag("x", true), tag("y", false)]).is_empty());
}

#[test]
fn labels_past_the_bound_are_refused() {
    let (mut a, _) = document(1, "{}");
    let all: Vec<Operation> = (0..limits::LABELS)
        .map(|n| tag(&n.to_string(), true))
        .collect();
    change(&mut a, &all);
    let error = a.apply(&tag("more", true)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LimitExceeded);
}

#[test]
fn objects_made_apart_under_one_natural_key_are_one() {
    let mut a = Document::new([1; 16]);
    let mut b = Document::new([2; 16]);
    let from_a = change(&mut a, &[upsert(r#"{"title":"A","a":1}"#)]);
    let from_b = change(&mut b, &[upsert(r#"{"title":"B","b":2}"#)]);
    exchange(&mut a, &from_a, &mut b, &from_b);
    let seen = same(&mut a, &mut b);
    assert_eq!(seen.type_name.as_deref(), Some("Book"));
    assert_eq!(seen.fields["a"], Value::Int(1));
    assert_eq!(seen.fields["b"], Value::Int(2));
    assert_eq!(seen.system.keys["natural"], "isbn:1");
    let losing = a.conflicts(&path("title")).unwrap();
    assert_eq!(losing.len(), 2);
    assert_eq!(losing.last(), seen.fields.get("title"));
    // A deleted one comes back.
    change(&mut a, &[Operation::Delete { object: OBJECT }]);
    change(&mut a, &[upsert(r#"{"title":"C"}"#)]);
    assert!(!a.project().deleted);
    assert_eq!(a.conflicts(&path("title")).unwrap().len(), 1);
}

#[test]
fn relations_branches_and_versions_read_back() {
    let (mut a, base) = document(1, "{}");
    let branch = Branch {
        of: ObjectId([5; 16]),
        heads: vec![[6; 32]],
        name: "draft".into(),
        at: Vec::new(),
    };
    let operations = [
        Operation::Relate {
            object: OBJECT,
            source: Some(ObjectId([7; 16])),
            target: None,
        },
        Operation::SetSchemaVersion {
            object: OBJECT,
            version: 3,
        },
        Operation::SetBranch {
            object: OBJECT,
            branch: branch.clone(),
        },
    ];
    let changes = change(&mut a, &operations);
    assert!(change(&mut a, &operations).is_empty());
    let mut b = copy(2, &base);
    b.apply_remote(&changes).unwrap();
    let seen = same(&mut a, &mut b).system;
    assert_eq!((seen.source, seen.target), (Some(ObjectId([7; 16])), None));
    assert_eq!(seen.schema_version, Some(3));
    assert_eq!(seen.branch, Some(branch));
}

#[test]
fn marks_and_cursors_stay_with_their_characters() {
    let (mut a, base) = document(1, r#"{"t":{"@text":"a😀bc"}}"#);
    let mut b = copy(2, &base);
    let cursor = a.cursor(&path("t"), 5, TextUnit::Utf8).unwrap();
    let end = a.cursor(&path("t"), 4, TextUnit::CodePoint).unwrap();
    let from_a = change(&mut a, &[mark(1, 3, Value::Bool(true))]);
    let from_b = change(&mut b, &[splice("/t", 0, 0, "é")]);
    exchange(&mut a, &from_a, &mut b, &from_b);
    same(&mut a, &mut b);
    let marks = |document: &mut Document, unit| {
        let marks = document.marks(&path("t"), unit).unwrap();
        let places = marks.iter().map(|mark| (mark.start, mark.end));
        places.collect::<Vec<_>>()
    };
    assert_eq!(marks(&mut b, TextUnit::CodePoint), [(2, 4)]);
    assert_eq!(marks(&mut b, TextUnit::Utf16), [(2, 5)]);
    assert_eq!(marks(&mut b, TextUnit::Utf8), [(3, 8)]);
    for (cursor, unit, place) in [
        (&cursor, TextUnit::Utf8, 7),
        (&cursor, TextUnit::Utf16, 4),
        (&end, TextUnit::CodePoint, 5),
    ] {
        let found = b.cursor_position(&path("t"), cursor, unit).unwrap();
        assert_eq!(found, place);
    }
    let cleared = change(&mut b, &[mark(0, 5, Value::Null)]);
    a.apply_remote(&cleared).unwrap();
    assert!(marks(&mut a, TextUnit::CodePoint).is_empty());
    for (start, end) in [(2, 2), (3, 1), (0, 99)] {
        let error = a.apply(&mark(start, end, Value::Int(1))).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    }
    let list = mark(0, 1, Value::List(Vec::new()));
    assert_eq!(
        a.apply(&list).unwrap_err().kind(),
        ErrorKind::InvalidArgument
    );
}

#[test]
fn a_moved_element_keeps_its_value() {
    let (mut a, _) = document(1, r#"{"l":[{"t":{"@text":"x"}},2,3]}"#);
    let go = |from: &str, to| Operation::Move {
        object: OBJECT,
        path: path(from),
        to,
    };
    change(&mut a, &[go("/l/0", 2)]);
    let text = Value::Map(fields(r#"{"t":{"@text":"x"}}"#));
    let list = |items: [Value; 3]| Value::List(items.into());
    assert_eq!(
        a.project().fields["l"],
        list([Value::Int(2), Value::Int(3), text])
    );
    assert!(change(&mut a, &[go("/l/1", 1)]).is_empty());
    for bad in [go("/l/3", 0), go("/l/0", 3), go("l", 0)] {
        assert_eq!(
            a.apply(&bad).unwrap_err().kind(),
            ErrorKind::InvalidArgument
        );
    }
}
