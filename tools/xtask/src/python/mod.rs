//! The Python package: bindings from the pinned generator, a wheel around them, and its tests run
//! from a virtual environment that holds nothing but that wheel.

mod harden;

use crate::native::{self, LIBRARY};
use crate::run::{Outcome, run, target};
use harden::harden;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// `cargo xtask python wheel [--release] | environment | test | check`.
pub fn main(root: &Path, args: &[String]) -> Outcome<()> {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["wheel"] => print_path(&wheel(root, "dev")?),
        ["wheel", "--release"] => print_path(&wheel(root, "dist")?),
        ["environment"] => print_path(&environment(root)?),
        ["test"] => test(root)?,
        ["check"] => check(root)?,
        _ => {
            let usage = "usage: cargo xtask python wheel [--release] | environment | test | check";
            return Err(usage.into());
        }
    }
    Ok(())
}

/// Writes the generated module to `out_dir/_native.py`.
fn generate(root: &Path, out_dir: &Path) -> Outcome<()> {
    let scratch = target(root).join("python/generated");
    native::generate(root, uniffi::TargetLanguage::Python, &scratch)?;
    let module = fs::read_to_string(scratch.join(format!("{LIBRARY}.py")))?;
    fs::write(out_dir.join("_native.py"), harden(&module)?)?;
    Ok(())
}

/// Builds the library with the cargo profile `profile` and a wheel around it; returns its path.
pub fn wheel(root: &Path, profile: &str) -> Outcome<PathBuf> {
    let package = target(root).join("python").join(profile).join(LIBRARY);
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    fs::create_dir_all(&package)?;
    let shipped = native::library(root, profile)?;
    generate(root, &package)?;
    let name = shipped.file_name().ok_or("the library has no file name")?;
    fs::copy(&shipped, package.join(name))?;
    let sources = root.join("bindings/python/echodb");
    for entry in fs::read_dir(&sources).map_err(|e| format!("{}: {e}", sources.display()))? {
        let path = entry?.path();
        match path.file_name() {
            Some(file) if path.is_file() => fs::copy(&path, package.join(file))?,
            _ => continue,
        };
    }
    let wheels = target(root).join("wheels");
    let output = run(Command::new(python())
        .arg(root.join("bindings/python/build_wheel.py"))
        .arg(&package)
        .arg(&wheels)
        .args(["--version", env!("CARGO_PKG_VERSION")]))?;
    Ok(PathBuf::from(output.trim()))
}

/// Installs the wheel into an empty environment, and builds the signalling server beside it;
/// returns the interpreter.
fn environment(root: &Path) -> Outcome<PathBuf> {
    let wheel = wheel(root, "dev")?;
    native::signal(root)?;
    install(&wheel, &target(root).join("python/venv"))
}

/// Makes an environment with nothing but the wheel, and returns its interpreter.
fn install(wheel: &Path, venv: &Path) -> Outcome<PathBuf> {
    run(Command::new(python())
        .args(["-m", "venv", "--clear"])
        .arg(venv))?;
    let inside = venv_python(venv);
    run(Command::new(&inside)
        .args(["-m", "pip", "install", "--quiet", "--no-index", "--no-deps"])
        .arg("--disable-pip-version-check")
        .arg(wheel))?;
    Ok(inside)
}

/// Measures what calls cost, with a library of the cargo profile `profile`; returns the program's
/// JSON.
pub fn bench(root: &Path, profile: &str) -> Outcome<String> {
    let inside = install(&wheel(root, profile)?, &target(root).join("python/bench"))?;
    run(Command::new(inside)
        .arg("-I")
        .arg(root.join("benches/calls/calls.py")))
}

/// Runs the package's tests in an environment that holds nothing else.
fn test(root: &Path) -> Outcome<()> {
    let inside = environment(root)?;
    // -I keeps the sources out of the import path: only what the wheel installed is tested.
    let status = Command::new(&inside)
        .args(["-I", "-X", "dev", "-m", "unittest", "discover", "-v", "-s"])
        .arg(root.join("bindings/python/tests"))
        .current_dir(target(root).join("python/venv"))
        .env("ECHODB_SIGNAL", target(root).join("debug/echodb-signal"))
        .env("ECHODB_ROOT", root)
        .status()?;
    if !status.success() {
        return Err("the Python tests failed".into());
    }
    Ok(())
}

/// Checks the types of the package, with what PyPI has of mypy.
fn check(root: &Path) -> Outcome<()> {
    wheel(root, "dev")?;
    let venv = target(root).join("python/check");
    if !venv.exists() {
        run(Command::new(python()).args(["-m", "venv"]).arg(&venv))?;
        run(Command::new(venv_python(&venv)).args(["-m", "pip", "install", "--quiet", "mypy"]))?;
    }
    let status = Command::new(venv_python(&venv))
        .args(["-m", "mypy", "--config-file"])
        .arg(root.join("bindings/python/pyproject.toml"))
        .args(["-p", LIBRARY])
        .current_dir(target(root).join("python/dev"))
        .status()?;
    if !status.success() {
        return Err("the Python package's types do not fit".into());
    }
    Ok(())
}

/// The interpreter that builds: `PYTHON`, or what the system calls Python 3.
fn python() -> String {
    std::env::var("PYTHON")
        .unwrap_or_else(|_| if cfg!(windows) { "python" } else { "python3" }.to_owned())
}

fn venv_python(venv: &Path) -> PathBuf {
    if cfg!(windows) {
        venv.join("Scripts/python.exe")
    } else {
        venv.join("bin/python")
    }
}

fn print_path(path: &Path) {
    println!("{}", path.display());
}
