//! `why`.

use super::Context;
use crate::args::Command;
use crate::event::{Event, Why, WhyStep};
use crate::failure::{Failure, Result};

/// Runs the command.
pub(super) fn run(context: &mut Context, command: Command) -> Result<()> {
    let Command::Why {
        space,
        action,
        subject,
    } = command
    else {
        return Err(Failure::usage("it is another command"));
    };
    let space = context.space(&space)?;
    let own = || context.client.identity().map(|info| info.identity);
    let subject = subject.or_else(own).unwrap_or_default();
    let told = space.why(subject, action)?;
    let steps = told.steps.into_iter().map(|step| WhyStep {
        entry: step.entry,
        text: step.text,
        counts: step.counts,
    });
    context.output.emit(Event::Why(Why {
        space: space.id(),
        allowed: told.allowed,
        summary: told.summary,
        steps: steps.collect(),
    }))
}
