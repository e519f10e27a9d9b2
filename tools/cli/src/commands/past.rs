//! `log`, `history`, `diff`, `restore`, `undo`, `redo`, `branch`.

use super::{Context, object};
use crate::args::{BranchCommand, Command};
use crate::event::{Created, Event};
use crate::event_past::{Difference, Transaction, Version};
use crate::failure::{Failure, Result};
use echodb::{Space, TextUnit};
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// Runs one of them.
pub(super) fn run(context: &mut Context, command: Command) -> Result<()> {
    match command {
        Command::Log {
            space,
            limit,
            before,
        } => log(context, &space, limit, before),
        Command::History { space, id } => history(context, &space, id),
        Command::Diff {
            space,
            id,
            from,
            to,
        } => diff(context, &space, id, &from, to.as_deref()),
        Command::Restore { space, id, version } => restore(context, &space, id, &version),
        Command::Undo { space } => undo(context, &space, true),
        Command::Redo { space } => undo(context, &space, false),
        Command::Branch(BranchCommand::Add { space, id, name }) => {
            branch(context, &space, id, name)
        }
        Command::Branch(BranchCommand::Ls { space, id }) => branches(context, &space, id),
        Command::Branch(BranchCommand::Merge { space, branch }) => merge(context, &space, branch),
        _ => Err(Failure::usage("this command is not about the past")),
    }
}

fn log(context: &mut Context, name: &str, limit: u32, before: Option<String>) -> Result<()> {
    let space = context.space(name)?;
    let names = names(&space)?;
    for info in space.log(limit, before)? {
        let name = names.get(&info.identity).cloned().unwrap_or_default();
        let event = Event::Transaction(Transaction::new(info, name));
        context.output.emit(event)?;
    }
    Ok(())
}

fn history(context: &mut Context, name: &str, id: String) -> Result<()> {
    let space = context.space(name)?;
    let names = names(&space)?;
    for change in space.history(id, Vec::new())? {
        let name = names.get(&change.identity).cloned().unwrap_or_default();
        let event = Event::Version(Version::new(change, name));
        context.output.emit(event)?;
    }
    Ok(())
}

/// What the members call themselves, by identity.
fn names(space: &Space) -> Result<HashMap<String, String>> {
    let members = space.members()?.into_iter();
    Ok(members.map(|m| (m.identity, m.display_name)).collect())
}

fn diff(context: &mut Context, name: &str, id: String, from: &str, to: Option<&str>) -> Result<()> {
    let space = context.space(name)?;
    let to = match to {
        Some(to) => version(to),
        None => present(&space, &id)?,
    };
    let changes = space.diff(id, version(from), to, TextUnit::CodePoint)?;
    let changes: Vec<Value> =
        serde_json::from_str(&changes).map_err(|e| Failure::storage("the differences", e))?;
    for change in changes {
        context.output.emit(Event::Difference(Difference(change)))?;
    }
    Ok(())
}

fn restore(context: &mut Context, name: &str, id: String, to: &str) -> Result<()> {
    let space = context.space(name)?;
    space.restore_version(id.clone(), version(to))?;
    object::done(context, space.id(), id, "restored")
}

fn undo(context: &mut Context, name: &str, back: bool) -> Result<()> {
    let space = context.space(name)?;
    let undone = match back {
        true => space.undo()?,
        false => space.redo()?,
    };
    context.output.emit(Event::Undone(undone.into()))
}

fn branch(context: &mut Context, name: &str, id: String, branch_name: String) -> Result<()> {
    let space = context.space(name)?;
    let id = space.branch(id, branch_name)?;
    let space = space.id();
    context.output.emit(Event::Created(Created { space, id }))
}

fn branches(context: &mut Context, name: &str, id: String) -> Result<()> {
    for branch in context.space(name)?.branches(id)? {
        context.output.emit(Event::Branch(branch.into()))?;
    }
    Ok(())
}

fn merge(context: &mut Context, name: &str, id: String) -> Result<()> {
    let space = context.space(name)?;
    let merged = space.merge_branch(id.clone())?;
    let state = match merged.entry {
        Some(_) => "merged",
        None => "unchanged",
    };
    object::done(context, space.id(), id, state)
}

/// A version as people write it: hashes with commas between them; nothing is before the object.
pub(super) fn version(text: &str) -> Vec<String> {
    let hashes = text.split(',').map(str::trim);
    let hashes = hashes.filter(|hash| !hash.is_empty());
    hashes.map(str::to_owned).collect()
}

fn present(space: &Arc<Space>, id: &str) -> Result<Vec<String>> {
    let record = space.get(id.to_owned())?;
    let record = record.ok_or_else(|| object::absent(id))?;
    Ok(record.heads)
}
