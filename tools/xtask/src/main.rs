//! `cargo xtask`: the chores of this repository, the same for people and for CI. One file, or
//! folder, for each.

mod bench;
mod demo;
mod generate;
mod kotlin;
mod native;
mod python;
mod run;
mod swift;
mod test;

use run::Outcome;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask COMMAND

  bench [--quick] [--only NAME] [--traces DIR] [--profile NAME] --json FILE
                            measurements, each against a bound of the same run
  demo [--trace FILE]       two programs pair and replay two people typing at once
  generate [--check]        rewrite generated files; --check only names stale ones and fails
  kotlin package [--release] | test | peer | bench [--profile NAME]
                            the Kotlin package
  python wheel [--release] | environment | test | check
                            the Python package
  swift toolchain | generate FOLDER | build | test | peer | bench [--profile PROFILE]
                            the Swift package; a compiler is installed if there is none
  test [--list] [--only STEP]…
                            every test there is";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&workspace_root(), &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(root: &Path, arguments: &[String]) -> Outcome<()> {
    let Some((command, rest)) = arguments.split_first() else {
        return Err(USAGE.into());
    };
    match command.as_str() {
        "bench" => bench::main(root, rest),
        "demo" => demo::main(root, rest),
        // Started by demo, not by people.
        "demo-peer" => demo::peer(rest),
        "generate" => generate::main(root, rest),
        "kotlin" => kotlin::main(root, rest),
        "python" => python::main(root, rest),
        "swift" => swift::main(root, rest),
        "test" => test::main(root, rest),
        "help" | "--help" | "-h" => {
            println!("{USAGE}");
            Ok(())
        }
        other => Err(format!("there is no command {other:?}\n{USAGE}").into()),
    }
}

/// Two levels above this crate.
fn workspace_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}
