//! The indexes that the program asks for.

use super::space_core::SpaceCore;
use super::store::IndexRecord;
use crate::model::Result;
use crate::query::index_name;

impl SpaceCore {
    /// Makes an index, here alone: it is no part of what is replicated.
    pub fn create_index(&mut self, type_name: Option<String>, path: &str) -> Result<()> {
        let path = index_name(path)?;
        self.store.create_index(&IndexRecord { type_name, path })
    }

    /// Drops an index.
    pub fn drop_index(&mut self, type_name: Option<String>, path: &str) -> Result<()> {
        let path = index_name(path)?;
        self.store.drop_index(&IndexRecord { type_name, path })
    }
}
