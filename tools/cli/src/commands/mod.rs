//! The commands themselves. The same code runs in the front process and in a serving one.

mod blob;
mod change;
pub mod credential;
mod device;
mod identity;
mod lookup;
mod meeting;
mod member;
mod object;
mod pairing;
mod passphrase;
mod past;
mod place;
mod query;
mod schema;
mod search;
mod space;
mod status;
mod steps;
mod text;
pub mod transfer;
mod watch;
mod why;

use crate::args::{Command, IdentityCommand, InvitationsCommand, ObjectCommand, SpaceCommand};
use crate::control::Control;
use crate::failure::{Failure, Result};
use crate::output::Output;
use echodb::model::limits;
use echodb::{Client, Space};
use std::sync::Arc;

/// What a command works with.
pub struct Context<'a> {
    /// The open profile.
    pub client: &'a Client,
    /// Where results go.
    pub output: &'a mut dyn Output,
    /// Whether `serve` runs the command.
    pub serving: bool,
}

impl Context<'_> {
    /// The space that the user means.
    fn space(&self, name: &str) -> Result<Arc<Space>> {
        lookup::space(self.client, name)
    }

    /// A JSON argument: itself, or standard input for `-`.
    fn json(&mut self, argument: String) -> Result<String> {
        if argument != "-" {
            return Ok(argument);
        }
        String::from_utf8(self.output.read(limits::JSON_BYTES)?)
            .map_err(|_| Failure::usage("standard input is not UTF-8"))
    }
}

/// Runs any command but `serve` to its end.
pub fn run(command: Command, context: &mut Context, control: Control) -> Result<()> {
    match command {
        Command::Identity(command) => run_identity(command, context, &control),
        Command::Device(command) => device::run(context, &control, command),
        Command::Credential(command) => credential::run(context, command),
        Command::Passphrase(command) => passphrase::run(context, &command),
        command @ Command::Space(SpaceCommand::Import { .. }) => run_transfer(command, context),
        Command::Space(command) => space::run(context, command),
        Command::Invite(args) => pairing::invite(context, &control, args),
        Command::Invitations(InvitationsCommand::List) => pairing::list(context),
        Command::Invitations(InvitationsCommand::Cancel { id }) => pairing::cancel(context, id),
        Command::Join {
            code,
            auth_code,
            timeout,
            sync_wait,
        } => {
            let guest = pairing::Guest { auth_code, timeout };
            pairing::join(context, &control, code, guest, sync_wait)
        }
        Command::Member(command) => member::member(context, &control, command),
        Command::RotateKey { space, wait } => member::rotate_key(context, &control, &space, wait),
        Command::ShareHistory { space, member } => member::share_history(context, &space, &member),
        Command::Add {
            space,
            type_name,
            fields,
        } => object::add(context, &space, type_name, fields),
        Command::Get { space, id, at } => object::get(context, &space, id, at.as_deref()),
        Command::Set { space, id, fields } => object::set(context, &space, id, fields),
        Command::Rm { space, id } => object::remove(context, &space, id),
        Command::Ls { space, type_name } => object::list(context, &space, type_name),
        Command::Change(command) => change::change(context, command),
        Command::Conflicts(place) => place::conflicts(context, place),
        Command::Marks(place) => place::marks(context, place),
        Command::Query(command) => query::query(context, command),
        Command::Aggregate(command) => query::aggregate(context, command),
        Command::Search(command) => search::search(context, command),
        Command::Index { space, command } => search::index(context, &space, command),
        Command::Text {
            space,
            id,
            field,
            insert,
            at,
            delete,
        } => {
            let edit = text::Edit { insert, at, delete };
            text::text(context, &space, id, field, edit)
        }
        asked @ Command::Watch { .. } => watch::run(context, control, asked),
        asked @ (Command::Log { .. }
        | Command::History { .. }
        | Command::Diff { .. }
        | Command::Restore { .. }
        | Command::Undo { .. }
        | Command::Redo { .. }
        | Command::Branch(_)) => past::run(context, asked),
        asked @ Command::Why { .. } => why::run(context, asked),
        Command::Digest { space } => status::digest(context, &space),
        Command::Schema { space, command } => schema::schema(context, &space, command),
        Command::Export { .. }
        | Command::Import { .. }
        | Command::Object(_)
        | Command::Verify { .. } => run_transfer(command, context),
        Command::Blob(command) => blob::run(context, &control, command),
        Command::Status { space } => status::status(context, space.as_deref()),
        Command::Serve => Err(Failure::usage("serve runs on its own")),
    }
}

fn run_identity(command: IdentityCommand, context: &mut Context, control: &Control) -> Result<()> {
    match command {
        IdentityCommand::Create { name } => identity::create(context, name),
        IdentityCommand::Show => identity::show(context),
        IdentityCommand::Phrase { replace, wait } => {
            device::phrase(context, control, replace, wait)
        }
        IdentityCommand::Recover {
            name,
            revoke_older,
            timeout,
        } => device::recover(context, control, name, revoke_older, timeout),
    }
}

/// Runs what moves data in and out.
fn run_transfer(command: Command, context: &mut Context) -> Result<()> {
    match command {
        Command::Space(SpaceCommand::Import { file, place }) => {
            transfer::import_archive(context, place.unwrap_or(file))
        }
        Command::Export {
            space,
            format,
            file,
            place,
        } => transfer::export(context, &space, format, transfer::Target { file, place }),
        Command::Import {
            space,
            plain,
            place,
            ..
        } => transfer::import(context, &space, &plain, place),
        Command::Object(ObjectCommand::Export {
            space,
            id,
            file,
            place,
        }) => transfer::export_object(context, &space, id, file, place),
        Command::Object(ObjectCommand::Import { space, into, .. }) => {
            transfer::import_object(context, &space, into)
        }
        Command::Verify { file } => transfer::verify(context.output, file),
        _ => Err(Failure::usage("no data moves by this command")),
    }
}
