//! The options of a search, as JSON.

use crate::api::{Result, SearchOptions, TextUnit};
use crate::model::{Error, json};
use serde_json::Value as Json;

/// Reads the options; nothing stands for all defaults. Positions count bytes, as everywhere in C.
pub(super) fn read(text: Option<&str>) -> Result<SearchOptions> {
    let mut options = SearchOptions {
        unit: TextUnit::Utf8,
        ..SearchOptions::default()
    };
    let Json::Object(map) = json::parse(text.unwrap_or("{}"))? else {
        return Err(Error::invalid("the options are a JSON object").into());
    };
    for (key, value) in map {
        match key.as_str() {
            "where" => options.filter = Some(value.to_string()),
            "in" => options.paths = paths(&value)?,
            "limit" => options.limit = whole(&key, &value)?,
            "skip" => options.skip = whole(&key, &value)?,
            "snippet_chars" => options.snippet_chars = whole(&key, &value)?,
            _ => {
                return Err(Error::invalid(format!(
                    "the options hold {key:?}: use where, in, limit, skip, snippet_chars"
                ))
                .into());
            }
        }
    }
    Ok(options)
}

fn paths(value: &Json) -> Result<Vec<String>> {
    let list = value.as_array().and_then(|items| {
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect()
    });
    list.ok_or_else(|| Error::invalid("\"in\" takes a list of fields or paths").into())
}

fn whole(key: &str, value: &Json) -> Result<u32> {
    let number = value.as_u64().and_then(|n| u32::try_from(n).ok());
    number.ok_or_else(|| Error::invalid(format!("{key:?} is a whole number from 0")).into())
}
