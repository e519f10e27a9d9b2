//! Arguments of `space check` and `space repair`.

use serde::{Deserialize, Serialize};

/// See [`crate::args::SpaceCommand::Check`].
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct CheckArgs {
    /// The space
    pub space: String,
    /// Looks at every index, object and blob too, not only at the file's structure and the entries
    #[arg(long)]
    pub full: bool,
}

/// See [`crate::args::SpaceCommand::Repair`].
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct RepairArgs {
    /// The space
    pub space: String,
}
