//! Prints events: for people, or as JSON with `--json`.

mod credential;
mod device;
mod human;
mod object;
mod past;
mod qr;
mod safe;
mod stored;

use crate::event::{CredentialEvent, DeviceEvent, Event};
use crate::failure::{Failure, Result};
use serde::Serialize;
use std::io::{BufWriter, ErrorKind, IsTerminal, Stdout, Write};

/// What the streams of this process are, and how to print to them.
pub struct Renderer {
    json: bool,
    /// Whether an object gets lines of its own.
    detailed: bool,
    stdout: BufWriter<Stdout>,
    stdout_is_terminal: bool,
    stderr_is_terminal: bool,
    colour: bool,
}

impl Renderer {
    /// For this process's streams.
    pub fn new(json: bool, detailed: bool) -> Self {
        let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
        Renderer {
            json,
            detailed,
            stdout: BufWriter::new(std::io::stdout()),
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            colour: !set("NO_COLOR") && !dumb,
        }
    }

    /// Prints one event.
    pub fn print(&mut self, event: &Event) -> Result<()> {
        if self.json {
            self.print_json(event)?;
        } else {
            let style = human::Style {
                terminal: self.stdout_is_terminal,
                colour: self.colour && self.stdout_is_terminal,
                detailed: self.detailed,
            };
            let text = human::result(event, style);
            self.write(&text)?;
        }
        self.print_progress(event);
        // A long list is written in large pieces; anything else may be waited for.
        match event {
            Event::Object(_) | Event::Hit(_) | Event::Line(_) if !self.stdout_is_terminal => Ok(()),
            _ => self.flush(),
        }
    }

    /// Asks for the authorization code, if there is someone to ask.
    pub fn prompt(&mut self, again: bool) -> Result<()> {
        self.flush()?;
        if self.stderr_is_terminal && !self.json {
            let again = if again { "That was not it. " } else { "" };
            eprint!("{again}Authorization code that the host shows: ");
        }
        Ok(())
    }

    /// Prints why a command failed.
    pub fn failure(&mut self, failure: &Failure) {
        let _ = self.flush();
        if self.json {
            eprintln!("{}", json_text(failure));
            return;
        }
        let (on, off) = match self.colour && self.stderr_is_terminal {
            true => ("\x1b[1;31m", "\x1b[0m"),
            false => ("", ""),
        };
        eprintln!("{on}error:{off} {}", safe::line(&failure.error));
    }

    /// Writes out what is buffered.
    pub fn flush(&mut self) -> Result<()> {
        self.stdout.flush().map_err(stdout_failed)
    }

    fn print_json(&mut self, event: &Event) -> Result<()> {
        let text = match event {
            Event::Identity(value) => json_text(value),
            Event::Space(value) => json_text(value),
            Event::SpaceDetails(value) => json_text(value),
            Event::Member(value) => json_text(value),
            Event::Excluded(value) => json_text(value),
            Event::Created(value) => json_text(value),
            Event::Changed(value) => json_text(value),
            Event::Conflict(value) => json_text(value),
            Event::Mark(value) => json_text(value),
            Event::Object(value) => json_text(value),
            Event::Hit(value) => json_text(value),
            Event::Index(value) => json_text(value),
            Event::Group(value) => json_text(value),
            Event::Next(value) => json_text(value),
            Event::Plan(value) => json_text(value),
            Event::Done(value) => json_text(value),
            Event::Text(value) => json_text(value),
            Event::Device(value) => device_text(value),
            Event::Credential(value) => credential_text(value),
            Event::Change(value) => json_text(value),
            Event::Live(value) => json_text(value),
            Event::LiveChange(value) => json_text(value),
            Event::Transaction(value) => json_text(value),
            Event::Version(value) => json_text(value),
            Event::Undone(value) => json_text(value),
            Event::Difference(value) => json_text(value),
            Event::Branch(value) => json_text(value),
            Event::Why(value) => json_text(value),
            Event::Digest(value) => json_text(value),
            Event::Line(line) => line.clone(),
            // Standard output holds the export itself then.
            Event::Exported(value) if value.file.is_none() => return Ok(()),
            Event::Exported(value) => json_text(value),
            Event::Imported(value) => json_text(value),
            Event::Archive(value) => json_text(value),
            Event::Skipped(value) => json_text(value),
            Event::Report(value) => json_text(value),
            Event::ObjectFile(value) => json_text(value),
            Event::Code(value) => json_text(value),
            Event::Invitation(value) => json_text(value),
            Event::Pairing(value) => json_text(value),
            Event::Paired(value) => json_text(value),
            Event::Blob(value) => json_text(value),
            Event::Collected(value) => json_text(value),
            Event::Status(value) => json_text(value),
            Event::SpaceStatus(value) => json_text(value),
            Event::Serving(value) => json_text(value),
            Event::Schema(value) => json_text(value),
            Event::Violation(value) => json_text(value),
            Event::Stored(value) => json_text(value),
            Event::Warning(_) | Event::Progress(_) => return Ok(()),
        };
        self.write(&text)?;
        self.write("\n")
    }

    fn print_progress(&self, event: &Event) {
        match event {
            Event::Warning(text) if self.json => {
                eprintln!("{}", json_text(&serde_json::json!({ "warning": text })));
            }
            Event::Warning(text) => eprintln!("warning: {}", safe::line(text)),
            _ if self.json || !self.stderr_is_terminal => {}
            _ => {
                if let Some(text) = human::progress(event) {
                    eprintln!("{}", safe::line(&text));
                }
            }
        }
    }

    fn write(&mut self, text: &str) -> Result<()> {
        self.stdout
            .write_all(text.as_bytes())
            .map_err(stdout_failed)
    }
}

fn stdout_failed(error: std::io::Error) -> Failure {
    match error.kind() {
        ErrorKind::BrokenPipe => Failure::broken_pipe(),
        _ => Failure::storage("standard output", error),
    }
}

fn device_text(event: &DeviceEvent) -> String {
    match event {
        DeviceEvent::Device(value) => json_text(value),
        DeviceEvent::Code(value) => json_text(value),
        DeviceEvent::Phrase(value) => json_text(value),
        DeviceEvent::Done(value) => json_text(value),
    }
}

fn credential_text(event: &CredentialEvent) -> String {
    match event {
        CredentialEvent::Credential(value) => json_text(value),
        CredentialEvent::Code(value) => json_text(value),
        CredentialEvent::Presentation(value) => json_text(value),
        CredentialEvent::Removed(value) => json_text(value),
    }
}

fn json_text(value: &impl Serialize) -> String {
    let text = serde_json::to_string(value).expect("events have string keys and no failing parts");
    safe::json(text)
}
