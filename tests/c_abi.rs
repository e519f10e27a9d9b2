//! The C interface, as C and C++ programs see it: they are compiled with all warnings as errors,
//! run, run again under valgrind, and again with the sanitizers.
#![cfg(target_os = "linux")]

#[path = "rust/support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

const WARNINGS: [&str; 5] = ["-Wall", "-Wextra", "-Werror", "-pedantic", "-g"];
const SANITIZERS: [&str; 2] = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The shared library that was built together with this test: cargo puts it beside the test.
fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().join("libechodb.so")
}

/// A directory with the library under the names that linker and loader look for.
fn workshop() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c_abi");
        let _ = fs::remove_dir_all(&directory);
        fs::create_dir_all(&directory).unwrap();
        for name in ["libechodb.so", "libechodb.so.0"] {
            std::os::unix::fs::symlink(library(), directory.join(name)).unwrap();
        }
        directory
    })
}

fn run(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|e| panic!("{command:?}: {e}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert!(
        output.status.success(),
        "{command:?}\n{}\n{out}{err}",
        output.status
    );
    out
}

/// Compiles and links sources, given from the root on; C++ if the first one is.
fn compile(name: &str, standard: &str, flags: &[&str], sources: &[&str]) -> PathBuf {
    let compiler = match sources[0].ends_with(".cpp") {
        true => "g++",
        false => "gcc",
    };
    let program = workshop().join(format!("{name}-{standard}"));
    run(Command::new(compiler)
        .current_dir(root())
        .arg(format!("-std={standard}"))
        .args(WARNINGS)
        .args(flags)
        .args(["-Iinclude", "-Itests/c", "-pthread"])
        .args(sources)
        .arg("-o")
        .arg(&program)
        .arg(format!("-L{}", workshop().display()))
        .arg(format!("-Wl,-rpath,{}", workshop().display()))
        .arg("-lechodb"));
    program
}

/// Runs a program by itself and under valgrind.
fn run_both(program: &Path, argument: impl Fn() -> String) {
    run(Command::new(program).arg(argument()));
    run_under_valgrind(program, &[&argument()]);
}

/// Runs a program under valgrind, where losing memory for good is an error too.
fn run_under_valgrind(program: &Path, arguments: &[&str]) {
    run(Command::new("valgrind")
        .args(["--quiet", "--error-exitcode=99", "--leak-check=full"])
        .args([
            "--errors-for-leak-kinds=definite",
            "--show-leak-kinds=definite",
        ])
        .args(["--fair-sched=yes", "--num-callers=30"])
        .arg(format!(
            "--suppressions={}/tests/c/valgrind.supp",
            root().display()
        ))
        // A backtrace of a contained panic would fill a cache that valgrind takes for a leak.
        .env("RUST_BACKTRACE", "0")
        .arg(program)
        .args(arguments));
}

fn run_sanitized(program: &Path, arguments: &[&str]) {
    let symbols = run(Command::new("nm").arg("-u").arg(program));
    assert!(
        symbols.contains("__asan_init"),
        "built without the sanitizers"
    );
    run(Command::new(program)
        .env("RUST_BACKTRACE", "0")
        .env("ASAN_OPTIONS", "detect_leaks=1")
        .args(arguments));
}

/// A profile directory that no other program uses.
fn profile() -> String {
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    workshop()
        .join(format!("profile-{number}"))
        .display()
        .to_string()
}

#[test]
fn every_call_in_c() {
    for standard in ["c99", "c11"] {
        let program = compile("calls", standard, &[], &["tests/c/calls.c"]);
        run(Command::new(program).arg(profile()));
    }
    run_both(
        &compile("calls", "gnu11", &[], &["tests/c/calls.c"]),
        profile,
    );
    run_sanitized(
        &compile("calls", "gnu17", &SANITIZERS, &["tests/c/calls.c"]),
        &[&profile()],
    );
}

#[test]
fn every_misuse_in_c() {
    run_both(
        &compile("misuse", "c99", &[], &["tests/c/misuse.c"]),
        String::new,
    );
    run_sanitized(
        &compile("misuse", "gnu17", &SANITIZERS, &["tests/c/misuse.c"]),
        &[""],
    );
}

/// Programs that need nothing but a client in memory, in C and in C++.
#[test]
fn the_model_in_c_and_cpp() {
    for (name, standard, source) in [
        ("model", "c99", "tests/c/model.c"),
        ("model_cpp", "c++17", "tests/c/model.cpp"),
        ("search", "c99", "tests/c/search.c"),
        ("search_cpp", "c++17", "tests/c/search.cpp"),
        ("check", "c99", "tests/c/check.c"),
        ("check_cpp", "c++17", "tests/c/check.cpp"),
        ("queries", "c99", "tests/c/queries.c"),
        ("queries_cpp", "c++17", "tests/c/queries.cpp"),
        ("schemas", "c99", "tests/c/schemas.c"),
        ("schemas_cpp", "c++17", "tests/c/schemas.cpp"),
    ] {
        run_both(&compile(name, standard, &[], &[source]), String::new);
    }
}

#[test]
fn the_builder_of_queries_in_cpp() {
    let builder = compile("builder", "c++17", &[], &["tests/c/builder.cpp"]);
    let queries = root().join("tests/golden/queries.json");
    run_both(&builder, || queries.display().to_string());
    // Comparisons mean more in the next standard.
    compile("builder", "c++20", &[], &["tests/c/builder.cpp"]);
}

#[test]
fn the_past_in_c_and_cpp() {
    for (name, standard, source) in [
        ("history", "c99", "tests/c/history.c"),
        ("history_cpp", "c++17", "tests/c/history.cpp"),
    ] {
        run_both(&compile(name, standard, &[], &[source]), String::new);
    }
}

#[test]
fn import_and_export_in_c_and_cpp() {
    for (name, standard, source) in [
        ("transfer", "gnu99", "tests/c/transfer.c"),
        ("transfer_cpp", "c++17", "tests/c/transfer.cpp"),
    ] {
        run_both(&compile(name, standard, &[], &[source]), profile);
    }
}

#[test]
fn blobs_in_c_and_cpp() {
    for (name, standard, source) in [
        ("blobs", "c99", "tests/c/blobs.c"),
        ("blobs_cpp", "c++17", "tests/c/blobs.cpp"),
    ] {
        run_both(&compile(name, standard, &[], &[source]), profile);
    }
}

#[test]
fn credentials_in_c_and_cpp() {
    let c = compile("credentials", "c99", &[], &["tests/c/credentials.c"]);
    run_both(&c, String::new);
    let sanitized = compile(
        "credentials",
        "gnu17",
        &SANITIZERS,
        &["tests/c/credentials.c"],
    );
    run_sanitized(&sanitized, &[]);
    let cpp = compile(
        "credentials_cpp",
        "c++17",
        &[],
        &["tests/c/credentials.cpp"],
    );
    run_both(&cpp, String::new);
}

#[test]
fn encryption_in_c_and_cpp() {
    for (name, standard, source) in [
        ("encryption", "c99", "tests/c/encryption.c"),
        ("encryption_cpp", "c++17", "tests/c/encryption.cpp"),
    ] {
        run_both(&compile(name, standard, &[], &[source]), profile);
    }
}

#[test]
fn live_queries_in_c_and_cpp() {
    let c = compile("live", "c99", &[], &["tests/c/live.c"]);
    run_both(&c, String::new);
    let sanitized = compile("live", "gnu17", &SANITIZERS, &["tests/c/live.c"]);
    run_sanitized(&sanitized, &[]);
    let cpp = compile("live_cpp", "c++17", &[], &["tests/c/live.cpp"]);
    run_both(&cpp, String::new);
}

#[test]
fn two_clients_in_c() {
    let signal = support::Signal::start();
    let url = || signal.url.clone();
    run_both(&compile("pairing", "c99", &[], &["tests/c/pairing.c"]), url);
    run_sanitized(
        &compile("pairing", "gnu17", &SANITIZERS, &["tests/c/pairing.c"]),
        &[&signal.url],
    );
}

#[test]
fn devices_in_c() {
    let signal = support::Signal::start();
    let url = || signal.url.clone();
    run_both(&compile("devices", "c99", &[], &["tests/c/devices.c"]), url);
    run_sanitized(
        &compile("devices", "gnu17", &SANITIZERS, &["tests/c/devices.c"]),
        &[&signal.url],
    );
}

#[test]
fn devices_and_members_in_cpp() {
    let signal = support::Signal::start();
    let url = || signal.url.clone();
    for (name, source) in [
        ("devices_cpp", "tests/c/devices.cpp"),
        ("members_cpp", "tests/c/members.cpp"),
    ] {
        run_both(&compile(name, "c++17", &[], &[source]), url);
        run_sanitized(
            &compile(name, "gnu++17", &SANITIZERS, &[source]),
            &[&signal.url],
        );
    }
}

#[test]
fn the_wrapper_in_cpp() {
    let signal = support::Signal::start();
    let url = || signal.url.clone();
    let sources = ["tests/c/wrapper.cpp", "tests/c/wrapper_alone.cpp"];
    run_both(&compile("wrapper", "c++17", &[], &sources), url);
    run_sanitized(
        &compile("wrapper", "gnu++17", &SANITIZERS, &sources),
        &[&signal.url],
    );
}

/// In full numbers by itself, where growth shows, and in smaller ones where every access is watched.
fn lifetimes(standards: [&str; 2], source: &str) {
    let [strict, with_extensions] = standards;
    let program = compile("lifetimes", strict, &[], &[source]);
    print!("{}", run(Command::new(&program).args([&profile(), "1"])));
    run_under_valgrind(&program, &[&profile(), "100"]);
    let sanitized = compile("lifetimes", with_extensions, &SANITIZERS, &[source]);
    run_sanitized(&sanitized, &[&profile(), "20"]);
}

#[test]
fn nothing_stays_of_handles_in_c() {
    lifetimes(["c99", "gnu17"], "tests/c/lifetimes.c");
}

#[test]
fn nothing_stays_of_handles_in_cpp() {
    lifetimes(["c++17", "gnu++17"], "tests/c/lifetimes.cpp");
}

#[test]
fn the_header_stands_alone_and_links_twice() {
    for standard in ["c99", "c11", "c17"] {
        let sources = ["tests/c/misuse.c", "tests/c/header_alone.c"];
        compile("header", standard, &[], &sources);
    }
    let header = root().join("include/echodb.h");
    for standard in ["c++11", "c++17", "c++20"] {
        run(Command::new("g++")
            .args(["-x", "c++", "-fsyntax-only", &format!("-std={standard}")])
            .args(WARNINGS)
            .arg(&header));
    }
    for header in ["echodb_filter.hpp", "echodb_query.hpp"] {
        run(Command::new("g++")
            .args(["-x", "c++", "-fsyntax-only", "-std=c++17"])
            .args(WARNINGS)
            .arg(root().join("include").join(header)));
    }
}

#[test]
fn the_examples_do_what_the_readme_says() {
    let c = compile("notes-c", "c99", &[], &["examples/notes.c"]);
    let cpp = compile("notes-cpp", "c++17", &[], &["examples/notes.cpp"]);
    for program in [c, cpp] {
        let out = run(&mut Command::new(program));
        assert!(out.contains("\"title\":\"Hello\""), "{out}");
    }
}

/// The names of all functions that the header declares.
fn declared() -> BTreeSet<String> {
    let header = fs::read_to_string(root().join("include/echodb.h")).unwrap();
    header
        .lines()
        .filter(|line| line.contains('(') && !line.starts_with([' ', '/', '*', '#']))
        .filter(|line| !line.starts_with("typedef"))
        .map(|line| {
            let name = line.split('(').next().unwrap();
            name.rsplit([' ', '*']).next().unwrap().to_owned()
        })
        .collect()
}

#[test]
fn every_function_is_described_tested_and_wrapped() {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let header = read("include/echodb.h");
    let wrapper = read("include/echodb.hpp");
    let tests: Vec<String> = fs::read_dir(root().join("tests/c"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "c"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for name in declared() {
        let call = format!("{name}(");
        // The last mention is the declaration.
        let (before, _) = header.rsplit_once(&call).unwrap();
        let words = before.rsplit("/**").next().unwrap();
        for word in ["Ownership:", "NULL:", "Threads:", "Errors:", "Since 0."] {
            assert!(words.contains(word), "the comment on {name} lacks {word:?}");
        }
        assert!(
            tests.iter().any(|t| t.contains(&call)),
            "no C test calls {name}"
        );
        // `echodb_error_status` stands for itself: an exception carries the call's own status.
        let wrapped = wrapper.contains(&name) || name == "echodb_error_status";
        assert!(wrapped, "echodb.hpp does not use {name}");
    }
}

#[test]
fn exported_symbols_are_those_listed() {
    let exported = run(Command::new("nm")
        .args(["--dynamic", "--defined-only", "--format=posix"])
        .arg(library()));
    let names: BTreeSet<&str> = exported
        .lines()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let (ours, others): (BTreeSet<&str>, BTreeSet<&str>) =
        names.iter().partition(|name| name.starts_with("echodb_"));
    let foreign: Vec<_> = others.iter().filter(|name| !is_uniffi(name)).collect();
    assert!(foreign.is_empty(), "symbols that are not ours: {foreign:?}");

    let list = root().join("tests/abi/symbols.txt");
    // `ECHODB_BLESS=1` writes the list anew: a symbol may come, but none may go.
    if std::env::var_os("ECHODB_BLESS").is_some() {
        let lines: Vec<&str> = ours.iter().copied().collect();
        fs::write(&list, lines.join("\n") + "\n").unwrap();
    }
    let listed = fs::read_to_string(list).unwrap();
    let listed: BTreeSet<&str> = listed.lines().collect();
    // A symbol that goes breaks programs; one that comes has to be listed.
    assert_eq!(ours, listed, "compare tests/abi/symbols.txt");
    let declared = declared();
    let declared: BTreeSet<&str> = declared.iter().map(String::as_str).collect();
    assert_eq!(ours, declared, "compare include/echodb.h");
}

/// What other languages call, in the same library.
fn is_uniffi(name: &str) -> bool {
    ["uniffi_", "ffi_", "UNIFFI_META"]
        .iter()
        .any(|prefix| name.starts_with(prefix))
}

#[test]
fn the_library_carries_the_abi_version_in_its_name() {
    let header = fs::read_to_string(root().join("include/echodb.h")).unwrap();
    let line = header
        .lines()
        .find(|l| l.starts_with("#define ECHODB_ABI_VERSION"));
    let version = line.unwrap().rsplit(' ').next().unwrap();
    let dynamic = run(Command::new("readelf").arg("--dynamic").arg(library()));
    let soname = format!("[libechodb.so.{version}]");
    assert!(
        dynamic.contains(&soname),
        "no SONAME {soname} in\n{dynamic}"
    );
}
