//! The rooms we are in and who is in them, by which server.

use super::event::{PeerId, SignalingEvent, Topic};
use super::seal::TopicKey;
use std::collections::{HashMap, HashSet};

/// Peers of one topic that are kept. A hostile server can invent any number.
const PEERS_PER_TOPIC: usize = 1024;

/// The position of a server in the client's list.
pub(super) type ServerIndex = usize;

/// A set of servers: one bit each.
type Servers = u16;
/// Servers that a client can use at once.
pub(super) const MAX_SERVERS: usize = Servers::BITS as usize;

struct Room {
    /// Tells a room apart from one that was left and entered again.
    visit: u64,
    key: TopicKey,
    handles: usize,
    peers: HashMap<PeerId, Servers>,
}

/// All rooms.
#[derive(Default)]
pub(super) struct Topics {
    rooms: HashMap<Topic, Room>,
    visits: u64,
}

impl Topics {
    /// One more handle on a room; its key is that of the first handle. True if the room is new.
    pub(super) fn hold(&mut self, topic: Topic, key: &TopicKey) -> bool {
        let visits = &mut self.visits;
        let room = self.rooms.entry(topic).or_insert_with(|| {
            *visits += 1;
            Room {
                visit: *visits,
                key: key.clone(),
                handles: 0,
                peers: HashMap::new(),
            }
        });
        room.handles += 1;
        room.handles == 1
    }

    /// One handle less. True if the room is left.
    pub(super) fn release(&mut self, topic: &Topic) -> bool {
        let Some(room) = self.rooms.get_mut(topic) else {
            return false;
        };
        room.handles -= 1;
        if room.handles == 0 {
            self.rooms.remove(topic);
            return true;
        }
        false
    }

    /// Every room, and which visit to it this is.
    pub(super) fn visits(&self) -> HashSet<(Topic, u64)> {
        let rooms = self.rooms.iter();
        rooms.map(|(topic, room)| (*topic, room.visit)).collect()
    }

    /// The key of a room that we are in.
    pub(super) fn key(&self, topic: &Topic) -> Option<TopicKey> {
        self.rooms.get(topic).map(|room| room.key.clone())
    }

    /// The peers in a room now.
    pub(super) fn peers(&self, topic: &Topic) -> Vec<PeerId> {
        let room = self.rooms.get(topic);
        room.map_or_else(Vec::new, |room| room.peers.keys().copied().collect())
    }

    /// The servers that see a peer, in the order of the list.
    pub(super) fn servers_of(&self, topic: &Topic, peer: &PeerId) -> Vec<ServerIndex> {
        let room = self.rooms.get(topic);
        let servers = room.and_then(|room| room.peers.get(peer)).copied();
        let servers = servers.unwrap_or_default();
        (0..MAX_SERVERS)
            .filter(|index| servers & bit(*index) != 0)
            .collect()
    }

    /// A server sees a peer.
    pub(super) fn seen(
        &mut self,
        server: ServerIndex,
        topic: Topic,
        peer: PeerId,
    ) -> Option<SignalingEvent> {
        let room = self.rooms.get_mut(&topic)?;
        if room.peers.len() >= PEERS_PER_TOPIC && !room.peers.contains_key(&peer) {
            return None;
        }
        let servers = room.peers.entry(peer).or_default();
        let is_new = *servers == 0;
        *servers |= bit(server);
        is_new.then_some(SignalingEvent::PeerSeen { topic, peer })
    }

    /// A server no longer sees a peer.
    pub(super) fn gone(
        &mut self,
        server: ServerIndex,
        topic: Topic,
        peer: PeerId,
    ) -> Option<SignalingEvent> {
        let room = self.rooms.get_mut(&topic)?;
        let servers = room.peers.get_mut(&peer)?;
        *servers &= !bit(server);
        if *servers != 0 {
            return None;
        }
        room.peers.remove(&peer);
        Some(SignalingEvent::PeerGone { topic, peer })
    }

    /// A server's full list for a room: whoever it saw before and does not name is gone.
    pub(super) fn listed(
        &mut self,
        server: ServerIndex,
        topic: Topic,
        peers: &[PeerId],
    ) -> Vec<SignalingEvent> {
        let named: HashSet<&PeerId> = peers.iter().collect();
        let mut events = Vec::new();
        for peer in self.peers(&topic) {
            if !named.contains(&peer) {
                events.extend(self.gone(server, topic, peer));
            }
        }
        for peer in peers {
            events.extend(self.seen(server, topic, *peer));
        }
        events
    }

    /// A server is lost, and with it whoever only it saw.
    pub(super) fn lost(&mut self, server: ServerIndex) -> Vec<SignalingEvent> {
        let mut events = Vec::new();
        for (topic, _) in self.visits() {
            for peer in self.peers(&topic) {
                events.extend(self.gone(server, topic, peer));
            }
        }
        events
    }
}

fn bit(server: ServerIndex) -> Servers {
    1 << server
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: Topic = [1; 32];
    const PEER: PeerId = [2; 16];

    fn topics() -> Topics {
        let mut topics = Topics::default();
        assert!(topics.hold(TOPIC, &TopicKey::new(&[0; 32])));
        topics
    }

    #[test]
    fn a_peer_on_two_servers_is_one_peer() {
        let mut topics = topics();
        let seen = SignalingEvent::PeerSeen {
            topic: TOPIC,
            peer: PEER,
        };
        assert_eq!(topics.seen(0, TOPIC, PEER), Some(seen));
        assert_eq!(topics.seen(1, TOPIC, PEER), None);
        assert_eq!(topics.servers_of(&TOPIC, &PEER), [0, 1]);
        assert_eq!(topics.gone(0, TOPIC, PEER), None);
        assert_eq!(topics.lost(1).len(), 1);
        assert!(topics.peers(&TOPIC).is_empty());
    }

    #[test]
    fn a_list_replaces_what_the_same_server_said() {
        let mut topics = topics();
        topics.seen(0, TOPIC, PEER);
        topics.seen(1, TOPIC, [3; 16]);
        let events = topics.listed(0, TOPIC, &[[4; 16], [4; 16]]);
        assert_eq!(events.len(), 2, "one gone, one seen: {events:?}");
        assert_eq!(topics.peers(&TOPIC).len(), 2);
    }

    #[test]
    fn rooms_are_counted_and_strangers_bounded() {
        let mut topics = topics();
        assert!(!topics.hold(TOPIC, &TopicKey::new(&[0; 32])));
        assert!(!topics.release(&TOPIC));
        for i in 0..PEERS_PER_TOPIC as u32 + 10 {
            let mut peer = [0; 16];
            peer[..4].copy_from_slice(&i.to_le_bytes());
            topics.seen(0, TOPIC, peer);
        }
        assert_eq!(topics.peers(&TOPIC).len(), PEERS_PER_TOPIC);
        assert!(topics.release(&TOPIC));
        assert!(topics.seen(0, TOPIC, PEER).is_none());
        assert!(!topics.release(&TOPIC));
    }
}
