//! What the client does while the power may go, and what it holds after each step.

use super::vfs::Recorder;
use echodb::{Client, ClientOptions, EncryptionMode, Result, SearchOptions, Space, TextUnit};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A space's objects by id: each as queries give it, without versions and times.
pub type State = BTreeMap<String, Value>;

/// Something the client did.
pub struct Step {
    pub name: &'static str,
    /// How many events there were before it.
    pub begun: usize,
    /// How many there were when it returned.
    pub done: usize,
    /// Whether it, and with it all before it, was promised to be durable.
    pub durable: bool,
    /// Whether the profile has its identity.
    pub identity: bool,
    /// What the space holds afterwards; nothing as long as there is none.
    pub state: Option<State>,
    /// The space's digest afterwards.
    pub digest: String,
    /// States on the way there: typed characters become entries as the clock has it.
    pub on_the_way: Vec<State>,
}

/// A client at work.
pub struct Run {
    pub recorder: Arc<Recorder>,
    pub steps: Vec<Step>,
    /// The id of the space it works in.
    pub space_id: String,
    /// Whether its files are encrypted.
    pub encryption: EncryptionMode,
    root: PathBuf,
    client: Option<Arc<Client>>,
    space: Option<Arc<Space>>,
    notes: Vec<String>,
}

/// Opens a client without connections.
pub fn open(dir: &Path, encryption: EncryptionMode) -> Result<Arc<Client>> {
    let options = ClientOptions {
        encryption,
        profile: Some(dir.to_string_lossy().into_owned()),
        online: false,
        // Longer than typing takes here, so that it is gathered.
        coalesce_ms: 1000,
        ..ClientOptions::default()
    };
    Client::open(options, None)
}

/// What a space holds, deleted objects included.
pub fn state(space: &Space) -> Result<State> {
    let mut found = State::new();
    for query in ["{}", r#"{"deleted": true}"#] {
        let objects: Vec<Value> = serde_json::from_slice(&space.query_json(query.into())?).unwrap();
        for object in objects {
            let kept = json!({"type": object["type"], "deleted": object["deleted"], "fields": object["fields"]});
            found.insert(object["id"].as_str().unwrap().to_owned(), kept);
        }
    }
    Ok(found)
}

impl Run {
    /// Begins on an empty directory, whose disk is gone after `end` events.
    pub fn start(root: &Path, end: usize, encryption: EncryptionMode) -> Run {
        let recorder = Recorder::start(root, end);
        let mut run = Run {
            recorder,
            steps: Vec::new(),
            space_id: String::new(),
            encryption,
            root: root.canonicalize().unwrap(),
            client: None,
            space: None,
            notes: Vec::new(),
        };
        run.steps.push(Step {
            name: "nothing",
            begun: 0,
            done: 0,
            durable: true,
            identity: false,
            state: None,
            digest: String::new(),
            on_the_way: Vec::new(),
        });
        run
    }

    /// The files with the profile's key, which were safe from a power cut before any other was
    /// begun.
    pub fn key_files(&self) -> Vec<(&'static str, Vec<u8>)> {
        let names = ["key", "file-key"].into_iter();
        names
            .filter_map(|name| Some((name, std::fs::read(self.root.join(name)).ok()?)))
            .collect()
    }

    /// Closes the client; its disk may be gone.
    pub fn stop(&mut self) {
        self.space = None;
        if let Some(client) = self.client.take() {
            let _ = client.shutdown();
        }
    }

    fn space(&self) -> &Arc<Space> {
        self.space.as_ref().unwrap()
    }

    /// Does one thing, and notes what it led to.
    fn step(
        &mut self,
        name: &'static str,
        durable: bool,
        act: impl FnOnce(&mut Run) -> Result<()>,
    ) -> Result<()> {
        let begun = self.recorder.count();
        act(self)?;
        let done = self.recorder.count();
        let (state, digest) = match &self.space {
            None => (None, String::new()),
            Some(space) => (Some(state(space)?), space.digest()?),
        };
        let client = self.client.as_ref();
        self.steps.push(Step {
            name,
            begun,
            done,
            durable,
            identity: client.is_some_and(|c| c.identity().is_some()),
            state,
            digest,
            on_the_way: Vec::new(),
        });
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        self.step("flush", true, |run| run.space().flush())
    }

    /// All of it.
    pub fn work(&mut self) -> Result<()> {
        self.found()?;
        self.write(5, "rose")?;
        self.flush()?;
        self.step("indexes", false, |run| {
            run.space().create_index(Some("Note".into()), "n".into())?;
            run.space()
                .search("rose".into(), SearchOptions::default())?;
            Ok(())
        })?;
        self.flush()?;
        self.write(3, "tulip")?;
        self.type_in(0, "tulip and thorn")?;
        self.change()?;
        self.reopen()?;
        self.write(2, "thorn")?;
        self.flush()?;
        self.checkpoint()?;
        // These go to the log from its start again.
        self.write(4, "rose thorn")?;
        self.type_in(1, "a rose")?;
        self.large()?;
        self.flush()?;
        self.checkpoint()?;
        self.blob()?;
        self.change()?;
        self.write(2, "tulip")
    }

    /// A blob of several blocks, a note that names it, and one that is given up.
    fn blob(&mut self) -> Result<()> {
        let bytes: Vec<u8> = (0..200_000u32).map(|n| (n % 253) as u8).collect();
        self.step("write a blob", false, |run| {
            let blob = run.space().put_blob(bytes)?;
            let fields =
                json!({"n": 3, "title": "a blob", "blob": {"@blob": blob.id, "size": blob.size}});
            let id = run
                .space()
                .create(Some("Note".into()), fields.to_string())?;
            run.notes.push(id);
            Ok(())
        })?;
        self.flush()?;
        self.step("begin a blob and give it up", false, |run| {
            let writer = run.space().blob_writer()?;
            writer.write(vec![7; 150_000])?;
            writer.cancel();
            Ok(())
        })
    }

    fn found(&mut self) -> Result<()> {
        self.step("open", true, |run| {
            run.client = Some(open(&run.root, run.encryption)?);
            Ok(())
        })?;
        self.step("create an identity", true, |run| {
            run.client.as_ref().unwrap().create_identity("Ada".into())?;
            Ok(())
        })?;
        self.step("create a space", true, |run| {
            let client = run.client.as_ref().unwrap();
            let space = client.create_space("{}".into())?;
            run.space_id = space.id();
            run.space = Some(space);
            Ok(())
        })
    }

    fn write(&mut self, notes: u64, word: &str) -> Result<()> {
        self.step("create notes", false, |run| {
            let transaction = run.space().transaction();
            for n in 0..notes {
                let text = format!("{word} number {n}");
                let fields = json!({"n": n, "title": word, "body": {"@text": text}});
                run.notes
                    .push(transaction.create(Some("Note".into()), fields.to_string())?);
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Types at the end of a note, then flushes.
    fn type_in(&mut self, note: usize, text: &str) -> Result<()> {
        let id = self.notes[note].clone();
        let before = state(self.space())?;
        let base = self.space().text(id.clone(), "body".into())?;
        self.step("type", true, |run| {
            for (n, c) in text.char_indices() {
                run.space().splice_text(
                    id.clone(),
                    "body".into(),
                    (base.len() + n) as u64,
                    0,
                    c.into(),
                    TextUnit::Utf8,
                )?;
            }
            run.space().flush()
        })?;
        self.steps.last_mut().unwrap().on_the_way = (1..text.len())
            .map(|n| {
                let mut state = before.clone();
                state.get_mut(&id).unwrap()["fields"]["body"] =
                    json!({"@text": format!("{base}{}", &text[..n])});
                state
            })
            .collect();
        Ok(())
    }

    /// Updates, deletes and relates, each in a transaction of its own.
    fn change(&mut self) -> Result<()> {
        let last = self.notes.len() - 1;
        self.step("update", false, |run| {
            let other = &run.notes[last - 1];
            let fields = json!({"n": 7, "title": "thorn", "see": {"@ref": other}});
            run.space()
                .update(run.notes[last].clone(), fields.to_string())
        })?;
        self.step("delete", false, |run| {
            run.space().delete(run.notes[last - 1].clone())
        })?;
        self.step("search", false, |run| {
            run.space()
                .search("thorn".into(), SearchOptions::default())?;
            Ok(())
        })
    }

    /// An object that fills several pages.
    fn large(&mut self) -> Result<()> {
        self.step("create a large note", false, |run| {
            let body = "word ".repeat(6000);
            let fields = json!({"n": 1, "title": "rose", "body": {"@text": body}});
            let id = run
                .space()
                .create(Some("Note".into()), fields.to_string())?;
            run.notes.push(id);
            Ok(())
        })
    }

    fn reopen(&mut self) -> Result<()> {
        self.step("close and open", false, |run| {
            run.space = None;
            run.client.take().unwrap().shutdown()?;
            let client = open(&run.root, run.encryption)?;
            run.space = Some(client.space(run.space_id.clone())?);
            run.client = Some(client);
            Ok(())
        })
    }

    /// Moves the log into the file, as SQLite does by itself when the log is long.
    fn checkpoint(&mut self) -> Result<()> {
        self.step("checkpoint", false, |run| {
            let file = run.root.join("spaces").join(&run.space_id);
            // It fails when the disk is gone; the next step finds out.
            if let Ok(conn) = echodb::bench_internals::inspect(&file.with_extension("sqlite")) {
                let _ = conn.query_row("PRAGMA wal_checkpoint", [], |_| Ok(()));
            }
            Ok(())
        })
    }
}
