//! What the fuzzers feed: descriptions and paths that a stranger sends. The stack's own code reads
//! them; a panic in it is contained as when connecting.

use super::certificate;
use crate::model::contain::contain;
use rtc::peer_connection::RTCPeerConnectionBuilder;
use rtc::peer_connection::certificate::RTCCertificate;
use rtc::peer_connection::configuration::RTCConfigurationBuilder;
use rtc::peer_connection::sdp::RTCSessionDescription;
use rtc::peer_connection::transport::RTCIceCandidateInit;
use std::sync::OnceLock;
use std::time::Instant;

/// An offer, answered, and then candidates, each behind its length.
pub fn description(sdp: &str, candidates: &[&str]) {
    let _ = contain(|| answer(sdp, candidates));
}

fn answer(sdp: &str, candidates: &[&str]) -> Option<()> {
    static CERTIFICATE: OnceLock<RTCCertificate> = OnceLock::new();
    let certificate = CERTIFICATE.get_or_init(|| certificate::generate().expect("a key").0);
    let offer = RTCSessionDescription::offer(sdp.to_owned()).ok()?;
    let now = Instant::now();
    let configuration = RTCConfigurationBuilder::new()
        .with_certificates(vec![certificate.clone()])
        .build();
    let builder = RTCPeerConnectionBuilder::new().with_configuration(configuration);
    let mut peer = builder.build(now).ok()?;
    peer.set_remote_description(now, offer).ok()?;
    let answer = peer.create_answer(None).ok()?;
    peer.set_local_description(now, answer).ok()?;
    for candidate in candidates {
        let candidate = RTCIceCandidateInit {
            candidate: (*candidate).to_owned(),
            ..RTCIceCandidateInit::default()
        };
        let _ = peer.add_remote_candidate(candidate);
    }
    Some(())
}
