//! Invitations at work: rooms, links, sessions, durable counting and screens around the state
//! machines of [`crate::invitation`].

#[cfg(test)]
mod crowd_tests;
mod desk;
mod device_desk;
pub mod device_guest;
pub mod device_host;
mod device_wire;
mod driver;
mod ending;
pub mod guest;
pub mod host;
pub mod list;
#[cfg(test)]
mod listener_tests;
mod reception;
mod record;
#[cfg(test)]
mod signaller_tests;
pub mod tending;
#[cfg(test)]
mod tests;
mod wire;

use super::connector::Connector;
use super::events::{Mailbox, Registration};
use super::executor;
use super::log::Log;
use crate::api::{InvitationListener, InvitationState, InvitationUpdate};
use crate::invitation::auth_code::AuthCode;
use crate::model::{Error, ErrorKind, Result, limits};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::{mpsc, watch};

/// What the program asks of a running invitation.
pub(super) enum Command {
    AuthCode(String),
    Cancel,
    /// The invitation is over for a reason of its own, which the guest is told.
    Withdraw(Error),
    /// The client is shut down; the invitation goes on when it is opened again.
    Suspend,
    Network(Arc<Connector>),
    Offline,
}

type Updates = Mailbox<Vec<InvitationUpdate>>;

/// Tells a listener of each update. One that panics at one of them still hears of the others: the
/// last is the end, for which a program may wait.
fn tell(listener: &dyn InvitationListener, updates: Vec<InvitationUpdate>, log: &Log) {
    for update in updates {
        let told = catch_unwind(AssertUnwindSafe(|| listener.updated(update)));
        if let Ok(Err(error)) = told {
            log.warn("invitation", || {
                format!("an invitation listener failed: {error}")
            });
        }
    }
}

/// Hears of every change of an invitation before listeners do.
type Watcher = Box<dyn Fn(&InvitationUpdate) + Send + Sync>;

/// What names an invitation.
pub(super) struct Label {
    /// Its id: the rendezvous secret of its code.
    pub id: [u8; 16],
    /// The code as text; empty where there is no code to pass on.
    pub code: String,
    /// The code as a link.
    pub url: String,
    /// The link as a QR picture holds it.
    pub qr: String,
    /// Whether it is shown to the program: a member that lets in guests for somebody else does
    /// so quietly.
    pub shown: bool,
}

struct Shared {
    label: Label,
    watcher: Option<Watcher>,
    update: watch::Sender<InvitationUpdate>,
    listeners: Mutex<Vec<Arc<Updates>>>,
    commands: mpsc::UnboundedSender<Command>,
    log: Log,
}

/// A handle on either side of an invitation. Clones act on the same one.
#[derive(Clone)]
pub struct PairingHandle {
    shared: Arc<Shared>,
}

impl PairingHandle {
    /// A new invitation; the commands go to its driver.
    #[cfg(test)]
    fn new(
        code: String,
        url: String,
        log: Log,
    ) -> (PairingHandle, mpsc::UnboundedReceiver<Command>) {
        let label = Label {
            id: [0; 16],
            code,
            qr: url.clone(),
            url,
            shown: true,
        };
        PairingHandle::labelled(label, None, log)
    }

    /// A new invitation; the commands go to its driver, and every change to `watcher`.
    pub(super) fn labelled(
        label: Label,
        watcher: Option<Watcher>,
        log: Log,
    ) -> (PairingHandle, mpsc::UnboundedReceiver<Command>) {
        let (commands, received) = mpsc::unbounded_channel();
        let update = InvitationUpdate {
            state: InvitationState::Init,
            auth_code: None,
            attempts_left: limits::CODES_PER_INVITATION,
            peer_name: None,
            fingerprint: None,
            guests: Vec::new(),
            uses: 0,
            space: None,
            status: 0,
            error: None,
        };
        let shared = Arc::new(Shared {
            label,
            watcher,
            update: watch::Sender::new(update),
            listeners: Mutex::default(),
            commands,
            log,
        });
        (PairingHandle { shared }, received)
    }

    fn listeners(&self) -> MutexGuard<'_, Vec<Arc<Updates>>> {
        self.shared
            .listeners
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// The code as text.
    pub fn code(&self) -> String {
        self.shared.label.code.clone()
    }

    /// The id: the rendezvous secret.
    pub fn id(&self) -> [u8; 16] {
        self.shared.label.id
    }

    /// Whether the program is shown it.
    pub fn is_shown(&self) -> bool {
        self.shared.label.shown
    }

    /// The link as a QR picture holds it.
    pub fn qr_text(&self) -> String {
        self.shared.label.qr.clone()
    }

    /// The code as a URL.
    pub fn url(&self) -> String {
        self.shared.label.url.clone()
    }

    /// Where it stands.
    pub fn update(&self) -> InvitationUpdate {
        self.shared.update.borrow().clone()
    }

    /// Changes where it stands and tells everybody who waits. Nothing changes after the end.
    fn set(&self, change: impl FnOnce(&mut InvitationUpdate)) {
        // Held over both, so that a listener that registers now misses no update and sees none
        // twice.
        let listeners = self.listeners();
        let mut changed = None;
        self.shared.update.send_if_modified(|update| {
            if update.state.is_final() {
                return false;
            }
            let before = update.clone();
            change(update);
            changed = (*update != before).then(|| update.clone());
            changed.is_some()
        });
        if let Some(update) = changed {
            if let Some(watcher) = &self.shared.watcher {
                watcher(&update);
            }
            for listener in listeners.iter() {
                listener.post(|waiting| append(waiting, update.clone()));
            }
        }
    }

    /// Enters the guest's authorization code.
    pub fn authenticate(&self, code: &str) -> Result<()> {
        if AuthCode::parse(code).is_none() {
            return Err(Error::invalid("an authorization code has six digits"));
        }
        if self.update().state != InvitationState::ReadyForAuthentication
            || self.update().auth_code.is_some()
        {
            return Err(Error::state(
                "no authorization code is asked for at this moment",
            ));
        }
        self.send(Command::AuthCode(code.to_owned()));
        Ok(())
    }

    /// Cancels.
    pub fn cancel(&self) {
        self.send(Command::Cancel);
    }

    /// Stops, to go on when the profile is opened again.
    pub fn suspend(&self) {
        self.send(Command::Suspend);
    }

    /// Closes the connection to the other side, if there is one: the client goes offline.
    pub fn suspend_network(&self) {
        self.send(Command::Offline);
    }

    /// Enters the room again after the network was restarted.
    pub fn resume_network(&self, connector: &Arc<Connector>) {
        self.send(Command::Network(Arc::clone(connector)));
    }

    fn send(&self, command: Command) {
        // A driver that is gone has ended the invitation already.
        let _ = self.shared.commands.send(command);
    }

    /// Subscribes to updates, the present one first.
    pub fn subscribe(&self, listener: Arc<dyn InvitationListener>) -> Registration {
        let log = self.shared.log.clone();
        let mailbox = Mailbox::new(move |updates| tell(&*listener, updates, &log));
        let mut listeners = self.listeners();
        let present = self.update();
        mailbox.post(|waiting| append(waiting, present));
        listeners.push(Arc::clone(&mailbox));
        drop(listeners);
        let handle = self.clone();
        let slot = Mutex::new(Some(mailbox));
        Registration::new(move |running| {
            let mailbox = slot.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(mailbox) = mailbox {
                handle
                    .listeners()
                    .retain(|other| !Arc::ptr_eq(other, &mailbox));
                mailbox.end(running);
            }
        })
    }

    /// Waits for the end, on the calling thread.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<String> {
        let handle = self.clone();
        let timeout = timeout.unwrap_or(Duration::MAX);
        executor::block_on(async move {
            tokio::time::timeout(timeout, handle.wait_async())
                .await
                .unwrap_or_else(|_| Err(still_running()))
        })?
    }

    /// Waits for the end, good or bad, on the calling thread.
    pub(super) fn wait_end(&self, timeout: Duration) -> Result<()> {
        let mut updates = self.shared.update.subscribe();
        executor::block_on(async move {
            let ended = updates.wait_for(|update| update.state.is_final());
            match tokio::time::timeout(timeout, ended).await {
                Ok(_) => Ok(()),
                Err(_) => Err(still_running()),
            }
        })?
    }

    /// Waits for another state than `state`, on the calling thread.
    pub fn wait_change(
        &self,
        state: InvitationState,
        timeout: Option<Duration>,
    ) -> Result<InvitationUpdate> {
        let mut updates = self.shared.update.subscribe();
        let timeout = timeout.unwrap_or(Duration::MAX);
        executor::block_on(async move {
            let changed = updates.wait_for(|update| update.state != state);
            match tokio::time::timeout(timeout, changed).await {
                Ok(Ok(update)) => Ok(update.clone()),
                Ok(Err(_)) => Err(Error::state("the invitation is gone")),
                Err(_) => Err(still_running()),
            }
        })?
    }

    /// Waits for the end.
    pub async fn wait_async(&self) -> Result<String> {
        let mut updates = self.shared.update.subscribe();
        let last = updates
            .wait_for(|update| update.state.is_final())
            .await
            .map_err(|_| Error::state("the invitation is gone"))?
            .clone();
        if let (InvitationState::Success, Some(space)) = (last.state, last.space) {
            return Ok(space);
        }
        let kind = ErrorKind::ALL
            .into_iter()
            .find(|kind| kind.status() == last.status);
        let detail = last
            .error
            .unwrap_or_else(|| "the invitation ended".to_owned());
        Err(Error::new(kind.unwrap_or(ErrorKind::Internal), detail))
    }
}

fn append(
    waiting: Option<Vec<InvitationUpdate>>,
    update: InvitationUpdate,
) -> Vec<InvitationUpdate> {
    let mut all = waiting.unwrap_or_default();
    all.push(update);
    all
}

fn still_running() -> Error {
    Error::new(
        ErrorKind::TimedOut,
        "the invitation has not got that far yet; it goes on",
    )
}

/// Reads what the layer above an invitation says, for the fuzzers.
#[cfg(any(test, fuzzing))]
pub fn fuzz_message(bytes: &[u8]) {
    let _ = wire::decode::<wire::Admission>(bytes);
    let _ = wire::decode::<wire::ControlEntries>(bytes);
    let _ = wire::decode::<device_wire::Offer>(bytes);
    let _ = wire::decode::<device_wire::Request>(bytes);
    let _ = wire::decode::<device_wire::Welcome>(bytes);
}
