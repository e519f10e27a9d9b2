//! Entries: making, reading, verifying and opening them.

use super::codec::Reader;
use super::content_key::{ContentKey, TAG_LEN};
use super::entry_codec::{Dep, EntryHeader};
use super::header::FeedKind;
use super::signer::{DeviceSigner, sha256, verify_signature};
use crate::model::{ContentKeyId, DeviceKey, EntryId, Error, FeedId, Result, SpaceId, limits};
use bytes::Bytes;

const ID_DOMAIN: &[u8] = b"echodb/entry/v1";
const SEAL_DOMAIN: &[u8] = b"echodb/entry-key/v1";
const SIGNATURE_LEN: usize = 64;
const HASH_LEN: usize = 32;

/// A decoded or freshly made entry with its exact bytes (header, signature, body) and its id.
/// Cloning copies no body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The entry's name: SHA-256 over domain, space id and header.
    pub id: EntryId,
    /// The decoded header.
    pub header: EntryHeader,
    bytes: Bytes,
    header_len: usize,
}

/// What the author of an entry decides.
#[derive(Clone, Debug)]
pub struct EntryDraft<'a> {
    /// The kind of the feed.
    pub kind: FeedKind,
    /// The feed.
    pub feed: FeedId,
    /// The place in the feed.
    pub seq: u64,
    /// The entry before it; zero at 0.
    pub prev: EntryId,
    /// Control heads known; put in order and freed of repeats when sealing.
    pub ctl: Vec<EntryId>,
    /// Data entries depended on; put in order and freed of repeats when sealing.
    pub deps: Vec<Dep>,
    /// 16 fresh random bytes. Reusing them under one content key gives the bodies away.
    pub salt: [u8; 16],
    /// The body, in plain.
    pub body: &'a [u8],
}

impl Entry {
    /// Seals (with `key`; data entries only and always) and signs an entry of `space`.
    ///
    /// The entry that creates a space is sealed with [`SpaceId::ZERO`]. Errors when the draft
    /// breaks a rule of the format or a limit.
    pub fn seal(
        draft: EntryDraft<'_>,
        key: Option<&ContentKey>,
        space: SpaceId,
        signer: &DeviceSigner,
    ) -> Result<Entry> {
        let tag = if key.is_some() { TAG_LEN } else { 0 };
        let body_len = u32::try_from(draft.body.len() + tag)
            .map_err(|_| Error::limit("entry: its body is too large"))?;
        let mut header = EntryHeader {
            kind: draft.kind,
            feed: draft.feed,
            seq: draft.seq,
            prev: draft.prev,
            ctl: draft.ctl,
            deps: draft.deps,
            key_id: key.map_or(ContentKeyId::ZERO, ContentKey::id),
            salt: draft.salt,
            body_len,
            body_hash: [0; 32],
        };
        header.ctl.sort_unstable();
        header.ctl.dedup();
        header.deps.sort_unstable();
        header.deps.dedup();
        header.check()?;
        let mut bytes = header.sealing_bytes();
        check_size(
            &header,
            bytes.len() + HASH_LEN + SIGNATURE_LEN + draft.body.len() + tag,
        )?;
        let body = match key {
            Some(key) => key.seal(SEAL_DOMAIN, &bytes, draft.body)?,
            None => draft.body.to_vec(),
        };
        header.body_hash = sha256(&[&body]);
        bytes.extend_from_slice(&header.body_hash);
        let header_len = bytes.len();
        let id = entry_id(space, &bytes);
        bytes.extend_from_slice(&signer.sign(id.as_bytes()));
        bytes.extend_from_slice(&body);
        Ok(Entry {
            id,
            header,
            bytes: Bytes::from(bytes),
            header_len,
        })
    }

    /// Reads an entry of `space`: checks form, size and body hash, and computes the id. It does
    /// not verify the signature, because the author's key is in the feed header: call
    /// [`Entry::verify`].
    ///
    /// The entry that created `space` is recognised by its id, which is the space's.
    pub fn decode(bytes: Bytes, space: SpaceId) -> Result<Entry> {
        if bytes.len() > limits::DATA_ENTRY_BYTES {
            return Err(too_large(bytes.len(), limits::DATA_ENTRY_BYTES));
        }
        let mut reader = Reader::new(&bytes, "entry");
        let header = EntryHeader::take(&mut reader)?;
        let header_len = bytes.len() - reader.remaining();
        check_size(&header, bytes.len())?;
        reader.take(SIGNATURE_LEN)?;
        let body = reader.take_rest();
        if u32::try_from(body.len()) != Ok(header.body_len) {
            return Err(Error::protocol("entry: its body has another length"));
        }
        if sha256(&[body]) != header.body_hash {
            return Err(Error::protocol("entry: its body has another hash"));
        }
        let header_bytes = bytes.get(..header_len).unwrap_or_default();
        let mut id = entry_id(space, header_bytes);
        if header.kind == FeedKind::Control && header.seq == 0 && header.ctl.is_empty() {
            let created = entry_id(SpaceId::ZERO, header_bytes);
            if created.0 == space.0 {
                id = created;
            }
        }
        Ok(Entry {
            id,
            header,
            bytes,
            header_len,
        })
    }

    /// Checks that `device` signed this entry (Ed25519 over the id).
    pub fn verify(&self, device: &DeviceKey) -> Result<()> {
        let end = self.header_len + SIGNATURE_LEN;
        let signature = self.bytes.get(self.header_len..end).unwrap_or_default();
        verify_signature(&device.0, self.id.as_bytes(), signature).map_err(|e| e.context("entry"))
    }

    /// The body in plain. A sealed one needs the content key the header names; `key` is ignored
    /// when the body is not sealed.
    pub fn open(&self, key: Option<&ContentKey>) -> Result<Vec<u8>> {
        if self.header.key_id == ContentKeyId::ZERO {
            return Ok(self.body().to_vec());
        }
        let key = key
            .filter(|key| key.id() == self.header.key_id)
            .ok_or_else(|| Error::state("entry: its content key is not at hand"))?;
        let context = self
            .bytes
            .get(..self.header_len.saturating_sub(HASH_LEN))
            .unwrap_or_default();
        key.open(SEAL_DOMAIN, context, self.body())
    }

    /// Exactly the bytes that were made or received.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    fn body(&self) -> &[u8] {
        let start = self.header_len + SIGNATURE_LEN;
        self.bytes.get(start..).unwrap_or_default()
    }
}

/// The id of the space that a genesis entry creates; the entry must have been sealed with
/// [`SpaceId::ZERO`].
pub fn genesis_space_id(entry: &Entry) -> SpaceId {
    SpaceId(entry.id.0)
}

fn entry_id(space: SpaceId, header: &[u8]) -> EntryId {
    EntryId(sha256(&[ID_DOMAIN, space.as_bytes(), header]))
}

fn check_size(header: &EntryHeader, size: usize) -> Result<()> {
    let limit = header.size_limit();
    if size > limit {
        return Err(too_large(size, limit));
    }
    Ok(())
}

fn too_large(size: usize, limit: usize) -> Error {
    Error::limit(format!("entry: {size} bytes, at most {limit} are allowed"))
}

#[cfg(test)]
#[path = "entry_tests.rs"]
mod tests;
