//! How devices came to act for their identities, and which of them outrank others.

use super::facts::{Dated, DeviceAdded, Seniority, View};
use super::resolver::Authority;
use crate::identity::{DeviceChain, Issuer, RecoveryStatement};
use crate::model::{DeviceKey, EntryId, IdentityKey, RecoveryKey, limits};
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
    /// The recovery key that enrolled the device, if it was in force in the entry's past.
    pub recovered: Option<Recovered>,
}

/// A recovery key as it was when it enrolled a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recovered {
    /// The key.
    pub key: RecoveryKey,
    /// Its seat.
    pub seat: u64,
    /// Its generation.
    pub generation: u64,
}

/// A recovery key that an identity was given.
#[derive(Clone, Debug)]
pub struct RecoveryFact {
    /// What the statement says.
    pub said: RecoveryStatement,
    /// The statement, as received.
    pub statement: Arc<[u8]>,
    /// The rank of the device, or the key before, that had the right to set it.
    pub rank: DeviceRank,
    /// Its place among the identity's recovery keys: lower ones are senior, and beat what devices do
    /// that came by others. A key set by a device takes a seat below all that there are, for the
    /// device may be in a thief's hands; one set by another key, or by a device that came by one,
    /// takes that key's.
    pub seat: u64,
    /// Whether it took the seat of another.
    pub inherits: bool,
    /// Whether the key before set it, whichever device passed that on.
    pub by_key: bool,
}

/// Why somebody may set a recovery key.
pub struct RightToSet {
    /// The rank that it comes with.
    pub rank: DeviceRank,
    /// The seat that the key takes from another.
    pub seat: Option<u64>,
    /// Whether the key before sets it.
    pub by_key: bool,
}

/// The place of a device among those of its identity: lower ones are senior.
///
/// Devices that a recovery key enrolled come first, those by the more senior key in front, of one
/// seat those by the newest key, and of one key the newest: the phrase is what remains when everything
/// else is in wrong hands. Then the order in the certificates, which is the same in every space,
/// whichever device came to it first; then age in the space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DeviceRank {
    enrolled_by_device: bool,
    seat: u64,
    generation: Reverse<u64>,
    order: u32,
    age: Seniority,
}

impl DeviceRank {
    fn of(added: &DeviceAdded, age: Seniority) -> DeviceRank {
        let order = added.certificate.order;
        match added.enrolment.recovered {
            None => DeviceRank {
                enrolled_by_device: true,
                seat: 0,
                generation: Reverse(0),
                order,
                age,
            },
            Some(by) => DeviceRank {
                enrolled_by_device: false,
                seat: by.seat,
                generation: Reverse(by.generation),
                order: u32::MAX - order,
                age,
            },
        }
    }

    /// Of what a recovery key does itself: before all devices that came by it.
    fn of_key(fact: &RecoveryFact) -> DeviceRank {
        DeviceRank {
            enrolled_by_device: false,
            seat: fact.seat,
            generation: Reverse(fact.said.generation),
            order: 0,
            age: (0, EntryId::ZERO, 0),
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
        let ranks = self.admissions(device).map(|dated| {
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
        let newest = newest_that_inherit(seen.iter().map(|(_, fact)| fact));
        let replaced = |fact: &RecoveryFact| {
            let upto = newest.partition_point(|(seat, _)| *seat <= fact.seat);
            let by = upto.checked_sub(1).and_then(|last| newest.get(last));
            by.is_some_and(|(_, generation)| *generation > fact.said.generation)
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

    /// Of the rights to set a recovery key that a statement's author and issuer have, the one that
    /// takes the most senior seat: a key that is in force may set another in its place. `present` are
    /// the identity's keys in force.
    pub fn right_to_set(
        &self,
        author: &DeviceKey,
        said: &RecoveryStatement,
        present: &[&RecoveryFact],
    ) -> Option<RightToSet> {
        let keys = present.iter();
        let by_key = keys.filter(|fact| fact.said.recovery == said.before());
        let by_key = by_key.map(|fact| RightToSet {
            rank: DeviceRank::of_key(fact),
            seat: Some(fact.seat),
            by_key: true,
        });
        let devices = [*author, said.device()];
        let by_device = devices.iter().filter_map(|device| {
            let (rank, seat) = self.may_set_recovery(device, &said.identity, present)?;
            let by_key = false;
            Some(RightToSet { rank, seat, by_key })
        });
        // Who takes a seat before who takes none.
        by_key
            .chain(by_device)
            .min_by_key(|right| right.seat.unwrap_or(u64::MAX))
    }

    /// The rank by which a device may set its identity's recovery key, and the seat that the key
    /// takes from another: a recovery key in force enrolled it; or it is the most senior that acts, and
    /// takes none.
    fn may_set_recovery(
        &self,
        device: &DeviceKey,
        identity: &IdentityKey,
        present: &[&RecoveryFact],
    ) -> Option<(DeviceRank, Option<u64>)> {
        self.device(device, identity)?;
        let rank = self.device_rank(device)?;
        // It may have been admitted several times, by members apart, to some of whom the key was new.
        let by: Vec<RecoveryKey> = self
            .admissions(device)
            .filter(|dated| dated.fact.certificate.identity == *identity)
            .filter_map(|dated| dated.fact.enrolment.recovered.map(|by| by.key))
            .collect();
        let keys = present.iter();
        let seats = keys.filter(|fact| by.contains(&fact.said.recovery));
        if let Some(seat) = seats.map(|fact| fact.seat).min() {
            return Some((rank, Some(seat)));
        }
        let all = self.devices_of(identity);
        let others = all
            .iter()
            .filter_map(|other| self.device_rank(&other.certificate.device));
        let first = others.min().filter(|first| *first == rank)?;
        Some((first, None))
    }
}

/// Whether a statement's generation follows the newest of its identity's keys in force.
pub fn follows(said: &RecoveryStatement, present: &[&RecoveryFact]) -> bool {
    let generations = present.iter().map(|fact| fact.said.generation);
    let newest = generations.max().unwrap_or(0);
    said.generation > newest && said.generation - newest <= GENERATION_STEP
}

/// Of each seat that a key took from another the newest generation there is, there or in a more senior
/// one; by seat. An identity may set thousands of keys, so that each is not to be compared with each.
fn newest_that_inherit<'a>(keys: impl Iterator<Item = &'a RecoveryFact>) -> Vec<(u64, u64)> {
    let inheriting = keys.filter(|fact| fact.inherits);
    let mut seats: Vec<(u64, u64)> = inheriting
        .map(|fact| (fact.seat, fact.said.generation))
        .collect();
    seats.sort_unstable();
    let mut newest = 0;
    for (_, generation) in &mut seats {
        newest = newest.max(*generation);
        *generation = newest;
    }
    seats
}

/// What leads to a recovery key: the chain of the device that stated the first of some keys, and
/// the statements from there to this key, each by the one before it.
pub type Way = (Arc<DeviceChain>, Vec<Arc<[u8]>>);

/// An identity's recovery key, as the space has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryView {
    /// The key.
    pub key: RecoveryKey,
    /// How many keys there were, about; the next one's is higher by one.
    pub generation: u64,
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
            statement: fact.statement.to_vec(),
        })
        .collect()
    }

    /// What leads to a recovery key.
    pub fn way_to_recovery(&self, identity: &IdentityKey, key: &RecoveryKey) -> Option<Way> {
        let facts = self.facts.recoveries.get(identity)?;
        let mut way: Vec<Arc<[u8]>> = Vec::new();
        let mut wanted = *key;
        while way.len() < limits::CHAIN_LINKS {
            let view = self.view(None);
            let of_key = facts
                .iter()
                .filter(|(_, fact)| fact.said.recovery == wanted);
            // Rather one that counts; but a statement proves itself, whatever became of its entry.
            let (_, fact) = of_key.min_by_key(|(at, _)| (!view.sees(*at), self.graph.age(*at)))?;
            way.push(fact.statement.clone());
            if let Some(chain) = self.chain_of(&fact.said.device()) {
                way.reverse();
                return Some((chain, way));
            }
            wanted = fact.said.before();
        }
        None
    }

    /// Whether a statement, passed on by a device, would take the seat of a key in force, which it
    /// replaces then.
    pub fn replaces_a_key(&self, author: &DeviceKey, said: &RecoveryStatement) -> bool {
        let view = self.view(None);
        let right = view.right_to_set(author, said, &view.recoveries(&said.identity));
        right.is_some_and(|right| right.seat.is_some())
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
