//! The data heads: the applied data entries that no other applied data entry builds on. They are
//! what the next entry of our own names as its dependencies (research: auth.md 3(a)).

use crate::feed::Dep;
use crate::model::{EntryId, Error, FeedId, Result};
use std::collections::BTreeMap;

/// An antichain of data entries.
#[derive(Clone, Debug, Default)]
pub struct Heads {
    heads: BTreeMap<EntryId, (FeedId, u64)>,
}

/// Bytes of one head when stored.
const RECORD: usize = 32 + 16 + 8;

impl Heads {
    /// Records that the entry was applied on top of `prev` and `deps`.
    pub fn advance(&mut self, id: EntryId, feed: FeedId, seq: u64, prev: &EntryId, deps: &[Dep]) {
        self.heads.remove(prev);
        for dep in deps {
            self.heads.remove(&dep.id);
        }
        self.heads.insert(id, (feed, seq));
    }

    /// Adds an entry on which none builds that counts.
    pub fn insert(&mut self, id: EntryId, feed: FeedId, seq: u64) {
        self.heads.insert(id, (feed, seq));
    }

    /// Removes an entry.
    pub fn remove(&mut self, id: &EntryId) {
        self.heads.remove(id);
    }

    /// Their ids, rising.
    #[cfg(test)]
    pub fn ids(&self) -> Vec<EntryId> {
        self.heads.keys().copied().collect()
    }

    /// How many there are beside one.
    pub fn beside(&self, tip: &EntryId) -> usize {
        self.heads.len() - usize::from(self.heads.contains_key(tip))
    }

    /// What an entry after `prev` names: all heads but that one, at most `limit` of them. The rest
    /// stay heads for a later entry.
    pub fn dependencies(&self, prev: &EntryId, limit: usize) -> Vec<Dep> {
        self.heads
            .iter()
            .filter(|(id, _)| *id != prev)
            .take(limit)
            .map(|(id, (feed, seq))| Dep {
                feed: *feed,
                seq: *seq,
                id: *id,
            })
            .collect()
    }

    /// The stored form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.heads.len() * RECORD);
        for (id, (feed, seq)) in &self.heads {
            out.extend_from_slice(id.as_bytes());
            out.extend_from_slice(feed.as_bytes());
            out.extend_from_slice(&seq.to_be_bytes());
        }
        out
    }

    /// Reads the stored form.
    pub fn decode(bytes: &[u8]) -> Result<Heads> {
        let damaged = || Error::corrupt("the record of data heads is damaged");
        if !bytes.len().is_multiple_of(RECORD) {
            return Err(damaged());
        }
        let mut heads = BTreeMap::new();
        for record in bytes.chunks_exact(RECORD) {
            let (id, rest) = record.split_at_checked(32).ok_or_else(damaged)?;
            let (feed, seq) = rest.split_at_checked(16).ok_or_else(damaged)?;
            let seq = seq
                .try_into()
                .map(u64::from_be_bytes)
                .map_err(|_| damaged())?;
            heads.insert(EntryId::from_slice(id)?, (FeedId::from_slice(feed)?, seq));
        }
        Ok(Heads { heads })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_replaces_what_it_builds_on() {
        let id = |n| EntryId([n; 32]);
        let feed = |n| FeedId([n; 16]);
        let mut heads = Heads::default();
        heads.advance(id(1), feed(1), 0, &EntryId::ZERO, &[]);
        heads.advance(id(2), feed(2), 0, &EntryId::ZERO, &[]);
        let deps = heads.dependencies(&id(1), 64);
        assert_eq!(deps.len(), 1);
        heads.advance(id(3), feed(1), 1, &id(1), &deps);
        assert!(heads.dependencies(&id(3), 64).is_empty());
        assert_eq!((heads.beside(&id(3)), heads.beside(&id(9))), (0, 1));
        let again = Heads::decode(&heads.encode()).unwrap();
        assert_eq!(
            again.dependencies(&id(9), 64),
            heads.dependencies(&id(9), 64)
        );
        assert!(Heads::decode(&[1]).is_err());
    }
}
