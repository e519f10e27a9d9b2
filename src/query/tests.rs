//! What is read, what is refused, and what comparisons mean.

use super::*;
use crate::model::{ErrorKind, ObjectId, SystemFields};
use serde_json::json;

fn refused(text: &str) -> String {
    let error = Query::parse(text).expect_err(text);
    assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{text}");
    error.detail().to_owned()
}

#[test]
fn errors_name_the_place_and_what_was_expected() {
    for (text, want) in [
        ("[]", "a query is a JSON object"),
        ("{", "malformed JSON"),
        (r#"{"typ":"A"}"#, "\"typ\": this is no condition"),
        (
            r#"{"type":1}"#,
            "\"type\": a type is a string, or null for none, not a number",
        ),
        (r#"{"id":"x"}"#, "\"id\": \"x\" is not an object id"),
        (
            r#"{"deleted":"yes"}"#,
            "\"deleted\": it takes true or false, not a string",
        ),
        (
            r#"{"where":{"type":"A"},"typ":1}"#,
            "\"typ\" does not stand beside",
        ),
        (
            r#"{"where":[]}"#,
            "\"where\": a filter is an object, not a list",
        ),
        (
            r#"{"limit":-1}"#,
            "\"limit\" is a whole number from 0, not a number",
        ),
        (
            r#"{"order":[{"desc":true}]}"#,
            "\"order\": item 0: \"by\" is missing",
        ),
        (
            r#"{"order":[{"by":"id","dir":1}]}"#,
            "\"dir\" is not \"by\" or \"desc\"",
        ),
        (r#"{"field":"a"}"#, "\"field\": \"op\" is missing"),
        (r#"{"op":"eq"}"#, "\"op\": it needs \"field\""),
        (
            r#"{"field":"a","op":"eq"}"#,
            "\"op\" \"eq\": \"value\" is missing",
        ),
        (
            r#"{"field":"a","op":"is","value":1}"#,
            "\"op\" \"is\": there is no such test",
        ),
        (
            r#"{"field":"a","op":"lt","value":true}"#,
            "a number or a string, not a boolean",
        ),
        (
            r#"{"field":"a","op":"eq","value":[1]}"#,
            "a number or a string, not a list",
        ),
        (
            r#"{"field":"a","op":"in","value":1}"#,
            "it takes a list, not a number",
        ),
        (r#"{"field":"@type","op":"eq","value":1}"#, "reserved"),
        (
            r#"{"and":[{},{"not":1}]}"#,
            "\"and\": item 1: \"not\": a filter is an object, not a number",
        ),
        (
            r#"{"created":{"eq":1}}"#,
            "\"created\": \"eq\" is not lt, le, gt or ge",
        ),
    ] {
        let detail = refused(text);
        assert!(detail.contains(want), "{text}\n{detail}");
    }
}

#[test]
fn sizes_are_bounded() {
    let limited = |text: String| {
        let kind = Query::parse(&text).expect_err("too large").kind();
        assert_eq!(kind, ErrorKind::LimitExceeded);
    };
    let nested = |depth| "{\"not\":".repeat(depth) + "{}" + &"}".repeat(depth);
    assert!(Query::parse(&nested(32)).is_ok());
    limited(nested(33));
    let wide = |n| json!({ "or": vec![json!({"type": "A"}); n] }).to_string();
    assert!(Query::parse(&wide(999)).is_ok());
    limited(wide(1000));
    let list = |n| json!({"field": "a", "op": "in", "value": vec![1; n]}).to_string();
    assert!(Query::parse(&list(1000)).is_ok());
    limited(list(1001));
    limited(json!({"field": "/a/0/0/0/0/0", "op": "exists"}).to_string());
    // Deeper than any JSON reader goes: refused, not a stack overflow.
    assert!(Query::parse(&nested(100_000)).is_err());
}

#[test]
fn deleted_objects_are_left_out_unless_mentioned() {
    let plain = json!({});
    let system = SystemFields::default();
    let row = |deleted| RowView {
        id: ObjectId::ZERO,
        type_name: None,
        parent: None,
        gone: deleted,
        branch: false,
        created_ms: 0,
        updated_ms: 0,
        system: &system,
        plain: &plain,
    };
    for (text, live, dead) in [
        ("{}", true, false),
        (r#"{"or":[{"type":null},{"type":"A"}]}"#, true, false),
        (r#"{"deleted":true}"#, false, true),
        (r#"{"or":[{"deleted":true},{"deleted":false}]}"#, true, true),
    ] {
        let query = Query::parse(text).unwrap();
        assert_eq!(query.matches(&row(false)), live, "{text}");
        assert_eq!(query.matches(&row(true)), dead, "{text}");
    }
}

#[test]
fn kinds_never_mix() {
    let plain = json!({"n": 1, "f": 1.0, "t": true, "s": "1", "z": null, "l": [1, "ab", null], "m": {"0": 5}});
    let system = SystemFields::default();
    let row = RowView {
        id: ObjectId::ZERO,
        type_name: None,
        parent: None,
        gone: false,
        branch: false,
        created_ms: 0,
        updated_ms: 0,
        system: &system,
        plain: &plain,
    };
    for (field, op, value, want) in [
        ("n", "eq", json!(1.0), true),
        ("n", "eq", json!(true), false),
        ("n", "eq", json!("1"), false),
        ("n", "ne", json!("1"), true),
        ("n", "ge", json!("0"), false),
        ("n", "lt", json!("2"), false),
        ("t", "eq", json!(1), false),
        ("z", "eq", json!(null), true),
        ("x", "eq", json!(null), false),
        ("x", "ne", json!(null), true),
        ("x", "lt", json!(9), false),
        ("z", "exists", json!(true), true),
        ("x", "exists", json!(false), true),
        ("l", "contains", json!(1), true),
        ("l", "contains", json!("a"), false),
        ("l", "contains", json!(null), true),
        ("s", "contains", json!(""), true),
        ("l", "eq", json!(1), false),
        ("/l/1", "prefix", json!("a"), true),
        ("/m/0", "eq", json!(5), true),
        ("n", "in", json!(["1", true, 1]), true),
        ("x", "in", json!([null]), false),
        ("n", "eq", json!({"@timestamp": 1}), true),
        ("n", "between", json!([0, 1]), true),
        ("n", "between", json!([2, 9]), false),
        ("n", "between", json!(["0", "2"]), false),
        ("l", "contains_all", json!([1, "ab"]), true),
        ("l", "contains_all", json!([1, "b"]), false),
        ("l", "contains_any", json!(["b", null]), true),
        ("l", "contains_any", json!([]), false),
        ("t", "kind", json!("boolean"), true),
        ("n", "kind", json!("number"), true),
        ("m", "kind", json!("map"), true),
        ("z", "kind", json!("null"), true),
        ("x", "kind", json!("null"), false),
    ] {
        let text = json!({"field": field, "op": op, "value": value}).to_string();
        assert_eq!(Query::parse(&text).unwrap().matches(&row), want, "{text}");
    }
}
