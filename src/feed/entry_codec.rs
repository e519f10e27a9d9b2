//! The entry header: fixed binary, one form per value.

use super::codec::{Reader, put_varint};
use super::header::FeedKind;
use crate::model::{ContentKeyId, EntryId, Error, FeedId, Result, limits};

const VERSION: u8 = 1;

/// A reference to an entry of another feed. The sequence number lets a peer that no longer holds
/// the entry place it below its snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Dep {
    /// The feed.
    pub feed: FeedId,
    /// The entry's number in it.
    pub seq: u64,
    /// The entry's id.
    pub id: EntryId,
}

impl Dep {
    /// Appends feed, sequence number and id.
    pub fn put(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.feed.as_bytes());
        put_varint(out, self.seq);
        out.extend_from_slice(self.id.as_bytes());
    }

    /// Reads what [`Dep::put`] wrote.
    pub fn take(reader: &mut Reader<'_>) -> Result<Dep> {
        Ok(Dep {
            feed: FeedId(reader.array()?),
            seq: take_seq(reader)?,
            id: EntryId(reader.array()?),
        })
    }
}

/// Everything about an entry but its signature and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryHeader {
    /// The kind of the feed.
    pub kind: FeedKind,
    /// The feed.
    pub feed: FeedId,
    /// The place in the feed, from 0 without gaps.
    pub seq: u64,
    /// The entry before this one in the feed; zero exactly at 0.
    pub prev: EntryId,
    /// Control heads the author knew, rising.
    pub ctl: Vec<EntryId>,
    /// Data entries of other feeds the author had applied, rising. Empty in control feeds.
    pub deps: Vec<Dep>,
    /// The content key of the body; zero: the body is not sealed.
    pub key_id: ContentKeyId,
    /// Random: a cloned device repeats feed and sequence number, never this.
    pub salt: [u8; 16],
    /// Length of the body as sent.
    pub body_len: u32,
    /// SHA-256 of the body as sent.
    pub body_hash: [u8; 32],
}

impl EntryHeader {
    /// The part that keys and authenticates the sealed body: everything but its hash, which is
    /// known only afterwards.
    pub(super) fn sealing_bytes(&self) -> Vec<u8> {
        let size = 128 + self.ctl.len() * 32 + self.deps.len() * 58;
        let mut out = Vec::with_capacity(size);
        out.extend_from_slice(&[VERSION, self.kind as u8]);
        out.extend_from_slice(self.feed.as_bytes());
        put_varint(&mut out, self.seq);
        out.extend_from_slice(self.prev.as_bytes());
        put_varint(&mut out, self.ctl.len() as u64);
        for id in &self.ctl {
            out.extend_from_slice(id.as_bytes());
        }
        put_varint(&mut out, self.deps.len() as u64);
        for dep in &self.deps {
            dep.put(&mut out);
        }
        out.extend_from_slice(self.key_id.as_bytes());
        out.extend_from_slice(&self.salt);
        out.extend_from_slice(&self.body_len.to_le_bytes());
        out
    }

    /// Reads a header and leaves the reader behind it. Errors on any form but the canonical one.
    pub(super) fn take(reader: &mut Reader<'_>) -> Result<EntryHeader> {
        reader.version(VERSION)?;
        let kind = FeedKind::from_byte(reader.u8()?)?;
        let feed = FeedId(reader.array()?);
        let seq = take_seq(reader)?;
        let prev = EntryId(reader.array()?);
        let ctl_count = reader.count(limits::ENTRY_CTL, "control heads")?;
        let ctl = (0..ctl_count)
            .map(|_| reader.array().map(EntryId))
            .collect::<Result<Vec<_>>>()?;
        let dep_count = reader.count(limits::ENTRY_DEPS, "dependencies")?;
        let deps = (0..dep_count)
            .map(|_| Dep::take(reader))
            .collect::<Result<Vec<_>>>()?;
        let header = EntryHeader {
            kind,
            feed,
            seq,
            prev,
            ctl,
            deps,
            key_id: ContentKeyId(reader.array()?),
            salt: reader.array()?,
            body_len: reader.u32()?,
            body_hash: reader.array()?,
        };
        header.check()?;
        Ok(header)
    }

    /// What holds for every entry, made here or received.
    pub(super) fn check(&self) -> Result<()> {
        let refuse = |problem| Err(Error::protocol(format!("entry: {problem}")));
        if self.seq > i64::MAX as u64 {
            return refuse("its sequence number is too large");
        }
        if (self.seq == 0) != (self.prev == EntryId::ZERO) {
            return refuse("only the first of a feed has none before it");
        }
        if self.ctl.len() > limits::ENTRY_CTL || self.deps.len() > limits::ENTRY_DEPS {
            return Err(Error::limit(
                "entry: too many control heads or dependencies",
            ));
        }
        if !rising(&self.ctl) || !rising(&self.deps) {
            return refuse("its references are not in rising order");
        }
        let sealed = self.key_id != ContentKeyId::ZERO;
        match self.kind {
            FeedKind::Control if sealed => refuse("a control entry must not be sealed"),
            FeedKind::Control if !self.deps.is_empty() => {
                refuse("a control entry depends on control entries only")
            }
            FeedKind::Data if !sealed => refuse("a data entry must be sealed"),
            _ => Ok(()),
        }
    }

    /// The largest entry of this kind, in bytes. Control entries other than those that hand out
    /// keys are bounded further where their type is known.
    pub(super) fn size_limit(&self) -> usize {
        match self.kind {
            FeedKind::Control => limits::KEY_ENTRY_BYTES,
            FeedKind::Data => limits::DATA_ENTRY_BYTES,
        }
    }
}

/// SQLite stores sequence numbers as signed 64-bit integers.
fn take_seq(reader: &mut Reader<'_>) -> Result<u64> {
    let seq = reader.varint()?;
    if seq > i64::MAX as u64 {
        return Err(reader.error("a sequence number is too large"));
    }
    Ok(seq)
}

/// Whether the items rise strictly: sorted, and none twice.
pub(crate) fn rising<T: Ord>(items: &[T]) -> bool {
    items.iter().zip(items.iter().skip(1)).all(|(a, b)| a < b)
}
