//! A profile that was copied and is used in both places.

use super::denials::{all_orders, field, object, send, state, write};
use super::hostile::{all, company_of, take};
use super::random::Random;
use super::seeds;
use crate::feed::Entry;
use crate::model::{Role, Value};
use crate::space::Ingest;
use std::collections::BTreeSet;

/// Attack 11: a log that forks. Both copies write entries of the same numbers, to one object and to
/// several; afterwards all of that is everywhere, in whatever order it came, both copies know that the
/// device exists twice, and go on in feeds of their own.
#[test]
fn attack_11_a_copied_profile_that_writes_in_two_places_loses_nothing() {
    seeds(6, |seed| {
        let folder = super::world::folder();
        let (mut peers, _) = company_of(seed, folder.path(), 7, Role::Editor);
        let mut random = Random(seed);
        for n in 0..3 {
            write(&mut peers[1], object(1), "both", n);
        }
        let copy = peers[1].copy(77, folder.path());
        peers.push(copy);
        let twin = peers.len() - 1;
        let device = peers[1].keyring.device_key();
        let mut written = BTreeSet::new();
        // Without having heard of each other: branches of three, and of five.
        for (at, edits) in [(1, 3), (twin, 5)] {
            for n in 0..edits {
                let name = format!("{at}-{n}");
                written.insert(write(&mut peers[at], object(1), &name, n));
                written.insert(write(&mut peers[at], object(20 + at as u8), &name, n));
            }
        }
        let one = all(&mut peers[1]);
        let other = all(&mut peers[twin]);
        // Whoever meets both is told.
        let mut told = Ingest::default();
        for (header, entry) in one.iter().chain(&other) {
            let core = peers[0].core();
            core.add_feed(header).unwrap();
            core.ingest(vec![entry.clone()], &mut told).unwrap();
        }
        assert!(told.copied.contains(&device), "a proof is raised");
        assert_eq!(peers[0].core().forked_feeds().len(), 1);
        take(&mut peers[1], &other);
        take(&mut peers[twin], &one);
        // They notice, and write no more in the feed that has branches.
        for at in [1, twin] {
            let forked = peers[at].core().forked_feeds();
            assert_eq!(forked.len(), 1);
            let space = peers[at].core().id();
            for n in 10..13 {
                let name = format!("{at}-{n}");
                let id = write(&mut peers[at], object(1), &name, n);
                let known = all(&mut peers[at]).into_iter();
                let mut known = known.map(|(_, bytes)| Entry::decode(bytes, space).unwrap());
                let feed = known.find(|entry| entry.id == id).unwrap().header.feed;
                assert!(!forked.contains(&feed));
                written.insert(id);
            }
        }
        let mut sent = all(&mut peers[1]);
        sent.extend(all(&mut peers[twin]));
        let seen = all_orders(&mut peers[2..6], &sent, &mut random);
        assert!(written.iter().all(|id| seen.verdicts.contains_key(id)));
        let [one, other] = peers.get_disjoint_mut([1, twin]).unwrap();
        send(one, other);
        send(other, one);
        for peer in [0, 1, 2, twin] {
            take(&mut peers[peer], &sent);
            assert_eq!(state(&mut peers[peer]), seen, "peer {peer}");
            for (at, edits) in [(1, 3), (twin, 5)] {
                for n in (0..edits).chain(10..13) {
                    let found = field(&mut peers[peer], object(1), &format!("{at}-{n}"));
                    assert_eq!(found, Some(Value::Int(n)), "peer {peer}, edit {at}-{n}");
                }
            }
        }
    });
}
