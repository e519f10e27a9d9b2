//! An aggregation's rows as JSON.

use super::aggregate::{Aggregate, GroupKey, Measure};
use super::compile::SqlValue;
use super::cursor::{Cell, compare_keys};
use crate::model::{ObjectId, Value, json};
use serde_json::{Map, Value as Json};
use std::cmp::Ordering;

/// One group.
struct Group {
    key: Vec<Json>,
    /// Each measure's value, as it is compared.
    cells: Vec<Cell>,
}

/// `[{"group": [KEY, …], "values": {NAME: VALUE}}]`, one for each group.
pub(super) fn answer(asked: &Aggregate, rows: &[Vec<Cell>]) -> String {
    let mut groups: Vec<Group> = rows.iter().map(|row| group(asked, row)).collect();
    // Stable: groups that are equal in this stay in the order of their keys.
    groups.sort_by(|a, b| {
        let orders = asked.order.iter().map(|(place, descending)| {
            let cell = |group: &Group| group.cells.get(*place).cloned().unwrap_or(None);
            compare_keys(&[cell(a)], &[cell(b)], &[*descending])
        });
        orders.fold(Ordering::Equal, Ordering::then)
    });
    let skip = usize::try_from(asked.skip).unwrap_or(usize::MAX);
    let limit = asked.limit.map_or(usize::MAX, |limit| {
        usize::try_from(limit).unwrap_or(usize::MAX)
    });
    let shown = groups.into_iter().skip(skip).take(limit).map(|group| {
        let names = asked.measures.iter().map(|(name, _)| name.clone());
        let values = names.zip(group.cells.into_iter().map(shown));
        let mut object = Map::new();
        object.insert("group".into(), Json::Array(group.key));
        object.insert("values".into(), Json::Object(values.collect()));
        Json::Object(object)
    });
    Json::Array(shown.collect()).to_string()
}

fn group(asked: &Aggregate, row: &[Cell]) -> Group {
    let mut rest = row;
    let mut take = |count: usize| {
        let (taken, after) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        rest = after;
        taken
    };
    let keys = asked.group.iter();
    let key = keys.map(|key| key_json(key, take(key.columns()))).collect();
    let measures = asked.measures.iter();
    let cells = measures.map(|(_, measure)| value(measure, take(measure.columns())));
    Group {
        cells: cells.collect(),
        key,
    }
}

fn key_json(key: &GroupKey, cells: &[Cell]) -> Json {
    match (key, cells) {
        (GroupKey::Field(_), [Some(SqlValue::Integer(1)), Some(SqlValue::Integer(flag))]) => {
            Json::Bool(*flag != 0)
        }
        // Lists and maps come as their JSON text.
        (GroupKey::Field(_), [Some(SqlValue::Integer(4..)), Some(SqlValue::Text(text))]) => {
            serde_json::from_str(text).unwrap_or(Json::Null)
        }
        (_, [.., cell]) => shown(cell.clone()),
        (_, []) => Json::Null,
    }
}

fn shown(cell: Cell) -> Json {
    match cell {
        None => Json::Null,
        Some(SqlValue::Integer(i)) => Json::from(i),
        Some(SqlValue::Real(f)) => json::to_json(&Value::Float(f)),
        Some(SqlValue::Text(text)) => Json::String(text),
        Some(SqlValue::Blob(bytes)) => match bytes.try_into() {
            Ok(id) => Json::String(ObjectId(id).to_string()),
            Err(_) => Json::Null,
        },
    }
}

/// A measure's value from its columns.
fn value(measure: &Measure, cells: &[Cell]) -> Cell {
    let average = match measure {
        Measure::Sum(_) => false,
        Measure::Average(_) => true,
        _ => return cells.first().cloned().unwrap_or(None),
    };
    let number = |place: usize| match cells.get(place) {
        Some(Some(SqlValue::Integer(i))) => i128::from(*i),
        _ => 0,
    };
    let floats = match cells.get(4) {
        Some(Some(SqlValue::Real(f))) => *f,
        // Infinities of both signs add up to nothing that SQLite can hold.
        _ => f64::NAN,
    };
    let (count, integers) = (number(0), (number(1) << 32) + number(2));
    if average {
        return (count > 0).then(|| SqlValue::Real((integers as f64 + floats) / count as f64));
    }
    let exact = (number(3) == 0)
        .then(|| i64::try_from(integers).ok())
        .flatten();
    Some(match exact {
        Some(sum) => SqlValue::Integer(sum),
        None => SqlValue::Real(integers as f64 + floats),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_exact_while_they_fit_and_floats_after() {
        let asked = Aggregate::parse(r#"{"aggregate":{"s":{"sum":"n"},"a":{"avg":"n"}}}"#).unwrap();
        let halves = |n: i128| {
            let high = i64::try_from(n >> 32).unwrap();
            [high, i64::try_from(n & 0xffff_ffff).unwrap()].map(SqlValue::Integer)
        };
        for (integers, floats, sum, average) in [
            (-3, None, "-3", "-1.5"),
            (3, Some(0.5), "3.5", "1.75"),
            (
                1 << 64,
                None,
                "1.8446744073709552e19",
                "9.223372036854775808e18",
            ),
        ] {
            let [high, low] = halves(integers);
            let cells = [
                SqlValue::Integer(2),
                high,
                low,
                SqlValue::Integer(i64::from(floats.is_some())),
                SqlValue::Real(floats.unwrap_or(0.0)),
            ];
            let cells = cells.map(Some);
            let row = [cells.as_slice(), cells.as_slice()].concat();
            let answer: Json = serde_json::from_str(&asked.answer(&[row])).unwrap();
            let want = format!(r#"[{{"group":[],"values":{{"s":{sum},"a":{average}}}}}]"#);
            assert_eq!(answer, serde_json::from_str::<Json>(&want).unwrap());
        }
    }
}
