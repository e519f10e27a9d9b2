//! Who is connected and who is in which topic. One lock, held for moments only; frames go into the
//! receivers' bounded outboxes, and whoever lets theirs fill up is disconnected: to drop a frame
//! silently would leave a client with a wrong view of its topics.

use crate::config::{Config, OUTBOX_BYTES, OUTBOX_FRAMES};
use crate::protocol::{Code, ServerFrame};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

/// The sending side of a connection's outbox.
#[derive(Clone)]
pub(crate) struct Outbox {
    frames: mpsc::Sender<String>,
    bytes: Arc<AtomicUsize>,
    pub(crate) signals: Arc<Signals>,
}

/// What others tell a connection beside frames.
#[derive(Default)]
pub(crate) struct Signals {
    /// Its outbox ran over.
    pub(crate) overrun: Notify,
    /// Another connection claims its peer id: the writer is to ping.
    pub(crate) ping: Notify,
    /// The same: the reader is to expect a sign of life.
    pub(crate) prove: Notify,
}

/// The receiving side of an outbox.
pub(crate) struct OutboxReader {
    frames: mpsc::Receiver<String>,
    bytes: Arc<AtomicUsize>,
}

/// An outbox and its reader.
pub(crate) fn outbox() -> (Outbox, OutboxReader) {
    let (sender, frames) = mpsc::channel(OUTBOX_FRAMES);
    let bytes = Arc::new(AtomicUsize::new(0));
    let outbox = Outbox {
        frames: sender,
        bytes: bytes.clone(),
        signals: Arc::default(),
    };
    (outbox, OutboxReader { frames, bytes })
}

impl Outbox {
    /// Queues a frame; a full queue ends the connection.
    pub(crate) fn push(&self, frame: &ServerFrame) {
        self.push_text(frame.text());
    }

    fn push_text(&self, text: String) {
        let size = text.len();
        let waiting = self.bytes.fetch_add(size, Ordering::AcqRel) + size;
        // A closed queue belongs to a connection that is on its way out.
        if waiting > OUTBOX_BYTES || self.frames.try_send(text).is_err() {
            self.bytes.fetch_sub(size, Ordering::AcqRel);
            self.signals.overrun.notify_one();
        }
    }
}

impl OutboxReader {
    pub(crate) async fn next(&mut self) -> Option<String> {
        let text = self.frames.recv().await?;
        self.bytes.fetch_sub(text.len(), Ordering::AcqRel);
        Some(text)
    }
}

/// The server's whole state.
pub(crate) struct Registry {
    pub(crate) config: Config,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    connections: usize,
    per_address: HashMap<IpAddr, usize>,
    peers: HashMap<String, Outbox>,
    topics: HashMap<String, HashSet<String>>,
}

impl Registry {
    pub(crate) fn new(config: Config) -> Self {
        Registry {
            config,
            state: Mutex::default(),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a new connection, or says why there is no room for it.
    pub(crate) fn admit(self: &Arc<Self>, address: IpAddr) -> Result<Admission, Code> {
        let mut state = self.state();
        if state.connections >= self.config.connections {
            return Err(Code::TooManyConnections);
        }
        let count = state.per_address.entry(address).or_default();
        if !address.is_loopback() && *count >= self.config.connections_per_address {
            return Err(Code::TooManyFromAddress);
        }
        *count += 1;
        state.connections += 1;
        Ok(Admission {
            registry: self.clone(),
            address,
        })
    }

    /// Enters a peer. Where the id is taken, the holder must prove itself alive, so that a client
    /// whose last connection died unnoticed gets in with one of its next attempts.
    pub(crate) fn enter(self: &Arc<Self>, peer: String, outbox: &Outbox) -> Result<Presence, Code> {
        let mut state = self.state();
        if let Some(holder) = state.peers.get(&peer) {
            holder.signals.ping.notify_one();
            holder.signals.prove.notify_one();
            return Err(Code::PeerTaken);
        }
        state.peers.insert(peer.clone(), outbox.clone());
        Ok(Presence {
            registry: self.clone(),
            peer,
            topics: HashSet::new(),
        })
    }
}

/// One counted connection; uncounted when dropped.
pub(crate) struct Admission {
    registry: Arc<Registry>,
    address: IpAddr,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        state.connections -= 1;
        if let Some(count) = state.per_address.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                state.per_address.remove(&self.address);
            }
        }
    }
}

/// A peer that said hello; gone from all its topics when dropped.
pub(crate) struct Presence {
    registry: Arc<Registry>,
    peer: String,
    topics: HashSet<String>,
}

impl Presence {
    /// Enters a topic and tells both sides. Joining twice only repeats the answer.
    pub(crate) fn join(&mut self, topic: &str) -> Result<(), Code> {
        let config = &self.registry.config;
        let mut state = self.registry.state();
        let state = &mut *state;
        if !self.topics.contains(topic) {
            if self.topics.len() >= config.topics_per_connection {
                return Err(Code::TooManyTopics);
            }
            let members = state.topics.get(topic).map_or(0, HashSet::len);
            if members >= config.peers_per_topic {
                return Err(Code::TopicFull);
            }
        }
        let members = state.topics.entry(topic.to_owned()).or_default();
        let is_new = members.insert(self.peer.clone());
        self.topics.insert(topic.to_owned());
        let others: Vec<&String> = members.iter().filter(|peer| **peer != self.peer).collect();
        if is_new {
            let joined = ServerFrame::Joined {
                topic: topic.to_owned(),
                peer: self.peer.clone(),
            };
            tell(&state.peers, &others, &joined);
        }
        let answer = ServerFrame::Peers {
            topic: topic.to_owned(),
            peers: others.into_iter().cloned().collect(),
        };
        tell(&state.peers, &[&self.peer], &answer);
        Ok(())
    }

    /// Leaves a topic and tells those who stay.
    pub(crate) fn leave(&mut self, topic: &str) {
        if self.topics.remove(topic) {
            let mut state = self.registry.state();
            remove_member(&mut state, topic, &self.peer);
        }
    }

    /// Hands a payload to a peer in the same topic.
    pub(crate) fn send(&self, topic: String, to: &str, data: String) -> Result<(), Code> {
        if !self.topics.contains(&topic) {
            return Err(Code::NotInTopic);
        }
        let state = self.registry.state();
        let present = state.topics.get(&topic).is_some_and(|t| t.contains(to));
        let receiver = state.peers.get(to).filter(|_| present);
        let receiver = receiver.ok_or(Code::NoSuchPeer)?;
        receiver.push(&ServerFrame::Message {
            topic,
            from: self.peer.clone(),
            data,
        });
        Ok(())
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        let mut state = self.registry.state();
        state.peers.remove(&self.peer);
        for topic in std::mem::take(&mut self.topics) {
            remove_member(&mut state, &topic, &self.peer);
        }
    }
}

fn remove_member(state: &mut State, topic: &str, peer: &str) {
    let Some(members) = state.topics.get_mut(topic) else {
        return;
    };
    members.remove(peer);
    let rest: Vec<&String> = members.iter().collect();
    let left = ServerFrame::Left {
        topic: topic.to_owned(),
        peer: peer.to_owned(),
    };
    tell(&state.peers, &rest, &left);
    if members.is_empty() {
        state.topics.remove(topic);
    }
}

fn tell(peers: &HashMap<String, Outbox>, receivers: &[&String], frame: &ServerFrame) {
    let text = frame.text();
    for receiver in receivers {
        if let Some(outbox) = peers.get(*receiver) {
            outbox.push_text(text.clone());
        }
    }
}
