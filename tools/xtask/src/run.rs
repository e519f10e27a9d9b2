//! Running other programs.

use std::path::Path;
use std::process::{Command, Stdio};

/// The result of a task; its error is shown to whoever ran it.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// The cargo that runs this task, in the workspace.
pub fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    forget_package(&mut command);
    command
}

/// Takes away what cargo told this program about its own package: build scripts that look at these
/// variables would run again, and all that depends on them would be compiled again, whenever cargo
/// is called from within cargo and then by itself.
fn forget_package(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        let of_package = name.to_str().is_some_and(|name| {
            name == "OUT_DIR"
                || name.starts_with("CARGO_PKG_")
                || name.starts_with("CARGO_MANIFEST_")
        });
        if of_package {
            command.env_remove(name);
        }
    }
}

/// Runs a program to its end and returns what it printed; fails if it did.
pub fn run(command: &mut Command) -> Outcome<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|e| format!("{}: {e}", command.get_program().to_string_lossy()))?;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stdout);
        return Err(format!("{command:?} failed ({})\n{printed}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Where cargo builds to.
pub fn target(root: &Path) -> std::path::PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |named| root.join(named))
}

/// This program. A step may have rebuilt it while it runs, which removes its file; Linux still
/// starts it by this other name.
pub fn this_program() -> Outcome<std::path::PathBuf> {
    let path = std::env::current_exe()?;
    match path.exists() {
        true => Ok(path),
        false => Ok("/proc/self/exe".into()),
    }
}

/// Whether a program can be started.
pub fn present(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A path as text, for programs and formats that take nothing else.
pub fn utf8(path: &Path) -> Outcome<&str> {
    path.to_str()
        .ok_or_else(|| format!("{} is not UTF-8", path.display()).into())
}
