//! Pages while others write, several spaces, what subscriptions take.

use echodb::model::ErrorKind;
use echodb::{ChangeBatch, ChangeListener, Client, ClientOptions, EchoError, QueryPage, Space};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

fn client() -> Arc<Client> {
    let options = ClientOptions {
        online: false,
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    client.create_identity("Ada".into()).unwrap();
    client
}

fn create(space: &Space, n: u64) -> String {
    space
        .create(
            Some("N".into()),
            json!({ "n": n, "here": true }).to_string(),
        )
        .unwrap()
}

fn objects(json: &[u8]) -> Vec<Json> {
    serde_json::from_slice(json).unwrap()
}

fn page(space: &Space, query: &Json, after: Option<String>) -> QueryPage {
    space.query_page(query.to_string(), after).unwrap()
}

/// Every id of a walk through all pages, in order.
fn walk(space: &Space, query: &Json) -> Vec<String> {
    let mut seen = Vec::new();
    let mut after = None;
    loop {
        let page = page(space, query, after);
        let found = objects(&page.objects);
        let size = query["limit"].as_u64().unwrap() as usize;
        assert!(found.len() <= size);
        // A page that is followed by another is full.
        assert!(page.next.is_none() || found.len() == size);
        seen.extend(found.iter().map(|o| o["id"].as_str().unwrap().to_owned()));
        after = page.next;
        if after.is_none() {
            return seen;
        }
    }
}

#[test]
fn what_stays_is_on_exactly_one_page_while_others_write() {
    let client = client();
    let space = client.create_space("{}".into()).unwrap();
    // Equal keys too, so that ids decide.
    let stays: BTreeMap<String, u64> = (0..60).map(|n| (create(&space, n / 3), n / 3)).collect();
    let done = AtomicBool::new(false);
    // A failure must not leave the writer running.
    struct Ended<'a>(&'a AtomicBool);
    impl Drop for Ended<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    std::thread::scope(|scope| {
        let _ended = Ended(&done);
        scope.spawn(|| {
            let mut come: Vec<String> = Vec::new();
            for step in 0u64.. {
                if done.load(Ordering::Relaxed) {
                    break;
                }
                match step % 4 {
                    0 | 1 if come.len() < 40 => come.push(create(&space, step * 7 % 20)),
                    2 if !come.is_empty() => {
                        let moved = &come[step as usize * 5 % come.len()];
                        let fields = json!({"n": step * 11 % 20}).to_string();
                        space.update(moved.clone(), fields).unwrap();
                    }
                    _ if come.len() > 20 => {
                        let gone = come.remove(step as usize * 3 % come.len());
                        space.delete(gone).unwrap();
                    }
                    _ => {}
                }
            }
        });
        for round in 0..14 {
            let desc = round % 2 == 0;
            let order = json!([{"by": "n", "desc": desc}]);
            let query = json!({"where": {"type": "N"}, "order": order, "limit": 1 + round % 7});
            let seen = walk(&space, &query);
            let distinct: BTreeSet<&String> = seen.iter().collect();
            let stayed: Vec<u64> = seen
                .iter()
                .filter_map(|id| stays.get(id).copied())
                .collect();
            assert_eq!(stayed.len(), stays.len(), "each that stays is found once");
            assert!(stays.keys().all(|id| distinct.contains(id)));
            let sorted = stayed.is_sorted_by(|a, b| if desc { a >= b } else { a <= b });
            assert!(sorted, "{stayed:?}");
        }
    });
}

#[test]
fn cursors_are_for_their_query_and_outlive_the_client() {
    let dir = tempfile::tempdir().unwrap();
    let open = || {
        let options = ClientOptions {
            profile: Some(dir.path().display().to_string()),
            online: false,
            ..ClientOptions::default()
        };
        Client::open(options, None).unwrap()
    };
    let client = open();
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    let ids: Vec<String> = (0..5).map(|n| create(&space, n)).collect();
    let query = json!({"where": {"type": "N"}, "order": [{"by": "n"}], "limit": 2});
    let first = page(&space, &query, None);
    let next = first.next.unwrap();
    client.shutdown().unwrap();
    let client = open();
    let space = client.space(space.id()).unwrap();
    // The window is no part of what a cursor belongs to, nor is how the text is arranged.
    let text = r#"{ "limit": 9, "order": [{"by": "n"}], "where": {"type": "N"}}"#;
    let rest = space.query_page(text.into(), Some(next.clone())).unwrap();
    let found: Vec<Json> = objects(&rest.objects)
        .iter()
        .map(|o| o["id"].clone())
        .collect();
    assert_eq!(found, ids[2..]);
    assert_eq!(rest.next, None);
    let other = client.create_space("{}".into()).unwrap();
    for (space, query) in [
        (
            &space,
            json!({"where": {"type": "N"}, "order": [{"by": "n", "desc": true}]}),
        ),
        (
            &space,
            json!({"where": {"type": "M"}, "order": [{"by": "n"}]}),
        ),
        (
            &space,
            json!({"where": {"type": "N"}, "follow": [{"child": true}], "order": [{"by": "n"}]}),
        ),
        (&other, query.clone()),
    ] {
        let refused = space.query_page(query.to_string(), Some(next.clone()));
        let error = refused.expect_err("another query");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{query}");
    }
    for text in ["", "x", &next[1..], &next[..next.len() - 1]] {
        let error = space.query_page(query.to_string(), Some(text.into()));
        assert_eq!(error.expect_err(text).kind(), ErrorKind::InvalidArgument);
    }
    for (text, kind) in [
        (r#"{"skip": 1}"#, ErrorKind::InvalidArgument),
        (r#"{"limit": 0}"#, ErrorKind::LimitExceeded),
        (r#"{"limit": 10001}"#, ErrorKind::LimitExceeded),
    ] {
        assert_eq!(
            space.query_page(text.into(), None).expect_err(text).kind(),
            kind
        );
    }
}

#[test]
fn one_query_over_several_spaces_is_in_one_order() {
    let client = client();
    let spaces: Vec<Arc<Space>> = (0..3)
        .map(|_| client.create_space("{}".into()).unwrap())
        .collect();
    for n in 0..30 {
        create(&spaces[n as usize * 7 % 3], n * 13 % 30);
    }
    let ids: Vec<String> = spaces.iter().map(|space| space.id()).collect();
    let find = |ids: &[String], query: Json| -> Vec<(u64, String)> {
        let found = objects(&client.query(ids.to_vec(), query.to_string()).unwrap());
        let pair = |o: &Json| {
            let space = o["space"].as_str().unwrap().to_owned();
            (o["fields"]["n"].as_u64().unwrap(), space)
        };
        found.iter().map(pair).collect()
    };
    let numbers = |found: &[(u64, String)]| found.iter().map(|(n, _)| *n).collect::<Vec<_>>();
    let by_n = json!({"where": {"type": "N"}, "order": [{"by": "n", "desc": true}]});
    let all = find(&[], by_n.clone());
    assert_eq!(numbers(&all), (0..30).rev().collect::<Vec<_>>());
    assert_eq!(
        all.iter()
            .map(|(_, space)| space)
            .collect::<BTreeSet<_>>()
            .len(),
        3
    );
    let mut windowed = by_n.clone();
    (windowed["limit"], windowed["skip"]) = (json!(7), json!(5));
    assert_eq!(find(&[], windowed), all[5..12]);
    let two = find(
        &[ids[0].clone(), ids[2].clone(), ids[0].clone()],
        by_n.clone(),
    );
    let want: Vec<_> = all
        .iter()
        .filter(|(_, space)| *space != ids[1])
        .cloned()
        .collect();
    assert_eq!(two, want);

    spaces[1].close().unwrap();
    assert_eq!(
        find(&[], by_n.clone()),
        want,
        "closed spaces are left out of all"
    );
    for (id, kind) in [
        (ids[1].clone(), ErrorKind::InvalidState),
        ("x".to_owned(), ErrorKind::InvalidArgument),
        ("a".repeat(52), ErrorKind::NotFound),
    ] {
        let refused = client.query(vec![id.clone()], "{}".into());
        assert_eq!(refused.expect_err(&id).kind(), kind, "{id}");
    }
}

struct Deaf;

impl ChangeListener for Deaf {
    fn changed(&self, _: ChangeBatch) -> Result<(), EchoError> {
        Ok(())
    }
}

#[test]
fn subscriptions_take_what_one_object_decides() {
    let client = client();
    let space = client.create_space("{}".into()).unwrap();
    let id = create(&space, 1);
    let subscribe = |filter: Json| space.subscribe(filter.to_string(), Arc::new(Deaf));
    for filter in [
        json!({"tag": ["a", "b"]}),
        json!({"key": {"source": "github"}}),
        json!({"relation": true, "source": id, "target": null}),
        json!({"parent": [id, null]}),
        json!({"field": "n", "op": "between", "value": [1, 2]}),
    ] {
        subscribe(filter).unwrap().cancel();
    }
    for filter in [
        json!({"refers_to": id}),
        json!({"not": {"or": [{"ancestor": id}]}}),
        json!({"parent": {"where": {"type": "N"}}}),
        json!({"where": {}, "follow": [{"child": true}]}),
    ] {
        let error = subscribe(filter.clone())
            .err()
            .expect("it needs other objects");
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.to_string().contains("live query"), "{error}");
    }
}

#[test]
fn properties_are_found_by_no_query() {
    let client = client();
    let space = client.create_space(r#"{"name": "X"}"#.into()).unwrap();
    let id = create(&space, 1);
    space
        .set_properties(json!({"home": {"@ref": format!("echo:{id}")}}).to_string())
        .unwrap();
    let count = |query: &str| space.query(query.into()).unwrap().len();
    assert_eq!(count(r#"{"limit": 1}"#), 1);
    assert_eq!(count(r#"{"referred_by": true}"#), 0);
    assert_eq!(count(r#"{"follow": [{"referred_by": true}]}"#), 0);
    let counted = space
        .aggregate(r#"{"aggregate": {"n": "count"}}"#.into())
        .unwrap();
    assert_eq!(counted, r#"[{"group":[],"values":{"n":1}}]"#);
}
