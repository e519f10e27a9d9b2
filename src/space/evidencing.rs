//! What a membership credential is made of, and is compared with.

use super::space_core::SpaceCore;
use crate::model::{DeviceKey, Error, IdentityKey, Result, Role};
use bytes::Bytes;

impl SpaceCore {
    /// The entries that an identity's role rests on, each behind the header of its feed, parents
    /// first. Fails with `NotFound` for one without a role.
    pub fn evidence(&self, identity: &IdentityKey) -> Result<Vec<(Bytes, Bytes)>> {
        let Some((_, entries)) = self.authority.evidence(identity) else {
            return Err(Error::not_found(format!(
                "{identity} has no role in the space {}",
                self.id
            )));
        };
        let missing = || Error::corrupt("a control entry that was applied is not stored");
        let read = |id| {
            let entry = self.store.entry(&id)?.ok_or_else(missing)?;
            let feed = self.feeds.get(&entry.feed).ok_or_else(missing)?;
            Ok((feed.header_bytes.clone(), entry.bytes))
        };
        entries.into_iter().map(read).collect()
    }

    /// Whether the space knows that a device was revoked.
    pub fn knows_revoked(&self, device: &DeviceKey) -> bool {
        self.authority.is_revoked(device)
    }

    /// The role of an identity that is or was a member; the outer `None`: it is unknown here.
    pub fn role_if_known(&self, identity: &IdentityKey) -> Option<Option<Role>> {
        let known = self.authority.knows_identity(identity);
        known.then(|| self.authority.role(identity))
    }
}
