//! Profiles as earlier versions of the library wrote them, below `tests/golden/profiles`: each is
//! opened by today's library and holds what it held, which a JSON file beside it says, and its peers
//! find each other again. `ECHODB_BLESS=1` makes the one of today's version if there is none.

#[path = "../support/mod.rs"]
mod support;

mod first;
mod make;
mod people;
mod seen;

use serde_json::{Value as Json, json};
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use support::{Signal, client_at, converge, is_sound, wait};

/// Two members, and from version 2-3 on a second device of the first.
const PEERS: [&str; 3] = ["ada", "bob", "phone"];

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/profiles")
}

/// The versions of a profile's file and of its spaces'.
fn versions(profile: &Path) -> String {
    let version = |path: &Path| -> i64 {
        let conn = echodb::bench_internals::inspect(path).unwrap();
        conn.query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap()
    };
    let mut spaces = fs::read_dir(profile.join("spaces")).unwrap();
    let space = spaces.next().unwrap().unwrap().path();
    format!(
        "{}-{}",
        version(&profile.join("profile.sqlite")),
        version(&space)
    )
}

/// The databases of a profile, by their paths within it.
fn databases(profile: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::from("profile.sqlite")];
    for file in fs::read_dir(profile.join("spaces")).unwrap() {
        let path = file.unwrap().path();
        let ours = path.extension().is_some_and(|end| end == "sqlite");
        assert!(ours, "{}: the client was closed", path.display());
        found.push(path.strip_prefix(profile).unwrap().to_owned());
    }
    found
}

/// Keeps a closed profile, compressed: most of a small database is empty, if it is plain. The key of
/// an encrypted one goes with it.
fn keep(profile: &Path, to: &Path) {
    let keys = ["key", "file-key"].map(PathBuf::from);
    let keys = keys.into_iter().filter(|key| profile.join(key).exists());
    for file in databases(profile).into_iter().chain(keys) {
        let target = to.join(&file).with_added_extension("gz");
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        let out = fs::File::create(target).unwrap();
        let mut packed = flate2::write::GzEncoder::new(out, flate2::Compression::best());
        packed
            .write_all(&fs::read(profile.join(file)).unwrap())
            .unwrap();
        packed.finish().unwrap();
    }
}

/// Lays a kept profile out again.
fn unpack(from: &Path, profile: &Path) {
    fs::create_dir_all(profile.join("spaces")).unwrap();
    let folders = [from.to_owned(), from.join("spaces")];
    for file in folders.iter().flat_map(|dir| fs::read_dir(dir).unwrap()) {
        let path = file.unwrap().path();
        if path.extension().is_none_or(|end| end != "gz") {
            continue;
        }
        let mut bytes = Vec::new();
        flate2::read::GzDecoder::new(fs::File::open(&path).unwrap())
            .read_to_end(&mut bytes)
            .unwrap();
        let within = path.strip_prefix(from).unwrap().with_extension("");
        fs::write(profile.join(within), bytes).unwrap();
    }
}

fn expected(folder: &Path) -> Json {
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn write_expected(folder: &Path, expected: &Json) {
    let mut text = serde_json::to_string_pretty(expected).unwrap();
    text.push('\n');
    fs::write(folder.join("expected.json"), text).unwrap();
}

/// Makes the profiles of today's version, and from them those of the first.
#[test]
fn blessing_makes_the_profile_of_this_version() {
    if std::env::var_os("ECHODB_BLESS").is_none() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let said = make::make(dir.path());
    let name = versions(&dir.path().join("ada"));
    let folder = golden().join(&name);
    if !folder.exists() {
        for peer in PEERS {
            keep(&dir.path().join(peer), &folder.join(peer));
        }
        write_expected(&folder, &said);
    }
    let folder = golden().join("1-1");
    if name == "1-2" && !folder.exists() {
        let dir = tempfile::tempdir().unwrap();
        let said = first::make(dir.path());
        keep(&dir.path().join("ada"), &folder.join("ada"));
        write_expected(&folder, &said);
    }
}

/// A release leaves files of its version on people's disks: there is a profile of it here, made while
/// nothing of it can have changed.
#[test]
fn there_is_a_profile_of_this_version() {
    let dir = tempfile::tempdir().unwrap();
    let client = make::open_offline(dir.path());
    client.create_identity("Ada".into()).unwrap();
    client.shutdown().unwrap();
    let folder = golden().join(versions(dir.path()));
    assert!(
        folder.join("expected.json").exists(),
        "{} is missing: make it with ECHODB_BLESS=1",
        folder.display()
    );
}

fn folders() -> Vec<PathBuf> {
    let found = fs::read_dir(golden()).unwrap();
    let found = found.map(|entry| entry.unwrap().path());
    let mut found: Vec<PathBuf> = found.filter(|path| path.is_dir()).collect();
    found.sort();
    assert!(found.len() >= 2, "there are profiles of two versions");
    found
}

/// Asserts that everything in `expected` is in `found`, which may say more: later versions do.
fn contains(found: &Json, expected: &Json, at: &str) {
    match (found, expected) {
        (Json::Object(found), Json::Object(expected)) => {
            for (key, value) in expected {
                let at = format!("{at}/{key}");
                let found = found.get(key).unwrap_or_else(|| panic!("{at} is missing"));
                contains(found, value, &at);
            }
        }
        (Json::Array(found), Json::Array(expected)) => {
            assert_eq!(found.len(), expected.len(), "{at}: {found:#?}");
            for (n, (found, expected)) in found.iter().zip(expected).enumerate() {
                contains(found, expected, &format!("{at}/{n}"));
            }
        }
        _ => assert_eq!(found, expected, "{at}"),
    }
}

#[test]
fn profiles_of_all_versions_hold_what_they_held() {
    for folder in folders() {
        let expected = expected(&folder);
        let dir = tempfile::tempdir().unwrap();
        for peer in PEERS {
            let Some(expected) = expected.get(peer) else {
                continue;
            };
            let profile = dir.path().join(peer);
            unpack(&folder.join(peer), &profile);
            let what = format!("{}/{peer}", folder.display());
            // Upgraded at the first opening, and as it was upgraded at the second.
            for opening in ["first", "second"] {
                let client = make::open_offline(&profile);
                let found = seen::client(&client, expected);
                contains(&found, expected, &format!("{what}, {opening} opening: "));
                client.shutdown().unwrap();
            }
            is_sound(&profile, &what);
        }
    }
}

#[test]
fn profiles_of_all_versions_sync_and_are_written_to() {
    for folder in folders() {
        let expected = expected(&folder);
        let signal = Signal::start();
        let dir = tempfile::tempdir().unwrap();
        let peers: Vec<&str> = PEERS
            .into_iter()
            .filter(|peer| expected.get(peer).is_some())
            .collect();
        let mut clients = Vec::new();
        let mut spaces = Vec::new();
        for (n, peer) in peers.iter().enumerate() {
            let profile = dir.path().join(peer);
            unpack(&folder.join(peer), &profile);
            let client = client_at(&profile, peer, &signal);
            let id = expected["shared"].as_str().unwrap();
            let space = client.space(id.into()).unwrap();
            let note = expected["note"].as_str().unwrap();
            space
                .update(note.into(), json!({ *peer: n }).to_string())
                .unwrap();
            space
                .create(Some("Late".into()), json!({"by": peer}).to_string())
                .unwrap();
            spaces.push(space);
            clients.push(client);
        }
        for other in &spaces[1..] {
            converge(&spaces[0], other);
        }
        for space in &spaces {
            wait("what everybody wrote is here", || {
                space.query(r#"{"type": "Late"}"#.into()).unwrap().len() == peers.len()
            });
            let note = expected["note"].as_str().unwrap();
            let note = space.get(note.into()).unwrap().unwrap();
            let fields: Json = serde_json::from_str(&note.fields).unwrap();
            for (n, peer) in peers.iter().enumerate() {
                assert_eq!(fields[*peer], json!(n), "{}", folder.display());
            }
        }
        drop(spaces);
        for client in &clients {
            client.shutdown().unwrap();
        }
        for peer in &peers {
            is_sound(&dir.path().join(peer), "after it was written to");
        }
    }
}
