//! What stands, and the order in which that is decided.

use super::{Age, Effect, Ground, Held, Reference, Set};
use crate::authority::Target;
use crate::model::Role;
use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;

impl Reference<'_> {
    /// What of a set, which has its entries' pasts in it, stands.
    pub(super) fn resolve(&self, universe: Set) -> Set {
        let accepted = universe.iter();
        let accepted: Vec<usize> = accepted.filter(|at| self.accepted[*at].is_some()).collect();
        let of = |at: usize| {
            self.accepted[at]
                .as_ref()
                .expect("only accepted ones are asked")
        };
        let (mut house, mut offices): (Vec<_>, Vec<_>) = accepted
            .into_iter()
            .partition(|at| matches!(of(*at).ground, Ground::House | Ground::Recovered));
        house.sort_by_key(|at| (of(*at).device_rank, self.age(*at)));
        offices.sort_by(|a, b| {
            let rank = compare_ranks(&of(*a).rank, &of(*b).rank);
            let raises = Reverse(of(*a).raises.is_some()).cmp(&Reverse(of(*b).raises.is_some()));
            rank.then(raises).then(self.age(*a).cmp(&self.age(*b)))
        });
        let mut voided = Set::default();
        let mut status: BTreeMap<usize, bool> = BTreeMap::new();
        self.keep_house(&house, voided, &mut status);
        for at in offices {
            let alive = !self.is_killed(at, &status) && self.is_supported(at, &status);
            status.insert(at, alive);
            let one = of(at);
            let Some((Target::Device(device), _)) = one.denies.filter(|_| alive) else {
                continue;
            };
            let before = voided;
            let hit = house.iter().copied().filter(|x| {
                self.sent[*x].author.device == device
                    && self.concurrent(*x, at)
                    && above(&one.rank, &of(*x).rank)
            });
            hit.for_each(|x| voided.insert(x));
            if voided != before {
                self.keep_house(&house, voided, &mut status);
            }
        }
        let alive = status.into_iter().filter(|(_, alive)| *alive);
        alive.map(|(at, _)| at).collect()
    }

    fn keep_house(&self, house: &[usize], voided: Set, status: &mut BTreeMap<usize, bool>) {
        for at in house {
            status.remove(at);
        }
        for at in house {
            let killed = voided.contains(*at) || self.is_revoked_within(*at, status);
            let alive = !killed && self.is_supported(*at, status);
            status.insert(*at, alive);
        }
    }

    fn concurrent(&self, a: usize, b: usize) -> bool {
        a != b && !self.past[a].contains(b) && !self.past[b].contains(a)
    }

    fn is_revoked_within(&self, at: usize, status: &BTreeMap<usize, bool>) -> bool {
        let mine = self.accepted[at].as_ref().expect("it was accepted");
        status.iter().filter(|(_, alive)| **alive).any(|(by, _)| {
            let other = self.accepted[*by].as_ref().expect("it was accepted");
            matches!(other.ground, Ground::House | Ground::Recovered)
                && other.denies == Some((Target::Device(self.sent[at].author.device), None))
                && other.device_rank < mine.device_rank
                && self.concurrent(*by, at)
        })
    }

    fn is_killed(&self, at: usize, status: &BTreeMap<usize, bool>) -> bool {
        let mine = self.accepted[at].as_ref().expect("it was accepted");
        let author = &self.sent[at].author;
        if mine.ground == Ground::Nothing {
            return false;
        }
        if let Ground::Invitation(key, _) = mine.ground {
            let raised = status.iter().filter(|(_, alive)| **alive).any(|(by, _)| {
                let other = self.accepted[*by].as_ref().expect("it was accepted");
                other.raises == Some(author.identity) && self.concurrent(*by, at)
            });
            return raised || self.is_closed(at, key, status);
        }
        if self.is_revoked_within(at, status) {
            return true;
        }
        status.iter().filter(|(_, alive)| **alive).any(|(by, _)| {
            let other = self.accepted[*by].as_ref().expect("it was accepted");
            let (them, higher) = (
                self.sent[*by].author.identity,
                above(&other.rank, &mine.rank),
            );
            if other.ground == Ground::House || !self.concurrent(*by, at) {
                return false;
            }
            let denied = match (other.denies, mine.ground) {
                (Some((Target::Identity(who), leaves)), Ground::Office(need)) => {
                    who == author.identity && need > leaves
                }
                (Some((Target::Device(device), _)), _) => device == author.device,
                _ => false,
            };
            let shields = other.raises.is_some()
                && other.raises == mine.against
                && (higher || author.identity == them || other.raises == Some(author.identity));
            denied && higher && them != author.identity || shields
        })
    }

    /// Whether somebody closed the invitation of a join without knowing of it, whose role is above
    /// the one that the join gives.
    fn is_closed(&self, join: usize, key: [u8; 32], status: &BTreeMap<usize, bool>) -> bool {
        let mine = self.accepted[join].as_ref().expect("it was accepted");
        status.iter().filter(|(_, alive)| **alive).any(|(by, _)| {
            let other = self.accepted[*by].as_ref().expect("it was accepted");
            let closes = |effect: &Effect| matches!(effect, Effect::Close(of) if *of == key);
            other.effects.iter().any(closes)
                && above(&other.rank, &mine.rank)
                && self.concurrent(*by, join)
        })
    }

    /// Whether the author still has what the operation needs, in what stands of its past. What is
    /// not decided yet ranks lower, and counts as it did when the operation was written.
    fn is_supported(&self, at: usize, status: &BTreeMap<usize, bool>) -> bool {
        let seen = self.past[at].iter().filter(|x| match status.get(x) {
            Some(alive) => *alive,
            None => self.standing[at].contains(*x),
        });
        let seen: Set = seen.collect();
        let author = &self.sent[at].author;
        let acts = || self.device(seen, &author.device) == Some(author.identity);
        match self.accepted[at].as_ref().expect("it was accepted").ground {
            Ground::Nothing | Ground::Recovered => true,
            Ground::House => acts(),
            Ground::Office(need) => acts() && self.role(seen, &author.identity) >= need,
            Ground::Invitation(key, role) => self
                .invitation(seen, &key)
                .is_some_and(|(cap, open)| open && role <= cap),
        }
    }
}

/// A successor's line is above that of whoever handed over; of rivals, the older owner's.
pub(super) fn compare_lines(a: &[Age], b: &[Age]) -> Ordering {
    for (a, b) in a.iter().zip(b) {
        if a != b {
            return a.cmp(b);
        }
    }
    b.len().cmp(&a.len())
}

pub(super) fn compare_held(a: &Held, b: &Held) -> Ordering {
    let class = |held: &Held| match held {
        Held::Top(_) => 0,
        Held::Since(_) => 1,
        Held::Handed(_) => 2,
    };
    match (a, b) {
        (Held::Top(a), Held::Top(b)) => compare_lines(a, b),
        (Held::Since(a), Held::Since(b)) | (Held::Handed(a), Held::Handed(b)) => a.cmp(b),
        _ => class(a).cmp(&class(b)),
    }
}

pub(super) fn compare_ranks(a: &Option<(Role, Held)>, b: &Option<(Role, Held)>) -> Ordering {
    match (a, b) {
        (Some(a), Some(b)) => b.0.cmp(&a.0).then(compare_held(&a.1, &b.1)),
        _ => b.is_some().cmp(&a.is_some()),
    }
}

/// Whether one rank is strictly above another.
pub(super) fn above(upper: &Option<(Role, Held)>, lower: &Option<(Role, Held)>) -> bool {
    match (upper, lower) {
        (Some(upper), Some(lower)) => {
            let owners = upper.0 == Role::Owner && lower.0 == Role::Owner;
            upper.0 > lower.0 || owners && compare_held(&upper.1, &lower.1) == Ordering::Less
        }
        (upper, _) => upper.is_some(),
    }
}

pub(super) fn above_role(role: Option<Role>) -> Role {
    let next = role.map_or(1, |role| role as u32 + 1);
    Role::from_number(next).unwrap_or(Role::Owner)
}
