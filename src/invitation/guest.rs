//! The invited side: the join entry point.
//!
//! Phases, one connection: greeting → introduction, in which the host must be the device that the
//! code names → the user enters the code → shares are exchanged → our tag is sent, which is our
//! one guess → the host's tag shows that it knew the code too → admission → join → completion.
//! A connection that breaks leads back to looking for the host.

use super::auth_code::AuthCode;
use super::channel::{Channel, Part};
use super::code::{InvitationKind, host_fingerprint};
use super::cpace::{Inputs, Keys, Run, Side};
use super::machine::{
    Core, Effect, Event, Random, Setup, Step, Stop, cancelled, check_share, draw_secret, withdrawn,
};
use super::mode::Mode;
use super::refusal::{Refusal, used_up};
use super::state::InvitationState;
use super::wire::{Body, Hello, Introduction};
use crate::feed::DeviceSigner;
use crate::model::{Error, Result, limits};

enum Phase {
    Idle,
    Greeting,
    Introducing,
    Ready,
    Sharing { run: Run },
    Confirming { keys: Keys },
    Admitting,
    Joining,
    Completing,
}

/// One invitation on the guest's side.
pub struct Guest {
    core: Core,
    phase: Phase,
    guesses: u32,
}

impl Guest {
    /// For a code that was given to the user. A device code is refused: it would link this device
    /// to somebody else's identity instead of joining a space.
    #[cfg(test)]
    pub fn new(setup: Setup) -> Result<Guest> {
        Guest::resume(setup, 0)
    }

    /// As [`Guest::new`], after so many guesses were sent already, as the store has it.
    pub fn resume(setup: Setup, guesses: u32) -> Result<Guest> {
        Guest::of_kind(setup, InvitationKind::Space, guesses)
    }

    /// For a device code that was entered on a new device, which has no identity, after so many
    /// guesses were sent already, as the store has it.
    pub fn resume_for_device(setup: Setup, guesses: u32) -> Result<Guest> {
        Guest::of_kind(setup, InvitationKind::Device, guesses)
    }

    fn of_kind(setup: Setup, kind: InvitationKind, guesses: u32) -> Result<Guest> {
        setup.code.expect_kind(kind)?;
        Ok(Guest {
            core: Core::new(setup, Part::Guest)?,
            phase: Phase::Idle,
            guesses,
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

    /// Begins: looking for the host.
    pub fn start(&mut self) -> Vec<Effect> {
        if self.core.state() == InvitationState::Init {
            self.core.enter(InvitationState::Connecting);
        }
        self.core.take_effects()
    }

    /// Takes an event. `random` yields fresh randomness.
    pub fn handle(&mut self, event: Event, random: Random<'_>) -> Vec<Effect> {
        if !self.core.state().is_final()
            && let Err(stop) = self.step(event, random)
        {
            self.core.stop(stop);
            self.phase = Phase::Idle;
        }
        self.core.take_effects()
    }

    fn step(&mut self, event: Event, random: Random<'_>) -> Step<()> {
        match event {
            Event::Connected { channel, proof } => self.connected(channel, proof),
            Event::Disconnected => {
                self.phase = Phase::Idle;
                self.core.disconnect();
                Ok(())
            }
            Event::Message(bytes) => self.message(&bytes),
            Event::Tick(now_ms) => self.core.tick(now_ms),
            Event::Cancel => Err(cancelled()),
            Event::Withdrawn(error) => Err(withdrawn(error)),
            Event::AuthCodeEntered(input) => match self.phase {
                Phase::Ready => self.entered(&input, random),
                _ => Ok(()),
            },
            Event::JoinEntry(bytes) => match self.phase {
                Phase::Joining => {
                    self.core.send(Body::JoinEntry(bytes))?;
                    self.core.start_step(1);
                    self.phase = Phase::Completing;
                    Ok(())
                }
                _ => Ok(()),
            },
            Event::JoinFailed(error) => match self.phase {
                Phase::Joining => Err(Stop::new(Refusal::Failed, error)),
                _ => Ok(()),
            },
            Event::CounterFailed(error) => match self.phase {
                Phase::Confirming { .. } => Err(Stop::new(Refusal::Failed, error)),
                _ => Ok(()),
            },
            Event::CounterPersisted { .. }
            | Event::Admitted(_)
            | Event::AdmitRefused(_)
            | Event::Completed(_) => Ok(()),
        }
    }

    fn connected(&mut self, channel: Channel, proof: Vec<u8>) -> Step<()> {
        self.phase = Phase::Greeting;
        self.core.connect(channel, proof)
    }

    fn message(&mut self, message: &[u8]) -> Step<()> {
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
            (Phase::Introducing, Body::Introduction(i)) => self.introduced(i, message),
            (Phase::Sharing { run }, Body::HostShare(share)) => self.share(run, &share),
            (Phase::Confirming { keys }, Body::HostConfirmation(tag)) => {
                self.confirmed(&keys, &tag)
            }
            (Phase::Confirming { .. }, Body::WrongCode(left)) => self.wrong_code(left),
            (Phase::Admitting, Body::Admission(bytes)) => {
                self.core.effect(Effect::Admission(bytes));
                self.core.start_step(1);
                self.phase = Phase::Joining;
                Ok(())
            }
            (Phase::Completing, Body::Completed(bytes)) => {
                self.core.effect(Effect::Completed(bytes));
                self.core.send(Body::Finished(true))?;
                self.core.finish(InvitationState::Success);
                Ok(())
            }
            _ => Err(Stop::protocol("an invitation message came out of turn")),
        }
    }

    fn hello(&mut self, hello: &Hello) -> Step<()> {
        if self.core.is_own_kind(hello)? {
            self.core.hang_up();
            return Ok(());
        }
        self.core.check_hello(hello)?;
        self.core.introduce()?;
        self.core.start_step(1);
        self.phase = Phase::Introducing;
        Ok(())
    }

    fn introduced(&mut self, introduction: Introduction, message: &[u8]) -> Step<()> {
        let host = self.core.introduced(introduction, message)?;
        let named = self.core.code.host_fingerprint;
        if named != [0; 8] && named != host_fingerprint(&host.device) {
            return Err(Stop::protocol(
                "the other side is not the device that made the invitation",
            ));
        }
        match self.core.code.mode {
            Mode::Interactive | Mode::MultiUse => self.ready(),
            Mode::Delegated(_) => self.present_token()?,
        }
        Ok(())
    }

    /// A delegated invitation asks for nothing but what its code holds.
    fn present_token(&mut self) -> Step<()> {
        let bearer = self.core.code.mode.bearer().cloned();
        let bearer = bearer.ok_or_else(|| Error::internal("the invitation is not delegated"))?;
        let signed = self.core.token_bytes(bearer.key())?;
        let signer = DeviceSigner::from_seed(*bearer.seed()?);
        self.core.enter(InvitationState::Authenticating);
        self.core.send(Body::Token(signer.sign(&signed).to_vec()))?;
        self.core.seal_as_bearer()?;
        self.core.start_step(1);
        self.phase = Phase::Admitting;
        Ok(())
    }

    fn ready(&mut self) {
        self.core.stop_step();
        self.core.enter(InvitationState::ReadyForAuthentication);
        self.phase = Phase::Ready;
    }

    fn entered(&mut self, input: &str, random: Random<'_>) -> Step<()> {
        let Some(entered) = AuthCode::parse(input) else {
            self.core.effect(Effect::MalformedCode);
            return Ok(());
        };
        // Whoever plays the host gets a guess at the code with each tag of ours: so many and no
        // more, however often the connection breaks.
        if self.guesses >= limits::CODES_PER_INVITATION {
            return Err(Stop::new(Refusal::CodesUsedUp, used_up()));
        }
        self.core.enter(InvitationState::Authenticating);
        self.core.start_step(1);
        let channel = self.core.link()?.channel;
        let identifier = channel.identifier(&self.core.code);
        let link = self.core.link()?;
        link.runs = link.runs.saturating_add(1);
        let inputs = Inputs {
            password: entered.as_str().as_bytes(),
            channel: &identifier,
            session_id: &channel.run_identifier(link.runs),
        };
        let data = link.own_data.clone();
        let run = Run::start(Side::Initiator, inputs, data, &draw_secret(random))?;
        let share = run.share().to_vec();
        self.phase = Phase::Sharing { run };
        self.core.send(Body::GuestShare(share)).map(drop)
    }

    fn share(&mut self, run: Run, share: &[u8]) -> Step<()> {
        check_share(share)?;
        let own = run.share().to_vec();
        let keys = run.finish(share, &self.core.link()?.peer_data)?;
        self.core.show_words(&own, share)?;
        let tag = keys.own_tag().to_vec();
        self.guesses = self.guesses.saturating_add(1);
        self.core.effect(Effect::PersistGuess);
        self.core.start_step(1);
        self.phase = Phase::Confirming { keys };
        self.core.send(Body::GuestConfirmation(tag)).map(drop)
    }

    fn confirmed(&mut self, keys: &Keys, tag: &[u8]) -> Step<()> {
        if !keys.verify(tag) {
            return Err(Stop::protocol(
                "the other side does not know the authorization code, or somebody sits in between",
            ));
        }
        self.core.seal_with(keys)?;
        self.core.start_step(1);
        self.phase = Phase::Admitting;
        Ok(())
    }

    fn wrong_code(&mut self, left: u32) -> Step<()> {
        // The host's word, but never more than we would send ourselves.
        let own = limits::CODES_PER_INVITATION.saturating_sub(self.guesses);
        let left = left.min(own);
        self.core.effect(Effect::WrongCode { left });
        if left == 0 {
            return Err(Stop::new(Refusal::CodesUsedUp, used_up()));
        }
        self.ready();
        Ok(())
    }
}
