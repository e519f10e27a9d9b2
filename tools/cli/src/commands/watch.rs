//! `watch`.

use super::Context;
use crate::args::Command;
use crate::control::{Control, Note, Notifier};
use crate::event::{ChangeLine, Event, LiveChange, LiveLine};
use crate::failure::{Failure, Result};
use echodb::model::ErrorKind;
use echodb::{ChangeBatch, ChangeListener, EchoError, LiveBatch, LiveListener, LiveOptions};
use std::sync::Arc;

struct Listener(Notifier);

impl ChangeListener for Listener {
    fn changed(&self, batch: ChangeBatch) -> std::result::Result<(), EchoError> {
        self.0.send(Note::Changes(batch));
        Ok(())
    }
}

impl LiveListener for Listener {
    fn updated(&self, batch: LiveBatch) -> std::result::Result<(), EchoError> {
        self.0.send(Note::Live(batch));
        Ok(())
    }
}

/// `watch`, of changes or of a query's results.
pub(super) fn run(context: &mut Context, control: Control, command: Command) -> Result<()> {
    match command {
        Command::Watch {
            space,
            query: Some(query),
            interval,
            ..
        } => live(context, control, &space, query, interval),
        Command::Watch { space, filter, .. } => watch(context, control, &space, filter),
        _ => Ok(()),
    }
}

fn live(
    context: &mut Context,
    control: Control,
    name: &str,
    query: String,
    interval_ms: u32,
) -> Result<()> {
    let space = context.space(name)?;
    let query = context.json(query)?;
    let listener = Arc::new(Listener(control.notifier()));
    let _live = space.live(query, LiveOptions { interval_ms }, listener)?;
    // Dropped before the live query, as in `watch`.
    let control = control;
    context
        .output
        .emit(Event::Progress("Watching; stop with Ctrl-C.".to_owned()))?;
    while let Some(note) = control.wait() {
        let Note::Live(batch) = note else { continue };
        let changes: Vec<LiveChange> = serde_json::from_slice(&batch.changes)
            .map_err(|e| Failure::new(ErrorKind::Internal, e.to_string()))?;
        context.output.emit(Event::Live(LiveLine {
            space: batch.space,
            initial: batch.initial,
            total: batch.total,
            changes: changes.len(),
        }))?;
        for change in changes {
            context.output.emit(Event::LiveChange(change))?;
        }
    }
    Ok(())
}

fn watch(
    context: &mut Context,
    control: Control,
    name: &str,
    filter: Option<String>,
) -> Result<()> {
    let space = context.space(name)?;
    let filter = filter.unwrap_or_else(|| "{}".to_owned());
    let listener = Arc::new(Listener(control.notifier()));
    let _subscription = space.subscribe(filter, listener)?;
    // Dropped before the subscription, whose end waits for the listener, which may wait for room
    // in the queue.
    let control = control;
    context
        .output
        .emit(Event::Progress("Watching; stop with Ctrl-C.".to_owned()))?;
    while let Some(note) = control.wait() {
        let Note::Changes(batch) = note else { continue };
        for change in batch.changes {
            let line = ChangeLine::new(&batch.space, change);
            context.output.emit(Event::Change(line))?;
        }
    }
    Ok(())
}
