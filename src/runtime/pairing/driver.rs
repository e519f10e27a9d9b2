//! Runs one side's state machine: feeds it what happened and carries out what it asks for, in
//! order.

use super::{Command, PairingHandle};
use crate::api;
use crate::identity::{DeviceChain, DeviceKeys, Keyring};
use crate::invitation::channel::Channel;
use crate::invitation::guest::Guest;
use crate::invitation::host::Host;
use crate::invitation::machine::{Effect, Event, Peer, ProvenDevice, Random, VerifyProof};
use crate::invitation::state::InvitationState;
use crate::model::{Error, ErrorKind, Result, limits};
use crate::runtime::clock;
use crate::runtime::connector::{Calls, Connector};
use crate::runtime::executor;
use crate::runtime::secure_link::SecureLink;
use crate::runtime::signaling::{PeerId, TopicKey};
use crate::runtime::transport::Link;
use crate::sync::device_proof;
use crate::sync::peer_proof::PeerProof;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How often the machines hear the time.
pub(super) const TICK: Duration = Duration::from_millis(500);

/// How long a message may take to leave.
const SEND_TIME: Duration = Duration::from_millis(limits::INVITATION_STEP_MS);
/// Links whose handshake may be under way at once; further ones wait.
pub(super) const HANDSHAKES: usize = 8;

/// Either side's machine.
pub(super) trait Machine: Send + Sync {
    fn start(&mut self) -> Vec<Effect>;
    fn handle(&mut self, event: Event, random: Random<'_>) -> Vec<Effect>;
    fn state(&self) -> InvitationState;
}

macro_rules! machine {
    ($side:ty) => {
        impl Machine for $side {
            fn start(&mut self) -> Vec<Effect> {
                <$side>::start(self)
            }
            fn handle(&mut self, event: Event, random: Random<'_>) -> Vec<Effect> {
                <$side>::handle(self, event, random)
            }
            fn state(&self) -> InvitationState {
                <$side>::state(self)
            }
        }
    };
}
machine!(Host);
machine!(Guest);

/// What a side's space layer and store do. Calls may block for a disk's moment.
pub(super) trait Layer: Send + Sync {
    /// Uses up an authorization code, durably; the number used up so far.
    fn count_attempt(&mut self) -> Result<u32>;
    /// Guest: a guess is about to be sent; counts it, durably.
    fn count_guess(&mut self) -> Result<()> {
        Ok(())
    }
    /// The other side has proven its device.
    fn introduced(&mut self, _peer: &Peer) {}
    /// The end was shown.
    fn over(&mut self) {}
    /// Host: admits the guest.
    fn admit(&mut self, guest: &Peer) -> Result<Vec<u8>>;
    /// Host: stores the guest's join.
    fn store_join(&mut self, bytes: &[u8]) -> Result<Vec<u8>>;
    /// Guest: takes the admission, and makes the join.
    fn take_admission(&mut self, bytes: &[u8]) -> Result<Vec<u8>>;
    /// Guest: takes the host's last bytes. If that fails and [`Layer::failure`] says so, the host is
    /// not told that the guest has everything.
    fn complete(&mut self, bytes: &[u8]) -> Result<()>;
    /// Host: the guest has said that it has everything.
    fn confirmed(&mut self) {}
    /// The space, once it is known.
    fn space(&self) -> Option<String>;
    /// Another machine to go on with after one ended in failure; `None` to end.
    fn again(&mut self, error: Option<&Error>) -> Option<Box<dyn Machine>>;
    /// The end, good or bad. May turn a failure into success (the guest is in although the link
    /// broke at the very end).
    fn ended(&mut self, success: bool) -> bool;
    /// Why it failed, if this layer knows better than the machine.
    fn failure(&self) -> Option<Error> {
        None
    }
}

/// How this side shows who it is.
pub(super) enum Prover {
    /// As a device of its identity.
    Member(Arc<Keyring>),
    /// As a device that has none yet.
    NewDevice(Arc<DeviceKeys>),
}

impl Prover {
    fn prove(&self, hash: &[u8; 32], initiator: bool) -> Result<Vec<u8>> {
        match self {
            Prover::Member(keyring) => {
                let signer = keyring.device_signer();
                let chain = keyring.chain().encode();
                let proof = PeerProof::create(&chain, hash, initiator, |bytes| signer.sign(bytes));
                Ok(proof?.encode())
            }
            Prover::NewDevice(keys) => {
                let (device, signer) = (keys.device_key(), keys.signer());
                Ok(device_proof::create(&device, hash, initiator, |bytes| {
                    signer.sign(bytes)
                }))
            }
        }
    }
}

/// Room and keys of an invitation.
#[derive(Clone)]
pub(super) struct Place {
    pub topic: [u8; 32],
    pub key: [u8; 32],
    pub connector: Arc<Connector>,
    pub calls: Calls,
}

impl Place {
    /// Enters the room; links go to `links`.
    pub fn enter(&self, links: &mpsc::Sender<(PeerId, Arc<dyn Link>)>) {
        let key = TopicKey::new(&self.key);
        self.connector
            .enter_private(self.topic, key, links.clone(), self.calls);
    }
}

pub(super) struct Driver {
    pub machine: Box<dyn Machine>,
    pub layer: Box<dyn Layer>,
    pub handle: PairingHandle,
    pub prover: Prover,
    pub place: Place,
    pub commands: mpsc::UnboundedReceiver<Command>,
}

impl Driver {
    /// Runs to the end.
    pub async fn run(mut self) {
        let (links, mut taken) = mpsc::channel(4);
        self.place.enter(&links);
        // Beside everything else: a stranger who stalls must not hold up the user or the guest.
        let mut greeting = FuturesUnordered::new();
        let mut current: Option<Arc<SecureLink>> = None;
        let mut last_error = None;
        let first = self.machine.start();
        self.carry_out(first, &mut current, &mut last_error).await;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if self.machine.state().is_final() {
                match self.layer.again(last_error.as_ref()) {
                    Some(machine) if self.machine.state() != InvitationState::Success => {
                        self.machine = machine;
                        last_error = None;
                        let first = self.machine.start();
                        self.carry_out(first, &mut current, &mut last_error).await;
                    }
                    _ => break,
                }
            }
            let event = tokio::select! {
                Some((_, link)) = taken.recv(), if greeting.len() < HANDSHAKES => {
                    greeting.push(establish(link));
                    None
                }
                Some(established) = greeting.next(), if !greeting.is_empty() => {
                    self.connected(established, &mut current).await
                }
                message = receive(current.clone()) => Some(match message {
                    Ok(bytes) => Event::Message(bytes),
                    Err(_) => {
                        current = None;
                        Event::Disconnected
                    }
                }),
                command = self.commands.recv() => match command {
                    Some(Command::Suspend) => return self.suspend(current).await,
                    Some(Command::AuthCode(code)) => Some(Event::AuthCodeEntered(code)),
                    Some(Command::Withdraw(error)) => Some(Event::Withdrawn(error)),
                    Some(Command::Cancel) | None => Some(Event::Cancel),
                    Some(Command::Offline) => {
                        greeting.clear();
                        match current.take() {
                            Some(link) => {
                                link.close().await;
                                Some(Event::Disconnected)
                            }
                            None => None,
                        }
                    }
                    Some(Command::Network(connector)) => {
                        self.place.connector = connector;
                        self.place.enter(&links);
                        None
                    }
                },
                _ = tick.tick() => Some(Event::Tick(clock::now_ms())),
            };
            if let Some(event) = event {
                let effects = self.machine.handle(event, &mut clock::fill_random);
                self.carry_out(effects, &mut current, &mut last_error).await;
            }
        }
        self.finish(last_error).await;
    }

    /// Serves one guest on one connection, to the end of either; says how that was.
    pub async fn serve(mut self, link: SecureLink) -> (InvitationState, Option<Error>) {
        let mut current = None;
        let mut last_error = None;
        let first = self.machine.start();
        self.carry_out(first, &mut current, &mut last_error).await;
        let attached = self.attach(link, &mut current);
        let mut next = attached;
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            if let Some(event) = next.take() {
                let effects = self.machine.handle(event, &mut clock::fill_random);
                self.carry_out(effects, &mut current, &mut last_error).await;
            }
            if self.machine.state().is_final() || current.is_none() {
                break;
            }
            next = tokio::select! {
                message = receive(current.clone()) => Some(match message {
                    Ok(bytes) => Event::Message(bytes),
                    Err(_) => {
                        current = None;
                        Event::Disconnected
                    }
                }),
                command = self.commands.recv() => match command {
                    Some(Command::Withdraw(error)) => Some(Event::Withdrawn(error)),
                    Some(Command::Cancel) | None => Some(Event::Cancel),
                    Some(Command::Offline | Command::Suspend) => {
                        if let Some(link) = current.take() {
                            link.close().await;
                        }
                        Some(Event::Disconnected)
                    }
                    Some(Command::AuthCode(_) | Command::Network(_)) => None,
                },
                _ = tick.tick() => Some(Event::Tick(clock::now_ms())),
            };
        }
        (self.machine.state(), last_error)
    }

    /// The client is shut down: what is stored goes on when it is opened again.
    async fn suspend(self, current: Option<Arc<SecureLink>>) {
        if let Some(link) = current {
            link.close().await;
        }
        self.place.connector.leave(&self.place.topic);
        self.handle.set(suspended);
    }

    /// A link is encrypted: one at a time is served, so that guesses cannot run side by side.
    async fn connected(
        &self,
        established: Result<SecureLink>,
        current: &mut Option<Arc<SecureLink>>,
    ) -> Option<Event> {
        let secure = match established {
            Ok(secure) => secure,
            Err(error) => {
                self.log_failure(&error);
                return None;
            }
        };
        let present = current
            .as_ref()
            .is_some_and(|link| !link.link().is_closed());
        if present || secure.link().is_closed() {
            secure.link().close().await;
            return None;
        }
        self.attach(secure, current)
    }

    /// Makes an encrypted link the one in use.
    fn attach(&self, secure: SecureLink, current: &mut Option<Arc<SecureLink>>) -> Option<Event> {
        let link = Arc::clone(secure.link());
        let initiator = link.initiator();
        let (local, remote) = (link.local_fingerprint(), link.remote_fingerprint());
        let (initiator_fingerprint, responder_fingerprint) = match initiator {
            true => (local, remote),
            false => (remote, local),
        };
        let channel = Channel {
            handshake_hash: *secure.hash(),
            initiator_fingerprint,
            responder_fingerprint,
            initiator,
        };
        let proof = self.prover.prove(secure.hash(), initiator);
        *current = Some(Arc::new(secure));
        proof.ok().map(|proof| Event::Connected { channel, proof })
    }

    fn log_failure(&self, error: &Error) {
        self.handle
            .shared
            .log
            .info("invitation", || format!("a connection failed: {error}"));
    }

    /// Carries effects out in order; what the layers answer is fed back before the rest.
    async fn carry_out(
        &mut self,
        effects: Vec<Effect>,
        current: &mut Option<Arc<SecureLink>>,
        last_error: &mut Option<Error>,
    ) {
        let mut queue: VecDeque<Effect> = effects.into();
        while let Some(effect) = queue.pop_front() {
            let event = match effect {
                Effect::Send(bytes) => self.send(&bytes, current).await,
                Effect::Close => {
                    if let Some(link) = current.take() {
                        link.close().await;
                    }
                    None
                }
                Effect::Failed(error) => {
                    *last_error = Some(error);
                    None
                }
                Effect::PersistGuess => match executor::blocking(|| self.layer.count_guess()) {
                    Ok(()) => None,
                    Err(error) => {
                        queue.clear();
                        Some(Event::CounterFailed(error))
                    }
                },
                shown @ (Effect::State(_)
                | Effect::Introduced(_)
                | Effect::Words(_)
                | Effect::ShowCode { .. }
                | Effect::WrongCode { .. }
                | Effect::MalformedCode) => {
                    if let Effect::Introduced(peer) = &shown {
                        self.layer.introduced(peer);
                    }
                    self.show(shown);
                    None
                }
                asked => executor::blocking(|| self.ask(asked)),
            };
            if self.layer.failure().is_some() {
                // Not a word more: the other side would take it for success.
                queue.clear();
                if let Some(link) = current.take() {
                    link.close().await;
                }
            }
            if let Some(event) = event {
                queue.extend(self.machine.handle(event, &mut clock::fill_random));
            }
        }
    }

    async fn send(&self, bytes: &[u8], current: &mut Option<Arc<SecureLink>>) -> Option<Event> {
        let link = current.as_ref()?;
        // A peer that does not read must not hold us up for good.
        match tokio::time::timeout(SEND_TIME, link.send(bytes)).await {
            Ok(Ok(())) => None,
            Ok(Err(_)) | Err(_) => {
                *current = None;
                Some(Event::Disconnected)
            }
        }
    }

    fn show(&self, effect: Effect) {
        self.handle.set(|update| match effect {
            // The end is shown by `finish`, with what goes with it.
            Effect::State(state) if !state.is_final() => {
                update.state = to_api(state);
                if state != InvitationState::ReadyForAuthentication {
                    update.auth_code = None;
                }
                // Until the next exchange there is nothing to compare.
                if state != InvitationState::Authenticating {
                    update.fingerprint = None;
                }
            }
            Effect::Introduced(peer) => update.peer_name = Some(peer.display_name),
            Effect::Words(words) => update.fingerprint = Some(words),
            Effect::ShowCode { code, left } => {
                update.auth_code = Some(code.as_str().to_owned());
                update.attempts_left = left;
            }
            Effect::WrongCode { left } => update.attempts_left = left,
            _ => {}
        });
    }

    fn ask(&mut self, effect: Effect) -> Option<Event> {
        match effect {
            Effect::PersistAttempt { attempt } => Some(match self.layer.count_attempt() {
                Ok(used) => Event::CounterPersisted { attempt, used },
                Err(error) => Event::CounterFailed(error),
            }),
            Effect::RequestAdmission(peer) => Some(match self.layer.admit(&peer) {
                Ok(bytes) => Event::Admitted(bytes),
                Err(error) => Event::AdmitRefused(error),
            }),
            Effect::JoinReceived(bytes) => Some(match self.layer.store_join(&bytes) {
                Ok(bytes) => Event::Completed(bytes),
                Err(error) => Event::AdmitRefused(error),
            }),
            Effect::Admission(bytes) => Some(match self.layer.take_admission(&bytes) {
                Ok(bytes) => Event::JoinEntry(bytes),
                Err(error) => Event::JoinFailed(error),
            }),
            Effect::Completed(bytes) => {
                if let Err(error) = self.layer.complete(&bytes) {
                    // The keys come by replication as well.
                    self.log_failure(&error);
                }
                None
            }
            Effect::Confirmed => {
                self.layer.confirmed();
                None
            }
            _ => None,
        }
    }

    async fn finish(mut self, error: Option<Error>) {
        self.place.connector.leave(&self.place.topic);
        let state = self.machine.state();
        let success = executor::blocking(|| self.layer.ended(state == InvitationState::Success));
        let space = self.layer.space();
        let error = self.layer.failure().or(error);
        self.handle.set(|update| {
            update.auth_code = None;
            if success {
                update.state = api::InvitationState::Success;
                update.space = space;
                return;
            }
            // What went well for the machine may have failed for the layer.
            let state = match state {
                InvitationState::Success => InvitationState::Error,
                state => state,
            };
            failed(update, state, error);
        });
        self.layer.over();
    }
}

/// Shows a failure as the end.
pub(super) fn failed(
    update: &mut api::InvitationUpdate,
    state: InvitationState,
    error: Option<Error>,
) {
    let error = error.unwrap_or_else(|| Error::new(ErrorKind::Cancelled, "the invitation ended"));
    update.state = to_api(state);
    update.auth_code = None;
    update.status = error.kind().status();
    update.error = Some(error.detail().to_owned());
}

/// Shows that the client was shut down.
pub(super) fn suspended(update: &mut api::InvitationUpdate) {
    let error = Error::new(
        ErrorKind::Cancelled,
        "the client was shut down: the invitation goes on when its profile is opened again",
    );
    failed(update, InvitationState::Cancelled, Some(error));
}

/// Runs a link's handshake; a link on which it fails is closed.
pub(super) async fn establish(link: Arc<dyn Link>) -> Result<SecureLink> {
    let established = SecureLink::establish(Arc::clone(&link)).await;
    if established.is_err() {
        link.close().await;
    }
    established
}

/// The next message of a link; waits for ever without one.
async fn receive(link: Option<Arc<SecureLink>>) -> Result<Vec<u8>> {
    match link {
        Some(link) => link.recv().await,
        None => std::future::pending().await,
    }
}

/// Checks the other side's proof of its device on a channel.
pub(super) fn verifier() -> VerifyProof {
    Arc::new(|channel: &Channel, bytes: &[u8]| {
        let proof = PeerProof::decode(bytes)?;
        let chain = DeviceChain::decode(proof.certificate())?;
        let certificate = chain.certificate();
        proof.verify(
            &certificate.device,
            &channel.handshake_hash,
            !channel.initiator,
        )?;
        Ok(ProvenDevice {
            identity: certificate.identity,
            device: certificate.device,
            certificate: proof.certificate().to_vec(),
        })
    })
}

fn to_api(state: InvitationState) -> api::InvitationState {
    match state {
        InvitationState::Init => api::InvitationState::Init,
        InvitationState::Connecting => api::InvitationState::Connecting,
        InvitationState::Connected => api::InvitationState::Connected,
        InvitationState::ReadyForAuthentication => api::InvitationState::ReadyForAuthentication,
        InvitationState::Authenticating => api::InvitationState::Authenticating,
        InvitationState::Success => api::InvitationState::Success,
        InvitationState::Cancelled => api::InvitationState::Cancelled,
        InvitationState::Timeout => api::InvitationState::Timeout,
        InvitationState::Error => api::InvitationState::Error,
        InvitationState::Expired => api::InvitationState::Expired,
    }
}
