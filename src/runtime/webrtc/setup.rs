//! From nothing to an open channel. The description goes out as soon as the local paths are known
//! or a moment has passed, later paths follow one by one: a slow STUN server delays nobody, and
//! peers that know no trickling get what they need in the description.

use super::driver::{DriverRuntime, Nudge};
use super::handler::{Ended, Handler, SetupEvent};
use super::link::{Connection, WebRtcLink};
use super::transport::{IceServer, WebRtcTransport};
use super::{certificate, network_error};
use crate::model::{Error, Result};
use crate::runtime::signal::{Candidate, SignalPayload};
use crate::runtime::transport::{Fingerprint, LinkRole, SignalChannel};
use futures_util::FutureExt;
use rtc::ice::mdns::MulticastDnsMode;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::time::Instant;
use webrtc::data_channel::{DataChannel, DataChannelEvent};
use webrtc::peer_connection::{
    PeerConnection, PeerConnectionBuilder, RTCCertificate, RTCConfigurationBuilder,
    RTCIceCandidateInit, RTCIceServer, RTCSessionDescription, SettingEngine, SettingEngineBuilder,
};

/// The channel's label, the same for all versions: its content says what it carries.
const LABEL: &str = "echo-db";
/// How long the description waits for local paths.
const GATHER_TIME: Duration = Duration::from_millis(200);
/// Paths of one peer that are looked at.
const MAX_REMOTE_CANDIDATES: usize = 64;
/// Silence after which a peer counts as disconnected.
const ICE_DISCONNECTED: Duration = Duration::from_secs(4);
/// Further silence after which it is given up: a link reports a vanished peer within ten seconds.
const ICE_FAILED: Duration = Duration::from_secs(4);
/// Interval of the packets that prove presence.
const ICE_KEEPALIVE: Duration = Duration::from_secs(1);

/// Connects; the caller limits the time.
pub(super) async fn establish(
    transport: &WebRtcTransport,
    role: LinkRole,
    signals: SignalChannel,
) -> Result<WebRtcLink> {
    let (mut setup, local) = Setup::open(transport, role, signals).await?;
    if role == LinkRole::Offerer {
        setup.offer().await?;
    }
    let channel = setup.run().await?;
    check_reliable(channel.as_ref()).await?;
    let remote = remote_fingerprint(setup.connection.peer.as_ref()).await?;
    let initiator = role == LinkRole::Offerer;
    Ok(WebRtcLink::new(
        setup.connection,
        channel,
        initiator,
        (local, remote),
    ))
}

/// One connection on its way.
struct Setup {
    connection: Connection,
    role: LinkRole,
    signals: SignalChannel,
    /// Whether the peer may still signal.
    listening: bool,
    events: mpsc::Receiver<SetupEvent>,
    /// Our channel as offerer, or the peer's once it comes.
    channel: Option<Arc<dyn DataChannel>>,
    /// When our description must go out, while it has not.
    describe_by: Option<Instant>,
    described: bool,
    remote_described: bool,
    /// Paths that came before the peer's description.
    early: Vec<Candidate>,
    candidates: usize,
}

impl Setup {
    async fn open(
        transport: &WebRtcTransport,
        role: LinkRole,
        signals: SignalChannel,
    ) -> Result<(Setup, Fingerprint)> {
        let (certificate, local) = certificate::generate()?;
        let ended = Ended::new();
        let (handler, events) = Handler::new(ended.clone());
        // In a task of its own: were it cancelled halfway, the connection would run on unowned.
        let build = build(transport.clone(), certificate, handler, ended);
        let connection = tokio::spawn(build)
            .await
            .map_err(|error| network_error("preparing a connection", error))??;
        let setup = Setup {
            connection,
            role,
            signals,
            listening: true,
            events,
            channel: None,
            describe_by: None,
            described: false,
            remote_described: false,
            early: Vec::new(),
            candidates: 0,
        };
        Ok((setup, local))
    }

    async fn offer(&mut self) -> Result<()> {
        let peer = self.connection.peer.clone();
        let made = async {
            let channel = peer.create_data_channel(LABEL, None).await?;
            let offer = peer.create_offer(None).await?;
            peer.set_local_description(offer).await?;
            Ok::<_, webrtc::error::Error>(channel)
        };
        let channel = made
            .await
            .map_err(|error| network_error("making an offer", error))?;
        self.channel = Some(channel);
        self.begin_describing();
        Ok(())
    }

    fn begin_describing(&mut self) {
        self.connection.nudge.wake();
        self.describe_by = Some(Instant::now() + GATHER_TIME);
    }

    /// Drives the connection until its channel is open.
    async fn run(&mut self) -> Result<Arc<dyn DataChannel>> {
        loop {
            let describe_by = self.describe_by;
            tokio::select! {
                reason = self.connection.ended.wait() => return Err(Error::network(reason)),
                opened = next_of(self.channel.clone()) => {
                    if let Some(channel) = opened? {
                        return Ok(channel);
                    }
                }
                Some(event) = self.events.recv() => self.on_event(event).await?,
                payload = self.signals.incoming.recv(), if self.listening => match payload {
                    Some(payload) => self.on_signal(payload).await?,
                    // Signalling may well end before the last packet of the set-up.
                    None => self.listening = false,
                },
                () = until(describe_by) => self.describe().await?,
            }
        }
    }

    async fn on_event(&mut self, event: SetupEvent) -> Result<()> {
        match event {
            SetupEvent::Gathered if self.describe_by.is_some() => self.describe().await?,
            SetupEvent::Gathered => {}
            SetupEvent::Candidate(candidate) if self.described => {
                self.send(SignalPayload::Candidate(Candidate {
                    candidate: candidate.candidate,
                    mid: candidate.sdp_mid,
                    line: candidate.sdp_mline_index,
                }))
                .await;
            }
            // The description will name it.
            SetupEvent::Candidate(_) => {}
            SetupEvent::Channel(channel) => {
                if self.channel.is_some() {
                    return Err(Error::protocol("the peer opened a second channel"));
                }
                self.channel = Some(channel);
            }
        }
        Ok(())
    }

    async fn on_signal(&mut self, payload: SignalPayload) -> Result<()> {
        match (self.role, payload) {
            (LinkRole::Answerer, SignalPayload::Offer(sdp)) if !self.remote_described => {
                self.set_remote(RTCSessionDescription::offer(sdp)).await?;
                let peer = self.connection.peer.clone();
                let made = async {
                    let answer = peer.create_answer(None).await?;
                    peer.set_local_description(answer).await
                };
                guarded("answering", made).await?;
                self.begin_describing();
                Ok(())
            }
            (LinkRole::Offerer, SignalPayload::Answer(sdp)) if !self.remote_described => {
                self.set_remote(RTCSessionDescription::answer(sdp)).await
            }
            (_, SignalPayload::Candidate(candidate)) => {
                self.on_candidate(candidate).await;
                Ok(())
            }
            // A repeated or misdirected description changes nothing.
            _ => Ok(()),
        }
    }

    async fn set_remote(
        &mut self,
        description: std::result::Result<RTCSessionDescription, webrtc::error::Error>,
    ) -> Result<()> {
        let doing = "reading the peer's description";
        let description =
            description.map_err(|error| Error::protocol(format!("{doing}: {error}")))?;
        let peer = self.connection.peer.clone();
        guarded(doing, peer.set_remote_description(description)).await?;
        self.connection.nudge.wake();
        self.remote_described = true;
        for candidate in std::mem::take(&mut self.early) {
            self.add_candidate(candidate).await;
        }
        Ok(())
    }

    async fn on_candidate(&mut self, candidate: Candidate) {
        self.candidates += 1;
        if self.candidates > MAX_REMOTE_CANDIDATES {
            return;
        }
        if self.remote_described {
            self.add_candidate(candidate).await;
        } else {
            self.early.push(candidate);
        }
    }

    async fn add_candidate(&self, candidate: Candidate) {
        let candidate = RTCIceCandidateInit {
            candidate: candidate.candidate,
            sdp_mid: candidate.mid,
            sdp_mline_index: candidate.line,
            ..RTCIceCandidateInit::default()
        };
        let added = self.connection.peer.add_ice_candidate(candidate);
        // A path that does not parse is no path; there are others.
        let _ = guarded("adding a candidate", added).await;
        self.connection.nudge.wake();
    }

    /// Sends our description with every path known by now.
    async fn describe(&mut self) -> Result<()> {
        self.describe_by = None;
        let description = self.connection.peer.local_description().await;
        let description =
            description.ok_or_else(|| Error::internal("the connection has no description"))?;
        self.described = true;
        let payload = match self.role {
            LinkRole::Offerer => SignalPayload::Offer(description.sdp),
            LinkRole::Answerer => SignalPayload::Answer(description.sdp),
        };
        self.send(payload).await;
        Ok(())
    }

    async fn send(&self, payload: SignalPayload) {
        // Where signalling has ended the connection may still succeed, or run out of time.
        let _ = self.signals.outgoing.send(payload).await;
    }
}

async fn build(
    transport: WebRtcTransport,
    certificate: RTCCertificate,
    handler: Handler,
    ended: Ended,
) -> Result<Connection> {
    let options = transport.options();
    let nudge = Nudge::default();
    let configuration = RTCConfigurationBuilder::new()
        .with_ice_servers(options.ice_servers.iter().map(ice_server).collect())
        .with_certificates(vec![certificate])
        .build();
    let peer = PeerConnectionBuilder::new()
        .with_runtime(Arc::new(DriverRuntime::new(nudge.clone(), ended.clone())))
        .with_configuration(configuration)
        .with_setting_engine(settings())
        .with_handler(Arc::new(handler))
        .with_udp_addrs(transport.bind_addresses())
        .with_data_channel_send_buffer_limit(options.send_buffer)
        .build()
        .await
        .map_err(|error| network_error("preparing a connection", error))?;
    Ok(Connection {
        peer: Arc::new(peer),
        nudge,
        ended,
        runtime: Handle::current(),
    })
}

/// Waits for the channel's next event; the channel itself once it is open.
async fn next_of(channel: Option<Arc<dyn DataChannel>>) -> Result<Option<Arc<dyn DataChannel>>> {
    let Some(channel) = channel else {
        return std::future::pending().await;
    };
    match channel.poll().await {
        Some(DataChannelEvent::OnOpen) => Ok(Some(channel)),
        Some(DataChannelEvent::OnClose) | None => {
            Err(Error::network("the channel closed before it was open"))
        }
        Some(DataChannelEvent::OnMessage(_)) => {
            Err(Error::protocol("the peer sent before the channel was open"))
        }
        Some(_) => Ok(None),
    }
}

async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}

/// Runs a step that reads a stranger's text: the parsers below are young, and a panic in them
/// must cost no more than this connection.
async fn guarded(
    doing: &str,
    step: impl Future<Output = std::result::Result<(), webrtc::error::Error>>,
) -> Result<()> {
    match AssertUnwindSafe(step).catch_unwind().await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(Error::protocol(format!("{doing}: {error}"))),
        Err(_) => Err(Error::protocol(format!("{doing}: the stack panicked"))),
    }
}

/// A link is ordered and reliable, whatever the peer asked for.
async fn check_reliable(channel: &dyn DataChannel) -> Result<()> {
    let checked = async {
        Ok::<_, webrtc::error::Error>(
            channel.ordered().await?
                && channel.max_packet_life_time().await?.is_none()
                && channel.max_retransmits().await?.is_none(),
        )
    };
    match checked.await {
        Ok(true) => Ok(()),
        Ok(false) => Err(Error::protocol("the peer's channel is not reliable")),
        Err(error) => Err(network_error("looking at the channel", error)),
    }
}

async fn remote_fingerprint(peer: &dyn PeerConnection) -> Result<Fingerprint> {
    let sctp = peer.sctp().await;
    let sctp = sctp.ok_or_else(|| Error::internal("the connection has no SCTP transport"))?;
    let certificates = sctp.transport().get_remote_certificates().await;
    let certificates =
        certificates.map_err(|error| network_error("reading the peer's certificate", error))?;
    let first = certificates.first();
    let first = first.ok_or_else(|| Error::protocol("the peer shows no certificate"))?;
    Ok(certificate::fingerprint(first))
}

fn ice_server(server: &IceServer) -> RTCIceServer {
    RTCIceServer {
        urls: server.urls.clone(),
        username: server.username.clone(),
        credential: server.credential.clone(),
    }
}

fn settings() -> SettingEngine {
    SettingEngineBuilder::new()
        .with_include_loopback_candidate(true)
        // It would join a multicast group, which fails where only loopback exists.
        .with_multicast_dns_mode(MulticastDnsMode::Disabled)
        .with_ice_timeouts(
            Some(ICE_DISCONNECTED),
            Some(ICE_FAILED),
            Some(ICE_KEEPALIVE),
        )
        .build()
}
