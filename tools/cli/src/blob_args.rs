//! What may be done about blobs.

use clap::Subcommand;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What may be done about blobs. Files are read and written by the process that runs the command,
/// which may be a serving one: their names are made absolute first.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlobCommand {
    /// Stores a file and prints its id; put {"@blob": ID, "size": SIZE} into an object's field to keep
    /// it
    Put {
        /// The space
        space: String,
        /// The file
        file: PathBuf,
    },
    /// Writes a blob that is here to a file
    Get {
        /// The space
        space: String,
        /// The blob
        id: String,
        /// The file
        file: PathBuf,
    },
    /// Prints what is here of a blob, or of all
    Info {
        /// The space
        space: String,
        /// The blob; without it, all of which something is here
        id: Option<String>,
    },
    /// Fetches a blob from peers; what has come stays when this is interrupted
    Fetch {
        /// The space
        space: String,
        /// The blob
        id: String,
        /// How long to try, in seconds, at most
        #[arg(long, value_name = "SECONDS", default_value_t = 60)]
        timeout: u64,
    },
    /// Removes blobs that no object names
    Collect {
        /// The space
        space: String,
        /// How long a blob must have been without an object that names it, in seconds
        #[arg(long, value_name = "SECONDS", default_value_t = 604_800)]
        grace: u64,
    },
}

impl BlobCommand {
    /// The file it reads or writes.
    pub fn file_mut(&mut self) -> Option<&mut PathBuf> {
        match self {
            BlobCommand::Put { file, .. } | BlobCommand::Get { file, .. } => Some(file),
            _ => None,
        }
    }
}
