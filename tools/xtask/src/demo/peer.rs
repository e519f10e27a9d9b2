//! One of the demo's two programs: a client of its own, on a profile of its own, that plays its
//! share of the authors. It speaks with the conductor in JSON lines, as a person would by reading
//! and typing codes; the text itself passes only between the two peers.

use super::trace::{Step, Trace};
use crate::run::Outcome;
use echodb::{
    ChangeBatch, ChangeListener, Client, ClientOptions, EchoError, InvitationState, InviteOptions,
    JoinOptions, Space, TextUnit,
};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

/// How long to wait for anything that the other side has to do.
const PATIENCE: Duration = Duration::from_secs(120);
/// How often to say how far it is.
const PROGRESS: Duration = Duration::from_millis(200);
/// How the text is found by the peer that did not make it.
const TYPE: &str = "demo.Document";
const FIELD: &str = "text";

/// `xtask demo-peer host|guest PROFILE SIGNAL TRACE`.
pub fn main(arguments: &[String]) -> Outcome<()> {
    let [role, profile, signal, trace] = arguments else {
        return Err("demo-peer is started by demo".into());
    };
    let trace = Trace::read(Path::new(trace))?;
    let options = ClientOptions {
        profile: Some(profile.clone()),
        signaling: vec![signal.clone()],
        bind: vec!["127.0.0.1:0".to_owned()],
        ..ClientOptions::default()
    };
    let client = Client::open(options, None)?;
    let hosts = role == "host";
    client.create_identity(if hosts { "Ada" } else { "Bob" }.to_owned())?;
    let (space, object) = match hosts {
        true => host(&client, &trace)?,
        false => guest(&client)?,
    };
    Replay::new(&trace, usize::from(!hosts), space.clone(), object.clone())?.run()?;
    settle(&client, &space, &object)?;
    // The other side may still need this one: stay until told to go.
    read_line()?;
    client.shutdown()?;
    Ok(())
}

/// Makes the space and the text, and lets the other one in.
fn host(client: &Client, trace: &Trace) -> Outcome<(Arc<Space>, String)> {
    let space = client.create_space(json!({"name": "Demo"}).to_string())?;
    let fields = json!({FIELD: {"@text": trace.start}}).to_string();
    let object = space.create(Some(TYPE.to_owned()), fields)?;
    let invitation = space.invite(InviteOptions::default())?;
    say(json!({"event": "code", "code": invitation.code()}));
    let end = Instant::now() + PATIENCE;
    let mut update = invitation.update();
    while update.auth_code.is_none() {
        if update.state.is_final() || Instant::now() > end {
            return Err(format!("nobody came: {}", update.state.name()).into());
        }
        update = invitation.wait_change(update.state, Some(PATIENCE))?;
    }
    say(json!({"event": "auth_code", "auth_code": update.auth_code}));
    invitation.wait(Some(PATIENCE))?;
    say(json!({"event": "paired", "space": space.id()}));
    Ok((space, object))
}

/// Joins with the codes that the conductor passes on, and waits for the text.
fn guest(client: &Client) -> Outcome<(Arc<Space>, String)> {
    let invitation = client.join(read_line()?, JoinOptions::default())?;
    let auth_code = read_line()?;
    let mut update = invitation.update();
    while update.state != InvitationState::ReadyForAuthentication {
        if update.state.is_final() {
            return Err(format!(
                "the invitation ended: {} {}",
                update.state.name(),
                update.error.unwrap_or_default()
            )
            .into());
        }
        update = invitation.wait_change(update.state, Some(PATIENCE))?;
    }
    invitation.authenticate(auth_code)?;
    let space = client.space(invitation.wait(Some(PATIENCE))?)?;
    say(json!({"event": "paired", "space": space.id()}));
    let end = Instant::now() + PATIENCE;
    loop {
        let found = space.query(json!({"type": TYPE}).to_string())?;
        if let Some(object) = found.into_iter().next() {
            return Ok((space, object.id));
        }
        if Instant::now() > end {
            return Err("the text did not arrive".into());
        }
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Wakes the replay when something arrived.
struct Arrived(mpsc::SyncSender<()>);

impl ChangeListener for Arrived {
    fn changed(&self, _: ChangeBatch) -> Result<(), EchoError> {
        // A full channel means that it is going to look anyway.
        let _ = self.0.try_send(());
        Ok(())
    }
}

/// Plays one process's share of a trace.
struct Replay<'a> {
    trace: &'a Trace,
    share: usize,
    space: Arc<Space>,
    object: String,
    /// The version that each step led to, as far as it is here.
    versions: Vec<Option<Vec<String>>>,
    by_message: HashMap<String, usize>,
    /// The version before the first step.
    root: Vec<String>,
    /// Up to where the history was read.
    seen: Vec<String>,
    known: usize,
    said: Instant,
}

impl<'a> Replay<'a> {
    fn new(
        trace: &'a Trace,
        share: usize,
        space: Arc<Space>,
        object: String,
    ) -> Outcome<Replay<'a>> {
        let history = space.history(object.clone(), Vec::new())?;
        let root = history.first().ok_or("the text has no history")?;
        let by_message = (0..trace.steps.len())
            .map(|index| (Step::message(index), index))
            .collect();
        Ok(Replay {
            trace,
            share,
            space,
            object,
            versions: vec![None; trace.steps.len()],
            by_message,
            root: vec![root.hash.clone()],
            seen: Vec::new(),
            known: 0,
            said: Instant::now(),
        })
    }

    fn run(mut self) -> Outcome<()> {
        let (wake, woken) = mpsc::sync_channel(1);
        let subscription = self
            .space
            .subscribe(json!({"type": TYPE}).to_string(), Arc::new(Arrived(wake)))?;
        for index in 0..self.trace.steps.len() {
            let step = &self.trace.steps[index];
            if step.agent % 2 == self.share {
                let heads = self.wait_for(&step.parents, &woken)?;
                let version = self.make(step, index, heads)?;
                self.learn(index, version);
            }
        }
        let all: Vec<usize> = (0..self.trace.steps.len()).collect();
        self.wait_for(&all, &woken)?;
        subscription.cancel();
        Ok(())
    }

    /// Makes an edit at the version its author saw.
    fn make(&self, step: &Step, index: usize, heads: Vec<String>) -> Outcome<Vec<String>> {
        if step.is_empty() {
            return Ok(heads);
        }
        let transaction = self.space.transaction();
        transaction.at(heads)?;
        transaction.message(Step::message(index))?;
        for patch in &step.patches {
            transaction.splice_text(
                self.object.clone(),
                FIELD.to_owned(),
                patch.0,
                patch.1,
                patch.2.clone(),
                TextUnit::CodePoint,
            )?;
        }
        let committed = transaction.commit()?;
        let object = committed.objects.into_iter().next();
        Ok(object.ok_or("an edit changed nothing")?.heads)
    }

    /// Waits until all of `steps` are here; returns their versions together.
    fn wait_for(&mut self, steps: &[usize], woken: &mpsc::Receiver<()>) -> Outcome<Vec<String>> {
        let mut quiet = Instant::now();
        loop {
            if let Some(heads) = self.heads_of(steps) {
                return Ok(heads);
            }
            let before = self.known;
            self.look()?;
            if self.known > before {
                quiet = Instant::now();
                continue;
            }
            if quiet.elapsed() > PATIENCE {
                return Err("the other peer has gone quiet".into());
            }
            // Looked at again after a while in any case.
            let _ = woken.recv_timeout(Duration::from_millis(500));
        }
    }

    fn heads_of(&self, steps: &[usize]) -> Option<Vec<String>> {
        if steps.is_empty() {
            return Some(self.root.clone());
        }
        let mut heads = Vec::new();
        for step in steps {
            heads.extend(self.versions[*step].as_ref()?.iter().cloned());
        }
        heads.sort_unstable();
        heads.dedup();
        Some(heads)
    }

    /// Reads what is new in the history, and finds out which steps it is.
    fn look(&mut self) -> Outcome<()> {
        let record = self.space.get(self.object.clone())?;
        let now = record.ok_or("the text is gone")?.heads;
        let since = std::mem::replace(&mut self.seen, now);
        for change in self.space.history(self.object.clone(), since)? {
            let step = change
                .message
                .and_then(|m| self.by_message.get(&m).copied());
            if let Some(step) = step {
                self.learn(step, vec![change.hash]);
            }
        }
        self.learn_empty_steps();
        Ok(())
    }

    /// Steps that changed nothing are in no history: they are where their parents are.
    fn learn_empty_steps(&mut self) {
        for index in 0..self.trace.steps.len() {
            let step = &self.trace.steps[index];
            if step.is_empty()
                && self.versions[index].is_none()
                && let Some(heads) = self.heads_of(&step.parents)
            {
                self.learn(index, heads);
            }
        }
    }

    fn learn(&mut self, step: usize, version: Vec<String>) {
        if self.versions[step].is_some() {
            return;
        }
        self.versions[step] = Some(version);
        self.known += self.trace.steps[step].txns;
        if self.said.elapsed() > PROGRESS || self.known == self.trace.txns {
            self.said = Instant::now();
            say(json!({"event": "progress", "txns": self.known}));
        }
    }
}

/// Makes everything durable, waits until both sides confirm that nothing is missing, and reports.
fn settle(client: &Client, space: &Space, object: &str) -> Outcome<()> {
    space.flush()?;
    let end = Instant::now() + PATIENCE;
    loop {
        let status = space.status()?;
        if status.peers.iter().any(|peer| peer.in_sync) {
            break;
        }
        if Instant::now() > end {
            return Err(format!("the peers did not come into sync: {:?}", status.peers).into());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let bytes = client.status();
    say(json!({
        "event": "done",
        "text": space.text(object.to_owned(), FIELD.to_owned())?,
        "digest": space.digest()?,
        "bytes_sent": bytes.bytes_sent,
        "bytes_received": bytes.bytes_received,
    }));
    Ok(())
}

fn say(line: Value) {
    let mut out = std::io::stdout().lock();
    // If the conductor is gone, the next read of its lines ends this process.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn read_line() -> Outcome<String> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line)?;
    match line.trim() {
        "" => Err("the conductor is gone".into()),
        line => Ok(line.to_owned()),
    }
}
