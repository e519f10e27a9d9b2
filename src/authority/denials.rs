//! Denials: what takes rights away, as the data entries of the denied are judged by it.

use super::facts::View;
use super::op::ControlOp;
use super::resolver::Authority;
use crate::feed::Dep;
use crate::model::{DeviceKey, EntryId, IdentityKey, Role};
use std::sync::Arc;

/// Whom a denial is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// All devices of an identity.
    Identity(IdentityKey),
    /// One device.
    Device(DeviceKey),
}

/// A removal, a demotion or the revocation of a device, in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Denial {
    /// The control entry that says so.
    pub entry: EntryId,
    /// Who lost rights.
    pub target: Target,
    /// The role that was left; none: no role.
    pub leaves: Option<Role>,
    /// The newest entries of the target's data feeds that are to stay, rising.
    pub heads: Vec<Dep>,
    /// Whether nobody denied the target anything, but what it stood on was undone. The entry stands for
    /// that then.
    pub is_void: bool,
}

/// What an operation takes away, as kept beside its entry.
#[derive(Clone, Debug)]
pub struct Denied {
    /// Who loses rights.
    pub target: Target,
    /// The role that is left.
    pub leaves: Option<Role>,
    /// The data heads that are to stay.
    pub heads: Arc<[Dep]>,
}

impl Denied {
    /// What an operation takes away, `view` being its past. None if it takes nothing.
    pub fn of(op: &ControlOp, view: &View<'_>) -> Option<Denied> {
        match op {
            ControlOp::SetRole {
                identity,
                role,
                heads,
            } => {
                let takes = role.is_none() || *role < view.role(identity);
                takes.then(|| Denied {
                    target: Target::Identity(*identity),
                    leaves: *role,
                    heads: heads.clone().into(),
                })
            }
            ControlOp::DeviceRevoke { device, heads } => Some(Denied {
                target: Target::Device(*device),
                leaves: None,
                heads: heads.clone().into(),
            }),
            _ => None,
        }
    }
}

impl Authority {
    /// The denials in force, rising by entry. One that was undone, because a superior denied its
    /// author concurrently, is not among them: what it had excluded counts again.
    pub fn denials(&self) -> Vec<Denial> {
        let denials = self.denials.iter().filter(|(at, _)| self.is_alive(*at));
        let mut all: Vec<_> = denials
            .filter_map(|(at, denied)| {
                Some(Denial {
                    entry: self.graph.node(*at)?.id,
                    target: denied.target,
                    leaves: denied.leaves,
                    heads: denied.heads.to_vec(),
                    is_void: false,
                })
            })
            .collect();
        all.sort_unstable_by_key(|denial| denial.entry);
        all
    }

    /// Whether somebody who had seen exactly the control entries `ctl` and their pasts knew of a
    /// denial. None when one of them, or the denial, is unknown here.
    pub fn knows(&self, ctl: &[EntryId], denial: &EntryId) -> Option<bool> {
        let denial = self.graph.number(denial)?;
        let place = self.graph.after(ctl.iter())?;
        Some(place.past.contains(denial))
    }
}
