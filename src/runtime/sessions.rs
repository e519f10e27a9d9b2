//! Sessions with authenticated peers: one a device, shared by all spaces.

use super::blobs::BlobTraffic;
use super::clock;
use super::executor;
use super::intake::{Taken, take_in};
use super::secure_link::SecureLink;
use super::session_source::CoreSource;
use super::space_host::SpaceHost;
use super::transport::Link;
use crate::identity::{DeviceCertificate, DeviceChain, Keyring};
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, Result, SpaceId, limits};
use crate::runtime::log::Log;
use crate::space::SpaceCore;
use crate::sync::blob_wire::BlobMessage;
use crate::sync::peer_proof::PeerProof;
use crate::sync::replicator::{Delivery, Replicator};
use crate::sync::wire::{Body, Close, Message, Open, SpaceTag, space_tag};
use bytes::Bytes;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// Time for the exchange of proofs.
const PROOF_TIME: Duration = Duration::from_secs(15);
/// How often a session does what is due.
const TICK: Duration = Duration::from_millis(200);
/// Silence after which a sign of life is sent, in milliseconds.
const KEEP_ALIVE_MS: u64 = 5_000;
/// Silence after which the peer is given up, in milliseconds.
const SILENCE_MS: u64 = 20_000;
/// Bytes that may wait to be sent. The replication window keeps entries far below; only a peer that
/// asks without reading gets here.
const OUTBOX_BYTES: usize = 8 * 1024 * 1024;
/// Spaces that are not here of which it is kept that the peer holds them.
const UNKNOWN: usize = 1024;

/// An authenticated peer.
pub struct PeerSession {
    device: DeviceKey,
    identity: IdentityKey,
    link: SecureLink,
    shared: Mutex<Shared>,
    blobs: BlobTraffic,
    /// Something was stored, or a space was opened or closed.
    changed: Notify,
    outbox: mpsc::UnboundedSender<Vec<u8>>,
    outbox_bytes: Arc<AtomicUsize>,
    last_sent_ms: AtomicU64,
}

/// What a session keeps of the spaces that both sides may hold.
#[derive(Default)]
struct Shared {
    /// Those that are open here. With each, which of its openings it belongs to: what a peer sent
    /// while the space was closed was not taken, so that a later opening begins anew.
    replicators: HashMap<SpaceId, (u64, Replicator)>,
    /// The peer's word that it holds a space, of spaces that are closed here: it is said once.
    offers: HashMap<SpaceId, Open>,
    /// Likewise of spaces that are not here at all: this device may come to hold them while the
    /// session lasts.
    unknown: HashMap<SpaceTag, Open>,
}

impl Shared {
    fn replicator(&mut self, space: &SpaceId) -> Option<&mut Replicator> {
        self.replicators.get_mut(space).map(|(_, found)| found)
    }
}

/// What sessions ask of the client.
pub trait Sessions: Send + Sync + 'static {
    /// The device's keys.
    fn keyring(&self) -> Option<Arc<Keyring>>;
    /// All spaces, open and closed.
    fn all_spaces(&self) -> Vec<Arc<SpaceHost>>;
    /// A peer is there; an older session with the same device is to end.
    fn joined(&self, session: &Arc<PeerSession>);
    /// It is gone.
    fn left(&self, session: &Arc<PeerSession>);
    /// Members or keys of a space changed.
    fn control_changed(&self, space: &Arc<SpaceHost>);
    /// Counts traffic.
    fn count(&self, sent: u64, received: u64);
    /// The log.
    fn log(&self) -> &Log;
}

/// Runs a session on a fresh link until either side ends it.
pub async fn run(node: Arc<dyn Sessions>, link: Arc<dyn Link>) {
    if let Err(error) = try_run(&node, &link).await {
        node.log()
            .debug("session", || format!("a session ended: {error}"));
    }
    link.close().await;
    node.log().debug("session", || {
        format!(
            "a link is closed: {} bytes sent, {} received",
            link.bytes_sent(),
            link.bytes_received()
        )
    });
}

async fn try_run(node: &Arc<dyn Sessions>, link: &Arc<dyn Link>) -> Result<()> {
    let secure = SecureLink::establish(Arc::clone(link)).await?;
    let keyring = node
        .keyring()
        .ok_or_else(|| Error::state("there is no identity"))?;
    let certificate = exchange_proofs(&secure, &keyring).await?;
    if certificate.device == keyring.device_key() {
        return Err(Error::protocol("the peer is this very device"));
    }
    let (outbox, waiting) = mpsc::unbounded_channel();
    let session = Arc::new(PeerSession {
        device: certificate.device,
        identity: certificate.identity,
        link: secure,
        shared: Mutex::default(),
        blobs: BlobTraffic::new(certificate.device),
        changed: Notify::new(),
        outbox,
        outbox_bytes: Arc::default(),
        last_sent_ms: AtomicU64::new(clock::monotonic_ms()),
    });
    node.log()
        .info("session", || format!("connected to {:?}", session.device));
    node.joined(&session);
    let _leaving = Leaving(node, &session);
    tokio::select! {
        result = session.write_out(node, waiting) => result,
        result = session.serve(node) => result,
    }
}

/// Takes the session off the list when it ends, by whatever: a panic too must not leave a peer
/// behind that looks connected.
struct Leaving<'a>(&'a Arc<dyn Sessions>, &'a Arc<PeerSession>);

impl Drop for Leaving<'_> {
    fn drop(&mut self) {
        self.0.left(self.1);
        self.1.blobs.end(&self.0.all_spaces());
    }
}

/// Each side proves its device on this very session. Nothing else is said before.
async fn exchange_proofs(link: &SecureLink, keyring: &Keyring) -> Result<DeviceCertificate> {
    let initiator = link.link().initiator();
    let own = PeerProof::create(&keyring.chain().encode(), link.hash(), initiator, |bytes| {
        keyring.device_signer().sign(bytes)
    })?;
    let exchange = async {
        link.send(&own.encode()).await?;
        link.recv().await
    };
    let received = tokio::time::timeout(PROOF_TIME, exchange)
        .await
        .map_err(|_| Error::new(ErrorKind::TimedOut, "the peer did not prove its device"))??;
    let proof = PeerProof::decode(&received)?;
    let chain = DeviceChain::decode(proof.certificate())?;
    let certificate = chain.certificate().clone();
    proof.verify(&certificate.device, link.hash(), !initiator)?;
    Ok(certificate)
}

impl PeerSession {
    /// The peer's device.
    pub fn device(&self) -> DeviceKey {
        self.device
    }

    /// The peer's identity.
    pub fn identity(&self) -> IdentityKey {
        self.identity
    }

    /// Says that something was stored, or that a space was opened or closed.
    pub fn wake(&self) {
        self.changed.notify_one();
    }

    /// Ends the session.
    pub async fn close(&self) {
        self.link.close().await;
    }

    /// What the peer has not confirmed and what we lack, of one space; `None` if it is not shared.
    pub fn difference(&self, core: &SpaceCore) -> Option<(u64, u64)> {
        let mut shared = self.lock();
        let replicator = shared.replicator(&core.id())?;
        Some(replicator.difference(&self.source(core)))
    }

    /// How many entries of a space the peer has and we lack; `None` if it is not shared, or the peer
    /// has not said yet what it holds.
    pub fn missing(&self, core: &SpaceCore) -> Option<u64> {
        let mut shared = self.lock();
        let replicator = shared.replicator(&core.id())?;
        let known = replicator.knows_heights();
        known.then(|| replicator.difference(&self.source(core)).1)
    }

    /// How many blocks of blobs the peer was asked for and has not answered.
    #[cfg(test)]
    pub fn owed_blocks(&self) -> usize {
        self.blobs.unanswered()
    }

    /// How many feeds are remembered for the peer, in all tables of all spaces.
    #[cfg(test)]
    pub fn remembered_feeds(&self) -> usize {
        let shared = self.lock();
        let replicators = shared.replicators.values();
        replicators.map(|(_, r)| r.remembered_feeds()).sum()
    }

    fn lock(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn source<'a>(&self, core: &'a SpaceCore) -> CoreSource<'a> {
        CoreSource {
            core,
            peer: self.device,
        }
    }

    async fn write_out(
        &self,
        node: &Arc<dyn Sessions>,
        mut waiting: mpsc::UnboundedReceiver<Vec<u8>>,
    ) -> Result<()> {
        loop {
            // A message and a block of a blob in turn: neither holds the other up for long, and a
            // block is read only when the link takes it.
            let message = match waiting.try_recv() {
                Ok(message) => Some(message),
                Err(mpsc::error::TryRecvError::Empty) => None,
                Err(mpsc::error::TryRecvError::Disconnected) => return Ok(()),
            };
            let block = self.blobs.next();
            let idle = message.is_none() && block.is_none();
            if let Some(message) = message {
                self.send_out(node, &message).await?;
            }
            if let Some(asked) = block
                && let Some(block) = executor::blocking(|| asked.answer(&self.device))
            {
                self.transmit(node, &block).await?;
            }
            if idle {
                tokio::select! {
                    message = waiting.recv() => match message {
                        Some(message) => self.send_out(node, &message).await?,
                        None => return Ok(()),
                    },
                    () = self.blobs.asked() => {}
                }
            }
        }
    }

    /// Sends a message of the outbox.
    async fn send_out(&self, node: &Arc<dyn Sessions>, message: &[u8]) -> Result<()> {
        self.outbox_bytes
            .fetch_sub(message.len(), Ordering::Relaxed);
        self.transmit(node, message).await
    }

    async fn transmit(&self, node: &Arc<dyn Sessions>, message: &[u8]) -> Result<()> {
        self.last_sent_ms
            .store(clock::monotonic_ms(), Ordering::Relaxed);
        self.link.send(message).await?;
        node.count(message.len() as u64, 0);
        Ok(())
    }

    fn post(&self, messages: Vec<Message>) -> Result<()> {
        for message in messages {
            let bytes = message.to_bytes();
            let waiting = self.outbox_bytes.fetch_add(bytes.len(), Ordering::Relaxed);
            if waiting > OUTBOX_BYTES {
                return Err(Error::protocol("the peer asks for more than it takes"));
            }
            // The writer ends only with the session.
            let _ = self.outbox.send(bytes);
        }
        Ok(())
    }

    async fn serve(&self, node: &Arc<dyn Sessions>) -> Result<()> {
        let mut last_heard = clock::monotonic_ms();
        let mut seen: HashMap<SpaceId, u64> = HashMap::new();
        executor::blocking(|| self.look_around(node, &mut seen))?;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        // Kept over the other branches: a receive that is cut off midway would lose a frame.
        let mut receiving = Box::pin(self.link.recv());
        loop {
            tokio::select! {
                message = &mut receiving => {
                    let message = message?;
                    receiving = Box::pin(self.link.recv());
                    last_heard = clock::monotonic_ms();
                    node.count(0, message.len() as u64);
                    executor::blocking(|| self.take(node, Bytes::from(message)))?;
                }
                () = self.changed.notified() => {
                    executor::blocking(|| self.look_around(node, &mut seen))?;
                }
                _ = tick.tick() => {
                    let now = clock::monotonic_ms();
                    if now.saturating_sub(last_heard) > SILENCE_MS {
                        return Err(Error::new(ErrorKind::TimedOut, "the peer fell silent"));
                    }
                    if now.saturating_sub(self.last_sent_ms.load(Ordering::Relaxed)) > KEEP_ALIVE_MS {
                        self.post(vec![Message::default()])?;
                    }
                    executor::blocking(|| self.tick(node, now))?;
                }
            }
        }
    }

    /// Begins with spaces that were opened, forgets ones that were closed, and sends what is new.
    fn look_around(
        &self,
        node: &Arc<dyn Sessions>,
        seen: &mut HashMap<SpaceId, u64>,
    ) -> Result<()> {
        let spaces = node.all_spaces();
        self.forget_closed(&spaces)?;
        for space in spaces {
            let Some(opening) = space.opening() else {
                continue;
            };
            let mut out = Vec::new();
            let looked = space.with(|core| {
                if seen.insert(core.id(), core.generation()) == Some(core.generation())
                    && self.lock().replicators.contains_key(&core.id())
                {
                    return Ok(());
                }
                self.pump(core, opening, &mut out)
            });
            unless_closed(looked)?;
            self.post(out)?;
            self.ask_for_blobs(&space)?;
        }
        Ok(())
    }

    /// Asks the peer for what is wanted of blobs.
    fn ask_for_blobs(&self, space: &SpaceHost) -> Result<()> {
        let mut out = Vec::new();
        self.blobs.poll(space, &mut out);
        self.post_blobs(space, out)
    }

    fn post_blobs(&self, space: &SpaceHost, out: Vec<BlobMessage>) -> Result<()> {
        let tag = space_tag(&space.id(), self.link.hash());
        let messages = out.into_iter();
        self.post(
            messages
                .map(|message| Message::new(&tag, Body::Blob(message)))
                .collect(),
        )
    }

    /// Drops what is kept of spaces that are closed, or were closed and opened again, and tells the
    /// peer, which drops its part.
    fn forget_closed(&self, spaces: &[Arc<SpaceHost>]) -> Result<()> {
        let open: HashMap<SpaceId, u64> = spaces
            .iter()
            .filter_map(|space| Some((space.id(), space.opening()?)))
            .collect();
        let mut out = Vec::new();
        let mut shared = self.lock();
        shared.replicators.retain(|id, (opening, _)| {
            let same = open.get(id) == Some(opening);
            if !same {
                let tag = space_tag(id, self.link.hash());
                out.push(Message::new(&tag, Body::Close(Close {})));
            }
            same
        });
        shared
            .offers
            .retain(|id, _| spaces.iter().any(|space| space.id() == *id));
        drop(shared);
        self.post(out)
    }

    fn pump(&self, core: &SpaceCore, opening: u64, out: &mut Vec<Message>) -> Result<()> {
        let source = self.source(core);
        let mut shared = self.lock();
        if let Some(replicator) = shared.replicator(&core.id()) {
            return replicator.pump(&source, out);
        }
        let tag = space_tag(&core.id(), self.link.hash());
        let mut replicator = Replicator::new(tag, &source, out);
        let unknown = shared.unknown.remove(&tag);
        if let Some(offer) = shared.offers.remove(&core.id()).or(unknown) {
            replicator.receive(Body::Open(offer), &source, out)?;
        }
        shared.replicators.insert(core.id(), (opening, replicator));
        Ok(())
    }

    fn tick(&self, node: &Arc<dyn Sessions>, now_ms: u64) -> Result<()> {
        for space in node.all_spaces() {
            let mut out = Vec::new();
            let ticked = space.with(|core| {
                if let Some(replicator) = self.lock().replicator(&core.id()) {
                    replicator.tick(now_ms, &self.source(core), &mut out);
                }
                Ok(())
            });
            if ticked.is_ok() {
                self.post(out)?;
                self.ask_for_blobs(&space)?;
            }
        }
        Ok(())
    }

    fn take(&self, node: &Arc<dyn Sessions>, bytes: Bytes) -> Result<()> {
        let message = Message::from_bytes(bytes)?;
        let (Some(tag), Some(body)) = (message.tag(), message.body) else {
            return Ok(());
        };
        let Some(space) = self.find(node, &tag) else {
            // Of a space that was deleted meanwhile, what either side is owed still counts.
            if let Body::Blob(message) = &body {
                return self.blobs.take_of_none(&tag, message);
            }
            self.note_unknown(tag, body);
            return Ok(());
        };
        if let Body::Blob(message) = body {
            let mut out = Vec::new();
            self.blobs
                .take(&space, self.link.hash(), message, &mut out)?;
            return self.post_blobs(&space, out);
        }
        let Some(opening) = space.opening() else {
            self.note_while_closed(&space.id(), body);
            return Ok(());
        };
        if matches!(body, Body::Close(_)) {
            self.lock().replicators.remove(&space.id());
            // A new beginning is offered at once, for when the peer opens the space again.
            self.wake();
            return Ok(());
        }
        let mut out = Vec::new();
        let delivery = space.with(|core| {
            self.pump_if_new(core, opening, &mut out)?;
            match self.lock().replicator(&core.id()) {
                Some(replicator) => replicator.receive(body, &self.source(core), &mut out),
                None => Ok(None),
            }
        });
        let delivery = match delivery {
            Err(error) if error.kind() == ErrorKind::InvalidState => return Ok(()),
            other => other?,
        };
        self.post(out)?;
        match delivery {
            Some(delivery) => unless_closed(self.ingest(node, &space, delivery)),
            None => Ok(()),
        }
    }

    fn pump_if_new(&self, core: &SpaceCore, opening: u64, out: &mut Vec<Message>) -> Result<()> {
        let known = self.lock().replicators.contains_key(&core.id());
        match known {
            true => Ok(()),
            false => self.pump(core, opening, out),
        }
    }

    /// What is said of a space that is closed here is not answered; but whether the peer holds it is
    /// kept for when it is opened.
    fn note_while_closed(&self, space: &SpaceId, body: Body) {
        match body {
            Body::Open(offer) if offer.digest.len() <= 32 => {
                drop(self.lock().offers.insert(*space, offer));
            }
            Body::Close(_) => drop(self.lock().offers.remove(space)),
            _ => {}
        }
    }

    /// The peer's word that it holds a space of which we do not know, which costs it nothing: only so
    /// many are kept.
    fn note_unknown(&self, tag: SpaceTag, body: Body) {
        let mut shared = self.lock();
        match body {
            Body::Open(offer) if offer.digest.len() <= 32 && shared.unknown.len() < UNKNOWN => {
                drop(shared.unknown.insert(tag, offer));
            }
            Body::Close(_) => drop(shared.unknown.remove(&tag)),
            _ => {}
        }
    }

    fn find(&self, node: &Arc<dyn Sessions>, tag: &SpaceTag) -> Option<Arc<SpaceHost>> {
        node.all_spaces()
            .into_iter()
            .find(|space| space_tag(&space.id(), self.link.hash()) == *tag)
    }

    /// Takes a delivery in and answers once all of it is stored.
    fn ingest(
        &self,
        node: &Arc<dyn Sessions>,
        space: &Arc<SpaceHost>,
        delivery: Delivery,
    ) -> Result<()> {
        let mut taken = Taken::default();
        let result = take_in(space, self.device, delivery, &mut taken);
        // Here no lock is held: the sink may call back in.
        taken.report(node);
        if taken.control {
            node.control_changed(space);
        }
        result?;
        let heights: Vec<_> = taken.heights.into_iter().collect();
        let now = clock::monotonic_ms();
        let mut out = Vec::new();
        space.with(|core| {
            let source = self.source(core);
            match self.lock().replicator(&core.id()) {
                Some(replicator) => {
                    replicator.ingested(&heights, taken.unplaced, now, &source, &mut out)
                }
                None => Ok(()),
            }
        })?;
        self.post(out)
    }
}

/// That a space was closed meanwhile is no fault of the peer.
fn unless_closed(result: Result<()>) -> Result<()> {
    result.or_else(|error| match error.kind() {
        ErrorKind::InvalidState => Ok(()),
        _ => Err(error),
    })
}

// A message must be able to carry the largest entry.
const _: () = assert!(limits::DATA_ENTRY_BYTES + 256 * 1024 < limits::MESSAGE_BYTES);
