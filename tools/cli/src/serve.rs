//! `serve`: stays online and takes other processes' commands.

use crate::console::Console;
use crate::control::Control;
use crate::event::{Event, Serving};
use crate::failure::Result;
use crate::output::Output;
use crate::socket::server::Server;
use crate::{profile, signals};
use echodb::{Client, EchoError, LogLevel, LogRecord, LogSink};
use std::path::Path;
use std::sync::Arc;

/// Serves an open client until this process is told to end.
pub fn serve(client: &Arc<Client>, directory: &Path, console: &mut Console) -> Result<()> {
    profile::make_private(directory)?;
    let control = Control::new();
    let notifier = control.notifier();
    signals::on_interrupt(move || notifier.cancel())?;
    let server = Server::start(directory, Arc::clone(client))?;
    let told = console.emit(Event::Serving(Serving {
        state: "serving".to_owned(),
        profile: directory.display().to_string(),
        socket: server.path().display().to_string(),
    }));
    while told.is_ok() && control.wait().is_some() {}
    server.stop();
    told
}

/// Prints the library's log on standard error.
pub struct Log {
    /// As JSON lines.
    pub json: bool,
}

impl LogSink for Log {
    fn log(&self, record: LogRecord) -> std::result::Result<(), EchoError> {
        let level = match record.level {
            LogLevel::Off => return Ok(()),
            LogLevel::Error => "error",
            LogLevel::Warn => "warn",
            LogLevel::Info => "info",
            LogLevel::Debug => "debug",
            LogLevel::Trace => "trace",
        };
        match self.json {
            true => eprintln!(
                "{}",
                serde_json::json!({
                    "level": level,
                    "target": record.target,
                    "text": record.text,
                    "time_ms": record.time_ms,
                })
            ),
            false => eprintln!("{level} {}: {}", record.target, record.text.escape_debug()),
        }
        Ok(())
    }
}
