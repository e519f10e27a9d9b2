//! The HALO space itself: making it, finding it, and telling it things.

use super::super::node::Node;
use crate::identity::Issuer;
use crate::model::{Error, Result, SpaceId, signed};
use crate::runtime::clock;
use crate::runtime::space_host::{SpaceHost, SpaceKind};
use crate::space::HaloFact;
use std::sync::Arc;

impl Node {
    /// The identity's HALO space.
    pub fn halo(&self) -> Result<Arc<SpaceHost>> {
        self.require_identity()?;
        self.halo.await_loading();
        let mut hosts = self.hosts().into_iter();
        hosts
            .find(|host| host.is_halo())
            .ok_or_else(|| Error::state("the identity's HALO space is not here: the log says why"))
    }

    /// Tells the identity's other devices something.
    pub fn tell_halo(&self, facts: &[HaloFact]) -> Result<()> {
        if facts.is_empty() {
            return Ok(());
        }
        let halo = self.halo()?;
        halo.write(|core| core.tell_halo(facts, clock::now_ms()))
            .map(drop)
    }

    /// Makes the HALO space of an identity that has none: a new one, or one of an earlier version.
    /// A device that was added to an identity was given its HALO space; it never makes one.
    pub fn complete_halo(&self) -> Result<()> {
        let Ok((keyring, display_name)) = self.require_identity() else {
            return Ok(());
        };
        if self.hosts().iter().any(|host| host.is_halo()) {
            return Ok(());
        }
        if keyring.chain().enrolled_by() != Issuer::Identity {
            return Err(Error::corrupt(
                "the profile lacks the HALO space that this device was given when it was added",
            ));
        }
        let now = clock::now_ms();
        let now_ms = signed(now);
        let device = keyring.device_key();
        let mut facts = vec![
            HaloFact::DisplayName(display_name),
            HaloFact::DeviceAdded(device, now_ms),
            HaloFact::DeviceSeen(device, now_ms),
        ];
        facts.extend(self.hosts().iter().map(|host| HaloFact::Space {
            space: host.id(),
            is_default: host.is_default(),
        }));
        self.found_space(SpaceKind::Halo, |core| {
            core.tell_halo(&facts, now).map(drop)
        })?;
        Ok(())
    }

    /// Tells the other devices of a space that was made or joined here. If that fails, as on a full
    /// disk, the space is there all the same, and the next round of reconciling tells them.
    pub fn note_space(&self, host: &SpaceHost) {
        if !host.is_halo() && self.hosts().iter().any(|other| other.is_halo()) {
            let told = self.tell_halo(&[HaloFact::Space {
                space: host.id(),
                is_default: host.is_default(),
            }]);
            if let Err(error) = told {
                self.log().warn("halo", || {
                    format!("the other devices cannot be told of a space yet: {error}")
                });
            }
        }
        self.schedule_reconciling();
    }

    /// Tells HALO that a space is not wanted on this device any more.
    pub fn note_deletion(&self, space: &SpaceId) -> Result<()> {
        let (keyring, _) = self.require_identity()?;
        // Who was revoked cannot tell anybody, and gets no space again.
        if self.is_revoked() || self.halo().is_err() {
            return Ok(());
        }
        self.tell_halo(&[HaloFact::Wanted {
            space: *space,
            device: keyring.device_key(),
            wanted: false,
        }])
    }
}
