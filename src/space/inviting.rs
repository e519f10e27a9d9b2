//! Inviting: what an invitation needs when it is opened, and when a guest is let in.

use super::space_core::SpaceCore;
use crate::authority::{ControlOp, InviteHint, InviteView};
use crate::model::{Error, ErrorKind, IdentityKey, Result, Role, limits};

impl SpaceCore {
    /// Opens an invitation for at most `role`; `key` is the public half of what will sign the
    /// admissions. Fails with `PermissionDenied` unless we are admin or above and `role` is below
    /// our own, and with `LimitExceeded` while too many are open.
    pub fn offer_invitation(&mut self, key: [u8; 32], role: Role, hint: InviteHint) -> Result<()> {
        self.require(Role::Admin, "inviting")?;
        let own = self.own_role();
        if Some(role) >= own {
            return Err(Error::new(
                ErrorKind::PermissionDenied,
                format!(
                    "an invitation gives a role below the inviter's own, and {} is not below {}",
                    role.name(),
                    own.map_or("none", Role::name)
                ),
            ));
        }
        if self.authority.open_invitations().len() >= limits::OPEN_INVITATIONS {
            return Err(Error::limit(format!(
                "{} invitations to this space are open, which is as many as can be: cancel one",
                limits::OPEN_INVITATIONS
            )));
        }
        if hint.from_now_on {
            // The first of the keys that its guests get: it opens no older one.
            self.renew_if_copied()?;
            self.new_key(false)?;
        }
        self.author_control(&ControlOp::InviteOpen {
            invitation_key: key,
            role_cap: role,
            expires_hint_ms: hint.pack(),
        })
        .map(drop)
    }

    /// An invitation by its public key, if it was ever opened.
    pub fn invitation(&self, key: &[u8; 32]) -> Option<InviteView> {
        self.authority.invitation(key)
    }

    /// The open invitations, everybody's.
    pub fn open_invitations(&self) -> Vec<InviteView> {
        self.authority.open_invitations()
    }

    /// Whether an identity has a role here, or ever had one.
    pub fn has_heard_of(&self, identity: &IdentityKey) -> bool {
        self.authority.has_heard_of(identity)
    }

    /// Whether we may let a guest in through an invitation now, and the guest can come in: the
    /// invitation is open, our role is at least `needed`, the guest is no member, and there is room.
    pub fn check_guest(&self, key: &[u8; 32], guest: &IdentityKey, needed: Role) -> Result<()> {
        self.require(needed, "letting a guest in")?;
        if self.authority.invitation(key).is_none_or(|i| !i.open) {
            return Err(closed());
        }
        if self.authority.role(guest).is_some() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                "this identity is a member of the space already",
            ));
        }
        if self.authority.members().len() >= limits::IDENTITIES {
            return Err(Error::limit(format!(
                "the space has {} members, which is as many as it can have: remove one first",
                limits::IDENTITIES
            )));
        }
        Ok(())
    }
}

/// What ends an invitation that somebody closed.
fn closed() -> Error {
    Error::new(
        ErrorKind::Cancelled,
        "the invitation was cancelled: ask for a new one",
    )
}
