//! The steps, in the order in which a failure is cheapest to meet.

use super::command::{check, count};
use super::{Count, Step, Verdict};
use crate::run::{Outcome, cargo, present, run};
use crate::{demo, generate, swift};
use std::path::Path;
use std::process::Command;

pub const STEPS: &[Step] = &[
    Step {
        name: "fmt",
        about: "the layout of the Rust code",
        run: fmt,
    },
    Step {
        name: "clippy",
        about: "warnings of the compiler and of clippy",
        run: clippy,
    },
    Step {
        name: "tidy",
        about: "the rules about the source text",
        run: tidy,
    },
    Step {
        name: "deny",
        about: "licences, sources and banned crates",
        run: deny,
    },
    Step {
        name: "generated",
        about: "header, README and the table of calls are what they are generated from",
        run: generated,
    },
    Step {
        name: "rust",
        about: "the library and the signalling server",
        run: rust,
    },
    Step {
        name: "examples",
        about: "the examples in Rust: the one that README shows, and the drill of a stolen device",
        run: examples,
    },
    Step {
        name: "c",
        about: "C and C++ programs, under valgrind and the sanitizers too",
        run: c,
    },
    Step {
        name: "cli",
        about: "the command line, with real processes",
        run: cli,
    },
    Step {
        name: "python",
        about: "the wheel in an empty environment, its tests, its types",
        run: python,
    },
    Step {
        name: "kotlin",
        about: "the jar in an empty project, its tests, a Java program, the layout for Android",
        run: kotlin,
    },
    Step {
        name: "swift",
        about: "the Swift package's tests, with a compiler that is installed if need be",
        run: swift,
    },
    Step {
        name: "conformance",
        about: "processes in C, Python, Kotlin and Swift share a space and end identical",
        run: conformance,
    },
    Step {
        name: "interop",
        about: "outside WebRTC stacks open our data channel, Automerge in JavaScript our files",
        run: interop,
    },
    Step {
        name: "demo",
        about: "two programs replay the project's own small recording",
        run: demo_small,
    },
];

fn fmt(root: &Path) -> Outcome<Verdict> {
    Ok(Verdict::Ran(check(
        cargo(root).args(["fmt", "--all", "--check"]),
    )?))
}

fn clippy(root: &Path) -> Outcome<Verdict> {
    let mut sum = check(cargo(root).args([
        "clippy",
        "--quiet",
        "--workspace",
        "--all-targets",
        "--",
        "-Dwarnings",
    ]))?;
    // As programs in C alone build it.
    sum.add(check(cargo(root).args([
        "clippy",
        "--quiet",
        "-p",
        "echo-db",
        "--no-default-features",
        "--",
        "-Dwarnings",
    ]))?);
    Ok(Verdict::Ran(sum))
}

fn tidy(root: &Path) -> Outcome<Verdict> {
    Ok(Verdict::Ran(count(
        cargo(root).args(["test", "--quiet", "--test", "tidy"]),
    )?))
}

fn deny(root: &Path) -> Outcome<Verdict> {
    if !present("cargo-deny") {
        let why = "cargo-deny is not installed; tidy has looked for banned crates";
        return Ok(Verdict::Skipped(why.into()));
    }
    Ok(Verdict::Ran(check(cargo(root).args([
        "deny",
        "--workspace",
        "check",
        "licenses",
        "bans",
        "sources",
    ]))?))
}

fn generated(root: &Path) -> Outcome<Verdict> {
    let stale = generate::generate(root, true)?;
    match stale.is_empty() {
        true => Ok(Verdict::Ran(Count::PASSED)),
        false => Err(format!("stale: {stale:?}; run `cargo xtask generate`").into()),
    }
}

fn rust(root: &Path) -> Outcome<Verdict> {
    let mut command = cargo(root);
    command.args(["test", "--no-fail-fast", "--lib"]);
    for name in integration_tests(root)? {
        // These are steps of their own.
        if !["tidy", "c_abi", "conformance"].contains(&name.as_str()) {
            command.args(["--test", &name]);
        }
    }
    let mut sum = count(&mut command)?;
    let programs = [
        "--bin",
        "echodb-signal",
        "--bin",
        "xtask",
        "--test",
        "server",
    ];
    let mut command = cargo(root);
    command.args(["test", "--no-fail-fast"]).args(programs);
    sum.add(count(&mut command)?);
    sum.add(count(cargo(root).args(["test", "--doc"]))?);
    Ok(Verdict::Ran(sum))
}

/// The names of the library's test programs.
fn integration_tests(root: &Path) -> Outcome<Vec<String>> {
    let text = run(cargo(root).args(["metadata", "--no-deps", "--format-version", "1"]))?;
    let metadata: serde_json::Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().ok_or("no packages")?;
    let package = packages.iter().find(|package| package["name"] == "echo-db");
    let targets = package.and_then(|package| package["targets"].as_array());
    Ok(targets
        .ok_or("no package echo-db")?
        .iter()
        .filter(|target| target["kind"][0] == "test")
        .filter_map(|target| target["name"].as_str().map(str::to_owned))
        .collect())
}

fn examples(root: &Path) -> Outcome<Verdict> {
    let printed = run(cargo(root).args(["run", "--quiet", "--example", "notes"]))?;
    if !printed.contains("Buy oat milk") {
        return Err(format!("examples/notes.rs printed {printed:?}").into());
    }
    let mut sum = Count::PASSED;
    let (_signal, url) = demo::Process::signal(&crate::native::signal(root)?)?;
    let mut drill = cargo(root);
    drill.args(["run", "--quiet", "--example", "stolen_device", "--", &url]);
    let printed = run(&mut drill)?;
    match printed.contains("The phone has nothing of what came later") {
        true => sum.add(Count::PASSED),
        false => return Err(format!("examples/stolen_device.rs printed {printed:?}").into()),
    }
    Ok(Verdict::Ran(sum))
}

fn c(root: &Path) -> Outcome<Verdict> {
    if !present("gcc") || !present("g++") {
        return Ok(Verdict::Skipped("there is no C compiler".into()));
    }
    if !present("valgrind") && !install("valgrind") {
        return Err("valgrind is missing and could not be installed".into());
    }
    // The programs load the shared library, which has to be that of this build.
    Ok(Verdict::Ran(count(
        cargo(root).args(["test", "--test", "c_abi"]),
    )?))
}

fn cli(root: &Path) -> Outcome<Verdict> {
    crate::native::signal(root)?;
    let programs = ["--bin", "echodb", "--test", "cli"];
    let mut command = cargo(root);
    command.args(["test", "--no-fail-fast"]).args(programs);
    Ok(Verdict::Ran(count(&mut command)?))
}

fn python(_: &Path) -> Outcome<Verdict> {
    if !present("python3") {
        return Ok(Verdict::Skipped("there is no Python 3".into()));
    }
    let this = crate::run::this_program()?;
    let mut sum = count(Command::new(&this).args(["python", "test"]))?;
    sum.add(check(Command::new(&this).args(["python", "check"]))?);
    Ok(Verdict::Ran(sum))
}

fn kotlin(root: &Path) -> Outcome<Verdict> {
    if !present("mvn") || !present("java") {
        return Ok(Verdict::Skipped("there is no Maven or no JDK".into()));
    }
    let this = crate::run::this_program()?;
    let mut sum = count(Command::new(&this).args(["kotlin", "test"]))?;
    let script = root.join("bindings/kotlin/android/build-aar.sh");
    sum.add(shell_script(&script)?);
    Ok(Verdict::Ran(sum))
}

fn swift(root: &Path) -> Outcome<Verdict> {
    let script = root.join("bindings/swift/build-xcframework.sh");
    let mut sum = shell_script(&script)?;
    if let swift::Found::Missing(why) = swift::find()? {
        return match sum.failed {
            0 => Ok(Verdict::Skipped(why)),
            _ => Err("build-xcframework.sh is malformed".into()),
        };
    }
    let this = crate::run::this_program()?;
    sum.add(count(Command::new(&this).args(["swift", "test"]))?);
    Ok(Verdict::Ran(sum))
}

fn conformance(root: &Path) -> Outcome<Verdict> {
    if !cfg!(target_os = "linux") {
        return Ok(Verdict::Skipped("the C side is linked as on Linux".into()));
    }
    if !present("gcc") || !present("python3") {
        let why = "there is no C compiler or no Python 3";
        return Ok(Verdict::Skipped(why.into()));
    }
    // The test itself makes the packages; it has to be told of those that cannot be had here.
    let mut without = Vec::new();
    if !present("mvn") {
        without.push("kotlin");
    }
    if let swift::Found::Missing(why) = swift::find()? {
        println!("{why}");
        without.push("swift");
    }
    let mut sum = count(
        cargo(root)
            .args(["test", "--test", "conformance"])
            .env("ECHODB_WITHOUT", without.join(",")),
    )?;
    if sum.passed + sum.failed == 0 {
        return Err("no test ran".into());
    }
    if without.is_empty() {
        return Ok(Verdict::Ran(sum));
    }
    sum.skipped += without.len() as u64;
    Ok(Verdict::RanWithout(
        sum,
        format!("left out: {}", without.join(", ")),
    ))
}

fn interop(root: &Path) -> Outcome<Verdict> {
    if !present("npm") || !present("python3") {
        return Ok(Verdict::Skipped("there is no npm or no Python 3".into()));
    }
    let folder = root.join("tests/interop");
    run(Command::new("npm")
        .args(["ci", "--silent", "--ignore-scripts", "--prefix"])
        .arg(&folder))?;
    let venv = root.join("target/interop");
    let python = venv.join("bin/python");
    if !python.exists() {
        run(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    }
    run(Command::new(&python)
        .args(["-m", "pip", "install", "--quiet", "-r"])
        .arg(folder.join("requirements.txt")))?;
    // One at a time: each measures a set-up, and the outside stacks share a machine with it.
    let mut sum = count(
        cargo(root)
            .args(["test", "--lib", "runtime::tests", "--"])
            .args(["--ignored", "--test-threads", "1"])
            .env("ECHODB_INTEROP_PYTHON", &python),
    )?;
    let files = [
        "test",
        "--test",
        "transfer",
        "javascript",
        "--",
        "--ignored",
    ];
    sum.add(count(cargo(root).args(files))?);
    Ok(Verdict::Ran(sum))
}

fn demo_small(root: &Path) -> Outcome<Verdict> {
    let trace = root.join(demo::SMALL).display().to_string();
    demo::main(root, &["--trace".to_owned(), trace])?;
    Ok(Verdict::Ran(Count::PASSED))
}

/// Looks at a script that can only run elsewhere.
fn shell_script(script: &Path) -> Outcome<Count> {
    let mut sum = check(Command::new("bash").arg("-n").arg(script))?;
    if present("shellcheck") || install("shellcheck") {
        sum.add(check(Command::new("shellcheck").arg(script))?);
    }
    Ok(sum)
}

/// Tries to install a package with apt, which only the superuser may.
fn install(package: &str) -> bool {
    println!("installing {package}");
    Command::new("apt-get")
        .args(["install", "--yes", "--quiet", package])
        .status()
        .is_ok_and(|status| status.success())
}
