//! Members are removed, demoted and come back, while they write, merge and lie: peers who received
//! the same entries, in whatever order and however often they were restarted, agree on what counts,
//! and honest members keep what they wrote.

use super::actions;
use super::hostile::{Pen, Sent, all, company_of, take};
use super::peer::Peer;
use super::random::Random;
use super::seeds;
use crate::feed::DataBody;
use crate::model::{EntryId, ErrorKind, ObjectId, Operation, Role, Value};
use crate::objects::Document;
use crate::space::{EntryStatus, ObjectRow};
use std::collections::{BTreeMap, BTreeSet};

/// Everything that peers must agree on.
#[derive(Debug, PartialEq)]
pub(super) struct State {
    pub verdicts: BTreeMap<EntryId, (EntryStatus, String)>,
    /// Those that count because a member vouches for them. Which of several does is not agreed on.
    pub endorsed: BTreeSet<EntryId>,
    heads: Vec<EntryId>,
    rows: Vec<ObjectRow>,
    digest: [u8; 32],
    excluded: usize,
}

pub(super) fn state(peer: &mut Peer) -> State {
    let core = peer.core();
    let excluded = core.excluded().unwrap();
    let endorsed = core.log(1000, None).unwrap().into_iter();
    State {
        endorsed: endorsed
            .filter(|logged| logged.endorsed_by.is_some())
            .map(|logged| logged.entry)
            .collect(),
        heads: core.data_head_ids(),
        rows: core.everything().unwrap(),
        digest: core.digest().unwrap(),
        excluded: excluded.len(),
        verdicts: super::hostile::verdicts(peer),
    }
}

pub(super) fn write(peer: &mut Peer, object: ObjectId, name: &str, value: i64) -> EntryId {
    let fields = BTreeMap::from([(name.to_owned(), Value::Int(value))]);
    let now = peer.now(0);
    let core = peer.core();
    let operation = match core.object(&object).unwrap() {
        Some(_) => Operation::Update { object, fields },
        None => Operation::Create {
            object,
            type_name: None,
            fields,
        },
    };
    let outcome = core.transact(&[operation], None, None, now).unwrap();
    outcome.entry.unwrap()
}

pub(super) fn object(n: u8) -> ObjectId {
    ObjectId([n; 16])
}

pub(super) fn field(peer: &mut Peer, of: ObjectId, name: &str) -> Option<Value> {
    let row = peer.core().object(&of).unwrap()?;
    let fields = crate::model::json::parse_fields(&row.data).unwrap();
    fields.get(name).cloned()
}

/// Gives everything one peer has to another.
pub(super) fn send(from: &mut Peer, to: &mut Peer) {
    let sent = all(from);
    take(to, &sent);
}

/// Gives everything to fresh watchers in many orders; all must see the same.
pub(super) fn all_orders(watchers: &mut [Peer], sent: &[Sent], random: &mut Random) -> State {
    let mut seen: Option<State> = None;
    for (at, watcher) in watchers.iter_mut().enumerate() {
        let mut sent = sent.to_vec();
        match at {
            0 => {}
            1 => sent.reverse(),
            _ => random.shuffle(&mut sent),
        }
        for round in 0..3 {
            // As after a crash between storing an entry and judging it.
            let fails = round == 0 && at % 2 == 1;
            if fails {
                watcher.core().fail_judging();
            }
            take(watcher, &sent);
            if fails || round == at % 3 {
                watcher.restart();
            }
        }
        take(watcher, &sent);
        let now = state(watcher);
        match &seen {
            None => seen = Some(now),
            Some(before) => assert_eq!(*before, now, "watcher {at}"),
        }
    }
    seen.unwrap()
}

/// Attack 6: a reader, who has the content key, signs data.
#[test]
fn attack_06_a_readers_data_is_excluded_everywhere() {
    seeds(4, |seed| {
        let folder = super::world::folder();
        let (mut peers, space) = company_of(seed, folder.path(), 6, Role::Reader);
        let mut random = Random(seed);
        let first = write(&mut peers[0], object(1), "n", 1);
        let refused = peers[1]
            .core()
            .transact(&[Operation::Delete { object: object(1) }], None, None, 0)
            .unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        // Founded long ago by the writer's clock, the space got a new key with the first entry.
        let [founder, reader, ..] = peers.as_mut_slice() else {
            unreachable!()
        };
        send(founder, reader);
        let key_id = peers[0].core().authority().writing_key().unwrap();
        let key = peers[1].core().content_key(&key_id).unwrap();
        let ctl = peers[1].core().authority().heads();
        let mut pen = Pen::new(&peers[1], &mut random, key, space);
        let mut document = Document::new(pen.actor);
        document
            .apply(&Operation::Create {
                object: object(2),
                type_name: None,
                fields: BTreeMap::from([("lie".to_owned(), Value::Int(1))]),
            })
            .unwrap();
        let changes = document.commit(1, None).unwrap().into_iter();
        let body = DataBody {
            clock_ms: 1,
            changes: changes.map(|change| (object(2), change)).collect(),
        }
        .encode();
        let draft = pen.draft(&mut random, &ctl, &body);
        let lie = pen.seal(draft, true).unwrap();
        let mut sent = all(&mut peers[0]);
        sent.push(lie);
        let seen = all_orders(&mut peers[2..], &sent, &mut random);
        assert_eq!((seen.excluded, seen.heads), (1, vec![first]));
        assert_eq!(seen.rows.len(), 1);
        let (_, (status, reason)) = seen
            .verdicts
            .iter()
            .find(|(_, (status, _))| *status == EntryStatus::Excluded)
            .unwrap();
        assert_eq!(
            (*status, reason.as_str()),
            (EntryStatus::Excluded, "not_permitted")
        );
        assert_eq!(peers[2].core().counts().unwrap().excluded, 1);
    });
}

/// Attack 7: a revoked member keeps writing for a month, and a member who was away merged some of
/// it.
#[test]
fn attack_07_a_removed_member_keeps_writing() {
    seeds(4, |seed| {
        let folder = super::world::folder();
        let (mut peers, _) = company_of(seed, folder.path(), 9, Role::Editor);
        let mut random = Random(seed);
        // 0 founds and removes, 1 is removed, 2 was away and merges, 3 writes on, the others watch.
        let known = write(&mut peers[1], object(1), "before", 1);
        let [founder, removed, away, honest, ..] = peers.as_mut_slice() else {
            unreachable!()
        };
        send(removed, founder);
        send(removed, honest);
        let target = removed.keyring.identity_key();
        founder.core().set_role(&target, None).unwrap();
        // The removed one has not heard, or does as if.
        let merged = write(removed, object(1), "merged", 2);
        let lonely = write(removed, object(2), "merged", 3);
        send(removed, away);
        let built = write(away, object(1), "built", 4);
        let mut late = Vec::new();
        for day in 0..30 {
            late.push(write(removed, object(3 + day % 3), "late", i64::from(day)));
        }
        // One whom it reaches after the removal, and who knows.
        send(founder, honest);
        send(removed, honest);
        let after = write(honest, object(1), "after", 5);
        let mut sent = all(removed);
        for peer in [founder, away, honest] {
            sent.extend(all(peer));
        }
        let seen = all_orders(&mut peers[4..], &sent, &mut random);
        let status = |id: &EntryId| seen.verdicts[id].0;
        for id in [known, merged, lonely, built, after] {
            assert_eq!(status(&id), EntryStatus::Applied, "seed {seed}: {id}");
        }
        for id in &late {
            assert_eq!(status(id), EntryStatus::Excluded, "seed {seed}");
        }
        assert_eq!(seen.excluded, 30);
        assert_eq!(seen.endorsed, BTreeSet::from([merged, lonely]));
        let through = Some(peers[2].keyring.identity_key());
        for logged in peers[4].core().log(1000, None).unwrap() {
            let vouched = [merged, lonely].contains(&logged.entry);
            assert_eq!(logged.endorsed_by, through.filter(|_| vouched));
        }
        assert_eq!(
            field(&mut peers[4], object(1), "after"),
            Some(Value::Int(5))
        );
        assert_eq!(field(&mut peers[4], object(3), "late"), None);
        // Everybody who took part comes to the same.
        for (at, peer) in peers.iter_mut().enumerate().take(4) {
            for _ in 0..2 {
                take(peer, &sent);
            }
            // The removed one has not got the key that was made since.
            match at {
                1 => assert_eq!(peer.core().excluded().unwrap().len(), 30),
                _ => assert_eq!(state(peer), seen, "peer {at}"),
            }
        }
        // The removed one reads what it has and writes nothing.
        let refused = peers[1].core().splice_text(splice(), 0).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        assert!(peers[1].core().is_removed());
        resubmitted(&mut peers, late[7], &mut random);
    });
}

fn splice() -> Operation {
    Operation::Splice {
        object: object(1),
        path: crate::model::Path::parse("t").unwrap(),
        position: 0,
        delete: 0,
        insert: "x".to_owned(),
        unit: crate::model::TextUnit::CodePoint,
    }
}

/// An admin writes an excluded entry again; the member comes back and writes on.
fn resubmitted(peers: &mut [Peer], entry: EntryId, random: &mut Random) {
    let wrong = peers[3].core().resubmit(&entry, 0).unwrap_err();
    assert_eq!(wrong.kind(), ErrorKind::PermissionDenied);
    let (outcome, again) = peers[0].core().resubmit(&entry, 7).unwrap();
    assert!(outcome.entry.is_some(), "{again:?}");
    assert_eq!(field(&mut peers[0], object(4), "late"), Some(Value::Int(7)));
    let counting = peers[0]
        .core()
        .resubmit(&outcome.entry.unwrap(), 7)
        .unwrap_err();
    assert_eq!(counting.kind(), ErrorKind::InvalidState);
    let target = peers[1].keyring.identity_key();
    peers[0]
        .core()
        .set_role(&target, Some(Role::Editor))
        .unwrap();
    let [founder, removed, ..] = peers else {
        unreachable!()
    };
    send(founder, removed);
    founder.core().share_keys().unwrap();
    send(founder, removed);
    let back = write(removed, object(1), "back", 9);
    let mut sent = all(removed);
    sent.extend(all(founder));
    let seen = all_orders(&mut peers[4..], &sent, random);
    assert_eq!(seen.verdicts[&back].0, EntryStatus::Applied);
    assert_eq!(seen.excluded, 30);
    assert_eq!(field(&mut peers[4], object(1), "back"), Some(Value::Int(9)));
}

/// Attack 12: no verdict reads a clock. The peers of this simulation have clocks that are stuck or
/// wild; the same history under right clocks has the same verdicts.
#[test]
fn attack_12_clocks_decide_nothing() {
    let run = |seed: u64, wild: bool| {
        let folder = super::world::folder();
        let (mut peers, _) = company_of(seed, folder.path(), 5, Role::Editor);
        for (at, peer) in peers.iter_mut().enumerate() {
            peer.set_clock(match (wild, at % 3) {
                (false, _) => 1_763_864_160_000,
                (true, 0) => 4_102_444_800_000,
                (true, 1) => 0,
                (true, _) => u64::MAX,
            });
        }
        let [founder, removed, away, ..] = peers.as_mut_slice() else {
            unreachable!()
        };
        let first = write(removed, object(1), "a", 1);
        send(removed, founder);
        let target = removed.keyring.identity_key();
        founder.core().set_role(&target, None).unwrap();
        let second = write(removed, object(1), "b", 2);
        send(removed, away);
        let third = write(away, object(1), "c", 3);
        let fourth = write(removed, object(1), "d", 4);
        let mut sent = all(removed);
        sent.extend(all(founder));
        sent.extend(all(away));
        take(&mut peers[3], &sent);
        take(&mut peers[3], &sent);
        let seen = state(&mut peers[3]);
        let mut data = Vec::new();
        for (_, name) in [(0, "a"), (1, "b"), (2, "c"), (3, "d")] {
            data.push(field(&mut peers[3], object(1), name));
        }
        let statuses = [first, second, third, fourth].map(|id| seen.verdicts[&id].0);
        (statuses, data)
    };
    seeds(6, |seed| {
        let right = run(seed, false);
        assert_eq!(right, run(seed, true));
        assert_eq!(right.0[3], EntryStatus::Excluded);
        assert_eq!(right.0[..3], [EntryStatus::Applied; 3]);
    });
}

/// Random work, denials and meetings: all orders lead to one state, and members who were never denied
/// lose nothing.
fn random_run(seed: u64) {
    let folder = super::world::folder();
    let members = 5;
    let (mut peers, _) = company_of(seed, folder.path(), members + 4, Role::Editor);
    let mut random = Random(seed ^ 0xdead_beef);
    let mut denied = BTreeSet::new();
    let mut written: Vec<(usize, EntryId)> = Vec::new();
    for step in 0..40u64 {
        let at = random.below(members);
        match random.below(12) {
            0 | 1 if step > 8 && denied.len() < 2 => {
                let target = 1 + random.below(members - 1);
                let who = peers[target].keyring.identity_key();
                let role = [None, Some(Role::Reader)][random.below(2)];
                let founder = &mut peers[0];
                let now = founder.now(step);
                actions::settle(founder, now);
                founder.core().set_role(&who, role).unwrap();
                denied.insert(target);
            }
            2 if !denied.is_empty() && random.once_in(3) => {
                let target = *denied.iter().next().unwrap();
                let who = peers[target].keyring.identity_key();
                peers[0].core().set_role(&who, Some(Role::Editor)).unwrap();
                peers[0].core().share_keys().unwrap();
            }
            3..7 => {
                let to = (at + 1 + random.below(members - 1)) % members;
                let [from, to] = peers.get_disjoint_mut([at, to]).unwrap();
                send(from, to);
            }
            _ => {
                let new = actions::turn(&mut peers[at], &mut random, step);
                written.extend(new.into_iter().map(|id| (at, id)));
                if random.once_in(6) {
                    peers[at].restart();
                }
            }
        }
    }
    let mut sent = Vec::new();
    for peer in &mut peers[..members] {
        let now = peer.now(99);
        actions::settle(peer, now);
        sent.extend(all(peer));
    }
    for _ in 0..2 {
        take(&mut peers[0], &sent);
    }
    peers[0].core().share_keys().unwrap();
    sent.extend(all(&mut peers[0]));
    let seen = all_orders(&mut peers[members..], &sent, &mut random);
    for (at, id) in &written {
        let status = seen.verdicts.get(id).map(|(status, _)| *status);
        if !denied.contains(at) {
            assert_eq!(status, Some(EntryStatus::Applied), "entry {id} of {at}");
        }
    }
    for (id, (status, reason)) in &seen.verdicts {
        let fine = matches!(status, EntryStatus::Applied | EntryStatus::Excluded);
        assert!(fine, "{id} is {status:?}: {reason}");
    }
    members_agree(&mut peers[..members], &sent, &seen);
}

/// Whoever is still a member sees what the others see, once it has everything.
fn members_agree(members: &mut [Peer], sent: &[Sent], seen: &State) {
    for (at, peer) in members.iter_mut().enumerate() {
        for _ in 0..3 {
            take(peer, sent);
        }
        // Who was removed has not got the keys that were made since.
        if peer.core().own_role().is_some() {
            assert_eq!(state(peer), *seen, "peer {at}");
        }
    }
}

#[test]
fn sim_denials_divide_nobody() {
    seeds(24, |seed| random_run(seed.wrapping_add(4 << 32)));
}
