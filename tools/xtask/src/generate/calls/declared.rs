//! What the sources of a language declare for programs.

use super::{braces, python};
use crate::run::Outcome;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A language that programs are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    C,
    Cpp,
    Python,
    Kotlin,
    Swift,
}

impl Language {
    pub const ALL: [Language; 5] = [
        Language::C,
        Language::Cpp,
        Language::Python,
        Language::Kotlin,
        Language::Swift,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Language::C => "C",
            Language::Cpp => "C++",
            Language::Python => "Python",
            Language::Kotlin => "Kotlin",
            Language::Swift => "Swift",
        }
    }

    /// Where its sources are, files or folders. A C++ program has the C header at hand too.
    pub fn places(self) -> &'static [&'static str] {
        match self {
            Language::C => &["include/echodb.h"],
            Language::Cpp => &[
                "include/echodb.hpp",
                "include/echodb_filter.hpp",
                "include/echodb_query.hpp",
                "include/echodb.h",
            ],
            Language::Python => &["bindings/python/echodb"],
            Language::Kotlin => &["bindings/kotlin/src/main/kotlin/dev/echodb"],
            Language::Swift => &["bindings/swift/Sources/EchoDB"],
        }
    }
}

/// The names that a language's sources declare: `create` alone, or `Space.create` for a member.
#[derive(Default)]
pub struct Declared {
    names: BTreeSet<String>,
    /// Everything that was read, to look up what is inherited.
    text: String,
}

impl Declared {
    /// Reads a language's sources in the workspace.
    pub fn read(root: &Path, language: Language) -> Outcome<Declared> {
        let mut files = Vec::new();
        for place in language.places() {
            collect(&root.join(place), &mut files)?;
        }
        files.sort();
        let mut declared = Declared::default();
        for file in &files {
            declared.add(language, &fs::read_to_string(file)?);
        }
        if let Some(package) = files.iter().find(|file| file.ends_with("__init__.py")) {
            declared.keep(&python::exported(&fs::read_to_string(package)?));
        }
        Ok(declared)
    }

    /// Keeps only what programs can import, and its members.
    fn keep(&mut self, exported: &BTreeSet<String>) {
        self.names.retain(|name| {
            let first = name.split('.').next().unwrap_or_default();
            exported.contains(first)
        });
    }

    /// Adds what a file declares.
    pub fn add(&mut self, language: Language, text: &str) {
        let names = match language {
            Language::C => c_names(text),
            Language::Cpp if text.contains("#ifndef ECHODB_H\n") => c_names(text),
            Language::Python => python::names(text),
            Language::Cpp | Language::Kotlin | Language::Swift => braces::names(language, text),
        };
        self.names.extend(names);
        self.text.push_str(text);
    }

    /// Whether a name is declared; `::` and `.` mean the same.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(&name.replace("::", "."))
    }

    /// Whether the sources hold a piece of text.
    pub fn says(&self, piece: &str) -> bool {
        self.text.contains(piece)
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Outcome<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
        return Ok(());
    }
    for entry in fs::read_dir(path)? {
        let path = entry?.path();
        let source = path
            .extension()
            .is_some_and(|end| ["py", "kt", "swift"].iter().any(|known| end == *known));
        if path.is_dir() || source {
            collect(&path, files)?;
        }
    }
    Ok(())
}

/// The functions, types and constants of a C header.
fn c_names(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    for line in text.lines() {
        if line.starts_with([' ', '/', '*', '}']) {
            continue;
        }
        if let Some(rest) = line.strip_prefix("#define ") {
            names.extend(rest.split(' ').next().map(str::to_owned));
        } else if let Some((_, rest)) = line.split_once("(*") {
            // A function type: `typedef void (*NAME)(…)`.
            names.extend(rest.split(')').next().map(str::to_owned));
        } else {
            let before = line.split('(').next().unwrap_or(line).trim_end_matches(';');
            names.extend(before.rsplit(|c| !is_word(c)).next().map(str::to_owned));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_declares_functions_types_and_constants() {
        let names = c_names(
            "#define ECHODB_OK 0\n\
             typedef struct echodb_space echodb_space;\n\
             typedef void (*echodb_destroy)(void *user_data);\n\
             const char *echodb_version(void);\n\
             echodb_status echodb_space_id(const echodb_space *space,\n\
             \x20                             echodb_buffer **out);\n",
        );
        for name in [
            "ECHODB_OK",
            "echodb_space",
            "echodb_destroy",
            "echodb_version",
            "echodb_space_id",
        ] {
            assert!(names.contains(name), "{name} is not in {names:?}");
        }
        assert!(!names.contains("out"));
    }
}
