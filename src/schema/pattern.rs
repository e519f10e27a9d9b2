//! Bounding regular expressions. The engine runs in time linear in the text; what has to be bounded
//! is the program that a pattern becomes, which repetitions multiply.

use crate::model::{Error, Result, limits};
use regex::RegexBuilder;

/// Sizes of programs, each with what a character matched by such a program costs, in halves of a
/// step.
const SIZES: [(usize, u64); 3] = [(16 * 1024, 1), (64 * 1024, 4), (256 * 1024, 16)];

/// What matching one character against the pattern costs, in halves of a step. Fails if it is no
/// regular expression, or becomes too large a program.
pub(super) fn cost(pattern: &str) -> Result<u64> {
    if pattern.len() > limits::SCHEMA_PATTERN_BYTES {
        return Err(Error::limit(format!(
            "a pattern may have {} bytes, not {}",
            limits::SCHEMA_PATTERN_BYTES,
            pattern.len()
        )));
    }
    let translated = translate(pattern);
    let mut last = None;
    for (size, cost) in SIZES {
        match RegexBuilder::new(&translated).size_limit(size).build() {
            Ok(_) => return Ok(cost),
            Err(e @ regex::Error::CompiledTooBig(_)) => last = Some(e),
            Err(_) => {
                return Err(Error::invalid(format!(
                    "{:?} is no regular expression that can be used: look-around and \
                     back-references are not supported",
                    crate::model::id::clip(pattern)
                )));
            }
        }
    }
    Err(Error::limit(format!(
        "the pattern {:?} is too large: {}",
        crate::model::id::clip(pattern),
        last.map_or_else(String::new, |e| e.to_string())
    )))
}

/// The classes of ECMA 262 as the validator writes them out, so that what is measured is what is
/// compiled: there they are ASCII.
fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('d') => out.push_str("[0-9]"),
            Some('D') => out.push_str("[^0-9]"),
            Some('w') => out.push_str("[A-Za-z0-9_]"),
            Some('W') => out.push_str("[^A-Za-z0-9_]"),
            Some('s') => out.push_str("[ \\t\\n\\r\\x0b\\x0c\\u{a0}\\u{feff}\\u{2003}\\u{2029}]"),
            Some('S') => out.push_str("[^ \\t\\n\\r\\x0b\\x0c\\u{a0}\\u{feff}\\u{2003}\\u{2029}]"),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}
