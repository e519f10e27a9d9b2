//! `identity`.

use super::Context;
use crate::event::Event;
use crate::failure::{Failure, Result};
use echodb::model::ErrorKind;

/// What someone without a name is called.
const UNNAMED: &str = "Anonymous";

pub(super) fn create(context: &mut Context, name: Option<String>) -> Result<()> {
    let name = name.unwrap_or_else(|| UNNAMED.to_owned());
    let identity = context.client.create_identity(name)?;
    context.output.emit(Event::Identity(identity.into()))
}

pub(super) fn show(context: &mut Context) -> Result<()> {
    let identity = context.client.identity().ok_or_else(no_identity)?;
    context.output.emit(Event::Identity(identity.into()))
}

/// The profile has none.
pub(super) fn no_identity() -> Failure {
    Failure::new(
        ErrorKind::NotFound,
        "this profile has no identity; make one with `echodb identity create --name NAME`",
    )
}
