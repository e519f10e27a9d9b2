//! `schema`.

use super::Context;
use crate::args::SchemaCommand;
use crate::event::{Event, Schema, Violation};
use crate::failure::{Failure, Result};
use echodb::Space;
use echodb::model::ErrorKind;

pub(super) fn schema(context: &mut Context, name: &str, command: SchemaCommand) -> Result<()> {
    let space = context.space(name)?;
    match command {
        SchemaCommand::List => {
            for info in space.schemas()? {
                let schema = Schema::new(&space.id(), info);
                context.output.emit(Event::Schema(schema))?;
            }
            Ok(())
        }
        SchemaCommand::Show { type_name } => show(context, &space, type_name),
        SchemaCommand::Register {
            type_name,
            schema,
            version,
        } => {
            let schema = context.json(schema)?;
            let version = space.register_schema(type_name.clone(), schema, version)?;
            let mut all = space.schemas()?.into_iter();
            let made = all.find(|s| s.type_name == type_name && s.version == version);
            match made {
                Some(info) => context
                    .output
                    .emit(Event::Schema(Schema::new(&space.id(), info))),
                None => Ok(()),
            }
        }
        SchemaCommand::Violations => violations(context, &space),
    }
}

fn show(context: &mut Context, space: &Space, type_name: String) -> Result<()> {
    let info = space.schema(type_name.clone())?.ok_or_else(|| {
        Failure::new(
            ErrorKind::NotFound,
            format!("no schema of the type {type_name:?} is in force"),
        )
    })?;
    let schema = Schema::new(&space.id(), info);
    context.output.emit(Event::Schema(schema))
}

fn violations(context: &mut Context, space: &Space) -> Result<()> {
    for found in space.violations()? {
        context.output.emit(Event::Violation(Violation {
            space: space.id(),
            id: found.id,
            type_name: found.type_name,
            version: found.version,
            path: found.path,
            reason: found.reason,
        }))?;
    }
    Ok(())
}
