//! Random histories, resolved in several orders of delivery and compared with the plain evaluator.
//! `ECHODB_RESOLVER_SEEDS=50000 cargo test --release --lib random_histories` runs that many,
//! from `ECHODB_RESOLVER_FIRST_SEED` on, so that several processes can share them.

use super::reference::Reference;
use super::tests::{
    Peer, Rng, Sent, World, close_op, invite_op, join_op, observe, refused, set_role, shuffle,
};
use super::*;
use crate::identity::{DeviceKeys, Issuer, Keyring, RecoveryPhrase, RecoveryStatement};
use crate::model::{EntryId, Role, limits};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

const ROLES: [Role; 5] = [
    Role::Relay,
    Role::Reader,
    Role::Editor,
    Role::Admin,
    Role::Owner,
];

/// A further device of a peer's identity, and the operation that adds it.
pub fn further_device(world: &mut World, peer: &Peer) -> (ControlOp, Peer) {
    let next = world.authority.next_device_order(&peer.header.identity);
    let order = next.max(peer.keyring.chain().certificate().order + 1);
    let rng = &mut world.rng;
    let keyring = peer.keyring.enrol(order, "phone", &mut |to| rng.fill(to));
    let certificate = keyring.chain().encode();
    (
        ControlOp::DeviceAdd { certificate },
        Peer::new(keyring, world.space),
    )
}

/// A recovery phrase, the statements that lead to it, and whose device stated the first.
struct Phrase {
    phrase: RecoveryPhrase,
    statements: Vec<Vec<u8>>,
    issuer: usize,
}

/// A space in which a history takes place, and who takes part.
struct Stage {
    world: World,
    peers: Vec<Peer>,
    /// What each wrote, by place in `peers`; a cloned device goes on from an earlier entry.
    written: Vec<Vec<(u64, EntryId)>>,
    /// What several know while each acts without the others.
    moment: Vec<EntryId>,
    keys: u8,
    /// Recovery phrases that were made.
    phrases: Vec<Phrase>,
}

impl Stage {
    /// Three levels of owners, each made by the one above, admins, an editor and a reader, three of
    /// them with a second device.
    fn set(seed: u64) -> Stage {
        let (mut world, creator) = World::create(seed);
        let mut peers = vec![creator];
        for (at, role) in [
            Role::Admin,
            Role::Admin,
            Role::Admin,
            Role::Editor,
            Role::Reader,
        ]
        .into_iter()
        .enumerate()
        {
            let guest = world.member(&mut peers[0], at as u8 + 1, role);
            peers.push(guest);
        }
        for (by, of) in [(0, 1), (1, 2)] {
            let op = set_role(&peers[of], Some(Role::Owner));
            assert_eq!(world.act(&mut peers[by], op), Verdict::Accepted);
        }
        for of in [0, 1, 4] {
            let (op, device) = further_device(&mut world, &peers[of]);
            assert_eq!(world.act(&mut peers[of], op), Verdict::Accepted);
            peers.push(device);
        }
        // Two who are not there yet.
        for _ in 0..2 {
            let peer = world.peer();
            peers.push(peer);
        }
        let written = peers.iter().map(|peer| peer.last.into_iter().collect());
        Stage {
            written: written.collect(),
            moment: world.authority.heads(),
            world,
            peers,
            keys: 0,
            phrases: Vec::new(),
        }
    }

    fn some_role(&mut self) -> Option<Role> {
        let at = self.world.rng.below(7);
        ROLES.get(at).copied()
    }

    fn op(&mut self, by: usize) -> ControlOp {
        let rng = &mut self.world.rng;
        let invitation = rng.below(7) as u8 + 1;
        let target = rng.below(self.peers.len());
        match rng.below(32) {
            26 | 27 => self.recovery(by),
            // Guests come by an invitation that somebody closes at the same time.
            22 | 23 | 28 | 29 => close_op(4 + rng.below(2) as u8),
            24 | 25 | 30 | 31 if by > 0 => {
                let (hot, role) = (4 + rng.below(2) as u8, ROLES[rng.below(3)]);
                join_op(self.world.space, &self.peers[by], hot, role)
            }
            // Against somebody who is likely to do something at the same time.
            20 | 21 => {
                let target = rng.below(5);
                set_role(
                    &self.peers[target],
                    [None, Some(Role::Reader)][rng.below(2)],
                )
            }
            0..=6 => {
                let role = self.some_role();
                set_role(&self.peers[target], role)
            }
            7 | 8 => ControlOp::DeviceRevoke {
                device: self.peers[target].header.device,
                heads: Vec::new(),
            },
            9 => {
                let (op, device) = further_device(&mut self.world, &self.peers[by]);
                if self.peers.len() < 14 {
                    self.peers.push(device);
                    self.written.push(Vec::new());
                }
                op
            }
            10 => ControlOp::Succession {
                identity: self.peers[target % 3].header.identity,
            },
            11 | 12 => {
                let role = self.some_role().unwrap_or(Role::Admin);
                invite_op(invitation, role)
            }
            13 => close_op(invitation),
            14 | 15 if by > 0 => {
                let role = self.some_role().unwrap_or(Role::Editor);
                join_op(self.world.space, &self.peers[by], invitation, role)
            }
            16 => ControlOp::Merge,
            17 | 18 => self.share(by),
            _ => {
                self.keys += 1;
                let heads = self.world.authority.heads();
                let generation = self.world.authority.next_generation(&heads);
                self.world.rotate_op(self.keys, generation)
            }
        }
    }

    /// A phrase, of one's own making, that another device of the identity made, or that is to take the
    /// place of one before.
    fn recovery(&mut self, by: usize) -> ControlOp {
        let identity = self.peers[by].header.identity;
        let of = |at: &usize| self.peers[*at].header.identity == identity;
        let own: Vec<usize> = (0..self.peers.len()).filter(of).collect();
        let rng = &mut self.world.rng;
        let issuer = own[rng.below(own.len())];
        let phrase = RecoveryPhrase::generate(&mut |to| rng.fill(to));
        let step = 1 + rng.below(3) as u64 / 2;
        let generation = self.world.authority.recovery_generation(&identity) + step;
        let recovery = phrase.key();
        let of = |known: &&Phrase| self.peers[known.issuer].header.identity == identity;
        let known: Vec<&Phrase> = self.phrases.iter().filter(of).collect();
        let at = self.world.rng.below(2 * known.len() + 1);
        let (statement, mut statements, issuer) = match known.get(at) {
            Some(before) => (
                before.phrase.replaced_by(&phrase, identity, generation),
                before.statements.clone(),
                before.issuer,
            ),
            None => {
                let keyring = &self.peers[issuer].keyring;
                let statement = keyring.recovery_statement(&phrase, generation);
                (statement, Vec::new(), issuer)
            }
        };
        statements.push(statement.clone());
        self.phrases.push(Phrase {
            phrase,
            statements,
            issuer,
        });
        ControlOp::RecoverySet {
            identity,
            recovery,
            statement,
        }
    }

    /// A new device that a phrase brings back, and its operation.
    fn recovered(&mut self) -> Option<(usize, ControlOp)> {
        if self.phrases.is_empty() || self.peers.len() >= 18 {
            return None;
        }
        let at = self.world.rng.below(self.phrases.len());
        let known = &self.phrases[at];
        let chain = self.peers[known.issuer].keyring.chain();
        let identity = &chain.certificate().identity;
        let order = self.world.authority.next_device_order(identity);
        let order = order.max(chain.certificate().order + 1);
        let rng = &mut self.world.rng;
        let keys = DeviceKeys::generate(&mut |to| rng.fill(to));
        let (phrase, statements) = (&known.phrase, &known.statements);
        let keyring = Keyring::recover(keys, phrase, chain, statements, order, "").unwrap();
        let certificate = keyring.chain().encode();
        self.peers.push(Peer::new(keyring, self.world.space));
        self.written.push(Vec::new());
        let op = ControlOp::DeviceAdd { certificate };
        Some((self.peers.len() - 1, op))
    }

    fn share(&mut self, by: usize) -> ControlOp {
        let known = self.world.authority.keys();
        let to = self.world.authority.entitled_devices();
        if known.is_empty() || to.is_empty() || self.keys == 0 {
            return ControlOp::Merge;
        }
        let secret = self.world.rng.below(self.keys.into()) as u8 + 1;
        let key = crate::feed::ContentKey::from_bytes([secret; 32]);
        let device = &to[(by + self.world.rng.below(to.len())) % to.len()];
        ControlOp::KeyShare {
            key_id: key.id(),
            wraps: vec![self.world.wrap(&key, device)],
        }
    }

    /// One entry: after everything known, or what was known a moment ago, or late, or on an earlier entry of its own feed, as a
    /// clone writes or somebody who pretends to know nothing of what came since.
    fn step(&mut self) {
        // Those who may do something more often than those who may not.
        let some = [self.peers.len(), 4][self.world.rng.below(2)];
        let by = self.world.rng.below(some);
        let back = match self.world.rng.below(10) {
            0 => self.recovered(),
            _ => None,
        };
        let (by, op) = match back {
            Some(back) => back,
            None => (by, self.op(by)),
        };
        let before = self.peers[by].last;
        let mut ctl = self.world.authority.heads();
        ctl.truncate(limits::ENTRY_CTL);
        if self.world.rng.below(6) == 0 {
            self.moment = ctl.clone();
        }
        let way = self.world.rng.below(20);
        if way < 8 {
            ctl = self.moment.clone();
        }
        if way >= 12 {
            let all = self.world.sent.len();
            let recent = [all, 10, 20][self.world.rng.below(3)].min(all);
            let at = all - 1 - self.world.rng.below(recent);
            ctl = vec![self.world.sent[at].entry.id];
        }
        if way >= 16 {
            let own = &self.written[by];
            let at = self.world.rng.below(own.len() + 1);
            self.peers[by].last = own.get(at).copied();
        }
        let verdict = self.world.act_after(&mut self.peers[by], ctl, op);
        let id = self.world.sent[self.world.sent.len() - 1].entry.id;
        if refused(&verdict) && !self.world.authority.remembers(&id) {
            // Nothing may build on a stranger's refused entry, so its author starts over.
            self.peers[by].last = before;
            self.world.sent.pop();
        } else {
            self.written[by].extend(self.peers[by].last);
        }
    }
}

/// The entries that stand.
fn standing(authority: &Authority, sent: &[Sent]) -> BTreeSet<EntryId> {
    let ids = sent.iter().map(|sent| sent.entry.id);
    ids.filter(|id| {
        let at = authority.graph.number(id);
        at.is_some_and(|at| authority.graph.deed(at).is_some() && authority.is_alive(at))
    })
    .collect()
}

fn compare_with_reference(world: &World, peers: &[Peer], seed: u64) {
    let (sent, authority) = (&world.sent, &world.authority);
    let reference = Reference::new(sent);
    for (at, one) in sent.iter().enumerate() {
        let node = authority.graph.find(&one.entry.id).unwrap();
        let accepted = reference.is_accepted(at);
        assert_eq!(
            node.refused.is_none(),
            accepted,
            "seed {seed} entry {at} {:?}: {:?}",
            one.op,
            node.refused
        );
    }
    let outcome = reference.outcome();
    let ids: BTreeSet<EntryId> = outcome.iter().map(|at| sent[at].entry.id).collect();
    let place = |id: &EntryId| sent.iter().position(|one| one.entry.id == *id);
    let found = standing(authority, sent);
    let differ: Vec<_> = ids.symmetric_difference(&found).map(place).collect();
    assert!(differ.is_empty(), "seed {seed}: {differ:?}");
    for peer in peers {
        let (identity, device) = (&peer.header.identity, &peer.header.device);
        let role = reference.role(outcome, identity);
        assert_eq!(authority.role(identity), role, "seed {seed}");
        let keys = authority.recoveries(identity).into_iter();
        let keys: Vec<_> = keys.map(|view| view.key).collect();
        assert_eq!(keys, reference.recoveries(outcome, identity), "seed {seed}");
        let acts = reference.device(outcome, device);
        let acts = acts.and_then(|of| Some((of, reference.role(outcome, &of)?)));
        assert_eq!(authority.role_of_device(device), acts, "seed {seed}");
    }
    for invitation in 1..8 {
        let ControlOp::InviteClose { invitation_key } = close_op(invitation) else {
            unreachable!("it closes")
        };
        let open = reference.invitation(outcome, &invitation_key);
        let view = authority.view(None).invitation(&invitation_key);
        assert_eq!(view, open, "seed {seed}");
    }
    let top = reference.top(outcome).map(|(top, _)| top);
    assert_eq!(
        authority.view(None).top().map(|(top, _)| top),
        top,
        "seed {seed}"
    );
}

/// Counts of what happened, so that a test that tests nothing is seen.
#[derive(Debug, Default)]
struct Tally {
    entries: usize,
    accepted: usize,
    voided: usize,
    hand_overs: usize,
    /// Joins that a concurrent closing of their invitation voids.
    closed: usize,
    /// Devices that a recovery phrase brought back, and phrases that ranked below another, and that
    /// took another's place by means of it.
    recovered: usize,
    junior: usize,
    replacing: usize,
}

impl Tally {
    /// What came of one history.
    fn count(&mut self, world: &World, peers: &[Peer], standing: &BTreeSet<EntryId>) {
        let stands = |one: &&Sent| standing.contains(&one.entry.id);
        let hand_overs = world.sent.iter().filter(stands);
        let closed = |cause: &&resolution::Cause| matches!(cause, resolution::Cause::Closed(_));
        let causes = world.authority.dead().causes.values();
        self.closed += causes.filter(closed).count();
        for peer in peers {
            let device = &peer.header.device;
            let by_phrase = matches!(peer.keyring.chain().enrolled_by(), Issuer::Recovery(_));
            let acts = world.authority.role_of_device(device).is_some();
            self.recovered += usize::from(by_phrase && acts);
            let keys = world.authority.recoveries(&peer.header.identity).len();
            self.junior += keys.saturating_sub(1);
        }
        let replacing = world.sent.iter().filter(stands).filter(|one| {
            let ControlOp::RecoverySet { statement, .. } = &one.op else {
                return false;
            };
            let said = RecoveryStatement::decode(statement).unwrap();
            said.device() != one.author.device && world.authority.chain_of(&said.device()).is_none()
        });
        self.replacing += replacing.count();
        let is_hand_over = |one: &&Sent| matches!(one.op, ControlOp::Succession { .. });
        self.hand_overs += hand_overs.filter(is_hand_over).count();
    }
}

fn run(seed: u64, tally: &mut Tally) {
    let mut stage = Stage::set(seed);
    let steps = 16 + stage.world.rng.below(40);
    for _ in 0..steps {
        stage.step();
    }
    let Stage { world, peers, .. } = stage;
    compare_with_reference(&world, &peers, seed);
    let expected = (
        observe(&world.authority),
        standing(&world.authority, &world.sent),
    );
    let verdicts: BTreeMap<EntryId, Verdict> = world
        .sent
        .iter()
        .map(|one| {
            let verdict = world.authority.check(&one.entry, &one.author, &one.op);
            (one.entry.id, verdict)
        })
        .collect();
    let mut rng = Rng(seed ^ 0x5eed);
    for order in 0..6 {
        let mut replica = Authority::new(world.space);
        for sent in shuffle(&world, &mut rng) {
            let verdict = replica.apply(&sent.entry, &sent.author, &sent.op);
            assert_eq!(
                verdict, verdicts[&sent.entry.id],
                "seed {seed} order {order}"
            );
            // Whether somebody asks in between must not matter either.
            if rng.below(4) == 0 {
                replica.members();
            }
        }
        let found = (observe(&replica), standing(&replica, &world.sent));
        assert_eq!(found, expected, "seed {seed} order {order}");
    }
    let owners = world.authority.members().into_iter();
    let owners = owners.filter(|member| member.role == Role::Owner).count();
    assert!(owners > 0, "seed {seed}: nobody owns the space");
    let accepted = verdicts
        .values()
        .filter(|v| **v == Verdict::Accepted)
        .count();
    tally.entries += world.sent.len();
    tally.accepted += accepted;
    tally.voided += accepted - expected.1.len();
    tally.count(&world, &peers, &expected.1);
}

#[test]
fn random_histories_resolve_alike_in_every_order_and_as_the_rules_say() {
    let number = |name| std::env::var(name).map(|n| n.parse::<u64>().expect("it is a number"));
    let seeds = number("ECHODB_RESOLVER_SEEDS").unwrap_or(100);
    let first = number("ECHODB_RESOLVER_FIRST_SEED").unwrap_or(0);
    let mut tally = Tally::default();
    for seed in first..first + seeds {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(seed, &mut tally))) {
            eprintln!("history {seed} failed: repeat it with ECHODB_RESOLVER_FIRST_SEED={seed}");
            resume_unwind(panic);
        }
    }
    println!("{seeds} histories: {tally:?}");
    let much = tally.accepted * 2 > tally.entries && tally.voided as u64 * 2 > seeds;
    let enough = tally.hand_overs as u64 * 20 > seeds && tally.closed as u64 * 4 > seeds;
    let back = tally.recovered as u64 * 20 > seeds && tally.junior as u64 * 20 > seeds;
    let replacing = tally.replacing as u64 * 40 > seeds;
    assert!(much && enough && back && replacing, "{tally:?}");
}
