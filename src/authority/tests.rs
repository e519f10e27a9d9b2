//! The world that the other tests play in, admission, and the order of delivery.

use super::*;
use crate::feed::{ContentKey, DeviceSigner, Entry, EntryDraft, FeedHeader, FeedKind};
use crate::identity::{DeviceChain, Keyring, Wrap, wrap_key};
use crate::model::{EntryId, Role, SpaceId, limits};

/// A small generator (SplitMix64), so that a failing history is named by its seed.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    pub fn fill(&mut self, to: &mut [u8]) {
        to.fill_with(|| self.next() as u8);
    }
}

/// A device with its control feed.
pub struct Peer {
    pub keyring: Keyring,
    pub header: FeedHeader,
    pub last: Option<(u64, EntryId)>,
}

impl Peer {
    pub fn new(keyring: Keyring, space: SpaceId) -> Peer {
        let header = FeedHeader {
            kind: FeedKind::Control,
            space,
            identity: keyring.identity_key(),
            device: keyring.device_key(),
            incarnation: [1; 16],
        };
        Peer {
            keyring,
            header,
            last: None,
        }
    }

    pub fn write(&mut self, space: SpaceId, ctl: Vec<EntryId>, op: ControlOp, salt: u8) -> Sent {
        self.write_salted(space, ctl, op, [salt; 16])
    }

    pub fn write_salted(
        &mut self,
        space: SpaceId,
        ctl: Vec<EntryId>,
        op: ControlOp,
        salt: [u8; 16],
    ) -> Sent {
        let (seq, prev) = match self.last {
            Some((seq, id)) => (seq + 1, id),
            None => (0, EntryId::ZERO),
        };
        let draft = EntryDraft {
            kind: FeedKind::Control,
            feed: self.header.feed_id(),
            seq,
            prev,
            ctl,
            deps: Vec::new(),
            salt,
            body: &op.encode(),
        };
        let entry = Entry::seal(draft, None, space, self.keyring.device_signer()).unwrap();
        self.last = Some((seq, entry.id));
        Sent {
            entry,
            author: self.header.clone(),
            op,
        }
    }
}

/// An entry on its way.
#[derive(Clone)]
pub struct Sent {
    pub entry: Entry,
    pub author: FeedHeader,
    pub op: ControlOp,
}

/// A space with its creator, as the tests drive it.
pub struct World {
    pub space: SpaceId,
    pub authority: Authority,
    pub sent: Vec<Sent>,
    pub rng: Rng,
}

impl World {
    pub fn create(seed: u64) -> (World, Peer) {
        let mut rng = Rng(seed);
        let keyring = Keyring::generate(&mut |to| rng.fill(to));
        World::found(rng, keyring)
    }

    pub fn found(rng: Rng, keyring: Keyring) -> (World, Peer) {
        let mut creator = Peer::new(keyring, SpaceId::ZERO);
        let op = ControlOp::Genesis {
            creator: creator.keyring.identity_key(),
            certificate: creator.keyring.chain().encode(),
            display_name: "Ada".into(),
            nonce: [3; 16],
        };
        let genesis = creator.write(SpaceId::ZERO, Vec::new(), op, 0);
        let space = crate::feed::genesis_space_id(&genesis.entry);
        let mut world = World {
            space,
            authority: Authority::new(space),
            sent: Vec::new(),
            rng,
        };
        assert_eq!(world.deliver(genesis), Verdict::Accepted);
        (world, creator)
    }

    pub fn deliver(&mut self, sent: Sent) -> Verdict {
        let verdict = self.authority.apply(&sent.entry, &sent.author, &sent.op);
        self.sent.push(sent);
        verdict
    }

    pub fn peer(&mut self) -> Peer {
        let keyring = Keyring::generate(&mut |to| self.rng.fill(to));
        Peer::new(keyring, self.space)
    }

    /// Writes after everything known.
    pub fn act(&mut self, peer: &mut Peer, op: ControlOp) -> Verdict {
        let mut heads = self.authority.heads();
        heads.truncate(limits::ENTRY_CTL);
        self.act_after(peer, heads, op)
    }

    pub fn act_after(&mut self, peer: &mut Peer, ctl: Vec<EntryId>, op: ControlOp) -> Verdict {
        let sent = peer.write(self.space, ctl, op, self.sent.len() as u8);
        self.deliver(sent)
    }

    pub fn invite(&mut self, host: &mut Peer, seed: u8, cap: Role) -> Verdict {
        self.act(host, invite_op(seed, cap))
    }

    pub fn join(&mut self, guest: &mut Peer, seed: u8, role: Role) -> Verdict {
        let op = join_op(self.space, guest, seed, role);
        self.act(guest, op)
    }

    /// A guest who has just joined through invitation `seed`.
    pub fn member(&mut self, host: &mut Peer, seed: u8, role: Role) -> Peer {
        assert_eq!(self.invite(host, seed, role), Verdict::Accepted);
        let mut guest = self.peer();
        assert_eq!(self.join(&mut guest, seed, role), Verdict::Accepted);
        guest
    }

    pub fn rotate_op(&mut self, secret: u8, generation: u64) -> ControlOp {
        let key = ContentKey::from_bytes([secret; 32]);
        let mut wraps = Vec::new();
        for device in self.authority.entitled_devices() {
            wraps.push(self.wrap(&key, &device));
        }
        ControlOp::KeyRotate {
            key_id: key.id(),
            generation,
            wraps,
            back_link: None,
        }
    }

    pub fn wrap(&mut self, key: &ContentKey, to: &DeviceView) -> Wrap {
        let info = key_wrap_info(self.space, &key.id());
        let mut random = |to: &mut [u8]| self.rng.fill(to);
        wrap_key(&to.hpke, to.device, &info, key.as_bytes(), &mut random).unwrap()
    }
}

pub fn invite_op(seed: u8, cap: Role) -> ControlOp {
    ControlOp::InviteOpen {
        invitation_key: DeviceSigner::from_seed([seed; 32]).public().0,
        role_cap: cap,
        expires_hint_ms: 1,
    }
}

pub fn links(keyring: &Keyring) -> Vec<Vec<u8>> {
    let links = keyring.chain().links().iter();
    links.map(|link| link.to_vec()).collect()
}

pub fn join_op(space: SpaceId, guest: &Peer, seed: u8, role: Role) -> ControlOp {
    let invitation = DeviceSigner::from_seed([seed; 32]);
    let (identity, device) = (guest.header.identity, guest.header.device);
    ControlOp::Join {
        identity,
        display_name: "Bob".into(),
        certificates: links(&guest.keyring),
        role,
        invitation_key: invitation.public().0,
        signature: invitation.sign(&join_signing_bytes(space, identity, device, role)),
    }
}

pub fn close_op(seed: u8) -> ControlOp {
    ControlOp::InviteClose {
        invitation_key: DeviceSigner::from_seed([seed; 32]).public().0,
    }
}

pub fn set_role(peer: &Peer, role: Option<Role>) -> ControlOp {
    ControlOp::SetRole {
        identity: peer.header.identity,
        role,
        heads: Vec::new(),
    }
}

/// What the device shows that an operation brings in.
pub fn chain_in(op: &ControlOp) -> Option<DeviceChain> {
    match op {
        ControlOp::Genesis { certificate, .. } | ControlOp::DeviceAdd { certificate } => {
            DeviceChain::decode(certificate).ok()
        }
        ControlOp::Join { certificates, .. } => DeviceChain::from_links(certificates).ok(),
        _ => None,
    }
}

pub fn refused(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Refused(_))
}

#[test]
fn invitations_admit_up_to_their_cap_until_closed() {
    let (mut world, mut creator) = World::create(2);
    let mut bob = world.member(&mut creator, 1, Role::Editor);
    assert_eq!(
        world.authority.role(&bob.header.identity),
        Some(Role::Editor)
    );
    let mut greedy = world.peer();
    assert!(refused(&world.join(&mut greedy, 1, Role::Admin)));
    let mut stranger = world.peer();
    assert!(refused(&world.join(&mut stranger, 9, Role::Reader)));
    assert!(refused(&world.invite(&mut bob, 7, Role::Reader)));
    assert!(refused(&world.act(&mut bob, close_op(1))));
    assert!(refused(&world.invite(&mut creator, 8, Role::Owner)));
    // Joining again with less is accepted and lowers nothing.
    assert_eq!(world.join(&mut bob, 1, Role::Reader), Verdict::Accepted);
    assert_eq!(
        world.authority.role(&bob.header.identity),
        Some(Role::Editor)
    );
    let before_close = world.authority.heads();
    assert_eq!(world.act(&mut creator, close_op(1)), Verdict::Accepted);
    let mut late = world.peer();
    assert!(refused(&world.join(&mut late, 1, Role::Editor)));
    // A join concurrent with the closing has its place, and no effect.
    let mut concurrent = world.peer();
    let op = join_op(world.space, &concurrent, 1, Role::Editor);
    let verdict = world.act_after(&mut concurrent, before_close, op);
    assert_eq!(verdict, Verdict::Accepted);
    let key = DeviceSigner::from_seed([1; 32]).public().0;
    let expected = InviteView {
        key,
        role_cap: Role::Editor,
        open: false,
        hint: InviteHint::unpack(1),
        joins: 2,
    };
    assert_eq!(world.authority.invitation(&key), Some(expected));
    assert_eq!(world.authority.role(&concurrent.header.identity), None);
    assert!(world.authority.open_invitations().is_empty());
}

#[test]
fn a_join_is_for_the_guest_that_was_signed() {
    let (mut world, mut creator) = World::create(3);
    world.invite(&mut creator, 1, Role::Editor);
    let (alice, mut mallory) = (world.peer(), world.peer());
    // Mallory sends Alice's join in its own feed, or its own join under Alice's signature.
    let alices = join_op(world.space, &alice, 1, Role::Editor);
    assert!(refused(&world.act(&mut mallory, alices.clone())));
    let mut mallory = world.peer();
    let mut mixed = join_op(world.space, &mallory, 1, Role::Editor);
    if let (
        ControlOp::Join { signature: to, .. },
        ControlOp::Join {
            signature: from, ..
        },
    ) = (&mut mixed, &alices)
    {
        *to = *from;
    }
    assert!(refused(&world.act(&mut mallory, mixed)));
    // A signature made for another space.
    let mut mallory = world.peer();
    let elsewhere = join_op(SpaceId([5; 32]), &mallory, 1, Role::Editor);
    assert!(refused(&world.act(&mut mallory, elsewhere)));
    assert_eq!(world.authority.members().len(), 1);
}

#[test]
fn refused_entries_of_members_keep_their_place_and_strangers_leave_none() {
    let (mut world, mut creator) = World::create(4);
    let mut bob = world.member(&mut creator, 1, Role::Reader);
    assert!(refused(&world.invite(&mut bob, 7, Role::Relay)));
    let heads = world.authority.heads();
    assert!(!heads.contains(&bob.last.unwrap().1));
    // Bob's feed goes on after the refused entry.
    assert_eq!(world.join(&mut bob, 1, Role::Reader), Verdict::Accepted);
    let before = world.authority.clone().heads();
    let mut stranger = world.peer();
    let unknown = ControlOp::Unknown(200, vec![1]);
    assert!(refused(&world.act(&mut stranger, unknown)));
    assert_eq!(world.authority.heads(), before);
    let stranded = stranger.last.unwrap().1;
    let verdict = world.act_after(&mut creator, vec![stranded], close_op(1));
    assert!(refused(&verdict), "{verdict:?}");
}

#[test]
fn entries_must_continue_their_feed_and_their_space() {
    let (mut world, mut creator) = World::create(10);
    world.invite(&mut creator, 1, Role::Editor);
    let mut gap = Peer::new(
        Keyring::decode(&creator.keyring.encode()).unwrap(),
        SpaceId::ZERO,
    );
    gap.last = creator.last.map(|(seq, id)| (seq + 1, id));
    assert!(refused(&world.act(&mut gap, close_op(1))));
    // A feed without a space is the creating one or none.
    let copy = Keyring::decode(&creator.keyring.encode()).unwrap();
    let mut second = Peer::new(copy, SpaceId::ZERO);
    second.header.incarnation = [2; 16];
    assert!(refused(&world.act(&mut second, close_op(1))));
    let mut foreign = world.peer();
    foreign.header.space = SpaceId([9; 32]);
    assert!(refused(&world.join(&mut foreign, 1, Role::Editor)));
}

/// Everything a peer can observe, to compare peers with.
pub fn observe(authority: &Authority) -> String {
    format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        authority.heads(),
        authority.members(),
        authority.entitled_devices(),
        authority.keys(),
        authority.usable_keys(),
        authority.missing_wraps(),
        authority.back_links(),
    )
}

/// A random operation, sensible or not.
fn random_op(world: &mut World, peers: &[Peer], by: usize) -> ControlOp {
    let seed = world.rng.below(4) as u8 + 1;
    let target = &peers[world.rng.below(peers.len())];
    let roles = [
        Role::Relay,
        Role::Reader,
        Role::Editor,
        Role::Admin,
        Role::Owner,
    ];
    let role = roles[world.rng.below(5)];
    match world.rng.below(10) {
        0 | 1 => invite_op(seed, role),
        2 => close_op(seed),
        3..=5 => join_op(world.space, &peers[by], seed, role),
        6 => set_role(target, (world.rng.below(3) > 0).then_some(role)),
        7 if world.rng.below(3) == 0 => ControlOp::DeviceRevoke {
            device: target.header.device,
            heads: Vec::new(),
        },
        8 => {
            let rng = &mut world.rng;
            let device = peers[by].keyring.enrol(1, "spare", &mut |to| rng.fill(to));
            ControlOp::DeviceAdd {
                certificate: device.chain().encode(),
            }
        }
        _ => {
            let secret = world.rng.below(200) as u8;
            let generation = world
                .authority
                .keys()
                .first()
                .map_or(1, |k| k.generation + 1);
            world.rotate_op(secret, generation)
        }
    }
}

/// A history of peers that see one another late: each entry builds on a random past.
fn random_history(seed: u64) -> World {
    let (mut world, creator) = World::create(seed);
    let mut peers = vec![creator];
    for _ in 0..4 {
        let peer = world.peer();
        peers.push(peer);
    }
    for step in 0..60 {
        // The creator invites first, or little of what follows would be accepted.
        let by = if step < 4 {
            0
        } else {
            world.rng.below(peers.len())
        };
        let op = match step {
            0..4 => invite_op(step as u8 + 1, [Role::Admin, Role::Editor][step % 2]),
            _ => random_op(&mut world, &peers, by),
        };
        let lag = world.rng.below(6);
        let old = world.sent.len().saturating_sub(lag + 1);
        let ctl = if step >= 4 && lag > 0 {
            vec![world.sent[old].entry.id]
        } else {
            let mut heads = world.authority.heads();
            heads.truncate(limits::ENTRY_CTL);
            heads
        };
        let before = peers[by].last;
        let verdict = world.act_after(&mut peers[by], ctl, op);
        let id = world.sent[world.sent.len() - 1].entry.id;
        if refused(&verdict) && world.authority.graph.find(&id).is_none() {
            // Nothing may build on a stranger's refused entry, so its author starts over.
            peers[by].last = before;
            world.sent.pop();
        }
    }
    world
}

/// The entries in a random order that puts parents before children.
pub fn shuffle(world: &World, rng: &mut Rng) -> Vec<Sent> {
    let mut waiting = world.sent.clone();
    let mut placed = std::collections::HashSet::from([EntryId::ZERO]);
    let mut order = Vec::new();
    while !waiting.is_empty() {
        let ready = |sent: &Sent| {
            let header = &sent.entry.header;
            header
                .ctl
                .iter()
                .chain([&header.prev])
                .all(|id| placed.contains(id))
        };
        let ready: Vec<_> = (0..waiting.len()).filter(|i| ready(&waiting[*i])).collect();
        let sent = waiting.swap_remove(ready[rng.below(ready.len())]);
        placed.insert(sent.entry.id);
        order.push(sent);
    }
    order
}

/// The entries in every order that puts parents before children: for short histories.
pub fn all_orders(world: &World) -> Vec<Vec<Sent>> {
    fn go_on(left: &[Sent], order: &mut Vec<Sent>, all: &mut Vec<Vec<Sent>>) {
        if left.is_empty() {
            return all.push(order.clone());
        }
        for (at, sent) in left.iter().enumerate() {
            let header = &sent.entry.header;
            let mut parents = header.ctl.iter().chain([&header.prev]);
            if parents.any(|parent| left.iter().any(|other| other.entry.id == *parent)) {
                continue;
            }
            let mut rest = left.to_vec();
            order.push(rest.remove(at));
            go_on(&rest, order, all);
            order.pop();
        }
    }
    let mut all = Vec::new();
    go_on(&world.sent, &mut Vec::new(), &mut all);
    all
}

#[test]
fn the_order_of_delivery_does_not_matter() {
    let (mut accepted, mut total) = (0, 0);
    for seed in 0..60 {
        let mut world = random_history(1000 + seed);
        let expected = observe(&world.authority);
        let mut rng = Rng(seed);
        for round in 0..4 {
            let mut replica = Authority::new(world.space);
            for sent in shuffle(&world, &mut rng) {
                let verdict = replica.apply(&sent.entry, &sent.author, &sent.op);
                let first = world.authority.apply(&sent.entry, &sent.author, &sent.op);
                assert_eq!(verdict, first, "seed {seed} round {round}");
                accepted += usize::from(verdict == Verdict::Accepted);
                total += 1;
            }
            assert_eq!(observe(&replica), expected, "seed {seed} round {round}");
        }
    }
    // Were nearly everything refused, equality would mean little.
    assert!(accepted * 4 > total, "{accepted} of {total}");
}
