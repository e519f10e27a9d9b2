//! Who belongs to the space and who did, and on whose word: what people are shown of its members.

use super::facts::{Timeline, View};
use super::resolver::Authority;
use super::tenure::outranks;
use crate::model::{DeviceKey, EntryId, IdentityKey, Role, limits};
use std::collections::BTreeSet;

/// An identity that has a role, or had one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterEntry {
    /// The identity.
    pub identity: IdentityKey,
    /// The name it joined under.
    pub display_name: String,
    /// Its role; none once it was removed.
    pub role: Option<Role>,
    /// One more than the number of members that stand above it; 0 without a role.
    pub rank: u32,
    /// The entry that its role, or the lack of one, follows from: if nothing counts that ever gave it
    /// one, the entry that undid that.
    pub decided_by: Option<EntryId>,
    /// Whether nothing counts any more that ever gave it a role.
    pub undone: bool,
    /// Its devices, revoked ones included, rising by key.
    pub devices: Vec<RosterDevice>,
}

/// A device of such an identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterDevice {
    /// Its signing key.
    pub device: DeviceKey,
    /// What people call it.
    pub name: String,
    /// Whether it was revoked.
    pub revoked: bool,
    /// The entry that admitted it, or the one that revoked it.
    pub decided_by: Option<EntryId>,
}

impl Authority {
    /// Everybody who ever had a role, rising by identity.
    pub fn roster(&self) -> Vec<RosterEntry> {
        let view = self.view(None);
        let identities: Vec<IdentityKey> = self.facts.roles.keys().copied().collect();
        let ranks: Vec<_> = identities.iter().map(|who| view.rank(who)).collect();
        let above = |of: usize| {
            let held = ranks.get(of)?.as_ref()?;
            let higher = ranks.iter().flatten().filter(|other| outranks(other, held));
            u32::try_from(higher.count() + 1).ok()
        };
        let entries = identities.iter().enumerate().map(|(at, identity)| {
            let (decided_by, role) = self.decision(&view, identity);
            RosterEntry {
                identity: *identity,
                display_name: self.display_name(identity),
                role,
                rank: above(at).unwrap_or_default(),
                decided_by,
                undone: !view.knows(identity),
                devices: self.roster_devices(&view, identity),
            }
        });
        entries.collect()
    }

    /// What an identity's role follows from: of the causally latest facts the most restrictive, and
    /// of several such the oldest.
    pub(super) fn decision(
        &self,
        view: &View<'_>,
        identity: &IdentityKey,
    ) -> (Option<EntryId>, Option<Role>) {
        let facts = self.facts.roles.get(identity);
        let latest = facts.map(|facts| facts.latest(&self.graph, |at| view.sees(at)));
        let decides = latest
            .into_iter()
            .flatten()
            .min_by_key(|dated| (dated.fact, self.graph.age(dated.at)));
        match decides {
            Some(dated) => (Some(self.graph.age(dated.at).1), dated.fact),
            // Nothing counts that gave it a role: what undid the newest of that.
            None => (facts.and_then(|facts| self.undone_by(facts)), None),
        }
    }

    /// What undid the newest of an identity's roles.
    fn undone_by(&self, roles: &Timeline<Option<Role>>) -> Option<EntryId> {
        let newest = roles.iter().max_by_key(|dated| self.graph.age(dated.at))?;
        let undone = self.undoing(&self.graph.age(newest.at).1)?;
        Some(undone.entry)
    }

    fn roster_devices(&self, view: &View<'_>, identity: &IdentityKey) -> Vec<RosterDevice> {
        let mut devices = Vec::new();
        for (device, facts) in &self.facts.devices {
            let seen = |at: &usize| view.sees(*at);
            let added: Vec<_> = facts
                .added
                .iter()
                .filter(|dated| view.sees(dated.at))
                .filter(|dated| dated.fact.certificate.identity == *identity)
                .collect();
            let first = added.iter().min_by_key(|dated| self.graph.age(dated.at));
            let last = added.iter().max_by_key(|dated| self.graph.age(dated.at));
            let (Some(first), Some(last)) = (first, last) else {
                continue;
            };
            let revoked = facts.revoked.iter().copied().filter(seen);
            let revoked = revoked.min_by_key(|at| self.graph.age(*at));
            devices.push(RosterDevice {
                device: *device,
                name: last.fact.certificate.name.clone(),
                revoked: revoked.is_some(),
                decided_by: Some(self.graph.age(revoked.unwrap_or(first.at)).1),
            });
        }
        devices
    }

    /// The top owner, whom nobody can remove: the creator, or whoever the space was handed over to.
    pub fn top(&self) -> Option<IdentityKey> {
        self.view(None).top().map(|(top, _)| top)
    }

    /// Whether the space was handed over as often as it can be.
    pub fn is_handed_over_out(&self) -> bool {
        let top = self.view(None).top();
        top.is_some_and(|(_, line)| line.len() >= limits::SUCCESSIONS)
    }

    /// What a device that may not take part any more is still told: the entries that ended the roles
    /// of its identities, or revoked it, and what these build on, all of which it was entitled to.
    /// Empty for members, and for devices that never were of any.
    pub fn farewell(&self, device: &DeviceKey) -> BTreeSet<EntryId> {
        let place = self.graph.after(self.endings(device).iter());
        let past = place.map(|place| place.past).unwrap_or_default();
        let entries = (0..self.graph.len()).filter(|at| past.contains(*at));
        entries.map(|at| self.graph.age(at).1).collect()
    }

    /// Whether a device took part once and may not any more.
    pub fn was_member(&self, device: &DeviceKey) -> bool {
        !self.endings(device).is_empty()
    }

    fn endings(&self, device: &DeviceKey) -> Vec<EntryId> {
        let view = self.view(None);
        if view.role_of_device(device).is_some() {
            return Vec::new();
        }
        let Some(facts) = self.facts.devices.get(device) else {
            return Vec::new();
        };
        let revoked = facts.revoked.iter().copied().filter(|at| view.sees(*at));
        let mut entries: Vec<EntryId> = revoked.map(|at| self.graph.age(at).1).collect();
        let identities: BTreeSet<IdentityKey> = facts
            .added
            .iter()
            .map(|dated| dated.fact.certificate.identity)
            .collect();
        for identity in identities {
            if let (Some(entry), None) = self.decision(&view, &identity) {
                entries.push(entry);
            }
        }
        entries
    }
}
