//! What the two state machines of an invitation share: events in, effects out, the clock's
//! deadlines, and how messages are opened and sent.
//!
//! The caller owns the connection, the session on it, the store and the users' screens. It hands
//! in what happened, with the wall clock in [`Event::Tick`] about once a second, and carries out
//! the effects in the order in which they come. An event that does not fit the present state, as
//! after a race between a user and the network, has no effect.

use super::auth_code::AuthCode;
use super::channel::{Channel, Part};
use super::code::InvitationCode;
use super::cpace::{Keys, SHARE_BYTES};
use super::parts::Parts;
use super::refusal::Refusal;
use super::sealing::Sealer;
use super::state::InvitationState;
use super::wire::{self, Body, Hello, Introduction};
use super::words;
use crate::model::{DeviceKey, Error, ErrorKind, IdentityKey, Result, limits};
use ring::digest;
use std::sync::Arc;
use zeroize::Zeroizing;

/// Fills a buffer with uniformly random bytes.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Somebody taking part in an invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Their identity.
    pub identity: IdentityKey,
    /// The device they use.
    pub device: DeviceKey,
    /// The device's certificate, byte for byte.
    pub certificate: Vec<u8>,
    /// The name they give themselves. It proves nothing.
    pub display_name: String,
    /// In how many parts they take a message; 0: whole only.
    pub parts: u32,
}

/// What a verified proof says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProvenDevice {
    /// The identity that certified the device.
    pub identity: IdentityKey,
    /// The device, which has signed this channel's handshake hash.
    pub device: DeviceKey,
    /// Its certificate, byte for byte.
    pub certificate: Vec<u8>,
}

/// Verifies the other side's proof of its device on a channel: decodes it, checks the certificate
/// and the signature of the handshake hash in the *other* side's session role.
pub type VerifyProof = Arc<dyn Fn(&Channel, &[u8]) -> Result<ProvenDevice> + Send + Sync>;

/// What a machine is made from.
pub struct Setup {
    /// The invitation.
    pub code: InvitationCode,
    /// Ourselves.
    pub identity: IdentityKey,
    /// Our device.
    pub device: DeviceKey,
    /// The name that the other side sees.
    pub display_name: String,
    /// How proofs are verified.
    pub verify: VerifyProof,
    /// The wall clock, in milliseconds since 1970.
    pub now_ms: u64,
    /// How long the whole may take before it ends in [`InvitationState::Timeout`], if not only by
    /// the code's own expiry.
    pub timeout_ms: Option<u64>,
}

/// What happened. It has no debug form, since one of them holds what a user entered.
pub enum Event {
    /// A connection stands and its session is established. `proof` is our proof of our device on
    /// this channel. A connection that stood before is gone.
    Connected {
        /// The connection.
        channel: Channel,
        /// Our proof, in the session layer's format.
        proof: Vec<u8>,
    },
    /// The session delivered a message.
    Message(Vec<u8>),
    /// The connection is gone.
    Disconnected,
    /// The wall clock, in milliseconds since 1970.
    Tick(u64),
    /// The user called it off.
    Cancel,
    /// The invitation is over for a reason outside this exchange; the other side is told.
    Withdrawn(Error),
    /// Guest: the user entered an authorization code.
    AuthCodeEntered(String),
    /// Host: the attempt of [`Effect::PersistAttempt`] is on disk. `used` is the number of codes
    /// of this invitation used up so far, on disk, this one included: the store increments it in
    /// one atomic step, so that several connections at once cannot count the same code.
    CounterPersisted {
        /// The number from the effect.
        attempt: u32,
        /// The count on disk.
        used: u32,
    },
    /// The attempt could not be stored.
    CounterFailed(Error),
    /// Host: the space layer admits the guest; the bytes are for the guest's space layer.
    Admitted(Vec<u8>),
    /// Host: the space layer does not, or failed later. `AlreadyExists`, `PermissionDenied` and
    /// `LimitExceeded` reach the guest as such.
    AdmitRefused(Error),
    /// Guest: the space layer's join entry for the host.
    JoinEntry(Vec<u8>),
    /// Guest: the space layer does not believe the admission.
    JoinFailed(Error),
    /// Host: the space layer has stored the join; the bytes are for the guest's space layer.
    Completed(Vec<u8>),
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Send a message in the session.
    Send(Vec<u8>),
    /// Show the new state.
    State(InvitationState),
    /// The other side has introduced itself and proven its device.
    Introduced(Peer),
    /// Host: show this code; it replaces any shown before, and is gone when the state is left.
    ShowCode {
        /// The code.
        code: AuthCode,
        /// Codes left, this one included.
        left: u32,
    },
    /// A wrong code was entered; so many are left.
    WrongCode {
        /// Codes left.
        left: u32,
    },
    /// The fingerprint of this exchange, to be compared by the two people.
    Words(String),
    /// Guest: what the user entered is no code; nothing was sent, nothing is used up.
    MalformedCode,
    /// Guest: store, before anything else, that a guess is about to be sent; on failure nothing
    /// that follows is carried out, and [`Event::CounterFailed`] is the answer.
    PersistGuess,
    /// Host: store, before anything else, that a code is used up; then
    /// [`Event::CounterPersisted`].
    PersistAttempt {
        /// Names this attempt in the answer.
        attempt: u32,
    },
    /// Host: the guest knew the code. Ask the space layer; it answers [`Event::Admitted`] or
    /// [`Event::AdmitRefused`].
    RequestAdmission(Peer),
    /// Guest: what the host's space layer sent; ours answers [`Event::JoinEntry`] or
    /// [`Event::JoinFailed`].
    Admission(Vec<u8>),
    /// Host: the guest's join entry; the space layer answers [`Event::Completed`] or
    /// [`Event::AdmitRefused`].
    JoinReceived(Vec<u8>),
    /// Guest: the host's last bytes for our space layer. Success follows.
    Completed(Vec<u8>),
    /// Host: the guest has said that it has everything. Success follows.
    Confirmed,
    /// Why a final state other than success follows.
    Failed(Error),
    /// Close the connection once everything to send is sent.
    Close,
}

/// Why a machine ends.
pub(super) struct Stop {
    pub(super) state: InvitationState,
    pub(super) error: Error,
    /// What the other side is told; nothing if it told us.
    pub(super) tell: Option<Refusal>,
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop {
            state: InvitationState::Error,
            tell: Some(Refusal::of(&error)),
            error,
        }
    }
}

impl Stop {
    /// An end that is told to the other side as `refusal` and shown here as `error`.
    pub(super) fn new(refusal: Refusal, error: Error) -> Stop {
        Stop {
            state: refusal.state(),
            error,
            tell: Some(refusal),
        }
    }

    /// An end for which the other side is to blame.
    pub(super) fn protocol(detail: &str) -> Stop {
        Error::protocol(detail).into()
    }
}

/// The result of a step.
pub(super) type Step<T> = std::result::Result<T, Stop>;

/// A connection in use.
pub(super) struct Link {
    pub(super) channel: Channel,
    proof: Vec<u8>,
    /// In how many parts the other side takes a message, by its hello.
    pub(super) peer_parts: u32,
    /// What has come in parts so far.
    pub(super) parts: Parts,
    /// Password exchanges begun on this connection.
    pub(super) runs: u32,
    /// Associated data of each side: known after its introduction.
    pub(super) own_data: Vec<u8>,
    pub(super) peer_data: Vec<u8>,
    /// Present once the password exchange has succeeded.
    pub(super) sealer: Option<Sealer>,
}

/// The state both machines have.
pub(super) struct Core {
    pub(super) code: InvitationCode,
    part: Part,
    identity: IdentityKey,
    device: DeviceKey,
    display_name: String,
    verify: VerifyProof,
    state: InvitationState,
    error: Option<Error>,
    now_ms: u64,
    ends_ms: Option<u64>,
    step_ends_ms: Option<u64>,
    pub(super) link: Option<Link>,
    effects: Vec<Effect>,
}

impl Core {
    pub(super) fn new(setup: Setup, part: Part) -> Result<Core> {
        if !is_display_name(&setup.display_name) {
            return Err(Error::invalid(format!(
                "a display name has at most {} characters and no control characters",
                limits::NAME_CHARS
            )));
        }
        setup.code.check_expiry(setup.now_ms)?;
        Ok(Core {
            code: setup.code,
            part,
            identity: setup.identity,
            device: setup.device,
            display_name: setup.display_name,
            verify: setup.verify,
            state: InvitationState::Init,
            error: None,
            now_ms: setup.now_ms,
            ends_ms: setup.timeout_ms.map(|t| setup.now_ms.saturating_add(t)),
            step_ends_ms: None,
            link: None,
            effects: Vec::new(),
        })
    }

    pub(super) fn state(&self) -> InvitationState {
        self.state
    }

    #[cfg(test)]
    pub(super) fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    pub(super) fn effect(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn take_effects(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.effects)
    }

    pub(super) fn enter(&mut self, state: InvitationState) {
        if self.state != state {
            self.state = state;
            self.effect(Effect::State(state));
        }
    }

    /// Starts the clock of a step that does not wait for a person, and in which so many messages are
    /// on their way.
    pub(super) fn start_step(&mut self, messages: u32) {
        let step = limits::INVITATION_STEP_MS.saturating_mul(messages.into());
        self.step_ends_ms = Some(self.now_ms.saturating_add(step));
    }

    /// Stops it while a person is waited for.
    pub(super) fn stop_step(&mut self) {
        self.step_ends_ms = None;
    }

    /// Takes the clock; whether a step, or the invitation, has run out of time.
    pub(super) fn tick(&mut self, now_ms: u64) -> Step<()> {
        self.now_ms = now_ms;
        let past = |end: Option<u64>| end.is_some_and(|end| now_ms >= end);
        if past(self.step_ends_ms) {
            let error = Error::new(ErrorKind::TimedOut, "the other side did not answer in time");
            return Err(Stop::new(Refusal::Timeout, error));
        }
        // Whoever has proven to know the code may finish what is under way.
        if self.link.as_ref().is_some_and(|link| link.sealer.is_some()) {
            return Ok(());
        }
        if now_ms >= self.code.expires_ms {
            return Err(Stop::new(Refusal::Expired, Refusal::Expired.error()));
        }
        if past(self.ends_ms) {
            let error = Error::new(ErrorKind::TimedOut, "nobody took up the invitation in time");
            return Err(Stop::new(Refusal::Timeout, error));
        }
        Ok(())
    }

    /// Begins on a new connection with our hello.
    pub(super) fn connect(&mut self, channel: Channel, proof: Vec<u8>) -> Step<()> {
        let check = channel.hello_check(&self.code, self.part);
        self.link = Some(Link {
            channel,
            proof,
            peer_parts: 0,
            parts: Parts::default(),
            runs: 0,
            own_data: Vec::new(),
            peer_data: Vec::new(),
            sealer: None,
        });
        self.enter(InvitationState::Connected);
        self.start_step(1);
        self.send(Body::Hello(Hello {
            version: wire::VERSION,
            kind: self.code.kind.number().into(),
            check: check.to_vec(),
            parts: limits::INVITATION_PARTS,
        }))
        .map(drop)
    }

    /// Drops the connection; the invitation goes on looking for the other side.
    pub(super) fn disconnect(&mut self) {
        self.link = None;
        self.stop_step();
        self.enter(InvitationState::Connecting);
    }

    pub(super) fn link(&mut self) -> Step<&mut Link> {
        self.link
            .as_mut()
            .ok_or_else(|| Error::internal("an invitation step ran without a connection").into())
    }

    /// Opens a message; nothing unless it is whole, or the last part of one. One that ends the
    /// invitation ends it here.
    pub(super) fn open(&mut self, message: &[u8]) -> Step<Option<Body>> {
        let Some((kind, bytes)) = message.split_first() else {
            return Err(Stop::protocol("an invitation message is empty"));
        };
        let sealer = self.link()?.sealer.as_mut();
        let body = match (*kind, sealer) {
            (wire::SEALED, Some(sealer)) if message.len() <= limits::MESSAGE_BYTES => {
                Body::from_bytes(&sealer.open(bytes)?)?
            }
            (wire::CLEAR, None) if bytes.len() <= wire::CLEAR_BYTES => Body::from_bytes(bytes)?,
            // A guest cannot know yet that its code was right when it gives up waiting; the
            // session vouches that it was the guest who said so.
            (wire::CLEAR, Some(_)) if bytes.len() <= wire::CLEAR_BYTES => {
                match Body::from_bytes(bytes)? {
                    Body::Refused(reason) => Body::Refused(reason),
                    _ => return Err(Stop::protocol("an invitation message is not sealed")),
                }
            }
            _ => return Err(Stop::protocol("an invitation message is malformed")),
        };
        let reason = match body {
            Body::Refused(reason) => reason,
            Body::Part(part) if *kind == wire::SEALED => return self.take_part(&part),
            body => return Ok(Some(body)),
        };
        let refusal = Refusal::from_number(reason);
        Err(Stop {
            state: refusal.state(),
            error: refusal.error(),
            tell: None,
        })
    }

    /// Checks the other side's hello.
    pub(super) fn check_hello(&mut self, hello: &Hello) -> Step<()> {
        if hello.version != wire::VERSION {
            return Err(Stop::new(Refusal::Version, Refusal::Version.error()));
        }
        self.link()?.peer_parts = hello.parts;
        let sender = match self.part {
            Part::Host => Part::Guest,
            Part::Guest => Part::Host,
        };
        let channel = self.link()?.channel;
        if hello.kind != u32::from(self.code.kind.number())
            || !channel.verify_hello(&self.code, sender, &hello.check)
        {
            return Err(Stop::protocol(
                "the other side does not have this invitation, or somebody sits in between",
            ));
        }
        Ok(())
    }

    /// Whether a hello is that of somebody who plays the same part: another guest of the same
    /// invitation, whom chance or a careless server brought here. That is no attack, and ends
    /// nothing but the connection.
    pub(super) fn is_own_kind(&mut self, hello: &Hello) -> Step<bool> {
        let channel = self.link()?.channel;
        Ok(channel.verify_hello(&self.code, self.part, &hello.check))
    }

    /// Hangs up on somebody who cannot help; the invitation goes on.
    pub(super) fn hang_up(&mut self) {
        self.effect(Effect::Close);
        self.disconnect();
    }

    /// Shows the fingerprint of the password exchange on this connection; `guest` and `host` are
    /// the two shares.
    pub(super) fn show_words(&mut self, guest: &[u8], host: &[u8]) -> Step<()> {
        let code = self.code.clone();
        let part = self.part;
        let link = self.link()?;
        let (guest_data, host_data) = match part {
            Part::Guest => (&link.own_data, &link.peer_data),
            Part::Host => (&link.peer_data, &link.own_data),
        };
        let words = words::fingerprint(&[
            &link.channel.identifier(&code),
            &link.channel.run_identifier(link.runs),
            guest_data,
            host_data,
            guest,
            host,
        ]);
        self.effect(Effect::Words(words));
        Ok(())
    }

    /// What a delegated invitation's seed signs for the guest on this connection.
    pub(super) fn token_bytes(&mut self, key: &[u8; 32]) -> Step<Vec<u8>> {
        let code = self.code.clone();
        let part = self.part;
        let link = self.link()?;
        let guest = match part {
            Part::Guest => &link.own_data,
            Part::Host => &link.peer_data,
        };
        Ok(link.channel.token_bytes(&code, key, guest))
    }

    /// Seals everything from here on, without an authorization code.
    pub(super) fn seal_as_bearer(&mut self) -> Step<()> {
        let channel = self.link()?.channel;
        let secret = channel.bearer_secret(&self.code);
        let sealer = Sealer::new(&secret, self.part);
        self.link()?.sealer = Some(sealer);
        Ok(())
    }

    /// Sends who we are.
    pub(super) fn introduce(&mut self) -> Step<()> {
        let proof = self.link()?.proof.clone();
        let bytes = self.pack(
            Body::Introduction(Introduction {
                proof,
                display_name: self.display_name.clone(),
            })
            .into_bytes(),
        )?;
        let data = associated_data(&self.identity, &self.device, &bytes);
        self.link()?.own_data = data;
        self.effect(Effect::Send(bytes));
        Ok(())
    }

    /// Takes who the other side says it is; `message` is the whole message as received.
    pub(super) fn introduced(&mut self, introduction: Introduction, message: &[u8]) -> Step<Peer> {
        if !is_display_name(&introduction.display_name) {
            return Err(Stop::protocol("the other side's display name is malformed"));
        }
        let channel = self.link()?.channel;
        let proven =
            (self.verify)(&channel, &introduction.proof).map_err(|e| Stop::protocol(e.detail()))?;
        let data = associated_data(&proven.identity, &proven.device, message);
        self.link()?.peer_data = data;
        let peer = Peer {
            identity: proven.identity,
            device: proven.device,
            certificate: proven.certificate,
            display_name: introduction.display_name,
            parts: self.link()?.peer_parts,
        };
        self.effect(Effect::Introduced(peer.clone()));
        Ok(peer)
    }

    /// Seals everything from here on.
    pub(super) fn seal_with(&mut self, keys: &Keys) -> Step<()> {
        let sealer = Sealer::new(keys.isk(), self.part);
        self.link()?.sealer = Some(sealer);
        Ok(())
    }

    /// Ends the invitation.
    pub(super) fn stop(&mut self, stop: Stop) {
        if let (Some(refusal), true) = (stop.tell, self.link.is_some())
            && let Ok(bytes) = self.pack(Body::Refused(refusal as u32).into_bytes())
        {
            self.effect(Effect::Send(bytes));
        }
        self.error = Some(stop.error.clone());
        self.effect(Effect::Failed(stop.error));
        self.finish(stop.state);
    }

    /// Enters a final state and hangs up.
    pub(super) fn finish(&mut self, state: InvitationState) {
        self.enter(state);
        self.stop_step();
        if self.link.take().is_some() {
            self.effect(Effect::Close);
        }
    }
}

/// The user's own end.
pub(super) fn cancelled() -> Stop {
    let error = Error::new(ErrorKind::Cancelled, "the invitation was cancelled");
    Stop::new(Refusal::Cancelled, error)
}

/// An end that the caller has decided on; what becomes of the invitation shows in the state.
pub(super) fn withdrawn(error: Error) -> Stop {
    Stop::new(Refusal::of(&error), error)
}

/// Fresh randomness for one password exchange.
pub(super) fn draw_secret(random: Random<'_>) -> Zeroizing<[u8; 64]> {
    let mut secret = Zeroizing::new([0; 64]);
    random(secret.as_mut_slice());
    secret
}

/// Refuses shares of a wrong length before they reach the curve.
pub(super) fn check_share(share: &[u8]) -> Step<()> {
    match share.len() {
        SHARE_BYTES => Ok(()),
        _ => Err(Stop::protocol("a password exchange share is malformed")),
    }
}

/// What both sides must see alike of one of them: its keys, and its introduction byte for byte.
fn associated_data(identity: &IdentityKey, device: &DeviceKey, message: &[u8]) -> Vec<u8> {
    let mut data = identity.as_bytes().to_vec();
    data.extend_from_slice(device.as_bytes());
    data.extend_from_slice(digest::digest(&digest::SHA256, message).as_ref());
    data
}

fn is_display_name(name: &str) -> bool {
    name.chars().count() <= limits::NAME_CHARS && !name.chars().any(char::is_control)
}
