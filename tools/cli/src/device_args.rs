//! What may be done about the identity and its devices.

use crate::wait_args::SyncWait;
use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// What may be done about the identity.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IdentityCommand {
    /// Makes the identity, this device's keys, and the default space
    Create {
        /// The name that others see
        #[arg(long, value_name = "N")]
        name: Option<String>,
    },
    /// Prints the identity
    Show,
    /// Makes a new recovery phrase of 24 words and shows it this one time
    Phrase {
        /// In place of the present one, which is read from standard input and void from then on
        #[arg(long)]
        replace: bool,
        /// The wait for others.
        #[command(flatten)]
        wait: SyncWait,
    },
    /// Recovers the identity of a phrase, which is read from standard input, on a profile without
    /// one. It takes a device of the identity that is online
    Recover {
        /// What this device is called
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// Revokes every device that the identity had before
        #[arg(long)]
        revoke_older: bool,
        /// How long it may take, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 120)]
        timeout: u64,
    },
}

impl IdentityCommand {
    /// Whether it is for a profile that is about to be made.
    pub fn makes_profile(&self) -> bool {
        matches!(
            self,
            IdentityCommand::Create { .. } | IdentityCommand::Recover { .. }
        )
    }
}

/// What may be done about the identity's devices. DEVICE is a device's key, a prefix of it (4
/// characters or more) that no other device shares, or a name that no other device has.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceCommand {
    /// Shows a code for a new device of this identity, then a short authorization code. Whoever is
    /// let in this way is you
    Invite {
        /// How long the code is good for, in seconds, at most a day
        #[arg(long, value_name = "SECONDS", default_value_t = 600)]
        expires: u64,
        /// How long to stay and replicate with the new device, in seconds, at most
        #[arg(long, value_name = "SECONDS", default_value_t = 15)]
        sync_wait: u64,
    },
    /// Makes this profile, which has no identity, a device of the identity whose device shows the code
    Join {
        /// The code or URL that `device invite` showed
        code: String,
        /// What this device is called
        #[arg(long, value_name = "N")]
        name: Option<String>,
        /// The authorization code; without it, it is asked for
        #[arg(long, value_name = "CODE")]
        auth_code: Option<String>,
        /// How long to look for the other device, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 120)]
        timeout: u64,
        /// How long to stay and replicate afterwards, in seconds, at most
        #[arg(long, value_name = "SECONDS", default_value_t = 15)]
        sync_wait: u64,
    },
    /// Lists the devices, the most senior first
    List,
    /// Names a device
    Rename {
        /// The device
        device: String,
        /// The name
        name: String,
    },
    /// Revokes a device for ever, in all spaces
    Revoke {
        /// The device
        device: String,
        /// The wait for others.
        #[command(flatten)]
        wait: SyncWait,
    },
}

impl DeviceCommand {
    /// Whether it takes the network for its whole length, and may be interrupted.
    pub fn waits(&self) -> bool {
        matches!(
            self,
            DeviceCommand::Invite { .. } | DeviceCommand::Join { .. }
        )
    }

    /// Whether it is for a profile that is about to be made.
    pub fn makes_profile(&self) -> bool {
        matches!(self, DeviceCommand::Join { .. })
    }
}
