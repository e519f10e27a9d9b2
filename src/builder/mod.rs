//! Queries as Rust expressions, which become the JSON that the calls take.
//!
//! ```
//! use echodb::builder::{Filter, Link, Query, field};
//! use echodb::{Client, ClientOptions};
//!
//! # fn main() -> echodb::Result<()> {
//! # let client = Client::open(ClientOptions { online: false, ..Default::default() }, None)?;
//! # client.create_identity("Ada".into())?;
//! # let space = client.create_space("{}".into())?;
//! # let folder = space.create(Some("Folder".into()), "{}".into())?;
//! let open = Filter::of_type("Task") & (field("done").eq(false) | field("due").is_missing());
//! let query = Query::new(open & Link::ancestor().to(&folder))
//!     .order(field("due").descending())
//!     .limit(10);
//! let found = space.query(query.into())?;
//! # assert!(found.is_empty());
//! # client.shutdown()
//! # }
//! ```
//!
//! Where a call takes JSON, it takes `.into()` of what is built here: [`Query`] for queries, pages and live
//! queries, [`Aggregation`] for `aggregate`, [`Filter`] for subscriptions and as a query of its own.
//! Building never fails. What a query may not say is refused by the call that gets it: with
//! `InvalidArgument` where it has no meaning, with `LimitExceeded` beyond the bounds, which are 1,000 conditions
//! nested 32 deep, 1,000 values in a list, 16 steps, 64 links and 8 keys of an order.
//!
//! Fields are named by their name or by a JSON Pointer, such as `"/address/city"`.
//! `docs/guide/query.md` says what each part means, and describes the JSON.

mod aggregation;
mod field;
mod filter;
mod link;
mod names;
mod order;
mod query;

pub use aggregation::{Aggregation, GroupKey, Measure, Measured};
pub use field::{Clock, Field, FieldKind, created, field, updated};
pub use filter::Filter;
pub use link::{Link, RelationDirection};
pub use names::Names;
pub use order::Order;
pub use query::Query;

use serde_json::{Map, Value as Json};

/// An object of one key.
fn object(key: &str, value: impl Into<Json>) -> Map<String, Json> {
    Map::from_iter([(key.to_owned(), value.into())])
}

/// What is built becomes the text that calls take.
macro_rules! as_json {
    ($type:ty) => {
        impl std::fmt::Display for $type {
            /// The JSON.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.to_json())
            }
        }

        impl From<$type> for String {
            fn from(built: $type) -> String {
                built.to_json()
            }
        }

        impl From<&$type> for String {
            fn from(built: &$type) -> String {
                built.to_json()
            }
        }
    };
}
use as_json;
