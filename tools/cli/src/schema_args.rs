//! `schema`, as it may be written.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

/// What may be done about schemas.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SchemaCommand {
    /// Lists all schemas of all types
    List,
    /// Prints the schema that new objects of a type are checked against
    Show {
        /// The type
        #[arg(value_name = "TYPE")]
        type_name: String,
    },
    /// Registers a JSON Schema for objects of a type, and prints its version
    Register {
        /// The type
        #[arg(value_name = "TYPE")]
        type_name: String,
        /// The schema
        #[arg(value_name = "JSON")]
        schema: String,
        /// The version; without it, the next one
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
        version: Option<u32>,
    },
    /// Lists the rules that objects break
    Violations,
}
