//! What the tests share: clients, a signalling server, waiting.
#![allow(dead_code, reason = "each test program uses a part of it")]

pub mod changes;
pub mod process;

use echodb::{Client, ClientOptions, InvitationState, InviteOptions, JoinOptions, Space};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up: generous, since machines under test are slow.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A signalling server in this process, stopped with the value.
pub struct Signal {
    pub url: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Signal {
    /// Starts one on a free port.
    pub fn start() -> Signal {
        Signal::start_at("127.0.0.1:0")
    }

    /// Starts one at an address.
    pub fn start_at(address: &str) -> Signal {
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let address = address.parse::<std::net::SocketAddr>().unwrap();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let server = echodb_signal::Server::bind(address, echodb_signal::Config::default())
                    .await
                    .unwrap();
                tell.send(server.local_addr()).unwrap();
                server
                    .run(async {
                        let _ = stopped.await;
                    })
                    .await;
            });
        });
        let address = told.recv().unwrap();
        Signal {
            url: format!("ws://{address}"),
            stop: Some(stop),
            thread: Some(thread),
        }
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A client in memory with an identity.
pub fn client(name: &str, signal: &Signal) -> Arc<Client> {
    let options = ClientOptions {
        signaling: vec![signal.url.clone()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    client.create_identity(name.into()).unwrap();
    client
}

/// A client with a profile on disk; makes an identity if there is none.
pub fn client_at(dir: &std::path::Path, name: &str, signal: &Signal) -> Arc<Client> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        signaling: vec![signal.url.clone()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    let client = Client::open(options, None).unwrap();
    if client.identity().is_none() {
        client.create_identity(name.into()).unwrap();
    }
    client
}

/// Lets `guest` into `space` and returns its handle on it.
pub fn pair(space: &Arc<Space>, guest: &Arc<Client>) -> Arc<Space> {
    pair_with(
        space,
        guest,
        InviteOptions::default(),
        JoinOptions::default(),
    )
}

/// As [`pair`], with options.
pub fn pair_with(
    space: &Arc<Space>,
    guest: &Arc<Client>,
    inviting: InviteOptions,
    joining: JoinOptions,
) -> Arc<Space> {
    let hosting = space.invite(inviting).unwrap();
    let joining = guest.join(hosting.code(), joining).unwrap();
    wait("the guest is asked for a code", || {
        joining.update().state == InvitationState::ReadyForAuthentication
    });
    wait("the host shows a code", || {
        hosting.update().auth_code.is_some()
    });
    joining
        .authenticate(hosting.update().auth_code.unwrap())
        .unwrap();
    let id = joining.wait(Some(PATIENCE)).unwrap();
    assert_eq!(hosting.wait(Some(PATIENCE)).unwrap(), id);
    guest.space(id).unwrap()
}

/// The next number below `end` that only looks random, so that a seed tells all of a failure.
pub fn random(state: &mut u64, end: u64) -> u64 {
    *state = state
        .wrapping_mul(6_364_136_223_846_793_005)
        .wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % end
}

/// Waits until `condition` holds.
pub fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < PATIENCE, "gave up waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Waits until two replicas hold the same.
pub fn converge(a: &Space, b: &Space) {
    wait("two replicas converge", || {
        a.digest().unwrap() == b.digest().unwrap()
    });
}

/// Asserts that SQLite finds no fault with any file of a profile that nobody has open, indexes
/// included. It also takes over what a crash has left in the log.
pub fn is_sound(profile: &std::path::Path, what: &str) {
    let mut files = vec![profile.join("profile.sqlite")];
    let spaces = std::fs::read_dir(profile.join("spaces")).unwrap();
    let spaces = spaces.map(|file| file.unwrap().path());
    files.extend(spaces.filter(|path| path.extension().is_some_and(|end| end == "sqlite")));
    for file in files {
        let conn = echodb::bench_internals::inspect(&file).unwrap();
        let verdict: String = conn
            .query_row("PRAGMA integrity_check", [], |row| row.get(0))
            .unwrap();
        assert_eq!(verdict, "ok", "{what}: {}", file.display());
    }
}
