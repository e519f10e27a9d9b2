//! Peers with a valid device key that break the protocol. The victim is a whole client; each
//! attack ends the session or sets an entry aside, and honest members notice nothing.

mod blobs;
mod stream;
mod support;

use super::clock;
use super::memory::{MemoryLink, MemoryOptions};
use super::sessions;
use super::transport::Link;
use crate::feed::{Entry, FeedHeader, FeedKind};
use crate::identity::Keyring;
use crate::model::{EntryId, FeedId, ObjectId, Operation, SpaceId, json, limits};
use crate::objects::tests::hostile::bomb;
use crate::sync::session::PLAIN_BYTES;
use crate::sync::wire::{Ack, Body, Entries, Height, Heights, Message};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::timeout;

use support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_frames_and_messages_end_the_session() {
    let (ada, bob, mal) = three();
    let keyring = mal.keyring();
    let liar = Liar::meet(&ada, &keyring).await;
    liar.link.send(Bytes::from(vec![0x5a; 5000])).await.unwrap();
    liar.ends_dropped("a frame that is not sealed").await;

    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.say_frame(&[7, 1, 2, 3]).await;
    liar.ends_dropped("a frame of an unknown kind").await;

    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.say(&[0xff; 300]).await;
    liar.ends_dropped("no protobuf").await;

    let mut liar = Liar::meet(&ada, &keyring).await;
    let mut endless = vec![0; PLAIN_BYTES];
    endless[0] = 0;
    for _ in 0..limits::MESSAGE_BYTES / PLAIN_BYTES + 3 {
        liar.say_frame(&endless).await;
    }
    liar.ends_dropped("a message without end").await;

    // A space that the victim does not have, and no space at all, concern it not.
    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.say(&Message::new(&[1; 16], Body::Heights(Heights::default())).to_bytes())
        .await;
    liar.say(
        &Message {
            tag: Bytes::from_static(b"short"),
            body: None,
        }
        .to_bytes(),
    )
    .await;
    liar.post(Body::Heights(Heights::default())).await;
    assert!(liar.hear_bytes().await.is_some(), "the session lives");
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_entries_end_the_session_and_leave_nothing() {
    let (ada, bob, mal) = three();
    let (keyring, stranger) = (
        mal.keyring(),
        client("Eve").node().require_identity().unwrap().0,
    );
    let plain = body(&[change(7, r#"{"evil": 1}"#)]);
    let (header, good, gap, other) = mal
        .space
        .with(|core| {
            Ok((
                core.forged_header(),
                core.forge(&plain, |_| {}),
                core.forge(&plain, |draft| {
                    draft.seq = 5;
                    draft.prev = core_tip(&ada);
                }),
                core.forge_in(SpaceId([8; 32]), &plain, |_| {}),
            ))
        })
        .unwrap();
    let before = (ada.objects(), ada.space.with(|c| c.last_arrival()).unwrap());
    let unknown = &[&good][..];
    let mut spoiled = good.bytes().to_vec();
    // The signature stands between header and body.
    let body_at = spoiled.len() - good.header.body_len as usize;
    spoiled[body_at - 10] ^= 1;
    let spoiled = Entry::decode(Bytes::from(spoiled), ada.space.id()).unwrap();
    for (what, headers, entries) in [
        ("an entry of an unknown feed", vec![], unknown),
        ("a bad signature", vec![header.clone()], &[&spoiled][..]),
        (
            "an entry of another space",
            vec![header.clone()],
            &[&other][..],
        ),
        (
            "an entry that does not follow",
            vec![header.clone()],
            &[&gap][..],
        ),
        (
            "a header that is none",
            vec![Bytes::from_static(&[3; 90])],
            unknown,
        ),
    ] {
        let mut liar = Liar::meet(&ada, &keyring).await;
        liar.send_entries(headers, entries).await;
        liar.ends_dropped(what).await;
    }
    let mut liar = Liar::meet(&ada, &keyring).await;
    let garbage = Entries {
        headers: vec![header],
        entries: vec![Bytes::from_static(&[4; 200])],
    };
    liar.post(Body::Entries(garbage)).await;
    liar.ends_dropped("an entry that is none").await;
    let entry = stranger_entry(&ada, &stranger);
    let mut liar = Liar::meet(&ada, &stranger).await;
    liar.send_entries(vec![entry.0], &[&entry.1]).await;
    liar.ends_dropped("a stranger's entry").await;
    let after = (ada.objects(), ada.space.with(|c| c.last_arrival()).unwrap());
    assert_eq!(after, before, "something was kept");
    goes_on(&ada, &bob).await;
}

/// An entry that is here already, but of another feed.
fn core_tip(party: &Party) -> EntryId {
    let (_, _, tip) = party.space.with(|core| Ok(core.heights()[0])).unwrap();
    tip
}

/// A data entry that a device which is no member signed, under a key that it made up.
fn stranger_entry(victim: &Party, keyring: &Keyring) -> (Bytes, Entry) {
    let header = FeedHeader {
        kind: FeedKind::Data,
        space: victim.space.id(),
        identity: keyring.identity_key(),
        device: keyring.device_key(),
        incarnation: [1; 16],
    };
    let draft = crate::feed::EntryDraft {
        kind: FeedKind::Data,
        feed: header.feed_id(),
        seq: 0,
        prev: EntryId::ZERO,
        ctl: victim
            .space
            .with(|core| Ok(core.authority().heads()))
            .unwrap(),
        deps: vec![],
        salt: [2; 16],
        body: b"whatever",
    };
    let key = crate::feed::ContentKey::from_bytes([3; 32]);
    let signer = keyring.device_signer();
    let entry = Entry::seal(draft, Some(&key), victim.space.id(), signer).unwrap();
    (Bytes::from(header.sign(signer)), entry)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn harmful_changes_are_set_aside_with_a_reason() {
    let (ada, bob, mal) = three();
    goes_on(&ada, &bob).await;
    let compressed = {
        let long = change(7, &format!(r#"{{"v": "{}"}}"#, "x".repeat(5000)));
        let mut change = automerge::Change::try_from(&long[..]).unwrap();
        change.bytes().into_owned()
    };
    let mut broken = change(7, r#"{"v": 1}"#);
    let last = broken.len() - 1;
    broken[last] ^= 1;
    let bodies = [
        ("change_rows", body(&[bomb(10_000_000)])),
        ("chunk_type", body(&[compressed])),
        ("checksum", body(&[broken])),
        ("malformed_body", b"no body at all".to_vec()),
        ("malformed", body(&[b"no change".to_vec()])),
    ];
    let mut liar = Liar::meet(&ada, &mal.keyring()).await;
    let mut headers = vec![mal.space.with(|core| Ok(core.forged_header())).unwrap()];
    for (n, (code, plain)) in bodies.iter().enumerate() {
        let entry = mal
            .space
            .with(|core| {
                let entry = core.forge(plain, |_| {});
                core.advance_forged(&entry);
                Ok(entry)
            })
            .unwrap();
        liar.send_entries(std::mem::take(&mut headers), &[&entry])
            .await;
        liar.hear_ack()
            .await
            .expect("a member's harmful entry is set aside");
        let reasons = ada.quarantined();
        assert_eq!(reasons.len(), n + 1);
        assert!(
            reasons[n].starts_with(&format!("{code}: ")),
            "{code}: {reasons:?}"
        );
    }
    goes_on(&ada, &bob).await;
    // The honest keep them too, so that feeds stay whole, and are harmed as little.
    wait("they are passed on", || {
        bob.quarantined().len() == bodies.len()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn claims_that_cannot_be_true_are_survived() {
    let (ada, bob, mal) = three();
    let keyring = mal.keyring();
    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.post(Body::Ack(Ack {
        heights: vec![],
        taken: 1 << 40,
    }))
    .await;
    liar.ends_dropped("more is confirmed than was sent").await;

    // Heights past any entry, of feeds here and nowhere: sums must not run over.
    let everything: Vec<Height> = ada
        .space
        .with(|core| Ok(core.heights()))
        .unwrap()
        .into_iter()
        .map(|(feed, _, _)| feed)
        .chain((0..10).map(|n| FeedId([n; 16])))
        .map(|feed| Height {
            feed: Bytes::copy_from_slice(feed.as_bytes()),
            next: u64::MAX,
            head: Bytes::new(),
        })
        .collect();
    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.post(Body::Heights(Heights {
        heights: everything.clone(),
        control_only: false,
    }))
    .await;
    liar.post(Body::Ack(Ack {
        heights: everything,
        taken: 0,
    }))
    .await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let sessions = ada.guard.node().sessions();
    for session in &sessions {
        ada.space.with(|core| Ok(session.difference(core))).unwrap();
    }
    // Feeds that nobody knows are not remembered, however many are named.
    for round in 0..40_u32 {
        let heights = (0..5_000_u32).map(|n| {
            let mut feed = [1; 16];
            feed[..4].copy_from_slice(&n.to_le_bytes());
            feed[4..8].copy_from_slice(&round.to_le_bytes());
            Height {
                feed: Bytes::copy_from_slice(&feed),
                next: 1,
                head: Bytes::new(),
            }
        });
        let heights = heights.collect();
        liar.post(Body::Ack(Ack { heights, taken: 0 })).await;
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for session in ada.guard.node().sessions() {
        assert!(session.remembered_feeds() <= 3 * limits::FEEDS);
    }
    drop(liar);
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn floods_are_bounded() {
    let (ada, bob, mal) = three();
    let keyring = mal.keyring();
    // Something worth asking for.
    let text = "x".repeat(200_000);
    for _ in 0..20 {
        let create = Operation::Create {
            object: ObjectId::from_parts(clock::now_ms(), clock::random()),
            type_name: None,
            fields: json::parse_fields(&format!(r#"{{"v": "{text}"}}"#)).unwrap(),
        };
        ada.space
            .write(|core| core.transact(&[create], None, None, clock::now_ms()))
            .unwrap();
    }
    // Asking for everything again and again, without taking it.
    let mut liar = Liar::meet(&ada, &keyring).await;
    let asking = async {
        loop {
            liar.post(Body::Heights(Heights::default())).await;
            if liar.link.is_closed() {
                return;
            }
        }
    };
    timeout(PATIENCE, asking)
        .await
        .expect("whoever asks without end is dropped");
    liar.ends_dropped("asking without taking").await;

    // Asking again and again, and taking it all.
    let mut liar = Liar::meet(&ada, &keyring).await;
    let link = Arc::clone(&liar.link);
    tokio::spawn(async move { while link.recv().await.is_some() {} });
    let asking = async {
        while !liar.link.is_closed() {
            liar.post(Body::Heights(Heights::default())).await;
        }
    };
    timeout(PATIENCE, asking)
        .await
        .expect("whoever asks without end is dropped");
    goes_on(&ada, &bob).await;
}

/// The header of a device's data feed number `n`: a device may have as many as it likes.
fn feed_header(victim: &Party, keyring: &Keyring, n: u32) -> Bytes {
    let mut incarnation = [0; 16];
    incarnation[..4].copy_from_slice(&n.to_le_bytes());
    let header = FeedHeader {
        kind: FeedKind::Data,
        space: victim.space.id(),
        identity: keyring.identity_key(),
        device: keyring.device_key(),
        incarnation,
    };
    Bytes::from(header.sign(keyring.device_signer()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_feeds_pushes_out_strangers_first_and_then_everybody() {
    let (ada, bob, mal) = three();
    let (stranger, insider) = (
        client("Eve").node().require_identity().unwrap().0,
        bob.keyring(),
    );
    let header = mal.space.with(|core| Ok(core.forged_header())).unwrap();
    let flood = |keyring: &Keyring| {
        let known = ada.space.with(|core| {
            let feed = core.add_feed(&header)?;
            for n in 0..limits::EMPTY_FEEDS as u32 + 10 {
                core.add_feed(&feed_header(&ada, keyring, n))?;
            }
            Ok(core.knows_feed(&feed))
        });
        known.unwrap()
    };
    assert!(flood(&stranger), "a member's feed made way for strangers'");
    assert!(!flood(&insider), "a member's feeds are without bound");
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_and_entries_that_lead_nowhere_are_bounded() {
    let (ada, bob, mal) = three();
    let stranger = client("Eve").node().require_identity().unwrap().0;
    let mut liar = Liar::meet(&ada, &stranger).await;
    for round in 0..8_u32 {
        let headers = (0..1000).map(|n| feed_header(&ada, &stranger, round * 1000 + n));
        let headers = headers.collect();
        liar.post(Body::Entries(Entries {
            headers,
            entries: vec![],
        }))
        .await;
    }
    liar.hear_ack().await;
    drop(liar);
    // Entries that build on what does not exist.
    let mut liar = Liar::meet(&ada, &mal.keyring()).await;
    let header = mal.space.with(|core| Ok(core.forged_header())).unwrap();
    let plain = vec![0; 20_000];
    for n in 0..200_u64 {
        let entries: Vec<Entry> = (0..10_u64)
            .map(|m| {
                let forged = mal.space.with(|core| {
                    Ok(core.forge(&plain, |draft| {
                        draft.seq = 1 + n * 10 + m;
                        draft.prev = EntryId(clock::random());
                    }))
                });
                forged.unwrap()
            })
            .collect();
        liar.send_entries(vec![header.clone()], &entries.iter().collect::<Vec<_>>())
            .await;
        let held = ada
            .space
            .with(|core| Ok(core.waiting_for_dependency()))
            .unwrap();
        assert!(held <= limits::UNPLACED_ENTRIES);
        liar.hear_ack().await.expect("entries may come too early");
    }
    // There is room for a newcomer's feed, and for everybody's entries.
    goes_on(&ada, &bob).await;
    let cem = member(&ada, "Cem");
    connect(&ada, &cem);
    goes_on(&ada, &cem).await;
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgery_is_refused_before_it_may_wait() {
    let ada = founder("Ada");
    let (bob, mal) = (member(&ada, "Bob"), member(&ada, "Mal"));
    bob.write();
    // The liar knows of Bob's entry before the victim does, and builds a forgery on it.
    let (feed, seq, tip) = bob
        .space
        .with(|core| {
            let own = core.forged_header();
            let id = core.add_feed(&own)?;
            Ok(core
                .heights()
                .into_iter()
                .find(|(feed, _, _)| *feed == id)
                .unwrap())
        })
        .unwrap();
    let (header, forgery) = mal
        .space
        .with(|core| {
            let entry = core.forge_in(ada.space.id(), b"x", |draft| {
                draft.deps = vec![crate::feed::Dep { feed, seq, id: tip }];
            });
            Ok((core.forged_header(), entry))
        })
        .unwrap();
    let mut spoiled = forgery.bytes().to_vec();
    let body_at = spoiled.len() - forgery.header.body_len as usize;
    spoiled[body_at - 10] ^= 1;
    let spoiled = Entry::decode(Bytes::from(spoiled), ada.space.id()).unwrap();
    let mut liar = Liar::meet(&ada, &mal.keyring()).await;
    liar.send_entries(vec![header], &[&spoiled]).await;
    liar.ends_dropped("an entry with a spoiled signature").await;
    assert_eq!(
        ada.space
            .with(|core| Ok(core.waiting_for_dependency()))
            .unwrap(),
        0
    );
    let (left, right) = MemoryLink::pair(MemoryOptions::default());
    let honest = tokio::spawn(sessions::run(ada.node(), left));
    tokio::spawn(sessions::run(bob.node(), right));
    goes_on(&ada, &bob).await;
    assert_eq!(
        ada.space
            .with(|core| Ok(core.waiting_for_dependency()))
            .unwrap(),
        0
    );
    assert!(
        !honest.is_finished(),
        "the honest member's session was ended"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn peers_that_fall_silent_are_given_up() {
    let (ada, bob, mal) = three();
    // One says nothing from the start, one nothing after the greeting.
    let (_mute, theirs) = MemoryLink::pair(MemoryOptions::default());
    let mute = tokio::spawn(sessions::run(ada.node(), theirs));
    let silent = Liar::meet(&ada, &mal.keyring()).await;
    goes_on(&ada, &bob).await;
    silent.ends_dropped("silence").await;
    timeout(PATIENCE, mute)
        .await
        .expect("a mute peer is given up")
        .unwrap();
    goes_on(&ada, &bob).await;
}
