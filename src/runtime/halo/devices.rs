//! The identity's devices: listed, named, revoked; and the identity's name.

use super::super::node::Node;
use super::holding::Patience;
use crate::api::DeviceInfo;
use crate::identity::DeviceChain;
use crate::model::names::check_optional_name;
use crate::model::{DeviceKey, Error, ErrorKind, Result, limits, signed};
use crate::runtime::clock;
use crate::space::HaloFact;
use std::collections::BTreeSet;
use std::sync::Arc;

/// A device that is or was one of the identity's.
pub struct FamilyDevice {
    /// What shows that it was made one.
    pub chain: Arc<DeviceChain>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether it has said that it is in use.
    pub seen: bool,
}

impl Node {
    /// The devices, the most senior first, revoked ones last.
    pub fn devices(&self) -> Result<Vec<DeviceInfo>> {
        let halo = self.read_halo()?;
        let connected: BTreeSet<DeviceKey> = self.sessions().iter().map(|s| s.device()).collect();
        let now = signed(clock::now_ms());
        let info = |member: &crate::space::FamilyMember| {
            let device = member.chain.certificate().device;
            let note = halo.state.devices.get(&device).cloned().unwrap_or_default();
            let this_device = device == halo.own;
            let here = this_device || connected.contains(&device);
            DeviceInfo {
                device: device.to_string(),
                name: note
                    .name
                    .unwrap_or_else(|| member.chain.certificate().name.clone()),
                this_device,
                connected: here && !member.revoked,
                added_ms: note.added_ms,
                last_seen_ms: match here && !member.revoked {
                    true => Some(now),
                    false => note.seen_ms,
                },
                revoked: member.revoked,
                recovered: member.recovered,
            }
        };
        Ok(halo.family.members.iter().map(info).collect())
    }

    /// What HALO has of a device, if it ever was one of the identity's.
    pub fn family_device(&self, device: &DeviceKey) -> Result<Option<FamilyDevice>> {
        let halo = self.read_halo()?;
        let note = halo.state.devices.get(device);
        let seen = note.is_some_and(|note| note.seen_ms.is_some());
        Ok(halo.family.member(device).map(|member| FamilyDevice {
            chain: Arc::clone(&member.chain),
            revoked: member.revoked,
            seen,
        }))
    }

    /// Names a device.
    pub fn rename_device(&self, device: DeviceKey, name: String) -> Result<()> {
        check_optional_name("a device's name", &name)?;
        let halo = self.read_halo()?;
        self.check_not_revoked()?;
        halo.family
            .member(&device)
            .ok_or_else(|| unknown(&device))?;
        self.tell_halo(&[HaloFact::DeviceName(device, name)])?;
        self.reconcile()
    }

    /// Revokes a device, here and in every space of this profile. In spaces that are only on other
    /// devices these do it.
    pub fn revoke_device(&self, device: DeviceKey) -> Result<()> {
        let read = self.read_halo()?;
        self.check_not_revoked()?;
        let member = read
            .family
            .member(&device)
            .ok_or_else(|| unknown(&device))?;
        if member.revoked {
            return Ok(());
        }
        if device == read.own {
            // While it may still speak: afterwards nobody listens to it.
            self.bring_spaces_in_line(&read.family.without(&device), Patience::None)?;
        }
        let halo = self.halo()?;
        self.fetch_first(&halo, &device);
        halo.with_settled(|core| core.revoke_device(device))
            .map_err(|error| match error.kind() {
                ErrorKind::PermissionDenied => Error::new(
                    ErrorKind::PermissionDenied,
                    "only a device that was added earlier, or one that the recovery phrase \
                     brought back, may revoke this one",
                ),
                _ => error,
            })?;
        halo.announce_control();
        self.reconcile()
    }

    /// Sets the identity's display name, which the caller has checked, on all devices and in all
    /// spaces.
    pub fn set_profile(&self, display_name: String) -> Result<()> {
        self.check_not_revoked()?;
        self.tell_halo(&[HaloFact::DisplayName(display_name)])?;
        self.reconcile()
    }

    /// Refuses what a revoked device may not do any more, with a reason that says so.
    pub fn check_not_revoked(&self) -> Result<()> {
        if self.read_halo()?.is_own_revoked() {
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                "this device was revoked: it acts for the identity no more",
            ));
        }
        Ok(())
    }

    /// The place of the identity's next device.
    pub fn next_device_order(&self) -> Result<u32> {
        let (keyring, _) = self.require_identity()?;
        self.check_not_revoked()?;
        let halo = self.halo()?;
        halo.with_settled(|core| {
            let devices = core.authority().devices_by_rank(&keyring.identity_key());
            if devices.len() >= limits::DEVICES_PER_IDENTITY {
                return Err(Error::limit(format!(
                    "an identity has at most {} devices: revoke one that is not used any more",
                    limits::DEVICES_PER_IDENTITY
                )));
            }
            Ok(core.authority().next_device_order(&keyring.identity_key()))
        })
    }
}

impl super::reconcile::Halo {
    fn is_own_revoked(&self) -> bool {
        self.family.is_revoked(&self.own)
    }
}

fn unknown(device: &DeviceKey) -> Error {
    Error::not_found(format!("the identity has no device {device}"))
}
