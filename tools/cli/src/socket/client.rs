//! The front process's end: sends the command, prints what comes back.

use super::protocol::{
    Frame, PIECE_BYTES, TO_CLIENT_BYTES, ToClient, ToServer, greet, receive, send, send_data,
};
use super::{peer, place};
use crate::args::Command;
use crate::console::Console;
use crate::failure::{Failure, Result};
use crate::output::Output;
use crate::signals;
use echodb::model::ErrorKind;
use std::io::{ErrorKind as Io, Read};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// A connection to the process that serves `profile`; `None` if none does. What a killed process
/// left behind refuses connections, so it counts as none.
pub fn connect(profile: &Path) -> Result<Option<UnixStream>> {
    let mut stream = match place::with_address(profile, |path| UnixStream::connect(path)) {
        Ok(stream) => stream,
        Err(error) => {
            return match error.kind() {
                Io::NotFound | Io::ConnectionRefused | Io::NotADirectory => Ok(None),
                Io::PermissionDenied => Err(Failure::new(
                    ErrorKind::PermissionDenied,
                    format!("{}: {error}", place::path(profile).display()),
                )),
                _ => Err(Failure::storage(place::path(profile).display(), error)),
            };
        }
    };
    peer::check(&stream)?;
    Ok(greet(&mut stream)?.then_some(stream))
}

/// Has the serving process run `command`. Ctrl-C cancels it there; if this process dies, the
/// serving one notices and cancels it too.
pub fn run(mut stream: UnixStream, command: &Command, console: &mut Console) -> Result<()> {
    let fail = |error| Failure::storage("the local socket", error);
    let writer = Arc::new(Mutex::new(stream.try_clone().map_err(fail)?));
    post(&writer, &ToServer::Run(command.clone()))?;
    if command.ends_on_request() {
        let to_cancel = Arc::clone(&writer);
        signals::on_interrupt(move || {
            let _ = post(&to_cancel, &ToServer::Cancel);
        })?;
    }
    let to_answer = Arc::clone(&writer);
    console.send_answers_to(Box::new(move |answer| {
        post(&to_answer, &ToServer::Answer(answer)).is_ok()
    }));
    loop {
        match receive(&mut stream, TO_CLIENT_BYTES)? {
            Some(Frame::Message(ToClient::Event(event))) => console.emit(event)?,
            Some(Frame::Message(ToClient::Read)) => send_input(&writer, console)?,
            Some(Frame::Message(ToClient::Ask { again })) => console.ask(again)?,
            Some(Frame::Message(ToClient::Done)) => return console.flush(),
            Some(Frame::Message(ToClient::Failed(failure))) => return Err(failure),
            Some(Frame::Data(_)) => return Err(Failure::protocol("unexpected data")),
            None => {
                return Err(Failure::new(
                    ErrorKind::Network,
                    "`echodb serve` ended before the command did",
                ));
            }
        }
    }
}

fn send_input(writer: &Mutex<UnixStream>, console: &Console) -> Result<()> {
    let mut input = console.open_input()?;
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let read = input
            .read(&mut piece)
            .map_err(|error| Failure::storage("the input", error))?;
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        // When the serving process takes no more, it says why in a message that is yet to be read.
        if send_data(&mut *writer, &piece[..read]).is_err() || read == 0 {
            return Ok(());
        }
    }
}

fn post(writer: &Mutex<UnixStream>, message: &ToServer) -> Result<()> {
    send(
        &mut *writer.lock().unwrap_or_else(PoisonError::into_inner),
        message,
    )
    .map_err(|_| Failure::new(ErrorKind::Network, "`echodb serve` hung up"))
}
