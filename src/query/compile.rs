//! From a query to SQL over the `objects` table. Values that came from outside are bound
//! parameters; paths, and a type that stands alone, are literals within the statement, so that SQLite
//! finds the indexes made for them. The text of the statement depends on nothing else, so that a
//! program's queries are prepared once.
//!
//! Every condition is built to be true or false, never NULL: `NOT` of it then means what it says.

use super::filter::{Clock, Comparison, Filter, OrderBy, OrderKey, Query, Scalar, Test};
use super::jsonpath;
use super::number::Number;
use super::place::{self, BOOLEAN, NUMBER, Place, STRING};
use super::search::Search;
use crate::model::Path;
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

/// A query as SQL over the `objects` table.
#[derive(Clone, Debug, PartialEq)]
pub struct CompiledQuery {
    /// One SELECT statement, with numbered parameters.
    pub sql: String,
    /// The parameters, from ?1.
    pub params: Vec<SqlValue>,
    /// Whether it reads the table of words.
    pub searches: bool,
}

/// The SQL function that runs a search on values; its arguments are what was typed, and then the
/// kind and the value of each place to look at.
pub const FINDS: &str = "echodb_finds";

/// The columns of an object's row, in the order in which storage reads them.
pub(super) const ROW_COLUMNS: &str = "o.id,o.type,o.parent,o.gone,o.created,o.updated,o.heads,\
     o.data,json(o.plain),o.version,o.source,o.target,o.extra";

/// The fields as queries read them.
const PLAIN: &str = "coalesce(o.plain,o.data)";

/// Compiles a query. If it is ordered by rank, it has the rank as column `score`.
pub fn compile(query: &Query) -> CompiledQuery {
    let mut c = Compiler {
        leading: query.leading().filter(|search| search.fts(true).is_some()),
        ..Compiler::default()
    };
    let mut sql = format!("SELECT {ROW_COLUMNS}");
    if c.leading.is_some() && query.order.iter().any(|by| by.key == OrderKey::Rank) {
        sql.push_str(",bm25(words) AS score");
    }
    sql.push_str(match c.leading {
        // SQLite knows nothing of how rare words are, and would rather go through all of a type.
        Some(_) => " FROM words CROSS JOIN objects AS o ON o.n = words.rowid WHERE ",
        None => " FROM objects AS o WHERE ",
    });
    sql.push_str(&c.filter(&query.filter));
    sql.push_str(" ORDER BY ");
    sql.push_str(&c.order(&query.order));
    if query.limit.is_some() || query.skip > 0 {
        // A negative limit is none.
        let limit = c.bind(SqlValue::Integer(query.limit.map_or(-1, clamp)));
        sql.push_str(&format!(" LIMIT {limit}"));
    }
    if query.skip > 0 {
        let skip = c.bind(SqlValue::Integer(clamp(query.skip)));
        sql.push_str(&format!(" OFFSET {skip}"));
    }
    CompiledQuery {
        sql,
        params: c.params,
        searches: c.searches,
    }
}

#[derive(Default)]
pub(super) struct Compiler<'a> {
    pub(super) params: Vec<SqlValue>,
    paths: HashMap<String, String>,
    /// The search that the objects are found by, if all must satisfy one.
    leading: Option<&'a Search>,
    pub(super) searches: bool,
}

impl Compiler<'_> {
    pub(super) fn bind(&mut self, value: SqlValue) -> String {
        self.params.push(value);
        format!("?{}", self.params.len())
    }

    fn bind_all(&mut self, values: impl IntoIterator<Item = SqlValue>) -> String {
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
            Filter::And(all) => {
                let parts: Vec<String> = all.iter().map(|f| self.filter(f)).collect();
                join(&parts, "AND", "1")
            }
            Filter::Or(any) => {
                let parts: Vec<String> = any.iter().map(|f| self.filter(f)).collect();
                join(&parts, "OR", "0")
            }
            Filter::Not(filter) => format!("NOT ({})", self.filter(filter)),
        }
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

    fn place(&mut self, path: &Path) -> Place {
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

    fn order(&mut self, order: &[OrderBy]) -> String {
        let mut terms: Vec<String> = self
            .order_terms(order)
            .into_iter()
            .map(|(term, descending)| term + if descending { " DESC" } else { "" })
            .collect();
        // Nothing that comes after the id can matter.
        if !order.iter().any(|by| by.key == OrderKey::Id) {
            terms.push("o.id".to_owned());
        }
        terms.join(", ")
    }

    /// The terms of an order, each with whether its last come first; ties are left to the id.
    pub(super) fn order_terms(&mut self, order: &[OrderBy]) -> Vec<(String, bool)> {
        let mut terms = Vec::new();
        for by in order {
            let keys = match &by.key {
                OrderKey::Clock(clock) => vec![column(*clock).to_owned()],
                OrderKey::Id => vec!["o.id".to_owned()],
                OrderKey::Type => vec!["o.type".to_owned()],
                OrderKey::Rank => match self.leading {
                    Some(_) => vec!["score".to_owned()],
                    None => Vec::new(),
                },
                OrderKey::Field(path) => {
                    let place = self.place(path);
                    vec![place.kind_order, place.scalar]
                }
            };
            terms.extend(keys.into_iter().map(|key| (key, by.descending)));
        }
        terms
    }
}

/// Joins conditions as a balanced tree: SQLite bounds the depth of an expression, and a plain
/// chain of a thousand is a thousand deep.
fn join(parts: &[String], operator: &str, empty: &str) -> String {
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

fn number_value(number: Number) -> SqlValue {
    match number {
        Number::Int(i) => SqlValue::Integer(i),
        Number::Float(f) => SqlValue::Real(f),
    }
}

fn column(clock: Clock) -> &'static str {
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

fn clamp(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
