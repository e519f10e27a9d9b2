//! Random queries over random spaces find what looking at every object finds.

use super::naive::Naive;
use super::world::Maker;
use super::*;
use crate::query::{
    Aggregate, More, Query, Selection, compare_keys, compile, compile_part, directions,
};
use serde_json::{Value as Json, json};

const SPACES: u64 = 50;
const QUERIES: usize = 80;

fn store_of(rows: &[ObjectRow]) -> SpaceStore {
    let mut store = SpaceStore::open(None).unwrap();
    let writes: Vec<_> = rows.iter().map(|row| write(row, &[])).collect();
    commit(&mut store, 0, EntryStatus::Applied, &writes).unwrap();
    store
}

fn maker(seed: u64) -> Maker {
    Maker {
        random: Random(seed),
        size: 30,
    }
}

#[test]
fn queries_find_what_looking_at_every_object_finds() {
    let (mut some, mut followed, mut parts) = (0, 0, 0);
    for seed in 0..SPACES {
        let mut maker = maker(seed);
        let rows = maker.space();
        let store = store_of(&rows);
        let naive = Naive::new(&rows);
        for number in 0..QUERIES {
            let asked = maker.query();
            let told = format!("seed {seed}, query {number}: {asked}");
            let query = Query::parse(&asked.to_string()).unwrap_or_else(|e| panic!("{e}\n{told}"));
            let compiled = compile(&query);
            let found = found_by(&store, &compiled)
                .unwrap_or_else(|e| panic!("{e}\n{told}\n{}", compiled.sql));
            let want = naive.query(&asked);
            let want: Vec<SeenRow<'_>> = want.into_iter().map(|i| rows[i].seen()).collect();
            let ids = |rows: &[SeenRow<'_>]| rows.iter().map(|r| r.created_ms).collect::<Vec<_>>();
            assert_eq!(ids(&found), ids(&want), "{told}\n{}", compiled.sql);
            assert_eq!(found, want, "{told}");
            some += usize::from(!want.is_empty());
            followed += usize::from(!want.is_empty() && asked.get("follow").is_some());
            let all: Vec<SeenRow<'_>> = naive.all(&asked).iter().map(|i| rows[*i].seen()).collect();
            parts += usize::from(parts_agree(&store, &query, &all, &mut maker, &told));
        }
    }
    // The test means something only while queries find something.
    assert!(
        some > 1500 && followed > 250 && parts > 600,
        "{some} {followed} {parts}"
    );
}

/// The query without its window, asked about a few objects, as of what changed, and after each of
/// some places. Whether it found one of the few.
fn parts_agree(
    store: &SpaceStore,
    query: &Query,
    all: &[SeenRow<'_>],
    maker: &mut Maker,
    told: &str,
) -> bool {
    let everything = Query {
        limit: None,
        skip: 0,
        ..query.clone()
    };
    let part = |within, after| {
        let more = More::Keys;
        let compiled = compile_part(
            &everything,
            Selection {
                within,
                after,
                more,
            },
        );
        keyed_by(store, &compiled).unwrap_or_else(|e| panic!("{e}\n{told}\n{}", compiled.sql))
    };
    let whole = part(None, None);
    assert!(whole.iter().map(|(row, _)| row).eq(all), "{told}");
    let few = [0; 6].map(|_| object_id(maker.random.below(32) as u64));
    let found = part(Some(&few), None);
    let want = whole.iter().filter(|(row, _)| few.contains(&row.id));
    assert!(found.iter().eq(want), "{told}");
    let descending = directions(query);
    for (place, (_, keys)) in whole.iter().enumerate().step_by(5) {
        let after = part(None, Some(keys.as_slice()));
        assert_eq!(after, whole[place + 1..], "after {place}: {told}");
        let next = whole.get(place + 1);
        assert!(next.is_none_or(|(_, next)| compare_keys(keys, next, &descending).is_lt()));
    }
    !found.is_empty()
}

/// Groups and measures of a set of objects, by hand.
fn grouped(naive: &Naive<'_>, found: &[usize], key: &str) -> Vec<(Json, Json)> {
    let mut groups: Vec<(Json, Vec<usize>)> = Vec::new();
    for i in found {
        let row = &naive.rows[*i];
        let keys: Vec<Json> = match key {
            "type" => vec![json!(row.type_name)],
            "parent" => vec![json!(row.parent.map(|id| id.to_string()))],
            "tag" if row.system.tags.is_empty() => vec![Json::Null],
            "tag" => row.system.tags.iter().map(|tag| json!(tag)).collect(),
            name => vec![match naive.field(*i, name) {
                // Whole floats are shown as integers.
                Some(Json::Number(n)) if n.as_f64().unwrap().fract() == 0.0 => {
                    json!(n.as_f64().unwrap() as i64)
                }
                found => found.cloned().unwrap_or(Json::Null),
            }],
        };
        for key in keys {
            match groups.iter_mut().find(|(known, _)| *known == key) {
                Some((_, members)) => members.push(*i),
                None => groups.push((key, vec![*i])),
            }
        }
    }
    let measured = groups.into_iter().map(|(key, members)| {
        let values: Vec<&Json> = members.iter().filter_map(|i| naive.field(*i, "n")).collect();
        let numbers: Vec<f64> = values.iter().filter_map(|v| v.as_f64()).collect();
        let texts: Vec<&str> = values.iter().filter_map(|v| v.as_str()).collect();
        let least = numbers.iter().copied().reduce(f64::min);
        let greatest = texts.iter().max();
        let sum: f64 = numbers.iter().sum();
        let values = json!({
            "n": members.len(),
            "there": values.iter().filter(|v| !v.is_null()).count(),
            "sum": sum,
            "avg": (!numbers.is_empty()).then(|| sum / numbers.len() as f64),
            "min": least.map_or_else(|| json!(texts.iter().min()), |n| json!(n)),
            "max": greatest.map_or_else(|| json!(numbers.iter().copied().reduce(f64::max)), |t| json!(t)),
            "latest": members.iter().map(|i| naive.rows[*i].updated_ms).max(),
        });
        (key, values)
    });
    measured.collect()
}

/// Numbers as floats, so that 1 and 1.0 are equal.
fn floats(json: &Json) -> Json {
    match json {
        Json::Number(n) => json!(n.as_f64()),
        Json::Object(map) => map.iter().map(|(k, v)| (k.clone(), floats(v))).collect(),
        other => other.clone(),
    }
}

#[test]
fn aggregates_are_what_counting_by_hand_gives() {
    let mut groups = 0;
    for seed in 0..SPACES {
        let mut maker = maker(1000 + seed);
        let rows = maker.space();
        let store = store_of(&rows);
        let naive = Naive::new(&rows);
        for key in ["type", "parent", "tag", "n", "s", "t"] {
            let mut asked = maker.query();
            let object = asked.as_object_mut().unwrap();
            object.retain(|name, _| ["where", "follow"].contains(&name.as_str()));
            let found = naive.all(&asked);
            asked["group"] = json!([key]);
            asked["aggregate"] = json!({
                "n": "count", "there": {"count": "n"}, "sum": {"sum": "n"}, "avg": {"avg": "n"},
                "min": {"min": "n"}, "max": {"max": "n"}, "latest": {"max": "updated"},
            });
            let told = format!("seed {seed}: {asked}");
            let aggregate = Aggregate::parse(&asked.to_string()).expect(&told);
            let answer = aggregate.answer(&store.values(&aggregate.compile()).expect(&told));
            let answer: Vec<Json> = serde_json::from_str(&answer).unwrap();
            let want = grouped(&naive, &found, key);
            assert_eq!(answer.len(), want.len(), "{told}");
            for (key, values) in want {
                let group = answer.iter().find(|group| group["group"][0] == key);
                let group = group.unwrap_or_else(|| panic!("no {key} in {answer:?}\n{told}"));
                assert_eq!(floats(&group["values"]), floats(&values), "{key} {told}");
                groups += 1;
            }
        }
    }
    assert!(groups > 400, "{groups}");
}
