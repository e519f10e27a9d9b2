//! What may be said of export and import.

use clap::{Subcommand, ValueEnum};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What `export` writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// All objects, a JSON object a line, without histories
    Json,
    /// The same
    Ndjson,
    /// The space with its history, sealed and signed, in one file
    Archive,
}

/// What `import` reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InputFormat {
    /// What `export` wrote as JSON lines
    Export,
    /// A JSON array of objects
    Json,
    /// A JSON object a line
    Ndjson,
    /// A table
    Csv,
}

/// How plain data becomes objects.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct PlainImport {
    /// What is read
    #[arg(long, value_enum, default_value_t = InputFormat::Export)]
    pub format: InputFormat,
    /// The objects' type
    #[arg(long = "type", value_name = "T")]
    pub type_name: Option<String>,
    /// The column whose value is the objects' natural key: importing again updates them. Takes --type
    #[arg(long, value_name = "COLUMN", requires = "type_name")]
    pub key: Option<String>,
    /// What a column holds: string, text, integer, float, boolean, timestamp, reference, json,
    /// ignore, or infer; with a field's name after a colon, it goes there. May be repeated
    #[arg(long, value_name = "NAME=KIND[:FIELD]")]
    pub column: Vec<String>,
    /// What all other columns hold
    #[arg(long, value_name = "KIND", default_value = "infer")]
    pub other_columns: String,
    /// Between the cells of a table
    #[arg(long, value_name = "CHAR", default_value = ",")]
    pub delimiter: String,
    /// The table's first row is one like the others; columns are called column_1 and so on
    #[arg(long)]
    pub no_header: bool,
    /// Leaves out rows that cannot be used, and reports them
    #[arg(long)]
    pub skip_errors: bool,
}

/// What may be done with one object.
#[derive(Clone, Debug, PartialEq, Eq, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectCommand {
    /// Writes an object with its history as an Automerge file
    Export {
        /// The space
        space: String,
        /// The object
        id: String,
        /// The file
        file: PathBuf,
        #[arg(skip)]
        #[doc(hidden)]
        place: Option<PathBuf>,
    },
    /// Makes an object of an Automerge file, or merges one into an object, and prints its id
    Import {
        /// The space
        space: String,
        /// The file; without it, standard input
        file: Option<PathBuf>,
        /// The object that takes the changes that the file has beyond it
        #[arg(long, value_name = "ID")]
        into: Option<String>,
    },
}
