//! A deterministic simulation of whole peers: real spaces in real files, real replication, and a
//! scheduler that decides from a seed what happens next. A failing run names its seed; run it
//! again with `ECHODB_SIM_SEED=n`. `ECHODB_SIM_RUNS=n` runs more of them.

mod actions;
mod bounds;
mod copies;
mod denials;
mod from_now_on;
mod hostile;
mod keys;
mod link;
mod live;
mod operations;
mod peer;
mod random;
mod schema_budget;
mod schema_record;
mod schemas;
mod voids;
mod world;

use crate::model::{ErrorKind, ObjectId, Operation, Path, TextUnit, Value, limits};
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use world::{Plan, World};

/// Runs `work` for a range of seeds, or for the one that the environment names.
fn seeds(default: u64, work: impl Fn(u64)) {
    let number = |name| {
        std::env::var(name)
            .ok()
            .and_then(|text| text.parse::<u64>().ok())
    };
    let seeds = match number("ECHODB_SIM_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("ECHODB_SIM_RUNS").unwrap_or(default),
    };
    for seed in seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| work(seed))) {
            eprintln!("the run of seed {seed} failed: repeat it with ECHODB_SIM_SEED={seed}");
            resume_unwind(panic);
        }
    }
}

#[test]
fn sim_honest_peers_agree() {
    seeds(60, |seed| {
        let plan = Plan {
            peers: 2 + seed as usize % 4,
            steps: 60 + seed as usize % 5 * 60,
            copies: 0,
            rewinds: false,
        };
        World::run(seed, plan);
    });
}

#[test]
fn sim_peers_that_undo_restore_and_branch_agree() {
    seeds(60, |seed| {
        let plan = Plan {
            peers: 2 + seed as usize % 4,
            steps: 60 + seed as usize % 5 * 60,
            copies: seed as usize % 2,
            rewinds: true,
        };
        World::run(seed.wrapping_add(5 << 32), plan);
    });
}

#[test]
fn sim_many_members_agree() {
    seeds(6, |seed| {
        let plan = Plan {
            peers: 14,
            steps: 500,
            copies: 0,
            rewinds: false,
        };
        World::run(seed.wrapping_add(1 << 32), plan);
    });
}

#[test]
fn sim_copied_devices_lose_nothing() {
    seeds(60, |seed| {
        let plan = Plan {
            peers: 3 + seed as usize % 3,
            steps: 100 + seed as usize % 5 * 80,
            copies: 1 + seed as usize % 3,
            rewinds: false,
        };
        World::run(seed.wrapping_add(2 << 32), plan);
    });
}

#[test]
fn sim_typing_past_one_entry_is_written_without_waiting() {
    let folder = world::folder();
    let mut peer = peer::Peer::new(0, 1, folder.path());
    let space = peer.found();
    peer.remember(space);
    let core = peer.core();
    let object = ObjectId::from_parts(1, [0; 10]);
    let log = Path::parse("log").unwrap();
    let create = Operation::Create {
        object,
        type_name: None,
        fields: BTreeMap::from([("log".to_owned(), Value::Text(String::new()))]),
    };
    core.transact(&[create], None, None, 0).unwrap();
    let edit = |bytes: usize| Operation::Splice {
        object,
        path: log.clone(),
        position: 0,
        delete: 0,
        insert: "x".repeat(bytes),
        unit: TextUnit::CodePoint,
    };
    const HALF: usize = 128 * 1024;
    // More than one entry holds is no single edit.
    let refused = core.splice_text(edit(2 * HALF + 1), 0);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::LimitExceeded);
    assert!(!core.has_typing());
    assert!(core.splice_text(edit(HALF), 0).unwrap().is_none());
    // What would not fit beside it has to wait for the write.
    assert!(!core.typing_is_full(&edit(HALF)));
    assert!(core.typing_is_full(&edit(HALF + 1)));
    // What just fits fills the entry, which is written at once.
    let outcome = core.splice_text(edit(HALF), 0).unwrap();
    assert!(outcome.is_some_and(|outcome| outcome.entry.is_some()));
    assert!(!core.has_typing());
    assert!(core.splice_text(edit(1), 0).unwrap().is_none());
    // Killed before the rest was written: what filled the entry is there.
    peer.restart();
    let text = peer.core().text(object, &log).unwrap();
    assert_eq!(text.len(), 2 * HALF);
}

#[test]
fn sim_reading_many_objects_loses_no_typing() {
    let folder = world::folder();
    let mut peer = peer::Peer::new(0, 1, folder.path());
    let space = peer.found();
    peer.remember(space);
    let core = peer.core();
    let log = Path::parse("log").unwrap();
    let objects: Vec<ObjectId> = (1..=limits::LOADED_DOCUMENTS as u64 + 8)
        .map(|n| ObjectId::from_parts(n, [0; 10]))
        .collect();
    let create = |object: &ObjectId| Operation::Create {
        object: *object,
        type_name: None,
        fields: BTreeMap::from([("log".to_owned(), Value::Text(String::new()))]),
    };
    let all: Vec<_> = objects.iter().map(create).collect();
    core.transact(&all, None, None, 0).unwrap();
    let edit = Operation::Splice {
        object: objects[0],
        path: log.clone(),
        position: 0,
        delete: 0,
        insert: "typed".to_owned(),
        unit: TextUnit::CodePoint,
    };
    core.splice_text(edit, 0).unwrap();
    for object in &objects[1..] {
        core.text(*object, &log).unwrap();
    }
    core.commit_typing(0).unwrap();
    peer.restart();
    assert_eq!(peer.core().text(objects[0], &log).unwrap(), "typed");
}
