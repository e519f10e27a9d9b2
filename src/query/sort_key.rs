//! Where a value stands in an order, as bytes.

use super::element::{Element, Malformed, StoredJson};
use super::number::Number;
use super::place::{BOOLEAN, LIST, MAP, NUMBER, STRING};
use crate::model::Path;

/// The SQL function of [`sort_key`]; its arguments are an object's fields as stored, and the path.
pub const SORT_KEY: &str = "echodb_sort_key";

/// Bytes that are in order as the values at `path` are: the kind, as [`super::place::Place`] numbers
/// it, and then the value. Orders by them are those by kind and value, worked out at once.
pub fn sort_key(json: StoredJson<'_>, path: &Path) -> Result<SortKey, Malformed> {
    Ok(match Element::at(json, path)? {
        None | Some(Element::Null) => SortKey::short([0]),
        Some(Element::Bool(value)) => SortKey::short([BOOLEAN, u8::from(value)]),
        Some(Element::Number(number)) => SortKey::of_number(number),
        Some(Element::Text(text)) => SortKey::Text([&[STRING], text.as_bytes()].concat()),
        Some(Element::List) => SortKey::short([LIST]),
        Some(Element::Map) => SortKey::short([MAP]),
    })
}

/// What [`sort_key`] makes: of strings alone it is of any length.
#[derive(Clone, Debug)]
pub enum SortKey {
    /// So many of these.
    Short([u8; 11], usize),
    /// Of a string.
    Text(Vec<u8>),
}

impl SortKey {
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            SortKey::Short(bytes, length) => bytes.get(..*length).unwrap_or(bytes),
            SortKey::Text(bytes) => bytes,
        }
    }

    fn short<const N: usize>(of: [u8; N]) -> SortKey {
        let mut bytes = [0; 11];
        bytes.iter_mut().zip(of).for_each(|(to, from)| *to = from);
        SortKey::Short(bytes, N)
    }

    /// The nearest float, and how far above it the number is: an integer's is at most 512 away.
    fn of_number(number: Number) -> SortKey {
        let (float, above) = match number {
            // Zero has no sign in orders.
            Number::Float(float) => (float + 0.0, 0),
            Number::Int(int) => {
                let float = int as f64;
                (float, i128::from(int) - float as i128)
            }
        };
        let bits = float.to_bits();
        // Of negative ones, those with more of a magnitude come first.
        let rising = match bits >> 63 {
            0 => bits | 1 << 63,
            _ => !bits,
        };
        let above = u16::try_from(above + (1 << 15)).unwrap_or_default();
        let ([a, b, c, d, e, f, g, h], [i, j]) = (rising.to_be_bytes(), above.to_be_bytes());
        SortKey::short([NUMBER, a, b, c, d, e, f, g, h, i, j])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_number(number: Number) -> Vec<u8> {
        SortKey::of_number(number).as_bytes().to_vec()
    }

    /// Numbers next to those where floats get coarser, and some far apart.
    fn numbers() -> Vec<Number> {
        let mut all = vec![
            Number::Float(-0.0),
            Number::Float(f64::MIN),
            Number::Float(f64::MAX),
        ];
        for exponent in 0..64 {
            let power = 1_i128 << exponent;
            for near in [-1025, -513, -512, -511, -1, 0, 1, 511, 512, 513, 1025] {
                for int in [power + near, -power + near] {
                    all.extend(i64::try_from(int).map(Number::Int));
                    let float = int as f64;
                    all.extend([float, float.next_up(), float.next_down()].map(Number::Float));
                }
            }
        }
        all.extend([i64::MIN, i64::MAX].map(Number::Int));
        all
    }

    #[test]
    fn keys_of_numbers_are_in_order_as_numbers_are() {
        let numbers = numbers();
        for a in &numbers {
            let key = of_number(*a);
            for b in &numbers {
                assert_eq!(key.cmp(&of_number(*b)), a.order(*b), "{a:?} {b:?}");
            }
        }
    }
}
