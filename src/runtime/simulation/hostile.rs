//! Members who lie. Whatever a member signs, nothing panics, and peers who received the same
//! entries, in whatever order, agree on what became of each.

use super::actions::{self, Ledger};
use super::peer::Peer;
use super::random::Random;
use super::seeds;
use crate::authority::ControlOp;
use crate::feed::{
    ContentKey, DataBody, Dep, DeviceSigner, Entry, EntryDraft, FeedHeader, FeedKind, sha256,
};
use crate::model::{EntryId, ObjectId, Operation, Role, SpaceId, Value};
use crate::objects::Document;
use crate::space::{EntryStatus, Ingest, new_actor};
use bytes::Bytes;
use std::collections::BTreeMap;

/// What travels: a feed's header and an entry.
pub(super) type Sent = (Bytes, Bytes);

/// A data feed that a liar writes by hand.
pub(super) struct Pen<'a> {
    header: FeedHeader,
    signer: &'a DeviceSigner,
    space: SpaceId,
    key: ContentKey,
    pub actor: [u8; 16],
    next: (u64, EntryId),
}

impl<'a> Pen<'a> {
    pub fn new(liar: &'a Peer, random: &mut Random, key: ContentKey, space: SpaceId) -> Pen<'a> {
        let mut incarnation = [0; 16];
        random.fill(&mut incarnation);
        let header = FeedHeader {
            kind: FeedKind::Data,
            space,
            identity: liar.keyring.identity_key(),
            device: liar.keyring.device_key(),
            incarnation,
        };
        Pen {
            actor: new_actor(&header.feed_id(), &mut |to| random.fill(to)),
            header,
            signer: liar.keyring.device_signer(),
            space,
            key,
            next: (0, EntryId::ZERO),
        }
    }

    pub fn draft<'b>(
        &self,
        random: &mut Random,
        ctl: &[EntryId],
        body: &'b [u8],
    ) -> EntryDraft<'b> {
        let mut salt = [0; 16];
        random.fill(&mut salt);
        EntryDraft {
            kind: FeedKind::Data,
            feed: self.header.feed_id(),
            seq: self.next.0,
            prev: self.next.1,
            ctl: ctl.to_vec(),
            deps: Vec::new(),
            salt,
            body,
        }
    }

    pub fn seal(&mut self, draft: EntryDraft<'_>, advance: bool) -> Option<Sent> {
        let entry = Entry::seal(draft, Some(&self.key), self.space, self.signer).ok()?;
        if advance {
            self.next = (entry.header.seq + 1, entry.id);
        }
        Some((
            Bytes::from(self.header.sign(self.signer)),
            entry.bytes().clone(),
        ))
    }
}

/// Everything a peer stored, with the headers of the feeds.
pub(super) fn all(peer: &mut Peer) -> Vec<Sent> {
    let core = peer.core();
    let mut sent = Vec::new();
    let mut after = 0;
    loop {
        let some = core.entries_after(after, 1 << 20).unwrap();
        let Some(last) = some.last() else {
            return sent;
        };
        after = last.n;
        sent.extend(
            some.iter()
                .map(|e| (core.feed_header(&e.feed).unwrap().0, e.bytes.clone())),
        );
    }
}

pub(super) fn take(peer: &mut Peer, sent: &[Sent]) {
    for (header, entry) in sent {
        let now = peer.now(0);
        actions::settle(peer, now);
        // Each as if from a session of its own, which ends if the entry breaks the protocol.
        if peer.core().add_feed(header).is_ok() {
            let _ = peer
                .core()
                .ingest(vec![entry.clone()], &mut Ingest::default());
        }
    }
}

/// A founder, a liar, an honest writer and three who watch; all know each other.
fn company(seed: u64, folder: &std::path::Path) -> (Vec<Peer>, SpaceId) {
    company_of(seed, folder, 6, Role::Editor)
}

/// So many, of whom all but the founder have a role.
pub(super) fn company_of(
    seed: u64,
    folder: &std::path::Path,
    size: usize,
    role: Role,
) -> (Vec<Peer>, SpaceId) {
    let mut random = Random(seed);
    let mut peers: Vec<Peer> = (0..size)
        .map(|name| Peer::new(name, random.next(), folder))
        .collect();
    let space = peers[0].found();
    for at in 1..peers.len() {
        let [host, guest] = peers.get_disjoint_mut([0, at]).unwrap();
        guest.enter(host, role);
        let join = all(guest);
        take(host, &join);
        host.core().share_keys().unwrap();
    }
    let known = all(&mut peers[0]);
    for peer in &mut peers {
        peer.remember(space);
        take(peer, &known);
    }
    (peers, space)
}

/// The changes that a peer's entries hold.
fn changes_of(peer: &mut Peer) -> Vec<(ObjectId, Vec<u8>)> {
    let space = peer.core().id();
    let mut changes = Vec::new();
    for (_, bytes) in all(peer) {
        let entry = Entry::decode(bytes, space).unwrap();
        let key = peer.core().content_key(&entry.header.key_id);
        if entry.header.kind == FeedKind::Data {
            let body = DataBody::decode(&entry.open(key.as_ref()).unwrap()).unwrap();
            changes.extend(body.changes);
        }
    }
    changes
}

/// A valid change, possibly built on what others wrote without saying so.
fn own_change(
    pen: &Pen<'_>,
    random: &mut Random,
    known: &[(ObjectId, Vec<u8>)],
) -> (ObjectId, Vec<Vec<u8>>) {
    let object = match known.is_empty() || random.once_in(3) {
        true => ObjectId([random.below(3) as u8 + 1; 16]),
        false => random.pick(known).0,
    };
    let mut document = Document::new(pen.actor);
    let of_it: Vec<_> = known
        .iter()
        .filter(|(of, _)| *of == object)
        .map(|(_, c)| c.clone())
        .collect();
    let some = random.below(of_it.len() + 1);
    let _ = document.apply_remote(&of_it[..some]);
    let fields = BTreeMap::from([
        ("lie".to_owned(), Value::Int(random.next() as i64)),
        ("body".to_owned(), Value::Text("lies".to_owned())),
    ]);
    let mut changes = Vec::new();
    for _ in 0..=random.below(2) {
        let mut fields = fields.clone();
        fields.insert(format!("n{}", random.below(5)), Value::Bool(true));
        if document
            .apply(&Operation::Update { object, fields })
            .is_ok()
        {
            changes.extend(document.commit(random.next() >> 20, None).unwrap());
        }
    }
    (object, changes)
}

/// Changes bytes of a change and makes its checksum right again.
fn mutate(change: &mut [u8], random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(change.len());
        change[at] = match random.below(3) {
            0 => random.next() as u8,
            1 => change[at].wrapping_add(1),
            _ => change[at] ^ (1 << random.below(8)),
        };
    }
    if change.len() > 9 {
        let hash = sha256(&[&change[8..]]);
        change[4..8].copy_from_slice(&hash[..4]);
    }
}

fn body(pen: &Pen<'_>, random: &mut Random, known: &[(ObjectId, Vec<u8>)]) -> Vec<u8> {
    let (object, own) = own_change(pen, random, known);
    let mut changes: Vec<_> = own.into_iter().map(|change| (object, change)).collect();
    match random.below(9) {
        0 => return (0..random.below(60)).map(|_| random.next() as u8).collect(),
        1 => {
            changes = (0..1025u64)
                .map(|n| (ObjectId::from_parts(n, [0; 10]), Vec::new()))
                .collect()
        }
        2 | 3 => changes
            .iter_mut()
            .for_each(|(_, change)| mutate(change, random)),
        4 => changes.extend(changes.clone()),
        5 if !known.is_empty() => changes.push(random.pick(known).clone()),
        6 => drop(changes.pop()),
        7 => changes.reverse(),
        _ => {}
    }
    let mut bytes = DataBody {
        clock_ms: random.next(),
        changes,
    }
    .encode();
    if random.once_in(8) {
        let at = random.below(bytes.len());
        bytes[at] ^= 1 << random.below(8);
    }
    bytes
}

/// What a liar sends: mostly well-formed entries with something wrong in them.
fn lies(
    pen: &mut Pen<'_>,
    random: &mut Random,
    known: &[(ObjectId, Vec<u8>)],
    ids: &[EntryId],
    ctl: &[EntryId],
) -> Vec<Sent> {
    let mut sent = Vec::new();
    for n in 0..12 {
        let plain = body(pen, random, known);
        let ctl = if n == 0 { ctl } else { &[] };
        let mut draft = pen.draft(random, ctl, &plain);
        let mut advance = true;
        match random.below(12) {
            0 => draft.ctl = vec![*random.pick(ids)],
            1 => draft.ctl = vec![EntryId([9; 32])],
            2 => {
                draft.seq += 1 + random.below(3) as u64;
                advance = false;
            }
            3 if draft.seq > 0 => {
                draft.prev = *random.pick(ids);
                advance = false;
            }
            4 => {
                let id = *random.pick(ids);
                draft.deps = vec![Dep {
                    feed: pen.header.feed_id(),
                    seq: 0,
                    id,
                }];
                advance = false;
            }
            5 => advance = random.once_in(2) && n > 0,
            _ => {}
        }
        // A branch of its own feed must be made under another actor: see the module of branches.
        if !advance {
            pen.actor = new_actor(&pen.header.feed_id(), &mut |to| random.fill(to));
        }
        let Some((header, entry)) = pen.seal(draft, advance) else {
            continue;
        };
        if random.once_in(6) {
            let mut bytes = entry.to_vec();
            let at = random.below(bytes.len());
            bytes[at] ^= 1 << random.below(8);
            sent.push((header.clone(), Bytes::from(bytes)));
        }
        sent.push((header, entry));
    }
    sent
}

/// What became of every entry.
pub(super) fn verdicts(peer: &mut Peer) -> BTreeMap<EntryId, (EntryStatus, String)> {
    let all = peer.core().entries_after(0, usize::MAX).unwrap();
    let mut after = all.last().map_or(0, |e| e.n);
    let mut verdicts = all;
    loop {
        let more = peer.core().entries_after(after, usize::MAX).unwrap();
        let Some(last) = more.last() else { break };
        after = last.n;
        verdicts.extend(more);
    }
    verdicts
        .into_iter()
        .map(|e| {
            // What an entry waits for is told as of its arrival; a refusal's code must be the same.
            let reason = match e.status {
                EntryStatus::Waiting => String::new(),
                _ => e.reason.unwrap_or_default(),
            };
            let code = reason.split(':').next().unwrap_or_default();
            (e.id, (e.status, code.to_owned()))
        })
        .collect()
}

/// A control entry by the founder's hand: the liar is removed.
fn removal(founder: &mut Peer, liar: &Peer, random: &mut Random) -> Sent {
    let space = founder.core().id();
    let mut incarnation = [0; 16];
    random.fill(&mut incarnation);
    let header = FeedHeader {
        kind: FeedKind::Control,
        space,
        identity: founder.keyring.identity_key(),
        device: founder.keyring.device_key(),
        incarnation,
    };
    let op = ControlOp::SetRole {
        identity: liar.keyring.identity_key(),
        role: [None, Some(Role::Reader)][random.below(2)],
        heads: Vec::new(),
    };
    let draft = EntryDraft {
        kind: FeedKind::Control,
        feed: header.feed_id(),
        seq: 0,
        prev: EntryId::ZERO,
        ctl: founder.core().authority().heads(),
        deps: Vec::new(),
        salt: [1; 16],
        body: &op.encode(),
    };
    let signer = founder.keyring.device_signer();
    let entry = Entry::seal(draft, None, space, signer).unwrap();
    (Bytes::from(header.sign(signer)), entry.bytes().clone())
}

fn run(seed: u64) {
    let folder = super::world::folder();
    let (mut peers, space) = company(seed, folder.path());
    let mut random = Random(seed ^ 0x0bad_cafe);
    let ctl = peers[0].core().authority().heads();
    for step in 0..12 {
        actions::act(&mut peers[2], &mut random, &mut Ledger::default(), step);
    }
    let now = peers[2].now(0);
    actions::settle(&mut peers[2], now);
    let honest = all(&mut peers[2]);
    let known = changes_of(&mut peers[2]);
    let ids: Vec<EntryId> = verdicts(&mut peers[2]).into_keys().collect();
    let key_id = peers[0].core().authority().writing_key().unwrap();
    let key = peers[0].core().content_key(&key_id).unwrap();
    let good: Vec<EntryId> = peers[2].written.clone();
    let mut sent = honest;
    if random.once_in(2) {
        let [founder, liar] = peers.get_disjoint_mut([0, 1]).unwrap();
        sent.push(removal(founder, liar, &mut random));
    }
    let mut pen = Pen::new(&peers[1], &mut random, key, space);
    sent.extend(lies(&mut pen, &mut random, &known, &ids, &ctl));
    let mut seen = None;
    for (at, watcher) in peers.iter_mut().enumerate().take(6).skip(3) {
        random.shuffle(&mut sent);
        // Asked again for what had no place: several rounds, and a restart between.
        for round in 0..3 {
            take(watcher, &sent);
            if round == at - 3 {
                watcher.restart();
            }
        }
        let now = (
            verdicts(watcher),
            watcher.core().heights(),
            watcher.core().everything().unwrap(),
            watcher.core().digest().unwrap(),
            watcher.core().authority().members(),
        );
        for id in &good {
            let verdict = now.0.get(id).map(|(status, _)| *status);
            assert_eq!(verdict, Some(EntryStatus::Applied), "an honest entry {id}");
        }
        let Some(before) = &seen else {
            seen = Some(now);
            continue;
        };
        for (id, verdict) in &now.0 {
            assert_eq!(before.0.get(id), Some(verdict), "{id}");
        }
        assert_eq!(before.0.len(), now.0.len());
        assert!(*before == now, "rows, digests or members differ");
    }
}

#[test]
fn sim_liars_divide_nobody() {
    seeds(60, |seed| run(seed.wrapping_add(3 << 32)));
}
