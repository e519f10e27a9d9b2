//! Connections as a connector keeps them, over a real signalling server and real WebRTC.

use super::connector::{Calls, Connector};
use super::log::Log;
use super::signaling::tests::TestServer;
use super::signaling::{PeerId, TopicKey};
use super::transport::Link;
use super::webrtc::{WebRtcOptions, WebRtcTransport};
use crate::api::LogLevel;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

const PATIENCE: Duration = Duration::from_secs(60);
/// Less than the time after which a silent peer is given up.
const BEFORE_SILENCE: Duration = Duration::from_secs(7);

type Links = mpsc::Receiver<(PeerId, Arc<dyn Link>)>;

fn visitor(server: &TestServer) -> (Arc<Connector>, Links) {
    let transport = WebRtcTransport::new(WebRtcOptions {
        bind_addresses: vec!["127.0.0.1:0".parse().unwrap()],
        ..WebRtcOptions::default()
    });
    let connector = Connector::new(Arc::new(transport), Log::new(None, LogLevel::Off));
    connector.add_servers(&[server.url()]).unwrap();
    let (links, taken) = mpsc::channel(4);
    let key = TopicKey::new(&[1; 32]);
    connector.enter_private([2; 32], key, links, Calls::SmallerId);
    (connector, taken)
}

async fn next(links: &mut Links) -> Arc<dyn Link> {
    let taken = tokio::time::timeout(PATIENCE, links.recv()).await;
    taken.expect("a link in time").expect("a room").1
}

/// Whoever drops a link without closing it, as after an error, is connected again; neither side waits
/// until the silence is noticed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_dropped_is_made_anew() {
    let server = TestServer::start("127.0.0.1:0").await;
    let (_one, mut ours) = visitor(&server);
    let (_other, mut theirs) = visitor(&server);
    let (link, peer) = (next(&mut ours).await, next(&mut theirs).await);
    let first = link.local_fingerprint();
    drop(link);
    let heard = tokio::time::timeout(BEFORE_SILENCE, peer.recv()).await;
    assert!(heard.expect("the end is heard of").is_none());
    assert_ne!(next(&mut ours).await.local_fingerprint(), first);
    next(&mut theirs).await;
}
