//! The builder of queries gives what `tests/golden/queries.json` says, on which all languages agree, and
//! the library takes what stands there.

use echodb::builder::{
    Aggregation, Field, FieldKind, Filter, GroupKey, Link, Measure, Order, Query,
    RelationDirection, created, field, updated,
};
use echodb::model::{BlobId, BlobRef, ErrorKind, Reference, Value};
use echodb::{Client, ClientOptions, Space};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const OBJECT: &str = "00000000000000000000000001";
const OTHER: &str = "00000000000000000000000002";
const BLOB: &str = "aeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaqcaibaeaq";

fn space() -> (Arc<Client>, Arc<Space>) {
    let options = ClientOptions {
        online: false,
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    client.create_identity("Ada".into()).unwrap();
    let space = client.create_space("{}".into()).unwrap();
    (client, space)
}

fn expected() -> BTreeMap<String, Json> {
    let text = include_str!("../golden/queries.json");
    let entries: Vec<Json> = serde_json::from_str(text).unwrap();
    let named = entries.iter().map(|entry| {
        let name = entry["name"].as_str().unwrap().to_owned();
        (name, entry["query"].clone())
    });
    let named: BTreeMap<String, Json> = named.collect();
    assert_eq!(named.len(), entries.len(), "a name stands twice");
    named
}

fn foreign() -> String {
    format!("echo://{}/{OBJECT}", "a".repeat(52))
}

fn filters() -> Vec<(&'static str, Filter)> {
    let [a, b, c, d, e, f] = ["a", "b", "c", "d", "e", "f"].map(field);
    vec![
        ("everything", Filter::everything()),
        ("type", Filter::of_type(["Note", "Task"])),
        ("no type", Filter::untyped()),
        ("id", Filter::with_id(vec![OBJECT, OTHER])),
        ("tag", Filter::tagged(&["red", "blue"][..])),
        ("key", Filter::with_key("github", "42")),
        ("any key", Filter::with_any_key("github")),
        ("deleted", Filter::deleted(true)),
        ("no branch", Filter::branch(false)),
        ("relation", Filter::relation(true)),
        (
            "created",
            created().ge(1700000000000) & created().lt(1800000000000),
        ),
        (
            "updated",
            updated().gt(1700000000001) & updated().le(1800000000001),
        ),
        ("search", Filter::search("\"red rose\" OR ros* -thorn")),
        ("search in", Filter::search_in("rose", ["title", "/body"])),
        (
            "and, or, not",
            ((a.eq(1) & b.eq(2) & c.eq(3)) | d.eq(4) | e.eq(5)) & !f.eq(6),
        ),
    ]
}

fn comparisons() -> Vec<(&'static str, Filter)> {
    let n = field("n");
    let kinds = [
        FieldKind::Null,
        FieldKind::Boolean,
        FieldKind::Number,
        FieldKind::String,
        FieldKind::List,
        FieldKind::Map,
    ];
    let mixed: [Value; 4] = ["a".into(), 1.into(), Value::Null, true.into()];
    vec![
        ("equal", field("done").eq(false)),
        ("equal to null", field("/a/b").eq(Value::Null)),
        (
            "different",
            field("a/~ \"b\"").ne("say \"hi\"\\\n\t\u{1} Zürich 😀"),
        ),
        ("less", n.lt(2.5)),
        ("at most", n.le(-i64::MAX)),
        ("greater", n.gt("x")),
        ("at least", n.ge(i64::MAX)),
        ("between", n.between(0.1, 10)),
        ("in", n.is_in(mixed)),
        ("contains", field("tags").contains("home")),
        ("contains any", field("tags").contains_any(["a", "b"])),
        ("contains all", field("tags").contains_all(["a", "b"])),
        ("prefix", n.starts_with("ro")),
        ("kinds", Filter::any_of(kinds.map(|kind| n.is_kind(kind)))),
        ("there", n.exists()),
        ("missing", n.is_missing()),
        ("kinds of values", kinds_of_values()),
    ]
}

fn kinds_of_values() -> Filter {
    let size = 3;
    let id = BlobId::parse(BLOB).unwrap();
    let here = Reference::parse(OBJECT).unwrap();
    let elsewhere = Reference::parse(&foreign()).unwrap();
    field("raw").eq(Value::Bytes(vec![0, 255]))
        & field("due").lt(Value::Timestamp(1780272000000))
        & field("owner").eq(here)
        & field("author").eq(elsewhere)
        & field("file").eq(BlobRef { id, size })
}

fn links() -> Vec<(&'static str, Filter)> {
    let both = Link::related()
        .direction(RelationDirection::In)
        .direction(RelationDirection::Both);
    let all = [
        Link::parent(),
        Link::child(),
        Link::ancestor(),
        Link::descendant(),
        Link::refers_to(),
        Link::referred_by(),
        Link::source(),
        Link::target(),
        Link::source_of(),
        Link::target_of(),
        both,
    ];
    let friends = Link::related()
        .of_type(["Knows", "Likes"])
        .direction(RelationDirection::Out)
        .via(Filter::tagged("old"))
        .that(Filter::tagged("friend"));
    let incoming = Link::related().direction(RelationDirection::In);
    let ada = Filter::of_type("Person") & field("name").eq("Ada");
    vec![
        ("linked", Filter::any_of(all.map(Filter::from))),
        (
            "linked to",
            Link::parent().to([OBJECT, OTHER])
                | Link::ancestor().to(OBJECT)
                | Link::refers_to().to(foreign())
                | Link::refers_to().at("/author").to(OBJECT),
        ),
        ("child of", Filter::child_of(OBJECT)),
        (
            "no link",
            Link::parent().is_none() | Link::source().is_none() | Link::target().is_none(),
        ),
        (
            "references",
            Link::refers_to().at("/author").that(ada).exists()
                & Link::referred_by()
                    .at("by")
                    .that(Filter::deleted(true))
                    .exists(),
        ),
        ("related", friends.exists() & incoming.exists()),
    ]
}

fn queries() -> Vec<(&'static str, Query)> {
    let knows = Link::related()
        .of_type("Knows")
        .direction(RelationDirection::In);
    vec![
        (
            "steps",
            Query::new(Filter::of_type("Project"))
                .follow(Link::descendant().that(Filter::of_type("Task")))
                .follow(Link::refers_to().at("/assignee"))
                .follow(knows)
                .follow(Link::child()),
        ),
        (
            "order",
            Query::default()
                .order(Order::by_created())
                .order(updated().descending())
                .order(Order::by_id())
                .order(Order::by_type())
                .order(Order::by_parent().descending())
                .order(field("due").descending())
                .order(Order::by_field("/rank"))
                .order(field("a/~b").ascending()),
        ),
        (
            "by rank",
            Query::new(Filter::search("rose")).order(Order::by_rank()),
        ),
        ("window", Query::default().limit(10).skip(20)),
        ("no results", Query::default().limit(0)),
    ]
}

fn aggregations() -> Vec<(&'static str, Aggregation)> {
    vec![
        (
            "aggregation",
            Aggregation::new(Filter::of_type("Order"))
                .follow(Link::child())
                .group("status")
                .group(GroupKey::by_tag())
                .group(GroupKey::by_type())
                .group(GroupKey::by_parent())
                .measure("n", Measure::count())
                .measure("filled", Measure::count_of("price"))
                .measure("low", Measure::min("price"))
                .measure("high", Measure::max(field("price")))
                .measure("first", Measure::min(created()))
                .measure("latest", Measure::max(updated()))
                .measure("total", Measure::sum("price"))
                .measure("mean \"x\"", Measure::avg(Field::from("price")))
                .order_descending("total")
                .order("n")
                .limit(10)
                .skip(1),
        ),
        (
            "groups of relations",
            Aggregation::new(Filter::relation(true))
                .group(GroupKey::by_source())
                .group(GroupKey::by_target()),
        ),
        (
            "one group",
            Aggregation::default().measure("n", Measure::count()),
        ),
    ]
}

#[test]
fn what_is_built_is_what_all_languages_build() {
    let filters = [filters(), comparisons(), links()].concat();
    let filters = filters.into_iter().map(|(name, it)| (name, Query::new(it)));
    let queries = filters.chain(queries());
    let queries = queries.map(|(name, it)| (name, it.to_json()));
    let aggregations = aggregations().into_iter();
    let aggregations = aggregations.map(|(name, it)| (name, it.to_json()));
    let mut expected = expected();
    for (name, built) in queries.chain(aggregations) {
        let built: Json = serde_json::from_str(&built).unwrap();
        assert_eq!(Some(built), expected.remove(name), "{name}");
    }
    assert!(expected.is_empty(), "not built: {expected:?}");
}

#[test]
fn the_library_takes_all_that_stands_in_the_fixture() {
    let (client, space) = space();
    for (name, query) in expected() {
        let aggregation = query.get("group").is_some() || query.get("aggregate").is_some();
        let asked = match aggregation {
            true => space.aggregate(query.to_string()).map(drop),
            false => space.query(query.to_string()).map(drop),
        };
        asked.unwrap_or_else(|error| panic!("{name}: {error}"));
        space.explain(query.to_string()).unwrap();
    }
    client.shutdown().unwrap();
}

#[test]
fn the_fixture_has_every_word_of_the_language() {
    let text = include_str!("../golden/queries.json");
    let words = "where follow order limit skip by desc \
        type id tag key source deleted branch relation created updated field op value search in and or not \
        parent child ancestor descendant refers_to referred_by target source_of target_of related \
        path via direction out \
        eq ne lt le gt ge between contains contains_any contains_all prefix kind exists \
        null boolean number string list map rank \
        group aggregate count min max sum avg";
    for word in words.split_whitespace() {
        assert!(text.contains(&format!("\"{word}\"")), "{word}");
    }
}

#[test]
fn what_is_built_goes_where_a_query_goes() {
    let (client, space) = space();
    for n in 0..3 {
        let fields = json!({ "n": n, "done": n == 1 }).to_string();
        space.create(Some("Note".into()), fields).unwrap();
    }
    let numbers = |query: String| -> Vec<i64> {
        let found = space.query(query).unwrap();
        let fields = found.iter().map(|note| note.fields.as_str());
        fields
            .map(|fields| serde_json::from_str::<Json>(fields).unwrap())
            .map(|fields| fields["n"].as_i64().unwrap())
            .collect()
    };
    let open = Filter::of_type("Note") & field("done").eq(false);
    let first = Query::new(open.clone()).order(field("n").descending());
    assert_eq!(numbers(first.clone().into()), [2, 0]);
    assert_eq!(numbers(first.limit(1).to_string()), [2]);
    let mut either_way = numbers((!open.clone()).into());
    either_way.extend(numbers(String::from(&open)));
    either_way.sort();
    assert_eq!(either_way, [0, 1, 2]);
    let sum = Aggregation::new(open).measure("sum", Measure::sum("n"));
    let sum = space.aggregate(sum.into()).unwrap();
    assert_eq!(sum, r#"[{"group":[],"values":{"sum":2}}]"#);
    let wrong = Query::new(Link::parent().at("n"));
    let refused = space.query(wrong.into()).err().unwrap();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument);
    client.shutdown().unwrap();
}

#[test]
fn lists_stay_flat_and_names_are_one_or_several() {
    let json = |built: Filter| serde_json::from_str::<Json>(&built.to_json()).unwrap();
    let [a, b, c] = ["a", "b", "c"].map(Filter::tagged);
    let both = json((a.clone() & b.clone()) & (c.clone() & a.clone()));
    assert_eq!(both["and"].as_array().unwrap().len(), 4);
    let either = json(a.clone() | (b & c));
    assert_eq!(either["or"].as_array().unwrap().len(), 2);
    assert_eq!(json(Filter::all_of([])), json!({"and": []}));
    assert_eq!(
        json(Filter::with_key("s", ["a", "b"])),
        json!({"key": {"source": "s", "key": ["a", "b"]}})
    );
    assert_eq!(json(Filter::tagged("a".to_owned())), json(a));
    let none: Option<&str> = None;
    assert_eq!(
        json(field("x").eq(none)),
        json!({"field": "x", "op": "eq", "value": null})
    );
    assert_eq!(json(field("x").eq(f64::NAN))["value"], Json::Null);
}
