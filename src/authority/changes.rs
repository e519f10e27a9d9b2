//! What changed among the members between two states, and through whom: for events such as
//! "X was removed by Y" and "X is back because M was removed: remove again?".

use super::facts::View;
use super::resolution::Cause;
use super::resolver::Authority;
use crate::model::{DeviceKey, EntryId, IdentityKey, Role};
use std::collections::BTreeMap;

#[allow(dead_code, reason = "what tells programs of the members calls it")]
/// Who was a member, to compare with later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    members: BTreeMap<IdentityKey, Standing>,
    devices: BTreeMap<(IdentityKey, DeviceKey), EntryId>,
}

#[allow(dead_code, reason = "what tells programs of the members calls it")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Standing {
    role: Option<Role>,
    decided_by: EntryId,
}

#[allow(dead_code, reason = "what tells programs of the members calls it")]
/// Why something changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It came in by an invitation.
    Joined {
        /// Who opened the invitation, if that is known.
        invited_by: Option<IdentityKey>,
        /// The entry.
        entry: EntryId,
    },
    /// Somebody gave it: a higher role, or, to the own identity, a device.
    Granted {
        /// Who.
        by: IdentityKey,
        /// The entry.
        entry: EntryId,
    },
    /// Somebody took it: a role, or a device's rights.
    Denied {
        /// Who; the identity itself if it left, stepped down or gave up a device.
        by: IdentityKey,
        /// The entry.
        entry: EntryId,
    },
    /// What it had followed from does not stand any more, so that something earlier counts again.
    Undone {
        /// The entry that it had followed from.
        undone: EntryId,
        /// Who had written that.
        whose: IdentityKey,
        /// Who denied them the right to it, or closed the invitation they came by.
        by: IdentityKey,
        /// The entry that did.
        entry: EntryId,
    },
}

#[allow(dead_code, reason = "what tells programs of the members calls it")]
/// One change of a member's role, or of its devices.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose.
    pub identity: IdentityKey,
    /// The device, if it is about one; then `from` and `to` say as what it acted and acts.
    pub device: Option<DeviceKey>,
    /// The role before.
    pub from: Option<Role>,
    /// The role now.
    pub to: Option<Role>,
    /// Why.
    pub cause: Reason,
}

#[allow(dead_code, reason = "what tells programs of the members calls it")]
impl Authority {
    /// Who is a member now.
    pub fn snapshot(&self) -> Snapshot {
        let view = self.view(None);
        let mut snapshot = Snapshot::default();
        for identity in self.facts.roles.keys() {
            if let Some(standing) = self.standing(&view, identity) {
                snapshot.members.insert(*identity, standing);
            }
            for added in view.devices_of(identity) {
                let device = added.certificate.device;
                if let Some(entry) = self.device_decision(&view, &device) {
                    snapshot.devices.insert((*identity, device), entry);
                }
            }
        }
        snapshot
    }

    /// What changed since a snapshot of the same space, identities before devices, each rising.
    pub fn changes_since(&self, before: &Snapshot) -> Vec<Change> {
        let now = self.snapshot();
        let mut changes = Vec::new();
        let mut identities: Vec<_> = now.members.keys().chain(before.members.keys()).collect();
        identities.sort_unstable();
        identities.dedup();
        for identity in identities {
            let was = before.members.get(identity).copied();
            let is = now.members.get(identity).copied();
            let (from, to) = (was.and_then(|w| w.role), is.and_then(|i| i.role));
            if from != to
                && let Some(cause) = self.reason(was, is, from < to)
            {
                changes.push(Change {
                    identity: *identity,
                    device: None,
                    from,
                    to,
                    cause,
                });
            }
        }
        let mut devices: Vec<_> = now.devices.keys().chain(before.devices.keys()).collect();
        devices.sort_unstable();
        devices.dedup();
        for key in devices {
            let (was, is) = (before.devices.get(key), now.devices.get(key));
            if was.is_some() != is.is_some() {
                changes.extend(self.device_change(key, was, is, before, &now));
            }
        }
        changes
    }

    /// The entry that an identity's role, or the lack of one, follows from: of the causally latest
    /// facts the most restrictive, of several such the oldest.
    fn standing(&self, view: &View<'_>, identity: &IdentityKey) -> Option<Standing> {
        let facts = view.latest(self.facts.roles.get(identity)?);
        let decides = facts
            .into_iter()
            .min_by_key(|dated| (dated.fact, self.graph.age(dated.at)))?;
        Some(Standing {
            role: decides.fact,
            decided_by: self.graph.age(decides.at).1,
        })
    }

    /// The first entry that stands and admits a device.
    fn device_decision(&self, view: &View<'_>, device: &DeviceKey) -> Option<EntryId> {
        let added = self.facts.devices.get(device)?.added.iter();
        let seen = added.filter(|dated| view.sees(dated.at));
        seen.map(|dated| self.graph.age(dated.at))
            .min()
            .map(|(_, id)| id)
    }

    fn reason(&self, was: Option<Standing>, is: Option<Standing>, rose: bool) -> Option<Reason> {
        // What counted before and stands no more explains the change, if it is so.
        let undone = was.and_then(|was| self.undoing(&was.decided_by));
        if undone.is_some() {
            return undone;
        }
        let entry = is.or(was)?.decided_by;
        let (_, deed) = self.graph.deed(self.graph.number(&entry)?)?;
        Some(match self.inviter(&entry) {
            Some(invited_by) => Reason::Joined { invited_by, entry },
            None if rose => Reason::Granted {
                by: deed.identity,
                entry,
            },
            None => Reason::Denied {
                by: deed.identity,
                entry,
            },
        })
    }

    fn device_change(
        &self,
        key: &(IdentityKey, DeviceKey),
        was: Option<&EntryId>,
        is: Option<&EntryId>,
        before: &Snapshot,
        now: &Snapshot,
    ) -> Option<Change> {
        let (identity, device) = *key;
        let role = |of: &Snapshot, there: bool| {
            let standing = of.members.get(&identity).filter(|_| there);
            standing.and_then(|standing| standing.role)
        };
        let cause = match (was, is) {
            (_, Some(entry)) => {
                let (_, deed) = self.graph.deed(self.graph.number(entry)?)?;
                match self.inviter(entry) {
                    Some(invited_by) => Reason::Joined {
                        invited_by,
                        entry: *entry,
                    },
                    None => Reason::Granted {
                        by: deed.identity,
                        entry: *entry,
                    },
                }
            }
            (Some(entry), None) => match self.undoing(entry) {
                Some(undone) => undone,
                None => self.revocation(&device)?,
            },
            (None, None) => return None,
        };
        Some(Change {
            identity,
            device: Some(device),
            from: role(before, was.is_some()),
            to: role(now, is.is_some()),
            cause,
        })
    }

    /// The oldest revocation of a device that stands.
    pub(super) fn revocation(&self, device: &DeviceKey) -> Option<Reason> {
        let view = self.view(None);
        let revoked = self.facts.devices.get(device)?.revoked.iter();
        let seen = revoked.filter(|at| view.sees(**at));
        let at = *seen.min_by_key(|at| self.graph.age(**at))?;
        let (node, deed) = self.graph.deed(at)?;
        Some(Reason::Denied {
            by: deed.identity,
            entry: node.id,
        })
    }

    /// Who invited whoever joined by an entry; outer none: it is no entry of a guest's.
    pub(super) fn inviter(&self, entry: &EntryId) -> Option<Option<IdentityKey>> {
        let (_, deed) = self.graph.deed(self.graph.number(entry)?)?;
        let super::deed::Ground::Invitation(key, _) = &deed.ground else {
            return None;
        };
        let facts = self.facts.invitations.get(key);
        let opened = facts.into_iter().flat_map(|facts| &facts.opened);
        let first = opened
            .map(|(at, _)| *at)
            .min_by_key(|at| self.graph.age(*at));
        Some(first.and_then(|at| Some(self.graph.deed(at)?.1.identity)))
    }

    /// Why an accepted entry does not stand; none if it does.
    pub(super) fn undoing(&self, entry: &EntryId) -> Option<Reason> {
        let at = self.graph.number(entry)?;
        let dead = self.dead().clone();
        let whose = self.graph.deed(at)?.1.identity;
        // Follow what fell to what made it fall: each lies in the past of the one before.
        let mut fallen = at;
        let killer = loop {
            match dead.causes.get(&fallen)? {
                Cause::Denied(by) | Cause::Shielded(by) | Cause::Closed(by) => break *by,
                Cause::Fallen => fallen = self.support_lost(fallen)?,
            }
        };
        let (node, deed) = self.graph.deed(killer)?;
        Some(Reason::Undone {
            undone: *entry,
            whose,
            by: deed.identity,
            entry: node.id,
        })
    }

    /// What does not stand any more of what an operation stood on: the newest.
    pub(super) fn support_lost(&self, at: usize) -> Option<usize> {
        let (node, deed) = self.graph.deed(at)?;
        let dead = self.dead();
        let gone = |of: &usize| {
            node.past.contains(*of) && dead.set.contains(*of) && !node.dead.set.contains(*of)
        };
        let roles = self.facts.roles.get(&deed.identity).into_iter();
        let roles = roles.flat_map(|facts| facts.iter().map(|dated| dated.at));
        let devices = self.facts.devices.get(&deed.device).into_iter();
        let devices = devices.flat_map(|facts| facts.added.iter().map(|dated| dated.at));
        let opened = match &deed.ground {
            super::deed::Ground::Invitation(key, _) => self.facts.invitations.get(key),
            _ => None,
        };
        let opened = opened
            .into_iter()
            .flat_map(|facts| facts.opened.iter().map(|(at, _)| *at));
        let lost = roles.chain(devices).chain(opened).filter(gone);
        lost.filter(|of| dead.causes.contains_key(of))
            .max_by_key(|of| self.graph.age(*of))
    }
}
