//! Deeds: what an accepted operation took, judged in its own past, and what it can do to others.
//! From these alone, and the facts, it is decided again whether the operation still stands when
//! something concurrent denies its author. All of it is fixed by the entry's past.

use super::denials::{Denied, Target};
use super::enrolment::DeviceRank;
use super::facts::View;
use super::op::ControlOp;
use super::tenure::{Rank, Tenure};
use crate::feed::FeedHeader;
use crate::model::{DeviceKey, IdentityKey, Role};

/// What an operation stands on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ground {
    /// Nothing that could fall: it changes nothing, or creates the space.
    Nothing,
    /// The author's device, among the devices of its identity. Whether the identity has a role is
    /// no matter: without one its devices mean nothing.
    House,
    /// The same, for a device that its identity's recovery key brought in by this very operation.
    Recovery,
    /// The author's device and its identity's role, of at least this; none: of any.
    Office(Option<Role>),
    /// An open invitation to this role.
    Invitation([u8; 32], Role),
}

/// An accepted operation, as others and later findings bear on it.
#[derive(Clone, Debug)]
pub struct Deed {
    /// The author.
    pub identity: IdentityKey,
    /// The author's device.
    pub device: DeviceKey,
    /// The author's rank; of a guest the one it gets. None only for genesis.
    pub rank: Option<Rank>,
    /// The device's place among those of its identity; none: before all.
    pub device_rank: Option<DeviceRank>,
    /// What it stands on.
    pub ground: Ground,
    /// Whose rights it takes, and what it leaves them.
    pub denies: Option<(Target, Option<Role>)>,
    /// Whom it makes top owner.
    pub raises: Option<IdentityKey>,
    /// The invitation it closes.
    pub closes: Option<[u8; 32]>,
    /// The identity that may lose by it: the target, also of a role that raises it but may be below
    /// what somebody else gives at the same time; the one whose device that is; or the guest.
    pub against: Option<IdentityKey>,
}

impl Deed {
    /// What an operation amounts to; `view` is its own past, in which it was accepted.
    pub fn of(op: &ControlOp, author: &FeedHeader, view: &View<'_>) -> Deed {
        let denied = Denied::of(op, view).map(|denied| (denied.target, denied.leaves));
        let raises = match op {
            ControlOp::Succession { identity } => Some(*identity),
            _ => None,
        };
        let against = match op {
            // Who is made top owner meanwhile would have the lower of both roles.
            ControlOp::Join { .. } => Some(author.identity),
            ControlOp::SetRole { identity, role, .. } if *role < Some(Role::Owner) => {
                Some(*identity)
            }
            ControlOp::DeviceRevoke { device, .. } => view.identities_of(device).first().copied(),
            _ => None,
        };
        let device_rank = view.device_rank(&author.device);
        // A hand-over has the rank that it gives: what its successor does stands on it.
        let line = raises.and_then(|to| view.line_to(&author.identity, &to));
        let rank = match line {
            Some(line) => Some((Role::Owner, Tenure::Top(line))),
            None => view.rank(&author.identity),
        };
        Deed {
            identity: author.identity,
            device: author.device,
            rank,
            ground: ground(op, author, view),
            device_rank,
            denies: denied,
            raises,
            closes: match op {
                ControlOp::InviteClose { invitation_key } => Some(*invitation_key),
                _ => None,
            },
            against,
        }
    }

    /// Whether it is about the devices of its author's identity, and was done by one of them.
    pub fn is_house(&self) -> bool {
        matches!(self.ground, Ground::House | Ground::Recovery)
    }
}

fn ground(op: &ControlOp, author: &FeedHeader, view: &View<'_>) -> Ground {
    let office = |role: Role| Ground::Office(Some(role));
    match op {
        ControlOp::Genesis { .. } | ControlOp::Merge | ControlOp::Unknown(..) => Ground::Nothing,
        ControlOp::RecoverySet { .. } => Ground::House,
        ControlOp::DeviceAdd { .. } => {
            match view.device(&author.device, &author.identity).is_some() {
                true => Ground::House,
                false => Ground::Recovery,
            }
        }
        ControlOp::DeviceRevoke { device, .. } => {
            let targets = view.identities_of(device);
            match targets.iter().all(|target| *target == author.identity) {
                true => Ground::House,
                false => {
                    let roles = targets.iter().map(|target| view.role(target));
                    office(above(roles.max().flatten()).max(Role::Admin))
                }
            }
        }
        ControlOp::SetRole { identity, role, .. } if *identity == author.identity => {
            Ground::Office(*role)
        }
        ControlOp::SetRole { identity, role, .. } => {
            let over = above(view.role(identity)).max(above(*role));
            office(over.max(Role::Admin))
        }
        ControlOp::InviteOpen { role_cap, .. } => office(above(Some(*role_cap)).max(Role::Admin)),
        ControlOp::InviteClose { invitation_key } => {
            let cap = view.invitation(invitation_key).map(|(cap, _)| cap);
            office(above(cap).max(Role::Admin))
        }
        ControlOp::Join {
            invitation_key,
            role,
            ..
        } => Ground::Invitation(*invitation_key, *role),
        ControlOp::KeyRotate { .. } | ControlOp::KeyShare { .. } => office(Role::Reader),
        ControlOp::Succession { .. } => office(Role::Owner),
        ControlOp::NameSet { .. } => Ground::Office(None),
    }
}

/// The lowest role above one; owners may stand above owners.
fn above(role: Option<Role>) -> Role {
    match role {
        None => Role::Relay,
        Some(Role::Relay) => Role::Reader,
        Some(Role::Reader) => Role::Editor,
        Some(Role::Editor) => Role::Admin,
        Some(Role::Admin | Role::Owner) => Role::Owner,
    }
}
