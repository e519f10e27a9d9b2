//! The other process of a measurement: a guest that joins a space, or the far end of a bare data
//! channel. The two talk in lines over the guest's standard streams.

use crate::bare;
use crate::create::open_online;
use crate::result::Outcome;
use echodb::{ChangeBatch, ChangeListener, Client, EchoError, InvitationState, JoinOptions, Space};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a step between two processes may take.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// A guest process.
pub struct Guest {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Guest {
    /// Starts this program as a guest.
    pub fn start(arguments: &[&str]) -> Outcome<Guest> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("guest")
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = child.stdin.take().ok_or("no standard input")?;
        let output = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Guest {
            child,
            input,
            output,
        })
    }

    /// Sends a line.
    pub fn say(&mut self, line: &str) -> Outcome<()> {
        writeln!(self.input, "{line}")?;
        Ok(self.input.flush()?)
    }

    /// The next line.
    pub fn hear(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.output.read_line(&mut line)? == 0 {
            return Err("the guest ended".into());
        }
        Ok(line.trim_end().to_owned())
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `echodb-bench guest …`.
pub fn guest(arguments: &[String]) -> Outcome<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["bare"] => bare::far_end(),
        ["join", profile, signal, code] => join(profile, signal, code),
        _ => Err("usage: guest bare | guest join PROFILE SIGNAL CODE".into()),
    }
}

/// Answers for the process that started this one.
pub fn answer(line: &str) -> Outcome<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}

fn command() -> Outcome<String> {
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    Ok(line.trim().to_owned())
}

fn join(profile: &str, signal: &str, code: &str) -> Outcome<()> {
    let client = open_online(std::path::Path::new(profile), signal)?;
    client.create_identity("Guest".into())?;
    let joining = client.join(code.into(), JoinOptions::default())?;
    while joining.update().state != InvitationState::ReadyForAuthentication {
        joining.wait_change(joining.update().state, Some(PATIENCE))?;
    }
    answer("ready")?;
    joining.authenticate(command()?)?;
    let space = client.space(joining.wait(Some(PATIENCE))?)?;
    serve(&client, &space)
}

/// Does as told until told to end.
fn serve(client: &Client, space: &Space) -> Outcome<()> {
    let (tell, told) = channel();
    let listener = Arc::new(Listener(Mutex::new(tell)));
    let _subscription = space.subscribe("{}".into(), listener)?;
    loop {
        let line = command()?;
        let words: Vec<&str> = line.split(' ').collect();
        match words.as_slice() {
            ["hold", objects] => {
                hold(space, objects.parse()?, &told)?;
                answer(&space.digest()?)?;
            }
            ["bytes"] => answer(&client.status().bytes_received.to_string())?,
            ["latency", id] => answer(&latency(space, id, &told)?.to_string())?,
            _ => return Ok(client.shutdown()?),
        }
    }
}

/// Waits until the space holds so many objects.
fn hold(space: &Space, objects: u64, told: &Receiver<u128>) -> Outcome<()> {
    while space.status()?.objects < objects {
        told.recv_timeout(PATIENCE)?;
    }
    Ok(())
}

/// Waits for an edit and says how long ago, in microseconds, it was made: the edit holds the time,
/// and both processes read one clock.
fn latency(space: &Space, id: &str, told: &Receiver<u128>) -> Outcome<f64> {
    while told.try_recv().is_ok() {}
    answer("listening")?;
    let seen = told.recv_timeout(PATIENCE)?;
    let object = space.get(id.into())?.ok_or("no such object")?;
    let fields: serde_json::Value = serde_json::from_str(&object.fields)?;
    let made: u128 = fields["made"].as_str().ok_or("no time")?.parse()?;
    #[expect(
        clippy::cast_precision_loss,
        reason = "nanoseconds between two processes"
    )]
    Ok(seen.saturating_sub(made) as f64 / 1000.0)
}

/// Nanoseconds since 1970.
pub fn nanos() -> u128 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_nanos())
}

struct Listener(Mutex<Sender<u128>>);

impl ChangeListener for Listener {
    fn changed(&self, _: ChangeBatch) -> Result<(), EchoError> {
        let now = nanos();
        if let Ok(sender) = self.0.lock() {
            // Nobody listens any more when the guest ends.
            let _ = sender.send(now);
        }
        Ok(())
    }
}
