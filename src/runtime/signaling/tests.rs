use super::*;
use echodb_signal::{Config, Server};
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

const TOPIC: Topic = [7; 32];
type Events = mpsc::Receiver<SignalingEvent>;

/// A server within this process; stops when dropped or told.
pub(in crate::runtime) struct TestServer {
    pub(in crate::runtime) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    done: tokio::task::JoinHandle<()>,
}

impl TestServer {
    pub(in crate::runtime) async fn start(address: &str) -> TestServer {
        let server = Server::bind(address, Config::default()).await.unwrap();
        let (stop, stopped) = oneshot::channel();
        TestServer {
            address: server.local_addr(),
            stop: Some(stop),
            done: tokio::spawn(server.run(async {
                let _ = stopped.await;
            })),
        }
    }

    pub(in crate::runtime) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    async fn stop(mut self) -> SocketAddr {
        drop(self.stop.take());
        self.done.await.unwrap();
        self.address
    }
}

fn key() -> TopicKey {
    TopicKey::new(&[9; 32])
}

fn client(urls: &[String], peer: u8) -> (SignalingClient, Events) {
    SignalingClient::connect(urls, [peer; 16]).unwrap()
}

/// The next event that is no change of a server's state.
async fn next(events: &mut Events) -> SignalingEvent {
    let wanted = async {
        loop {
            match events.recv().await.unwrap() {
                SignalingEvent::StateChanged { .. } => {}
                event => return event,
            }
        }
    };
    timeout(Duration::from_secs(10), wanted).await.unwrap()
}

fn seen(peer: u8) -> SignalingEvent {
    SignalingEvent::PeerSeen {
        topic: TOPIC,
        peer: [peer; 16],
    }
}

fn gone(peer: u8) -> SignalingEvent {
    SignalingEvent::PeerGone {
        topic: TOPIC,
        peer: [peer; 16],
    }
}

#[tokio::test]
async fn peers_meet_talk_and_leave() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (alice, mut to_alice) = client(&[server.url()], 1);
    let (bob, mut to_bob) = client(&[server.url()], 2);
    let _in = alice.join(TOPIC, &key());
    let handle = bob.join(TOPIC, &key());
    assert_eq!(next(&mut to_alice).await, seen(2));
    assert_eq!(next(&mut to_bob).await, seen(1));
    assert_eq!(alice.peers(&TOPIC), [[2; 16]]);
    alice.send(&TOPIC, &[2; 16], b"hello").await.unwrap();
    let message = SignalingEvent::Message {
        topic: TOPIC,
        from: [1; 16],
        payload: "hello".into(),
    };
    assert_eq!(next(&mut to_bob).await, message);
    // Handles are counted; to leave and come back at once is seen as both.
    let second = bob.join(TOPIC, &key());
    drop(handle);
    drop(second);
    let _again = bob.join(TOPIC, &key());
    assert_eq!(next(&mut to_alice).await, gone(2));
    assert_eq!(next(&mut to_alice).await, seen(2));
    assert_eq!(next(&mut to_bob).await, seen(1));
    drop(bob);
    assert_eq!(next(&mut to_alice).await, gone(2));
    assert!(alice.send(&TOPIC, &[2; 16], b"x").await.is_err());
    assert!(alice.send(&[0; 32], &[2; 16], b"x").await.is_err());
}

#[tokio::test]
async fn who_does_not_hold_the_key_is_not_heard() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (alice, mut to_alice) = client(&[server.url()], 1);
    let (mallory, mut to_mallory) = client(&[server.url()], 2);
    let _in = alice.join(TOPIC, &key());
    assert_eq!(alice.ignored_frames(), 0);
    let _other = mallory.join(TOPIC, &TopicKey::new(&[0; 32]));
    assert_eq!(next(&mut to_alice).await, seen(2));
    assert_eq!(next(&mut to_mallory).await, seen(1));
    mallory.send(&TOPIC, &[1; 16], b"hello").await.unwrap();
    while alice.ignored_frames() == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    drop(mallory);
    assert_eq!(next(&mut to_alice).await, gone(2));
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (alice, mut to_alice) = client(&[server.url()], 1);
    let (bob, mut to_bob) = client(&[server.url()], 2);
    let _a = alice.join(TOPIC, &key());
    let _b = bob.join(TOPIC, &key());
    assert_eq!(next(&mut to_alice).await, seen(2));
    assert_eq!(next(&mut to_bob).await, seen(1));
    let address = server.stop().await;
    assert_eq!(next(&mut to_alice).await, gone(2));
    assert_eq!(next(&mut to_bob).await, gone(1));
    assert_eq!(alice.states(), [ServerState::Reconnecting]);
    let start = Instant::now();
    let _server = TestServer::start(&address.to_string()).await;
    assert_eq!(next(&mut to_alice).await, seen(2));
    assert_eq!(next(&mut to_bob).await, seen(1));
    eprintln!("together again after {:?}", start.elapsed());
    bob.send(&TOPIC, &[1; 16], b"back").await.unwrap();
    assert!(matches!(
        next(&mut to_alice).await,
        SignalingEvent::Message { .. }
    ));
}

#[tokio::test]
async fn two_servers_show_one_peer_and_one_may_fail() {
    let (first, second) = (
        TestServer::start("127.0.0.1:0").await,
        TestServer::start("127.0.0.1:0").await,
    );
    let urls = [first.url(), second.url()];
    let (alice, mut to_alice) = client(&urls, 1);
    let (bob, mut to_bob) = client(&urls, 2);
    let _a = alice.join(TOPIC, &key());
    let _b = bob.join(TOPIC, &key());
    assert_eq!(next(&mut to_alice).await, seen(2));
    assert_eq!(next(&mut to_bob).await, seen(1));
    let both = [ServerState::Connected; 2];
    while alice.states() != both || bob.states() != both {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // Time for the second server's lists, which must change nothing.
    tokio::time::sleep(Duration::from_millis(200)).await;
    first.stop().await;
    while alice.states() == both {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    alice.send(&TOPIC, &[2; 16], b"still here").await.unwrap();
    assert!(matches!(
        next(&mut to_bob).await,
        SignalingEvent::Message { .. }
    ));
}

/// A server that welcomes and then sends `frames` to whoever comes.
async fn hostile(frames: Vec<Message>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let frames = frames.clone();
            tokio::spawn(async move {
                let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
                let _hello = socket.next().await;
                let welcome = Message::text(r#"{"t":"welcome"}"#);
                let _ = socket.send(welcome).await;
                // A join, after which the topic is known.
                let _join = socket.next().await;
                for frame in frames {
                    let _ = socket.send(frame).await;
                }
                while let Some(Ok(_)) = socket.next().await {}
            });
        }
    });
    url
}

#[tokio::test]
async fn a_hostile_server_harms_nobody() {
    let topic = data_encoding::BASE64URL_NOPAD.encode(&TOPIC);
    let me = "01".repeat(16);
    let honest = TestServer::start("127.0.0.1:0").await;
    let url = hostile(vec![
        Message::text("{"),
        Message::binary(vec![0xff; 100]),
        Message::text(r#"{"t":"welcome"}"#),
        Message::text(r#"{"t":"error","code":"\u0000","detail":"x"}"#),
        Message::text(format!(
            r#"{{"t":"message","topic":"{topic}","from":"{me}","data":"AAAA"}}"#
        )),
        Message::text(format!(
            r#"{{"t":"joined","topic":"{topic}","peer":"{me}"}}"#
        )),
        Message::text(format!(
            r#"{{"t":"peers","topic":"{topic}","peers":["zz"]}}"#
        )),
        Message::text(format!("[{}", "[".repeat(50_000))),
        Message::text("x".repeat(10_000_000)),
    ])
    .await;
    let (alice, mut to_alice) = client(&[url, honest.url()], 1);
    let (bob, _to_bob) = client(&[honest.url()], 2);
    let _a = alice.join(TOPIC, &key());
    let _b = bob.join(TOPIC, &key());
    assert_eq!(next(&mut to_alice).await, seen(2));
    // The last frame is too large: the connection is dropped, and made again and again.
    while alice.ignored_frames() < 12 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(alice.states()[1], ServerState::Connected);
}

#[test]
fn addresses_are_checked_at_once() {
    for url in [
        "",
        "http://example.org",
        "ws://",
        "example.org:80",
        "wss:/x",
    ] {
        let urls = [url.to_owned()];
        assert!(SignalingClient::connect(&urls, [0; 16]).is_err(), "{url}");
    }
    let many = vec!["ws://127.0.0.1:1".to_owned(); 17];
    assert!(SignalingClient::connect(&many, [0; 16]).is_err());
}

/// Serves TLS in front of `server`; returns the port and the certificate.
async fn tls_front(server: SocketAddr) -> (u16, rustls::pki_types::CertificateDer<'static>) {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = made.signing_key.serialize_der().try_into().unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let acceptor = tokio_rustls::TlsAcceptor::from(std::sync::Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut outside) = acceptor.accept(stream).await else {
                    return;
                };
                let mut inside = tokio::net::TcpStream::connect(server).await.unwrap();
                let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
            });
        }
    });
    (port, certificate)
}

#[tokio::test]
async fn a_server_over_tls_is_used_if_its_certificate_is_trusted() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (port, certificate) = tls_front(server.address).await;
    let urls = [format!("wss://localhost:{port}")];
    let mut roots = rustls::RootCertStore::empty();
    roots.add(certificate).unwrap();
    let (trusting, mut events) = SignalingClient::connect_trusting(&urls, [1; 16], &roots).unwrap();
    let connected = SignalingEvent::StateChanged {
        url: urls[0].clone(),
        state: ServerState::Connected,
    };
    let event = timeout(Duration::from_secs(5), events.recv()).await;
    assert_eq!(event.unwrap(), Some(connected));
    drop(trusting);
    let (_wary, mut events) = client(&urls, 2);
    let event = timeout(Duration::from_millis(500), events.recv()).await;
    assert!(
        event.is_err(),
        "an unknown authority was trusted: {event:?}"
    );
}
