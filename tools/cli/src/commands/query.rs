//! `query` and `aggregate`.

use super::Context;
use crate::args::{AggregateCommand, QueryCommand};
use crate::event::{Event, Group, Next, Object};
use crate::failure::{Failure, Result};
use echodb::model::json;
use serde_json::Value as Json;

pub(super) fn query(context: &mut Context, command: QueryCommand) -> Result<()> {
    let text = context.json(command.filter)?;
    let Some(name) = command.space else {
        return query_several(context, &command.spaces, text);
    };
    if command.explain {
        return explain(context, &name, text);
    }
    if command.page.is_none() && command.after.is_none() {
        return super::object::find(context, &name, text);
    }
    let text = match command.page {
        Some(size) => with_limit(&text, size)?,
        None => text,
    };
    let page = context.space(&name)?.query_page(text, command.after)?;
    emit_objects(context, &page.objects)?;
    match page.next {
        Some(next) => context.output.emit(Event::Next(Next { next })),
        None => Ok(()),
    }
}

/// Asks the spaces of these names, or all that are open if there are none.
fn query_several(context: &mut Context, names: &[String], text: String) -> Result<()> {
    let mut spaces: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        // Two names may mean one space, whose objects are listed once.
        let id = context.space(name)?.id();
        if !spaces.contains(&id) {
            spaces.push(id);
        }
    }
    let found = context.client.query(spaces, text)?;
    emit_objects(context, &found)
}

fn emit_objects(context: &mut Context, found: &[u8]) -> Result<()> {
    let objects: Vec<Box<Object>> = serde_json::from_slice(found)
        .map_err(|error| Failure::storage("what a query found", error))?;
    for object in objects {
        context.output.emit(Event::Object(object))?;
    }
    Ok(())
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

pub(super) fn aggregate(context: &mut Context, command: AggregateCommand) -> Result<()> {
    let text = context.json(command.query)?;
    let space = context.space(&command.space)?;
    if command.explain {
        // Nothing is grouped or measured: that is a count.
        let mut query = json::parse(&text).map_err(echodb::EchoError::from)?;
        if let Some(map) = query.as_object_mut() {
            map.entry("group")
                .or_insert_with(|| Json::Array(Vec::new()));
        }
        return explain(context, &command.space, query.to_string());
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
