//! A client: profile, identity, spaces and network, and their life from opening to shutdown.

use super::clock;
use super::connector::Connector;
use super::executor;
use super::log::Log;
use super::pairing::PairingHandle;
use super::sessions::{self, PeerSession, Sessions};
use super::signaling::{ServerState, TopicKey};
use super::space_handle::SpaceHandle;
use super::space_host::{SpaceHost, Wake};
use super::storage::{Access, ProfileStore, StoredInvitation, Vault};
use super::transport::Link;
use super::webrtc::{self, WebRtcOptions, WebRtcTransport};
use crate::api::{
    ClientOptions, ClientStatus, Encryption, IdentityInfo, JoinOptions, LogSink, SignalingStatus,
    SpaceInfo, SpaceState,
};
use crate::feed::sha256;
use crate::identity::Keyring;
use crate::model::{Error, ErrorKind, ObjectId, Operation, Result, SpaceId, Value};
use crate::space::{Founding, SpaceCore};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;
use tokio::sync::mpsc;
use zeroize::Zeroizing;

/// Links that may wait to become sessions.
const LINK_QUEUE: usize = 16;
/// The setting that holds signalling servers learned from invitations, one a line.
const LEARNED_SERVERS: &str = "signaling";
/// How long shutdown waits for peers to be told.
const FAREWELL: Duration = Duration::from_millis(500);

struct Identity {
    keyring: Arc<Keyring>,
    display_name: String,
}

struct Network {
    connector: Arc<Connector>,
    links: super::connector::LinkSender,
}

/// An open client. Tasks hold it weakly or end at shutdown.
pub struct Node {
    me: Weak<Node>,
    log: Log,
    options: ClientOptions,
    profile: Mutex<Option<ProfileStore>>,
    vault: Option<Arc<Vault>>,
    identity: RwLock<Option<Identity>>,
    spaces: RwLock<Vec<Arc<SpaceHost>>>,
    network: Mutex<Option<Network>>,
    sessions: Mutex<Vec<Arc<PeerSession>>>,
    pairings: Mutex<Vec<PairingHandle>>,
    closed: AtomicBool,
    bytes_sent: AtomicU64,
    bytes_received: AtomicU64,
}

/// What the facade holds: when the last one goes, the client shuts down.
pub struct NodeGuard(Arc<Node>);

impl NodeGuard {
    /// The client.
    pub fn node(&self) -> &Arc<Node> {
        &self.0
    }

    /// Opens a client.
    pub fn open(options: ClientOptions, sink: Option<Arc<dyn LogSink>>) -> Result<Arc<NodeGuard>> {
        Node::open(options, sink).map(|node| Arc::new(NodeGuard(node)))
    }

    /// Makes a space and opens it.
    pub fn create_space(
        self: &Arc<Self>,
        properties: BTreeMap<String, Value>,
    ) -> Result<SpaceHandle> {
        let host = self.0.create_space(properties, false)?;
        Ok(SpaceHandle::new(Arc::clone(self), host))
    }

    /// A handle on a space.
    pub fn space(self: &Arc<Self>, id: SpaceId) -> Result<SpaceHandle> {
        self.0.check_open()?;
        let host = self.0.host(&id)?;
        Ok(SpaceHandle::new(Arc::clone(self), host))
    }

    /// The space that was made with the identity.
    pub fn default_space(self: &Arc<Self>) -> Result<SpaceHandle> {
        self.0.check_open()?;
        let spaces = self.0.hosts();
        let host = spaces.into_iter().find(|host| host.is_default());
        let host = host.ok_or_else(|| {
            Error::not_found("there is no default space: create an identity first")
        })?;
        Ok(SpaceHandle::new(Arc::clone(self), host))
    }

    /// Uses an invitation code.
    pub fn join(self: &Arc<Self>, code: &str, options: JoinOptions) -> Result<PairingHandle> {
        super::pairing::guest::join(&self.0, code, &options)
    }
}

impl Drop for NodeGuard {
    fn drop(&mut self) {
        // May run on any thread, a worker's included: what blocks goes elsewhere.
        let node = Arc::clone(&self.0);
        if let Ok(handle) = executor::handle() {
            handle.spawn_blocking(move || node.shutdown());
        }
    }
}

impl Node {
    fn open(mut options: ClientOptions, sink: Option<Arc<dyn LogSink>>) -> Result<Arc<Node>> {
        let access = Access {
            passphrase: options.passphrase.take().map(Zeroizing::new),
            provider: options.key_provider.take(),
            mode: options.encryption,
        };
        check_options(&options)?;
        let log = Log::new(sink, options.log_level);
        let profile = ProfileStore::open_with(options.profile.as_deref().map(Path::new), access)?;
        let vault = profile.vault();
        let identity = match profile.keyring()? {
            None => None,
            Some(bytes) => Some(Identity {
                keyring: Arc::new(Keyring::decode(&bytes)?),
                display_name: profile.display_name()?.unwrap_or_default(),
            }),
        };
        let records = profile.spaces()?;
        let online = options.online;
        let node = Arc::new_cyclic(|me| Node {
            me: Weak::clone(me),
            log,
            options,
            profile: Mutex::new(Some(profile)),
            vault,
            identity: RwLock::new(identity),
            spaces: RwLock::default(),
            network: Mutex::default(),
            sessions: Mutex::default(),
            pairings: Mutex::default(),
            closed: AtomicBool::new(false),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
        });
        for record in records {
            let host = node.new_host(record.id, record.is_default);
            node.spaces_mut().push(Arc::clone(&host));
            if record.opened
                && let Err(error) = node.load(&host)
            {
                // One damaged space must not lock the user out of the others.
                node.log.write(crate::api::LogLevel::Error, "space", || {
                    format!("space {}: {error}", record.id)
                });
            }
        }
        node.complete_identity();
        node.close_stale_invitations();
        if online {
            node.go_online()?;
        }
        Ok(node)
    }

    /// Closes invitations that a killed process left open: nobody can host them any more, and a
    /// space may have only so many.
    fn close_stale_invitations(&self) {
        let stale = self.with_profile(|profile| profile.invitations());
        for stored in stale.unwrap_or_default() {
            if let Err(error) = self.close_stale(&stored) {
                // As on a full disk, which must keep nobody out: a later start tries again.
                self.log.warn("invitation", || {
                    format!("a stale invitation stays open: {error}")
                });
            }
        }
    }

    fn close_stale(&self, stored: &StoredInvitation) -> Result<()> {
        if let Some((space, key)) = super::pairing::host::read_record(&stored.payload)
            && let Ok(host) = self.host(&space)
            && host.summary().0 == SpaceState::Ready
        {
            match host.with_settled(|core| core.close_invitation(key)) {
                // It was never opened, or is closed already, or our role has changed.
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {}
                closed => closed?,
            }
        }
        self.with_profile(|profile| profile.remove_invitation(&stored.id))
    }
    fn new_host(&self, id: SpaceId, is_default: bool) -> Arc<SpaceHost> {
        let me = Weak::clone(&self.me);
        let wake: Wake = Arc::new(move || {
            if let Some(node) = me.upgrade() {
                node.wake_sessions();
            }
        });
        let log = self.log.clone();
        SpaceHost::new(
            id,
            is_default,
            String::new(),
            wake,
            log,
            self.options.coalesce_ms,
        )
    }

    fn spaces_mut(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Arc<SpaceHost>>> {
        self.spaces.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn hosts(&self) -> Vec<Arc<SpaceHost>> {
        self.spaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A space of the profile.
    pub fn host(&self, id: &SpaceId) -> Result<Arc<SpaceHost>> {
        let hosts = self.hosts();
        hosts
            .into_iter()
            .find(|host| host.id() == *id)
            .ok_or_else(|| Error::not_found(format!("this profile has no space {id}")))
    }

    /// Runs `work` on the profile's store.
    pub fn with_profile<T>(&self, work: impl FnOnce(&mut ProfileStore) -> Result<T>) -> Result<T> {
        let mut profile = self.profile.lock().unwrap_or_else(PoisonError::into_inner);
        match profile.as_mut() {
            Some(profile) => work(profile),
            None => Err(shut_down()),
        }
    }

    /// Fails once the client is shut down.
    pub fn check_open(&self) -> Result<()> {
        match self.closed.load(Ordering::Acquire) {
            true => Err(shut_down()),
            false => Ok(()),
        }
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The identity's keys and name; fails if there is none.
    pub fn require_identity(&self) -> Result<(Arc<Keyring>, String)> {
        self.check_open()?;
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        match identity.as_ref() {
            Some(identity) => Ok((Arc::clone(&identity.keyring), identity.display_name.clone())),
            None => Err(Error::state(
                "this profile has no identity yet: create one first",
            )),
        }
    }

    /// The identity, if there is one.
    pub fn identity(&self) -> Option<IdentityInfo> {
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        identity.as_ref().map(|identity| IdentityInfo {
            identity: identity.keyring.identity_key().to_string(),
            device: identity.keyring.device_key().to_string(),
            display_name: identity.display_name.clone(),
        })
    }

    /// Makes the identity and the default space.
    pub fn create_identity(&self, display_name: String) -> Result<IdentityInfo> {
        self.check_open()?;
        {
            let mut identity = self
                .identity
                .write()
                .unwrap_or_else(PoisonError::into_inner);
            if identity.is_some() {
                return Err(Error::new(
                    ErrorKind::AlreadyExists,
                    "this profile has an identity already",
                ));
            }
            let keyring = Keyring::generate(&mut clock::fill_random);
            self.with_profile(|profile| profile.create_identity(&keyring.encode(), &display_name))?;
            *identity = Some(Identity {
                keyring: Arc::new(keyring),
                display_name,
            });
        }
        self.create_default_space()?;
        self.identity()
            .ok_or_else(|| Error::internal("the identity that was just made is absent"))
    }

    fn create_default_space(&self) -> Result<()> {
        let mut properties = BTreeMap::new();
        properties.insert("name".to_owned(), Value::String("default".to_owned()));
        self.create_space(properties, true).map(drop)
    }

    /// Makes the default space that a crash between it and the identity has left out.
    fn complete_identity(&self) {
        let without = self.hosts().iter().all(|host| !host.is_default());
        if self.identity().is_some()
            && without
            && let Err(error) = self.create_default_space()
        {
            // As on a full disk, which must keep nobody out: a later start tries again.
            self.log.warn("space", || {
                format!("the default space could not be made: {error}")
            });
        }
    }

    fn create_space(
        &self,
        properties: BTreeMap<String, Value>,
        is_default: bool,
    ) -> Result<Arc<SpaceHost>> {
        let (keyring, name) = self.require_identity()?;
        let founding = Founding::new(&keyring, &name, &mut clock::fill_random)?;
        let id = founding.space;
        let now = clock::now_ms();
        let host = self.new_host(id, is_default);
        let made = self.with_profile(|profile| {
            let store = profile.open_space(&id)?;
            let random = Box::new(clock::fill_random);
            let mut core = SpaceCore::found(founding, Box::new(store), keyring, random, now)?;
            if !properties.is_empty() {
                let create = Operation::Create {
                    object: ObjectId::PROPERTIES,
                    type_name: None,
                    fields: properties,
                };
                core.transact(&[create], None, None, now)?;
            }
            // The list comes last, and is durable at once: what it names is to be so before. A crash
            // between leaves a file that nothing names.
            core.flush()?;
            profile.add_space(&id, is_default, i64::try_from(now).unwrap_or(i64::MAX))?;
            Ok(core)
        });
        host.open(|| made)?;
        self.spaces_mut().push(Arc::clone(&host));
        self.enter_room(&host);
        Ok(host)
    }

    /// Adds a space that was joined.
    pub fn adopt_space(&self, core: SpaceCore) -> Result<Arc<SpaceHost>> {
        let id = core.id();
        let host = self.new_host(id, false);
        host.open(|| Ok(core))?;
        self.spaces_mut().push(Arc::clone(&host));
        self.enter_room(&host);
        Ok(host)
    }

    /// Whether the profile has a space.
    pub fn has_space(&self, id: &SpaceId) -> bool {
        self.host(id).is_ok()
    }

    /// Ids of all spaces.
    pub fn space_ids(&self) -> Vec<SpaceId> {
        self.hosts().iter().map(|host| host.id()).collect()
    }

    fn load(&self, host: &Arc<SpaceHost>) -> Result<()> {
        let (keyring, _) = self.require_identity()?;
        let id = host.id();
        host.open(|| {
            let store = self.with_profile(|profile| profile.open_space(&id))?;
            SpaceCore::open(id, Box::new(store), keyring, Box::new(clock::fill_random))
        })?;
        super::blobs::tidy(host);
        Ok(())
    }

    /// Opens a space, now and at later starts.
    pub fn open_space(&self, host: &Arc<SpaceHost>) -> Result<()> {
        self.check_open()?;
        self.load(host)?;
        self.with_profile(|profile| profile.set_space_opened(&host.id(), true))?;
        self.enter_room(host);
        self.wake_sessions();
        Ok(())
    }

    /// Closes a space, now and at later starts.
    pub fn close_space(&self, host: &Arc<SpaceHost>) -> Result<()> {
        self.check_open()?;
        host.close(self.options.profile.is_none())?;
        self.with_profile(|profile| profile.set_space_opened(&host.id(), false))?;
        if let Some(network) = self.lock_network().as_ref() {
            network.connector.leave(&topic(&host.id()).0);
        }
        self.wake_sessions();
        Ok(())
    }

    /// Deletes a space's copy here.
    pub fn delete_space(&self, id: SpaceId) -> Result<()> {
        self.check_open()?;
        let host = self.host(&id)?;
        if host.is_default() {
            return Err(Error::invalid("the default space cannot be deleted"));
        }
        host.close(false)?;
        self.spaces_mut().retain(|other| other.id() != id);
        if let Some(network) = self.lock_network().as_ref() {
            network.connector.leave(&topic(&id).0);
        }
        self.with_profile(|profile| profile.delete_space(&id))?;
        self.wake_sessions();
        Ok(())
    }

    /// The listing.
    pub fn spaces(&self) -> Result<Vec<SpaceInfo>> {
        self.check_open()?;
        Ok(self
            .hosts()
            .iter()
            .map(|host| self.space_info(host))
            .collect())
    }

    /// One space's line of the listing.
    pub fn space_info(&self, host: &SpaceHost) -> SpaceInfo {
        let (state, name) = host.summary();
        SpaceInfo {
            id: host.id().to_string(),
            name,
            is_default: host.is_default(),
            state,
        }
    }

    fn lock_network(&self) -> MutexGuard<'_, Option<Network>> {
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

    fn go_online(&self) -> Result<()> {
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
        Ok(())
    }

    fn enter_room(&self, host: &SpaceHost) {
        if let Some(network) = self.lock_network().as_ref() {
            let (topic, key) = topic(&host.id());
            network
                .connector
                .enter_space(topic, TopicKey::new(&key), network.links.clone());
        }
    }

    fn go_offline(&self) {
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

    /// Closes everything; the first failure is reported, what can be closed is.
    pub fn shutdown(&self) -> Result<()> {
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let pairings = std::mem::take(&mut *self.lock_pairings());
        for pairing in &pairings {
            pairing.cancel();
        }
        for pairing in pairings {
            // Each closes its invitation in the space, which must still be open for that.
            let _ = pairing.wait(Some(FAREWELL));
        }
        self.go_offline();
        let mut result = Ok(());
        for host in std::mem::take(&mut *self.spaces_mut()) {
            if let Err(error) = host.close(false) {
                result = result.and(Err(error));
            }
        }
        self.profile
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        result
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

    /// What keeps the key of the profile's files.
    fn encryption(&self) -> Encryption {
        match (&self.vault, &self.options.profile) {
            (Some(vault), _) => vault.kept(),
            (None, Some(_)) => Encryption::Plain,
            (None, None) => Encryption::Memory,
        }
    }

    /// Gives the profile a passphrase, changes it, or takes it away.
    pub fn set_passphrase(&self, old: Option<&str>, new: Option<&str>) -> Result<()> {
        self.check_open()?;
        match &self.vault {
            Some(vault) => vault.set_passphrase(old, new),
            None => Err(Error::state(
                "the profile is not encrypted: a profile in memory has nothing to encrypt, and a plain one is encrypted when it is opened with encryption",
            )),
        }
    }

    fn lock_sessions(&self) -> MutexGuard<'_, Vec<Arc<PeerSession>>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_pairings(&self) -> MutexGuard<'_, Vec<PairingHandle>> {
        self.pairings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps an invitation until it ends, so that it outlives its handles.
    pub fn keep_pairing(&self, pairing: PairingHandle) {
        let mut pairings = self.lock_pairings();
        pairings.retain(|other| !other.update().state.is_final());
        pairings.push(pairing);
    }

    /// The sessions of this moment.
    pub fn sessions(&self) -> Vec<Arc<PeerSession>> {
        self.lock_sessions().clone()
    }

    fn wake_sessions(&self) {
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
        let space = Arc::clone(space);
        let Ok(handle) = executor::handle() else {
            return;
        };
        handle.spawn(async move {
            // Whoever admitted a newcomer gives it keys at once; the others wait a random while and
            // step in only if that did not happen.
            let [jitter] = clock::random::<1>();
            tokio::time::sleep(Duration::from_millis(1000 + u64::from(jitter) * 8)).await;
            executor::blocking(|| {
                let shared = space.with_settled(|core| core.share_keys());
                if let Ok(true) = shared {
                    space.announce_control();
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
async fn take_links(
    node: Weak<Node>,
    mut links: mpsc::Receiver<(super::signaling::PeerId, Arc<dyn Link>)>,
) {
    while let Some((_, link)) = links.recv().await {
        let Some(node) = node.upgrade() else {
            return;
        };
        tokio::spawn(sessions::run(node as Arc<dyn Sessions>, link));
    }
}

/// A space's room and the key of what is said in it.
fn topic(space: &SpaceId) -> ([u8; 32], [u8; 32]) {
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

fn webrtc_options(options: &ClientOptions) -> Result<WebRtcOptions> {
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

fn check_options(options: &ClientOptions) -> Result<()> {
    if options.profile.as_deref() == Some("") {
        return Err(Error::invalid(
            "the profile's directory has no name; without a directory all is kept in memory",
        ));
    }
    if options.coalesce_ms > 1000 {
        return Err(Error::invalid("coalesce_ms is 0 to 1000"));
    }
    for url in &options.signaling {
        if !url.starts_with("ws://") && !url.starts_with("wss://") {
            return Err(Error::invalid(format!(
                "{url:?} is not a signalling server: its URL starts with ws:// or wss://"
            )));
        }
    }
    webrtc_options(options).map(drop)
}

fn shut_down() -> Error {
    Error::state("the client is shut down")
}
