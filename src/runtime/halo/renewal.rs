//! A new X25519 key for this device every 90 days: what is sealed to it from then on does not open to
//! whoever got hold of the one before (research: auth.md 3(e)). The keyring keeps the last eight, for
//! what is still sealed to them.

use super::super::node::Node;
use crate::identity::Keyring;
use crate::model::Result;
use crate::runtime::clock;
use std::sync::{Arc, PoisonError};

/// How long a key is used.
const LASTS_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// The setting that says since when the present one is, in milliseconds, big-endian.
const SINCE: &str = "hpke/since";

impl Node {
    /// Renews the key if that is due, in the keyring and in the HALO space; the other spaces are
    /// brought in line with it as with everything. Whether it was.
    pub(super) fn renew_keyring_if_due(&self, now_ms: u64) -> Result<bool> {
        let due = self.with_profile(|profile| {
            let stored = profile.setting(SINCE)?;
            let since = stored.and_then(|bytes| bytes.try_into().ok().map(u64::from_be_bytes));
            match since {
                Some(since) if since <= now_ms => Ok(now_ms - since >= LASTS_MS),
                // The first time, or a clock that was set back.
                _ => {
                    profile.set_setting(SINCE, Some(&now_ms.to_be_bytes()))?;
                    Ok(false)
                }
            }
        })?;
        let renewed = due && self.renew_keyring(now_ms)?;
        let (keyring, _) = self.require_identity()?;
        let halo = self.halo()?;
        // Also what a crash between keyring and space has left out.
        let told = halo.with_settled(|core| core.renew_keyring(keyring))?;
        if told {
            halo.announce_control();
        }
        Ok(renewed || told)
    }

    fn renew_keyring(&self, now_ms: u64) -> Result<bool> {
        let mut identity = self
            .identity
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let Some(identity) = identity.as_mut() else {
            return Ok(false);
        };
        let renewed: Keyring = identity.keyring.renew_hpke(&mut clock::fill_random)?;
        self.with_profile(|profile| {
            // Durable before anybody seals anything to it.
            profile.replace_keyring(&renewed.encode())?;
            profile.set_setting(SINCE, Some(&now_ms.to_be_bytes()))
        })?;
        identity.keyring = Arc::new(renewed);
        self.log().info("halo", || {
            "the key to which content keys are sealed for this device was renewed".to_owned()
        });
        Ok(true)
    }
}
