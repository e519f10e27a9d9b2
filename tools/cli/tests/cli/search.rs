//! `search` and `index`.

use crate::common::{Profile, string};
use serde_json::json;

#[test]
fn words_are_found_and_indexes_listed() {
    let profile = Profile::absent();
    profile.one(&["identity", "create", "--name", "Ann"]);
    let rose = profile.add(r#"{"title": "Red roses", "body": {"@text": "Water the réd roses"}}"#);
    profile.add(r#"{"title": "Tulips"}"#);
    let hit = profile.one(&["search", "default", "red", "ros*"]);
    assert_eq!(string(&hit, "id"), rose);
    assert!(hit["rank"].as_f64().is_some_and(|rank| rank < 0.0), "{hit}");
    assert_eq!(hit["snippet"]["text"], "Water the réd roses");
    assert_eq!(hit["snippet"]["ranges"], json!([[10, 14], [15, 20]]));
    assert_eq!(hit["fields"]["title"], "Red roses");
    let body = profile.one(&["search", "default", "red", "--in", "body"]);
    assert_eq!(body["snippet"]["ranges"], json!([[10, 14]]));
    assert!(profile.all(&["search", "default", "red -water"]).is_empty());
    assert!(profile.all(&["search", "default", "--", "-red"]).is_empty());
    let other = [
        "search",
        "default",
        "red",
        "--filter",
        r#"{"type": "Task"}"#,
    ];
    assert!(profile.all(&other).is_empty());
    let human = profile.text(&["search", "default", "tulips"]);
    assert!(human.ends_with("  -  /title  Tulips\n"), "{human}");
    let both = profile.all(&["search", "default", "red OR tulips"]);
    let rest = ["search", "default", "red OR tulips", "--skip", "1"];
    assert_eq!(profile.all(&rest), both[1..]);
    let short = ["search", "default", "water", "--excerpt", "5"];
    let short = string(&profile.one(&short)["snippet"], "text");
    assert!(short.len() < 15 && short.contains("Water"), "{short}");
    let none = ["search", "default", "water", "--excerpt", "0"];
    assert!(profile.one(&none)["snippet"].is_null());
    let long = ["search", "default", "water", "--excerpt", "1001"];
    assert_ne!(profile.failure(&long).0, 0);

    let state = |arguments: &[&str]| string(&profile.one(arguments), "state");
    let index = |what: &'static str| ["index", "default", what, "due", "--type", "Task"];
    assert_eq!(state(&index("create")), "created");
    let listed = profile.one(&["index", "default", "list"]);
    assert_eq!(
        (&listed["type"], &listed["path"]),
        (&json!("Task"), &json!("/due"))
    );
    assert_eq!(state(&index("drop")), "dropped");
    assert!(profile.all(&["index", "default", "list"]).is_empty());
    assert_eq!(profile.failure(&index("drop")).0, 3);
    assert_eq!(profile.failure(&["index", "default", "create", "id"]).0, 2);
}
