//! Random local work: transactions, typing, earlier versions, undoing and branches.

use super::operations::{create, operation, path, upsert, word};
use super::peer::Peer;
use super::random::Random;
use crate::model::{EntryId, Error, ErrorKind, ObjectId, Operation, Role, TextUnit, Value};
use crate::space::branches;
use std::collections::BTreeMap;

/// What the whole run wrote and must find again.
#[derive(Default)]
pub struct Ledger {
    next: i64,
    /// Fields that were set once and never again.
    pub marks: Vec<(ObjectId, String, i64)>,
    /// Characters that were put into texts from which nothing is deleted, once acknowledged.
    pub inserted: BTreeMap<ObjectId, usize>,
}

/// Does something at a peer that may write.
pub fn act(peer: &mut Peer, random: &mut Random, ledger: &mut Ledger, time: u64) {
    let core = peer.core();
    let role = core.own_role();
    if role < Some(Role::Editor) {
        let refused = core
            .transact(&[create(ObjectId([1; 16]), random)], None, None, 0)
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        return;
    }
    let now = peer.now(time);
    match random.below(10) {
        0 | 1 => add(peer, random, now),
        2 => mark(peer, random, ledger, now),
        3 => past(peer, random, now),
        4 | 5 => typing(peer, random, ledger, now),
        6 => settle(peer, now),
        _ => change(peer, random, now),
    }
}

/// A peer's turn: does something at one that may write, and hands out the entries that it wrote.
pub fn turn(peer: &mut Peer, random: &mut Random, time: u64) -> Vec<EntryId> {
    let before = peer.written.len();
    if peer.core().own_role() >= Some(Role::Editor) {
        act(peer, random, &mut Ledger::default(), time);
    }
    peer.written[before..].to_vec()
}

/// Writes what was typed.
pub fn settle(peer: &mut Peer, now: u64) {
    if peer.core.is_some() {
        let outcome = peer.core().commit_typing(now).unwrap();
        peer.acknowledge(outcome);
    }
}

fn objects(peer: &mut Peer) -> Vec<ObjectId> {
    let rows = peer.core().everything().unwrap();
    rows.into_iter().map(|row| row.id).collect()
}

/// Refusals that a random operation may meet; anything else is a defect.
fn tolerate(error: &Error) {
    use ErrorKind::{AlreadyExists, InvalidArgument, NotFound};
    let fine = [AlreadyExists, InvalidArgument, NotFound];
    assert!(fine.contains(&error.kind()), "{error:?}");
}

fn write(peer: &mut Peer, operations: &[Operation], heads: Option<&[[u8; 32]]>, now: u64) -> bool {
    settle(peer, now);
    match peer.core().transact(operations, heads, None, now) {
        Ok(outcome) => {
            peer.acknowledge(Some(outcome));
            true
        }
        Err(error) => {
            tolerate(&error);
            false
        }
    }
}

fn add(peer: &mut Peer, random: &mut Random, now: u64) {
    // Now and then the same id from several peers.
    let object = match random.once_in(8) {
        true => ObjectId([random.below(3) as u8 + 1; 16]),
        false => peer.core().new_object_id(now),
    };
    let space = peer.core().id();
    let operations = match random.once_in(5) {
        true => [upsert(&space, random)],
        false => [create(object, random)],
    };
    write(peer, &operations, None, now);
}

/// Takes something back, or makes and merges branches: what was written before may be gone after it.
pub fn rewind(peer: &mut Peer, random: &mut Random, time: u64) {
    if peer.core().own_role() < Some(Role::Editor) {
        return;
    }
    let now = peer.now(time);
    settle(peer, now);
    let all = objects(peer);
    if all.is_empty() {
        return;
    }
    let object = *random.pick(&all);
    let core = peer.core();
    let done = match random.below(6) {
        0 | 1 => core.undo(now).map(|done| done.map(|(outcome, _)| outcome)),
        2 => core.redo(now).map(|done| done.map(|(outcome, _)| outcome)),
        3 => {
            let history = core.read_document(object, |document| document.history(&[]));
            let heads = [random.pick(&history.unwrap()).hash];
            core.restore_version(object, &heads, now).map(Some)
        }
        4 => {
            let id = core.new_object_id(now);
            let name = format!("branch {}", random.below(3));
            core.branch(object, id, name, now).map(Some)
        }
        _ => match branches(core.reads(), object).unwrap().first() {
            Some((row, _)) => core.merge_branch(row.id, now).map(Some),
            None => Ok(None),
        },
    };
    match done {
        Ok(outcome) => peer.acknowledge(outcome),
        Err(error) => tolerate(&error),
    }
}

fn mark(peer: &mut Peer, random: &mut Random, ledger: &mut Ledger, now: u64) {
    let all = objects(peer);
    if all.is_empty() {
        return;
    }
    let mut operations = Vec::new();
    let mut marks = Vec::new();
    for _ in 0..=random.below(3) {
        let object = *random.pick(&all);
        ledger.next += 1;
        let name = format!("mark{}", ledger.next);
        let fields = BTreeMap::from([(name.clone(), Value::Int(ledger.next))]);
        operations.push(Operation::Update { object, fields });
        marks.push((object, name, ledger.next));
    }
    if write(peer, &operations, None, now) {
        ledger.marks.extend(marks);
    }
}

fn past(peer: &mut Peer, random: &mut Random, now: u64) {
    let all = objects(peer);
    if all.is_empty() {
        return;
    }
    let object = *random.pick(&all);
    settle(peer, now);
    let history = peer
        .core()
        .read_document(object, |document| document.history(&[]))
        .unwrap();
    let mut heads = vec![random.pick(&history).hash];
    if random.once_in(3) {
        heads.push(random.pick(&history).hash);
        heads.sort_unstable();
        heads.dedup();
    }
    let operations = [operation(object, random), operation(object, random)];
    write(peer, &operations, Some(&heads), now);
}

fn typing(peer: &mut Peer, random: &mut Random, ledger: &mut Ledger, now: u64) {
    let all = objects(peer);
    if all.is_empty() {
        return;
    }
    let object = *random.pick(&all);
    let log = random.once_in(2);
    let field = if log { "log" } else { "body" };
    for _ in 0..=random.below(4) {
        let Ok(text) = peer.core().text(object, &path(field)) else {
            return;
        };
        let insert = word(random);
        let unit = *random.pick(&[TextUnit::Utf8, TextUnit::Utf16, TextUnit::CodePoint]);
        let chars: Vec<char> = text.chars().collect();
        let from = random.below(chars.len() + 1);
        let to = if log {
            from
        } else {
            from + random.below(chars.len() - from + 1)
        };
        let length = |part: &[char]| unit.len(&part.iter().collect::<String>());
        let edit = Operation::Splice {
            object,
            path: path(field),
            position: length(&chars[..from]),
            delete: length(&chars[from..to]),
            insert: insert.clone(),
            unit,
        };
        let outcome = peer.core().splice_text(edit, now).unwrap();
        peer.acknowledge(outcome);
        if log {
            *ledger.inserted.entry(object).or_default() += insert.chars().count();
        }
    }
    // Nothing restarts between: what was typed into a log is counted, so it must be written.
    if log {
        settle(peer, now);
    }
}

fn change(peer: &mut Peer, random: &mut Random, now: u64) {
    let all = objects(peer);
    if all.is_empty() {
        return;
    }
    let operations: Vec<_> = (0..=random.below(4))
        .map(|_| operation(*random.pick(&all), random))
        .collect();
    write(peer, &operations, None, now);
}
