//! Pages, aggregation, explanation, and queries over several spaces.

use super::node::NodeGuard;
use super::row_json::{RowsJson, write_json};
use super::space_handle::SpaceHandle;
use crate::api::{QueryPage, SpaceState};
use crate::model::{Error, Result, SpaceId, limits};
use crate::query::{
    Aggregate, Cell, More, Query, Selection, compare_keys, compile, compile_part, decode,
    directions, encode, explain,
};
use crate::space::SeenRow;
use serde_json::json;
use std::sync::Arc;

impl SpaceHandle {
    /// One page of a query's results.
    pub fn query_page(&self, mut query: Query, after: Option<&str>) -> Result<QueryPage> {
        if query.skip > 0 {
            return Err(Error::invalid(
                "a page takes no \"skip\": hand over the `next` of the page before",
            ));
        }
        if query.is_ranked() {
            return Err(Error::invalid(
                "pages are not ordered by \"rank\", which changes with every object: use \"limit\" and \"skip\" in a query or search",
            ));
        }
        let size = query.limit.unwrap_or(limits::QUERY_PAGE);
        if size == 0 || size > limits::QUERY_PAGE_MOST {
            return Err(Error::limit(format!(
                "a page has 1 to {} objects: \"limit\" says how many",
                limits::QUERY_PAGE_MOST
            )));
        }
        let space = self.id();
        let keys = directions(&query).len();
        let after = after
            .map(|text| decode(text, &query.print, space.as_bytes(), keys))
            .transpose()?;
        // One more tells whether there is another page.
        query.limit = Some(size + 1);
        let mut objects = RowsJson::default();
        let (mut count, mut last) = (0, Vec::new());
        keyed(self, &query, after.as_deref(), &mut |row, keys| {
            count += 1;
            if count <= size {
                objects.push(&row);
                last = keys;
            }
        })?;
        Ok(QueryPage {
            next: (count > size).then(|| encode(&query.print, space.as_bytes(), &last)),
            objects: objects.finish(),
        })
    }

    /// An aggregation's answer, JSON.
    pub fn aggregate(&self, aggregate: &Aggregate) -> Result<String> {
        let query = aggregate.compile();
        let rows = self
            .host()
            .read_words(query.searches, |store| store.values(&query))?;
        Ok(aggregate.answer(&rows))
    }

    /// How a query or an aggregation is answered, JSON.
    pub fn explain(&self, text: &str) -> Result<String> {
        let compiled = match Aggregate::is_one(text)? {
            true => Aggregate::parse(text)?.compile(),
            false => compile(&Query::parse(text)?),
        };
        let plan = self.host().read(|store| store.plan(&compiled))?;
        Ok(explain(&compiled, &plan))
    }
}

/// Calls `each` with the rows of a part of a query's results, each with its keys in the query's order.
fn keyed(
    space: &SpaceHandle,
    query: &Query,
    after: Option<&[Cell]>,
    each: &mut dyn FnMut(SeenRow<'_>, Vec<Cell>),
) -> Result<()> {
    let part = Selection {
        after,
        more: More::Keys,
        ..Selection::default()
    };
    let query = compile_part(query, part);
    space
        .host()
        .read_words(query.searches, |store| store.query_keyed(&query, each))
}

/// A row of one space among those of several.
struct Found {
    space: SpaceId,
    /// The row as JSON, behind the brace that opens it.
    json: String,
    keys: Vec<Cell>,
}

impl NodeGuard {
    /// Queries several spaces, or all that are open, and merges what they find.
    pub fn query(self: &Arc<Self>, spaces: &[SpaceId], query: &Query) -> Result<Vec<u8>> {
        // Each may hold all that the window shows.
        let mut each = query.clone();
        each.limit = query.limit.map(|limit| limit.saturating_add(query.skip));
        each.skip = 0;
        let mut found = Vec::new();
        for handle in self.open_spaces(spaces)? {
            let space = handle.id();
            keyed(&handle, &each, None, &mut |row, keys| {
                let mut json = String::new();
                write_json(&mut json, &row);
                json.remove(0);
                found.push(Found { space, json, keys });
            })?;
        }
        let descending = directions(query);
        found.sort_by(|a, b| {
            compare_keys(&a.keys, &b.keys, &descending).then_with(|| a.space.cmp(&b.space))
        });
        let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
        let limit = query.limit.map_or(usize::MAX, |limit| {
            usize::try_from(limit).unwrap_or(usize::MAX)
        });
        let mut rows = RowsJson::default();
        for found in found.into_iter().skip(skip).take(limit) {
            let space = json!(found.space.to_string());
            let out = rows.next();
            out.push_str(&format!("{{\"space\":{space},"));
            out.push_str(&found.json);
        }
        Ok(rows.finish())
    }

    fn open_spaces(self: &Arc<Self>, wanted: &[SpaceId]) -> Result<Vec<SpaceHandle>> {
        self.node().check_open()?;
        if wanted.is_empty() {
            let all = self.node().space_ids();
            let handles = all.into_iter().map(|id| self.space(id));
            let mut handles = handles.collect::<Result<Vec<_>>>()?;
            handles.retain(|handle| handle.host().state() == SpaceState::Ready);
            return Ok(handles);
        }
        let mut ids = wanted.to_vec();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().map(|id| self.space(id)).collect()
    }
}
