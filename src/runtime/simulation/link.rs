//! A link between two peers: ordered both ways, and lost with everything on it when cut.

use super::peer::Peer;
use crate::model::DeviceKey;
use crate::runtime::session_source::CoreSource;
use crate::sync::replicator::Replicator;
use crate::sync::wire::{Body, Message, Open, space_tag};
use bytes::Bytes;
use std::collections::VecDeque;

/// One side of a link.
#[derive(Default)]
struct End {
    replicator: Option<Replicator>,
    /// The space's generation when it was looked at last.
    seen: Option<u64>,
    /// What is on its way to this end.
    incoming: VecDeque<Bytes>,
    /// That the other end has begun, said before this one had the space.
    early: Option<Open>,
}

/// A link that is up.
pub struct Link {
    pub ends: [usize; 2],
    hash: [u8; 32],
    sides: [End; 2],
    pub broken: Option<String>,
}

impl Link {
    pub fn new(a: usize, b: usize, number: u64) -> Link {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&number.to_be_bytes());
        Link {
            ends: [a, b],
            hash,
            sides: Default::default(),
            broken: None,
        }
    }

    /// How many messages are on their way to an end.
    pub fn waiting(&self, end: usize) -> usize {
        self.sides[end].incoming.len()
    }

    /// Whether nothing is on its way.
    pub fn is_idle(&self) -> bool {
        self.sides.iter().all(|side| side.incoming.is_empty())
    }

    fn post(&mut self, to: usize, messages: Vec<Message>) {
        for message in messages {
            self.sides[to]
                .incoming
                .push_back(Bytes::from(message.to_bytes()));
        }
    }

    /// Begins if need be, and sends what is new.
    pub fn look(&mut self, end: usize, peers: &[Peer]) {
        let (Some(core), peer) = (&peers[self.ends[end]].core, &peers[self.ends[1 - end]]) else {
            return;
        };
        let source = CoreSource {
            core,
            peer: peer.keyring.device_key(),
        };
        let side = &mut self.sides[end];
        let mut out = Vec::new();
        match &mut side.replicator {
            None => {
                let tag = space_tag(&core.id(), &self.hash);
                let mut replicator = Replicator::new(tag, &source, &mut out);
                if let Some(open) = side.early.take() {
                    let body = Body::Open(open);
                    replicator.receive(body, &source, &mut out).unwrap();
                }
                side.replicator = Some(replicator);
            }
            Some(_) if side.seen == Some(core.generation()) => {}
            Some(replicator) => replicator.pump(&source, &mut out).unwrap(),
        }
        side.seen = Some(core.generation());
        self.post(1 - end, out);
    }

    /// Lets time pass at an end.
    pub fn tick(&mut self, end: usize, peers: &[Peer], time: u64) {
        let (Some(core), peer) = (&peers[self.ends[end]].core, &peers[self.ends[1 - end]]) else {
            return;
        };
        let source = CoreSource {
            core,
            peer: peer.keyring.device_key(),
        };
        let mut out = Vec::new();
        if let Some(replicator) = &mut self.sides[end].replicator {
            replicator.tick(time, &source, &mut out);
        }
        self.post(1 - end, out);
    }

    /// Delivers one message to an end.
    pub fn deliver(&mut self, end: usize, peers: &mut [Peer], time: u64) {
        let Some(bytes) = self.sides[end].incoming.pop_front() else {
            return;
        };
        let other = peers[self.ends[1 - end]].keyring.device_key();
        let message = Message::from_bytes(bytes).unwrap();
        if peers[self.ends[end]].core.is_none() {
            // As a session keeps it.
            if let Some(Body::Open(open)) = message.body {
                self.sides[end].early = Some(open);
            }
            return;
        }
        self.look(end, peers);
        let peer = &mut peers[self.ends[end]];
        let mut out = Vec::new();
        let Some(replicator) = &mut self.sides[end].replicator else {
            return;
        };
        let received = replicator.receive(message.body.unwrap(), &source(peer, other), &mut out);
        let done = received.and_then(|delivery| {
            let Some(delivery) = delivery else {
                return Ok(());
            };
            let into = peer.take(&delivery.headers, delivery.entries, time)?;
            let sent: Vec<_> = into.sent.into_iter().collect();
            replicator.ingested(
                &sent,
                into.unplaced > 0,
                time,
                &source(peer, other),
                &mut out,
            )
        });
        if let Err(error) = done {
            self.broken = Some(error.to_string());
        }
        self.post(1 - end, out);
    }

    /// What an end reports as not in agreement.
    pub fn difference(&self, end: usize, peers: &[Peer]) -> Option<(u64, u64)> {
        let core = peers[self.ends[end]].core.as_ref()?;
        let source = CoreSource {
            core,
            peer: peers[self.ends[1 - end]].keyring.device_key(),
        };
        Some(self.sides[end].replicator.as_ref()?.difference(&source))
    }
}

/// A peer's space as replication with `other` sees it.
fn source(peer: &mut Peer, other: DeviceKey) -> CoreSource<'_> {
    CoreSource {
        core: peer.core(),
        peer: other,
    }
}
