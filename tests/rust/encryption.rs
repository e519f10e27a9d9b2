//! Encryption at rest, from outside: passphrases, key providers, profiles that were plain, and what
//! is on the disk.

mod support;

use echodb::model::ErrorKind;
use echodb::{
    Client, ClientOptions, EchoError, Encryption, EncryptionMode, KeyProvider, SearchOptions, Space,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const WORD: &str = "needleinthehaystack";

fn options(dir: &Path) -> ClientOptions {
    ClientOptions {
        profile: Some(dir.to_string_lossy().into_owned()),
        online: false,
        ..ClientOptions::default()
    }
}

fn plain(dir: &Path) -> ClientOptions {
    ClientOptions {
        encryption: EncryptionMode::Off,
        ..options(dir)
    }
}

fn with(dir: &Path, passphrase: &str) -> ClientOptions {
    ClientOptions {
        passphrase: Some(passphrase.to_owned()),
        ..options(dir)
    }
}

fn open(options: ClientOptions) -> echodb::Result<Arc<Client>> {
    Client::open(options, None)
}

fn kind<T>(result: echodb::Result<T>) -> ErrorKind {
    result.err().expect("it fails").kind()
}

/// Something of everything that ends up in files.
fn fill(client: &Client) -> Arc<Space> {
    client.create_identity(format!("Ada {WORD}")).unwrap();
    let name = format!(r#"{{"name": "{WORD}"}}"#);
    let space = client.create_space(name).unwrap();
    for n in 0..50 {
        let fields = format!(r#"{{"n": {n}, "title": "{WORD}", "body": {{"@text": "{WORD}"}}}}"#);
        space.create(Some(WORD.into()), fields).unwrap();
    }
    space.put_blob(WORD.repeat(20_000).into_bytes()).unwrap();
    space.create_index(None, "title".into()).unwrap();
    let found = space.search(WORD.into(), SearchOptions::default()).unwrap();
    assert!(found.len() > 100);
    space.flush().unwrap();
    space
}

fn all_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(all_files(&path)),
            false => found.push(path),
        }
    }
    found
}

fn says(dir: &Path, word: &[u8]) -> Vec<PathBuf> {
    let mut files = all_files(dir);
    files.retain(|file| {
        let bytes = fs::read(file).unwrap();
        bytes.windows(word.len()).any(|part| part == word)
    });
    files
}

#[test]
fn nothing_is_plain_on_the_disk_unless_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(options(dir.path())).unwrap();
    assert_eq!(client.status().encryption, Encryption::FileKey);
    let space = fill(&client);
    // While all is open, with logs; and when all is closed.
    for _ in 0..2 {
        for word in [WORD.as_bytes(), b"SQLite format", b"CREATE TABLE"] {
            assert_eq!(says(dir.path(), word), Vec::<PathBuf>::new());
        }
        client.shutdown().unwrap();
    }
    #[cfg(unix)]
    for file in all_files(dir.path()) {
        use std::os::unix::fs::MetadataExt;
        assert_eq!(file.metadata().unwrap().mode() & 0o777, 0o600, "{file:?}");
    }
    support::is_sound(dir.path(), "encrypted");
    let client = open(options(dir.path())).unwrap();
    let digest = client.space(space.id()).unwrap().digest().unwrap();
    drop(client);

    let other = tempfile::tempdir().unwrap();
    let client = open(plain(other.path())).unwrap();
    assert_eq!(client.status().encryption, Encryption::Plain);
    fill(&client);
    assert!(says(other.path(), WORD.as_bytes()).len() >= 2);
    assert!(!digest.is_empty());
    let memory = open(ClientOptions::default()).unwrap();
    assert_eq!(memory.status().encryption, Encryption::Memory);
    for client in [memory, client] {
        let set = client.set_passphrase(None, Some("x".into()));
        assert_eq!(kind(set), ErrorKind::InvalidState);
    }
}

#[test]
fn a_passphrase_is_set_changed_and_taken_away() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(with(dir.path(), "one")).unwrap();
    assert_eq!(client.status().encryption, Encryption::Passphrase);
    let space = fill(&client).id();
    client.shutdown().unwrap();
    let wrong = |options, expected| assert_eq!(kind(open(options)), expected);
    wrong(with(dir.path(), "two"), ErrorKind::WrongPassphrase);
    wrong(options(dir.path()), ErrorKind::KeyUnavailable);
    wrong(with(dir.path(), ""), ErrorKind::InvalidArgument);
    let client = open(with(dir.path(), "one")).unwrap();
    // The files themselves are not written anew.
    let file = dir.path().join("spaces").join(format!("{space}.sqlite"));
    let before = fs::read(&file).unwrap();
    let set = |old: Option<&str>, new: Option<&str>| {
        client.set_passphrase(old.map(Into::into), new.map(Into::into))
    };
    assert_eq!(kind(set(None, Some("two"))), ErrorKind::WrongPassphrase);
    assert_eq!(
        kind(set(Some("no"), Some("two"))),
        ErrorKind::WrongPassphrase
    );
    let long = "x".repeat(1025);
    assert_eq!(
        kind(set(Some("one"), Some(&long))),
        ErrorKind::InvalidArgument
    );
    set(Some("one"), Some("two")).unwrap();
    assert!(fs::read(&file).unwrap() == before);
    client.shutdown().unwrap();
    wrong(with(dir.path(), "one"), ErrorKind::WrongPassphrase);
    let client = open(with(dir.path(), "two")).unwrap();
    assert_eq!(
        client
            .space(space.clone())
            .unwrap()
            .query("{}".into())
            .unwrap()
            .len(),
        50
    );
    client.set_passphrase(Some("two".into()), None).unwrap();
    assert_eq!(client.status().encryption, Encryption::FileKey);
    client.shutdown().unwrap();
    wrong(with(dir.path(), "two"), ErrorKind::InvalidState);
    let client = open(options(dir.path())).unwrap();
    assert_eq!(
        kind(client.set_passphrase(Some("x".into()), None)),
        ErrorKind::InvalidArgument
    );
    client.shutdown().unwrap();
    // Its key gone, nothing opens it, and nothing is lost.
    let (key, aside) = (dir.path().join("file-key"), dir.path().join("aside"));
    fs::rename(&key, &aside).unwrap();
    wrong(options(dir.path()), ErrorKind::KeyUnavailable);
    fs::write(&key, [1; 32]).unwrap();
    wrong(options(dir.path()), ErrorKind::KeyUnavailable);
    fs::write(&key, [1; 31]).unwrap();
    wrong(options(dir.path()), ErrorKind::Corrupt);
    fs::rename(&aside, &key).unwrap();
    open(options(dir.path())).unwrap();
}

/// Keeps keys in memory.
#[derive(Default)]
struct Keys {
    stored: Mutex<BTreeMap<String, Vec<u8>>>,
    locked: AtomicBool,
}

impl Keys {
    fn check(&self) -> Result<(), EchoError> {
        match self.locked.load(Ordering::Relaxed) {
            true => Err(EchoError::Unexpected {
                status: 16,
                detail: "the device is locked".into(),
                retryable: true,
            }),
            false => Ok(()),
        }
    }
}

impl KeyProvider for Keys {
    fn load_key(&self, profile: String) -> Result<Option<Vec<u8>>, EchoError> {
        self.check()?;
        Ok(self.stored.lock().unwrap().get(&profile).cloned())
    }

    fn store_key(&self, profile: String, key: Vec<u8>) -> Result<(), EchoError> {
        self.check()?;
        self.stored.lock().unwrap().insert(profile, key);
        Ok(())
    }
}

fn provided(dir: &Path, keys: &Arc<Keys>) -> ClientOptions {
    ClientOptions {
        key_provider: Some(Arc::clone(keys) as Arc<dyn KeyProvider>),
        ..options(dir)
    }
}

#[test]
fn a_key_provider_keeps_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let keys = Arc::new(Keys::default());
    let client = open(provided(dir.path(), &keys)).unwrap();
    assert_eq!(client.status().encryption, Encryption::KeyProvider);
    fill(&client);
    client.shutdown().unwrap();
    assert!(!dir.path().join("file-key").exists());
    let (name, key) = keys
        .stored
        .lock()
        .unwrap()
        .first_key_value()
        .map(|(n, k)| (n.clone(), k.clone()))
        .unwrap();
    assert_eq!((name.len(), key.len()), (32, 32));
    assert_eq!(says(dir.path(), &key), Vec::<PathBuf>::new());
    open(provided(dir.path(), &keys))
        .unwrap()
        .shutdown()
        .unwrap();
    let unavailable = |options: ClientOptions, says: &str| {
        let error = open(options).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::KeyUnavailable);
        assert!(error.detail().contains(says), "{error}");
    };
    unavailable(options(dir.path()), "key provider");
    keys.locked.store(true, Ordering::Relaxed);
    unavailable(provided(dir.path(), &keys), "the device is locked");
    keys.locked.store(false, Ordering::Relaxed);
    for (other, says) in [(vec![1; 32], "not the one"), (vec![1; 5], "5 bytes")] {
        keys.stored.lock().unwrap().insert(name.clone(), other);
        unavailable(provided(dir.path(), &keys), says);
    }
    keys.stored.lock().unwrap().clear();
    unavailable(provided(dir.path(), &keys), &name);
    keys.stored.lock().unwrap().insert(name.clone(), key);
    // A passphrase and back.
    let client = open(provided(dir.path(), &keys)).unwrap();
    client.set_passphrase(None, Some("one".into())).unwrap();
    client.shutdown().unwrap();
    unavailable(provided(dir.path(), &keys), "passphrase");
    let both = ClientOptions {
        passphrase: Some("one".into()),
        ..provided(dir.path(), &keys)
    };
    let client = open(both).unwrap();
    client.set_passphrase(Some("one".into()), None).unwrap();
    assert_eq!(client.status().encryption, Encryption::KeyProvider);
    client.shutdown().unwrap();
    open(provided(dir.path(), &keys)).unwrap();
}

#[test]
fn a_program_that_gets_a_key_provider_moves_the_key_there() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(options(dir.path())).unwrap();
    fill(&client);
    client.shutdown().unwrap();
    let keys = Arc::new(Keys::default());
    keys.locked.store(true, Ordering::Relaxed);
    assert_eq!(
        kind(open(provided(dir.path(), &keys))),
        ErrorKind::KeyUnavailable
    );
    open(options(dir.path())).unwrap().shutdown().unwrap();
    keys.locked.store(false, Ordering::Relaxed);
    let client = open(provided(dir.path(), &keys)).unwrap();
    assert_eq!(client.status().encryption, Encryption::KeyProvider);
    assert!(!dir.path().join("file-key").exists());
    client.shutdown().unwrap();
    assert_eq!(kind(open(options(dir.path()))), ErrorKind::KeyUnavailable);
}

#[test]
fn a_plain_profile_is_encrypted_when_it_is_opened() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(plain(dir.path())).unwrap();
    let (space, identity) = (fill(&client), client.identity());
    let digest = space.digest().unwrap();
    let closed = client
        .create_space(format!(r#"{{"name": "{WORD}"}}"#))
        .unwrap();
    closed.close().unwrap();
    client.shutdown().unwrap();
    open(plain(dir.path())).unwrap().shutdown().unwrap();
    assert!(
        !says(dir.path(), WORD.as_bytes()).is_empty(),
        "off leaves it plain"
    );
    let refused = ClientOptions {
        passphrase: Some("one".into()),
        ..plain(dir.path())
    };
    assert_eq!(kind(open(refused)), ErrorKind::InvalidArgument);
    let client = open(with(dir.path(), "one")).unwrap();
    assert_eq!(client.status().encryption, Encryption::Passphrase);
    assert_eq!(client.identity(), identity);
    let space = client.space(space.id()).unwrap();
    assert_eq!(space.digest().unwrap(), digest);
    assert_eq!(says(dir.path(), WORD.as_bytes()), Vec::<PathBuf>::new());
    let found = space.search(WORD.into(), SearchOptions::default()).unwrap();
    assert!(found.len() > 100);
    client.shutdown().unwrap();
    assert_eq!(says(dir.path(), WORD.as_bytes()), Vec::<PathBuf>::new());
}

/// The process that encrypts a plain profile is killed again and again, each time on a copy.
#[test]
fn encrypting_survives_kills() {
    if let Some(dir) = std::env::var_os("ECHODB_TEST_ENCRYPT") {
        let client = open(options(Path::new(&dir))).unwrap();
        client.shutdown().unwrap();
        return;
    }
    let origin = tempfile::tempdir().unwrap();
    let client = open(plain(origin.path())).unwrap();
    let space = fill(&client);
    for n in 0..4 {
        space.put_blob(vec![n; 2_000_000]).unwrap();
    }
    let (space, digest, identity) = (space.id(), space.digest().unwrap(), client.identity());
    client.shutdown().unwrap();
    let mut states = BTreeMap::new();
    for round in 0..24_u64 {
        let dir = tempfile::tempdir().unwrap();
        copy(origin.path(), dir.path());
        let mut child = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "encrypting_survives_kills"])
            .env("ECHODB_TEST_ENCRYPT", dir.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // From before it has begun until after it has ended.
        std::thread::sleep(Duration::from_millis(round * 12));
        child.kill().unwrap();
        child.wait().unwrap();
        // Its spaces as they are; nothing is mended by encrypting the rest.
        let client = open(plain(dir.path())).unwrap();
        assert_eq!(client.identity(), identity, "round {round}");
        let found = client.space(space.clone()).unwrap();
        assert_eq!(found.digest().unwrap(), digest, "round {round}");
        *states
            .entry(format!("{:?}", client.status().encryption))
            .or_insert(0) += 1;
        client.shutdown().unwrap();
        let client = open(options(dir.path())).unwrap();
        assert_eq!(
            client.space(space.clone()).unwrap().digest().unwrap(),
            digest
        );
        client.shutdown().unwrap();
        assert_eq!(
            says(dir.path(), WORD.as_bytes()),
            Vec::<PathBuf>::new(),
            "round {round}"
        );
        support::is_sound(dir.path(), "after a kill");
    }
    eprintln!("killed in these states: {states:?}");
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let (path, to) = {
            let path = entry.unwrap().path();
            let to = to.join(path.file_name().unwrap());
            (path, to)
        };
        match path.is_dir() {
            true => {
                fs::create_dir(&to).unwrap();
                copy(&path, &to);
            }
            false => drop(fs::copy(&path, &to).unwrap()),
        }
    }
}

/// A backup that is put back, or files of another moment, repeat no nonce: the same pages are sealed
/// otherwise each time.
#[test]
fn a_restored_backup_is_sealed_anew() {
    let dir = tempfile::tempdir().unwrap();
    let client = open(options(dir.path())).unwrap();
    let space = fill(&client).id();
    client.shutdown().unwrap();
    let file = |dir: &Path| dir.join("spaces").join(format!("{space}.sqlite"));
    let trailers = |bytes: &[u8]| -> Vec<Vec<u8>> {
        bytes
            .chunks(4096)
            .map(|page| page[page.len() - 24..].to_vec())
            .collect()
    };
    let mut before = trailers(&fs::read(file(dir.path())).unwrap());
    before.retain(|trailer| trailer.iter().any(|byte| *byte != 0));
    let mut seen: std::collections::BTreeSet<Vec<u8>> = before.iter().cloned().collect();
    assert_eq!(seen.len(), before.len());
    for _ in 0..3 {
        let other = tempfile::tempdir().unwrap();
        copy(dir.path(), other.path());
        let client = open(options(other.path())).unwrap();
        let here = client.space(space.clone()).unwrap();
        here.create(None, r#"{"n": 1}"#.into()).unwrap();
        client.shutdown().unwrap();
        let after = trailers(&fs::read(file(other.path())).unwrap());
        let new: Vec<_> = after.into_iter().filter(|t| !before.contains(t)).collect();
        assert!(!new.is_empty());
        for trailer in new {
            assert!(seen.insert(trailer), "a nonce comes twice");
        }
    }
}

#[test]
fn debug_output_has_no_secret() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = with(dir.path(), "swordfish");
    options.key_provider = Some(Arc::new(Keys::default()));
    let text = format!("{options:?}");
    assert!(!text.contains("swordfish"), "{text}");
    let error = format!(
        "{:?}",
        open(with(dir.path(), &"swordfish".repeat(200)))
            .err()
            .unwrap()
    );
    assert!(!error.contains("swordfish"), "{error}");
}
