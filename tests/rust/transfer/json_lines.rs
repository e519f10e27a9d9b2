//! All objects as JSON lines, and back.

use super::{alone, find, get, name, space};
use echodb::model::ErrorKind;
use echodb::{MarkExpand, Space, TextUnit};
use serde_json::{Value, json};

/// A space with all that an object can carry.
fn rich(space: &Space) -> String {
    let tx = space.transaction();
    let id = tx
        .create(
            Some("Note".into()),
            r#"{"a": 1, "f": 2.0, "inf": {"@float": "inf"}, "t": {"@text": "héllo 😀 world"},
                "deep": {"list": [{"@text": "inner"}, {"@counter": 4}]}, "b": {"@bytes": "AAE="},
                "when": {"@timestamp": 5}, "nothing": null}"#
                .into(),
        )
        .unwrap();
    let book = tx
        .create_with_key("Book".into(), "isbn:1".into(), r#"{"title": "One"}"#.into())
        .unwrap();
    let child = tx
        .create(
            None,
            format!(r#"{{"see": {{"@ref": "echo:{book}"}}, "all": [{{"@ref": "echo:{id}"}}]}}"#),
        )
        .unwrap();
    tx.set_parent(child.clone(), Some(book.clone())).unwrap();
    let link = tx.create(Some("Cites".into()), "{}".into()).unwrap();
    tx.relate(link, Some(id.clone()), Some(book)).unwrap();
    tx.tag(id.clone(), "new".into()).unwrap();
    tx.tag(id.clone(), "to do".into()).unwrap();
    tx.set_key(id.clone(), "github".into(), Some("42".into()))
        .unwrap();
    tx.delete(child).unwrap();
    for (path, start, end, mark, value) in [
        ("t", 1, 4, "bold", "true"),
        ("t", 3, 7, "link", r#""https://example.org""#),
        ("/deep/list/0", 0, 5, "bold", "true"),
    ] {
        tx.mark(
            id.clone(),
            path.into(),
            start,
            end,
            TextUnit::CodePoint,
            mark.into(),
            value.into(),
            MarkExpand::After,
        )
        .unwrap();
    }
    tx.commit().unwrap();
    id
}

/// The lines of an export without what belongs to one history only.
fn contents(space: &Space) -> Vec<Value> {
    let text = String::from_utf8(space.export_json().unwrap()).unwrap();
    let mut lines: Vec<Value> = text
        .lines()
        .skip(1)
        .map(|line| {
            let mut object: Value = serde_json::from_str(line).unwrap();
            for history in ["heads", "created_ms", "updated_ms"] {
                object.as_object_mut().unwrap().remove(history);
            }
            object
        })
        .collect();
    lines.sort_by_key(|object| object["id"].to_string());
    lines
}

#[test]
fn everything_but_history_comes_back() {
    let (client, from) = space();
    let id = rich(&from);
    let marks = from
        .marks(id.clone(), "t".into(), TextUnit::CodePoint)
        .unwrap();
    assert_eq!(marks.len(), 2);
    let data = from.export_json().unwrap();
    let first: Value = serde_json::from_slice(data.split(|b| *b == b'\n').next().unwrap()).unwrap();
    assert_eq!(
        first,
        json!({"format": "echodb-export", "version": 2, "space": from.id()})
    );
    // Into the same space after everything was changed.
    let before = contents(&from);
    let tx = from.transaction();
    tx.update(id.clone(), r#"{"a": 2, "t": {"@text": "other"}}"#.into())
        .unwrap();
    tx.delete(id.clone()).unwrap();
    tx.commit().unwrap();
    assert_ne!(contents(&from), before);
    assert_eq!(from.import_json(data.clone()).unwrap(), 4);
    assert_eq!(contents(&from), before);
    // And once more changes nothing.
    let digest = from.digest().unwrap();
    assert_eq!(from.import_json(data.clone()).unwrap(), 4);
    assert_eq!(from.digest().unwrap(), digest);
    // Into another space.
    let to = client.create_space("{}".into()).unwrap();
    assert_eq!(to.import_json(data).unwrap(), 4);
    assert_eq!(
        to.marks(id.clone(), "t".into(), TextUnit::CodePoint)
            .unwrap(),
        marks
    );
    let (old, new) = (contents(&from), contents(&to));
    assert_eq!(old.len(), new.len());
    let of = |all: &[Value], wanted: &str| {
        all.iter()
            .find(|object| object["id"] == wanted)
            .unwrap()
            .clone()
    };
    assert_eq!(of(&old, &id), of(&new, &id));
}

#[test]
fn objects_of_natural_keys_are_called_as_they_are_called_there() {
    let (client, from) = space();
    rich(&from);
    let to = client.create_space("{}".into()).unwrap();
    to.import_json(from.export_json().unwrap()).unwrap();
    let tx = to.transaction();
    let book = tx
        .create_with_key("Book".into(), "isbn:1".into(), r#"{"pages": 9}"#.into())
        .unwrap();
    tx.commit().unwrap();
    assert_eq!(get(&to, &book), json!({"title": "One", "pages": 9}));
    assert_eq!(find(&to, r#"{"type": "Book"}"#).len(), 1);
    let cites = &find(&to, r#"{"type": "Cites"}"#)[0];
    assert_eq!(cites["target"], book);
    let child = &find(&to, r#"{"deleted": true}"#)[0];
    assert_eq!(child["parent"], book);
    assert_eq!(
        child["fields"]["see"],
        json!({"@ref": format!("echo:{book}")})
    );
}

#[test]
fn files_are_written_and_read_in_pieces() {
    let dir = tempfile::tempdir().unwrap();
    let (client, from) = space();
    rich(&from);
    let mut tx = from.transaction();
    for n in 0..2500 {
        let long = "x".repeat(n % 700);
        tx.create(None, format!(r#"{{"n": {n}, "s": "{long}"}}"#))
            .unwrap();
        if n % 500 == 499 {
            tx.commit().unwrap();
            tx = from.transaction();
        }
    }
    let path = name(dir.path(), "all.jsonl");
    assert_eq!(from.export_json_file(path.clone()).unwrap(), 2504);
    assert_eq!(std::fs::read(&path).unwrap(), from.export_json().unwrap());
    let to = client.create_space("{}".into()).unwrap();
    assert_eq!(to.import_json_file(path.clone()).unwrap(), 2504);
    assert_eq!(contents(&to).len(), 2504);
    assert_eq!(to.query("{}".into()).unwrap().len(), 2503);
    let error = to.import_json_file(name(dir.path(), "none")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    let error = to.import_json_file(name(dir.path(), "")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn large_objects_do_not_stop_an_import() {
    let (client, from) = space();
    for _ in 0..40 {
        let long = "x".repeat(100_000);
        from.create(None, format!(r#"{{"s": "{long}"}}"#)).unwrap();
    }
    let to = client.create_space("{}".into()).unwrap();
    assert_eq!(to.import_json(from.export_json().unwrap()).unwrap(), 40);
}

#[test]
fn exports_of_version_1_are_read() {
    let (_client, to) = space();
    let id = "01k1000000000000000000000a";
    let data = format!(
        "{}\n{}\n\n",
        r#"{"format":"echodb-export","version":1,"space":"x"}"#,
        json!({"id": id, "type": "Note", "parent": null, "deleted": false, "created_ms": 1,
               "updated_ms": 1, "heads": [], "fields": {"a": {"@text": "b"}}})
    );
    assert_eq!(to.import_json(data.into_bytes()).unwrap(), 1);
    assert_eq!(get(&to, id), json!({"a": {"@text": "b"}}));
}

#[test]
fn a_malformed_export_changes_nothing_and_says_where() {
    let client = alone(None);
    let space = client.create_space("{}".into()).unwrap();
    let head = r#"{"format":"echodb-export","version":2,"space":"x"}"#;
    let good = r#"{"id":"01k1000000000000000000000a","fields":{}}"#;
    let digest = space.digest().unwrap();
    for (bad, kind) in [
        (String::new(), ErrorKind::InvalidArgument),
        ("{}".into(), ErrorKind::InvalidArgument),
        (
            head.replace("\"version\":2", "\"version\":3"),
            ErrorKind::UnsupportedVersion,
        ),
        (format!("{head}\n{good}\n{{"), ErrorKind::InvalidArgument),
        (format!("{head}\n{good}\n[]"), ErrorKind::InvalidArgument),
        (
            format!("{head}\n{good}\n{}", good.replace("{}", r#"{"@x": 1}"#)),
            ErrorKind::InvalidArgument,
        ),
        (
            format!(
                "{head}\n{good}\n{}",
                good.replace("\"fields\"", "\"tags\":[1],\"fields\"")
            ),
            ErrorKind::InvalidArgument,
        ),
        (
            format!(
                "{head}\n{good}\n{}",
                good.replace("\"fields\"", "\"marks\":{\"t\":[{}]},\"fields\"")
            ),
            ErrorKind::InvalidArgument,
        ),
        (
            format!(
                "{head}\n{good}\n{}",
                good.replace("{}", &format!("{}1{}", "[".repeat(5000), "]".repeat(5000)))
            ),
            ErrorKind::InvalidArgument,
        ),
    ] {
        let error = space.import_json(bad.clone().into_bytes()).unwrap_err();
        assert_eq!(error.kind(), kind, "{bad}: {error}");
        if bad.contains(good) {
            assert!(error.detail().contains("line 3"), "{error}");
        }
    }
    let latin = [head.as_bytes(), b"\n", good.as_bytes(), b"\n\xff"].concat();
    assert!(space.import_json(latin).is_err());
    assert_eq!(space.digest().unwrap(), digest);
}
