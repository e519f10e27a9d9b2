//! Searches, and the indexes that the program asks for.

use super::space_core::SpaceCore;
use super::store::{IndexRecord, SeenRow};
use crate::model::Result;
use crate::query::{More, Query, Selection, compile_part, index_name};

impl SpaceCore {
    /// Calls `each` with the rows that a query ordered by rank finds, each with its rank, the lower the
    /// better, and its fields in plain form, where that differs.
    pub fn ranked(
        &self,
        query: &Query,
        each: &mut dyn FnMut(SeenRow<'_>, f64, Option<&str>),
    ) -> Result<()> {
        let part = Selection {
            more: More::Found,
            ..Selection::default()
        };
        let compiled = compile_part(query, part);
        match compiled.searches {
            true => self.store.ranked(&compiled, each),
            // No word was asked for, so that there is nothing to find, and no rank.
            false => Ok(()),
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
