//! An entry to measure its checks with, beside the bare primitives. No part of the interface.

use super::clock;
use super::storage::SpaceStore;
use crate::feed::{ContentKey, Entry};
use crate::identity::Keyring;
use crate::model::{Error, ObjectId, Operation, Result, Value};
use crate::space::{Founding, Ingest, SpaceCore};
use bytes::Bytes;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use ring::digest::{Context, SHA256, digest};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::signature::{ED25519, UnparsedPublicKey};
use std::sync::Arc;

/// Under which the key of a body is derived (`docs/formats`).
const SEAL_DOMAIN: &[u8] = b"echodb/entry-key/v1";

/// What the primitives are given: the entry's bytes in the pieces that they are of.
struct Pieces {
    header: Vec<u8>,
    signature: Vec<u8>,
    body: Vec<u8>,
}

/// A peer, and an entry that it has not seen.
pub struct EntryCheck {
    peer: SpaceCore,
    bytes: Bytes,
    entry: Entry,
    key: ContentKey,
    device: [u8; 32],
    pieces: Pieces,
}

impl std::fmt::Debug for EntryCheck {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EntryCheck").finish_non_exhaustive()
    }
}

impl EntryCheck {
    /// A space of a member with two devices' worth of feeds, and its newest entry: one object with a
    /// text of so many bytes.
    pub fn new(text: usize) -> Result<EntryCheck> {
        let random = clock::fill_random as fn(&mut [u8]);
        let keyring = Arc::new(Keyring::generate(&mut |to| random(to)));
        let founding = Founding::new(&keyring, "Ada", &mut |to| random(to))?;
        let id = founding.space;
        let store = || -> Result<Box<SpaceStore>> { Ok(Box::new(SpaceStore::open(None)?)) };
        let (own, others) = (Arc::clone(&keyring), Arc::clone(&keyring));
        let mut ada = SpaceCore::found(founding, store()?, own, Box::new(random), 0)?;
        let mut peer = SpaceCore::join(id, store()?, others, Box::new(random))?;
        let mut entries = Vec::new();
        for n in 1..=2 {
            let create = Operation::Create {
                object: ObjectId([n; 16]),
                type_name: None,
                fields: [("text".to_owned(), Value::String("x".repeat(text)))].into(),
            };
            ada.transact(&[create], None, None, 0)?;
        }
        for record in ada.entries_after(0, usize::MAX)? {
            if let Some((header, _)) = ada.feed_header(&record.feed) {
                peer.add_feed(&header)?;
            }
            entries.push(record.bytes);
        }
        let bytes = entries
            .pop()
            .ok_or_else(|| Error::internal("there is no entry"))?;
        peer.ingest(entries, &mut Ingest::default())?;
        let entry = Entry::decode(bytes.clone(), id)?;
        let key = peer
            .content_key(&entry.header.key_id)
            .ok_or_else(|| Error::internal("the content key is missing"))?;
        let pieces = pieces(&entry)?;
        Ok(EntryCheck {
            peer,
            bytes,
            entry,
            key,
            device: keyring.device_key().0,
            pieces,
        })
    }

    /// Checks and opens it as when a peer sends it.
    pub fn check(&mut self) -> Result<usize> {
        Ok(self.peer.examine(self.bytes.clone())?.changes.len())
    }

    /// What of that is cryptography: the bound.
    pub fn bare(&self) -> Result<usize> {
        let failed = |_| Error::internal("a primitive failed");
        let Pieces {
            header,
            signature,
            body,
        } = &self.pieces;
        if digest(&SHA256, body).as_ref() != header.get(header.len() - 32..).unwrap_or_default() {
            return Err(Error::internal("the body's hash differs"));
        }
        let mut id = Context::new(&SHA256);
        id.update(header);
        std::hint::black_box(id.finish());
        UnparsedPublicKey::new(&ED25519, &self.device)
            .verify(self.entry.id.as_bytes(), signature)
            .map_err(failed)?;
        let context = header.get(..header.len() - 32).unwrap_or_default();
        let mut derived = [0; 32];
        Salt::new(HKDF_SHA256, SEAL_DOMAIN)
            .extract(self.key.as_bytes())
            .expand(&[context], HKDF_SHA256)
            .and_then(|okm| okm.fill(&mut derived))
            .map_err(failed)?;
        let key = UnboundKey::new(&CHACHA20_POLY1305, &derived).map_err(failed)?;
        let mut opened = body.clone();
        let nonce = Nonce::assume_unique_for_key([0; 12]);
        let opened = LessSafeKey::new(key).open_in_place(nonce, Aad::from(context), &mut opened);
        Ok(opened.map_err(failed)?.len())
    }
}

fn pieces(entry: &Entry) -> Result<Pieces> {
    let bytes = entry.bytes();
    let body_at = bytes.len().checked_sub(entry.header.body_len as usize);
    let split = body_at.and_then(|at| {
        let (front, body) = bytes.split_at_checked(at)?;
        let (header, signature) = front.split_at_checked(front.len().checked_sub(64)?)?;
        Some((header, signature, body))
    });
    let (header, signature, body) = split.ok_or_else(|| Error::internal("a short entry"))?;
    Ok(Pieces {
        header: header.to_vec(),
        signature: signature.to_vec(),
        body: body.to_vec(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_open_the_entry() {
        let mut check = EntryCheck::new(1000).unwrap();
        for _ in 0..3 {
            assert_eq!(check.check().unwrap(), 1);
        }
        assert!(check.bare().unwrap() > 1000);
    }
}
