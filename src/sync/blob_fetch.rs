//! Fetching one blob from whichever peers hold it: which blocks are lacking, who was asked for them,
//! and whom not to ask again. No I/O: what is here is behind [`Holdings`], time is an argument.
//!
//! Levels are fetched from the highest down, since a block's hash stands in the one above it; so every
//! block is verified on arrival, whoever sent it, and what is stored need never be asked for again.

use super::blob_wire::{Body, Get, Have, Want};
use crate::model::blob::{BlobRoot, BlobShape, BlockHash, BlockPlaces, block_hash};
use crate::model::{BlobId, DeviceKey, Error, Result};
use bytes::Bytes;
use std::collections::{HashMap, HashSet, VecDeque};

/// Blocks that one peer is asked for at a time, for all blobs together.
pub const WINDOW: usize = 32;
/// Blocks that are asked for together, while others are under way.
pub const BATCH: usize = 8;
/// Milliseconds until a peer that does not hold the blob is asked again; doubled up to 32 times.
const ASK_AGAIN_MS: u64 = 1_000;
/// Milliseconds in which a peer that was asked for blocks has to send one.
const STALL_MS: u64 = 20_000;
/// Milliseconds after which a block may be asked of another peer too, when no other is left to ask for.
const HURRY_MS: u64 = 5_000;

/// What fetching asks of the space.
pub trait Holdings {
    /// What is known of a blob of which something is here, and whether all of it is.
    fn known(&self, id: &BlobId) -> Result<Option<(BlobRoot, bool)>>;
    /// Notes what a blob's id is made of.
    fn expect(&mut self, root: &BlobRoot) -> Result<()>;
    /// The blocks that a group of a level lacks; the group's block of the level above is here.
    fn missing(&mut self, id: &BlobId, level: u8, group: u64) -> Result<Vec<BlockPlaces>>;
    /// Stores a verified block.
    fn put(&mut self, id: &BlobId, places: &BlockPlaces, bytes: &[u8]) -> Result<()>;
}

/// A session with a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Different for each session.
    pub session: u64,
    /// The device behind it.
    pub device: DeviceKey,
}

/// A blob on its way.
pub struct Fetch {
    id: BlobId,
    shape: Option<BlobShape>,
    /// Groups of this level from this one on were not looked at yet.
    level: u8,
    group: u64,
    todo: VecDeque<BlockPlaces>,
    flying: HashMap<BlockHash, Flying>,
    peers: HashMap<u64, PeerSide>,
    /// Devices that sent what the blob does not consist of.
    shunned: HashSet<DeviceKey>,
    whole: bool,
}

struct Flying {
    places: BlockPlaces,
    session: u64,
    since_ms: u64,
}

struct PeerSide {
    /// `None` while it has not answered.
    holds: Option<bool>,
    ask_at_ms: u64,
    wait_ms: u64,
    flying: usize,
    heard_ms: u64,
}

impl Fetch {
    /// A blob to fetch.
    pub fn new(id: BlobId) -> Fetch {
        Fetch {
            id,
            shape: None,
            level: 0,
            group: 0,
            todo: VecDeque::new(),
            flying: HashMap::new(),
            peers: HashMap::new(),
            shunned: HashSet::new(),
            whole: false,
        }
    }

    /// Takes up what is here already. Blocks that are here are not asked for.
    pub fn start(&mut self, holdings: &mut dyn Holdings) -> Result<()> {
        match holdings.known(&self.id)? {
            None => Ok(()),
            Some((_, true)) => {
                self.whole = true;
                Ok(())
            }
            Some((root, false)) => self.begin(&root, holdings),
        }
    }

    fn begin(&mut self, root: &BlobRoot, holdings: &mut dyn Holdings) -> Result<()> {
        let shape = BlobShape::new(root.size)?;
        self.level = shape.top_level();
        self.group = 0;
        self.shape = Some(shape);
        self.look(holdings)
    }

    /// Whether all of the blob is here.
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// Peers that were asked, and those of them that hold the blob.
    pub fn peers(&self) -> (usize, usize) {
        let holders = self.peers.values().filter(|p| p.holds == Some(true));
        (self.peers.len(), holders.count())
    }

    /// Says what a peer is to be asked for now, at most `room` blocks; how many were asked for.
    pub fn poll(
        &mut self,
        peer: &Peer,
        room: usize,
        now_ms: u64,
        holdings: &mut dyn Holdings,
        out: &mut Vec<Body>,
    ) -> Result<Vec<BlockHash>> {
        if self.whole || self.shunned.contains(&peer.device) {
            return Ok(Vec::new());
        }
        let side = self.peers.entry(peer.session).or_insert(PeerSide {
            holds: None,
            ask_at_ms: now_ms,
            wait_ms: ASK_AGAIN_MS,
            flying: 0,
            heard_ms: now_ms,
        });
        if side.flying > 0 && now_ms.saturating_sub(side.heard_ms) > STALL_MS {
            self.lacks(peer.session, now_ms);
            return Ok(Vec::new());
        }
        if side.holds == Some(true) {
            return self.ask_blocks(peer.session, room, now_ms, holdings, out);
        }
        if now_ms >= side.ask_at_ms {
            side.ask_at_ms = now_ms.saturating_add(side.wait_ms);
            side.wait_ms = (side.wait_ms * 2).min(ASK_AGAIN_MS * 32);
            out.push(Body::Want(Want {
                blob: Bytes::copy_from_slice(self.id.as_bytes()),
            }));
        }
        Ok(Vec::new())
    }

    fn ask_blocks(
        &mut self,
        session: u64,
        room: usize,
        now_ms: u64,
        holdings: &mut dyn Holdings,
        out: &mut Vec<Body>,
    ) -> Result<Vec<BlockHash>> {
        let flying = self.peers.get(&session).map_or(0, |side| side.flying);
        let mut hashes = Vec::new();
        if flying > 0 && room < BATCH {
            return Ok(hashes);
        }
        while hashes.len() < room {
            let places = match self.next(holdings)? {
                Some(places) => places,
                None => match self.slow(session, now_ms) {
                    Some(places) => places,
                    None => break,
                },
            };
            if let Some(flight) = self.flying.get_mut(&places.hash) {
                // It recurs in another group while it is under way: it goes there too.
                flight.places.positions.extend(places.positions);
                if self.todo.is_empty() {
                    // A group at a time.
                    break;
                }
                continue;
            }
            hashes.push(places.hash);
            let flight = Flying {
                places,
                session,
                since_ms: now_ms,
            };
            self.flying.insert(flight.places.hash, flight);
        }
        if hashes.is_empty() {
            return Ok(hashes);
        }
        if let Some(side) = self.peers.get_mut(&session) {
            if side.flying == 0 {
                side.heard_ms = now_ms;
            }
            side.flying += hashes.len();
        }
        out.push(Body::Get(Get {
            blob: Bytes::copy_from_slice(self.id.as_bytes()),
            hashes: hashes.iter().map(|h| Bytes::copy_from_slice(h)).collect(),
        }));
        Ok(hashes)
    }

    /// The next block that nobody was asked for.
    fn next(&mut self, holdings: &mut dyn Holdings) -> Result<Option<BlockPlaces>> {
        if self.todo.is_empty() {
            self.look(holdings)?;
        }
        Ok(self.todo.pop_front())
    }

    /// Looks for what is lacking until something is found, something must arrive first, or all is here;
    /// but past one group of a level at a time only, for the space is locked meanwhile. What comes next
    /// is looked at when a peer is polled again.
    fn look(&mut self, holdings: &mut dyn Holdings) -> Result<()> {
        let Some(shape) = &self.shape else {
            return Ok(());
        };
        while self.todo.is_empty() && !self.whole {
            let groups = match self.level == shape.top_level() {
                true => 1,
                false => shape.count(self.level + 1),
            };
            if self.group < groups {
                self.todo
                    .extend(holdings.missing(&self.id, self.level, self.group)?);
                self.group += 1;
                if self.todo.is_empty() && self.group < groups {
                    return Ok(());
                }
            } else if !self.flying.is_empty() {
                return Ok(());
            } else if let Some(below) = self.level.checked_sub(1) {
                self.level = below;
                self.group = 0;
            } else if matches!(holdings.known(&self.id)?, Some((_, true))) {
                self.whole = true;
            } else {
                return Err(Error::not_found(format!(
                    "the blob {} was removed while it was fetched",
                    self.id
                )));
            }
        }
        Ok(())
    }

    /// A block that another peer was asked for a while ago.
    fn slow(&mut self, session: u64, now_ms: u64) -> Option<BlockPlaces> {
        let late = |flight: &Flying| {
            flight.session != session && now_ms.saturating_sub(flight.since_ms) > HURRY_MS
        };
        let hash = *self.flying.iter().find(|(_, flight)| late(flight))?.0;
        self.land(&hash)
    }

    /// Takes a block out of those under way.
    fn land(&mut self, hash: &BlockHash) -> Option<BlockPlaces> {
        let flight = self.flying.remove(hash)?;
        if let Some(side) = self.peers.get_mut(&flight.session) {
            side.flying = side.flying.saturating_sub(1);
        }
        Some(flight.places)
    }

    /// A peer said whether it holds the blob.
    pub fn on_have(
        &mut self,
        peer: &Peer,
        have: &Have,
        now_ms: u64,
        holdings: &mut dyn Holdings,
    ) -> Result<()> {
        let root = have.root()?;
        // An answer to no question changes nothing.
        if !self.peers.contains_key(&peer.session) || self.whole {
            return Ok(());
        }
        let Some(root) = root else {
            self.lacks(peer.session, now_ms);
            return Ok(());
        };
        if root.id() != self.id {
            self.shun(peer);
            return Err(Error::protocol(
                "a peer's blob is not the one that was asked for",
            ));
        }
        if let Some(side) = self.peers.get_mut(&peer.session) {
            side.holds = Some(true);
            side.heard_ms = now_ms;
        }
        if self.shape.is_none() {
            // The size is the blob's own from here on, whoever told it.
            BlobShape::new(root.size)?;
            holdings.expect(&root)?;
            self.begin(&root, holdings)?;
        }
        Ok(())
    }

    /// A peer sent a block that it was asked for, or said that it does not hold it. A block that came
    /// from another meanwhile is dropped.
    pub fn on_sent(
        &mut self,
        peer: &Peer,
        hash: &BlockHash,
        bytes: Option<&[u8]>,
        now_ms: u64,
        holdings: &mut dyn Holdings,
    ) -> Result<()> {
        if let Some(side) = self.peers.get_mut(&peer.session) {
            side.heard_ms = now_ms;
        }
        let waiting = self.land(hash).or_else(|| {
            let at = self.todo.iter().position(|places| places.hash == *hash)?;
            self.todo.remove(at)
        });
        let Some(places) = waiting else {
            return Ok(());
        };
        let Some(bytes) = bytes else {
            self.todo.push_front(places);
            self.lacks(peer.session, now_ms);
            return Ok(());
        };
        if block_hash(places.level, bytes) != *hash {
            self.todo.push_front(places);
            self.shun(peer);
            return Err(Error::protocol("a block of a blob has another hash"));
        }
        holdings.put(&self.id, &places, bytes)?;
        if self.todo.is_empty() && self.flying.is_empty() {
            self.look(holdings)?;
        }
        Ok(())
    }

    /// A peer does not hold the blob, or does not send it: others are asked for what it was asked for.
    fn lacks(&mut self, session: u64, now_ms: u64) {
        self.release(session);
        if let Some(side) = self.peers.get_mut(&session) {
            side.holds = Some(false);
            side.ask_at_ms = side.ask_at_ms.max(now_ms.saturating_add(ASK_AGAIN_MS));
        }
    }

    fn release(&mut self, session: u64) {
        let lost: Vec<BlockHash> = self
            .flying
            .iter()
            .filter(|(_, flight)| flight.session == session)
            .map(|(hash, _)| *hash)
            .collect();
        for hash in lost {
            let places = self.land(&hash);
            self.todo.extend(places);
        }
    }

    fn shun(&mut self, peer: &Peer) {
        self.shunned.insert(peer.device);
        self.forget(peer.session);
    }

    /// A session ended.
    pub fn forget(&mut self, session: u64) {
        self.release(session);
        self.peers.remove(&session);
    }
}

#[cfg(test)]
mod tests;
