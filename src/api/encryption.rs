//! Encryption of what is on the disk: where the key is, and how it is changed.

use super::Client;
use super::error::{EchoError, Result};
#[cfg(feature = "bindings")]
use std::sync::Arc;
use zeroize::Zeroizing;

/// Whether a profile's files are encrypted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum EncryptionMode {
    /// They are: under the passphrase if one is given, else under the key provider's key if there
    /// is a provider, else under a key in a file beside them. A profile that was made plain is
    /// encrypted when it is opened.
    #[default]
    Auto = 0,
    /// A new profile is plain, and a plain one stays so. One that is encrypted stays that too.
    Off = 1,
}

/// What keeps the key of a profile's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum Encryption {
    /// There are no files: the profile is in memory.
    Memory = 0,
    /// Nothing: the files are plain.
    Plain = 1,
    /// A file beside them, which only its owner may read. It protects a file that is copied or
    /// thrown away alone, and nothing from those who can read the whole profile.
    FileKey = 2,
    /// A passphrase.
    Passphrase = 3,
    /// The program's key provider.
    KeyProvider = 4,
}

/// Keeps a key for a profile in a place of the system's that is safer than its files: the keychain
/// of macOS or iOS, the keystore of Android, the secret service of a desktop. The library asks for
/// the key when the profile is opened, on the thread that opens it or on one of its own, with no
/// lock held, and keeps it no longer than it takes to open the profile's own key with it.
#[cfg_attr(feature = "bindings", uniffi::export(with_foreign))]
pub trait KeyProvider: Send + Sync {
    /// The key that was stored for this profile (32 hexadecimal digits that tell profiles apart),
    /// or nothing if none was. Fails if the place cannot be asked now, as while the device is locked;
    /// opening then fails with `KeyUnavailable`.
    fn load_key(&self, profile: String) -> std::result::Result<Option<Vec<u8>>, EchoError>;

    /// Stores the key of this profile, 32 bytes, in the place of an earlier one; it is to last
    /// before this returns. Losing it loses the profile.
    fn store_key(&self, profile: String, key: Vec<u8>) -> std::result::Result<(), EchoError>;
}

impl Client {
    /// Gives the profile a passphrase, changes it, or, without a new one, takes it away: then the
    /// key is with the key provider that the client was opened with, or else in a file. `old` is
    /// the present passphrase, if there is one. It takes about a second, and no file is written anew
    /// but the one that holds the profile's key; a crash leaves the one or the other passphrase.
    /// Whoever has a copy of that file from before can open the profile with the old one still.
    /// Fails with `WrongPassphrase`; with `InvalidArgument` when the new one is empty or longer than
    /// 1024 bytes; with `InvalidState` when the profile is plain or in memory.
    pub fn set_passphrase(&self, old: Option<String>, new: Option<String>) -> Result<()> {
        let (old, new) = (old.map(Zeroizing::new), new.map(Zeroizing::new));
        let old = old.as_ref().map(|text| text.as_str());
        let new = new.as_ref().map(|text| text.as_str());
        Ok(self.guard().node().set_passphrase(old, new)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// Gives the profile a passphrase, changes it, or, without a new one, takes it away.
    #[uniffi::method(name = "set_passphrase")]
    pub async fn set_passphrase_async(
        self: Arc<Self>,
        old: Option<String>,
        new: Option<String>,
    ) -> Result<()> {
        super::run(move || self.set_passphrase(old, new)).await
    }
}
