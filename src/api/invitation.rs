//! Pairing: one side shows a code, the other enters it, and a second, short code passes between
//! the people (design section 7).

use super::error::Result;
use super::{EchoError, Subscription};
use crate::runtime::pairing::PairingHandle;
use std::sync::Arc;
use std::time::Duration;

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum InvitationState {
    /// Made, not yet looking for the other side.
    Init = 1,
    /// Waiting for the other side, or reaching it.
    Connecting = 2,
    /// The other side is there and the channel is encrypted, but not yet trusted.
    Connected = 3,
    /// The host shows the authorization code; the guest is to enter it.
    ReadyForAuthentication = 4,
    /// The code is being checked.
    Authenticating = 5,
    /// Done: the guest is a member.
    Success = 6,
    /// One side cancelled.
    Cancelled = 7,
    /// The other side took too long.
    Timeout = 8,
    /// It failed; see the update's error.
    Error = 9,
    /// The invitation's time is over, or its codes are used up.
    Expired = 10,
}

impl InvitationState {
    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        self as i32 >= InvitationState::Success as i32
    }

    /// A stable snake-case name.
    pub fn name(self) -> &'static str {
        match self {
            InvitationState::Init => "init",
            InvitationState::Connecting => "connecting",
            InvitationState::Connected => "connected",
            InvitationState::ReadyForAuthentication => "ready_for_authentication",
            InvitationState::Authenticating => "authenticating",
            InvitationState::Success => "success",
            InvitationState::Cancelled => "cancelled",
            InvitationState::Timeout => "timeout",
            InvitationState::Error => "error",
            InvitationState::Expired => "expired",
        }
    }
}

/// How a space invites.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct InviteOptions {
    /// How long the code is good for, in seconds: 1 to 604,800 (a week), and up to 7,776,000 (90
    /// days) for several guests and for delegated invitations.
    #[cfg_attr(feature = "bindings", uniffi(default = 3600))]
    pub expires_s: u64,
    /// How many guests may come in, 1 to 200. With more than one the invitation is a multi-use
    /// one: one code, and an authorization code for each guest. For a delegated invitation the
    /// number is one that members keep to as far as they know of each other's guests, and 0 means
    /// any number.
    #[cfg_attr(feature = "bindings", uniffi(default = 1))]
    pub max_uses: u32,
    /// Whether any member who is online may let the guests in, this client need not be. There is
    /// no authorization code then: whoever has the code is let in. Hand it over like a key.
    #[cfg_attr(feature = "bindings", uniffi(default = false))]
    pub delegated: bool,
    /// The role that guests get, "relay", "reader", "editor", "admin" or "owner": below the
    /// inviter's own, and at most editor if delegated.
    #[cfg_attr(feature = "bindings", uniffi(default = "editor"))]
    pub role: String,
    /// Whether the code carries the signalling servers, so that the guest needs no setting.
    #[cfg_attr(feature = "bindings", uniffi(default = true))]
    pub include_signaling: bool,
    /// Whether guests can read what was written before. If not they are given the content keys from
    /// this call on alone: they hold the older entries, sealed, and see no object that was made
    /// before, nor what became of it since. [`super::Space::share_history`] opens them later.
    #[cfg_attr(feature = "bindings", uniffi(default = true))]
    pub history: bool,
}

impl Default for InviteOptions {
    fn default() -> Self {
        InviteOptions {
            expires_s: 3600,
            max_uses: 1,
            delegated: false,
            role: "editor".to_owned(),
            include_signaling: true,
            history: true,
        }
    }
}

/// How an invitation is hosted and used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum InvitationType {
    /// This client lets in one guest, who enters an authorization code.
    Interactive = 1,
    /// This client lets in several guests, each with an authorization code of its own.
    MultiUse = 2,
    /// Any member who is online lets in whoever has the code.
    Delegated = 3,
}

/// What an invitation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum InvitationKind {
    /// Membership of a space.
    Space = 1,
    /// A further device of the identity.
    Device = 2,
}

/// One line of the list of invitations.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct InvitationInfo {
    /// Names it, for `cancel_invitation` and `invitation`: 32 hexadecimal digits.
    pub id: String,
    /// The space; none on the side of a guest who does not know it yet.
    pub space: Option<String>,
    /// What it leads to.
    pub kind: InvitationKind,
    /// How it is hosted and used.
    pub invitation_type: InvitationType,
    /// Whether we are the guest.
    pub joining: bool,
    /// The role that guests get, at most; none on the guest's side.
    pub role: Option<String>,
    /// When it was made, in milliseconds since 1970; 0 if another device made it.
    pub created_ms: u64,
    /// When it ends, in milliseconds since 1970; on the guest's side, when it is given up.
    pub expires_ms: u64,
    /// How many guests it may let in; none: any number.
    pub max_uses: Option<u32>,
    /// How many it let in, as far as is known here.
    pub uses: u32,
    /// Where it stands; `Init` while it does not run: the client is offline, or its space closed.
    pub state: InvitationState,
    /// The code, if its secret is here.
    pub code: Option<String>,
    /// The code as a link, likewise.
    pub url: Option<String>,
}

/// One guest at a host's door.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct GuestUpdate {
    /// Tells the guests of one invitation apart; rises with each.
    pub number: u32,
    /// How far it has come.
    pub state: InvitationState,
    /// Its display name, once it has given one; not proven.
    pub name: Option<String>,
    /// The authorization code for this guest, six digits, while it is good.
    pub auth_code: Option<String>,
    /// As `fingerprint` of the update.
    pub fingerprint: Option<String>,
}

/// How a code is used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct JoinOptions {
    /// How long to look for the host, in seconds, 1 to 604,800.
    #[cfg_attr(feature = "bindings", uniffi(default = 120))]
    pub timeout_s: u64,
    /// For [`super::Client::join_device`]: what this device is called, at most 256 characters.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub device_name: Option<String>,
}

impl Default for JoinOptions {
    fn default() -> Self {
        JoinOptions {
            timeout_s: 120,
            device_name: None,
        }
    }
}

/// An invitation at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct InvitationUpdate {
    /// Where it stands.
    pub state: InvitationState,
    /// The host's authorization code, six digits, while it is good.
    pub auth_code: Option<String>,
    /// Authorization codes left before the invitation is closed. After each guest that was let in
    /// they are three again.
    pub attempts_left: u32,
    /// The other side's display name, once it has given one; not proven before success.
    pub peer_name: Option<String>,
    /// Four English words, the same on both screens unless somebody sits in between; once the
    /// authorization code is entered, right or wrong, and on from there. None for delegated
    /// invitations, where no two people look at screens.
    pub fingerprint: Option<String>,
    /// The host's guests at this moment, at most three; the other fields show the one that has
    /// come farthest.
    pub guests: Vec<GuestUpdate>,
    /// How many guests were let in so far.
    pub uses: u32,
    /// The space, once it is known; the identity, if a device is being added.
    pub space: Option<String>,
    /// The status number of the failure, 0 if there is none.
    pub status: i32,
    /// What failed, if something did.
    pub error: Option<String>,
}

/// A QR code as its modules.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct QrModules {
    /// Modules of one side, 21 to 177.
    pub width: u32,
    /// `width` times `width` bytes, row by row from the top left: 1 dark, 0 light. A picture needs
    /// four light modules on each side around them.
    pub modules: Vec<u8>,
}

/// Receives updates on library threads, one at a time, the present one first.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait InvitationListener: Send + Sync {
    /// The invitation moved on.
    fn updated(&self, update: InvitationUpdate) -> std::result::Result<(), EchoError>;
}

/// Either side of an invitation in progress. Dropping it does not end it; [`Invitation::cancel`]
/// and the end of the client do.
#[cfg_attr(feature = "bindings", derive(uniffi::Object))]
pub struct Invitation {
    handle: PairingHandle,
}

impl Invitation {
    pub(crate) fn new(handle: PairingHandle) -> Arc<Self> {
        Arc::new(Invitation { handle })
    }

    /// Waits for the end and returns the space's id; fails with what ended it otherwise, and with
    /// `TimedOut` (the invitation goes on) after `timeout`.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<String> {
        Ok(self.handle.wait(timeout)?)
    }

    /// Waits until the state is not `state` any more and returns the present update; fails with
    /// `TimedOut` after `timeout`.
    pub fn wait_change(
        &self,
        state: InvitationState,
        timeout: Option<Duration>,
    ) -> Result<InvitationUpdate> {
        Ok(self.handle.wait_change(state, timeout)?)
    }

    /// As [`Invitation::wait`] without limit, for a caller that has a task to spare, not a thread.
    pub(crate) async fn finished(self: Arc<Self>) -> Result<String> {
        Ok(self.handle.wait_async().await?)
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Invitation {
    /// The code to hand over, as text.
    pub fn code(&self) -> String {
        self.handle.code()
    }

    /// The code as a URL, `echodb://join/…`, for links and QR codes.
    pub fn url(&self) -> String {
        self.handle.url()
    }

    /// Names it: 32 hexadecimal digits, as in the list of invitations.
    pub fn id(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.handle.id())
    }

    /// The URL as an SVG picture of a QR code, with a quiet zone of four modules, black on white;
    /// it scales to any size.
    pub fn qr_svg(&self) -> Result<String> {
        Ok(crate::runtime::qr::svg(&self.handle.qr_text())?)
    }

    /// The URL as the modules of a QR code, without a quiet zone, row by row from the top left.
    pub fn qr_modules(&self) -> Result<QrModules> {
        Ok(crate::runtime::qr::modules(&self.handle.qr_text())?)
    }

    /// Where it stands.
    pub fn update(&self) -> InvitationUpdate {
        self.handle.update()
    }

    /// Enters the authorization code on the guest's side. Spaces and dashes are ignored. Fails at
    /// once with `InvalidArgument` if it is not six digits and with `InvalidState` if none is
    /// asked for; whether it is right shows in the updates.
    pub fn authenticate(&self, auth_code: String) -> Result<()> {
        Ok(self.handle.authenticate(&auth_code)?)
    }

    /// Cancels; the other side learns. Does nothing after the end.
    pub fn cancel(&self) {
        self.handle.cancel();
    }

    /// Calls `listener` with the present update and then with every further one.
    pub fn subscribe(&self, listener: Arc<dyn InvitationListener>) -> Arc<Subscription> {
        Subscription::new(self.handle.subscribe(listener))
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Invitation {
    /// Waits for the end and returns the space's id; fails with what ended it otherwise.
    #[uniffi::method(name = "wait")]
    pub async fn wait_async(self: Arc<Self>) -> Result<String> {
        self.finished().await
    }
}
