//! A member who sends without end: what costs much to take and can lead to nothing.

use super::support::*;
use crate::feed::{Dep, Entry};
use crate::model::{EntryId, FeedId, limits};
use crate::runtime::clock;
use bytes::Bytes;

/// Bytes of the stream; `ECHODB_HOSTILE_BYTES=1073741824` sends a gibibyte.
const BYTES: usize = 24 << 20;
/// Bytes by which the process may grow, with the tests that run beside.
const GROWTH: usize = 512 << 20;
/// Seconds of processor time that the process may take for a mebibyte, with the tests that run beside.
const SECONDS: f64 = 2.0;
/// Entries of one message.
const AT_ONCE: u64 = 16;

/// Bytes of memory that the process has.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|n| n.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

/// Seconds of processor time that the process took; 0 where that is not told.
fn processor_time() -> f64 {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // The name, in brackets, may hold spaces; user and system time are the 12th and 13th after it.
    let after = text.rsplit_once(')').map_or("", |(_, after)| after);
    let ticks = after.split_whitespace().skip(11).take(2);
    ticks.filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

/// One entry of the stream: branches of one feed, or what depends on as much as it can name, none of
/// which exists.
fn nasty(liar: &Party, n: u64, plain: &[u8]) -> Entry {
    let forged = liar.space.with(|core| {
        Ok(core.forge(plain, |draft| match n % 3 {
            0 => {}
            1 => {
                draft.seq = 1 + n;
                draft.prev = EntryId(clock::random());
            }
            _ => {
                let deps = (0..limits::ENTRY_DEPS).map(|_| Dep {
                    feed: FeedId(clock::random()),
                    seq: n,
                    id: EntryId(clock::random()),
                });
                draft.deps = deps.collect();
                draft.deps.sort_unstable();
            }
        }))
    });
    forged.unwrap()
}

/// Attack 15: oversized and quadratic input. Whatever a member sends, memory stays bounded, what it costs
/// to take grows no faster than the stream, and the others go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_15_a_hostile_stream_is_taken_in_bounded_memory() {
    let bytes = std::env::var("ECHODB_HOSTILE_BYTES");
    let bytes = bytes.map_or(BYTES, |bytes| bytes.parse().expect("it is a number"));
    let (ada, bob, mal) = three();
    goes_on(&ada, &bob).await;
    let (before, began) = (resident(), processor_time());
    let header = mal.space.with(|core| Ok(core.forged_header())).unwrap();
    let plain = vec![0; 30_000];
    let (mut sent, mut n) = (0, 0);
    let mut liar = Liar::meet(&ada, &mal.keyring()).await;
    while sent < bytes {
        let entries: Vec<Entry> = (n..n + AT_ONCE).map(|n| nasty(&mal, n, &plain)).collect();
        n += AT_ONCE;
        sent += entries.iter().map(|e| e.bytes().len()).sum::<usize>();
        let headers = vec![Bytes::clone(&header)];
        liar.send_entries(headers, &entries.iter().collect::<Vec<_>>())
            .await;
        // Cut off, it comes back, as a liar does.
        if liar.hear_ack().await.is_none() {
            liar = Liar::meet(&ada, &mal.keyring()).await;
        }
        let held = ada.space.with(|core| Ok(core.waiting_for_dependency()));
        assert!(held.unwrap() <= limits::UNPLACED_ENTRIES);
    }
    goes_on(&ada, &bob).await;
    let grown = resident().saturating_sub(before);
    assert!(grown < GROWTH, "{sent} bytes made it grow by {grown}");
    let took = processor_time() - began;
    let may = 20.0 + SECONDS * (sent >> 20) as f64;
    println!("{sent} bytes took {took} s and {grown} bytes");
    assert!(took < may, "{sent} bytes took {took} s");
}

/// The next entry of somebody, which is right and goes nowhere by itself; too large for the room that
/// others' leave.
fn next_of(party: &Party, object: u8) -> Entry {
    let text = format!(r#"{{"n": "{}"}}"#, "n".repeat(50_000));
    let plain = body(&[change(object, &text)]);
    let forged = party.space.with(|core| {
        let entry = core.forge(&plain, |_| {});
        core.advance_forged(&entry);
        Ok(entry)
    });
    forged.unwrap()
}

/// Attack 18: a peer omits an entry on which others of its own depend. They wait in a bounded queue,
/// the status says so, others go on meanwhile, find places in the queue that it filled, and all is well
/// once the entry comes after all.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_18_a_dependency_that_never_comes_holds_up_nobody() {
    let (ada, bob, mal) = three();
    let cem = member(&ada, "Cem");
    let header = mal.space.with(|core| Ok(core.forged_header())).unwrap();
    let entries: Vec<Entry> = (0..4_u8).map(|n| next_of(&mal, 40 + n)).collect();
    let waiting = || {
        let waiting = ada.space.with(|core| Ok(core.waiting_for_dependency()));
        waiting.unwrap()
    };
    // The first is left out.
    let mut liar = Liar::meet(&ada, &mal.keyring()).await;
    let later: Vec<&Entry> = entries.iter().skip(1).collect();
    liar.send_entries(vec![header.clone()], &later).await;
    liar.hear_ack().await.expect("entries may come too early");
    assert_eq!(waiting(), 3);
    goes_on(&ada, &bob).await;
    assert_eq!(waiting(), 3);
    // Whoever floods the queue has its own dropped.
    let plain = vec![0; 20_000];
    for n in 0..130_u64 {
        let forge = |m| {
            let forged = mal.space.with(|core| {
                Ok(core.forge(&plain, |draft| {
                    draft.seq = 1 + n * 10 + m;
                    draft.prev = EntryId(clock::random());
                }))
            });
            forged.unwrap()
        };
        let flood: Vec<Entry> = (0..10).map(forge).collect();
        liar.send_entries(vec![header.clone()], &flood.iter().collect::<Vec<_>>())
            .await;
        if liar.hear_ack().await.is_none() {
            liar = Liar::meet(&ada, &mal.keyring()).await;
        }
        assert!(waiting() <= limits::UNPLACED_ENTRIES);
    }
    goes_on(&ada, &bob).await;
    let full = waiting();
    assert!(full > 500, "the queue is full of what waits for nothing");
    // Another's entries, in the wrong order, find places that are taken from whoever has the most.
    let header_of_cem = cem.space.with(|core| Ok(core.forged_header())).unwrap();
    let late: Vec<Entry> = (0..2_u8).map(|n| next_of(&cem, 60 + n)).collect();
    let mut hasty = Liar::meet(&ada, &cem.keyring()).await;
    for entry in late.iter().rev() {
        let headers = vec![header_of_cem.clone()];
        hasty.send_entries(headers, &[entry]).await;
        hasty.hear_ack().await.expect("entries may come too early");
        assert!(waiting() <= limits::UNPLACED_ENTRIES);
    }
    let newest = late[1].id;
    wait("both are in", || {
        let heights = ada.space.with(|core| Ok(core.heights())).unwrap();
        heights.iter().any(|(_, _, tip)| *tip == newest)
    })
    .await;
    // The entry comes after all, and those that depend on it.
    let mut liar = Liar::meet(&ada, &mal.keyring()).await;
    liar.send_entries(vec![header], &entries.iter().collect::<Vec<_>>())
        .await;
    liar.hear_ack().await.expect("they are taken");
    let last = entries[entries.len() - 1].id;
    wait("the entries are in", || {
        let heights = ada.space.with(|core| Ok(core.heights())).unwrap();
        heights.iter().any(|(_, _, tip)| *tip == last)
    })
    .await;
    goes_on(&ada, &bob).await;
}
