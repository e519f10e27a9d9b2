//! Bounds on Automerge changes, checked before Automerge sees them. A valid change of 57 bytes can
//! say that it holds ten million operations, and the decoder believes it; a compressed one can
//! inflate a thousandfold. So a change is read here first, in one pass and without allocation:
//! <https://automerge.org/automerge-binary-format-spec/> has the format.

mod column;
mod file;
mod reader;

use super::{Quarantine, QuarantineCode};
use crate::model::limits::{CHANGE_ROWS, ENTRY_ACTORS, ENTRY_MARKS, ENTRY_ROWS};
use column::{Column, Rows};
pub use file::scan_file;
use reader::{Reader, malformed};
use std::collections::BTreeSet;

/// What every chunk starts with.
const MAGIC: [u8; 4] = [0x85, 0x6f, 0x4a, 0x83];
/// The chunk type of a plain change.
const PLAIN_CHANGE: u8 = 1;
/// Actor ids are 16 random bytes; concurrent branches of one writer put a few in front.
const ACTOR_BYTES: usize = 64;

/// What can be said about a change without decoding its operations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSummary {
    /// Its name: the SHA-256 of its contents.
    pub hash: [u8; 32],
    /// Who made it.
    pub actor: Vec<u8>,
    /// Its place among its actor's changes, from 1.
    pub seq: u64,
    /// The changes it builds on, ascending.
    pub deps: Vec<[u8; 32]>,
    /// Rows of its longest column: the number of operations, or of predecessors if those are more.
    pub rows: u64,
    /// How many of its operations begin or end a formatted stretch of text. Automerge does not check
    /// the order of such operations when it applies them, only when it loads a saved document.
    pub marks: u64,
}

/// The rows and marks of all changes of one entry so far.
#[derive(Clone, Debug, Default)]
pub struct EntryTotal {
    rows: u64,
    marks: u64,
}

impl EntryTotal {
    /// Counts one more change; refuses past [`ENTRY_ROWS`] and [`ENTRY_MARKS`].
    pub fn add(&mut self, change: &ChangeSummary) -> Result<(), Quarantine> {
        self.rows = self.rows.saturating_add(change.rows);
        if self.rows > ENTRY_ROWS {
            return Err(Quarantine::new(
                QuarantineCode::EntryRows,
                format!(
                    "an entry may hold {ENTRY_ROWS} rows, this one holds at least {}",
                    self.rows
                ),
            ));
        }
        self.marks = self.marks.saturating_add(change.marks);
        if self.marks > ENTRY_MARKS {
            return Err(Quarantine::new(
                QuarantineCode::EntryMarks,
                format!(
                    "an entry may begin and end marks {ENTRY_MARKS} times, this one does so {} \
                     times at least",
                    self.marks
                ),
            ));
        }
        Ok(())
    }
}

/// Who changes one object in one entry.
#[derive(Clone, Debug, Default)]
pub struct ObjectActors(BTreeSet<Vec<u8>>);

impl ObjectActors {
    /// Counts the writer of one more change; refuses past [`ENTRY_ACTORS`]. Each is entered in the
    /// object for ever, and Automerge numbers them anew with each that comes.
    pub fn add(&mut self, change: &ChangeSummary) -> Result<(), Quarantine> {
        if !self.0.contains(&change.actor) {
            self.0.insert(change.actor.clone());
        }
        match self.0.len() > ENTRY_ACTORS {
            false => Ok(()),
            true => Err(Quarantine::new(
                QuarantineCode::EntryActors,
                format!("an entry may change an object under {ENTRY_ACTORS} names, not more"),
            )),
        }
    }
}

/// Reads a change's header and counts its rows. Refuses whatever is not exactly one plain change
/// within bounds.
pub fn scan(bytes: &[u8]) -> Result<ChangeSummary, Quarantine> {
    let (hash, data) = open_chunk(bytes)?;
    let mut reader = Reader::new(data);
    let deps = dependencies(&mut reader)?;
    let actor = actor(&mut reader)?.to_vec();
    let seq = reader.unsigned()?;
    let start = reader.unsigned()?;
    if seq == 0 || start == 0 {
        return Err(malformed("a change and its operations count from 1"));
    }
    reader.signed()?; // The author's clock: no bound, nothing trusts it.
    reader.text()?; // The message.
    for _ in 0..reader.unsigned()? {
        actor_of_others(&mut reader)?;
    }
    let (rows, marks) = columns(&mut reader)?;
    // Operation counters are 32 bits wide inside Automerge.
    if start.saturating_add(rows) > u64::from(u32::MAX) {
        return Err(malformed("the operation counter overflows"));
    }
    Ok(ChangeSummary {
        hash,
        actor,
        seq,
        deps,
        rows,
        marks,
    })
}

/// Checks the envelope; returns the hash and the contents.
fn open_chunk(bytes: &[u8]) -> Result<([u8; 32], &[u8]), Quarantine> {
    let mut reader = Reader::new(bytes);
    if reader.array()? != MAGIC {
        return Err(malformed("not an Automerge chunk"));
    }
    let checksum = reader.array::<4>()?;
    let kind = reader.byte()?;
    if kind != PLAIN_CHANGE {
        return Err(Quarantine::new(
            QuarantineCode::ChunkType,
            format!("chunk type {kind}: only plain, uncompressed changes are taken"),
        ));
    }
    let before_length = reader.len();
    let length = reader.unsigned()?;
    let length_bytes = before_length - reader.len();
    let data = reader.take(length)?;
    if !reader.is_empty() {
        return Err(Quarantine::new(
            QuarantineCode::TrailingBytes,
            format!("{} bytes follow the change", reader.len()),
        ));
    }
    // The hash covers the type, the length and the contents: everything after the checksum.
    let hashed_len = 1 + length_bytes + data.len();
    let hashed = bytes
        .len()
        .checked_sub(hashed_len)
        .and_then(|start| bytes.get(start..))
        .ok_or_else(|| malformed("the change ends too early"))?;
    let hash = sha256(hashed);
    if !hash.starts_with(&checksum) {
        return Err(Quarantine::new(
            QuarantineCode::Checksum,
            "the checksum does not match",
        ));
    }
    Ok((hash, data))
}

fn sha256(bytes: &[u8]) -> [u8; 32] {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    let mut hash = [0; 32];
    hash.copy_from_slice(digest.as_ref());
    hash
}

fn dependencies(reader: &mut Reader<'_>) -> Result<Vec<[u8; 32]>, Quarantine> {
    let count = reader.unsigned()?;
    let mut deps: Vec<[u8; 32]> = Vec::new();
    // Grows with bytes really read, not with the number they claim.
    for _ in 0..count {
        let dep = reader.array()?;
        if deps.last().is_some_and(|last| *last >= dep) {
            return Err(malformed("dependencies are not in ascending order"));
        }
        deps.push(dep);
    }
    Ok(deps)
}

fn actor<'a>(reader: &mut Reader<'a>) -> Result<&'a [u8], Quarantine> {
    let actor = reader.prefixed()?;
    if actor.is_empty() || actor.len() > ACTOR_BYTES {
        return Err(malformed(format!(
            "an actor id has 1 to {ACTOR_BYTES} bytes, not {}",
            actor.len()
        )));
    }
    Ok(actor)
}

/// Actors of other changes that the operations refer to.
fn actor_of_others(reader: &mut Reader<'_>) -> Result<(), Quarantine> {
    actor(reader).map(|_| ())
}

/// Reads the column table and counts every column; returns the most rows that a part of the
/// change decodes to, and how many operations mark text.
fn columns(reader: &mut Reader<'_>) -> Result<(u64, u64), Quarantine> {
    let count = reader.unsigned()?;
    let mut table = *reader;
    for _ in 0..count {
        reader.unsigned()?;
        reader.unsigned()?;
    }
    // `reader` now stands at the first column's data, `table` at the first column's entry.
    let mut totals = Totals::default();
    let mut last = None;
    for _ in 0..count {
        let spec = table.unsigned()?;
        if last.is_some_and(|last| last >= spec) {
            return Err(malformed("columns are not in ascending order"));
        }
        last = Some(spec);
        let column = Column::from_spec(spec)?;
        let length = table.unsigned()?;
        let rows = column::count(column, reader.take(length)?, CHANGE_ROWS)?;
        totals.add(column, rows)?;
    }
    if !reader.is_empty() {
        return Err(Quarantine::new(
            QuarantineCode::TrailingBytes,
            format!("{} bytes follow the last column", reader.len()),
        ));
    }
    totals.agree()
}

/// The columns' row counts, compared with each other: the decoder stops at the end of the action
/// column, and what it finds missing or left over elsewhere it takes for nulls or ignores.
#[derive(Default)]
struct Totals {
    actions: u64,
    marks: u64,
    longest: u64,
    shortest: Option<u64>,
    preds: u64,
    pred_actors: u64,
    pred_counters: u64,
    value_bytes: u64,
    value_raw: u64,
}

impl Totals {
    fn add(&mut self, column: Column, rows: Rows) -> Result<(), Quarantine> {
        match column {
            Column::ValueRaw => {
                self.value_raw = rows.sum;
                return Ok(());
            }
            Column::PredActor => {
                self.pred_actors = rows.count;
                return Ok(());
            }
            Column::PredCounter => {
                self.pred_counters = rows.count;
                return Ok(());
            }
            Column::Actions => (self.actions, self.marks) = (rows.count, rows.sum),
            Column::PredCount => {
                self.preds = rows.sum;
                column::within(rows.sum, CHANGE_ROWS)?;
            }
            Column::ValueMeta => self.value_bytes = rows.sum,
            Column::Numbers | Column::Deltas | Column::Strings | Column::Flags => {}
        }
        self.longest = self.longest.max(rows.count);
        let shortest = self.shortest.map_or(rows.count, |s| s.min(rows.count));
        self.shortest = Some(shortest);
        Ok(())
    }

    fn agree(self) -> Result<(u64, u64), Quarantine> {
        // A column that is all null or all false is left out altogether.
        if self.longest != self.actions || self.shortest.unwrap_or(0) != self.actions {
            return Err(malformed("the columns have different numbers of rows"));
        }
        if self.preds != self.pred_actors || self.preds != self.pred_counters {
            return Err(malformed("the predecessors do not add up"));
        }
        if self.value_bytes != self.value_raw {
            return Err(malformed("the values' lengths do not add up"));
        }
        Ok((self.actions.max(self.preds), self.marks))
    }
}
