//! The devices of an identity: adding, listing, naming and revoking them.

use super::client::Client;
use super::error::Result;
use super::{EchoError, Invitation, InviteOptions, JoinOptions, Subscription};
use crate::model::{DeviceKey, SpaceId};
use std::sync::Arc;

/// A device of the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct DeviceInfo {
    /// Its public key.
    pub device: String,
    /// Its name; empty if it was given none.
    pub name: String,
    /// Whether it is the one that asks.
    pub this_device: bool,
    /// Whether it is connected at this moment; the asking one always is.
    pub connected: bool,
    /// When it was added, in milliseconds since 1970, by the clock of the device that added it.
    pub added_ms: Option<i64>,
    /// When it was last in use, in milliseconds since 1970, by its own clock and to about an hour.
    pub last_seen_ms: Option<i64>,
    /// Whether it was revoked. That cannot be undone.
    pub revoked: bool,
    /// Whether it came by the recovery phrase: such a device is senior to all others.
    pub recovered: bool,
}

/// What changed about the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum IdentityChange {
    /// A space that another device made or joined is listed here now; see [`Client::spaces`].
    Spaces = 1,
    /// A device was added, renamed or revoked, or there is a new recovery phrase; see
    /// [`Client::devices`].
    Devices = 2,
    /// The display name was changed on another device; see [`Client::identity`].
    Profile = 3,
    /// This device was revoked. Its copy of the data stays; what it would write is refused.
    Revoked = 4,
}

/// Hears of changes on library threads, one at a time. Several of one kind may be told as one.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait IdentityListener: Send + Sync {
    /// Something changed.
    fn changed(&self, change: IdentityChange) -> std::result::Result<(), EchoError>;
}

impl Client {
    /// Shows a code for a new device of this identity, good for `expires_s` of the options, at most
    /// a day. Enter it on the new device ([`Client::join_device`]), then compare or enter the
    /// authorization code as with an invitation to a space. **Whoever is let in this way is you**:
    /// it sees every space and can write, invite and add devices. Fails with `InvalidState` without
    /// identity or offline, and with `PermissionDenied` on a device that was revoked.
    ///
    /// The invitation lets in one device, outlives the process like one to a space
    /// ([`Client::invitations`]), and ends when the device has what makes it one: until then it may
    /// come back for it. [`Invitation::wait`] gives the identity's key.
    pub fn create_device_invitation(&self, options: InviteOptions) -> Result<Arc<Invitation>> {
        let handle = crate::runtime::pairing::device_host::open(self.guard().node(), &options)?;
        Ok(Invitation::new(handle))
    }

    /// Uses a device code on a client without identity: it becomes a device of the identity whose
    /// device shows the code, and gets all of its spaces. The options' `device_name` is what the
    /// device is called. Fails with `InvalidState` if there is an identity already: nobody can be
    /// talked into linking a device to somebody else. A code of another kind fails with
    /// `InvitationRefused`; the rest shows in the invitation. It goes on after a restart, as the same
    /// device; a code that is being used already goes on.
    pub fn join_device(&self, code: String, options: JoinOptions) -> Result<Arc<Invitation>> {
        let node = self.guard().node();
        let handle = crate::runtime::pairing::device_guest::join(node, &code, &options)?;
        Ok(Invitation::new(handle))
    }

    /// The identity's devices, those that act first and the most senior of them in front. Fails with
    /// `InvalidState` without identity.
    pub fn devices(&self) -> Result<Vec<DeviceInfo>> {
        Ok(self.guard().node().devices()?)
    }

    /// Names a device, for all devices of the identity. Fails with `NotFound` for a device that is
    /// not the identity's.
    pub fn rename_device(&self, device: String, name: String) -> Result<()> {
        let device = DeviceKey::parse(&device)?;
        Ok(self.guard().node().rename_device(device, name)?)
    }

    /// Revokes a device for ever: in every space what it writes from now on is refused, content keys
    /// are renewed, and it gets nothing new. What it wrote before, as far as it has reached this
    /// device, stays. A device may revoke itself and those that were added after it; one that the
    /// recovery phrase brought back may revoke all. Fails with `PermissionDenied` otherwise, and
    /// with `NotFound` for a device that is not the identity's. Done already: does nothing.
    pub fn revoke_device(&self, device: String) -> Result<()> {
        let device = DeviceKey::parse(&device)?;
        Ok(self.guard().node().revoke_device(device)?)
    }

    /// Sets the identity's display name, on all its devices and in all its spaces. It proves nothing.
    pub fn set_profile(&self, display_name: String) -> Result<()> {
        super::space::check_name("a display name", &display_name)?;
        Ok(self.guard().node().set_profile(display_name)?)
    }

    /// Lists a space again that was deleted on this device ([`Client::delete_space`]): what it holds
    /// comes from whoever has it. Fails with `NotFound` if the identity has no such space and with
    /// `AlreadyExists` if it is here.
    pub fn restore_space(&self, id: String) -> Result<()> {
        Ok(self.guard().node().restore_space(SpaceId::parse(&id)?)?)
    }
}

#[cfg_attr(feature = "bindings", uniffi::export)]
impl Client {
    /// Calls `listener` whenever something about the identity changes.
    pub fn subscribe_identity(&self, listener: Arc<dyn IdentityListener>) -> Arc<Subscription> {
        Subscription::new(self.guard().node().subscribe_identity(listener))
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// Shows a code for a new device of this identity. Whoever is let in this way is you.
    #[uniffi::method(name = "create_device_invitation")]
    pub async fn create_device_invitation_async(
        self: Arc<Self>,
        options: InviteOptions,
    ) -> Result<Arc<Invitation>> {
        super::run(move || self.create_device_invitation(options)).await
    }

    /// Uses a device code on a client without identity: it becomes a device of the one that shows
    /// the code.
    #[uniffi::method(name = "join_device")]
    pub async fn join_device_async(
        self: Arc<Self>,
        code: String,
        options: JoinOptions,
    ) -> Result<Arc<Invitation>> {
        super::run(move || self.join_device(code, options)).await
    }

    /// The identity's devices, those that act first and the most senior of them in front.
    #[uniffi::method(name = "devices")]
    pub async fn devices_async(self: Arc<Self>) -> Result<Vec<DeviceInfo>> {
        super::run(move || self.devices()).await
    }

    /// Names a device, for all devices of the identity.
    #[uniffi::method(name = "rename_device")]
    pub async fn rename_device_async(self: Arc<Self>, device: String, name: String) -> Result<()> {
        super::run(move || self.rename_device(device, name)).await
    }

    /// Revokes a device for ever, in all spaces.
    #[uniffi::method(name = "revoke_device")]
    pub async fn revoke_device_async(self: Arc<Self>, device: String) -> Result<()> {
        super::run(move || self.revoke_device(device)).await
    }

    /// Sets the identity's display name, on all its devices.
    #[uniffi::method(name = "set_profile")]
    pub async fn set_profile_async(self: Arc<Self>, display_name: String) -> Result<()> {
        super::run(move || self.set_profile(display_name)).await
    }

    /// Lists a space again that was deleted on this device.
    #[uniffi::method(name = "restore_space")]
    pub async fn restore_space_async(self: Arc<Self>, id: String) -> Result<()> {
        super::run(move || self.restore_space(id)).await
    }
}
