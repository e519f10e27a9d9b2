//! Recovery among devices that refuse, stall and fall silent: the room of a phrase is known to every
//! device that the identity ever had, stolen ones too.

use super::recovery::room;
use super::recovery_wire::{Hello, Offer, decode};
use super::seeking;
use crate::api::{ClientOptions, IdentityInfo, LogLevel, RecoverOptions};
use crate::identity::RecoveryPhrase;
use crate::model::{ErrorKind, Result};
use crate::runtime::connector::{Calls, Connector};
use crate::runtime::log::Log;
use crate::runtime::node::NodeGuard;
use crate::runtime::secure_link::SecureLink;
use crate::runtime::signaling::TopicKey;
use crate::runtime::signaling::tests::TestServer;
use crate::runtime::webrtc::{WebRtcOptions, WebRtcTransport};
use prost::Message as _;
use std::sync::Arc;
use tokio::sync::mpsc;

fn client(server: &TestServer) -> Arc<NodeGuard> {
    let options = ClientOptions {
        signaling: vec![server.url()],
        bind: vec!["127.0.0.1:0".into()],
        ..ClientOptions::default()
    };
    NodeGuard::open(options, None).unwrap()
}

/// What somebody in the room does with whoever asks.
enum Manner {
    /// Says that the phrase is void.
    Refuses,
    /// Says nothing.
    Stalls,
    /// Offers what this client would, and says nothing more.
    FallsSilent(Arc<NodeGuard>),
}

impl Manner {
    async fn answer(&self, secure: &SecureLink) -> Result<()> {
        let hello: Hello = decode(&secure.recv().await?)?;
        match self {
            Manner::Refuses => {
                let refusal = Offer {
                    refused: Some("this phrase is void".into()),
                    ..Offer::default()
                };
                secure.send(&refusal.encode_to_vec()).await?;
            }
            Manner::Stalls => {}
            Manner::FallsSilent(device) => {
                let (hash, initiator) = (*secure.hash(), secure.link().initiator());
                let (offer, history) = device.node().recovery_offer(&hello, &hash, initiator)?;
                secure.send(&offer.encode_to_vec()).await?;
                for part in history {
                    secure.send(&part).await?;
                }
            }
        }
        // The other side hangs up.
        while secure.recv().await.is_ok() {}
        Ok(())
    }
}

/// Somebody in a phrase's room.
fn stranger(server: &TestServer, phrase: &str, manner: Manner) -> Arc<Connector> {
    let transport = WebRtcTransport::new(WebRtcOptions {
        bind_addresses: vec!["127.0.0.1:0".parse().unwrap()],
        ..WebRtcOptions::default()
    });
    let connector = Connector::new(Arc::new(transport), Log::new(None, LogLevel::Off));
    connector.add_servers(&[server.url()]).unwrap();
    let phrase = RecoveryPhrase::parse(phrase).unwrap();
    let (topic, key) = room(&phrase.rendezvous());
    let (links, mut taken) = mpsc::channel(4);
    connector.enter_private(topic, TopicKey::new(&key), links, Calls::SmallerId);
    let manner = Arc::new(manner);
    tokio::spawn(async move {
        while let Some((_, link)) = taken.recv().await {
            let manner = Arc::clone(&manner);
            tokio::spawn(async move {
                let secure = SecureLink::establish(link).await?;
                manner.answer(&secure).await
            });
        }
    });
    connector
}

async fn recover(at: &Arc<NodeGuard>, phrase: &str, timeout_s: u64) -> Result<IdentityInfo> {
    let (node, phrase) = (Arc::clone(at.node()), phrase.to_owned());
    let recovering = tokio::task::spawn_blocking(move || {
        let options = RecoverOptions {
            timeout_s,
            ..RecoverOptions::default()
        };
        seeking::recover(&node, &phrase, &options)
    });
    recovering.await.unwrap()
}

/// A client with an identity, and a phrase of it.
fn ada(server: &TestServer) -> (Arc<NodeGuard>, String) {
    let ada = client(server);
    ada.node().create_identity("Ada".into()).unwrap();
    let phrase = ada.node().create_recovery_phrase().unwrap();
    (ada, phrase.as_str().to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_honest_device_is_enough_among_some_that_refuse_and_stall() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (ada, phrase) = ada(&server);
    ada.node().set_online(false).unwrap();
    let _others = [
        stranger(&server, &phrase, Manner::Refuses),
        stranger(&server, &phrase, Manner::Stalls),
        stranger(&server, &phrase, Manner::Stalls),
    ];
    let new = client(&server);
    // With them alone it ends in what they say, and not in an identity.
    let error = recover(&new, &phrase, 5).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(new.node().identity().is_none());
    ada.node().set_online(true).unwrap();
    let identity = recover(&new, &phrase, 60).await.unwrap();
    assert_eq!(identity.identity, ada.node().identity().unwrap().identity);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_identity_that_is_here_is_recovered_though_its_keys_did_not_come() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (ada, phrase) = ada(&server);
    // It answers nobody itself.
    ada.node().set_online(false).unwrap();
    let _silent = stranger(&server, &phrase, Manner::FallsSilent(Arc::clone(&ada)));
    let new = client(&server);
    let identity = recover(&new, &phrase, 30).await.unwrap();
    assert_eq!(identity.identity, ada.node().identity().unwrap().identity);
    assert_eq!(new.node().identity(), Some(identity));
}
