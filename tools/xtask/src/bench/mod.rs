//! `cargo xtask bench`: builds what is shipped, measures it, and writes the list of results.

mod calls;

use crate::run::{Outcome, cargo, run};
use serde_json::{Value, json};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each measurement is called, and the name under which the measuring program knows it.
const MEASURES: &[(&str, &str)] = &[
    ("create_10k", "create_10k"),
    ("insert_one", "insert_one"),
    ("insert_100k", "insert_100k"),
    ("query_filter", "queries"),
    ("query_text", "queries"),
    ("query_hop", "queries"),
    ("query_hop_back", "queries"),
    ("cold_open", "queries"),
    ("replay_paper", "replay_paper"),
    ("replay_peers_yrs", PEERS),
    ("replay_peers_loro", PEERS),
    ("sync_10k_fresh", "sync_10k"),
    ("sync_10k_bytes", "sync_10k"),
    ("edit_latency", "edit_latency"),
    ("pair", "pair"),
    ("at_rest_write", "at_rest"),
    ("at_rest_query", "at_rest"),
    ("at_rest_scan", "at_rest"),
    ("rss_10k_open", "rss_10k_open"),
    ("live_update", "live_update"),
    ("live_update_growth", "live_update"),
    // Its rows carry the numbers of objects in their names.
    ("growth", "growth"),
    ("resolve_10k", "resolve"),
    ("resolve_backdated", "resolve"),
    ("verify_entry", "verify_entry"),
];

/// What is measured against other libraries, which are compiled for it alone.
const PEERS: &str = "replay_peers";

/// The size that the shipped library is to stay below, in bytes.
const LIBRARY_BYTES: f64 = 10_000_000.0;

struct Setting {
    quick: bool,
    large: bool,
    /// The cargo profile of what is measured.
    profile: String,
    only: Option<String>,
    json: Option<PathBuf>,
    traces: PathBuf,
}

const USAGE: &str = "\
usage: cargo xtask bench [--quick] [--large] [--only NAME] [--traces DIR] [--profile NAME] --json FILE";

/// `cargo xtask bench [--quick] [--large] [--only NAME] [--traces DIR] [--profile NAME] --json FILE`.
pub fn main(root: &Path, arguments: &[String]) -> Outcome<()> {
    let setting = read(root, arguments)?;
    let mut rows = Vec::new();
    if setting.wants("lib_size_stripped") {
        rows.push(library_size(root)?);
    }
    let mut programs: Vec<&str> = MEASURES
        .iter()
        .filter(|(name, program)| setting.wants(name) || setting.wants(program))
        .map(|(_, program)| *program)
        .collect();
    programs.dedup();
    if !programs.is_empty() {
        build_program(root, &setting.profile, programs.contains(&PEERS))?;
    }
    for program in programs {
        rows.extend(measure(root, program, &setting)?);
    }
    rows.extend(calls::measure(root, &setting)?);
    if rows.is_empty() {
        return Err("there is no such measurement".into());
    }
    for row in &rows {
        println!("{}", line(row));
    }
    if let Some(path) = &setting.json {
        fs::write(path, serde_json::to_string_pretty(&rows)? + "\n")?;
    }
    Ok(())
}

impl Setting {
    fn wants(&self, name: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only == name)
    }
}

fn read(root: &Path, arguments: &[String]) -> Outcome<Setting> {
    let mut setting = Setting {
        quick: false,
        large: false,
        profile: "dist".into(),
        only: None,
        json: None,
        traces: root.join("../shared/data/traces"),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let mut value = || rest.next().ok_or(format!("{argument} takes a value"));
        match argument.as_str() {
            "--quick" => setting.quick = true,
            "--large" => setting.large = true,
            "--profile" => setting.profile.clone_from(value()?),
            "--only" => setting.only = Some(value()?.clone()),
            "--json" => setting.json = Some(PathBuf::from(value()?)),
            "--traces" => setting.traces = PathBuf::from(value()?),
            _ => return Err(USAGE.into()),
        }
    }
    Ok(setting)
}

fn library_size(root: &Path) -> Outcome<Value> {
    run(cargo(root).args(["build", "--profile", "dist", "-p", "echo-db", "--lib"]))?;
    let library = crate::run::target(root).join("dist").join("libechodb.so");
    let bytes = fs::metadata(library)?.len();
    Ok(json!({
        "name": "lib_size_stripped",
        "value": bytes,
        "unit": "bytes",
        "bound": "the size the library is to stay below",
        "bound_value": LIBRARY_BYTES,
        "ratio": bytes as f64 / LIBRARY_BYTES,
        "runs": 1,
    }))
}

/// Builds the measuring program in Rust.
fn build_program(root: &Path, profile: &str, peers: bool) -> Outcome<()> {
    let mut command = cargo(root);
    command.args(["build", "--profile", profile, "--bin", "echodb-bench"]);
    if profile != "dev" {
        // As in `native`: what is measured has the features that it needs, and no others.
        command.args(["-p", "echodb-bench"]);
    }
    if peers {
        command.args(["--features", "echodb-bench/peers"]);
    }
    run(&mut command)?;
    Ok(())
}

/// Where the measuring program in Rust is.
fn program(root: &Path, profile: &str) -> PathBuf {
    let folder = if profile == "dev" { "debug" } else { profile };
    crate::run::target(root).join(folder).join("echodb-bench")
}

fn measure(root: &Path, name: &str, setting: &Setting) -> Outcome<Vec<Value>> {
    let mut command = Command::new(program(root, &setting.profile));
    command.arg(name).arg("--traces").arg(&setting.traces);
    if setting.quick {
        command.arg("--quick");
    }
    if setting.large {
        command.arg("--large");
    }
    let output = command.stderr(std::process::Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{name} failed").into());
    }
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    Ok(rows
        .into_iter()
        .filter(|row| {
            setting.wants(name) || setting.wants(row["name"].as_str().unwrap_or_default())
        })
        .collect())
}

fn line(row: &Value) -> String {
    let number = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
    format!(
        "{:<22} {:>14.2} {:<6} bound {:>14.2}  ratio {:>6.2}",
        row["name"].as_str().unwrap_or_default(),
        number("value"),
        row["unit"].as_str().unwrap_or_default(),
        number("bound_value"),
        number("ratio"),
    )
}
