//! Live queries: from commits to batches. A commit only notes which objects changed; the work is
//! done afterwards, at most once in an interval for each live query, on threads of the library's.

mod encode;
mod hub;
mod runner;

pub use hub::LiveHub;
pub use runner::{Out, Runner};

use super::events::Registration;
use super::space_handle::SpaceHandle;
use crate::model::Result;
use crate::query::Query;
use std::sync::Weak;
use std::time::Duration;

impl SpaceHandle {
    /// Begins a live query. Fails while the space is not open.
    pub fn live(
        &self,
        query: &Query,
        interval: Duration,
        out: Out,
    ) -> Result<(Registration, Weak<Runner>)> {
        let host = self.host();
        // Edits made before are among the first results.
        host.read(|_| Ok(()))?;
        Ok(host.hub().live().start(host, query, interval, out))
    }
}
