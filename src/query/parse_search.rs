//! The JSON form of searches, and of what orders and indexes name.

use super::filter::{Clock, OrderKey};
use super::parse::{Reader, expected, query_path};
use super::search::Search;
use crate::model::{Error, Result, limits};
use serde_json::{Map, Value as Json};

impl Reader {
    pub(super) fn search(&mut self, map: &Map<String, Json>, words: &Json) -> Result<Search> {
        let Json::String(words) = words else {
            return Err(expected("it takes the words to look for", words));
        };
        self.searches += 1;
        if self.searches > limits::QUERY_SEARCHES {
            return Err(Error::limit(format!(
                "a query may have {} searches",
                limits::QUERY_SEARCHES
            )));
        }
        let places = match map.get("in") {
            None => &[],
            Some(Json::Array(places)) => places.as_slice(),
            Some(other) => return Err(expected("\"in\" takes a list of fields or paths", other)),
        };
        if places.len() > limits::SEARCH_PATHS {
            return Err(Error::limit(format!(
                "\"in\" may name {} places",
                limits::SEARCH_PATHS
            )));
        }
        let places = places.iter().map(|place| match place {
            Json::String(path) => query_path(path),
            other => Err(expected("\"in\" takes a list of fields or paths", other)),
        });
        Search::parse(words, places.collect::<Result<_>>()?)
    }
}

/// What the name of a key of an order means.
pub fn order_key(by: &str) -> Result<OrderKey> {
    Ok(match by {
        "created" => OrderKey::Clock(Clock::Created),
        "updated" => OrderKey::Clock(Clock::Updated),
        "id" => OrderKey::Id,
        "rank" => OrderKey::Rank,
        "type" => OrderKey::Type,
        "parent" => OrderKey::Parent,
        path => OrderKey::Field(query_path(path)?),
    })
}

/// The one name of what an index is of.
pub fn index_name(by: &str) -> Result<String> {
    Ok(match order_key(by)? {
        OrderKey::Field(path) => path.to_string(),
        _ => by.to_owned(),
    })
}
