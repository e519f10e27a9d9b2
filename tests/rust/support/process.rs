//! Peers and signalling servers as processes of their own, to be killed without warning. A test
//! program starts itself again in one of these roles; see [`play_role`]. Requests and answers are
//! JSON, one a line.

use super::changes::{self, Items, Writer};
use super::{PATIENCE, wait};
use echodb::{
    Client, ClientOptions, Invitation, InvitationState, InviteOptions, JoinOptions, LogLevel,
    LogRecord, LogSink, Space,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};

/// Says which role a child plays.
const ROLE: &str = "ECHODB_TEST_ROLE";

/// A child that dies with the value, as if by `kill -9`.
struct Running {
    child: Child,
    stdin: ChildStdin,
    answers: mpsc::Receiver<Value>,
    acknowledged: Arc<Mutex<Vec<String>>>,
    reports: Arc<Mutex<Vec<Value>>>,
}

impl Running {
    /// Starts this test program again, with only the test that calls [`play_role`].
    fn start(role: &Value) -> Running {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "plays_a_role_when_asked",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(ROLE, role.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (tell, answers) = mpsc::channel();
        let acknowledged: Arc<Mutex<Vec<String>>> = Arc::default();
        let acks = Arc::clone(&acknowledged);
        let reports: Arc<Mutex<Vec<Value>>> = Arc::default();
        let reported = Arc::clone(&reports);
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                // The test harness writes lines of its own, and the start of ours. A line that
                // the kill cut short was not acknowledged.
                let Some(Ok(mut value)) = line
                    .find('{')
                    .map(|at| serde_json::from_str::<Value>(&line[at..]))
                else {
                    continue;
                };
                if let Some(report) = value.get_mut("report") {
                    reported.lock().unwrap().push(report.take());
                    continue;
                }
                match value.get("ids").and_then(Value::as_array) {
                    Some(ids) => acks
                        .lock()
                        .unwrap()
                        .extend(ids.iter().filter_map(|id| id.as_str().map(str::to_owned))),
                    None => drop(tell.send(value)),
                }
            }
        });
        Running {
            child,
            stdin,
            answers,
            acknowledged,
            reports,
        }
    }

    fn answer(&self) -> Value {
        self.answers
            .recv_timeout(PATIENCE)
            .expect("the process answers")
    }

    fn ask(&mut self, request: &Value) -> Value {
        writeln!(self.stdin, "{request}").unwrap();
        self.stdin.flush().unwrap();
        let answer = self.answer();
        assert!(answer.get("error").is_none(), "{request}: {answer}");
        answer
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGKILL on Unix, TerminateProcess elsewhere.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A peer in a process of its own.
pub struct Peer {
    running: Running,
    role: Value,
}

impl Peer {
    /// Opens the profile in `dir`, making an identity if there is none.
    pub fn start(dir: &Path, name: &str, signal: &str) -> Peer {
        Peer::start_as("peer", dir, name, signal)
    }

    /// Opens the profile in `dir` and makes no identity.
    pub fn start_blank(dir: &Path, name: &str, signal: &str) -> Peer {
        Peer::start_as("blank", dir, name, signal)
    }

    fn start_as(role: &str, dir: &Path, name: &str, signal: &str) -> Peer {
        let role =
            json!({"role": role, "dir": dir.to_str().unwrap(), "name": name, "signal": signal});
        Peer {
            running: Running::open(&role),
            role,
        }
    }

    /// Kills the process at once and starts it again on the same profile. Returns the ids of the
    /// objects whose transactions it had reported as committed.
    pub fn kill_and_restart(&mut self) -> Vec<String> {
        let acknowledged = self.kill();
        self.restart();
        acknowledged
    }

    /// Starts a killed process again, on the same profile.
    pub fn restart(&mut self) {
        self.running = Running::open(&self.role);
    }

    /// Kills the process at once; see [`Peer::kill_and_restart`].
    pub fn kill(&mut self) -> Vec<String> {
        self.running.child.kill().unwrap();
        self.running.child.wait().unwrap();
        // What it had written to the pipe before is still read.
        while self.running.answers.recv_timeout(PATIENCE).is_ok() {}
        std::mem::take(&mut *self.running.acknowledged.lock().unwrap())
    }

    /// What a [`Writer`] has reported since this was asked last.
    pub fn reports(&mut self) -> Vec<Value> {
        std::mem::take(&mut *self.running.reports.lock().unwrap())
    }

    /// How many reports there are.
    pub fn reported(&self) -> usize {
        self.running.reports.lock().unwrap().len()
    }

    /// Makes a request and returns the answer.
    pub fn ask(&mut self, request: Value) -> Value {
        self.running.ask(&request)
    }

    /// How many transactions' objects were reported so far.
    pub fn acknowledged(&self) -> usize {
        self.running.acknowledged.lock().unwrap().len()
    }

    /// How many objects it holds.
    pub fn count(&mut self, space: &str) -> u64 {
        self.ask(json!({"do": "count", "space": space}))["count"]
            .as_u64()
            .unwrap()
    }

    /// A space's digest.
    pub fn digest(&mut self, space: &str) -> String {
        self.ask(json!({"do": "digest", "space": space}))["digest"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    /// Which of `ids` it lacks.
    pub fn lacking(&mut self, space: &str, ids: &[String]) -> Vec<Value> {
        let answer = self.ask(json!({"do": "lacking", "space": space, "ids": ids}));
        answer["lacking"].as_array().unwrap().clone()
    }

    /// Begins to write `transactions` of `objects` objects each, without waiting.
    pub fn begin_writing(&mut self, space: &str, transactions: u64, objects: u64) {
        self.ask(json!({"do": "write", "space": space, "transactions": transactions, "objects": objects}));
    }

    /// Begins to change items in all ways, without waiting; some `items` that are there are changed
    /// too.
    pub fn begin_changing(&mut self, space: &str, seed: u64, items: &Items) {
        self.ask(json!({"do": "change", "space": space, "seed": seed, "items": items}));
    }
}

impl Running {
    fn open(role: &Value) -> Running {
        let running = Running::start(role);
        assert_eq!(running.answer(), json!({"open": true}));
        running
    }
}

/// A signalling server in a process of its own.
pub struct SignalProcess {
    _running: Running,
    /// Its URL.
    pub url: String,
}

impl SignalProcess {
    /// Starts one at an address; dropping it kills it.
    pub fn start(address: &str) -> SignalProcess {
        let running = Running::start(&json!({"role": "signal", "address": address}));
        let url = running.answer()["url"].as_str().unwrap().to_owned();
        SignalProcess {
            _running: running,
            url,
        }
    }
}

/// Lets `guest` into a new space of `host`'s and returns its id.
pub fn pair_processes(host: &mut Peer, guest: &mut Peer) -> String {
    let space = host.ask(json!({"do": "create_space"}))["space"].clone();
    let code = host.ask(json!({"do": "invite", "space": space}))["code"].clone();
    guest.ask(json!({"do": "join", "code": code}));
    let auth = host.ask(json!({"do": "auth_code"}))["auth_code"].clone();
    assert_eq!(
        guest.ask(json!({"do": "authenticate", "auth_code": auth}))["space"],
        space
    );
    space.as_str().unwrap().to_owned()
}

/// Plays the role that the environment asks for, if it asks for one; ends the process then.
pub fn play_role() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let role: Value = serde_json::from_str(&role).unwrap();
    match role["role"].as_str().unwrap() {
        "signal" => serve_signalling(role["address"].as_str().unwrap()),
        _ => serve_peer(&role),
    }
    std::process::exit(0);
}

pub fn say(value: &Value) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{value}").unwrap();
    out.flush().unwrap();
}

fn serve_signalling(address: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let config = echodb_signal::Config::default();
        let server = echodb_signal::Server::bind(address, config).await.unwrap();
        say(&json!({"url": format!("ws://{}", server.local_addr())}));
        server.run(std::future::pending()).await;
    });
}

struct Log(String);

impl LogSink for Log {
    fn log(&self, record: LogRecord) -> echodb::Result<()> {
        eprintln!(
            "{} {} {}: {}",
            record.time_ms % 1_000_000,
            self.0,
            record.target,
            record.text
        );
        Ok(())
    }
}

struct Serving {
    client: Arc<Client>,
    invitations: HashMap<&'static str, Arc<Invitation>>,
}

fn serve_peer(role: &Value) {
    let text = |key: &str| role[key].as_str().unwrap().to_owned();
    let options = ClientOptions {
        profile: Some(text("dir")),
        signaling: vec![text("signal")],
        bind: vec!["127.0.0.1:0".into()],
        log_level: LogLevel::Debug,
        ..ClientOptions::default()
    };
    // For whoever looks into a failure.
    let log = std::env::var_os("ECHODB_TEST_LOG")
        .map(|_| Arc::new(Log(text("name"))) as Arc<dyn LogSink>);
    let client = Client::open(options, log).unwrap();
    if client.identity().is_none() && role["role"] != "blank" {
        client.create_identity(text("name")).unwrap();
    }
    let mut serving = Serving {
        client,
        invitations: HashMap::new(),
    };
    say(&json!({"open": true}));
    for line in std::io::stdin().lines().map_while(Result::ok) {
        let request: Value = serde_json::from_str(&line).unwrap();
        let answer = serving.answer(&request);
        say(&answer
            .unwrap_or_else(|error| json!({"error": error.to_string(), "status": error.status()})));
    }
}

impl Serving {
    fn answer(&mut self, request: &Value) -> echodb::Result<Value> {
        let text = |key: &str| request[key].as_str().unwrap_or_default().to_owned();
        let space = || self.client.space(text("space"));
        Ok(match request["do"].as_str().unwrap() {
            "create_space" => json!({"space": self.client.create_space("{}".into())?.id()}),
            "invite" => {
                let hosting = space()?.invite(InviteOptions::default())?;
                let (code, id) = (hosting.code(), hosting.id());
                self.invitations.insert("host", hosting);
                json!({"code": code, "id": id})
            }
            "device_invite" => {
                let hosting = self
                    .client
                    .create_device_invitation(InviteOptions::default())?;
                let (code, id) = (hosting.code(), hosting.id());
                self.invitations.insert("host", hosting);
                json!({"code": code, "id": id})
            }
            "join_device" => {
                let options = JoinOptions::default();
                let joining = self.client.join_device(text("code"), options)?;
                self.invitations.insert("guest", joining);
                json!({})
            }
            "invitations" => {
                let all = self.client.invitations()?;
                json!({"invitations": all.into_iter().map(|i| i.id).collect::<Vec<_>>()})
            }
            "update" => {
                let update = self.invitations[text("as").as_str()].update();
                json!({"state": update.state.name(), "left": update.attempts_left, "status": update.status})
            }
            "try_authenticate" => {
                let tried = self.invitations["guest"].authenticate(text("auth_code"));
                json!({"tried": tried.is_ok()})
            }
            "newest_code" => {
                let guests = self.invitations["host"].update().guests;
                json!({"auth_code": guests.last().and_then(|guest| guest.auth_code.clone())})
            }
            "identity" => json!({"identity": self.client.identity().map(|i| i.identity)}),
            "devices" => json!({"devices": self.client.devices()?.len()}),
            "resume" => {
                let id = text("id");
                wait("the invitation runs again", || {
                    self.client.invitation(id.clone()).is_ok()
                });
                let side = if text("as") == "host" {
                    "host"
                } else {
                    "guest"
                };
                let invitation = self.client.invitation(id)?;
                self.invitations.insert(side, invitation);
                json!({})
            }
            "auth_code" => {
                let hosting = &self.invitations["host"];
                wait("the host shows a code", || {
                    hosting.update().auth_code.is_some()
                });
                json!({"auth_code": hosting.update().auth_code})
            }
            "join" => {
                let joining = self.client.join(text("code"), JoinOptions::default())?;
                self.invitations.insert("guest", joining);
                json!({})
            }
            "authenticate" => {
                let joining = &self.invitations["guest"];
                wait("a code is asked for", || {
                    joining.update().state == InvitationState::ReadyForAuthentication
                });
                joining.authenticate(text("auth_code"))?;
                json!({"space": joining.wait(Some(PATIENCE))?})
            }
            "write" => {
                let number = |key: &str| request[key].as_u64().unwrap();
                let (space, transactions, objects) =
                    (space()?, number("transactions"), number("objects"));
                std::thread::spawn(move || write(&space, transactions, objects));
                json!({})
            }
            "count" => json!({"count": space()?.status()?.objects}),
            "digest" => json!({"digest": space()?.digest()?}),
            "lacking" => {
                let space = space()?;
                let ids: Vec<String> = serde_json::from_value(request["ids"].clone()).unwrap();
                let lacks = |id: &String| space.get(id.clone()).unwrap().is_none();
                json!({"lacking": ids.into_iter().filter(lacks).collect::<Vec<_>>()})
            }
            "index" => {
                space()?.create_index(Some(text("type")), text("path"))?;
                json!({})
            }
            "change" => {
                let writer = Writer::new(space()?, request);
                std::thread::spawn(move || writer.run());
                json!({})
            }
            "items" => {
                let ids = request.get("ids").cloned();
                let ids = ids.map(|ids| serde_json::from_value(ids).unwrap());
                json!({"items": changes::read(space()?.as_ref(), ids)?})
            }
            "agree" => changes::agree(space()?.as_ref())?,
            "export" => {
                space()?.export_archive(text("path"))?;
                json!({})
            }
            "delete" => {
                self.client.delete_space(text("space"))?;
                json!({})
            }
            "begin_import" => {
                let (client, path) = (Arc::clone(&self.client), text("path"));
                std::thread::spawn(move || client.import_archive(path));
                json!({})
            }
            "import" => json!({"space": self.client.import_archive(text("path"))?.id()}),
            "has" => {
                let spaces = self.client.spaces()?;
                json!({"has": spaces.iter().any(|info| info.id == text("space"))})
            }
            "begin_authenticate" => {
                let joining = Arc::clone(&self.invitations["guest"]);
                wait("a code is asked for", || {
                    joining.update().state == InvitationState::ReadyForAuthentication
                });
                joining.authenticate(text("auth_code"))?;
                json!({})
            }
            "check" => {
                let found = space()?.check(true)?.findings;
                json!({"findings": found.iter().map(|f| &f.detail).collect::<Vec<_>>()})
            }
            "put_blob" => json!({"id": space()?.put_blob_file(text("path"))?.id}),
            "begin_blob" => {
                let writer = space()?.blob_writer()?;
                std::thread::spawn(move || write_blob(&writer));
                json!({})
            }
            "fetch_blob" => {
                space()?.fetch_blob(text("id"))?;
                json!({})
            }
            "blob" => match space()?.blob_info(text("id"))? {
                None => json!({"held": 0, "whole": false}),
                Some(info) => json!({"held": info.held, "whole": info.whole}),
            },
            "blob_to_file" => {
                space()?.blob_to_file(text("id"), text("path"))?;
                json!({})
            }
            "peak" => json!({"bytes": peak_bytes()}),
            "received" => json!({"bytes": self.client.status().bytes_received}),
            other => panic!("nobody can {other}"),
        })
    }
}

/// Writes, and reports each transaction once `commit` returned and not before.
fn write(space: &Space, transactions: u64, objects: u64) {
    for transaction in 0..transactions {
        let tx = space.transaction();
        let ids: Vec<String> = (0..objects)
            .map(|n| {
                let fields = json!({"n": n, "t": transaction, "text": format!("object {n} of {transaction}")});
                tx.create(Some("Item".into()), fields.to_string()).unwrap()
            })
            .collect();
        tx.commit().unwrap();
        say(&json!({"ids": ids}));
    }
}

/// Writes a blob without end, until the process is killed.
fn write_blob(writer: &echodb::BlobWriter) {
    for n in 0..u64::MAX {
        let piece: Vec<u8> = (0..128 * 1024_u64)
            .flat_map(|i| (n + i).to_le_bytes())
            .collect();
        writer.write(piece).unwrap();
        say(&json!({"ids": [writer.size().to_string()]}));
    }
}

/// The most memory that this process has had, 0 where the system does not tell.
fn peak_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
    kilobytes.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024
}
