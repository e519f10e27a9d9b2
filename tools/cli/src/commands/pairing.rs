//! `invite`, `join` and `invitations`.

use super::{Context, identity};
use crate::args::InviteArgs;
use crate::control::{Control, Note, Notifier};
use crate::event::{Code, Event, Paired, Pairing};
use crate::failure::{Failure, Result};
use echodb::model::ErrorKind;
use echodb::{
    EchoError, Invitation, InvitationListener, InvitationState, InvitationUpdate, InviteOptions,
    JoinOptions, Space,
};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A week: longer waits are cut to it.
const MAX_SYNC_WAIT_S: u64 = 604_800;
/// How often to look whether the new member has caught up.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long telling the other side of a cancellation may take.
const GOODBYE: Duration = Duration::from_secs(2);

struct Listener(Notifier);

impl InvitationListener for Listener {
    fn updated(&self, update: InvitationUpdate) -> std::result::Result<(), EchoError> {
        self.0.send(Note::Invitation(update));
        Ok(())
    }
}

/// What the guest's side was given.
pub(super) struct Guest {
    /// To enter when it is asked for.
    pub(super) auth_code: Option<String>,
    /// How long to look for the host, in seconds.
    pub(super) timeout: u64,
}

pub(super) fn invite(context: &mut Context, control: &Control, args: InviteArgs) -> Result<()> {
    let space = context.space(&args.space)?;
    warn_if_unreachable(context)?;
    let several = args.multi_use.is_some_and(|guests| guests > 1);
    let invitation = space.invite(InviteOptions {
        expires_s: args.expires,
        max_uses: args.multi_use.unwrap_or(1),
        delegated: args.delegated,
        role: args.role,
        history: !args.no_history,
        ..InviteOptions::default()
    })?;
    let code = Event::Code(Code {
        space: space.id(),
        id: invitation.id(),
        code: invitation.code(),
        url: invitation.url(),
        delegated: args.delegated,
    });
    context
        .output
        .emit(code)
        .inspect_err(|_| invitation.cancel())?;
    if args.delegated {
        // Others can let the guest in once they know of it; so they are told before this ends.
        return tell_members(context, control, &space, args.sync_wait);
    }
    let end = match several {
        true => End::StaysOpen,
        false => End::Cancel,
    };
    follow(context, control, &invitation, None, end)?;
    finish(context, control, &space, true, args.sync_wait)
}

/// Waits until some member has heard of what was done here, if one is online.
fn tell_members(
    context: &mut Context,
    control: &Control,
    space: &Space,
    sync_wait: u64,
) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(sync_wait.min(MAX_SYNC_WAIT_S));
    while !space.status()?.peers.iter().any(|peer| peer.in_sync) {
        if Instant::now() >= end || !control.pause(LOOK_EVERY) {
            return context.output.emit(Event::Warning(
                "no other member is online: until one has heard of the invitation, only `echodb \
                 serve` on this profile lets the guest in"
                    .to_owned(),
            ));
        }
    }
    Ok(())
}

pub(super) fn list(context: &mut Context) -> Result<()> {
    for info in context.client.invitations()? {
        context.output.emit(Event::Invitation(info.into()))?;
    }
    Ok(())
}

pub(super) fn cancel(context: &mut Context, id: String) -> Result<()> {
    Ok(context.client.cancel_invitation(id)?)
}

/// What becomes of an invitation when its command ends early.
pub(super) enum End {
    /// It is cancelled, so that no code stays open behind a user who believes it closed.
    Cancel,
    /// It is for several guests, and goes on whenever this profile is online.
    StaysOpen,
}

pub(super) fn join(
    context: &mut Context,
    control: &Control,
    code: String,
    guest: Guest,
    sync_wait: u64,
) -> Result<()> {
    if context.client.identity().is_none() {
        return Err(identity::no_identity());
    }
    let timeout_s = guest.timeout;
    let options = JoinOptions {
        timeout_s,
        ..JoinOptions::default()
    };
    let invitation = context.client.join(code, options)?;
    let id = follow(context, control, &invitation, Some(guest), End::Cancel)?;
    let space = context.client.space(id)?;
    finish(context, control, &space, false, sync_wait)
}

/// Without any signalling server, nobody can reach this client; the invitation would just wait.
pub(super) fn warn_if_unreachable(context: &mut Context) -> Result<()> {
    if context.client.status().signaling.is_empty() {
        context.output.emit(Event::Warning(
            "no signalling server is set (--signal or $ECHODB_SIGNAL): the guest cannot be reached"
                .to_owned(),
        ))?;
    }
    Ok(())
}

/// Reports every update until the end; returns the space's id.
pub(super) fn follow(
    context: &mut Context,
    control: &Control,
    invitation: &Invitation,
    guest: Option<Guest>,
    end: End,
) -> Result<String> {
    let listener = Arc::new(Listener(control.notifier()));
    let subscription = invitation.subscribe(listener);
    let followed = follow_updates(context, control, invitation, guest);
    let open = !invitation.update().state.is_final();
    if followed.is_err() && open && matches!(end, End::StaysOpen) {
        context.output.emit(Event::Warning(format!(
            "the invitation stays open; `echodb invitations cancel {}` ends it",
            invitation.id()
        )))?;
    } else if followed.is_err() {
        invitation.cancel();
        // The process may be about to end: let the other side be told first.
        let _ = invitation.wait(Some(GOODBYE));
    }
    // Updates are few, so the queue has room and the listener does not keep this waiting.
    subscription.cancel();
    followed
}

fn follow_updates(
    context: &mut Context,
    control: &Control,
    invitation: &Invitation,
    guest: Option<Guest>,
) -> Result<String> {
    let mut entry = guest.map(|guest| CodeEntry {
        given: guest.auth_code,
        asked: 0,
    });
    let mut last: Option<Pairing> = None;
    let mut shown = Shown::default();
    loop {
        match control.wait() {
            None => return Err(Failure::cancelled()),
            Some(Note::Invitation(update)) => {
                let now = Pairing::new(&update, entry.is_none());
                let moved = last.as_ref().is_none_or(|last| {
                    last.state != now.state || last.attempts_left != now.attempts_left
                });
                last = Some(now.clone());
                if entry.is_none() && update.guests.len() > 1 {
                    for pairing in shown.changed(&update) {
                        context.output.emit(Event::Pairing(pairing))?;
                    }
                } else {
                    shown.note(&update);
                    context.output.emit(Event::Pairing(now))?;
                }
                if update.state.is_final() {
                    return Ok(invitation.wait(Some(Duration::from_secs(1)))?);
                }
                if let Some(entry) = &mut entry
                    && moved
                    && update.state == InvitationState::ReadyForAuthentication
                {
                    entry.needed(context, invitation)?;
                }
            }
            Some(Note::Answer(answer)) => {
                if let Some(entry) = &mut entry {
                    entry.answered(context, invitation, answer)?;
                }
            }
            Some(_) => {}
        }
    }
}

/// What was shown of each of several guests.
#[derive(Default)]
struct Shown(HashMap<u32, (InvitationState, Option<String>)>);

impl Shown {
    /// Takes note of an update; the guests of whom it says something new.
    fn note(&mut self, update: &InvitationUpdate) -> Vec<usize> {
        let mut changed = Vec::new();
        for (place, guest) in update.guests.iter().enumerate() {
            let now = (guest.state, guest.auth_code.clone());
            if self.0.get(&guest.number) != Some(&now) {
                self.0.insert(guest.number, now);
                changed.push(place);
            }
        }
        let here = |number: &u32| update.guests.iter().any(|guest| guest.number == *number);
        self.0.retain(|number, _| here(number));
        changed
    }

    fn changed(&mut self, update: &InvitationUpdate) -> Vec<Pairing> {
        let places = self.note(update).into_iter();
        places
            .filter_map(|place| update.guests.get(place))
            .map(|guest| Pairing::of_guest(update, guest))
            .collect()
    }
}

/// The guest's side of the authorization code.
struct CodeEntry {
    given: Option<String>,
    asked: u32,
}

impl CodeEntry {
    /// The host waits for a code.
    fn needed(&mut self, context: &mut Context, invitation: &Invitation) -> Result<()> {
        self.asked += 1;
        match &self.given {
            Some(code) if self.asked == 1 => Ok(invitation.authenticate(code.clone())?),
            // The host shows a new code now, which only its user knows.
            Some(_) => Err(Failure::new(
                ErrorKind::InvitationRefused,
                "the authorization code was wrong; this invitation is over, ask for another",
            )),
            None => context.output.ask(self.asked > 1),
        }
    }

    /// The user entered a line.
    fn answered(
        &mut self,
        context: &mut Context,
        invitation: &Invitation,
        answer: Option<String>,
    ) -> Result<()> {
        let Some(answer) = answer else {
            return Err(Failure::usage(
                "the authorization code is needed, and standard input has ended; use --auth-code",
            ));
        };
        match invitation.authenticate(answer) {
            // Not six digits: nothing was used up.
            Err(error) if error.kind() == ErrorKind::InvalidArgument => {
                context
                    .output
                    .emit(Event::Warning(error.detail().to_owned()))?;
                context.output.ask(true)
            }
            // Entered after the moment for it; the next update says what to do.
            Err(error) if error.kind() == ErrorKind::InvalidState => Ok(()),
            other => Ok(other?),
        }
    }
}

/// Stays until the other side has what we have and we have what it has: when a process ends right
/// after pairing, its user expects the objects to be there.
fn finish(
    context: &mut Context,
    control: &Control,
    space: &Space,
    host: bool,
    sync_wait: u64,
) -> Result<()> {
    let end = Instant::now() + Duration::from_secs(sync_wait.min(MAX_SYNC_WAIT_S));
    let mut met = false;
    let in_sync = loop {
        let peers = space.status()?.peers;
        if peers.iter().any(|peer| peer.in_sync) {
            break true;
        }
        // The other side came and went: there is nobody to wait for.
        if met && peers.is_empty() {
            break false;
        }
        met |= !peers.is_empty();
        if Instant::now() >= end || !control.pause(LOOK_EVERY) {
            break false;
        }
    };
    context.output.emit(Event::Paired(Paired {
        space: space.id(),
        in_sync,
        host,
    }))
}
