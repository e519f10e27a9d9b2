use super::*;
use crate::model::ErrorKind;
use crate::runtime::signal::{Candidate, SignalPayload};
use crate::runtime::transport::{Link, LinkRole, SIGNAL_QUEUE, SignalChannel, Transport};
use bytes::Bytes;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// Less than the time after which a silent peer is given up: what ends sooner was told of.
const BEFORE_SILENCE: Duration = Duration::from_secs(7);

fn loopback() -> WebRtcTransport {
    WebRtcTransport::new(WebRtcOptions {
        bind_addresses: vec!["127.0.0.1:0".parse().unwrap()],
        connect_timeout: Duration::from_secs(20),
        ..WebRtcOptions::default()
    })
}

async fn linked(transport: &WebRtcTransport) -> (Arc<dyn Link>, Arc<dyn Link>) {
    let (left, right) = SignalChannel::pair();
    let (a, b) = tokio::join!(
        transport.connect(LinkRole::Offerer, left),
        transport.connect(LinkRole::Answerer, right)
    );
    (a.unwrap(), b.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_peers_meet_and_know_each_other() {
    let start = Instant::now();
    let (a, b) = linked(&loopback()).await;
    eprintln!("set-up: {:?}", start.elapsed());
    assert!(a.initiator() && !b.initiator());
    assert_eq!(a.local_fingerprint(), b.remote_fingerprint());
    assert_eq!(a.remote_fingerprint(), b.local_fingerprint());
    assert_ne!(a.local_fingerprint(), a.remote_fingerprint());
    a.send(Bytes::from_static(b"hello")).await.unwrap();
    assert_eq!(b.recv().await.unwrap(), "hello");
    let start = Instant::now();
    for _ in 0..100 {
        b.send(Bytes::from_static(b"ping")).await.unwrap();
        a.recv().await.unwrap();
        a.send(Bytes::from_static(b"pong")).await.unwrap();
        b.recv().await.unwrap();
    }
    eprintln!("round trip: {:?}", start.elapsed() / 100);
    a.send(Bytes::from_static(b"last words")).await.unwrap();
    let start = Instant::now();
    let closer = a.clone();
    let closing = tokio::spawn(async move { closer.close().await });
    assert_eq!(b.recv().await.unwrap(), "last words");
    assert!(b.recv().await.is_none());
    eprintln!("close noticed: {:?}", start.elapsed());
    closing.await.unwrap();
    eprintln!("closed: {:?}", start.elapsed());
    assert!(start.elapsed() < BEFORE_SILENCE);
    assert!(a.is_closed() && b.is_closed());
    assert!(a.send(Bytes::from_static(b"x")).await.is_err());
    assert!(b.send(Bytes::from_static(b"x")).await.is_err());
    assert!(a.recv().await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_megabytes_arrive_whole_and_a_slow_reader_holds_the_sender_back() {
    const FRAMES: usize = 2000;
    const SIZE: usize = 50_000;
    let (a, b) = linked(&loopback()).await;
    let sender = a.clone();
    let task = tokio::spawn(async move {
        for i in 0..FRAMES {
            let frame = vec![i as u8; SIZE];
            sender.send(Bytes::from(frame)).await.unwrap();
        }
    });
    // Nobody reads: the sender must stop well before all of it is out.
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let early = a.bytes_sent();
    eprintln!("accepted while nobody reads: {early}");
    assert!(!task.is_finished());
    let start = Instant::now();
    for i in 0..FRAMES {
        let frame = b.recv().await.unwrap();
        assert_eq!(frame.len(), SIZE);
        assert!(frame.iter().all(|byte| *byte == i as u8));
    }
    let rate = (FRAMES * SIZE) as f64 / 1e6 / start.elapsed().as_secs_f64();
    eprintln!("all at {rate:.0} MB/s");
    task.await.unwrap();
    assert_eq!(a.bytes_sent(), b.bytes_received());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dropped_link_is_a_closed_link() {
    let (a, b) = linked(&loopback()).await;
    drop(a);
    let end = tokio::time::timeout(BEFORE_SILENCE, b.recv()).await;
    assert!(end.expect("noticed").is_none());
}

/// Even if nobody reads from it: whoever waits for its end hears of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_cannot_send_any_more_is_closed() {
    let (a, b) = linked(&loopback()).await;
    a.close().await;
    let refused = async {
        while b.send(Bytes::from_static(b"hello")).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let in_time = tokio::time::timeout(BEFORE_SILENCE, refused).await;
    in_time.expect("refused before the silence is noticed");
    assert!(b.is_closed());
}

fn impatient() -> WebRtcTransport {
    WebRtcTransport::new(WebRtcOptions {
        connect_timeout: Duration::from_millis(300),
        ..loopback().options().clone()
    })
}

/// A signal channel on which a stranger has said `said`, and what we would answer.
fn told(said: Vec<SignalPayload>) -> (SignalChannel, mpsc::Receiver<SignalPayload>) {
    let (outgoing, answers) = mpsc::channel(SIGNAL_QUEUE);
    let (sender, incoming) = mpsc::channel(said.len().max(1));
    for payload in said {
        sender.try_send(payload).unwrap();
    }
    (SignalChannel { outgoing, incoming }, answers)
}

fn garbage_candidate(i: usize) -> SignalPayload {
    SignalPayload::Candidate(Candidate {
        candidate: format!("candidate:{i} 9 zzz -1 256.0.0.1 99999 typ nothing"),
        mid: None,
        line: Some(u16::MAX),
    })
}

#[tokio::test]
async fn silence_and_nonsense_end_in_a_clear_error() {
    let (signals, _answers) = told(Vec::new());
    let error = impatient().connect(LinkRole::Offerer, signals).await;
    assert_eq!(error.err().unwrap().kind(), ErrorKind::TimedOut);
    for (role, payload) in [
        (LinkRole::Answerer, SignalPayload::Offer("v=0".into())),
        (LinkRole::Offerer, SignalPayload::Answer("nonsense".into())),
    ] {
        let (signals, _answers) = told(vec![payload]);
        let error = impatient().connect(role, signals).await.err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{error}");
    }
    // What does not belong is passed over; paths that make no sense are no paths.
    let mut said: Vec<_> = (0..200).map(garbage_candidate).collect();
    said.push(SignalPayload::Answer("for an answerer".into()));
    let (signals, _answers) = told(said);
    let error = impatient().connect(LinkRole::Answerer, signals).await;
    assert_eq!(error.err().unwrap().kind(), ErrorKind::TimedOut);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bent_offers_never_panic() {
    let (signals, mut offers) = told(Vec::new());
    let _ = impatient().connect(LinkRole::Offerer, signals).await;
    let Some(SignalPayload::Offer(offer)) = offers.recv().await else {
        panic!("an offer was made");
    };
    let bytes = offer.into_bytes();
    let mut seed = 1u64;
    let mut attempts = tokio::task::JoinSet::new();
    for _ in 0..60 {
        let mut bent = bytes.clone();
        for _ in 0..4 {
            seed = seed
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            let at = (seed >> 33) as usize % bent.len();
            match seed % 3 {
                0 => bent[at] = (seed >> 20) as u8 & 0x7f,
                1 => bent.truncate(at.max(10)),
                _ => drop(bent.remove(at)),
            }
        }
        let bent = String::from_utf8_lossy(&bent).into_owned();
        attempts.spawn(async move {
            let (signals, _answers) = told(vec![SignalPayload::Offer(bent)]);
            assert!(
                impatient()
                    .connect(LinkRole::Answerer, signals)
                    .await
                    .is_err()
            );
        });
    }
    while let Some(attempt) = attempts.join_next().await {
        attempt.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_sent_before_a_close_arrives() {
    let (a, b) = linked(&loopback()).await;
    for i in 0..30u8 {
        a.send(Bytes::from(vec![i; 60_000])).await.unwrap();
    }
    tokio::spawn(async move { a.close().await });
    for i in 0..30u8 {
        assert_eq!(b.recv().await.unwrap(), vec![i; 60_000]);
    }
    assert!(b.recv().await.is_none());
}
