//! Content keys of a space, on request.

use super::Space;
use super::error::Result;
use crate::model::IdentityKey;

impl Space {
    /// Makes a new content key for what is written from now on, sealed to every device that may
    /// read. Keys are made anew by themselves when somebody loses the right to read and about every
    /// 30 days; call this when a device may have been read by others and is clean again. What was
    /// written before stays readable to those who could read it, and to those who had the old key.
    ///
    /// Takes the role of reader or above. Fails with `PermissionDenied`, and with `Storage`.
    pub fn rotate_key(&self) -> Result<()> {
        Ok(self.handle().rotate_key()?)
    }

    /// Gives a member who was invited without the history ([`super::InviteOptions::history`]) the
    /// keys of what was written before its time, as far as this device has them. What is sealed off
    /// for it opens as soon as it hears of that. It cannot be taken back. Whether there was anything
    /// that the member lacked.
    ///
    /// Takes the role of admin or above. Fails with `PermissionDenied`, with `NotFound` for an
    /// identity that is no member who may read, with `InvalidArgument` for what is no key, and with
    /// `Storage`.
    pub fn share_history(&self, identity: &str) -> Result<bool> {
        let identity = IdentityKey::parse(identity)?;
        Ok(self.handle().share_history(&identity)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// Makes a new content key for what is written from now on, sealed to every device that may
    /// read. Keys are made anew by themselves when somebody loses the right to read and about every
    /// 30 days; call this when a device may have been read by others and is clean again. What was
    /// written before stays readable to those who could read it, and to those who had the old key.
    /// Takes the role of reader or above. Fails with `PermissionDenied`, and with `Storage`.
    #[uniffi::method(name = "rotate_key")]
    pub async fn rotate_key_async(self: std::sync::Arc<Self>) -> Result<()> {
        super::run(move || self.rotate_key()).await
    }

    /// Gives a member who was invited without the history ([`super::InviteOptions::history`]) the
    /// keys of what was written before its time, as far as this device has them. What is sealed off
    /// for it opens as soon as it hears of that. It cannot be taken back. Whether there was anything
    /// that the member lacked. Takes the role of admin or above. Fails with `PermissionDenied`, with
    /// `NotFound` for an identity that is no member who may read, with `InvalidArgument` for what is
    /// no key, and with `Storage`.
    #[uniffi::method(name = "share_history")]
    pub async fn share_history_async(self: std::sync::Arc<Self>, identity: String) -> Result<bool> {
        super::run(move || self.share_history(&identity)).await
    }
}
