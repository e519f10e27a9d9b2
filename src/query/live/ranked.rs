//! An ordered list of objects in which the place of each is found quickly: chunks of entries in
//! order, and for each object the chunk it is in. Finding, adding and removing cost about the
//! square root of the length.

use super::super::{Cell, compare_keys};
use crate::model::ObjectId;
use std::cmp::Ordering;
use std::collections::HashMap;

/// Entries of one chunk at most.
const CHUNK: usize = 512;

/// An object and what it is ordered by. Ties are broken by id.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The values of the order's terms.
    pub keys: Box<[Cell]>,
    /// The object.
    pub id: ObjectId,
}

impl Entry {
    /// The order of two entries.
    pub fn order(&self, other: &Entry, descending: &[bool]) -> Ordering {
        compare_keys(&self.keys, &other.keys, descending).then_with(|| self.id.cmp(&other.id))
    }
}

struct Chunk {
    number: u64,
    entries: Vec<Entry>,
}

/// The list.
#[derive(Default)]
pub struct Ranked {
    /// Never empty ones.
    chunks: Vec<Chunk>,
    /// Where each object is: the number of its chunk.
    home: HashMap<ObjectId, u64>,
    next_number: u64,
}

impl Ranked {
    /// How many objects it holds.
    pub fn len(&self) -> usize {
        self.home.len()
    }

    /// The entry at a place.
    pub fn get(&self, mut place: usize) -> Option<&Entry> {
        for chunk in &self.chunks {
            match chunk.entries.get(place) {
                Some(entry) => return Some(entry),
                None => place -= chunk.entries.len(),
            }
        }
        None
    }

    /// The last entry.
    pub fn last(&self) -> Option<&Entry> {
        self.chunks.last()?.entries.last()
    }

    /// The place of an object.
    pub fn position(&self, id: &ObjectId) -> Option<usize> {
        let (at, inner, before) = self.find(id)?;
        debug_assert!(at < self.chunks.len());
        Some(before + inner)
    }

    /// The chunk that holds an object, the place within it, and how many entries come before.
    fn find(&self, id: &ObjectId) -> Option<(usize, usize, usize)> {
        let number = *self.home.get(id)?;
        let mut before = 0;
        for (at, chunk) in self.chunks.iter().enumerate() {
            if chunk.number == number {
                let inner = chunk.entries.iter().position(|entry| entry.id == *id)?;
                return Some((at, inner, before));
            }
            before += chunk.entries.len();
        }
        None
    }

    /// Takes an object out.
    pub fn remove(&mut self, id: &ObjectId) -> Option<Entry> {
        let (at, inner, _) = self.find(id)?;
        let chunk = self.chunks.get_mut(at)?;
        let entry = chunk.entries.remove(inner);
        if chunk.entries.is_empty() {
            self.chunks.remove(at);
        }
        self.home.remove(id);
        Some(entry)
    }

    /// Puts an object that is not in the list where it belongs.
    pub fn insert(&mut self, entry: Entry, descending: &[bool]) {
        let is_before = |other: &Entry| other.order(&entry, descending).is_lt();
        // The first chunk that ends after the entry; if there is none, the last.
        let at = self
            .chunks
            .partition_point(|chunk| chunk.entries.last().is_some_and(is_before))
            .min(self.chunks.len().saturating_sub(1));
        let inner = self
            .chunks
            .get(at)
            .map_or(0, |chunk| chunk.entries.partition_point(is_before));
        self.put(at, inner, entry);
    }

    /// Adds an object that comes after all others.
    pub fn push(&mut self, entry: Entry) {
        let at = self.chunks.len().saturating_sub(1);
        let inner = self.chunks.last().map_or(0, |chunk| chunk.entries.len());
        self.put(at, inner, entry);
    }

    /// Takes the last one off.
    pub fn pop(&mut self) -> Option<Entry> {
        let chunk = self.chunks.last_mut()?;
        let entry = chunk.entries.pop()?;
        if chunk.entries.is_empty() {
            self.chunks.pop();
        }
        self.home.remove(&entry.id);
        Some(entry)
    }

    fn put(&mut self, at: usize, inner: usize, entry: Entry) {
        let id = entry.id;
        if self.chunks.is_empty() {
            let number = self.number();
            self.chunks.push(Chunk {
                number,
                entries: Vec::new(),
            });
        }
        let Some(chunk) = self.chunks.get_mut(at) else {
            return;
        };
        chunk.entries.insert(inner, entry);
        self.home.insert(id, chunk.number);
        if chunk.entries.len() > CHUNK {
            self.split(at, inner);
        }
    }

    /// Divides a full chunk: in the middle, or, where it grew at its end, so that a list filled in
    /// order has full chunks.
    fn split(&mut self, at: usize, grew_at: usize) {
        let number = self.number();
        let Some(chunk) = self.chunks.get_mut(at) else {
            return;
        };
        let middle = if grew_at + 1 == chunk.entries.len() {
            grew_at
        } else {
            chunk.entries.len() / 2
        };
        let entries = chunk.entries.split_off(middle);
        for entry in &entries {
            self.home.insert(entry.id, number);
        }
        self.chunks.insert(at + 1, Chunk { number, entries });
    }

    fn number(&mut self) -> u64 {
        self.next_number += 1;
        self.next_number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: i64, n: u64) -> Entry {
        let mut id = [0; 16];
        id[8..].copy_from_slice(&n.to_be_bytes());
        Entry {
            keys: [Some(crate::query::SqlValue::Integer(key))].into(),
            id: ObjectId(id),
        }
    }

    #[test]
    fn it_agrees_with_a_sorted_vector() {
        let mut seed = 7u64;
        let mut next = |bound: u64| {
            seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1);
            (seed >> 33) % bound
        };
        for descending in [[false], [true]] {
            let mut list = Ranked::default();
            let mut plain: Vec<Entry> = (0..700).map(|n| entry(n as i64, n)).collect();
            if descending == [true] {
                plain.reverse();
            }
            plain.iter().cloned().for_each(|e| list.push(e));
            for step in 0..6000u64 {
                let n = next(3000);
                let known = plain.iter().position(|e| e.id == entry(0, n).id);
                assert_eq!(list.position(&entry(0, n).id), known);
                match known {
                    Some(at) if next(3) > 0 => {
                        assert_eq!(list.remove(&plain[at].id), Some(plain.remove(at)));
                    }
                    Some(_) => {}
                    None => {
                        let new = entry(next(40) as i64, n);
                        let at = plain.partition_point(|e| e.order(&new, &descending).is_lt());
                        plain.insert(at, new.clone());
                        list.insert(new, &descending);
                    }
                }
                if step % 500 == 0 {
                    assert_eq!(list.pop(), plain.pop());
                }
                assert_eq!(list.len(), plain.len());
                assert_eq!(list.last(), plain.last());
                let at = next(plain.len() as u64 + 2) as usize;
                assert_eq!(list.get(at), plain.get(at));
            }
            assert!((0..plain.len()).all(|at| list.get(at) == plain.get(at)));
        }
    }
}
