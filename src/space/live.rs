//! Live queries: the ordered results of one query, brought up to date from the objects that
//! changed. Asked under the same lock as commits, so that what a query sees and which changes it
//! was told of agree.

use super::store::{ObjectRow, Reads, SeenRow};
use super::write::RowChange;
use crate::model::{Error, ObjectId, Result};
use crate::query::live::diff::{self, Step, Windowed};
use crate::query::live::{Entry, Glance, LivePlan, Ranked, may_match};
use crate::query::{Cell, CompiledQuery, Query, compile};
use std::collections::{BTreeSet, HashMap};

/// Changed objects looked up at once.
const CHUNK: usize = if cfg!(test) { 3 } else { 256 };

/// Rows at hand.
type Rows = HashMap<ObjectId, SeenRow<'static>>;

/// What changed in a live query's results.
#[derive(Debug)]
pub struct LiveDelta {
    /// Whether the steps begin from nothing, and not from the results before.
    pub initial: bool,
    /// How many results there are now.
    pub total: usize,
    /// The steps, in the order of [`Step`]; the row of each object but the removed.
    pub steps: Vec<(Step, Option<SeenRow<'static>>)>,
}

/// Which changes concern a live query. Apart from its results: it is asked at every commit, also
/// while those are worked on.
pub struct LiveFilter(Option<Query>);

impl LiveFilter {
    /// `false` only if the change can make no difference to the results.
    pub fn concerns(&self, change: &RowChange) -> bool {
        let Some(query) = &self.0 else {
            return true;
        };
        let may = |row: &ObjectRow| {
            let glance = Glance {
                id: row.id,
                type_name: row.type_name.as_deref(),
                parent: row.parent,
                gone: row.is_gone(),
                branch: row.system.branch.is_some(),
            };
            may_match(&query.filter, &glance)
        };
        change.old.as_deref().is_some_and(may) || may(&change.new)
    }
}

/// The results of a live query: their ids and what they are ordered by, nothing else of them.
pub struct LiveResults {
    query: Query,
    known: Known,
}

enum Known {
    /// Kept by looking at changed objects.
    Kept(Box<Kept>),
    /// Found by running the query again.
    Again(Vec<ObjectId>),
}

impl LiveResults {
    /// Nothing is known yet: [`LiveResults::whole`] comes first.
    pub fn new(query: &Query) -> (LiveResults, LiveFilter) {
        let plan = LivePlan::new(query);
        let filter = LiveFilter(plan.is_some().then(|| query.clone()));
        let known = match plan {
            Some(plan) => Known::Kept(Box::new(Kept {
                plan,
                list: Ranked::default(),
                bound: None,
            })),
            None => Known::Again(Vec::new()),
        };
        let query = query.clone();
        (LiveResults { query, known }, filter)
    }

    /// As [`LiveResults::new`], for a query that is run again whatever it is.
    #[cfg(test)]
    pub fn again(query: &Query) -> (LiveResults, LiveFilter) {
        let results = LiveResults {
            query: query.clone(),
            known: Known::Again(Vec::new()),
        };
        (results, LiveFilter(None))
    }

    /// Whether every update runs the whole query.
    pub fn runs_again(&self) -> bool {
        matches!(self.known, Known::Again(_))
    }

    /// How many objects are known.
    pub fn len(&self) -> usize {
        match &self.known {
            Known::Kept(kept) => kept.list.len(),
            Known::Again(ids) => ids.len(),
        }
    }

    /// All results, whatever was known.
    pub fn whole(&mut self, store: &dyn Reads) -> Result<LiveDelta> {
        match &mut self.known {
            Known::Kept(kept) => kept.whole(store),
            Known::Again(ids) => {
                let rows = all(store, &compile(&self.query))?;
                *ids = rows.iter().map(|row| row.id).collect();
                Ok(initial(rows))
            }
        }
    }

    /// What the changes of some objects lead to, `None` if to nothing. After an error, all must be
    /// asked for.
    pub fn update(
        &mut self,
        store: &dyn Reads,
        touched: &BTreeSet<ObjectId>,
    ) -> Result<Option<LiveDelta>> {
        match &mut self.known {
            Known::Kept(kept) => kept.update(store, touched),
            Known::Again(ids) => {
                let rows = all(store, &compile(&self.query))?;
                let new: Vec<ObjectId> = rows.iter().map(|row| row.id).collect();
                let steps = diff::between(ids, &new, &|id| touched.contains(id));
                *ids = new;
                let total = rows.len();
                let rows = rows.into_iter().map(|row| (row.id, row)).collect();
                delta(store, total, steps, rows)
            }
        }
    }
}

struct Kept {
    plan: LivePlan,
    /// Every object that satisfies the filter and does not come after the bound.
    list: Ranked,
    bound: Option<Entry>,
}

impl Kept {
    fn whole(&mut self, store: &dyn Reads) -> Result<LiveDelta> {
        self.list = Ranked::default();
        self.bound = None;
        let window = self.plan.window();
        let capacity = self.plan.capacity();
        let mut seen = Vec::new();
        let list = &mut self.list;
        store.query_keyed(&self.plan.first(capacity), &mut |row, keys| {
            let place = list.len();
            list.push(entry(&row, keys));
            if window.contains(&place) {
                seen.push(row.into_owned());
            }
        })?;
        if capacity.is_some_and(|capacity| self.list.len() >= capacity) {
            self.bound = self.list.last().cloned();
        }
        Ok(initial(seen))
    }

    fn update(
        &mut self,
        store: &dyn Reads,
        touched: &BTreeSet<ObjectId>,
    ) -> Result<Option<LiveDelta>> {
        let old_len = self.list.len();
        let old = self.places(touched);
        for id in old.keys() {
            self.list.remove(id);
        }
        let mut rows = HashMap::new();
        self.look_up(store, touched, &mut rows)?;
        if old.is_empty() && rows.is_empty() {
            return Ok(None);
        }
        self.fill(store, &mut rows)?;
        let window = self.plan.window();
        let steps = Windowed {
            list: &self.list,
            old_len,
            window: window.clone(),
            old: &old,
            new: &self.places(touched),
        }
        .steps();
        self.trim();
        let seen = self.list.len().min(window.end);
        let total = seen.saturating_sub(window.start);
        delta(store, total, steps, rows)
    }

    fn places(&self, touched: &BTreeSet<ObjectId>) -> HashMap<ObjectId, usize> {
        let all = touched.iter();
        all.filter_map(|id| Some((*id, self.list.position(id)?)))
            .collect()
    }

    /// Puts those of the touched objects that belong into the list there.
    fn look_up(
        &mut self,
        store: &dyn Reads,
        touched: &BTreeSet<ObjectId>,
        rows: &mut Rows,
    ) -> Result<()> {
        let ids: Vec<ObjectId> = touched.iter().copied().collect();
        let Kept { plan, list, bound } = self;
        let descending = plan.descending();
        for chunk in ids.chunks(CHUNK) {
            store.query_keyed(&plan.among(chunk), &mut |row, keys| {
                let entry = entry(&row, keys);
                let known = bound
                    .as_ref()
                    .is_none_or(|bound| entry.order(bound, descending).is_le());
                if known {
                    list.insert(entry, descending);
                    rows.insert(row.id, row.into_owned());
                }
            })?;
        }
        Ok(())
    }

    /// Finds what comes after the bound, when the window is no longer full.
    fn fill(&mut self, store: &dyn Reads, rows: &mut Rows) -> Result<()> {
        let capacity = self.plan.capacity().unwrap_or(usize::MAX);
        let Some(bound) = &self.bound else {
            return Ok(());
        };
        if self.list.len() >= self.plan.window().end {
            return Ok(());
        }
        let missing = capacity.saturating_sub(self.list.len());
        let next = self.plan.after(bound, missing);
        let list = &mut self.list;
        let mut found = 0;
        store.query_keyed(&next, &mut |row, keys| {
            list.push(entry(&row, keys));
            rows.insert(row.id, row.into_owned());
            found += 1;
        })?;
        self.bound = match found < missing {
            true => None,
            false => self.list.last().cloned(),
        };
        Ok(())
    }

    /// Forgets what is beyond the capacity.
    fn trim(&mut self) {
        let capacity = self.plan.capacity().unwrap_or(usize::MAX);
        if self.list.len() <= capacity {
            return;
        }
        while self.list.len() > capacity {
            self.list.pop();
        }
        self.bound = self.list.last().cloned();
    }
}

/// The rows that a query finds.
fn all(store: &dyn Reads, query: &CompiledQuery) -> Result<Vec<SeenRow<'static>>> {
    let mut rows = Vec::new();
    store.query(query, &mut |row| rows.push(row.into_owned()))?;
    Ok(rows)
}

fn entry(row: &SeenRow<'_>, keys: Vec<Cell>) -> Entry {
    Entry {
        keys: keys.into(),
        id: row.id,
    }
}

fn initial(rows: Vec<SeenRow<'static>>) -> LiveDelta {
    let total = rows.len();
    let steps = rows.into_iter().enumerate().map(|(index, row)| {
        let id = row.id;
        (Step::Added { id, index }, Some(row))
    });
    LiveDelta {
        initial: true,
        total,
        steps: steps.collect(),
    }
}

/// Gives each step its row: those at hand, and from storage those of objects that did not change
/// themselves.
fn delta(
    store: &dyn Reads,
    total: usize,
    steps: Vec<Step>,
    mut rows: Rows,
) -> Result<Option<LiveDelta>> {
    if steps.is_empty() {
        return Ok(None);
    }
    let with_rows = steps.into_iter().map(|step| {
        let id = match step {
            Step::Removed { .. } => return Ok((step, None)),
            Step::Added { id, .. } | Step::Moved { id, .. } | Step::Changed { id, .. } => id,
        };
        let row = match rows.remove(&id) {
            Some(row) => Some(row),
            None => store.object(&id)?.map(|row| row.seen().into_owned()),
        };
        match row {
            Some(row) => Ok((step, Some(row))),
            None => Err(Error::corrupt(format!("the row of object {id} is gone"))),
        }
    });
    Ok(Some(LiveDelta {
        initial: false,
        total,
        steps: with_rows.collect::<Result<_>>()?,
    }))
}
