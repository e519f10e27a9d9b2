//! Content keys of a space, on request.

use super::Space;
use super::error::Result;

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
}
