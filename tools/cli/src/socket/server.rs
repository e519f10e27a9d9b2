//! The serving process's end: takes commands and runs each on a thread of its own.

use super::protocol::{Frame, TO_SERVER_BYTES, ToClient, ToServer, greet, receive, send};
use super::{peer, place};
use crate::args::Command;
use crate::commands::{self, Context};
use crate::console::check_length;
use crate::control::{Control, Note, Notifier};
use crate::event::Event;
use crate::failure::{Failure, Result};
use crate::output::Output;
use echodb::Client;
use echodb::model::ErrorKind;
use std::collections::HashMap;
use std::fs::Permissions;
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Commands that may run at once.
const COMMANDS: usize = 64;
/// Pieces of input that may wait for the command to take them.
const PIECES: usize = 4;
/// How long commands may take to end when the server does.
const GRACE: Duration = Duration::from_secs(3);

/// Takes commands for an open client until it is stopped.
pub struct Server {
    shared: Arc<Shared>,
    path: PathBuf,
}

struct Shared {
    client: Arc<Client>,
    running: Mutex<Running>,
    ended: Condvar,
}

/// The connections of this moment.
#[derive(Default)]
struct Running {
    stopping: bool,
    last: u64,
    connections: HashMap<u64, Connection>,
}

struct Connection {
    stream: UnixStream,
    notifier: Notifier,
}

impl Server {
    /// Begins to take commands. The caller has the profile open, and only one process can: a
    /// socket that is there already is what a killed process left behind.
    pub fn start(profile: &Path, client: Arc<Client>) -> Result<Self> {
        let path = place::path(profile);
        let fail = |error| Failure::storage(path.display(), error);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(fail(error)),
            _ => {}
        }
        // Nobody else gets in before the mode is set: the directory is the owner's alone.
        let listener =
            place::with_address(profile, |path| UnixListener::bind(path)).map_err(fail)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600)).map_err(fail)?;
        let shared = Arc::new(Shared {
            client,
            running: Mutex::default(),
            ended: Condvar::new(),
        });
        let accepting = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("commands".to_owned())
            .spawn(move || accept(&accepting, &listener))
            .map_err(fail)?;
        Ok(Server { shared, path })
    }

    /// The socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Takes no more commands, cancels those that run, and waits for them, not for ever.
    pub fn stop(self) {
        let _ = std::fs::remove_file(&self.path);
        let mut running = self.shared.running();
        running.stopping = true;
        for connection in running.connections.values() {
            connection.notifier.cancel();
        }
        let end = Instant::now() + GRACE;
        while !running.connections.is_empty() && Instant::now() < end {
            let left = end.saturating_duration_since(Instant::now());
            running = self
                .shared
                .ended
                .wait_timeout(running, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        for connection in running.connections.values() {
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn running(&self) -> MutexGuard<'_, Running> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a connection in; `None` when there are too many, or none is wanted any more.
    fn admit(self: &Arc<Self>, stream: &UnixStream, notifier: Notifier) -> Option<Admission> {
        let stream = stream.try_clone().ok()?;
        let mut running = self.running();
        if running.stopping || running.connections.len() >= COMMANDS {
            return None;
        }
        running.last += 1;
        let number = running.last;
        let connection = Connection { stream, notifier };
        running.connections.insert(number, connection);
        Some(Admission {
            shared: Arc::clone(self),
            number,
        })
    }
}

/// Counts a connection out when dropped, by a panic too.
struct Admission {
    shared: Arc<Shared>,
    number: u64,
}

impl Drop for Admission {
    fn drop(&mut self) {
        let connection = self.shared.running().connections.remove(&self.number);
        if let Some(connection) = connection {
            let _ = connection.stream.shutdown(Shutdown::Both);
        }
        self.shared.ended.notify_all();
    }
}

fn accept(shared: &Arc<Shared>, listener: &UnixListener) {
    loop {
        let Ok((stream, _)) = listener.accept() else {
            // Out of descriptors, most likely: some come back when a command ends.
            std::thread::sleep(Duration::from_millis(100));
            continue;
        };
        if peer::check(&stream).is_err() {
            continue;
        }
        let control = Control::new();
        let Some(admission) = shared.admit(&stream, control.notifier()) else {
            continue;
        };
        // If no thread can be had, dropping the stream tells the other side.
        let _ = std::thread::Builder::new()
            .name("command".to_owned())
            .spawn(move || {
                let mut stream = stream;
                let outcome = serve(&admission.shared.client, &mut stream, control);
                let _ = match outcome {
                    Ok(()) => send(&mut stream, &ToClient::Done),
                    Err(failure) => send(&mut stream, &ToClient::Failed(failure)),
                };
            });
    }
}

fn serve(client: &Client, stream: &mut UnixStream, control: Control) -> Result<()> {
    if !greet(stream)? {
        return Ok(());
    }
    let command = match receive(stream, TO_SERVER_BYTES)? {
        Some(Frame::Message(ToServer::Run(command))) => command,
        Some(_) => return Err(Failure::protocol("a command was to come first")),
        None => return Ok(()),
    };
    let fail = |error| Failure::storage("the local socket", error);
    let (pieces, input) = sync_channel(PIECES);
    let reader = stream.try_clone().map_err(fail)?;
    let notifier = control.notifier();
    std::thread::Builder::new()
        .name("command-input".to_owned())
        .spawn(move || read(reader, &notifier, pieces))
        .map_err(fail)?;
    run_contained(client, stream, command, input, control)
}

/// Runs the command. A defect in one must not take down those of other users of the profile.
fn run_contained(
    client: &Client,
    stream: &mut UnixStream,
    command: Command,
    input: Receiver<Vec<u8>>,
    control: Control,
) -> Result<()> {
    let mut output = Remote { stream, input };
    let mut context = Context {
        client,
        output: &mut output,
        serving: true,
    };
    let run = std::panic::AssertUnwindSafe(|| commands::run(command, &mut context, control));
    std::panic::catch_unwind(run).unwrap_or_else(|_| {
        Err(Failure::new(
            ErrorKind::Internal,
            "the command hit a defect of echodb; `serve` goes on",
        ))
    })
}

/// Passes on what the front process sends while the command runs, until it hangs up.
fn read(mut stream: UnixStream, notifier: &Notifier, pieces: SyncSender<Vec<u8>>) {
    let mut pieces = Some(pieces);
    loop {
        match receive(&mut stream, TO_SERVER_BYTES) {
            Ok(Some(Frame::Data(piece))) => {
                // A command that takes no more input is about to say why; read on till it did.
                let end = piece.is_empty();
                let taken = pieces
                    .as_ref()
                    .is_some_and(|pieces| pieces.send(piece).is_ok());
                if end || !taken {
                    pieces = None;
                }
            }
            Ok(Some(Frame::Message(ToServer::Answer(answer)))) => {
                notifier.send(Note::Answer(answer));
            }
            Ok(Some(Frame::Message(ToServer::Cancel))) => notifier.cancel(),
            Ok(Some(Frame::Message(ToServer::Run(_)))) | Ok(None) | Err(_) => {
                notifier.cancel();
                return;
            }
        }
    }
}

/// The terminal at the other end of the socket.
struct Remote<'a> {
    stream: &'a mut UnixStream,
    input: Receiver<Vec<u8>>,
}

impl Output for Remote<'_> {
    fn emit(&mut self, event: Event) -> Result<()> {
        send(self.stream, &ToClient::Event(event))
    }

    fn read(&mut self, limit: usize) -> Result<Vec<u8>> {
        send(self.stream, &ToClient::Read)?;
        let mut data = Vec::new();
        loop {
            match self.input.recv() {
                Ok(piece) if piece.is_empty() => return Ok(data),
                Ok(piece) => data.extend_from_slice(&piece),
                // Hung up in the middle: half an input must not be taken for a whole one.
                Err(_) => return Err(Failure::cancelled()),
            }
            data = check_length(data, limit)?;
        }
    }

    fn ask(&mut self, again: bool) -> Result<()> {
        send(self.stream, &ToClient::Ask { again })
    }
}
