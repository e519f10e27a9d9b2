//! The Swift compiler: the one on the PATH, or Debian's, installed by itself into a folder outside
//! the checkout and run from there.

use super::archive;
use crate::run::{Outcome, present, run, target};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Debian release that has the compiler, and the packages of it that are needed.
const SUITE: &str = "trixie";
const PACKAGES: &str = "swiftlang,libc6-dev,ca-certificates";

/// Lies in a root file system whose installation was finished.
const FINISHED: &str = "echodb-finished";

/// A compiler that works.
pub enum Toolchain {
    /// The one on the PATH.
    OnPath,
    /// In a root file system of its own.
    Rooted(PathBuf),
}

/// What a search for a compiler comes to.
pub enum Found {
    Toolchain(Toolchain),
    /// None here, and none to be had, for the reason given.
    Missing(String),
}

/// Finds a compiler, installing one if need be.
pub fn find() -> Outcome<Found> {
    if on_path() {
        return Ok(Found::Toolchain(Toolchain::OnPath));
    }
    if !cfg!(target_os = "linux") {
        return missing("there is no swift on the PATH");
    }
    let place = cache()?.join("echodb").join(format!("swift-{SUITE}"));
    let parent = place.parent().ok_or("the cache has no folder")?;
    if !may_mount() {
        return missing(
            "there is no swift on the PATH, and Debian's needs the right to mount (root, or \
             CAP_SYS_ADMIN)",
        );
    }
    fs::create_dir_all(parent)?;
    // Two runs at once: the second waits, and finds the work done.
    let lock = File::options()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .open(parent.join(format!("swift-{SUITE}.lock")))?;
    lock.lock()?;
    if !place.join(FINISHED).exists()
        && let Err(why) = install(&place, &lock)
    {
        return missing(&format!(
            "there is no swift on the PATH, and Debian's could not be installed: {why}"
        ));
    }
    Ok(Found::Toolchain(Toolchain::Rooted(place)))
}

/// As [`find`], for chores that are of no use without.
pub fn require() -> Outcome<Toolchain> {
    match find()? {
        Found::Toolchain(toolchain) => Ok(toolchain),
        Found::Missing(why) => Err(why.into()),
    }
}

fn missing(why: &str) -> Outcome<Found> {
    Ok(Found::Missing(why.to_owned()))
}

/// Whether the PATH has a Swift that knows the language mode we write in.
fn on_path() -> bool {
    let asked = Command::new("swift")
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    asked.is_ok_and(|answer| {
        answer.status.success() && major(&String::from_utf8_lossy(&answer.stdout)) >= Some(6)
    })
}

/// The first number of `Swift version 6.0.3 (swift-6.0.3-RELEASE)`.
fn major(version: &str) -> Option<u32> {
    let (_, rest) = version.split_once("Swift version ")?;
    rest.split(['.', ' ', '-']).next()?.parse().ok()
}

/// Where programs keep what they can make again.
fn cache() -> Outcome<PathBuf> {
    let named = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    match named("XDG_CACHE_HOME") {
        Some(folder) => Ok(folder.into()),
        None => {
            let home = named("HOME").ok_or("neither XDG_CACHE_HOME nor HOME is set")?;
            Ok(PathBuf::from(home).join(".cache"))
        }
    }
}

/// Whether this process may mount within a namespace of its own.
fn may_mount() -> bool {
    apart("mount")
        .args(["--bind", "/tmp", "/tmp"])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// A program whose mounts nobody else sees, and which are gone when it is. Those for administrators,
/// as `debootstrap` and `chroot`, are found also where the path does not name their folders.
fn apart(program: &str) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", program]);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain(["/usr/sbin".into(), "/sbin".into()]);
    if let Ok(path) = std::env::join_paths(folders) {
        command.env("PATH", path);
    }
    command
}

/// Installs into a folder beside `place`, which takes the name only when all is there. `lock` is
/// what keeps others from doing the same.
fn install(place: &Path, lock: &File) -> Outcome<()> {
    let mirror = archive::mirror()?;
    if !archive::has(&mirror, SUITE, &place.with_extension("release")) {
        return Err(format!("{mirror} does not answer, or does not have {SUITE}").into());
    }
    if !present("debootstrap") {
        println!("installing debootstrap");
        run(Command::new("apt-get").args(["install", "--yes", "--quiet", "debootstrap"]))?;
    }
    let half = place.with_extension("half");
    for left in [&half, &place.to_path_buf()] {
        remove(left)?;
    }
    println!("installing Swift into {}", place.display());
    let log = place.with_extension("log");
    let status = apart("debootstrap")
        .args(["--variant=minbase", &format!("--include={PACKAGES}"), SUITE])
        .arg(&half)
        .arg(&mirror)
        // It reads nothing, but holds the lock on, should it outlive this program.
        .stdin(lock.try_clone()?)
        .stdout(File::create(&log)?)
        .stderr(Stdio::inherit())
        .status()?;
    if !status.success() {
        return Err(format!("debootstrap failed; see {}", log.display()).into());
    }
    // The packages are unpacked; what they came in is half a gigabyte.
    remove(&half.join("var/cache/apt/archives"))?;
    let toolchain = Toolchain::Rooted(half.clone());
    let version = run(toolchain
        .command(&std::env::temp_dir(), &std::env::temp_dir(), "swift")
        .arg("--version"))?;
    if major(&version) < Some(6) {
        return Err(format!("the Swift installed calls itself {version:?}").into());
    }
    fs::write(half.join(FINISHED), version)?;
    fs::rename(&half, place)?;
    Ok(())
}

/// Removes a folder, but never one in which something is mounted: that may be anybody's.
fn remove(folder: &Path) -> Outcome<()> {
    if !folder.exists() {
        return Ok(());
    }
    let mounts = fs::read_to_string("/proc/self/mountinfo")?;
    if let Some(mounted) = mounted_within(&mounts, folder) {
        return Err(format!("something is mounted at {mounted}; unmount it first").into());
    }
    run(Command::new("rm")
        .args(["--recursive", "--force", "--one-file-system"])
        .arg(folder))?;
    Ok(())
}

/// The first place in `folder` where the list of mounts has one.
fn mounted_within<'a>(mounts: &'a str, folder: &Path) -> Option<&'a str> {
    mounts
        .lines()
        .filter_map(|line| line.split(' ').nth(4))
        .find(|place| Path::new(place).starts_with(folder))
}

impl Toolchain {
    /// A command that starts `program` in `folder`. It sees the checkout, what is built of it, and
    /// the folder for temporary files where they are; a signal to it reaches the program.
    pub fn command(&self, root: &Path, folder: &Path, program: &str) -> Command {
        let Toolchain::Rooted(place) = self else {
            let mut command = Command::new(program);
            command.current_dir(folder);
            return command;
        };
        let mut command = apart("sh");
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/swift/enter.sh"))
            .arg(place);
        let mut visible = vec![root.to_path_buf()];
        for other in [target(root), std::env::temp_dir()] {
            if !other.starts_with(root) {
                visible.push(other);
            }
        }
        command.args(visible).arg("--").arg(folder).arg(program);
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_what_swift_says() {
        assert_eq!(
            major("Swift version 6.0.3 (swift-6.0.3-RELEASE)\n"),
            Some(6)
        );
        assert_eq!(
            major("swift-driver version: 1.115 Apple Swift version 6.2 (swiftlang)"),
            Some(6)
        );
        assert_eq!(major("OpenStack Swift client"), None);
    }

    #[test]
    fn mounts_inside_a_folder_are_noticed() {
        let mounts = "1 0 0:1 / / rw - overlay o rw\n2 1 0:2 / /a/tree/proc rw - proc proc rw\n";
        assert_eq!(
            mounted_within(mounts, Path::new("/a/tree")),
            Some("/a/tree/proc")
        );
        assert_eq!(mounted_within(mounts, Path::new("/a/tr")), None);
    }

    #[test]
    fn a_rooted_program_is_told_its_folder_last() {
        let toolchain = Toolchain::Rooted("/cache/swift".into());
        let command = toolchain.command(Path::new("/checkout"), Path::new("/checkout/a"), "swift");
        let words: Vec<&str> = command.get_args().filter_map(|a| a.to_str()).collect();
        assert_eq!(command.get_program(), "unshare");
        assert_eq!(words[words.len() - 3..], ["--", "/checkout/a", "swift"]);
        assert!(words.contains(&"/cache/swift"));
    }
}
