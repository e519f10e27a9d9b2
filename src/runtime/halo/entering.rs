//! A client without identity becomes a device of one.

use super::super::node::{Identity, Node};
use crate::identity::Keyring;
use crate::model::{Error, ErrorKind, Result, Role, SpaceId};
use crate::runtime::clock;
use crate::runtime::space_host::SpaceKind;
use crate::space::{Ingest, SpaceCore};
use bytes::Bytes;
use std::sync::{Arc, PoisonError};

/// What makes a client a device of an identity.
pub struct NewDevice {
    /// This device's keys, certified.
    pub keyring: Keyring,
    /// The identity's display name.
    pub display_name: String,
    /// The HALO space.
    pub halo: SpaceId,
    /// Headers of its control feeds.
    pub headers: Vec<Bytes>,
    /// Its control entries, in a causal order.
    pub entries: Vec<Bytes>,
}

impl Node {
    /// Takes an identity on: keyring and HALO space are stored together, or neither is. The control
    /// entries must show that this device is one of the identity's, or `join` must make it one.
    /// What `join` returns is for whoever certified this device.
    pub fn enter_identity<T>(
        &self,
        new: NewDevice,
        join: impl FnOnce(&mut SpaceCore) -> Result<T>,
    ) -> Result<T> {
        self.check_open()?;
        let mut identity = self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        if identity.is_some() {
            return Err(Error::new(
                ErrorKind::AlreadyExists,
                "this profile has an identity already",
            ));
        }
        let keyring = Arc::new(new.keyring);
        let (core, joined) = self.with_profile(|profile| {
            let store = profile.open_space(&new.halo)?;
            let random = Box::new(clock::fill_random);
            let own = Arc::clone(&keyring);
            let mut core = SpaceCore::join(new.halo, Box::new(store), own, random)?;
            for header in &new.headers {
                core.add_feed(header)?;
            }
            core.ingest(new.entries, &mut Ingest::default())?;
            let joined = join(&mut core)?;
            // The HALO space has one member, who made it.
            if core.own_role() != Some(Role::Owner) {
                return Err(Error::protocol(
                    "the other device did not make this one a device of its identity",
                ));
            }
            // What the profile names is to be durable before.
            core.flush()?;
            let now = i64::try_from(clock::now_ms()).unwrap_or(i64::MAX);
            let keys = keyring.encode();
            profile.create_identity_in(&keys, &new.display_name, &new.halo, now)?;
            Ok((core, joined))
        })?;
        *identity = Some(Identity {
            keyring,
            display_name: new.display_name,
        });
        drop(identity);
        self.take_space(core, SpaceKind::Halo)?;
        self.schedule_reconciling();
        Ok(joined)
    }
}
