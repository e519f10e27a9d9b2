//! `search`, as it may be written.

use serde::{Deserialize, Serialize};

/// A search for words.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct SearchCommand {
    /// The space
    pub space: String,
    /// The words: all must occur; "a phrase", pre*, -without, this OR that
    #[arg(required = true)]
    pub words: Vec<String>,
    /// Looks only at this field or JSON Pointer; may be repeated
    #[arg(long = "in", value_name = "FIELD")]
    pub paths: Vec<String>,
    /// Only objects that match
    #[arg(long, value_name = "FILTER-JSON")]
    pub filter: Option<String>,
    /// How many at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
    /// Leaves out this many of the best, for the pages after the first
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub skip: u32,
    /// About how many characters an excerpt has, at most 1000; 0 for no excerpts
    #[arg(long, value_name = "CHARS", default_value_t = 160)]
    pub excerpt: u32,
}
