//! What concurrent writes left beside the value that won.

use super::resolve::{self, failure};
use super::{Document, project};
use crate::model::{Path, Result, Value};
use automerge::ReadDoc;

impl Document {
    /// The values that concurrent writes put in one place, the one that reads show last; one value
    /// where there is no conflict. Fails with `NotFound` if nothing is there.
    pub fn conflicts(&mut self, path: &Path) -> Result<Vec<Value>> {
        self.contained(|document| {
            let slot = resolve::slot(&document.am, path)?;
            let all = document
                .am
                .get_all(&slot.parent, slot.prop)
                .map_err(failure)?;
            if all.is_empty() {
                return Err(crate::model::Error::not_found(format!(
                    "{path} does not exist"
                )));
            }
            all.into_iter()
                .map(|(value, id)| project::read(&document.am, value, &id, path.0.len()))
                .collect()
        })
    }
}
