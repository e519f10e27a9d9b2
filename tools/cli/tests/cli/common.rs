//! Profiles and processes.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than anything here takes, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A profile in a directory of its own.
pub struct Profile {
    root: TempDir,
    path: PathBuf,
    signal: Option<String>,
}

impl Profile {
    /// Nothing there yet.
    pub fn absent() -> Self {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("profile");
        Profile {
            root,
            path,
            signal: None,
        }
    }

    /// With an identity.
    pub fn new(name: &str) -> Self {
        let profile = Profile::absent();
        profile.one(&["identity", "create", "--name", name]);
        profile
    }

    /// With an identity and a signalling server.
    pub fn with_signal(name: &str, signal: &Signal) -> Self {
        let mut profile = Profile::new(name);
        profile.signal = Some(signal.url.clone());
        profile
    }

    /// Nothing there yet but a signalling server.
    pub fn absent_with_signal(signal: &Signal) -> Self {
        let mut profile = Profile::absent();
        profile.signal = Some(signal.url.clone());
        profile
    }

    /// At another place, for tests about places.
    pub fn at(mut self, below: &str) -> Self {
        self.path = self.root.path().join(below);
        self
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A directory for other files.
    pub fn root(&self) -> &Path {
        self.root.path()
    }

    pub fn socket(&self) -> PathBuf {
        self.path.join("serve.sock")
    }

    /// The tool, with nothing of the tester's environment in the way.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_echodb"));
        command
            .env_remove("ECHODB_PROFILE")
            .env_remove("ECHODB_SIGNAL")
            .arg("--profile")
            .arg(&self.path);
        if let Some(signal) = &self.signal {
            command.env("ECHODB_SIGNAL", signal);
        }
        command.args(arguments);
        command
    }

    /// Runs a command with `input` on its standard input.
    pub fn run(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        std::thread::scope(|scope| {
            // A command that fails early does not read all of it.
            scope.spawn(move || drop(stdin.write_all(input)));
            child.wait_with_output().unwrap()
        })
    }

    /// Standard output of a command that must succeed.
    pub fn text(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, b"");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// As [`Profile::text`], the JSON lines of it.
    pub fn all(&self, arguments: &[&str]) -> Vec<Value> {
        let text = self.text(&[&["--json"], arguments].concat());
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The one JSON line of a command that must succeed.
    pub fn one(&self, arguments: &[&str]) -> Value {
        let mut values = self.all(arguments);
        assert_eq!(values.len(), 1, "{arguments:?}: {values:?}");
        values.remove(0)
    }

    /// Exit code and JSON error of a command that must fail.
    pub fn failure(&self, arguments: &[&str]) -> (i32, Value) {
        let output = self.run(&[&["--json"], arguments].concat(), b"");
        let code = output.status.code().unwrap();
        assert_ne!(code, 0, "{arguments:?}: {output:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        let error = serde_json::from_str(text.lines().last().unwrap_or_default());
        (
            code,
            error.unwrap_or_else(|_| panic!("{arguments:?}: {text}")),
        )
    }

    /// Adds an object to the default space and returns its id.
    pub fn add(&self, fields: &str) -> String {
        string(&self.one(&["add", "default", fields]), "id")
    }

    /// Starts a command with `--json`.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(&mut self.command(&[&["--json"], arguments].concat()))
    }

    /// Starts `serve` and waits until it takes commands.
    pub fn serve(&self) -> Running {
        let serving = self.start(&["serve"]);
        assert_eq!(serving.next()["state"], "serving");
        serving
    }
}

/// A string member of a JSON object.
pub fn string(value: &Value, key: &str) -> String {
    match value[key].as_str() {
        Some(text) => text.to_owned(),
        None => panic!("no {key} in {value}"),
    }
}

/// A process that is not waited for; killed when dropped.
pub struct Running {
    child: Child,
    lines: Receiver<String>,
    stdin: Option<ChildStdin>,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines() {
                if line.is_err() || sender.send(line.unwrap_or_default()).is_err() {
                    break;
                }
            }
        });
        let stdin = child.stdin.take();
        Running {
            child,
            lines,
            stdin,
        }
    }

    /// The next line of standard output.
    pub fn line(&self) -> String {
        self.line_within(PATIENCE).expect("no line came")
    }

    /// As [`Running::line`], or `None` after `patience`.
    pub fn line_within(&self, patience: Duration) -> Option<String> {
        match self.lines.recv_timeout(patience) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => panic!("the process ended"),
        }
    }

    /// The next line as JSON.
    pub fn next(&self) -> Value {
        serde_json::from_str(&self.line()).unwrap()
    }

    /// The next JSON line that has `key` and passes `test`.
    pub fn until(&self, key: &str, test: impl Fn(&Value) -> bool) -> Value {
        loop {
            let value = self.next();
            if !value[key].is_null() && test(&value[key]) {
                return value;
            }
        }
    }

    /// Enters a line.
    pub fn enter(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    pub fn signal(&self, signal: i32) {
        // SAFETY: kill touches no memory; the process is our child and not yet waited for, so its
        // number is its own.
        assert_eq!(unsafe { libc::kill(self.child.id() as i32, signal) }, 0);
    }

    /// Waits for the end; returns how it ended and what it wrote to standard error.
    pub fn end(&mut self) -> (ExitStatus, String) {
        self.stdin = None;
        let end = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < end, "the process does not end");
            std::thread::sleep(Duration::from_millis(10));
        };
        let mut error = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut error).unwrap();
        (status, error)
    }

    /// Waits for an end in good order.
    pub fn end_well(&mut self) {
        let (status, error) = self.end();
        assert!(status.success(), "{status}: {error}");
    }

    /// Waits for a failure; returns the exit code and the JSON error.
    pub fn end_badly(&mut self) -> (i32, Value) {
        let (status, error) = self.end();
        let last = error.lines().last().unwrap_or_default();
        (
            status.code().unwrap_or_else(|| panic!("{status}: {error}")),
            serde_json::from_str(last).unwrap_or_else(|_| panic!("{error}")),
        )
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A signalling server.
pub struct Signal {
    pub url: String,
    _process: Running,
}

impl Signal {
    pub fn start() -> Self {
        let tool = Path::new(env!("CARGO_BIN_EXE_echodb"));
        let server = tool.with_file_name("echodb-signal");
        assert!(
            server.exists(),
            "{} is needed: cargo build -p echodb-signal",
            server.display()
        );
        let process = Running::start(Command::new(server).args(["--listen", "127.0.0.1:0"]));
        let line = process.line();
        let url = line
            .strip_prefix("listening on ")
            .unwrap()
            .trim()
            .to_owned();
        Signal {
            url,
            _process: process,
        }
    }
}
