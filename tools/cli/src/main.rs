//! `echodb`: the command line of echo-db. `echodb --help` describes it, README.md too.

mod args;
mod blob_args;
mod change_args;
mod check_args;
mod check_event;
mod commands;
mod console;
mod control;
mod credential_args;
mod credential_event;
mod device_args;
mod event;
mod event_device;
mod event_past;
mod failure;
mod found;
mod front;
mod index_args;
mod invitation_event;
mod invite_args;
mod member_args;
mod member_event;
mod object_event;
mod output;
mod passphrase;
mod profile;
mod query_args;
mod render;
mod schema_args;
mod schema_event;
mod search_args;
mod serve;
mod signals;
mod socket;
mod transfer_args;
mod transfer_event;
mod wait_args;
mod why_event;

use args::{Args, Command};
use clap::Parser;
use clap::error::ErrorKind;
use console::Console;
use failure::Failure;
use render::Renderer;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return not_parsed(&error),
    };
    let json = args.json;
    let renderer = Renderer::new(json, matches!(args.command, Command::Get { .. }));
    let mut console = Console::new(renderer, &args.command);
    match front::run(args, &mut console) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) if failure.is_broken_pipe() => ExitCode::SUCCESS,
        Err(failure) => {
            console.failure(&failure);
            ExitCode::from(failure.exit_code())
        }
    }
}

/// `--help`, `--version`, or a command line that makes no sense.
fn not_parsed(error: &clap::Error) -> ExitCode {
    let asked = matches!(
        error.kind(),
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion
    );
    // Parsing failed, so whether JSON was wanted has to be looked up by hand.
    let json = std::env::args_os().any(|argument| argument == "--json");
    if asked || !json {
        let _ = error.print();
        return ExitCode::from(if asked { 0 } else { 2 });
    }
    let text = error.render().to_string();
    let text = text.trim().trim_start_matches("error: ");
    let failure = Failure::usage(text);
    Renderer::new(true, false).failure(&failure);
    ExitCode::from(failure.exit_code())
}
