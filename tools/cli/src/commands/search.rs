//! `search` and `index`.

use super::Context;
use crate::args::{IndexCommand, SearchCommand};
use crate::event::{Done, Event, Hit, Index};
use crate::failure::{Failure, Result};
use echodb::{SearchOptions, TextUnit};

pub(super) fn search(context: &mut Context, command: SearchCommand) -> Result<()> {
    let options = SearchOptions {
        filter: command.filter,
        paths: command.paths,
        limit: command.limit,
        skip: command.skip,
        snippet_chars: command.excerpt,
        unit: TextUnit::Utf8,
    };
    let space = context.space(&command.space)?;
    let found = space.search(command.words.join(" "), options)?;
    let hits: Vec<Hit> = serde_json::from_slice(&found)
        .map_err(|error| Failure::storage("what was found", error))?;
    for hit in hits {
        context.output.emit(Event::Hit(hit))?;
    }
    Ok(())
}

pub(super) fn index(context: &mut Context, name: &str, command: IndexCommand) -> Result<()> {
    let space = context.space(name)?;
    let state = match command {
        IndexCommand::List => {
            for index in space.indexes()? {
                let index = Index {
                    space: space.id(),
                    type_name: index.type_name,
                    path: index.path,
                };
                context.output.emit(Event::Index(index))?;
            }
            return Ok(());
        }
        IndexCommand::Create { path, type_name } => {
            space.create_index(type_name, path)?;
            "created"
        }
        IndexCommand::Drop { path, type_name } => {
            space.drop_index(type_name, path)?;
            "dropped"
        }
    };
    context.output.emit(Event::Done(Done {
        space: space.id(),
        id: None,
        state: state.to_owned(),
    }))
}
