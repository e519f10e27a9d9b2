//! Why one side ended an invitation, as told to the other. Numbers only: no sentence of the other
//! side is ever shown to a user as if it were ours.

use super::state::InvitationState;
use crate::model::{Error, ErrorKind, limits};

/// A reason. The numbers are part of the format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Refusal {
    /// The user called it off.
    Cancelled = 1,
    /// All codes of the invitation were used up.
    CodesUsedUp = 2,
    /// The invitation has ended.
    Expired = 3,
    /// A step took too long.
    Timeout = 4,
    /// We broke the protocol, or so the other side says.
    Protocol = 5,
    /// The versions do not fit.
    Version = 6,
    /// The guest is a member already.
    AlreadyMember = 7,
    /// The host may not admit.
    NotPermitted = 8,
    /// The space is full.
    Limit = 9,
    /// Something failed on the other side.
    Failed = 10,
    /// The invitation was used as often as it allows.
    UsedUp = 11,
}

impl Refusal {
    const ALL: [Refusal; 11] = [
        Refusal::Cancelled,
        Refusal::CodesUsedUp,
        Refusal::Expired,
        Refusal::Timeout,
        Refusal::Protocol,
        Refusal::Version,
        Refusal::AlreadyMember,
        Refusal::NotPermitted,
        Refusal::Limit,
        Refusal::Failed,
        Refusal::UsedUp,
    ];

    /// From a received number; an unknown one means no more than "failed".
    pub(super) fn from_number(number: u32) -> Refusal {
        Refusal::ALL
            .into_iter()
            .find(|refusal| *refusal as u32 == number)
            .unwrap_or(Refusal::Failed)
    }

    /// What to tell the other side of an error of ours.
    pub(super) fn of(error: &Error) -> Refusal {
        match error.kind() {
            ErrorKind::AlreadyExists => Refusal::AlreadyMember,
            ErrorKind::PermissionDenied => Refusal::NotPermitted,
            ErrorKind::LimitExceeded => Refusal::Limit,
            ErrorKind::Protocol => Refusal::Protocol,
            ErrorKind::UnsupportedVersion => Refusal::Version,
            ErrorKind::Cancelled => Refusal::Cancelled,
            ErrorKind::TimedOut => Refusal::Timeout,
            ErrorKind::InvitationRefused => Refusal::UsedUp,
            _ => Refusal::Failed,
        }
    }

    /// The state that the side that is told this ends in.
    pub(super) fn state(self) -> InvitationState {
        match self {
            Refusal::Cancelled => InvitationState::Cancelled,
            Refusal::Expired => InvitationState::Expired,
            Refusal::Timeout => InvitationState::Timeout,
            _ => InvitationState::Error,
        }
    }

    /// The error of the side that is told this.
    pub(super) fn error(self) -> Error {
        let (kind, detail) = match self {
            Refusal::Cancelled => (
                ErrorKind::Cancelled,
                "the other side cancelled: ask for a new invitation",
            ),
            Refusal::CodesUsedUp => return used_up(),
            Refusal::Expired => (
                ErrorKind::InvitationRefused,
                "the invitation has expired: ask for a new one",
            ),
            Refusal::Timeout => (
                ErrorKind::TimedOut,
                "the other side waited too long for an answer",
            ),
            Refusal::Protocol => (
                ErrorKind::Protocol,
                "the other side refused what it received",
            ),
            Refusal::Version => (
                ErrorKind::UnsupportedVersion,
                "the two sides speak different versions: update the older one",
            ),
            Refusal::AlreadyMember => (
                ErrorKind::AlreadyExists,
                "this identity is a member of the space already",
            ),
            Refusal::NotPermitted => (
                ErrorKind::PermissionDenied,
                "the inviting member may not let anybody in any more: ask another",
            ),
            Refusal::Limit => (
                ErrorKind::LimitExceeded,
                "the space has as many members or devices as it can have",
            ),
            Refusal::Failed => (
                ErrorKind::InvitationRefused,
                "the invitation failed on the other side: ask the inviter what went wrong",
            ),
            Refusal::UsedUp => (
                ErrorKind::InvitationRefused,
                "this invitation was used as often as it allows: ask for a new one",
            ),
        };
        Error::new(kind, detail)
    }
}

/// The error of both sides once no code is left.
pub(super) fn used_up() -> Error {
    Error::new(
        ErrorKind::InvitationRefused,
        format!(
            "all {} authorization codes of this invitation were used up: make a new invitation",
            limits::CODES_PER_INVITATION
        ),
    )
}
