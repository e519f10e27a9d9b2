//! The inviting side.
//!
//! Phases, one connection: greeting → introduction → a code is shown → shares are exchanged → the
//! guest's tag arrives → the attempt is stored → only then the tag is checked → admission → join →
//! completion. A wrong tag leads back to a fresh code while one is left. A connection that breaks
//! before a tag arrived has cost nothing.

use super::auth_code::AuthCode;
use super::channel::{Channel, Part};
use super::code::InvitationKind;
use super::cpace::{Inputs, Keys, Run, Side};
use super::machine::{
    Core, Effect, Event, Peer, Random, Setup, Step, Stop, cancelled, check_share, draw_secret,
    withdrawn,
};
use super::mode::Mode;
use super::refusal::{Refusal, used_up};
use super::state::InvitationState;
use super::wire::{Body, Hello, Introduction};
use crate::feed::verify_signature;
use crate::model::{Error, Result, limits};

enum Phase {
    Idle,
    Greeting,
    Introducing,
    /// Delegated: the guest is to show that it has the seed.
    Token,
    Ready {
        code: AuthCode,
    },
    Confirming {
        keys: Keys,
    },
    Persisting {
        keys: Keys,
        tag: Vec<u8>,
        attempt: u32,
    },
    Admitting,
    Joining,
    Completing,
    Finishing,
}

/// One invitation on the host's side, with at most one guest at a time. For several guests at once
/// the caller runs several, which share the count on disk.
pub struct Host {
    core: Core,
    phase: Phase,
    guest: Option<Peer>,
    used: u32,
    checked: u32,
}

impl Host {
    /// For a new invitation.
    #[cfg(test)]
    pub fn new(setup: Setup) -> Result<Host> {
        Host::resume(setup, 0)
    }

    /// For an invitation of which `used_codes` are used up, as the store has it.
    pub fn resume(setup: Setup, used_codes: u32) -> Result<Host> {
        Host::of_kind(setup, used_codes, InvitationKind::Space)
    }

    /// For an invitation of a new device, shown by a device of the identity.
    pub fn resume_for_device(setup: Setup, used_codes: u32) -> Result<Host> {
        Host::of_kind(setup, used_codes, InvitationKind::Device)
    }

    fn of_kind(setup: Setup, used_codes: u32, kind: InvitationKind) -> Result<Host> {
        setup.code.expect_kind(kind)?;
        if used_codes >= limits::CODES_PER_INVITATION {
            return Err(used_up());
        }
        Ok(Host {
            core: Core::new(setup, Part::Host)?,
            phase: Phase::Idle,
            guest: None,
            used: used_codes,
            checked: 0,
        })
    }

    /// Where the invitation stands.
    pub fn state(&self) -> InvitationState {
        self.core.state()
    }

    /// Why it ended, unless in success.
    #[cfg(test)]
    pub fn error(&self) -> Option<&Error> {
        self.core.error()
    }

    /// Codes used up, as far as this machine knows.
    #[cfg(test)]
    pub fn used_codes(&self) -> u32 {
        self.used
    }

    /// How many confirmation tags were ever checked: never more than codes were used up.
    #[cfg(test)]
    pub fn checked_tags(&self) -> u32 {
        self.checked
    }

    /// Begins: looking for a guest.
    pub fn start(&mut self) -> Vec<Effect> {
        if self.core.state() == InvitationState::Init {
            self.core.enter(InvitationState::Connecting);
        }
        self.core.take_effects()
    }

    /// Takes an event. `random` yields fresh randomness.
    pub fn handle(&mut self, event: Event, random: Random<'_>) -> Vec<Effect> {
        // Also known to be used up when nobody waits for the answer any more. The store's word, up
        // or down: after a guest was let in it counts anew.
        if let Event::CounterPersisted { used, .. } = event {
            self.used = used;
        }
        if !self.core.state().is_final()
            && let Err(stop) = self.step(event, random)
        {
            self.end(stop);
        }
        self.core.take_effects()
    }

    fn step(&mut self, event: Event, random: Random<'_>) -> Step<()> {
        match event {
            Event::Connected { channel, proof } => self.connected(channel, proof),
            Event::Disconnected => self.disconnected(),
            Event::Message(bytes) => self.message(&bytes, random),
            Event::Tick(now_ms) => self.core.tick(now_ms),
            Event::Cancel => Err(cancelled()),
            Event::Withdrawn(error) => Err(withdrawn(error)),
            Event::CounterPersisted { attempt, .. } => self.counted(attempt, random),
            Event::CounterFailed(error) => match self.phase {
                Phase::Persisting { .. } => Err(Stop::new(Refusal::Failed, error)),
                _ => Ok(()),
            },
            Event::Admitted(bytes) => match self.phase {
                Phase::Admitting => self.advance(Body::Admission(bytes), Phase::Joining),
                _ => Ok(()),
            },
            Event::AdmitRefused(error) => match self.phase {
                Phase::Admitting | Phase::Completing => Err(error.into()),
                _ => Ok(()),
            },
            Event::Completed(bytes) => match self.phase {
                Phase::Completing => self.advance(Body::Completed(bytes), Phase::Finishing),
                _ => Ok(()),
            },
            Event::AuthCodeEntered(_) | Event::JoinEntry(_) | Event::JoinFailed(_) => Ok(()),
        }
    }

    /// Ends the invitation. Once the last bytes are on their way the guest is a member, whatever
    /// happens to the connection.
    fn end(&mut self, stop: Stop) {
        match self.phase {
            Phase::Finishing => self.core.finish(InvitationState::Success),
            _ => self.core.stop(stop),
        }
        self.phase = Phase::Idle;
        self.guest = None;
    }

    fn connected(&mut self, channel: Channel, proof: Vec<u8>) -> Step<()> {
        if !matches!(self.phase, Phase::Idle) {
            self.disconnected()?;
            if self.core.state().is_final() {
                return Ok(());
            }
        }
        if self.used >= limits::CODES_PER_INVITATION {
            return Err(Stop::new(Refusal::CodesUsedUp, used_up()));
        }
        self.phase = Phase::Greeting;
        self.core.connect(channel, proof)
    }

    fn disconnected(&mut self) -> Step<()> {
        if matches!(self.phase, Phase::Finishing) {
            self.core.finish(InvitationState::Success);
            self.phase = Phase::Idle;
            return Ok(());
        }
        self.phase = Phase::Idle;
        self.guest = None;
        self.core.disconnect();
        match self.used >= limits::CODES_PER_INVITATION {
            true => Err(Stop::new(Refusal::CodesUsedUp, used_up())),
            false => Ok(()),
        }
    }

    fn message(&mut self, message: &[u8], random: Random<'_>) -> Step<()> {
        // A message that was under way when the connection broke.
        if self.core.link.is_none() {
            return Ok(());
        }
        let Some(body) = self.core.open(message)? else {
            return Ok(());
        };
        // Whatever goes wrong from here on, the phase is not returned to.
        match (std::mem::replace(&mut self.phase, Phase::Idle), body) {
            (Phase::Greeting, Body::Hello(hello)) => self.hello(&hello),
            (Phase::Introducing, Body::Introduction(i)) => self.introduced(i, message, random),
            (Phase::Token, Body::Token(signature)) => self.token(&signature),
            (Phase::Ready { code }, Body::GuestShare(share)) => self.share(&code, &share, random),
            (Phase::Confirming { keys }, Body::GuestConfirmation(tag)) => {
                self.persist(keys, tag);
                Ok(())
            }
            (Phase::Joining, Body::JoinEntry(bytes)) => {
                self.core.effect(Effect::JoinReceived(bytes));
                self.core.start_step(1);
                self.phase = Phase::Completing;
                Ok(())
            }
            (Phase::Finishing, Body::Finished(true)) => {
                self.core.effect(Effect::Confirmed);
                self.core.finish(InvitationState::Success);
                Ok(())
            }
            (phase, _) => {
                self.phase = phase;
                Err(Stop::protocol("an invitation message came out of turn"))
            }
        }
    }

    fn hello(&mut self, hello: &Hello) -> Step<()> {
        if self.core.is_own_kind(hello)? {
            self.core.hang_up();
            return Ok(());
        }
        self.core.check_hello(hello)?;
        self.core.start_step(1);
        self.phase = Phase::Introducing;
        Ok(())
    }

    fn introduced(
        &mut self,
        introduction: Introduction,
        message: &[u8],
        random: Random<'_>,
    ) -> Step<()> {
        self.guest = Some(self.core.introduced(introduction, message)?);
        self.core.introduce()?;
        match self.core.code.mode {
            Mode::Interactive | Mode::MultiUse => self.show_code(random),
            Mode::Delegated(_) => {
                self.core.enter(InvitationState::Authenticating);
                self.core.start_step(1);
                self.phase = Phase::Token;
            }
        }
        Ok(())
    }

    fn token(&mut self, signature: &[u8]) -> Step<()> {
        let bearer = self.core.code.mode.bearer().cloned();
        let bearer = bearer.ok_or_else(|| Error::internal("the invitation is not delegated"))?;
        let signed = self.core.token_bytes(bearer.key())?;
        verify_signature(bearer.key(), &signed, signature)
            .map_err(|_| Stop::protocol("the guest does not have the invitation's seed"))?;
        self.core.seal_as_bearer()?;
        self.admit()
    }

    fn show_code(&mut self, random: Random<'_>) {
        let code = AuthCode::draw(random);
        self.core.stop_step();
        self.core.enter(InvitationState::ReadyForAuthentication);
        self.core.effect(Effect::ShowCode {
            code: code.clone(),
            left: limits::CODES_PER_INVITATION.saturating_sub(self.used),
        });
        self.phase = Phase::Ready { code };
    }

    fn share(&mut self, code: &AuthCode, share: &[u8], random: Random<'_>) -> Step<()> {
        check_share(share)?;
        self.core.enter(InvitationState::Authenticating);
        self.core.start_step(1);
        let identifier = self.link_identifier()?;
        let link = self.core.link()?;
        link.runs = link.runs.saturating_add(1);
        let inputs = Inputs {
            password: code.as_str().as_bytes(),
            channel: &identifier,
            session_id: &link.channel.run_identifier(link.runs),
        };
        let data = link.own_data.clone();
        let run = Run::start(Side::Responder, inputs, data, &draw_secret(random))?;
        let own = run.share().to_vec();
        let keys = run.finish(share, &link.peer_data)?;
        self.core.show_words(share, &own)?;
        self.phase = Phase::Confirming { keys };
        self.core.send(Body::HostShare(own)).map(drop)
    }

    fn link_identifier(&mut self) -> Step<Vec<u8>> {
        let channel = self.core.link()?.channel;
        Ok(channel.identifier(&self.core.code))
    }

    /// The guess is in our hands: the code is burnt before we look at it.
    fn persist(&mut self, keys: Keys, tag: Vec<u8>) {
        self.used = self.used.saturating_add(1);
        let attempt = self.used;
        self.core.effect(Effect::PersistAttempt { attempt });
        self.core.start_step(1);
        self.phase = Phase::Persisting { keys, tag, attempt };
    }

    fn counted(&mut self, attempt: u32, random: Random<'_>) -> Step<()> {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Persisting {
                keys,
                tag,
                attempt: waiting,
            } if waiting == attempt => self.verify(&keys, &tag, random),
            phase => {
                self.phase = phase;
                Ok(())
            }
        }
    }

    fn verify(&mut self, keys: &Keys, tag: &[u8], random: Random<'_>) -> Step<()> {
        // Other connections may have used up the last code between our share and this tag.
        if self.used > limits::CODES_PER_INVITATION {
            return Err(Stop::new(Refusal::CodesUsedUp, used_up()));
        }
        self.checked = self.checked.saturating_add(1);
        if keys.verify(tag) {
            return self.authenticated(keys);
        }
        let left = limits::CODES_PER_INVITATION.saturating_sub(self.used);
        self.core.effect(Effect::WrongCode { left });
        if left == 0 {
            return Err(Stop::new(Refusal::CodesUsedUp, used_up()));
        }
        self.core.send(Body::WrongCode(left))?;
        self.show_code(random);
        Ok(())
    }

    fn authenticated(&mut self, keys: &Keys) -> Step<()> {
        self.core
            .send(Body::HostConfirmation(keys.own_tag().to_vec()))?;
        self.core.seal_with(keys)?;
        self.admit()
    }

    fn admit(&mut self) -> Step<()> {
        let guest = self
            .guest
            .clone()
            .ok_or_else(|| Error::internal("a guest is admitted that was not introduced"))?;
        self.core.start_step(1);
        self.core.effect(Effect::RequestAdmission(guest));
        self.phase = Phase::Admitting;
        Ok(())
    }

    fn advance(&mut self, body: Body, next: Phase) -> Step<()> {
        let messages = self.core.send(body)?;
        self.core.start_step(messages);
        self.phase = next;
        Ok(())
    }
}
