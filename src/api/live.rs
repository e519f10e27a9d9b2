//! Live queries: a query's results, and what changes in them.

use super::error::Result;
use super::{EchoError, Space};
use crate::model::Error;
#[cfg(feature = "bindings")]
use crate::model::ErrorKind;
use crate::query::Query;
use crate::runtime::events::Registration;
use crate::runtime::live::{Out, Runner};
use std::sync::{Arc, Weak};
use std::time::Duration;

/// The longest interval, in milliseconds.
const LONGEST_INTERVAL_MS: u32 = 60_000;

/// How a live query is delivered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct LiveOptions {
    /// The shortest time between the end of one delivery and the next, in milliseconds, 0 to
    /// 60,000. A change that comes later than that after the last delivery is told of at once; those
    /// that come sooner are gathered into one batch. The default is a frame of a screen; 0 gathers
    /// only while the listener runs.
    #[cfg_attr(feature = "bindings", uniffi(default = 16))]
    pub interval_ms: u32,
}

impl Default for LiveOptions {
    fn default() -> Self {
        LiveOptions { interval_ms: 16 }
    }
}

/// What changed in a live query's results since the last delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct LiveBatch {
    /// The space.
    pub space: String,
    /// Whether the changes are to be applied to an empty list, and not to the one built so far:
    /// `true` for the first batch, for the first one after the space was opened again, after a
    /// listener has failed, and when so much has changed that it was not kept track of.
    pub initial: bool,
    /// The number of results once the changes are applied.
    pub total: u64,
    /// A JSON array. Removals come first, by falling `from`:
    /// `{"kind": "removed", "id": ID, "from": N}`; then, by rising `index`,
    /// `{"kind": "added", "id": ID, "index": N, "object": {…}}`,
    /// `{"kind": "moved", "id": ID, "from": N, "index": N, "object": {…}}` and
    /// `{"kind": "changed", "id": ID, "index": N, "object": {…}}`.
    ///
    /// `from` is a place in the list before the batch and `index` one in the list after it, both
    /// from 0; objects are as in [`Space::query_json`]. A follower first takes out all objects that
    /// were removed or moved, then goes through the others in their order, putting those that were
    /// added or moved at their `index`, and replacing what is at the `index` of those that changed.
    /// An object is named once at most; one that moved may have changed too.
    pub changes: Vec<u8>,
}

/// Receives batches on library threads, one at a time for each live query, with no lock held. A
/// listener that fails is logged and kept; since it may have missed a change, all results are delivered
/// to it again: 0.1 seconds later, and after repeated failures later still, up to a minute.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait LiveListener: Send + Sync {
    /// The results changed. Calls made here see at least these changes.
    fn updated(&self, batch: LiveBatch) -> std::result::Result<(), EchoError>;
}

/// A running live query; dropping it ends it, without waiting for a delivery under way.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct LiveQuery {
    registration: Registration,
    runner: Weak<Runner>,
    /// Without a listener: where [`LiveQuery::next_async`] waits.
    #[cfg(feature = "bindings")]
    waiting: Option<Arc<Waiting>>,
}

/// Wakes those who wait for a batch.
#[cfg(feature = "bindings")]
#[derive(Default)]
struct Waiting {
    rung: tokio::sync::Notify,
    ended: std::sync::atomic::AtomicBool,
}

#[cfg(feature = "bindings")]
impl Waiting {
    fn end(&self) {
        self.ended.store(true, std::sync::atomic::Ordering::SeqCst);
        self.rung.notify_waiters();
    }

    fn has_ended(&self) -> bool {
        self.ended.load(std::sync::atomic::Ordering::SeqCst)
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl LiveQuery {
    /// Ends the live query. When this returns, the listener is not running and will not run again;
    /// called from within the listener, it returns at once and this delivery is the last.
    pub fn cancel(&self) {
        self.registration.cancel();
        #[cfg(feature = "bindings")]
        if let Some(waiting) = &self.waiting {
            waiting.end();
        }
    }
}

impl LiveQuery {
    fn new((registration, runner): (Registration, Weak<Runner>)) -> Arc<Self> {
        Arc::new(LiveQuery {
            registration,
            runner,
            #[cfg(feature = "bindings")]
            waiting: None,
        })
    }

    /// Fetches the next batch of a live query without a listener, if there is one.
    pub(crate) fn next(&self) -> Result<Option<LiveBatch>> {
        match self.runner.upgrade() {
            Some(runner) => Ok(runner.next()?),
            None => Ok(None),
        }
    }
}

impl Space {
    /// Delivers the results of a query (JSON, as [`Space::query`] takes it), and from then on what
    /// changes in them, until the live query is dropped or cancelled. Whoever applies the batches in
    /// their order always has what the query would have given at one moment, not long ago.
    ///
    /// Changes are followed at a cost that depends on what changed, not on the number of results or
    /// objects. Queries for which an object's own state does not tell whether, and where, it is
    /// among the results are run again when something has changed, and the difference is delivered.
    ///
    /// While the space is closed nothing is delivered; when it is opened again, its results are
    /// delivered anew. Nothing follows the space's deletion or the client's end. Fails with
    /// `InvalidArgument` if the query or an option makes no sense, and with `InvalidState` while the
    /// space is not open.
    pub fn live(
        &self,
        query: String,
        options: LiveOptions,
        listener: Arc<dyn LiveListener>,
    ) -> Result<Arc<LiveQuery>> {
        let begun = self.begin_live(&query, &options, Out::Listener(listener))?;
        Ok(LiveQuery::new(begun))
    }

    /// As [`Space::live`], without a listener: `ring` is called, on a library thread, when
    /// [`LiveQuery::next`] may have something; not again until that was called.
    pub(crate) fn live_bell(
        &self,
        query: &str,
        options: &LiveOptions,
        ring: impl Fn() + Send + Sync + 'static,
    ) -> Result<Arc<LiveQuery>> {
        let begun = self.begin_live(query, options, Out::Bell(Box::new(ring)))?;
        Ok(LiveQuery::new(begun))
    }

    fn begin_live(
        &self,
        query: &str,
        options: &LiveOptions,
        out: Out,
    ) -> Result<(Registration, Weak<Runner>)> {
        if options.interval_ms > LONGEST_INTERVAL_MS {
            let what = format!("interval_ms is 0 to {LONGEST_INTERVAL_MS}");
            return Err(Error::invalid(what).into());
        }
        let query = Query::parse(query)?;
        let interval = Duration::from_millis(u64::from(options.interval_ms));
        Ok(self.handle().live(&query, interval, out)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Delivers the results of a query (JSON, as `query` takes it), and from then on what
    /// changes in them, until the live query is dropped or cancelled. Whoever applies the batches in
    /// their order always has what the query would have given at one moment, not long ago.
    ///
    /// Changes are followed at a cost that depends on what changed, not on the number of results or
    /// objects. Queries for which an object's own state does not tell whether, and where, it is
    /// among the results are run again when something has changed, and the difference is delivered.
    ///
    /// While the space is closed nothing is delivered; when it is opened again, its results are
    /// delivered anew. Nothing follows the space's deletion or the client's end. Fails with
    /// `InvalidArgument` if the query or an option makes no sense, and with `InvalidState` while the
    /// space is not open.
    #[uniffi::method(name = "live")]
    pub async fn live_async(
        self: Arc<Self>,
        query: String,
        options: LiveOptions,
        listener: Arc<dyn LiveListener>,
    ) -> Result<Arc<LiveQuery>> {
        super::run(move || self.live(query, options, listener)).await
    }

    /// As `live`, without a listener: the batches are fetched with `LiveQuery::next`. Each is made
    /// when it is fetched, so that a reader who is slow gets fewer and larger ones, and nothing but
    /// the ids of changed objects waits for it.
    #[uniffi::method(name = "live_queue")]
    pub async fn live_queue_async(
        self: Arc<Self>,
        query: String,
        options: LiveOptions,
    ) -> Result<Arc<LiveQuery>> {
        super::run(move || self.live_queue(&query, &options)).await
    }
}

#[cfg(feature = "bindings")]
impl Space {
    fn live_queue(&self, query: &str, options: &LiveOptions) -> Result<Arc<LiveQuery>> {
        let waiting = Arc::new(Waiting::default());
        let bell = Arc::clone(&waiting);
        let ring = move || bell.rung.notify_one();
        let (registration, runner) = self.begin_live(query, options, Out::Bell(Box::new(ring)))?;
        Ok(Arc::new(LiveQuery {
            registration,
            runner,
            waiting: Some(waiting),
        }))
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl LiveQuery {
    /// Waits for the next batch of a live query that `live_queue` made; `None` once it is cancelled.
    /// One caller at a time; who gives up a wait may have missed a batch, and should cancel. What
    /// cannot be brought up to date is logged and tried again, as for a listener. Fails with
    /// `InvalidState` for a live query that has a listener.
    #[uniffi::method(name = "next")]
    pub async fn next_async(self: Arc<Self>) -> Result<Option<LiveBatch>> {
        let Some(waiting) = self.waiting.clone() else {
            let what = "this live query has a listener, which gets the batches";
            return Err(Error::new(ErrorKind::InvalidState, what).into());
        };
        loop {
            // Made before looking: an end from here on is not missed. A ring is remembered.
            let rung = waiting.rung.notified();
            if waiting.has_ended() {
                return Ok(None);
            }
            rung.await;
            let this = Arc::clone(&self);
            // What fails is logged and tried again; the bell rings for it.
            let found = super::run(move || Ok(this.next().unwrap_or_default())).await?;
            if found.is_some() && !waiting.has_ended() {
                return Ok(found);
            }
        }
    }
}
