//! A whole space under hostile entries: what a member signs is taken in, or refused, by a peer that
//! afterwards finds its own file in order.

use super::pieces;
use crate::identity::Keyring;
use crate::runtime::storage::SpaceStore;
use crate::space::{Entropy, Founding, Ingest, SpaceCore, check};
use bytes::Bytes;
use std::sync::Arc;

/// Steps that a peer goes on for with what it put off.
const LATER: usize = 100;

/// Random bytes that are the same every time, so that ids are: changes name their writer's feed.
fn entropy(seed: u64) -> Entropy {
    let mut state = seed;
    Box::new(move |to: &mut [u8]| {
        for byte in to {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (state >> 56) as u8;
        }
    })
}

fn store() -> Box<SpaceStore> {
    Box::new(SpaceStore::open(None).expect("a store in memory"))
}

/// Bodies of entries, each behind its length and a byte: whether it is a control entry, and whether
/// the next one goes on after it.
pub fn bodies(data: &[u8]) {
    let keyring = Arc::new(Keyring::generate(&mut *entropy(1)));
    let founding = Founding::new(&keyring, "Ada", &mut *entropy(2)).expect("a genesis");
    let id = founding.space;
    let mut ada =
        SpaceCore::found(founding, store(), Arc::clone(&keyring), entropy(3), 0).expect("a space");
    // The same device as another incarnation: it has the keys at once.
    let mut peer = SpaceCore::join(id, store(), keyring, entropy(4)).expect("a space");
    let (headers, entries) = ada.control_history().expect("it was just made");
    let data_feed = ada.forged_header();
    for header in headers.iter().chain([&data_feed]) {
        peer.add_feed(header).expect("a sound header");
    }
    peer.ingest(entries, &mut Ingest::default())
        .expect("a sound history");
    for piece in pieces(data) {
        let Some((how, body)) = piece.split_first() else {
            continue;
        };
        take(&mut ada, &mut peer, *how, body);
    }
    for _ in 0..LATER {
        if !peer.check_some().expect("checking goes on") {
            break;
        }
    }
    let found = check(id, peer.reads(), &peer.content_keys(), true).expect("it can be read");
    assert!(found.faults.is_empty(), "{:?}", found.faults);
}

fn take(ada: &mut SpaceCore, peer: &mut SpaceCore, how: u8, body: &[u8]) {
    let control = how & 1 != 0;
    let entry = match control {
        true => ada.forge_control(body),
        false => ada.try_forge(body),
    };
    let Some(entry) = entry else {
        return;
    };
    let bytes: Bytes = entry.bytes().clone();
    // As from a session, which ends if the entry breaks the protocol.
    let taken = peer.ingest(vec![bytes], &mut Ingest::default()).is_ok();
    if taken && how & 2 != 0 {
        match control {
            true => ada.advance_forged_control(&entry),
            false => ada.advance_forged(&entry),
        }
    }
}
