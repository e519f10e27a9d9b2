//! The log of a space: its transactions, each with who made it, when, and on what.

use super::space_core::SpaceCore;
use crate::feed::{DataBody, Entry};
use crate::model::{DeviceKey, EntryId, Error, IdentityKey, ObjectId, Result, limits};
use crate::objects::{hash_of, look};
use std::collections::BTreeMap;

/// One transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// The entry that carries it.
    pub entry: EntryId,
    /// Its author's device, which signed it.
    pub device: DeviceKey,
    /// Whose device that is.
    pub identity: IdentityKey,
    /// Its author's clock, in milliseconds since 1970: a claim, not a fact.
    pub clock_ms: u64,
    /// Its message.
    pub message: Option<String>,
    /// The objects that it changed, in id order, each with the version that it made of it.
    pub objects: Vec<(ObjectId, [u8; 32])>,
    /// If its author was denied: the member who had built on it in good standing, so that it counts.
    pub endorsed_by: Option<IdentityKey>,
}

impl SpaceCore {
    /// The transactions that arrived before the entry `before`, or all, the last to arrive first,
    /// at most `limit`. Fails with `NotFound` if that entry is not here.
    pub fn log(&self, limit: usize, before: Option<EntryId>) -> Result<Vec<Logged>> {
        if limit > limits::LOG_ENTRIES {
            return Err(Error::limit(format!(
                "one reading of the log gives at most {} transactions, not {limit}",
                limits::LOG_ENTRIES
            )));
        }
        let arrival = match before {
            None => i64::MAX,
            Some(id) => {
                let entry = self.store.entry(&id)?;
                let absent = || Error::not_found(format!("the space has no entry {id}"));
                entry.ok_or_else(absent)?.n
            }
        };
        let entries = self.store.applied_before(arrival, limit)?.into_iter();
        entries
            .map(|stored| self.logged(Entry::decode(stored.bytes, self.id)?))
            .collect()
    }

    fn logged(&self, entry: Entry) -> Result<Logged> {
        let absent = |what| Error::corrupt(format!("entry {} lacks its {what}", entry.id));
        let header = &entry.header;
        let feed = self.feeds.get(&header.feed).ok_or_else(|| absent("feed"))?;
        let key = self
            .held_keys()
            .get(&header.key_id)
            .ok_or_else(|| absent("key"))?;
        let body = DataBody::decode(&entry.open(Some(key))?)?;
        let mut message = None;
        let mut objects = BTreeMap::new();
        for (object, change) in &body.changes {
            // Of several changes of an object each builds on the one before.
            objects.insert(*object, hash_of(change)?);
            // The last change of an object has the message, the same for all.
            if message.is_none() {
                message = look(change)?.message;
            }
        }
        Ok(Logged {
            entry: entry.id,
            device: feed.header.device,
            identity: feed.header.identity,
            clock_ms: body.clock_ms,
            message,
            objects: objects.into_iter().collect(),
            endorsed_by: self.endorser(&entry.id)?,
        })
    }
}
