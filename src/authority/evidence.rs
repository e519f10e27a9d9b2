//! Evidence: the few control entries that lead from the creation of a space to one identity's role.
//! They tell nothing of other members, which is why they, and not the whole graph, are shown to
//! whoever is no member.

use super::ancestry::Node;
use super::deed::{Deed, Ground};
use super::facts::View;
use super::resolver::Authority;
use crate::model::{DeviceKey, EntryId, IdentityKey, Role};
use std::collections::BTreeSet;

impl Authority {
    /// Whether an identity ever was a member, whether or not that counts.
    pub fn knows_identity(&self, identity: &IdentityKey) -> bool {
        self.facts.roles.contains_key(identity)
    }

    /// The entries that an identity's present role rests on, in an order in which they can have
    /// happened, and the one that decides it last; and the role. None without a role.
    pub fn evidence(&self, identity: &IdentityKey) -> Option<(Role, Vec<EntryId>)> {
        let view = self.view(None);
        let (decision, role) = self.decision(&view, identity);
        let decision = self.graph.number(&decision?)?;
        let mut gathering = Gathering {
            authority: self,
            picked: BTreeSet::new(),
            pending: vec![decision],
        };
        while let Some(at) = gathering.pending.pop() {
            if gathering.picked.insert(at) {
                gathering.support(at);
            }
        }
        let mut picked: Vec<_> = gathering.picked.into_iter().collect();
        picked.sort_by_key(|at| self.graph.age(*at));
        let entries = picked.into_iter().map(|at| self.graph.age(at).1);
        Some((role?, entries.collect()))
    }
}

/// Entries that were picked, and those whose support is still to be looked for.
struct Gathering<'a> {
    authority: &'a Authority,
    picked: BTreeSet<usize>,
    pending: Vec<usize>,
}

impl<'a> Gathering<'a> {
    /// What an entry needs, as it is seen from there of what stands now.
    fn support(&mut self, at: usize) {
        let authority = self.authority;
        let Some((node, deed)) = authority.graph.deed(at) else {
            return;
        };
        let view = self.view(node);
        match &deed.ground {
            Ground::Nothing => {}
            Ground::House => self.device(&view, &deed.device, &deed.identity),
            Ground::Recovery => self.recovery(&view, deed),
            Ground::Invitation(key, _) => {
                self.opening(&view, key);
                // One that joins again may do so with a device that was added meanwhile.
                self.device(&view, &deed.device, &deed.identity);
            }
            Ground::Office(_) => {
                self.device(&view, &deed.device, &deed.identity);
                self.role(&view, &deed.identity);
                self.target(&view, at, deed);
            }
        }
    }

    fn view(&self, node: &'a Node) -> View<'a> {
        View {
            graph: &self.authority.graph,
            facts: &self.authority.facts,
            past: Some(&node.past),
            dead: &self.authority.dead().set,
        }
    }

    fn role(&mut self, view: &View<'_>, identity: &IdentityKey) {
        let (decision, _) = self.authority.decision(view, identity);
        let at = decision.and_then(|entry| self.authority.graph.number(&entry));
        self.pending.extend(at);
    }

    /// What first admitted a device: later certificates renew its key.
    fn device(&mut self, view: &View<'_>, device: &DeviceKey, identity: &IdentityKey) {
        let facts = self.authority.facts.devices.get(device);
        let added = facts.into_iter().flat_map(|facts| facts.added.iter());
        let first = added
            .filter(|dated| view.sees(dated.at) && view.stands(dated))
            .filter(|dated| dated.fact.certificate.identity == *identity)
            .min_by_key(|dated| self.authority.graph.age(dated.at));
        self.pending.extend(first.map(|dated| dated.at));
    }

    fn recovery(&mut self, view: &View<'_>, deed: &Deed) {
        let facts = self.authority.facts.devices.get(&deed.device);
        let added = facts.into_iter().flat_map(|facts| facts.added.iter());
        let by: BTreeSet<_> = added
            .filter_map(|dated| dated.fact.enrolment.recovered.map(|by| by.key))
            .collect();
        let set = self.authority.facts.recoveries.get(&deed.identity);
        let set = set.into_iter().flatten();
        let first = set
            .filter(|(at, fact)| view.sees(*at) && by.contains(&fact.said.recovery))
            .min_by_key(|(at, _)| self.authority.graph.age(*at));
        self.pending.extend(first.map(|(at, _)| *at));
    }

    fn opening(&mut self, view: &View<'_>, key: &[u8; 32]) {
        let facts = self.authority.facts.invitations.get(key);
        let opened = facts.into_iter().flat_map(|facts| &facts.opened);
        let lowest = opened
            .filter(|(at, _)| view.sees(*at))
            .min_by_key(|(at, cap)| (*cap, self.authority.graph.age(*at)));
        self.pending.extend(lowest.map(|(at, _)| *at));
    }

    /// Whoever is given a role came somehow, and is not top owner any more if it ever was.
    fn target(&mut self, view: &View<'_>, at: usize, deed: &Deed) {
        let authority = self.authority;
        let target = match deed.raises {
            Some(heir) => Some(heir),
            None => authority.role_set_by(at).map(|(who, _)| who),
        };
        let Some(target) = target else { return };
        let facts = authority.facts.roles.get(&target);
        let came = facts.into_iter().flat_map(|facts| facts.iter());
        let came = came.filter(|dated| view.sees(dated.at));
        match deed.raises {
            // A successor is an owner already.
            Some(heir) => self.role(view, &heir),
            None => {
                let first = came.min_by_key(|dated| authority.graph.age(dated.at));
                self.pending.extend(first.map(|dated| dated.at));
            }
        }
        let handed = authority.facts.successions.iter();
        let handed = handed.filter(|dated| view.sees(dated.at));
        let of_either = handed.filter(|dated| match deed.raises {
            Some(_) => dated.fact.to == deed.identity,
            None => dated.fact.from == target,
        });
        self.pending.extend(of_either.map(|dated| dated.at));
    }
}

#[cfg(test)]
mod tests {
    use super::super::ControlOp;
    use super::super::tests::{World, invite_op, join_op, set_role};
    use super::*;

    #[test]
    fn only_what_the_role_rests_on_is_picked() {
        let (mut world, mut creator) = World::create(78);
        let mut admin = world.member(&mut creator, 1, Role::Admin);
        let bystander = world.member(&mut creator, 2, Role::Editor);
        world.act(&mut creator, set_role(&bystander, Some(Role::Reader)));
        world.act(&mut admin, invite_op(3, Role::Editor));
        let mut guest = world.peer();
        let join = join_op(world.space, &guest, 3, Role::Editor);
        world.act(&mut guest, join);
        let ops = |world: &World, who: &IdentityKey| {
            let (role, entries) = world.authority.evidence(who).unwrap();
            let find = |id: &EntryId| world.sent.iter().find(|s| s.entry.id == *id).unwrap();
            let ops: Vec<ControlOp> = entries.iter().map(|id| find(id).op.clone()).collect();
            (role, ops)
        };
        let who = guest.header.identity;
        let (role, told) = ops(&world, &who);
        assert_eq!((role, told.len()), (Role::Editor, 5), "{told:?}");
        assert!(matches!(told[0], ControlOp::Genesis { .. }));
        assert!(matches!(&told[4], ControlOp::Join { identity, .. } if *identity == who));
        let shows = |op: &ControlOp| !matches!(op, ControlOp::SetRole { .. });
        assert!(told.iter().all(shows), "{told:?}");

        world.act(&mut creator, set_role(&guest, Some(Role::Admin)));
        let (role, told) = ops(&world, &who);
        assert_eq!(role, Role::Admin);
        assert!(matches!(told.last(), Some(ControlOp::SetRole { .. })));
        assert_eq!(ops(&world, &creator.header.identity).1.len(), 1);
        world.act(&mut creator, set_role(&guest, None));
        assert!(world.authority.evidence(&who).is_none());
        assert!(world.authority.evidence(&IdentityKey([9; 32])).is_none());
    }
}
