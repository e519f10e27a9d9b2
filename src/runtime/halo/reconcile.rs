//! Bringing the spaces in line with HALO. A round is idempotent and does nothing where nothing
//! differs, so that it may run whenever anything might have changed.

use super::super::node::Node;
use super::holding::Patience;
use crate::api::{IdentityChange, SpaceState};
use crate::feed::sha256;
use crate::identity::Keyring;
use crate::model::names::check_optional_name;
use crate::model::{DeviceKey, Error, ErrorKind, RecoveryKey, Result, SpaceId, signed};
use crate::runtime::clock;
use crate::runtime::space_host::{SpaceHost, SpaceKind};
use crate::space::{Family, HaloFact, HaloState, SpaceCore};
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, PoisonError};

/// The setting that says to which state of the identity's devices a space was brought.
const IN_LINE: &str = "halo/";

/// HALO at one moment.
pub(super) struct Halo {
    pub own: DeviceKey,
    pub state: HaloState,
    pub family: Family,
    /// The recovery keys in force, the most senior first.
    pub recoveries: Vec<RecoveryKey>,
}

impl Halo {
    /// Of what is told when it changes: the devices, and the names.
    fn digest(&self) -> [u8; 32] {
        sha256(&[&self.family.digest(), &self.state.names_digest()])
    }
}

impl Node {
    /// HALO as it is now.
    pub(super) fn read_halo(&self) -> Result<Halo> {
        let (keyring, _) = self.require_identity()?;
        let halo = self.halo()?;
        halo.with_settled(|core| {
            let state = core.halo_state()?;
            let mut family = core.family();
            // What the objects say is newer than what the space was founded with.
            if let Some(name) = &state.display_name {
                family.display_name.clone_from(name);
            }
            let recoveries = core.authority().recoveries(&keyring.identity_key());
            Ok(Halo {
                own: keyring.device_key(),
                recoveries: recoveries.iter().map(|view| view.key).collect(),
                state,
                family,
            })
        })
    }

    /// Keeps rounds from beginning while it is held: what changes which spaces are here, and says so
    /// in HALO, is to look like one step to them.
    pub fn reconciling(&self) -> MutexGuard<'_, ()> {
        self.halo
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Brings the client and its spaces in line with HALO.
    pub fn reconcile(&self) -> Result<()> {
        let _one = self.reconciling();
        // Identity and HALO space come one after the other: what came between them looks again.
        let founded = self.hosts().iter().any(|host| host.is_halo());
        if self.identity().is_none() || !founded {
            return Ok(());
        }
        let halo = self.read_halo()?;
        self.notice_changes(&halo);
        if halo.family.is_revoked(&halo.own) {
            self.learn_revocation();
            return Ok(());
        }
        self.take_display_name(&halo.state)?;
        let halo = match self.renew_keyring_if_due(clock::now_ms())? {
            true => self.read_halo()?,
            false => halo,
        };
        self.tell_missing(&halo)?;
        self.follow_spaces(&halo)?;
        self.wait_for_recovery(&halo);
        self.bring_spaces_in_line(&halo.family, Patience::Some)
    }

    /// Tells what the other devices do not know yet of this one: spaces that came while HALO could
    /// not be written, and that it is in use, once in a while.
    fn tell_missing(&self, halo: &Halo) -> Result<()> {
        let mut facts = Vec::new();
        for host in self.hosts().iter().filter(|host| !host.is_halo()) {
            let space = host.id();
            if !halo.state.spaces.contains(&space) {
                facts.push(HaloFact::Space {
                    space,
                    is_default: host.is_default(),
                });
            }
            if halo.state.unwanted.contains(&(space, halo.own)) {
                facts.push(HaloFact::Wanted {
                    space,
                    device: halo.own,
                    wanted: true,
                });
            }
        }
        let now = signed(clock::now_ms());
        let every = signed(super::SEEN_EVERY.as_millis());
        let seen = halo.state.devices.get(&halo.own).and_then(|n| n.seen_ms);
        // A clock that was set back must not keep it silent for years.
        if seen.is_none_or(|seen| now.abs_diff(seen) >= every.unsigned_abs()) {
            facts.push(HaloFact::DeviceSeen(halo.own, now));
        }
        self.tell_halo(&facts)
    }

    /// Begins to hold the identity's spaces that are not here.
    fn follow_spaces(&self, halo: &Halo) -> Result<()> {
        let (keyring, _) = self.require_identity()?;
        for space in &halo.state.spaces {
            if halo.state.wants(&halo.own, space) && !self.has_space(space) {
                self.follow_space(space, &halo.state, &keyring)?;
                self.tell_identity(IdentityChange::Spaces);
            }
        }
        Ok(())
    }

    /// Lists a space, empty: what it holds comes from any member that is online.
    fn follow_space(
        &self,
        space: &SpaceId,
        state: &HaloState,
        keyring: &Arc<Keyring>,
    ) -> Result<()> {
        let is_default = state.default_space == Some(*space);
        let nothing = (Vec::new(), Vec::new());
        let (core, ()) = self.enter_space(
            *space,
            keyring,
            nothing,
            |_| Ok(()),
            |profile, now| profile.add_space(space, is_default, now),
        )?;
        let kind = match is_default {
            true => SpaceKind::Default,
            false => SpaceKind::Ordinary,
        };
        self.take_space(core, kind).map(drop)
    }

    /// Adds, revokes, names and registers in every space what HALO has and the space has not. A space that
    /// is closed is looked at once for each state of the devices.
    pub(super) fn bring_spaces_in_line(&self, family: &Family, patience: Patience) -> Result<()> {
        let digest = family.digest();
        let mut result = Ok(());
        for host in self.hosts().iter().filter(|host| !host.is_halo()) {
            let done = self.bring_space_in_line(host, family, &digest, patience);
            // One damaged space must not keep the others from it.
            result = result.and(done);
        }
        self.look_again_at_held();
        result
    }

    fn bring_space_in_line(
        &self,
        host: &Arc<SpaceHost>,
        family: &Family,
        digest: &[u8; 32],
        patience: Patience,
    ) -> Result<()> {
        let key = format!("{IN_LINE}{}", host.id());
        let closed = match host.summary().0 {
            SpaceState::Ready => false,
            SpaceState::Closed => true,
            SpaceState::Opening | SpaceState::Failed => return Ok(()),
        };
        let known = self.with_profile(|profile| profile.setting(&key))?;
        if closed && known.as_deref() == Some(digest) {
            return Ok(());
        }
        let id = host.id();
        let held = !closed && self.holds_back(host, family, patience)?;
        let (renewed, _) = self.require_identity()?;
        let (member, changed) = self.with_space(host, |core| {
            if core.own_role().is_none() {
                return Ok((false, false));
            }
            let mut refused = Vec::new();
            let mut changed = core.renew_keyring(renewed)?;
            changed |= core.bring_in_line(family, !held, &mut refused)?;
            changed |= core.share_keys()?;
            for error in refused {
                self.log().debug("halo", || format!("space {id}: {error}"));
            }
            Ok((true, changed))
        })?;
        if changed {
            host.announce_control();
        }
        if member && !held && known.as_deref() != Some(digest) {
            self.with_profile(|profile| profile.set_setting(&key, Some(digest)))?;
        }
        Ok(())
    }

    /// Runs `work` on a space, which is loaded for as long as that takes if it is closed.
    pub(super) fn with_space<T>(
        &self,
        host: &Arc<SpaceHost>,
        work: impl FnOnce(&mut SpaceCore) -> Result<T>,
    ) -> Result<T> {
        let (keyring, _) = self.require_identity()?;
        let id = host.id();
        let load = || {
            let store = self.with_profile(|profile| profile.open_space(&id))?;
            SpaceCore::open(id, Box::new(store), keyring, Box::new(clock::fill_random))
        };
        host.with_even_closed(load, work)
    }

    /// Takes over a display name that was set on another device.
    fn take_display_name(&self, state: &HaloState) -> Result<()> {
        let Some(name) = &state.display_name else {
            return Ok(());
        };
        let (_, present) = self.require_identity()?;
        if *name == present || check_optional_name("a display name", name).is_err() {
            return Ok(());
        }
        self.with_profile(|profile| profile.set_display_name(name))?;
        let mut identity = self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(identity) = identity.as_mut() {
            identity.display_name.clone_from(name);
        }
        drop(identity);
        self.tell_identity(IdentityChange::Profile);
        Ok(())
    }

    /// Tells the program if the list of devices is not what it was.
    /// Notes how things are, unless that was done: what changes from now on is told, whether or not
    /// a round has been here before.
    pub(super) fn note_state(&self) {
        if let Ok(halo) = self.read_halo() {
            self.known().get_or_insert(halo.digest());
        }
    }

    fn known(&self) -> MutexGuard<'_, Option<[u8; 32]>> {
        self.halo
            .known
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn notice_changes(&self, halo: &Halo) {
        let digest = halo.digest();
        let before = self.known().replace(digest);
        if before.is_some_and(|before| before != digest) {
            self.tell_identity(IdentityChange::Devices);
        }
    }

    fn learn_revocation(&self) {
        if !self.halo.revoked.swap(true, Ordering::AcqRel) {
            self.log().warn("halo", || {
                "this device was revoked by another one of its identity: its copy of the data \
                 stays, but it can write no more"
                    .to_owned()
            });
            self.tell_identity(IdentityChange::Revoked);
        }
        self.stop_waiting_for_recovery();
    }

    /// Forgets what was kept about a space that is deleted here.
    pub(in crate::runtime) fn forget_in_line(&self, space: &SpaceId) {
        let key = format!("{IN_LINE}{space}");
        // Left behind it does no harm.
        let _ = self.with_profile(|profile| profile.set_setting(&key, None));
    }

    /// Fetches a space again that was deleted on this device.
    pub fn restore_space(&self, space: SpaceId) -> Result<()> {
        let halo = self.read_halo()?;
        if self.has_space(&space) {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                format!("the space {space} is in this profile already"),
            ));
        }
        if !halo.state.spaces.contains(&space) {
            return Err(Error::not_found(format!(
                "the identity has no space {space}"
            )));
        }
        self.tell_halo(&[HaloFact::Wanted {
            space,
            device: halo.own,
            wanted: true,
        }])?;
        self.reconcile()
    }
}
