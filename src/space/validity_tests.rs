//! Random histories: what is judged does not depend on the order, and what honest members built on
//! stays.

use super::*;
use std::collections::BTreeSet;

fn is_valid(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Valid(_))
}

/// A small generator (SplitMix64).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }
}

#[derive(Clone)]
struct Fact {
    author: usize,
    parents: Vec<usize>,
    knows: BTreeSet<DenialIndex>,
    permitted: bool,
    honest: bool,
}

struct Denied {
    target: usize,
    heads: BTreeSet<usize>,
}

#[derive(Clone, Default)]
struct Peer {
    held: BTreeSet<usize>,
    denials: BTreeSet<DenialIndex>,
}

/// A history of members who write, merge and deny each other; some do not keep to what they know.
struct World {
    random: Random,
    facts: Vec<Fact>,
    denials: Vec<Denied>,
    peers: Vec<Peer>,
    liars: BTreeSet<usize>,
    tips: Vec<Option<usize>>,
}

impl World {
    fn new(seed: u64) -> World {
        let mut random = Random(seed);
        let members = 3 + random.below(4);
        let liars = (0..members).filter(|_| random.below(3) == 0).collect();
        World {
            random,
            facts: Vec::new(),
            denials: Vec::new(),
            peers: vec![Peer::default(); members],
            liars,
            tips: vec![None; members],
        }
    }

    fn past(&self, of: impl IntoIterator<Item = usize>) -> BTreeSet<usize> {
        let mut open: Vec<usize> = of.into_iter().collect();
        let mut past = BTreeSet::new();
        while let Some(at) = open.pop() {
            if past.insert(at) {
                open.extend(&self.facts[at].parents);
            }
        }
        past
    }

    fn nodes(&self, held: &BTreeSet<usize>, denials: &BTreeSet<DenialIndex>) -> Vec<Node> {
        let places: BTreeMap<usize, usize> =
            held.iter().enumerate().map(|(n, at)| (*at, n)).collect();
        let node = |at: &usize| {
            let fact = &self.facts[*at];
            let unknown = denials.iter().filter(|r| !fact.knows.contains(r)).copied();
            let (charging, free): (Vec<_>, Vec<_>) =
                unknown.partition(|r| self.denials[*r].target == fact.author);
            let kept = |r: &DenialIndex| {
                let heads = self.denials[*r].heads.intersection(held).copied();
                self.past(heads).contains(at)
            };
            Node {
                id: EntryId([*at as u8; 32]),
                parents: fact.parents.iter().map(|p| places[p]).collect(),
                permitted: fact.permitted,
                charges: charging.into_iter().filter(|r| !kept(r)).collect(),
                vouches: free,
            }
        };
        held.iter().map(node).collect()
    }

    fn valid(&self, held: &BTreeSet<usize>, denials: &BTreeSet<DenialIndex>) -> BTreeSet<usize> {
        let verdicts = judge(&self.nodes(held, denials));
        let judged = held.iter().zip(verdicts);
        judged
            .filter(|(_, v)| is_valid(v))
            .map(|(at, _)| *at)
            .collect()
    }

    fn heads(&self, of: &BTreeSet<usize>) -> Vec<usize> {
        let inner: BTreeSet<usize> = of
            .iter()
            .flat_map(|at| &self.facts[*at].parents)
            .copied()
            .collect();
        of.difference(&inner).copied().collect()
    }

    fn write(&mut self, member: usize) {
        let Peer { held, denials } = self.peers[member].clone();
        let lies = self.liars.contains(&member);
        let mut known = denials.clone();
        let mut parents = self.heads(&self.valid(&held, &denials));
        if lies {
            // Builds on whatever it likes, and says to know what it likes.
            known.retain(|_| self.random.below(2) == 0);
            parents = held
                .iter()
                .copied()
                .filter(|_| self.random.below(4) == 0)
                .collect();
        }
        // A chain of one's own goes on, unless what it builds on is out: then a new one begins.
        if let Some(tip) = self.tips[member]
            && (lies || self.valid(&held, &denials).contains(&tip))
        {
            parents.push(tip);
            known.extend(&self.facts[tip].knows);
        }
        let denied = known.iter().any(|r| self.denials[*r].target == member);
        if denied && !lies {
            return;
        }
        parents.sort_unstable();
        parents.dedup();
        let at = self.facts.len();
        self.facts.push(Fact {
            author: member,
            parents,
            knows: known,
            permitted: !denied,
            honest: !lies,
        });
        self.peers[member].held.insert(at);
        self.tips[member] = Some(at);
    }

    fn meet(&mut self) {
        let (from, to) = (
            self.random.below(self.peers.len()),
            self.random.below(self.peers.len()),
        );
        let all: Vec<usize> = self.peers[from].held.iter().copied().collect();
        let some = self.random.below(all.len() + 1);
        let news: Vec<usize> = match self.random.below(2) {
            0 => all,
            _ => all.into_iter().take(some).collect(),
        };
        let past = self.past(news);
        self.peers[to].held.extend(past);
        if self.random.below(2) == 0 {
            let denials = self.peers[from].denials.clone();
            self.peers[to].denials.extend(denials);
        }
    }

    fn deny(&mut self) {
        let by = self.random.below(self.peers.len());
        let target = self.random.below(self.peers.len());
        let theirs = self.peers[by]
            .held
            .iter()
            .filter(|at| self.facts[**at].author == target);
        let mut heads: BTreeSet<usize> = theirs.copied().collect();
        match self.liars.contains(&by) {
            // Names nothing, to take away as much as it can.
            true => heads.clear(),
            false => heads = self.heads(&heads).into_iter().collect(),
        }
        self.peers[by].denials.insert(self.denials.len());
        self.denials.push(Denied { target, heads });
    }

    fn run(seed: u64) -> World {
        let mut world = World::new(seed);
        for _ in 0..20 + world.random.below(60) {
            match world.random.below(20) {
                0 if world.denials.len() < 4 => world.deny(),
                0..10 => {
                    let member = world.random.below(world.peers.len());
                    world.write(member);
                }
                _ => world.meet(),
            }
        }
        world
    }

    fn everything(&self) -> (BTreeSet<usize>, BTreeSet<DenialIndex>) {
        (
            (0..self.facts.len()).collect(),
            (0..self.denials.len()).collect(),
        )
    }
}

/// By the letter of the definition: takes away what must go until nothing must.
fn naive(nodes: &[Node]) -> Vec<bool> {
    let mut valid = vec![true; nodes.len()];
    let after = |at: usize| {
        let mut after = BTreeSet::from([at]);
        for (n, node) in nodes.iter().enumerate().skip(at + 1) {
            if node.parents.iter().any(|p| after.contains(p)) {
                after.insert(n);
            }
        }
        after.remove(&at);
        after
    };
    loop {
        let before = valid.clone();
        for (at, node) in nodes.iter().enumerate() {
            let answered = |r: &DenialIndex| {
                after(at)
                    .into_iter()
                    .any(|n| valid[n] && nodes[n].vouches.contains(r))
            };
            let founded = node.permitted && node.parents.iter().all(|p| valid[*p]);
            valid[at] &= founded && node.charges.iter().all(answered);
        }
        if valid == before {
            return valid;
        }
    }
}

const SEEDS: u64 = 500;

#[test]
fn the_valid_set_is_closed_and_as_large_as_can_be() {
    let (mut valid, mut out, mut vouched) = (0, 0, 0);
    for seed in 0..SEEDS {
        let world = World::run(seed);
        let (held, denials) = world.everything();
        let nodes = world.nodes(&held, &denials);
        let verdicts = judge(&nodes);
        let found: Vec<bool> = verdicts.iter().map(is_valid).collect();
        assert_eq!(found, naive(&nodes), "seed {seed}");
        for (node, verdict) in nodes.iter().zip(&verdicts) {
            match verdict {
                Verdict::Valid(through) => {
                    valid += 1;
                    vouched += usize::from(!through.is_empty());
                    assert!(node.parents.iter().all(|p| found[*p]), "seed {seed}");
                    assert!(
                        through.keys().eq(BTreeSet::from_iter(&node.charges)),
                        "seed {seed}"
                    );
                }
                _ => out += 1,
            }
        }
    }
    assert!(
        valid > 5_000 && out > 1_000 && vouched > 300,
        "{valid} {out} {vouched}"
    );
}

#[test]
fn honest_members_lose_nothing_that_they_built_on() {
    let mut kept = 0;
    for seed in 0..SEEDS {
        let world = World::run(seed);
        let (held, denials) = world.everything();
        let valid = world.valid(&held, &denials);
        let denied: BTreeSet<usize> = world.denials.iter().map(|d| d.target).collect();
        for (at, fact) in world.facts.iter().enumerate() {
            if fact.honest && !denied.contains(&fact.author) {
                assert!(valid.contains(&at), "seed {seed}: entry {at}");
                kept += 1;
            }
        }
    }
    assert!(kept > 1_500, "{kept}");
}

/// Attack 9: whoever names no heads erases nothing that anybody else built on in good standing.
#[test]
fn attack_09_low_heads_erase_only_what_nobody_built_on() {
    let mut erased_entries = 0;
    for seed in 0..SEEDS {
        let world = World::run(seed);
        let (held, denials) = world.everything();
        let nodes = world.nodes(&held, &denials);
        let verdicts = judge(&nodes);
        for (at, verdict) in verdicts.iter().enumerate() {
            let Verdict::Denied(denial) = verdict else {
                continue;
            };
            erased_entries += 1;
            let built = world.facts.iter().enumerate().any(|(n, fact)| {
                let unaware = !fact.knows.contains(denial);
                let other = fact.author != world.denials[*denial].target;
                unaware
                    && other
                    && is_valid(&verdicts[n])
                    && n != at
                    && world.past([n]).contains(&at)
            });
            assert!(!built, "seed {seed}: entry {at}");
        }
    }
    assert!(erased_entries > 60, "{erased_entries}");
}

#[test]
fn the_order_of_nodes_makes_no_difference() {
    for seed in 0..SEEDS / 4 {
        let mut world = World::run(seed);
        let (held, denials) = world.everything();
        let nodes = world.nodes(&held, &denials);
        let verdicts = judge(&nodes);
        // Another causal order: repeatedly any node whose parents are placed.
        let mut order: Vec<usize> = Vec::new();
        while order.len() < nodes.len() {
            let free: Vec<usize> = (0..nodes.len())
                .filter(|at| !order.contains(at))
                .filter(|at| nodes[*at].parents.iter().all(|p| order.contains(p)))
                .collect();
            order.push(free[world.random.below(free.len())]);
        }
        let place = |at: &usize| order.iter().position(|other| other == at).unwrap();
        let moved: Vec<Node> = order
            .iter()
            .map(|at| Node {
                parents: nodes[*at].parents.iter().map(place).collect(),
                ..nodes[*at].clone()
            })
            .collect();
        for (at, verdict) in order.iter().zip(judge(&moved)) {
            assert_eq!(verdicts[*at], verdict, "seed {seed}");
        }
    }
}
