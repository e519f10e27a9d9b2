//! Spaces and identities with as many members and devices as they may have, and with a history that
//! no single message could hold.

use super::{PairingHandle, device_guest, device_host, guest, host};
use crate::api::{ClientOptions, InvitationState, InviteOptions, JoinOptions};
use crate::authority::join_signing_bytes;
use crate::feed::DeviceSigner;
use crate::identity::{DeviceChain, DeviceKeys, Keyring};
use crate::invitation::code::{InvitationCode, InvitationKind};
use crate::model::{ErrorKind, Role, limits};
use crate::runtime::clock;
use crate::runtime::node::NodeGuard;
use crate::runtime::signaling::tests::TestServer;
use crate::runtime::space_host::SpaceHost;
use crate::runtime::storage::ProfileStore;
use crate::space::{Ingest, SpaceCore};
use std::sync::Arc;
use std::time::Duration;

const PATIENCE: Duration = Duration::from_secs(60);

fn blank(server: &TestServer) -> Arc<NodeGuard> {
    let options = ClientOptions {
        signaling: vec![server.url()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    NodeGuard::open(options, None).unwrap()
}

fn client(name: &str, server: &TestServer) -> Arc<NodeGuard> {
    let guard = blank(server);
    guard.node().create_identity(name.to_owned()).unwrap();
    guard
}

fn space_of(guard: &Arc<NodeGuard>) -> Arc<SpaceHost> {
    let space = guard.create_space(Default::default()).unwrap();
    guard.node().host(&space.id()).unwrap()
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

/// Enters the digits that the host shows.
async fn enter(hosting: &PairingHandle, joining: &PairingHandle) {
    wait("the guest is asked for the code", || {
        joining.update().state == InvitationState::ReadyForAuthentication
            && hosting.update().auth_code.is_some()
    })
    .await;
    let digits = hosting.update().auth_code.unwrap();
    joining.authenticate(&digits).unwrap();
}

async fn ended(handle: &PairingHandle) -> crate::model::Result<String> {
    let end = tokio::time::timeout(PATIENCE, handle.wait_async()).await;
    end.expect("it ends")
}

async fn kind(handle: &PairingHandle) -> ErrorKind {
    ended(handle).await.expect_err("it fails").kind()
}

fn history(space: &SpaceHost) -> (usize, usize) {
    let (_, entries) = space.with(|core| core.control_history()).unwrap();
    (entries.len(), entries.iter().map(|entry| entry.len()).sum())
}

/// Renames the identity in a space until its history holds `bytes`: thousands of entries.
fn rename(space: &SpaceHost, bytes: usize) {
    let mut written = 0;
    while written < bytes {
        space
            .with_settled(|core| {
                for round in 0..50 {
                    let name: String =
                        ["\u{10348}", "\u{10349}"][round % 2].repeat(limits::NAME_CHARS);
                    let family = crate::space::Family {
                        display_name: name,
                        ..core.family()
                    };
                    core.bring_in_line(&family, true, &mut Vec::new())?;
                }
                Ok(())
            })
            .unwrap();
        written = history(space).1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_device_gets_a_halo_history_larger_than_one_message() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (ada, phone) = (client("Ada", &server), blank(&server));
    let halo = ada.node().halo().unwrap();
    rename(&halo, limits::MESSAGE_BYTES + limits::INVITATION_PART_BYTES);
    let before = history(&halo);
    assert!(before.0 > 2000, "{before:?}");
    let hosting = device_host::open(ada.node(), &InviteOptions::default()).unwrap();
    let joining =
        device_guest::join(phone.node(), &hosting.code(), &JoinOptions::default()).unwrap();
    enter(&hosting, &joining).await;
    let identity = ended(&joining).await.unwrap();
    assert_eq!(ended(&hosting).await.unwrap(), identity);
    let there = phone.node().halo().unwrap();
    assert!(history(&there).0 > before.0);
    assert_eq!(phone.node().devices().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_gets_a_history_larger_than_one_message() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (ada, bob) = (client("Ada", &server), client("Bob", &server));
    let space = space_of(&ada);
    rename(
        &space,
        limits::MESSAGE_BYTES + limits::INVITATION_PART_BYTES,
    );
    let hosting = host::open(&ada, &space, &InviteOptions::default()).unwrap();
    let joining = guest::join(bob.node(), &hosting.code(), &JoinOptions::default()).unwrap();
    enter(&hosting, &joining).await;
    let id = ended(&joining).await.unwrap();
    assert_eq!(ended(&hosting).await.unwrap(), id);
    let there = bob.node().host(&space.id()).unwrap();
    assert!(history(&there).1 > limits::MESSAGE_BYTES);
}

/// Lets crafted guests in until the space has as many members as it may have.
fn fill(space: &SpaceHost) {
    let signer = DeviceSigner::from_seed([7; 32]);
    let key = signer.public().0;
    let hint = crate::authority::InviteHint {
        from_now_on: false,
        expires_ms: u64::MAX >> 16,
        delegated: false,
        max_uses: 0,
    };
    space
        .with_settled(|core| core.offer_invitation(key, Role::Reader, hint))
        .unwrap();
    let id = space.id();
    let (headers, entries) = space.with(|core| core.control_history()).unwrap();
    let profile = ProfileStore::open(None).unwrap();
    for _ in 1..limits::IDENTITIES {
        let keyring = Arc::new(Keyring::generate(&mut clock::fill_random));
        let store = Box::new(profile.open_space(&id).unwrap());
        let random = Box::new(clock::fill_random);
        let mut guest = SpaceCore::join(id, store, Arc::clone(&keyring), random).unwrap();
        for header in &headers {
            guest.add_feed(header).unwrap();
        }
        guest
            .ingest(entries.clone(), &mut Ingest::default())
            .unwrap();
        let (identity, device) = (keyring.identity_key(), keyring.device_key());
        let signed = join_signing_bytes(id, identity, device, Role::Reader);
        guest
            .write_join("", Role::Reader, key, signer.sign(&signed))
            .unwrap();
        let (headers, entries) = guest.own_control().unwrap();
        space
            .with_settled(|core| {
                for header in &headers {
                    core.add_feed(header)?;
                }
                core.ingest(entries, &mut Ingest::default())
            })
            .unwrap();
    }
    space
        .with_settled(|core| core.close_invitation(key))
        .unwrap();
    let members = space.with(|core| Ok(core.authority().members().len()));
    assert_eq!(members.unwrap(), limits::IDENTITIES);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_space_that_is_full_lets_nobody_in_and_says_so() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (ada, bob) = (client("Ada", &server), client("Bob", &server));
    let space = space_of(&ada);
    fill(&space);
    let hosting = host::open(&ada, &space, &InviteOptions::default()).unwrap();
    let joining = guest::join(bob.node(), &hosting.code(), &JoinOptions::default()).unwrap();
    enter(&hosting, &joining).await;
    for side in [&joining, &hosting] {
        assert_eq!(kind(side).await, ErrorKind::LimitExceeded);
        assert_eq!(side.update().state, InvitationState::Error);
    }
    assert!(!bob.node().has_space(&space.id()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_has_so_many_devices_and_says_so() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (ada, phone) = (client("Ada", &server), blank(&server));
    let (keyring, _) = ada.node().require_identity().unwrap();
    let halo = ada.node().halo().unwrap();
    for order in 1..u32::try_from(limits::DEVICES_PER_IDENTITY).unwrap() {
        let keys = DeviceKeys::generate(&mut clock::fill_random);
        let request = keys.request(keyring.identity_key(), keyring.device_key(), order, "");
        let links = keyring.certify(&request).unwrap();
        let chain = DeviceChain::from_links(&links).unwrap();
        halo.with_settled(|core| core.add_device(&chain)).unwrap();
    }
    let hosting = device_host::open(ada.node(), &InviteOptions::default()).unwrap();
    let joining =
        device_guest::join(phone.node(), &hosting.code(), &JoinOptions::default()).unwrap();
    enter(&hosting, &joining).await;
    for side in [&joining, &hosting] {
        assert_eq!(kind(side).await, ErrorKind::LimitExceeded);
    }
    assert!(phone.node().identity().is_none());
}

/// A guest or host of another version: its hello says so, and all else is as it should be.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_version_of_the_exchange_is_named_as_such() {
    let server = TestServer::start("127.0.0.1:0").await;
    let ada = client("Ada", &server);
    let space = space_of(&ada);
    let hosting = host::open(&ada, &space, &InviteOptions::default()).unwrap();
    let code = InvitationCode::parse_as(&hosting.code(), InvitationKind::Space).unwrap();
    let (_rooms, newer) = super::tests::visit(&code, &server).await;
    let mut hello = super::tests::guest_greeting(&code, &newer);
    assert_eq!(hello[3..5], [8, 1], "the version is the first field");
    hello[4] = 2;
    newer.send(&hello).await.unwrap();
    assert_eq!(kind(&hosting).await, ErrorKind::UnsupportedVersion);
    assert_eq!(hosting.update().state, InvitationState::Error);
}
