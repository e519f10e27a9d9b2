//! `space`.

use super::Context;
use crate::args::SpaceCommand;
use crate::check_args::{CheckArgs, RepairArgs};
use crate::check_event::{Checked, Finding, Repaired, Stored};
use crate::event::{Done, Event, Space, SpaceDetails};
use crate::failure::{Failure, Result};
use echodb::model::ErrorKind;
use serde_json::json;
use serde_json::value::RawValue;

pub(super) fn run(context: &mut Context, command: SpaceCommand) -> Result<()> {
    match command {
        SpaceCommand::Create { name } => create(context, name),
        SpaceCommand::List => list(context),
        SpaceCommand::Info { space } => info(context, &space),
        SpaceCommand::Delete { space } => delete(context, &space),
        SpaceCommand::Check(CheckArgs { space, full }) => check(context, &space, full),
        SpaceCommand::Repair(RepairArgs { space }) => repair(context, &space),
        SpaceCommand::Import { .. } => Err(Failure::usage("an import runs elsewhere")),
    }
}

fn check(context: &mut Context, name: &str, full: bool) -> Result<()> {
    let space = context.space(name)?;
    let (id, report) = (space.id(), space.check(full)?);
    let checked = Checked::new(&id, &report);
    let count = checked.findings;
    for found in report.findings {
        let finding = Finding::new(&id, found);
        context
            .output
            .emit(Event::Stored(Stored::Finding(finding)))?;
    }
    context
        .output
        .emit(Event::Stored(Stored::Checked(checked)))?;
    match count {
        0 => Ok(()),
        _ => Err(Failure::new(
            ErrorKind::Corrupt,
            format!("{count} things are wrong; `echodb space repair` mends what can be mended"),
        )),
    }
}

fn repair(context: &mut Context, name: &str) -> Result<()> {
    let space = context.space(name)?;
    let repaired = Repaired::new(&space.id(), space.repair()?);
    context
        .output
        .emit(Event::Stored(Stored::Repaired(repaired)))
}

fn create(context: &mut Context, name: Option<String>) -> Result<()> {
    let properties = match name {
        Some(name) => json!({ "name": name }),
        None => json!({}),
    };
    let space = context.client.create_space(properties.to_string())?;
    let info = space.info()?;
    context.output.emit(Event::Space(info.into()))
}

fn list(context: &mut Context) -> Result<()> {
    for info in context.client.spaces()? {
        context.output.emit(Event::Space(info.into()))?;
    }
    Ok(())
}

fn info(context: &mut Context, name: &str) -> Result<()> {
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

fn delete(context: &mut Context, name: &str) -> Result<()> {
    let id = context.space(name)?.id();
    context.client.delete_space(id.clone())?;
    context.output.emit(Event::Done(Done {
        space: id,
        id: None,
        state: "deleted".to_owned(),
    }))
}
