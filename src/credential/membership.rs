//! A membership: the control entries that lead from the creation of a space to an identity's role.

use super::fault::{broken, form, take_head};
use super::replay::{Replay, Shown};
use super::{VERSION, type_byte};
use crate::feed::codec::{Reader, put_bytes, put_varint};
use crate::feed::{Entry, FeedHeader};
use crate::model::{Error, ErrorKind, IdentityKey, Result, SpaceId, limits};
use bytes::Bytes;

/// An entry with the signed header of its feed, both as they are stored and sent.
pub type Evidence = (Bytes, Bytes);

/// A role, with what shows it. It is signed by nobody in particular: each of the entries is, by
/// whoever wrote it.
#[derive(Clone, Debug)]
pub struct Membership {
    /// The space.
    pub space: SpaceId,
    /// Whose role.
    pub subject: IdentityKey,
    /// What the entries show.
    pub shown: Shown,
    bytes: Vec<u8>,
}

impl Membership {
    /// Puts entries together, parents first, and verifies them as whoever reads them will. Errors
    /// with `LimitExceeded` when there are too many.
    pub fn of(space: SpaceId, subject: IdentityKey, evidence: &[Evidence]) -> Result<Membership> {
        if evidence.len() > limits::MEMBERSHIP_ENTRIES {
            return Err(Error::limit(format!(
                "the role rests on {} entries, and a credential shows at most {}",
                evidence.len(),
                limits::MEMBERSHIP_ENTRIES
            )));
        }
        let mut bytes = vec![type_byte::MEMBERSHIP, VERSION];
        bytes.extend_from_slice(space.as_bytes());
        bytes.extend_from_slice(subject.as_bytes());
        put_varint(&mut bytes, evidence.len() as u64);
        for (header, entry) in evidence {
            bytes.extend_from_slice(header);
            put_bytes(&mut bytes, entry);
        }
        if bytes.len() > limits::CREDENTIAL_BYTES {
            return Err(Error::limit(format!(
                "the entries that the role rests on have {} bytes, and a credential at most {}",
                bytes.len(),
                limits::CREDENTIAL_BYTES
            )));
        }
        Membership::decode(&bytes)
    }

    /// Reads a membership and verifies its entries.
    pub(super) fn decode(bytes: &[u8]) -> Result<Membership> {
        let mut reader = Reader::new(bytes, "membership credential");
        take_head(&mut reader, type_byte::MEMBERSHIP)?;
        let space = SpaceId(reader.array().map_err(form)?);
        let subject = IdentityKey(reader.array().map_err(form)?);
        let count = reader
            .count(limits::MEMBERSHIP_ENTRIES, "entries")
            .map_err(form)?;
        let mut evidence = Vec::with_capacity(count);
        for _ in 0..count {
            let header = reader.take(FeedHeader::ENCODED_LEN).map_err(form)?;
            let entry = reader.bytes(limits::CONTROL_ENTRY_BYTES).map_err(form)?;
            evidence.push((header, entry));
        }
        reader.finish().map_err(form)?;
        let mut replay = Replay::new(space);
        for (at, (header, entry)) in evidence.into_iter().enumerate() {
            let place = format!("entry {} of the membership", at + 1);
            let header = FeedHeader::decode(header, space).map_err(|e| fault(e, &place))?;
            let entry = Bytes::copy_from_slice(entry);
            let entry = Entry::decode(entry, space).map_err(|e| fault(e, &place))?;
            entry.verify(&header.device).map_err(|e| fault(e, &place))?;
            replay
                .take(&entry, &header)
                .map_err(|reason| broken(format!("{place}: {reason}")))?;
        }
        let shown = replay.finish(&subject).map_err(broken)?;
        Ok(Membership {
            space,
            subject,
            shown,
            bytes: bytes.to_vec(),
        })
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// What is wrong with an entry breaks the chain, unless a newer version wrote it.
fn fault(error: Error, place: &str) -> Error {
    match error.kind() {
        ErrorKind::UnsupportedVersion => error.context(place),
        _ => broken(format!("{place}: {}", error.detail())),
    }
}
