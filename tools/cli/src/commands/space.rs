//! `space`.

use super::Context;
use crate::event::{Done, Event, Space, SpaceDetails};
use crate::failure::{Failure, Result};
use serde_json::json;
use serde_json::value::RawValue;

pub(super) fn create(context: &mut Context, name: Option<String>) -> Result<()> {
    let properties = match name {
        Some(name) => json!({ "name": name }),
        None => json!({}),
    };
    let space = context.client.create_space(properties.to_string())?;
    let info = space.info()?;
    context.output.emit(Event::Space(info.into()))
}

pub(super) fn list(context: &mut Context) -> Result<()> {
    for info in context.client.spaces()? {
        context.output.emit(Event::Space(info.into()))?;
    }
    Ok(())
}

pub(super) fn info(context: &mut Context, name: &str) -> Result<()> {
    let space = context.space(name)?;
    let properties = space.properties()?;
    let Space {
        space: id,
        name,
        default,
        state,
    } = space.info()?.into();
    let members = space.members()?.into_iter().map(Into::into).collect();
    context.output.emit(Event::SpaceDetails(SpaceDetails {
        space: id,
        name,
        default,
        state,
        properties: RawValue::from_string(properties)
            .map_err(|error| Failure::storage("the space's properties", error))?,
        members,
    }))
}

pub(super) fn delete(context: &mut Context, name: &str) -> Result<()> {
    let id = context.space(name)?.id();
    context.client.delete_space(id.clone())?;
    context.output.emit(Event::Done(Done {
        space: id,
        id: None,
        state: "deleted".to_owned(),
    }))
}
