use super::*;
use crate::model::ErrorKind;

const SPACE: SpaceId = SpaceId([7; 32]);

fn signer() -> DeviceSigner {
    DeviceSigner::from_seed([1; 32])
}

fn key() -> ContentKey {
    ContentKey::from_bytes([2; 32])
}

fn draft(kind: FeedKind) -> EntryDraft<'static> {
    let dep = Dep {
        feed: FeedId([4; 16]),
        seq: 300,
        id: EntryId([5; 32]),
    };
    EntryDraft {
        kind,
        feed: FeedId([3; 16]),
        seq: 1,
        prev: EntryId([6; 32]),
        ctl: vec![EntryId([9; 32]), EntryId([8; 32]), EntryId([9; 32])],
        deps: if kind == FeedKind::Data {
            vec![dep]
        } else {
            Vec::new()
        },
        salt: [10; 16],
        body: b"the body",
    }
}

#[test]
fn data_entries_round_trip_sealed() {
    let made = Entry::seal(draft(FeedKind::Data), Some(&key()), SPACE, &signer()).unwrap();
    let read = Entry::decode(made.bytes().clone(), SPACE).unwrap();
    assert_eq!(made, read);
    assert_eq!(read.header.ctl, [EntryId([8; 32]), EntryId([9; 32])]);
    read.verify(&signer().public()).unwrap();
    assert!(
        read.verify(&DeviceSigner::from_seed([2; 32]).public())
            .is_err()
    );
    assert_eq!(read.open(Some(&key())).unwrap(), b"the body");
    assert!(!read.bytes().windows(8).any(|w| w == b"the body"));
    let wrong = ContentKey::from_bytes([3; 32]);
    for key in [None, Some(&wrong)] {
        assert_eq!(read.open(key).unwrap_err().kind(), ErrorKind::InvalidState);
    }
}

#[test]
fn control_entries_are_plain_and_data_entries_are_not() {
    let made = Entry::seal(draft(FeedKind::Control), None, SPACE, &signer()).unwrap();
    assert_eq!(made.open(None).unwrap(), b"the body");
    assert!(Entry::seal(draft(FeedKind::Control), Some(&key()), SPACE, &signer()).is_err());
    assert!(Entry::seal(draft(FeedKind::Data), None, SPACE, &signer()).is_err());
}

#[test]
fn an_entry_of_one_space_does_not_verify_in_another() {
    let made = Entry::seal(draft(FeedKind::Control), None, SPACE, &signer()).unwrap();
    let moved = Entry::decode(made.bytes().clone(), SpaceId([8; 32])).unwrap();
    assert_ne!(moved.id, made.id);
    assert!(moved.verify(&signer().public()).is_err());
}

#[test]
fn genesis_is_recognised_in_its_space_only() {
    let mut first = draft(FeedKind::Control);
    (first.seq, first.prev, first.ctl) = (0, EntryId::ZERO, Vec::new());
    let made = Entry::seal(first, None, SpaceId::ZERO, &signer()).unwrap();
    let space = genesis_space_id(&made);
    let read = Entry::decode(made.bytes().clone(), space).unwrap();
    assert_eq!(genesis_space_id(&read), space);
    read.verify(&signer().public()).unwrap();
    let elsewhere = Entry::decode(made.bytes().clone(), SPACE).unwrap();
    assert!(elsewhere.verify(&signer().public()).is_err());
}

#[test]
fn every_mutation_and_truncation_is_refused() {
    let control = Entry::seal(draft(FeedKind::Control), None, SPACE, &signer()).unwrap();
    let data = Entry::seal(draft(FeedKind::Data), Some(&key()), SPACE, &signer()).unwrap();
    for entry in [control, data] {
        for at in 0..entry.bytes().len() {
            for flip in [0x01, 0x40, 0x80, 0xff] {
                let mut bad = entry.bytes().to_vec();
                bad[at] ^= flip;
                let verdict = Entry::decode(bad.into(), SPACE)
                    .and_then(|entry| entry.verify(&signer().public()));
                assert!(verdict.is_err(), "byte {at}");
            }
            assert!(Entry::decode(entry.bytes().slice(..at), SPACE).is_err());
        }
        let longer = [entry.bytes().as_ref(), &[0]].concat();
        assert!(Entry::decode(longer.into(), SPACE).is_err());
    }
}

#[test]
fn references_must_rise_and_stay_in_bounds() {
    let mut many = draft(FeedKind::Control);
    many.ctl = (0..9).map(|i| EntryId([i; 32])).collect();
    assert!(Entry::seal(many, None, SPACE, &signer()).is_err());
    let made = Entry::seal(draft(FeedKind::Control), None, SPACE, &signer()).unwrap();
    // Two control heads follow version, kind, feed, sequence number, previous and count.
    let mut swapped = made.bytes().to_vec();
    let (from, to) = (2 + 16 + 1 + 32 + 1, 32);
    swapped[from..from + 64].rotate_left(to);
    assert!(Entry::decode(swapped.into(), SPACE).is_err());
}

#[test]
fn place_in_the_feed_is_checked() {
    let mut orphan = draft(FeedKind::Control);
    orphan.prev = EntryId::ZERO;
    assert!(Entry::seal(orphan, None, SPACE, &signer()).is_err());
    let mut late = draft(FeedKind::Control);
    late.seq = 0;
    assert!(Entry::seal(late, None, SPACE, &signer()).is_err());
    let mut huge = draft(FeedKind::Control);
    huge.seq = u64::MAX;
    assert!(Entry::seal(huge, None, SPACE, &signer()).is_err());
}

#[test]
fn sizes_are_bounded_by_kind() {
    let body = vec![0; limits::KEY_ENTRY_BYTES];
    let mut large = draft(FeedKind::Control);
    large.body = &body;
    let refused = Entry::seal(large, None, SPACE, &signer()).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::LimitExceeded);
    let mut large = draft(FeedKind::Data);
    large.body = &body;
    let made = Entry::seal(large, Some(&key()), SPACE, &signer()).unwrap();
    Entry::decode(made.bytes().clone(), SPACE).unwrap();
    let refused = Entry::decode(vec![0; limits::DATA_ENTRY_BYTES + 1].into(), SPACE);
    assert_eq!(refused.unwrap_err().kind(), ErrorKind::LimitExceeded);
}
