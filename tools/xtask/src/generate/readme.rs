//! The examples in README.md: what stands there is what the tests run.

use crate::run::Outcome;
use std::fs;
use std::path::Path;

/// Where the README is.
pub const PATH: &str = "README.md";

/// Marker names in README.md and the files their text comes from, with the language of the fence.
const EXAMPLES: [(&str, &str, &str); 6] = [
    ("rust", "examples/notes.rs", "rust"),
    ("c", "examples/notes.c", "c"),
    ("cpp", "examples/notes.cpp", "cpp"),
    ("python", "bindings/python/examples/notes.py", "python"),
    ("kotlin", "bindings/kotlin/examples/Notes.kt", "kotlin"),
    ("swift", "bindings/swift/Examples/Notes/main.swift", "swift"),
];

/// README.md with the examples as they are in their files.
pub fn text(root: &Path) -> Outcome<String> {
    let mut readme = fs::read_to_string(root.join(PATH))?;
    for (name, file, language) in EXAMPLES {
        let source =
            fs::read_to_string(root.join(file)).map_err(|e| format!("cannot read {file}: {e}"))?;
        let block = format!("```{language}\n{}\n```", extract(&source, file)?);
        readme = replace(&readme, name, &block)?;
    }
    Ok(readme)
}

/// What stands between the lines that hold README-BEGIN and README-END.
fn extract(source: &str, file: &str) -> Outcome<String> {
    let lines: Vec<&str> = source.lines().collect();
    let find = |marker: &str| lines.iter().position(|line| line.contains(marker));
    match (find("README-BEGIN"), find("README-END")) {
        (Some(begin), Some(end)) if begin < end => Ok(lines[begin + 1..end].join("\n")),
        _ => Err(format!("{file} has no README-BEGIN and README-END").into()),
    }
}

/// Replaces what stands between `<!-- example NAME -->` and `<!-- end -->`.
fn replace(readme: &str, name: &str, block: &str) -> Outcome<String> {
    let begin = format!("<!-- example {name} -->\n");
    let missing = || format!("README.md has no place for the example {name}");
    let (before, rest) = readme.split_once(&begin).ok_or_else(missing)?;
    let (_, after) = rest.split_once("<!-- end -->").ok_or_else(missing)?;
    Ok(format!("{before}{begin}{block}\n<!-- end -->{after}"))
}
