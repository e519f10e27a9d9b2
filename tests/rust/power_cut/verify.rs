//! A look at what a power cut has left.

use super::disk::Image;
use super::support::is_sound;
use super::work::{self, Run, State, Step};
use echodb::{Client, SearchOptions, Space};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::sync::Arc;

/// What was found in an image after opening it.
pub struct Looked {
    what: String,
    identity: bool,
    /// The spaces that the profile lists: id, what it holds and its digest.
    spaces: Vec<(String, State, String)>,
}

impl Looked {
    /// Lays an image out in a directory and opens it. Asserts what holds for every image: all
    /// opens, everything derived agrees, and SQLite finds no fault. A thorough look writes too.
    pub fn at(image: &Image, run: &Run, what: &str, thorough: bool) -> Looked {
        let dir = tempfile::tempdir().unwrap();
        for (path, bytes) in image {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        for (name, bytes) in run.key_files() {
            fs::write(dir.path().join(name), bytes).unwrap();
        }
        let client =
            work::open(dir.path(), run.encryption).unwrap_or_else(|e| panic!("{what}: {e}"));
        let mut looked = Looked {
            what: what.to_owned(),
            identity: client.identity().is_some(),
            spaces: Vec::new(),
        };
        if looked.identity {
            client
                .default_space()
                .unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        for info in client.spaces().unwrap() {
            let space = client.space(info.id.clone()).unwrap();
            space
                .open()
                .unwrap_or_else(|e| panic!("{what}: the space {}: {e}", info.id));
            let state = work::state(&space).unwrap();
            looked.agrees_with_itself(&space, &state);
            let found = space.check(thorough).unwrap().findings;
            assert!(found.is_empty(), "{what}: {found:#?}");
            for blob in space.blobs().unwrap().iter().filter(|blob| blob.whole) {
                // Every block is verified as it is read.
                let read = space.read_blob(blob.id.clone(), 0, blob.size);
                let read = read.unwrap_or_else(|e| panic!("{what}: the blob {}: {e}", blob.id));
                assert_eq!(read.len() as u64, blob.size, "{what}");
            }
            let digest = space.digest().unwrap();
            looked.spaces.push((info.id, state, digest));
        }
        if thorough {
            looked.goes_on(client, dir.path(), run);
        } else {
            client.shutdown().unwrap();
        }
        is_sound(dir.path(), what);
        looked
    }

    /// Documents, rows and indexes say the same.
    fn agrees_with_itself(&self, space: &Space, state: &State) {
        let what = &self.what;
        for (id, object) in state {
            let record = space.get(id.clone()).unwrap().unwrap();
            let fields: Value = serde_json::from_str(&record.fields).unwrap();
            assert_eq!(fields, object["fields"], "{what}: {id}");
            // Texts and histories come from the document, the rest from the row.
            if let Some(body) = fields["body"]["@text"].as_str() {
                let text = space.text(id.clone(), "body".into()).unwrap();
                assert_eq!(text, body, "{what}: the text of {id}");
            }
            let history = space.history(id.clone(), Vec::new()).unwrap();
            let last = history.last().expect("an object has a history");
            assert!(record.heads.contains(&last.hash), "{what}: {id}'s version");
        }
        let in_sight = |filter: &dyn Fn(&Value) -> bool| -> Vec<String> {
            let fits = |object: &Value| object["deleted"] == json!(false) && filter(object);
            let found = state.iter().filter(|(_, object)| fits(object));
            found.map(|(id, _)| id.clone()).collect()
        };
        for n in [0, 1, 7] {
            let query = json!({"and": [{"type": "Note"}, {"field": "/n", "op": "eq", "value": n}]});
            let found = space.query(query.to_string()).unwrap();
            let found: Vec<String> = found.into_iter().map(|object| object.id).collect();
            let expected =
                in_sight(&|o| o["type"] == json!("Note") && o["fields"]["n"] == json!(n));
            assert_eq!(found, expected, "{what}: those whose n is {n}");
        }
        for word in ["rose", "thorn"] {
            let options = SearchOptions {
                limit: 1000,
                ..SearchOptions::default()
            };
            let found = space.search(word.into(), options).unwrap();
            let found: Vec<Value> = serde_json::from_slice(&found).unwrap();
            let mut found: Vec<&str> = found.iter().filter_map(|hit| hit["id"].as_str()).collect();
            found.sort_unstable();
            let has = |text: &Value| {
                let text = text.as_str().unwrap_or_default();
                text.split(' ').any(|other| other == word)
            };
            let expected =
                in_sight(&|o| has(&o["fields"]["title"]) || has(&o["fields"]["body"]["@text"]));
            assert_eq!(found, expected, "{what}: those with the word {word}");
        }
    }

    /// The profile takes new writes, and keeps all when it is opened once more.
    fn goes_on(&self, client: Arc<Client>, dir: &Path, run: &Run) {
        let what = &self.what;
        if client.identity().is_none() {
            client
                .create_identity("Ada".into())
                .unwrap_or_else(|e| panic!("{what}: {e}"));
        }
        let mut written = Vec::new();
        for info in client.spaces().unwrap() {
            let space = client.space(info.id.clone()).unwrap();
            for (id, state, digest) in &self.spaces {
                if *id == info.id {
                    assert_eq!(work::state(&space).unwrap(), *state, "{what}");
                    assert_eq!(space.digest().unwrap(), *digest, "{what}");
                }
            }
            let id = space
                .create(Some("Note".into()), r#"{"n": 100}"#.into())
                .unwrap_or_else(|e| panic!("{what}: {e}"));
            space.flush().unwrap();
            written.push((info.id, id, space.digest().unwrap()));
        }
        client.shutdown().unwrap();
        drop(client);
        let client =
            work::open(dir, run.encryption).unwrap_or_else(|e| panic!("{what}, once more: {e}"));
        for (space, id, digest) in written {
            let space = client.space(space).unwrap();
            assert!(space.get(id).unwrap().is_some(), "{what}");
            assert_eq!(space.digest().unwrap(), digest, "{what}");
        }
        client.shutdown().unwrap();
    }

    fn space(&self, id: &str) -> Option<(&State, &str)> {
        let found = self.spaces.iter().find(|(other, _, _)| other == id);
        found.map(|(_, state, digest)| (state, digest.as_str()))
    }

    /// Whether this is what the client held after `step`, or on the way there.
    fn is(&self, run: &Run, step: &Step) -> bool {
        match (self.space(&run.space_id), &step.state) {
            (None, None) => true,
            (Some((state, digest)), Some(expected)) => {
                (state == expected && digest == step.digest) || step.on_the_way.contains(state)
            }
            _ => false,
        }
    }

    /// Asserts that this is what the client held at one of these moments.
    pub fn agrees_with_one_of(&self, run: &Run, steps: &[Step]) {
        assert!(self.identity || !steps[0].identity, "{}", self.what);
        if steps.iter().any(|step| self.is(run, step)) {
            return;
        }
        let found = self.space(&run.space_id).map(|(state, _)| state);
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        let held = run.steps.iter().rposition(|step| self.is(run, step));
        let held = held.map(|n| run.steps[n].name);
        panic!(
            "{}: not what was held at one of {names:?}, but (after {held:?}) {found:#?}",
            self.what
        );
    }

    /// Asserts that what was durable is there, whatever else has come.
    pub fn has_what_was_durable(&self, run: &Run) {
        let durable = run.steps.iter().rposition(|step| step.durable).unwrap();
        let steps = &run.steps[durable..];
        assert!(self.identity || !steps[0].identity, "{}", self.what);
        let Some(expected) = &steps[0].state else {
            return;
        };
        let found = self.space(&run.space_id);
        let (found, _) = found.unwrap_or_else(|| panic!("{}: no space", self.what));
        let missing: Vec<&String> = expected
            .keys()
            .filter(|id| !found.contains_key(*id))
            .collect();
        assert!(missing.is_empty(), "{}: {missing:?} are gone", self.what);
    }
}
