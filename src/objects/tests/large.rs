use super::*;
use crate::model::{ErrorKind, limits};
use crate::objects::guard;

#[test]
fn a_long_text_is_split_and_undone_as_one() {
    let text = "abcdefghij".repeat(20_000);
    let (mut d, mut all) = document(1, r#"{"t":{"@text":""},"n":1}"#);
    let before = d.project();
    let history = d.history(&[]).unwrap();

    d.apply(&set("/n", "2")).unwrap();
    d.apply(&splice("/t", 0, 0, &text)).unwrap();
    d.rollback();
    assert_eq!(d.project(), before);
    assert_eq!(d.history(&[]).unwrap(), history);

    d.set_clock(1500);
    let made = change(&mut d, &[set("/n", "2"), splice("/t", 0, 0, &text)]);
    assert_eq!(made.len(), 5);
    for change in &made {
        let rows = guard::scan(change).unwrap().rows;
        assert!(rows > 0 && rows <= limits::CHANGE_ROWS);
    }
    all.extend(made);
    let mut b = copy(2, &all);
    assert_eq!(same(&mut d, &mut b).fields["t"], Value::Text(text));
    let times: Vec<i64> = b.history(&[]).unwrap().iter().map(|c| c.time_ms).collect();
    assert_eq!(times, [1000, 1500, 1500, 1500, 1500, 2000]);

    let made = change(&mut b, &[splice("/t", 1, 130_000, "")]);
    assert_eq!(made.len(), 3);
    d.apply_remote(&made).unwrap();
    same(&mut d, &mut b);
}

#[test]
fn too_large_a_transaction_is_refused_whole() {
    let (mut d, _) = document(1, r#"{"t":{"@text":""},"l":[]}"#);
    let before = d.project();
    let part = splice("/t", 0, 0, &"x".repeat(100_000));
    d.apply(&part).unwrap();
    d.apply(&part).unwrap();
    assert_eq!(d.apply(&part).unwrap_err().kind(), ErrorKind::LimitExceeded);
    d.rollback();
    assert_eq!(d.project(), before);
    assert!(d.commit(1, None).unwrap().is_empty());
}

#[test]
fn large_nested_values_are_split() {
    let list = Value::List(
        (0..30_000)
            .map(|n| Value::List(vec![Value::Int(n)]))
            .collect(),
    );
    let (mut d, mut all) = document(1, "{}");
    let op = Operation::Set {
        object: OBJECT,
        path: path("l"),
        value: list.clone(),
    };
    let made = change(&mut d, &[op]);
    assert_eq!(made.len(), 2);
    all.extend(made);
    assert_eq!(copy(2, &all).project().fields["l"], list);
}

/// Thirty writers set the same fields at once; settling all of them names each one's value as a
/// predecessor, which are more rows than a change may have although its operations are few.
#[test]
fn a_change_past_the_bound_is_undone_at_commit() {
    let names = |value: &str| {
        let fields: Vec<String> = (0..2_200).map(|n| format!("\"f{n}\":{value}")).collect();
        update(&format!("{{{}}}", fields.join(",")))
    };
    let (mut d, base) = document(1, "{}");
    for writer in 2..32 {
        let mut other = Document::load([writer; 16], None, &base).unwrap();
        let made = change(&mut other, &[names(&writer.to_string())]);
        d.apply_remote(&made).unwrap();
    }
    let before = d.project();
    assert_eq!(before.heads.len(), 30);
    d.apply(&names("0")).unwrap();
    let refused = d.commit(1, None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded, "{refused}");
    assert_eq!(d.project(), before);
    assert!(d.commit(1, None).unwrap().is_empty());
    assert_eq!(change(&mut d, &[set("/f1", "0")]).len(), 1);
    d.save().unwrap();
}
