//! One live query: what it waits for, when it works, and whom it tells.

use super::encode;
use crate::api::{LiveBatch, LiveListener};
use crate::model::{Error, ErrorKind, ObjectId, Result, SpaceId};
use crate::query::Query;
use crate::runtime::events::Running;
use crate::runtime::executor;
use crate::runtime::log::Log;
use crate::runtime::space_host::SpaceHost;
use crate::space::{LiveDelta, LiveFilter, LiveResults, Reads, RowChange};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::ThreadId;
use std::time::{Duration, Instant};

/// Changed objects that are noted one by one, if there are not even more results. Past that, all
/// results are asked for, so that what waits for a slow listener is bounded.
const NOTED: usize = 4096;
/// The wait after a failure, doubled by each further one.
const RETRY: Duration = Duration::from_millis(100);
const LONGEST_RETRY: Duration = Duration::from_secs(60);
/// A query that is run again takes at most one part in so many of the time, as long as that does
/// not keep a change waiting too long.
const RUN_SHARE: u32 = 4;
const LONGEST_REST: Duration = Duration::from_secs(2);

/// Whom a live query tells.
pub enum Out {
    /// Gets every batch.
    Listener(Arc<dyn LiveListener>),
    /// Is rung when something may be fetched with [`Runner::next`].
    Bell(Box<dyn Fn() + Send + Sync>),
}

/// One live query.
pub struct Runner {
    me: Weak<Runner>,
    host: Weak<SpaceHost>,
    space: SpaceId,
    filter: LiveFilter,
    runs_again: bool,
    interval: Duration,
    out: Out,
    log: Log,
    /// Taken by one who reads the space.
    results: Mutex<LiveResults>,
    state: Mutex<State>,
    idle: Condvar,
}

struct State {
    touched: Touched,
    /// How many may be noted one by one.
    most: usize,
    /// A turn is to come or under way; of a bell, that it was rung.
    scheduled: bool,
    /// The space is closed: nothing is done until it is opened.
    parked: bool,
    /// How often the space was opened.
    opened: u64,
    /// The thread on which the listener runs now.
    running: Option<ThreadId>,
    cancelled: bool,
    /// When the next turn may begin.
    due: Instant,
    failures: u32,
}

/// What changed since the last turn.
enum Touched {
    Nothing,
    Some(BTreeSet<ObjectId>),
    /// Too much to note, or the results are not known.
    All,
}

impl Runner {
    /// A live query that has not begun.
    pub fn new(host: &Arc<SpaceHost>, query: &Query, interval: Duration, out: Out) -> Arc<Runner> {
        let (results, filter) = LiveResults::new(query);
        Arc::new_cyclic(|me| Runner {
            me: Weak::clone(me),
            host: Arc::downgrade(host),
            space: host.id(),
            filter,
            runs_again: results.runs_again(),
            interval,
            out,
            log: host.log().clone(),
            results: Mutex::new(results),
            state: Mutex::new(State {
                touched: Touched::Nothing,
                most: NOTED,
                scheduled: false,
                parked: false,
                opened: 0,
                running: None,
                cancelled: false,
                due: Instant::now(),
                failures: 0,
            }),
            idle: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what a commit changed. Called under the space's lock.
    pub fn note(&self, rows: &[RowChange]) {
        let concerning = rows.iter().filter(|row| self.filter.concerns(row));
        let mut ids = concerning.map(|row| row.new.id).peekable();
        if ids.peek().is_none() {
            return;
        }
        let mut state = self.lock();
        let most = state.most;
        state.touched.add(ids, most);
        self.schedule(&mut state);
    }

    /// Asks for all results, at the beginning and whenever the space is opened.
    pub fn restart(&self) {
        let mut state = self.lock();
        state.parked = false;
        state.opened += 1;
        state.touched = Touched::All;
        self.schedule(&mut state);
    }

    /// Has a turn come when it is due, if there is anything to do.
    fn schedule(&self, state: &mut State) {
        let nothing = matches!(state.touched, Touched::Nothing);
        if state.scheduled || state.parked || state.cancelled || nothing {
            return;
        }
        // Without threads there is nobody to tell; later changes try again.
        let (Ok(handle), Some(me)) = (executor::handle(), self.me.upgrade()) else {
            return;
        };
        state.scheduled = true;
        let wait = state.due.saturating_duration_since(Instant::now());
        if wait.is_zero() {
            handle.spawn_blocking(move || me.run());
            return;
        }
        // A timer does not keep the listener alive.
        let me = Arc::downgrade(&me);
        handle.spawn(async move {
            tokio::time::sleep(wait).await;
            if let Some(me) = me.upgrade() {
                tokio::task::spawn_blocking(move || me.run());
            }
        });
    }

    fn run(&self) {
        let listener = match &self.out {
            Out::Listener(listener) => listener,
            Out::Bell(ring) => {
                if !self.lock().cancelled {
                    ring();
                }
                return;
            }
        };
        loop {
            self.turn(listener.as_ref());
            let mut state = self.lock();
            let done = state.parked || matches!(state.touched, Touched::Nothing);
            if done || state.cancelled || state.due > Instant::now() {
                state.scheduled = false;
                self.schedule(&mut state);
                return;
            }
        }
    }

    /// Finds out what changed and tells the listener.
    fn turn(&self, listener: &dyn LiveListener) {
        let batch = match self.evaluate() {
            Ok(Some(batch)) => batch,
            Ok(None) => return,
            Err(error) => return self.warn("a live query could not be brought up to date", &error),
        };
        {
            let mut state = self.lock();
            if state.cancelled {
                return;
            }
            state.running = Some(std::thread::current().id());
        }
        // The listener is the program's code: its panic must not end our thread's loop.
        let heard = catch_unwind(AssertUnwindSafe(|| listener.updated(batch)));
        let failed = !matches!(heard, Ok(Ok(())));
        {
            let mut state = self.lock();
            state.running = None;
            match failed {
                true => self.fail(&mut state),
                false => self.rest(&mut state, Duration::ZERO),
            }
        }
        self.idle.notify_all();
        match heard {
            Ok(Ok(())) => {}
            Ok(Err(error)) => self.warn("a live query's listener failed", &error),
            Err(_) => self.warn("a live query's listener failed", &"it panicked"),
        }
    }

    fn warn(&self, what: &str, error: &dyn std::fmt::Display) {
        self.log.warn("live", || format!("{what}: {error}"));
    }

    /// What the listener was told is not certain: all results are asked for, after a while.
    fn fail(&self, state: &mut State) {
        let wait = RETRY.saturating_mul(1 << state.failures.min(10));
        state.failures = state.failures.saturating_add(1);
        state.touched = Touched::All;
        state.due = Instant::now() + wait.clamp(self.interval, LONGEST_RETRY.max(self.interval));
    }

    /// A turn was a success; the next may begin after the interval, or after `at_least`.
    fn rest(&self, state: &mut State, at_least: Duration) {
        state.failures = 0;
        let due = Instant::now() + self.interval.max(at_least);
        state.due = state.due.max(due);
    }

    /// Takes what changed and brings the results up to date.
    fn evaluate(&self) -> Result<Option<LiveBatch>> {
        let Some(host) = self.host.upgrade() else {
            // The space was deleted, or the client is gone.
            self.lock().parked = true;
            return Ok(None);
        };
        let opened = self.lock().opened;
        let begun = Instant::now();
        let mut entered = false;
        let mut read = |store: &dyn Reads, beside: bool| {
            entered = true;
            // Before anything is read: what changes from here on is noted for the next turn.
            let touched = std::mem::replace(&mut self.lock().touched, Touched::Nothing);
            let mut results = self.results.lock().unwrap_or_else(PoisonError::into_inner);
            let delta = match touched {
                Touched::Nothing => Ok(None),
                // Beside a writer more may have changed than was noted.
                Touched::Some(ids) if !beside => results.update(store, &ids),
                Touched::Some(_) | Touched::All => results.whole(store).map(Some),
            };
            Ok((delta?, results.len()))
        };
        let all = matches!(self.lock().touched, Touched::All);
        let work = || match all {
            // All results wait for no writer.
            true => host.read_anyway(read),
            false => host.with(|core| read(core.reads(), false)),
        };
        let found = catch_unwind(AssertUnwindSafe(work))
            .unwrap_or_else(|_| Err(Error::internal("a defect of this library was contained")));
        let closed =
            !entered && matches!(&found, Err(error) if error.kind() == ErrorKind::InvalidState);
        let mut state = self.lock();
        match found {
            Ok((delta, known)) => {
                state.most = NOTED.max(known);
                let share = match self.runs_again {
                    true => begun.elapsed().saturating_mul(RUN_SHARE).min(LONGEST_REST),
                    false => Duration::ZERO,
                };
                self.rest(&mut state, share);
                drop(state);
                Ok(delta.map(|delta: LiveDelta| encode::batch(&self.space, &delta)))
            }
            Err(_) if closed => {
                // Unless it was opened again meanwhile.
                state.parked = state.opened == opened;
                Ok(None)
            }
            Err(error) => {
                self.fail(&mut state);
                Err(error)
            }
        }
    }

    /// Brings the results up to date on the calling thread: what a bell calls for. `None` if
    /// nothing changed.
    pub fn next(&self) -> Result<Option<LiveBatch>> {
        {
            let mut state = self.lock();
            state.scheduled = false;
            if state.cancelled || matches!(state.touched, Touched::Nothing) {
                return Ok(None);
            }
        }
        let found = self.evaluate();
        if let Err(error) = &found {
            self.warn("a live query could not be brought up to date", error);
        }
        self.schedule(&mut self.lock());
        found
    }

    /// Ends it. Even [`Running::Wait`] does not wait when called from within the listener.
    pub fn end(&self, running: Running) {
        let mut state = self.lock();
        state.cancelled = true;
        state.touched = Touched::Nothing;
        let me = std::thread::current().id();
        while running == Running::Wait && state.running.is_some_and(|thread| thread != me) {
            state = self
                .idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Touched {
    fn add(&mut self, more: impl Iterator<Item = ObjectId>, most: usize) {
        let mut ids = match std::mem::replace(self, Touched::Nothing) {
            Touched::All => {
                *self = Touched::All;
                return;
            }
            Touched::Nothing => BTreeSet::new(),
            Touched::Some(ids) => ids,
        };
        ids.extend(more);
        *self = match ids.len() > most {
            true => Touched::All,
            false => Touched::Some(ids),
        };
    }
}
