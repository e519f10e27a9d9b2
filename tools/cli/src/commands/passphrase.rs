//! `passphrase`.

use super::Context;
use crate::failure::Result;
use crate::passphrase::{PassphraseCommand, Secret};

pub(super) fn run(context: &mut Context, command: &PassphraseCommand) -> Result<()> {
    let (old, new) = match command {
        PassphraseCommand::Set { new } => (None, new.as_ref()),
        PassphraseCommand::Change { old, new } => (old.as_ref(), new.as_ref()),
        PassphraseCommand::Remove { old } => (old.as_ref(), None),
    };
    context
        .client
        .set_passphrase(old.map(Secret::text), new.map(Secret::text))?;
    super::status::of_client(context)
}
