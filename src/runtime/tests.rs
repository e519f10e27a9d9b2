//! Signalling and WebRTC together, and our stack against another one.

use super::signal::SignalPayload;
use super::signaling::tests::TestServer;
use super::signaling::{PeerId, SignalingClient, SignalingEvent, Topic, TopicKey};
use super::transport::{Link, LinkRole, SIGNAL_QUEUE, SignalChannel, Transport};
use super::webrtc::{WebRtcOptions, WebRtcTransport};
use bytes::Bytes;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::process::{Child, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

const TOPIC: Topic = [5; 32];
const KEY: [u8; 32] = [6; 32];

/// Meets the one other peer of the topic and connects to it.
async fn meet(url: String, peer: PeerId, role: LinkRole) -> Arc<dyn Link> {
    let (client, mut events) = SignalingClient::connect(&[url], peer).unwrap();
    let _topic = client.join(TOPIC, &TopicKey::new(&KEY));
    let other = loop {
        if let SignalingEvent::PeerSeen { peer, .. } = events.recv().await.unwrap() {
            break peer;
        }
    };
    let (outgoing, mut payloads) = mpsc::channel::<SignalPayload>(SIGNAL_QUEUE);
    let (deliver, incoming) = mpsc::channel(SIGNAL_QUEUE);
    let pump = async {
        loop {
            tokio::select! {
                Some(payload) = payloads.recv() => {
                    client.send(&TOPIC, &other, &payload.encode()).await.unwrap();
                }
                Some(event) = events.recv() => {
                    if let SignalingEvent::Message { payload, .. } = event {
                        let payload = SignalPayload::decode(&payload).unwrap();
                        let _ = deliver.send(payload).await;
                    }
                }
            }
        }
    };
    let transport = WebRtcTransport::new(WebRtcOptions::default());
    let start = Instant::now();
    let link = tokio::select! {
        link = transport.connect(role, SignalChannel { outgoing, incoming }) => link.unwrap(),
        () = pump => unreachable!("the pump never ends"),
    };
    eprintln!("{role:?} connected after {:?}", start.elapsed());
    link
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_peers_meet_through_signalling_and_exchange_20_mb() {
    const FRAMES: usize = 400;
    let server = TestServer::start("127.0.0.1:0").await;
    let (a, b) = tokio::join!(
        meet(server.url(), [1; 16], LinkRole::Offerer),
        meet(server.url(), [2; 16], LinkRole::Answerer)
    );
    let start = Instant::now();
    let echo = tokio::spawn(async move {
        while let Some(frame) = b.recv().await {
            b.send(frame).await.unwrap();
        }
    });
    let sender = a.clone();
    let send = tokio::spawn(async move {
        for i in 0..FRAMES {
            let frame = vec![i as u8; 50_000];
            sender.send(frame.into()).await.unwrap();
        }
    });
    for i in 0..FRAMES {
        let frame = a.recv().await.unwrap();
        assert!(frame.len() == 50_000 && frame.iter().all(|byte| *byte == i as u8));
    }
    eprintln!("20 MB there and back in {:?}", start.elapsed());
    send.await.unwrap();
    a.close().await;
    timeout(Duration::from_secs(5), echo)
        .await
        .unwrap()
        .unwrap();
}

/// Starts an outside peer in a role; see `tests/interop`.
fn outside_peer(server: &TestServer, program: Program, role: &str) -> Child {
    let (runner, script) = match program {
        Program::Node => ("node".to_owned(), "peer.mjs"),
        Program::Python => {
            let python = std::env::var("ECHODB_INTEROP_PYTHON");
            (python.unwrap_or_else(|_| "python3".to_owned()), "peer.py")
        }
    };
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop");
    let hex = |bytes: &[u8]| data_encoding::HEXLOWER.encode(bytes);
    Command::new(runner)
        .arg(folder.join(script))
        .args([&server.url(), &hex(&TOPIC), &hex(&KEY), role])
        .stdout(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("the outside peer's interpreter is installed")
}

/// The outside stacks: libdatachannel under Node, and aiortc.
#[derive(Clone, Copy)]
enum Program {
    Node,
    Python,
}

async fn check_echo(link: &dyn Link) {
    assert_ne!(link.local_fingerprint(), link.remote_fingerprint());
    let start = Instant::now();
    for size in [1, 100, 16 * 1024, 60 * 1024] {
        for i in 0..20u8 {
            let frame = Bytes::from(vec![i; size]);
            link.send(frame.clone()).await.unwrap();
            assert_eq!(link.recv().await.unwrap(), frame);
        }
    }
    eprintln!("80 echoes in {:?}", start.elapsed());
}

async fn ends_well(mut child: Child) {
    let ended = timeout(Duration::from_secs(10), child.wait()).await;
    assert!(ended.expect("the outside peer notices").unwrap().success());
}

async fn outside_answers(program: Program) {
    let server = TestServer::start("127.0.0.1:0").await;
    let child = outside_peer(&server, program, "answer");
    let link = meet(server.url(), [1; 16], LinkRole::Offerer).await;
    check_echo(link.as_ref()).await;
    link.close().await;
    ends_well(child).await;
}

async fn outside_offers(program: Program) {
    let server = TestServer::start("127.0.0.1:0").await;
    let child = outside_peer(&server, program, "offer");
    let link = meet(server.url(), [1; 16], LinkRole::Answerer).await;
    check_echo(link.as_ref()).await;
    link.send(Bytes::from_static(b"close")).await.unwrap();
    let start = Instant::now();
    let end = timeout(Duration::from_secs(5), link.recv()).await;
    assert!(end.expect("we notice").is_none());
    eprintln!("close noticed after {:?}", start.elapsed());
    ends_well(child).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs node and the packages of tests/interop"]
async fn libdatachannel_answers_us_and_notices_our_close() {
    outside_answers(Program::Node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs node and the packages of tests/interop"]
async fn libdatachannel_offers_and_we_notice_its_close() {
    outside_offers(Program::Node).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs python and the packages of tests/interop"]
async fn aiortc_answers_us_and_notices_our_close() {
    outside_answers(Program::Python).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs python and the packages of tests/interop"]
async fn aiortc_offers_and_we_notice_its_close() {
    outside_offers(Program::Python).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs node and the packages of tests/interop"]
async fn a_killed_peer_is_missed_within_ten_seconds() {
    let server = TestServer::start("127.0.0.1:0").await;
    let mut child = outside_peer(&server, Program::Node, "answer");
    let link = meet(server.url(), [1; 16], LinkRole::Offerer).await;
    check_echo(link.as_ref()).await;
    child.kill().await.unwrap();
    let start = Instant::now();
    let end = timeout(Duration::from_secs(12), link.recv()).await;
    eprintln!("missed after {:?}", start.elapsed());
    assert!(end.expect("we notice").is_none());
    assert!(link.send(Bytes::from_static(b"x")).await.is_err());
}
