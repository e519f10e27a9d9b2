//! What is taken, what is refused, and that no check runs away.

use super::*;
use crate::model::{ErrorKind, limits};
use serde_json::{Value as Json, json};

fn compile(schema: Json) -> crate::model::Result<CompiledSchema> {
    CompiledSchema::compile(&schema.to_string())
}

fn reasons(schema: Json, value: Json) -> Vec<(String, String)> {
    let found = compile(schema).unwrap().check(&value);
    found.into_iter().map(|b| (b.path, b.reason)).collect()
}

fn task() -> Json {
    json!({
        "type": "object",
        "properties": {
            "title": {"type": "string", "minLength": 1, "maxLength": 5},
            "done": {"type": "boolean"},
            "points": {"$ref": "#/$defs/points"},
            "tags": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}}
        },
        "required": ["title"],
        "additionalProperties": false,
        "$defs": {"points": {"type": "integer", "minimum": 0}}
    })
}

#[test]
fn breaches_name_place_and_rule_and_quote_nothing() {
    assert_eq!(reasons(task(), json!({"title": "abc", "points": 3.0})), []);
    let found = reasons(
        task(),
        json!({"title": "secret", "points": -7, "tags": ["a", "SECRET"], "x": 1}),
    );
    let places: Vec<&str> = found.iter().map(|(path, _)| path.as_str()).collect();
    for place in ["/title", "/points", "/tags/1", ""] {
        assert!(places.contains(&place), "{found:?}");
    }
    assert!(
        found
            .iter()
            .all(|(_, r)| !r.to_lowercase().contains("secret")),
        "{found:?}"
    );
    let missing = reasons(task(), json!({}));
    assert_eq!(
        missing,
        [(String::new(), "required: lacks \"title\"".into())]
    );
    let alternatives =
        json!({"properties": {"a": {"oneOf": [{"type": "string"}, {"type": "null"}]}}});
    let found = reasons(alternatives, json!({"a": 1}));
    assert_eq!(found.len(), 1);
    assert!(found[0].1.starts_with("oneOf: "), "{found:?}");
}

#[test]
fn all_drafts_are_read_and_formats_assert_nothing() {
    for draft in [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-06/schema#",
        "http://json-schema.org/draft-07/schema#",
        "https://json-schema.org/draft/2019-09/schema",
        "https://json-schema.org/draft/2020-12/schema",
    ] {
        let schema = json!({
            "$schema": draft,
            "definitions": {"n": {"type": "number", "format": "regex"}},
            "properties": {"a": {"$ref": "#/definitions/n"}, "b": {"format": "email"}}
        });
        assert_eq!(
            reasons(schema.clone(), json!({"a": 1, "b": "no"})),
            [],
            "{draft}"
        );
        assert_eq!(reasons(schema, json!({"a": "("})).len(), 1, "{draft}");
    }
    let named = json!({"$id": "https://example.com/x", "$ref": "#/$defs/a", "$defs": {"a": {"type": "object"}}});
    assert_eq!(reasons(named, json!({})), []);
}

#[test]
fn what_is_no_schema_or_leaves_itself_is_refused() {
    let long = "a".repeat(limits::SCHEMA_PATTERN_BYTES + 1);
    let patterns: serde_json::Map<String, Json> = (0..=limits::SCHEMA_PATTERNS)
        .map(|n| (n.to_string(), json!({})))
        .collect();
    let nodes: Vec<Json> = (0..=limits::SCHEMA_NODES).map(|_| json!({})).collect();
    for (schema, kind) in [
        (json!(1), ErrorKind::InvalidArgument),
        (json!({"type": "strin"}), ErrorKind::InvalidArgument),
        (json!({"type": 1}), ErrorKind::InvalidArgument),
        (json!({"properties": {"a": 1}}), ErrorKind::InvalidArgument),
        (
            json!({"$ref": "https://example.com/x"}),
            ErrorKind::InvalidArgument,
        ),
        (
            json!({"$ref": "file:///etc/passwd"}),
            ErrorKind::InvalidArgument,
        ),
        (json!({"$ref": "other.json"}), ErrorKind::InvalidArgument),
        (json!({"$ref": "#name"}), ErrorKind::InvalidArgument),
        (json!({"$ref": "#/$defs/none"}), ErrorKind::InvalidArgument),
        (json!({"$ref": 1}), ErrorKind::InvalidArgument),
        (
            json!({"$schema": "https://example.com/meta"}),
            ErrorKind::InvalidArgument,
        ),
        (json!({"$dynamicRef": "#x"}), ErrorKind::InvalidArgument),
        (
            json!({"$defs": {"a": {"$id": "b", "$ref": "#"}}}),
            ErrorKind::InvalidArgument,
        ),
        (json!({"$ref": "#"}), ErrorKind::InvalidArgument),
        (
            json!({"allOf": [{"not": {"$ref": "#/allOf/0"}}]}),
            ErrorKind::InvalidArgument,
        ),
        (json!({"pattern": "("}), ErrorKind::InvalidArgument),
        (json!({"pattern": "(?=a)"}), ErrorKind::InvalidArgument),
        (
            json!({"pattern": "(a{900}){900}"}),
            ErrorKind::LimitExceeded,
        ),
        (json!({"pattern": long}), ErrorKind::LimitExceeded),
        (
            json!({"patternProperties": patterns}),
            ErrorKind::LimitExceeded,
        ),
        (json!({"allOf": nodes}), ErrorKind::LimitExceeded),
    ] {
        let refused = compile(schema.clone()).err().map(|e| e.kind());
        assert_eq!(refused, Some(kind), "{schema}");
    }
    let deep = format!("{}{{}}{}", r#"{"not":"#.repeat(70), "}".repeat(70));
    assert!(CompiledSchema::compile(&deep).is_err());
    let large = json!({"description": "x".repeat(limits::SCHEMA_BYTES)});
    assert!(compile(large).is_err());
    assert!(CompiledSchema::compile("{").is_err());
}

/// A few lines that would take 2 to the power of 40 steps.
#[test]
fn doubling_schemas_are_refused_or_stopped() {
    let mut defs = serde_json::Map::new();
    for n in 0..40 {
        let next = json!({"$ref": format!("#/$defs/d{}", n + 1)});
        defs.insert(format!("d{n}"), json!({"allOf": [next, next]}));
    }
    defs.insert("d40".into(), json!({}));
    let same = json!({"$ref": "#/$defs/d0", "$defs": defs});
    assert!(compile(same).is_err());
    let down = json!({
        "properties": {"a": {"$ref": "#"}},
        "patternProperties": {"^a": {"$ref": "#"}}
    });
    let schema = compile(down).unwrap();
    let mut value = json!({});
    for _ in 0..8 {
        value = json!({"a": value});
    }
    assert_eq!(schema.check(&value), []);
    for _ in 0..40 {
        value = json!({"a": value});
    }
    let found = schema.check(&value);
    assert!(found[0].reason.starts_with("too_complex"), "{found:?}");
}

/// As deep as anything is allowed to go, on the stack of an ordinary thread.
#[test]
fn the_deepest_check_fits_the_stack() {
    let schema = compile(json!({
        "allOf": [{"$ref": "#/$defs/a"}],
        "$defs": {"a": {"properties": {"a": {"$ref": "#"}}, "type": "object"}}
    }))
    .unwrap();
    let mut value = json!({});
    let deepest = limits::SCHEMA_CHECK_DEPTH / 4 - 1;
    for _ in 0..deepest {
        value = json!({"a": value});
    }
    let work = move || assert_eq!(schema.check(&value), []);
    let thread = std::thread::Builder::new().stack_size(512 * 1024);
    thread.spawn(work).unwrap().join().unwrap();
}

#[test]
fn only_so_many_breaches_are_told() {
    let found = reasons(
        json!({"items": {"type": "null"}}),
        json!((0..100).collect::<Vec<_>>()),
    );
    assert_eq!(found.len(), limits::VIOLATIONS);
}

/// Whatever is written into a schema, it is refused or it answers.
#[test]
fn random_schemas_never_panic() {
    let words = [
        "type",
        "properties",
        "items",
        "allOf",
        "anyOf",
        "not",
        "$ref",
        "$defs",
        "enum",
        "minimum",
        "pattern",
        "required",
        "additionalProperties",
        "const",
        "if",
        "then",
        "uniqueItems",
        "prefixItems",
        "contains",
        "propertyNames",
        "dependentRequired",
        "unevaluatedProperties",
    ];
    let mut seed = 7u64;
    let mut next = move |bound: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize % bound
    };
    fn value(next: &mut impl FnMut(usize) -> usize, words: &[&str], depth: usize) -> Json {
        match next(if depth > 3 { 6 } else { 9 }) {
            0 => json!(next(5)),
            1 => json!(true),
            2 => json!("string"),
            3 => json!("#/$defs/a"),
            4 => json!("object"),
            5 => json!(["a", "b"]),
            6 => json!([value(next, words, depth + 1), value(next, words, depth + 1)]),
            _ => {
                let count = next(4);
                let entries = (0..count).map(|_| {
                    let word = words[next(words.len())].to_owned();
                    (word, value(next, words, depth + 1))
                });
                Json::Object(entries.collect())
            }
        }
    }
    let mut usable = 0;
    for _ in 0..5000 {
        let schema = value(&mut next, &words, 0);
        if let Ok(compiled) = compile(schema) {
            usable += 1;
            for _ in 0..3 {
                compiled.check(&value(&mut next, &words, 0));
            }
        }
    }
    assert!(usable > 100, "{usable}");
}

fn steps(schema: Json, value: &Json) -> u64 {
    compile(schema).unwrap().check_counted(value).steps
}

/// The dearer a name, a text or a list is to look at, the more steps it is.
#[test]
fn steps_are_counted_of_names_texts_and_lists() {
    let pattern = "^[a-z0-9]*$";
    let names: serde_json::Map<String, Json> = (0..100)
        .map(|n| (format!("{n:0>1000}"), json!(1)))
        .collect();
    let named = json!({"propertyNames": {"pattern": pattern}});
    assert!(steps(named, &Json::Object(names)) > 50_000);
    let long = json!("x".repeat(640_000));
    let lengths: Vec<Json> = (0..50).map(|n| json!({"maxLength": n})).collect();
    assert!(steps(json!({"allOf": lengths}), &long) > 500_000);
    let different = json!((0..10_000).collect::<Vec<_>>());
    let unique = || json!({"uniqueItems": true});
    assert!(steps(unique(), &different) < 50_000);
    assert_eq!(compile(unique()).unwrap().check(&different), []);
    let same = json!(vec![0; 10_000]);
    let found = compile(unique()).unwrap().check(&same);
    assert!(found[0].reason.starts_with("uniqueItems: "), "{found:?}");
}

/// Lists of nothing but lists, no two alike, of which the validator's hash is one and the same: it
/// would compare each with each.
#[test]
fn items_of_one_hash_are_counted_as_pairs() {
    fn nested(mut n: usize) -> Json {
        let mut value = json!([]);
        while n > 0 {
            value = match n % 2 {
                0 => json!([value]),
                _ => json!([[], value]),
            };
            n /= 2;
        }
        value
    }
    let items: Vec<Json> = (0..2000).map(|n| nested(n + 1)).collect();
    let schema = compile(json!({"uniqueItems": true})).unwrap();
    let found = schema.check_counted(&json!(items));
    assert!(found.breaches[0].reason.starts_with("too_complex"));
    assert_eq!(found.steps, limits::SCHEMA_STEPS);
    let few = schema.check_counted(&json!(items[..50]));
    assert_eq!(few.breaches, []);
    assert!(few.steps > 50 * 49 / 2);
    // So it is with objects of several fields, whose hashes are only added up.
    let pairs: Vec<Json> = (0..2000).map(|n| json!({"a": n, "b": n})).collect();
    let found = schema.check_counted(&json!(pairs));
    assert!(found.breaches[0].reason.starts_with("too_complex"));
    assert_eq!(schema.check(&json!(pairs[..300])), []);
}

/// So many faults are not kept in memory to tell of the first few.
#[test]
fn of_very_many_places_none_is_named() {
    let schema = compile(json!({"items": {"type": "string"}})).unwrap();
    let found = schema.check(&json!(vec![1; 150_000]));
    assert_eq!(found.len(), 1);
    assert!(found[0].reason.starts_with("schema: does not fit"));
    assert_eq!(schema.check(&json!(vec!["a"; 150_000])), []);
    let few = schema.check(&json!(vec![1; 1000]));
    assert_eq!(few.len(), limits::VIOLATIONS);
    assert_eq!(few[0].path, "/0");
    for draft in [
        "http://json-schema.org/draft-04/schema#",
        "http://json-schema.org/draft-07/schema#",
    ] {
        let schema = json!({"$schema": draft, "items": {"type": "string"}});
        assert_eq!(
            compile(schema)
                .unwrap()
                .check(&json!(vec![1; 150_000]))
                .len(),
            1
        );
    }
}
