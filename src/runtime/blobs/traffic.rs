//! Blobs on one session: what was asked of the peer, and what it asked for.

use super::fetches::FetchHandle;
use crate::model::blob::{BLOCK_BYTES, BlobRoot, BlockHash, BlockPlaces};
use crate::model::{BlobId, DeviceKey, Error, ErrorKind, Result, limits};
use crate::runtime::clock;
use crate::runtime::space_host::SpaceHost;
use crate::space::SpaceCore;
use crate::sync::blob_fetch::{BATCH, Holdings, Peer, WINDOW};
use crate::sync::blob_wire::{self, BlobMessage, Body, Get, Have, Sent, Want};
use crate::sync::wire::{self, Message, SpaceTag, space_tag};
use bytes::Bytes;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// Blocks asked of one peer and not answered, however often and of whom else they were asked since:
/// a peer that answers none is asked no more.
const UNANSWERED: usize = 1024;

static SESSIONS: AtomicU64 = AtomicU64::new(0);

/// The blobs of one session.
pub struct BlobTraffic {
    peer: Peer,
    /// How many times each block was asked for and not answered.
    asked: Mutex<HashMap<BlockHash, u32>>,
    /// What the peer asked for, in order.
    serving: Mutex<VecDeque<Asked>>,
    more: Notify,
    turn: AtomicUsize,
}

/// A block that the peer asked for.
pub struct Asked {
    tag: SpaceTag,
    /// `None` of a space that is not here.
    space: Option<Arc<SpaceHost>>,
    blob: Bytes,
    hash: BlockHash,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl BlobTraffic {
    /// Of a session with a device.
    pub fn new(device: DeviceKey) -> BlobTraffic {
        BlobTraffic {
            peer: Peer {
                session: SESSIONS.fetch_add(1, Ordering::Relaxed),
                device,
            },
            asked: Mutex::default(),
            serving: Mutex::default(),
            more: Notify::new(),
            turn: AtomicUsize::new(0),
        }
    }

    /// The next block to be sent.
    pub fn next(&self) -> Option<Asked> {
        lock(&self.serving).pop_front()
    }

    /// Returns when there may be one.
    pub async fn asked(&self) {
        self.more.notified().await;
    }

    /// The session ends: what the peer was asked for is asked of others.
    pub fn end(&self, spaces: &[Arc<SpaceHost>]) {
        for space in spaces {
            for fetch in space.fetches().running() {
                fetch.forget(self.peer.session);
            }
            if !space.fetches().is_idle() {
                space.wake_sessions();
            }
        }
    }

    /// Says what the peer is to be asked for.
    pub fn poll(&self, space: &SpaceHost, out: &mut Vec<BlobMessage>) {
        if space.fetches().is_idle() {
            return;
        }
        // A space that was closed meanwhile has ended its fetches.
        let _ = space.with(|core| {
            if !core.peer_may_have_blobs(&self.peer.device) {
                return Ok(());
            }
            let fetches = space.fetches().running();
            // Each time another one goes first, and none takes all of the window from the others.
            let first = self.turn.fetch_add(1, Ordering::Relaxed) % fetches.len().max(1);
            let share = if fetches.len() > 1 { BATCH } else { WINDOW };
            let (before, after) = fetches.split_at_checked(first).unwrap_or((&fetches, &[]));
            for fetch in after.iter().chain(before) {
                self.poll_one(fetch, share, core, out);
            }
            Ok(())
        });
    }

    fn poll_one(
        &self,
        fetch: &FetchHandle,
        share: usize,
        core: &mut SpaceCore,
        out: &mut Vec<BlobMessage>,
    ) {
        let mut asked = lock(&self.asked);
        let unanswered: usize = asked.values().map(|n| *n as usize).sum();
        let room = match asked.len() {
            len if len < WINDOW && unanswered < UNANSWERED => share.min(WINDOW - len),
            _ => 0,
        };
        let mut bodies = Vec::new();
        let now = clock::monotonic_ms();
        let hashes = fetch.machine().poll(
            &self.peer,
            room,
            now,
            &mut CoreHoldings::new(core),
            &mut bodies,
        );
        match hashes {
            Ok(hashes) => hashes
                .into_iter()
                .for_each(|hash| *asked.entry(hash).or_default() += 1),
            Err(error) => return fetch.fail(&error),
        }
        drop(asked);
        out.extend(bodies.into_iter().map(message));
        if fetch.asked() {
            fetch.settle(core);
        }
    }

    /// Takes a message, also while the space is closed, for what was asked for must be ticked off;
    /// only what breaks the protocol fails.
    pub fn take(
        &self,
        space: &Arc<SpaceHost>,
        handshake: &[u8; 32],
        message: BlobMessage,
        out: &mut Vec<BlobMessage>,
    ) -> Result<()> {
        match message.body {
            None => Ok(()),
            Some(Body::Want(want)) => self.on_want(space, &want, out),
            Some(Body::Get(get)) => {
                let tag = space_tag(&space.id(), handshake);
                self.on_get(tag, Some(space), &get)
            }
            Some(Body::Have(have)) => self.on_have(space, &have, out),
            Some(Body::Sent(sent)) => self.on_sent(space, &sent, out),
        }
    }

    /// Takes a message of a space that is not here, or no longer: what the peer was asked for is ticked
    /// off, and what it asks for is not here.
    pub fn take_of_none(&self, tag: &SpaceTag, message: &BlobMessage) -> Result<()> {
        match &message.body {
            Some(Body::Get(get)) => self.on_get(*tag, None, get),
            Some(Body::Sent(sent)) => {
                let hash = blob_wire::block(&sent.hash)?;
                // Whether it was asked for is not held against the peer, nor is the rest.
                let _ = self.answered(&hash);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// How many blocks were asked of the peer and not answered.
    #[cfg(test)]
    pub fn unanswered(&self) -> usize {
        lock(&self.asked).values().map(|n| *n as usize).sum()
    }

    fn on_want(&self, space: &SpaceHost, want: &Want, out: &mut Vec<BlobMessage>) -> Result<()> {
        let id = blob_wire::blob(&want.blob)?;
        let answer = unless_closed(space.with(|core| {
            if !core.peer_may_have_blobs(&self.peer.device) {
                return Ok(None);
            }
            let whole = core.blob(&id)?.filter(|row| row.is_whole());
            Ok(Some(Have::new(&id, whole.map(|row| row.root).as_ref())))
        }));
        out.extend(answer.flatten().map(|have| message(Body::Have(have))));
        Ok(())
    }

    fn on_get(&self, tag: SpaceTag, space: Option<&Arc<SpaceHost>>, get: &Get) -> Result<()> {
        let mut serving = lock(&self.serving);
        if serving.len() + get.hashes.len() > limits::BLOB_BLOCKS_ASKED {
            return Err(Error::protocol(
                "a peer asks for more blocks of blobs than it takes",
            ));
        }
        blob_wire::blob(&get.blob)?;
        for hash in &get.hashes {
            serving.push_back(Asked {
                tag,
                space: space.cloned(),
                blob: get.blob.clone(),
                hash: blob_wire::block(hash)?,
            });
        }
        drop(serving);
        self.more.notify_one();
        Ok(())
    }

    fn on_have(&self, space: &SpaceHost, have: &Have, out: &mut Vec<BlobMessage>) -> Result<()> {
        let Some(fetch) = space.fetches().get(&blob_wire::blob(&have.blob)?) else {
            return Ok(());
        };
        let taken = space.with(|core| {
            let now = clock::monotonic_ms();
            let mut holdings = CoreHoldings::new(core);
            let taken = fetch
                .machine()
                .on_have(&self.peer, have, now, &mut holdings);
            fetch.settle(core);
            taken
        });
        self.after(space, &fetch, taken, out)
    }

    fn on_sent(&self, space: &SpaceHost, sent: &Sent, out: &mut Vec<BlobMessage>) -> Result<()> {
        let hash = blob_wire::block(&sent.hash)?;
        self.answered(&hash)?;
        let bytes = sent.bytes.as_deref();
        if bytes.is_some_and(|bytes| bytes.len() > BLOCK_BYTES) {
            return Err(Error::protocol("a block of a blob is too large"));
        }
        let Some(fetch) = space.fetches().get(&blob_wire::blob(&sent.blob)?) else {
            // It was cancelled, or is whole.
            return Ok(());
        };
        let taken = space.with(|core| {
            let now = clock::monotonic_ms();
            let mut holdings = CoreHoldings::new(core);
            let taken = fetch
                .machine()
                .on_sent(&self.peer, &hash, bytes, now, &mut holdings);
            fetch.settle(core);
            taken
        });
        self.after(space, &fetch, taken, out)
    }

    /// Notes that the peer sent a block. One that it was not asked for ends the session.
    fn answered(&self, hash: &BlockHash) -> Result<()> {
        let mut asked = lock(&self.asked);
        match asked.get_mut(hash) {
            None => {
                return Err(Error::protocol(
                    "a peer sends a block of a blob that it was not asked for",
                ));
            }
            Some(1) => drop(asked.remove(hash)),
            Some(times) => *times -= 1,
        }
        Ok(())
    }

    /// Only what the peer did wrong ends the session; what else fails ends the fetch.
    fn after(
        &self,
        space: &SpaceHost,
        fetch: &FetchHandle,
        taken: Result<()>,
        out: &mut Vec<BlobMessage>,
    ) -> Result<()> {
        match taken {
            Err(error) if error.kind() == ErrorKind::Protocol => return Err(error),
            Err(error) if error.kind() == ErrorKind::InvalidState => return Ok(()),
            Err(error) => fetch.fail(&error),
            Ok(()) => {}
        }
        self.poll(space, out);
        Ok(())
    }
}

impl Asked {
    /// The answer's bytes; nothing for a peer that may not have it. Of a space that was closed, and of
    /// a block that cannot be read, it says that it is not here: the peer counts what it is owed.
    pub fn answer(self, device: &DeviceKey) -> Option<Vec<u8>> {
        let found = self.space.as_ref().map(|space| {
            space.with(|core| {
                if !core.peer_may_have_blobs(device) {
                    return Ok(None);
                }
                core.block(&self.hash).map(Some)
            })
        });
        let bytes = found.and_then(Result::ok).unwrap_or(Some(None))?;
        let sent = Sent {
            blob: self.blob,
            hash: Bytes::copy_from_slice(&self.hash),
            bytes: bytes.map(Bytes::from),
        };
        let message = Message::new(&self.tag, wire::Body::Blob(message(Body::Sent(sent))));
        Some(message.to_bytes())
    }
}

/// What fails here is no fault of the peer: it gets no answer, and asks another.
fn unless_closed<T>(result: Result<T>) -> Option<T> {
    result.ok()
}

fn message(body: Body) -> BlobMessage {
    BlobMessage { body: Some(body) }
}

/// A space as fetching sees it.
pub(super) struct CoreHoldings<'a> {
    core: &'a mut SpaceCore,
}

impl<'a> CoreHoldings<'a> {
    pub(super) fn new(core: &'a mut SpaceCore) -> Self {
        CoreHoldings { core }
    }
}

impl Holdings for CoreHoldings<'_> {
    fn known(&self, id: &BlobId) -> Result<Option<(BlobRoot, bool)>> {
        let row = self.core.blob(id)?;
        Ok(row.map(|row| (row.root, row.is_whole())))
    }

    fn expect(&mut self, root: &BlobRoot) -> Result<()> {
        self.core.expect_blob(root, clock::now_ms()).map(drop)
    }

    fn missing(&mut self, id: &BlobId, level: u8, group: u64) -> Result<Vec<BlockPlaces>> {
        self.core.missing_blocks(id, level, group)
    }

    fn put(&mut self, id: &BlobId, places: &BlockPlaces, bytes: &[u8]) -> Result<()> {
        self.core.put_block(id, places, bytes)
    }
}
