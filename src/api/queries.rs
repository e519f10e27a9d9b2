//! Queries beyond one result: pages, aggregation, explanation, several spaces.

use super::error::Result;
use super::{Client, Space};
use crate::model::SpaceId;
use crate::query::{Aggregate, Query};
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// One page of a query's results.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct QueryPage {
    /// The objects, a JSON array as from `query_json`.
    pub objects: Vec<u8>,
    /// What to hand over for the next page; nothing after the last one.
    pub next: Option<String>,
}

impl Space {
    /// One page of a query's results, as large as the query's `limit` says (1 to 10,000; 100
    /// without one), the first or the one `after` another's `next`. A query for pages has no
    /// `skip`.
    ///
    /// Pages follow each other by the order's keys, not by counting: an object whose keys stay is
    /// on exactly one page, whatever else comes, goes or changes between. One that is added or
    /// moves is found if its place is ahead. `next` is text to keep as it is; it is good for the
    /// same filter, steps and order in the same space, also later and with another `limit`. Fails
    /// with `InvalidArgument` for any other text.
    pub fn query_page(&self, query: String, after: Option<String>) -> Result<QueryPage> {
        let query = Query::parse(&query)?;
        Ok(self.handle().query_page(query, after.as_deref())?)
    }

    /// Counts, sums and extremes over the objects that a query finds, whole or by groups, as a JSON
    /// array. `docs/guide/query.md` describes what is asked and answered.
    pub fn aggregate(&self, query: String) -> Result<String> {
        Ok(self.handle().aggregate(&Aggregate::parse(&query)?)?)
    }

    /// How a query or an aggregation is answered, as a JSON object: `sql`, `parameters`, `plan`
    /// (SQLite's lines), `indexes` (those it uses), `scans` (whether it reads every object), and
    /// `words` (the plan for people). For people and tests: what it says may change.
    pub fn explain(&self, query: String) -> Result<String> {
        Ok(self.handle().explain(&query)?)
    }
}

impl Client {
    /// The objects that a query finds in several spaces, or in all open ones if `spaces` is empty:
    /// one JSON array in the query's order, `limit` and `skip` counting over all. Each object is as
    /// from `query_json`, and says its `space`. Links are followed within each space. Fails with
    /// `NotFound` for a space that the profile lacks, with `InvalidState` for one that is closed.
    pub fn query(&self, spaces: Vec<String>, query: String) -> Result<Vec<u8>> {
        let query = Query::parse(&query)?;
        let spaces = spaces.iter().map(|id| SpaceId::parse(id));
        let spaces = spaces.collect::<crate::model::Result<Vec<_>>>()?;
        Ok(self.guard().query(&spaces, &query)?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// One page of a query's results, as large as the query's `limit` says (1 to 10,000; 100
    /// without one), the first or the one `after` another's `next`. A query for pages has no
    /// `skip`.
    ///
    /// Pages follow each other by the order's keys, not by counting: an object whose keys stay is
    /// on exactly one page, whatever else comes, goes or changes between.
    #[uniffi::method(name = "query_page")]
    pub async fn query_page_async(
        self: Arc<Self>,
        query: String,
        after: Option<String>,
    ) -> Result<QueryPage> {
        super::run(move || self.query_page(query, after)).await
    }

    /// Counts, sums and extremes over the objects that a query finds, whole or by groups, as a JSON
    /// array. `docs/guide/query.md` describes what is asked and answered.
    #[uniffi::method(name = "aggregate")]
    pub async fn aggregate_async(self: Arc<Self>, query: String) -> Result<String> {
        super::run(move || self.aggregate(query)).await
    }

    /// How a query or an aggregation is answered, as a JSON object: `sql`, `parameters`, `plan`,
    /// `indexes`, `scans` and `words`. For people and tests: what it says may change.
    #[uniffi::method(name = "explain")]
    pub async fn explain_async(self: Arc<Self>, query: String) -> Result<String> {
        super::run(move || self.explain(query)).await
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Client {
    /// The objects that a query finds in several spaces, or in all open ones if `spaces` is empty:
    /// one JSON array in the query's order, `limit` and `skip` counting over all. Each object says
    /// its `space`.
    #[uniffi::method(name = "query")]
    pub async fn query_async(
        self: Arc<Self>,
        spaces: Vec<String>,
        query: String,
    ) -> Result<Vec<u8>> {
        super::run(move || self.query(spaces, query)).await
    }
}
