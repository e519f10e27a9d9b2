//! Every command, run alone and through `serve`, with the same results.

use crate::common::{Profile, string};
use serde_json::json;

#[test]
fn every_command_alone() {
    let profile = Profile::absent();
    exercise(&profile, false);
}

#[test]
fn every_command_through_serve() {
    let profile = Profile::absent();
    let mut serving = profile.serve();
    exercise(&profile, true);
    serving.signal(libc::SIGTERM);
    serving.end_well();
    // It was all stored.
    assert_eq!(profile.one(&["identity", "show"])["name"], "Ann");
}

fn exercise(profile: &Profile, serving: bool) {
    identity(profile);
    spaces(profile);
    objects(profile);
    queries(profile);
    text(profile);
    schemas(profile);
    status(profile, serving);
}

fn identity(profile: &Profile) {
    let created = profile.one(&["identity", "create", "--name", "Ann"]);
    assert_eq!(created["name"], "Ann");
    let shown = profile.one(&["identity", "show"]);
    assert_eq!(created, shown);
    assert!(!string(&shown, "identity").is_empty());
    assert!(!string(&shown, "device").is_empty());
    let human = profile.text(&["identity", "show"]);
    assert!(human.starts_with("Ann\n"), "{human}");
    assert!(!human.contains('\x1b'), "no colour in a pipe: {human:?}");
}

fn spaces(profile: &Profile) {
    let made = profile.one(&["space", "create", "Garden"]);
    let id = string(&made, "space");
    assert_eq!(
        (&made["name"], &made["state"]),
        (&json!("Garden"), &json!("ready"))
    );
    let list = profile.all(&["space", "list"]);
    assert_eq!(list.len(), 2);
    assert_eq!(list[0]["default"], true);
    assert_eq!(list[1], made);
    for name in ["Garden", &id, &id[..12]] {
        let info = profile.one(&["space", "info", name]);
        assert_eq!(info["space"], made["space"]);
        assert_eq!(info["properties"], json!({"name": "Garden"}));
        assert_eq!(info["members"][0]["name"], "Ann");
        assert_eq!(info["members"][0]["role"], "owner");
    }
    profile.one(&["add", "Garden", r#"{"a": 1}"#]);
    let deleted = profile.one(&["space", "delete", "Garden"]);
    assert_eq!(deleted, json!({"space": id, "state": "deleted"}));
    assert_eq!(profile.failure(&["ls", &id]).0, 3);
    assert_eq!(profile.all(&["space", "list"]).len(), 1);
}

fn objects(profile: &Profile) {
    let task = profile.one(&[
        "add",
        "default",
        "--type",
        "Task",
        r#"{"title": "Water", "done": false}"#,
    ]);
    let id = string(&task, "id");
    let other = profile.add(r#"{"title": "Rest"}"#);
    let got = profile.one(&["get", "default", &id]);
    assert_eq!(got["id"], task["id"]);
    assert_eq!(got["type"], "Task");
    assert_eq!(got["deleted"], false);
    assert_eq!(got["fields"], json!({"title": "Water", "done": false}));

    let ids = |arguments: &[&str]| -> Vec<String> {
        let found = profile.all(arguments);
        found.iter().map(|object| string(object, "id")).collect()
    };
    assert_eq!(ids(&["ls", "default"]), [id.clone(), other.clone()]);
    assert_eq!(ids(&["ls", "default", "--type", "Task"]), [id.as_str()]);
    let rest = r#"{"field": "title", "op": "eq", "value": "Rest"}"#;
    assert_eq!(ids(&["query", "default", rest]), [other.as_str()]);

    let before = profile.one(&["digest", "default"]);
    let set = profile.one(&["set", "default", &id, r#"{"done": true}"#]);
    assert_eq!((&set["id"], &set["state"]), (&json!(id), &json!("set")));
    let got = profile.one(&["get", "default", &id]);
    assert_eq!(got["fields"], json!({"title": "Water", "done": true}));
    let after = profile.one(&["digest", "default"]);
    assert_eq!(string(&after, "digest").len(), 64);
    assert_ne!(before, after);

    profile.one(&["rm", "default", &other]);
    assert_eq!(ids(&["ls", "default"]), [id]);
    assert_eq!(profile.one(&["get", "default", &other])["deleted"], true);
    assert!(profile.text(&["ls", "default"]).contains("  Task  {"));
}

fn schemas(profile: &Profile) {
    let schema = r#"{"required": ["name"]}"#;
    let register = ["schema", "default", "register", "Person", schema];
    let made = profile.one(&register);
    assert_eq!(
        (&made["type"], &made["version"]),
        (&json!("Person"), &json!(1))
    );
    assert_eq!(profile.one(&register), made);
    assert_eq!(profile.one(&["schema", "default", "show", "Person"]), made);
    assert_eq!(profile.all(&["schema", "default", "list"]), [made]);
    let (code, error) = profile.failure(&["add", "default", "--type", "Person", "{}"]);
    assert_eq!(code, 1);
    assert!(error.to_string().contains("lacks"), "{error}");
    assert_eq!(profile.all(&["schema", "default", "violations"]).len(), 0);
    assert_eq!(
        profile.failure(&["schema", "default", "show", "Nobody"]).0,
        3
    );
    let bad = ["schema", "default", "register", "Person", r#"{"type": 1}"#];
    assert_eq!(profile.failure(&bad).0, 2);
    let again = [&register[..4], &["{}", "--version", "1"]].concat();
    assert_eq!(profile.failure(&again).0, 1);
    assert!(
        profile
            .text(&["schema", "default", "list"])
            .starts_with("Person  1  {")
    );
}

fn queries(profile: &Profile) {
    profile.one(&["space", "create", "Numbers"]);
    for n in 0..5 {
        let fields = json!({ "n": n }).to_string();
        profile.one(&["add", "Numbers", "--type", "N", &fields]);
    }
    let query = r#"{"where": {"type": "N"}, "order": [{"by": "n", "desc": true}]}"#;
    let mut seen = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let mut arguments = vec!["query", "Numbers", query, "--page", "2"];
        arguments.extend(after.iter().flat_map(|after| ["--after", after.as_str()]));
        let mut page = profile.all(&arguments);
        let next = page
            .last()
            .and_then(|line| line["next"].as_str().map(str::to_owned));
        if next.is_some() {
            page.pop();
            assert_eq!(page.len(), 2);
        }
        seen.extend(
            page.iter()
                .map(|object| object["fields"]["n"].as_i64().unwrap()),
        );
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, [4, 3, 2, 1, 0]);
    let asked =
        r#"{"where": {"type": "N"}, "group": ["type"], "aggregate": {"sum": {"sum": "n"}}}"#;
    let group = profile.one(&["aggregate", "Numbers", asked]);
    assert_eq!(group, json!({"group": ["N"], "values": {"sum": 10}}));
    assert_eq!(
        profile.text(&["aggregate", "Numbers", asked]),
        "[\"N\"]  {\"sum\":10}\n"
    );
    for arguments in [
        ["query", "Numbers", query, "--explain"],
        ["aggregate", "Numbers", asked, "--explain"],
    ] {
        let plan = profile.one(&arguments);
        assert_eq!(plan["indexes"], json!(["objects_type"]));
        let words = profile.text(&arguments);
        assert!(words.contains("looked up by their type"), "{words}");
    }
    assert_eq!(
        profile
            .failure(&["query", "Numbers", "{}", "--after", "-x"])
            .0,
        2
    );
    assert_eq!(
        profile
            .failure(&["aggregate", "Numbers", r#"{"group": 1}"#])
            .0,
        2
    );
    profile.one(&["space", "delete", "Numbers"]);
}

fn text(profile: &Profile) {
    let id = profile.add(r#"{"body": {"@text": "a🦀c"}}"#);
    let text = |options: &[&str]| {
        let arguments = [&["text", "default", &id, "body"], options].concat();
        string(&profile.one(&arguments), "text")
    };
    assert_eq!(text(&[]), "a🦀c");
    assert_eq!(text(&["--insert", "é-", "--at", "2"]), "a🦀é-c");
    assert_eq!(text(&["--at", "1", "--delete", "1"]), "aé-c");
    assert_eq!(
        text(&["--insert", "--b", "--at", "0", "--delete", "2"]),
        "--b-c"
    );
    assert_eq!(text(&["--insert", "\n!"]), "--b-c\n!", "at the end");
    assert_eq!(
        profile.text(&["text", "default", &id, "body"]),
        "--b-c\n!\n"
    );
    let past = [
        "text", "default", &id, "body", "--insert", "x", "--at", "99",
    ];
    assert_eq!(profile.failure(&past).0, 2);
}

fn status(profile: &Profile, serving: bool) {
    let status = profile.one(&["status"]);
    assert_eq!(status["serving"], serving);
    assert_eq!(status["online"], serving);
    assert_eq!(
        (&status["peers"], &status["spaces"]),
        (&json!(0), &json!(1))
    );
    let space = profile.one(&["status", "default"]);
    assert_eq!(space["state"], "ready");
    assert!(space["objects"].as_u64().unwrap() >= 3);
    assert_eq!(space["peers"], json!([]));
    assert!(profile.text(&["status"]).contains("serving"));
}

#[test]
fn json_comes_from_standard_input() {
    let profile = Profile::new("Ann");
    for served in [false, true] {
        let _serving = served.then(|| profile.serve());
        let output = profile.run(&["add", "default", "-"], br#"{"n": 1.5}"#);
        assert!(output.status.success(), "{output:?}");
        let id = String::from_utf8(output.stdout).unwrap();
        let id = id.trim();
        assert_eq!(
            profile.one(&["get", "default", id])["fields"],
            json!({"n": 1.5})
        );
        let output = profile.run(&["set", "default", id, "-"], br#"{"n": 2}"#);
        assert!(output.status.success(), "{output:?}");
        assert_eq!(
            profile.one(&["get", "default", id])["fields"],
            json!({"n": 2})
        );
    }
}

#[test]
fn help_names_the_exit_codes_and_the_version_is_the_libraries() {
    let profile = Profile::absent();
    let help = profile.text(&["--help"]);
    assert!(help.contains("Exit codes:"), "{help}");
    assert!(
        profile
            .text(&["--version"])
            .contains(env!("CARGO_PKG_VERSION"))
    );
    assert!(!profile.path().exists(), "help makes no profile");
}

#[test]
fn a_reader_that_stops_reading_is_no_failure() {
    let profile = Profile::new("Ann");
    profile.add(r#"{"a": 1}"#);
    let mut child = profile
        .command(&["ls", "default"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(output.stderr.is_empty(), "{output:?}");
}
