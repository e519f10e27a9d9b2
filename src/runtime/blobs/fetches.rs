//! The blobs of a space that are being fetched, and those who wait for them.

use super::traffic::CoreHoldings;
use crate::api::{BlobFetchState, BlobListener, BlobProgress};
use crate::model::{BlobId, Error, ErrorKind, Result, limits};
use crate::runtime::events::{Mailbox, Registration};
use crate::runtime::executor;
use crate::runtime::log::Log;
use crate::runtime::space_host::SpaceHost;
use crate::space::SpaceCore;
use crate::sync::blob_fetch::Fetch;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, Weak};
use std::time::Duration;
use tokio::sync::watch;

fn note(progress: &mut BlobProgress, peers: usize, sources: usize) {
    progress.peers = u32::try_from(peers).unwrap_or(u32::MAX);
    progress.sources = u32::try_from(sources).unwrap_or(u32::MAX);
}

/// The blobs that are being fetched.
#[derive(Default)]
pub struct Fetches {
    running: Mutex<BTreeMap<BlobId, FetchHandle>>,
    /// Held by whoever removes blobs, so that each counts what it removed. Locked before the space.
    sweeping: Mutex<()>,
}

type Updates = Mailbox<BlobProgress>;

struct Shared {
    id: BlobId,
    fetches: Weak<Fetches>,
    machine: Mutex<Fetch>,
    progress: watch::Sender<BlobProgress>,
    listeners: Mutex<Vec<Arc<Updates>>>,
    log: Log,
}

/// A handle on a blob on its way. Clones act on the same one.
#[derive(Clone)]
pub struct FetchHandle {
    shared: Arc<Shared>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Fetches {
    /// Begins to fetch a blob, or joins whoever does already.
    pub(super) fn begin(self: &Arc<Self>, host: &SpaceHost, id: BlobId) -> Result<FetchHandle> {
        host.with(|core| {
            core.may_fetch()?;
            let mut running = lock(&self.running);
            if let Some(handle) = running.get(&id) {
                return Ok(handle.clone());
            }
            if running.len() >= limits::BLOB_FETCHES {
                return Err(Error::limit(format!(
                    "{} blobs of this space are being fetched already; wait for some of them",
                    limits::BLOB_FETCHES
                )));
            }
            let handle = FetchHandle::new(id, self, host.log().clone());
            handle.machine().start(&mut CoreHoldings::new(core))?;
            running.insert(id, handle.clone());
            drop(running);
            handle.settle(core);
            Ok(handle)
        })
    }

    /// Those under way.
    pub(super) fn running(&self) -> Vec<FetchHandle> {
        lock(&self.running).values().cloned().collect()
    }

    /// The ids of those under way.
    pub(super) fn ids(&self) -> Vec<BlobId> {
        lock(&self.running).keys().copied().collect()
    }

    pub(super) fn get(&self, id: &BlobId) -> Option<FetchHandle> {
        lock(&self.running).get(id).cloned()
    }

    /// Keeps others from removing blobs meanwhile.
    pub(super) fn sweeping(&self) -> MutexGuard<'_, ()> {
        lock(&self.sweeping)
    }

    /// Likewise, unless somebody is at it.
    pub(super) fn try_sweeping(&self) -> Option<MutexGuard<'_, ()>> {
        match self.sweeping.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Whether nothing is under way.
    pub(super) fn is_idle(&self) -> bool {
        lock(&self.running).is_empty()
    }

    /// A blob was written here: who waits for it need not any more.
    pub(super) fn look_again(&self, host: &SpaceHost, id: &BlobId) {
        if let Some(handle) = self.get(id) {
            // A space that was closed meanwhile has ended its fetches.
            let _ = host.with(|core| {
                let started = handle.machine().start(&mut CoreHoldings::new(core));
                match started {
                    Ok(()) => handle.settle(core),
                    Err(error) => handle.fail(&error),
                }
                Ok(())
            });
        }
    }

    /// The space closes: what was fetched stays, and fetching the blob again goes on from there.
    pub fn end_all(&self) {
        for handle in self.running() {
            handle.end(
                BlobFetchState::Cancelled,
                Some(Error::new(
                    ErrorKind::Cancelled,
                    "the space was closed; fetch the blob again when it is open",
                )),
            );
        }
    }
}

/// A task that ends when nobody waits for it any more.
struct Waiting(tokio::task::JoinHandle<Result<BlobProgress>>);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl FetchHandle {
    fn new(id: BlobId, fetches: &Arc<Fetches>, log: Log) -> FetchHandle {
        let progress = BlobProgress {
            state: BlobFetchState::Fetching,
            received: 0,
            total: None,
            peers: 0,
            sources: 0,
            status: 0,
            error: None,
        };
        FetchHandle {
            shared: Arc::new(Shared {
                id,
                fetches: Arc::downgrade(fetches),
                machine: Mutex::new(Fetch::new(id)),
                progress: watch::Sender::new(progress),
                listeners: Mutex::default(),
                log,
            }),
        }
    }

    /// The blob.
    pub fn id(&self) -> BlobId {
        self.shared.id
    }

    /// What is asked of whom. Locked after the space, never before.
    pub(super) fn machine(&self) -> MutexGuard<'_, Fetch> {
        lock(&self.shared.machine)
    }

    /// Where it stands.
    pub fn progress(&self) -> BlobProgress {
        self.shared.progress.borrow().clone()
    }

    /// Tells whom it was asked of, and whether it is all here.
    pub(super) fn asked(&self) -> bool {
        let (whole, (peers, sources)) = {
            let machine = self.machine();
            (machine.is_whole(), machine.peers())
        };
        self.set(|progress| note(progress, peers, sources));
        whole
    }

    /// Tells how far the blob is, and ends the fetch when it is all here.
    pub(super) fn settle(&self, core: &SpaceCore) {
        let (whole, (peers, sources)) = {
            let machine = self.machine();
            (machine.is_whole(), machine.peers())
        };
        let row = match core.blob(&self.shared.id) {
            Ok(row) => row,
            Err(error) => return self.fail(&error),
        };
        self.set(|progress| {
            progress.received = row.map_or(0, |row| row.held);
            progress.total = row.map(|row| row.root.size);
            note(progress, peers, sources);
        });
        if whole {
            self.end(BlobFetchState::Done, None);
        }
    }

    /// A session ended.
    pub(super) fn forget(&self, session: u64) {
        let (peers, sources) = {
            let mut machine = self.machine();
            machine.forget(session);
            machine.peers()
        };
        self.set(|progress| note(progress, peers, sources));
    }

    /// Ends it with a failure.
    pub(super) fn fail(&self, error: &Error) {
        self.end(BlobFetchState::Failed, Some(error.clone()));
    }

    /// Cancels it. What has come stays.
    pub fn cancel(&self) {
        let error = Error::new(ErrorKind::Cancelled, "the fetch was cancelled");
        self.end(BlobFetchState::Cancelled, Some(error));
    }

    fn end(&self, state: BlobFetchState, error: Option<Error>) {
        if let Some(fetches) = self.shared.fetches.upgrade() {
            let mut running = lock(&fetches.running);
            let same = |other: &FetchHandle| Arc::ptr_eq(&other.shared, &self.shared);
            if running.get(&self.shared.id).is_some_and(same) {
                running.remove(&self.shared.id);
            }
        }
        self.set(|progress| {
            progress.state = state;
            progress.status = error.as_ref().map_or(0, |error| error.kind().status());
            progress.error = error.map(|error| error.detail().to_owned());
        });
    }

    /// Changes where it stands and tells everybody who waits. Nothing changes after the end.
    fn set(&self, change: impl FnOnce(&mut BlobProgress)) {
        // Held over both, so that a listener that registers now misses nothing.
        let listeners = lock(&self.shared.listeners);
        let mut changed = None;
        self.shared.progress.send_if_modified(|progress| {
            if progress.state != BlobFetchState::Fetching {
                return false;
            }
            let before = progress.clone();
            change(progress);
            changed = (*progress != before).then(|| progress.clone());
            changed.is_some()
        });
        if let Some(progress) = changed {
            for listener in listeners.iter() {
                // Who is slow hears of the newest only.
                listener.post(|_| progress.clone());
            }
        }
    }

    /// Subscribes to its progress, the present one first.
    pub fn subscribe(&self, listener: Arc<dyn BlobListener>) -> Registration {
        let log = self.shared.log.clone();
        let mailbox = Mailbox::new(move |progress| {
            if let Err(error) = listener.progressed(progress) {
                log.warn("blobs", || format!("a blob listener failed: {error}"));
            }
        });
        let mut listeners = lock(&self.shared.listeners);
        let present = self.progress();
        mailbox.post(|_| present);
        listeners.push(Arc::clone(&mailbox));
        drop(listeners);
        let handle = self.clone();
        let slot = Mutex::new(Some(mailbox));
        Registration::new(move |running| {
            let mailbox = lock(&slot).take();
            if let Some(mailbox) = mailbox {
                lock(&handle.shared.listeners).retain(|other| !Arc::ptr_eq(other, &mailbox));
                mailbox.end(running);
            }
        })
    }

    /// Waits for the end, on the calling thread.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<BlobProgress> {
        let handle = self.clone();
        let timeout = timeout.unwrap_or(Duration::MAX);
        executor::block_on(async move {
            tokio::time::timeout(timeout, handle.wait_async())
                .await
                .unwrap_or_else(|_| Err(handle.not_yet()))
        })?
    }

    /// As [`FetchHandle::wait`], for a task of any runtime or none: the time is kept by the library's.
    pub async fn wait_within(&self, timeout: Option<Duration>) -> Result<BlobProgress> {
        let Some(timeout) = timeout else {
            return self.wait_async().await;
        };
        let handle = self.clone();
        let mut waiting = Waiting(executor::handle()?.spawn(async move {
            tokio::time::timeout(timeout, handle.wait_async())
                .await
                .unwrap_or_else(|_| Err(handle.not_yet()))
        }));
        (&mut waiting.0)
            .await
            .map_err(|e| Error::internal(format!("the waiting did not finish: {e}")))?
    }

    async fn wait_async(&self) -> Result<BlobProgress> {
        let mut updates = self.shared.progress.subscribe();
        let last = updates
            .wait_for(|progress| progress.state != BlobFetchState::Fetching)
            .await
            .map_err(|_| Error::state("the fetch is gone"))?
            .clone();
        if last.state == BlobFetchState::Done {
            return Ok(last);
        }
        let mut kinds = ErrorKind::ALL.into_iter();
        let kind = kinds.find(|kind| kind.status() == last.status);
        let detail = last.error.unwrap_or_else(|| "the fetch ended".to_owned());
        Err(Error::new(kind.unwrap_or(ErrorKind::Internal), detail))
    }

    /// Why it is not done yet.
    fn not_yet(&self) -> Error {
        let progress = self.progress();
        let id = self.shared.id;
        match (progress.peers, progress.sources) {
            (0, _) => Error::network(format!(
                "no member of the space that could be asked for the blob {id} is connected; the fetch goes on"
            )),
            (peers, 0) => Error::not_found(format!(
                "none of the {peers} connected members holds the blob {id}; the fetch goes on"
            )),
            _ => Error::new(
                ErrorKind::TimedOut,
                format!(
                    "{} bytes of the blob {id} have come; the fetch goes on",
                    progress.received
                ),
            ),
        }
    }
}
