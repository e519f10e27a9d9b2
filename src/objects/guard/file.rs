//! Bounds on whole Automerge files, checked before Automerge sees them. A file is a row of chunks:
//! documents, whose columns may be compressed, and changes. Numbers of rows and inflated sizes are
//! what a file says of itself, and Automerge believes it.

use super::super::{Quarantine, QuarantineCode};
use super::column::{self, Column};
use super::reader::{Reader, malformed};
use super::{MAGIC, PLAIN_CHANGE, actor, scan, sha256};
use crate::model::limits::{OBJECT_FILE_BYTES, OBJECT_FILE_INFLATED, OBJECT_FILE_ROWS};
use std::io::Read;

const DOCUMENT: u8 = 0;
const COMPRESSED_CHANGE: u8 = 2;
/// In a column's number: whether it is compressed.
const DEFLATED: u64 = 8;

/// Bounds a file. `Ok` says that loading it costs what a file of an honest program of these bounds
/// costs; Automerge may still refuse it, or panic.
pub fn scan_file(bytes: &[u8]) -> Result<(), Quarantine> {
    if bytes.len() > OBJECT_FILE_BYTES {
        return Err(too_large(format!(
            "an Automerge file may have {OBJECT_FILE_BYTES} bytes, not {}",
            bytes.len()
        )));
    }
    if bytes.is_empty() {
        return Err(malformed("the file is empty"));
    }
    let mut budget = Budget {
        inflated: OBJECT_FILE_INFLATED,
        rows: OBJECT_FILE_ROWS,
    };
    let mut reader = Reader::new(bytes);
    while !reader.is_empty() {
        chunk(&mut reader, &mut budget)?;
    }
    Ok(())
}

/// What is left for the rest of the file.
struct Budget {
    inflated: usize,
    rows: u64,
}

impl Budget {
    fn spend_rows(&mut self, rows: u64) -> Result<(), Quarantine> {
        self.rows = self.rows.checked_sub(rows).ok_or_else(|| {
            too_large(format!(
                "an Automerge file may hold {OBJECT_FILE_ROWS} operations and as many changes"
            ))
        })?;
        Ok(())
    }

    fn inflate(&mut self, data: &[u8]) -> Result<Vec<u8>, Quarantine> {
        let mut out = Vec::new();
        let mut inflating = flate2::read::DeflateDecoder::new(data).take(self.inflated as u64 + 1);
        inflating
            .read_to_end(&mut out)
            .map_err(|_| malformed("a compressed part does not inflate"))?;
        self.inflated = self.inflated.checked_sub(out.len()).ok_or_else(|| {
            too_large(format!(
                "an Automerge file may inflate to {OBJECT_FILE_INFLATED} bytes"
            ))
        })?;
        Ok(out)
    }
}

fn chunk(reader: &mut Reader<'_>, budget: &mut Budget) -> Result<(), Quarantine> {
    let before = *reader;
    if reader.array()? != MAGIC {
        return Err(malformed("not an Automerge file"));
    }
    let checksum = reader.array::<4>()?;
    let mut hashed = *reader;
    let kind = reader.byte()?;
    let length = reader.unsigned()?;
    let data = reader.take(length)?;
    let hashed_len = hashed.len() - reader.len();
    let whole_len = before.len() - reader.len();
    match kind {
        DOCUMENT => {
            if !sha256(hashed.take(hashed_len as u64)?).starts_with(&checksum) {
                return Err(Quarantine::new(
                    QuarantineCode::Checksum,
                    "the checksum does not match",
                ));
            }
            document(data, budget)
        }
        PLAIN_CHANGE => {
            let mut whole = before;
            budget.spend_rows(scan(whole.take(whole_len as u64)?)?.rows)
        }
        COMPRESSED_CHANGE => {
            let plain = budget.inflate(data)?;
            budget.spend_rows(scan(&as_plain(checksum, &plain))?.rows)
        }
        other => Err(Quarantine::new(
            QuarantineCode::ChunkType,
            format!("chunk type {other}: only documents and changes are taken"),
        )),
    }
}

/// An inflated change as the plain chunk that it stands for; the checksum is the same.
fn as_plain(checksum: [u8; 4], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(data.len() + 19);
    out.extend_from_slice(&MAGIC);
    out.extend_from_slice(&checksum);
    out.push(PLAIN_CHANGE);
    let mut length = data.len() as u64;
    while length >= 0x80 {
        out.push((length as u8 & 0x7f) | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(data);
    out
}

fn document(data: &[u8], budget: &mut Budget) -> Result<(), Quarantine> {
    let mut reader = Reader::new(data);
    for _ in 0..reader.unsigned()? {
        actor(&mut reader)?;
    }
    let heads = reader.unsigned()?;
    for _ in 0..heads {
        reader.array::<32>()?;
    }
    let changes = table(&mut reader)?;
    let operations = table(&mut reader)?;
    for columns in [changes, operations] {
        let rows = count_columns(&mut reader, &columns, budget)?;
        budget.spend_rows(rows)?;
    }
    // Places of the heads among the changes, which older files leave out.
    if !reader.is_empty() {
        for _ in 0..heads {
            reader.unsigned()?;
        }
    }
    match reader.is_empty() {
        true => Ok(()),
        false => Err(malformed("bytes follow the document's columns")),
    }
}

/// Reads a table of columns: their numbers and lengths.
fn table(reader: &mut Reader<'_>) -> Result<Vec<(u64, u64)>, Quarantine> {
    let count = reader.unsigned()?;
    let mut columns: Vec<(u64, u64)> = Vec::new();
    // Grows with bytes really read, not with the number they claim.
    for _ in 0..count {
        let spec = reader.unsigned()?;
        let last = columns.last().map(|(last, _)| last & !DEFLATED);
        if last.is_some_and(|last| last >= spec & !DEFLATED) {
            return Err(malformed("columns are not in ascending order"));
        }
        columns.push((spec, reader.unsigned()?));
    }
    Ok(columns)
}

/// The rows of the longest of these columns.
fn count_columns(
    reader: &mut Reader<'_>,
    columns: &[(u64, u64)],
    budget: &mut Budget,
) -> Result<u64, Quarantine> {
    let (mut longest, mut value_bytes, mut value_raw) = (0, 0u64, 0u64);
    for (spec, length) in columns {
        let data = reader.take(*length)?;
        let inflated;
        let data = match spec & DEFLATED {
            0 => data,
            _ => {
                inflated = budget.inflate(data)?;
                inflated.as_slice()
            }
        };
        let column = Column::of_document(*spec);
        let rows = column::count(column, data, OBJECT_FILE_ROWS)?;
        match column {
            Column::ValueMeta => value_bytes = value_bytes.saturating_add(rows.sum),
            Column::ValueRaw => value_raw = value_raw.saturating_add(rows.sum),
            // A group's sum is the length of the columns that follow it.
            Column::PredCount => column::within(rows.sum, OBJECT_FILE_ROWS)?,
            _ => {}
        }
        longest = longest.max(rows.count);
    }
    match value_bytes == value_raw {
        true => Ok(longest),
        false => Err(malformed("the values' lengths do not add up")),
    }
}

fn too_large(detail: String) -> Quarantine {
    Quarantine::new(QuarantineCode::ChangeRows, detail)
}
