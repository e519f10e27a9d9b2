//! The demo's child processes, ended with the values that stand for them.

use crate::run::Outcome;
use serde_json::Value;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;

/// What a peer said; `None` when it has ended.
pub type Said = (usize, Option<Value>);

/// A child that is killed when it goes out of scope.
pub struct Process {
    child: Child,
    input: Option<ChildStdin>,
}

impl Process {
    fn start(command: &mut Command) -> Outcome<Process> {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", command.get_program().to_string_lossy()))?;
        let input = child.stdin.take();
        Ok(Process { child, input })
    }

    /// Starts a signalling server on a free port; returns its URL too.
    pub fn signal(program: &Path) -> Outcome<(Process, String)> {
        let mut process = Process::start(Command::new(program).args(["--listen", "127.0.0.1:0"]))?;
        let out = process.child.stdout.take().ok_or("no output")?;
        let mut line = String::new();
        BufReader::new(out).read_line(&mut line)?;
        let url = line
            .trim()
            .strip_prefix("listening on ")
            .ok_or_else(|| format!("the signalling server said {line:?}"))?
            .to_owned();
        Ok((process, url))
    }

    /// Starts a peer; what it says comes through `said`, under its number.
    pub fn peer(
        number: usize,
        command: &mut Command,
        said: mpsc::Sender<Said>,
    ) -> Outcome<Process> {
        let mut process = Process::start(command)?;
        let out = process.child.stdout.take().ok_or("no output")?;
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines() {
                let parsed = line.ok().and_then(|line| serde_json::from_str(&line).ok());
                if parsed.is_none() || said.send((number, parsed)).is_err() {
                    break;
                }
            }
            let _ = said.send((number, None));
        });
        Ok(process)
    }

    /// Gives it a line.
    pub fn tell(&mut self, line: &str) -> Outcome<()> {
        let input = self.input.as_mut().ok_or("its input is closed")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    /// Waits for its end; whether that was a good one.
    pub fn end(&mut self) -> Outcome<bool> {
        self.input = None;
        Ok(self.child.wait()?.success())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
