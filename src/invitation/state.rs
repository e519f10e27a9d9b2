//! The states that a program watches an invitation go through, the same on both sides.

/// Where an invitation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum InvitationState {
    /// Made, nothing done yet.
    Init,
    /// Looking for the other side, for the first time or again.
    Connecting,
    /// The other side is there; the two recognise each other.
    Connected,
    /// The host shows an authorization code, the guest is to enter it.
    ReadyForAuthentication,
    /// The code is being checked, then the admission takes place.
    Authenticating,
    /// The guest is a member.
    Success,
    /// One side called it off.
    Cancelled,
    /// The other side, or the whole invitation, took too long.
    Timeout,
    /// It failed; the error says why.
    Error,
    /// The invitation's time was over before anybody was let in.
    Expired,
}

impl InvitationState {
    /// Whether nothing follows any more.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            InvitationState::Success
                | InvitationState::Cancelled
                | InvitationState::Timeout
                | InvitationState::Error
                | InvitationState::Expired
        )
    }
}
