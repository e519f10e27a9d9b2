//! The network of a client: going online and offline, rooms, servers and sessions.

use super::Node;
use crate::api::{ClientOptions, ClientStatus, SignalingStatus, SpaceState};
use crate::feed::sha256;
use crate::identity::Keyring;
use crate::model::{Error, Result, SpaceId};
use crate::runtime::connector::{Connector, LinkSender};
use crate::runtime::log::Log;
use crate::runtime::pairing::PairingHandle;
use crate::runtime::sessions::{self, PeerSession, Sessions};
use crate::runtime::signaling::{PeerId, ServerState, TopicKey};
use crate::runtime::space_host::SpaceHost;
use crate::runtime::storage::ProfileStore;
use crate::runtime::transport::Link;
use crate::runtime::webrtc::{self, WebRtcOptions, WebRtcTransport};
use crate::runtime::{clock, executor};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::mpsc;

/// Links that may wait to become sessions.
const LINK_QUEUE: usize = 16;
/// The setting that holds signalling servers learned from invitations, one a line.
const LEARNED_SERVERS: &str = "signaling";
/// How long going offline waits for each peer to be told.
pub(super) const FAREWELL: Duration = Duration::from_millis(500);

pub(super) struct Network {
    pub connector: Arc<Connector>,
    links: LinkSender,
}

impl Node {
    pub(super) fn lock_network(&self) -> MutexGuard<'_, Option<Network>> {
        self.network.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The connector; fails while offline.
    pub fn connector(&self) -> Result<Arc<Connector>> {
        self.check_open()?;
        match self.lock_network().as_ref() {
            Some(network) => Ok(Arc::clone(&network.connector)),
            None => Err(Error::state("the client is offline: go online first")),
        }
    }

    /// Uses signalling servers that an invitation names, now and at later starts.
    pub fn learn_servers(&self, urls: &[String]) -> Result<()> {
        if urls.is_empty() {
            return Ok(());
        }
        self.connector()?.add_servers(urls)?;
        self.with_profile(|profile| {
            let mut all = learned_servers(profile)?;
            all.extend(urls.iter().cloned());
            all.sort();
            all.dedup();
            profile.set_setting(LEARNED_SERVERS, Some(all.join("\n").as_bytes()))
        })
    }

    /// The servers the client was told to use.
    pub fn configured_servers(&self) -> Vec<String> {
        self.options.signaling.clone()
    }

    pub(super) fn go_online(&self) -> Result<()> {
        self.halo.await_loading();
        let mut network = self.lock_network();
        if network.is_some() {
            return Ok(());
        }
        let mut servers = self.options.signaling.clone();
        servers.extend(self.with_profile(|profile| learned_servers(profile))?);
        let transport = WebRtcTransport::new(webrtc_options(&self.options)?);
        let connector = Connector::new(Arc::new(transport), self.log.clone());
        connector.add_servers(&servers)?;
        let (links, taken) = mpsc::channel(LINK_QUEUE);
        executor::handle()?.spawn(take_links(Weak::clone(&self.me), taken));
        *network = Some(Network { connector, links });
        drop(network);
        for host in self.hosts() {
            if host.summary().0 == SpaceState::Ready {
                self.enter_room(&host);
            }
        }
        for pairing in self.lock_pairings().iter() {
            pairing.resume_network(&self.connector()?);
        }
        self.tend_invitations();
        // What waits for whoever recovers the identity waits at the new connector.
        self.schedule_reconciling();
        Ok(())
    }

    pub(in crate::runtime) fn enter_room(&self, host: &SpaceHost) {
        if let Some(network) = self.lock_network().as_ref() {
            let (topic, key) = topic(&host.id());
            network
                .connector
                .enter_space(topic, TopicKey::new(&key), network.links.clone());
        }
    }

    pub(super) fn go_offline(&self) {
        let network = self.lock_network().take();
        for pairing in self.lock_pairings().iter() {
            pairing.suspend_network();
        }
        let sessions = std::mem::take(&mut *self.lock_sessions());
        let _ = executor::block_on(async move {
            for session in sessions {
                let _ = tokio::time::timeout(FAREWELL, session.close()).await;
            }
        });
        if let Some(network) = network {
            network.connector.stop();
        }
    }

    /// Goes online or offline.
    pub fn set_online(&self, online: bool) -> Result<()> {
        self.check_open()?;
        match online {
            true => self.go_online(),
            false => {
                self.go_offline();
                Ok(())
            }
        }
    }

    /// The client's connections and servers.
    pub fn status(&self) -> ClientStatus {
        let connector = self
            .lock_network()
            .as_ref()
            .map(|network| Arc::clone(&network.connector));
        let servers = connector.as_ref().map(|c| c.servers()).unwrap_or_default();
        ClientStatus {
            online: connector.is_some(),
            signaling: servers
                .into_iter()
                .map(|(url, state)| SignalingStatus {
                    url,
                    connected: state == ServerState::Connected,
                    error: match state {
                        ServerState::Connected => None,
                        ServerState::Connecting => Some("not reached yet".to_owned()),
                        ServerState::Reconnecting => {
                            Some("connection lost; trying again".to_owned())
                        }
                    },
                })
                .collect(),
            peers: u32::try_from(self.lock_sessions().len()).unwrap_or(u32::MAX),
            bytes_sent: self.bytes_sent.load(Ordering::Relaxed),
            bytes_received: self.bytes_received.load(Ordering::Relaxed),
            encryption: self.encryption(),
        }
    }

    pub(super) fn lock_sessions(&self) -> MutexGuard<'_, Vec<Arc<PeerSession>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lock_pairings(&self) -> MutexGuard<'_, Vec<PairingHandle>> {
        self.pairings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an invitation until it ends, so that it outlives its handles.
    pub fn keep_pairing(&self, pairing: PairingHandle) {
        let mut pairings = self.lock_pairings();
        pairings.retain(|other| !other.update().state.is_final());
        pairings.push(pairing);
    }

    /// The invitations that run, and some that ended lately.
    pub fn pairings(&self) -> Vec<PairingHandle> {
        self.lock_pairings().clone()
    }

    /// Held while it is decided which invitations run.
    pub fn lock_tending(&self) -> MutexGuard<'_, ()> {
        self.tending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Has invitations that should run and do not started soon.
    pub(super) fn tend_invitations(&self) {
        if let Some(node) = self.me.upgrade() {
            crate::runtime::pairing::tending::tend_later(&node);
        }
    }

    /// The sessions of this moment.
    pub fn sessions(&self) -> Vec<Arc<PeerSession>> {
        self.lock_sessions().clone()
    }

    pub(in crate::runtime) fn wake_sessions(&self) {
        for session in self.lock_sessions().iter() {
            session.wake();
        }
    }
}

impl Sessions for Node {
    fn keyring(&self) -> Option<Arc<Keyring>> {
        self.require_identity().ok().map(|(keyring, _)| keyring)
    }

    fn all_spaces(&self) -> Vec<Arc<SpaceHost>> {
        self.hosts()
    }

    fn joined(&self, session: &Arc<PeerSession>) {
        let old: Vec<_> = {
            let mut sessions = self.lock_sessions();
            if self.lock_network().is_none() {
                // The client went offline while the two sides shook hands.
                vec![Arc::clone(session)]
            } else {
                let (old, rest) = sessions
                    .drain(..)
                    .partition(|s| s.device() == session.device());
                *sessions = rest;
                sessions.push(Arc::clone(session));
                old
            }
        };
        if let Ok(handle) = executor::handle() {
            for session in old {
                handle.spawn(async move { session.close().await });
            }
        }
    }

    fn left(&self, session: &Arc<PeerSession>) {
        self.lock_sessions()
            .retain(|other| !Arc::ptr_eq(other, session));
    }

    fn control_changed(&self, space: &Arc<SpaceHost>) {
        self.tend_invitations();
        let space = Arc::clone(space);
        let me = Weak::clone(&self.me);
        let Ok(handle) = executor::handle() else {
            return;
        };
        self.schedule_reconciling();
        handle.spawn(async move {
            // Whoever ended somebody's right to read makes a new key at once, and whoever admitted a
            // newcomer gives it keys; the others wait a random while and step in only if that did
            // not happen.
            let [jitter] = clock::random::<1>();
            tokio::time::sleep(Duration::from_millis(u64::from(jitter) * 8)).await;
            executor::blocking(|| {
                if let Ok(true) = space.with_settled(|core| core.heal_keys()) {
                    space.announce_control();
                }
            });
            tokio::time::sleep(Duration::from_secs(1)).await;
            executor::blocking(|| {
                let shared = space.with_settled(|core| core.share_keys());
                if let Ok(true) = shared {
                    space.announce_control();
                }
                if let Some(node) = me.upgrade() {
                    node.part_with_strangers();
                }
            });
        });
    }

    fn count(&self, sent: u64, received: u64) {
        self.bytes_sent.fetch_add(sent, Ordering::Relaxed);
        self.bytes_received.fetch_add(received, Ordering::Relaxed);
    }

    fn log(&self) -> &Log {
        &self.log
    }
}

/// Turns links into sessions.
async fn take_links(node: Weak<Node>, mut links: mpsc::Receiver<(PeerId, Arc<dyn Link>)>) {
    while let Some((_, link)) = links.recv().await {
        let Some(node) = node.upgrade() else {
            return;
        };
        tokio::spawn(sessions::run(node as Arc<dyn Sessions>, link));
    }
}

/// A space's room and the key of what is said in it.
pub(super) fn topic(space: &SpaceId) -> ([u8; 32], [u8; 32]) {
    (
        sha256(&[b"echodb/space-topic/v1", space.as_bytes()]),
        sha256(&[b"echodb/space-topic-key/v1", space.as_bytes()]),
    )
}

fn learned_servers(profile: &ProfileStore) -> Result<Vec<String>> {
    let stored = profile.setting(LEARNED_SERVERS)?.unwrap_or_default();
    let text = String::from_utf8(stored)
        .map_err(|_| Error::corrupt("the list of signalling servers is damaged"))?;
    Ok(text.lines().map(str::to_owned).collect())
}

pub(super) fn webrtc_options(options: &ClientOptions) -> Result<WebRtcOptions> {
    let bind_addresses = options
        .bind
        .iter()
        .map(|address| {
            let bad = |_| Error::invalid(format!("{address:?} is not an address: write IP:PORT"));
            address.parse().map_err(bad)
        })
        .collect::<Result<Vec<_>>>()?;
    let ice_servers = options.ice_servers.iter().map(|server| webrtc::IceServer {
        urls: server.urls.clone(),
        username: server.username.clone(),
        credential: server.credential.clone(),
    });
    Ok(WebRtcOptions {
        ice_servers: ice_servers.collect(),
        bind_addresses,
        ..WebRtcOptions::default()
    })
}
