//! From rooms to links: watches signalling rooms and keeps one connection to every peer seen. In a
//! pair the one with the smaller peer id makes the offer, so that two never call each other at
//! once; it also calls again, with growing pauses, while the peer is there and not connected.

use super::clock;
use super::executor;
use super::log::Log;
use super::signal::SignalPayload;
use super::signaling::{
    PeerId, ServerState, SignalingClient, SignalingEvent, Topic, TopicHandle, TopicKey,
};
use super::transport::{Link, LinkRole, SIGNAL_QUEUE, SignalChannel, Transport};
use crate::model::Result;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

/// Connections under way and open at once; more peers wait.
const MAX_CONNECTIONS: usize = 64;
/// The pause before the first new call, doubled for each further one.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A connection that lasted so long worked: calling again starts with the first pause. One that
/// breaks at once, as over a message that the other side refuses, must not be made without end.
const LASTED: Duration = Duration::from_secs(10);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// Where links of a room go.
pub type LinkSender = mpsc::Sender<(PeerId, Arc<dyn Link>)>;

/// Which connection a room's peers share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Group {
    /// All spaces share one connection to a peer.
    Spaces,
    /// An invitation's room has connections of its own.
    Private(Topic),
}

/// Who makes the offers in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// Of each pair the one with the smaller peer id.
    SmallerId,
    /// We do, to everybody, and answer nobody: the guest of an invitation that several hosts or
    /// guests may be at.
    Own,
    /// The others do: its hosts. Hosts are not connected to each other, nor are guests.
    Others,
}

struct Room {
    group: Group,
    calls: Calls,
    links: LinkSender,
    key: TopicKey,
    handles: Vec<TopicHandle>,
    peers: HashSet<PeerId>,
}

/// A connection to a peer, under way or open.
struct Attempt {
    /// Where its set-up messages go.
    incoming: mpsc::Sender<SignalPayload>,
    task: AbortHandle,
    number: u64,
}

#[derive(Default)]
struct State {
    clients: Vec<(Vec<String>, Arc<SignalingClient>, AbortHandle)>,
    rooms: HashMap<Topic, Room>,
    attempts: HashMap<(Group, PeerId), Attempt>,
    failures: HashMap<(Group, PeerId), u32>,
    next_number: u64,
}

/// See the module.
pub struct Connector {
    peer: PeerId,
    transport: Arc<dyn Transport>,
    state: Mutex<State>,
    log: Log,
}

impl Connector {
    /// One without servers or rooms.
    pub fn new(transport: Arc<dyn Transport>, log: Log) -> Arc<Connector> {
        Arc::new(Connector {
            peer: clock::random(),
            transport,
            state: Mutex::default(),
            log,
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses further servers; those in use already are left out.
    pub fn add_servers(self: &Arc<Self>, urls: &[String]) -> Result<()> {
        let handle = executor::handle()?;
        let _context = handle.enter();
        let mut state = self.lock();
        let known: HashSet<&String> = state.clients.iter().flat_map(|(urls, _, _)| urls).collect();
        let new: Vec<String> = urls
            .iter()
            .filter(|url| !known.contains(url))
            .cloned()
            .collect();
        if new.is_empty() {
            return Ok(());
        }
        let (client, events) = SignalingClient::connect(&new, self.peer)?;
        let client = Arc::new(client);
        for (topic, room) in &mut state.rooms {
            room.handles.push(client.join(*topic, &room.key));
        }
        let task = handle.spawn(watch(Arc::downgrade(self), events));
        state.clients.push((new, client, task.abort_handle()));
        Ok(())
    }

    /// The servers and whether each is connected.
    pub fn servers(&self) -> Vec<(String, ServerState)> {
        self.lock()
            .clients
            .iter()
            .flat_map(|(urls, client, _)| urls.iter().cloned().zip(client.states()))
            .collect()
    }

    /// Enters a room whose peers are connected once for all spaces.
    pub fn enter_space(self: &Arc<Self>, topic: Topic, key: TopicKey, links: LinkSender) {
        self.enter(topic, key, links, Group::Spaces, Calls::SmallerId);
    }

    /// Enters an invitation's room.
    pub fn enter_private(
        self: &Arc<Self>,
        topic: Topic,
        key: TopicKey,
        links: LinkSender,
        calls: Calls,
    ) {
        self.enter(topic, key, links, Group::Private(topic), calls);
    }

    fn enter(
        self: &Arc<Self>,
        topic: Topic,
        key: TopicKey,
        links: LinkSender,
        group: Group,
        calls: Calls,
    ) {
        let mut state = self.lock();
        let handles = state
            .clients
            .iter()
            .map(|(_, client, _)| client.join(topic, &key))
            .collect();
        let peers: HashSet<PeerId> = state
            .clients
            .iter()
            .flat_map(|(_, client, _)| client.peers(&topic))
            .collect();
        let room = Room {
            group,
            calls,
            links,
            key,
            handles,
            peers: peers.clone(),
        };
        state.rooms.insert(topic, room);
        drop(state);
        for peer in peers {
            self.call(topic, peer);
        }
    }

    /// Leaves a room. Connections of a private room end; a space's stay while other rooms use them.
    pub fn leave(&self, topic: &Topic) {
        let mut state = self.lock();
        let Some(room) = state.rooms.remove(topic) else {
            return;
        };
        if let Group::Private(_) = room.group {
            state.attempts.retain(|(group, _), attempt| {
                if *group == room.group {
                    attempt.task.abort();
                }
                *group != room.group
            });
        }
    }

    /// Ends everything: servers, attempts and open links.
    pub fn stop(&self) {
        let mut state = self.lock();
        for (_, _, task) in state.clients.drain(..) {
            task.abort();
        }
        for (_, attempt) in state.attempts.drain() {
            attempt.task.abort();
        }
        state.rooms.clear();
    }

    fn on_event(self: &Arc<Self>, event: SignalingEvent) {
        match event {
            SignalingEvent::PeerSeen { topic, peer } => {
                if let Some(room) = self.lock().rooms.get_mut(&topic) {
                    room.peers.insert(peer);
                }
                self.call(topic, peer);
            }
            SignalingEvent::PeerGone { topic, peer } => {
                if let Some(room) = self.lock().rooms.get_mut(&topic) {
                    room.peers.remove(&peer);
                }
            }
            SignalingEvent::Message {
                topic,
                from,
                payload,
            } => match SignalPayload::decode(&payload) {
                Ok(payload) => self.on_payload(topic, from, payload),
                Err(error) => self.log.debug("connector", || {
                    format!("a set-up message was refused: {error}")
                }),
            },
            SignalingEvent::StateChanged { url, state } => {
                self.log.info("signaling", || format!("{url}: {state:?}"));
            }
        }
    }

    /// Makes an offer, if that is our part and there is no connection.
    fn call(self: &Arc<Self>, topic: Topic, peer: PeerId) {
        let calls = self.lock().rooms.get(&topic).map(|room| room.calls);
        let ours = match calls {
            Some(Calls::SmallerId) => self.peer < peer,
            Some(Calls::Own) => true,
            Some(Calls::Others) | None => false,
        };
        if ours {
            self.begin(topic, peer, LinkRole::Offerer, None);
        }
    }

    fn on_payload(self: &Arc<Self>, topic: Topic, from: PeerId, payload: SignalPayload) {
        let offer = matches!(payload, SignalPayload::Offer(_));
        let calls = self.lock().rooms.get(&topic).map(|room| room.calls);
        let answered = match calls {
            Some(Calls::SmallerId) => self.peer > from,
            Some(Calls::Others) => true,
            Some(Calls::Own) | None => false,
        };
        if offer && answered {
            // A new offer means that the peer gave up what there was.
            return self.begin(topic, from, LinkRole::Answerer, Some(payload));
        }
        let state = self.lock();
        let Some(room) = state.rooms.get(&topic) else {
            return;
        };
        if let Some(attempt) = state.attempts.get(&(room.group, from)) {
            // A full queue means more messages than a set-up ever has: they are dropped.
            let _ = attempt.incoming.try_send(payload);
        }
    }

    fn begin(
        self: &Arc<Self>,
        topic: Topic,
        peer: PeerId,
        role: LinkRole,
        first: Option<SignalPayload>,
    ) {
        let Ok(handle) = executor::handle() else {
            return;
        };
        let mut state = self.lock();
        let Some(room) = state.rooms.get(&topic) else {
            return;
        };
        let (key, links) = ((room.group, peer), room.links.clone());
        if let Some(old) = state.attempts.get(&key) {
            if role == LinkRole::Offerer {
                return;
            }
            old.task.abort();
        } else if state.attempts.len() >= MAX_CONNECTIONS {
            return;
        }
        let (incoming, from_peer) = mpsc::channel(SIGNAL_QUEUE);
        if let Some(first) = first {
            let _ = incoming.try_send(first);
        }
        state.next_number += 1;
        let number = state.next_number;
        let connection = Connection {
            connector: Arc::clone(self),
            topic,
            peer,
            role,
            key,
            number,
            links,
        };
        let task = handle.spawn(connection.run(from_peer)).abort_handle();
        let attempt = Attempt {
            incoming,
            task,
            number,
        };
        state.attempts.insert(key, attempt);
    }

    /// Sends a set-up message through whichever server sees the peer.
    async fn signal(&self, topic: &Topic, peer: &PeerId, payload: &SignalPayload) {
        let clients: Vec<Arc<SignalingClient>> = self
            .lock()
            .clients
            .iter()
            .map(|(_, client, _)| Arc::clone(client))
            .collect();
        let bytes = payload.encode();
        for client in clients {
            if client.send(topic, peer, &bytes).await.is_ok() {
                return;
            }
        }
    }

    /// Forgets a connection that ended and says when to call again, if we should.
    fn ended(&self, key: &(Group, PeerId), number: u64, lasted: bool) -> Option<Duration> {
        let mut state = self.lock();
        if state
            .attempts
            .get(key)
            .is_none_or(|attempt| attempt.number != number)
        {
            return None;
        }
        state.attempts.remove(key);
        if lasted {
            state.failures.remove(key);
        }
        let there = state
            .rooms
            .values()
            .any(|room| room.group == key.0 && room.peers.contains(&key.1));
        if !there {
            state.failures.remove(key);
            return None;
        }
        let failures = state.failures.entry(*key).or_default();
        *failures += 1;
        let pause = FIRST_PAUSE
            .saturating_mul(1 << (*failures).min(8))
            .min(LONGEST_PAUSE);
        let [jitter] = clock::random::<1>();
        Some(pause.mul_f64(0.5 + f64::from(jitter) / 512.0))
    }

    /// A room of this group in which the peer is seen now.
    fn room_of(&self, key: &(Group, PeerId)) -> Option<Topic> {
        let state = self.lock();
        let mut rooms = state.rooms.iter();
        rooms
            .find(|(_, room)| room.group == key.0 && room.peers.contains(&key.1))
            .map(|(topic, _)| *topic)
    }
}

async fn watch(connector: Weak<Connector>, mut events: mpsc::Receiver<SignalingEvent>) {
    while let Some(event) = events.recv().await {
        let Some(connector) = connector.upgrade() else {
            return;
        };
        connector.on_event(event);
    }
}

/// One connection's life.
struct Connection {
    connector: Arc<Connector>,
    topic: Topic,
    peer: PeerId,
    role: LinkRole,
    key: (Group, PeerId),
    number: u64,
    links: LinkSender,
}

impl Connection {
    async fn run(self, incoming: mpsc::Receiver<SignalPayload>) {
        let (outgoing, mut to_peer) = mpsc::channel::<SignalPayload>(SIGNAL_QUEUE);
        let channel = SignalChannel { outgoing, incoming };
        let connect = self.connector.transport.connect(self.role, channel);
        let relay = async {
            while let Some(payload) = to_peer.recv().await {
                self.connector
                    .signal(&self.topic, &self.peer, &payload)
                    .await;
            }
            std::future::pending::<()>().await;
        };
        let link = tokio::select! {
            link = connect => link,
            () = relay => unreachable!("the relay never ends"),
        };
        let lasted = match link {
            Ok(link) => {
                let opened = Instant::now();
                // Not a share in it: a link that whoever took it has dropped is over.
                let watched = Arc::downgrade(&link);
                let taken = self.links.send((self.peer, link)).await.is_ok();
                // The one who takes the link reads it; here only its end matters.
                while taken && watched.upgrade().is_some_and(|link| !link.is_closed()) {
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
                opened.elapsed() > LASTED
            }
            Err(error) => {
                self.connector
                    .log
                    .info("connector", || format!("a connection failed: {error}"));
                false
            }
        };
        let connector = self.connector;
        let Some(pause) = connector.ended(&self.key, self.number, lasted) else {
            return;
        };
        tokio::time::sleep(pause).await;
        if let Some(topic) = connector.room_of(&self.key) {
            connector.call(topic, self.peer);
        }
    }
}
