//! `query` and `aggregate`.

use super::Context;
use crate::args::Command;
use crate::event::{Event, Group, Next, Object};
use crate::failure::{Failure, Result};
use echodb::model::json;
use serde_json::Value as Json;

/// How the results of `query` are wanted.
struct Asked {
    /// Not the results, but how they are found.
    explain: bool,
    /// In pages of this size.
    page: Option<u64>,
    /// From there on.
    after: Option<String>,
}

/// Runs either command.
pub(super) fn run(context: &mut Context, command: Command) -> Result<()> {
    match command {
        Command::Query {
            space,
            filter,
            explain,
            page,
            after,
        } => {
            let asked = Asked {
                explain,
                page,
                after,
            };
            query(context, &space, filter, asked)
        }
        Command::Aggregate {
            space,
            query,
            explain,
        } => aggregate(context, &space, query, explain),
        _ => Err(Failure::usage("this is no query")),
    }
}

fn query(context: &mut Context, name: &str, text: String, asked: Asked) -> Result<()> {
    let text = context.json(text)?;
    if asked.explain {
        return explain(context, name, text);
    }
    if asked.page.is_none() && asked.after.is_none() {
        return super::object::find(context, name, text);
    }
    let text = match asked.page {
        Some(size) => with_limit(&text, size)?,
        None => text,
    };
    let page = context.space(name)?.query_page(text, asked.after)?;
    let objects: Vec<Object> = serde_json::from_slice(&page.objects)
        .map_err(|error| Failure::storage("a page of objects", error))?;
    for object in objects {
        context.output.emit(Event::Object(object))?;
    }
    match page.next {
        Some(next) => context.output.emit(Event::Next(Next { next })),
        None => Ok(()),
    }
}

/// The query with a page's size as its limit; a bare filter becomes a query.
fn with_limit(text: &str, size: u64) -> Result<String> {
    const PARTS: [&str; 5] = ["where", "follow", "order", "limit", "skip"];
    let mut query = json::parse(text).map_err(echodb::EchoError::from)?;
    let whole = query
        .as_object()
        .is_some_and(|map| map.keys().any(|key| PARTS.contains(&key.as_str())));
    if !whole {
        query = serde_json::json!({ "where": query });
    }
    query["limit"] = Json::from(size);
    Ok(query.to_string())
}

fn aggregate(context: &mut Context, name: &str, text: String, wants_plan: bool) -> Result<()> {
    let text = context.json(text)?;
    let space = context.space(name)?;
    if wants_plan {
        // Nothing is grouped or measured: that is a count.
        let mut query = json::parse(&text).map_err(echodb::EchoError::from)?;
        if let Some(map) = query.as_object_mut() {
            map.entry("group")
                .or_insert_with(|| Json::Array(Vec::new()));
        }
        return explain(context, name, query.to_string());
    }
    let answer = space.aggregate(text)?;
    let groups: Vec<Group> = serde_json::from_str(&answer)
        .map_err(|error| Failure::storage("an aggregation's answer", error))?;
    for group in groups {
        context.output.emit(Event::Group(group))?;
    }
    Ok(())
}

fn explain(context: &mut Context, name: &str, text: String) -> Result<()> {
    let plan = context.space(name)?.explain(text)?;
    let plan =
        serde_json::from_str(&plan).map_err(|error| Failure::storage("a query's plan", error))?;
    context.output.emit(Event::Plan(plan))
}
