//! `cargo xtask generate`: files that are made from others and checked in, so that a change of the
//! interface shows in a diff.

mod calls;
mod header;
mod readme;

use crate::run::Outcome;
use std::fs;
use std::path::{Path, PathBuf};

/// `cargo xtask generate [--check]`.
pub fn main(root: &Path, arguments: &[String]) -> Outcome<()> {
    let check = match arguments {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask generate [--check]".into()),
    };
    let stale = generate(root, check)?;
    for path in &stale {
        let what = if check { "stale" } else { "wrote" };
        println!("{what}: {}", path.display());
    }
    match check && !stale.is_empty() {
        true => Err("run `cargo xtask generate` and commit the outcome".into()),
        false => Ok(()),
    }
}

/// Rewrites what is stale, or only names it when `check` is set. Returns the stale files; fails if a
/// language lacks a call.
pub fn generate(root: &Path, check: bool) -> Outcome<Vec<PathBuf>> {
    // One after the other: the table of calls reads the header.
    type Text = fn(&Path) -> Outcome<String>;
    let wanted: [(&str, Text); 3] = [
        (header::PATH, |root| Ok(header::text(root))),
        (readme::PATH, readme::text),
        (calls::PATH, calls::text),
    ];
    let mut stale = Vec::new();
    for (file, text) in wanted {
        let text = text(root)?;
        let path = root.join(file);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if !check {
            fs::create_dir_all(path.parent().unwrap_or(root))?;
            fs::write(&path, text)?;
        }
        stale.push(path);
    }
    Ok(stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_generated_is_current() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let stale = generate(&root, true).unwrap();
        assert!(stale.is_empty(), "run `cargo xtask generate`: {stale:?}");
    }
}
