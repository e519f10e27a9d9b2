//! Queries of several spaces, and options that every command takes.

use crate::common::{Profile, string};
use serde_json::json;

#[test]
fn several_spaces_answer_one_query() {
    let profile = Profile::new("Ann");
    for served in [false, true] {
        let _serving = served.then(|| profile.serve());
        let names = if served { ["A2", "B2"] } else { ["A1", "B1"] };
        let spaces = names.map(|name| string(&profile.one(&["space", "create", name]), "space"));
        for (n, space) in [(3, 0), (1, 1), (2, 0)] {
            let fields = json!({ "n": n }).to_string();
            profile.one(&["add", &spaces[space], "--type", names[0], &fields]);
        }
        let query = json!({"where": {"type": names[0]}, "order": [{"by": "n"}]}).to_string();
        let found = |arguments: &[&str]| -> Vec<(i64, String)> {
            let found = profile.all(arguments);
            let each = found.iter();
            each.map(|o| (o["fields"]["n"].as_i64().unwrap(), string(o, "space")))
                .collect()
        };
        let [a, b] = &spaces;
        let all = [(1, b.clone()), (2, a.clone()), (3, a.clone())];
        assert_eq!(found(&["query", "--all-spaces", &query]), all);
        let both = ["query", "--space", names[0], "--space", b, &query];
        assert_eq!(found(&both), all);
        let twice = ["query", &query, "--space", names[0], "--space", a];
        assert_eq!(found(&twice), all[1..]);
        assert_eq!(found(&["query", &query, "--space", "default"]), []);
        let text = profile.text(&both);
        assert!(text.starts_with(&format!("{}  ", &b[..12])), "{text}");
        // As ever.
        let one = profile.all(&["query", a, &query]);
        assert_eq!((one.len(), one[0].get("space")), (2, None));

        for wrong in [
            &["query", a, "--space", b, &query] as &[_],
            &["query", a, "--all-spaces", &query],
            &["query", &query],
            &["query", "--all-spaces"],
            &["query", "--all-spaces", "--space", a, &query],
            &["query", "--all-spaces", &query, "--explain"],
            &["query", "--all-spaces", &query, "--page", "2"],
            &["query", "--all-spaces", r#"{"strange": 1}"#],
        ] {
            assert_eq!(profile.failure(wrong).0, 2, "{wrong:?}");
        }
        assert_eq!(
            profile.failure(&["query", "--space", "nowhere", &query]).0,
            3
        );
    }
}

#[test]
fn the_cache_has_a_size() {
    let profile = Profile::new("Ann");
    profile.add("{}");
    assert_eq!(profile.all(&["--cache", "1", "ls", "default"]).len(), 1);
    for wrong in ["0", "65537", "much"] {
        assert_eq!(profile.failure(&["--cache", wrong, "ls", "default"]).0, 2);
    }
    let _serving = profile.serve();
    let output = profile.run(&["--json", "ls", "default", "--cache", "8"], b"");
    assert!(output.status.success(), "{output:?}");
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(
        error.contains(r#"{"warning":"--cache has no effect"#),
        "{error}"
    );
}
