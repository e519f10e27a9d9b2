//! What the authority tells the rest of the engine.

use super::facts::{DeviceAdded, KeyFacts};
use super::invite_hint::InviteHint;
use super::keyring::BackLink;
use super::op::key_wrap_info;
use super::resolver::Authority;
use crate::identity::Wrap;
use crate::model::{ContentKeyId, DeviceKey, IdentityKey, Role};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// A member of the space.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// The identity.
    pub identity: IdentityKey,
    /// The name it joined under.
    pub display_name: String,
    /// Its role.
    pub role: Role,
    /// Its devices, rising by key.
    pub devices: Vec<DeviceView>,
}

/// A device of a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Its signing key.
    pub device: DeviceKey,
    /// The X25519 key to which content keys are sealed.
    pub hpke: [u8; 32],
    /// What people call it.
    pub name: String,
}

/// An invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InviteView {
    /// Its public key.
    pub key: [u8; 32],
    /// The highest role it gives.
    pub role_cap: Role,
    /// Whether it is open.
    pub open: bool,
    /// What its inviter says of it.
    pub hint: InviteHint,
    /// How many joined through it, of whom some may be gone again.
    pub joins: usize,
}

/// A content key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyView {
    /// The key.
    pub key_id: ContentKeyId,
    /// Its generation; of several rotations to it that count the lowest.
    pub generation: u64,
    /// The devices it was sealed to, by rotations that count and by shares.
    pub recipients: BTreeSet<DeviceKey>,
}

impl DeviceView {
    fn of(added: &DeviceAdded) -> DeviceView {
        DeviceView {
            device: added.certificate.device,
            hpke: added.certificate.hpke,
            name: added.certificate.name.clone(),
        }
    }
}

impl Authority {
    /// The members, rising by identity.
    pub fn members(&self) -> Vec<MemberView> {
        let view = self.view(None);
        let identities = self.facts.roles.keys();
        let member = |identity: &IdentityKey| {
            Some(MemberView {
                identity: *identity,
                display_name: self.display_name(identity),
                role: view.role(identity)?,
                devices: view
                    .devices_of(identity)
                    .into_iter()
                    .map(DeviceView::of)
                    .collect(),
            })
        };
        identities.filter_map(member).collect()
    }

    /// Of all names the one whose entry has the longest past; depth and id are the same on every
    /// peer.
    pub(super) fn display_name(&self, identity: &IdentityKey) -> String {
        let names = self.facts.names.get(identity);
        // One that was given in vain is better than none.
        names
            .into_iter()
            .flatten()
            .max_by_key(|(at, _)| (self.is_alive(*at), self.graph.age(*at)))
            .map(|(_, name)| name.clone())
            .unwrap_or_default()
    }

    /// An invitation by its key.
    pub fn invitation(&self, key: &[u8; 32]) -> Option<InviteView> {
        let (role_cap, open) = self.view(None).invitation(key)?;
        let facts = self.facts.invitations.get(key)?;
        Some(InviteView {
            key: *key,
            role_cap,
            open,
            hint: facts.hint,
            joins: facts
                .joined
                .iter()
                .filter(|(at, _)| self.is_alive(*at))
                .count(),
        })
    }

    /// The invitations that are open, rising by key: at most [`crate::model::limits`] says.
    pub fn open_invitations(&self) -> Vec<InviteView> {
        let keys = self.facts.invitations.keys();
        keys.filter_map(|key| self.invitation(key))
            .filter(|invitation| invitation.open)
            .collect()
    }

    /// The devices that may read: those of readers and above. Rising by key.
    pub fn entitled_devices(&self) -> Vec<DeviceView> {
        let view = self.view(None);
        let devices = self.facts.devices.keys();
        devices
            .filter(|device| view.entitled(device))
            .filter_map(|device| {
                let (identity, _) = view.role_of_device(device)?;
                view.device(device, &identity).map(DeviceView::of)
            })
            .collect()
    }

    /// The content keys, best for writing first: highest generation, then lowest id.
    pub fn keys(&self) -> Vec<KeyView> {
        let view = |(key_id, facts): (&ContentKeyId, &KeyFacts)| {
            let claims = self.view(None).claims(facts);
            let wraps = claims.iter().flat_map(|claim| &claim.wraps);
            Some(KeyView {
                key_id: *key_id,
                generation: claims.iter().map(|claim| claim.generation).min()?,
                recipients: wraps.chain(&facts.shared).map(|wrap| wrap.device).collect(),
            })
        };
        let mut keys: Vec<_> = self.facts.keys.iter().filter_map(view).collect();
        keys.sort_by_key(|key| (Reverse(key.generation), key.key_id));
        keys
    }

    /// The keys that may be used for writing, best first: those that no device without the right
    /// to read has been given, and that no member is kept from.
    pub fn usable_keys(&self) -> Vec<ContentKeyId> {
        let entitled = self.entitled_devices();
        let entitled: BTreeSet<_> = entitled.iter().map(|view| view.device).collect();
        let view = self.view(None);
        let stands = |key: &KeyView| {
            let facts = self.facts.keys.get(&key.key_id);
            facts.is_some_and(|facts| facts.claims.iter().any(|(at, _)| view.sees(*at)))
        };
        // What a member is not to open is no place for what it is to read.
        let avoided = view.withheld_from_any();
        let keys = self.keys().into_iter();
        keys.filter(|key| key.recipients.is_subset(&entitled) && stands(key))
            .filter(|key| !avoided.contains(&key.key_id))
            .map(|key| key.key_id)
            .collect()
    }

    /// The key to write under. None: rotate first.
    pub fn writing_key(&self) -> Option<ContentKeyId> {
        self.usable_keys().first().copied()
    }

    /// Keys that devices with the right to read cannot reach: neither was it sealed to them, nor
    /// does a back link lead to it from one that was. A key that the named ones lead to is not
    /// named itself. Whether wraps and links hold what they should only their readers see. A key
    /// that an identity is kept from is missing to no device of it, but for those who ask for
    /// their own identity, `own`: what one device has is for all of them.
    pub fn missing_wraps(&self, own: &IdentityKey) -> Vec<(ContentKeyId, DeviceView)> {
        let view = self.view(None);
        let withheld = |device: &DeviceView| {
            let identity = view.role_of_device(&device.device).map(|(who, _)| who);
            let other = identity.filter(|identity| identity != own);
            other.map_or_else(BTreeSet::new, |other| view.withheld_from(&other))
        };
        let devices = self.entitled_devices().into_iter();
        self.unreached(devices.map(|device| (withheld(&device), device)))
    }

    /// Keys that devices of an identity cannot reach, among them those it is kept from.
    pub fn unreached_by(&self, identity: &IdentityKey) -> Vec<(ContentKeyId, DeviceView)> {
        let view = self.view(None);
        let mut devices = self.entitled_devices();
        devices.retain(|device| {
            let whose = view.role_of_device(&device.device);
            whose.is_some_and(|(whose, _)| whose == *identity)
        });
        self.unreached(devices.into_iter().map(|device| (BTreeSet::new(), device)))
    }

    /// The keys that an identity is kept from: what it joined through gives what was written from
    /// then on.
    pub fn withheld_from(&self, identity: &IdentityKey) -> BTreeSet<ContentKeyId> {
        self.view(None).withheld_from(identity)
    }

    /// The keys that somebody is kept from, or will be who joins.
    pub fn withheld_from_any(&self) -> BTreeSet<ContentKeyId> {
        self.view(None).withheld_from_any()
    }

    fn unreached(
        &self,
        devices: impl Iterator<Item = (BTreeSet<ContentKeyId>, DeviceView)>,
    ) -> Vec<(ContentKeyId, DeviceView)> {
        let keys = self.keys();
        let mut missing = Vec::new();
        for (withheld, device) in devices {
            let held = keys
                .iter()
                .filter(|k| k.recipients.contains(&device.device));
            let mut reached = BTreeSet::new();
            for key in held {
                self.follow_links(key.key_id, &mut reached);
            }
            for key in &keys {
                if !reached.contains(&key.key_id) && !withheld.contains(&key.key_id) {
                    missing.push((key.key_id, device.clone()));
                    self.follow_links(key.key_id, &mut reached);
                }
            }
        }
        missing
    }

    /// Adds a key and those its back links lead to.
    fn follow_links(&self, key: ContentKeyId, reached: &mut BTreeSet<ContentKeyId>) {
        let mut open = vec![key];
        while let Some(key) = open.pop() {
            if reached.insert(key) {
                let facts = self.facts.keys.get(&key);
                let links = facts.into_iter().flat_map(|facts| &facts.links);
                open.extend(links.map(|(older, _)| *older));
            }
        }
    }

    /// The keys sealed to a device, best first, each with the HPKE info to open it with. A key may
    /// come several times, and a member may have sealed rubbish: try all.
    pub fn wraps_for(&self, device: &DeviceKey) -> Vec<(ContentKeyId, Wrap, Vec<u8>)> {
        let mut found = Vec::new();
        for key in self.keys() {
            let facts = self.facts.keys.get(&key.key_id);
            let claimed = facts.into_iter().flat_map(|facts| &facts.claims);
            let wraps = claimed.flat_map(|(_, claim)| &claim.wraps);
            let shared = facts.into_iter().flat_map(|facts| &facts.shared);
            let unique: BTreeMap<_, _> = wraps
                .chain(shared)
                .filter(|wrap| wrap.device == *device)
                .map(|wrap| ((wrap.enc, &wrap.sealed), wrap))
                .collect();
            let info = key_wrap_info(self.space, &key.key_id);
            found.extend(
                unique
                    .into_values()
                    .map(|wrap| (key.key_id, wrap.clone(), info.clone())),
            );
        }
        found
    }

    /// Every back link, for [`super::ContentKeys::open_back_links`].
    pub fn back_links(&self) -> Vec<BackLink> {
        let mut links = Vec::new();
        for (newer, facts) in &self.facts.keys {
            links.extend(facts.links.iter().map(|(older, sealed)| BackLink {
                newer: *newer,
                older: *older,
                sealed: sealed.clone(),
            }));
        }
        links.sort();
        links
    }
}
