//! From a query to SQL over the `objects` table. Values that came from outside are bound
//! parameters; paths, and a type that stands alone, are literals within the statement, so that SQLite
//! finds the indexes made for them. The text of the statement depends on nothing else, so that a
//! program's queries are prepared once.
//!
//! Every condition is built to be true or false, never NULL: `NOT` of it then means what it says.
//!
//! The object that a condition is about is `o` everywhere: a condition on another object stands in
//! a SELECT of its own, in which that one is `o`.

use super::compile_order::Term;
use super::cursor::Cell;
use super::filter::{Clock, Comparison, End, Filter, Kind, OrderKey, Query, Scalar, Test};
use super::jsonpath;
use super::link::backwards;
use super::number::Number;
use super::place::{self, BOOLEAN, NUMBER, Place, STRING};
use super::search::Search;
use crate::model::{ObjectId, Path, signed};
use std::collections::HashMap;

/// A parameter of a compiled query.
#[derive(Clone, Debug, PartialEq)]
pub enum SqlValue {
    /// A signed 64-bit integer.
    Integer(i64),
    /// A double.
    Real(f64),
    /// Text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl SqlValue {
    /// The number it is, if it is one.
    pub(super) fn number(&self) -> Option<Number> {
        match self {
            SqlValue::Integer(i) => Some(Number::Int(*i)),
            SqlValue::Real(f) => Some(Number::Float(*f)),
            _ => None,
        }
    }

    /// Where its kind stands in SQLite's order of kinds.
    pub(super) fn rank(&self) -> u8 {
        match self {
            SqlValue::Integer(_) | SqlValue::Real(_) => 0,
            SqlValue::Text(_) => 1,
            SqlValue::Blob(_) => 2,
        }
    }
}

/// A query as SQL over the `objects` table.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledQuery {
    /// One SELECT statement, with numbered parameters.
    pub sql: String,
    /// The parameters, from ?1.
    pub params: Vec<SqlValue>,
    /// Whether it reads the table of words.
    pub searches: bool,
    /// The same with another order, for where no index serves that.
    pub unindexed: Option<Unindexed>,
}

/// A statement that is faster where certain fields have no index.
#[derive(Clone, Debug, PartialEq)]
pub struct Unindexed {
    /// The statement, with the same parameters.
    pub sql: String,
    /// The fields, by the names of indexes ([`super::index_name`]).
    pub fields: Vec<String>,
}

/// The SQL function that runs a search on values; its arguments are what was typed, and then the
/// kind and the value of each place to look at.
pub const FINDS: &str = "echodb_finds";

/// The columns of an object's row, in the order in which storage reads them.
pub(super) const ROW_COLUMNS: &str = "o.id,o.type,o.parent,o.gone,o.created,o.updated,o.heads,\
     o.data,o.version,o.source,o.target,o.extra";

/// The fields as queries read them.
pub(super) const PLAIN: &str = "coalesce(o.plain,o.data)";

/// Leaves out the space's own properties and schemas, which are no objects of its users:
/// `ObjectId::PROPERTIES`, and what `objects.gone` says of schemas.
pub(super) const USER: &str = "o.id <> x'00000000000070726f70657274696573' AND (o.gone & 8) = 0";
/// In sight, and an object of its users, told by indexes: few objects are out of sight, and an index
/// of these is a smaller thing to read than each object's row.
pub(super) const IN_SIGHT: &str = "o.id <> x'00000000000070726f70657274696573' AND NOT EXISTS(\
     SELECT 1 FROM objects AS p INDEXED BY objects_gone WHERE p.n = o.n AND p.gone <> 0)";

/// How well an object fits the search that leads.
pub(super) const RANK: &str = "bm25(words)";
/// The same where results are ordered by nothing else.
const BEST: &str = "words.rank";

/// Which part of a query's results is wanted.
#[derive(Clone, Copy, Debug, Default)]
pub struct Selection<'a> {
    /// Only those of these objects: what a live query asks about what changed.
    pub within: Option<&'a [ObjectId]>,
    /// Only those after a row with these keys.
    pub after: Option<&'a [Cell]>,
    /// What follows each row's columns.
    pub more: More,
}

/// What is asked for beside the columns of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum More {
    /// Nothing.
    #[default]
    Nothing,
    /// The keys of the order.
    Keys,
    /// Of a query with a search that leads, how well the row fits it, as `score`, and the plain form
    /// of its fields, as `plain`, NULL where that is the same.
    Found,
}

/// Compiles a query.
pub fn compile(query: &Query) -> CompiledQuery {
    compile_part(query, Selection::default())
}

/// Compiles a query for a part of its results. The window counts from the part's start.
pub fn compile_part(query: &Query, part: Selection<'_>) -> CompiledQuery {
    // Steps and parts of the results lead away from the objects that the search finds.
    let leading = query.leading().filter(|_| part.within.is_none());
    let mut c = Compiler {
        leading: leading.filter(|search| search.fts(true).is_some()),
        ..Compiler::default()
    };
    let mut conditions = vec![USER.to_owned()];
    let mut found_by = "";
    match part.within {
        None => {
            let ends = c.traversal(&query.filter, &query.follow);
            found_by = ends.by;
            conditions.push(ends.condition);
        }
        Some(ids) => {
            let ids = c.bind_all(ids.iter().map(|id| SqlValue::Blob(id.0.to_vec())));
            conditions.push(format!("o.id IN ({ids})"));
            c.few = true;
            conditions.push(c.filter(&backwards(&query.filter, &query.follow)));
        }
    }
    let terms = c.order(&query.order);
    // Then FTS5 gives the best first and reads no more of them than are wanted.
    let best_first = c.leading.is_some()
        && part.after.is_none()
        && part.more != More::Keys
        && matches!(query.order.as_slice(), [by] if by.key == OrderKey::Rank);
    let rank = if best_first { BEST } else { RANK };
    if let Some(cells) = part.after {
        conditions.push(c.after(&terms, cells));
    }
    let more: String = match part.more {
        More::Nothing => String::new(),
        More::Keys => terms.iter().map(|term| format!(",{}", term.sql)).collect(),
        More::Found => {
            let rank = c.leading.map_or("NULL", |_| rank);
            format!(",{rank} AS score,json(o.plain) AS plain")
        }
    };
    let from = match c.leading {
        // SQLite knows nothing of how rare words are, and would rather go through all of a type.
        Some(_) => "words CROSS JOIN objects AS o ON o.n = words.rowid".to_owned(),
        None => format!("objects AS o{found_by}"),
    };
    let order = match (best_first, terms.as_slice()) {
        (true, [rank, ..]) => rank.ordered_as(BEST),
        _ => ordered(&terms),
    };
    let select = format!(
        "SELECT {ROW_COLUMNS}{more} FROM {from} WHERE {}",
        conditions.join(" AND ")
    );
    // Of pages the keys are wanted, and of parts of the results the rows are few.
    let whole = part.within.is_none() && part.after.is_none() && part.more == More::Nothing;
    let unindexed = whole.then(|| c.unindexed_order(&query.order)).flatten();
    let window = c.window(query);
    CompiledQuery {
        sql: format!("{select} ORDER BY {order}{window}"),
        params: c.params,
        searches: c.searches,
        unindexed: unindexed.map(|order| Unindexed {
            sql: format!("{select} ORDER BY {}{window}", ordered(&order.terms)),
            fields: order.fields,
        }),
    }
}

fn ordered(terms: &[Term]) -> String {
    let keys: Vec<String> = terms
        .iter()
        .map(|term| term.ordered_as(&term.sql))
        .collect();
    keys.join(", ")
}

#[derive(Default)]
pub(super) struct Compiler<'a> {
    pub(super) params: Vec<SqlValue>,
    paths: HashMap<String, String>,
    /// Whether conditions are asked about few objects. Then what they say of other objects is
    /// looked up for each; else it is worked out once for all.
    pub(super) few: bool,
    /// The search that the objects are found by, if all must satisfy one.
    pub(super) leading: Option<&'a Search>,
    /// Whether the table of words is read.
    pub(super) searches: bool,
}

impl Compiler<'_> {
    fn window(&mut self, query: &Query) -> String {
        let mut sql = String::new();
        if query.limit.is_some() || query.skip > 0 {
            // A negative limit is none.
            let limit = self.bind(SqlValue::Integer(query.limit.map_or(-1, signed)));
            sql.push_str(&format!(" LIMIT {limit}"));
        }
        if query.skip > 0 {
            let skip = self.bind(SqlValue::Integer(signed(query.skip)));
            sql.push_str(&format!(" OFFSET {skip}"));
        }
        sql
    }

    pub(super) fn bind(&mut self, value: SqlValue) -> String {
        self.params.push(value);
        format!("?{}", self.params.len())
    }

    pub(super) fn bind_all(&mut self, values: impl IntoIterator<Item = SqlValue>) -> String {
        let bound: Vec<String> = values.into_iter().map(|v| self.bind(v)).collect();
        bound.join(",")
    }

    pub(super) fn filter(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::Type(names) => self.types(names),
            Filter::Id(ids) => {
                let ids = self.bind_all(ids.iter().map(|id| SqlValue::Blob(id.0.to_vec())));
                format!("o.id IN ({ids})")
            }
            // The second half makes the condition false where the column is NULL.
            Filter::Parent(Some(parent)) => {
                let parent = self.bind(SqlValue::Blob(parent.0.to_vec()));
                format!("(o.parent = {parent} AND o.parent IS NOT NULL)")
            }
            Filter::Parent(None) => "o.parent IS NULL".into(),
            Filter::End { end, id: None } => format!("{} IS NULL", end_column(*end)),
            Filter::End { end, id: Some(id) } => {
                let column = end_column(*end);
                let id = self.bind(SqlValue::Blob(id.0.to_vec()));
                format!("({column} = {id} AND {column} IS NOT NULL)")
            }
            Filter::Relation(true) => "(o.source IS NOT NULL OR o.target IS NOT NULL)".into(),
            Filter::Relation(false) => "(o.source IS NULL AND o.target IS NULL)".into(),
            Filter::Tag(tags) => self.tag(tags),
            Filter::Key { source, keys } => self.key(source, keys.as_deref()),
            Filter::Linked { link, to } => self.linked(link, to),
            Filter::Visible => "o.gone = 0".into(),
            Filter::Deleted(true) => "(o.gone & 3) <> 0".into(),
            Filter::Deleted(false) => "(o.gone & 3) = 0".into(),
            Filter::Branch(true) => "(o.gone & 4) <> 0".into(),
            Filter::Branch(false) => "(o.gone & 4) = 0".into(),
            Filter::Time {
                clock,
                comparison,
                ms,
            } => {
                let ms = self.bind(SqlValue::Integer(*ms));
                format!("{} {} {ms}", column(*clock), operator(*comparison))
            }
            Filter::Field { path, test } => self.field(path, test),
            Filter::Search(search) => self.search(search),
            Filter::And(all) => self.all(all),
            Filter::Or(any) => {
                let parts: Vec<String> = any.iter().map(|f| self.filter(f)).collect();
                join(&parts, "OR", "0")
            }
            Filter::Not(filter) => format!("NOT ({})", self.filter(filter)),
        }
    }

    fn all(&mut self, all: &[Filter]) -> String {
        let before = self.few;
        self.few |= all.iter().any(|filter| matches!(filter, Filter::Id(_)));
        let parts: Vec<String> = all.iter().map(|f| self.filter(f)).collect();
        self.few = before;
        join(&parts, "AND", "1")
    }

    fn types(&mut self, names: &[Option<String>]) -> String {
        if let [Some(name)] = names
            && let Some(name) = place::literal(name)
        {
            return format!("(o.type = {name} AND o.type IS NOT NULL)");
        }
        let named: Vec<SqlValue> = names
            .iter()
            .flatten()
            .cloned()
            .map(SqlValue::Text)
            .collect();
        let mut parts = Vec::new();
        if !named.is_empty() {
            let named = self.bind_all(named);
            parts.push(format!("(o.type IN ({named}) AND o.type IS NOT NULL)"));
        }
        if names.iter().any(Option::is_none) {
            parts.push("o.type IS NULL".into());
        }
        join(&parts, "OR", "0")
    }

    pub(super) fn place(&mut self, path: &Path) -> Place {
        let paths: Vec<String> = jsonpath::variants(path)
            .into_iter()
            .map(
                |text| match (place::literal(&text), self.paths.get(&text)) {
                    (Some(literal), _) => literal,
                    (None, Some(known)) => known.clone(),
                    (None, None) => {
                        let bound = self.bind(SqlValue::Text(text.clone()));
                        self.paths.insert(text, bound.clone());
                        bound
                    }
                },
            )
            .collect();
        Place::new(PLAIN, &paths)
    }

    fn search(&mut self, search: &Search) -> String {
        let narrowed = !search.paths.is_empty();
        let Some(expression) = search.fts(!narrowed) else {
            return "0".into();
        };
        self.searches = true;
        let expression = self.bind(SqlValue::Text(expression));
        let found = match self
            .leading
            .is_some_and(|leading| std::ptr::eq(leading, search))
        {
            true => format!("words MATCH {expression}"),
            false => {
                format!("o.n IN (SELECT rowid FROM words WHERE words MATCH {expression})")
            }
        };
        if !narrowed {
            return found;
        }
        let text = self.bind(SqlValue::Text(search.text.clone()));
        let places = search.paths.iter().map(|path| {
            let Place { kind, value, .. } = self.place(path);
            format!(",{kind},{value}")
        });
        let places: String = places.collect();
        format!("({found} AND {FINDS}({text}{places}))")
    }

    fn field(&mut self, path: &Path, test: &Test) -> String {
        // SQLite wants every parameter that is bound to be used.
        if matches!(test, Test::In(scalars) if scalars.is_empty()) {
            return "0".into();
        }
        let place = self.place(path);
        match test {
            Test::Equal(scalar) => self.is(&place, scalar),
            Test::Differ(scalar) => format!("NOT ({})", self.is(&place, scalar)),
            Test::Compare(comparison, scalar) => self.stands(&place, operator(*comparison), scalar),
            Test::In(scalars) => self.is_in(&place, scalars),
            Test::Contains(scalar) => self.contains(&place, scalar),
            Test::Prefix(prefix) => self.begins(&place, prefix),
            Test::Exists(true) => format!("{} IS NOT NULL", place.kind),
            Test::Exists(false) => format!("{} IS NULL", place.kind),
            Test::Kind(kind) => is_kind(&place.kind, *kind),
        }
    }

    fn is(&mut self, place: &Place, scalar: &Scalar) -> String {
        match scalar {
            Scalar::Null => format!("{} IS 'null'", place.kind),
            Scalar::Bool(b) => {
                let Place {
                    kind_order, scalar, ..
                } = place;
                format!("({scalar} = {} AND {kind_order} = {BOOLEAN})", u8::from(*b))
            }
            Scalar::Number(_) | Scalar::String(_) => self.stands(place, "=", scalar),
        }
    }

    /// Compares in the terms of an index. Where the kind fits, the value is not NULL, and neither
    /// is the comparison; where it does not, the second half decides alone.
    fn stands(&mut self, place: &Place, operator: &str, scalar: &Scalar) -> String {
        let (kind, bound) = match scalar {
            Scalar::Number(number) => (NUMBER, number_value(*number)),
            Scalar::String(text) => (STRING, SqlValue::Text(text.clone())),
            // The parser lets neither in.
            Scalar::Null | Scalar::Bool(_) => return "0".into(),
        };
        let bound = self.bind(bound);
        let Place {
            kind_order, scalar, ..
        } = place;
        format!("({scalar} {operator} {bound} AND {kind_order} = {kind})")
    }

    /// Strings compare by code point, so that those which begin so are the ones from the prefix
    /// itself up to the first that does not.
    fn begins(&mut self, place: &Place, prefix: &str) -> String {
        let Place {
            kind_order, scalar, ..
        } = place;
        let from = self.bind(SqlValue::Text(prefix.to_owned()));
        let to = match after(prefix) {
            Some(after) => {
                let bound = self.bind(SqlValue::Text(after));
                format!(" AND {scalar} < {bound}")
            }
            None => String::new(),
        };
        format!("({scalar} >= {from}{to} AND {kind_order} = {STRING})")
    }

    /// Whether an element of a list equals a value. The kind is checked first and decides alone
    /// where it does not fit.
    fn element(&mut self, scalar: &Scalar) -> String {
        let (kind, bound) = match scalar {
            Scalar::Null => return "e.type IS 'null'".into(),
            Scalar::Bool(b) => return format!("e.type IS '{b}'"),
            Scalar::Number(number) => ("e.type IN ('integer','real')", number_value(*number)),
            Scalar::String(text) => ("e.type IS 'text'", SqlValue::Text(text.clone())),
        };
        let bound = self.bind(bound);
        format!("({kind} AND e.value = {bound})")
    }

    fn is_in(&mut self, place: &Place, scalars: &[Scalar]) -> String {
        let Place {
            kind_order, scalar, ..
        } = place;
        let mut parts = Vec::new();
        let mut numbers = Vec::new();
        let mut strings = Vec::new();
        for wanted in scalars {
            match wanted {
                Scalar::Number(n) => numbers.push(number_value(*n)),
                Scalar::String(s) => strings.push(SqlValue::Text(s.clone())),
                other => {
                    let part = self.is(place, other);
                    // Four at most are distinct, whatever the length of the list.
                    if !parts.contains(&part) {
                        parts.push(part);
                    }
                }
            }
        }
        if !numbers.is_empty() {
            let list = self.bind_all(numbers);
            parts.push(format!(
                "({scalar} IN ({list}) AND {kind_order} = {NUMBER})"
            ));
        }
        if !strings.is_empty() {
            let list = self.bind_all(strings);
            parts.push(format!(
                "({scalar} IN ({list}) AND {kind_order} = {STRING})"
            ));
        }
        join(&parts, "OR", "0")
    }

    fn contains(&mut self, place: &Place, scalar: &Scalar) -> String {
        let Place {
            kind, value, path, ..
        } = place;
        let element = self.element(scalar);
        let in_list = format!(
            "({kind} IS 'array' AND EXISTS(SELECT 1 FROM json_each({PLAIN},{path}) AS e WHERE {element}))"
        );
        let Scalar::String(part) = scalar else {
            return in_list;
        };
        let part = self.bind(SqlValue::Text(part.clone()));
        format!("({in_list} OR ({kind} IS 'text' AND instr({value},{part}) > 0))")
    }
}

/// Joins conditions as a balanced tree: SQLite bounds the depth of an expression, and a plain
/// chain of a thousand is a thousand deep.
pub(super) fn join(parts: &[String], operator: &str, empty: &str) -> String {
    match parts {
        [] => empty.into(),
        [one] => one.clone(),
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            let left = join(left, operator, empty);
            let right = join(right, operator, empty);
            format!("({left} {operator} {right})")
        }
    }
}

/// The first string, in the order of code points, after all that begin so; `None` when there is no
/// end to them.
fn after(prefix: &str) -> Option<String> {
    let mut rest = prefix.to_owned();
    while let Some(last) = rest.pop() {
        // The surrogates are no characters; what follows them is next.
        let next = match last {
            '\u{D7FF}' => Some('\u{E000}'),
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            rest.push(next);
            return Some(rest);
        }
    }
    None
}

pub(super) fn is_number(kind: &str) -> String {
    format!("coalesce({kind},'') IN ('integer','real')")
}

fn number_value(number: Number) -> SqlValue {
    match number {
        Number::Int(i) => SqlValue::Integer(i),
        Number::Float(f) => SqlValue::Real(f),
    }
}

fn is_kind(found: &str, wanted: Kind) -> String {
    match wanted {
        Kind::Null => format!("{found} IS 'null'"),
        Kind::Boolean => format!("coalesce({found},'') IN ('true','false')"),
        Kind::Number => is_number(found),
        Kind::String => format!("{found} IS 'text'"),
        Kind::List => format!("{found} IS 'array'"),
        Kind::Map => format!("{found} IS 'object'"),
    }
}

fn end_column(end: End) -> &'static str {
    match end {
        End::Source => "o.source",
        End::Target => "o.target",
    }
}

pub(super) fn column(clock: Clock) -> &'static str {
    match clock {
        Clock::Created => "o.created",
        Clock::Updated => "o.updated",
    }
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::AtMost => "<=",
        Comparison::Greater => ">",
        Comparison::AtLeast => ">=",
    }
}
