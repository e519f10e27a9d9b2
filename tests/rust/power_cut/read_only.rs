//! The medium becomes read-only while a client has its profile open, as cards do with a switch and
//! file systems after an error: whatever only reads goes on, every write is refused and leaves
//! nothing, and when the medium takes writes again, so does the client.

use super::support::wait;
use super::vfs::Recorder;
use super::work::{self, State};
use echodb::model::ErrorKind;
use echodb::{
    Client, EchoError, EncryptionMode, LiveBatch, LiveListener, LiveOptions, LiveQuery,
    SearchOptions, Space, TextUnit,
};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Arc, Mutex};

const NOTES: &str = r#"{"where": {"type": "Note"}, "order": [{"by": "n"}], "limit": 10}"#;

/// What a live query was told last.
#[derive(Default)]
struct Follower(Mutex<Option<u64>>);

impl LiveListener for Follower {
    fn updated(&self, batch: LiveBatch) -> Result<(), EchoError> {
        *self.0.lock().unwrap() = Some(batch.total);
        Ok(())
    }
}

impl Follower {
    fn of(space: &Space) -> (Arc<Follower>, Arc<LiveQuery>) {
        let follower = Arc::new(Follower::default());
        let options = LiveOptions { interval_ms: 0 };
        let live = space.live(NOTES.into(), options, follower.clone()).unwrap();
        (follower, live)
    }

    fn hears_of(&self, total: u64) {
        wait("the live query is told", || {
            *self.0.lock().unwrap() == Some(total)
        });
    }
}

/// A client with a space in which there is something of what is read below.
struct At<'a> {
    client: Arc<Client>,
    space: Arc<Space>,
    /// Two notes, the first with a history.
    notes: [String; 2],
    blob: String,
    /// Where exports go, on another medium.
    outside: &'a Path,
}

impl At<'_> {
    fn begin<'a>(dir: &Path, outside: &'a Path, encryption: EncryptionMode) -> At<'a> {
        let client = work::open(dir, encryption).unwrap();
        client.create_identity("Ada".into()).unwrap();
        let space = client.create_space("{}".into()).unwrap();
        space.create_index(Some("Note".into()), "n".into()).unwrap();
        let blob = space.put_blob(vec![7; 100_000]).unwrap().id;
        let note = |n: u64| {
            let fields = json!({"n": n, "title": "rose", "body": {"@text": "thorn"}, "blob": {"@blob": blob, "size": 100_000}});
            space
                .create(Some("Note".into()), fields.to_string())
                .unwrap()
        };
        let notes = [note(1), note(2)];
        for n in 3..6 {
            space
                .update(notes[0].clone(), json!({"x": n}).to_string())
                .unwrap();
        }
        space
            .search("rose".into(), SearchOptions::default())
            .unwrap();
        // The index of words is behind from now on.
        let fields = r#"{"n": 9, "title": "late rose"}"#;
        space.create(Some("Note".into()), fields.into()).unwrap();
        space.flush().unwrap();
        At {
            client,
            space,
            notes,
            blob,
            outside,
        }
    }

    /// What is read, in every way there is.
    fn read(&self) -> Value {
        let (space, id) = (&self.space, &self.notes[0]);
        let parsed = |bytes: Vec<u8>| serde_json::from_slice::<Value>(&bytes).unwrap();
        let search = |words: &str| {
            parsed(
                space
                    .search(words.into(), SearchOptions::default())
                    .unwrap(),
            )
        };
        let history = space.history(id.clone(), Vec::new()).unwrap();
        let first = vec![history[0].hash.clone()];
        let record = space.get(id.clone()).unwrap().unwrap();
        let counted = r#"{"where": {"type": "Note"}, "aggregate": {"s": {"sum": "/n"}}}"#;
        let archive = self.outside.join("archive").to_string_lossy().into_owned();
        let archived = space.export_archive(archive.clone()).unwrap().entries;
        std::fs::remove_file(archive).unwrap();
        json!({
            "state": work::state(space).unwrap(),
            "digest": space.digest().unwrap(),
            "record": record.fields,
            "page": parsed(space.query_page(NOTES.into(), None).unwrap().objects),
            "indexed": parsed(space.query_json(r#"{"and": [{"type": "Note"}, {"field": "n", "op": "eq", "value": 2}]}"#.into()).unwrap()),
            "several": parsed(self.client.query(Vec::new(), r#"{"search": "rose"}"#.into()).unwrap()),
            "counted": space.aggregate(counted.into()).unwrap(),
            "search": [search("rose"), search("late"), search("thorn")],
            "history": history.iter().map(|change| &change.hash).collect::<Vec<_>>(),
            "first": space.get_at(id.clone(), first.clone()).unwrap().fields,
            "diff": space.diff(id.clone(), first, record.heads, TextUnit::Utf8).unwrap(),
            "log": space.log(100, None).unwrap().len(),
            "text": space.text(id.clone(), "body".into()).unwrap(),
            "members": space.members().unwrap().len(),
            "blob": space.read_blob(self.blob.clone(), 0, 100_000).unwrap().len(),
            "json": String::from_utf8(space.export_json().unwrap()).unwrap(),
            "object": space.export_object(id.clone()).unwrap().len(),
            "archived": archived,
            "findings": space.check(true).unwrap().findings.len(),
            "objects": space.status().unwrap().objects,
        })
    }

    /// Every kind of write, each by itself.
    fn write(&self, what: &str) -> echodb::Result<()> {
        let (space, [one, two]) = (&self.space, self.notes.clone());
        match what {
            "create" => drop(space.create(Some("Note".into()), r#"{"n": 50}"#.into())?),
            "update" => space.update(one, r#"{"n": 51, "title": "tulip"}"#.into())?,
            "delete" => space.delete(two)?,
            "transaction" => {
                let tx = space.transaction();
                for n in 0..50 {
                    let fields = json!({"n": n, "title": "tulip ".repeat(200)});
                    tx.create(Some("Note".into()), fields.to_string())?;
                }
                tx.update(one, r#"{"n": 52}"#.into())?;
                tx.tag(two, "green".into())?;
                drop(tx.commit()?);
            }
            "undo" => drop(space.undo()?),
            "branch" => drop(space.branch(one, "draft".into())?),
            "properties" => space.set_properties(r#"{"name": "Garden"}"#.into())?,
            "schema" => drop(space.register_schema("Note".into(), "{}".into(), None)?),
            "index" => space.create_index(None, "title".into())?,
            "blob" => drop(space.put_blob(vec![9; 200_000])?),
            "rotation" => space.rotate_key()?,
            "space" => drop(self.client.create_space("{}".into())?),
            "profile" => self.client.set_profile("Ada L.".into())?,
            other => unreachable!("{other}"),
        }
        Ok(())
    }
}

const WRITES: [&str; 13] = [
    "create",
    "update",
    "transaction",
    "delete",
    "undo",
    "branch",
    "properties",
    "schema",
    "index",
    "blob",
    "rotation",
    "space",
    "profile",
];

fn is_storage(what: &str, result: echodb::Result<()>) {
    let error = result.expect_err(what);
    assert_eq!(error.kind(), ErrorKind::Storage, "{what}: {error}");
}

fn becomes_read_only(encryption: EncryptionMode) {
    let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let recorder = Recorder::start(dir.path(), usize::MAX);
    let at = At::begin(dir.path(), outside.path(), encryption);
    let (earlier, _first) = Follower::of(&at.space);
    earlier.hears_of(3);
    let spaces = at.client.spaces().unwrap().len();
    let before: State = work::state(&at.space).unwrap();

    recorder.set_read_only(true);
    for what in WRITES {
        let refused = recorder.refused();
        is_storage(what, at.write(what));
        assert!(recorder.refused() > refused, "{what}: the medium said no");
        assert_eq!(work::state(&at.space).unwrap(), before, "{what}");
    }
    let while_read_only = at.read();
    assert_eq!(while_read_only["findings"], json!(0));
    let (later, _second) = Follower::of(&at.space);
    later.hears_of(3);
    assert_eq!(at.client.spaces().unwrap().len(), spaces);

    recorder.set_read_only(false);
    assert_eq!(at.read(), while_read_only);
    typing_waits(&at, &recorder);
    for what in WRITES {
        at.write(what)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
    }
    let notes = at.space.query(NOTES.into()).unwrap().len() as u64;
    assert_eq!(
        notes, 10,
        "more than there were, of which the window shows as many"
    );
    earlier.hears_of(notes);
    later.hears_of(notes);
    let (id, digest) = (at.space.id(), at.space.digest().unwrap());
    assert_eq!(at.space.check(true).unwrap().findings, []);
    at.client.shutdown().unwrap();
    drop(at);
    super::support::is_sound(dir.path(), "after it was read-only");
    let client = work::open(dir.path(), encryption).unwrap();
    assert_eq!(client.space(id).unwrap().digest().unwrap(), digest);
    client.shutdown().unwrap();
}

/// Typed edits that were accepted wait until they can be written: the text has them, and what could
/// only be answered without them is refused.
fn typing_waits(at: &At<'_>, recorder: &Recorder) {
    let (space, id) = (&at.space, &at.notes[1]);
    let type_in = |text: &str| {
        let (id, path) = (id.clone(), "body".into());
        space.splice_text(id, path, 0, 0, text.into(), TextUnit::Utf8)
    };
    recorder.set_read_only(true);
    type_in("sharp ").unwrap();
    is_storage("flush", space.flush());
    is_storage("query", space.query(NOTES.into()).map(drop));
    assert_eq!(
        space.text(id.clone(), "body".into()).unwrap(),
        "sharp thorn"
    );
    recorder.set_read_only(false);
    wait("the edit is written", || {
        let found = space.query(r#"{"search": "sharp"}"#.into());
        found.is_ok_and(|found| found.len() == 1)
    });
}

#[test]
fn a_medium_that_becomes_read_only_is_read_and_written_again_later() {
    becomes_read_only(EncryptionMode::Auto);
}

#[test]
fn so_it_is_without_encryption() {
    becomes_read_only(EncryptionMode::Off);
}
