//! The devices of our identity, as one space has them and as another is to have them.

use super::space_core::SpaceCore;
use crate::authority::ControlOp;
use crate::feed::sha256;
use crate::identity::{DeviceChain, Issuer, RecoveryStatement};
use crate::model::{DeviceKey, Error, ErrorKind, RecoveryKey, Result};
use std::sync::Arc;

/// A device that is or was one of the identity's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyMember {
    /// What shows that it was made one.
    pub chain: Arc<DeviceChain>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// Whether a recovery phrase made it one.
    pub recovered: bool,
}

/// A recovery key in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyPhrase {
    /// The key.
    pub key: RecoveryKey,
    /// The statement that names it, last, and before it those of the keys that it came by, the oldest
    /// first: a space that has one of them is to learn that this one replaced it.
    pub statements: Vec<Arc<[u8]>>,
}

/// All devices of the identity and its recovery keys, as its HALO space has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Family {
    /// The devices: those that act, the most senior first, then the revoked ones.
    pub members: Vec<FamilyMember>,
    /// The recovery keys in force, the oldest first.
    pub recoveries: Vec<FamilyPhrase>,
    /// The identity's display name.
    pub display_name: String,
}

impl Family {
    /// A device.
    pub fn member(&self, device: &DeviceKey) -> Option<&FamilyMember> {
        let mut members = self.members.iter();
        members.find(|member| member.chain.certificate().device == *device)
    }

    /// Whether a device was revoked.
    pub fn is_revoked(&self, device: &DeviceKey) -> bool {
        self.member(device).is_some_and(|member| member.revoked)
    }

    /// The same with a further device revoked.
    pub fn without(&self, device: &DeviceKey) -> Family {
        let mut family = self.clone();
        for member in &mut family.members {
            member.revoked |= member.chain.certificate().device == *device;
        }
        family
    }

    /// Changes whenever anything here does.
    pub fn digest(&self) -> [u8; 32] {
        let mut bytes = Vec::new();
        for member in &self.members {
            bytes.extend_from_slice(&sha256(&[&member.chain.encode()]));
            bytes.push(u8::from(member.revoked));
        }
        let phrases = self.recoveries.iter();
        let statements = phrases.filter_map(|phrase| phrase.statements.last());
        let statements: Vec<u8> = statements.flat_map(|bytes| bytes.to_vec()).collect();
        let name = sha256(&[self.display_name.as_bytes()]);
        sha256(&[b"echodb/family/v1", &bytes, &name, &statements])
    }
}

impl SpaceCore {
    /// Our identity's devices as this space has them.
    pub fn family(&self) -> Family {
        let identity = self.keyring.identity_key();
        let mut devices = self.authority.devices_by_rank(&identity);
        devices.extend(self.authority.revoked_devices(&identity));
        let members = devices.into_iter().filter_map(|device| {
            let chain = self.authority.chain_of(&device)?;
            Some(FamilyMember {
                revoked: self.authority.is_revoked(&device),
                recovered: matches!(chain.enrolled_by(), Issuer::Recovery(_)),
                chain,
            })
        });
        let mut recoveries = self.authority.recoveries(&identity);
        recoveries.sort_by_key(|view| view.generation);
        Family {
            members: members.collect(),
            recoveries: recoveries
                .into_iter()
                .map(|view| FamilyPhrase {
                    key: view.key,
                    statements: self.statements_to(&view.key, view.statement),
                })
                .collect(),
            display_name: self.authority.name_of(&identity),
        }
    }

    /// Does here what was done elsewhere: registers the recovery keys, adds the devices that act,
    /// takes the display name over and, with `revoke`, revokes the devices that were revoked. Whether
    /// anything was to be done. What the rules of this space refuse to this device is left to one that
    /// may, and put into `refused`.
    pub fn bring_in_line(
        &mut self,
        family: &Family,
        revoke: bool,
        refused: &mut Vec<Error>,
    ) -> Result<bool> {
        let mut changed = false;
        // First: a device that a key enrolled is to have its rank here too.
        changed |= self.set_recoveries(family, &mut Vec::new())?;
        for member in family.members.iter().filter(|member| !member.revoked) {
            let device = member.chain.certificate().device;
            let acts = self.authority.role_of_device(&device).is_some();
            if !acts && !self.authority.is_revoked(&device) {
                changed |= unless_refused(self.add_device(&member.chain), refused)?;
            }
        }
        // Those that devices stated which are here only now.
        changed |= self.set_recoveries(family, refused)?;
        if self.authority.name_of(&self.keyring.identity_key()) != family.display_name {
            let name = self.set_name(&family.display_name).map(|()| true);
            changed |= unless_refused(name, refused)?;
        }
        if revoke {
            for device in self.revocations_due(family) {
                let done = self.revoke_device(device).map(|()| true);
                changed |= unless_refused(done, refused)?;
            }
        }
        Ok(changed)
    }

    /// The devices that act here and were revoked elsewhere; this one last, since afterwards it may
    /// nothing.
    pub fn revocations_due(&self, family: &Family) -> Vec<DeviceKey> {
        let own = self.keyring.device_key();
        let revoked = family.members.iter().filter(|member| member.revoked);
        let mut due: Vec<DeviceKey> = revoked
            .map(|member| member.chain.certificate().device)
            .filter(|device| self.authority.role_of_device(device).is_some())
            .collect();
        due.sort_by_key(|device| *device == own);
        due
    }
}

impl SpaceCore {
    fn set_recoveries(&mut self, family: &Family, refused: &mut Vec<Error>) -> Result<bool> {
        let mut changed = false;
        for phrase in &family.recoveries {
            changed |= self.bring_in(phrase, refused)?;
        }
        Ok(changed)
    }

    /// Registers a recovery key. Where one is in force that it came by, this replaces that one, or is
    /// left to a device that can do so: it would come below a phrase that is void elsewhere.
    fn bring_in(&mut self, phrase: &FamilyPhrase, refused: &mut Vec<Error>) -> Result<bool> {
        let present = self.authority.recoveries(&self.keyring.identity_key());
        let mut said = Vec::with_capacity(phrase.statements.len());
        for statement in &phrase.statements {
            said.push(RecoveryStatement::decode(statement)?);
        }
        let known = said
            .iter()
            .rposition(|said| present.iter().any(|view| view.key == said.recovery));
        let first = known.map_or(said.len().saturating_sub(1), |known| known + 1);
        let mut changed = false;
        let missing = said.iter().zip(&phrase.statements).skip(first);
        for (said, statement) in missing {
            let own = self.keyring.device_key();
            let done = match known.is_none() || self.authority.replaces_a_key(&own, said) {
                true => self.set_recovery(statement),
                false => Err(Error::new(
                    ErrorKind::PermissionDenied,
                    "a recovery phrase is left to a device that may replace the one before",
                )),
            };
            if !unless_refused(done, refused)? {
                break;
            }
            changed = true;
        }
        Ok(changed)
    }

    /// The statements that lead to a recovery key of ours, whose own is the last.
    fn statements_to(&self, key: &RecoveryKey, own: Vec<u8>) -> Vec<Arc<[u8]>> {
        let identity = self.keyring.identity_key();
        let Some((chain, way)) = self.authority.way_to_recovery(&identity, key) else {
            return vec![own.into()];
        };
        chain.statements().cloned().chain(way).collect()
    }

    /// Sets our identity's display name in this space.
    fn set_name(&mut self, display_name: &str) -> Result<()> {
        self.author_control(&ControlOp::NameSet {
            display_name: display_name.to_owned(),
        })
        .map(drop)
    }
}

fn unless_refused(done: Result<bool>, refused: &mut Vec<Error>) -> Result<bool> {
    match done {
        Err(error)
            if matches!(
                error.kind(),
                ErrorKind::PermissionDenied | ErrorKind::LimitExceeded
            ) =>
        {
            refused.push(error);
            Ok(false)
        }
        done => done,
    }
}
