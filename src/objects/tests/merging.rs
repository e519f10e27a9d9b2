use super::*;
use crate::model::{ErrorKind, Segment};
use crate::objects::QuarantineCode;
use automerge::transaction::Transactable;
use automerge::{ROOT, ScalarValue};

/// Brings two documents to the same state.
fn exchange(a: &mut Document, from_a: &[Vec<u8>], b: &mut Document, from_b: &[Vec<u8>]) {
    a.apply_remote(from_b).unwrap();
    b.apply_remote(from_a).unwrap();
}

#[test]
fn concurrent_edits_converge() {
    let (mut a, base) = document(
        1,
        r#"{"s":"old","t":{"@text":"hello world"},"c":{"@counter":10},"l":["x"],"m":{}}"#,
    );
    let mut b = copy(2, &base);
    let from_a = change(
        &mut a,
        &[
            set("/s", "\"from a\""),
            splice("/t", 0, 5, "HELLO"),
            increment("/c", 5),
            insert("/l/1", "\"a\""),
            set("/m/a", "1"),
        ],
    );
    let from_b = change(
        &mut b,
        &[
            set("/s", "\"from b\""),
            splice("/t", 11, 0, "!"),
            increment("/c", -2),
            insert("/l/0", "\"b\""),
            set("/m/b", "2"),
        ],
    );
    exchange(&mut a, &from_a, &mut b, &from_b);
    let merged = same(&mut a, &mut b);
    assert_eq!(merged.heads.len(), 2);
    assert_eq!(merged.fields["t"], Value::Text("HELLO world!".into()));
    assert_eq!(merged.fields["c"], Value::Counter(13));
    assert_eq!(
        merged.fields["l"],
        Value::List(["b", "x", "a"].map(|s| Value::String(s.into())).into())
    );
    assert_eq!(merged.fields["m"], Value::Map(fields(r#"{"a":1,"b":2}"#)));
    assert!(matches!(&merged.fields["s"], Value::String(s) if s.starts_with("from")));

    // Writing the winner again settles the conflict rather than doing nothing.
    let winner = merged.fields["s"].clone();
    let settle = Operation::Set {
        object: OBJECT,
        path: path("s"),
        value: winner,
    };
    assert_eq!(change(&mut a, std::slice::from_ref(&settle)).len(), 1);
    assert_eq!(change(&mut a, &[settle]).len(), 0);
}

#[test]
fn setting_a_text_merges_with_typing() {
    let (mut a, base) = document(1, r#"{"t":{"@text":"The quick fox"}}"#);
    let mut b = copy(2, &base);
    let from_a = change(&mut a, &[set("/t", r#"{"@text":"The quick brown fox"}"#)]);
    let from_b = change(
        &mut b,
        &[update(r#"{"t":{"@text":"The quick fox jumps"}}"#)],
    );
    exchange(&mut a, &from_a, &mut b, &from_b);
    assert_eq!(
        same(&mut a, &mut b).fields["t"],
        Value::Text("The quick brown fox jumps".into())
    );
}

#[test]
fn delete_wins_over_concurrent_edits_until_undone() {
    let delete = Operation::Delete { object: OBJECT };
    let restore = Operation::Restore { object: OBJECT };
    let (mut a, base) = document(1, r#"{"s":"x"}"#);
    let mut b = copy(2, &base);
    let from_a = change(&mut a, std::slice::from_ref(&delete));
    let from_b = change(&mut b, &[set("/s", "\"edited\"")]);
    exchange(&mut a, &from_a, &mut b, &from_b);
    let merged = same(&mut a, &mut b);
    assert!(merged.deleted);
    assert_eq!(merged.fields["s"], Value::String("edited".into()));

    // Undone, while the other side edits and deletes once more: that is a deletion it did not see.
    let undone = change(&mut b, std::slice::from_ref(&restore));
    assert!(!b.project().deleted);
    a.apply_remote(&undone).unwrap();
    assert!(!same(&mut a, &mut b).deleted);

    let from_a = change(&mut a, &[delete, set("/s", "\"again\"")]);
    let from_b = change(&mut b, &[restore, set("/s", "\"other\"")]);
    exchange(&mut a, &from_a, &mut b, &from_b);
    assert!(same(&mut a, &mut b).deleted);
}

#[test]
fn any_of_several_concurrent_tombstones_deletes() {
    let (mut a, base) = document(1, r#"{"s":"x"}"#);
    let gone = change(&mut a, &[Operation::Delete { object: OBJECT }]);
    // Seen by two copies; one undoes, the other undoes and deletes again.
    for (first, second) in [(2, 3), (3, 2)] {
        let mut b = copy(first, &base);
        let mut c = copy(second, &base);
        b.apply_remote(&gone).unwrap();
        c.apply_remote(&gone).unwrap();
        let from_b = change(&mut b, &[Operation::Restore { object: OBJECT }]);
        let mut from_c = change(&mut c, &[Operation::Restore { object: OBJECT }]);
        from_c.extend(change(&mut c, &[Operation::Delete { object: OBJECT }]));
        exchange(&mut b, &from_b, &mut c, &from_c);
        assert!(same(&mut b, &mut c).deleted);
    }
}

#[test]
fn parents_are_set_and_cleared() {
    let (mut a, _) = document(1, "{}");
    let parent = |parent| Operation::SetParent {
        object: OBJECT,
        parent,
    };
    assert!(change(&mut a, &[parent(None)]).is_empty());
    change(&mut a, &[parent(Some(ObjectId([9; 16])))]);
    assert_eq!(a.project().parent, Some(ObjectId([9; 16])));
    change(&mut a, &[parent(None)]);
    assert_eq!(a.project().parent, None);
}

#[test]
fn operations_at_an_old_version_merge() {
    let (mut a, base) = document(1, r#"{"t":{"@text":"abc"},"n":1}"#);
    let old = a.heads();
    let mut all = base.clone();
    all.extend(change(
        &mut a,
        &[splice("/t", 0, 0, ">>> "), set("/n", "2")],
    ));
    a.set_clock(77);
    // What an editor that has not seen ">>> " does at its position 3.
    a.apply_at(&old, &splice("/t", 3, 0, "def")).unwrap();
    a.apply(&splice("/t", 0, 0, "!")).unwrap();
    let made = a.commit(2000, Some("note")).unwrap();
    assert_eq!(made.len(), 2);
    all.extend(made);
    assert_eq!(a.text(&path("t")).unwrap(), "!>>> abcdef");
    let mut b = copy(2, &all);
    same(&mut a, &mut b);
    let history = b.history(&[]).unwrap();
    assert_eq!(history.len(), 4);
    assert!(history.iter().any(|c| c.deps == old && c.time_ms == 77));
    assert!(history.iter().any(|c| c.message.as_deref() == Some("note")));
    assert_eq!(b.history(&old).unwrap().len(), 3);
    let past = b.project_at(&old).unwrap();
    assert_eq!(past.fields, fields(r#"{"t":{"@text":"abc"},"n":1}"#));
    assert_eq!(past.heads, old);
    assert_eq!(
        a.apply_at(&[[7; 32]], &set("/n", "3")).unwrap_err().kind(),
        ErrorKind::NotFound
    );

    // A failing operation in the past leaves nothing behind.
    let before = a.project();
    assert!(a.apply_at(&old, &splice("/t", 9, 0, "x")).is_err());
    a.rollback();
    assert_eq!(a.project(), before);
    assert!(a.commit(1, None).unwrap().is_empty());
    a.save().unwrap();
}

#[test]
fn rollback_leaves_nothing_and_open_transactions_are_seen() {
    let (mut a, base) = document(1, r#"{"n":1}"#);
    let heads = a.heads();
    a.apply(&set("/n", "2")).unwrap();
    assert_eq!(a.value_at(&path("n")).unwrap(), Value::Int(2));
    assert_eq!(a.heads(), heads);
    assert_eq!(a.save().unwrap_err().kind(), ErrorKind::InvalidState);
    assert_eq!(a.history(&[]).unwrap_err().kind(), ErrorKind::InvalidState);
    a.rollback();
    assert_eq!(a.value_at(&path("n")).unwrap(), Value::Int(1));
    assert!(a.commit(1, None).unwrap().is_empty());
    let mut b = copy(2, &base);
    same(&mut a, &mut b);

    let mut new = Document::new([5; 16]);
    new.apply(&create(r#"{"n":1}"#)).unwrap();
    new.rollback();
    assert!(new.heads().is_empty() && new.project() == Projection::default());
    new.apply(&create(r#"{"n":1}"#)).unwrap();
    assert_eq!(new.commit(1, None).unwrap().len(), 1);
}

#[test]
fn order_duplicates_and_gaps_of_remote_changes() {
    let (mut a, mut all) = document(1, r#"{"n":0}"#);
    for n in 1..20 {
        all.extend(change(&mut a, &[set("/n", &n.to_string())]));
    }
    let mut backwards: Vec<_> = all.iter().rev().cloned().collect();
    backwards.extend(all.iter().cloned());
    let mut b = copy(2, &backwards);
    same(&mut a, &mut b);
    b.apply_remote(&all).unwrap();
    same(&mut a, &mut b);

    let mut c = copy(3, &all[..5]);
    let refused = c.apply_remote(&all[6..7]).unwrap_err();
    assert_eq!(refused.code, QuarantineCode::MissingDependency);
    assert!(c.is_poisoned());
    assert_eq!(
        c.apply_remote(&all[5..6]).unwrap_err().code,
        QuarantineCode::Poisoned
    );
    assert_eq!(
        c.apply(&set("/n", "1")).unwrap_err().kind(),
        ErrorKind::Internal
    );
    assert_eq!(
        Document::load([1; 16], None, &all[6..7])
            .err()
            .unwrap()
            .kind(),
        ErrorKind::Corrupt
    );
    assert!(Document::load([1; 16], Some(b"nonsense"), &[]).is_err());
}

#[test]
fn a_cloned_writer_is_noticed() {
    let (mut a, base) = document(1, r#"{"n":0}"#);
    let mut clone = Document::load([1; 16], None, &base).unwrap();
    let one = change(&mut a, &[set("/n", "1")]);
    let two = change(&mut clone, &[set("/n", "2")]);
    let mut b = copy(2, &base);
    b.apply_remote(&one).unwrap();
    assert_eq!(
        b.apply_remote(&two).unwrap_err().code,
        QuarantineCode::Sequence
    );
}

#[test]
fn foreign_shapes_project() {
    let (mut a, _) = document(1, r#"{"kept":1}"#);
    let table =
        a.am.put_object(ROOT, "map", automerge::ObjType::Map)
            .unwrap();
    a.am.put(&table, "@ref", "nonsense").unwrap();
    a.am.put(&table, "@text", "x").unwrap();
    a.am.put(&table, "plain", ScalarValue::Uint(u64::MAX))
        .unwrap();
    a.am.put(&table, "", 1).unwrap();
    a.am.put(&table, "small", ScalarValue::Uint(7)).unwrap();
    let unknown = ScalarValue::Unknown {
        type_code: 12,
        bytes: vec![1, 2],
    };
    a.am.put(ROOT, "unknown", unknown).unwrap();
    a.am.put(ROOT, "@type", 5).unwrap();
    a.am.put(ROOT, "@parent", "nonsense").unwrap();
    a.am.put(ROOT, "@deleted", "maybe").unwrap();
    let mut deep =
        a.am.put_object(ROOT, "deep", automerge::ObjType::List)
            .unwrap();
    for _ in 0..100 {
        deep =
            a.am.insert_object(&deep, 0, automerge::ObjType::List)
                .unwrap();
    }
    let changes = a.commit(1, None).unwrap();
    assert_eq!(changes.len(), 1);
    let projection = a.project();
    assert_eq!(
        (projection.type_name, projection.parent, projection.deleted),
        (None, None, false)
    );
    assert_eq!(
        projection.fields["map"],
        Value::Map(
            [
                ("plain".to_owned(), Value::Float(u64::MAX as f64)),
                ("small".to_owned(), Value::Int(7))
            ]
            .into()
        )
    );
    assert_eq!(projection.fields["unknown"], Value::Bytes(vec![1, 2]));
    for value in projection.fields.values() {
        value.check().unwrap();
    }
    let text = json::fields_to_json(&projection.fields).to_string();
    assert_eq!(json::parse_fields(&text).unwrap(), projection.fields);
    // Past the path length that `Path::parse` allows, an error and not a panic.
    let far = Path(
        std::iter::once(Segment::Key("deep".into()))
            .chain((0..200).map(|_| Segment::Index(0)))
            .collect(),
    );
    assert!(a.value_at(&far).is_err());
}
