//! How long commands wait for others who should hear of what they do.

use crate::args::{Command, DeviceCommand, IdentityCommand};
use crate::member_args::MemberCommand;
use clap::Args;
use serde::{Deserialize, Serialize};

/// How long a command that others should hear of waits for them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Args, Serialize, Deserialize)]
pub struct SyncWait {
    /// How long to wait for others before, so that what they hold is here, and again afterwards, so
    /// that they hear of it, in seconds, at most; 0 does not wait. With nobody else there, nor while
    /// `serve` runs, nothing waits
    #[arg(long = "sync-wait", value_name = "SECONDS", default_value_t = 15)]
    pub seconds: u64,
}

impl SyncWait {
    /// That of a command, if it has one and is to wait.
    pub fn of(command: &Command) -> Option<SyncWait> {
        let wait = match command {
            Command::Identity(IdentityCommand::Phrase { wait, .. })
            | Command::Device(DeviceCommand::Revoke { wait, .. })
            | Command::RotateKey { wait, .. } => Some(*wait),
            Command::Member(command) => of_member(command),
            _ => None,
        };
        wait.filter(|wait| wait.seconds > 0)
    }

    /// That of a command which waits before it has done anything. A phrase is made at once: what
    /// could be interrupted is the wait after it, by which nothing is lost.
    pub fn before(command: &Command) -> Option<SyncWait> {
        SyncWait::of(command).filter(|_| !matches!(command, Command::Identity(_)))
    }
}

fn of_member(command: &MemberCommand) -> Option<SyncWait> {
    match command {
        MemberCommand::Role { wait, .. }
        | MemberCommand::Remove { wait, .. }
        | MemberCommand::Handover { wait, .. }
        | MemberCommand::Leave { wait, .. } => Some(*wait),
        MemberCommand::List { .. }
        | MemberCommand::Excluded { .. }
        | MemberCommand::Resubmit { .. } => None,
    }
}
