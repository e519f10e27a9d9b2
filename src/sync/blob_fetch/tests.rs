//! Whom a fetch asks for what, with made-up time.

use super::*;
use crate::model::ErrorKind;
use crate::model::blob::{BLOCK_BYTES, BlobBuilder, Block, FANOUT};
use std::collections::BTreeMap;

/// A blob of three levels would take long to make; of two, with a repetition, it takes little.
fn made(blocks: usize) -> (BlobRoot, Vec<Block>) {
    let bytes: Vec<u8> = (0..blocks * 65_536).map(|i| (i / 65_536) as u8).collect();
    let mut builder = BlobBuilder::default();
    let mut out = Vec::new();
    builder.write(&bytes, &mut out).unwrap();
    (builder.finish(&mut out), out)
}

/// A blob of these blocks, whose content is a byte each: lengths are the store's matter.
fn crafted(kinds: &[u8]) -> (BlobRoot, Vec<Block>) {
    let mut blocks = Vec::new();
    let mut level = 0;
    let mut contents: Vec<Vec<u8>> = kinds.iter().map(|kind| vec![*kind]).collect();
    loop {
        let hashes: Vec<BlockHash> = contents.iter().map(|c| block_hash(level, c)).collect();
        let made = contents.into_iter().zip(&hashes).enumerate();
        blocks.extend(made.map(|(position, (bytes, hash))| Block {
            level,
            position: position as u64,
            hash: *hash,
            bytes,
        }));
        if let [top] = hashes[..] {
            let size = (kinds.len() * BLOCK_BYTES) as u64;
            return (BlobRoot { size, top }, blocks);
        }
        contents = hashes
            .chunks(FANOUT as usize)
            .map(<[BlockHash]>::concat)
            .collect();
        level += 1;
    }
}

#[derive(Default)]
struct Here {
    root: Option<BlobRoot>,
    blocks: BTreeMap<(u8, u64), Vec<u8>>,
    full: bool,
    /// Groups that were looked at.
    looks: Vec<(u8, u64)>,
}

impl Holdings for Here {
    fn known(&self, _: &BlobId) -> Result<Option<(BlobRoot, bool)>> {
        Ok(self.root.map(|root| {
            let count = BlobShape::new(root.size).unwrap().count(0);
            let here = self.blocks.keys().filter(|(level, _)| *level == 0);
            (root, here.count() as u64 == count)
        }))
    }

    fn expect(&mut self, root: &BlobRoot) -> Result<()> {
        self.root = Some(*root);
        Ok(())
    }

    fn missing(&mut self, _: &BlobId, level: u8, group: u64) -> Result<Vec<BlockPlaces>> {
        self.looks.push((level, group));
        let root = self.root.unwrap();
        let hashes = match level == BlobShape::new(root.size).unwrap().top_level() {
            true => root.top.to_vec(),
            false => self.blocks[&(level + 1, group)].clone(),
        };
        let mut wanted: Vec<BlockPlaces> = Vec::new();
        for (position, hash) in (group * FANOUT..).zip(hashes.as_chunks::<32>().0) {
            if self.blocks.contains_key(&(level, position)) {
                continue;
            }
            match wanted.iter_mut().find(|places| places.hash == *hash) {
                Some(places) => places.positions.push(position),
                None => wanted.push(BlockPlaces {
                    level,
                    positions: vec![position],
                    hash: *hash,
                }),
            }
        }
        Ok(wanted)
    }

    fn put(&mut self, _: &BlobId, places: &BlockPlaces, bytes: &[u8]) -> Result<()> {
        if self.full {
            return Err(Error::new(ErrorKind::Storage, "the disk is full"));
        }
        for position in &places.positions {
            self.blocks
                .insert((places.level, *position), bytes.to_vec());
        }
        Ok(())
    }
}

fn peer(number: u8) -> Peer {
    Peer {
        session: u64::from(number),
        device: DeviceKey([number; 32]),
    }
}

struct Case {
    fetch: Fetch,
    here: Here,
    root: BlobRoot,
    blocks: Vec<Block>,
}

impl Case {
    fn new(blocks: usize) -> Case {
        Case::of(made(blocks))
    }

    fn of((root, blocks): (BlobRoot, Vec<Block>)) -> Case {
        Case {
            fetch: Fetch::new(root.id()),
            here: Here::default(),
            root,
            blocks,
        }
    }

    fn poll(&mut self, number: u8, now_ms: u64) -> (Vec<BlockHash>, bool) {
        let mut out = Vec::new();
        let hashes = self
            .fetch
            .poll(&peer(number), WINDOW, now_ms, &mut self.here, &mut out)
            .unwrap();
        (hashes, out.iter().any(|body| matches!(body, Body::Want(_))))
    }

    fn have(&mut self, number: u8, holds: bool, now_ms: u64) {
        let have = Have::new(&self.root.id(), holds.then_some(&self.root));
        self.fetch
            .on_have(&peer(number), &have, now_ms, &mut self.here)
            .unwrap();
    }

    fn send(&mut self, number: u8, hash: &BlockHash, now_ms: u64) -> Result<()> {
        let block = self.blocks.iter().find(|b| b.hash == *hash).unwrap();
        let bytes = Some(&block.bytes[..]);
        self.fetch
            .on_sent(&peer(number), hash, bytes, now_ms, &mut self.here)
    }

    /// Takes the levels above 0 in, from one peer.
    fn past_hashes(&mut self, number: u8) {
        self.poll(number, 0);
        self.have(number, true, 0);
        let (top, _) = self.poll(number, 0);
        assert_eq!(top, [self.root.top]);
        self.send(number, &top[0], 0).unwrap();
    }
}

#[test]
fn several_peers_share_the_work_and_each_block_is_asked_for_once() {
    let mut case = Case::new(100);
    case.past_hashes(1);
    case.poll(2, 0);
    case.have(2, true, 0);
    let mut asked = Vec::new();
    while !case.fetch.is_whole() {
        for number in [1, 2] {
            let (hashes, _) = case.poll(number, 0);
            assert!(hashes.len() <= WINDOW);
            for hash in hashes {
                asked.push((number, hash));
                case.send(number, &hash, 0).unwrap();
            }
        }
    }
    let of = |number| asked.iter().filter(|(n, _)| *n == number).count();
    assert_eq!((asked.len(), of(1) > 30, of(2) > 30), (100, true, true));
}

#[test]
fn a_block_that_repeats_comes_once() {
    // The numbers of blocks are bytes: from 256 on they repeat.
    let mut case = Case::new(300);
    case.past_hashes(1);
    let mut count = 0;
    while !case.fetch.is_whole() {
        for hash in case.poll(1, 0).0 {
            count += 1;
            case.send(1, &hash, 0).unwrap();
        }
    }
    assert_eq!((count, case.here.blocks.len()), (256, 301));
}

#[test]
fn a_peer_that_does_not_hold_it_is_asked_again_less_and_less() {
    let mut case = Case::new(3);
    let mut times = Vec::new();
    for now in (0..100_000).step_by(200) {
        if case.poll(1, now).1 {
            times.push(now);
            case.have(1, false, now);
        }
    }
    assert_eq!(times, [0, 1000, 3000, 7000, 15_000, 31_000, 63_000, 95_000]);
    assert_eq!(case.fetch.peers(), (1, 0));
}

#[test]
fn a_slow_peer_is_helped_and_a_silent_one_passed_over() {
    let mut case = Case::new(20);
    case.past_hashes(1);
    let (first, _) = case.poll(1, 0);
    assert_eq!(first.len(), 20);
    case.poll(2, 0);
    case.have(2, true, 0);
    assert_eq!(
        case.poll(2, HURRY_MS).0,
        [] as [BlockHash; 0],
        "not yet late"
    );
    let (second, _) = case.poll(2, HURRY_MS + 1);
    assert_eq!(second.len(), 20, "all of them are late");
    for hash in &second {
        case.send(2, hash, HURRY_MS + 2).unwrap();
    }
    assert!(case.fetch.is_whole());
    // What comes from the slow one then is dropped, and no fault.
    case.send(1, &first[0], HURRY_MS + 3).unwrap();

    let mut case = Case::new(20);
    case.past_hashes(1);
    assert_eq!(case.poll(1, 0).0.len(), 20);
    assert_eq!(case.poll(1, STALL_MS + 1).0.len(), 0);
    assert_eq!(case.fetch.peers(), (1, 0), "passed over");
    assert!(case.poll(1, STALL_MS + 2000).1, "and asked again later");
    case.have(1, true, STALL_MS + 2000);
    assert_eq!(case.poll(1, STALL_MS + 2000).0.len(), 20);
}

#[test]
fn what_a_lost_peer_owed_is_asked_of_another() {
    let mut case = Case::new(40);
    case.past_hashes(1);
    let (owed, _) = case.poll(1, 0);
    case.send(1, &owed[0], 0).unwrap();
    case.fetch.forget(1);
    assert_eq!(case.fetch.peers(), (0, 0));
    case.poll(2, 0);
    case.have(2, true, 0);
    let mut asked = Vec::new();
    while !case.fetch.is_whole() {
        for hash in case.poll(2, 0).0 {
            case.send(2, &hash, 0).unwrap();
            asked.push(hash);
        }
    }
    assert_eq!(asked.len(), 39);
    assert!(!asked.contains(&owed[0]));
}

#[test]
fn a_liar_is_named_and_asked_no_more_and_a_full_disk_is_no_lie() {
    let mut case = Case::new(20);
    case.past_hashes(1);
    let (asked, _) = case.poll(1, 0);
    case.here.full = true;
    let full = case.send(1, &asked[0], 0).unwrap_err();
    assert_eq!(full.kind(), ErrorKind::Storage);
    case.here.full = false;
    let lie = Some(&b"no"[..]);
    let error = case
        .fetch
        .on_sent(&peer(1), &asked[1], lie, 0, &mut case.here)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol);
    // Under another session it is the same device.
    let mut again = peer(9);
    again.device = peer(1).device;
    let mut out = Vec::new();
    let hashes = case
        .fetch
        .poll(&again, WINDOW, 0, &mut case.here, &mut out)
        .unwrap();
    assert!(hashes.is_empty() && out.is_empty());
    assert!(case.poll(2, 0).1, "others are");
}

#[test]
fn a_start_with_some_here_asks_for_the_rest() {
    let mut case = Case::new(50);
    case.here.root = Some(case.root);
    for block in case.blocks.iter().filter(|b| b.position % 2 == 0) {
        let place = (block.level, block.position);
        case.here.blocks.insert(place, block.bytes.clone());
    }
    case.fetch.start(&mut case.here).unwrap();
    case.poll(1, 0);
    case.have(1, true, 0);
    let (hashes, _) = case.poll(1, 0);
    assert_eq!(hashes.len(), 25);
    for hash in hashes {
        case.send(1, &hash, 0).unwrap();
    }
    assert!(case.fetch.is_whole());
}

#[test]
fn a_block_under_way_that_recurs_in_another_group_goes_there_too() {
    let mut kinds: Vec<u8> = (0..FANOUT).map(|i| (i % 100) as u8).collect();
    // They are asked for last of the first group, just before the second is looked at.
    kinds.extend([97, 99, 98, 97]);
    let mut case = Case::of(crafted(&kinds));
    case.past_hashes(1);
    let mut asked = Vec::new();
    while !case.fetch.is_whole() {
        let (hashes, _) = case.poll(1, 0);
        assert!(!hashes.is_empty(), "it goes on");
        for hash in &hashes {
            case.send(1, hash, 0).unwrap();
        }
        asked.extend(hashes);
    }
    // The hundred, and both blocks of hashes.
    assert_eq!(asked.len(), 102);
    for (position, kind) in (0..).zip(&kinds) {
        assert_eq!(case.here.blocks[&(0, position)], [*kind], "{position}");
    }
}

#[test]
fn of_what_is_here_one_group_is_taken_at_a_time() {
    let kinds: Vec<u8> = (0..4 * FANOUT + 5).map(|i| i as u8).collect();
    let mut case = Case::of(crafted(&kinds));
    case.here.root = Some(case.root);
    for block in &case.blocks {
        if block.level > 0 || block.position < 4 * FANOUT {
            let place = (block.level, block.position);
            case.here.blocks.insert(place, block.bytes.clone());
        }
    }
    case.fetch.start(&mut case.here).unwrap();
    assert_eq!(case.here.looks, [(2, 0), (1, 0), (0, 0)]);
    case.poll(1, 0);
    case.have(1, true, 0);
    for group in 1..4 {
        assert_eq!(case.poll(1, 0).0.len(), 0);
        assert_eq!(case.here.looks.last(), Some(&(0, group)));
    }
    let (hashes, _) = case.poll(1, 0);
    assert_eq!((hashes.len(), case.here.looks.len()), (5, 7));
    for hash in hashes {
        case.send(1, &hash, 0).unwrap();
    }
    assert!(case.fetch.is_whole());
}
