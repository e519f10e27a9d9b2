//! An open data channel as a [`Link`].

use super::driver::Nudge;
use super::handler::Ended;
use super::network_error;
use crate::model::{Error, Result, limits};
use crate::runtime::transport::{Fingerprint, Link};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::PeerConnection;

/// Time that a closing link gives what was sent before to reach the peer.
const FLUSH_TIME: Duration = Duration::from_secs(2);
/// Time that it gives the peer to confirm the close.
const GOODBYE_TIME: Duration = Duration::from_millis(500);

/// A peer connection that is shut down when dropped: the crate itself would let it run on.
pub(super) struct Connection {
    pub(super) peer: Arc<dyn PeerConnection>,
    pub(super) nudge: Nudge,
    pub(super) ended: Ended,
    pub(super) runtime: Handle,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let peer = self.peer.clone();
        self.runtime.spawn(async move {
            // Nothing is left to do about a connection that cannot even be closed.
            let _ = peer.close().await;
        });
    }
}

/// The parts of a link that outlive it until the goodbye is said.
struct Inner {
    connection: Connection,
    channel: Arc<dyn DataChannel>,
    /// Set once our side began to close.
    closing: Ended,
}

/// A link over one data channel.
pub(super) struct WebRtcLink {
    inner: Arc<Inner>,
    initiator: bool,
    local: Fingerprint,
    remote: Fingerprint,
    sent: AtomicU64,
    received: AtomicU64,
}

impl WebRtcLink {
    pub(super) fn new(
        connection: Connection,
        channel: Arc<dyn DataChannel>,
        initiator: bool,
        (local, remote): (Fingerprint, Fingerprint),
    ) -> Self {
        WebRtcLink {
            inner: Arc::new(Inner {
                connection,
                channel,
                closing: Ended::new(),
            }),
            initiator,
            local,
            remote,
            sent: AtomicU64::new(0),
            received: AtomicU64::new(0),
        }
    }

    /// The reason why this link no longer works.
    fn over(&self) -> Option<&'static str> {
        let inner = &self.inner;
        let closing = inner.closing.reason();
        closing.or_else(|| inner.connection.ended.reason())
    }

    /// Begins to close, once. The work goes on even if nobody waits for it.
    fn begin_close(&self, reason: &'static str) -> Option<tokio::task::JoinHandle<()>> {
        if self.inner.closing.reason().is_some() {
            return None;
        }
        self.inner.closing.set(reason);
        let inner = self.inner.clone();
        Some(self.inner.connection.runtime.spawn(inner.say_goodbye()))
    }
}

impl Inner {
    async fn say_goodbye(self: Arc<Self>) {
        if self.connection.ended.reason().is_none() {
            // Closing a channel makes the stack forget what the peer has not acknowledged.
            let _ = timeout(FLUSH_TIME, self.flushed()).await;
            if self.channel.close().await.is_ok() {
                self.connection.nudge.wake();
                let _ = timeout(GOODBYE_TIME, self.drained()).await;
            }
        }
        let _ = self.connection.peer.close().await;
        self.connection.ended.set("the link was closed");
    }

    /// Waits until the peer has acknowledged everything.
    async fn flushed(&self) {
        while self.channel.outstanding_bytes().await.unwrap_or(0) > 0 {
            if self.connection.ended.reason().is_some() {
                return;
            }
            sleep(Duration::from_millis(5)).await;
        }
    }

    /// Waits until the channel reports its own end; what still arrives is dropped.
    async fn drained(&self) {
        loop {
            match self.channel.poll().await {
                None | Some(DataChannelEvent::OnClose) => return,
                Some(_) => {}
            }
        }
    }

    /// The next event, those that arrived before the end first.
    async fn next_event(&self) -> Option<DataChannelEvent> {
        tokio::select! {
            biased;
            event = self.channel.poll() => event,
            _ = self.closing.wait() => None,
            _ = self.connection.ended.wait() => None,
        }
    }
}

#[async_trait]
impl Link for WebRtcLink {
    async fn send(&self, frame: Bytes) -> Result<()> {
        let size = frame.len();
        // The stack takes empty messages for a special case; none of ours is empty.
        if size == 0 || size > limits::FRAME_BYTES {
            return Err(Error::limit(format!("a frame cannot have {size} bytes")));
        }
        if let Some(reason) = self.over() {
            return Err(Error::network(reason));
        }
        let inner = &self.inner;
        inner.connection.nudge.wake();
        let data = BytesMut::from(frame);
        tokio::select! {
            sent = inner.channel.send(data) => {
                if let Err(error) = sent {
                    // What follows would be a stream with a hole in it, and it may be that nobody
                    // reads, who would see that the peer has closed.
                    self.begin_close("the peer takes nothing any more");
                    return Err(network_error("sending to the peer", error));
                }
            }
            reason = inner.connection.ended.wait() => return Err(Error::network(reason)),
            reason = inner.closing.wait() => return Err(Error::network(reason)),
        }
        inner.connection.nudge.wake();
        self.sent.fetch_add(size as u64, Ordering::Relaxed);
        Ok(())
    }

    async fn recv(&self) -> Option<Bytes> {
        loop {
            if self.inner.closing.reason().is_some() {
                return None;
            }
            match self.inner.next_event().await {
                Some(DataChannelEvent::OnMessage(message)) => {
                    let frame = message.data.freeze();
                    if message.is_string || frame.len() > limits::FRAME_BYTES {
                        self.begin_close("the peer sent what is not a frame");
                        return None;
                    }
                    let size = frame.len() as u64;
                    self.received.fetch_add(size, Ordering::Relaxed);
                    return Some(frame);
                }
                Some(DataChannelEvent::OnClose) | None => {
                    self.begin_close("the peer closed the link");
                    return None;
                }
                Some(_) => {}
            }
        }
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
        if let Some(goodbye) = self.begin_close("the link was closed") {
            // It fails only if the runtime itself stops.
            let _ = goodbye.await;
        }
    }

    fn is_closed(&self) -> bool {
        self.over().is_some()
    }

    fn bytes_sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    fn bytes_received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

impl Drop for WebRtcLink {
    fn drop(&mut self) {
        self.begin_close("the link was dropped");
    }
}
