//! The rules once more, written plainly and evaluated from genesis every time: what the resolver,
//! which keeps and reuses what it found, is compared with. It shares no code with the resolver's.

mod order;
mod recovery;

use self::order::{above, above_role, compare_lines};
use self::recovery::Recovery;
use super::tests::Sent;
use super::{ControlOp, Target};
use crate::identity::Issuer;
use crate::model::{ContentKeyId, DeviceKey, EntryId, IdentityKey, RecoveryKey, Role};
use std::collections::HashMap;

type Age = (u64, EntryId);
/// What an operation establishes and stands on.
type Grounded = (Vec<Effect>, Ground);
/// The same; none: its author may not.
type Judgement = Option<Grounded>;

/// A set of entries, by their places in a history of at most 128.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Set(u128);

impl Set {
    fn contains(self, at: usize) -> bool {
        self.0 >> at & 1 == 1
    }

    fn insert(&mut self, at: usize) {
        self.0 |= 1 << at;
    }

    pub fn iter(self) -> impl Iterator<Item = usize> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let at = (left != 0).then(|| left.trailing_zeros() as usize)?;
            left &= left - 1;
            Some(at)
        })
    }
}

impl FromIterator<usize> for Set {
    fn from_iter<T: IntoIterator<Item = usize>>(all: T) -> Self {
        let mut set = Set::default();
        all.into_iter().for_each(|at| set.insert(at));
        set
    }
}

/// Lower is senior: whether a device enrolled it, of the key that did otherwise the seat and, newest
/// first, the generation, the order in its certificate, of recovered ones from the end; then its age.
type DeviceRank = ((bool, u64, u64, u32), Age);

/// How an owner, or anybody else, holds a role; see `Reference::compare`.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Held {
    Top(Vec<Age>),
    Since(Age),
    Handed(Age),
}

#[derive(Clone, Debug)]
enum Effect {
    Role(IdentityKey, Option<Role>),
    Device(Added),
    Revoke(DeviceKey),
    Open([u8; 32], Role),
    Close([u8; 32]),
    Key(ContentKeyId),
    HandOver(IdentityKey, IdentityKey, Vec<Age>),
    Recovery(Recovery),
}

/// A device that came to act.
#[derive(Clone, Debug)]
struct Added {
    device: DeviceKey,
    identity: IdentityKey,
    order: u32,
    /// The recovery key in force that enrolled it, and that one's seat and generation.
    recovered: Option<(RecoveryKey, u64, u64)>,
    /// The devices that it came by, if nobody in the space vouched for it.
    came_by: Vec<DeviceKey>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ground {
    Nothing,
    House,
    Recovered,
    Office(Option<Role>),
    Invitation([u8; 32], Role),
}

struct Accepted {
    effects: Vec<Effect>,
    ground: Ground,
    rank: Option<(Role, Held)>,
    device_rank: Option<DeviceRank>,
    denies: Option<(Target, Option<Role>)>,
    against: Option<IdentityKey>,
    raises: Option<IdentityKey>,
}

pub struct Reference<'a> {
    sent: &'a [Sent],
    past: Vec<Set>,
    depth: Vec<u64>,
    generation: Vec<u64>,
    accepted: Vec<Option<Accepted>>,
    /// What stands of the entry's past, seen from it.
    standing: Vec<Set>,
}

impl<'a> Reference<'a> {
    /// Judges entries, which come parents first.
    pub fn new(sent: &'a [Sent]) -> Reference<'a> {
        let index: HashMap<EntryId, usize> = sent
            .iter()
            .enumerate()
            .map(|(at, s)| (s.entry.id, at))
            .collect();
        let mut all = Reference {
            sent,
            past: Vec::new(),
            depth: Vec::new(),
            generation: Vec::new(),
            accepted: Vec::new(),
            standing: Vec::new(),
        };
        for one in sent {
            let header = &one.entry.header;
            let parents = header.ctl.iter().chain([&header.prev]);
            let parents: Vec<usize> = parents.filter_map(|id| index.get(id).copied()).collect();
            let mut past = Set::default();
            let (mut depth, mut generation) = (0, 0);
            for parent in parents {
                past.0 |= all.past[parent].0;
                past.insert(parent);
                depth = depth.max(all.depth[parent] + 1);
                generation = generation.max(all.generation[parent]);
            }
            let standing = all.resolve(past);
            all.depth.push(depth);
            let accepted = all.judge(one, standing, past, generation, (depth, one.entry.id));
            if let (Some(_), ControlOp::KeyRotate { .. }) = (&accepted, &one.op) {
                generation += 1;
            }
            all.past.push(past);
            all.generation.push(generation);
            all.accepted.push(accepted);
            all.standing.push(standing);
        }
        all
    }

    pub fn is_accepted(&self, at: usize) -> bool {
        self.accepted[at].is_some()
    }

    /// What stands of everything.
    pub fn outcome(&self) -> Set {
        self.resolve((0..self.sent.len()).collect())
    }

    fn age(&self, at: usize) -> Age {
        (self.depth[at], self.sent[at].entry.id)
    }

    fn effects(&self, set: Set) -> impl Iterator<Item = (usize, &Effect)> {
        let accepted = set
            .iter()
            .filter_map(|at| Some((at, self.accepted[at].as_ref()?)));
        accepted.flat_map(|(at, one)| one.effects.iter().map(move |effect| (at, effect)))
    }

    /// Of entries those that no other of them builds on.
    fn latest<T>(&self, all: Vec<(usize, T)>) -> Vec<(usize, T)> {
        let numbers: Vec<usize> = all.iter().map(|(at, _)| *at).collect();
        let covered = |at: usize| numbers.iter().any(|other| self.past[*other].contains(at));
        all.into_iter().filter(|(at, _)| !covered(*at)).collect()
    }

    fn role_facts(&self, set: Set, who: &IdentityKey) -> Vec<(usize, Option<Role>)> {
        let facts = self.effects(set).filter_map(|(at, effect)| match effect {
            Effect::Role(of, role) if of == who => Some((at, *role)),
            _ => None,
        });
        self.latest(facts.collect())
    }

    pub fn role(&self, set: Set, who: &IdentityKey) -> Option<Role> {
        let facts = self.role_facts(set, who).into_iter();
        facts.map(|(_, role)| role).min().flatten()
    }

    fn role_age(&self, set: Set, who: &IdentityKey) -> Option<Age> {
        let facts = self.role_facts(set, who).into_iter();
        facts.map(|(at, _)| self.age(at)).max()
    }

    pub fn top(&self, set: Set) -> Option<(IdentityKey, Vec<Age>)> {
        let handed = self.effects(set).filter_map(|(at, effect)| match effect {
            Effect::HandOver(_, to, line) => Some((at, (*to, line.clone()))),
            _ => None,
        });
        let handed = self.latest(handed.collect());
        if handed.is_empty() {
            return set
                .contains(0)
                .then(|| (self.sent[0].author.identity, Vec::new()));
        }
        let heirs = handed.into_iter().map(|(_, heir)| heir);
        let owners = heirs.filter(|(to, _)| self.role(set, to) == Some(Role::Owner));
        owners.min_by(|a, b| compare_lines(&a.1, &b.1))
    }

    fn rank(&self, set: Set, who: &IdentityKey) -> Option<(Role, Held)> {
        let role = self.role(set, who)?;
        let age = self.role_age(set, who)?;
        if role != Role::Owner {
            return Some((role, Held::Since(age)));
        }
        if let Some((top, line)) = self.top(set)
            && top == *who
        {
            return Some((role, Held::Top(line)));
        }
        let gave = |effect: &Effect| matches!(effect, Effect::HandOver(from, ..) if from == who);
        match self.effects(set).any(|(_, effect)| gave(effect)) {
            true => Some((role, Held::Handed(age))),
            false => Some((role, Held::Since(age))),
        }
    }

    /// The admissions of a device that count: one that nobody in the space vouched for does not,
    /// if a device that it came by was revoked and nobody who did so knew of it.
    fn admissions(&self, set: Set, device: &DeviceKey) -> Vec<(usize, &Added)> {
        let counts = |at: usize, added: &Added| {
            self.effects(set).all(|(by, effect)| match effect {
                Effect::Revoke(of) => !added.came_by.contains(of) || self.past[by].contains(at),
                _ => true,
            })
        };
        let added = self.effects(set).filter_map(|(at, effect)| match effect {
            Effect::Device(added) if added.device == *device => Some((at, added)),
            _ => None,
        });
        added.filter(|(at, added)| counts(*at, added)).collect()
    }

    /// The identity a device acts for, as long as it was not revoked.
    pub fn device(&self, set: Set, device: &DeviceKey) -> Option<IdentityKey> {
        if self.is_revoked(set, device) {
            return None;
        }
        let last = self.admissions(set, device).pop();
        last.map(|(_, added)| added.identity)
    }

    fn device_rank(&self, set: Set, device: &DeviceKey) -> Option<DeviceRank> {
        let added = self.admissions(set, device).into_iter();
        let rank = |added: &Added| match added.recovered {
            Some((_, seat, generation)) => {
                (false, seat, u64::MAX - generation, u32::MAX - added.order)
            }
            None => (true, 0, u64::MAX, added.order),
        };
        added.map(|(at, added)| (rank(added), self.age(at))).min()
    }

    pub fn invitation(&self, set: Set, key: &[u8; 32]) -> Option<(Role, bool)> {
        let (mut cap, mut closed) = (None, false);
        for (_, effect) in self.effects(set) {
            match effect {
                Effect::Open(opened, role) if opened == key => {
                    cap = Some(cap.map_or(*role, |cap: Role| cap.min(*role)));
                }
                Effect::Close(of) if of == key => closed = true,
                _ => {}
            }
        }
        cap.map(|cap| (cap, !closed))
    }

    fn has_key(&self, past: Set, key: &ContentKeyId) -> bool {
        let brought = |effect: &Effect| matches!(effect, Effect::Key(id) if id == key);
        self.effects(past).any(|(_, effect)| brought(effect))
    }

    fn outranks(&self, set: Set, upper: &IdentityKey, lower: &IdentityKey) -> bool {
        above(&self.rank(set, upper), &self.rank(set, lower))
    }

    /// What an entry establishes, if its author may; `set` is what stands in its `past`.
    fn judge(
        &self,
        sent: &Sent,
        set: Set,
        past: Set,
        generation: u64,
        own_age: Age,
    ) -> Option<Accepted> {
        let (me, device) = (sent.author.identity, sent.author.device);
        let acts = self.device(set, &device) == Some(me);
        let own = self.role(set, &me).filter(|_| acts);
        let mut rank = self.rank(set, &me);
        let mut against = None;
        let (effects, ground) = match &sent.op {
            ControlOp::Genesis { creator, .. } => {
                let device = self.addition(set, &sent.op)?;
                let role = Effect::Role(*creator, Some(Role::Owner));
                ([vec![role], device].concat(), Ground::Nothing)
            }
            ControlOp::Join {
                role,
                invitation_key,
                ..
            } => {
                rank = Some((*role, Held::Since(own_age)));
                self.judge_join(set, sent, *role, invitation_key)?
            }
            ControlOp::Merge => (own.map(|_| Vec::new())?, Ground::Nothing),
            ControlOp::DeviceAdd { .. } => self.judge_addition(set, sent, acts, own)?,
            ControlOp::RecoverySet { .. } => {
                own?;
                let set = self.judge_recovery(set, sent)?;
                (vec![Effect::Recovery(set)], Ground::House)
            }
            ControlOp::DeviceRevoke { device: other, .. } => {
                against = self.device(set, other);
                self.judge_revocation(set, sent, *other, own?)?
            }
            ControlOp::SetRole { identity, role, .. } => {
                against = Some(*identity);
                self.judge_role(set, me, *identity, *role, own?)?
            }
            ControlOp::Succession { identity } => {
                own?;
                let (line, judgement) = self.judge_hand_over(set, me, *identity)?;
                rank = Some((Role::Owner, Held::Top(line)));
                judgement
            }
            _ => self.judge_others(set, past, &sent.op, generation, own?)?,
        };
        let denies = self.denial(set, &sent.op);
        Some(Accepted {
            device_rank: self.rank_in_house(set, &device, &effects),
            effects,
            ground,
            rank,
            against: match &sent.op {
                ControlOp::Join { .. } => Some(me),
                // A grant, too, if it gives less than a hand-over.
                ControlOp::SetRole { role, .. } => against.filter(|_| *role != Some(Role::Owner)),
                _ => against,
            },
            denies,
            raises: match &sent.op {
                ControlOp::Succession { identity } => Some(*identity),
                _ => None,
            },
        })
    }

    /// A device is added by one that acts, or adds itself by a recovery key.
    fn judge_addition(&self, set: Set, sent: &Sent, acts: bool, own: Option<Role>) -> Judgement {
        let recovered = own.is_none();
        if recovered {
            self.judge_recovered(set, sent)?;
        }
        let ground = [Ground::House, Ground::Recovered][usize::from(recovered && !acts)];
        Some((self.addition(set, &sent.op)?, ground))
    }

    /// The rank of an operation among those of its author's identity: the device's, or that of a key
    /// that speaks itself.
    fn rank_in_house(
        &self,
        set: Set,
        device: &DeviceKey,
        effects: &[Effect],
    ) -> Option<DeviceRank> {
        let own = self.device_rank(set, device);
        let lent = effects.iter().find_map(|effect| match effect {
            Effect::Recovery(key) => key.lent(),
            _ => None,
        });
        lent.map_or(own, |lent| own.map(|own| own.min(lent)))
    }

    /// The line that a hand-over makes, and what it amounts to.
    fn judge_hand_over(
        &self,
        set: Set,
        me: IdentityKey,
        to: IdentityKey,
    ) -> Option<(Vec<Age>, Grounded)> {
        let (top, mut line) = self.top(set)?;
        let owner = self.role(set, &to) == Some(Role::Owner);
        if top != me || to == me || !owner {
            return None;
        }
        line.push(self.role_age(set, &to)?);
        let role = Effect::Role(to, Some(Role::Owner));
        let effects = vec![role, Effect::HandOver(me, to, line.clone())];
        Some((line, (effects, Ground::Office(Some(Role::Owner)))))
    }

    /// Whose rights an operation takes, and what it leaves.
    fn denial(&self, set: Set, op: &ControlOp) -> Option<(Target, Option<Role>)> {
        match op {
            ControlOp::SetRole { identity, role, .. } => {
                let takes = role.is_none() || *role < self.role(set, identity);
                takes.then_some((Target::Identity(*identity), *role))
            }
            ControlOp::DeviceRevoke { device, .. } => Some((Target::Device(*device), None)),
            _ => None,
        }
    }

    fn judge_join(&self, set: Set, sent: &Sent, role: Role, key: &[u8; 32]) -> Judgement {
        let me = sent.author.identity;
        let (cap, open) = self.invitation(set, key)?;
        let chain = super::tests::chain_in(&sent.op)?;
        if !open || role > cap {
            return None;
        }
        if self.device(set, &sent.author.device) != Some(me) {
            let alone = chain.enrolled_by() == Issuer::Identity;
            let mut came_by = chain.lineage().iter();
            let member = self.role(set, &me).is_some();
            if member && !alone || came_by.any(|device| self.is_revoked(set, device)) {
                return None;
            }
        }
        let mut effects = self.addition(set, &sent.op)?;
        if self.role(set, &me) < Some(role) {
            effects.push(Effect::Role(me, Some(role)));
        }
        Some((effects, Ground::Invitation(*key, role)))
    }

    fn judge_revocation(&self, set: Set, sent: &Sent, other: DeviceKey, own: Role) -> Judgement {
        let (me, device) = (sent.author.identity, sent.author.device);
        let of = self.device(set, &other)?;
        let ground = if of == me {
            if self.device_rank(set, &device) > self.device_rank(set, &other) {
                return None;
            }
            Ground::House
        } else {
            if own < Role::Admin || !self.outranks(set, &me, &of) {
                return None;
            }
            let over = above_role(self.role(set, &of));
            Ground::Office(Some(over.max(Role::Admin)))
        };
        Some((vec![Effect::Revoke(other)], ground))
    }

    fn judge_role(
        &self,
        set: Set,
        me: IdentityKey,
        identity: IdentityKey,
        role: Option<Role>,
        own: Role,
    ) -> Judgement {
        let known = !self.role_facts(set, &identity).is_empty();
        let top = self.top(set).is_some_and(|(top, _)| top == identity);
        if !known || top {
            return None;
        }
        let effects = vec![Effect::Role(identity, role)];
        if identity == me {
            return (role < Some(own)).then_some((effects, Ground::Office(role)));
        }
        let gives = role < Some(own) || own == Role::Owner;
        if own < Role::Admin || !gives || !self.outranks(set, &me, &identity) {
            return None;
        }
        let over = above_role(self.role(set, &identity)).max(above_role(role));
        Some((effects, Ground::Office(Some(over.max(Role::Admin)))))
    }

    fn judge_others(
        &self,
        set: Set,
        past: Set,
        op: &ControlOp,
        generation: u64,
        own: Role,
    ) -> Judgement {
        match op {
            ControlOp::InviteOpen {
                invitation_key,
                role_cap,
                ..
            } => {
                let known = self.invitation(set, invitation_key).is_some();
                if own < Role::Admin || *role_cap >= own || known {
                    return None;
                }
                let need = above_role(Some(*role_cap)).max(Role::Admin);
                let effects = vec![Effect::Open(*invitation_key, *role_cap)];
                Some((effects, Ground::Office(Some(need))))
            }
            ControlOp::InviteClose { invitation_key } => {
                let (cap, _) = self.invitation(set, invitation_key)?;
                if own < Role::Admin || cap >= own {
                    return None;
                }
                let need = above_role(Some(cap)).max(Role::Admin);
                let effects = vec![Effect::Close(*invitation_key)];
                Some((effects, Ground::Office(Some(need))))
            }
            ControlOp::KeyRotate {
                key_id,
                generation: claimed,
                wraps,
                ..
            } => {
                let fresh = *claimed == generation + 1 && !self.has_key(past, key_id);
                if own < Role::Reader || !fresh || !self.may_read(set, wraps) {
                    return None;
                }
                let effects = vec![Effect::Key(*key_id)];
                Some((effects, Ground::Office(Some(Role::Reader))))
            }
            ControlOp::KeyShare { key_id, wraps } => {
                let known = self.has_key(past, key_id);
                let may = own >= Role::Reader && known && self.may_read(set, wraps);
                may.then_some((Vec::new(), Ground::Office(Some(Role::Reader))))
            }
            _ => None,
        }
    }

    fn is_revoked(&self, set: Set, device: &DeviceKey) -> bool {
        let revokes = |effect: &Effect| matches!(effect, Effect::Revoke(of) if of == device);
        self.effects(set).any(|(_, effect)| revokes(effect))
    }

    /// The device that an operation brings in, unless it is there already. None if it may not come.
    fn addition(&self, set: Set, op: &ControlOp) -> Option<Vec<Effect>> {
        let chain = super::tests::chain_in(op)?;
        let certificate = chain.certificate();
        let (device, identity) = (certificate.device, certificate.identity);
        let acts_for = self.device(set, &device);
        if self.is_revoked(set, &device) || acts_for.is_some_and(|of| of != identity) {
            return None;
        }
        let vouched = matches!(op, ControlOp::DeviceAdd { .. });
        let came_by = chain.lineage().iter().copied().filter(|_| !vouched);
        let added = Added {
            device,
            identity,
            order: certificate.order,
            recovered: self.enrolled_by(set, &chain),
            came_by: came_by.collect(),
        };
        let new = acts_for.is_none().then_some(Effect::Device(added));
        Some(new.into_iter().collect())
    }

    fn may_read(&self, set: Set, wraps: &[crate::identity::Wrap]) -> bool {
        let entitled = |device: &DeviceKey| {
            let identity = self.device(set, device);
            identity.is_some_and(|of| self.role(set, &of) >= Some(Role::Reader))
        };
        !wraps.is_empty() && wraps.iter().all(|wrap| entitled(&wrap.device))
    }
}
