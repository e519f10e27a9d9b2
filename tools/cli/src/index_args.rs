//! What may be done about indexes.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// What may be done about indexes.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IndexCommand {
    /// Lists them
    List,
    /// Makes one
    Create {
        /// The field, a JSON Pointer, `created` or `updated`
        path: String,
        /// For queries of objects of this type, rather than of all
        #[arg(long = "type", value_name = "T")]
        type_name: Option<String>,
    },
    /// Drops one
    Drop {
        /// As it was made
        path: String,
        /// Likewise
        #[arg(long = "type", value_name = "T")]
        type_name: Option<String>,
    },
}
