//! `export` and `import`.

use crate::common::Profile;
use serde_json::{Value, json};

/// What an export keeps of each object: not its history.
fn contents(profile: &Profile) -> Vec<Value> {
    let mut objects: Vec<Value> = profile
        .all(&["ls", "default"])
        .into_iter()
        .map(|object| {
            json!({"id": object["id"], "type": object["type"], "parent": object["parent"], "fields": object["fields"]})
        })
        .collect();
    objects.sort_by_key(|object| object["id"].to_string());
    objects
}

fn filled() -> Profile {
    let profile = Profile::new("Ann");
    let _serving = profile.serve();
    profile.one(&[
        "add",
        "default",
        "--type",
        "Task",
        r#"{"title": "Water", "n": 3, "f": 2.5}"#,
    ]);
    profile.add(
        r#"{"body": {"@text": "héllo\nworld"}, "c": {"@counter": 7}, "list": [1, {"x": null}]}"#,
    );
    profile.add(r#"{"when": {"@timestamp": 1763864160123}, "raw": {"@bytes": "AAE="}}"#);
    let long = "x".repeat(50_000);
    for n in 0..8 {
        profile.add(&format!(r#"{{"n": {n}, "long": "{long}"}}"#));
    }
    profile
}

#[test]
fn a_file_carries_all_objects_to_another_profile() {
    let from = filled();
    let file = from.root().join("export.jsonl");
    let name = file.to_str().unwrap();
    let exported = from.one(&["export", "default", name]);
    assert_eq!(exported["file"], name);
    assert_eq!(exported["objects"], contents(&from).len());
    let others: Vec<_> = std::fs::read_dir(from.root()).unwrap().collect();
    assert_eq!(others.len(), 2, "no half file is left: {others:?}");
    let to = Profile::new("Bob");
    let imported = to.one(&["import", "default", name]);
    assert_eq!(imported["objects"], exported["objects"]);
    assert_eq!(contents(&from), contents(&to));
    assert_eq!(to.one(&["import", "default", name]), imported, "once more");
    assert_eq!(contents(&from), contents(&to));
}

#[test]
fn pipes_carry_them_through_serve_too() {
    let from = filled();
    let to = Profile::new("Bob");
    let (_one, _other) = (from.serve(), to.serve());
    let exported = from.run(&["export", "default"], b"");
    assert!(exported.status.success(), "{exported:?}");
    assert!(exported.stdout.len() > 400_000);
    let imported = to.run(&["--json", "import", "default"], &exported.stdout);
    assert!(imported.status.success(), "{imported:?}");
    assert_eq!(contents(&from), contents(&to));
    let again = to.run(&["export", "default"], b"");
    assert_eq!(exported.stdout.len(), again.stdout.len());
}

#[test]
fn a_broken_import_changes_nothing() {
    let profile = filled();
    let before = contents(&profile);
    let mut data = profile.run(&["export", "default"], b"").stdout;
    data.truncate(data.len() - 20);
    for served in [false, true] {
        let _serving = served.then(|| profile.serve());
        let output = profile.run(&["import", "default"], &data);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
    }
    assert_eq!(contents(&profile), before);
}

#[test]
fn an_export_that_fails_leaves_the_file_as_it_was() {
    let profile = Profile::new("Ann");
    let file = profile.root().join("export.jsonl");
    std::fs::write(&file, "precious").unwrap();
    assert_eq!(
        profile
            .failure(&["export", "nowhere", file.to_str().unwrap()])
            .0,
        3
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "precious");
    let missing = profile.root().join("missing/export.jsonl");
    assert_eq!(
        profile
            .failure(&["export", "default", missing.to_str().unwrap()])
            .0,
        6
    );
}
