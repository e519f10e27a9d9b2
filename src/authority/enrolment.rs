//! How devices came to act for their identities, and which of them outrank others.

use super::facts::{Dated, DeviceAdded, Seniority, View};
use super::resolver::Authority;
use crate::identity::{DeviceChain, Issuer, RecoveryStatement};
use crate::model::{DeviceKey, IdentityKey, RecoveryKey};
use std::cmp::Reverse;
use std::sync::Arc;

/// Steps by which a recovery statement's generation may exceed the one before: room for statements
/// that this space missed, and too little for anybody to use all numbers up.
const GENERATION_STEP: u64 = 1 << 16;

/// Who stands behind a device's admission to the space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voucher {
    /// A device of the identity that acted in the space when it wrote the entry.
    Device(DeviceKey),
    /// The device itself, which came with an identity that was no member: by creating the space,
    /// or by an invitation.
    Newcomer,
    /// The identity's recovery key; the device wrote the entry itself.
    Recovery(RecoveryKey),
}

/// How a device came to act.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// What it showed.
    pub chain: Arc<DeviceChain>,
    /// Who stands behind it.
    pub voucher: Voucher,
    /// The recovery key that enrolled the device, if that was the identity's in the entry's past.
    pub recovered: Option<RecoveryKey>,
}

/// A recovery key that an identity was given.
#[derive(Clone, Debug)]
pub struct RecoveryFact {
    /// What the statement says.
    pub said: RecoveryStatement,
    /// The statement, as received.
    pub statement: Arc<[u8]>,
    /// The rank of the device that had the right to set it.
    pub rank: DeviceRank,
}

/// The place of a device among those of its identity: lower ones are senior.
///
/// Devices that a recovery key enrolled come first, the newest of them in front: the phrase is what
/// remains when everything else is in wrong hands. Then the order in the certificates, which is the
/// same in every space, whichever device came to it first; then age in the space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceRank {
    enrolled_by_device: bool,
    order: u32,
    age: Seniority,
}

impl DeviceRank {
    fn of(added: &DeviceAdded, age: Seniority) -> DeviceRank {
        let order = added.certificate.order;
        let enrolled_by_device = added.enrolment.recovered.is_none();
        DeviceRank {
            enrolled_by_device,
            order: if enrolled_by_device {
                order
            } else {
                u32::MAX - order
            },
            age,
        }
    }
}

impl<'a> View<'a> {
    /// Whether an admission of a device counts. One that nobody in the space vouched for falls with
    /// every device it came by: whoever holds a revoked device could otherwise certify another with
    /// it and have that join in an entry that pretends to be older than the revocation.
    pub fn stands(&self, dated: &Dated<DeviceAdded>) -> bool {
        let enrolment = &dated.fact.enrolment;
        if enrolment.voucher != Voucher::Newcomer {
            return true;
        }
        enrolment.chain.lineage().iter().all(|device| {
            let facts = self.facts.devices.get(device);
            let mut revoked = facts.into_iter().flat_map(|facts| &facts.revoked);
            revoked.all(|at| !self.sees(*at) || self.graph.precedes(dated.at, *at))
        })
    }

    /// Whether a device was revoked.
    pub fn is_revoked(&self, device: &DeviceKey) -> bool {
        let facts = self.facts.devices.get(device);
        facts.is_some_and(|facts| facts.revoked.iter().any(|at| self.sees(*at)))
    }

    /// A device's place among those of its identity.
    pub fn device_rank(&self, device: &DeviceKey) -> Option<DeviceRank> {
        let facts = self.facts.devices.get(device)?;
        let seen = facts.added.iter().filter(|dated| self.sees(dated.at));
        let ranks = seen.filter(|dated| self.stands(dated)).map(|dated| {
            let (depth, id) = self.graph.age(dated.at);
            DeviceRank::of(&dated.fact, (depth, id, dated.fact.order))
        });
        ranks.min()
    }

    /// The recovery key of an identity: that of the highest generation; of concurrent ones that of
    /// the most senior device.
    pub fn recovery(&self, identity: &IdentityKey) -> Option<&'a RecoveryFact> {
        let facts = self.facts.recoveries.get(identity)?;
        let seen = facts.iter().filter(|(at, _)| self.sees(*at));
        seen.map(|(_, fact)| fact).max_by_key(|fact| {
            let said = &fact.said;
            (
                said.generation,
                Reverse(&fact.rank),
                Reverse(said.recovery),
                Reverse(&fact.statement),
            )
        })
    }

    /// The rank by which a device may set its identity's recovery key: it is the most senior that
    /// acts, or the present recovery key enrolled it.
    pub fn may_set_recovery(
        &self,
        device: &DeviceKey,
        identity: &IdentityKey,
    ) -> Option<DeviceRank> {
        let added = self.device(device, identity)?;
        let rank = self.device_rank(device)?;
        let present = self.recovery(identity).map(|fact| fact.said.recovery);
        if present.is_some() && added.enrolment.recovered == present {
            return Some(rank);
        }
        let all = self.devices_of(identity);
        let others = all
            .iter()
            .filter_map(|other| self.device_rank(&other.certificate.device));
        others.min().filter(|first| *first == rank)
    }

    /// Whether a statement's generation follows the present one.
    pub fn follows(&self, said: &RecoveryStatement) -> bool {
        let present = self
            .recovery(&said.identity)
            .map_or(0, |fact| fact.said.generation);
        said.generation > present && said.generation - present <= GENERATION_STEP
    }
}

/// An identity's recovery key, as the space has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryView {
    /// The key.
    pub key: RecoveryKey,
    /// How many keys there were, about; the next one's is higher by one.
    pub generation: u64,
    /// The device that stated it.
    pub issuer: DeviceKey,
    /// The statement.
    pub statement: Vec<u8>,
}

impl Authority {
    /// An identity's recovery key now.
    pub fn recovery(&self, identity: &IdentityKey) -> Option<RecoveryView> {
        let fact = self.view(None).recovery(identity)?;
        Some(RecoveryView {
            key: fact.said.recovery,
            generation: fact.said.generation,
            issuer: fact.said.issuer,
            statement: fact.statement.to_vec(),
        })
    }

    /// What a device showed when it came, last: its chain. Of revoked devices too, which others
    /// may have come by.
    pub fn chain_of(&self, device: &DeviceKey) -> Option<Arc<DeviceChain>> {
        let view = self.view(None);
        let facts = self.facts.devices.get(device)?;
        let latest = facts.added.latest(&self.graph, |at| view.sees(at));
        let chains = latest.iter().map(|dated| &dated.fact.enrolment.chain);
        chains.min_by_key(|chain| chain.encode()).map(Arc::clone)
    }

    /// The devices that act for an identity, the most senior first.
    pub fn devices_by_rank(&self, identity: &IdentityKey) -> Vec<DeviceKey> {
        let view = self.view(None);
        let devices = view.devices_of(identity);
        let mut ranked: Vec<_> = devices
            .iter()
            .map(|added| added.certificate.device)
            .map(|device| (view.device_rank(&device), device))
            .collect();
        ranked.sort();
        ranked.into_iter().map(|(_, device)| device).collect()
    }

    /// Whether a device was revoked here.
    pub fn is_revoked(&self, device: &DeviceKey) -> bool {
        self.view(None).is_revoked(device)
    }

    /// The order of an identity's next device: above all that were ever added.
    pub fn next_device_order(&self, identity: &IdentityKey) -> u32 {
        let added = self.facts.devices.values().flat_map(|d| d.added.iter());
        let own = added.filter(|dated| dated.fact.certificate.identity == *identity);
        let highest = own.map(|dated| dated.fact.certificate.order).max();
        highest.map_or(0, |order| order.saturating_add(1))
    }

    /// Whether a device that is unknown here may add itself: the identity's present recovery key
    /// enrolled it. Whoever meets one lets it write its `DeviceAdd`.
    #[allow(dead_code, reason = "for whoever decides before an entry came")]
    pub fn may_recover(&self, chain: &DeviceChain) -> bool {
        let certificate = chain.certificate();
        let present = self.recovery(&certificate.identity).map(|view| view.key);
        present.is_some_and(|key| chain.enrolled_by() == Issuer::Recovery(key))
            && self.role(&certificate.identity).is_some()
            && !self.is_revoked(&certificate.device)
    }
}
