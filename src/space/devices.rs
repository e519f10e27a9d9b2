//! Devices of our own identity: added, revoked, recovered.

use super::space_core::SpaceCore;
use crate::authority::ControlOp;
use crate::feed::{Dep, FeedHeader, FeedKind};
use crate::identity::{DeviceChain, Keyring, RecoveryStatement};
use crate::model::{DeviceKey, Error, Result};
use std::sync::Arc;

/// Feed heads that one denial names. Who wrote in more feeds keeps those with the smallest ids.
const HEADS: usize = 512;

impl SpaceCore {
    /// Adds a device of our identity, by what it shows; or ourselves, if our identity's present
    /// recovery key enrolled us. Whether anything was to be done. Errors with `PermissionDenied`
    /// if the rules refuse it.
    pub fn add_device(&mut self, chain: &DeviceChain) -> Result<bool> {
        let certificate = chain.certificate();
        let present = self.authority.role_of_device(&certificate.device).is_some()
            && self
                .authority
                .chain_of(&certificate.device)
                .is_some_and(|known| *known == *chain);
        if present {
            return Ok(false);
        }
        let certificate = chain.encode();
        self.author_control(&ControlOp::DeviceAdd { certificate })?;
        Ok(true)
    }

    /// Revokes a device, for ever. What of its writes has reached us stays.
    pub fn revoke_device(&mut self, device: DeviceKey) -> Result<()> {
        let heads = self.data_heads_of(|header| header.device == device);
        self.author_control(&ControlOp::DeviceRevoke { device, heads })?;
        self.replace_known_keys();
        Ok(())
    }

    /// Sets a recovery key of our identity. Whether anything was to be done: not if the space has this
    /// one, or a later one.
    pub fn set_recovery(&mut self, statement: &[u8]) -> Result<bool> {
        let said = RecoveryStatement::decode(statement)?;
        if self.authority.recovery_generation(&said.identity) >= said.generation {
            return Ok(false);
        }
        self.author_control(&ControlOp::RecoverySet {
            identity: said.identity,
            recovery: said.recovery,
            statement: statement.to_vec(),
        })?;
        Ok(true)
    }

    /// Goes on with a keyring that may have a renewed HPKE key, and tells the others of it unless
    /// they were told. Only the device itself does that: another might bring back an older key.
    pub fn renew_keyring(&mut self, keyring: Arc<Keyring>) -> Result<bool> {
        let device = keyring.device_key();
        if device != self.keyring.device_key() {
            return Err(Error::internal("a renewed keyring is of the same device"));
        }
        self.keyring = keyring;
        if self.own_role().is_none() {
            return Ok(false);
        }
        let known = self.authority.chain_of(&device);
        let known = known.map(|chain| chain.certificate().hpke);
        if known == Some(self.keyring.chain().certificate().hpke) {
            return Ok(false);
        }
        let chain = self.keyring.chain().clone();
        self.add_device(&chain)
    }

    /// The newest entries here of the data feeds that `of` picks, rising: what a denial names.
    pub(super) fn data_heads_of(&self, of: impl Fn(&FeedHeader) -> bool) -> Vec<Dep> {
        let feeds = self.feeds.iter();
        let picked = feeds.filter(|(_, feed)| {
            feed.stored && feed.header.kind == FeedKind::Data && of(&feed.header)
        });
        let mut heads: Vec<Dep> = picked
            .flat_map(|(id, feed)| {
                feed.tips.iter().map(|(seq, tip)| Dep {
                    feed: *id,
                    seq,
                    id: tip,
                })
            })
            .collect();
        heads.sort_unstable();
        heads.truncate(HEADS);
        heads
    }
}
