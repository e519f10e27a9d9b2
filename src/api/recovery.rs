//! The recovery phrase: what remains when every device is lost.

use super::IdentityInfo;
use super::client::Client;
use super::error::Result;
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// How an identity is recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct RecoverOptions {
    /// What this device is called.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub device_name: Option<String>,
    /// Whether every device that the identity had before is revoked, in all spaces, once the spaces
    /// have come: for when devices were stolen.
    #[cfg_attr(feature = "bindings", uniffi(default = false))]
    pub revoke_older: bool,
    /// How long it may take in all, in seconds, 1 to 86,400.
    #[cfg_attr(feature = "bindings", uniffi(default = 120))]
    pub timeout_s: u64,
}

impl Default for RecoverOptions {
    fn default() -> Self {
        RecoverOptions {
            device_name: None,
            revoke_older: false,
            timeout_s: 120,
        }
    }
}

impl Client {
    /// Makes a new recovery phrase and gives its 24 words (BIP 39, English). **They are shown this
    /// one time and stored nowhere**: write them down. Whoever has them can become the identity.
    /// On a device that came by a phrase that one is void from now on; phrases made before on any other
    /// device stay in force and rank above the new one. Fails with `PermissionDenied` unless this is the
    /// identity's most senior device, or one that the present phrase brought back.
    pub fn create_recovery_phrase(&self) -> Result<String> {
        Ok(self.guard().node().create_recovery_phrase()?.to_string())
    }

    /// Makes a new recovery phrase in place of `current`, a phrase of this identity that is in force,
    /// and gives its 24 words, this one time. From then on `current` is void, and so is every phrase
    /// that ranks below it. Any device of the identity may do so, connected or not: for when others
    /// may have read the words. Devices that `current` brought back stay; revoke those you do not know.
    ///
    /// Fails with `InvalidArgument` if the words are no phrase (the misspelt one is named by its
    /// place), `PermissionDenied` if the phrase is not in force for this identity, `InvalidState`
    /// without an identity or on a revoked device, and `LimitExceeded` when it was done too often (more
    /// than twenty times).
    pub fn replace_recovery_phrase(&self, current: &str) -> Result<String> {
        let node = self.guard();
        Ok(node.node().replace_recovery_phrase(current)?.to_string())
    }

    /// Recovers the identity of a phrase on a client that has none. It takes any one device that
    /// holds the identity, online at the same signalling servers, and no server beside these. Waits
    /// until the identity is here; its spaces follow, as on any new device.
    ///
    /// Fails with `InvalidArgument` if the words are no phrase, `InvalidState` if there is an
    /// identity already or the client is offline, `PermissionDenied` if the phrase is void since a
    /// newer one was made, and `TimedOut` if no device was found. With `revoke_older`, `TimedOut`
    /// may also mean that the identity is recovered ([`Client::identity`] is there) but its spaces
    /// have not all come, so that no device was revoked.
    pub fn recover_identity(
        &self,
        phrase: String,
        options: RecoverOptions,
    ) -> Result<IdentityInfo> {
        let phrase = zeroize::Zeroizing::new(phrase);
        Ok(crate::runtime::halo::recover(
            self.guard().node(),
            &phrase,
            &options,
        )?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// Makes a new recovery phrase and gives its 24 words. They are shown this one time.
    #[uniffi::method(name = "create_recovery_phrase")]
    pub async fn create_recovery_phrase_async(self: Arc<Self>) -> Result<String> {
        super::run(move || self.create_recovery_phrase()).await
    }

    /// Makes a new recovery phrase in place of one that is in force.
    #[uniffi::method(name = "replace_recovery_phrase")]
    pub async fn replace_recovery_phrase_async(self: Arc<Self>, current: String) -> Result<String> {
        let current = zeroize::Zeroizing::new(current);
        super::run(move || self.replace_recovery_phrase(&current)).await
    }

    /// Recovers the identity of a phrase on a client that has none.
    #[uniffi::method(name = "recover_identity")]
    pub async fn recover_identity_async(
        self: Arc<Self>,
        phrase: String,
        options: RecoverOptions,
    ) -> Result<IdentityInfo> {
        super::run(move || self.recover_identity(phrase, options)).await
    }
}
