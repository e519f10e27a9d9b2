//! What changed between two lists, in steps that a follower applies without thinking.

use super::ranked::Ranked;
use crate::model::ObjectId;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// One step. First come the removals, the last place first; then the others, the first place
/// first. A follower takes out every object that was removed or moved, and then goes through the
/// others in their order: each is put, or replaced, at its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// It is no longer in the list.
    Removed {
        /// The object.
        id: ObjectId,
        /// Its place in the old list.
        from: usize,
    },
    /// It is new in the list.
    Added {
        /// The object.
        id: ObjectId,
        /// Its place in the new list.
        index: usize,
    },
    /// It has another place among the others; it may have changed too.
    Moved {
        /// The object.
        id: ObjectId,
        /// Its place in the old list.
        from: usize,
        /// Its place in the new list.
        index: usize,
    },
    /// It changed, and did not move among the others.
    Changed {
        /// The object.
        id: ObjectId,
        /// Its place in the new list.
        index: usize,
    },
}

/// Two states of a list of which only a window is seen. Objects that were not touched have the
/// same order in both; the new state may have lost none of them, and may have more at its end.
pub struct Windowed<'a> {
    /// The new state.
    pub list: &'a Ranked,
    /// The length of the old one.
    pub old_len: usize,
    /// What is seen.
    pub window: Range<usize>,
    /// The places of touched objects in the old state.
    pub old: &'a HashMap<ObjectId, usize>,
    /// Their places in the new one.
    pub new: &'a HashMap<ObjectId, usize>,
}

/// The places of touched objects in one state, by which places and ranks among the untouched are
/// turned into each other.
struct Touched {
    /// Rising.
    places: Vec<usize>,
    /// For each place how many untouched ones come before it.
    before: Vec<usize>,
}

impl Touched {
    fn new(places: &HashMap<ObjectId, usize>) -> Touched {
        let mut places: Vec<usize> = places.values().copied().collect();
        places.sort_unstable();
        let before = places.iter().enumerate().map(|(i, at)| at - i).collect();
        Touched { places, before }
    }

    /// How many untouched ones come before a place.
    fn rank(&self, place: usize) -> usize {
        place - self.places.partition_point(|at| *at < place)
    }

    /// The place of an untouched one.
    fn place(&self, rank: usize) -> usize {
        rank + self.before.partition_point(|before| *before <= rank)
    }

    /// The ranks of the untouched ones in a window.
    fn ranks(&self, window: &Range<usize>, len: usize) -> Range<usize> {
        self.rank(window.start.min(len))..self.rank(window.end.min(len))
    }
}

impl Windowed<'_> {
    /// The steps from what was seen to what is seen.
    pub fn steps(&self) -> Vec<Step> {
        let (old, new) = (Touched::new(self.old), Touched::new(self.new));
        let start = self.window.start;
        let mut steps = Vec::new();
        let before = old.ranks(&self.window, self.old_len);
        let after = new.ranks(&self.window, self.list.len());
        for rank in difference(&before, &after) {
            if let Some(entry) = self.list.get(new.place(rank)) {
                let from = old.place(rank) - start;
                steps.push(Step::Removed { id: entry.id, from });
            }
        }
        for rank in difference(&after, &before) {
            let place = new.place(rank);
            if let Some(entry) = self.list.get(place) {
                let index = place - start;
                steps.push(Step::Added {
                    id: entry.id,
                    index,
                });
            }
        }
        self.touched(&old, &new, &mut steps);
        sort(&mut steps);
        steps
    }

    fn touched(&self, old: &Touched, new: &Touched, steps: &mut Vec<Step>) {
        let start = self.window.start;
        let seen = |place: Option<&usize>| place.copied().filter(|at| self.window.contains(at));
        let mut stayed = Vec::new();
        for (id, place) in self.old {
            let Some(from) = seen(Some(place)) else {
                continue;
            };
            match seen(self.new.get(id)) {
                None => steps.push(Step::Removed {
                    id: *id,
                    from: from - start,
                }),
                Some(index) => stayed.push((index, from, *id)),
            }
        }
        for (id, place) in self.new {
            if let (Some(index), None) = (seen(Some(place)), seen(self.old.get(id))) {
                let index = index - start;
                steps.push(Step::Added { id: *id, index });
            }
        }
        stayed.sort_unstable();
        // It has not moved if it is between the same untouched ones as before, and after those that
        // were found not to have moved.
        let mut last = None;
        for (index, from, id) in stayed {
            let still = old.rank(from) == new.rank(index) && last.is_none_or(|last| last < from);
            let (from, index, at) = (from - start, index - start, from);
            if still {
                last = Some(at);
                steps.push(Step::Changed { id, index });
            } else {
                steps.push(Step::Moved { id, from, index });
            }
        }
    }
}

/// What is in `a` and not in `b`.
fn difference(a: &Range<usize>, b: &Range<usize>) -> impl Iterator<Item = usize> + use<> {
    (a.start..a.end.min(b.start)).chain(a.start.max(b.end)..a.end)
}

fn sort(steps: &mut [Step]) {
    steps.sort_unstable_by_key(|step| match step {
        Step::Removed { from, .. } => (false, usize::MAX - from),
        Step::Added { index, .. } | Step::Moved { index, .. } | Step::Changed { index, .. } => {
            (true, *index)
        }
    });
}

/// The steps from one list to another, of which only the touched objects may have changed.
pub fn between(
    old: &[ObjectId],
    new: &[ObjectId],
    touched: &dyn Fn(&ObjectId) -> bool,
) -> Vec<Step> {
    let places: HashMap<ObjectId, usize> = old.iter().enumerate().map(|(i, id)| (*id, i)).collect();
    let kept: HashSet<&ObjectId> = new.iter().collect();
    let mut steps = Vec::new();
    for (from, id) in old.iter().enumerate() {
        if !kept.contains(id) {
            steps.push(Step::Removed { id: *id, from });
        }
    }
    let from: Vec<usize> = new
        .iter()
        .filter_map(|id| places.get(id).copied())
        .collect();
    let still: HashSet<usize> = longest_rising(&from).into_iter().collect();
    for (index, id) in new.iter().enumerate() {
        let id = *id;
        match places.get(&id).copied() {
            None => steps.push(Step::Added { id, index }),
            Some(from) if !still.contains(&from) => steps.push(Step::Moved { id, from, index }),
            Some(_) if touched(&id) => steps.push(Step::Changed { id, index }),
            Some(_) => {}
        }
    }
    sort(&mut steps);
    steps
}

/// The longest rising part of distinct numbers.
fn longest_rising(numbers: &[usize]) -> Vec<usize> {
    // For each length the place of the smallest number that ends such a part, and for each place the
    // one before it.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(numbers.len());
    for (at, number) in numbers.iter().enumerate() {
        let length = ends.partition_point(|end| numbers.get(*end).is_some_and(|n| n < number));
        before.push(length.checked_sub(1).and_then(|l| ends.get(l).copied()));
        match ends.get_mut(length) {
            Some(end) => *end = at,
            None => ends.push(at),
        }
    }
    let mut part = Vec::with_capacity(ends.len());
    let mut at = ends.last().copied();
    while let Some(place) = at {
        part.extend(numbers.get(place));
        at = before.get(place).copied().flatten();
    }
    part
}

#[cfg(test)]
mod tests {
    use super::super::ranked::Entry;
    use super::*;

    fn id(n: u64) -> ObjectId {
        let mut bytes = [0; 16];
        bytes[8..].copy_from_slice(&n.to_be_bytes());
        ObjectId(bytes)
    }

    /// What the documentation tells a follower to do.
    fn follow(list: &mut Vec<ObjectId>, steps: &[Step]) {
        let before = list.clone();
        for step in steps {
            if let Step::Removed { id, from } | Step::Moved { id, from, .. } = step {
                assert_eq!(before[*from], *id);
                list.retain(|other| other != id);
            }
        }
        let mut last = None;
        for step in steps {
            match *step {
                Step::Removed { .. } => {}
                Step::Added { id, index } | Step::Moved { id, index, .. } => {
                    assert!(last.is_none_or(|last| last < index));
                    last = Some(index);
                    list.insert(index, id);
                }
                Step::Changed { id, index } => {
                    assert!(last.is_none_or(|last| last < index));
                    last = Some(index);
                    assert_eq!(list[index], id);
                }
            }
        }
    }

    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: usize) -> usize {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1);
            ((self.0 >> 33) as usize) % bound
        }
    }

    #[test]
    fn random_lists_are_followed() {
        let mut random = Random(3);
        let mut moved = 0;
        for _ in 0..3000 {
            let pick = |random: &mut Random| {
                let mut all: Vec<ObjectId> = (0..12).map(id).collect();
                (0..random.below(13))
                    .map(|_| all.remove(random.below(all.len())))
                    .collect::<Vec<_>>()
            };
            let (mut list, new) = (pick(&mut random), pick(&mut random));
            let steps = between(&list, &new, &|id| id.0[15] % 2 == 0);
            moved += steps
                .iter()
                .filter(|s| matches!(s, Step::Moved { .. }))
                .count();
            follow(&mut list, &steps);
            assert_eq!(list, new);
        }
        assert!(moved > 1000);
        assert_eq!(
            between(&[id(1), id(2), id(3)], &[id(2), id(3), id(1)], &|_| false),
            [Step::Moved {
                id: id(1),
                from: 0,
                index: 2
            }]
        );
    }

    fn entry(key: usize, n: u64) -> Entry {
        Entry {
            keys: [Some(crate::query::SqlValue::Integer(key as i64))].into(),
            id: id(n),
        }
    }

    #[test]
    fn windows_are_followed() {
        let mut random = Random(11);
        let (mut still, mut moved) = (0, 0);
        for _ in 0..5000 {
            let mut list = Ranked::default();
            for n in 0..random.below(14) {
                list.insert(entry(random.below(8), n as u64), &[false]);
            }
            let ids = |list: &Ranked| (0..list.len()).map(|i| list.get(i).unwrap().id).collect();
            let before: Vec<ObjectId> = ids(&list);
            let touched: HashSet<u64> = (0..random.below(5))
                .map(|_| random.below(16) as u64)
                .collect();
            let places = |list: &Ranked| -> HashMap<ObjectId, usize> {
                let all = touched.iter().map(|n| id(*n));
                all.filter_map(|id| Some((id, list.position(&id)?)))
                    .collect()
            };
            let old = places(&list);
            for n in &touched {
                list.remove(&id(*n));
                if random.below(4) > 0 {
                    list.insert(entry(random.below(8), *n), &[false]);
                }
            }
            // More at the end, as after a query for what comes next.
            for n in 0..random.below(3) {
                list.push(entry(9, 20 + n as u64));
            }
            let start = random.below(6);
            let window = start..start + random.below(8);
            let clip = |all: &[ObjectId]| -> Vec<ObjectId> {
                let all = all.iter().enumerate();
                all.filter(|(i, _)| window.contains(i))
                    .map(|(_, id)| *id)
                    .collect()
            };
            let mut seen = clip(&before);
            let steps = Windowed {
                list: &list,
                old_len: before.len(),
                window: window.clone(),
                old: &old,
                new: &places(&list),
            }
            .steps();
            let told = |id: &ObjectId| {
                steps.iter().any(|step| match step {
                    Step::Removed { .. } => false,
                    Step::Added { id: other, .. }
                    | Step::Moved { id: other, .. }
                    | Step::Changed { id: other, .. } => id == other,
                })
            };
            moved += usize::from(steps.iter().any(|s| matches!(s, Step::Moved { .. })));
            still += usize::from(steps.iter().any(|s| matches!(s, Step::Changed { .. })));
            follow(&mut seen, &steps);
            let after: Vec<ObjectId> = ids(&list);
            assert_eq!(seen, clip(&after));
            // Whatever was touched and is seen is told of.
            let mut seen_touched = seen
                .iter()
                .filter(|id| touched.contains(&u64::from(id.0[15])));
            assert!(seen_touched.all(told));
        }
        assert!(still > 100 && moved > 100, "{still} {moved}");
    }
}
