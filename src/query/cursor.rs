//! Where a page ended: the keys of its last row. A cursor is text that programs keep and hand
//! back; it says which query it belongs to and carries a check, so that another is refused.

use super::compile::SqlValue;
use crate::feed::sha256;
use crate::model::{Error, Result, limits};
use data_encoding::BASE64URL_NOPAD;
use std::cmp::Ordering;

/// A value of a result; `None` is NULL.
pub type Cell = Option<SqlValue>;

const VERSION: u8 = 1;
const PRINT: usize = 8;
const CHECK: usize = 4;

/// Writes the cursor behind a row with these keys.
pub fn encode(print: &[u8; 32], space: &[u8], cells: &[Cell]) -> String {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&owner(print, space));
    for cell in cells {
        match cell {
            None => bytes.push(0),
            Some(SqlValue::Integer(i)) => {
                bytes.push(1);
                bytes.extend_from_slice(&i.to_be_bytes());
            }
            Some(SqlValue::Real(f)) => {
                bytes.push(2);
                bytes.extend_from_slice(&f.to_bits().to_be_bytes());
            }
            Some(SqlValue::Text(text)) => long(&mut bytes, 3, text.as_bytes()),
            Some(SqlValue::Blob(blob)) => long(&mut bytes, 4, blob),
        }
    }
    let check = check(&bytes);
    bytes.extend_from_slice(&check);
    BASE64URL_NOPAD.encode(&bytes)
}

fn long(into: &mut Vec<u8>, kind: u8, bytes: &[u8]) {
    into.push(kind);
    into.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    into.extend_from_slice(bytes);
}

/// Reads a cursor of the same query in the same space, with `count` keys.
pub fn decode(text: &str, print: &[u8; 32], space: &[u8], count: usize) -> Result<Vec<Cell>> {
    if text.len() > limits::JSON_BYTES {
        return Err(no_cursor());
    }
    let bytes = BASE64URL_NOPAD.decode(text.as_bytes());
    let bytes = bytes.map_err(|_| no_cursor())?;
    let (body, found) = bytes.split_last_chunk::<CHECK>().ok_or_else(no_cursor)?;
    if *found != check(body) {
        return Err(no_cursor());
    }
    let (version, body) = body.split_first().ok_or_else(no_cursor)?;
    if *version != VERSION {
        return Err(Error::invalid(format!(
            "this cursor has version {version}; this library reads {VERSION}: begin at the first page"
        )));
    }
    let (owned_by, body) = body.split_first_chunk::<PRINT>().ok_or_else(no_cursor)?;
    if *owned_by != owner(print, space) {
        return Err(Error::invalid(
            "this cursor belongs to another query or space: filter, steps and order must be those \
             of the page before",
        ));
    }
    let mut reader = Reader(body);
    let mut cells = Vec::new();
    while !reader.0.is_empty() {
        cells.push(reader.cell().ok_or_else(no_cursor)?);
    }
    match cells.len() == count {
        true => Ok(cells),
        false => Err(no_cursor()),
    }
}

/// Reads a cursor of these cells, whatever they are, for the fuzzers.
#[cfg(any(test, fuzzing))]
pub fn fuzz_cells(cells: &[u8]) {
    let (print, space) = ([1; 32], b"space");
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(&owner(&print, space));
    bytes.extend_from_slice(cells);
    let check = check(&bytes);
    bytes.extend_from_slice(&check);
    let text = BASE64URL_NOPAD.encode(&bytes);
    for count in 0..4 {
        if let Ok(cells) = decode(&text, &print, space, count) {
            assert_eq!(encode(&print, space, &cells), text);
            let _ = compare_keys(&cells, &cells, &vec![true; count]);
        }
    }
}

fn no_cursor() -> Error {
    Error::invalid("this is no cursor: hand over what the page before gave as `next`")
}

fn owner(print: &[u8; 32], space: &[u8]) -> [u8; PRINT] {
    first(sha256(&[b"echodb/query-owner/v1", print, space]))
}

fn check(bytes: &[u8]) -> [u8; CHECK] {
    first(sha256(&[b"echodb/query-cursor/v1", bytes]))
}

fn first<const N: usize>(hash: [u8; 32]) -> [u8; N] {
    let mut first = [0; N];
    first.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
    first
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn cell(&mut self) -> Option<Cell> {
        let [kind] = self.array()?;
        Some(match kind {
            0 => None,
            1 => Some(SqlValue::Integer(i64::from_be_bytes(self.array()?))),
            2 => Some(SqlValue::Real(f64::from_bits(u64::from_be_bytes(
                self.array()?,
            )))),
            3 => Some(SqlValue::Text(String::from_utf8(self.bytes()?).ok()?)),
            4 => Some(SqlValue::Blob(self.bytes()?)),
            _ => return None,
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn bytes(&mut self) -> Option<Vec<u8>> {
        let len = usize::try_from(u64::from_be_bytes(self.array()?)).ok()?;
        let (bytes, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(bytes.to_vec())
    }
}

/// The order of two rows by their keys, as SQLite has it; `descending` says which way each goes.
pub fn compare_keys(a: &[Cell], b: &[Cell], descending: &[bool]) -> Ordering {
    let pairs = a.iter().zip(b).zip(descending);
    let mut orders = pairs.map(|((a, b), descending)| match descending {
        true => compare_cells(b, a),
        false => compare_cells(a, b),
    });
    orders
        .find(|order| order.is_ne())
        .unwrap_or(Ordering::Equal)
}

fn compare_cells(a: &Cell, b: &Cell) -> Ordering {
    match (a, b) {
        (Some(SqlValue::Text(a)), Some(SqlValue::Text(b))) => a.cmp(b),
        (Some(SqlValue::Blob(a)), Some(SqlValue::Blob(b))) => a.cmp(b),
        (Some(a), Some(b)) => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.order(b),
            _ => a.rank().cmp(&b.rank()),
        },
        (a, b) => a.is_some().cmp(&b.is_some()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: [Cell; 3] = [None, Some(SqlValue::Integer(-5)), Some(SqlValue::Real(0.5))];

    #[test]
    fn a_cursor_comes_back_as_it_was() {
        let mut cells = CELLS.to_vec();
        cells.push(Some(SqlValue::Text("é\0".into())));
        cells.push(Some(SqlValue::Blob(vec![0, 255])));
        let text = encode(&[1; 32], b"space", &cells);
        assert_eq!(decode(&text, &[1; 32], b"space", 5).unwrap(), cells);
        for (print, space, count) in [(2, "space", 5), (1, "other", 5), (1, "space", 4)] {
            assert!(decode(&text, &[print; 32], space.as_bytes(), count).is_err());
        }
    }

    #[test]
    fn any_change_of_a_cursor_is_seen() {
        let text = encode(&[1; 32], b"s", &CELLS);
        for at in 0..text.len() {
            for with in [b'A', b'9', b'*', b'_'] {
                let mut bytes = text.clone().into_bytes();
                if std::mem::replace(&mut bytes[at], with) == with {
                    continue;
                }
                let changed = String::from_utf8(bytes).unwrap();
                assert!(decode(&changed, &[1; 32], b"s", 3).is_err(), "{changed}");
            }
            assert!(decode(&text[..at], &[1; 32], b"s", 3).is_err());
        }
    }

    #[test]
    fn keys_are_in_sqlites_order() {
        let rising = [
            None,
            Some(SqlValue::Real(f64::NEG_INFINITY)),
            Some(SqlValue::Integer(i64::MIN)),
            Some(SqlValue::Real(0.5)),
            Some(SqlValue::Integer(1 << 53)),
            Some(SqlValue::Integer((1 << 53) + 1)),
            Some(SqlValue::Integer(i64::MAX)),
            Some(SqlValue::Real(9_223_372_036_854_775_808.0)),
            Some(SqlValue::Text(String::new())),
            Some(SqlValue::Text("a".into())),
            Some(SqlValue::Text("a\0".into())),
            Some(SqlValue::Text("ab".into())),
            Some(SqlValue::Text("é".into())),
            Some(SqlValue::Blob(vec![])),
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                let (a, b) = (std::slice::from_ref(a), std::slice::from_ref(b));
                assert_eq!(compare_keys(a, b, &[false]), i.cmp(&j));
                assert_eq!(compare_keys(a, b, &[true]), j.cmp(&i));
            }
        }
        let one = [Some(SqlValue::Integer(1))];
        let float = [Some(SqlValue::Real(1.0))];
        assert_eq!(compare_keys(&one, &float, &[false]), Ordering::Equal);
    }
}
