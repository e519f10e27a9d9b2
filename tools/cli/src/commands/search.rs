//! `search` and `index`.

use super::Context;
use crate::args::IndexCommand;
use crate::event::{Done, Event, Hit, Index};
use crate::failure::{Failure, Result};
use echodb::{SearchOptions, TextUnit};

/// How `search` is narrowed.
pub(super) struct Narrowed {
    pub(super) paths: Vec<String>,
    pub(super) filter: Option<String>,
    pub(super) limit: u32,
}

pub(super) fn search(
    context: &mut Context,
    name: &str,
    words: String,
    narrowed: Narrowed,
) -> Result<()> {
    let options = SearchOptions {
        filter: narrowed.filter,
        paths: narrowed.paths,
        limit: narrowed.limit,
        unit: TextUnit::Utf8,
        ..SearchOptions::default()
    };
    let found = context.space(name)?.search(words, options)?;
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
