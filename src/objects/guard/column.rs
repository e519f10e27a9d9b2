//! Counting the rows of one column of a change from its run lengths.

use super::super::{Quarantine, QuarantineCode};
use super::reader::{Reader, malformed};

/// The action of the two operations that begin and end a formatted stretch of text.
const MARK: u64 = 7;

/// What a column is, from its specification number: `id << 4 | deflated << 3 | type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    /// One row per operation, numbers.
    Numbers,
    /// One row per operation, differences of numbers.
    Deltas,
    /// One row per operation, strings.
    Strings,
    /// One row per operation, truth values.
    Flags,
    /// The operations themselves: the column that decides how many there are.
    Actions,
    /// One row per operation: type and length of its value in the raw column.
    ValueMeta,
    /// The values' bytes; has no rows.
    ValueRaw,
    /// One row per operation: how many predecessors it has in the two columns below.
    PredCount,
    /// One row per predecessor: its actor.
    PredActor,
    /// One row per predecessor: its counter.
    PredCounter,
}

impl Column {
    /// The column that a specification number names. Columns of future formats are refused: the
    /// decoder would keep their bytes without understanding them.
    pub(super) fn from_spec(spec: u64) -> Result<Column, Quarantine> {
        Ok(match (spec >> 4, spec & 0x0f) {
            (0, 1) | (0, 2) | (1, 1) => Column::Numbers,
            (1, 3) => Column::Deltas,
            (1, 5) | (10, 5) => Column::Strings,
            (3, 4) | (9, 4) => Column::Flags,
            (4, 2) => Column::Actions,
            (5, 6) => Column::ValueMeta,
            (5, 7) => Column::ValueRaw,
            (7, 0) => Column::PredCount,
            (7, 1) => Column::PredActor,
            (7, 3) => Column::PredCounter,
            (_, kind) if kind & 8 != 0 => {
                return Err(Quarantine::new(
                    QuarantineCode::ChunkType,
                    "the change has a compressed column",
                ));
            }
            _ => return Err(malformed(format!("column {spec} is unknown"))),
        })
    }

    /// What a column of a whole document is, from the same number: its type alone says how it is
    /// counted.
    pub(super) fn of_document(spec: u64) -> Column {
        match spec & 0x07 {
            0 => Column::PredCount,
            1 | 2 => Column::Numbers,
            3 => Column::Deltas,
            4 => Column::Flags,
            5 => Column::Strings,
            6 => Column::ValueMeta,
            _ => Column::ValueRaw,
        }
    }
}

/// What a column decodes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rows {
    /// How many rows.
    pub(super) count: u64,
    /// The sum over all rows: of predecessors, of value bytes, or of operations that mark text.
    pub(super) sum: u64,
}

impl Rows {
    fn add(&mut self, rows: u64, value: u64, bound: u64) -> Result<(), Quarantine> {
        self.count = self.count.saturating_add(rows);
        self.sum = self.sum.saturating_add(rows.saturating_mul(value));
        within(self.count, bound)
    }
}

/// Refuses a row count past the bound.
pub(super) fn within(rows: u64, bound: u64) -> Result<(), Quarantine> {
    if rows > bound {
        return Err(Quarantine::new(
            QuarantineCode::ChangeRows,
            format!("a column may have {bound} rows, this one has at least {rows}"),
        ));
    }
    Ok(())
}

/// Counts a column's rows, `bound` of them at most. Work is linear in the column's bytes, whatever
/// they say.
pub(super) fn count(column: Column, data: &[u8], bound: u64) -> Result<Rows, Quarantine> {
    let reader = Reader::new(data);
    match column {
        Column::ValueRaw => Ok(Rows {
            count: 0,
            sum: data.len() as u64,
        }),
        Column::Flags => flags(reader, bound),
        Column::Deltas | Column::PredCounter => runs(reader, bound, |r| r.signed().map(|_| 0)),
        Column::Strings => runs(reader, bound, |r| r.text().map(|_| 0)),
        Column::PredCount => runs(reader, bound, |r| r.unsigned()),
        // The low four bits are the value's type, the rest its length.
        Column::ValueMeta => runs(reader, bound, |r| r.unsigned().map(|meta| meta >> 4)),
        Column::Actions => runs(reader, bound, |r| {
            r.unsigned().map(|n| u64::from(n == MARK))
        }),
        Column::Numbers | Column::PredActor => runs(reader, bound, |r| r.unsigned().map(|_| 0)),
    }
}

/// Alternating run lengths of false and true; only the first may be zero.
fn flags(mut reader: Reader<'_>, bound: u64) -> Result<Rows, Quarantine> {
    let mut rows = Rows::default();
    let mut first = true;
    while !reader.is_empty() {
        let run = reader.unsigned()?;
        if run == 0 && !first {
            return Err(malformed("an empty run"));
        }
        first = false;
        rows.add(run, 0, bound)?;
    }
    Ok(rows)
}

/// Runs: a positive length repeats one value, a negative one precedes that many values, zero
/// precedes a number of nulls.
fn runs(
    mut reader: Reader<'_>,
    bound: u64,
    value: impl Fn(&mut Reader<'_>) -> Result<u64, Quarantine>,
) -> Result<Rows, Quarantine> {
    let mut rows = Rows::default();
    while !reader.is_empty() {
        let length = reader.signed()?;
        match length {
            0 => {
                let nulls = reader.unsigned()?;
                if nulls == 0 {
                    return Err(malformed("an empty run"));
                }
                rows.add(nulls, 0, bound)?;
            }
            1.. => {
                let value = value(&mut reader)?;
                rows.add(length.unsigned_abs(), value, bound)?;
            }
            _ => {
                within(rows.count.saturating_add(length.unsigned_abs()), bound)?;
                for _ in 0..length.unsigned_abs() {
                    let value = value(&mut reader)?;
                    rows.add(1, value, bound)?;
                }
            }
        }
    }
    Ok(rows)
}
