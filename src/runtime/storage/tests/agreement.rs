//! Queries in SQL and in memory mean the same.

use super::*;
use crate::query::{Query, RowView, compare, compile, matches};
use crate::space::IndexRecord;
use serde_json::{Map, Value as Json, json};
use std::cmp::Ordering;

const KEYS: [&str; 12] = [
    "a",
    "b",
    "0",
    "1",
    "quo\"te",
    "back\\slash",
    "do.t",
    "br[0]",
    "tab\t",
    "é😀",
    "sl/ash~",
    "'",
];
const TEXTS: [&str; 16] = [
    "", "a", "ab", "abc", "b", "ä", "😀", "😀x", "a\0b", "\0", "1", "true", "null", "A", "%", "_",
];

fn number(random: &mut Random) -> Json {
    match random.below(9) {
        0 => json!(random.next() as i64),
        1 => json!(i64::MAX),
        2 => json!(9_223_372_036_854_775_807.0),
        3 => json!((1i64 << 53) + 1),
        4 => json!(9_007_199_254_740_992.0),
        5 => json!(random.below(5) as f64 / 2.0),
        // Any finite float at all: reading one back must not move it by a bit.
        6 => {
            let any = f64::from_bits(random.next());
            json!(if any.is_finite() { any } else { -0.0 })
        }
        _ => json!(random.below(4) as i64 - 1),
    }
}

fn scalar(random: &mut Random) -> Json {
    match random.below(7) {
        0 => Json::Null,
        1 => json!(random.below(2) == 0),
        2..=3 => number(random),
        _ => json!(random.pick(&TEXTS)),
    }
}

fn value(random: &mut Random, depth: usize) -> Json {
    match random.below(if depth == 0 { 6 } else { 10 }) {
        0..=5 => scalar(random),
        6..=7 => (0..random.below(4))
            .map(|_| value(random, depth - 1))
            .collect(),
        _ => Json::Object(fields(random, depth - 1)),
    }
}

fn fields(random: &mut Random, depth: usize) -> Map<String, Json> {
    (0..random.below(5))
        .map(|_| (random.pick(&KEYS).to_string(), value(random, depth)))
        .collect()
}

fn path(random: &mut Random) -> String {
    let mut path = String::new();
    for step in 0..1 + random.below(3) {
        // A path does not begin with an index.
        let key = loop {
            let key = *random.pick(&KEYS);
            if step > 0 || !key.starts_with(|c: char| c.is_ascii_digit()) {
                break key;
            }
        };
        path.push('/');
        path.push_str(&crate::model::path::escaped(key));
    }
    path
}

/// A stored number often, so that equality is met.
fn wanted(random: &mut Random, seen: &[Json]) -> Json {
    if random.below(2) == 0 && !seen.is_empty() {
        return random.pick(seen).clone();
    }
    scalar(random)
}

fn filter(random: &mut Random, seen: &[Json], depth: usize) -> Json {
    if depth > 0 && random.below(3) == 0 {
        let some: Vec<Json> = (0..random.below(4))
            .map(|_| filter(random, seen, depth - 1))
            .collect();
        return match random.below(3) {
            0 => json!({ "and": some }),
            1 => json!({ "or": some }),
            _ => json!({ "not": filter(random, seen, depth - 1) }),
        };
    }
    let op = *random.pick(&["lt", "le", "gt", "ge"]);
    match random.below(16) {
        0 => json!({"type": random.pick(&[json!("A"), json!(null), json!(["A", "B", null])])}),
        1 => json!({"id": [object_id(random.below(60) as u64).to_string()]}),
        2 => json!({"parent": random.pick(&[json!(null), json!(object_id(1).to_string())])}),
        3 => json!({"deleted": random.below(2) == 0}),
        4 => json!({"created": {op: random.below(60)}}),
        5 => {
            let list: Vec<Json> = (0..random.below(5)).map(|_| wanted(random, seen)).collect();
            json!({"field": path(random), "op": "in", "value": list})
        }
        6 => json!({"field": path(random), "op": "exists", "value": random.below(2) == 0}),
        7 => json!({"field": path(random), "op": "prefix", "value": random.pick(&TEXTS)}),
        8..=9 => json!({"field": path(random), "op": "contains", "value": wanted(random, seen)}),
        10..=12 => {
            let bound = loop {
                let bound = wanted(random, seen);
                if bound.is_string() || bound.is_number() {
                    break bound;
                }
            };
            json!({"field": path(random), "op": op, "value": bound})
        }
        13 => json!({"field": path(random), "op": "ne", "value": wanted(random, seen)}),
        _ => json!({"field": path(random), "op": "eq", "value": wanted(random, seen)}),
    }
}

fn scalars(json: &Json, into: &mut Vec<Json>) {
    match json {
        Json::Array(items) => items.iter().for_each(|item| scalars(item, into)),
        Json::Object(map) => map.values().for_each(|item| scalars(item, into)),
        other => into.push(other.clone()),
    }
}

fn random_row(random: &mut Random, n: u64) -> ObjectRow {
    let plain = Json::Object(fields(random, 3)).to_string();
    let apart = random.below(3) == 0;
    ObjectRow {
        type_name: random
            .pick(&[None, Some("A"), Some("B")])
            .map(str::to_owned),
        parent: random.pick(&[None, Some(object_id(1))]).to_owned(),
        deleted: random.below(4) == 0,
        updated_ms: random.below(5) as i64,
        data: if apart { "{}".into() } else { plain.clone() },
        plain: apart.then_some(plain),
        ..row(n, "")
    }
}

fn view<'a>(row: &'a ObjectRow, plain: &'a Json) -> RowView<'a> {
    RowView {
        id: row.id,
        type_name: row.type_name.as_deref(),
        parent: row.parent,
        gone: row.is_gone(),
        branch: row.system.branch.is_some(),
        created_ms: row.created_ms,
        updated_ms: row.updated_ms,
        system: &row.system,
        plain,
    }
}

/// Indexes change nothing but the way.
fn some_indexes(store: &mut SpaceStore, random: &mut Random, count: usize) {
    for _ in 0..count {
        let type_name = random.pick(&[None, Some("A"), Some("B")]);
        let type_name = type_name.map(str::to_owned);
        let path = path(random);
        store
            .create_index(&IndexRecord { type_name, path })
            .unwrap();
    }
}

#[test]
fn sql_and_memory_agree_on_filters_and_order() {
    let mut random = Random(20);
    let mut found_some = 0;
    for round in 0..40 {
        let mut store = SpaceStore::open(None).unwrap();
        some_indexes(&mut store, &mut random, round % 5);
        let rows: Vec<ObjectRow> = (0..60).map(|n| random_row(&mut random, n)).collect();
        let writes: Vec<_> = rows.iter().map(|row| write(row, &[])).collect();
        commit(&mut store, 0, EntryStatus::Applied, &writes).unwrap();
        let parsed: Vec<Json> = rows
            .iter()
            .map(|row| serde_json::from_str(row.plain_json()).unwrap())
            .collect();
        let mut seen = Vec::new();
        parsed.iter().for_each(|json| scalars(json, &mut seen));

        for _ in 0..100 {
            let by = match random.below(5) {
                0 => "updated".into(),
                1 => "type".into(),
                _ => path(&mut random),
            };
            let text = json!({
                "where": filter(&mut random, &seen, 3),
                "order": [{"by": by, "desc": random.below(2) == 0}, {"by": "updated"}],
            })
            .to_string();
            let query = Query::parse(&text).unwrap_or_else(|e| panic!("{e}\n{text}"));
            let mut expected: Vec<usize> = (0..rows.len())
                .filter(|i| matches(&query.filter, &view(&rows[*i], &parsed[*i])))
                .collect();
            expected.sort_by(|a, b| {
                let (a, b) = (*a, *b);
                let order = compare(
                    &query.order,
                    &view(&rows[a], &parsed[a]),
                    &view(&rows[b], &parsed[b]),
                );
                assert!(a == b || order != Ordering::Equal, "ids break every tie");
                order
            });
            let expected: Vec<_> = expected.into_iter().map(|i| rows[i].seen()).collect();
            let found =
                found_by(&store, &compile(&query)).unwrap_or_else(|e| panic!("{e}\n{text}"));
            assert!(
                found == expected,
                "round {round}: {text}\n{}\nfound {:?}\nexpected {:?}",
                compile(&query).sql,
                found
                    .iter()
                    .map(|r| (r.id.to_string(), &r.data))
                    .collect::<Vec<_>>(),
                expected
                    .iter()
                    .map(|r| (r.id.to_string(), &r.data))
                    .collect::<Vec<_>>(),
            );
            found_some += usize::from(!found.is_empty());
        }
    }
    // The test means something only while queries find something.
    assert!(found_some > 1000, "{found_some}");
}

#[test]
fn windows_and_the_largest_queries_run() {
    let mut store = SpaceStore::open(None).unwrap();
    (0..10).for_each(|n| make(&mut store, n));
    let find = |text: &str| {
        let query = Query::parse(text).unwrap();
        let rows = found_by(&store, &compile(&query)).unwrap();
        rows.iter().map(|row| row.created_ms).collect::<Vec<_>>()
    };
    assert_eq!(find(r#"{"limit":2,"skip":3}"#), [3, 4]);
    assert_eq!(find(r#"{"skip":8}"#), [8, 9]);
    assert_eq!(find(r#"{"limit":0}"#), [0i64; 0]);
    assert_eq!(
        find(r#"{"order":[{"by":"id","desc":true}],"limit":1}"#),
        [9]
    );

    let one = json!({"field": "/a/0/1/2/3", "op": "contains", "value": "x"});
    let many: Vec<Json> = std::iter::repeat_n(one, 998).collect();
    assert_eq!(find(&json!({"or": many}).to_string()), [0i64; 0]);
    let list: Vec<String> = (0..1000).map(|n| object_id(n).to_string()).collect();
    assert_eq!(find(&json!({ "id": list }).to_string()).len(), 10);
    let mut deep = json!({"type": "Task"});
    for _ in 0..16 {
        deep = json!({"not": {"or": [{"not": {"field": "a", "op": "eq", "value": 1}}, {"not": deep}]}});
        if Query::parse(&deep.to_string()).is_err() {
            break;
        }
        assert_eq!(find(&deep.to_string()).len(), 10);
    }
}

#[test]
fn types_and_parents_use_their_indexes() {
    let store = SpaceStore::open(None).unwrap();
    for (text, index) in [
        (r#"{"type":"Task"}"#, "objects_type"),
        (r#"{"type":["Task","Note"]}"#, "objects_type"),
        (
            r#"{"parent":"00000000000000000000000001"}"#,
            "objects_parent",
        ),
        (
            r#"{"id":"00000000000000000000000001"}"#,
            "sqlite_autoindex_objects_1",
        ),
    ] {
        let plan = store.plan(&compile(&Query::parse(text).unwrap())).unwrap();
        assert!(
            plan.steps.iter().any(|step| step.2.contains(index)),
            "{plan:?}"
        );
    }
}
