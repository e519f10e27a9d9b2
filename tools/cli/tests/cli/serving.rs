//! `serve`, its socket, and what happens when it dies.

use crate::common::{PATIENCE, Profile, Running, string};
use serde_json::json;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

fn mode(path: &std::path::Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn only_the_owner_may_open_the_socket() {
    let profile = Profile::new("Ann");
    std::fs::set_permissions(profile.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let serving = profile.start(&["serve"]);
    let line = serving.next();
    assert_eq!(line["state"], "serving");
    assert_eq!(string(&line, "socket"), profile.socket().to_str().unwrap());
    assert_eq!(mode(&profile.socket()), 0o600);
    assert_eq!(mode(profile.path()), 0o700);
}

#[test]
fn a_second_serve_is_refused_and_the_first_goes_on() {
    let profile = Profile::new("Ann");
    let _serving = profile.serve();
    assert_eq!(profile.failure(&["serve"]).0, 6);
    profile.one(&["identity", "show"]);
}

#[test]
fn after_kill_9_commands_and_serve_work_again() {
    let profile = Profile::new("Ann");
    let mut serving = profile.serve();
    let id = profile.add(r#"{"a": 1}"#);
    serving.signal(libc::SIGKILL);
    serving.end();
    assert!(profile.socket().exists(), "the socket is left behind");
    assert_eq!(
        profile.one(&["get", "default", &id])["fields"],
        json!({"a": 1})
    );
    let mut serving = profile.serve();
    assert_eq!(profile.one(&["status"])["serving"], true);
    serving.signal(libc::SIGTERM);
    serving.end_well();
    assert!(!profile.socket().exists(), "the socket is removed");
    profile.one(&["get", "default", &id]);
}

#[test]
fn a_command_whose_server_dies_fails_and_does_not_hang() {
    let profile = Profile::new("Ann");
    let mut serving = profile.serve();
    let mut watching = watch(&profile, "default");
    serving.signal(libc::SIGKILL);
    serving.end();
    assert_eq!(watching.end_badly().0, 5);
}

#[test]
fn stopping_ends_what_runs_through_it() {
    let profile = Profile::new("Ann");
    let mut serving = profile.serve();
    let mut watching = watch(&profile, "default");
    serving.signal(libc::SIGINT);
    watching.end_well();
    serving.end_well();
}

/// Starts to watch, and adds objects until one is seen.
fn watch(profile: &Profile, space: &str) -> Running {
    let watching = profile.start(&["watch", space]);
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        profile.one(&["add", space, r#"{"probe": true}"#]);
        if watching.line_within(Duration::from_millis(200)).is_some() {
            while watching.line_within(Duration::from_millis(200)).is_some() {}
            return watching;
        }
    }
    panic!("nothing is seen");
}

#[test]
fn watch_prints_changes_until_interrupted() {
    let profile = Profile::new("Ann");
    let _serving = profile.serve();
    let mut watching = watch(&profile, "default");
    let task = profile.one(&["add", "default", "--type", "Task", r#"{"a": 1}"#]);
    let id = string(&task, "id");
    let line = watching.next();
    assert_eq!(
        line,
        json!({"space": task["space"], "id": id, "type": "Task", "change": "added", "origin": "local"})
    );
    profile.one(&["set", "default", &id, r#"{"a": 2}"#]);
    assert_eq!(watching.next()["change"], "updated");
    profile.one(&["rm", "default", &id]);
    assert_eq!(watching.next()["change"], "removed");
    watching.signal(libc::SIGINT);
    watching.end_well();
}

#[test]
fn watch_shows_a_query_and_what_changes_in_it() {
    let profile = Profile::new("Ann");
    let _serving = profile.serve();
    let first = profile.add(r#"{"n": 2}"#);
    let query = r#"{"where": {"field": "n", "op": "exists"}, "order": [{"by": "n"}], "limit": 1}"#;
    let mut watching = profile.start(&["watch", "default", "--query", query, "--interval", "0"]);
    let head = watching.next();
    assert_eq!(
        (&head["initial"], &head["total"], &head["changes"]),
        (&json!(true), &json!(1), &json!(1))
    );
    let line = watching.next();
    assert_eq!(
        (&line["kind"], &line["index"]),
        (&json!("added"), &json!(0))
    );
    assert_eq!(
        (&line["id"], &line["object"]["fields"]),
        (&json!(first), &json!({"n": 2}))
    );
    let second = profile.add(r#"{"n": 1}"#);
    assert_eq!(watching.next()["changes"], 2);
    assert_eq!(
        watching.next(),
        json!({"kind": "removed", "id": first, "from": 0})
    );
    assert_eq!(watching.next()["id"], second);
    watching.signal(libc::SIGINT);
    watching.end_well();
    assert_eq!(profile.failure(&["watch", "default", "--query", "["]).0, 2);
}

#[test]
fn watch_filters() {
    let profile = Profile::new("Ann");
    let _serving = profile.serve();
    let mut watching = profile.start(&["watch", "default", "--filter", r#"{"type": "Task"}"#]);
    let end = Instant::now() + PATIENCE;
    loop {
        assert!(Instant::now() < end);
        profile.add(r#"{"a": 1}"#);
        profile.one(&["add", "default", "--type", "Task", "{}"]);
        if let Some(line) = watching.line_within(Duration::from_millis(200)) {
            assert!(line.contains(r#""type":"Task""#), "{line}");
            break;
        }
    }
    watching.signal(libc::SIGTERM);
    watching.end_well();
}

#[test]
fn garbage_on_the_socket_hurts_nobody() {
    let profile = Profile::new("Ann");
    let _serving = profile.serve();
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 64],
        &[0, 0, 0, 2, b'J', b'{', b'}'],
        b"",
    ] {
        let mut stream = UnixStream::connect(profile.socket()).unwrap();
        stream.write_all(garbage).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        // It says its version and hangs up.
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
    }
    profile.one(&["identity", "show"]);
}

#[test]
fn many_commands_at_once() {
    let profile = Profile::new("Ann");
    let _serving = profile.serve();
    std::thread::scope(|scope| {
        for n in 0..8 {
            let profile = &profile;
            scope.spawn(move || {
                for m in 0..3 {
                    profile.add(&format!(r#"{{"n": {n}, "m": {m}}}"#));
                }
            });
        }
    });
    assert_eq!(profile.all(&["ls", "default"]).len(), 24);
}

#[test]
fn commands_at_once_without_serve_wait_for_each_other() {
    let profile = Profile::new("Ann");
    std::thread::scope(|scope| {
        for n in 0..3 {
            let profile = &profile;
            scope.spawn(move || profile.add(&format!(r#"{{"n": {n}}}"#)));
        }
    });
    assert_eq!(profile.all(&["ls", "default"]).len(), 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_long_path_is_no_obstacle() {
    let profile = Profile::absent().at(&format!("{}/{}", "d".repeat(100), "e".repeat(100)));
    let _serving = profile.serve();
    profile.one(&["identity", "create", "--name", "Ann"]);
    assert_eq!(profile.one(&["status"])["serving"], true);
}
