//! What results are ordered by, as values that compare as SQLite compares them.

use super::super::number::Number;
use std::cmp::Ordering;

/// A value of one term of the order.
#[derive(Clone, Debug, PartialEq)]
pub enum KeyValue {
    /// Nothing: before everything else.
    Null,
    /// A signed 64-bit integer.
    Integer(i64),
    /// A double; never NaN, which SQLite turns into NULL.
    Real(f64),
    /// Text, compared by its bytes.
    Text(Box<[u8]>),
    /// Bytes.
    Blob(Box<[u8]>),
}

impl KeyValue {
    /// The order of two values.
    pub fn order(&self, other: &KeyValue) -> Ordering {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return a.order(b);
        }
        match (self, other) {
            (KeyValue::Text(a), KeyValue::Text(b)) | (KeyValue::Blob(a), KeyValue::Blob(b)) => {
                a.cmp(b)
            }
            (a, b) => a.rank().cmp(&b.rank()),
        }
    }

    fn number(&self) -> Option<Number> {
        match self {
            KeyValue::Integer(i) => Some(Number::Int(*i)),
            KeyValue::Real(f) => Some(Number::Float(*f)),
            _ => None,
        }
    }

    /// The order of the kinds.
    fn rank(&self) -> u8 {
        match self {
            KeyValue::Null => 0,
            KeyValue::Integer(_) | KeyValue::Real(_) => 1,
            KeyValue::Text(_) => 2,
            KeyValue::Blob(_) => 3,
        }
    }
}

/// The order of two lists of values, each term ascending or descending.
pub fn order(descending: &[bool], a: &[KeyValue], b: &[KeyValue]) -> Ordering {
    a.iter()
        .zip(b)
        .zip(descending)
        .map(|((a, b), descending)| match descending {
            true => b.order(a),
            false => a.order(b),
        })
        .find(|found| found.is_ne())
        .unwrap_or(Ordering::Equal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_numbers_are_in_sqlites_order() {
        let text = |t: &str| KeyValue::Text(t.as_bytes().into());
        let rising = [
            KeyValue::Null,
            KeyValue::Real(f64::NEG_INFINITY),
            KeyValue::Integer(i64::MIN),
            KeyValue::Real(0.5),
            KeyValue::Integer(1 << 53),
            KeyValue::Integer((1 << 53) + 1),
            KeyValue::Integer(i64::MAX),
            KeyValue::Real(9_223_372_036_854_775_807.0),
            text(""),
            text("a"),
            text("a\0"),
            text("ab"),
            text("é"),
            KeyValue::Blob([0].into()),
        ];
        for (i, a) in rising.iter().enumerate() {
            for (j, b) in rising.iter().enumerate() {
                assert_eq!(a.order(b), i.cmp(&j), "{a:?} {b:?}");
                let one = |v: &KeyValue| vec![v.clone()];
                assert_eq!(order(&[true], &one(a), &one(b)), j.cmp(&i));
            }
        }
        let (a, b) = (KeyValue::Integer(1), KeyValue::Real(1.0));
        assert_eq!(a.order(&b), Ordering::Equal);
    }
}
