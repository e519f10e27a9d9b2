//! A host's door: takes the connections of an invitation's guests and serves up to three at a time,
//! each with a machine and an authorization code of its own, until the invitation is over.

use super::desk::{Desk, Standing};
use super::driver::{self, Driver, HANDSHAKES, Place, Prover, TICK};
use super::{Command, Label, PairingHandle};
use crate::api::{GuestUpdate, InvitationState as Shown, InvitationUpdate};
use crate::identity::Keyring;
use crate::invitation::state::InvitationState;
use crate::model::{Error, ErrorKind, limits};
use crate::runtime::executor;
use crate::runtime::secure_link::SecureLink;
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// The pause after a guest whose attempt broke off, for each such attempt in a row.
const PAUSE: Duration = Duration::from_millis(100);
/// The longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long guests at the door have to be told of the end.
const FAREWELL: Duration = Duration::from_secs(2);

/// What the guests at the door look like, by number.
type Table = Arc<Mutex<BTreeMap<u32, InvitationUpdate>>>;

/// How one guest's attempt ended.
type End = (u32, InvitationState, Option<Error>);

/// A guest at the door.
struct Seat {
    number: u32,
    handle: PairingHandle,
    /// Since when the guest's user has been asked for the code.
    asked: Option<Instant>,
}

pub(super) struct Reception {
    pub desk: Arc<dyn Desk>,
    pub handle: PairingHandle,
    pub keyring: Arc<Keyring>,
    pub place: Place,
    pub commands: mpsc::UnboundedReceiver<Command>,
}

/// What a running reception holds.
#[derive(Default)]
struct Door {
    table: Table,
    seats: Vec<Seat>,
    serving: FuturesUnordered<BoxFuture<'static, End>>,
    last_number: u32,
    /// Attempts that broke off, since one did not.
    failures: u32,
    not_before: Option<Instant>,
}

impl Reception {
    /// Runs to the end.
    pub async fn run(mut self) {
        let (links, mut taken) = mpsc::channel(4);
        self.place.enter(&links);
        let mut greeting = FuturesUnordered::new();
        let mut door = Door::default();
        self.handle.set(|update| update.state = Shown::Connecting);
        self.show_counts();
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let has_room = door.has_room();
            tokio::select! {
                Some((_, link)) = taken.recv(), if greeting.len() < HANDSHAKES => {
                    greeting.push(driver::establish(link));
                }
                Some(established) = greeting.next(), if has_room && !greeting.is_empty() => {
                    match established {
                        Ok(link) => self.seat(link, &mut door),
                        Err(error) => self.log(&error),
                    }
                }
                Some(end) = door.serving.next(), if !door.serving.is_empty() => {
                    if self.left(end, &mut door).await {
                        return;
                    }
                }
                command = self.commands.recv() => match command {
                    Some(Command::Cancel) | None => {
                        let error = Error::new(ErrorKind::Cancelled, "the invitation was cancelled");
                        return self.finish(InvitationState::Cancelled, Some(error), door).await;
                    }
                    Some(Command::Withdraw(error)) => {
                        return self.finish(InvitationState::Error, Some(error), door).await;
                    }
                    Some(Command::Suspend) => return self.suspend(door).await,
                    Some(Command::Offline) => {
                        greeting.clear();
                        door.send_all(|handle| handle.suspend_network());
                    }
                    Some(Command::Network(connector)) => {
                        self.place.connector = connector;
                        self.place.enter(&links);
                    }
                    Some(Command::AuthCode(_)) => {}
                },
                _ = tick.tick() => {
                    door.make_room(!greeting.is_empty());
                    match executor::blocking(|| self.desk.standing()) {
                        Standing::Open => {}
                        // Whoever is in the middle of it may finish.
                        Standing::Done if door.is_admitting() => {}
                        Standing::Done => {
                            return self.finish(InvitationState::Success, None, door).await;
                        }
                        Standing::Over(state, error) => {
                            return self.finish(state, Some(error), door).await;
                        }
                    }
                }
            }
        }
    }

    fn log(&self, error: &Error) {
        let log = &self.handle.shared.log;
        log.info("invitation", || {
            format!("a guest's connection failed: {error}")
        });
    }

    /// Gives a connected guest a machine of its own.
    fn seat(&self, link: SecureLink, door: &mut Door) {
        let machine = match executor::blocking(|| self.desk.machine()) {
            Ok(machine) => machine,
            Err(error) => return self.log(&error),
        };
        door.last_number += 1;
        let number = door.last_number;
        let (table, parent) = (Arc::clone(&door.table), self.handle.clone());
        let watcher = move |update: &InvitationUpdate| {
            let mut table = table.lock().unwrap_or_else(PoisonError::into_inner);
            let before = table.insert(number, update.clone());
            // All guests use up the same codes: whoever speaks last knows how many are left.
            let changed = before.is_none_or(|before| {
                (before.attempts_left, before.auth_code)
                    != (update.attempts_left, update.auth_code.clone())
            });
            let news = (changed && update.auth_code.is_some()).then_some(update.attempts_left);
            show(&parent, &table, news);
        };
        let label = Label {
            id: self.handle.id(),
            code: String::new(),
            url: String::new(),
            qr: String::new(),
            shown: false,
        };
        let log = self.handle.shared.log.clone();
        let (handle, commands) = PairingHandle::labelled(label, Some(Box::new(watcher)), log);
        let driver = Driver {
            machine,
            layer: self.desk.layer(),
            handle: handle.clone(),
            prover: Prover::Member(Arc::clone(&self.keyring)),
            place: self.place.clone(),
            commands,
        };
        door.seats.push(Seat {
            number,
            handle,
            asked: None,
        });
        door.serving.push(Box::pin(async move {
            // A task of its own, so that one guest's disk does not hold up another's clock.
            match tokio::spawn(driver.serve(link)).await {
                Ok((state, error)) => (number, state, error),
                Err(_) => {
                    let error = Error::internal("dealing with a guest failed");
                    (number, InvitationState::Error, Some(error))
                }
            }
        }));
    }

    /// A guest is gone; whether that was the end of the invitation.
    async fn left(&mut self, (number, state, error): End, door: &mut Door) -> bool {
        door.seats.retain(|seat| seat.number != number);
        let last = door.table().remove(&number);
        if state == InvitationState::Success
            && let Some(last) = last
        {
            // Whom the people may still want to compare words with.
            self.handle.set(|update| {
                update.peer_name = last.peer_name;
                update.fingerprint = last.fingerprint;
            });
        }
        self.show_counts();
        let standing = executor::blocking(|| self.desk.standing());
        // A guest who was cut off after it had come in, and came back, ends it in success all the same.
        let failed = state != InvitationState::Success && !matches!(standing, Standing::Done);
        match &error {
            Some(error) if failed => {
                if self.desk.is_fatal(error) {
                    let door = std::mem::take(door);
                    self.end(state, Some(error.clone()), door).await;
                    return true;
                }
                door.failures = door.failures.saturating_add(1);
                let pause = PAUSE.saturating_mul(door.failures).min(LONGEST_PAUSE);
                door.not_before = Some(Instant::now() + pause);
            }
            _ => door.failures = 0,
        }
        let (state, error) = match standing {
            // Only now: what ends with this guest does not wait for others again.
            Standing::Open => {
                show(&self.handle, &door.table(), None);
                return false;
            }
            Standing::Done => (InvitationState::Success, None),
            Standing::Over(state, error) => (state, Some(error)),
        };
        let door = std::mem::take(door);
        self.end(state, error, door).await;
        true
    }

    fn show_counts(&self) {
        let (uses, left) = executor::blocking(|| self.desk.counts());
        self.handle.set(|update| {
            update.uses = uses;
            update.attempts_left = left;
        });
    }

    async fn finish(mut self, state: InvitationState, error: Option<Error>, door: Door) {
        self.end(state, error, door).await;
    }

    /// Ends the invitation: tells the guests at the door, then everybody.
    async fn end(&mut self, state: InvitationState, error: Option<Error>, mut door: Door) {
        let told = match (state, &error) {
            (InvitationState::Success, _) => Error::new(
                ErrorKind::InvitationRefused,
                "the invitation was used as often as it allows",
            ),
            (_, Some(error)) => error.clone(),
            (_, None) => Error::new(ErrorKind::Cancelled, "the invitation ended"),
        };
        door.send_all(|handle| handle.send(Command::Withdraw(told.clone())));
        let farewell = async { while door.serving.next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        self.place.connector.leave(&self.place.topic);
        let (uses, _) = executor::blocking(|| self.desk.counts());
        executor::blocking(|| self.desk.ended(state));
        let space = self.desk.space();
        self.handle.set(|update| {
            update.guests.clear();
            update.uses = uses;
            match state {
                InvitationState::Success => {
                    update.auth_code = None;
                    update.state = Shown::Success;
                    update.space = space;
                }
                _ => driver::failed(update, state, error),
            }
        });
    }

    /// The client is shut down: what is stored goes on when it is opened again.
    async fn suspend(self, mut door: Door) {
        door.send_all(|handle| handle.suspend());
        let farewell = async { while door.serving.next().await.is_some() {} };
        let _ = tokio::time::timeout(FAREWELL, farewell).await;
        self.place.connector.leave(&self.place.topic);
        self.handle.set(driver::suspended);
    }
}

impl Door {
    fn table(&self) -> MutexGuard<'_, BTreeMap<u32, InvitationUpdate>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_room(&self) -> bool {
        self.seats.len() < limits::INVITATION_SEATS
            && self.not_before.is_none_or(|at| Instant::now() >= at)
    }

    /// Whether somebody is being let in at this moment.
    fn is_admitting(&self) -> bool {
        let mut seats = self.seats.iter();
        seats.any(|seat| seat.handle.update().state == Shown::Authenticating)
    }

    fn send_all(&self, tell: impl Fn(&PairingHandle)) {
        for seat in &self.seats {
            tell(&seat.handle);
        }
    }

    /// When somebody waits and every place is taken, whoever has been asked for the code for long
    /// is hung up on. Its guest comes back and stands in line; no code was used up.
    fn make_room(&mut self, waiting: bool) {
        for seat in &mut self.seats {
            let asked = seat.handle.update().state == Shown::ReadyForAuthentication;
            seat.asked = asked.then(|| seat.asked.unwrap_or_else(Instant::now));
        }
        if !waiting || self.seats.len() < limits::INVITATION_SEATS {
            return;
        }
        let idle = Duration::from_millis(limits::INVITATION_IDLE_MS);
        let asked = self.seats.iter().filter(|seat| {
            let since = seat.asked.map(|since| since.elapsed());
            since.is_some_and(|since| since >= idle)
        });
        if let Some(seat) = asked.min_by_key(|seat| seat.asked) {
            seat.handle.suspend_network();
        }
    }
}

/// Shows an invitation as its guests are: in the fields of a single guest the one that has come
/// farthest, and of several such the first.
fn show(
    parent: &PairingHandle,
    table: &BTreeMap<u32, InvitationUpdate>,
    attempts_left: Option<u32>,
) {
    let at_door = || table.iter().filter(|(_, guest)| !guest.state.is_final());
    parent.set(|update| {
        let leader = at_door()
            .max_by_key(|(number, guest)| (guest.state as i32, std::cmp::Reverse(**number)));
        update.guests = at_door()
            .map(|(number, guest)| GuestUpdate {
                number: *number,
                state: guest.state,
                name: guest.peer_name.clone(),
                auth_code: guest.auth_code.clone(),
                fingerprint: guest.fingerprint.clone(),
            })
            .collect();
        if let Some(left) = attempts_left {
            update.attempts_left = left;
        }
        update.auth_code = None;
        match leader {
            Some((_, leader)) => {
                update.state = leader.state;
                update.auth_code.clone_from(&leader.auth_code);
                update.peer_name.clone_from(&leader.peer_name);
                update.fingerprint.clone_from(&leader.fingerprint);
            }
            // Somebody was let in, and what that makes of the invitation is shown in a moment.
            None if table.values().any(|guest| guest.state == Shown::Success) => {}
            None => update.state = Shown::Connecting,
        }
    });
}
