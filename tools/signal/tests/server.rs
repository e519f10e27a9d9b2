//! The server from outside: what clients see, and every quota.

use echodb_signal::protocol::{ClientFrame, Code, ServerFrame};
use echodb_signal::{Config, Server};
use futures_util::{SinkExt, StreamExt};
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    done: tokio::task::JoinHandle<()>,
}

async fn start(config: Config) -> Running {
    let server = Server::bind("127.0.0.1:0", config).await.unwrap();
    let (stop, stopped) = oneshot::channel();
    Running {
        address: server.local_addr(),
        stop,
        done: tokio::spawn(server.run(async {
            let _ = stopped.await;
        })),
    }
}

impl Running {
    async fn connect(&self) -> Socket {
        let url = format!("ws://{}", self.address);
        connect_async(url).await.unwrap().0
    }

    async fn peer(&self, n: u8) -> Socket {
        let mut socket = self.connect().await;
        say(&mut socket, &hello(n)).await;
        assert_eq!(hear(&mut socket).await, ServerFrame::Welcome);
        socket
    }
}

fn id(n: u8) -> String {
    format!("{n:02x}").repeat(16)
}

fn hello(n: u8) -> ClientFrame {
    ClientFrame::Hello { v: 1, peer: id(n) }
}

fn join(topic: &str) -> ClientFrame {
    ClientFrame::Join {
        topic: topic.into(),
    }
}

fn send(topic: &str, to: u8, data: &str) -> ClientFrame {
    ClientFrame::Send {
        topic: topic.into(),
        to: id(to),
        data: data.into(),
    }
}

fn peers(topic: &str, peers: &[u8]) -> ServerFrame {
    ServerFrame::Peers {
        topic: topic.into(),
        peers: peers.iter().map(|n| id(*n)).collect(),
    }
}

async fn say(socket: &mut Socket, frame: &ClientFrame) {
    let text = serde_json::to_string(frame).unwrap();
    socket.send(Message::text(text)).await.unwrap();
}

/// The next frame, or `None` once the connection is closed.
async fn try_hear(socket: &mut Socket) -> Option<ServerFrame> {
    let next = async {
        loop {
            match socket.next().await {
                Some(Ok(Message::Text(text))) => return serde_json::from_str(&text).ok(),
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(_)) => {}
            }
        }
    };
    timeout(Duration::from_secs(5), next).await.unwrap()
}

async fn hear(socket: &mut Socket) -> ServerFrame {
    try_hear(socket).await.expect("the connection is open")
}

async fn hear_error(socket: &mut Socket) -> Code {
    match hear(socket).await {
        ServerFrame::Error { code, .. } => code,
        other => panic!("no error: {other:?}"),
    }
}

async fn is_closed(socket: &mut Socket) -> bool {
    try_hear(socket).await.is_none()
}

#[tokio::test]
async fn peers_meet_talk_and_leave() {
    let server = start(Config::default()).await;
    let (mut a, mut b) = (server.peer(1).await, server.peer(2).await);
    say(&mut a, &join("room")).await;
    assert_eq!(hear(&mut a).await, peers("room", &[]));
    say(&mut b, &join("room")).await;
    assert_eq!(hear(&mut b).await, peers("room", &[1]));
    let joined = ServerFrame::Joined {
        topic: "room".into(),
        peer: id(2),
    };
    assert_eq!(hear(&mut a).await, joined);
    say(&mut a, &send("room", 2, "aGVsbG8")).await;
    let message = ServerFrame::Message {
        topic: "room".into(),
        from: id(1),
        data: "aGVsbG8".into(),
    };
    assert_eq!(hear(&mut b).await, message);
    // Joining again only repeats the answer.
    say(&mut b, &join("room")).await;
    assert_eq!(hear(&mut b).await, peers("room", &[1]));
    let left = |n| ServerFrame::Left {
        topic: "room".into(),
        peer: id(n),
    };
    let leave = ClientFrame::Leave {
        topic: "room".into(),
    };
    say(&mut b, &leave).await;
    assert_eq!(hear(&mut a).await, left(2));
    say(&mut b, &join("room")).await;
    hear(&mut a).await;
    hear(&mut b).await;
    drop(a);
    assert_eq!(hear(&mut b).await, left(1));
}

#[tokio::test]
async fn payloads_go_only_where_both_are() {
    let server = start(Config::default()).await;
    let (mut a, mut b) = (server.peer(1).await, server.peer(2).await);
    say(&mut a, &send("room", 2, "")).await;
    assert_eq!(hear_error(&mut a).await, Code::NotInTopic);
    say(&mut a, &join("room")).await;
    hear(&mut a).await;
    say(&mut b, &join("other")).await;
    hear(&mut b).await;
    say(&mut a, &send("room", 2, "")).await;
    assert_eq!(hear_error(&mut a).await, Code::NoSuchPeer);
}

#[tokio::test]
async fn the_hello_comes_first_once_and_in_time() {
    let config = Config {
        hello_time: Duration::from_millis(100),
        ..Config::default()
    };
    let server = start(config).await;
    let mut silent = server.connect().await;
    assert_eq!(hear_error(&mut silent).await, Code::HelloTimeout);
    assert!(is_closed(&mut silent).await);
    let mut rude = server.connect().await;
    say(&mut rude, &join("room")).await;
    assert_eq!(hear_error(&mut rude).await, Code::HelloExpected);
    assert!(is_closed(&mut rude).await);
    let mut modern = server.connect().await;
    let frame = ClientFrame::Hello { v: 2, peer: id(1) };
    say(&mut modern, &frame).await;
    assert_eq!(hear_error(&mut modern).await, Code::UnsupportedVersion);
    let mut twice = server.peer(1).await;
    say(&mut twice, &hello(1)).await;
    assert_eq!(hear_error(&mut twice).await, Code::HelloExpected);
}

#[tokio::test]
async fn a_peer_id_belongs_to_the_living() {
    let config = Config {
        probe_time: Duration::from_millis(300),
        ..Config::default()
    };
    let server = start(config).await;
    let mut holder = server.peer(1).await;
    let mut thief = server.connect().await;
    say(&mut thief, &hello(1)).await;
    assert_eq!(hear_error(&mut thief).await, Code::PeerTaken);
    // The holder answers the ping that this causes, and stays.
    let quiet = timeout(Duration::from_millis(800), holder.next());
    assert!(!matches!(
        quiet.await,
        Ok(Some(Ok(Message::Close(_))) | None)
    ));
    say(&mut holder, &join("room")).await;
    while !matches!(hear(&mut holder).await, ServerFrame::Peers { .. }) {}
    // One that no longer answers makes room.
    let mut heir = server.connect().await;
    say(&mut heir, &hello(1)).await;
    assert_eq!(hear_error(&mut heir).await, Code::PeerTaken);
    tokio::time::sleep(Duration::from_secs(1)).await;
    server.peer(1).await;
    drop(holder);
}

#[tokio::test]
async fn dead_connections_are_reaped() {
    let config = Config {
        silence: Duration::from_millis(200),
        ping_every: Duration::from_millis(50),
        ..Config::default()
    };
    let server = start(config).await;
    let mut alive = server.peer(1).await;
    say(&mut alive, &join("room")).await;
    hear(&mut alive).await;
    let mut dead = server.peer(2).await;
    say(&mut dead, &join("room")).await;
    assert!(matches!(hear(&mut alive).await, ServerFrame::Joined { .. }));
    // `alive` answers pings while it listens, `dead` is never polled again.
    assert!(matches!(hear(&mut alive).await, ServerFrame::Left { .. }));
    assert_eq!(hear(&mut dead).await, peers("room", &[1]));
}

#[tokio::test]
async fn topics_and_peers_are_counted() {
    let config = Config {
        topics_per_connection: 2,
        peers_per_topic: 1,
        ..Config::default()
    };
    let server = start(config).await;
    let mut a = server.peer(1).await;
    for topic in ["x", "y"] {
        say(&mut a, &join(topic)).await;
        hear(&mut a).await;
    }
    say(&mut a, &join("z")).await;
    assert_eq!(hear_error(&mut a).await, Code::TooManyTopics);
    let mut b = server.peer(2).await;
    say(&mut b, &join("x")).await;
    assert_eq!(hear_error(&mut b).await, Code::TopicFull);
    drop(a);
    // Its place is free as soon as it is gone.
    loop {
        say(&mut b, &join("x")).await;
        match hear(&mut b).await {
            ServerFrame::Peers { .. } => break,
            _ => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

#[tokio::test]
async fn connections_are_counted() {
    let config = Config {
        connections: 1,
        ..Config::default()
    };
    let server = start(config).await;
    let first = server.peer(1).await;
    let mut second = server.connect().await;
    assert_eq!(hear_error(&mut second).await, Code::TooManyConnections);
    assert!(is_closed(&mut second).await);
    drop(first);
    tokio::time::sleep(Duration::from_millis(100)).await;
    server.peer(2).await;
}

#[tokio::test]
async fn floods_are_refused_and_then_cut_off() {
    let config = Config {
        frames_per_second: 1,
        frames_burst: 5,
        ..Config::default()
    };
    let server = start(config).await;
    let mut a = server.peer(1).await;
    for _ in 0..4 {
        say(&mut a, &join("room")).await;
        assert_eq!(hear(&mut a).await, peers("room", &[]));
    }
    say(&mut a, &join("room")).await;
    assert_eq!(hear_error(&mut a).await, Code::RateLimited);
    for _ in 0..100 {
        let text = serde_json::to_string(&join("room")).unwrap();
        if a.send(Message::text(text)).await.is_err() {
            break;
        }
    }
    while !is_closed(&mut a).await {}
}

#[tokio::test]
async fn malformed_frames_are_refused() {
    let server = start(Config::default()).await;
    let mut a = server.peer(1).await;
    for message in [
        Message::text("{"),
        Message::text(r#"{"t":"join","topic":"a b"}"#),
        Message::text("[".repeat(10_000)),
        Message::binary(vec![0; 10]),
    ] {
        a.send(message).await.unwrap();
        assert_eq!(hear_error(&mut a).await, Code::BadFrame);
    }
    a.send(Message::text("x".repeat(200_000))).await.unwrap();
    assert_eq!(hear_error(&mut a).await, Code::FrameTooLarge);
    assert!(is_closed(&mut a).await);
    // What is no WebSocket at all.
    let mut raw = TcpStream::connect(server.address).await.unwrap();
    raw.write_all(&[0xff; 4096]).await.unwrap();
    let mut rest = Vec::new();
    let _ = timeout(Duration::from_secs(5), raw.read_to_end(&mut rest)).await;
    server.peer(2).await;
}

#[tokio::test]
async fn who_does_not_read_is_cut_off_and_the_sender_goes_on() {
    let config = Config {
        frames_per_second: 1_000_000,
        frames_burst: 1_000_000,
        bytes_per_second: 1_000_000_000,
        bytes_burst: 1_000_000_000,
        ..Config::default()
    };
    let server = start(config).await;
    let (mut a, mut b) = (server.peer(1).await, server.peer(2).await);
    say(&mut b, &join("room")).await;
    hear(&mut b).await;
    say(&mut a, &join("room")).await;
    hear(&mut a).await;
    let data = "A".repeat(50_000);
    let left = loop {
        say(&mut a, &send("room", 2, &data)).await;
        if let Ok(Some(Ok(Message::Text(text)))) = timeout(Duration::ZERO, a.next()).await {
            break serde_json::from_str(&text).unwrap();
        }
    };
    assert!(matches!(left, ServerFrame::Left { .. }), "{left:?}");
}

#[tokio::test]
async fn a_stop_closes_every_connection() {
    let server = start(Config::default()).await;
    let mut a = server.peer(1).await;
    server.stop.send(()).unwrap();
    assert_eq!(hear_error(&mut a).await, Code::ShuttingDown);
    assert!(is_closed(&mut a).await);
    timeout(Duration::from_secs(5), server.done)
        .await
        .unwrap()
        .unwrap();
}

#[cfg(unix)]
#[test]
fn the_program_says_where_it_listens_and_stops_when_asked() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    for signal in ["-TERM", "-INT"] {
        let mut child = Command::new(env!("CARGO_BIN_EXE_echodb-signal"))
            .args(["--listen", "127.0.0.1:0"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on ws://").unwrap();
        std::net::TcpStream::connect(address).unwrap();
        let pid = child.id().to_string();
        let asked = Command::new("kill").args([signal, &pid]).status();
        assert!(asked.unwrap().success());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
