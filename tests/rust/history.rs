//! The past of a space: conditions on versions, undo and redo, the log, earlier versions, branches.

mod support;

use echodb::{Client, Space, TextUnit, Undone};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use support::{Signal, client, client_at, pair, wait};

fn fields(space: &Arc<Space>, id: &str) -> Json {
    let object = space.get(id.to_owned()).unwrap().unwrap();
    serde_json::from_str(&object.fields).unwrap()
}

fn heads(space: &Arc<Space>, id: &str) -> Vec<String> {
    space.get(id.to_owned()).unwrap().unwrap().heads
}

/// Statuses, as in the C header.
const INVALID_ARGUMENT: i32 = 1;
const NOT_FOUND: i32 = 2;
const ALREADY_EXISTS: i32 = 3;
const LIMIT_EXCEEDED: i32 = 12;
const CONFLICT: i32 = 18;

fn status<T: std::fmt::Debug>(result: Result<T, echodb::EchoError>) -> i32 {
    result.unwrap_err().status()
}

fn alone() -> (Signal, tempfile::TempDir, Arc<Client>, Arc<Space>) {
    let signal = Signal::start();
    let dir = tempfile::tempdir().unwrap();
    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.create_space("{}".into()).unwrap();
    (signal, dir, ada, space)
}

#[test]
fn a_transaction_takes_versions_for_granted() {
    let (_signal, _dir, _ada, space) = alone();
    let a = space.create(None, r#"{"n": 1}"#.into()).unwrap();
    let b = space.create(None, r#"{"m": 1}"#.into()).unwrap();
    let (a1, b1) = (heads(&space, &a), heads(&space, &b));
    let both = |a_heads: &[String], b_heads: &[String]| {
        let tx = space.transaction();
        tx.only_if(a.clone(), a_heads.to_vec()).unwrap();
        tx.only_if(b.clone(), b_heads.to_vec()).unwrap();
        tx.update(a.clone(), r#"{"n": 2}"#.into()).unwrap();
        tx.commit()
    };
    both(&a1, &b1).unwrap();
    let digest = space.digest().unwrap();
    assert_eq!(status(both(&a1, &b1)), CONFLICT);
    assert_eq!(status(both(&heads(&space, &a), &a1)), CONFLICT);
    assert_eq!(status(both(&[], &b1)), CONFLICT);
    assert_eq!(space.digest().unwrap(), digest);
    // Of an object that is not there: only if it is not there.
    let absent = "00000000000000000000000009";
    let make = || {
        let tx = space.transaction();
        tx.only_if(absent.into(), Vec::new()).unwrap();
        tx.create_with_id(absent.into(), None, "{}".into()).unwrap();
        tx.commit()
    };
    make().unwrap();
    assert_eq!(status(make()), CONFLICT);
    space.delete(absent.into()).unwrap();
    assert_eq!(status(make()), CONFLICT, "a deleted object exists");
    let tx = space.transaction();
    assert_eq!(status(tx.only_if(a, vec!["x".into()])), INVALID_ARGUMENT);
}

#[test]
fn typing_is_one_step_and_a_group_is_another() {
    let (_signal, _dir, _ada, space) = alone();
    let id = space
        .create(None, r#"{"t": {"@text": ""}, "n": 0}"#.into())
        .unwrap();
    for (at, letter) in "hello".chars().enumerate() {
        let (id, letter) = (id.clone(), letter.to_string());
        space
            .splice_text(id, "t".into(), at as u64, 0, letter, TextUnit::CodePoint)
            .unwrap();
        space.flush().unwrap();
    }
    for n in 1..=3 {
        let tx = space.transaction();
        tx.group("counting".into()).unwrap();
        tx.update(id.clone(), json!({ "n": n }).to_string())
            .unwrap();
        tx.commit().unwrap();
    }
    let tx = space.transaction();
    tx.message("the last word".into()).unwrap();
    tx.update(id.clone(), r#"{"n": "last"}"#.into()).unwrap();
    tx.commit().unwrap();
    let undo = || space.undo().unwrap();
    assert_eq!(undo().unwrap().label.as_deref(), Some("the last word"));
    assert_eq!(fields(&space, &id)["n"], 3);
    undo().unwrap();
    assert_eq!(
        fields(&space, &id),
        json!({"t": {"@text": "hello"}, "n": 0})
    );
    undo().unwrap();
    assert_eq!(fields(&space, &id)["t"], json!({"@text": ""}));
    undo().unwrap();
    assert!(space.get(id.clone()).unwrap().unwrap().deleted);
    assert_eq!(undo(), None);
    for _ in 0..4 {
        space.redo().unwrap().unwrap();
    }
    assert_eq!(space.redo().unwrap(), None);
    assert_eq!(
        fields(&space, &id),
        json!({"t": {"@text": "hello"}, "n": "last"})
    );
    // What is written anew ends redoing.
    undo().unwrap();
    space.update(id.clone(), r#"{"new": 1}"#.into()).unwrap();
    assert_eq!(space.redo().unwrap(), None);
    undo().unwrap();
    assert_eq!(fields(&space, &id)["new"], Json::Null);
    let log = space.log(3, None).unwrap();
    assert_eq!(log[0].message.as_deref(), Some("undo"));
}

#[test]
fn the_name_of_a_space_is_no_step() {
    let (_signal, _dir, client, _) = alone();
    let space = client.create_space(r#"{"name": "Notes"}"#.into()).unwrap();
    let id = space.create(None, r#"{"n": 1}"#.into()).unwrap();
    space
        .set_properties(r#"{"name": "Other notes"}"#.into())
        .unwrap();
    assert!(space.undo().unwrap().is_some());
    assert!(space.get(id).unwrap().unwrap().deleted);
    assert!(space.undo().unwrap().is_none());
    assert_eq!(space.properties().unwrap(), r#"{"name":"Other notes"}"#);
}

#[test]
fn steps_survive_a_restart() {
    let (signal, dir, ada, space) = alone();
    let id = space
        .create(None, r#"{"t": {"@text": "abc"}}"#.into())
        .unwrap();
    let edit = |position, delete, text: &str| {
        let tx = space.transaction();
        tx.message(format!("edit {text}")).unwrap();
        tx.splice_text(
            id.clone(),
            "t".into(),
            position,
            delete,
            text.into(),
            TextUnit::Utf16,
        )
        .unwrap();
        tx.commit().unwrap();
    };
    edit(1, 0, "X");
    edit(0, 4, "");
    space.undo().unwrap().unwrap();
    assert_eq!(fields(&space, &id)["t"]["@text"], "aXbc");
    ada.shutdown().unwrap();

    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.space(space.id()).unwrap();
    // The X that stands there is a copy of the one that was typed; it goes all the same.
    space.undo().unwrap().unwrap();
    assert_eq!(fields(&space, &id)["t"]["@text"], "abc");
    space.redo().unwrap().unwrap();
    assert_eq!(fields(&space, &id)["t"]["@text"], "aXbc");
    ada.shutdown().unwrap();

    let ada = client_at(dir.path(), "Ada", &signal);
    let space = ada.space(space.id()).unwrap();
    let Undone { label, skipped, .. } = space.redo().unwrap().unwrap();
    assert_eq!((label.as_deref(), skipped.len()), (Some("edit "), 0));
    assert_eq!(fields(&space, &id)["t"]["@text"], "");
    for text in ["aXbc", "abc"] {
        space.undo().unwrap().unwrap();
        assert_eq!(fields(&space, &id)["t"]["@text"], text);
    }
}

#[test]
fn the_log_tells_who_did_what_and_others_work_is_not_undone() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let theirs = pair(&space, &bob);
    let id = space
        .create(
            Some("Note".into()),
            r#"{"title": "one", "n": 1, "c": {"@counter": 0}}"#.into(),
        )
        .unwrap();
    wait("the note arrives", || {
        theirs.get(id.clone()).unwrap().is_some()
    });
    let tx = space.transaction();
    tx.update(id.clone(), r#"{"title": "two", "n": 2}"#.into())
        .unwrap();
    tx.increment(id.clone(), "c".into(), 5).unwrap();
    tx.commit().unwrap();
    wait("the edit arrives", || {
        fields(&theirs, &id)["title"] == "two"
    });
    let tx = theirs.transaction();
    tx.message("Bob's title".into()).unwrap();
    tx.update(id.clone(), r#"{"title": "three"}"#.into())
        .unwrap();
    tx.increment(id.clone(), "c".into(), 1).unwrap();
    tx.commit().unwrap();
    wait("Bob's title arrives", || {
        fields(&space, &id)["title"] == "three"
    });
    let undone = space.undo().unwrap().unwrap();
    assert_eq!(undone.skipped.len(), 1);
    assert_eq!(
        (
            undone.skipped[0].object.as_str(),
            undone.skipped[0].path.as_str()
        ),
        (id.as_str(), "/title")
    );
    let after = json!({"title": "three", "n": 1, "c": {"@counter": 1}});
    assert_eq!(fields(&space, &id), after);
    wait("the undoing arrives", || fields(&theirs, &id) == after);
    // Bob's stack holds his steps only.
    let log = space.log(100, None).unwrap();
    assert_eq!(log[0].message.as_deref(), Some("undo"));
    assert_eq!(log[1].message.as_deref(), Some("Bob's title"));
    assert_eq!(log[1].identity, bob.identity().unwrap().identity);
    assert_eq!(log[1].device, bob.identity().unwrap().device);
    assert_eq!(log[2].identity, ada.identity().unwrap().identity);
    assert_eq!(log[1].objects, std::slice::from_ref(&id));
    // What Bob made of it, and by whom each version is, on both sides.
    let made = log[1].versions[0].clone();
    assert_eq!((&made.id, made.heads.len()), (&id, 1));
    let past = space.get_at(id.clone(), made.heads.clone()).unwrap();
    let past: Json = serde_json::from_str(&past.fields).unwrap();
    assert_eq!(past["title"], "three");
    let history = space.history(id.clone(), Vec::new()).unwrap();
    assert_eq!(theirs.history(id.clone(), Vec::new()).unwrap(), history);
    for change in &history {
        let author = match change.hash == made.heads[0] {
            true => bob.identity().unwrap(),
            false => ada.identity().unwrap(),
        };
        let of = (change.identity.as_str(), change.device.as_str());
        assert_eq!(of, (author.identity.as_str(), author.device.as_str()));
    }
    assert!(history.iter().any(|change| change.hash == made.heads[0]));
    let page = space.log(2, Some(log[0].entry.clone())).unwrap();
    assert_eq!(page, log[1..3]);
    assert_eq!(status(space.log(1001, None)), LIMIT_EXCEEDED);
    theirs.undo().unwrap().unwrap();
    assert_eq!(fields(&theirs, &id)["title"], "two");
    assert_eq!(theirs.undo().unwrap(), None);
}

#[test]
fn versions_are_read_compared_and_brought_back() {
    let (_signal, _dir, _ada, space) = alone();
    let id = space
        .create(Some("Note".into()), r#"{"t": {"@text": "héllo"}}"#.into())
        .unwrap();
    let first = heads(&space, &id);
    let tx = space.transaction();
    tx.splice_text(
        id.clone(),
        "t".into(),
        5,
        0,
        "!".into(),
        TextUnit::CodePoint,
    )
    .unwrap();
    tx.tag(id.clone(), "new".into()).unwrap();
    tx.commit().unwrap();
    let second = heads(&space, &id);
    let then = space.get_at(id.clone(), first.clone()).unwrap();
    assert_eq!(then.fields, r#"{"t":{"@text":"héllo"}}"#);
    assert_eq!((then.heads, then.tags.len()), (first.clone(), 0));
    let diff = |unit| -> Json {
        let diff = space.diff(id.clone(), first.clone(), second.clone(), unit);
        serde_json::from_str(&diff.unwrap()).unwrap()
    };
    for (unit, at) in [(TextUnit::Utf8, 6), (TextUnit::Utf16, 5)] {
        let splice =
            json!({"op": "splice", "path": "/t", "position": at, "delete": 0, "insert": "!"});
        let tag = json!({"op": "set", "path": "/@tag:new", "value": true});
        assert_eq!(diff(unit), json!([tag, splice]));
    }
    space.restore_version(id.clone(), first.clone()).unwrap();
    let now = space.get(id.clone()).unwrap().unwrap();
    assert_eq!((now.fields, now.tags.len()), (then.fields, 0));
    assert_eq!(space.undo().unwrap().unwrap().skipped, []);
    assert_eq!(space.get(id.clone()).unwrap().unwrap().tags, ["new"]);
    let unknown = "7".repeat(64);
    for version in [
        vec![unknown.clone()],
        vec![first[0].clone(), unknown.clone()],
    ] {
        let error = space.get_at(id.clone(), version.clone()).unwrap_err();
        assert!(error.detail().contains(&unknown), "{error}");
        assert_eq!(error.status(), NOT_FOUND);
        assert_eq!(
            status(space.restore_version(id.clone(), version.clone())),
            NOT_FOUND
        );
        assert_eq!(
            status(space.diff(id.clone(), first.clone(), version, TextUnit::Utf8)),
            NOT_FOUND
        );
    }
    assert_eq!(status(space.get_at(id, Vec::new())), INVALID_ARGUMENT);
}

#[test]
fn a_branch_is_edited_apart_and_merged() {
    let signal = Signal::start();
    let (ada, bob) = (client("Ada", &signal), client("Bob", &signal));
    let space = ada.create_space("{}".into()).unwrap();
    let theirs = pair(&space, &bob);
    let id = space
        .create(
            Some("Doc".into()),
            r#"{"t": {"@text": "one two"}, "c": {"@counter": 1}}"#.into(),
        )
        .unwrap();
    let branch = space.branch(id.clone(), "draft".into()).unwrap();
    assert_eq!(
        status(space.branch(id.clone(), "draft".into())),
        ALREADY_EXISTS
    );
    let all = || space.query(r#"{"where": {"type": "Doc"}}"#.into()).unwrap();
    assert_eq!(all().len(), 1, "a branch is out of sight");
    wait("the branch arrives", || {
        theirs.branches(id.clone()).unwrap().len() == 1
    });
    let found = theirs.branches(id.clone()).unwrap().remove(0);
    assert_eq!(
        (found.id.as_str(), found.of.as_str(), found.name.as_str()),
        (branch.as_str(), id.as_str(), "draft")
    );
    // Bob edits the branch, Ada the original.
    let splice = |space: &Space, id: &str, at, delete, text: &str| {
        let tx = space.transaction();
        tx.splice_text(
            id.into(),
            "t".into(),
            at,
            delete,
            text.into(),
            TextUnit::Utf8,
        )
        .unwrap();
        tx.increment(id.into(), "c".into(), 10).unwrap();
        tx.commit().unwrap();
    };
    splice(&theirs, &branch, 3, 4, " 2");
    splice(&space, &id, 7, 0, " three");
    assert_eq!(fields(&space, &id)["t"]["@text"], "one two three");
    wait("both have both", || {
        space.digest().unwrap() == theirs.digest().unwrap()
            && fields(&space, &branch)["t"]["@text"] == "one 2"
    });
    let merged = space.merge_branch(branch.clone()).unwrap();
    assert!(merged.entry.is_some() && merged.objects.len() == 2);
    let after = json!({"t": {"@text": "one 2 three"}, "c": {"@counter": 21}});
    assert_eq!(fields(&space, &id), after);
    assert_eq!(
        space.merge_branch(branch.clone()).unwrap().entry,
        None,
        "nothing is new"
    );
    wait("the merge arrives", || fields(&theirs, &id) == after);
    // And on: what is merged already does not come twice.
    splice(&theirs, &branch, 0, 3, "1");
    theirs.merge_branch(branch.clone()).unwrap();
    wait("the second merge arrives", || {
        fields(&space, &id)["t"]["@text"] == "1 2 three"
    });
    assert_eq!(fields(&space, &id)["c"], json!({"@counter": 31}));
    assert_eq!(status(space.merge_branch(id.clone())), INVALID_ARGUMENT);
    space.delete(branch.clone()).unwrap();
    assert_eq!(space.branches(id.clone()).unwrap(), []);
    // Merging is undone like anything else.
    space.undo().unwrap().unwrap();
    let undone = space.undo().unwrap().unwrap();
    assert_eq!(
        undone.skipped.iter().filter(|s| s.object == id).count(),
        0,
        "{undone:?}"
    );
    assert_eq!(fields(&space, &id)["c"], json!({"@counter": 21}));
    assert!(
        fields(&space, &id)["t"]["@text"]
            .as_str()
            .unwrap()
            .contains("three")
    );
}
