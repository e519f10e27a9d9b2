//! How to invite, and what may be done about open invitations.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

/// How to invite.
#[derive(Clone, Debug, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct InviteArgs {
    /// The space
    pub space: String,
    /// How long the code is good for, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
    pub expires: u64,
    /// Lets in so many guests with the one code; each needs an authorization code of its own.
    /// Interrupted, the invitation stays open
    #[arg(long, value_name = "GUESTS")]
    pub multi_use: Option<u32>,
    /// Lets any member who is online let in whoever has the code: there is no authorization code.
    /// Prints the code and ends; with --multi-use for so many guests, otherwise for one
    #[arg(long)]
    pub delegated: bool,
    /// The role of the guests: relay, reader, editor, admin or owner, below your own
    #[arg(long, value_name = "ROLE", default_value = "editor")]
    pub role: String,
    /// Gives the guests what is written from now on, and nothing that is older
    #[arg(long)]
    pub no_history: bool,
    /// How long to stay and replicate with the new member, in seconds, at most
    #[arg(long, value_name = "SECONDS", default_value_t = 15)]
    pub sync_wait: u64,
}

/// What may be done about open invitations.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InvitationsCommand {
    /// Lists the invitations of this profile, and those of others in its spaces
    List,
    /// Ends an invitation: nobody comes in through it any more
    Cancel {
        /// Its id
        id: String,
    },
}
