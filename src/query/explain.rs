//! How SQLite answers a query, in its own lines and in words.

use super::compile::{CompiledQuery, SqlValue};
use serde_json::{Value as Json, json};

/// How SQLite would run a statement.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The statement.
    pub sql: String,
    /// Each step with its number and that of the step it belongs to.
    pub steps: Vec<(i64, i64, String)>,
}

/// An explanation as JSON: `sql`, `parameters`, `plan` (SQLite's lines, those within others set
/// in), `indexes` (those used, tables' own keys left out), `scans` (whether every object is read),
/// and `words`.
pub fn explain(query: &CompiledQuery, plan: &Plan) -> String {
    let mut depths = std::collections::BTreeMap::new();
    let mut lines = Vec::new();
    let mut words: Vec<String> = Vec::new();
    let mut indexes: Vec<&str> = Vec::new();
    let mut scans = false;
    for (id, parent, line) in &plan.steps {
        let depth = depths.get(parent).map_or(0, |depth| depth + 1);
        depths.insert(*id, depth);
        lines.push(format!("{}{line}", "  ".repeat(depth)));
        let step = Step::read(line);
        scans |= step.kind == "SCAN" && step.table == "objects" && step.index.is_none();
        if let Some(index) = step.index
            && !index.starts_with("sqlite_autoindex")
            && !indexes.contains(&index)
        {
            indexes.push(index);
        }
        words.extend(
            step.words()
                .map(|said| format!("{}{said}", "  ".repeat(depth))),
        );
    }
    let parameters: Vec<Json> = query.params.iter().map(parameter).collect();
    json!({
        "sql": plan.sql,
        "parameters": parameters,
        "plan": lines,
        "indexes": indexes,
        "scans": scans,
        "words": words,
    })
    .to_string()
}

fn parameter(value: &SqlValue) -> Json {
    match value {
        SqlValue::Integer(i) => Json::from(*i),
        SqlValue::Real(f) => Json::from(*f),
        SqlValue::Text(text) => Json::from(text.as_str()),
        SqlValue::Blob(bytes) => {
            Json::from(format!("x'{}'", data_encoding::HEXLOWER.encode(bytes)))
        }
    }
}

/// A line of a plan, as `SEARCH o USING INDEX objects_type (type=?)`.
struct Step<'a> {
    kind: &'a str,
    /// The table behind the alias, as this library names them.
    table: &'a str,
    index: Option<&'a str>,
    line: &'a str,
}

impl<'a> Step<'a> {
    fn read(line: &'a str) -> Step<'a> {
        let mut words = line.split(' ');
        let kind = words.next().unwrap_or_default();
        let table = match words.next().unwrap_or_default() {
            "o" | "a" | "p" | "l" => "objects",
            "r" => "references",
            "g" | "t" => "labels",
            "e" => "items",
            other => other,
        };
        let index = line.split_once(" INDEX ").map(|(_, rest)| {
            let rest = rest.split(' ').next();
            rest.unwrap_or_default()
        });
        Step {
            kind,
            table,
            index,
            line,
        }
    }

    fn words(&self) -> Option<String> {
        let table = self.table;
        let how = match (self.index, self.line) {
            (Some("objects_type"), _) => "by their type".to_owned(),
            (Some("objects_parent"), _) => "by their parent".to_owned(),
            (Some("objects_source"), _) => "by where they begin".to_owned(),
            (Some("objects_target"), _) => "by where they end".to_owned(),
            (Some("refs_target"), _) => "by what they refer to".to_owned(),
            (Some("objects_gone"), _) => "among those out of sight".to_owned(),
            (Some(own), _) if own.starts_with("sqlite_autoindex") => "by id".to_owned(),
            (Some(index), _) => format!("by the index {index}"),
            (None, line) if line.contains("PRIMARY KEY (rowid") => "one by one".to_owned(),
            (None, line) if line.contains("PRIMARY KEY (object") => "by their object".to_owned(),
            (None, line) if line.contains("PRIMARY KEY") => "by their key".to_owned(),
            (None, _) => String::new(),
        };
        Some(match self.kind {
            "SCAN" if self.line.contains("CONSTANT ROW") => return None,
            "SCAN" if table == "objects" && how.is_empty() => "every object is read".to_owned(),
            "SCAN" if how.is_empty() => format!("all {table} are read"),
            "SCAN" => format!("all {table} are read in order, {how}"),
            "SEARCH" => format!("{table} are looked up {how}"),
            "USE" if self.line.contains("ORDER BY") => "the results are sorted".to_owned(),
            "USE" if self.line.contains("GROUP BY") => "the objects are sorted by group".to_owned(),
            "LIST" => "a set is worked out once:".to_owned(),
            "CORRELATED" => "for each of those:".to_owned(),
            "RECURSIVE" => "and, as long as there are more:".to_owned(),
            "MULTI-INDEX" => "in several ways, joined:".to_owned(),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans_are_put_into_words() {
        let query = CompiledQuery {
            sql: "SELECT 1".into(),
            params: vec![SqlValue::Blob(vec![1])],
            searches: false,
            unindexed: None,
        };
        let plan = [
            (2, 0, "SCAN o"),
            (5, 0, "LIST SUBQUERY 2"),
            (9, 5, "SEARCH r USING COVERING INDEX refs_target (target=?)"),
            (12, 0, "USE TEMP B-TREE FOR ORDER BY"),
        ];
        let plan = Plan {
            sql: query.sql.clone(),
            steps: plan
                .map(|(id, parent, line)| (id, parent, line.to_owned()))
                .into(),
        };
        let said: Json = serde_json::from_str(&explain(&query, &plan)).unwrap();
        assert_eq!(
            said["words"],
            json!([
                "every object is read",
                "a set is worked out once:",
                "  references are looked up by what they refer to",
                "the results are sorted"
            ])
        );
        assert_eq!(said["indexes"], json!(["refs_target"]));
        assert_eq!(
            (&said["scans"], &said["parameters"]),
            (&json!(true), &json!(["x'01'"]))
        );
        assert!(said["plan"][2].as_str().unwrap().starts_with("  SEARCH"));
    }
}
