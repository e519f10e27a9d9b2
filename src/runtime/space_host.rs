//! An opened space within a client: the lock around its state, the timer that ends the gathering
//! of edits, and the fan-out of what changed.

use super::blobs::Fetches;
use super::cache::{Cache, Share};
use super::changes::ChangeHub;
use super::clock;
use super::executor;
use super::log::Log;
use super::member_hub::MemberHub;
use super::space_members;
use crate::api::{ChangeOrigin, SpaceState};
use crate::model::{Error, ErrorKind, Operation, Result, SpaceId};
use crate::space::{Outcome, Readers, SpaceCore};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// Gathering lasts at least this many times as long as the last writing took, so that typing into a
/// very long text does not spend its time on writing it.
const WRITE_SHARE: u32 = 16;
/// The longest that gathering lasts for that reason.
const LONGEST_GATHERING: Duration = Duration::from_millis(500);

/// The wait before edits that could not be written are tried again.
const RETRY: Duration = Duration::from_secs(1);

/// Called after every commit, under the space's lock: must be quick.
pub type Wake = Arc<dyn Fn() + Send + Sync>;

/// What a space is to its profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpaceKind {
    /// One as any.
    Ordinary,
    /// The one that a program starts with.
    Default,
    /// The one in which the identity's devices keep what they have in common. Programs do not see
    /// it.
    Halo,
}

/// A space of a client, open or closed.
pub struct SpaceHost {
    id: SpaceId,
    kind: SpaceKind,
    pub(super) core: Mutex<Slot>,
    /// Those who read beside whoever has the lock, while the space is open and has a file.
    pub(super) readers: Mutex<Option<Arc<dyn Readers>>>,
    /// Whether anything was read since the space was opened.
    pub(super) was_read: AtomicBool,
    /// Whether edits are gathered that are not stored yet.
    pub(super) typed: AtomicBool,
    /// What the space may use of the client's memory, and whether its core was told.
    share: Mutex<Option<(Share, bool)>>,
    cache: Arc<Cache>,
    /// What listings show, for those who must not wait for the lock.
    shown: Mutex<(SpaceState, String)>,
    hub: Arc<ChangeHub>,
    members: Arc<MemberHub>,
    fetches: Arc<Fetches>,
    wake: Wake,
    log: Log,
    coalesce: Duration,
    timer_armed: AtomicBool,
    /// Whether objects are being checked against schemas, or are about to be.
    checking: AtomicBool,
    /// The host itself, for work that outlives a call.
    this: Weak<SpaceHost>,
    /// How long the last writing of gathered edits took, in microseconds.
    last_write_us: AtomicU64,
}

pub(super) struct Slot {
    pub(super) state: SpaceState,
    /// How often the space was opened.
    openings: u64,
    pub(super) core: Option<SpaceCore>,
}

impl SpaceHost {
    /// A closed space.
    pub fn new(
        id: SpaceId,
        kind: SpaceKind,
        name: String,
        wake: Wake,
        log: Log,
        coalesce_ms: u32,
        cache: &Arc<Cache>,
    ) -> Arc<SpaceHost> {
        let host = Arc::new_cyclic(|this| SpaceHost {
            id,
            kind,
            core: Mutex::new(Slot {
                state: SpaceState::Closed,
                openings: 0,
                core: None,
            }),
            readers: Mutex::default(),
            was_read: AtomicBool::new(false),
            typed: AtomicBool::new(false),
            share: Mutex::default(),
            cache: Arc::clone(cache),
            shown: Mutex::new((SpaceState::Closed, name)),
            hub: Arc::default(),
            members: Arc::default(),
            fetches: Arc::default(),
            wake,
            log,
            coalesce: Duration::from_millis(u64::from(coalesce_ms.min(1000))),
            timer_armed: AtomicBool::new(false),
            checking: AtomicBool::new(false),
            this: this.clone(),
            last_write_us: AtomicU64::new(0),
        });
        cache.add(&host);
        host
    }

    /// The space's id.
    pub fn id(&self) -> SpaceId {
        self.id
    }

    /// Whether it was made with the identity.
    pub fn is_default(&self) -> bool {
        self.kind == SpaceKind::Default
    }

    /// Whether it is the identity's HALO space.
    pub fn is_halo(&self) -> bool {
        self.kind == SpaceKind::Halo
    }

    /// The subscriptions.
    pub fn hub(&self) -> &Arc<ChangeHub> {
        &self.hub
    }

    /// The subscriptions to the members.
    pub fn members(&self) -> &Arc<MemberHub> {
        &self.members
    }

    /// The blobs that are being fetched.
    pub fn fetches(&self) -> &Arc<Fetches> {
        &self.fetches
    }

    /// The log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Slot> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shown(&self) -> MutexGuard<'_, (SpaceState, String)> {
        self.shown.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_state(&self, slot: &mut Slot, state: SpaceState) {
        slot.state = state;
        self.shown().0 = state;
    }

    /// The state. Waits for nobody.
    pub fn state(&self) -> SpaceState {
        self.shown().0
    }

    /// The state and the name last seen. Waits for no writer.
    pub fn summary(&self) -> (SpaceState, String) {
        if self.state() == SpaceState::Ready
            && let Ok(Some(name)) = self.read_anyway(|store, _| crate::space::name(store))
        {
            self.shown().1 = name;
        }
        self.shown().clone()
    }

    /// Opens the space with `load`; does nothing if it is open.
    pub fn open(&self, load: impl FnOnce() -> Result<SpaceCore>) -> Result<()> {
        let mut slot = self.lock();
        if slot.state == SpaceState::Ready {
            return Ok(());
        }
        if slot.core.is_none() {
            self.set_state(&mut slot, SpaceState::Opening);
            match load() {
                Ok(core) => slot.core = Some(core),
                Err(error) => {
                    self.set_state(&mut slot, SpaceState::Failed);
                    return Err(error);
                }
            }
        }
        self.set_readers(slot.core.as_ref().and_then(SpaceCore::readers));
        self.was_read.store(false, Ordering::Release);
        // To be told to the new core and the new readers.
        *self.lock_share() = None;
        self.set_state(&mut slot, SpaceState::Ready);
        slot.openings += 1;
        self.hub.live().opened();
        let unchecked = slot.core.as_ref().is_some_and(SpaceCore::has_schema_checks);
        drop(slot);
        self.cache.share();
        if unchecked {
            self.start_checking();
        }
        Ok(())
    }

    /// Which opening of the space this is, counted from 1; `None` while it is closed.
    pub fn opening(&self) -> Option<u64> {
        let slot = self.lock();
        (slot.state == SpaceState::Ready).then_some(slot.openings)
    }

    /// Commits what was gathered and closes the space. `keep` leaves its state in memory, for
    /// profiles that are nowhere else.
    pub fn close(&self, keep: bool) -> Result<()> {
        let mut slot = self.lock();
        self.fetches.end_all();
        if slot.state != SpaceState::Ready {
            self.set_state(&mut slot, SpaceState::Closed);
            return Ok(());
        }
        if let Some(core) = slot.core.as_mut() {
            self.settle(core)?;
            core.flush()?;
        }
        self.set_state(&mut slot, SpaceState::Closed);
        // Whoever closes the file last moves the log into it, and a reader cannot.
        self.end_readers();
        if !keep {
            slot.core = None;
        }
        drop(slot);
        self.cache.share();
        Ok(())
    }

    /// Lets nobody read beside any more, until the space is opened again.
    pub fn end_readers(&self) {
        if let Some(readers) = self.set_readers(None) {
            readers.close();
        }
    }

    /// Runs `work`, which may put another core in place of the one that is open, or of none. To
    /// everybody else that is as if the space had been closed and opened.
    pub fn exchange<T>(&self, work: impl FnOnce(&mut Option<SpaceCore>) -> Result<T>) -> Result<T> {
        let mut slot = self.lock();
        if slot.state == SpaceState::Closed {
            return Err(self.not_open());
        }
        if let Some(core) = slot.core.as_mut() {
            self.settle(core)?;
        }
        self.fetches.end_all();
        let done = work(&mut slot.core);
        self.end_readers();
        match slot.core.as_ref().map(SpaceCore::readers) {
            None => self.set_state(&mut slot, SpaceState::Failed),
            Some(readers) => {
                self.set_readers(readers);
                *self.lock_share() = None;
                self.set_state(&mut slot, SpaceState::Ready);
                slot.openings += 1;
                self.hub.live().opened();
            }
        }
        drop(slot);
        self.cache.share();
        (self.wake)();
        done
    }

    /// Runs `work` on the open space.
    pub fn with<T>(&self, work: impl FnOnce(&mut SpaceCore) -> Result<T>) -> Result<T> {
        let mut slot = self.lock();
        let (SpaceState::Ready, Some(core)) = (slot.state, slot.core.as_mut()) else {
            return Err(self.not_open());
        };
        self.take_share(core);
        let done = work(core);
        self.tell_of_judgements(core);
        self.note_typing(core);
        self.tell_of_members(core);
        let unchecked = core.has_schema_checks();
        drop(slot);
        if unchecked {
            self.start_checking();
        }
        done
    }

    /// As [`SpaceHost::with_settled`], on a closed space too: it is loaded for as long as `work`
    /// takes, and stays closed.
    pub fn with_even_closed<T>(
        &self,
        load: impl FnOnce() -> Result<SpaceCore>,
        work: impl FnOnce(&mut SpaceCore) -> Result<T>,
    ) -> Result<T> {
        let mut slot = self.lock();
        if slot.state == SpaceState::Ready {
            drop(slot);
            return self.with_settled(work);
        }
        let kept = slot.core.take();
        let keep = kept.is_some();
        let mut core = match kept {
            Some(core) => core,
            None => load()?,
        };
        let done = work(&mut core).and_then(|done| core.flush().map(|()| done));
        if keep {
            slot.core = Some(core);
        }
        done
    }

    /// Tells of what came of new judgements.
    fn tell_of_judgements(&self, core: &mut SpaceCore) {
        let rows = core.take_untold();
        if !rows.is_empty() {
            self.announce_remote(&rows);
        }
    }

    /// Tells of members if control entries came; under the lock, so that events keep their order.
    fn tell_of_members(&self, core: &mut SpaceCore) {
        if !core.members_due() {
            return;
        }
        match space_members::news(&self.id, core) {
            Ok(events) if events.is_empty() => {}
            Ok(events) => self.members.publish(&events),
            // As on a full disk: the next call tries again.
            Err(error) => self.log.debug("space", || {
                format!("what became of members could not be noted yet: {error}")
            }),
        }
    }

    /// Has the objects that schemas came for checked, some at a time, so that nobody waits long for
    /// the lock. Without a thread it is done by the next call that wants the outcome.
    fn start_checking(&self) {
        if self.checking.swap(true, Ordering::AcqRel) {
            return;
        }
        let started = self.this.upgrade().zip(executor::handle().ok());
        match started {
            Some((host, executor)) => {
                executor.spawn_blocking(move || host.check_all_quietly());
            }
            None => self.checking.store(false, Ordering::Release),
        }
    }

    fn check_all_quietly(&self) {
        let done = self.check_all();
        self.checking.store(false, Ordering::Release);
        if let Err(error) = done
            && error.kind() != ErrorKind::InvalidState
        {
            self.log.warn("space", || {
                format!("objects could not be checked against their schemas yet: {error}")
            });
        }
    }

    /// Checks the objects that are yet to be checked, some at a time.
    pub fn check_all(&self) -> Result<()> {
        loop {
            // Not by way of `with`, which would start this again.
            let mut slot = self.lock();
            let (SpaceState::Ready, Some(core)) = (slot.state, slot.core.as_mut()) else {
                return Err(self.not_open());
            };
            if !core.check_some()? {
                return Ok(());
            }
        }
    }

    /// Runs `work`, having committed gathered edits, so that it sees every edit made before.
    pub fn with_settled<T>(&self, work: impl FnOnce(&mut SpaceCore) -> Result<T>) -> Result<T> {
        self.with(|core| {
            self.settle(core)?;
            core.judge_if_due()?;
            self.tell_of_judgements(core);
            work(core)
        })
    }

    /// Sets what the space may use of the client's memory. If somebody has the lock, the core hears
    /// of it with the next call.
    pub(super) fn set_share(&self, share: Share) {
        {
            let mut present = self.lock_share();
            if present.is_some_and(|(present, _)| present == share) {
                return;
            }
            *present = Some((share, false));
        }
        if let Some(readers) = self.readers() {
            readers.set_cache(share.pages, share.statements);
        }
        if let Ok(mut slot) = self.core.try_lock()
            && let Some(core) = slot.core.as_mut()
        {
            self.take_share(core);
        }
    }

    fn lock_share(&self) -> MutexGuard<'_, Option<(Share, bool)>> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_share(&self, core: &mut SpaceCore) {
        let mut present = self.lock_share();
        if let Some((share, told @ false)) = present.as_mut() {
            *told = true;
            let set = core.set_cache(share.pages.writer, share.statements, share.documents);
            if let Err(error) = set {
                self.log
                    .warn("space", || format!("the cache keeps its size: {error}"));
            }
        }
    }

    /// Commits gathered edits.
    pub(super) fn settle(&self, core: &mut SpaceCore) -> Result<()> {
        let outcome = core.commit_typing(clock::now_ms());
        self.note_typing(core);
        self.announce(outcome?.as_ref());
        Ok(())
    }

    /// To be called under the lock whenever gathered edits may have come or gone.
    fn note_typing(&self, core: &SpaceCore) {
        self.typed.store(core.has_typing(), Ordering::Release);
    }

    pub(super) fn not_open(&self) -> Error {
        Error::state(format!("space {} is not open: open it first", self.id))
    }

    fn set_readers(&self, readers: Option<Arc<dyn Readers>>) -> Option<Arc<dyn Readers>> {
        let mut present = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *present, readers)
    }

    /// Runs a writing `work` likewise and tells subscribers and peers of its outcome.
    pub fn write(&self, work: impl FnOnce(&mut SpaceCore) -> Result<Outcome>) -> Result<Outcome> {
        self.with_settled(|core| {
            let outcome = work(core)?;
            self.announce(Some(&outcome));
            Ok(outcome)
        })
    }

    /// As [`SpaceHost::write`], of work that says more than its outcome; `None` stored nothing.
    pub fn write_with<T>(
        &self,
        work: impl FnOnce(&mut SpaceCore) -> Result<Option<(Outcome, T)>>,
    ) -> Result<Option<(Outcome, T)>> {
        self.with_settled(|core| {
            let done = work(core)?;
            self.announce(done.as_ref().map(|(outcome, _)| outcome));
            Ok(done)
        })
    }

    /// Makes an edit that is gathered, and arms the timer that ends the gathering.
    pub fn edit(self: &Arc<Self>, edit: Operation) -> Result<()> {
        let waiting = self.with(|core| {
            // While the disk refuses, edits are kept up to a bound; past it they are refused
            // before they are applied.
            if core.typing_is_full(&edit) {
                self.settle(core)?;
            }
            let outcome = core.splice_text(edit, clock::now_ms())?;
            self.announce(outcome.as_ref());
            Ok(core.has_typing())
        })?;
        if waiting && !self.timer_armed.swap(true, Ordering::AcqRel) {
            self.arm_timer(self.gathering_time())?;
        }
        Ok(())
    }

    fn arm_timer(self: &Arc<Self>, wait: Duration) -> Result<()> {
        let host = Arc::clone(self);
        executor::handle()?.spawn(async move {
            tokio::time::sleep(wait).await;
            // Disarmed first: an edit that comes between is seen by this commit or arms again.
            host.timer_armed.store(false, Ordering::Release);
            let work = tokio::task::spawn_blocking(move || host.end_gathering());
            let _ = work.await;
        });
        Ok(())
    }

    fn gathering_time(&self) -> Duration {
        let last = Duration::from_micros(self.last_write_us.load(Ordering::Relaxed));
        let share = last.saturating_mul(WRITE_SHARE).min(LONGEST_GATHERING);
        self.coalesce.max(share)
    }

    fn end_gathering(self: &Arc<Self>) {
        let result = self.with(|core| {
            let start = Instant::now();
            let outcome = core.commit_typing(clock::now_ms())?;
            let took = u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.last_write_us.store(took, Ordering::Relaxed);
            self.announce(outcome.as_ref());
            Ok(())
        });
        let Err(error) = result else {
            return;
        };
        // Closed meanwhile: whoever closed it has written the edits.
        if error.kind() == ErrorKind::InvalidState {
            return;
        }
        self.log.warn("space", || {
            format!("edits could not be written yet: {error}")
        });
        // They are kept. The next edit, read or flush tries again and reports; so does this, for
        // a user who has stopped typing.
        if !self.timer_armed.swap(true, Ordering::AcqRel) {
            let _ = self.arm_timer(RETRY);
        }
    }

    /// Tells subscribers and peers; to be called while the space is locked, so that events keep
    /// the order of commits.
    fn announce(&self, outcome: Option<&Outcome>) {
        let Some(outcome) = outcome.filter(|o| o.entry.is_some()) else {
            return;
        };
        self.hub.publish(&outcome.rows, ChangeOrigin::Local);
        (self.wake)();
    }

    /// As [`SpaceHost::announce`], for remote changes.
    pub fn announce_remote(&self, rows: &[crate::space::RowChange]) {
        self.hub.publish(rows, ChangeOrigin::Remote);
        (self.wake)();
    }

    /// Tells peers that control entries were written.
    pub fn announce_control(&self) {
        self.wake_sessions();
    }

    /// Has the sessions look for what is to be sent or asked for.
    pub fn wake_sessions(&self) {
        (self.wake)();
    }
}
