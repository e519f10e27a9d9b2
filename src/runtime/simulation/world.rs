//! The scheduler: what happens next, to whom, and what must hold in the end.

use super::actions::{self, Ledger};
use super::link::Link;
use super::peer::Peer;
use super::random::Random;
use crate::model::{Role, Value, json};
use crate::space::check;
use tempfile::TempDir;

/// How a run goes.
#[derive(Clone, Copy)]
pub struct Plan {
    pub peers: usize,
    pub steps: usize,
    /// Whether devices are copied on the way.
    pub copies: usize,
    /// Whether things are undone, restored, branched and merged; then nobody counts what was written.
    pub rewinds: bool,
}

/// A space and everybody in it.
pub struct World {
    pub random: Random,
    pub peers: Vec<Peer>,
    pub links: Vec<Link>,
    pub folder: TempDir,
    pub ledger: Ledger,
    pub time: u64,
    links_made: u64,
    /// Peers of different sides cannot meet.
    sides: Vec<bool>,
    copies: usize,
    rewinds: bool,
    originals: usize,
}

impl World {
    /// One founder, and guests who have not joined.
    pub fn new(seed: u64, plan: Plan) -> World {
        let mut random = Random(seed);
        let folder = folder();
        let mut peers: Vec<Peer> = (0..plan.peers)
            .map(|name| Peer::new(name, random.next(), folder.path()))
            .collect();
        let space = peers[0].found();
        for peer in &peers {
            peer.remember(space);
        }
        World {
            random,
            sides: vec![false; peers.len()],
            peers,
            links: Vec::new(),
            folder,
            ledger: Ledger::default(),
            time: 0,
            links_made: 0,
            copies: plan.copies,
            rewinds: plan.rewinds,
            originals: plan.peers,
        }
    }

    /// Runs a plan from its seed to agreement.
    pub fn run(seed: u64, plan: Plan) -> World {
        let mut world = World::new(seed, plan);
        for _ in 0..plan.steps {
            world.step();
        }
        world.settle();
        world.check();
        world
    }

    /// Lets one thing happen.
    pub fn step(&mut self) {
        self.time += self.random.below(100) as u64;
        match self.random.below(100) {
            0..=44 => self.deliver_one(),
            45..=74 => self.act(),
            75..=80 => self.connect(),
            81..=83 => self.cut(),
            84..=87 => self.join(),
            88..=90 => self.restart(),
            91 => self.partition(),
            92..=94 => self.share_keys(),
            95 => self.rotate(),
            96 => self.copy(),
            _ => self.tick(),
        }
        self.links.retain(|link| link.broken.is_none());
        for link in &mut self.links {
            for end in 0..2 {
                if self.random.once_in(2) {
                    link.look(end, &self.peers);
                }
            }
        }
    }

    fn joined(&self) -> Vec<usize> {
        (0..self.peers.len())
            .filter(|at| self.peers[*at].core.is_some())
            .collect()
    }

    fn member(&mut self, least: Role) -> Option<usize> {
        let able: Vec<usize> = self
            .joined()
            .into_iter()
            .filter(|at| self.peers[*at].core().own_role() >= Some(least))
            .collect();
        (!able.is_empty()).then(|| *self.random.pick(&able))
    }

    fn act(&mut self) {
        let at = *self.random.pick(&self.joined());
        if self.rewinds && self.random.once_in(3) {
            return actions::rewind(&mut self.peers[at], &mut self.random, self.time);
        }
        actions::act(
            &mut self.peers[at],
            &mut self.random,
            &mut self.ledger,
            self.time,
        );
    }

    fn deliver_one(&mut self) {
        if self.links.is_empty() {
            return;
        }
        let at = self.random.below(self.links.len());
        let end = self.random.below(2);
        for _ in 0..=self.random.below(3) {
            self.deliver(at, end);
        }
    }

    fn deliver(&mut self, at: usize, end: usize) {
        let link = &mut self.links[at];
        if link.broken.is_some() {
            return;
        }
        link.deliver(end, &mut self.peers, self.time);
        // Among honest peers nobody breaks the protocol.
        assert_eq!(link.broken, None, "between {:?}", link.ends);
    }

    fn connect(&mut self) {
        let (a, b) = (
            self.random.below(self.peers.len()),
            self.random.below(self.peers.len()),
        );
        self.link(a, b);
    }

    /// A new link, unless there is one or they cannot meet.
    pub fn link(&mut self, a: usize, b: usize) {
        let ends = [a.min(b), a.max(b)];
        if a == b
            || self.sides[a] != self.sides[b]
            || self.links.iter().any(|link| link.ends == ends)
        {
            return;
        }
        // A device refuses to talk to itself.
        if self.peers[a].keyring.device_key() == self.peers[b].keyring.device_key() {
            return;
        }
        self.links_made += 1;
        self.links
            .push(Link::new(ends[0], ends[1], self.links_made));
    }

    fn cut(&mut self) {
        if !self.links.is_empty() {
            let at = self.random.below(self.links.len());
            self.links.swap_remove(at);
        }
    }

    fn join(&mut self) {
        let outside = self.peers.iter().position(|peer| peer.core.is_none());
        let (Some(guest), Some(host)) = (outside, self.member(Role::Admin)) else {
            return;
        };
        let roles: &[Role] = match self.peers[host].core().own_role() {
            Some(Role::Owner) => &[Role::Admin, Role::Admin, Role::Editor, Role::Reader],
            _ => &[Role::Editor, Role::Editor, Role::Reader],
        };
        let role = *self.random.pick(roles);
        let now = self.peers[host].now(self.time);
        actions::settle(&mut self.peers[host], now);
        let [host, guest] = self.peers.get_disjoint_mut([host, guest]).unwrap();
        guest.enter(host, role);
        host.share_due = true;
        guest.share_due = true;
    }

    fn restart(&mut self) {
        let at = *self.random.pick(&self.joined());
        self.peers[at].restart();
        self.links.retain(|link| !link.ends.contains(&at));
    }

    fn partition(&mut self) {
        for side in &mut self.sides {
            *side = self.random.once_in(2);
        }
        let sides = &self.sides;
        self.links
            .retain(|link| sides[link.ends[0]] == sides[link.ends[1]]);
    }

    fn share_keys(&mut self) {
        let at = *self.random.pick(&self.joined());
        self.peers[at].share_due = false;
        self.peers[at].core().share_keys().unwrap();
    }

    fn rotate(&mut self) {
        if let Some(at) = self.member(Role::Reader) {
            self.peers[at].core().renew_key().unwrap();
        }
    }

    fn copy(&mut self) {
        if self.copies == 0 || self.devices() < 2 {
            return;
        }
        self.copies -= 1;
        let at = *self.random.pick(&self.joined());
        self.links.retain(|link| !link.ends.contains(&at));
        let name = self.peers.len();
        let copy = self.peers[at].copy(name, self.folder.path());
        self.peers.push(copy);
        self.sides.push(self.sides[at]);
    }

    fn tick(&mut self) {
        self.time += 500;
        for link in &mut self.links {
            for end in 0..2 {
                link.tick(end, &self.peers, self.time);
            }
        }
    }

    /// Lets everybody meet until nobody has anything to say.
    pub fn settle(&mut self) {
        self.sides.fill(false);
        for at in 0..self.peers.len() {
            let now = self.peers[at].now(self.time);
            actions::settle(&mut self.peers[at], now);
            // A chain and some more, so that things travel over several hops.
            if at > 0 {
                self.link(at - 1, at);
                self.link(0, at);
            }
            // Copies of one device do not talk to each other.
            if self.peers.len() > self.originals {
                (0..at).for_each(|other| self.link(other, at));
            }
        }
        let mut quiet = 0;
        for round in 0.. {
            assert!(round < 2_000, "they never come to rest");
            let mut moved = self.pump();
            if !moved
                && let Some(at) = self
                    .joined()
                    .into_iter()
                    .find(|at| self.peers[*at].share_due)
            {
                self.peers[at].share_due = false;
                self.peers[at].core().share_keys().unwrap();
                moved = true;
            }
            quiet = if moved { 0 } else { quiet + 1 };
            if quiet > 3 {
                return;
            }
            // Long enough for whoever waits to ask again.
            self.time += 20_000;
            self.tick();
        }
    }

    /// Delivers everything that is under way; whether there was anything.
    fn pump(&mut self) -> bool {
        let mut moved = false;
        for at in 0..self.links.len() {
            for end in 0..2 {
                self.links[at].look(end, &self.peers);
                while self.links[at].waiting(end) > 0 {
                    moved = true;
                    self.deliver(at, end);
                }
            }
        }
        moved || self.links.iter().any(|link| !link.is_idle())
    }

    /// What must hold when everybody has met everybody.
    pub fn check(&mut self) {
        let joined = self.joined();
        let first = joined[0];
        let digest = self.peers[first].core().digest().unwrap();
        let heights = self.peers[first].core().heights();
        let rows = self.peers[first].core().everything().unwrap();
        let members = self.peers[first].core().authority().members();
        assert_eq!(
            members.iter().map(|m| m.devices.len()).sum::<usize>(),
            self.devices()
        );
        let written: Vec<_> = self
            .peers
            .iter()
            .flat_map(|peer| &peer.written)
            .copied()
            .collect();
        for at in joined {
            let peer = &mut self.peers[at];
            assert!(peer.set_aside.is_empty(), "peer {at}: {:?}", peer.set_aside);
            let core = peer.core();
            assert_eq!(core.heights(), heights, "heights of {at}");
            assert_eq!(core.authority().members(), members, "members of {at}");
            let counts = core.counts().unwrap();
            assert_eq!((counts.quarantined, counts.waiting), (0, 0), "peer {at}");
            assert_eq!(core.waiting_for_dependency(), 0, "peer {at}");
            let theirs = core.everything().unwrap();
            assert_eq!(theirs.len(), rows.len(), "rows of {at}");
            for (theirs, row) in theirs.iter().zip(&rows) {
                assert_eq!(theirs, row, "rows of {at}");
            }
            assert_eq!(core.digest().unwrap(), digest, "digest of {at}");
            for entry in &written {
                assert!(core.holds(entry).unwrap(), "peer {at} lacks {entry}");
            }
        }
        for link in &self.links {
            for end in 0..2 {
                if link.ends.iter().all(|at| self.peers[*at].core.is_some()) {
                    assert_eq!(
                        link.difference(end, &self.peers),
                        Some((0, 0)),
                        "{:?}",
                        link.ends
                    );
                }
            }
        }
        self.check_files();
        if !self.rewinds {
            self.check_ledger();
        }
    }

    /// What is stored is what this library would have written: rows and what they are found by say what
    /// documents say, and these hold what entries brought. It takes long, so of two peers only.
    fn check_files(&mut self) {
        let joined = self.joined();
        for at in [joined.first(), joined.last()].into_iter().flatten() {
            let core = self.peers[*at].core();
            let found = check(core.id(), core.reads(), &core.content_keys(), true).unwrap();
            // Blobs that objects name are nowhere in the simulation.
            assert!(found.faults.is_empty(), "peer {at}: {:?}", found.faults);
        }
    }

    fn devices(&self) -> usize {
        let joined = self.joined();
        let keys: std::collections::BTreeSet<_> = joined
            .iter()
            .map(|at| self.peers[*at].keyring.device_key())
            .collect();
        keys.len()
    }

    fn check_ledger(&mut self) {
        let core = self.peers[0].core();
        for (object, name, number) in &self.ledger.marks {
            let row = core
                .object(object)
                .unwrap()
                .expect("a marked object exists");
            let fields = json::parse_fields(&row.data).unwrap();
            assert_eq!(
                fields.get(name),
                Some(&Value::Int(*number)),
                "{object} {name}"
            );
        }
        for (object, count) in &self.ledger.inserted {
            let row = core
                .object(object)
                .unwrap()
                .expect("an object with a log exists");
            let fields = json::parse_fields(&row.data).unwrap();
            let Some(Value::Text(log)) = fields.get("log") else {
                panic!("{object} lost its log");
            };
            // An id that several peers took has several logs, of which one shows.
            if object.0.iter().any(|byte| *byte != object.0[0]) {
                assert_eq!(log.chars().count(), *count, "{object}");
            }
        }
    }
}

/// Where the files go: into memory where the system has a place for that.
pub fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .unwrap()
}
