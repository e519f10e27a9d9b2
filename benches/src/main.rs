//! The measurements of `cargo xtask bench`, each with a bound measured in the same run: what the
//! parts below this library need for the same work. `echodb-bench NAME [--quick] [--large] [--traces DIR]`
//! prints one JSON value, a list of results.

mod at_rest;
mod authority;
mod bare;
mod calls;
mod corpus;
mod create;
mod insert;
mod latency;
mod live;
mod memory;
mod pair;
mod peers;
mod queries;
mod replay;
mod result;
mod sync;

use result::{Outcome, Row};
use std::path::PathBuf;
use std::process::ExitCode;

/// How a measurement is to be made.
pub struct Setting {
    /// Fewer runs and less work, to see that it works.
    pub quick: bool,
    /// More objects, where a measurement is about their number.
    pub large: bool,
    /// Where the recorded editing sessions are.
    pub traces: PathBuf,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("echodb-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &[String]) -> Outcome<()> {
    let Some((name, rest)) = arguments.split_first() else {
        return Err("usage: echodb-bench NAME [--quick] [--large] [--traces DIR]".into());
    };
    // Started by the measurements themselves.
    match name.as_str() {
        "guest" => return peers::guest(rest),
        "cold" => return queries::cold(rest),
        "resident" => return memory::resident(rest),
        // Read by `cargo xtask bench` together with what programs in other languages say.
        "calls" => return calls::print(),
        _ => {}
    }
    let mut setting = Setting {
        quick: false,
        large: false,
        traces: PathBuf::from("../shared/data/traces"),
    };
    let mut rest = rest.iter();
    while let Some(argument) = rest.next() {
        match (argument.as_str(), rest.as_slice()) {
            ("--quick", _) => setting.quick = true,
            ("--large", _) => setting.large = true,
            ("--traces", [folder, ..]) => {
                setting.traces = PathBuf::from(folder);
                rest.next();
            }
            _ => return Err(format!("what is {argument:?}?").into()),
        }
    }
    let rows: Vec<Row> = match name.as_str() {
        "create_10k" => vec![create::measure(&setting)?],
        "insert_one" => vec![insert::measure(&setting)?],
        "insert_100k" => vec![create::measure_many(&setting)?],
        "queries" => queries::measure(&setting)?,
        "growth" => queries::growth(&setting)?,
        "replay_paper" => replay::measure(&setting)?,
        #[cfg(feature = "peers")]
        "replay_peers" => replay::measure_peers(&setting)?,
        "sync_10k" => sync::measure(&setting)?,
        "live_update" => live::measure(&setting)?,
        "edit_latency" => vec![latency::measure(&setting)?],
        "pair" => vec![pair::measure(&setting)?],
        "resolve" => authority::measure(&setting)?,
        "verify_entry" => vec![authority::verify(&setting)?],
        "at_rest" => at_rest::measure(&setting)?,
        "rss_10k_open" => vec![memory::measure()?],
        _ => return Err(format!("there is no measurement {name:?}").into()),
    };
    println!("{}", serde_json::to_string(&rows)?);
    Ok(())
}
