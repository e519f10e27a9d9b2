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
    /// The recovery key that enrolled the device, if it was in force in the entry's past, and its seat.
    pub recovered: Option<(RecoveryKey, u64)>,
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
    /// Its place among the identity's recovery keys: lower ones are senior, and beat what devices do
    /// that came by others. A key set by a device takes a seat below all that there are, for the
    /// device may be in a thief's hands; one set by a device that came by a key takes that key's.
    pub seat: u64,
    /// Whether it took the seat of another.
    pub inherits: bool,
}

/// The place of a device among those of its identity: lower ones are senior.
///
/// Devices that a recovery key enrolled come first, those by the more senior key in front, and of one
/// seat the newest: the phrase is what remains when everything else is in wrong hands. Then the order in the certificates, which is the
/// same in every space, whichever device came to it first; then age in the space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceRank {
    enrolled_by_device: bool,
    seat: u64,
    order: u32,
    age: Seniority,
}

impl DeviceRank {
    fn of(added: &DeviceAdded, age: Seniority) -> DeviceRank {
        let order = added.certificate.order;
        let enrolled_by_device = added.enrolment.recovered.is_none();
        DeviceRank {
            enrolled_by_device,
            seat: added.enrolment.recovered.map_or(0, |(_, seat)| seat),
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

    /// The recovery keys of an identity that are in force, the most senior first: those that none
    /// replaced which took the seat of an older one, theirs or a more senior one's.
    pub fn recoveries(&self, identity: &IdentityKey) -> Vec<&'a RecoveryFact> {
        let facts = self.facts.recoveries.get(identity).into_iter().flatten();
        let seen: Vec<_> = facts.filter(|(at, _)| self.sees(*at)).collect();
        let replaced = |fact: &RecoveryFact| {
            seen.iter().any(|(_, by)| {
                by.inherits && by.seat <= fact.seat && by.said.generation > fact.said.generation
            })
        };
        let mut keys: Vec<_> = seen
            .iter()
            .map(|(_, fact)| fact)
            .filter(|fact| !replaced(fact))
            .collect();
        keys.sort_by_key(|fact| {
            let said = &fact.said;
            let newest = Reverse(said.generation);
            (
                fact.seat,
                newest,
                &fact.rank,
                said.recovery,
                &fact.statement,
            )
        });
        keys
    }

    /// The rank by which a device may set its identity's recovery key, and the seat that the key
    /// takes from another: a recovery key in force enrolled it; or it is the most senior that acts, and
    /// takes none.
    pub fn may_set_recovery(
        &self,
        device: &DeviceKey,
        identity: &IdentityKey,
    ) -> Option<(DeviceRank, Option<u64>)> {
        let added = self.device(device, identity)?;
        let rank = self.device_rank(device)?;
        let keys = self.recoveries(identity);
        let by = added.enrolment.recovered.and_then(|(key, _)| {
            let mut keys = keys.iter().filter(|fact| fact.said.recovery == key);
            keys.next()
        });
        if let Some(by) = by {
            return Some((rank, Some(by.seat)));
        }
        let all = self.devices_of(identity);
        let others = all
            .iter()
            .filter_map(|other| self.device_rank(&other.certificate.device));
        let first = others.min().filter(|first| *first == rank)?;
        Some((first, None))
    }

    /// Whether a statement's generation follows the present one.
    pub fn follows(&self, said: &RecoveryStatement) -> bool {
        let keys = self.recoveries(&said.identity).into_iter();
        let present = keys.map(|fact| fact.said.generation).max().unwrap_or(0);
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
    /// An identity's recovery keys that are in force, the most senior first.
    pub fn recoveries(&self, identity: &IdentityKey) -> Vec<RecoveryView> {
        let keys = self.view(None).recoveries(identity).into_iter();
        keys.map(|fact| RecoveryView {
            key: fact.said.recovery,
            generation: fact.said.generation,
            issuer: fact.said.issuer,
            statement: fact.statement.to_vec(),
        })
        .collect()
    }

    /// The generation of an identity's newest recovery key; 0 without any.
    pub fn recovery_generation(&self, identity: &IdentityKey) -> u64 {
        let keys = self.recoveries(identity).into_iter();
        keys.map(|view| view.generation).max().unwrap_or(0)
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

    /// Whether a device that is unknown here may add itself: a recovery key of the identity in force
    /// enrolled it. Whoever meets one lets it write its `DeviceAdd`.
    #[allow(dead_code, reason = "for whoever decides before an entry came")]
    pub fn may_recover(&self, chain: &DeviceChain) -> bool {
        let certificate = chain.certificate();
        let keys = self.recoveries(&certificate.identity);
        keys.iter()
            .any(|view| chain.enrolled_by() == Issuer::Recovery(view.key))
            && self.role(&certificate.identity).is_some()
            && !self.is_revoked(&certificate.device)
    }
}
