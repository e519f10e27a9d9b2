//! What `invite`, `join` and `invitations` report.

use echodb::{GuestUpdate, InvitationInfo, InvitationKind, InvitationType, InvitationUpdate};
use serde::{Deserialize, Serialize};

/// See [`crate::event::Event::Code`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Code {
    /// The space that invites.
    pub space: String,
    /// Names the invitation.
    pub id: String,
    /// The code as text.
    pub code: String,
    /// The code as a URL.
    pub url: String,
    /// Whether it is all that a guest needs.
    pub delegated: bool,
}

/// See [`crate::event::Event::Pairing`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pairing {
    /// Where it stands: `connecting`, `ready_for_authentication`, `success`, …
    pub state: String,
    /// The host's authorization code, while it is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_code: Option<String>,
    /// Authorization codes left.
    pub attempts_left: u32,
    /// The other side's name; not proven before success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<String>,
    /// Four words, the same on both screens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// How many guests were let in so far.
    pub uses: u32,
    /// The space, once it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space: Option<String>,
    /// Whether this side invites.
    pub host: bool,
}

impl Pairing {
    /// An update of the host's (`host`) or guest's side.
    pub fn new(update: &InvitationUpdate, host: bool) -> Self {
        Pairing {
            state: update.state.name().to_owned(),
            auth_code: update.auth_code.clone(),
            attempts_left: update.attempts_left,
            peer: update.peer_name.clone(),
            fingerprint: update.fingerprint.clone(),
            uses: update.uses,
            space: update.space.clone(),
            host,
        }
    }

    /// The same of one of several guests.
    pub fn of_guest(update: &InvitationUpdate, guest: &GuestUpdate) -> Self {
        Pairing {
            state: guest.state.name().to_owned(),
            auth_code: guest.auth_code.clone(),
            peer: guest.name.clone(),
            fingerprint: guest.fingerprint.clone(),
            ..Pairing::new(update, true)
        }
    }
}

/// See [`crate::event::Event::Paired`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Paired {
    /// The space.
    pub space: String,
    /// Whether a peer confirmed that both sides have the same.
    pub in_sync: bool,
    /// Whether this side invited.
    pub host: bool,
}

/// See [`crate::event::Event::Invitation`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct InvitationLine {
    /// Names it.
    pub invitation: String,
    /// The space, if it is known.
    pub space: Option<String>,
    /// `space` or `device`.
    pub kind: String,
    /// `interactive`, `multi_use` or `delegated`.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Whether this side is the guest.
    pub joining: bool,
    /// The guests' role.
    pub role: Option<String>,
    /// When it ends, in milliseconds since 1970.
    pub expires_ms: u64,
    /// How many guests it may let in; none: any number.
    pub max_uses: Option<u32>,
    /// How many it let in.
    pub uses: u32,
    /// Where it stands.
    pub state: String,
    /// The code, if it is here.
    pub code: Option<String>,
}

impl From<InvitationInfo> for InvitationLine {
    fn from(info: InvitationInfo) -> Self {
        InvitationLine {
            invitation: info.id,
            space: info.space,
            kind: match info.kind {
                InvitationKind::Space => "space",
                InvitationKind::Device => "device",
            }
            .to_owned(),
            type_name: match info.invitation_type {
                InvitationType::Interactive => "interactive",
                InvitationType::MultiUse => "multi_use",
                InvitationType::Delegated => "delegated",
            }
            .to_owned(),
            joining: info.joining,
            role: info.role,
            expires_ms: info.expires_ms,
            max_uses: info.max_uses,
            uses: info.uses,
            state: info.state.name().to_owned(),
            code: info.code,
        }
    }
}
