//! The client: one task for each server, and what they share.

use super::event::{PeerId, ServerState, SignalingEvent, Topic};
use super::frame;
use super::seal::TopicKey;
use super::session::{self, Target};
use super::topics::{MAX_SERVERS, Topics};
use crate::model::{Error, Result, limits};
use rustls::RootCertStore;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Events that may wait for the program; beyond that, servers are read more slowly.
const EVENT_QUEUE: usize = 256;
/// Payloads that may wait for one server.
const SEND_QUEUE: usize = 64;
/// Time that a payload waits for a place among them.
const SEND_TIME: Duration = Duration::from_secs(10);

/// What the client's tasks share.
pub(super) struct Shared {
    pub(super) peer: PeerId,
    pub(super) topics: Mutex<Topics>,
    /// Counts the changes of the set of topics: each server's task follows it.
    pub(super) changes: watch::Sender<u64>,
    pub(super) events: mpsc::Sender<SignalingEvent>,
    pub(super) ignored: AtomicU64,
}

impl Shared {
    pub(super) fn topics(&self) -> MutexGuard<'_, Topics> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a frame that makes no sense.
    pub(super) fn ignore(&self) {
        self.ignored.fetch_add(1, Ordering::Relaxed);
    }
}

/// A server as the client sees it.
struct Server {
    outgoing: mpsc::Sender<String>,
    state: watch::Receiver<ServerState>,
}

/// Keeps a connection to every signalling server, for as long as it lives.
pub struct SignalingClient {
    shared: Arc<Shared>,
    servers: Vec<Server>,
    /// Aborted with the client.
    _tasks: JoinSet<()>,
}

impl SignalingClient {
    /// Starts to connect to `urls` (`ws://` or `wss://`, at most sixteen) as `peer`, which must be
    /// random and fresh. Unreachable servers are tried for ever. Within a Tokio runtime only.
    pub fn connect(
        urls: &[String],
        peer: PeerId,
    ) -> Result<(SignalingClient, mpsc::Receiver<SignalingEvent>)> {
        Self::connect_trusting(urls, peer, &session::public_roots())
    }

    /// The same, with a choice of the authorities that servers over TLS are checked against.
    pub(super) fn connect_trusting(
        urls: &[String],
        peer: PeerId,
        roots: &RootCertStore,
    ) -> Result<(SignalingClient, mpsc::Receiver<SignalingEvent>)> {
        if urls.len() > MAX_SERVERS {
            return Err(Error::limit(format!(
                "at most {MAX_SERVERS} signalling servers can be used at once"
            )));
        }
        let targets: Vec<Target> = urls
            .iter()
            .map(|url| Target::parse(url, roots))
            .collect::<Result<_>>()?;
        let (events, queue) = mpsc::channel(EVENT_QUEUE);
        let shared = Arc::new(Shared {
            peer,
            topics: Mutex::default(),
            changes: watch::Sender::new(0),
            events,
            ignored: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        let mut servers = Vec::new();
        for (index, target) in targets.into_iter().enumerate() {
            let (outgoing, frames) = mpsc::channel(SEND_QUEUE);
            let (state, watched) = watch::channel(ServerState::Connecting);
            tasks.spawn(session::keep(shared.clone(), index, target, frames, state));
            servers.push(Server {
                outgoing,
                state: watched,
            });
        }
        let client = SignalingClient {
            shared,
            servers,
            _tasks: tasks,
        };
        Ok((client, queue))
    }

    /// Enters a topic on every server, now and after each reconnect, until the last handle on it
    /// is dropped. All handles of one topic must come with the same key. Peers already seen there
    /// are not reported again: see [`SignalingClient::peers`].
    pub fn join(&self, topic: Topic, key: &TopicKey) -> TopicHandle {
        if self.shared.topics().hold(topic, key) {
            self.shared.changes.send_modify(|count| *count += 1);
        }
        TopicHandle {
            shared: self.shared.clone(),
            topic,
        }
    }

    /// The peers seen in a topic now.
    pub fn peers(&self, topic: &Topic) -> Vec<PeerId> {
        self.shared.topics().peers(topic)
    }

    /// Seals `payload` and sends it to a peer of a joined topic, through the first server that
    /// sees it and has room. Delivery is not confirmed.
    pub async fn send(&self, topic: &Topic, to: &PeerId, payload: &[u8]) -> Result<()> {
        if payload.len() > limits::SIGNAL_BYTES {
            return Err(Error::limit("signalling payload is too large"));
        }
        let (key, servers) = {
            let topics = self.shared.topics();
            (topics.key(topic), topics.servers_of(topic, to))
        };
        let key = key.ok_or_else(|| Error::state("the topic was not joined"))?;
        let sealed = key.seal(topic, &self.shared.peer, to, payload);
        let mut text = frame::send(topic, to, &sealed);
        let able = servers.iter().filter_map(|index| self.servers.get(*index));
        let able = able.filter(|server| *server.state.borrow() == ServerState::Connected);
        let mut last = None;
        for server in able {
            match server.outgoing.try_send(text) {
                Ok(()) => return Ok(()),
                Err(refused) => text = refused.into_inner(),
            }
            last = Some(server);
        }
        let server = last.ok_or_else(|| Error::network("no signalling server sees the peer"))?;
        match timeout(SEND_TIME, server.outgoing.send(text)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Error::network("signalling has stopped")),
            Err(_) => Err(Error::network("the signalling server takes nothing")),
        }
    }

    /// The state of each server, in the order of the list.
    pub fn states(&self) -> Vec<ServerState> {
        let states = self.servers.iter().map(|server| *server.state.borrow());
        states.collect()
    }

    /// Frames from servers that made no sense or did not open, so far.
    #[cfg(test)]
    pub fn ignored_frames(&self) -> u64 {
        self.shared.ignored.load(Ordering::Relaxed)
    }
}

/// Membership in a topic; dropping the last one leaves it.
pub struct TopicHandle {
    shared: Arc<Shared>,
    topic: Topic,
}

impl TopicHandle {}

impl Drop for TopicHandle {
    fn drop(&mut self) {
        if self.shared.topics().release(&self.topic) {
            self.shared.changes.send_modify(|count| *count += 1);
        }
    }
}
