//! The command line of `member`.

use crate::wait_args::SyncWait;
use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// What may be done about members. IDENTITY is an identity's key, a prefix of it (4 characters or
/// more) or a name, if no other member of the space has it.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberCommand {
    /// Lists a space's members
    List {
        /// The space
        space: String,
    },
    /// Gives a member another role
    Role {
        /// The space
        space: String,
        /// The member: key, prefix of it, or name
        identity: String,
        /// owner, admin, editor, reader or relay
        role: String,
        /// The wait for others.
        #[command(flatten)]
        wait: SyncWait,
    },
    /// Removes a member: it gets nothing of the space any more
    Remove {
        /// The space
        space: String,
        /// The member: key, prefix of it, or name
        identity: String,
        /// The wait for others.
        #[command(flatten)]
        wait: SyncWait,
    },
    /// Makes another member the space's top owner, in this identity's place
    Handover {
        /// The space
        space: String,
        /// The member: key, prefix of it, or name
        identity: String,
        /// The wait for others.
        #[command(flatten)]
        wait: SyncWait,
    },
    /// Ends this identity's own role in a space; what is here stays, to be read
    Leave {
        /// The space
        space: String,
        /// The wait for others.
        #[command(flatten)]
        wait: SyncWait,
    },
    /// Lists the entries that do not count: written by members who were denied, or built on such
    Excluded {
        /// The space
        space: String,
    },
    /// Writes the effect of an excluded entry again, under this identity's name
    Resubmit {
        /// The space
        space: String,
        /// The entry, as `excluded` lists it
        entry: String,
    },
}
