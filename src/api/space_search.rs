//! Searching for words, and indexes that make queries of a field fast.

use super::error::Result;
use super::{Space, TextUnit};
#[cfg(feature = "bindings")]
use std::sync::Arc;

/// Options of [`Space::search`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct SearchOptions {
    /// A filter, JSON, that results satisfy too; `docs/guide/query.md` describes it.
    #[cfg_attr(feature = "bindings", uniffi(default = None))]
    pub filter: Option<String>,
    /// The fields or JSON Pointers to look at, with what is below them, at most 8; of none,
    /// everything is looked at.
    #[cfg_attr(feature = "bindings", uniffi(default = []))]
    pub paths: Vec<String>,
    /// How many results at most, up to 1000.
    #[cfg_attr(feature = "bindings", uniffi(default = 20))]
    pub limit: u32,
    /// How many of the best to leave out, for the pages after the first.
    #[cfg_attr(feature = "bindings", uniffi(default = 0))]
    pub skip: u32,
    /// About how many characters an excerpt has, up to 1000; 0 for no excerpts.
    #[cfg_attr(feature = "bindings", uniffi(default = 160))]
    pub snippet_chars: u32,
    /// What the positions in excerpts count.
    pub unit: TextUnit,
}

impl Default for SearchOptions {
    fn default() -> Self {
        SearchOptions {
            filter: None,
            paths: Vec::new(),
            limit: 20,
            skip: 0,
            snippet_chars: 160,
            unit: TextUnit::Utf8,
        }
    }
}

/// An index that the program asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Record))]
pub struct IndexInfo {
    /// Of objects of this type; of all if there is none.
    pub type_name: Option<String>,
    /// Of what: a JSON Pointer, `created` or `updated`.
    pub path: String,
}

impl Space {
    /// The objects in whose strings and texts the words occur, the best first, as one JSON array of
    /// what [`Space::query_json`] gives, each with the further keys `rank` and `snippet`.
    ///
    /// All words must occur; `"a phrase"` in this order within one value; `pre*` begins a word;
    /// `-word` must not occur; `OR` separates alternatives. Case and diacritics make no difference.
    /// No text is malformed; one without a word that must occur finds nothing. `rank` is a number,
    /// the lower the better (BM25 as SQLite's FTS5 has it). `snippet` is null or has `path`, `text`
    /// (an excerpt, unchanged), `start` (where it begins in the value), `more` (whether the value
    /// goes on after it) and `ranges` (pairs of start and end within `text`, of what was found).
    ///
    /// The first search in a space reads all of it to make an index. Fails with `LimitExceeded` for
    /// more than 4096 bytes or 64 words, and with `InvalidArgument` for a malformed filter or path.
    pub fn search(&self, words: String, options: SearchOptions) -> Result<Vec<u8>> {
        Ok(self.handle().search(&words, &options)?)
    }

    /// Makes an index of a field, so that queries which compare it or are ordered by it need not
    /// look at every object: among objects of one type, for queries of exactly this type, or among
    /// all. `path` is a field name or a JSON Pointer, or `created` or `updated`, as in an order.
    ///
    /// It is made over all objects before the call returns, kept up by every later write, and
    /// persists; it belongs to this profile's copy of the space and is not replicated. Does nothing
    /// if there is one already. Fails with `LimitExceeded` past 32 of them, or for a name or path of
    /// more than 256 bytes.
    pub fn create_index(&self, type_name: Option<String>, path: String) -> Result<()> {
        Ok(self.handle().create_index(type_name, &path)?)
    }

    /// Drops an index. Fails with `NotFound` if there is none such.
    pub fn drop_index(&self, type_name: Option<String>, path: String) -> Result<()> {
        Ok(self.handle().drop_index(type_name, &path)?)
    }

    /// The indexes that were made, in this order.
    pub fn indexes(&self) -> Result<Vec<IndexInfo>> {
        Ok(self.handle().indexes()?)
    }
}

#[cfg(feature = "bindings")]
#[uniffi::export]
impl Space {
    /// The objects in whose strings and texts the words occur, the best first, as one JSON array of
    /// what `query_json` gives, each with the further keys `rank` and `snippet`.
    ///
    /// All words must occur; `"a phrase"` in this order within one value; `pre*` begins a word;
    /// `-word` must not occur; `OR` separates alternatives. Case and diacritics make no difference.
    /// No text is malformed; one without a word that must occur finds nothing. `rank` is a number,
    /// the lower the better (BM25 as SQLite's FTS5 has it). `snippet` is null or has `path`, `text`
    /// (an excerpt, unchanged), `start` (where it begins in the value), `more` (whether the value
    /// goes on after it) and `ranges` (pairs of start and end within `text`, of what was found).
    ///
    /// The first search in a space reads all of it to make an index. Fails with `LimitExceeded` for
    /// more than 4096 bytes or 64 words, and with `InvalidArgument` for a malformed filter or path.
    #[uniffi::method(name = "search")]
    pub async fn search_async(
        self: Arc<Self>,
        words: String,
        options: SearchOptions,
    ) -> Result<Vec<u8>> {
        super::run(move || self.search(words, options)).await
    }

    /// Makes an index of a field, so that queries which compare it or are ordered by it need not
    /// look at every object: among objects of one type, for queries of exactly this type, or among
    /// all. `path` is a field name or a JSON Pointer, or `created` or `updated`, as in an order.
    ///
    /// It is made over all objects before the call returns, kept up by every later write, and
    /// persists; it belongs to this profile's copy of the space and is not replicated. Does nothing
    /// if there is one already. Fails with `LimitExceeded` past 32 of them, or for a name or path of
    /// more than 256 bytes.
    #[uniffi::method(name = "create_index")]
    pub async fn create_index_async(
        self: Arc<Self>,
        type_name: Option<String>,
        path: String,
    ) -> Result<()> {
        super::run(move || self.create_index(type_name, path)).await
    }

    /// Drops an index. Fails with `NotFound` if there is none such.
    #[uniffi::method(name = "drop_index")]
    pub async fn drop_index_async(
        self: Arc<Self>,
        type_name: Option<String>,
        path: String,
    ) -> Result<()> {
        super::run(move || self.drop_index(type_name, path)).await
    }

    /// The indexes that were made, in this order.
    #[uniffi::method(name = "indexes")]
    pub async fn indexes_async(self: Arc<Self>) -> Result<Vec<IndexInfo>> {
        super::run(move || self.indexes()).await
    }
}
