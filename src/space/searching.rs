//! Searches, and the indexes that the program asks for.

use super::space_core::SpaceCore;
use super::store::{IndexRecord, ObjectRow};
use crate::model::Result;
use crate::query::{Query, compile, index_name};

impl SpaceCore {
    /// The rows that a query ordered by rank finds, each with its rank: the lower the better.
    pub fn ranked(&self, query: &Query) -> Result<Vec<(f64, ObjectRow)>> {
        let compiled = compile(query);
        match compiled.searches {
            true => self.store.ranked(&compiled),
            // No word was asked for, so that there is nothing to find, and no rank.
            false => Ok(Vec::new()),
        }
    }

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

    /// The indexes, in the order they were made.
    pub fn indexes(&self) -> Result<Vec<IndexRecord>> {
        self.store.indexes()
    }
}
