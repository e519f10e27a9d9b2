//! The devices that an identity had.

use super::resolver::Authority;
use crate::model::{DeviceKey, IdentityKey};

impl Authority {
    /// The devices of an identity that were revoked, rising by key.
    pub fn revoked_devices(&self, identity: &IdentityKey) -> Vec<DeviceKey> {
        let devices = self.facts.devices.iter();
        let own = devices.filter(|(_, facts)| {
            let mut added = facts.added.iter();
            added.any(|dated| dated.fact.certificate.identity == *identity)
        });
        own.map(|(device, _)| *device)
            .filter(|device| self.is_revoked(device))
            .collect()
    }

    /// Whether an identity has a role, or was ever given one.
    pub fn has_heard_of(&self, identity: &IdentityKey) -> bool {
        self.facts.roles.contains_key(identity)
    }

    /// An identity's display name; empty if it gave none.
    pub fn name_of(&self, identity: &IdentityKey) -> String {
        self.display_name(identity)
    }
}
