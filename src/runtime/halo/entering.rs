//! A client without identity becomes a device of one.

use super::super::node::{Identity, Node};
use crate::identity::Keyring;
use crate::model::{Error, ErrorKind, Result, Role, SpaceId};
use crate::runtime::space_host::SpaceKind;
use crate::space::SpaceCore;
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
        let join = |core: &mut SpaceCore| {
            let joined = join(core)?;
            // The HALO space has one member, who made it.
            if core.own_role() != Some(Role::Owner) {
                return Err(Error::protocol(
                    "the other device did not make this one a device of its identity",
                ));
            }
            Ok(joined)
        };
        let (keys, name) = (keyring.encode(), &new.display_name);
        let history = (new.headers, new.entries);
        let (core, joined) =
            self.enter_space(new.halo, &keyring, history, join, |profile, now| {
                profile.create_identity_in(&keys, name, &new.halo, now)
            })?;
        // Whoever sees the identity sees its HALO space too.
        let halo = self.put_space(core, SpaceKind::Halo)?;
        *identity = Some(Identity {
            keyring,
            display_name: new.display_name,
        });
        drop(identity);
        self.start_space(&halo);
        self.schedule_reconciling();
        Ok(joined)
    }
}
