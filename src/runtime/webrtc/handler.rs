//! The callbacks of a peer connection. They run on its driver, so they never wait: what the set-up
//! needs goes into a bounded queue, the end of the connection into a flag.

use std::sync::Arc;
use tokio::sync::{mpsc, watch};
use webrtc::data_channel::DataChannel;
use webrtc::peer_connection::{
    PeerConnectionEventHandler, RTCIceCandidateInit, RTCIceGatheringState,
    RTCPeerConnectionIceEvent, RTCPeerConnectionState,
};

/// Events that may wait for the set-up.
const QUEUE: usize = 256;

/// Why a connection is over, or `None` while it lives. Set once.
#[derive(Clone)]
pub(super) struct Ended(Arc<watch::Sender<Option<&'static str>>>);

impl Ended {
    pub(super) fn new() -> Self {
        Ended(Arc::new(watch::Sender::new(None)))
    }

    /// Ends the connection; the first reason stays.
    pub(super) fn set(&self, reason: &'static str) {
        self.0.send_if_modified(|slot| {
            let first = slot.is_none();
            slot.get_or_insert(reason);
            first
        });
    }

    pub(super) fn reason(&self) -> Option<&'static str> {
        *self.0.borrow()
    }

    /// Waits for the end.
    pub(super) async fn wait(&self) -> &'static str {
        let mut reader = self.0.subscribe();
        match reader.wait_for(Option::is_some).await {
            Ok(reason) => reason.unwrap_or("the connection ended"),
            // The sender lives as long as `self`.
            Err(_) => "the connection ended",
        }
    }
}

/// What the set-up waits for.
pub(super) enum SetupEvent {
    /// One of our network paths.
    Candidate(RTCIceCandidateInit),
    /// All of our network paths are known.
    Gathered,
    /// The peer opened a data channel.
    Channel(Arc<dyn DataChannel>),
}

/// Receives the callbacks of one connection.
pub(super) struct Handler {
    events: mpsc::Sender<SetupEvent>,
    ended: Ended,
}

impl Handler {
    pub(super) fn new(ended: Ended) -> (Handler, mpsc::Receiver<SetupEvent>) {
        let (events, queue) = mpsc::channel(QUEUE);
        (Handler { events, ended }, queue)
    }
}

#[async_trait::async_trait]
impl PeerConnectionEventHandler for Handler {
    async fn on_ice_candidate(&self, event: RTCPeerConnectionIceEvent) {
        if let Ok(candidate) = event.candidate.to_json() {
            // A path too many is no loss, and after the set-up nobody listens.
            let _ = self.events.try_send(SetupEvent::Candidate(candidate));
        }
    }

    async fn on_ice_gathering_state_change(&self, state: RTCIceGatheringState) {
        if state == RTCIceGatheringState::Complete {
            let _ = self.events.try_send(SetupEvent::Gathered);
        }
    }

    async fn on_connection_state_change(&self, state: RTCPeerConnectionState) {
        match state {
            RTCPeerConnectionState::Failed => self.ended.set("the peer cannot be reached"),
            RTCPeerConnectionState::Closed => self.ended.set("the connection was closed"),
            _ => {}
        }
    }

    async fn on_data_channel(&self, channel: Arc<dyn DataChannel>) {
        // A link has one channel; whoever opens more after the set-up wants our memory.
        if self.events.try_send(SetupEvent::Channel(channel)).is_err() {
            self.ended.set("the peer opened a second channel");
        }
    }
}
