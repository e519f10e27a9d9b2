//! What a reception needs to know of the invitation whose guests it receives.

use super::driver::{Layer, Machine};
use crate::invitation::state::InvitationState;
use crate::model::{Error, Result};

/// Where an invitation stands as a whole, whoever is at the door.
pub(super) enum Standing {
    /// It goes on.
    Open,
    /// It has let in everybody whom it was for.
    Done,
    /// It is over.
    Over(InvitationState, Error),
}

/// An invitation that may deal with several guests at once. Calls may block for a disk's moment.
pub(super) trait Desk: Send + Sync {
    /// A machine for the next guest; fails once nobody more may come.
    fn machine(&self) -> Result<Box<dyn Machine>>;
    /// What does the work for that guest.
    fn layer(&self) -> Box<dyn Layer>;
    /// Where the invitation stands; called about twice a second and after every guest.
    fn standing(&self) -> Standing;
    /// Whether the end of one guest's attempt is that of the invitation.
    fn is_fatal(&self, error: &Error) -> bool;
    /// How many guests were let in, and how many authorization codes are left for the next.
    fn counts(&self) -> (u32, u32);
    /// The invitation is over for good, in this state: gives up what is kept of it.
    fn ended(&self, state: InvitationState);
    /// What it leads to, to show on success.
    fn space(&self) -> Option<String>;
}
