//! Sort keys put values in the order in which SQLite's expressions put them.

use super::super::sorting;
use super::*;
use crate::model::{ErrorKind, Path, limits};
use crate::query::{Query, StoredJson, compile, sort_key};
use rusqlite::Connection;
use serde_json::{Map, Value as Json, json};

/// A connection that knows the function.
fn connection() -> Connection {
    let conn = Connection::open_in_memory().unwrap();
    sorting::register(&conn).unwrap();
    conn
}

/// Strings of all lengths that the binary form tells apart, with and without escapes.
fn text(random: &mut Random) -> String {
    let lengths = [0, 1, 3, 11, 12, 255, 256];
    let length = match random.below(40) {
        0 => 70_000,
        _ => *random.pick(&lengths),
    };
    let parts = ["x", "é", "\"", "\\", "\n", "😀", "\u{1}", "/", "y", "0"];
    let plain = random.below(2) == 0;
    let parts = if plain { &parts[..1] } else { &parts };
    (0..length).map(|_| *random.pick(parts)).collect()
}

fn number(random: &mut Random) -> Json {
    let power = 1_i64 << random.below(63);
    let near = power.saturating_add(random.below(5) as i64 - 2);
    match random.below(6) {
        0 => json!(near),
        1 => json!(-near),
        2 => json!(near as f64),
        3 => json!((near as f64).next_down()),
        4 => json!(random.below(4)),
        _ => json!(f64::from_bits(random.next() & !(1 << 62))),
    }
}

fn value(random: &mut Random, depth: usize) -> Json {
    match random.below(if depth == 0 { 5 } else { 8 }) {
        0 => Json::Null,
        1 => json!(random.below(2) == 0),
        2 => number(random),
        3 | 4 => json!(text(random)),
        5 => (0..random.below(4))
            .map(|_| value(random, depth - 1))
            .collect(),
        _ => Json::Object(map(random, depth - 1)),
    }
}

const KEYS: [&str; 6] = ["a", "0", "1", "é\"\\", "a/b~", ""];

fn map(random: &mut Random, depth: usize) -> Map<String, Json> {
    let mut map = Map::new();
    for _ in 0..random.below(6) {
        map.insert((*random.pick(&KEYS)).to_owned(), value(random, depth));
    }
    map
}

fn path(random: &mut Random) -> String {
    let steps = ["a", "é\"\\", "a~1b~0", "0", "1"];
    let first = format!("/{}", random.pick(&steps[..3]));
    let more = (0..random.below(3)).map(|_| format!("/{}", random.pick(&steps)));
    more.fold(first, |path, step| path + &step)
}

/// The rows' numbers in an order.
fn sorted(conn: &Connection, order: &str) -> Vec<i64> {
    let sql = format!("SELECT n FROM o ORDER BY {order}, n");
    let mut statement = conn.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.collect::<rusqlite::Result<_>>().unwrap()
}

#[test]
fn sort_keys_order_as_expressions_do() {
    let conn = connection();
    conn.execute_batch("CREATE TABLE o(n INTEGER PRIMARY KEY, plain, data)")
        .unwrap();
    for seed in 0..60 {
        let mut random = Random(seed);
        conn.execute("DELETE FROM o", []).unwrap();
        for _ in 0..120 {
            let fields = Json::Object(map(&mut random, 3)).to_string();
            let binary = random.below(2) == 0;
            let sql = match binary {
                true => "INSERT INTO o(plain) VALUES(jsonb(?1))",
                false => "INSERT INTO o(data) VALUES(?1)",
            };
            conn.execute(sql, [fields]).unwrap();
        }
        for _ in 0..20 {
            let path = path(&mut random);
            let (expressions, _) =
                crate::query::index(None, &crate::query::order_key(&path).unwrap()).unwrap();
            let expressions = expressions.strip_suffix(",id").unwrap();
            let function = format!("echodb_sort_key(coalesce(plain,data),'{path}')");
            let told = format!("seed {seed}, {path}");
            assert_eq!(
                sorted(&conn, &function),
                sorted(&conn, expressions),
                "{told}"
            );
        }
    }
}

/// The same values are as good, whatever the form that they are stored in.
#[test]
fn both_forms_have_the_same_keys() {
    let conn = connection();
    let mut random = Random(7);
    for _ in 0..3000 {
        let fields = Json::Object(map(&mut random, 3)).to_string();
        let path = Path::parse(&path(&mut random)).unwrap();
        let binary = conn.query_row("SELECT jsonb(?1)", [&fields], |row| {
            row.get::<_, Vec<u8>>(0)
        });
        let binary = binary.unwrap();
        let of_text = sort_key(StoredJson::Text(fields.as_bytes()), &path).unwrap();
        let of_binary = sort_key(StoredJson::Binary(&binary), &path).unwrap();
        assert_eq!(of_text.as_bytes(), of_binary.as_bytes(), "{fields} {path}");
        // Damage is found or changes the key; it brings nothing down.
        let (mut damaged, length) = (binary.clone(), binary.len());
        damaged[random.below(length)] ^= 1 << random.below(8);
        damaged.truncate(random.below(length + 1));
        let _ = sort_key(StoredJson::Binary(&damaged), &path);
    }
}

#[test]
fn an_order_that_an_index_serves_uses_it() {
    let mut store = SpaceStore::open(None).unwrap();
    for n in 0..9 {
        let data = json!({"due": (n * 5) % 9, "done": n}).to_string();
        let row = row(n, &data);
        commit(&mut store, n, EntryStatus::Applied, &[write(&row, &[])]).unwrap();
    }
    let asked = json!({"order": [{"by": "due", "desc": true}], "limit": 5});
    let query = compile(&Query::parse(&asked.to_string()).unwrap());
    let found = |store: &SpaceStore| {
        let rows = found_by(store, &query).unwrap();
        rows.into_iter()
            .map(|row| row.created_ms)
            .collect::<Vec<_>>()
    };
    let before = found(&store);
    assert_eq!(before, [7, 5, 3, 1, 8]);
    let of = |path: &str| crate::space::IndexRecord {
        type_name: None,
        path: path.into(),
    };
    for (path, uses) in [("/done", false), ("/due", true)] {
        store.create_index(&of(path)).unwrap();
        let plan = store.plan(&query).unwrap();
        assert_eq!(plan.sql.contains("echodb_sort_key"), !uses, "{path}");
        assert_eq!(details(&store, &query).contains("field_2"), uses);
        assert_eq!(found(&store), before);
    }
    store.drop_index(&of("/due")).unwrap();
    assert!(store.plan(&query).unwrap().sql.contains("echodb_sort_key"));
}

#[test]
fn damaged_fields_are_reported_as_such() {
    let mut store = SpaceStore::open(None).unwrap();
    let row = row(1, r#"{"due":1"#);
    commit(&mut store, 1, EntryStatus::Applied, &[write(&row, &[])]).unwrap();
    let query = Query::parse(r#"{"order":[{"by":"due"}]}"#).unwrap();
    let error = found_by(&store, &compile(&query)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
}

/// Whether a path stands in the statement or is bound to it depends on its length, in either form.
#[test]
fn paths_of_every_length_can_be_sorted_by() {
    let mut store = SpaceStore::open(None).unwrap();
    let mut seq = 0;
    for length in limits::INDEX_BYTES - 12..limits::INDEX_BYTES + 3 {
        for letter in ["x", "\"", "~"] {
            let name = letter.repeat(length / 2) + &"x".repeat(length - length / 2);
            let path = format!("/{}", name.replace('~', "~0"));
            for (n, value) in [(1, 2), (2, 1)] {
                let row = row(n, &json!({ name.as_str(): value }).to_string());
                commit(&mut store, seq, EntryStatus::Applied, &[write(&row, &[])]).unwrap();
                seq += 1;
            }
            let query = json!({"order": [{"by": path}]});
            let Ok(query) = Query::parse(&query.to_string()) else {
                continue;
            };
            let found = found_by(&store, &compile(&query)).unwrap();
            let order: Vec<i64> = found.iter().map(|row| row.created_ms).collect();
            assert_eq!(order, [2, 1], "{length} of {letter}");
        }
    }
}
