//! Archives, plain data, Automerge files.

use crate::common::{Profile, string};
use serde_json::json;

#[test]
fn an_archive_is_checked_by_anybody_and_brings_a_space_back() {
    let ann = Profile::new("Ann");
    let space = string(&ann.one(&["space", "create", "Work"]), "space");
    ann.one(&["add", "Work", r#"{"n": 1}"#]);
    let digest = ann.one(&["digest", "Work"]);
    let file = ann.root().join("work.echo");
    let name = file.to_str().unwrap();
    let mut archives = Vec::new();
    for served in [false, true] {
        let _serving = served.then(|| ann.serve());
        archives.push(ann.one(&["export", "Work", "--format", "archive", name]));
    }
    assert_eq!(archives[0], archives[1]);
    assert_eq!(archives[0]["space"], space);
    assert_eq!(archives[0]["file"], name);
    // Without any profile.
    let nobody = Profile::absent();
    assert_eq!(nobody.one(&["verify", name]), archives[0]);
    ann.one(&["space", "delete", "Work"]);
    let back = ann.one(&["space", "import", name]);
    assert_eq!(
        (&back["space"], &back["name"]),
        (&json!(space), &json!("Work"))
    );
    assert_eq!(ann.one(&["digest", "Work"]), digest);
    let bob = Profile::new("Bob");
    let (code, error) = bob.failure(&["space", "import", name]);
    assert_eq!((code, &error["status"]), (4, &json!("permission_denied")));
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&file, bytes).unwrap();
    assert_eq!(nobody.failure(&["verify", name]).0, 6);
    assert_eq!(ann.failure(&["space", "import", name]).0, 6);
    assert_eq!(nobody.failure(&["verify", "/nowhere/x"]).0, 3);
    assert_eq!(ann.failure(&["export", "Work", "--format", "archive"]).0, 2);
}

#[test]
fn tables_and_lists_become_objects() {
    let ann = Profile::new("Ann");
    let file = ann.root().join("items.csv");
    std::fs::write(&file, "sku;n;note\nA;1;x\nB;two;y\nC;3;z\n").unwrap();
    let name = file.to_str().unwrap();
    let table = [
        "import",
        "default",
        name,
        "--format",
        "csv",
        "--type",
        "Item",
        "--key",
        "sku",
        "--delimiter",
        ";",
        "--column",
        "n=integer",
        "--column",
        "note=text:remark",
    ];
    let (code, error) = ann.failure(&table);
    assert_eq!(code, 2);
    assert!(string(&error, "error").contains("line 3"), "{error}");
    assert!(ann.all(&["ls", "default", "--type", "Item"]).is_empty());
    let skipping = [&table[..], &["--skip-errors"]].concat();
    for (served, created, unchanged) in [(false, 2, 0), (true, 0, 2)] {
        let _serving = served.then(|| ann.serve());
        let lines = ann.all(&skipping);
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0]["line"], 3);
        assert_eq!(lines[1]["created"], created);
        assert_eq!(lines[1]["unchanged"], unchanged);
        assert_eq!(lines[1]["skipped"], 1);
    }
    let items = ann.all(&["ls", "default", "--type", "Item"]);
    assert_eq!(items.len(), 2);
    assert!(
        items
            .iter()
            .any(|item| item["fields"] == json!({"sku": "A", "n": 1, "remark": {"@text": "x"}}))
    );
    let piped = ann.run(
        &[
            "--json", "import", "default", "--format", "ndjson", "--type", "Row",
        ],
        b"{\"a\": 1}\n{\"a\": 2}\n",
    );
    assert!(piped.status.success(), "{piped:?}");
    assert_eq!(ann.all(&["ls", "default", "--type", "Row"]).len(), 2);
    for bad in [
        &["--column", "n"][..],
        &["--column", "n=nonsense"],
        &["--other-columns", "x"],
        &["--key", "n"],
        &["--delimiter", "xx"],
    ] {
        let all = [&["import", "default", name, "--format", "csv"], bad].concat();
        assert_eq!(ann.failure(&all).0, 2, "{bad:?}");
    }
}

#[test]
fn an_object_is_a_file_and_a_file_an_object() {
    let ann = Profile::new("Ann");
    let id = ann.add(r#"{"title": "One", "text": {"@text": "hello"}}"#);
    let file = ann.root().join("note.automerge");
    let name = file.to_str().unwrap();
    let written = ann.one(&["object", "export", "default", &id, name]);
    assert_eq!(written["bytes"], std::fs::metadata(&file).unwrap().len());
    let copy = string(&ann.one(&["object", "import", "default", name]), "id");
    assert_ne!(copy, id);
    assert_eq!(
        ann.one(&["get", "default", &copy])["fields"],
        ann.one(&["get", "default", &id])["fields"]
    );
    let _serving = ann.serve();
    let same = ann.one(&["object", "import", "default", name, "--into", &id]);
    assert_eq!(same["id"], id);
    ann.one(&["object", "export", "default", &id, name]);
    std::fs::write(&file, "nonsense").unwrap();
    assert_eq!(ann.failure(&["object", "import", "default", name]).0, 2);
    assert_eq!(
        ann.failure(&["object", "export", "default", "nonsense", name])
            .0,
        2
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "nonsense");
}
