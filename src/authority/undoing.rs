//! What undid an operation that was accepted and does not stand, and who did: for events such as
//! "X is back because M was removed: remove again?", and for explanations.

use super::deed::Ground;
use super::resolution::Cause;
use super::resolver::Authority;
use crate::model::{EntryId, IdentityKey};

/// What undid an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Undone {
    /// Who wrote what does not stand.
    pub whose: IdentityKey,
    /// Who denied them the right to it, or closed the invitation they came by.
    pub by: IdentityKey,
    /// The entry that did.
    pub entry: EntryId,
}

impl Authority {
    /// Who invited whoever joined by an entry; outer none: it is no entry of a guest's.
    pub(super) fn inviter(&self, entry: &EntryId) -> Option<Option<IdentityKey>> {
        let (_, deed) = self.graph.deed(self.graph.number(entry)?)?;
        let Ground::Invitation(key, _) = &deed.ground else {
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
    pub fn undoing(&self, entry: &EntryId) -> Option<Undone> {
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
        Some(Undone {
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
            Ground::Invitation(key, _) => self.facts.invitations.get(key),
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
