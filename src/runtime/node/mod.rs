//! A client: profile, identity, spaces and network, and their life from opening to shutdown.

mod encryption;
mod identity;
mod network;
mod spaces;

use self::network::{FAREWELL, Network, webrtc_options};
use super::cache::Cache;
use super::executor;
use super::halo::HaloWork;
use super::log::Log;
use super::pairing::PairingHandle;
use super::sessions::PeerSession;
use super::space_handle::SpaceHandle;
use super::space_host::{SpaceHost, SpaceKind};
use super::storage::{Access, ProfileStore, Vault};
use crate::api::{ClientOptions, JoinOptions, LogSink};
use crate::identity::Keyring;
use crate::model::{Error, Result, SpaceId, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};
use zeroize::Zeroizing;

pub(super) struct Identity {
    pub(super) keyring: Arc<Keyring>,
    pub(super) display_name: String,
}

/// An open client. Tasks hold it weakly or end at shutdown.
pub struct Node {
    pub(super) me: Weak<Node>,
    log: Log,
    options: ClientOptions,
    profile: Mutex<Option<ProfileStore>>,
    vault: Option<Arc<Vault>>,
    pub(super) identity: RwLock<Option<Identity>>,
    spaces: RwLock<Vec<Arc<SpaceHost>>>,
    network: Mutex<Option<Network>>,
    sessions: Mutex<Vec<Arc<PeerSession>>>,
    pairings: Mutex<Vec<PairingHandle>>,
    /// Held while it is decided which invitations run.
    tending: Mutex<()>,
    pub(super) halo: HaloWork,
    cache: Arc<Cache>,
    /// Spaces that are being joined, imported or made again.
    claims: Mutex<BTreeSet<SpaceId>>,
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
        let host = self.0.create_space(properties, SpaceKind::Ordinary)?;
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
        executor::prepare();
        let log = Log::new(sink, options.log_level);
        let directory = options.profile.as_deref().map(Path::new);
        let mut profile = ProfileStore::open_with(directory, access)?;
        let vault = profile.vault();
        let records = profile.spaces()?;
        let first = spaces::first_file(&profile, &records)?;
        let (first, identity) = spaces::opened_beside(first, || Identity::load(&mut profile))?;
        let online = options.online;
        let cache = Cache::new(options.cache_bytes);
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
            tending: Mutex::default(),
            halo: HaloWork::default(),
            cache,
            claims: Mutex::default(),
            closed: AtomicBool::new(false),
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
        });
        node.load_spaces(&records, first);
        node.complete_identity();
        if online {
            node.go_online()?;
        }
        node.start_halo();
        Ok(node)
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

    /// Closes everything; the first failure is reported, what can be closed is.
    pub fn shutdown(&self) -> Result<()> {
        self.revoke_held();
        if self.closed.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let pairings = std::mem::take(&mut *self.lock_pairings());
        for pairing in &pairings {
            // Of a profile that is nowhere but in memory nothing can go on.
            match self.options.profile {
                Some(_) => pairing.suspend(),
                None => pairing.cancel(),
            }
        }
        for pairing in pairings {
            // Whatever it closes in its space or stores, both must still be open for that.
            let _ = pairing.wait(Some(FAREWELL));
        }
        self.go_offline();
        self.halo.await_loading();
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
}

fn check_options(options: &ClientOptions) -> Result<()> {
    if options.profile.as_deref() == Some("") {
        return Err(Error::invalid(
            "the profile's directory has no name; without a directory all is kept in memory",
        ));
    }
    Cache::check(options.cache_bytes)?;
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
