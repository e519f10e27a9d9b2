//! Recovery keys: who sets them, which are in force, and whom they bring in.

use super::{DeviceRank, Effect, Reference, Set};
use crate::authority::ControlOp;
use crate::authority::tests::{Sent, chain_in};
use crate::identity::{DeviceChain, Issuer, RecoveryStatement};
use crate::model::{DeviceKey, EntryId, IdentityKey, RecoveryKey};
use std::collections::BTreeSet;

/// A recovery key that an identity was given.
#[derive(Clone, Debug)]
pub(super) struct Recovery {
    said: RecoveryStatement,
    statement: Vec<u8>,
    rank: DeviceRank,
    seat: u64,
    inherits: bool,
    /// Whether the key before set it itself; then its rank is that one's.
    by_key: bool,
}

impl Recovery {
    /// The rank of what a key does itself: before all devices that came by it.
    fn own_rank(&self) -> DeviceRank {
        let newest = u64::MAX - self.said.generation;
        ((false, self.seat, newest, 0), (0, EntryId::ZERO))
    }

    /// The rank that the key before lends to whoever passes this on.
    pub(super) fn lent(&self) -> Option<DeviceRank> {
        self.by_key.then_some(self.rank)
    }
}

impl Reference<'_> {
    /// The keys in force, the most senior first.
    pub(super) fn in_force(&self, set: Set, who: &IdentityKey) -> Vec<&Recovery> {
        let all: Vec<&Recovery> = self
            .effects(set)
            .filter_map(|(_, effect)| match effect {
                Effect::Recovery(key) if key.said.identity == *who => Some(key),
                _ => None,
            })
            .collect();
        let mut left = all.clone();
        for by in all.iter().filter(|by| by.inherits) {
            left.retain(|key| key.seat < by.seat || key.said.generation >= by.said.generation);
        }
        left.sort_by(|a, b| {
            let newest = b.said.generation.cmp(&a.said.generation);
            let rest = (&a.rank, a.said.recovery, &a.statement);
            let other = (&b.rank, b.said.recovery, &b.statement);
            a.seat.cmp(&b.seat).then(newest).then(rest.cmp(&other))
        });
        left
    }

    pub fn recoveries(&self, set: Set, who: &IdentityKey) -> Vec<RecoveryKey> {
        let keys = self.in_force(set, who).into_iter();
        keys.map(|key| key.said.recovery).collect()
    }

    /// The key in force that enrolled a device, its seat and its generation.
    pub(super) fn enrolled_by(
        &self,
        set: Set,
        chain: &DeviceChain,
    ) -> Option<(RecoveryKey, u64, u64)> {
        let Issuer::Recovery(by) = chain.enrolled_by() else {
            return None;
        };
        let keys = self.in_force(set, &chain.certificate().identity);
        let key = keys.into_iter().find(|key| key.said.recovery == by)?;
        Some((by, key.seat, key.said.generation))
    }

    /// Whether a device that does not act yet may add itself.
    pub(super) fn judge_recovered(&self, set: Set, sent: &Sent) -> Option<()> {
        let chain = chain_in(&sent.op)?;
        self.enrolled_by(set, &chain)?;
        let itself = chain.certificate().device == sent.author.device;
        let member = self.role(set, &sent.author.identity).is_some();
        (itself && member).then_some(())
    }

    pub(super) fn judge_recovery(&self, set: Set, sent: &Sent) -> Option<Recovery> {
        let ControlOp::RecoverySet {
            identity,
            recovery,
            statement,
        } = &sent.op
        else {
            return None;
        };
        let said = RecoveryStatement::decode(statement).ok()?;
        let me = sent.author.identity;
        if *identity != me || said.identity != me || said.recovery != *recovery {
            return None;
        }
        let keys = self.in_force(set, &me);
        let newest = keys
            .iter()
            .map(|key| key.said.generation)
            .max()
            .unwrap_or(0);
        if said.generation <= newest || said.generation - newest > 65_536 {
            return None;
        }
        let before = keys.iter().find(|key| key.said.recovery.0 == said.issuer);
        let mut may: Vec<(DeviceRank, Option<u64>)> = before
            .iter()
            .map(|key| (key.own_rank(), Some(key.seat)))
            .collect();
        for device in [sent.author.device, said.device()] {
            may.extend(self.may_set(set, &device, &me));
        }
        let lowest = may.iter().filter(|(_, seat)| seat.is_some());
        let chosen = lowest.min_by_key(|(_, seat)| *seat).or(may.first())?;
        Some(Recovery {
            rank: chosen.0,
            by_key: before.is_some_and(|key| key.own_rank() == chosen.0),
            seat: chosen.1.unwrap_or(said.generation),
            inherits: chosen.1.is_some(),
            statement: statement.clone(),
            said,
        })
    }

    /// A device's rank, if it may set a recovery key, and the seat that the key takes over.
    fn may_set(
        &self,
        set: Set,
        device: &DeviceKey,
        who: &IdentityKey,
    ) -> Option<(DeviceRank, Option<u64>)> {
        if self.device(set, device) != Some(*who) {
            return None;
        }
        let rank = self.device_rank(set, device)?;
        let mut seats = Vec::new();
        for (_, added) in self.admissions(set, device) {
            let Some((by, ..)) = added.recovered.filter(|_| added.identity == *who) else {
                continue;
            };
            let keys = self.in_force(set, who).into_iter();
            seats.extend(
                keys.filter(|key| key.said.recovery == by)
                    .map(|key| key.seat),
            );
        }
        if let Some(seat) = seats.into_iter().min() {
            return Some((rank, Some(seat)));
        }
        let devices = self.effects(set).filter_map(|(_, effect)| match effect {
            Effect::Device(added) if added.identity == *who => Some(added.device),
            _ => None,
        });
        let devices: BTreeSet<DeviceKey> = devices.collect();
        let acting = devices
            .iter()
            .filter(|of| self.device(set, of) == Some(*who));
        let first = acting.filter_map(|of| self.device_rank(set, of)).min();
        (first == Some(rank)).then_some((rank, None))
    }
}
