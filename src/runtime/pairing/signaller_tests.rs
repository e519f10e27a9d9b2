//! A signalling server that drops, repeats, spoils, delays and floods.

use super::{guest, host};
use crate::api::{ClientOptions, InvitationState, InviteOptions, JoinOptions};
use crate::model::ErrorKind;
use crate::runtime::node::NodeGuard;
use crate::runtime::sessions::Sessions as _;
use crate::runtime::signaling::tests::TestServer;
use futures_util::{SinkExt, StreamExt};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::net::TcpListener;
use tokio_tungstenite::tungstenite::Message;

/// Junk messages in one flood.
const FLOOD: usize = 300;

/// SplitMix64: reproducible.
struct Rng(u64);

impl Rng {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.next() % most;
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// What a hostile server sends on instead of a message of the honest one.
fn spoiled(rng: &mut Rng, kept: &mut Vec<Vec<u8>>, message: Vec<u8>) -> Vec<Vec<u8>> {
    kept.push(message.clone());
    if kept.len() > 32 {
        kept.remove(0);
    }
    match rng.next() % 10 {
        0 | 1 => Vec::new(),
        2 => vec![message.clone(), message],
        3 => {
            let old = kept[rng.next() as usize % kept.len()].clone();
            vec![old, message]
        }
        4 | 5 => {
            let mut other = message;
            if !other.is_empty() {
                let at = rng.next() as usize % other.len();
                other[at] ^= 1 << (rng.next() % 8);
            }
            vec![other]
        }
        6 => {
            let mut all: Vec<_> = (0..FLOOD).map(|_| rng.bytes(2000)).collect();
            all.push(message);
            all
        }
        7 => (0..FLOOD).map(|_| message.clone()).collect(),
        8 => vec![rng.bytes(60_000)],
        _ => vec![message],
    }
}

/// Between the clients and an honest server.
async fn start(honest: &TestServer, seed: u64) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}", listener.local_addr().unwrap());
    let target = honest.url();
    tokio::spawn(async move {
        let mut rng = Rng(seed);
        while let Ok((stream, _)) = listener.accept().await {
            let (target, mut rng) = (target.clone(), Rng(rng.next()));
            tokio::spawn(async move {
                let Ok(client) = tokio_tungstenite::accept_async(stream).await else {
                    return;
                };
                let Ok((server, _)) = tokio_tungstenite::connect_async(target).await else {
                    return;
                };
                let (mut to_client, mut from_client) = client.split();
                let (mut to_server, mut from_server) = server.split();
                let up = async {
                    while let Some(Ok(message)) = from_client.next().await {
                        if to_server.send(message).await.is_err() {
                            break;
                        }
                    }
                };
                let down = async {
                    let mut kept = Vec::new();
                    while let Some(Ok(message)) = from_server.next().await {
                        let all = match message {
                            Message::Binary(bytes) => spoiled(&mut rng, &mut kept, bytes.to_vec())
                                .into_iter()
                                .map(|bytes| Message::Binary(bytes.into()))
                                .collect(),
                            other => vec![other],
                        };
                        for message in all {
                            if to_client.send(message).await.is_err() {
                                return;
                            }
                        }
                    }
                };
                tokio::select! { () = up => {}, () = down => {} }
            });
        }
    });
    url
}

fn client(name: &str, url: &str) -> Arc<NodeGuard> {
    let options = ClientOptions {
        signaling: vec![url.to_owned()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    let guard = NodeGuard::open(options, None).unwrap();
    guard.node().create_identity(name.to_owned()).unwrap();
    guard
}

/// Bytes of this process that are in memory; 0 where that is not told.
fn resident() -> usize {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|n| n.parse::<usize>().ok());
    pages.unwrap_or(0) * 4096
}

/// Whatever the server does, the guest is in or hears of a failure in time, nobody is let in
/// without the code, and neither side's memory grows with what it is sent.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_02_a_signaller_that_drops_repeats_spoils_and_floods() {
    let before = resident();
    let seeds = std::env::var("ECHODB_SIGNALLER_SEEDS");
    let seeds: u64 = seeds.map_or(8, |seeds| seeds.parse().expect("it is a number"));
    // Side by side: most of each is waiting.
    let mut running = tokio::task::JoinSet::new();
    for seed in 1..=seeds {
        running.spawn(meet_through(seed));
        if running.len() >= 8 {
            running.join_next().await.expect("one runs").unwrap();
        }
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    let grown = resident().saturating_sub(before);
    assert!(grown < 200 << 20, "{grown} bytes more than before");
}

async fn meet_through(seed: u64) {
    {
        let honest = TestServer::start("127.0.0.1:0").await;
        let url = start(&honest, seed).await;
        let (ada, bob) = (client("Ada", &url), client("Bob", &url));
        let space = ada
            .node()
            .all_spaces()
            .into_iter()
            .find(|space| space.is_default())
            .unwrap();
        let hosting = host::open(&ada, &space, &InviteOptions::default()).unwrap();
        let began = Instant::now();
        let options = JoinOptions {
            timeout_s: 6,
            ..JoinOptions::default()
        };
        let joining = guest::join(bob.node(), &hosting.code(), &options).unwrap();
        // The people do their part as soon as they are asked.
        let people = async {
            while !joining.update().state.is_final() {
                let code = hosting.update().auth_code;
                if joining.update().state == InvitationState::ReadyForAuthentication
                    && let Some(code) = code
                {
                    let _ = joining.authenticate(&code);
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // The caller's own time, a step that had begun, and some for a slow machine.
        let deadline = Duration::from_secs(6 + 30 + 10);
        tokio::time::timeout(deadline, people)
            .await
            .expect("the guest hears of the end in time");
        match joining.wait_async().await {
            Ok(joined) => assert_eq!(joined, space.id().to_string()),
            Err(error) => assert!(
                matches!(
                    error.kind(),
                    ErrorKind::TimedOut | ErrorKind::Network | ErrorKind::Protocol
                ),
                "seed {seed}: {error}"
            ),
        }
        assert!(began.elapsed() < deadline);
        let members = space.with(|core| Ok(core.authority().members().len()));
        assert!(members.unwrap() <= 2);
        hosting.cancel();
        for guard in [ada, bob] {
            tokio::task::spawn_blocking(move || guard.node().shutdown())
                .await
                .unwrap()
                .unwrap();
        }
    }
}
