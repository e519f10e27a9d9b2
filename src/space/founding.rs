//! How a space comes to be on this device: founded here, or joined.

use super::own_feed::OwnFeed;
use super::space_core::{Entropy, SpaceCore, meta};
use super::store::{Commit, EntryStatus, NewEntry, NewFeed, Store};
use crate::authority::ControlOp;
use crate::feed::{Entry, FeedHeader, FeedKind, genesis_space_id};
use crate::identity::Keyring;
use crate::model::{Result, SpaceId};
use std::sync::Arc;

/// The first entry of a space that is about to be made. The space's id is its hash, so it is made
/// before there is a place to store it.
pub struct Founding {
    /// The new space's id.
    pub space: SpaceId,
    incarnation: [u8; 16],
    feed: OwnFeed,
    entry: Entry,
}

impl Founding {
    /// Makes the genesis entry: `keyring`'s identity is the owner, its device the first member.
    pub fn new(
        keyring: &Keyring,
        display_name: &str,
        random: &mut dyn FnMut(&mut [u8]),
    ) -> Result<Founding> {
        let mut incarnation = [0; 16];
        random(&mut incarnation);
        let mut nonce = [0; 16];
        random(&mut nonce);
        let mut salt = [0; 16];
        random(&mut salt);
        let header = FeedHeader {
            kind: FeedKind::Control,
            space: SpaceId::ZERO,
            identity: keyring.identity_key(),
            device: keyring.device_key(),
            incarnation,
        };
        let feed = OwnFeed::new(&header, keyring.device_signer());
        let op = ControlOp::Genesis {
            creator: keyring.identity_key(),
            certificate: keyring.chain().encode(),
            display_name: display_name.to_owned(),
            nonce,
        };
        let signer = keyring.device_signer();
        let body = op.encode();
        let draft = feed.draft(vec![], vec![], salt, &body);
        let entry = Entry::seal(draft, None, SpaceId::ZERO, signer)?;
        Ok(Founding {
            space: genesis_space_id(&entry),
            incarnation,
            feed,
            entry,
        })
    }
}

impl SpaceCore {
    /// Stores a new space and opens it, with its first content key.
    pub fn found(
        founding: Founding,
        mut store: Box<dyn Store>,
        keyring: Arc<Keyring>,
        random: Entropy,
        now_ms: u64,
    ) -> Result<SpaceCore> {
        store.put_meta(meta::INCARNATION, &founding.incarnation)?;
        store.put_meta(meta::GENESIS, founding.feed.id.as_bytes())?;
        store.commit(&Commit {
            feed: Some(NewFeed {
                id: founding.feed.id,
                header: &founding.feed.header,
                kind: FeedKind::Control,
            }),
            entry: NewEntry {
                id: founding.entry.id,
                feed: founding.feed.id,
                seq: 0,
                bytes: founding.entry.bytes(),
            },
            status: EntryStatus::Applied,
            reason: None,
            actors: &[],
            objects: &[],
            meta: &[],
        })?;
        let mut core = SpaceCore::open(founding.space, store, keyring, random)?;
        core.rotate_key()?;
        core.note_own_key(now_ms)?;
        Ok(core)
    }

    /// Opens a space that this device is about to join: empty but for a fresh incarnation. The
    /// control entries of the admission come next, through [`SpaceCore::ingest`].
    pub fn join(
        space: SpaceId,
        mut store: Box<dyn Store>,
        keyring: Arc<Keyring>,
        mut random: Entropy,
    ) -> Result<SpaceCore> {
        let mut incarnation = [0; 16];
        random(&mut incarnation);
        store.put_meta(meta::INCARNATION, &incarnation)?;
        SpaceCore::open(space, store, keyring, random)
    }
}
