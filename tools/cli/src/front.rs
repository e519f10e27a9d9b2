//! Runs a command: in the process that serves the profile, if there is one, or here.

use crate::args::{Args, Command};
use crate::commands::{self, Context};
use crate::console::Console;
use crate::control::{Control, Note};
use crate::event::Event;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::passphrase::{self, Secret};
use crate::profile::Opening;
use crate::serve::{self, Log};
use crate::{profile, signals, socket};
use echodb::model::ErrorKind;
use echodb::{Client, LogSink};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long to wait for a profile that another process holds: one that is about to serve it, or
/// runs a short command.
const PATIENCE: Duration = Duration::from_secs(3);
/// How often to look meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Who runs the command.
enum Place {
    Here(Arc<Client>),
    There(UnixStream),
}

/// Runs the command to its end.
pub fn run(mut args: Args, console: &mut Console) -> Result<()> {
    if let Command::Verify { file } = args.command {
        commands::transfer::verify(console, file)?;
        return console.flush();
    }
    if let Command::Credential(command) = &args.command
        && command.is_offline()
    {
        commands::credential::offline(console, command.clone())?;
        return console.flush();
    }
    args.command.find_files();
    args.command = args.command.absolute();
    let directory = profile::directory(&args)?;
    let given = passphrase::given(args.passphrase_fd)?;
    match find_place(&args, &directory, given.clone())? {
        Place::There(stream) => {
            args.command.fill(given.as_ref())?;
            let without_effect = [
                ("--signal", signals_given(&args)),
                ("--cache", args.cache.is_some()),
            ];
            for (option, _) in without_effect.iter().filter(|(_, given)| *given) {
                console.emit(Event::Warning(format!(
                    "{option} has no effect while `echodb serve` runs on this profile"
                )))?;
            }
            console.open_file(&args.command)?;
            socket::client::run(stream, &args.command, console)
        }
        Place::Here(client) => {
            let filled = args.command.fill(given.as_ref());
            let done = filled.and_then(|()| run_here(args.command, &client, &directory, console));
            let closed = client.shutdown().map_err(Failure::from);
            done.and(closed)
        }
    }
}

fn find_place(args: &Args, directory: &Path, mut given: Option<Secret>) -> Result<Place> {
    let serve = args.command == Command::Serve;
    let makes_profile = serve
        || match &args.command {
            Command::Identity(command) => command.makes_profile(),
            Command::Device(command) => command.makes_profile(),
            _ => false,
        };
    if !makes_profile && !directory.is_dir() {
        return Err(Failure::new(
            ErrorKind::NotFound,
            format!(
                "there is no profile in {}; make one with `echodb identity create --name NAME`",
                directory.display()
            ),
        ));
    }
    let log = serve.then(|| Arc::new(Log { json: args.json }) as Arc<dyn LogSink>);
    let end = Instant::now() + PATIENCE;
    loop {
        match (socket::client::connect(directory)?, serve) {
            (Some(_), true) => {
                return Err(Failure::new(
                    ErrorKind::ProfileLocked,
                    "`echodb serve` runs on this profile already",
                ));
            }
            (Some(stream), false) => return Ok(Place::There(stream)),
            (None, _) => {}
        }
        let opening = Opening {
            signaling: signaling(args),
            online: args.command.is_online(),
            cache: args.cache,
            passphrase: given.as_ref(),
        };
        match profile::open(directory, opening, log.clone()) {
            Ok(client) => return Ok(Place::Here(client)),
            Err(failure) if given.is_none() && wants_passphrase(&failure) => {
                given = Some(passphrase::asked().map_err(|_| failure)?);
            }
            Err(failure) if failure.kind() != Some(ErrorKind::ProfileLocked) => {
                return Err(failure);
            }
            Err(failure) if Instant::now() >= end => return Err(failure),
            Err(_) => std::thread::sleep(LOOK_EVERY),
        }
    }
}

/// Whether the profile would open with a passphrase.
fn wants_passphrase(failure: &Failure) -> bool {
    failure.kind() == Some(ErrorKind::KeyUnavailable) && failure.error.contains("passphrase")
}

fn run_here(
    command: Command,
    client: &Arc<Client>,
    directory: &Path,
    console: &mut Console,
) -> Result<()> {
    if command == Command::Serve {
        return serve::serve(client, directory, console);
    }
    console.open_file(&command)?;
    let control = Control::new();
    if command.ends_on_request() {
        let notifier = control.notifier();
        signals::on_interrupt(move || notifier.cancel())?;
    }
    let notifier = control.notifier();
    console.send_answers_to(Box::new(move |answer| notifier.send(Note::Answer(answer))));
    let mut context = Context {
        client,
        output: console,
        serving: false,
    };
    commands::run(command, &mut context, control)?;
    console.flush()
}

fn signaling(args: &Args) -> Vec<String> {
    let given = args.signal.iter().map(|url| url.trim());
    given
        .filter(|url| !url.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Whether the user wrote `--signal` here, rather than having set the variable once for all.
fn signals_given(args: &Args) -> bool {
    std::env::var_os("ECHODB_SIGNAL").is_none() && !args.signal.is_empty()
}
