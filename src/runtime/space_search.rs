//! Searches for words, and the indexes that a program asks for.

use super::row_json::{RowsJson, write_json};
use super::space_handle::SpaceHandle;
use crate::api::{IndexInfo, SearchOptions, TextUnit};
use crate::model::{self, Error, Result, json, limits};
use crate::query::{More, Query, Search, Selection, Snippet, compile_part, snippet};
use crate::space::SeenRow;
use serde_json::{Value as Json, json};

impl SpaceHandle {
    /// What a search finds, the best first, as one JSON array.
    pub fn search(&self, words: &str, options: &SearchOptions) -> Result<Vec<u8>> {
        let (query, search) = read(words, options)?;
        let part = Selection {
            more: More::Found,
            ..Selection::default()
        };
        let compiled = compile_part(&query, part);
        let mut rows = RowsJson::default();
        // No word was asked for, so that there is nothing to find, and no rank.
        if !compiled.searches {
            return Ok(rows.finish());
        }
        let mut done = Ok(());
        let mut each = |row: SeenRow<'_>, rank: f64, plain: Option<&str>| match excerpt(
            &search,
            &row,
            plain.unwrap_or(&row.data),
            options,
        ) {
            Ok(excerpt) => {
                let out = rows.next();
                write_json(out, &row);
                out.pop();
                out.push_str(&format!(
                    ",\"rank\":{},\"snippet\":{excerpt}}}",
                    json!(rank)
                ));
            }
            Err(error) => done = Err(error),
        };
        self.host()
            .read_words(true, |store| store.ranked(&compiled, &mut each))?;
        done?;
        Ok(rows.finish())
    }

    /// Makes an index.
    pub fn create_index(&self, type_name: Option<String>, path: &str) -> Result<()> {
        self.host()
            .with_settled(|core| core.create_index(type_name, path))
    }

    /// Drops an index.
    pub fn drop_index(&self, type_name: Option<String>, path: &str) -> Result<()> {
        self.host()
            .with_settled(|core| core.drop_index(type_name, path))
    }

    /// The indexes.
    pub fn indexes(&self) -> Result<Vec<IndexInfo>> {
        let records = self.host().read_anyway(|store, _| store.indexes())?;
        let infos = records.into_iter().map(|record| IndexInfo {
            type_name: record.type_name,
            path: record.path,
        });
        Ok(infos.collect())
    }
}

/// The query that a search is, and the search by itself.
fn read(words: &str, options: &SearchOptions) -> Result<(Query, Search)> {
    if u64::from(options.limit) > limits::SEARCH_RESULTS {
        return Err(Error::limit(format!(
            "a search gives at most {} results at once, not {}",
            limits::SEARCH_RESULTS,
            options.limit
        )));
    }
    if options.snippet_chars as usize > limits::SNIPPET_CHARS {
        return Err(Error::limit(format!(
            "an excerpt has at most {} characters, not {}",
            limits::SNIPPET_CHARS,
            options.snippet_chars
        )));
    }
    let filter = match &options.filter {
        Some(filter) => json::parse(filter).map_err(|e| e.context("the filter"))?,
        None => json!({}),
    };
    let whole = json!({
        "where": {"and": [
            {"search": words, "in": options.paths},
            filter,
        ]},
        "order": [{"by": "rank"}],
        "limit": options.limit,
        "skip": options.skip,
    });
    let query = Query::parse(&whole.to_string())?;
    let search = query
        .leading()
        .cloned()
        .ok_or_else(|| Error::internal("a search without a search"))?;
    Ok((query, search))
}

fn excerpt(
    search: &Search,
    row: &SeenRow<'_>,
    plain: &str,
    options: &SearchOptions,
) -> Result<Json> {
    if options.snippet_chars == 0 {
        return Ok(Json::Null);
    }
    let plain = serde_json::from_str(plain)
        .map_err(|e| Error::corrupt(format!("the fields of {}: {e}", row.id)))?;
    let found = snippet(search, &plain, options.snippet_chars as usize);
    Ok(found.map_or(Json::Null, |found| told(&found, options.unit)))
}

/// An excerpt as JSON, its positions in the unit asked for.
fn told(found: &Snippet<'_>, unit: TextUnit) -> Json {
    let unit = model::TextUnit::from(unit);
    let length = |from: usize, to: usize| unit.len(found.value.get(from..to).unwrap_or_default());
    let begin = found.excerpt.start;
    let ranges = found.found.iter();
    json!({
        "path": found.path,
        "text": found.value.get(found.excerpt.clone()),
        "start": length(0, begin),
        "more": found.excerpt.end < found.value.len(),
        "ranges": ranges.map(|r| [length(begin, r.start), length(begin, r.end)]).collect::<Vec<_>>(),
    })
}
