//! Undo and redo of one's own changes, alone and among others.

use super::*;
use crate::model::Expand;
use crate::objects::{Left, Twins, guard};
use std::collections::BTreeSet;

/// One writer with what it can undo.
struct Writer {
    document: Document,
    actor: u8,
    twins: Twins,
    undo: Vec<Vec<[u8; 32]>>,
    redo: Vec<Vec<[u8; 32]>>,
}

impl Writer {
    fn new(actor: u8, document: Document) -> Writer {
        Writer {
            document,
            actor,
            twins: Twins::default(),
            undo: Vec::new(),
            redo: Vec::new(),
        }
    }

    fn hashes(changes: &[Vec<u8>]) -> Vec<[u8; 32]> {
        changes
            .iter()
            .map(|c| guard::scan(c).unwrap().hash)
            .collect()
    }

    /// A step of its own; nothing if the operations do not fit.
    fn step(&mut self, ops: &[Operation]) -> Vec<Vec<u8>> {
        if ops.iter().any(|op| self.document.apply(op).is_err()) {
            self.document.rollback();
            return Vec::new();
        }
        let changes = self.document.commit(1, None).unwrap();
        if !changes.is_empty() {
            self.undo.push(Self::hashes(&changes));
            self.redo.clear();
        }
        changes
    }

    fn revert(&mut self, step: &[[u8; 32]]) -> (Vec<Vec<u8>>, Vec<Left>) {
        let actor = self.actor;
        let own = |other: &[u8]| other.ends_with(&[actor; 16]);
        let left = self.document.revert(step, &own, &mut self.twins).unwrap();
        (self.document.commit(1, None).unwrap(), left)
    }

    fn undo(&mut self) -> Option<(Vec<Vec<u8>>, Vec<Left>)> {
        let step = self.undo.pop()?;
        let (changes, left) = self.revert(&step);
        self.redo.push(Self::hashes(&changes));
        Some((changes, left))
    }

    fn redo(&mut self) -> Option<(Vec<Vec<u8>>, Vec<Left>)> {
        let step = self.redo.pop()?;
        let (changes, left) = self.revert(&step);
        self.undo.push(Self::hashes(&changes));
        Some((changes, left))
    }

    /// Everything that can be seen: fields, system part, marks.
    fn seen(&mut self) -> String {
        let mut seen = self.document.project();
        seen.heads.clear();
        let marks = ["t", "/m/t"].map(|at| {
            let marks = self.document.marks(&path(at), TextUnit::CodePoint);
            marks.map_or_else(|_| Vec::new(), per_character)
        });
        format!("{seen:?} {marks:?}")
    }
}

/// Marks of each character: that two stretches meet or are one is no difference.
fn per_character(marks: Vec<crate::objects::TextMark>) -> Vec<(usize, String, String)> {
    let mut all: Vec<_> = marks
        .iter()
        .flat_map(|m| (m.start..m.end).map(|i| (i, m.name.clone(), format!("{:?}", m.value))))
        .collect();
    all.sort();
    all
}

const START: &str = r#"{"s":"start","n":1,"c":{"@counter":5},"t":{"@text":"the quick brown fox"},
    "l":[1,"two",{"k":3},[4,5]],"m":{"a":1,"t":{"@text":"inner"},"l":[10,20]}}"#;

struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n as u64) as usize
    }
}

/// What is written into texts: of the first writer some letters, of the other one character, which
/// no edit can cut.
fn characters(token: &str) -> String {
    let number = token
        .strip_prefix('B')
        .and_then(|rest| rest.split('-').next());
    match number.and_then(|number| number.parse::<u32>().ok()) {
        Some(number) => char::from_u32(0x4e00 + number).unwrap().to_string(),
        None => format!("<{token}>"),
    }
}

fn length(document: &mut Document, at: &str) -> usize {
    match document.value_at(&path(at)) {
        Ok(Value::Text(text)) => text.chars().count(),
        Ok(Value::List(items)) => items.len(),
        _ => 0,
    }
}

/// A random operation; what it writes of its own carries `token`.
fn random_op(random: &mut Random, document: &mut Document, token: &str) -> Operation {
    let object = OBJECT;
    let texts = ["t", "/m/t"];
    let lists = ["l", "/m/l"];
    let text = texts[random.below(2)];
    let list = lists[random.below(2)];
    let (text_len, list_len) = (length(document, text), length(document, list));
    let at = |list: &str, index: usize| match list.strip_prefix('/') {
        Some(rest) => format!("/{rest}/{index}"),
        None => format!("/{list}/{index}"),
    };
    let index = random.below(list_len + 1);
    match random.below(19) {
        0 | 1 => set("s", &format!("\"{token}\"")),
        2 => set("n", &format!("\"{token}\"")),
        3 => remove(["s", "n", "x"][random.below(3)]),
        4 => set("x", &format!("{{\"deep\":[\"{token}\"]}}")),
        5 => increment("c", if token.starts_with('B') { 1 } else { 1000 }),
        6..=8 => {
            let from = random.below(text_len + 1);
            let delete = random.below((text_len - from).min(4) + 1);
            splice(text, from, delete, &characters(token))
        }
        9 => {
            let from = random.below(text_len + 1);
            splice(text, from, random.below(text_len - from + 1), "")
        }
        10 | 11 => insert(&at(list, index), &format!("\"{token}\"")),
        12 => remove(&at(list, index)),
        13 => set(&at(list, index), &format!("{{\"v\":\"{token}\"}}")),
        14 => Operation::Move {
            object,
            path: path(&at(list, index)),
            to: random.below(list_len.max(1)),
        },
        15 => set("/m/a", &format!("\"{token}\"")),
        16 => Operation::Tag {
            object,
            tag: ["red", "blue"][random.below(2)].into(),
            on: random.below(2) == 0,
        },
        17 => {
            let start = random.below(text_len.max(1));
            Operation::Mark {
                object,
                path: path(text),
                start,
                end: start + 1 + random.below((text_len.saturating_sub(start)).max(1)),
                unit: TextUnit::CodePoint,
                name: ["bold", "link"][random.below(2)].into(),
                value: [Value::Bool(true), Value::Null][random.below(2)].clone(),
                expand: Expand::After,
            }
        }
        _ => match random.below(3) {
            0 => {
                let text = characters(token);
                set(
                    "m",
                    &format!(r#"{{"a":"{token}","t":{{"@text":"{text}"}},"l":[]}}"#),
                )
            }
            1 => remove("m"),
            _ => set("t", &format!("{{\"@text\":\"{}\"}}", characters(token))),
        },
    }
}

#[test]
fn alone_undoing_all_leads_back_to_the_start_and_redoing_to_the_end() {
    for seed in 1..=150u64 {
        let mut random = Random(seed * 7919);
        let (document, _) = document(1, START);
        let mut writer = Writer::new(1, document);
        let mut states = vec![writer.seen()];
        for number in 0..12 {
            let ops: Vec<Operation> = (0..1 + random.below(3))
                .map(|part| {
                    random_op(
                        &mut random,
                        &mut writer.document,
                        &format!("A{number}-{part}"),
                    )
                })
                .collect();
            if !writer.step(&ops).is_empty() {
                states.push(writer.seen());
            }
        }
        for round in 0..2 {
            for state in states.iter().rev().skip(1) {
                let (_, left) = writer.undo().unwrap();
                assert_eq!(left, [], "seed {seed} round {round}");
                assert_eq!(writer.seen(), *state, "seed {seed} round {round}");
            }
            assert!(writer.undo().is_none());
            for state in states.iter().skip(1) {
                let (_, left) = writer.redo().unwrap();
                assert_eq!(left, [], "seed {seed} round {round}");
                assert_eq!(writer.seen(), *state, "seed {seed} round {round}");
            }
        }
        // What undo wrote is as good as any other change.
        let bytes = writer.document.save().unwrap();
        Document::load([9; 16], Some(&bytes), &[]).unwrap();
    }
}

/// The tokens that another writer's values carry, wherever they can be seen.
fn tokens(document: &mut Document, of: char) -> BTreeSet<String> {
    let shown = shown(document);
    let words = shown.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let tokens = words.filter(|word| word.starts_with(of) && word.contains('-'));
    let characters = shown.chars().filter(|c| *c >= '\u{4e00}');
    tokens
        .map(str::to_owned)
        .chain(characters.map(String::from))
        .collect()
}

fn ones(document: &mut Document) -> Option<i64> {
    match document.value_at(&path("c")) {
        Ok(Value::Counter(n)) => Some(n % 1000),
        _ => None,
    }
}

#[test]
fn among_others_nothing_that_another_wrote_and_that_stood_is_lost() {
    let mut undone = 0;
    for seed in 1..=150u64 {
        let mut random = Random(seed * 104_729);
        let (document, first) = document(1, START);
        let mut a = Writer::new(1, document);
        let mut b = Writer::new(2, copy(2, &first));
        // Changes that the other has not got yet.
        let (mut to_b, mut to_a): (Vec<Vec<u8>>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for number in 0..40 {
            match random.below(8) {
                0..=2 => {
                    let op = random_op(&mut random, &mut a.document, &format!("A{number}-x"));
                    to_b.extend(a.step(&[op]));
                }
                3 | 4 => {
                    let op = random_op(&mut random, &mut b.document, &format!("B{number}-x"));
                    to_a.extend(b.step(&[op]));
                }
                5 => {
                    a.document.apply_remote(&std::mem::take(&mut to_a)).unwrap();
                    b.document.apply_remote(&std::mem::take(&mut to_b)).unwrap();
                }
                6 => {
                    let (before, count) = (tokens(&mut a.document, 'B'), ones(&mut a.document));
                    let Some((changes, left)) = a.undo() else {
                        continue;
                    };
                    let after = tokens(&mut a.document, 'B');
                    assert!(
                        before.is_subset(&after),
                        "seed {seed} step {number}: {before:?} {after:?} {left:?}"
                    );
                    assert_eq!(ones(&mut a.document), count, "seed {seed}");
                    undone += usize::from(!changes.is_empty());
                    to_b.extend(changes);
                }
                _ => {
                    if let Some((changes, _)) = a.redo() {
                        to_b.extend(changes);
                    }
                }
            }
        }
        a.document.apply_remote(&to_a).unwrap();
        b.document.apply_remote(&to_b).unwrap();
        same(&mut a.document, &mut b.document);
    }
    assert!(undone > 300, "the test undid only {undone} steps");
}

#[test]
fn what_somebody_else_has_changed_since_is_left_alone() {
    let (document, first) = document(1, START);
    let mut a = Writer::new(1, document);
    let step = a.step(&[
        set("s", "\"mine\""),
        set("n", "7"),
        increment("c", 10),
        splice("t", 4, 5, "slow"),
        remove("x"),
    ]);
    assert!(step.is_empty(), "removing what is not there fails the step");
    let step = a.step(&[
        set("s", "\"mine\""),
        set("n", "7"),
        increment("c", 10),
        splice("t", 4, 5, "slow"),
    ]);
    let mut b = copy(2, &first);
    b.apply_remote(&step).unwrap();
    let theirs = change(
        &mut b,
        &[
            set("s", "\"theirs\""),
            increment("c", 1),
            splice("t", 6, 0, "B"),
        ],
    );
    a.document.apply_remote(&theirs).unwrap();
    let (_, left) = a.undo().unwrap();
    let found = shown(&mut a.document);
    for part in [
        r#""s":"theirs""#,
        r#""n":1"#,
        r#"{"@counter":6}"#,
        "the Bquick brown fox",
    ] {
        assert!(found.contains(part), "{part} in {found}");
    }
    assert_eq!(left.len(), 1, "{left:?}");
    assert_eq!(
        (left[0].path.as_str(), left[0].reason),
        ("/s", super::super::undo::CHANGED)
    );
    a.redo().unwrap();
    let found = shown(&mut a.document);
    assert!(
        found.contains(r#""n":7"#) && found.contains(r#"{"@counter":16}"#),
        "{found}"
    );
    assert!(found.contains(r#""s":"theirs""#), "{found}");
}

#[test]
fn a_made_object_is_deleted_unless_somebody_has_worked_in_it() {
    for others in [false, true] {
        let (document, first) = document(1, START);
        let mut a = Writer::new(1, document);
        a.undo.push(Writer::hashes(&first));
        if others {
            let mut b = copy(2, &first);
            a.document
                .apply_remote(&change(&mut b, &[set("z", "1")]))
                .unwrap();
        }
        let (_, left) = a.undo().unwrap();
        assert_eq!(a.document.project().deleted, !others);
        assert_eq!(left.len(), usize::from(others));
        a.redo().unwrap();
        assert!(!a.document.project().deleted);
    }
}

#[test]
fn a_deletion_that_two_made_is_not_undone_by_one() {
    let (document, first) = document(1, START);
    let mut a = Writer::new(1, document);
    let mut b = copy(2, &first);
    let both = [splice("t", 0, 4, ""), remove("n"), remove("/l/0")];
    a.step(&both);
    a.document.apply_remote(&change(&mut b, &both)).unwrap();
    let before = a.seen();
    let (_, left) = a.undo().unwrap();
    assert_eq!(a.seen(), before);
    assert_eq!(left.len(), 3, "{left:?}");
}
