//! The package: laid out, built, tested.

use super::Toolchain;
use crate::native;
use crate::run::{Outcome, run, target, utf8};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the generator writes, and the targets it goes to.
const GENERATED: [(&str, &str); 2] = [
    ("EchoDBNative.swift", "Sources/EchoDBNative"),
    ("CEchoDB.h", "Sources/CEchoDB"),
];

/// Lays the package out below the build folder, whole: the sources, the generated bindings, and the
/// library, built with the cargo profile `profile`. A file that is the same already is left alone,
/// so that the compiler need not look at it again. Returns the package's folder.
pub fn lay_out(root: &Path, profile: &str) -> Outcome<PathBuf> {
    let package = target(root).join("swift/package");
    let generated = target(root).join("swift/generated");
    native::generate(root, uniffi::TargetLanguage::Swift, &generated)?;
    let library = native::library(root, profile)?;
    let mut files = Vec::new();
    list(&root.join("bindings/swift"), Path::new(""), &mut files)?;
    files.extend(
        GENERATED.map(|(name, folder)| (generated.join(name), Path::new(folder).join(name))),
    );
    files.push((
        root.join("tests/conformance/peer.swift"),
        "Sources/ConformancePeer/main.swift".into(),
    ));
    files.push((
        root.join("tests/golden/queries.json"),
        "Tests/Golden/queries.json".into(),
    ));
    for name in library_names(root, &library)? {
        files.push((library.clone(), Path::new("lib").join(name)));
    }
    for (from, to) in &files {
        copy(from, &package.join(to))?;
    }
    let mut present = Vec::new();
    list(&package, Path::new(""), &mut present)?;
    for (path, name) in present {
        if !files.iter().any(|(_, wanted)| *wanted == name) {
            fs::remove_file(path)?;
        }
    }
    Ok(package)
}

/// What the library must be called to be linked with, and to be loaded by what was linked.
fn library_names(root: &Path, library: &Path) -> Outcome<Vec<String>> {
    let name = library.file_name().ok_or("the library has no file name")?;
    let name = utf8(Path::new(name))?.to_owned();
    if !cfg!(target_os = "linux") {
        return Ok(vec![name]);
    }
    let header = fs::read_to_string(root.join("include/echodb.h"))?;
    let version = header
        .lines()
        .find_map(|line| line.strip_prefix("#define ECHODB_ABI_VERSION "))
        .ok_or("include/echodb.h has no ECHODB_ABI_VERSION")?;
    Ok(vec![format!("{name}.{version}"), name])
}

/// The files below a folder: each with its path and its name within.
fn list(folder: &Path, within: &Path, files: &mut Vec<(PathBuf, PathBuf)>) -> Outcome<()> {
    for entry in fs::read_dir(folder).map_err(|e| format!("{}: {e}", folder.display()))? {
        let entry = entry?;
        let name = within.join(entry.file_name());
        // What SwiftPM leaves behind for itself.
        if entry.file_name() == ".build" || entry.file_name() == OsStr::new("Package.resolved") {
            continue;
        }
        match entry.file_type()?.is_dir() {
            true => list(&entry.path(), &name, files)?,
            false => files.push((entry.path(), name)),
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Outcome<()> {
    let wanted = fs::read(from).map_err(|e| format!("{}: {e}", from.display()))?;
    if fs::read(to).is_ok_and(|present| present == wanted) {
        return Ok(());
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    // Not over the old one, which a program may have loaded.
    let fresh = to.with_extension("fresh");
    fs::write(&fresh, wanted)?;
    fs::rename(&fresh, to)?;
    Ok(())
}

/// A command of SwiftPM on the laid-out package with all its programs, where warnings in them are
/// errors. Whatever it writes goes below the build folder.
fn swift(root: &Path, toolchain: &Toolchain, package: &Path, words: &[&str]) -> Command {
    let place = target(root).join("swift");
    let mut command = toolchain.command(root, package, "swift");
    command.args(words);
    for (option, folder) in [
        ("--scratch-path", "build"),
        ("--cache-path", "cache"),
        ("--config-path", "config"),
        ("--security-path", "security"),
    ] {
        command.arg(option).arg(place.join(folder));
    }
    command
        .env("ECHODB_DEVELOPMENT", "1")
        .env("HOME", place.join("home"));
    command
}

/// Builds everything in the package, tests too.
pub fn build(root: &Path, toolchain: &Toolchain, package: &Path) -> Outcome<()> {
    finish(&mut swift(
        root,
        toolchain,
        package,
        &["build", "--build-tests"],
    ))
}

/// Builds and runs the tests.
pub fn test(root: &Path, toolchain: &Toolchain) -> Outcome<()> {
    let package = lay_out(root, "dev")?;
    let signal = native::signal(root)?;
    finish(
        swift(
            root,
            toolchain,
            &package,
            &["test", "--disable-swift-testing"],
        )
        .env("ECHODB_SIGNAL", signal),
    )
}

/// Builds the peer of the conformance test, and prints the command that starts it.
pub fn peer(root: &Path, toolchain: &Toolchain) -> Outcome<()> {
    let package = lay_out(root, "dev")?;
    let words = ["build", "--product", "conformance-peer"];
    run(&mut swift(root, toolchain, &package, &words))?;
    let program = target(root).join("swift/build/debug/conformance-peer");
    let command = toolchain.command(root, &package, utf8(&program)?);
    println!("command:");
    for word in std::iter::once(command.get_program()).chain(command.get_args()) {
        println!("{}", utf8(Path::new(word))?);
    }
    Ok(())
}

/// Measures what a call costs, and prints it as JSON.
pub fn bench(root: &Path, toolchain: &Toolchain, profile: &str) -> Outcome<()> {
    let package = lay_out(root, profile)?;
    let words = ["build", "-c", "release", "--product", "call-overhead"];
    run(&mut swift(root, toolchain, &package, &words))?;
    let program = target(root).join("swift/build/release/call-overhead");
    print!(
        "{}",
        run(&mut toolchain.command(root, &package, utf8(&program)?))?
    );
    Ok(())
}

fn finish(command: &mut Command) -> Outcome<()> {
    match command.status()?.success() {
        true => Ok(()),
        false => Err("the Swift package failed".into()),
    }
}
