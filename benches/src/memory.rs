//! What an open space of 10,000 objects takes.

use crate::create::{fill, open, space_file};
use crate::peers::answer;
use crate::result::{Outcome, Row};
use std::path::Path;
use std::process::Command;

/// `rss_10k_open`, in megabytes (10^6 bytes).
pub fn measure() -> Outcome<Row> {
    let folder = tempfile::tempdir()?;
    let client = open(folder.path())?;
    client.create_identity("Bench".into())?;
    let space = client.default_space()?;
    fill(&space)?;
    drop(space);
    client.shutdown()?;
    let profile = folder.path().display().to_string();
    let ours = ask(&["resident", "library", &profile])?;
    let bare = ask(&["resident", "sqlite", &profile])?;
    Ok(Row::new(
        "rss_10k_open",
        "MB",
        &[ours],
        "a process that reads the same rows with SQLite alone",
        &[bare],
    ))
}

fn ask(arguments: &[&str]) -> Outcome<f64> {
    let output = Command::new(std::env::current_exe()?)
        .args(arguments)
        .output()?;
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

/// `echodb-bench resident library|sqlite PROFILE`: opens, queries, and says what it takes.
pub fn resident(arguments: &[String]) -> Outcome<()> {
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["library", profile] => {
            let client = open(Path::new(profile))?;
            let space = client.default_space()?;
            let found = space.query(r#"{"field": "priority", "op": "eq", "value": 3}"#.into())?;
            answer(&resident_megabytes()?.to_string())?;
            drop(found);
            Ok(client.shutdown()?)
        }
        ["sqlite", profile] => {
            let connection = echodb::bench_internals::inspect(&space_file(Path::new(profile))?)?;
            let mut statement = connection.prepare("SELECT data FROM objects LIMIT 2000")?;
            let rows: Vec<String> = statement
                .query_map([], |row| row.get(0))?
                .collect::<Result<_, _>>()?;
            answer(&resident_megabytes()?.to_string())?;
            drop(rows);
            Ok(())
        }
        _ => Err("usage: resident library|sqlite PROFILE".into()),
    }
}

/// The resident set, from the kernel's own count.
fn resident_megabytes() -> Outcome<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes: f64 = line
        .and_then(|line| line.split_whitespace().nth(1))
        .ok_or("the kernel does not say")?
        .parse()?;
    Ok(kilobytes * 1024.0 / 1e6)
}
