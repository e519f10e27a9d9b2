//! Live queries in random histories of several peers: whoever applies the steps without thinking
//! has what the query gives, after every step, on every peer.

use super::peer::Peer;
use super::random::Random;
use super::seeds;
use super::world::{Plan, World};
use crate::model::ObjectId;
use crate::query::Query;
use crate::query::live::diff::Step;
use crate::space::{LiveDelta, LiveFilter, LiveResults, ObjectRow, RowChange, SeenRow};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

const FIELDS: [&str; 8] = [
    "title", "extra", "count", "/tags/0", "/tags/1", "/map/a", "body", "none",
];

fn filter(random: &mut Random, depth: usize) -> Json {
    if depth > 0 && random.once_in(3) {
        let mut some = || -> Vec<Json> { (0..2).map(|_| filter(random, depth - 1)).collect() };
        let parts = some();
        return match random.below(3) {
            0 => json!({ "and": parts }),
            1 => json!({ "or": parts }),
            _ => json!({ "not": parts[0] }),
        };
    }
    let field = *random.pick(&FIELDS);
    let other = json!(ObjectId([random.below(5) as u8; 16]).to_string());
    match random.below(17) {
        12 => json!({ "refers_to": other }),
        13 => json!({"not": {"refers_to": {"path": "/tags", "id": other}}}),
        14 => json!({"ancestor": other}),
        15 => json!({"child": {"where": {"field": "count", "op": "ge", "value": 0}}}),
        16 => json!({"referred_by": true}),
        0 | 1 => json!({"type": random.pick(&[json!("Task"), json!(null)])}),
        2 => json!({"deleted": random.once_in(2)}),
        3 => json!({"or": [{"deleted": true}, {"deleted": false}]}),
        4 => json!({"updated": {"ge": 1_763_864_160_000_i64 + random.below(5000) as i64}}),
        5 => json!({"field": field, "op": "exists", "value": random.once_in(2)}),
        6 => json!({"field": field, "op": "ge", "value": 3}),
        7 => json!({"field": field, "op": "lt", "value": "b"}),
        8 => json!({"field": "tags", "op": "contains", "value": "a"}),
        9 => json!({"parent": random.pick(&[json!(null), json!(ObjectId([1; 16]).to_string())])}),
        _ => json!({}),
    }
}

fn query(random: &mut Random) -> String {
    let mut order = Vec::new();
    for _ in 0..random.below(3) {
        let by = *random.pick(&[
            "updated", "created", "type", "id", "parent", "title", "extra", "count", "/tags/0",
        ]);
        order.push(json!({"by": by, "desc": random.once_in(2)}));
    }
    let mut query = json!({"where": filter(random, 2), "order": order});
    if random.once_in(5) {
        let step = random.pick(&["child", "parent", "refers_to", "descendant"]);
        query["follow"] = json!([{ *step: true }]);
    }
    if random.below(3) > 0 {
        query["limit"] = json!(random.below(6));
    }
    if random.once_in(2) {
        query["skip"] = json!(random.below(4));
    }
    query.to_string()
}

/// Somebody who applies steps.
struct Follower {
    text: String,
    query: Query,
    results: LiveResults,
    filter: LiveFilter,
    list: Vec<(ObjectId, SeenRow<'static>)>,
    fresh: bool,
}

impl Follower {
    fn new(random: &mut Random) -> Follower {
        let text = query(random);
        let query = Query::parse(&text).unwrap();
        let (mut results, mut filter) = LiveResults::new(&query);
        if random.once_in(4) {
            (results, filter) = LiveResults::again(&query);
        }
        Follower {
            text,
            query,
            results,
            filter,
            list: Vec::new(),
            fresh: true,
        }
    }

    fn apply(&mut self, delta: LiveDelta) {
        if delta.initial {
            self.list.clear();
        }
        for (step, _) in &delta.steps {
            if let Step::Removed { id, from } | Step::Moved { id, from, .. } = step {
                let there = self.list.iter().any(|(other, _)| other == id);
                assert!(there, "{}: {from} of {:?}", self.text, step);
                self.list.retain(|(other, _)| other != id);
            }
        }
        for (step, row) in delta.steps {
            match step {
                Step::Removed { .. } => {}
                Step::Added { id, index } | Step::Moved { id, index, .. } => {
                    self.list.insert(index, (id, row.unwrap()));
                }
                Step::Changed { id, index } => {
                    assert_eq!(self.list[index].0, id, "{}", self.text);
                    self.list[index].1 = row.unwrap();
                }
            }
        }
        assert_eq!(self.list.len(), delta.total, "{}", self.text);
    }

    /// Brings it up to date; whether there was anything to tell.
    fn follow(&mut self, peer: &mut Peer, changes: &[RowChange]) -> bool {
        let core = peer.core();
        let touched: BTreeSet<ObjectId> = changes
            .iter()
            .filter(|change| self.filter.concerns(change))
            .map(|change| change.new.id)
            .collect();
        let delta = match std::mem::take(&mut self.fresh) {
            true => Some(self.results.whole(core.reads()).unwrap()),
            false => self.results.update(core.reads(), &touched).unwrap(),
        };
        let told = delta.is_some();
        if let Some(delta) = delta {
            self.apply(delta);
        }
        let wanted = core.query_all(&self.query).unwrap();
        let ids = |rows: &[SeenRow<'_>]| rows.iter().map(|row| row.id).collect::<Vec<_>>();
        let found: Vec<SeenRow<'_>> = self.list.iter().map(|(_, row)| row.clone()).collect();
        assert_eq!(ids(&found), ids(&wanted), "{}", self.text);
        assert!(found == wanted, "{}", self.text);
        told
    }
}

/// A peer's rows as last seen, and who follows them.
#[derive(Default)]
struct Watch {
    rows: BTreeMap<ObjectId, Arc<ObjectRow>>,
    followers: Vec<Follower>,
}

impl Watch {
    fn look(&mut self, peer: &mut Peer) -> usize {
        let now = peer.core().everything().unwrap();
        let now: BTreeMap<_, _> = now.into_iter().map(|row| (row.id, Arc::new(row))).collect();
        let differs = |(id, row): &(&ObjectId, &Arc<ObjectRow>)| self.rows.get(id) != Some(row);
        let changes: Vec<RowChange> = now
            .iter()
            .filter(differs)
            .map(|(id, row)| RowChange {
                old: self.rows.get(id).cloned(),
                new: Arc::clone(row),
            })
            .collect();
        self.rows = now;
        let all = self.followers.iter_mut();
        all.map(|follower| usize::from(follower.follow(peer, &changes)))
            .sum()
    }
}

#[test]
fn sim_live_queries_follow() {
    let told = std::cell::Cell::new(0);
    seeds(12, |seed| {
        let plan = Plan {
            peers: 2,
            steps: 0,
            copies: 0,
            rewinds: false,
        };
        let mut world = World::new(seed.wrapping_add(3 << 32), plan);
        let mut random = Random(seed ^ 0x11fe);
        let mut watches = [Watch::default(), Watch::default()];
        for watch in &mut watches {
            watch.followers = (0..12).map(|_| Follower::new(&mut random)).collect();
        }
        for step in 0..300 {
            world.step();
            // Now and then several steps at once, as after an interval.
            if random.once_in(4) && step < 299 {
                continue;
            }
            for (watch, peer) in watches.iter_mut().zip(&mut world.peers) {
                if peer.core.is_some() {
                    told.set(told.get() + watch.look(peer));
                }
            }
        }
    });
    // The test means something only while there is something to tell.
    assert!(told.get() > 100, "{}", told.get());
}
