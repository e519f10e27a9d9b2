//! The largest and the strangest queries run or are refused, and traversals use the indexes.

use super::*;
use crate::model::{ErrorKind, Reference};
use crate::query::{Aggregate, Query, Selection, compile, compile_part};
use serde_json::{Value as Json, json};

fn run(store: &SpaceStore, query: &Json) -> usize {
    let query = Query::parse(&query.to_string()).unwrap_or_else(|e| panic!("{e}"));
    let few = [object_id(1)];
    for within in [None, Some(&few[..])] {
        let part = Selection {
            within,
            ..Selection::default()
        };
        let found = found_by(store, &compile_part(&query, part));
        found.unwrap_or_else(|e| panic!("{within:?}: {e}"));
    }
    found_by(store, &compile(&query)).unwrap().len()
}

fn limited(query: &Json) {
    let error = Query::parse(&query.to_string()).expect_err("too large");
    assert_eq!(error.kind(), ErrorKind::LimitExceeded, "{error}");
}

#[test]
fn links_nest_as_deep_as_filters_may() {
    let mut store = SpaceStore::open(None).unwrap();
    (0..3).for_each(|n| make(&mut store, n));
    for name in super::world::LINKS {
        let nested = |depth| {
            (0..depth).fold(
                json!({"type": "Task"}),
                |inner, _| json!({name: {"where": inner}}),
            )
        };
        run(&store, &nested(32));
        limited(&nested(33));
        let turned = (0..16).fold(
            json!({}),
            |inner, _| json!({"not": {name: {"where": inner}}}),
        );
        run(&store, &turned);
    }
    let via = (0..16).fold(
        json!({}),
        |inner, _| json!({"related": {"via": {"related": {"via": inner}}}}),
    );
    run(&store, &via);
    let both = (0..32).fold(
        json!({}),
        |inner, _| json!({"related": {"where": inner, "via": {"tag": "x"}}}),
    );
    run(&store, &both);
}

#[test]
fn links_and_steps_are_counted() {
    let mut store = SpaceStore::open(None).unwrap();
    (0..3).for_each(|n| make(&mut store, n));
    let wide = |count| {
        let one = json!({"refers_to": {"where": {"ancestor": true}}});
        json!({"or": vec![one; count]})
    };
    run(&store, &wide(32));
    limited(&wide(33));
    let steps =
        |count| json!({"follow": vec![json!({"descendant": {"where": {"type": "Task"}}}); count]});
    run(&store, &steps(16));
    limited(&steps(17));
    let ids: Vec<String> = (0..1000).map(|n| object_id(n).to_string()).collect();
    for name in super::world::LINKS {
        run(&store, &json!({ name: ids }));
        run(&store, &json!({ name: [] }));
        run(&store, &json!({ name: {"id": ids} }));
    }
    let mut many = ids.clone();
    many.push(object_id(1).to_string());
    limited(&json!({ "refers_to": many }));
    limited(&json!({"tag": vec!["x"; 1001]}));
    limited(&json!({"field": "a", "op": "contains_any", "value": vec![1; 1000]}));
    assert_eq!(run(&store, &json!({"key": {"source": "s", "key": []}})), 0);
    assert_eq!(run(&store, &json!({"tag": []})), 0);
}

/// Asked about few objects, steps are links within links.
#[test]
fn the_deepest_steps_run_for_few_objects_too() {
    let mut store = SpaceStore::open(None).unwrap();
    (0..3).for_each(|n| make(&mut store, n));
    let deep = (0..10).fold(json!({}), |inner, _| {
        json!({"not": {"or": [{"related": {"where": inner}}, {"type": "A"}, {"tag": "x"}, {"tag": "y"}]}})
    });
    let steps = vec![json!({"related": {"where": deep, "via": {"type": "A"}}})];
    let more = vec![json!({"related": {"via": {"type": "A"}, "where": {"not": {"tag": "z"}}}}); 15];
    let steps = [steps, more].concat();
    run(&store, &json!({"where": deep, "follow": steps}));
    let deep = (0..26).fold(json!({}), |inner, n| match n % 2 {
        0 => json!({"and": [inner, {"tag": "x"}, {"tag": "y"}, {"tag": "z"}]}),
        _ => json!({"child": {"where": inner}}),
    });
    run(
        &store,
        &json!({"id": object_id(1).to_string(), "not": {"not": deep["child"]["where"]}}),
    );
}

#[test]
fn an_aggregation_at_its_bounds_runs() {
    let mut store = SpaceStore::open(None).unwrap();
    (0..3).for_each(|n| make(&mut store, n));
    let measures = |count: usize| -> Json {
        (0..count)
            .map(|n| (format!("m{n}"), json!({"sum": "/a/0/1/2/3"})))
            .collect()
    };
    let asked =
        |keys: &[&str], count| json!({"group": keys, "aggregate": measures(count)}).to_string();
    let largest = Aggregate::parse(&asked(&["type", "tag", "/b/0/1/2/3", "a"], 16)).unwrap();
    let rows = store.values(&largest.compile()).unwrap();
    let answer: Json = serde_json::from_str(&largest.answer(&rows)).unwrap();
    assert_eq!(answer[0]["group"], json!(["Task", null, null, 1]));
    for text in [asked(&["type", "tag", "a", "b", "c"], 1), asked(&[], 17)] {
        let kind = Aggregate::parse(&text).expect_err("too large").kind();
        assert_eq!(kind, ErrorKind::LimitExceeded);
    }
    for (text, want) in [
        (r#"{"grop":[]}"#, "\"grop\" is no part of an aggregation"),
        (
            r#"{"group":"type"}"#,
            "\"group\": it takes a list of keys, not a string",
        ),
        (
            r#"{"group":["type","type"]}"#,
            "\"group\": a key stands twice",
        ),
        (
            r#"{"aggregate":{}}"#,
            "\"aggregate\": it takes an object such as",
        ),
        (
            r#"{"aggregate":{"x":{"median":"a"}}}"#,
            "\"x\": a measure is \"count\"",
        ),
        (r#"{"aggregate":{"x":{"sum":"@type"}}}"#, "reserved"),
        (
            r#"{"order":[{"by":"n"}]}"#,
            "\"order\": \"n\" is none of the measures",
        ),
        (
            r#"{"where":{"x":1}}"#,
            "\"where\": \"x\": this is no condition",
        ),
        ("[]", "an aggregation is a JSON object"),
    ] {
        let error = Aggregate::parse(text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.detail().contains(want), "{text}\n{error}");
    }
}

#[test]
fn a_sum_past_64_bits_is_a_float() {
    let mut store = SpaceStore::open(None).unwrap();
    let data = format!(r#"{{"n":{}}}"#, i64::MAX);
    let rows: Vec<ObjectRow> = (0..3).map(|n| row(n, &data)).collect();
    let writes: Vec<_> = rows.iter().map(|row| write(row, &[])).collect();
    commit(&mut store, 0, EntryStatus::Applied, &writes).unwrap();
    let asked =
        Aggregate::parse(r#"{"aggregate":{"s":{"sum":"n"},"a":{"avg":"n"},"m":{"max":"n"}}}"#);
    let asked = asked.unwrap();
    let answer = asked.answer(&store.values(&asked.compile()).unwrap());
    let answer: Json = serde_json::from_str(&answer).unwrap();
    let max = i64::MAX as f64;
    let want = json!({"s": 3.0 * max, "a": max, "m": i64::MAX});
    assert_eq!(answer, json!([{"group": [], "values": want}]));
}

#[test]
fn links_and_steps_use_the_indexes() {
    let store = SpaceStore::open(None).unwrap();
    let id = object_id(1).to_string();
    for (asked, index) in [
        (
            json!({"where": {"type": "A"}, "follow": [{"refers_to": true}, {"refers_to": true}]}),
            "objects_type",
        ),
        (
            json!({"where": {"id": id}, "follow": [{"referred_by": true}, {"referred_by": true}]}),
            "refs_target",
        ),
        // What lies between is in sight, which its row is not read for.
        (
            json!({"where": {"id": id}, "follow": [{"refers_to": true}, {"refers_to": true}]}),
            "COVERING INDEX sqlite_autoindex_objects_1",
        ),
        (
            json!({"where": {"id": id}, "follow": [{"descendant": true}]}),
            "objects_parent",
        ),
        (
            json!({"where": {"id": id}, "follow": [{"related": {"direction": "out"}}]}),
            "objects_source",
        ),
        (
            json!({"where": {"id": id}, "follow": [{"related": true}]}),
            "objects_target",
        ),
        (json!({"refers_to": id}), "refs_target"),
        (json!({"ancestor": id}), "objects_parent"),
        (json!({"source": id}), "objects_source"),
        (
            json!({"related": {"id": id, "direction": "in"}}),
            "objects_source",
        ),
        (
            json!({"id": id, "referred_by": {"where": {"type": "A"}}}),
            "refs_target",
        ),
        (json!({"tag": "x"}), "PRIMARY KEY (tag=?)"),
        (
            json!({"key": {"source": "s", "key": "k"}}),
            "PRIMARY KEY (source=? AND key=?)",
        ),
    ] {
        let compiled = compile(&Query::parse(&asked.to_string()).unwrap());
        let plan = store.plan(&compiled).unwrap();
        let lines: Vec<&str> = plan.steps.iter().map(|step| step.2.as_str()).collect();
        assert!(
            lines.iter().any(|line| line.contains(index)),
            "{asked} {lines:#?}"
        );
        // Only what was worked out before, or the values of a list, is read from end to end.
        let scans = lines.iter().filter(|line| line.starts_with("SCAN"));
        for line in scans {
            let fine = ["SCAN t", "SCAN a", "SCAN (subquery", "CONSTANT ROW"];
            assert!(
                fine.iter().any(|part| line.contains(part)),
                "{asked} {lines:#?}"
            );
        }
    }
}

/// Whatever it is by that it is known: by indexes alone, or by its row.
#[test]
fn steps_do_not_lead_through_what_is_out_of_sight() {
    let refers = |to: u64| {
        let space = None;
        let object = object_id(to);
        json!({"to": {"@ref": Reference { space, object }.to_string()}}).to_string()
    };
    let mut rows = [row(1, &refers(2)), row(2, &refers(3)), row(3, "{}")];
    let asked = |start: &Json, next: &str| {
        let steps = json!([{"refers_to": true}, {next: true}]);
        let query = json!({"where": start, "follow": steps}).to_string();
        compile(&Query::parse(&query).unwrap())
    };
    let by_id = json!({"id": object_id(1).to_string()});
    let by_row = json!({"and": [by_id, {"field": "to", "op": "exists"}]});
    rows[1].parent = Some(object_id(3));
    let mut store = SpaceStore::open(None).unwrap();
    let hide: [fn(&mut ObjectRow); 4] = [
        |_| {},
        |row| row.deleted = true,
        |row| row.hidden = true,
        |row| row.type_name = Some(crate::model::system::SCHEMA.to_owned()),
    ];
    let mut seq = 0;
    for hidden in [0, 1] {
        for (way, hide) in hide.iter().enumerate() {
            let mut now = rows.clone();
            hide(&mut now[hidden]);
            let writes = now.each_ref().map(|row| write(row, &[]));
            commit(&mut store, seq, EntryStatus::Applied, &writes).unwrap();
            seq += 1;
            for (start, next) in [
                (&by_id, "refers_to"),
                (&by_row, "refers_to"),
                (&by_id, "parent"),
            ] {
                let found = found_by(&store, &asked(start, next)).unwrap();
                let ids: Vec<ObjectId> = found.iter().map(|row| row.id).collect();
                let want = if way == 0 { vec![object_id(3)] } else { vec![] };
                assert_eq!(ids, want, "{hidden} in way {way}: {start} {next}");
            }
        }
    }
}
