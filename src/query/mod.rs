//! Queries over a space's objects: read from JSON ([`Query::parse`]), compiled to SQL over the
//! `objects` table ([`compile()`]), or evaluated on one object in memory ([`matches()`]). The two
//! ways agree, which a property test checks.
//!
//! # What comparisons mean
//!
//! They see the plain form of values: texts are strings, counters and timestamps are numbers,
//! references are their text, bytes are lower-case hexadecimal. The kinds are null, boolean,
//! number, string, list and map, and **values of different kinds are never equal and never in
//! order**: `1` is not `true`, `"1"` is not `1`; but `1` equals `1.0`.
//!
//! | test | holds when the field |
//! |---|---|
//! | `eq` | is there and equals the value |
//! | `ne` | does not hold `eq`: another value, another kind, or no field at all |
//! | `lt` `le` `gt` `ge` | has the value's kind, number or string, and is in order with it; strings compare by code point |
//! | `in` | equals one of the values |
//! | `contains` | is a list with an element that equals the value, or a string that contains the string |
//! | `prefix` | is a string that begins with the string |
//! | `between` | holds both `ge` the first and `le` the second of the two values |
//! | `contains_any` `contains_all` | holds `contains` for one, or each, of the values |
//! | `kind` | is of that kind: `null`, `boolean`, `number`, `string`, `list`, `map` |
//! | `exists` | is there, null included; `"value": false` turns it round |
//!
//! A missing field therefore holds only `ne`, `exists: false`, and what `not` turns round. Lists
//! and maps take `exists`, lists `contains` too; they equal nothing.
//!
//! Results are ordered by the keys asked for, then by id, so that they are the same everywhere. By
//! rank alone, ties stay as the index of words has them: to break them by id, all would have to be read.
//! Among values of one key the order is: null and missing, booleans, numbers, strings, lists,
//! maps; lists are not ordered among themselves, nor are maps.

mod aggregate;
mod aggregate_answer;
mod compile;
mod compile_links;
mod compile_order;
mod cursor;
mod element;
mod explain;
mod fields;
mod filter;
mod json_text;
mod jsonb;
mod jsonpath;
mod link;
pub mod live;
mod matching;
mod number;
#[cfg(test)]
mod ordering;
mod parse;
mod parse_links;
mod parse_search;
mod place;
mod print;
mod search;
mod snippet;
mod sort_key;
#[cfg(test)]
mod tests;
mod words;

pub use aggregate::Aggregate;
pub use compile::{CompiledQuery, FINDS, More, Selection, SqlValue, compile, compile_part};
pub use compile_order::directions;
#[cfg(any(test, fuzzing))]
pub use cursor::fuzz_cells;
pub use cursor::{Cell, compare_keys, decode, encode};
pub use element::{Malformed, StoredJson};
pub use explain::{Plan, explain};
pub use filter::Query;
pub use matching::RowView;
#[cfg(test)]
pub use matching::matches;
#[cfg(test)]
pub use ordering::compare;
pub use parse_search::{index_name, order_key};
pub use place::index;
pub use search::Search;
pub use snippet::{Snippet, snippet};
pub use sort_key::{SORT_KEY, SortKey, sort_key};
pub use words::{each_string, indexed};
