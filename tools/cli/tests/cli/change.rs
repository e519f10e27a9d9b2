//! `change`, and what it can lead to: `conflicts`, `marks`.

use crate::common::{Profile, string};
use serde_json::{Value, json};

/// A well-formed id that nothing has.
const NONE: &str = "01hzzzzzzzzzzzzzzzzzzzzzzz";

fn change(profile: &Profile, steps: &Value) -> Value {
    profile.one(&["change", "default", &steps.to_string()])
}

fn get(profile: &Profile, id: &str) -> Value {
    profile.one(&["get", "default", id])
}

/// One transaction of nearly everything that there is.
fn everything(old: &str) -> Value {
    json!([
        {"op": "message", "text": "a plan"},
        {"op": "create", "type": "Plan", "fields": {"title": "Garden"}, "as": "plan"},
        {"op": "create", "fields": {"plan": {"@ref": "$plan"}, "t": {"@text": "wäter"}}, "as": "task"},
        {"op": "set_parent", "id": "$task", "parent": "$plan"},
        {"op": "create", "type": "Next", "as": "link"},
        {"op": "relate", "id": "$link", "source": "$plan", "target": old},
        {"op": "tag", "id": "$task", "tag": "new"},
        {"op": "tag", "id": "$task", "tag": "odd"},
        {"op": "untag", "id": "$task", "tag": "odd"},
        {"op": "set_key", "id": "$task", "source": "github", "key": "7"},
        {"op": "set_key", "id": "$task", "source": "other", "key": "8"},
        {"op": "remove_key", "id": "$task", "source": "other"},
        {"op": "splice", "id": "$task", "path": "t", "position": 5, "insert": " it"},
        {"op": "splice", "id": "$task", "path": "t", "position": 0, "delete": 1, "insert": "W"},
        {"op": "mark", "id": "$task", "path": "t", "start": 0, "end": 5, "name": "bold"},
        {"op": "mark", "id": "$task", "path": "t", "start": 6, "end": 8, "name": "link", "value": "x", "expand": "none"},
        {"op": "unmark", "id": "$task", "path": "t", "start": 0, "end": 2, "name": "bold"},
        {"op": "increment", "id": old, "path": "n", "by": 4},
        {"op": "insert", "id": old, "path": "/list/3", "value": {"deep": {"a": 1}}},
        {"op": "move", "id": old, "path": "/list/0", "to": 2},
        {"op": "set", "id": old, "path": "/list/3/deep/a", "value": 1.5},
        {"op": "remove", "id": old, "path": "gone"},
        {"op": "update", "id": old, "fields": {"more": null}},
    ])
}

#[test]
fn steps_take_effect_together() {
    let profile = Profile::new("Ann");
    for served in [false, true] {
        let _serving = served.then(|| profile.serve());
        let old = profile.add(r#"{"n": {"@counter": 1}, "list": [1, 2, 3], "gone": 1}"#);
        let made = change(&profile, &everything(&old));
        assert_eq!(made["objects"].as_array().unwrap().len(), 4);
        assert!(made["entry"].is_string());
        let created = made["created"].as_array().unwrap();
        let names: Vec<_> = created.iter().map(|c| (&c["step"], &c["as"])).collect();
        let wanted = [(2, "plan"), (3, "task"), (5, "link")].map(|(n, a)| (json!(n), json!(a)));
        assert!(
            names.iter().copied().eq(wanted.iter().map(|(n, a)| (n, a))),
            "{made}"
        );
        let [plan, task, link] = [0, 1, 2].map(|n| string(&created[n], "id"));

        let got = get(&profile, &task);
        assert_eq!(got["parent"], json!(plan));
        assert_eq!(
            got["fields"],
            json!({"plan": {"@ref": format!("echo:{plan}")}, "t": {"@text": "Wäter it"}})
        );
        assert_eq!(
            (&got["tags"], &got["keys"]),
            (&json!(["new"]), &json!({"github": "7"}))
        );
        let relation = get(&profile, &link);
        assert_eq!(
            (&relation["source"], &relation["target"]),
            (&json!(plan), &json!(old))
        );
        assert_eq!(
            get(&profile, &old)["fields"],
            json!({"n": {"@counter": 5}, "list": [2, 3, 1, {"deep": {"a": 1.5}}], "more": null})
        );
        assert_eq!(
            profile.all(&["marks", "default", &task, "t"]),
            [
                json!({"start": 2, "end": 5, "name": "bold", "value": true}),
                json!({"start": 6, "end": 8, "name": "link", "value": "x"}),
            ]
        );
        let log = profile.one(&["log", "default", "--limit", "1"]);
        assert_eq!(
            (&log["entry"], &log["message"]),
            (&made["entry"], &json!("a plan"))
        );
        let human = profile.text(&["get", "default", &task]);
        assert!(human.contains("\ntag  new\nkey  github  7\n"), "{human}");
    }
}

#[test]
fn ids_and_marks_are_printed_for_people() {
    let profile = Profile::new("Ann");
    let steps = json!([
        {"op": "create", "type": "Note", "fields": {"t": {"@text": "abc"}}, "as": "note"},
        {"op": "mark", "id": "$note", "path": "t", "start": 1, "end": 3, "name": "bold", "value": true},
        {"op": "create", "id": "01hzzzzzzzzzzzzzzzzzzzzzzz"},
    ]);
    let output = profile.run(&["change", "default", "-"], steps.to_string().as_bytes());
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (first, second) = text.split_once('\n').unwrap();
    let note = first.strip_suffix("  note").unwrap();
    assert_eq!(second, "01hzzzzzzzzzzzzzzzzzzzzzzz\n");
    assert_eq!(
        profile.text(&["marks", "default", note, "t"]),
        "1-3  bold  true\n"
    );
    assert_eq!(profile.failure(&["marks", "default", note, "none"]).0, 3);
    let nothing = change(&profile, &json!([]));
    assert_eq!(
        (&nothing["entry"], &nothing["created"]),
        (&Value::Null, &json!([]))
    );
}

#[test]
fn natural_keys_name_one_object() {
    let profile = Profile::new("Ann");
    let book = |fields: Value| {
        let step =
            json!({"op": "create", "type": "Book", "key": "isbn:1", "fields": fields, "as": "b"});
        let made = change(
            &profile,
            &json!([step, {"op": "tag", "id": "$b", "tag": "read"}]),
        );
        string(&made["created"][0], "id")
    };
    let first = book(json!({"title": "One", "pages": 1}));
    assert_eq!(book(json!({"title": "Two"})), first);
    let got = get(&profile, &first);
    assert_eq!(got["fields"], json!({"title": "Two", "pages": 1}));
    assert_eq!(got["keys"], json!({"natural": "isbn:1"}));
    change(&profile, &json!([{"op": "delete", "id": first}]));
    assert_eq!(get(&profile, &first)["deleted"], true);
    change(
        &profile,
        &json!([{"op": "restore", "id": first}, {"op": "set_parent", "id": first, "parent": null}]),
    );
    assert_eq!(get(&profile, &first)["deleted"], false);
}

#[test]
fn what_lost_a_conflict_is_readable() {
    let profile = Profile::new("Ann");
    let id = profile.add(r#"{"n": 1}"#);
    let before = get(&profile, &id)["heads"].clone();
    let conflicts = || profile.all(&["conflicts", "default", &id, "n"]);
    assert_eq!(conflicts(), [json!({"value": 1, "shown": true})]);
    profile.one(&["set", "default", &id, r#"{"n": 2}"#]);
    change(
        &profile,
        &json!([{"op": "at", "heads": before}, {"op": "set", "id": id, "path": "n", "value": 3}]),
    );
    let shown = get(&profile, &id)["fields"]["n"].clone();
    let lost = if shown == json!(2) {
        json!(3)
    } else {
        json!(2)
    };
    assert_eq!(
        conflicts(),
        [
            json!({"value": lost, "shown": false}),
            json!({"value": shown, "shown": true})
        ]
    );
    assert_eq!(
        profile.text(&["conflicts", "default", &id, "n"]),
        format!("  {lost}\n* {shown}\n")
    );
    profile.one(&["set", "default", &id, &json!({"n": shown}).to_string()]);
    assert_eq!(conflicts(), [json!({"value": shown, "shown": true})]);
    assert_eq!(profile.failure(&["conflicts", "default", &id, "none"]).0, 3);
}

#[test]
fn a_condition_that_does_not_hold_changes_nothing() {
    let profile = Profile::new("Ann");
    let id = profile.add(r#"{"n": 1}"#);
    let heads = get(&profile, &id)["heads"].clone();
    let steps = json!([
        {"op": "create", "fields": {"other": 1}},
        {"op": "only_if", "id": id, "heads": heads},
        {"op": "set", "id": id, "path": "n", "value": 2},
    ]);
    let arguments = ["change", "default", &steps.to_string()];
    profile.one(&arguments);
    let digest = profile.one(&["digest", "default"]);
    let (code, error) = profile.failure(&arguments);
    assert_eq!((code, &error["status"]), (1, &json!("conflict")), "{error}");
    assert!(string(&error, "error").contains(&id), "{error}");
    assert_eq!(profile.one(&["digest", "default"]), digest);
    let absent = json!([
        {"op": "create", "type": "B", "key": "k", "as": "b"},
        {"op": "only_if", "id": "$b", "heads": []},
    ]);
    let absent = ["change", "default", &absent.to_string()];
    profile.one(&absent);
    assert_eq!(profile.failure(&absent).1["status"], "conflict");
}

/// A step, its exit code, and what the error says.
type Bad = (Value, i32, &'static str);

/// Steps that are found out when they are read.
fn malformed(id: &str) -> Vec<Bad> {
    vec![
        (json!({"op": "frob", "id": id}), 2, "frob"),
        (json!({"id": id}), 2, "`op`"),
        (json!("create"), 2, "JSON object"),
        (json!({"op": "set", "id": id, "path": "n"}), 2, "`value`"),
        (
            json!({"op": "set", "id": id, "path": "n", "valeu": 1}),
            2,
            "`valeu`",
        ),
        (json!({"op": "create", "feilds": {}}), 2, "`feilds`"),
        (
            json!({"op": "set", "id": id, "path": 1, "value": 1}),
            2,
            "expected a string",
        ),
        (
            json!({"op": "set", "id": "x", "path": "n", "value": 1}),
            2,
            "\"x\"",
        ),
        (
            json!({"op": "set", "id": id, "path": "n", "value": {"@x": 1}}),
            2,
            "@x",
        ),
        (
            json!({"op": "set", "id": "$b", "path": "n", "value": 1}),
            2,
            "\"b\"",
        ),
        (
            json!({"op": "create", "fields": {"r": [{"@ref": "$b"}]}}),
            2,
            "\"b\"",
        ),
        (json!({"op": "create", "as": "a"}), 2, "already"),
        (json!({"op": "create", "as": ""}), 2, "`as`"),
        (json!({"op": "create", "key": "k"}), 2, "`type`"),
        (
            json!({"op": "create", "type": "T", "key": "k", "id": NONE}),
            2,
            "`id`",
        ),
        (json!({"op": "create", "type": "@x"}), 2, "reserved"),
        (json!({"op": "set_parent", "id": id}), 2, "`parent`"),
        (
            json!({"op": "mark", "id": id, "path": "t", "start": 0, "end": 1, "name": "b", "expand": "up"}),
            2,
            "up",
        ),
        (json!({"op": "only_if", "id": id, "heads": ["x"]}), 2, "x"),
    ]
}

/// Steps that do not fit the objects: found out when everything is put together.
fn unfit(id: &str) -> Vec<Bad> {
    vec![
        (
            json!({"op": "insert", "id": id, "path": "/list/9", "value": 1}),
            2,
            "past the end",
        ),
        (
            json!({"op": "set", "id": id, "path": "/none/a", "value": 1}),
            3,
            "/none",
        ),
        (
            json!({"op": "splice", "id": id, "path": "t", "position": 9}),
            2,
            "t",
        ),
        (
            json!({"op": "increment", "id": id, "path": "n", "by": 1}),
            2,
            "counter",
        ),
        (json!({"op": "tag", "id": NONE, "tag": "x"}), 3, NONE),
        (json!({"op": "create", "id": id}), 1, "exists already"),
    ]
}

#[test]
fn bad_steps_are_named_and_nothing_is_applied() {
    let profile = Profile::new("Ann");
    let id = profile.add(r#"{"n": 1, "list": [1], "t": {"@text": "abc"}}"#);
    let digest = profile.one(&["digest", "default"]);
    let good = json!({"op": "create", "fields": {"a": 1}, "as": "a"});
    let bad = [malformed(&id), unfit(&id)].concat();
    for served in [false, true] {
        let _serving = served.then(|| profile.serve());
        for (step, code, what) in &bad {
            let list = json!([
                {"op": "message", "text": "no"},
                good,
                {"op": "set", "id": "$a", "path": "a", "value": 2},
                step,
                {"op": "delete", "id": "$a"},
            ]);
            let (exit, error) = profile.failure(&["change", "default", &list.to_string()]);
            let text = string(&error, "error");
            assert_eq!(exit, *code, "{step}: {text}");
            assert!(
                text.starts_with("step 4: ") && text.contains(what),
                "{step}: {text}"
            );
        }
        let alone = json!([{"op": "message", "text": "no"}, unfit(&id)[0].0]).to_string();
        let (_, error) = profile.failure(&["change", "default", &alone]);
        assert!(string(&error, "error").starts_with("step 2: "), "{error}");
        for text in ["{", "{}", "1", r#"{"op": "create"}"#] {
            assert_eq!(profile.failure(&["change", "default", text]).0, 2, "{text}");
        }
        assert_eq!(profile.one(&["digest", "default"]), digest);
        assert_eq!(profile.all(&["ls", "default"]).len(), 1);
    }
    let past = json!([{"op": "at", "heads": get(&profile, &id)["heads"]},
        {"op": "set", "id": id, "path": "n", "value": 2},
        {"op": "remove", "id": id, "path": "none"}]);
    let (code, error) = profile.failure(&["change", "default", &past.to_string()]);
    assert!(
        code == 3 && string(&error, "error").starts_with("step 3: "),
        "{error}"
    );
    assert_eq!(profile.one(&["digest", "default"]), digest);
}
