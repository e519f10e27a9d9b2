//! Others, around what they should hear of. A command that ended at once would tell nobody; and of
//! what a denied member or device has written only that counts which is here or which others vouch
//! for. So such a command meets somebody before, and again afterwards, for a bounded time each.

use super::Context;
use crate::control::Control;
use crate::event::Event;
use crate::failure::{Failure, Result};
use crate::wait_args::SyncWait;
use echodb::{Client, PeerStatus, Space, SpaceState};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A day: longer waits are cut to it.
const MAX_WAIT_S: u64 = 86_400;
/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long those whom it is against may take to hear of it: a little longer than the library lets
/// their sessions live on for that.
const GOODBYE: Duration = Duration::from_secs(3);

/// Whom a command is against.
#[derive(Default)]
pub(super) enum Against {
    /// Nobody, or a member who stays.
    #[default]
    Nobody,
    /// A device of this identity. What it says is worth nothing, so it is not waited for.
    Device(String),
    /// A member, by its devices. It is waited for if nobody else is there: what it has written counts.
    Member(Vec<String>),
    /// This device: nobody may confirm anything to it afterwards.
    Oneself,
}

impl Against {
    fn is(&self, device: &str) -> bool {
        match self {
            Against::Device(key) => key == device,
            Against::Member(keys) => keys.iter().any(|key| key == device),
            Against::Nobody | Against::Oneself => false,
        }
    }
}

/// A space in which to meet somebody.
struct Place {
    space: Arc<Space>,
    /// Whether there is nobody else than whom the command is against.
    left_alone: bool,
    /// Whether somebody was there before.
    was_met: bool,
}

/// The waiting of one command.
pub(super) struct Meeting {
    places: Vec<Place>,
    against: Against,
    wait: Duration,
    /// Until when to wait for somebody to come.
    end: Instant,
    /// How many peers there were, if those whom it is against were among them.
    peers: Option<u32>,
}

impl Meeting {
    /// For what is about to be done in these spaces.
    pub(super) fn new(
        context: &Context,
        spaces: &[Arc<Space>],
        against: Against,
        wait: SyncWait,
    ) -> Self {
        let wait = Duration::from_secs(wait.seconds.min(MAX_WAIT_S));
        let own = context.client.identity().map(|own| own.device);
        // A serving process stays: everybody hears when they meet it.
        let places = match context.serving || wait.is_zero() {
            true => Vec::new(),
            false => places(spaces, &against, own.as_deref()),
        };
        Meeting {
            places,
            against,
            wait,
            end: Instant::now() + wait,
            peers: None,
        }
    }

    /// In all spaces of a profile.
    pub(super) fn everywhere(context: &Context, against: Against, wait: SyncWait) -> Result<Self> {
        let mut spaces = Vec::new();
        for info in context.client.spaces()? {
            // In one that is closed, or damaged, nothing is sent or received.
            if matches!(info.state, SpaceState::Ready | SpaceState::Opening) {
                spaces.push(context.client.space(info.id)?);
            }
        }
        Ok(Meeting::new(context, &spaces, against, wait))
    }

    /// Does something with somebody met before, and told afterwards.
    pub(super) fn around(
        mut self,
        context: &mut Context,
        control: &Control,
        work: impl FnOnce(&mut Context) -> Result<()>,
    ) -> Result<()> {
        self.before(context, control)?;
        work(context)?;
        self.after(context, control, |_| true)
    }

    /// Waits until in each space somebody was met, and all that those hold is here.
    pub(super) fn before(&mut self, context: &Context, control: &Control) -> Result<()> {
        let mut lonely: Vec<&Place> = self.places.iter().collect();
        while can_meet(context.client) {
            lonely.retain(|place| !self.in_sync(place));
            if lonely.is_empty() || Instant::now() >= self.end {
                break;
            }
            if !control.pause(LOOK_EVERY) {
                return Err(Failure::cancelled());
            }
        }
        let met: Vec<bool> = self.places.iter().map(|place| self.is_met(place)).collect();
        for (place, met) in self.places.iter_mut().zip(met) {
            place.was_met = met;
        }
        let hears = |place: &Place| {
            let mut peers = peers(&place.space).into_iter();
            peers.any(|peer| self.against.is(&peer.device))
        };
        let hears = self.places.iter().any(hears);
        self.peers = hears.then(|| context.client.status().peers);
        Ok(())
    }

    /// Waits until in each space, where it `is_done`, somebody has heard of it; warns if nobody has.
    pub(super) fn after(
        self,
        context: &mut Context,
        control: &Control,
        is_done: impl Fn(&Space) -> bool,
    ) -> Result<()> {
        let end = Instant::now() + self.wait;
        let others = |place: &&Place| !place.left_alone;
        let mut untold: Vec<&Place> = self.places.iter().filter(others).collect();
        while can_meet(context.client) {
            untold.retain(|place| !(is_done(&place.space) && self.has_heard(place)));
            let now = Instant::now();
            let hope = |place: &&Place| now < self.end || (now < end && self.is_met(place));
            if !untold.iter().any(hope) || !control.pause(LOOK_EVERY) {
                break;
            }
        }
        self.say_goodbye(context, control);
        warn(context, &untold)
    }

    /// Those whom it is against hear of it too, if they are there.
    fn say_goodbye(&self, context: &Context, control: &Control) {
        let end = Instant::now() + GOODBYE.min(self.wait);
        let there = |peers| context.client.status().peers >= peers;
        while self.peers.is_some_and(there) && Instant::now() < end && control.pause(LOOK_EVERY) {}
    }

    fn has_heard(&self, place: &Place) -> bool {
        // Others part with this device once they know that it is out.
        let parted = matches!(self.against, Against::Oneself) && place.was_met;
        self.in_sync(place) || (parted && !self.is_met(place))
    }

    fn in_sync(&self, place: &Place) -> bool {
        let mut peers = peers(&place.space).into_iter();
        peers.any(|peer| peer.in_sync && self.counts(place, &peer))
    }

    fn is_met(&self, place: &Place) -> bool {
        let mut peers = peers(&place.space).into_iter();
        peers.any(|peer| self.counts(place, &peer))
    }

    fn counts(&self, place: &Place, peer: &PeerStatus) -> bool {
        place.left_alone || !self.against.is(&peer.device)
    }
}

/// The spaces that somebody else is in.
fn places(spaces: &[Arc<Space>], against: &Against, own: Option<&str>) -> Vec<Place> {
    let place = |space: &Arc<Space>| {
        let members = space.members().unwrap_or_default();
        let devices = members.iter().flat_map(|member| &member.devices);
        let others: Vec<&String> = devices.filter(|key| Some(key.as_str()) != own).collect();
        let left_alone = others.iter().all(|key| against.is(key));
        let waited_for = matches!(against, Against::Member(_)) && !others.is_empty();
        (waited_for || !left_alone).then_some(Place {
            space: Arc::clone(space),
            left_alone,
            was_met: false,
        })
    };
    spaces.iter().filter_map(place).collect()
}

/// Who is connected; nobody in a space that was closed meanwhile.
fn peers(space: &Space) -> Vec<PeerStatus> {
    let status = space.status();
    status.map(|status| status.peers).unwrap_or_default()
}

/// Whether peers can be found at all.
fn can_meet(client: &Client) -> bool {
    let status = client.status();
    status.online && !status.signaling.is_empty()
}

fn warn(context: &mut Context, untold: &[&Place]) -> Result<()> {
    let named = |place: &&Place| match place.space.info() {
        Ok(info) if !info.name.is_empty() => format!("{:?}", info.name),
        _ => place.space.id(),
    };
    let spaces: Vec<String> = untold.iter().map(named).collect();
    if spaces.is_empty() {
        return Ok(());
    }
    let why = match can_meet(context.client) {
        true => "nobody else",
        false => "no signalling server is set (--signal or $ECHODB_SIGNAL): nobody else",
    };
    context.output.emit(Event::Warning(format!(
        "{why} has heard of this yet in {}; others do when this profile is online together with \
         one of them, for example by `echodb serve`",
        spaces.join(", ")
    )))
}
