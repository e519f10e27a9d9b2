//! Standing that was undone: the admissions and roles of devices that do not count any more, as the
//! data entries are judged by which these devices wrote before anybody knew.
//!
//! Whoever is let in by somebody whom a superior removed at the same time, or by an invitation that
//! was cancelled, had every right in its own eyes, and in those of whoever met it first. What it
//! wrote is charged like what somebody wrote who was removed (docs/adr/0007).

use super::denials::{Denial, Target};
use super::facts::View;
use super::resolver::Authority;
use crate::feed::sha256;
use crate::model::{DeviceKey, EntryId, IdentityKey, Role};
use std::collections::BTreeSet;

/// What a device may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The device's role.
    pub device: Option<Role>,
    /// The role of the identity that it names, whatever becomes of the device.
    pub identity: Option<Role>,
}

impl Authority {
    /// For each device of whose standing anything does not count: one that charges what it wrote on
    /// the strength of that. Its `entry` is no entry but stands for what does not count.
    pub fn voids(&self) -> Vec<Denial> {
        if self.dead().causes.is_empty() {
            return Vec::new();
        }
        let devices = self.facts.devices.keys();
        let voids = devices.filter_map(|device| {
            let undone = self.undone_of(device);
            let ids = undone.iter().flat_map(|id| id.0).collect::<Vec<u8>>();
            (!undone.is_empty()).then(|| Denial {
                entry: EntryId(sha256(&[b"echodb/void/v1", device.as_bytes(), &ids])),
                target: Target::Device(*device),
                leaves: None,
                heads: Vec::new(),
                is_void: true,
            })
        });
        voids.collect()
    }

    /// The entries on which a device's standing depends, for better or worse, and that do not count.
    fn undone_of(&self, device: &DeviceKey) -> BTreeSet<EntryId> {
        let mut on = BTreeSet::new();
        let facts = self.facts.devices.get(device);
        for dated in facts.into_iter().flat_map(|facts| facts.added.iter()) {
            on.insert(dated.at);
            let roles = self.facts.roles.get(&dated.fact.certificate.identity);
            on.extend(
                roles
                    .into_iter()
                    .flat_map(|roles| roles.iter().map(|d| d.at)),
            );
            let lineage = dated.fact.enrolment.chain.lineage().iter();
            for device in lineage.chain([device]) {
                let facts = self.facts.devices.get(device);
                on.extend(facts.into_iter().flat_map(|facts| facts.revoked.iter()));
            }
        }
        let undone = on.into_iter().filter(|at| !self.is_alive(*at));
        undone.map(|at| self.graph.age(at).1).collect()
    }

    /// What a device was entitled to as of the control entries `ctl`, by what stood then and stands
    /// still: in the eyes of somebody who had seen the entries `by`, or, without, now. None when an
    /// entry is unknown.
    pub fn standing_still(
        &self,
        device: &DeviceKey,
        identity: &IdentityKey,
        ctl: &[EntryId],
        by: Option<&[EntryId]>,
    ) -> Option<Standing> {
        let place = self.graph.after(ctl.iter())?;
        let then = self.seen_from(&place);
        let since = match by {
            Some(by) => self.seen_from(&self.graph.after(by.iter())?),
            None => self.dead().clone(),
        };
        let mut dead = then.set.clone();
        dead.union(&since.set);
        let view = View {
            graph: &self.graph,
            facts: &self.facts,
            past: Some(&place.past),
            dead: &dead,
        };
        Some(Standing {
            device: view.role_of_device(device).map(|(_, role)| role),
            identity: view.role(identity),
        })
    }
}
