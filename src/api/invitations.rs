//! The invitations of a client: listing, taking up again, ending.

use super::error::Result;
use super::{Client, Invitation, InvitationInfo};
use std::sync::Arc;

impl Client {
    /// The invitations that are open: those of this profile, as host and as guest, in the order in
    /// which they were made, then those that other members have open in the spaces that are open
    /// here. They are kept over a restart, and run whenever the client is online and their space is
    /// open.
    pub fn invitations(&self) -> Result<Vec<InvitationInfo>> {
        Ok(crate::runtime::pairing::list::list(self.guard().node())?)
    }

    /// A handle on a running invitation of this profile, as after a restart. Fails with
    /// `InvalidArgument` if `id` is malformed, with `NotFound` if there is no such invitation, and
    /// with `InvalidState` while it does not run because the client is offline or the space closed.
    pub fn invitation(&self, id: String) -> Result<Arc<Invitation>> {
        let handle = crate::runtime::pairing::list::find(self.guard().node(), &id)?;
        Ok(Invitation::new(handle))
    }

    /// Ends an invitation for everybody: nobody comes in through it any more, and its code is
    /// worth nothing. An admin or owner may end those of other members too. On the guest's side it
    /// ends the attempt to join. Fails with `InvalidArgument` if `id` is malformed, with `NotFound`
    /// if there is no such invitation, and with `PermissionDenied` if it is somebody else's and
    /// gives a role that is not below ours.
    pub fn cancel_invitation(&self, id: String) -> Result<()> {
        Ok(crate::runtime::pairing::list::cancel(
            self.guard().node(),
            &id,
        )?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// The invitations that are open.
    #[uniffi::method(name = "invitations")]
    pub async fn invitations_async(self: Arc<Self>) -> Result<Vec<InvitationInfo>> {
        super::run(move || self.invitations()).await
    }

    /// A handle on a running invitation of this profile.
    #[uniffi::method(name = "invitation")]
    pub async fn invitation_async(self: Arc<Self>, id: String) -> Result<Arc<Invitation>> {
        super::run(move || self.invitation(id)).await
    }

    /// Ends an invitation for everybody.
    #[uniffi::method(name = "cancel_invitation")]
    pub async fn cancel_invitation_async(self: Arc<Self>, id: String) -> Result<()> {
        super::run(move || self.cancel_invitation(id)).await
    }
}
