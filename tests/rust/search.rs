//! Searches for words and indexes, through the facade, on disk and between two clients.

mod support;

use echodb::model::ErrorKind;
use echodb::{SearchOptions, Space, TextUnit};
use serde_json::{Value, json};
use support::{Signal, client, client_at, converge, pair};

fn search(space: &Space, words: &str, options: SearchOptions) -> Vec<Value> {
    let found = space.search(words.into(), options).unwrap();
    serde_json::from_slice(&found).unwrap()
}

fn ids(space: &Space, words: &str) -> Vec<String> {
    let found = search(space, words, SearchOptions::default());
    let mut ids: Vec<String> = found
        .iter()
        .map(|hit| hit["id"].as_str().unwrap().to_owned())
        .collect();
    ids.sort();
    ids
}

#[test]
fn every_write_is_seen_at_once_and_after_reopening() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada
        .create_space(r#"{"name": "Red garden"}"#.into())
        .unwrap();
    let note = |fields: Value| {
        space
            .create(Some("Note".into()), fields.to_string())
            .unwrap()
    };
    let rose = note(json!({"title": "Red rose", "body": {"@text": "thorns"}}));
    let tulip = note(json!({"title": "Tulip"}));
    assert_eq!(
        ids(&space, "red"),
        [rose.as_str()],
        "not the space's own name"
    );
    // Gathered edits count.
    space
        .splice_text(
            rose.clone(),
            "body".into(),
            0,
            0,
            "Blue ".into(),
            TextUnit::CodePoint,
        )
        .unwrap();
    assert_eq!(ids(&space, "blue thorns"), [rose.as_str()]);
    space
        .update(tulip.clone(), r#"{"title": "A red tulip"}"#.into())
        .unwrap();
    assert_eq!(ids(&space, "red").len(), 2);
    assert_eq!(ids(&space, "\"red tulip\""), [tulip.as_str()]);
    space.delete(rose.clone()).unwrap();
    assert_eq!(ids(&space, "red"), [tulip.as_str()]);
    let deleted = SearchOptions {
        filter: Some(r#"{"deleted": true}"#.into()),
        ..SearchOptions::default()
    };
    assert_eq!(search(&space, "red", deleted)[0]["id"], json!(rose));
    let restore = space.transaction();
    restore.restore(rose.clone()).unwrap();
    restore.commit().unwrap();
    assert_eq!(ids(&space, "red").len(), 2);
    space
        .create_index(Some("Note".into()), "title".into())
        .unwrap();
    ada.shutdown().unwrap();

    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.space(space.id()).unwrap();
    assert_eq!(ids(&space, "red").len(), 2);
    assert_eq!(ids(&space, "thorns"), [rose.as_str()]);
    let indexes = space.indexes().unwrap();
    assert_eq!((indexes.len(), indexes[0].path.as_str()), (1, "/title"));
    space
        .drop_index(Some("Note".into()), "title".into())
        .unwrap();
    let error = space
        .drop_index(Some("Note".into()), "title".into())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[test]
fn what_comes_from_others_is_found_and_indexes_stay_here() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let theirs = pair(&space, &bob);
    assert_eq!(ids(&theirs, "rose"), [""; 0]);
    theirs.create_index(None, "title".into()).unwrap();
    let id = space
        .create(
            None,
            json!({"title": "Rose", "text": {"@text": "one"}}).to_string(),
        )
        .unwrap();
    converge(&space, &theirs);
    assert_eq!(ids(&theirs, "rose"), [id.as_str()]);
    // Both at once: the merged text is what is found.
    space
        .splice_text(
            id.clone(),
            "text".into(),
            3,
            0,
            " two".into(),
            TextUnit::CodePoint,
        )
        .unwrap();
    theirs
        .splice_text(
            id.clone(),
            "text".into(),
            0,
            0,
            "zero ".into(),
            TextUnit::CodePoint,
        )
        .unwrap();
    converge(&space, &theirs);
    for side in [&space, &theirs] {
        assert_eq!(ids(side, "\"zero one two\""), [id.as_str()]);
    }
    assert_eq!(space.indexes().unwrap(), []);
}

#[test]
fn excerpts_tell_where_in_the_unit_asked_for() {
    let signal = Signal::start();
    let space = client("Ada", &signal).create_space("{}".into()).unwrap();
    let text = "🎉 Crème brûlée <b>\u{1}</b> with red rose petals";
    space
        .create(None, json!({"a": ["x", text]}).to_string())
        .unwrap();
    for (unit, wanted) in [
        (TextUnit::Utf8, json!([[5, 11], [12, 20]])),
        (TextUnit::Utf16, json!([[3, 8], [9, 15]])),
        (TextUnit::CodePoint, json!([[2, 7], [8, 14]])),
    ] {
        let options = SearchOptions {
            unit,
            ..SearchOptions::default()
        };
        let found = search(&space, "creme brulee", options);
        let wanted =
            json!({"path": "/a/1", "text": text, "start": 0, "more": false, "ranges": wanted});
        assert_eq!(found[0]["snippet"], wanted);
    }
    let short = SearchOptions {
        snippet_chars: 12,
        unit: TextUnit::CodePoint,
        ..SearchOptions::default()
    };
    let found = search(&space, "rose", short);
    let snippet = &found[0]["snippet"];
    let start = snippet["start"].as_u64().unwrap() as usize;
    let shown = snippet["text"].as_str().unwrap();
    let whole: String = text
        .chars()
        .skip(start)
        .take(shown.chars().count())
        .collect();
    assert_eq!(shown, whole);
    assert_eq!((shown, &snippet["more"]), ("red rose", &json!(true)));
    let none = SearchOptions {
        snippet_chars: 0,
        ..SearchOptions::default()
    };
    assert_eq!(search(&space, "rose", none)[0]["snippet"], Value::Null);
}

#[test]
fn pages_and_bounds() {
    let signal = Signal::start();
    let space = client("Ada", &signal).create_space("{}".into()).unwrap();
    for n in 0..7 {
        let text = "red ".repeat(n + 1) + &"other ".repeat(7 - n);
        space
            .create(None, json!({"n": n, "t": text}).to_string())
            .unwrap();
    }
    let page = |skip, limit| {
        let options = SearchOptions {
            skip,
            limit,
            ..SearchOptions::default()
        };
        let found = search(&space, "red", options);
        found
            .iter()
            .map(|hit| hit["fields"]["n"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!(page(0, 20), [6, 5, 4, 3, 2, 1, 0]);
    assert_eq!(page(2, 3), [4, 3, 2]);
    assert_eq!(page(9, 3), [0u64; 0]);
    let refused = |words: &str, change: fn(&mut SearchOptions)| {
        let mut options = SearchOptions::default();
        change(&mut options);
        space.search(words.into(), options).unwrap_err().kind()
    };
    assert_eq!(refused("a", |o| o.limit = 1001), ErrorKind::LimitExceeded);
    assert_eq!(
        refused("a", |o| o.snippet_chars = 1001),
        ErrorKind::LimitExceeded
    );
    assert_eq!(
        refused("a", |o| o.filter = Some("{".into())),
        ErrorKind::InvalidArgument
    );
    let window = |o: &mut SearchOptions| o.filter = Some(r#"{"limit": 1}"#.into());
    assert_eq!(refused("a", window), ErrorKind::InvalidArgument);
    assert_eq!(
        refused("a", |o| o.paths = vec!["@x".into()]),
        ErrorKind::InvalidArgument
    );
    assert_eq!(refused(&"a ".repeat(65), |_| ()), ErrorKind::LimitExceeded);
}
