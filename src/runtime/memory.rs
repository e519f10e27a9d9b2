//! A network within the process, for tests and simulation: links with the manners of the real ones
//! (order, back-pressure, fingerprints, prompt close), a delay if wanted, and a way to cut them.

use super::signal::SignalPayload;
use super::transport::{Fingerprint, Link, LinkRole, SignalChannel, Transport};
use crate::model::{Error, Result, limits};
use async_trait::async_trait;
use bytes::Bytes;
use data_encoding::HEXLOWER;
use ring::rand::{SecureRandom, SystemRandom};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// Frames that may wait in one direction.
const QUEUE_FRAMES: usize = 64;

/// How an in-memory link behaves.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemoryOptions {
    /// Time each frame takes.
    pub delay: Duration,
    /// The link breaks after this many frames in one direction: a lost connection, since a
    /// reliable channel never loses a frame and lives.
    pub break_after: Option<u64>,
}

/// One end of an in-memory link.
pub struct MemoryLink {
    initiator: bool,
    local: Fingerprint,
    remote: Fingerprint,
    options: MemoryOptions,
    outgoing: mpsc::Sender<(Instant, Bytes)>,
    incoming: tokio::sync::Mutex<Incoming>,
    /// Shared by both ends: true once either has closed.
    closed: Arc<watch::Sender<bool>>,
    frames_sent: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

/// The reading end, with the frame whose time has not come yet, so that a cancelled read loses nothing.
struct Incoming {
    queue: mpsc::Receiver<(Instant, Bytes)>,
    early: Option<(Instant, Bytes)>,
}

impl MemoryLink {
    /// Two ends of one link; the first is the initiator.
    pub fn pair(options: MemoryOptions) -> (Arc<MemoryLink>, Arc<MemoryLink>) {
        let (left_tx, left_rx) = mpsc::channel(QUEUE_FRAMES);
        let (right_tx, right_rx) = mpsc::channel(QUEUE_FRAMES);
        let closed = Arc::new(watch::Sender::new(false));
        let (a, b) = (random_fingerprint(), random_fingerprint());
        let end = |initiator, local, remote, outgoing, queue| {
            Arc::new(MemoryLink {
                initiator,
                local,
                remote,
                options,
                outgoing,
                incoming: tokio::sync::Mutex::new(Incoming { queue, early: None }),
                closed: closed.clone(),
                frames_sent: AtomicU64::new(0),
                sent: AtomicU64::new(0),
                received: AtomicU64::new(0),
            })
        };
        (
            end(true, a, b, left_tx, right_rx),
            end(false, b, a, right_tx, left_rx),
        )
    }

    /// Breaks the link as a lost network would.
    pub fn cut(&self) {
        self.closed.send_replace(true);
    }

    async fn wait_closed(&self) {
        let mut closed = self.closed.subscribe();
        // An error means that the sender is gone, which cannot be while `self` holds it.
        let _ = closed.wait_for(|closed| *closed).await;
    }

    async fn next_frame(&self) -> Option<Bytes> {
        let mut incoming = self.incoming.lock().await;
        if incoming.early.is_none() {
            incoming.early = Some(incoming.queue.recv().await?);
        }
        let due = incoming.early.as_ref().map(|(due, _)| *due)?;
        tokio::time::sleep_until(due).await;
        incoming.early.take().map(|(_, frame)| frame)
    }

    /// What was sent before the link closed still arrives.
    async fn left_over(&self) -> Option<Bytes> {
        let mut incoming = self.incoming.lock().await;
        let early = incoming.early.take();
        let next = early.or_else(|| incoming.queue.try_recv().ok())?;
        Some(next.1)
    }
}

fn random_fingerprint() -> Fingerprint {
    let mut bytes = [0; 32];
    SystemRandom::new()
        .fill(&mut bytes)
        .expect("the system gives randomness");
    bytes
}

#[async_trait]
impl Link for MemoryLink {
    async fn send(&self, frame: Bytes) -> Result<()> {
        if frame.is_empty() || frame.len() > limits::FRAME_BYTES {
            let size = frame.len();
            return Err(Error::limit(format!("a frame cannot have {size} bytes")));
        }
        let size = frame.len() as u64;
        let count = self.frames_sent.fetch_add(1, Ordering::Relaxed);
        if self.options.break_after.is_some_and(|limit| count >= limit) {
            self.cut();
        }
        if self.is_closed() {
            return Err(Error::network("the link is closed"));
        }
        let due = Instant::now() + self.options.delay;
        tokio::select! {
            sent = self.outgoing.send((due, frame)) => {
                sent.map_err(|_| Error::network("the link is closed"))?;
            }
            () = self.wait_closed() => return Err(Error::network("the link is closed")),
        }
        self.sent.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    async fn recv(&self) -> Option<Bytes> {
        let frame = tokio::select! {
            biased;
            frame = self.next_frame() => frame,
            () = self.wait_closed() => self.left_over().await,
        }?;
        self.received
            .fetch_add(frame.len() as u64, Ordering::Relaxed);
        Some(frame)
    }

    fn local_fingerprint(&self) -> Fingerprint {
        self.local
    }

    fn remote_fingerprint(&self) -> Fingerprint {
        self.remote
    }

    fn initiator(&self) -> bool {
        self.initiator
    }

    async fn close(&self) {
        self.cut();
    }

    fn is_closed(&self) -> bool {
        *self.closed.borrow()
    }

    fn bytes_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn bytes_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

impl Drop for MemoryLink {
    fn drop(&mut self) {
        self.cut();
    }
}

/// An in-memory network: every transport cloned from the same one reaches the others. The offer
/// names a link end left in a cupboard, the answerer fetches it.
#[derive(Clone, Default)]
pub struct MemoryTransport {
    options: MemoryOptions,
    offline: Arc<AtomicBool>,
    offered: Arc<Mutex<HashMap<String, Arc<MemoryLink>>>>,
}

impl MemoryTransport {
    async fn offer(&self, mut signals: SignalChannel) -> Result<Arc<MemoryLink>> {
        let (ours, theirs) = MemoryLink::pair(self.options);
        let ticket = HEXLOWER.encode(&ours.local);
        self.cupboard().insert(ticket.clone(), theirs);
        let sent = signals
            .outgoing
            .send(SignalPayload::Offer(ticket.clone()))
            .await;
        let answer = match sent {
            Ok(()) => signals.incoming.recv().await,
            Err(_) => None,
        };
        self.cupboard().remove(&ticket);
        match answer {
            Some(SignalPayload::Answer(_)) => Ok(ours),
            _ => Err(Error::network("the peer did not answer")),
        }
    }

    async fn answer(&self, mut signals: SignalChannel) -> Result<Arc<MemoryLink>> {
        let Some(SignalPayload::Offer(ticket)) = signals.incoming.recv().await else {
            return Err(Error::network("the peer made no offer"));
        };
        let link = self
            .cupboard()
            .remove(&ticket)
            .ok_or_else(|| Error::network("the offer is not from this network"))?;
        let answer = SignalPayload::Answer(ticket);
        let sent = signals.outgoing.send(answer).await;
        sent.map_err(|_| Error::network("signalling ended"))?;
        Ok(link)
    }

    fn cupboard(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<MemoryLink>>> {
        self.offered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Transport for MemoryTransport {
    async fn connect(&self, role: LinkRole, signals: SignalChannel) -> Result<Arc<dyn Link>> {
        if self.offline.load(Ordering::Relaxed) {
            return Err(Error::network("the in-memory network is offline"));
        }
        Ok(match role {
            LinkRole::Offerer => self.offer(signals).await?,
            LinkRole::Answerer => self.answer(signals).await?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn frames_arrive_in_order_and_a_close_is_noticed() {
        let network = MemoryTransport::default();
        let (left, right) = SignalChannel::pair();
        let (a, b) = tokio::join!(
            network.connect(LinkRole::Offerer, left),
            network.connect(LinkRole::Answerer, right)
        );
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.local_fingerprint(), b.remote_fingerprint());
        assert_eq!(a.remote_fingerprint(), b.local_fingerprint());
        assert!(a.initiator() && !b.initiator());
        for i in 0..10u8 {
            a.send(Bytes::from(vec![i])).await.unwrap();
        }
        for i in 0..10u8 {
            assert_eq!(b.recv().await.unwrap(), vec![i]);
        }
        assert_eq!((a.bytes_sent(), b.bytes_received()), (10, 10));
        a.send(Bytes::from_static(b"last")).await.unwrap();
        a.close().await;
        assert_eq!(b.recv().await.unwrap(), "last");
        assert!(b.recv().await.is_none());
        assert!(b.send(Bytes::new()).await.is_err());
    }

    #[tokio::test]
    async fn a_slow_reader_holds_the_sender_back() {
        let (a, _b) = MemoryLink::pair(MemoryOptions::default());
        let flood = async {
            loop {
                a.send(Bytes::from_static(b"x")).await.unwrap();
            }
        };
        let waited: std::result::Result<(), _> =
            tokio::time::timeout(Duration::from_millis(50), flood).await;
        assert!(waited.is_err());
        assert_eq!(a.bytes_sent(), QUEUE_FRAMES as u64);
    }

    #[tokio::test]
    async fn a_link_breaks_where_told() {
        let options = MemoryOptions {
            break_after: Some(1),
            ..MemoryOptions::default()
        };
        let (a, b) = MemoryLink::pair(options);
        a.send(Bytes::from_static(b"x")).await.unwrap();
        assert!(a.send(Bytes::from_static(b"y")).await.is_err());
        assert!(b.is_closed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_read_loses_no_delayed_frame() {
        let options = MemoryOptions {
            delay: Duration::from_secs(1),
            ..MemoryOptions::default()
        };
        let (a, b) = MemoryLink::pair(options);
        a.send(Bytes::from_static(b"x")).await.unwrap();
        let early = tokio::time::timeout(Duration::from_millis(10), b.recv()).await;
        assert!(early.is_err());
        assert_eq!(b.recv().await.unwrap(), "x");
    }
}
