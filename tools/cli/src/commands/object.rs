//! `add`, `get`, `set`, `rm`, `ls`.

use super::Context;
use crate::event::{Created, Done, Event};
use crate::failure::{Failure, Result};
use echodb::ObjectRecord;
use echodb::model::ErrorKind;
use serde_json::json;

pub(super) fn add(
    context: &mut Context,
    name: &str,
    type_name: Option<String>,
    fields: String,
) -> Result<()> {
    let space = context.space(name)?;
    let fields = context.json(fields)?;
    let id = space.create(type_name, fields)?;
    let space = space.id();
    context.output.emit(Event::Created(Created { space, id }))
}

pub(super) fn get(context: &mut Context, name: &str, id: String, at: Option<&str>) -> Result<()> {
    let space = context.space(name)?;
    if let Some(at) = at {
        return emit_object(context, space.get_at(id, super::past::version(at))?);
    }
    let record = space.get(id.clone())?.ok_or_else(|| absent(&id))?;
    emit_object(context, record)
}

pub(super) fn absent(id: &str) -> Failure {
    Failure::new(
        ErrorKind::NotFound,
        format!("the space has no object {id:?}"),
    )
}

pub(super) fn set(context: &mut Context, name: &str, id: String, fields: String) -> Result<()> {
    let space = context.space(name)?;
    let fields = context.json(fields)?;
    space.update(id.clone(), fields)?;
    done(context, space.id(), id, "set")
}

pub(super) fn remove(context: &mut Context, name: &str, id: String) -> Result<()> {
    let space = context.space(name)?;
    space.delete(id.clone())?;
    done(context, space.id(), id, "deleted")
}

pub(super) fn list(context: &mut Context, name: &str, type_name: Option<String>) -> Result<()> {
    let filter = match type_name {
        Some(type_name) => json!({ "type": type_name }),
        None => json!({}),
    };
    let query = json!({ "where": filter, "order": [{ "by": "created" }] });
    find(context, name, query.to_string())
}

/// Prints what a query finds.
pub(super) fn find(context: &mut Context, name: &str, query: String) -> Result<()> {
    for record in context.space(name)?.query(query)? {
        emit_object(context, record)?;
    }
    Ok(())
}

pub(super) fn emit_object(context: &mut Context, record: ObjectRecord) -> Result<()> {
    let object = record
        .try_into()
        .map_err(|error| Failure::storage("an object's fields", error))?;
    context.output.emit(Event::Object(Box::new(object)))
}

pub(super) fn done(context: &mut Context, space: String, id: String, state: &str) -> Result<()> {
    context.output.emit(Event::Done(Done {
        space,
        id: Some(id),
        state: state.to_owned(),
    }))
}
