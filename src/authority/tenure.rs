//! How long roles have been held, which ranks owners among themselves.

use super::facts::{Seniority, View};
use crate::model::{EntryId, IdentityKey, Role};
use std::cmp::Ordering;
use std::sync::Arc;

/// How a role is held; a lower one stands above a higher one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tenure {
    /// As the space's top owner.
    Top(Line),
    /// Since an entry: the younger of several.
    Since(Seniority),
    /// As one who was top owner and handed over.
    Handed(Seniority),
}

/// The hand-overs from the creator to a top owner: of each successor, how old its role was.
///
/// A successor stands above whoever handed over to it; of two successors of one owner the one
/// that was owner earlier, with all who follow it. The ages are those of grants, whose holders did
/// not write them, so that nobody can grind a better place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line(Arc<[(u64, EntryId)]>);

impl Line {
    /// The line that goes on to an owner of this age.
    pub fn then(&self, age: (u64, EntryId)) -> Line {
        Line(self.0.iter().copied().chain([age]).collect())
    }

    /// How many hand-overs there were.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Ord for Line {
    fn cmp(&self, other: &Self) -> Ordering {
        let differs = self.0.iter().zip(other.0.iter()).map(|(a, b)| a.cmp(b));
        let differs = differs.fold(Ordering::Equal, Ordering::then);
        differs.then(other.len().cmp(&self.len()))
    }
}

impl PartialOrd for Line {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A top owner handed over.
#[derive(Clone, Debug)]
pub struct HandOver {
    /// Who was top owner.
    pub from: IdentityKey,
    /// Who is now.
    pub to: IdentityKey,
    /// The line up to it.
    pub line: Line,
}

/// A role and how it is held.
pub type Rank = (Role, Tenure);

/// Whether the first stands strictly above the second: a higher role, or both owners and longer so.
pub fn outranks(upper: &Rank, lower: &Rank) -> bool {
    let owners = upper.0 == Role::Owner && lower.0 == Role::Owner;
    upper.0 > lower.0 || owners && upper.1 < lower.1
}

impl View<'_> {
    /// The top owner, who can neither be denied nor step down, and its line. None if a successor
    /// came by it in a way that was undone.
    pub fn top(&self) -> Option<(IdentityKey, Line)> {
        let latest = self.latest(&self.facts.successions);
        if latest.is_empty() {
            return Some((self.facts.creator?, Line::default()));
        }
        let heirs = latest.iter().map(|dated| &dated.fact);
        heirs
            .filter(|heir| self.role(&heir.to) == Some(Role::Owner))
            .min_by(|a, b| a.line.cmp(&b.line))
            .map(|heir| (heir.to, heir.line.clone()))
    }

    /// The line of the hand-over from one owner to another, if the first is top owner.
    pub fn line_to(&self, from: &IdentityKey, to: &IdentityKey) -> Option<Line> {
        let (top, line) = self.top()?;
        let owner = self.role(to) == Some(Role::Owner);
        (top == *from && from != to && owner).then_some(line.then(self.role_age(to)?))
    }

    /// How old an identity's role is: of several latest facts the youngest, so that each of their
    /// authors stands above it.
    pub fn role_age(&self, identity: &IdentityKey) -> Option<(u64, EntryId)> {
        let facts = self.facts.roles.get(identity)?;
        let latest = self.latest(facts);
        latest.iter().map(|dated| self.graph.age(dated.at)).max()
    }

    /// An identity's role, and how it is held.
    pub fn rank(&self, identity: &IdentityKey) -> Option<Rank> {
        let role = self.role(identity)?;
        let (depth, id) = self.role_age(identity)?;
        let age = (depth, id, 0);
        if role < Role::Owner {
            return Some((role, Tenure::Since(age)));
        }
        if let Some((top, line)) = self.top()
            && top == *identity
        {
            return Some((role, Tenure::Top(line)));
        }
        let handed = self.facts.successions.iter();
        let handed = handed.filter(|dated| self.sees(dated.at));
        let tenure = match handed.map(|dated| dated.fact.from).any(|f| f == *identity) {
            true => Tenure::Handed(age),
            false => Tenure::Since(age),
        };
        Some((role, tenure))
    }

    /// Whether `upper` stands above `lower`: a higher role, or both owners and longer so.
    pub fn outranks(&self, upper: &IdentityKey, lower: &IdentityKey) -> bool {
        match (self.rank(upper), self.rank(lower)) {
            (Some(upper), Some(lower)) => outranks(&upper, &lower),
            (upper, _) => upper.is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn successors_stand_above_and_rivals_by_age_with_all_who_follow_them() {
        let age = |depth| (depth, EntryId([depth as u8; 32]));
        let creator = Line::default();
        let (older, younger) = (creator.then(age(3)), creator.then(age(5)));
        let (heir, rival) = (older.then(age(9)), younger.then(age(1)));
        let order = [&heir, &older, &rival, &younger, &creator];
        assert!(order.is_sorted_by(|a, b| a < b), "{order:?}");
        let top = (Role::Owner, Tenure::Top(creator));
        let since = |depth| Tenure::Since((depth, EntryId::ZERO, 0));
        assert!(outranks(&top, &(Role::Owner, since(0))));
        assert!(outranks(&(Role::Owner, since(2)), &(Role::Owner, since(3))));
        assert!(!outranks(
            &(Role::Admin, since(2)),
            &(Role::Admin, since(3))
        ));
        let handed = Tenure::Handed((0, EntryId::ZERO, 0));
        assert!(outranks(&(Role::Owner, since(9)), &(Role::Owner, handed)));
    }
}
