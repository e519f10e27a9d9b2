//! Aggregation: counts, sums and extremes over what a query finds, whole or by groups.

use super::compile::{CompiledQuery, Compiler, USER, column, is_number};
use super::compile_links::Ends;
use super::cursor::Cell;
use super::filter::{Clock, Filter};
use super::link::Step;
use super::parse::{Reader, expected, query_path, window};
use super::place::kind_rank;
use crate::model::{Error, Path, Result, json, limits};
use serde_json::{Map, Value as Json};

/// What an aggregation asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Aggregate {
    /// Over which objects.
    filter: Filter,
    follow: Vec<Step>,
    /// By what they are grouped; by nothing, they are one group.
    pub(super) group: Vec<GroupKey>,
    /// What is asked of each group, by name.
    pub(super) measures: Vec<(String, Measure)>,
    /// In which order the groups come: measures by their places, `true` for descending. Ties are
    /// broken by the group.
    pub(super) order: Vec<(usize, bool)>,
    /// How many groups at most.
    pub(super) limit: Option<u64>,
    /// How many of the first to leave out.
    pub(super) skip: u64,
}

/// What groups are made by.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum GroupKey {
    Type,
    Parent,
    Source,
    Target,
    /// Each of the object's tags: it counts in the group of each.
    Tag,
    Field(Path),
}

/// What is measured.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Measure {
    /// How many objects.
    Count,
    /// How many that have a value there other than null.
    CountOf(Subject),
    Min(Subject),
    Max(Subject),
    Sum(Path),
    Average(Path),
}

/// What is compared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Subject {
    Clock(Clock),
    Field(Path),
}

const KEYS: [&str; 7] = [
    "where",
    "follow",
    "group",
    "aggregate",
    "order",
    "limit",
    "skip",
];

impl Aggregate {
    /// Reads an aggregation:
    /// `{"where": FILTER, "follow": [STEP], "group": ["type", "/status"],
    /// "aggregate": {"n": "count", "total": {"sum": "/price"}},
    /// "order": [{"by": "n", "desc": true}], "limit": 10, "skip": 0}`.
    pub fn parse(text: &str) -> Result<Aggregate> {
        let Json::Object(map) = json::parse(text)? else {
            return Err(Error::invalid("an aggregation is a JSON object"));
        };
        if let Some(key) = map.keys().find(|key| !KEYS.contains(&key.as_str())) {
            return Err(Error::invalid(format!(
                "{key:?} is no part of an aggregation: use where, follow, group, aggregate, order, limit, skip"
            )));
        }
        let (filter, follow) = Reader::default().source(&map)?;
        let group = group(map.get("group")).map_err(|e| e.context("\"group\""))?;
        let measures = measures(map.get("aggregate")).map_err(|e| e.context("\"aggregate\""))?;
        let order = order(map.get("order"), &measures).map_err(|e| e.context("\"order\""))?;
        let (limit, skip) = window(&map)?;
        Ok(Aggregate {
            filter,
            follow,
            group,
            measures,
            order,
            limit,
            skip,
        })
    }

    /// Whether the text asks for an aggregation and not for objects.
    pub fn is_one(text: &str) -> Result<bool> {
        let json = json::parse(text)?;
        Ok(["group", "aggregate"]
            .iter()
            .any(|key| json.get(key).is_some()))
    }

    /// The statement whose rows [`Aggregate::answer`] reads: one for each group, in their order.
    pub fn compile(&self) -> CompiledQuery {
        let mut c = Compiler::default();
        let mut columns: Vec<String> = Vec::new();
        for key in &self.group {
            columns.extend(c.group_key(key));
        }
        let keys = columns.len();
        for (_, measure) in &self.measures {
            columns.extend(c.measure(measure));
        }
        let by_tag = self.group.contains(&GroupKey::Tag);
        let tags = match by_tag {
            true => " LEFT JOIN tags AS t ON t.object = o.n",
            false => "",
        };
        let Ends { by, condition } = c.traversal(&self.filter, &self.follow);
        let mut sql = format!(
            "SELECT {} FROM objects AS o{by}{tags} WHERE {USER} AND {condition}",
            columns.join(",")
        );
        if keys > 0 {
            let numbers: Vec<String> = (1..=keys).map(|n| n.to_string()).collect();
            let numbers = numbers.join(",");
            sql.push_str(&format!(" GROUP BY {numbers} ORDER BY {numbers}"));
        }
        CompiledQuery {
            sql,
            params: c.params,
            searches: c.searches,
            unindexed: None,
        }
    }

    /// The answer, a JSON array.
    pub fn answer(&self, rows: &[Vec<Cell>]) -> String {
        super::aggregate_answer::answer(self, rows)
    }
}

fn group(value: Option<&Json>) -> Result<Vec<GroupKey>> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) => items,
        Some(other) => return Err(expected("it takes a list of keys", other)),
    };
    if items.len() > limits::QUERY_GROUP_KEYS {
        return Err(Error::limit(format!(
            "it may have {} keys",
            limits::QUERY_GROUP_KEYS
        )));
    }
    let mut keys = Vec::new();
    for item in items {
        let key = match item {
            Json::String(key) => match key.as_str() {
                "type" => GroupKey::Type,
                "parent" => GroupKey::Parent,
                "source" => GroupKey::Source,
                "target" => GroupKey::Target,
                "tag" => GroupKey::Tag,
                path => GroupKey::Field(query_path(path)?),
            },
            other => return Err(expected("a key is a string", other)),
        };
        if keys.contains(&key) {
            return Err(Error::invalid("a key stands twice"));
        }
        keys.push(key);
    }
    Ok(keys)
}

fn measures(value: Option<&Json>) -> Result<Vec<(String, Measure)>> {
    let map = match value {
        None => return Ok(vec![("count".to_owned(), Measure::Count)]),
        Some(Json::Object(map)) if !map.is_empty() => map,
        Some(other) => {
            return Err(expected(
                "it takes an object such as {\"total\": {\"sum\": \"/price\"}}",
                other,
            ));
        }
    };
    if map.len() > limits::QUERY_MEASURES {
        return Err(Error::limit(format!(
            "it may have {} measures",
            limits::QUERY_MEASURES
        )));
    }
    let entries = map.iter();
    entries
        .map(|(name, value)| {
            let measure = measure(value).map_err(|e| e.context(format!("{name:?}")))?;
            Ok((name.clone(), measure))
        })
        .collect()
}

fn measure(value: &Json) -> Result<Measure> {
    const SHAPE: &str =
        "a measure is \"count\", or an object of one key: count, min, max, sum or avg";
    let map = match value {
        Json::String(text) if text == "count" => return Ok(Measure::Count),
        Json::Object(map) => map,
        _ => return Err(Error::invalid(SHAPE)),
    };
    let mut entries = map.iter();
    let (Some((what, of)), None) = (entries.next(), entries.next()) else {
        return Err(Error::invalid(SHAPE));
    };
    let Json::String(of) = of else {
        return Err(expected("what is measured is named by a string", of));
    };
    Ok(match what.as_str() {
        "count" => Measure::CountOf(subject(of)?),
        "min" => Measure::Min(subject(of)?),
        "max" => Measure::Max(subject(of)?),
        "sum" => Measure::Sum(query_path(of)?),
        "avg" => Measure::Average(query_path(of)?),
        _ => return Err(Error::invalid(SHAPE)),
    })
}

fn subject(text: &str) -> Result<Subject> {
    Ok(match text {
        "created" => Subject::Clock(Clock::Created),
        "updated" => Subject::Clock(Clock::Updated),
        path => Subject::Field(query_path(path)?),
    })
}

fn order(value: Option<&Json>, measures: &[(String, Measure)]) -> Result<Vec<(usize, bool)>> {
    let items = match value {
        None => return Ok(Vec::new()),
        Some(Json::Array(items)) if items.len() <= limits::QUERY_ORDER => items,
        Some(Json::Array(_)) => {
            return Err(Error::limit(format!(
                "it may have {} keys",
                limits::QUERY_ORDER
            )));
        }
        Some(other) => return Err(expected("it takes a list", other)),
    };
    items.iter().map(|item| order_by(item, measures)).collect()
}

fn order_by(item: &Json, measures: &[(String, Measure)]) -> Result<(usize, bool)> {
    const SHAPE: &str = "a key is an object such as {\"by\": \"count\", \"desc\": true}";
    let none = Map::new();
    let map = item.as_object().unwrap_or(&none);
    if map.keys().any(|key| !matches!(key.as_str(), "by" | "desc")) {
        return Err(Error::invalid(SHAPE));
    }
    let (Some(Json::String(by)), Some(descending)) = (
        map.get("by"),
        map.get("desc").map_or(Some(false), Json::as_bool),
    ) else {
        return Err(Error::invalid(SHAPE));
    };
    let place = measures.iter().position(|(name, _)| name == by);
    let place = place.ok_or_else(|| Error::invalid(format!("{by:?} is none of the measures")))?;
    Ok((place, descending))
}

impl Compiler<'_> {
    /// The columns of a group's key: the kind's place and the value for a field, else the value.
    fn group_key(&mut self, key: &GroupKey) -> Vec<String> {
        match key {
            GroupKey::Type => vec!["o.type".into()],
            GroupKey::Parent => vec!["o.parent".into()],
            GroupKey::Source => vec!["o.source".into()],
            GroupKey::Target => vec!["o.target".into()],
            GroupKey::Tag => vec!["t.tag".into()],
            GroupKey::Field(path) => {
                let place = self.place(path);
                let (kind, value) = (&place.kind, &place.value);
                vec![
                    kind_rank(kind),
                    // 1.0 and 1 are one group, and it is shown as 1.
                    format!(
                        "CASE WHEN {kind} IS 'real' AND {value} = CAST({value} AS INTEGER) \
                         THEN CAST({value} AS INTEGER) ELSE {value} END"
                    ),
                ]
            }
        }
    }

    /// The columns of a measure.
    fn measure(&mut self, measure: &Measure) -> Vec<String> {
        match measure {
            Measure::Count => vec!["count(*)".into()],
            Measure::CountOf(Subject::Clock(_)) => vec!["count(*)".into()],
            Measure::CountOf(Subject::Field(path)) => {
                let kind = self.place(path).kind;
                vec![format!(
                    "count(CASE WHEN coalesce({kind},'null') <> 'null' THEN 1 END)"
                )]
            }
            Measure::Min(subject) => vec![format!("min({})", self.comparable(subject))],
            Measure::Max(subject) => vec![format!("max({})", self.comparable(subject))],
            Measure::Sum(path) | Measure::Average(path) => self.sums(path),
        }
    }

    /// Numbers and strings, of which SQLite puts numbers first; NULL for what is neither.
    fn comparable(&mut self, subject: &Subject) -> String {
        match subject {
            Subject::Clock(clock) => column(*clock).to_owned(),
            Subject::Field(path) => {
                let place = self.place(path);
                format!(
                    "CASE WHEN coalesce({},'') IN ('integer','real','text') THEN {} END",
                    place.kind, place.value
                )
            }
        }
    }

    /// How many numbers, the integers' upper and lower halves, how many floats, the floats' sum.
    /// A sum of halves cannot overflow, as one of whole integers can.
    fn sums(&mut self, path: &Path) -> Vec<String> {
        let place = self.place(path);
        let (kind, value) = (&place.kind, &place.value);
        let integer = |of: &str| format!("sum(CASE WHEN {kind} IS 'integer' THEN {of} END)");
        vec![
            format!("count(CASE WHEN {} THEN 1 END)", is_number(kind)),
            integer(&format!("{value} >> 32")),
            integer(&format!("{value} & 4294967295")),
            format!("count(CASE WHEN {kind} IS 'real' THEN 1 END)"),
            format!("total(CASE WHEN {kind} IS 'real' THEN {value} END)"),
        ]
    }
}

impl Measure {
    /// How many columns [`Compiler::measure`] makes of it.
    pub(super) fn columns(&self) -> usize {
        match self {
            Measure::Sum(_) | Measure::Average(_) => 5,
            _ => 1,
        }
    }
}

impl GroupKey {
    /// How many columns [`Compiler::group_key`] makes of it.
    pub(super) fn columns(&self) -> usize {
        match self {
            GroupKey::Field(_) => 2,
            _ => 1,
        }
    }
}
