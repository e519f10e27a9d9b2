//! A writer that changes items in every way there is, for the tests that kill it. It says what a
//! change will lead to before it makes it, and that it is made once the call returned: whoever
//! listens knows to the letter what is to be there after a kill.

use super::process::{Peer, say};
use super::random;
use echodb::{ObjectRecord, Space, TextUnit, Transaction};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The values of `n`, which has an index, are below this.
const NUMBERS: u64 = 10;
/// How many of the items that are there already a writer is told of.
const TOLD: usize = 40;

/// What an item holds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    deleted: bool,
    n: u64,
    /// A counter.
    count: i64,
    /// A text, which always has the word `object`.
    text: String,
    /// A reference.
    see: Option<String>,
    tags: BTreeSet<String>,
}

/// Items by their ids.
pub type Items = BTreeMap<String, Item>;

/// One change, by what it leads to.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Change {
    /// A transaction: all of these items are so afterwards, or all as they were.
    Transaction(Items),
    /// Typing into one item's text, stroke by stroke: it ends as after one of them, or as it was.
    Typing { id: String, texts: Vec<String> },
}

/// What the writer reports.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Report {
    Begun(Change),
    Done,
}

impl Item {
    fn of(record: &ObjectRecord) -> Item {
        let fields: Value = serde_json::from_str(&record.fields).unwrap();
        let see = fields["see"]["@ref"].as_str();
        Item {
            deleted: record.deleted,
            n: fields["n"].as_u64().unwrap(),
            count: fields["count"]["@counter"].as_i64().unwrap(),
            text: fields["text"]["@text"].as_str().unwrap().to_owned(),
            see: see.map(|id| id.trim_start_matches("echo:").to_owned()),
            tags: record.tags.iter().cloned().collect(),
        }
    }
}

/// Writes in a process that is to be killed.
pub struct Writer {
    space: std::sync::Arc<Space>,
    items: Items,
    state: u64,
}

impl Writer {
    /// `request` has a `seed`, and some `items` that are there.
    pub fn new(space: std::sync::Arc<Space>, request: &Value) -> Writer {
        Writer {
            space,
            items: serde_json::from_value(request["items"].clone()).unwrap(),
            state: request["seed"].as_u64().unwrap(),
        }
    }

    fn below(&mut self, end: u64) -> u64 {
        random(&mut self.state, end)
    }

    /// Changes items without end.
    pub fn run(mut self) {
        loop {
            let typing = self.below(3) == 0;
            if !(typing && self.types_in()) {
                self.transacts();
            }
        }
    }

    /// An item that is there.
    fn any(&mut self) -> Option<String> {
        let there = self.items.iter().filter(|(_, item)| !item.deleted);
        let there: Vec<String> = there.map(|(id, _)| id.clone()).collect();
        let n = self.below(there.len().max(1) as u64) as usize;
        there.into_iter().nth(n)
    }

    /// One transaction of 1 to 10 steps.
    fn transacts(&mut self) {
        let tx = self.space.transaction();
        let mut touched = Items::new();
        for _ in 0..=self.below(10) {
            let (id, item) = match self.below(3) {
                0 => self.creates(&tx),
                _ => match self.changes(&tx, &touched) {
                    Some(changed) => changed,
                    None => self.creates(&tx),
                },
            };
            touched.insert(id, item);
        }
        report(&Report::Begun(Change::Transaction(touched.clone())));
        tx.commit().unwrap();
        report(&Report::Done);
        self.items.extend(touched);
    }

    fn creates(&mut self, tx: &Transaction) -> (String, Item) {
        let see = self.any();
        let item = Item {
            n: self.below(NUMBERS),
            count: self.below(100) as i64,
            text: format!("object {}", self.below(1000)),
            see,
            ..Item::default()
        };
        let mut fields =
            json!({"n": item.n, "count": {"@counter": item.count}, "text": {"@text": item.text}});
        if let Some(see) = &item.see {
            fields["see"] = json!({"@ref": see});
        }
        let id = tx.create(Some("Item".into()), fields.to_string()).unwrap();
        (id, item)
    }

    /// Changes an item that this transaction has not `touched`, if there is one.
    fn changes(&mut self, tx: &Transaction, touched: &Items) -> Option<(String, Item)> {
        let free = self.items.keys().filter(|id| !touched.contains_key(*id));
        let free: Vec<String> = free.cloned().collect();
        let n = self.below(free.len().max(1) as u64) as usize;
        let id = free.into_iter().nth(n)?;
        let mut item = self.items[&id].clone();
        if item.deleted {
            tx.restore(id.clone()).unwrap();
            item.deleted = false;
            return Some((id, item));
        }
        match self.below(6) {
            0 => {
                tx.delete(id.clone()).unwrap();
                item.deleted = true;
            }
            1 => {
                let tag = format!("tag {}", self.below(3));
                if item.tags.remove(&tag) {
                    tx.untag(id.clone(), tag).unwrap();
                } else {
                    tx.tag(id.clone(), tag.clone()).unwrap();
                    item.tags.insert(tag);
                }
            }
            2 => {
                let by = self.below(9) as i64 - 4;
                tx.increment(id.clone(), "count".into(), by).unwrap();
                item.count += by;
            }
            3 => {
                let end = item.text.len() as u64;
                let (id, text) = (id.clone(), " and more".to_owned());
                tx.splice_text(id, "text".into(), end, 0, text, TextUnit::Utf8)
                    .unwrap();
                item.text.push_str(" and more");
            }
            4 => match (item.see.take(), self.any()) {
                (None, Some(other)) => {
                    let fields = json!({"see": {"@ref": other}});
                    tx.update(id.clone(), fields.to_string()).unwrap();
                    item.see = Some(other);
                }
                (Some(_), _) => tx.remove(id.clone(), "see".into()).unwrap(),
                (None, None) => {}
            },
            _ => {
                item.n = self.below(NUMBERS);
                let fields = json!({"n": item.n});
                tx.update(id.clone(), fields.to_string()).unwrap();
            }
        }
        Some((id, item))
    }

    /// Types at the end of a text and flushes; whether there was one.
    fn types_in(&mut self) -> bool {
        let Some(id) = self.any() else {
            return false;
        };
        let mut text = self.items[&id].text.clone();
        let typed_from = text.len();
        let mut texts = Vec::new();
        for stroke in 0..=self.below(30) {
            match stroke % 7 == 6 && text.len() > typed_from {
                true => drop(text.pop()),
                false => text.push(char::from(b'a' + self.below(26) as u8)),
            }
            texts.push(text.clone());
        }
        // Slowly enough, sometimes, that a part becomes an entry before the rest is typed.
        let pause = Duration::from_micros(self.below(3) * 1_000);
        let (mut before, begun) = (self.items[&id].text.clone(), texts.clone());
        report(&Report::Begun(Change::Typing {
            id: id.clone(),
            texts: begun,
        }));
        for text in texts {
            let common = before.len().min(text.len());
            let (delete, insert) = (before.len() - common, text[common..].to_owned());
            let (id, at) = (id.clone(), common as u64);
            self.space
                .splice_text(id, "text".into(), at, delete as u64, insert, TextUnit::Utf8)
                .unwrap();
            std::thread::sleep(pause);
            before = text;
        }
        self.space.flush().unwrap();
        report(&Report::Done);
        self.items.entry(id).or_default().text = before;
        true
    }
}

fn report(report: &Report) {
    say(&json!({"report": report}));
}

/// The items of these ids, or all if there are none.
pub fn read(space: &Space, ids: Option<Vec<String>>) -> echodb::Result<Value> {
    let records = match ids {
        Some(ids) => {
            let records = ids.into_iter().map(|id| space.get(id));
            let records = records.collect::<echodb::Result<Vec<_>>>()?;
            records.into_iter().flatten().collect()
        }
        None => {
            let all =
                json!({"and": [{"type": "Item"}, {"or": [{"deleted": true}, {"deleted": false}]}]});
            space.query(all.to_string())?
        }
    };
    let items = records.iter().map(|record| (&record.id, Item::of(record)));
    Ok(json!(items.collect::<BTreeMap<_, _>>()))
}

/// Whether the field's index, the index of words, the tags and the rows tell of the same items.
pub fn agree(space: &Space) -> echodb::Result<Value> {
    let rows = space.query(r#"{"type": "Item"}"#.into())?;
    let items: Vec<(&str, Item)> = rows
        .iter()
        .map(|row| (row.id.as_str(), Item::of(row)))
        .collect();
    let mut differing = Vec::new();
    let mut compare = |query: Value, fits: &dyn Fn(&Item) -> bool| -> echodb::Result<()> {
        let found = space.query(json!({"and": [{"type": "Item"}, query]}).to_string())?;
        let found: Vec<&str> = found.iter().map(|row| row.id.as_str()).collect();
        let expected = items.iter().filter(|(_, item)| fits(item));
        let expected: Vec<&str> = expected.map(|(id, _)| *id).collect();
        if found != expected {
            differing.push(json!({"query": query, "found": found, "expected": expected}));
        }
        Ok(())
    };
    for n in 0..NUMBERS {
        compare(json!({"field": "n", "op": "eq", "value": n}), &|item| {
            item.n == n
        })?;
    }
    for n in 0..3 {
        let tag = format!("tag {n}");
        compare(json!({"tag": tag}), &|item| item.tags.contains(&tag))?;
    }
    compare(json!({"search": "object"}), &|_| true)?;
    compare(json!({"search": "more"}), &|item| {
        item.text.split(' ').any(|word| word == "more")
    })?;
    Ok(json!({"differing": differing}))
}

/// What is to be there after all that a writer has reported.
#[derive(Default)]
pub struct Expected {
    items: Items,
    /// Changes that were reported as made.
    pub done: usize,
    /// Of those in the middle of which the writer was killed: how many were found to be made,
    /// wholly or, if typed, in part.
    pub kept: usize,
    /// And how many were not.
    pub lost: usize,
}

impl Expected {
    /// Some items for a writer to begin with.
    pub fn some(&self, state: &mut u64) -> Items {
        let skipped = random(state, 1 + self.items.len().saturating_sub(TOLD) as u64);
        let some = self.items.iter().skip(skipped as usize).take(TOLD);
        some.map(|(id, item)| (id.clone(), item.clone())).collect()
    }

    /// Takes over what a killed writer has reported, and asserts that the profile has all of it:
    /// every item as it was last said to be, and what the writer was in the middle of whole or not
    /// at all.
    pub fn after(&mut self, reports: Vec<Value>, peer: &mut Peer, space: &str, what: &str) {
        let mut touched = BTreeSet::new();
        let mut begun = None;
        for report in reports {
            match serde_json::from_value(report).unwrap() {
                Report::Begun(change) => {
                    touched.extend(change.ids());
                    begun = Some(change);
                }
                Report::Done => {
                    let change = begun.take().expect("it has begun what it has done");
                    self.items
                        .extend(change.outcomes(&self.items).pop().unwrap());
                    self.done += 1;
                }
            }
        }
        let asked = json!({"do": "items", "space": space, "ids": touched});
        let found: Items = serde_json::from_value(peer.ask(asked)["items"].clone()).unwrap();
        if let Some(change) = begun {
            // Two outcomes may be the same, as when nothing was to change: then either will do.
            let is = |outcome: &Items| {
                let held = outcome.iter().all(|(id, item)| found.get(id) == Some(item));
                held.then(|| outcome.clone())
            };
            match change.outcomes(&self.items).iter().find_map(is) {
                Some(outcome) => {
                    self.items.extend(outcome);
                    self.kept += 1;
                }
                None => self.lost += 1,
            }
        }
        let known = |id: &String| Some((id.clone(), self.items.get(id)?.clone()));
        let expected: Items = touched.iter().filter_map(known).collect();
        are_equal(&found, &expected, what);
    }

    /// Asserts that the profile has these items and no other, that everything derived from them
    /// agrees, and that a full check finds nothing.
    pub fn is_all(&self, peer: &mut Peer, space: &str, what: &str) {
        let found = peer.ask(json!({"do": "items", "space": space}));
        let found: Items = serde_json::from_value(found["items"].clone()).unwrap();
        are_equal(&found, &self.items, what);
        let agreed = peer.ask(json!({"do": "agree", "space": space}));
        assert_eq!(agreed["differing"], json!([]), "{what}");
        let checked = peer.ask(json!({"do": "check", "space": space}));
        assert_eq!(checked["findings"], json!([]), "{what}");
    }

    /// How many items there are, deleted ones included.
    pub fn count(&self) -> usize {
        self.items.len()
    }
}

fn are_equal(found: &Items, expected: &Items, what: &str) {
    let ids: BTreeSet<&String> = found.keys().chain(expected.keys()).collect();
    let differing: Vec<_> = ids
        .into_iter()
        .map(|id| (id, found.get(id), expected.get(id)))
        .filter(|(_, found, expected)| found != expected)
        .collect();
    assert!(
        differing.is_empty(),
        "{what}: id, found, expected: {differing:#?}"
    );
}

impl Change {
    fn ids(&self) -> Vec<String> {
        match self {
            Change::Transaction(items) => items.keys().cloned().collect(),
            Change::Typing { id, .. } => vec![id.clone()],
        }
    }

    /// What it may lead to, other than to nothing: the last when it is made to its end.
    fn outcomes(&self, before: &Items) -> Vec<Items> {
        match self {
            Change::Transaction(items) => vec![items.clone()],
            Change::Typing { id, texts } => {
                let with = |text: &String| {
                    let mut item = before[id].clone();
                    item.text.clone_from(text);
                    Items::from([(id.clone(), item)])
                };
                texts.iter().map(with).collect()
            }
        }
    }
}
