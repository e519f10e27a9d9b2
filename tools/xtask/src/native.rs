//! The shared library, and the bindings that the pinned generator makes of it: what the packages of
//! the other languages are built from.

use crate::run::{Outcome, cargo, run, target, utf8};
use std::fs;
use std::path::{Path, PathBuf};

/// The library's crate.
const CRATE: &str = "echo-db";

/// The library's target, and the name of what the generator writes.
pub const LIBRARY: &str = "echodb";

/// Builds the shared library with the cargo profile `profile` and returns where it is.
pub fn library(root: &Path, profile: &str) -> Outcome<PathBuf> {
    let mut command = cargo(root);
    command.args(["build", "--quiet", "--lib", "--profile", profile]);
    if profile != "dev" {
        // What is shipped has the features that it needs; in development all programs share theirs.
        command.args(["-p", CRATE]);
    }
    run(&mut command)?;
    let folder = if profile == "dev" { "debug" } else { profile };
    let file = format!(
        "{}{LIBRARY}{}",
        std::env::consts::DLL_PREFIX,
        std::env::consts::DLL_SUFFIX
    );
    Ok(target(root).join(folder).join(file))
}

/// Builds the signalling server and returns where it is.
pub fn signal(root: &Path) -> Outcome<PathBuf> {
    run(cargo(root).args(["build", "--quiet", "--bin", "echodb-signal"]))?;
    Ok(target(root).join("debug/echodb-signal"))
}

/// Writes the bindings for `language` into the empty folder `out`. They are read from a library that
/// still has its symbol table, and are the same in every profile.
pub fn generate(root: &Path, language: uniffi::TargetLanguage, out: &Path) -> Outcome<()> {
    let described = library(root, "dev")?;
    if out.exists() {
        fs::remove_dir_all(out)?;
    }
    fs::create_dir_all(out)?;
    uniffi::generate(uniffi::GenerateOptions {
        languages: vec![language],
        source: utf8(&described)?.into(),
        out_dir: utf8(out)?.into(),
        crate_filter: Some(LIBRARY.into()),
        metadata_no_deps: true,
        ..Default::default()
    })
    .map_err(|e| format!("generating the bindings: {e:#}"))?;
    Ok(())
}
