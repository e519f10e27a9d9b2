//! The resolver: takes control entries one by one and keeps what follows from them.

use super::ancestry::{Graph, Outcome, Place};
use super::deed::Deed;
use super::denials::Denied;
use super::facts::{Fact, Facts, View};
use super::op::ControlOp;
use super::register::Register;
use super::resolution::Dead;
use super::rules;
use super::tenure::Tenure;
use crate::feed::{Entry, FeedHeader, FeedKind};
use crate::model::{DeviceKey, EntryId, FeedId, IdentityKey, Role, SpaceId, limits};
use std::sync::Arc;

/// What became of a control entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It takes effect.
    Accepted,
    /// It has no effect, and never will; the sentence says why.
    Refused(String),
}

/// The authority of one space: a pure function of the set of control entries applied.
#[derive(Clone, Debug)]
pub struct Authority {
    pub(super) space: SpaceId,
    pub(super) graph: Graph,
    pub(super) facts: Facts,
    /// What takes rights away, with the number of its entry.
    pub(super) denials: Vec<(usize, Denied)>,
    register: Register,
    genesis_feed: Option<FeedId>,
}

/// An entry that was judged.
struct Judged {
    place: Place,
    dead: Arc<Dead>,
    /// Whether the author's device acted for a member.
    by_member: bool,
    outcome: Result<(Vec<Fact>, Deed, Option<Denied>), String>,
}

impl Authority {
    /// The authority of a space of which nothing is known yet.
    pub fn new(space: SpaceId) -> Self {
        Authority {
            space,
            graph: Graph::default(),
            facts: Facts::default(),
            denials: Vec::new(),
            register: Register::default(),
            genesis_feed: None,
        }
    }

    /// Applies a control entry. Parents come before their children; otherwise the order does not
    /// matter, and an entry that was applied gets the same verdict again.
    ///
    /// The caller has verified the entry's signature against `author`'s device, and `op` is what
    /// the entry's body decodes to. Everything else is judged here, in the entry's own past, so a
    /// refusal is permanent. The refused entries of strangers are not remembered; nothing may
    /// build on them. Verdicts of entries past [`limits::CONTROL_ENTRIES`] do depend on order.
    ///
    /// Being accepted is one thing, having effect another: that can be lost, and come back, as
    /// concurrent entries arrive ([`Authority::why`] tells).
    pub fn apply(&mut self, entry: &Entry, author: &FeedHeader, op: &ControlOp) -> Verdict {
        if let Some(node) = self.graph.find(&entry.id) {
            return verdict(node.refused.clone());
        }
        let Judged {
            mut place,
            dead,
            by_member,
            outcome,
        } = match self.judge(entry, author, op) {
            Ok(judged) => judged,
            Err(reason) => return Verdict::Refused(reason),
        };
        match outcome {
            Ok((facts, deed, denied)) => {
                if let ControlOp::KeyRotate { generation, .. } = op {
                    place.generation = *generation;
                }
                if let ControlOp::Genesis { creator, .. } = op {
                    self.genesis_feed = Some(entry.header.feed);
                    self.facts.creator = Some(*creator);
                }
                let accepted = Outcome::Accepted(Box::new(deed));
                let at = self.graph.add(entry, place, dead, accepted);
                self.denials.extend(denied.map(|denied| (at, denied)));
                self.facts.record(&self.graph, at, facts);
                self.register.note(&self.graph, at);
                Verdict::Accepted
            }
            Err(reason) => {
                if by_member {
                    let refused = Outcome::Refused(reason.clone());
                    self.graph.add(entry, place, dead, refused);
                }
                Verdict::Refused(reason)
            }
        }
    }

    /// What [`Authority::apply`] would say, without applying.
    pub fn check(&self, entry: &Entry, author: &FeedHeader, op: &ControlOp) -> Verdict {
        if let Some(node) = self.graph.find(&entry.id) {
            return verdict(node.refused.clone());
        }
        let judged = self.judge(entry, author, op);
        verdict(judged.and_then(|judged| judged.outcome).err())
    }

    fn judge(&self, entry: &Entry, author: &FeedHeader, op: &ControlOp) -> Result<Judged, String> {
        self.check_frame(entry, author, op)?;
        let place = self.graph.place(entry)?;
        let dead = self.seen_from(&place);
        let case = rules::Case {
            view: self.view_of(&place, &dead),
            space: self.space,
            entry,
            author,
            generation: place.generation,
        };
        let outcome = case.judge(op).map(|facts| {
            let mut deed = Deed::of(op, author, &case.view);
            if let ControlOp::Join { role, .. } = op {
                let since = (place.depth, entry.id, 0);
                deed.rank = Some((*role, Tenure::Since(since)));
            }
            // Whoever passes it on, and however senior: a device below that key voids nothing of it.
            if let [Fact::Recovery(set)] = facts.as_slice()
                && set.by_key
            {
                deed.device_rank = Some(set.rank.clone()).min(deed.device_rank);
            }
            (facts, deed, Denied::of(op, &case.view))
        });
        let by_member = outcome.is_err() && case.author_is_member();
        Ok(Judged {
            place,
            dead,
            by_member,
            outcome,
        })
    }

    /// What does not depend on the entry's past.
    fn check_frame(
        &self,
        entry: &Entry,
        author: &FeedHeader,
        op: &ControlOp,
    ) -> Result<(), String> {
        if author.kind != FeedKind::Control || entry.header.kind != FeedKind::Control {
            return Err("it is not a control entry".into());
        }
        if entry.header.feed != author.feed_id() {
            return Err("it is not an entry of its author's feed".into());
        }
        let creating = author.space == SpaceId::ZERO
            && match op {
                ControlOp::Genesis { .. } => true,
                _ => self.genesis_feed == Some(entry.header.feed),
            };
        if author.space != self.space && !creating {
            return Err("its feed belongs to another space".into());
        }
        if !op.carries_keys() && entry.bytes().len() > limits::CONTROL_ENTRY_BYTES {
            return Err("it is too large".into());
        }
        if self.graph.len() >= limits::CONTROL_ENTRIES {
            return Err("the space has too many control entries".into());
        }
        Ok(())
    }

    /// Whether an accepted entry has its effect.
    pub(super) fn is_alive(&self, at: usize) -> bool {
        self.view(None).sees(at)
    }

    /// What does not stand of everything known.
    pub(super) fn dead(&self) -> &Arc<Dead> {
        self.register.current(&self.graph, &self.facts)
    }

    /// What of a place's past does not stand, seen from there.
    pub(super) fn seen_from(&self, place: &Place) -> Arc<Dead> {
        let (graph, facts) = (&self.graph, &self.facts);
        let register = &self.register;
        register.seen_from(graph, facts, &place.parents, &place.past)
    }

    /// Everything, or what was known at a place, with what of that does not stand.
    pub(super) fn view<'a>(&'a self, at: Option<(&'a Place, &'a Dead)>) -> View<'a> {
        let dead = at.map_or_else(|| &**self.dead(), |(_, dead)| dead);
        View {
            graph: &self.graph,
            facts: &self.facts,
            past: at.map(|(place, _)| &place.past),
            dead: &dead.set,
        }
    }

    fn view_of<'a>(&'a self, place: &'a Place, dead: &'a Dead) -> View<'a> {
        self.view(Some((place, dead)))
    }

    /// The control heads known: accepted entries on which no accepted entry builds, rising. What
    /// the next entry names in `ctl` (the first [`limits::ENTRY_CTL`] when there are more).
    pub fn heads(&self) -> Vec<EntryId> {
        self.graph.heads()
    }

    /// Whether a control entry was applied, or refused and remembered.
    pub fn remembers(&self, entry: &EntryId) -> bool {
        self.graph.find(entry).is_some()
    }

    /// The generation of a key that is brought in by an entry naming `parents`.
    pub fn next_generation(&self, parents: &[EntryId]) -> u64 {
        let place = self.graph.after(parents.iter());
        place.map_or(1, |place| place.generation.saturating_add(1))
    }

    /// Of `heads` those first that know an invitation: a guest names what admits it even when it
    /// cannot name everything.
    pub fn put_invitation_first(&self, heads: &mut [EntryId], invitation: &[u8; 32]) {
        heads.sort_by_key(|head| {
            let place = self.graph.after([*head].iter());
            let known = place.is_some_and(|place| {
                let dead = self.seen_from(&place);
                let view = self.view_of(&place, &dead);
                view.invitation(invitation).is_some()
            });
            (!known, *head)
        });
    }

    /// An identity's role now.
    pub fn role(&self, identity: &IdentityKey) -> Option<Role> {
        self.view(None).role(identity)
    }

    /// The identity a device acts for now, and its role. None for revoked and unknown devices and
    /// those of identities without a role.
    pub fn role_of_device(&self, device: &DeviceKey) -> Option<(IdentityKey, Role)> {
        self.view(None).role_of_device(device)
    }

    /// The same as known to somebody who had seen exactly the entries `ctl` and their pasts: that
    /// never changes. None also when one of them is unknown.
    pub fn role_of_device_at(
        &self,
        device: &DeviceKey,
        ctl: &[EntryId],
    ) -> Option<(IdentityKey, Role)> {
        let place = self.graph.after(ctl.iter())?;
        let dead = self.seen_from(&place);
        self.view_of(&place, &dead).role_of_device(device)
    }
}

fn verdict(refused: Option<String>) -> Verdict {
    refused.map_or(Verdict::Accepted, Verdict::Refused)
}
