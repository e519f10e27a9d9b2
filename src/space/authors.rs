//! Who made a change of an object. Its actor begins with the id of the data feed that carried it, of
//! which every peer makes sure before it takes a change, and the feed's header names the device.

use super::actors::belongs_to;
use super::store::{FeedRecord, Reads};
use crate::feed::{FeedHeader, FeedKind};
use crate::model::{DeviceKey, Error, IdentityKey, Result, SpaceId};
use std::collections::HashMap;

/// The authors of a space's changes, read as they are asked for.
pub struct Authors {
    space: SpaceId,
    feeds: Vec<FeedRecord>,
    known: HashMap<Vec<u8>, (IdentityKey, DeviceKey)>,
}

impl Authors {
    /// Of the space in a store.
    pub fn read(store: &dyn Reads, space: SpaceId) -> Result<Authors> {
        Ok(Authors {
            space,
            feeds: store.feeds()?,
            known: HashMap::new(),
        })
    }

    /// The identity and the device that an actor stands for. Fails with `Corrupt` if no feed is its.
    pub fn of(&mut self, actor: &[u8]) -> Result<(IdentityKey, DeviceKey)> {
        if let Some(known) = self.known.get(actor) {
            return Ok(*known);
        }
        let own = self.feeds.iter().filter(|feed| belongs_to(actor, &feed.id));
        let header = own
            .filter_map(|feed| FeedHeader::decode_known(&feed.header, self.space).ok())
            .find(|header| header.kind == FeedKind::Data)
            .ok_or_else(|| Error::corrupt("a change of an object was made by nobody"))?;
        let author = (header.identity, header.device);
        self.known.insert(actor.to_vec(), author);
        Ok(author)
    }
}
