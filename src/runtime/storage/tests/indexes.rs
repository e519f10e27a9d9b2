//! Indexes that the program asked for: used by every query that they serve, and of no influence on
//! what it finds.

use super::*;
use crate::model::{ErrorKind, limits};
use crate::query::{Query, compile};
use crate::space::IndexRecord;
use serde_json::{Value as Json, json};

fn index(type_name: Option<&str>, path: &str) -> IndexRecord {
    IndexRecord {
        type_name: type_name.map(str::to_owned),
        path: path.into(),
    }
}

fn plan(store: &SpaceStore, query: &Json) -> String {
    let query = Query::parse(&query.to_string()).unwrap();
    details(store, &compile(&query))
}

#[test]
fn comparisons_and_orders_use_them() {
    let mut store = SpaceStore::open(None).unwrap();
    store.create_index(&index(Some("Ta'sk"), "/a'b/0")).unwrap();
    store.create_index(&index(None, "/due")).unwrap();
    for (path, name, of) in [
        ("/a'b/0", "field_1", json!("Ta'sk")),
        ("/due", "field_2", json!(null)),
    ] {
        for test in [
            json!({"op": "eq", "value": 1}),
            json!({"op": "eq", "value": "x"}),
            json!({"op": "eq", "value": true}),
            json!({"op": "lt", "value": 1.5}),
            json!({"op": "ge", "value": "x"}),
            json!({"op": "in", "value": ["x", "y"]}),
            json!({"op": "prefix", "value": "x"}),
        ] {
            let mut filter = test.clone();
            filter["field"] = json!(path);
            if of.is_string() {
                filter["type"] = of.clone();
            }
            let plan = plan(&store, &filter);
            assert!(
                plan.contains(&format!("USING INDEX {name}")),
                "{filter}\n{plan}"
            );
        }
        for desc in [false, true] {
            let mut query = json!({"order": [{"by": path, "desc": desc}], "limit": 50});
            if of.is_string() {
                query["where"] = json!({ "type": of });
            }
            let plan = plan(&store, &query);
            assert!(
                plan.contains(&format!("USING INDEX {name}")),
                "{query}\n{plan}"
            );
            // Of the last come first, only those with equal keys are sorted.
            let sorts = if desc { "LAST TERM" } else { "" };
            assert!(
                !plan.contains("TEMP B-TREE") || (desc && plan.contains(sorts)),
                "{query}\n{plan}"
            );
        }
    }
    let other = plan(
        &store,
        &json!({"type": "Other", "field": "/a'b/0", "op": "eq", "value": 1}),
    );
    assert!(other.contains("objects_type"), "{other}");
}

#[test]
fn clocks_have_theirs() {
    let mut store = SpaceStore::open(None).unwrap();
    let created = json!({"where": {"type": "Task"}, "order": [{"by": "created"}], "limit": 50});
    let found = plan(&store, &created);
    assert!(
        found.contains("objects_type") && !found.contains("B-TREE"),
        "{found}"
    );
    let recent = json!({"type": "Task", "created": {"ge": 5}});
    assert!(plan(&store, &recent).contains("objects_type (type=? AND created>?)"));
    let updated = json!({"where": {"type": "Task"}, "order": [{"by": "updated"}], "limit": 50});
    assert!(plan(&store, &updated).contains("B-TREE"));
    store.create_index(&index(Some("Task"), "updated")).unwrap();
    let found = plan(&store, &updated);
    assert!(
        found.contains("field_1") && !found.contains("B-TREE"),
        "{found}"
    );
}

#[test]
fn they_persist_and_are_kept_up() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    let of_task = index(Some("Task"), "/a");
    (0..5).for_each(|n| make(&mut store, n));
    store.create_index(&of_task).unwrap();
    store.create_index(&of_task).unwrap();
    (5..9).for_each(|n| make(&mut store, n));
    let moved = row(3, r#"{"a":"else"}"#);
    commit(&mut store, 9, EntryStatus::Applied, &[write(&moved, &[])]).unwrap();
    drop(store);
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    assert_eq!(store.indexes().unwrap(), std::slice::from_ref(&of_task));
    let query = json!({"type": "Task", "field": "a", "op": "eq", "value": 1});
    assert!(plan(&store, &query).contains("field_1"));
    let parsed = Query::parse(&query.to_string()).unwrap();
    assert_eq!(found_by(&store, &compile(&parsed)).unwrap().len(), 8);
    store.check().unwrap();
    store.drop_index(&of_task).unwrap();
    assert_eq!(store.indexes().unwrap(), []);
    assert!(!plan(&store, &query).contains("field_1"));
    assert_eq!(found_by(&store, &compile(&parsed)).unwrap().len(), 8);
    let error = store.drop_index(&of_task).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn they_are_bounded_and_checked() {
    let mut store = SpaceStore::open(None).unwrap();
    let kind = |store: &mut SpaceStore, type_name: Option<&str>, path: &str| {
        store
            .create_index(&index(type_name, path))
            .map_err(|e| e.kind())
    };
    let long = "x".repeat(limits::INDEX_BYTES);
    for (type_name, path, want) in [
        (None, long.as_str(), ErrorKind::LimitExceeded),
        (Some(long.as_str()), "/a", ErrorKind::InvalidArgument),
        (Some("a\0b"), "/a", ErrorKind::LimitExceeded),
        (None, "/@x", ErrorKind::InvalidArgument),
        (None, "id", ErrorKind::InvalidArgument),
        (None, "rank", ErrorKind::InvalidArgument),
        (None, "/a/0/0/0/0/0", ErrorKind::LimitExceeded),
    ] {
        let got = kind(&mut store, type_name, path);
        match type_name {
            // As long as it may be.
            Some(name) if name == long => assert_eq!(got, Ok(())),
            _ => assert_eq!(got, Err(want), "{type_name:?} {path}"),
        }
    }
    for n in 1..limits::INDEXES {
        assert_eq!(kind(&mut store, None, &format!("/f{n}")), Ok(()));
    }
    assert_eq!(
        kind(&mut store, None, "/more"),
        Err(ErrorKind::LimitExceeded)
    );
    assert_eq!(store.indexes().unwrap().len(), limits::INDEXES);
}
