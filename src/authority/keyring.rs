//! The content keys this device has, and the links by which newer keys open older ones.

use crate::feed::ContentKey;
use crate::model::{ContentKeyId, Error, Result};
use std::collections::{BTreeMap, BTreeSet};
use zeroize::Zeroizing;

const LINK_DOMAIN: &[u8] = b"echodb/back-link/v1";

/// An older key sealed under a newer one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BackLink {
    /// The key that opens it.
    pub newer: ContentKeyId,
    /// The key inside.
    pub older: ContentKeyId,
    /// The older key, sealed.
    pub sealed: Vec<u8>,
}

/// The content keys unwrapped so far.
#[derive(Clone, Debug, Default)]
pub struct ContentKeys {
    keys: BTreeMap<ContentKeyId, ContentKey>,
}

impl ContentKeys {
    /// Adds a key and returns its id, which follows from the key: compare it with the id under
    /// which the key was announced.
    pub fn insert(&mut self, key: ContentKey) -> ContentKeyId {
        let id = key.id();
        self.keys.insert(id, key);
        id
    }

    /// A key by id.
    pub fn get(&self, id: &ContentKeyId) -> Option<&ContentKey> {
        self.keys.get(id)
    }

    /// Opens whatever the links lead to from the keys at hand, and returns the ids of keys that
    /// are new. A link that does not open, or holds a key of another id, is passed over.
    pub fn open_back_links(&mut self, links: &[BackLink]) -> Vec<ContentKeyId> {
        let mut by_newer: BTreeMap<ContentKeyId, Vec<&BackLink>> = BTreeMap::new();
        for link in links {
            by_newer.entry(link.newer).or_default().push(link);
        }
        let mut open: Vec<ContentKeyId> = self.keys.keys().copied().collect();
        let mut found = BTreeSet::new();
        while let Some(newer) = open.pop() {
            for link in by_newer.remove(&newer).unwrap_or_default() {
                if self.keys.contains_key(&link.older) {
                    continue;
                }
                if let Some(key) = self.get(&newer).and_then(|key| open_back_link(key, link)) {
                    let id = self.insert(key);
                    found.insert(id);
                    open.push(id);
                }
            }
        }
        found.into_iter().collect()
    }
}

/// Seals `older` under `newer`: what a rotation carries so that one wrap opens the history.
/// Errors when both are the same key.
pub fn seal_back_link(newer: &ContentKey, older: &ContentKey) -> Result<(ContentKeyId, Vec<u8>)> {
    let (newer_id, older_id) = (newer.id(), older.id());
    if newer_id == older_id {
        return Err(Error::invalid("a key does not link to itself"));
    }
    let context = link_context(newer_id, older_id);
    let sealed = newer.seal(LINK_DOMAIN, &context, older.as_bytes())?;
    Ok((older_id, sealed))
}

fn open_back_link(newer: &ContentKey, link: &BackLink) -> Option<ContentKey> {
    let context = link_context(link.newer, link.older);
    let plain = newer.open(LINK_DOMAIN, &context, &link.sealed).ok()?;
    let plain = Zeroizing::new(plain);
    let key = ContentKey::from_bytes(plain.as_slice().try_into().ok()?);
    (key.id() == link.older).then_some(key)
}

/// Both ids: the pair is sealed once, because the id of a key fixes the key.
fn link_context(newer: ContentKeyId, older: ContentKeyId) -> Vec<u8> {
    [newer.as_bytes(), older.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(newer: &ContentKey, older: &ContentKey) -> BackLink {
        let (older, sealed) = seal_back_link(newer, older).unwrap();
        BackLink {
            newer: newer.id(),
            older,
            sealed,
        }
    }

    #[test]
    fn links_open_in_chains_and_bad_ones_are_passed_over() {
        let [a, b, c] = [1, 2, 3].map(|i| ContentKey::from_bytes([i; 32]));
        let mut broken = link(&c, &a);
        broken.sealed[0] ^= 1;
        let links = [broken, link(&b, &a), link(&c, &b)];
        let mut keys = ContentKeys::default();
        assert!(keys.open_back_links(&links).is_empty());
        keys.insert(c.clone());
        let mut expected = vec![a.id(), b.id()];
        expected.sort();
        assert_eq!(keys.open_back_links(&links), expected);
        assert_eq!(keys.get(&a.id()), Some(&a));
        assert!(keys.open_back_links(&links).is_empty());
        assert!(seal_back_link(&a, &a).is_err());
    }

    #[test]
    fn a_link_cannot_claim_another_key() {
        let [a, b, c] = [1, 2, 3].map(|i| ContentKey::from_bytes([i; 32]));
        let context = link_context(b.id(), c.id());
        let lie = BackLink {
            newer: b.id(),
            older: c.id(),
            sealed: b.seal(LINK_DOMAIN, &context, a.as_bytes()).unwrap(),
        };
        let mut keys = ContentKeys::default();
        keys.insert(b);
        assert!(keys.open_back_links(&[lie]).is_empty());
    }
}
