//! Damaged and newer files, a full disk, oversized input, listeners that fail: a typed error each,
//! and no lost data.

mod support;

use echodb::model::ErrorKind;
use echodb::{
    ChangeBatch, ChangeListener, Client, ClientOptions, EchoError, InvitationListener,
    InvitationUpdate, InviteOptions, JoinOptions, LogLevel, LogRecord, LogSink, Space, SpaceState,
    TextUnit,
};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use support::{Signal, client_at, wait};

fn open(dir: &Path) -> echodb::Result<Arc<Client>> {
    let options = ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        ..ClientOptions::default()
    };
    Client::open(options, None)
}

fn kind<T>(result: echodb::Result<T>) -> ErrorKind {
    result.err().expect("it fails").kind()
}

fn space_file(dir: &Path, id: &str) -> PathBuf {
    dir.join("spaces").join(format!("{id}.sqlite"))
}

fn fill(space: &Space, objects: usize) -> String {
    let tx = space.transaction();
    for n in 0..objects {
        tx.create(
            None,
            format!(r#"{{"n": {n}, "text": "{}"}}"#, "x".repeat(200)),
        )
        .unwrap();
    }
    tx.commit().unwrap();
    space.digest().unwrap()
}

/// Ways in which a file can be damaged.
fn damages(good: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut head = good.to_vec();
    head[..100].fill(0x5a);
    let mut middle = good.to_vec();
    for page in middle[4096..].chunks_mut(4096) {
        page[..64].fill(0xa5);
    }
    let half = good[..good.len() / 2].to_vec();
    vec![
        (
            "no database",
            b"these are not the pages you are looking for".repeat(100),
        ),
        ("a damaged head", head),
        ("damaged pages", middle),
        ("half of it", half),
        ("nothing", Vec::new()),
    ]
}

#[test]
fn one_damaged_space_does_not_lock_out_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let ada = open(dir.path()).unwrap();
    ada.create_identity("Ada".into()).unwrap();
    let (good, bad) = (
        ada.create_space("{}".into()).unwrap(),
        ada.create_space("{}".into()).unwrap(),
    );
    let (good_id, bad_id) = (good.id(), bad.id());
    let (good_digest, bad_digest) = (fill(&good, 50), fill(&bad, 50));
    ada.shutdown().unwrap();
    let file = space_file(dir.path(), &bad_id);
    let bytes = fs::read(&file).unwrap();
    for (what, damaged) in damages(&bytes) {
        fs::write(&file, &damaged).unwrap();
        let ada = open(dir.path()).unwrap();
        let states: Vec<_> = ada
            .spaces()
            .unwrap()
            .into_iter()
            .map(|s| (s.id, s.state))
            .collect();
        assert!(
            states.contains(&(bad_id.clone(), SpaceState::Failed)),
            "{what}: {states:?}"
        );
        assert!(
            states.contains(&(good_id.clone(), SpaceState::Ready)),
            "{what}"
        );
        assert_eq!(
            ada.space(good_id.clone()).unwrap().digest().unwrap(),
            good_digest
        );
        let bad = ada.space(bad_id.clone()).unwrap();
        assert_eq!(kind(bad.open()), ErrorKind::Corrupt, "{what}");
        assert_eq!(
            kind(bad.create(None, "{}".into())),
            ErrorKind::InvalidState,
            "{what}"
        );
        assert_eq!(kind(bad.digest()), ErrorKind::InvalidState, "{what}");
        assert_eq!(bad.info().unwrap().state, SpaceState::Failed);
        ada.shutdown().unwrap();
        if !damaged.is_empty() {
            assert!(
                fs::read(&file).unwrap() == damaged,
                "{what}: what may be rescued was changed"
            );
        }
        // A restored file is as good as ever.
        fs::write(&file, &bytes).unwrap();
        let ada = open(dir.path()).unwrap();
        assert_eq!(
            ada.space(bad_id.clone()).unwrap().digest().unwrap(),
            bad_digest,
            "{what}"
        );
        ada.shutdown().unwrap();
    }
    // What cannot be restored can be given up.
    fs::write(&file, b"beyond repair").unwrap();
    let ada = open(dir.path()).unwrap();
    ada.delete_space(bad_id).unwrap();
    assert!(!file.exists());
    assert_eq!(ada.spaces().unwrap().len(), 2);
}

#[test]
fn a_damaged_profile_is_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ada = open(dir.path()).unwrap();
    let identity = ada.create_identity("Ada".into()).unwrap();
    ada.shutdown().unwrap();
    let file = dir.path().join("profile.sqlite");
    let bytes = fs::read(&file).unwrap();
    for (what, damaged) in damages(&bytes) {
        fs::write(&file, &damaged).unwrap();
        let opened = open(dir.path());
        assert_eq!(kind(opened), ErrorKind::Corrupt, "{what}");
        assert!(
            fs::read(&file).unwrap() == damaged,
            "{what}: it was changed"
        );
    }
    fs::write(&file, &bytes).unwrap();
    let ada = open(dir.path()).unwrap();
    assert_eq!(ada.identity().unwrap(), identity);
}

/// Returns the version that it was before.
fn set_version(file: &Path, version: i32) -> i32 {
    let conn = echodb::bench_internals::inspect(file).unwrap();
    let before = conn.query_row("PRAGMA user_version", [], |row| row.get(0));
    conn.pragma_update(None, "user_version", version).unwrap();
    before.unwrap()
}

#[test]
fn files_of_a_newer_version_are_refused_and_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let ada = open(dir.path()).unwrap();
    ada.create_identity("Ada".into()).unwrap();
    let space = ada.default_space().unwrap().id();
    ada.shutdown().unwrap();
    let (profile, file) = (
        dir.path().join("profile.sqlite"),
        space_file(dir.path(), &space),
    );
    let present = set_version(&profile, 1000);
    let error = open(dir.path()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert!(error.detail().contains("upgrade"), "{error}");
    set_version(&profile, present);
    let present = set_version(&file, 1000);
    let ada = open(dir.path()).unwrap();
    let handle = ada.space(space.clone()).unwrap();
    assert_eq!(handle.info().unwrap().state, SpaceState::Failed);
    assert_eq!(kind(handle.open()), ErrorKind::UnsupportedVersion);
    set_version(&file, present);
    handle.open().unwrap();
    handle.create(None, "{}".into()).unwrap();
}

#[test]
fn oversized_input_is_refused_and_changes_nothing() {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.default_space().unwrap();
    let id = space
        .create(None, r#"{"t": {"@text": "abc"}}"#.into())
        .unwrap();
    let digest = space.digest().unwrap();
    let long = |bytes: usize| format!(r#"{{"v": "{}"}}"#, "x".repeat(bytes));
    let refused =
        |result: echodb::Result<String>| assert_eq!(kind(result), ErrorKind::LimitExceeded);
    refused(space.create(None, long(1_200_000)).map(|_| String::new()));
    refused(space.create(None, long(17_000_000)));
    refused(space.create(
        None,
        format!(r#"{{"v": {}0{}}}"#, "[".repeat(100), "]".repeat(100)),
    ));
    refused(space.create(None, format!(r#"{{"{}": 0}}"#, "n".repeat(2000))));
    let numbers = (0..300_000)
        .map(|n| n.to_string())
        .collect::<Vec<_>>()
        .join(",");
    refused(space.create(None, format!(r#"{{"v": [{numbers}]}}"#)));
    let splice =
        |text: String| space.splice_text(id.clone(), "t".into(), 0, 0, text, TextUnit::Utf8);
    refused(splice("x".repeat(300_000)).map(|()| String::new()));
    let tx = space.transaction();
    for _ in 0..1025 {
        tx.create(None, "{}".into()).unwrap();
    }
    refused(tx.commit().map(|_| String::new()));
    let tx = space.transaction();
    for _ in 0..100 {
        tx.create(None, long(20_000)).unwrap();
    }
    refused(tx.commit().map(|_| String::new()));
    assert_eq!(space.digest().unwrap(), digest);
    // The limits are of one transaction, not of what an object may come to hold.
    for n in 0..3 {
        space
            .update(
                id.clone(),
                format!(r#"{{"f{n}": "{}"}}"#, "y".repeat(600_000)),
            )
            .unwrap();
    }
    splice("x".repeat(200_000)).unwrap();
    space.flush().unwrap();
    assert_eq!(space.text(id, "t".into()).unwrap().len(), 200_003);
}

#[test]
fn invalid_options_are_named() {
    let invalid = |options: ClientOptions| {
        assert_eq!(
            kind(Client::open(options, None)),
            ErrorKind::InvalidArgument
        );
    };
    invalid(ClientOptions {
        coalesce_ms: 1001,
        ..Default::default()
    });
    invalid(ClientOptions {
        signaling: vec!["http://localhost:1".into()],
        ..Default::default()
    });
    invalid(ClientOptions {
        signaling: vec!["ws://".into()],
        ..Default::default()
    });
    invalid(ClientOptions {
        signaling: vec!["ws://a b:x".into()],
        ..Default::default()
    });
    invalid(ClientOptions {
        bind: vec!["localhost".into()],
        ..Default::default()
    });
    invalid(ClientOptions {
        profile: Some(String::new()),
        ..Default::default()
    });
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "not a directory").unwrap();
    assert_eq!(kind(open(&file)), ErrorKind::Storage);
    assert_eq!(fs::read(&file).unwrap(), b"not a directory");
}

#[test]
fn invalid_arguments_are_named() {
    let ada = Client::open(ClientOptions::default(), None).unwrap();
    assert_eq!(kind(ada.create_space("{}".into())), ErrorKind::InvalidState);
    assert_eq!(
        kind(ada.join("x".into(), JoinOptions::default())),
        ErrorKind::InvalidState
    );
    for name in ["", "a\nb", &"n".repeat(257)] {
        assert_eq!(
            kind(ada.create_identity(name.into())),
            ErrorKind::InvalidArgument
        );
    }
    ada.create_identity("Ada".into()).unwrap();
    assert_eq!(
        kind(ada.create_identity("Eve".into())),
        ErrorKind::AlreadyExists
    );
    let space = ada.default_space().unwrap();
    assert_eq!(
        kind(ada.delete_space(space.id())),
        ErrorKind::InvalidArgument
    );
    for expires_s in [0, 604_801, u64::MAX] {
        let options = InviteOptions {
            expires_s,
            ..Default::default()
        };
        assert_eq!(kind(space.invite(options)), ErrorKind::InvalidArgument);
    }
    assert_eq!(
        kind(ada.space("nonsense".into())),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        kind(space.create(None, "[]".into())),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        kind(space.create(None, "{".into())),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        kind(space.query("{\"x\": 1}".into())),
        ErrorKind::InvalidArgument
    );
}

/// Fails, panics, and works, in turn.
#[derive(Default)]
struct Fickle(AtomicUsize, Mutex<Vec<String>>);

impl Fickle {
    fn act(&self, what: &str) -> Result<(), EchoError> {
        self.1.lock().unwrap().push(what.to_owned());
        match self.0.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => Err(EchoError::Unexpected {
                status: 16,
                detail: "a listener's own fault".into(),
                retryable: false,
            }),
            1 => panic!("a listener's own fault"),
            _ => Ok(()),
        }
    }
}

impl ChangeListener for Fickle {
    fn changed(&self, batch: ChangeBatch) -> Result<(), EchoError> {
        self.act(&batch.changes[0].id)
    }
}

impl InvitationListener for Fickle {
    fn updated(&self, update: InvitationUpdate) -> Result<(), EchoError> {
        self.act(update.state.name())
    }
}

impl LogSink for Fickle {
    fn log(&self, record: LogRecord) -> Result<(), EchoError> {
        self.act(&record.text)
    }
}

#[test]
fn listeners_that_fail_or_panic_are_kept() {
    let signal = Signal::start();
    let log = Arc::new(Fickle::default());
    let options = ClientOptions {
        signaling: vec![signal.url.clone()],
        log_level: LogLevel::Trace,
        ..ClientOptions::default()
    };
    let ada = Client::open(options, Some(log.clone())).unwrap();
    ada.create_identity("Ada".into()).unwrap();
    let space = ada.default_space().unwrap();
    let listener = Arc::new(Fickle::default());
    let _subscription = space.subscribe("{}".into(), listener.clone()).unwrap();
    for _ in 0..7 {
        let id = space.create(None, "{}".into()).unwrap();
        wait("the listener hears of it", || {
            listener.1.lock().unwrap().contains(&id)
        });
    }
    let hosting = space.invite(InviteOptions::default()).unwrap();
    let watcher = Arc::new(Fickle::default());
    let _watching = hosting.subscribe(watcher.clone());
    wait("the present state is heard", || {
        !watcher.1.lock().unwrap().is_empty()
    });
    hosting.cancel();
    wait("the end is heard", || {
        watcher.1.lock().unwrap().contains(&"cancelled".to_owned())
    });
    ada.shutdown().unwrap();
    assert!(!log.1.lock().unwrap().is_empty(), "the log was heard");
}
