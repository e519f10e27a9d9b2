//! Rules about the source text that the compiler does not check.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What each part of the library may import, besides itself. `ffi → api → runtime → {sync,
/// invitation, space} → {query, objects, authority, credential, schema} → {feed, identity} → model`: a part
/// sees what stands to its right, and its siblings only where the line says so. `runtime` names the plain
/// data types that `api` makes public (options, records, listeners), because it fills them; nothing
/// below it may.
const IMPORTS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("builder", &["model"]),
    ("feed", &["model"]),
    ("identity", &["model", "feed"]),
    ("authority", &["model", "feed", "identity"]),
    ("credential", &["model", "feed", "identity", "authority"]),
    ("objects", &["model", "feed", "identity"]),
    ("query", &["model", "feed", "identity"]),
    ("schema", &["model"]),
    (
        "sync",
        &["model", "feed", "identity", "authority", "objects", "query"],
    ),
    (
        "invitation",
        &["model", "feed", "identity", "authority", "objects", "query"],
    ),
    (
        "space",
        &[
            "model",
            "feed",
            "identity",
            "authority",
            "objects",
            "query",
            "schema",
        ],
    ),
    (
        "runtime",
        &[
            "model",
            "feed",
            "identity",
            "authority",
            "objects",
            "query",
            "schema",
            "credential",
            "sync",
            "invitation",
            "space",
            "api",
        ],
    ),
    ("api", &["model", "query", "runtime"]),
    ("ffi", &["model", "api", "runtime"]),
    // Not built into the library: it calls each part's decoders.
    (
        "fuzzing",
        &[
            "model",
            "feed",
            "identity",
            "authority",
            "objects",
            "query",
            "schema",
            "credential",
            "sync",
            "invitation",
            "space",
            "runtime",
        ],
    ),
];

/// What the parts below `runtime` may not touch: they do no I/O and read no clock.
const OUTSIDE: &[&str] = &[
    "tokio",
    "rusqlite",
    "webrtc::",
    "rtc::",
    "uniffi",
    "std::net",
    "std::fs",
    "std::thread",
    "std::process",
    "SystemTime",
    "Instant::now",
    "rand::",
    "SystemRandom",
];

/// Crates that must not come in: a second crypto library, a second copy of the curve.
const BANNED: &[&str] = &[
    "openssl",
    "openssl-sys",
    "native-tls",
    "aws-lc-rs",
    "aws-lc-sys",
];

const FUNCTION_LINES: usize = 70;
const FILE_LINES: usize = 600;

/// Longer than the rule allows, for the reason given; nothing may be added.
const LONG_FILES: &[(&str, &str)] = &[
    (
        "src/authority/tests.rs",
        "one list of rules, each with its test",
    ),
    (
        "src/invitation/simulation.rs",
        "tests: both machines against each other, and a hostile middle",
    ),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The tracked files whose names end in one of `endings`; every text file if there are none.
fn tracked(endings: &[&str]) -> Vec<(String, String)> {
    let listing = Command::new("git")
        .args(["ls-files", "--cached", "--others", "--exclude-standard"])
        .current_dir(root())
        .output();
    let names: Vec<String> = match listing {
        Ok(output) if output.status.success() => String::from_utf8(output.stdout)
            .expect("file names are UTF-8")
            .lines()
            .map(str::to_owned)
            .collect(),
        // An unpacked archive has no repository: then what is there counts.
        _ => walk(root()),
    };
    names
        .into_iter()
        .filter(|name| endings.is_empty() || endings.iter().any(|end| name.ends_with(end)))
        .filter_map(|name| {
            let text = fs::read_to_string(root().join(&name)).ok()?;
            Some((name, text))
        })
        .collect()
}

fn walk(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open: Vec<PathBuf> = vec![folder.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).expect("a folder of the project") {
            let path = entry.expect("an entry").path();
            let hidden = path
                .file_name()
                .is_some_and(|name| name == "target" || name == ".git");
            if path.is_dir() && !hidden {
                open.push(path);
            } else if let Ok(name) = path.strip_prefix(root()) {
                found.push(name.to_string_lossy().into_owned());
            }
        }
    }
    found
}

fn rust(folders: &[&str]) -> Vec<(String, String)> {
    let mut files = tracked(&[".rs"]);
    files.retain(|(name, _)| folders.iter().any(|folder| name.starts_with(folder)));
    assert!(!files.is_empty(), "no source found in {folders:?}");
    files
}

/// A line without its comment. A `//` within a string cuts the line too, which loses nothing here.
fn code(line: &str) -> &str {
    match line.find("//") {
        Some(at) if !line[..at].ends_with(':') => &line[..at],
        _ => line,
    }
}

/// Whether the file holds only tests, which may read golden files and the like.
fn is_test(name: &str) -> bool {
    ["tests/", "tests.rs", "simulation.rs"]
        .iter()
        .any(|test| name.contains(test))
}

/// The part of the library a file belongs to.
fn part(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("src/")?;
    let part = rest.split('/').next()?;
    Some(part.trim_end_matches(".rs"))
}

fn report(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n{}", broken.join("\n"));
}

/// The parts named by `crate::PART` in a line.
fn parts_named(line: &str) -> impl Iterator<Item = &str> {
    line.match_indices("crate::").map(|(at, found)| {
        let rest = &line[at + found.len()..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        &rest[..end]
    })
}

#[test]
fn imports_go_one_way() {
    let mut broken = Vec::new();
    for (name, text) in rust(&["src/"]) {
        let own = part(&name).expect("a file under src");
        if own == "lib" {
            continue;
        }
        let Some((_, allowed)) = IMPORTS.iter().find(|(part, _)| *part == own) else {
            broken.push(format!("{name}: {own} has no place in the order of parts"));
            continue;
        };
        for (number, line) in text.lines().enumerate() {
            for other in parts_named(code(line)) {
                let known = IMPORTS.iter().any(|(part, _)| *part == other);
                if known && other != own && !allowed.contains(&other) && !is_test(&name) {
                    broken.push(format!("{name}:{}: {own} imports {other}", number + 1));
                }
            }
        }
    }
    report("imports go one way, see ARCHITECTURE.md", &broken);
}

#[test]
fn nothing_below_runtime_touches_the_world() {
    let mut broken = Vec::new();
    for (name, text) in rust(&["src/"]) {
        let own = part(&name).expect("a file under src");
        // What is fuzzed is entered from beside all parts.
        let above = ["lib", "api", "ffi", "runtime", "fuzzing"];
        if above.contains(&own) || is_test(&name) {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            if line.contains("#[cfg(test)]") {
                break;
            }
            for outside in OUTSIDE {
                if code(line).contains(outside) {
                    broken.push(format!("{name}:{}: {outside}", number + 1));
                }
            }
        }
    }
    report(
        "no I/O, no clock, no randomness below runtime: they are passed in",
        &broken,
    );
}

#[test]
fn only_ffi_speaks_c() {
    let mut broken = Vec::new();
    for (name, text) in rust(&["src/"]) {
        // What SQLite calls is handed to it as pointers, and no symbol of the library.
        let called_by_sqlite = name.starts_with("src/runtime/storage/sealed/");
        if name.starts_with("src/ffi/") || called_by_sqlite {
            continue;
        }
        for (number, line) in text.lines().enumerate() {
            let line = code(line);
            if line.contains("extern \"C\"") || line.contains("no_mangle") {
                broken.push(format!("{name}:{}", number + 1));
            }
        }
    }
    report("only src/ffi defines C functions", &broken);
}

#[test]
fn functions_fit_a_screen() {
    let mut broken = Vec::new();
    for (name, text) in rust(&["src/", "tools/", "benches/"]) {
        let mut start: Option<(usize, usize)> = None;
        for (number, line) in text.lines().enumerate() {
            let indent = line.len() - line.trim_start().len();
            if start.is_none() && begins_function(line.trim_start()) && !line.ends_with(';') {
                start = Some((number, indent));
            }
            if let Some((begun, depth)) = start
                && indent == depth
                && (line.trim_start().starts_with('}') || line.trim_end().ends_with("{}"))
            {
                if number - begun + 1 > FUNCTION_LINES {
                    let lines = number - begun + 1;
                    broken.push(format!("{name}:{}: {lines} lines", begun + 1));
                }
                start = None;
            } else if let Some((_, depth)) = start
                && indent == depth
                && line.trim_end().ends_with(';')
            {
                start = None; // A declaration in a trait, over several lines.
            }
        }
    }
    report("a function has at most 70 lines", &broken);
}

/// rustfmt has laid the file out, so that a function begins a line of its own.
fn begins_function(line: &str) -> bool {
    const BEFORE: [&str; 7] = [
        "pub ",
        "pub(crate) ",
        "pub(super) ",
        "async ",
        "const ",
        "unsafe ",
        "extern \"C\" ",
    ];
    let mut rest = line;
    while let Some(shorter) = BEFORE.iter().find_map(|word| rest.strip_prefix(word)) {
        rest = shorter;
    }
    rest.starts_with("fn ")
}

#[test]
fn files_stay_readable() {
    let mut broken = Vec::new();
    for (name, text) in rust(&["src/", "tools/", "tests/", "benches/"]) {
        let lines = text.lines().count();
        if lines > FILE_LINES && !LONG_FILES.iter().any(|(long, _)| *long == name) {
            broken.push(format!("{name}: {lines} lines"));
        }
    }
    report("a file has at most 600 lines", &broken);
}

#[test]
fn nothing_is_left_over() {
    let left_over = ["todo!", "unimplemented!", "dbg!"].map(|word| format!("{word}("));
    let mut broken = Vec::new();
    for (name, text) in rust(&["src/", "tools/", "tests/", "benches/", "examples/"]) {
        for (number, line) in text.lines().enumerate() {
            if left_over.iter().any(|word| code(line).contains(word)) {
                broken.push(format!("{name}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    report("unfinished or debugging code", &broken);
}

#[test]
fn every_unsafe_block_says_why_it_is_sound() {
    let mut broken = Vec::new();
    for (name, text) in rust(&["src/", "tools/", "tests/", "benches/"]) {
        let lines: Vec<&str> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let words = code(line);
            let opens = words.contains("unsafe {") || words.trim_start().starts_with("unsafe impl");
            if !opens || words.contains("\"unsafe {") {
                continue;
            }
            let above = &lines[number.saturating_sub(8)..=number];
            if !above.iter().any(|line| line.contains("SAFETY:")) {
                broken.push(format!("{name}:{}", number + 1));
            }
        }
    }
    report("unsafe without a SAFETY comment", &broken);
}

#[test]
fn no_machine_is_named() {
    // Put together here, so that this file does not name them either.
    let machines: Vec<String> = [
        ["/", "root/"],
        ["/home", "/"],
        ["/", "work/"],
        ["/Us", "ers/"],
        ["static.crates", ".io"],
        ["index.crates", ".io"],
        ["files.python", "hosted.org"],
    ]
    .iter()
    .map(|parts| parts.concat())
    .collect();
    let mut broken = Vec::new();
    for (name, text) in tracked(&[]) {
        for (number, line) in text.lines().enumerate() {
            for machine in &machines {
                let named = line.match_indices(machine.as_str()).any(|(at, _)| {
                    // Within a longer path, such a part names no machine.
                    let before = line[..at].chars().next_back();
                    !machine.starts_with('/')
                        || !before.is_some_and(|c| c.is_alphanumeric() || "._-)}$\"".contains(c))
                        || before == Some('"')
                });
                if named {
                    broken.push(format!("{name}:{}: {machine}", number + 1));
                }
            }
        }
    }
    report("paths of a machine and registry hosts stay out", &broken);
}

#[test]
fn banned_crates_stay_out() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).expect("Cargo.lock is tracked");
    let names: Vec<&str> = lock
        .lines()
        .filter_map(|line| line.strip_prefix("name = \""))
        .map(|rest| rest.trim_end_matches('"'))
        .collect();
    let banned: BTreeSet<&str> = BANNED
        .iter()
        .copied()
        .filter(|banned| names.contains(banned))
        .collect();
    assert!(banned.is_empty(), "banned crates in Cargo.lock: {banned:?}");
    let copies = |name: &str| names.iter().filter(|found| **found == name).count();
    assert_eq!(
        copies("curve25519-dalek"),
        1,
        "one copy of the curve: two would be two to audit"
    );
}
