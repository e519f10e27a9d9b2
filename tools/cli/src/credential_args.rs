//! What may be done about credentials.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// What may be done about credentials. ID is what `list` prints first: `identity`, a space's id, or
/// the hash of a statement. CODE is what `export` or `present` printed; `-` reads it from standard
/// input.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CredentialCommand {
    /// What the identity can show: its card, its role in each space, and statements
    List,
    /// Prints a credential's code, which anybody can verify
    Export {
        /// Which
        id: String,
    },
    /// Verifies a credential's code. It proves nothing of who shows it, nor what was revoked since
    Read {
        /// The code, or - for standard input
        code: String,
    },
    /// Shows credentials to a verifier, in answer to its nonce: prints a code
    Present {
        /// Which; none shows the identity and its device
        ids: Vec<String>,
        /// The verifier's nonce, 16 to 64 bytes in hexadecimal
        #[arg(long, value_name = "HEX")]
        nonce: String,
        /// The verifier
        #[arg(long, value_name = "NAME")]
        audience: String,
    },
    /// Verifies what `present` printed, and compares it with what this profile's spaces know
    Verify {
        /// The code, or - for standard input
        code: String,
        /// The nonce that was asked with, in hexadecimal. Use every nonce once
        #[arg(long, value_name = "HEX")]
        nonce: String,
        /// The name by which it was asked
        #[arg(long, value_name = "NAME")]
        audience: String,
        /// Looks at no profile: what was revoked since is then unknown
        #[arg(long)]
        offline: bool,
    },
    /// Says something of an identity, or of one's own; export it, and have its subject import it
    Issue {
        /// The identity
        subject: String,
        /// What kind of statement it is
        #[arg(long = "type", value_name = "T")]
        type_name: String,
        /// What it says: a JSON object, or - for standard input
        #[arg(long, value_name = "JSON", default_value = "{}")]
        claims: String,
        /// Until when it holds, in milliseconds since 1970
        #[arg(long, value_name = "MS")]
        expires_ms: Option<i64>,
    },
    /// Keeps a statement about this identity, by its code
    Import {
        /// The code, or - for standard input
        code: String,
    },
    /// Forgets a statement, on all devices
    Remove {
        /// Which
        id: String,
    },
}

impl CredentialCommand {
    /// Whether it needs no profile.
    pub fn is_offline(&self) -> bool {
        matches!(
            self,
            CredentialCommand::Read { .. } | CredentialCommand::Verify { offline: true, .. }
        )
    }
}
