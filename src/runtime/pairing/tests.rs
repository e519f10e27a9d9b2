//! A hostile signalling server. It shows the host and the guest not to each other but each to an
//! attacker, who knows the invitation code, ends both WebRTC connections himself and passes on or
//! puts in whatever he likes. He does not know the authorization code.

use super::driver::{self, Driver, Layer, Machine, Place};
use super::{PairingHandle, guest, host};
use crate::api::{ClientOptions, InvitationState, InviteOptions, JoinOptions, LogLevel};
use crate::identity::Keyring;
use crate::invitation::channel::Channel;
use crate::invitation::code::{InvitationCode, InvitationKind};
use crate::invitation::guest::Guest;
use crate::invitation::host::Host;
use crate::invitation::machine::{Effect, Event, Peer, Setup};
use crate::model::{Error, ErrorKind, Result};
use crate::runtime::clock;
use crate::runtime::connector::{Calls, Connector};
use crate::runtime::log::Log;
use crate::runtime::node::NodeGuard;
use crate::runtime::secure_link::SecureLink;
use crate::runtime::sessions::Sessions;
use crate::runtime::signaling::TopicKey;
use crate::runtime::signaling::tests::TestServer;
use crate::runtime::space_host::SpaceHost;
use crate::runtime::webrtc::{WebRtcOptions, WebRtcTransport};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(60);

/// Two rooms behind one address: the first client gets one, everybody after it the other.
struct HostileServer {
    url: String,
    of_host: TestServer,
    of_guest: TestServer,
}

impl HostileServer {
    async fn start() -> HostileServer {
        let of_host = TestServer::start("127.0.0.1:0").await;
        let of_guest = TestServer::start("127.0.0.1:0").await;
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}", listener.local_addr().unwrap());
        let rooms = [of_host.address, of_guest.address];
        tokio::spawn(async move {
            let mut next = 0;
            while let Ok((mut client, _)) = listener.accept().await {
                let room = rooms[std::cmp::min(next, 1)];
                next += 1;
                tokio::spawn(async move {
                    let mut server = TcpStream::connect(room).await.unwrap();
                    let _ = tokio::io::copy_bidirectional(&mut client, &mut server).await;
                });
            }
        });
        HostileServer {
            url,
            of_host,
            of_guest,
        }
    }
}

fn client(name: &str, server: &HostileServer) -> Arc<NodeGuard> {
    let options = ClientOptions {
        signaling: vec![server.url.clone()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    let guard = NodeGuard::open(options, None).unwrap();
    guard.node().create_identity(name.to_owned()).unwrap();
    guard
}

async fn wait(what: &str, mut condition: impl FnMut() -> bool) {
    let waiting = async {
        while !condition() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let waited = tokio::time::timeout(PATIENCE, waiting).await;
    waited.unwrap_or_else(|_| panic!("gave up waiting until {what}"));
}

/// A WebRTC stack of the attacker's in one of the rooms.
fn stack(server: &TestServer) -> Arc<Connector> {
    let transport = WebRtcTransport::new(WebRtcOptions {
        bind_addresses: vec!["127.0.0.1:0".parse().unwrap()],
        ..WebRtcOptions::default()
    });
    let connector = Connector::new(Arc::new(transport), Log::new(None, LogLevel::Off));
    connector.add_servers(&[server.url()]).unwrap();
    connector
}

/// An open, encrypted connection of the attacker's to whoever is in the room of a code.
pub(super) async fn visit(
    code: &InvitationCode,
    server: &TestServer,
) -> (Arc<Connector>, Arc<SecureLink>) {
    let connector = stack(server);
    let (links, mut taken) = mpsc::channel(4);
    let key = TopicKey::new(&code.seal_key());
    connector.enter_private(code.topic(), key, links, Calls::SmallerId);
    let (_, link) = tokio::time::timeout(PATIENCE, taken.recv())
        .await
        .unwrap()
        .unwrap();
    // Further links stay unanswered.
    tokio::spawn(async move { while taken.recv().await.is_some() {} });
    (
        connector,
        Arc::new(SecureLink::establish(link).await.unwrap()),
    )
}

/// What anybody is who has the code.
fn setup(code: &InvitationCode, keyring: &Keyring) -> Setup {
    Setup {
        code: code.clone(),
        identity: keyring.identity_key(),
        device: keyring.device_key(),
        display_name: "Mal".into(),
        verify: driver::verifier(),
        now_ms: clock::now_ms(),
        timeout_ms: None,
    }
}

/// The greeting of a guest who has the code.
pub(super) fn guest_greeting(code: &InvitationCode, link: &SecureLink) -> Vec<u8> {
    let keyring = Keyring::generate(&mut clock::fill_random);
    greeting(Guest::new(setup(code, &keyring)).unwrap(), link)
}

/// The scene of every attack: an open invitation, and a guest who is about to use its code.
struct Scene {
    server: HostileServer,
    ada: Arc<NodeGuard>,
    bob: Arc<NodeGuard>,
    space: Arc<SpaceHost>,
    hosting: PairingHandle,
    code: InvitationCode,
    mal: Arc<Keyring>,
    /// Admission bytes, joins and completions that reached the attacker.
    loot: Arc<AtomicU32>,
}

impl Scene {
    async fn set() -> Scene {
        let server = HostileServer::start().await;
        let ada = client("Ada", &server);
        ada.create_space(Default::default()).unwrap();
        let connected = |guard: &NodeGuard| guard.node().status().signaling[0].connected;
        wait("the host is in its room", || connected(&ada)).await;
        let bob = client("Bob", &server);
        wait("the guest is in its room", || connected(&bob)).await;
        let space = ada.node().all_spaces().pop().unwrap();
        let hosting = host::open(&ada, &space, &InviteOptions::default()).unwrap();
        let code = InvitationCode::parse_as(&hosting.code(), InvitationKind::Space).unwrap();
        Scene {
            server,
            ada,
            bob,
            space,
            hosting,
            code,
            mal: Arc::new(Keyring::generate(&mut clock::fill_random)),
            loot: Arc::default(),
        }
    }

    fn join(&self, code: &InvitationCode) -> PairingHandle {
        guest::join(
            self.bob.node(),
            &code.to_text().unwrap(),
            &JoinOptions::default(),
        )
        .unwrap()
    }

    fn setup(&self) -> Setup {
        setup(&self.code, &self.mal)
    }

    /// Plays one side with the product's own machine and the attacker's keys.
    fn play(&self, machine: Box<dyn Machine>, server: &TestServer) -> PairingHandle {
        let (handle, commands) =
            PairingHandle::new(String::new(), String::new(), Log::new(None, LogLevel::Off));
        let driver = Driver {
            machine,
            layer: Box::new(Thief {
                loot: Arc::clone(&self.loot),
                guesses: 0,
            }),
            handle: handle.clone(),
            prover: driver::Prover::Member(Arc::clone(&self.mal)),
            place: Place {
                topic: self.code.topic(),
                key: self.code.seal_key(),
                connector: stack(server),
                calls: Calls::SmallerId,
            },
            commands,
        };
        tokio::spawn(driver.run());
        handle
    }

    /// Nobody got in, nothing secret went out, and `burnt` codes are used up.
    async fn nothing_was_won(&self, burnt: u32) {
        assert_eq!(
            self.loot.load(Ordering::SeqCst),
            0,
            "the attacker was sent something"
        );
        assert_eq!(
            self.bob.node().spaces().unwrap().len(),
            1,
            "the guest is in a space"
        );
        let members = self
            .space
            .with(|core| Ok(core.authority().members().len()))
            .unwrap();
        assert_eq!(members, 1);
        let stored = self
            .ada
            .node()
            .with_profile(|profile| profile.invitations())
            .unwrap();
        let used = stored
            .iter()
            .find(|i| i.id == self.code.rendezvous)
            .map_or(3, |i| i.used_codes);
        assert_eq!(used, burnt);
    }
}

/// The attacker's space layer: takes note of everything that it should never be given.
struct Thief {
    loot: Arc<AtomicU32>,
    guesses: u32,
}

impl Thief {
    fn take<T>(&self) -> Result<T> {
        self.loot.fetch_add(1, Ordering::SeqCst);
        Err(Error::internal("the attack has succeeded"))
    }
}

impl Layer for Thief {
    fn count_attempt(&mut self) -> Result<u32> {
        self.guesses += 1;
        Ok(self.guesses)
    }

    fn admit(&mut self, _: &Peer) -> Result<Vec<u8>> {
        self.take()
    }

    fn store_join(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        self.take()
    }

    fn take_admission(&mut self, _: &[u8]) -> Result<Vec<u8>> {
        self.take()
    }

    fn complete(&mut self, _: &[u8]) -> Result<()> {
        self.take()
    }

    fn space(&self) -> Option<String> {
        None
    }

    fn again(&mut self, _: Option<&Error>) -> Option<Box<dyn Machine>> {
        None
    }

    fn ended(&mut self, success: bool) -> bool {
        success
    }
}

fn channel(link: &SecureLink) -> Channel {
    let initiator = link.link().initiator();
    let (local, remote) = (
        link.link().local_fingerprint(),
        link.link().remote_fingerprint(),
    );
    Channel {
        handshake_hash: *link.hash(),
        initiator_fingerprint: if initiator { local } else { remote },
        responder_fingerprint: if initiator { remote } else { local },
        initiator,
    }
}

/// The greeting that a machine sends on a channel: whoever has the code can make it.
fn greeting(mut machine: impl Machine, link: &SecureLink) -> Vec<u8> {
    machine.start();
    let connected = Event::Connected {
        channel: channel(link),
        proof: Vec::new(),
    };
    let effects = machine.handle(connected, &mut clock::fill_random);
    let sent = effects.into_iter().find_map(|effect| match effect {
        Effect::Send(bytes) => Some(bytes),
        _ => None,
    });
    sent.unwrap()
}

/// Passes every message on, both ways, until either side hangs up; returns how many.
async fn pass_on(a: &SecureLink, b: &SecureLink, skip_greetings: bool) -> usize {
    let (mut passed, mut skip) = (0, [skip_greetings; 2]);
    loop {
        let (from_a, message) = tokio::select! {
            message = a.recv() => (true, message),
            message = b.recv() => (false, message),
        };
        let Ok(message) = message else { break };
        if std::mem::take(&mut skip[usize::from(from_a)]) {
            continue;
        }
        let to = if from_a { b } else { a };
        if to.send(&message).await.is_err() {
            break;
        }
        passed += 1;
    }
    a.close().await;
    b.close().await;
    passed
}

async fn ended(handle: &PairingHandle) -> ErrorKind {
    let end = tokio::time::timeout(PATIENCE, handle.wait_async()).await;
    end.expect("it ends").expect_err("it fails").kind()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_01_an_attacker_who_passes_everything_on_is_noticed_at_the_greeting() {
    let scene = Scene::set().await;
    let joining = scene.join(&scene.code);
    let (to_host, to_guest) = tokio::join!(
        visit(&scene.code, &scene.server.of_host),
        visit(&scene.code, &scene.server.of_guest)
    );
    assert_ne!(to_host.1.hash(), to_guest.1.hash());
    pass_on(&to_host.1, &to_guest.1, false).await;
    assert_eq!(ended(&joining).await, ErrorKind::Protocol);
    // For the host it was a stranger's noise: it waits for the true guest, all codes unspent.
    scene.nothing_was_won(0).await;
    assert_eq!(scene.hosting.update().attempts_left, 3);
    assert!(!scene.hosting.update().state.is_final());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_01_an_attacker_with_greetings_of_his_own_is_noticed_at_the_introduction() {
    let scene = Scene::set().await;
    let joining = scene.join(&scene.code);
    let (to_host, to_guest) = tokio::join!(
        visit(&scene.code, &scene.server.of_host),
        visit(&scene.code, &scene.server.of_guest)
    );
    let hello = greeting(Guest::new(scene.setup()).unwrap(), &to_host.1);
    to_host.1.send(&hello).await.unwrap();
    let hello = greeting(Host::new(scene.setup()).unwrap(), &to_guest.1);
    to_guest.1.send(&hello).await.unwrap();
    pass_on(&to_host.1, &to_guest.1, true).await;
    let kind = ended(&joining).await;
    assert!(
        matches!(kind, ErrorKind::Protocol | ErrorKind::Network),
        "{kind:?}"
    );
    scene.nothing_was_won(0).await;
    assert!(!scene.hosting.update().state.is_final());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn attack_01_an_attacker_in_the_place_of_both_burns_three_codes_and_gets_nothing() {
    let scene = Scene::set().await;
    let joining = scene.join(&scene.code);
    // To the guest he is the host; the code names the true one.
    let as_host = scene.play(
        Box::new(Host::new(scene.setup()).unwrap()),
        &scene.server.of_guest,
    );
    assert_eq!(ended(&joining).await, ErrorKind::Protocol);
    assert_ne!(ended(&as_host).await, ErrorKind::Internal);
    assert!(joining.update().auth_code.is_none());
    // To the host he is the guest, and guesses.
    let as_guest = scene.play(
        Box::new(Guest::new(scene.setup()).unwrap()),
        &scene.server.of_host,
    );
    for left in [3, 2, 1] {
        wait("he is asked for a code", || {
            let shown = scene.hosting.update();
            as_guest.update().state == InvitationState::ReadyForAuthentication
                && shown.auth_code.is_some()
                && shown.attempts_left == left
        })
        .await;
        let right = scene.hosting.update().auth_code.unwrap();
        let guess = if right == "123456" {
            "654321"
        } else {
            "123456"
        };
        as_guest.authenticate(guess).unwrap();
    }
    assert_eq!(ended(&scene.hosting).await, ErrorKind::InvitationRefused);
    assert_eq!(ended(&as_guest).await, ErrorKind::InvitationRefused);
    scene.nothing_was_won(3).await;
    // The invitation is over: whoever comes now, even with the right code, finds nobody.
    let late = scene.play(
        Box::new(Guest::new(scene.setup()).unwrap()),
        &scene.server.of_host,
    );
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(late.update().state, InvitationState::Connecting);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_cannot_tell_the_host_gives_three_guesses_and_no_more() {
    let scene = Scene::set().await;
    // A code that names no device, as one that was read out and typed in part.
    let mut nameless = scene.code.clone();
    nameless.host_fingerprint = [0; 8];
    let joining = scene.join(&nameless);
    let as_host = scene.play(
        Box::new(Host::new(scene.setup()).unwrap()),
        &scene.server.of_guest,
    );
    for left in [3, 2, 1] {
        wait("the guest is asked for a code", || {
            let shown = as_host.update();
            joining.update().state == InvitationState::ReadyForAuthentication
                && shown.auth_code.is_some()
                && shown.attempts_left == left
        })
        .await;
        // What the true host shows is not what the attacker drew, but for one case in a million.
        let drawn = as_host.update().auth_code.unwrap();
        let entered = if drawn == "123456" {
            "654321"
        } else {
            "123456"
        };
        joining.authenticate(entered).unwrap();
    }
    assert_eq!(ended(&joining).await, ErrorKind::InvitationRefused);
    ended(&as_host).await;
    scene.nothing_was_won(0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_who_stalls_holds_up_neither_the_guest_nor_the_user() {
    let scene = Scene::set().await;
    // Connected, and not a word of the handshake.
    let stranger = stack(&scene.server.of_host);
    let (links, mut taken) = mpsc::channel(4);
    let key = TopicKey::new(&scene.code.seal_key());
    stranger.enter_private(scene.code.topic(), key, links, Calls::SmallerId);
    let silent = tokio::time::timeout(PATIENCE, taken.recv())
        .await
        .unwrap()
        .unwrap();
    let began = std::time::Instant::now();
    let guest = scene.play(
        Box::new(Guest::new(scene.setup()).unwrap()),
        &scene.server.of_host,
    );
    wait("the guest is asked for a code", || {
        guest.update().state == InvitationState::ReadyForAuthentication
    })
    .await;
    scene.hosting.cancel();
    assert_eq!(ended(&scene.hosting).await, ErrorKind::Cancelled);
    // A handshake is given up after fifteen seconds: neither waited for that.
    assert!(began.elapsed() < Duration::from_secs(14));
    drop(silent);
}
