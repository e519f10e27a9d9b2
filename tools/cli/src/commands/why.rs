//! `why`.

use super::Context;
use crate::event::{Event, Why, WhyStep};
use crate::failure::Result;

pub(super) fn why(
    context: &mut Context,
    space: &str,
    action: String,
    subject: Option<String>,
) -> Result<()> {
    let space = context.space(space)?;
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
