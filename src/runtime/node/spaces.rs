//! The spaces of a profile: making, opening, closing and deleting them.

use super::Node;
use super::network::topic;
use crate::api::{LogLevel, SpaceInfo};
use crate::identity::Keyring;
use crate::model::{Error, ObjectId, Operation, Result, SpaceId, Value, signed};
use crate::runtime::clock;
use crate::runtime::space_host::{SpaceHost, SpaceKind, Wake};
use crate::runtime::storage::{ProfileStore, SpaceFile, SpaceRecord, SpaceStore};
use crate::space::{Founding, Ingest, SpaceCore};
use bytes::Bytes;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLockWriteGuard, Weak};
use std::thread;
use std::time::Duration;

/// When the HALO space is loaded, unless somebody waits for it: whoever opens a client has something
/// to do with its spaces first.
const HALO_AFTER: Duration = Duration::from_millis(20);
/// Spaces that are loaded at once when a client starts.
const LOADING_AT_ONCE: usize = 4;

/// The file of a space that was opened before the space is loaded, or why it could not be.
pub(super) type Opened = (SpaceId, Result<SpaceStore>);

/// A space to load, and its file if that was opened already.
type ToLoad = (Arc<SpaceHost>, Option<Result<SpaceStore>>);

/// The file of the space that a program most likely begins with.
pub(super) fn first_file(
    profile: &ProfileStore,
    records: &[SpaceRecord],
) -> Result<Option<(SpaceId, SpaceFile)>> {
    let mut opened = records.iter().filter(|r| r.opened && !r.is_halo);
    let first = opened
        .clone()
        .find(|r| r.is_default)
        .or_else(|| opened.next());
    let first = first.map(|record| Ok((record.id, profile.space_file(&record.id)?)));
    first.transpose()
}

/// Opens a file while another thread does `work`.
pub(super) fn opened_beside<T: Send>(
    file: Option<(SpaceId, SpaceFile)>,
    work: impl FnOnce() -> Result<T> + Send,
) -> Result<(Option<Opened>, T)> {
    let Some((id, file)) = file else {
        return Ok((None, work()?));
    };
    thread::scope(|scope| {
        let beside = thread::Builder::new().name("echodb-keys".into());
        let beside = beside
            .spawn_scoped(scope, work)
            .map_err(|e| Error::internal(format!("no threads to be had: {e}")))?;
        let opened = file.open();
        let done = beside.join().unwrap_or_else(|panic| resume_unwind(panic));
        Ok((Some((id, opened)), done?))
    })
}

impl Node {
    pub(in crate::runtime) fn new_host(&self, id: SpaceId, kind: SpaceKind) -> Arc<SpaceHost> {
        let me = Weak::clone(&self.me);
        let wake: Wake = Arc::new(move || {
            if let Some(node) = me.upgrade() {
                node.wake_sessions();
                if kind == SpaceKind::Halo {
                    node.schedule_reconciling();
                }
            }
        });
        let log = self.log.clone();
        SpaceHost::new(
            id,
            kind,
            String::new(),
            wake,
            log,
            self.options.coalesce_ms,
            &self.cache,
        )
    }

    pub(in crate::runtime) fn spaces_mut(&self) -> RwLockWriteGuard<'_, Vec<Arc<SpaceHost>>> {
        self.spaces.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::runtime) fn hosts(&self) -> Vec<Arc<SpaceHost>> {
        self.spaces
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// A space of the user's in this profile.
    pub fn host(&self, id: &SpaceId) -> Result<Arc<SpaceHost>> {
        let hosts = self.hosts();
        hosts
            .into_iter()
            .find(|host| host.id() == *id && !host.is_halo())
            .ok_or_else(|| Error::not_found(format!("this profile has no space {id}")))
    }

    /// Makes a space and opens it.
    pub(super) fn create_space(
        &self,
        properties: BTreeMap<String, Value>,
        kind: SpaceKind,
    ) -> Result<Arc<SpaceHost>> {
        let now = clock::now_ms();
        let host = self.found_space(kind, |core| {
            if !properties.is_empty() {
                let create = Operation::Create {
                    object: ObjectId::PROPERTIES,
                    type_name: None,
                    fields: properties,
                };
                core.transact(&[create], None, None, now)?;
            }
            Ok(())
        })?;
        self.note_space(&host);
        Ok(host)
    }

    /// Makes a space, has it filled, and opens it.
    pub(in crate::runtime) fn found_space(
        &self,
        kind: SpaceKind,
        fill: impl FnOnce(&mut SpaceCore) -> Result<()>,
    ) -> Result<Arc<SpaceHost>> {
        let (keyring, name) = self.require_identity()?;
        let founding = Founding::new(&keyring, &name, &mut clock::fill_random)?;
        let id = founding.space;
        let now = clock::now_ms();
        let host = self.new_host(id, kind);
        let made = self.with_profile(|profile| {
            let store = profile.open_space(&id)?;
            let random = Box::new(clock::fill_random);
            let mut core = SpaceCore::found(founding, Box::new(store), keyring, random, now)?;
            fill(&mut core)?;
            // The list comes last, and is durable at once: what it names is to be so before. A crash
            // between leaves a file that nothing names.
            core.flush()?;
            let made_ms = signed(now);
            match kind {
                SpaceKind::Halo => profile.add_halo(&id, made_ms)?,
                _ => profile.add_space(&id, kind == SpaceKind::Default, made_ms)?,
            }
            Ok(core)
        });
        host.open(|| made)?;
        self.spaces_mut().push(Arc::clone(&host));
        self.enter_room(&host);
        Ok(host)
    }

    /// Keeps others from bringing in the same space meanwhile. Fails with `InvalidState` if somebody
    /// does.
    pub fn claim(&self, space: SpaceId) -> Result<Claim<'_>> {
        match self.lock_claims().insert(space) {
            true => Ok(Claim { node: self, space }),
            false => Err(Error::state(format!(
                "the space {space} is being joined, imported or repaired right now: try again when that has ended"
            ))),
        }
    }

    fn lock_claims(&self) -> MutexGuard<'_, BTreeSet<SpaceId>> {
        self.claims.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to hold a space that others hold: takes in headers and entries of its control feeds,
    /// has `join` do the rest, and once all of that is durable has `list` name the space, as of now.
    /// A crash before that leaves a file that nothing names.
    pub fn enter_space<T>(
        &self,
        space: SpaceId,
        keyring: &Arc<Keyring>,
        (headers, entries): (Vec<Bytes>, Vec<Bytes>),
        join: impl FnOnce(&mut SpaceCore) -> Result<T>,
        list: impl FnOnce(&mut ProfileStore, i64) -> Result<()>,
    ) -> Result<(SpaceCore, T)> {
        let store = self.with_profile(|profile| profile.open_space(&space))?;
        let random = Box::new(clock::fill_random);
        let mut core = SpaceCore::join(space, Box::new(store), Arc::clone(keyring), random)?;
        for header in &headers {
            core.add_feed(header)?;
        }
        core.ingest(entries, &mut Ingest::default())?;
        let joined = join(&mut core)?;
        core.flush()?;
        let now = signed(clock::now_ms());
        self.with_profile(|profile| list(profile, now))?;
        Ok((core, joined))
    }

    /// Adds a space that was joined.
    pub fn adopt_space(&self, core: SpaceCore) -> Result<Arc<SpaceHost>> {
        let host = self.take_space(core, SpaceKind::Ordinary)?;
        self.note_space(&host);
        Ok(host)
    }

    /// Adds a space that the profile lists already.
    pub(in crate::runtime) fn take_space(
        &self,
        core: SpaceCore,
        kind: SpaceKind,
    ) -> Result<Arc<SpaceHost>> {
        let host = self.put_space(core, kind)?;
        self.start_space(&host);
        Ok(host)
    }

    /// The first half of [`Node::take_space`]: the space is there.
    pub(in crate::runtime) fn put_space(
        &self,
        core: SpaceCore,
        kind: SpaceKind,
    ) -> Result<Arc<SpaceHost>> {
        let host = self.new_host(core.id(), kind);
        host.open(|| Ok(core))?;
        self.spaces_mut().push(Arc::clone(&host));
        Ok(host)
    }

    /// The second: peers hear of it.
    pub(in crate::runtime) fn start_space(&self, host: &Arc<SpaceHost>) {
        self.enter_room(host);
        self.tend_invitations();
        self.wake_sessions();
    }

    /// Whether the profile has a space.
    pub fn has_space(&self, id: &SpaceId) -> bool {
        self.host(id).is_ok()
    }

    /// Ids of all spaces of the user's.
    pub fn space_ids(&self) -> Vec<SpaceId> {
        let hosts = self.hosts();
        let own = hosts.iter().filter(|host| !host.is_halo());
        own.map(|host| host.id()).collect()
    }

    /// Lists the spaces of a profile, and loads those that were open, a few at a time. The HALO space
    /// is loaded beside: a program's first call seldom needs it (`HaloWork::await_loading`).
    pub(super) fn load_spaces(&self, records: &[SpaceRecord], mut first: Option<Opened>) {
        let mut opened = VecDeque::new();
        for record in records {
            let kind = match (record.is_halo, record.is_default) {
                (true, _) => SpaceKind::Halo,
                (false, true) => SpaceKind::Default,
                (false, false) => SpaceKind::Ordinary,
            };
            let host = self.new_host(record.id, kind);
            self.spaces_mut().push(Arc::clone(&host));
            match (record.opened, kind) {
                (false, _) => {}
                (true, SpaceKind::Halo) => self.load_beside(host),
                (true, _) => {
                    let file = first.take_if(|(id, _)| *id == record.id);
                    opened.push_back((host, file.map(|(_, file)| file)));
                }
            }
        }
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(LOADING_AT_ONCE).min(opened.len());
        let opened = Mutex::new(opened);
        thread::scope(|scope| {
            for _ in 1..threads {
                // Without threads this one does it all.
                let another = thread::Builder::new().name("echodb-load".into());
                let _ = another.spawn_scoped(scope, || self.load_each(&opened));
            }
            self.load_each(&opened);
        });
    }

    fn load_each(&self, opened: &Mutex<VecDeque<ToLoad>>) {
        let next = || {
            opened
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .pop_front()
        };
        while let Some((host, file)) = next() {
            self.load_or_log(&host, file);
        }
    }

    /// One damaged space must not lock the user out of the others.
    fn load_or_log(&self, host: &Arc<SpaceHost>, file: Option<Result<SpaceStore>>) {
        if let Err(error) = self.load_from(host, file) {
            self.log.write(LogLevel::Error, "space", || {
                format!("space {}: {error}", host.id())
            });
        }
    }

    fn load_beside(&self, host: Arc<SpaceHost>) {
        let me = self.me.upgrade();
        let beside = Arc::clone(&host);
        let load = move || {
            thread::park_timeout(HALO_AFTER);
            // Who was shut down meanwhile has nothing to load.
            if let Some(node) = me
                && node.check_open().is_ok()
            {
                node.load_or_log(&beside, None);
            }
        };
        match thread::Builder::new()
            .name("echodb-halo".into())
            .spawn(load)
        {
            Ok(loading) => self.halo.set_loading(loading),
            Err(_) => self.load_or_log(&host, None),
        }
    }

    pub(super) fn load(&self, host: &Arc<SpaceHost>) -> Result<()> {
        self.load_from(host, None)
    }

    /// Loads a space, from its file if that is open already.
    fn load_from(&self, host: &Arc<SpaceHost>, store: Option<Result<SpaceStore>>) -> Result<()> {
        let (keyring, _) = self.require_identity()?;
        let id = host.id();
        host.open(|| {
            // Others are opened meanwhile.
            let store = store.unwrap_or_else(|| {
                let file = self.with_profile(|profile| profile.space_file(&id));
                file?.open()
            });
            SpaceCore::open(id, Box::new(store?), keyring, Box::new(clock::fill_random))
        })?;
        crate::runtime::blobs::tidy(host);
        Ok(())
    }

    /// Opens a space, now and at later starts.
    pub fn open_space(&self, host: &Arc<SpaceHost>) -> Result<()> {
        self.check_open()?;
        self.load(host)?;
        self.with_profile(|profile| profile.set_space_opened(&host.id(), true))?;
        self.enter_room(host);
        self.wake_sessions();
        self.tend_invitations();
        self.schedule_reconciling();
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

    /// Deletes a space's copy here. The identity's other devices keep theirs, and this one does not
    /// get it again by itself.
    pub fn delete_space(&self, id: SpaceId) -> Result<()> {
        self.check_open()?;
        let host = self.host(&id)?;
        if host.is_default() {
            return Err(Error::invalid("the default space cannot be deleted"));
        }
        // A round under way would bring it back by what HALO said before.
        let _no_round = self.reconciling();
        // First: otherwise it would come back by way of the other devices.
        self.note_deletion(&id)?;
        host.close(false)?;
        self.spaces_mut().retain(|other| other.id() != id);
        if let Some(network) = self.lock_network().as_ref() {
            network.connector.leave(&topic(&id).0);
        }
        self.with_profile(|profile| profile.delete_space(&id))?;
        self.forget_in_line(&id);
        self.wake_sessions();
        Ok(())
    }

    /// The listing.
    pub fn spaces(&self) -> Result<Vec<SpaceInfo>> {
        self.check_open()?;
        let hosts = self.hosts();
        let own = hosts.iter().filter(|host| !host.is_halo());
        Ok(own.map(|host| self.space_info(host)).collect())
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
}

/// A space that nobody else brings in while this lives.
pub struct Claim<'a> {
    node: &'a Node,
    space: SpaceId,
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        self.node.lock_claims().remove(&self.space);
    }
}
