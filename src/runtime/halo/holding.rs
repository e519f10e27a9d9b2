//! When a revocation is carried over into a space. It names what of the revoked device's entries is
//! here, and what is not is excluded until a member vouches for it (docs/adr/0007). So it waits, for a
//! bounded time, until what peers have is here; alone it waits a little for one to come.

use super::super::node::Node;
use crate::model::{DeviceKey, Result, SpaceId};
use crate::runtime::executor;
use crate::runtime::space_host::SpaceHost;
use crate::space::Family;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

/// How long it waits for a peer that holds the space.
const ALONE: Duration = Duration::from_secs(5);
/// How long for entries that a peer holds.
const FETCHING: Duration = Duration::from_secs(60);
/// How long the call that revokes waits for what the identity's other devices say.
const FIRST: Duration = Duration::from_secs(5);
/// How often it looks.
const LOOK: Duration = Duration::from_millis(200);

/// Whether revocations may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    /// For what others have written.
    Some,
    /// For nothing.
    None,
}

/// The spaces in which revocations wait, and since when.
#[derive(Default)]
pub(super) struct Holding {
    since: Mutex<HashMap<SpaceId, Instant>>,
    /// Whether a look at them is due.
    armed: AtomicBool,
}

impl Holding {
    fn lock(&self) -> MutexGuard<'_, HashMap<SpaceId, Instant>> {
        self.since.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How far a space is with its peers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Nobody is connected who is known to hold it.
    Alone,
    /// Somebody holds what is not here.
    Behind,
    /// All that those who are connected hold is here.
    UpToDate,
}

impl Node {
    /// Whether the revocations that are due in an open space are to wait.
    pub(super) fn holds_back(
        &self,
        host: &Arc<SpaceHost>,
        family: &Family,
        patience: Patience,
    ) -> Result<bool> {
        let due = host.with(|core| Ok(!core.revocations_due(family).is_empty()))?;
        let id = host.id();
        if !due || patience == Patience::None || self.connector().is_err() {
            self.halo.holding.lock().remove(&id);
            return Ok(false);
        }
        let standing = self.standing(host, &|device| !family.is_revoked(device))?;
        let mut held = self.halo.holding.lock();
        let waited = held.entry(id).or_insert_with(Instant::now).elapsed();
        let hold = match standing {
            Standing::UpToDate => false,
            Standing::Alone => waited < ALONE,
            Standing::Behind => waited < FETCHING,
        };
        if !hold {
            held.remove(&id);
        }
        Ok(hold)
    }

    /// How far a space is with its peers, of those that `counts` picks: a device that is to be revoked
    /// must not put that off by what it says that it has.
    fn standing(
        &self,
        host: &Arc<SpaceHost>,
        counts: &dyn Fn(&DeviceKey) -> bool,
    ) -> Result<Standing> {
        let mut sessions = self.sessions();
        sessions.retain(|session| counts(&session.device()));
        host.with(|core| {
            let missing = sessions.iter().filter_map(|session| session.missing(core));
            Ok(
                missing.fold(Standing::Alone, |so_far, missing| match missing {
                    0 if so_far == Standing::Behind => Standing::Behind,
                    0 => Standing::UpToDate,
                    _ => Standing::Behind,
                }),
            )
        })
    }

    /// Looks again soon, while any wait.
    pub(super) fn look_again_at_held(&self) {
        let holding = &self.halo.holding;
        if holding.lock().is_empty() || holding.armed.swap(true, Ordering::AcqRel) {
            return;
        }
        let me = Weak::clone(&self.me);
        let Ok(handle) = executor::handle() else {
            holding.armed.store(false, Ordering::Release);
            return;
        };
        handle.spawn(async move {
            tokio::time::sleep(LOOK).await;
            if let Some(node) = me.upgrade() {
                node.halo.holding.armed.store(false, Ordering::Release);
                node.schedule_reconciling();
            }
        });
    }

    /// Carries out what waits, at the end of a client: it may not come back soon.
    pub(in crate::runtime) fn revoke_held(&self) {
        if self.halo.holding.lock().is_empty() {
            return;
        }
        let _one = self.reconciling();
        let done = self
            .read_halo()
            .and_then(|halo| self.bring_spaces_in_line(&halo.family, Patience::None));
        if let Err(error) = done {
            self.log().warn("halo", || {
                format!("devices are yet to be revoked in some spaces: {error}")
            });
        }
    }

    /// Waits, not for long, until what connected devices have of the HALO space is here.
    pub(super) fn fetch_first(&self, halo: &Arc<SpaceHost>, revoked: &DeviceKey) {
        let start = Instant::now();
        let behind = || {
            let standing = self.standing(halo, &|device| device != revoked);
            standing.is_ok_and(|standing| standing == Standing::Behind)
        };
        while start.elapsed() < FIRST && behind() {
            std::thread::sleep(LOOK);
        }
    }
}
