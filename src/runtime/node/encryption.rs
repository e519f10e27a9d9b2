//! The key of a client's files.

use super::Node;
use crate::api::Encryption;
use crate::model::{Error, Result};

impl Node {
    /// What keeps the key of the profile's files.
    pub(super) fn encryption(&self) -> Encryption {
        match (&self.vault, &self.options.profile) {
            (Some(vault), _) => vault.kept(),
            (None, Some(_)) => Encryption::Plain,
            (None, None) => Encryption::Memory,
        }
    }

    /// Gives the profile a passphrase, changes it, or takes it away.
    pub fn set_passphrase(&self, old: Option<&str>, new: Option<&str>) -> Result<()> {
        self.check_open()?;
        match &self.vault {
            Some(vault) => vault.set_passphrase(old, new),
            None => Err(Error::state(
                "the profile is not encrypted: a profile in memory has nothing to encrypt, and a plain one is encrypted when it is opened with encryption",
            )),
        }
    }
}
