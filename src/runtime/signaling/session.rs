//! One server's connection: kept for ever, re-made with growing pauses.

use super::backoff::Backoff;
use super::client::Shared;
use super::event::{ServerState, SignalingEvent, Topic};
use super::frame::{self, Incoming};
use super::topics::ServerIndex;
use crate::model::{Error, Result};
use bytes::Bytes;
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use rustls::RootCertStore;
use std::collections::HashSet;
use std::future::pending;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, interval_at, sleep, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error as WsError;
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::protocol::{Message, WebSocketConfig};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, connect_async_tls_with_config,
};

/// Time that connecting and the welcome may take each.
const CONNECT_TIME: Duration = Duration::from_secs(10);
/// Time that one write may take.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// Interval of our pings.
const PING_EVERY: Duration = Duration::from_secs(20);
/// Silence after which a server is given up.
const SILENCE: Duration = Duration::from_secs(45);
/// Senseless frames in one connection after which the server is dropped.
const MAX_NONSENSE: u32 = 100;
/// A connection of this length lets the next attempt come soon.
const PROVEN: Duration = Duration::from_secs(5);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server's address, checked.
pub(super) struct Target {
    url: String,
    request: Request,
    connector: Connector,
}

impl Target {
    /// Checks an address; servers over TLS must show a certificate that leads to `roots`.
    pub(super) fn parse(url: &str, roots: &RootCertStore) -> Result<Target> {
        let malformed = |why: &dyn std::fmt::Display| {
            Error::invalid(format!("signalling server {url:?}: {why}"))
        };
        let request = url
            .into_client_request()
            .map_err(|error| malformed(&error))?;
        let connector = match request.uri().scheme_str() {
            Some("ws") => Connector::Plain,
            Some("wss") => Connector::Rustls(tls_config(roots.clone())?),
            _ => return Err(malformed(&"the address must begin with ws:// or wss://")),
        };
        if request.uri().host().is_none_or(str::is_empty) {
            return Err(malformed(&"the address names no host"));
        }
        Ok(Target {
            url: url.to_owned(),
            request,
            connector,
        })
    }
}

/// The authorities that browsers trust.
pub(super) fn public_roots() -> RootCertStore {
    webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect()
}

fn tls_config(roots: RootCertStore) -> Result<Arc<rustls::ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("TLS: {error}")))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Keeps one server connected until the client goes away.
pub(super) async fn keep(
    shared: Arc<Shared>,
    index: ServerIndex,
    target: Target,
    mut outgoing: mpsc::Receiver<String>,
    state: watch::Sender<ServerState>,
) {
    let mut backoff = Backoff::new();
    loop {
        if let Ok(Some(socket)) = timeout(CONNECT_TIME, open(&target, &shared)).await {
            let began = Instant::now();
            // What waited for the last connection is out of date.
            while outgoing.try_recv().is_ok() {}
            announce(&shared, &target, &state, ServerState::Connected).await;
            run(&shared, index, socket, &mut outgoing).await;
            if began.elapsed() >= PROVEN {
                backoff.reset();
            }
            announce(&shared, &target, &state, ServerState::Reconnecting).await;
            let events = shared.topics().lost(index);
            report(&shared, events).await;
        }
        sleep(backoff.next_wait()).await;
    }
}

async fn announce(
    shared: &Shared,
    target: &Target,
    watched: &watch::Sender<ServerState>,
    state: ServerState,
) {
    watched.send_replace(state);
    let url = target.url.clone();
    report(shared, [SignalingEvent::StateChanged { url, state }]).await;
}

async fn report(shared: &Shared, events: impl IntoIterator<Item = SignalingEvent>) {
    for event in events {
        // Without a reader of events the client is merely silent.
        let _ = shared.events.send(event).await;
    }
}

/// Connects and waits for the welcome.
async fn open(target: &Target, shared: &Shared) -> Option<Socket> {
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(frame::FRAME_BYTES))
        .max_frame_size(Some(frame::FRAME_BYTES));
    let connected = connect_async_tls_with_config(
        target.request.clone(),
        Some(config),
        true,
        Some(target.connector.clone()),
    );
    let (mut socket, _) = connected.await.ok()?;
    let hello = Message::text(frame::hello(&shared.peer));
    socket.send(hello).await.ok()?;
    loop {
        match socket.next().await?.ok()? {
            Message::Text(text) => {
                let welcomed = frame::parse(&text) == Some(Incoming::Welcome);
                return welcomed.then_some(socket);
            }
            Message::Ping(_) | Message::Pong(_) => {}
            _ => return None,
        }
    }
}

/// Serves an open connection until it ends.
async fn run(
    shared: &Shared,
    index: ServerIndex,
    socket: Socket,
    outgoing: &mut mpsc::Receiver<String>,
) {
    let (sink, source) = socket.split();
    // Side by side: while the program is slow to take events, its payloads still go out.
    tokio::select! {
        () = read(shared, index, source) => {}
        () = write(shared, sink, outgoing) => {}
    }
}

async fn write(
    shared: &Shared,
    mut sink: impl Sink<Message, Error = WsError> + Unpin,
    outgoing: &mut mpsc::Receiver<String>,
) {
    let mut changes = shared.changes.subscribe();
    changes.mark_changed();
    let mut joined = HashSet::new();
    let mut pings = interval_at(Instant::now() + PING_EVERY, PING_EVERY);
    loop {
        let messages = tokio::select! {
            Ok(()) = changes.changed() => follow(shared, &mut joined),
            text = outgoing.recv() => match text {
                Some(text) => vec![Message::text(text)],
                // The client is going away.
                None => return pending().await,
            },
            _ = pings.tick() => vec![Message::Ping(Bytes::new())],
        };
        for message in messages {
            let sent = timeout(WRITE_TIME, sink.send(message)).await;
            if !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }
}

/// The frames that bring this server's rooms in line with ours.
fn follow(shared: &Shared, joined: &mut HashSet<(Topic, u64)>) -> Vec<Message> {
    let wanted = shared.topics().visits();
    let leave = joined
        .difference(&wanted)
        .map(|(topic, _)| frame::leave(topic));
    let join = wanted
        .difference(joined)
        .map(|(topic, _)| frame::join(topic));
    let messages = leave.chain(join).map(Message::text).collect();
    *joined = wanted;
    messages
}

async fn read(
    shared: &Shared,
    index: ServerIndex,
    mut source: impl Stream<Item = std::result::Result<Message, WsError>> + Unpin,
) {
    let mut nonsense = 0;
    loop {
        let Ok(Some(Ok(message))) = timeout(SILENCE, source.next()).await else {
            return;
        };
        let understood = match message {
            Message::Text(text) => on_text(shared, index, &text).await,
            Message::Ping(_) | Message::Pong(_) => true,
            Message::Close(_) => return,
            Message::Binary(_) | Message::Frame(_) => false,
        };
        if !understood {
            shared.ignore();
            nonsense += 1;
            if nonsense >= MAX_NONSENSE {
                return;
            }
        }
    }
}

/// Handles a frame; false if it makes no sense.
async fn on_text(shared: &Shared, index: ServerIndex, text: &str) -> bool {
    let Some(incoming) = frame::parse(text) else {
        return false;
    };
    let events = match incoming {
        Incoming::Welcome => return false,
        // Refusals concern single frames and need no answer: a peer that left, a full topic.
        Incoming::Error(_) => return true,
        Incoming::Peers(topic, mut peers) => {
            peers.retain(|peer| *peer != shared.peer);
            shared.topics().listed(index, topic, &peers)
        }
        Incoming::Joined(_, peer) if peer == shared.peer => return false,
        Incoming::Joined(topic, peer) => Vec::from_iter(shared.topics().seen(index, topic, peer)),
        Incoming::Left(topic, peer) => Vec::from_iter(shared.topics().gone(index, topic, peer)),
        Incoming::Message {
            topic,
            from,
            sealed,
        } => {
            let key = shared.topics().key(&topic);
            // A topic that we have just left.
            let Some(key) = key else { return true };
            let Ok(payload) = key.open(&topic, &from, &shared.peer, &sealed) else {
                // It may be a peer's doing: no reason to leave the server.
                shared.ignore();
                return true;
            };
            let payload = payload.into();
            // Who can seal is there, even if the server has not said so yet.
            let seen = shared.topics().seen(index, topic, from);
            let message = SignalingEvent::Message {
                topic,
                from,
                payload,
            };
            seen.into_iter().chain([message]).collect()
        }
    };
    report(shared, events).await;
    true
}
