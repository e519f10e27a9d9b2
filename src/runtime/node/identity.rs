//! The identity of a profile: making it, and who it is.

use super::{Identity, Node};
use crate::api::IdentityInfo;
use crate::identity::Keyring;
use crate::model::{Error, ErrorKind, Result, Value};
use crate::runtime::clock;
use crate::runtime::space_host::SpaceKind;
use crate::runtime::storage::ProfileStore;
use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError};

impl Identity {
    /// The profile's identity, if there is one. A keyring of an older version holds more than this
    /// device needs, and is replaced.
    pub(super) fn load(profile: &mut ProfileStore) -> Result<Option<Identity>> {
        let Some(bytes) = profile.keyring()? else {
            return Ok(None);
        };
        let keyring = Keyring::decode(&bytes)?;
        if Keyring::is_outdated(&bytes) {
            profile.replace_keyring(&keyring.encode())?;
        }
        Ok(Some(Identity {
            keyring: Arc::new(keyring),
            display_name: profile.display_name()?.unwrap_or_default(),
        }))
    }
}

impl Node {
    /// The identity's keys and name; fails if there is none.
    pub fn require_identity(&self) -> Result<(Arc<Keyring>, String)> {
        self.check_open()?;
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        match identity.as_ref() {
            Some(identity) => Ok((Arc::clone(&identity.keyring), identity.display_name.clone())),
            None => Err(Error::state(
                "this profile has no identity yet: create one first",
            )),
        }
    }

    /// The identity, if there is one.
    pub fn identity(&self) -> Option<IdentityInfo> {
        let identity = self.identity.read().unwrap_or_else(PoisonError::into_inner);
        identity.as_ref().map(|identity| IdentityInfo {
            identity: identity.keyring.identity_key().to_string(),
            device: identity.keyring.device_key().to_string(),
            display_name: identity.display_name.clone(),
        })
    }

    /// Makes the identity and the default space.
    pub fn create_identity(&self, display_name: String) -> Result<IdentityInfo> {
        self.check_open()?;
        {
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
            let keyring = Keyring::generate(&mut clock::fill_random);
            self.with_profile(|profile| profile.create_identity(&keyring.encode(), &display_name))?;
            *identity = Some(Identity {
                keyring: Arc::new(keyring),
                display_name,
            });
        }
        self.create_default_space()?;
        self.complete_halo()?;
        self.identity()
            .ok_or_else(|| Error::internal("the identity that was just made is absent"))
    }

    fn create_default_space(&self) -> Result<()> {
        let mut properties = BTreeMap::new();
        properties.insert("name".to_owned(), Value::String("default".to_owned()));
        self.create_space(properties, SpaceKind::Default).map(drop)
    }

    /// Makes the default space that a crash between it and the identity has left out, and the HALO
    /// space, which profiles of earlier versions lack too.
    pub(super) fn complete_identity(&self) {
        let without = self.hosts().iter().all(|host| !host.is_default());
        if self.identity().is_some()
            && without
            && let Err(error) = self.create_default_space()
        {
            // As on a full disk, which must keep nobody out: a later start tries again.
            self.log.warn("space", || {
                format!("the default space could not be made: {error}")
            });
        }
        if self.identity().is_some()
            && let Err(error) = self.complete_halo()
        {
            self.log.warn("halo", || {
                format!("the HALO space could not be made: {error}")
            });
        }
    }
}
