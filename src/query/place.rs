//! What is at a path, as SQL. Queries and the indexes that serve them take their text from here,
//! since SQLite uses an index of an expression for the very same expression only.

use super::filter::{Clock, OrderKey};
use super::jsonpath;
use crate::model::{Error, Path, Result, limits};

/// The kinds of values in order, as [`Place::kind_order`] numbers them.
pub(super) const BOOLEAN: u8 = 1;
/// See [`BOOLEAN`].
pub(super) const NUMBER: u8 = 2;
/// See [`BOOLEAN`].
pub(super) const STRING: u8 = 3;
/// See [`BOOLEAN`].
pub(super) const LIST: u8 = 4;
/// See [`BOOLEAN`].
pub(super) const MAP: u8 = 5;

/// The SQL of what is at one path.
pub(super) struct Place {
    /// Its kind as SQLite names it; NULL when nothing is there.
    pub(super) kind: String,
    /// Its value.
    pub(super) value: String,
    /// The path to it, for `json_each`.
    pub(super) path: String,
    /// The place of its kind among the kinds; 0 when nothing is there. Never NULL.
    pub(super) kind_order: String,
    /// Its value if it is a boolean, a number or a string; NULL otherwise.
    pub(super) scalar: String,
}

impl Place {
    /// What is at the first of `paths` at which anything is. `paths` are SQL, as is `fields`: the
    /// fields as queries read them.
    pub(super) fn new(fields: &str, paths: &[String]) -> Place {
        let first_of = |function: &str| {
            let calls: Vec<String> = paths
                .iter()
                .map(|path| format!("{function}({fields},{path})"))
                .collect();
            match calls.as_slice() {
                [one] => one.clone(),
                several => format!("coalesce({})", several.join(",")),
            }
        };
        let path = match paths {
            [one] => one.clone(),
            several => {
                let cases: Vec<String> = several
                    .iter()
                    .map(|p| format!("WHEN json_type({fields},{p}) IS NOT NULL THEN {p}"))
                    .collect();
                format!("CASE {} ELSE '$.\"\"' END", cases.join(" "))
            }
        };
        let kind = first_of("json_type");
        let value = first_of("json_extract");
        Place {
            kind_order: kind_rank(&kind),
            scalar: format!("CASE WHEN {kind} IN ('array','object') THEN NULL ELSE {value} END"),
            kind,
            value,
            path,
        }
    }
}

/// The place of a value's kind in the order of kinds.
pub(super) fn kind_rank(kind: &str) -> String {
    format!(
        "CASE {kind} WHEN 'false' THEN {BOOLEAN} WHEN 'true' THEN {BOOLEAN} \
         WHEN 'integer' THEN {NUMBER} WHEN 'real' THEN {NUMBER} WHEN 'text' THEN {STRING} \
         WHEN 'array' THEN {LIST} WHEN 'object' THEN {MAP} ELSE 0 END"
    )
}

/// A text within the statement itself, if it is one that an index may name.
pub(super) fn literal(text: &str) -> Option<String> {
    let fits = text.len() <= limits::INDEX_BYTES && !text.contains('\0');
    fits.then(|| format!("'{}'", text.replace('\'', "''")))
}

/// The columns and the condition of an index that serves comparisons with, and the order by, what
/// `key` names, among all objects or those of one type.
pub fn index(type_name: Option<&str>, key: &OrderKey) -> Result<(String, Option<String>)> {
    let keys = match key {
        OrderKey::Clock(Clock::Created) => "created".to_owned(),
        OrderKey::Clock(Clock::Updated) => "updated".to_owned(),
        OrderKey::Field(path) => {
            let place = Place::new("coalesce(plain,data)", &literals(path)?);
            format!("{},{}", place.kind_order, place.scalar)
        }
        OrderKey::Id | OrderKey::Type | OrderKey::Parent | OrderKey::Rank => {
            return Err(Error::invalid(
                "an index is of a field, \"created\" or \"updated\"; there are indexes of ids, types and parents \
                 already, and a field of such a name is a JSON Pointer: \"/rank\"",
            ));
        }
    };
    let Some(name) = type_name else {
        return Ok((format!("{keys},id"), None));
    };
    let name = literal(name).ok_or_else(|| {
        Error::limit(format!(
            "the name of an index's type may have {} bytes, and no NUL character",
            limits::INDEX_BYTES
        ))
    })?;
    // The type comes first although it is the same everywhere: SQLite sees by it that the index
    // finds as much as the one of types does.
    Ok((format!("type,{keys},id"), Some(format!("type = {name}"))))
}

/// The ways to read a path, each within the statement itself; an error if an index may not name one.
pub(super) fn literals(path: &Path) -> Result<Vec<String>> {
    let variants = jsonpath::variants(path);
    let literals: Option<Vec<String>> = variants.iter().map(|text| literal(text)).collect();
    literals.ok_or_else(|| {
        Error::limit(format!(
            "the path of an index may have {} bytes",
            limits::INDEX_BYTES
        ))
    })
}
