//! Searches through the index agree with a plain reading of every object, whatever was written.

use super::*;
use crate::model::ErrorKind;
use crate::query::{More, Query, Search, Selection, compile, compile_part, each_string, indexed};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

const WORDS: [&str; 14] = [
    "red", "Red", "réd", "rose", "roses", "bush", "or", "OR", "東京", "京", "x-y", "a.b",
    "\u{E000}", "😀",
];

/// Fields of a few words each.
fn fields(random: &mut Random) -> Json {
    let text = |random: &mut Random| {
        let words: Vec<&str> = (0..random.below(5)).map(|_| *random.pick(&WORDS)).collect();
        let between = random.pick::<&str>(&[" ", ", ", "-", ""]);
        Json::from(words.join(between))
    };
    json!({
        "title": text(random),
        "body": {"parts": [text(random), 1, text(random)]},
        "red": null,
    })
}

/// What somebody may type.
fn typed(random: &mut Random) -> String {
    let mut typed = String::new();
    for _ in 0..1 + random.below(4) {
        let word = random.pick(&WORDS);
        match random.below(8) {
            0 => typed += &format!("-{word}"),
            1 => typed += &format!("\"{word} {}\"", random.pick(&WORDS)),
            2 => typed += &format!("{}*", word.chars().take(2).collect::<String>()),
            3 => typed += " OR ",
            _ => typed += word,
        }
        typed.push(' ');
    }
    typed
}

fn row_of(n: u64, fields: &Json, deleted: bool) -> ObjectRow {
    let apart = n.is_multiple_of(3);
    ObjectRow {
        deleted,
        data: if apart {
            "{}".into()
        } else {
            fields.to_string()
        },
        plain: apart.then(|| fields.to_string()),
        ..row(n, "")
    }
}

fn found(store: &SpaceStore, query: &Json) -> Vec<u64> {
    let query = Query::parse(&query.to_string()).unwrap();
    let rows = found_by(store, &compile(&query)).unwrap();
    rows.iter().map(|row| row.created_ms as u64).collect()
}

/// Every word with its object and place, as the index has it and as the rows give it.
fn assert_agrees(store: &SpaceStore) {
    let conn = store.db.conn();
    conn.execute_batch(
        "CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab(main, words, instance)",
    )
    .unwrap();
    let mut held: Vec<(i64, i64, String)> = conn
        .prepare("SELECT doc, offset, term FROM temp.vocabulary")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))
        .unwrap()
        .collect::<rusqlite::Result<_>>()
        .unwrap();
    held.sort();
    conn.execute_batch("DROP TABLE temp.vocabulary").unwrap();
    let mut wanted = Vec::new();
    conn.prepare("SELECT n, coalesce(json(plain), data) FROM objects")
        .unwrap()
        .query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })
        .unwrap()
        .for_each(|row| {
            let (n, fields) = row.unwrap();
            let text = indexed(&serde_json::from_str(&fields).unwrap());
            let words = text.split_whitespace().enumerate();
            wanted.extend(words.map(|(at, word)| (n, at as i64, word.to_owned())));
        });
    wanted.sort();
    assert_eq!(held, wanted);
    store.check().unwrap();
}

#[test]
fn searches_agree_with_a_plain_reading() {
    let seed = 41;
    let mut random = Random(seed);
    let mut store = SpaceStore::open(None).unwrap();
    let mut objects: BTreeMap<u64, (Json, bool)> = BTreeMap::new();
    let mut some = 0;
    for round in 0..120 {
        for _ in 0..random.below(8) {
            let n = random.below(60) as u64;
            let fields = match objects.get(&n) {
                Some((fields, _)) if random.below(3) == 0 => fields.clone(),
                _ => fields(&mut random),
            };
            objects.insert(n, (fields, random.below(4) == 0));
            let (fields, deleted) = &objects[&n];
            let row = row_of(n, fields, *deleted);
            let seq = store.counts().unwrap().entries;
            commit(&mut store, seq, EntryStatus::Applied, &[write(&row, &[])]).unwrap();
        }
        for _ in 0..4 {
            let typed = typed(&mut random);
            let paths = random.pick::<&[&str]>(&[
                &[],
                &["/title"],
                &["/body/parts/0", "title"],
                &["/body"],
            ]);
            let (not, order) = (random.below(4) == 0, random.below(2) == 0);
            let leaf = json!({"search": typed, "in": paths});
            let filter = if not { json!({"not": leaf}) } else { leaf };
            let by = if order && !not { "rank" } else { "created" };
            let query = json!({"where": filter, "order": [{"by": by}]});
            let mut got = found(&store, &query);
            got.sort();
            let places = paths
                .iter()
                .map(|path| crate::model::Path::parse(path).unwrap());
            let search = Search::parse(&typed, places.clone().collect()).unwrap();
            let pointers: Vec<String> = places.map(|path| path.to_string()).collect();
            let holds = |fields: &Json| {
                let mut texts = Vec::new();
                match pointers.is_empty() {
                    true => each_string(fields, &mut |text| texts.push(text)),
                    false => pointers
                        .iter()
                        .filter_map(|pointer| fields.pointer(pointer))
                        .for_each(|json| each_string(json, &mut |text| texts.push(text))),
                }
                search.finds(&texts) != not
            };
            let in_sight = objects.iter().filter(|(_, (_, deleted))| !deleted);
            let want: Vec<u64> = in_sight
                .filter(|(_, (f, _))| holds(f))
                .map(|(n, _)| *n)
                .collect();
            assert_eq!(got, want, "seed {seed}, round {round}: {query}");
            some += usize::from(!got.is_empty() && got.len() < objects.len());
        }
        if round % 10 == 0 {
            found(&store, &json!({"search": "red"}));
            assert_agrees(&store);
        }
    }
    assert!(some > 100, "{some}");
}

#[test]
fn nothing_is_kept_before_the_first_search() {
    let mut store = SpaceStore::open(None).unwrap();
    (0..3).for_each(|n| make(&mut store, n));
    let count = |store: &SpaceStore, table: &str| -> i64 {
        let sql = format!("SELECT count(*) FROM {table}");
        store
            .db
            .conn()
            .query_row(&sql, [], |row| row.get(0))
            .unwrap()
    };
    assert_eq!(count(&store, "unindexed"), 0);
    assert_eq!(found(&store, &json!({"search": "x"})), [0u64; 0]);
    (3..5).for_each(|n| make(&mut store, n));
    assert_eq!(count(&store, "unindexed"), 2);
    // A row whose fields stay as they are has nothing to index.
    let mut same = row(0, r#"{"a":1}"#);
    same.updated_ms = 9;
    commit(&mut store, 5, EntryStatus::Applied, &[write(&same, &[])]).unwrap();
    assert_eq!(count(&store, "unindexed"), 2);
    found(&store, &json!({"search": "x"}));
    assert_eq!(count(&store, "unindexed"), 0);
    store
        .db
        .conn()
        .execute_batch("DELETE FROM objects WHERE created = 1")
        .unwrap();
    assert_eq!(count(&store, "unindexed"), 1);
    found(&store, &json!({"search": "x"}));
    assert_eq!(count(&store, "unindexed"), 0);
    assert_agrees(&store);
}

#[test]
fn an_index_of_another_reading_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    let red = row(1, r#"{"a":"red"}"#);
    commit(&mut store, 0, EntryStatus::Applied, &[write(&red, &[])]).unwrap();
    assert_eq!(found(&store, &json!({"search": "red"})), [1]);
    let conn = store.db.conn();
    conn.execute_batch("UPDATE meta SET value = 0 WHERE key = 'words'; DELETE FROM words;")
        .unwrap();
    drop(store);
    let store = SpaceStore::open(Some(&path)).unwrap();
    assert_eq!(found(&store, &json!({"search": "red"})), [1]);
    assert_agrees(&store);
}

#[test]
fn a_full_disk_does_not_fail_a_search() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("space.sqlite");
    let mut store = SpaceStore::open(Some(&path)).unwrap();
    let rows: Vec<ObjectRow> = (0..500)
        .map(|n| {
            row(
                n,
                &format!(r#"{{"a":"word{n} red","b":"{}"}}"#, "x".repeat(100)),
            )
        })
        .collect();
    let writes: Vec<_> = rows.iter().map(|row| write(row, &[])).collect();
    commit(&mut store, 0, EntryStatus::Applied, &writes).unwrap();
    let conn = store.db.conn();
    let pages: i64 = conn
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let _: i64 = conn
        .query_row(&format!("PRAGMA max_page_count = {pages}"), [], |row| {
            row.get(0)
        })
        .unwrap();
    for _ in 0..2 {
        assert_eq!(found(&store, &json!({"search": "word77"})), [77]);
        assert_eq!(found(&store, &json!({"search": "red"})).len(), 500);
    }
    let kept: i64 = conn
        .query_row("SELECT count(*) FROM meta WHERE key = 'words'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(kept, 0, "the disk was to be too full for the index");
    let _: i64 = conn
        .query_row("PRAGMA max_page_count = 1000000", [], |row| row.get(0))
        .unwrap();
    assert_eq!(found(&store, &json!({"search": "word78"})), [78]);
    assert_agrees(&store);
}

#[test]
fn whatever_is_typed_is_no_error() {
    let mut store = SpaceStore::open(None).unwrap();
    let red = row(1, r#"{"a":"red NEAR rose"}"#);
    commit(&mut store, 0, EntryStatus::Applied, &[write(&red, &[])]).unwrap();
    let mut random = Random(7);
    const PARTS: [&str; 24] = [
        "\"", "*", "-", "OR", "AND", "NOT", "NEAR(", ")", "(", ":", "^", "{", "}", "'", ";", "--",
        "\0", "\u{E000}", "text", "rowid", " ", "+", ",", "red",
    ];
    for _ in 0..3000 {
        let typed: String = (0..random.below(12))
            .map(|_| *random.pick(&PARTS))
            .collect();
        for place in [json!([]), json!(["a"])] {
            let leaf = json!({"search": typed, "in": place});
            let query = json!({"where": leaf, "order": [{"by": "rank"}]});
            found(&store, &query);
        }
    }
    assert_eq!(found(&store, &json!({"search": "near ROSE"})), [1]);
    let refused = |query: Json, kind: ErrorKind| {
        let error = Query::parse(&query.to_string()).unwrap_err();
        assert_eq!(error.kind(), kind, "{query}: {error}");
    };
    let many = vec![json!({"search": "a"}); 17];
    refused(json!({ "or": many }), ErrorKind::LimitExceeded);
    refused(
        json!({"search": "a", "in": vec!["a"; 9]}),
        ErrorKind::LimitExceeded,
    );
    refused(json!({"search": 1}), ErrorKind::InvalidArgument);
    refused(
        json!({"search": "a", "in": "a"}),
        ErrorKind::InvalidArgument,
    );
    refused(json!({"in": ["a"]}), ErrorKind::InvalidArgument);
    let order = json!([{"by": "rank"}]);
    refused(json!({"order": order}), ErrorKind::InvalidArgument);
    let either = json!({"or": [{"search": "a"}, {"type": "A"}]});
    refused(
        json!({"where": either, "order": order}),
        ErrorKind::InvalidArgument,
    );
}

#[test]
fn the_best_come_first_and_are_found_through_the_index() {
    let mut store = SpaceStore::open(None).unwrap();
    let rows: Vec<ObjectRow> = (0..50)
        .map(|n| {
            let red = "red ".repeat(if n == 7 { 5 } else { usize::from(n % 2 == 0) });
            row(
                n,
                &json!({"t": format!("{red} and something more")}).to_string(),
            )
        })
        .collect();
    let writes: Vec<_> = rows.iter().map(|row| write(row, &[])).collect();
    commit(&mut store, 0, EntryStatus::Applied, &writes).unwrap();
    let query = json!({"where": {"search": "red"}, "order": [{"by": "rank"}], "limit": 3});
    let query = Query::parse(&query.to_string()).unwrap();
    let part = Selection {
        more: More::Found,
        ..Selection::default()
    };
    let mut ranked = Vec::new();
    store
        .ranked(&compile_part(&query, part), &mut |row, rank, plain| {
            assert_eq!(plain, None);
            ranked.push((rank, row.id));
        })
        .unwrap();
    assert_eq!(ranked.len(), 3);
    assert_eq!(ranked[0].1, object_id(7));
    assert!(ranked.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    for text in [r#"{"search":"red"}"#, r#"{"type":"Task","search":"red"}"#] {
        let plan = details(&store, &compile(&Query::parse(text).unwrap()));
        assert!(plan.contains("INTEGER PRIMARY KEY"), "{plan}");
    }
}
