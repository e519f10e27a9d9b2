//! Which content keys a member is kept from because it was invited to what is written from then on
//! (research: auth.md 3(e); docs/adr/0008). These keys are no secret that a rule could keep: who has
//! them gives them to nobody whom this names, and writes under none of them.

use super::facts::{InviteFacts, KeyFacts, View};
use crate::model::{ContentKeyId, IdentityKey, Role};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

impl View<'_> {
    /// The keys that guests of an invitation are kept from that `author` opens here: whatever it is
    /// kept from itself, and with `from_now_on` all that there are, but for the newest if that opens
    /// none of them. The inviter makes such a one first.
    pub(super) fn withheld_by(
        &self,
        author: &IdentityKey,
        from_now_on: bool,
    ) -> BTreeSet<ContentKeyId> {
        let mut withheld = self.withheld_from(author);
        if !from_now_on {
            return withheld;
        }
        let mut known: Vec<(u64, ContentKeyId, bool)> = Vec::new();
        for (key, facts) in &self.facts.keys {
            let claims = self.claims_seen(facts);
            if let Some(generation) = claims.iter().map(|(generation, _)| *generation).min() {
                let opens = claims.iter().any(|(_, opens)| opens.is_some());
                known.push((generation, *key, opens));
            }
        }
        known.sort_by_key(|(generation, key, _)| (Reverse(*generation), *key));
        let first = known.first().filter(|(.., opens)| !opens);
        let first = first.map(|(_, key, _)| *key);
        let older = known.into_iter().map(|(_, key, _)| key);
        withheld.extend(older.filter(|key| Some(*key) != first));
        withheld
    }

    /// Of each rotation to a key that is seen from here its generation, and what it opens.
    fn claims_seen(&self, facts: &KeyFacts) -> Vec<(u64, Option<ContentKeyId>)> {
        let seen = facts.claims.iter().filter(|(at, _)| self.reaches(*at));
        seen.map(|(_, claim)| (claim.generation, claim.opens))
            .collect()
    }

    /// The keys that an identity is kept from: those that its newest admission does not give, and
    /// those that lead to them. Who joined again, through another invitation, has what that gives.
    pub fn withheld_from(&self, identity: &IdentityKey) -> BTreeSet<ContentKeyId> {
        let admission = self.newest_admission(identity);
        admission.map_or_else(BTreeSet::new, |admission| {
            self.leading_to(&admission.withheld)
        })
    }

    /// The keys that any member who may read is kept from, or any guest of an open invitation.
    pub fn withheld_from_any(&self) -> BTreeSet<ContentKeyId> {
        let mut all = BTreeSet::new();
        let mut guests = BTreeSet::new();
        for (key, invitation) in &self.facts.invitations {
            if invitation.withheld.is_empty() {
                continue;
            }
            guests.extend(invitation.joined.iter().map(|(_, guest)| *guest));
            if self.invitation(key).is_some_and(|(_, open)| open) {
                all.extend(invitation.withheld.iter().copied());
            }
        }
        for guest in guests {
            if self.role(&guest) >= Some(Role::Reader)
                && let Some(admission) = self.newest_admission(&guest)
            {
                all.extend(admission.withheld.iter().copied());
            }
        }
        self.leading_to(&all)
    }

    /// What an identity joined through last.
    fn newest_admission(&self, identity: &IdentityKey) -> Option<&InviteFacts> {
        let invitations = self.facts.invitations.values();
        let admissions = invitations.flat_map(|invitation| {
            let joins = invitation.joined.iter();
            joins.map(move |(at, guest)| (*at, guest, invitation))
        });
        admissions
            .filter(|(at, guest, _)| *guest == identity && self.sees(*at))
            .max_by_key(|(at, ..)| self.graph.age(*at))
            .map(|(.., invitation)| invitation)
    }

    /// These keys, and all those whose rotations say that they open one of them. A rotation of
    /// somebody who may not read any more does not count beside one of somebody who may: else a
    /// removed member could spoil new keys.
    fn leading_to(&self, keys: &BTreeSet<ContentKeyId>) -> BTreeSet<ContentKeyId> {
        let mut reached = keys.clone();
        if keys.is_empty() {
            return reached;
        }
        let mut opened_by: BTreeMap<ContentKeyId, Vec<ContentKeyId>> = BTreeMap::new();
        for (newer, facts) in &self.facts.keys {
            for older in self.claims(facts).into_iter().filter_map(|c| c.opens) {
                opened_by.entry(older).or_default().push(*newer);
            }
        }
        let mut open: Vec<ContentKeyId> = keys.iter().copied().collect();
        while let Some(older) = open.pop() {
            for newer in opened_by.get(&older).into_iter().flatten() {
                if reached.insert(*newer) {
                    open.push(*newer);
                }
            }
        }
        reached
    }
}
