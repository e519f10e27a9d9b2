//! A space as one file: whole, checked, and brought back.

use super::support::{Signal, client, client_at, converge, pair};
use super::{alone, name};
use echodb::model::ErrorKind;
use echodb::{Client, Space, verify_archive};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A profile with a space that two members wrote in.
fn shared(dir: &Path) -> (Signal, Arc<Client>, Arc<Client>, Arc<Space>) {
    let signal = Signal::start();
    let ada = client_at(dir, "Ada", &signal);
    let bob = client("Bob", &signal);
    let space = ada.create_space(r#"{"name": "Shared"}"#.into()).unwrap();
    let theirs = pair(&space, &bob);
    let id = space
        .create(
            Some("Note".into()),
            r#"{"text": {"@text": "from Ada"}}"#.into(),
        )
        .unwrap();
    converge(&space, &theirs);
    theirs.update(id, r#"{"by": "Bob"}"#.into()).unwrap();
    for n in 0..20 {
        let fields = format!(r#"{{"n": {n}}}"#);
        [&space, &theirs][n % 2].create(None, fields).unwrap();
    }
    converge(&space, &theirs);
    (signal, ada, bob, space)
}

fn space_file(dir: &Path, space: &Space) -> PathBuf {
    dir.join("spaces").join(format!("{}.sqlite", space.id()))
}

#[test]
fn a_lost_file_is_restored_with_its_history() {
    let dir = tempfile::tempdir().unwrap();
    let (signal, ada, _bob, space) = shared(&dir.path().join("ada"));
    let path = name(dir.path(), "space.echo");
    let info = space.export_archive(path.clone()).unwrap();
    assert_eq!(info.space, space.id());
    assert_eq!(info.entries, space.status().unwrap().entries);
    assert_eq!(info.bytes, std::fs::metadata(&path).unwrap().len());
    assert_eq!(verify_archive(path.clone()).unwrap(), info);
    let digest = space.digest().unwrap();
    let note = &space.query(r#"{"type": "Note"}"#.into()).unwrap()[0];
    let history = space.history(note.id.clone(), vec![]).unwrap();
    ada.shutdown().unwrap();
    for damage in ["lost", "damaged"] {
        let file = space_file(&dir.path().join("ada"), &space);
        match damage {
            "lost" => std::fs::remove_file(&file).unwrap(),
            _ => std::fs::write(&file, [7; 100_000]).unwrap(),
        }
        let ada = client_at(&dir.path().join("ada"), "Ada", &signal);
        ada.set_online(false).unwrap();
        let back = ada.import_archive(path.clone()).unwrap();
        assert_eq!(back.digest().unwrap(), digest, "{damage}");
        assert_eq!(back.history(note.id.clone(), vec![]).unwrap(), history);
        assert_eq!(back.info().unwrap().name, "Shared");
        assert_eq!(ada.spaces().unwrap().len(), 2);
        // New feeds: the old ones might go on elsewhere.
        back.create(None, r#"{"after": true}"#.into()).unwrap();
        let digest = back.digest().unwrap();
        ada.shutdown().unwrap();
        let ada = client_at(&dir.path().join("ada"), "Ada", &signal);
        ada.set_online(false).unwrap();
        assert_eq!(
            ada.space(space.id()).unwrap().digest().unwrap(),
            digest,
            "{damage}: opened again"
        );
        ada.shutdown().unwrap();
    }
    let kept: Vec<_> = std::fs::read_dir(dir.path().join("ada/spaces"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with(".sqlite"))
        .collect();
    assert_eq!(kept, [format!("{}.damaged-1", space.id())]);
}

#[test]
fn a_restored_member_and_the_others_go_on_together() {
    let dir = tempfile::tempdir().unwrap();
    let (_signal, ada, bob, space) = shared(&dir.path().join("ada"));
    let path = name(dir.path(), "space.echo");
    space.export_archive(path.clone()).unwrap();
    let theirs = bob.space(space.id()).unwrap();
    theirs.create(None, r#"{"later": 1}"#.into()).unwrap();
    converge(&space, &theirs);
    ada.delete_space(space.id()).unwrap();
    let back = ada.import_archive(path).unwrap();
    back.create(None, r#"{"restored": 1}"#.into()).unwrap();
    converge(&back, &theirs);
    assert_eq!(back.query("{}".into()).unwrap().len(), 23);
    assert!(back.quarantined().unwrap().is_empty());
}

#[test]
fn what_a_space_lacks_is_added_and_what_it_has_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (_signal, ada, bob, space) = shared(&dir.path().join("ada"));
    let theirs = bob.space(space.id()).unwrap();
    bob.set_online(false).unwrap();
    theirs.create(None, r#"{"offline": 1}"#.into()).unwrap();
    let path = name(dir.path(), "bob.echo");
    theirs.export_archive(path.clone()).unwrap();
    space.create(None, r#"{"here": 1}"#.into()).unwrap();
    let before = space.query("{}".into()).unwrap().len();
    let entries = space.status().unwrap().entries;
    let same = ada.import_archive(path.clone()).unwrap();
    assert_eq!(same.id(), space.id());
    assert_eq!(space.query("{}".into()).unwrap().len(), before + 1);
    assert_eq!(space.status().unwrap().entries, entries + 1);
    ada.import_archive(path).unwrap();
    assert_eq!(space.status().unwrap().entries, entries + 1, "once more");
}

#[test]
fn whoever_is_no_member_is_told_what_to_do_and_gets_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (_signal, _ada, _bob, space) = shared(&dir.path().join("ada"));
    let path = name(dir.path(), "space.echo");
    space.export_archive(path.clone()).unwrap();
    let eve = alone(Some(&dir.path().join("eve")));
    let error = eve.import_archive(path.clone()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    assert!(error.detail().contains("invitation"), "{error}");
    assert_eq!(eve.spaces().unwrap().len(), 1);
    let files = std::fs::read_dir(dir.path().join("eve/spaces")).unwrap();
    let left = files
        .filter(|f| {
            let name = f.as_ref().unwrap().file_name();
            name.to_string_lossy().contains(&space.id())
        })
        .count();
    assert_eq!(left, 0);
    // But anybody can check it.
    verify_archive(path).unwrap();
}

#[test]
fn an_export_appears_whole_or_not_at_all() {
    let dir = tempfile::tempdir().unwrap();
    let client = alone(None);
    let space = client.default_space().unwrap();
    let path = name(dir.path(), "space.echo");
    std::fs::write(&path, "older").unwrap();
    space.export_archive(path.clone()).unwrap();
    verify_archive(path).unwrap();
    let files = || std::fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(files(), 1, "no other file is left");
    for (bad, kind) in [
        ("missing/space.echo", ErrorKind::Storage),
        ("", ErrorKind::InvalidArgument),
    ] {
        let error = space.export_archive(name(dir.path(), bad)).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let nameless = space.export_archive(String::new()).unwrap_err();
    assert_eq!(nameless.kind(), ErrorKind::InvalidArgument);
    space.close().unwrap();
    let closed = space.export_archive(name(dir.path(), "b")).unwrap_err();
    assert_eq!(closed.kind(), ErrorKind::InvalidState);
    assert_eq!(files(), 1);
}

#[test]
fn every_alteration_is_found_before_anything_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let ada = alone(Some(&dir.path().join("ada")));
    let space = ada.create_space("{}".into()).unwrap();
    for n in 0..5 {
        space.create(None, format!(r#"{{"n": {n}}}"#)).unwrap();
    }
    let path = name(dir.path(), "space.echo");
    space.export_archive(path.clone()).unwrap();
    let id = space.id();
    ada.delete_space(id.clone()).unwrap();
    let good = std::fs::read(&path).unwrap();
    let refused = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let error = verify_archive(path.clone()).expect_err(what);
        assert!(
            matches!(
                error.kind(),
                ErrorKind::Corrupt | ErrorKind::InvalidArgument | ErrorKind::UnsupportedVersion
            ),
            "{what}: {error}"
        );
        assert!(ada.import_archive(path.clone()).is_err(), "{what}");
    };
    for at in (0..good.len()).step_by(good.len() / 97 + 1) {
        let mut bad = good.clone();
        bad[at] ^= 0x21;
        refused(&bad, &format!("byte {at} changed"));
        refused(&good[..at], &format!("cut at {at}"));
    }
    refused(&good[..good.len() - 1], "cut before the last byte");
    refused(&[&good[..], b"x"].concat(), "one byte more");
    refused(&[&good[..], &good[..]].concat(), "twice");
    let mut newer = good.clone();
    newer[8] = 2;
    std::fs::write(&path, &newer).unwrap();
    let error = verify_archive(path.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    assert_eq!(ada.spaces().unwrap().len(), 1);
    let files = std::fs::read_dir(dir.path().join("ada/spaces")).unwrap();
    let names: Vec<_> = files.map(|f| f.unwrap().file_name()).collect();
    assert!(
        names.iter().all(|n| !n.to_string_lossy().contains(&id)),
        "{names:?}"
    );
    std::fs::write(&path, &good).unwrap();
    ada.import_archive(path).unwrap();
}

/// An archive's head and records.
fn parse(bytes: &[u8]) -> (Vec<u8>, Vec<(u8, Vec<u8>)>) {
    let (head, mut rest) = bytes.split_at(42);
    let mut records = Vec::new();
    while !rest.is_empty() {
        let length = u32::from_le_bytes(rest[1..5].try_into().unwrap()) as usize;
        records.push((rest[0], rest[5..5 + length].to_vec()));
        rest = &rest[5 + length..];
    }
    (head.to_vec(), records)
}

/// Puts an archive together with a checksum that is right.
fn build(head: &[u8], records: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut out = head.to_vec();
    let count = |wanted: u8| records.iter().filter(|(kind, _)| *kind == wanted).count() as u64;
    for (kind, payload) in records.iter().filter(|(kind, _)| *kind != 3) {
        out.push(*kind);
        out.extend((payload.len() as u32).to_le_bytes());
        out.extend(payload);
    }
    out.push(3);
    out.extend(48u32.to_le_bytes());
    out.extend(count(1).to_le_bytes());
    out.extend(count(2).to_le_bytes());
    let digest = ring_digest(&out);
    out.extend(digest);
    out
}

fn ring_digest(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    // Another implementation than the library's own.
    let mut sum = Command::new("sha256sum")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    sum.stdin.take().unwrap().write_all(bytes).unwrap();
    let out = sum.wait_with_output().unwrap().stdout;
    (0..32)
        .map(|n| {
            u8::from_str_radix(std::str::from_utf8(&out[2 * n..2 * n + 2]).unwrap(), 16).unwrap()
        })
        .collect()
}

#[test]
fn records_left_out_swapped_or_forged_are_found_though_the_checksum_is_right() {
    let dir = tempfile::tempdir().unwrap();
    let ada = alone(None);
    let space = ada.create_space("{}".into()).unwrap();
    for n in 0..3 {
        space.create(None, format!(r#"{{"n": {n}}}"#)).unwrap();
    }
    let path = name(dir.path(), "space.echo");
    space.export_archive(path.clone()).unwrap();
    let (head, records) = parse(&std::fs::read(&path).unwrap());
    let verdict = |records: &[(u8, Vec<u8>)]| {
        std::fs::write(&path, build(&head, records)).unwrap();
        verify_archive(path.clone())
    };
    verdict(&records).unwrap();
    for at in 0..records.len() - 2 {
        let mut less = records.clone();
        less.remove(at);
        assert_eq!(verdict(&less).unwrap_err().kind(), ErrorKind::Corrupt);
        let mut swapped = records.clone();
        swapped.swap(at, at + 1);
        // A feed may be named earlier than need be.
        if records[at + 1].0 == 2 {
            assert!(verdict(&swapped).is_err(), "{at} and the next swapped");
        }
        let mut twice = records.clone();
        twice.insert(at, records[at].clone());
        assert!(verdict(&twice).is_err(), "{at} twice");
        let mut forged = records.clone();
        let middle = forged[at].1.len() / 2;
        forged[at].1[middle] ^= 1;
        assert!(verdict(&forged).is_err(), "{at} forged");
    }
    // The newest entries may be missing, as in an older archive.
    let mut shorter = records.clone();
    shorter.remove(records.len() - 2);
    verdict(&shorter).unwrap();
    // What is new and may be skipped is; what may not be is refused.
    let mut more = records.clone();
    more.insert(2, (200, vec![1, 2, 3]));
    verdict(&more).unwrap();
    more.insert(2, (9, vec![]));
    let error = verdict(&more).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnsupportedVersion);
    // A record that says it is larger than any.
    let mut huge = build(&head, &records);
    huge.truncate(42);
    huge.extend([2, 0xff, 0xff, 0xff, 0xff]);
    std::fs::write(&path, huge).unwrap();
    assert_eq!(
        verify_archive(path.clone()).unwrap_err().kind(),
        ErrorKind::Corrupt
    );
    // Entries of another space under this one's name.
    let other = ada.create_space("{}".into()).unwrap();
    other.export_archive(path.clone()).unwrap();
    let (_, foreign) = parse(&std::fs::read(&path).unwrap());
    assert!(verdict(&foreign).is_err());
}

#[test]
fn blobs_travel_in_an_archive_and_only_members_read_them() {
    let dir = tempfile::tempdir().unwrap();
    let home = dir.path().join("ada");
    let ada = alone(Some(&home));
    let space = ada.create_space("{}".into()).unwrap();
    // Blocks of two levels, one that is short, and none at all.
    let contents: [Vec<u8>; 3] = [
        (0..300_000u32).map(|n| (n % 251) as u8).collect(),
        b"a secret that nobody else may read".to_vec(),
        Vec::new(),
    ];
    let mut ids = Vec::new();
    for bytes in &contents {
        let blob = space.put_blob(bytes.clone()).unwrap();
        let field = format!(
            r#"{{"file": {{"@blob": "{}", "size": {}}}}}"#,
            blob.id,
            bytes.len()
        );
        space.create(None, field).unwrap();
        ids.push(blob.id);
    }
    // What no object names stays behind.
    let idle = space.put_blob(b"idle".to_vec()).unwrap().id;
    let path = name(dir.path(), "space.echo");
    let info = space.export_archive(path.clone()).unwrap();
    assert_eq!(info.blobs, 3);
    assert_eq!(verify_archive(path.clone()).unwrap(), info);
    let archive = std::fs::read(&path).unwrap();
    assert!(!archive.windows(14).any(|bytes| bytes == b"a secret that "));
    ada.shutdown().unwrap();
    std::fs::remove_file(space_file(&home, &space)).unwrap();
    let ada = alone(Some(&home));
    let back = ada.import_archive(path.clone()).unwrap();
    for (id, bytes) in ids.iter().zip(&contents) {
        assert_eq!(&back.read_blob(id.clone(), 0, 1_000_000).unwrap(), bytes);
    }
    assert!(back.read_blob(idle, 0, 1).is_err());
    // Again, into what has them already.
    let digest = back.digest().unwrap();
    let again = ada.import_archive(path).unwrap();
    assert_eq!(again.digest().unwrap(), digest);
    assert_eq!(again.blobs().unwrap().len(), 3);
    ada.shutdown().unwrap();
}
