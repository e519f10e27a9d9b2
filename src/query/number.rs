//! Integers and floats as one kind, compared without rounding.

use std::cmp::Ordering;

/// A number of a query or of an object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A float; never NaN, which the plain form of values does not have.
    Float(f64),
}

impl Number {
    /// The number that parsed JSON holds.
    pub(super) fn from_json(number: &serde_json::Number) -> Option<Number> {
        number
            .as_i64()
            .map(Number::Int)
            .or_else(|| number.as_f64().map(Number::Float))
    }

    /// The order of two numbers, exact where a conversion to float would round, as SQLite has it.
    pub(super) fn order(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => a.cmp(&b),
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
            (Number::Int(a), Number::Float(b)) => int_float(a, b),
            (Number::Float(a), Number::Int(b)) => int_float(b, a).reverse(),
        }
    }
}

fn int_float(int: i64, float: f64) -> Ordering {
    // 2^63: the first float above every i64.
    const ABOVE: f64 = 9_223_372_036_854_775_808.0;
    if float >= ABOVE {
        return Ordering::Less;
    }
    if float < -ABOVE {
        return Ordering::Greater;
    }
    // In range, so that the cast only drops the fraction.
    let whole = float as i64;
    int.cmp(&whole).then_with(|| {
        (whole as f64)
            .partial_cmp(&float)
            .unwrap_or(Ordering::Equal)
    })
}
