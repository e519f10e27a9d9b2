//! Peers that lie about blobs, and peers that may not have them.

use super::support::*;
use crate::model::blob::{BLOCK_BYTES, BlobBuilder, BlobRoot, Block, block_hash};
use crate::model::{BlobId, Role, limits};
use crate::runtime::blobs::FetchHandle;
use crate::runtime::space_handle::SpaceHandle;
use crate::runtime::transport::Link;
use crate::sync::blob_wire::{BlobMessage, Body, Get, Have, Sent, Want};
use crate::sync::wire::{self, Message};
use bytes::Bytes;
use std::time::Duration;
use tokio::time::timeout;

const SIZE: usize = 1_000_000;

fn handle(party: &Party) -> SpaceHandle {
    party.guard.space(party.space.id()).unwrap()
}

fn made(seed: u8) -> (BlobRoot, Vec<Block>) {
    made_of(SIZE, seed)
}

fn made_of(size: usize, seed: u8) -> (BlobRoot, Vec<Block>) {
    let bytes: Vec<u8> = (0..size).map(|i| (i / 1000) as u8 ^ seed).collect();
    let mut builder = BlobBuilder::default();
    let mut blocks = Vec::new();
    builder.write(&bytes, &mut blocks).unwrap();
    (builder.finish(&mut blocks), blocks)
}

fn id(root: &BlobRoot) -> Bytes {
    Bytes::copy_from_slice(root.id().as_bytes())
}

impl Liar {
    async fn say_blob(&mut self, body: Body) {
        let message = BlobMessage { body: Some(body) };
        self.post(wire::Body::Blob(message)).await;
    }

    /// What the victim says next about blobs.
    async fn hear_blob(&mut self) -> Option<Body> {
        loop {
            let bytes = timeout(PATIENCE, self.hear_bytes()).await.unwrap()?;
            let message = Message::from_bytes(Bytes::from(bytes)).unwrap();
            if let Some(wire::Body::Blob(message)) = message.body {
                return message.body;
            }
        }
    }

    /// Whether the victim says nothing about blobs for a while.
    async fn hears_nothing(&mut self) -> bool {
        let while_ = Duration::from_millis(500);
        timeout(while_, self.hear_blob()).await.is_err()
    }

    /// Waits until the victim asks for blocks.
    async fn asked(&mut self, root: &BlobRoot) -> Vec<Bytes> {
        loop {
            match self.hear_blob().await.expect("the session lives") {
                Body::Want(want) if want.blob == id(root) => {
                    let have = Have::new(&root.id(), Some(root));
                    self.say_blob(Body::Have(have)).await;
                }
                Body::Get(get) if get.blob == id(root) => return get.hashes,
                _ => {}
            }
        }
    }

    async fn send_block(&mut self, root: &BlobRoot, hash: &[u8], bytes: &[u8]) {
        self.say_blob(Body::Sent(Sent {
            blob: id(root),
            hash: Bytes::copy_from_slice(hash),
            bytes: Some(Bytes::copy_from_slice(bytes)),
        }))
        .await;
    }

    /// Sends what it is asked for, as an honest peer does, until nothing is asked for any more.
    async fn serve(&mut self, root: &BlobRoot, blocks: &[Block], fetch: &FetchHandle) {
        while fetch.progress().state == crate::api::BlobFetchState::Fetching {
            let asked = timeout(Duration::from_secs(3), self.asked(root)).await;
            for hash in asked.unwrap_or_default() {
                let block = blocks.iter().find(|b| b.hash == hash[..]).unwrap();
                self.send_block(root, &hash, &block.bytes).await;
            }
        }
    }
}

fn fetch(party: &Party, root: &BlobRoot) -> FetchHandle {
    handle(party).fetch_blob(root.id()).unwrap()
}

fn bytes_held(party: &Party, root: &BlobRoot) -> Option<u64> {
    let row = party.space.with(|core| core.blob(&root.id())).unwrap();
    row.map(|row| row.held)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_blocks_end_the_session_and_are_not_kept() {
    let (ada, bob, mal) = three();
    let keyring = mal.keyring();
    let (root, blocks) = made(1);
    let top = blocks.iter().find(|b| b.hash == root.top).unwrap();

    let mut liar = Liar::meet(&ada, &keyring).await;
    let running = fetch(&ada, &root);
    let hashes = liar.asked(&root).await;
    assert_eq!(hashes, [Bytes::copy_from_slice(&root.top)]);
    liar.send_block(&root, &root.top, b"something else").await;
    liar.ends_dropped("a block with another hash").await;

    // It is not asked again for this blob, but an honest peer is.
    let mut liar = Liar::meet(&ada, &keyring).await;
    assert!(liar.hears_nothing().await, "a liar is asked again");
    drop(liar);
    running.cancel();
    assert_eq!(bytes_held(&ada, &root), Some(0));

    let mut liar = Liar::meet(&ada, &keyring).await;
    let running = fetch(&ada, &root);
    liar.asked(&root).await;
    let large = vec![0; BLOCK_BYTES + 1];
    liar.send_block(&root, &block_hash(1, &large), &large).await;
    liar.ends_dropped("a block that was not asked for, and too large")
        .await;
    running.cancel();

    let mut liar = Liar::meet(&ada, &keyring).await;
    let running = fetch(&ada, &root);
    liar.asked(&root).await;
    liar.send_block(&root, &root.top, &large).await;
    liar.ends_dropped("a block that is too large").await;
    running.cancel();

    // The same block twice: the second was not asked for.
    let mut liar = Liar::meet(&ada, &keyring).await;
    let running = fetch(&ada, &root);
    liar.asked(&root).await;
    liar.send_block(&root, &root.top, &top.bytes).await;
    liar.send_block(&root, &root.top, &top.bytes).await;
    liar.ends_dropped("blocks without end").await;
    running.cancel();
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blocks_of_nothing_end_the_session() {
    let (ada, bob, mal) = three();
    let keyring = mal.keyring();
    let (root, blocks) = made(2);
    let mut liar = Liar::meet(&ada, &keyring).await;
    // Claims that nobody asked about are ignored.
    for _ in 0..1000 {
        liar.say_blob(Body::Have(Have::new(&root.id(), Some(&root))))
            .await;
    }
    liar.say_blob(Body::Have(Have::new(&BlobId([7; 32]), None)))
        .await;
    assert_eq!(bytes_held(&ada, &root), None);
    liar.send_block(&root, &blocks[0].hash, &blocks[0].bytes)
        .await;
    liar.ends_dropped("a block that nobody asked for").await;
    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.say_blob(Body::Want(Want {
        blob: Bytes::from_static(b"short"),
    }))
    .await;
    liar.ends_dropped("a blob's name that is none").await;
    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.say_blob(Body::Get(Get {
        blob: id(&root),
        hashes: vec![Bytes::from_static(b"short")],
    }))
    .await;
    liar.ends_dropped("a block's name that is none").await;
    let mut liar = Liar::meet(&ada, &keyring).await;
    liar.say_blob(Body::Get(Get {
        blob: id(&root),
        hashes: vec![Bytes::from_static(&[1; 32]); limits::BLOB_BLOCKS_ASKED + 1],
    }))
    .await;
    liar.ends_dropped("more blocks than may be asked for").await;
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_content_under_the_name_is_refused() {
    let (ada, bob, mal) = three();
    let keyring = mal.keyring();
    let ((root, _), (other, _)) = (made(3), made(4));
    let mut liar = Liar::meet(&ada, &keyring).await;
    let running = fetch(&ada, &root);
    assert!(matches!(liar.hear_blob().await, Some(Body::Want(_))));
    liar.say_blob(Body::Have(Have::new(&root.id(), Some(&other))))
        .await;
    liar.ends_dropped("another blob").await;
    running.cancel();
    // A size past the bound, honestly named, ends the fetch and nothing else.
    let endless = BlobRoot {
        size: limits::BLOB_BYTES + 1,
        top: [1; 32],
    };
    let mut liar = Liar::meet(&ada, &keyring).await;
    let running = fetch(&ada, &endless);
    assert!(matches!(liar.hear_blob().await, Some(Body::Want(_))));
    liar.say_blob(Body::Have(Have::new(&endless.id(), Some(&endless))))
        .await;
    wait("the fetch ends", || {
        running.progress().state == crate::api::BlobFetchState::Failed
    })
    .await;
    let status = crate::model::ErrorKind::LimitExceeded.status();
    assert_eq!(running.progress().status, status);
    assert_eq!(bytes_held(&ada, &endless), None);
    // A blob whose blocks do not have the sizes that its size demands: nobody can send it.
    let (_, blocks) = made(5);
    let crooked = BlobRoot {
        size: SIZE as u64 + 1,
        top: blocks.last().unwrap().hash,
    };
    let running = fetch(&ada, &crooked);
    let hashes = liar.asked(&crooked).await;
    liar.send_block(&crooked, &hashes[0], &blocks.last().unwrap().bytes)
        .await;
    let hashes = liar.asked(&crooked).await;
    for hash in hashes {
        let block = blocks.iter().find(|b| b.hash == hash[..]).unwrap();
        liar.send_block(&crooked, &hash, &block.bytes).await;
    }
    wait("the fetch ends", || {
        running.progress().state == crate::api::BlobFetchState::Failed
    })
    .await;
    let status = crate::model::ErrorKind::Corrupt.status();
    assert_eq!(
        running.progress().status,
        status,
        "{:?}",
        running.progress()
    );
    // The one who sent what it was asked for is no liar.
    assert!(!liar.victim.is_finished());
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_goes_leaves_what_it_sent() {
    let (ada, bob, mal) = three();
    let keyring = mal.keyring();
    let (root, blocks) = made(6);
    let mut peer = Liar::meet(&ada, &keyring).await;
    let running = fetch(&ada, &root);
    let find = |hash: &Bytes| blocks.iter().find(|b| b.hash == hash[..]).unwrap();
    let top = peer.asked(&root).await;
    peer.send_block(&root, &top[0], &find(&top[0]).bytes).await;
    let hashes = peer.asked(&root).await;
    for hash in &hashes[..5] {
        peer.send_block(&root, hash, &find(hash).bytes).await;
    }
    wait("five are here", || {
        bytes_held(&ada, &root) == Some(5 * 65_536)
    })
    .await;
    peer.link.cut();
    let mut peer = Liar::meet(&ada, &keyring).await;
    let again = peer.asked(&root).await;
    assert!(hashes[..5].iter().all(|hash| !again.contains(hash)));
    for hash in &again {
        peer.send_block(&root, hash, &find(hash).bytes).await;
    }
    peer.serve(&root, &blocks, &running).await;
    assert_eq!(bytes_held(&ada, &root), Some(SIZE as u64));
    // It is whole, and so offered to who asks.
    let fetched = fetch(&bob, &root);
    wait("another has it", || {
        fetched.progress().state == crate::api::BlobFetchState::Done
    })
    .await;
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_and_a_relay_get_nothing() {
    let (ada, bob, mal) = three();
    let bytes = vec![9; 100_000];
    let blob = handle(&ada).put_blob(&bytes).unwrap();
    let root = ada
        .space
        .with(|core| core.blob(&BlobId::parse(&blob.id).unwrap()))
        .unwrap()
        .unwrap()
        .root;
    let stranger = client("Eve").node().require_identity().unwrap().0;
    let relay = member_as(&ada, "Rae", Role::Relay);
    for (who, keyring, served) in [
        ("a member", mal.keyring(), true),
        ("a stranger", stranger, false),
        ("a relay", relay.keyring(), false),
    ] {
        let mut peer = Liar::meet(&ada, &keyring).await;
        peer.say_blob(Body::Want(Want { blob: id(&root) })).await;
        assert_eq!(!peer.hears_nothing().await, served, "{who} asks whether");
        peer.say_blob(Body::Get(Get {
            blob: id(&root),
            hashes: vec![Bytes::copy_from_slice(&root.top)],
        }))
        .await;
        assert_eq!(
            !peer.hears_nothing().await,
            served,
            "{who} asks for a block"
        );
    }
    // Of what it holds itself, a relay fetches nothing either.
    let refused = handle(&relay).fetch_blob(root.id()).err().unwrap();
    assert_eq!(refused.kind(), crate::model::ErrorKind::PermissionDenied);
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_does_not_read_costs_little_memory() {
    let (ada, bob, mal) = three();
    let bytes: Vec<u8> = (0..20_000_000_u32).map(|i| (i / 300) as u8).collect();
    let blob = handle(&ada).put_blob(&bytes).unwrap();
    let row = ada
        .space
        .with(|core| core.blob(&BlobId::parse(&blob.id).unwrap()))
        .unwrap()
        .unwrap();
    let mut peer = Liar::meet(&ada, &mal.keyring()).await;
    let get = |hashes| {
        let blob = id(&row.root);
        Body::Get(Get { blob, hashes })
    };
    // It asks for as much as it may, and reads nothing: blocks wait on the disk, not in memory.
    let top = Bytes::copy_from_slice(&row.root.top);
    peer.say_blob(get(vec![top.clone(); limits::BLOB_BLOCKS_ASKED]))
        .await;
    goes_on(&ada, &bob).await;
    // 64 frames fill the link; of a hundred more requests the queue refuses the rest.
    peer.say_blob(get(vec![top; limits::BLOB_BLOCKS_ASKED]))
        .await;
    peer.ends_dropped("blocks asked for and not read").await;
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_peer_that_owes_blocks_holds_nobody_up() {
    let (ada, bob, mal) = three();
    let (root, _) = made(7);
    let mut liar = Liar::meet(&ada, &mal.keyring()).await;
    let running = fetch(&ada, &root);
    // It says that it holds the blob, and then nothing more.
    let owed = liar.asked(&root).await;
    assert_eq!(owed.len(), 1);
    let bytes: Vec<u8> = (0..SIZE).map(|i| (i / 1000) as u8 ^ 7).collect();
    let blob = handle(&bob).put_blob(&bytes).unwrap();
    assert_eq!(blob.id, root.id().to_string());
    let link = std::sync::Arc::clone(&liar.link);
    let silent = tokio::spawn(async move { while link.recv().await.is_some() {} });
    wait("an honest peer sends it", || {
        running.progress().state == crate::api::BlobFetchState::Done
    })
    .await;
    silent.abort();
    goes_on(&ada, &bob).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_while_a_space_is_closed_is_ticked_off() {
    let (ada, bob, mal) = three();
    // More blocks than one peer is asked for at a time.
    let (root, blocks) = made_of(3_000_000, 8);
    let find = |hash: &Bytes| blocks.iter().find(|b| b.hash == hash[..]).unwrap();
    let mut peer = Liar::meet(&ada, &mal.keyring()).await;
    let running = fetch(&ada, &root);
    let top = peer.asked(&root).await;
    peer.send_block(&root, &top[0], &find(&top[0]).bytes).await;
    let owed = peer.asked(&root).await;
    assert_eq!(owed.len(), crate::sync::blob_fetch::WINDOW);
    ada.guard.node().close_space(&ada.space).unwrap();
    assert_eq!(
        running.progress().state,
        crate::api::BlobFetchState::Cancelled
    );
    for hash in &owed {
        peer.send_block(&root, hash, &find(hash).bytes).await;
    }
    // What is asked of a closed space is answered too, and so the asker does not wait for it.
    let hash = top[0].clone();
    peer.say_blob(Body::Get(Get {
        blob: id(&root),
        hashes: vec![hash.clone()],
    }))
    .await;
    let blob = id(&root);
    let bytes = None;
    let told = peer.hear_blob().await;
    assert_eq!(told, Some(Body::Sent(Sent { blob, hash, bytes })));
    ada.guard.node().open_space(&ada.space).unwrap();
    let running = fetch(&ada, &root);
    peer.serve(&root, &blocks, &running).await;
    assert_eq!(bytes_held(&ada, &root), Some(3_000_000));
    goes_on(&ada, &bob).await;
}

/// Blocks that were asked of all peers and not answered.
fn owed(party: &Party) -> usize {
    let sessions = party.guard.node().sessions();
    sessions.iter().map(|session| session.owed_blocks()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_space_leaves_no_debts_on_either_side() {
    let (ada, _bob, mal) = three();
    let keyring = mal.keyring();
    let (root, blocks) = made(9);
    let mut liar = Liar::meet(&ada, &keyring).await;
    let _running = fetch(&ada, &root);
    let hashes = liar.asked(&root).await;
    assert_eq!(owed(&ada), hashes.len());
    let (node, space) = (ada.guard.node().clone(), ada.space.id());
    tokio::task::spawn_blocking(move || node.delete_space(space))
        .await
        .unwrap()
        .unwrap();
    for hash in hashes {
        let block = blocks.iter().find(|b| b.hash == hash[..]).unwrap();
        liar.send_block(&root, &hash, &block.bytes).await;
    }
    let hashes = vec![Bytes::copy_from_slice(&root.top)];
    let blob = id(&root);
    liar.say_blob(Body::Get(Get { blob, hashes })).await;
    let sent = loop {
        if let Body::Sent(sent) = liar.hear_blob().await.expect("the session lives") {
            break sent;
        }
    };
    assert_eq!(sent.bytes, None, "what is gone is not here");
    assert_eq!(owed(&ada), 0, "what has come is not owed any more");
}
