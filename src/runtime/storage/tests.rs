//! Tests over real files.

mod agreement;
mod indexes;
mod naive;
mod profile;
mod queries;
mod query_bounds;
mod recovery;
mod sealed;
mod sorting;
mod space;
mod words;
mod world;

use super::*;
use crate::feed::FeedKind;
use crate::model::{EntryId, FeedId, ObjectId};
use crate::query::{Cell, CompiledQuery};
use crate::space::{Commit, EntryStatus, NewEntry, NewFeed, ObjectRow, ObjectWrite, SeenRow};

/// A small generator whose runs can be repeated (splitmix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// The rows that a query finds.
fn found_by(
    store: &SpaceStore,
    query: &CompiledQuery,
) -> crate::model::Result<Vec<SeenRow<'static>>> {
    let mut rows = Vec::new();
    store.query(query, &mut |row| rows.push(row.into_owned()))?;
    Ok(rows)
}

/// The same, each with its keys.
fn keyed_by(
    store: &SpaceStore,
    query: &CompiledQuery,
) -> crate::model::Result<Vec<(SeenRow<'static>, Vec<Cell>)>> {
    let mut rows = Vec::new();
    store.query_keyed(query, &mut |row, keys| rows.push((row.into_owned(), keys)))?;
    Ok(rows)
}

const FEED: FeedId = FeedId([7; 16]);

fn entry_id(n: u64) -> EntryId {
    let mut id = [0; 32];
    id[..8].copy_from_slice(&n.to_be_bytes());
    EntryId(id)
}

fn object_id(n: u64) -> ObjectId {
    ObjectId::from_parts(n, [1; 10])
}

fn row(n: u64, data: &str) -> ObjectRow {
    ObjectRow {
        id: object_id(n),
        type_name: Some("Task".into()),
        parent: None,
        deleted: false,
        hidden: false,
        system: crate::model::SystemFields::default(),
        created_ms: n as i64,
        updated_ms: n as i64,
        heads: vec![[n as u8; 32]],
        data: data.into(),
        plain: None,
    }
}

/// Commits entry `seq` of [`FEED`], which writes `objects`.
fn commit(
    store: &mut SpaceStore,
    seq: u64,
    status: EntryStatus,
    objects: &[ObjectWrite<'_>],
) -> crate::model::Result<()> {
    store.commit(&Commit {
        feed: Some(NewFeed {
            id: FEED,
            header: b"header",
            kind: FeedKind::Data,
        }),
        entry: NewEntry {
            id: entry_id(seq),
            feed: FEED,
            seq,
            bytes: format!("entry {seq}").as_bytes(),
        },
        status,
        reason: (status == EntryStatus::Quarantined).then_some("bad change"),
        actors: &[(vec![1, 2, 3], FEED)],
        objects,
        meta: &[],
    })
}

/// How SQLite would run a query.
fn details(store: &SpaceStore, query: &crate::query::CompiledQuery) -> String {
    let steps = store.plan(query).unwrap().steps.into_iter();
    steps.map(|(_, _, step)| step + "; ").collect()
}

fn write<'a>(row: &'a ObjectRow, changes: &'a [Vec<u8>]) -> ObjectWrite<'a> {
    ObjectWrite {
        row,
        changes,
        breaches: None,
    }
}

/// Commits entry `seq`, which makes object `seq`.
fn make(store: &mut SpaceStore, seq: u64) {
    let changes = [format!("change {seq}").into_bytes()];
    let row = row(seq, r#"{"a":1}"#);
    let writes = [write(&row, &changes)];
    commit(store, seq, EntryStatus::Applied, &writes).unwrap();
}

/// `ECHODB_BLESS=1 cargo test golden` writes the file anew; do so only for a new version.
#[test]
fn golden_schemas_of_both_files() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/files.sql");
    let mut text = String::new();
    for shape in [&schema::SPACE, &schema::PROFILE] {
        let all = shape.schema.concat();
        let words: Vec<&str> = all.split_whitespace().collect();
        let statements = words.join(" ").replace("; ", ";\n");
        text += &format!(
            "-- {} application_id {:#x} version {}\n{statements}\n",
            shape.what, shape.application_id, shape.version
        );
    }
    if std::env::var_os("ECHODB_BLESS").is_some() {
        std::fs::write(path, &text).unwrap();
    }
    let golden = std::fs::read_to_string(path).unwrap();
    assert_eq!(text, golden, "the files changed: that takes a new version");
}
