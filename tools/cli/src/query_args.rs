//! `query` and `aggregate`, as they may be written.

use serde::{Deserialize, Serialize};

/// A filter or query.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
#[command(allow_missing_positional = true)]
pub struct QueryCommand {
    /// The space
    #[arg(
        required_unless_present_any = ["spaces", "all_spaces"],
        conflicts_with_all = ["spaces", "all_spaces"]
    )]
    pub space: Option<String>,
    /// The filter, for example '{"field":"done","op":"eq","value":false}'
    #[arg(value_name = "FILTER-JSON", required = true)]
    pub filter: String,
    /// Asks this space, instead of SPACE; may be repeated. The results are in one order, and each
    /// says its space
    #[arg(long = "space", value_name = "SPACE")]
    pub spaces: Vec<String>,
    /// Asks all spaces that are open, likewise
    #[arg(long, conflicts_with = "spaces")]
    pub all_spaces: bool,
    /// Tells how the query is answered instead: which indexes it uses, what it reads
    #[arg(long, conflicts_with_all = ["page", "after", "spaces", "all_spaces"])]
    pub explain: bool,
    /// Lists this many objects at most, and tells where the next page begins
    #[arg(long, value_name = "N", conflicts_with_all = ["spaces", "all_spaces"])]
    pub page: Option<u64>,
    /// Goes on where a page of the same query told
    #[arg(
        long,
        value_name = "NEXT",
        allow_hyphen_values = true,
        conflicts_with_all = ["spaces", "all_spaces"]
    )]
    pub after: Option<String>,
}

/// An aggregation.
#[derive(Clone, Debug, PartialEq, Eq, clap::Args, Serialize, Deserialize)]
pub struct AggregateCommand {
    /// The space
    pub space: String,
    /// What to do, for example '{"group":["type"],"aggregate":{"n":"count"}}'
    #[arg(value_name = "JSON")]
    pub query: String,
    /// Tells how it is answered instead
    #[arg(long)]
    pub explain: bool,
}
