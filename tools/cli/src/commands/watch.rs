//! `watch`.

use super::Context;
use crate::control::{Control, Note, Notifier};
use crate::event::{ChangeLine, Event};
use crate::failure::Result;
use echodb::{ChangeBatch, ChangeListener, EchoError};
use std::sync::Arc;

struct Listener(Notifier);

impl ChangeListener for Listener {
    fn changed(&self, batch: ChangeBatch) -> std::result::Result<(), EchoError> {
        self.0.send(Note::Changes(batch));
        Ok(())
    }
}

pub(super) fn watch(
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
