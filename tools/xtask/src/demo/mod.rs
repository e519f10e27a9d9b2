//! `cargo xtask demo`: two separate programs pair with a code and replay a session of two people
//! typing into one text at once.
//!
//! It is built with the `dev` profile, whose dependencies are optimised: a cold build is much
//! quicker than a release one, and the replay is not much slower.

mod make;
mod peer;
mod process;
mod progress;
mod trace;

pub use peer::main as peer;
pub use process::Process;

use crate::run::{Outcome, cargo, run};
use process::Said;
use progress::Progress;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc;
use std::time::{Duration, Instant};
use trace::Trace;

/// A peer that says nothing for so long has failed.
const SILENCE: Duration = Duration::from_secs(180);
/// A real session, where the checkout stands beside it.
const RECORDED: &str = "../shared/data/traces/friendsforever.json.gz";
/// The project's own.
pub const SMALL: &str = "examples/traces/small.json.gz";

/// `cargo xtask demo [--trace FILE]`.
pub fn main(root: &Path, arguments: &[String]) -> Outcome<()> {
    let trace = match arguments {
        [] => default_trace(root),
        [flag, file] if flag == "--trace" => PathBuf::from(file),
        // For whoever changes the recording; a test compares the two.
        [flag] if flag == "--make-trace" => return make::make(&root.join(SMALL)),
        _ => return Err("usage: cargo xtask demo [--trace FILE]".into()),
    };
    let recording = Trace::read(&trace)?;
    println!(
        "{}: {} transactions in {} steps",
        trace.display(),
        recording.txns,
        recording.steps.len()
    );
    run(cargo(root).args(["build", "--quiet", "--bin", "echodb-signal"]))?;
    let scratch = Scratch::new()?;
    let outcome = Stage::set(root, &trace, &scratch.0)?.play(&recording);
    if let Err(error) = &outcome {
        println!("FAILED: {error}");
    }
    outcome
}

fn default_trace(root: &Path) -> PathBuf {
    let recorded = root.join(RECORDED);
    match recorded.exists() {
        true => recorded,
        false => root.join(SMALL),
    }
}

/// A folder for the two profiles, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Outcome<Scratch> {
        let name = format!("echodb-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The programs at work. Dropping it ends them.
struct Stage {
    peers: [Process; 2],
    said: mpsc::Receiver<Said>,
    _signal: Process,
}

/// What a peer held at the end.
struct Ending {
    text: String,
    digest: String,
    sent: u64,
    received: u64,
}

impl Stage {
    fn set(root: &Path, trace: &Path, scratch: &Path) -> Outcome<Stage> {
        let program = format!("echodb-signal{}", std::env::consts::EXE_SUFFIX);
        let (signal, url) = Process::signal(&root.join("target/debug").join(program))?;
        println!("signalling server: {url}");
        let (tell, said) = mpsc::channel();
        let start = |number: usize, role: &str| {
            let mut command = Command::new(crate::run::this_program()?);
            command.args(["demo-peer", role]);
            command.arg(scratch.join(role)).arg(&url).arg(trace);
            Process::peer(number, &mut command, tell.clone())
        };
        Ok(Stage {
            peers: [start(0, "host")?, start(1, "guest")?],
            said,
            _signal: signal,
        })
    }

    fn play(&mut self, recording: &Trace) -> Outcome<()> {
        let start = Instant::now();
        let mut paired = 0;
        let mut progress = Progress::new(recording.txns);
        let mut endings: [Option<Ending>; 2] = [None, None];
        while endings.iter().any(Option::is_none) {
            let (peer, message) = self.next()?;
            match message["event"].as_str() {
                Some("code") => {
                    let code = text(&message, "code")?;
                    println!("invitation code: {code}");
                    self.peers[1].tell(&code)?;
                }
                Some("auth_code") => {
                    let code = text(&message, "auth_code")?;
                    println!("authorization code: {code}");
                    self.peers[1].tell(&code)?;
                }
                Some("paired") => {
                    paired += 1;
                    if paired == 2 {
                        println!("paired in {:.1} s", start.elapsed().as_secs_f64());
                    }
                }
                Some("progress") => {
                    let done = message["txns"].as_u64().unwrap_or_default();
                    progress.update(peer, usize::try_from(done)?);
                }
                Some("done") => endings[peer] = Some(ending(&message)?),
                _ => return Err(format!("a peer said {message}").into()),
            }
        }
        progress.finish();
        let elapsed = start.elapsed();
        for peer in &mut self.peers {
            peer.tell("go")?;
            if !peer.end()? {
                return Err("a peer did not shut down well".into());
            }
        }
        let [Some(host), Some(guest)] = endings else {
            return Err("a peer did not report".into());
        };
        judge(recording, &host, &guest, elapsed)
    }

    fn next(&mut self) -> Outcome<(usize, Value)> {
        match self.said.recv_timeout(SILENCE) {
            Ok((peer, Some(message))) => Ok((peer, message)),
            Ok((peer, None)) => Err(format!("peer {peer} ended early").into()),
            Err(_) => Err("both peers have gone quiet".into()),
        }
    }
}

/// Prints what both hold, and decides.
fn judge(recording: &Trace, host: &Ending, guest: &Ending, elapsed: Duration) -> Outcome<()> {
    for (name, end) in [("host", host), ("guest", guest)] {
        let text = match end.text == recording.end {
            true => "the recorded text".to_owned(),
            false => first_difference(&end.text, &recording.end),
        };
        println!(
            "{name:>5}  digest {}  sent {} B  received {} B  {text}",
            end.digest, end.sent, end.received
        );
    }
    println!(
        "{} transactions in {:.1} s, {} bytes between the peers",
        recording.txns,
        elapsed.as_secs_f64(),
        host.sent + guest.sent
    );
    if host.text != recording.end || guest.text != recording.end {
        return Err("a peer does not hold the recorded text".into());
    }
    if host.digest != guest.digest {
        return Err("the digests differ".into());
    }
    println!("OK: both hold the recorded text and the same digest");
    Ok(())
}

fn first_difference(found: &str, wanted: &str) -> String {
    let same = found
        .chars()
        .zip(wanted.chars())
        .take_while(|(a, b)| a == b)
        .count();
    format!(
        "ANOTHER TEXT: {} characters instead of {}, the same up to {same}",
        found.chars().count(),
        wanted.chars().count()
    )
}

fn ending(message: &Value) -> Outcome<Ending> {
    Ok(Ending {
        text: text(message, "text")?,
        digest: text(message, "digest")?,
        sent: message["bytes_sent"].as_u64().unwrap_or_default(),
        received: message["bytes_received"].as_u64().unwrap_or_default(),
    })
}

fn text(message: &Value, key: &str) -> Outcome<String> {
    let text = message[key].as_str();
    Ok(text
        .ok_or_else(|| format!("a peer said {message}"))?
        .to_owned())
}
