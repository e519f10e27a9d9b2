//! What a call costs in each language, against the same call in C; for C, against Rust.

use super::{Setting, build_program, program};
use crate::run::{Outcome, present, run, target, this_program};
use crate::{native, python, swift};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;
use std::process::Command;

/// What is measured: the programs of all languages know the same names.
const MEASURES: [&str; 5] = [
    "call_trivial",
    "call_record_1k",
    "call_list_1000",
    "call_bytes_64k",
    "call_callback",
];

/// A language besides C and Rust.
struct Language {
    name: &'static str,
    /// Why nothing of it can be built here, if so.
    absent: fn() -> Outcome<Option<String>>,
    /// Runs the measuring program, and returns what it printed.
    measure: fn(&Path, &str) -> Outcome<String>,
}

const LANGUAGES: [Language; 3] = [
    Language {
        name: "python",
        absent: || Ok((!present("python3")).then(|| "there is no Python 3".into())),
        measure: python::bench,
    },
    Language {
        name: "kotlin",
        absent: || Ok((!present("mvn")).then(|| "there is no Maven".into())),
        measure: |root, profile| by_command(root, &["kotlin", "bench", "--profile", profile]),
    },
    Language {
        name: "swift",
        // Installs a compiler if it can.
        absent: || match swift::find()? {
            swift::Found::Toolchain(_) => Ok(None),
            swift::Found::Missing(why) => Ok(Some(why)),
        },
        measure: |root, profile| by_command(root, &["swift", "bench", "--profile", profile]),
    },
];

/// Measures what is wanted; languages whose tools are absent are left out, and said so.
pub fn measure(root: &Path, setting: &Setting) -> Outcome<Vec<Value>> {
    let languages: Vec<&Language> = LANGUAGES
        .iter()
        .filter(|language| wants_any(setting, language.name))
        .collect();
    if languages.is_empty() && !wants_any(setting, "c") {
        return Ok(Vec::new());
    }
    if !present("gcc") {
        eprintln!("what calls cost is left out: there is no gcc, and C is the measure of it");
        return Ok(Vec::new());
    }
    let c = results(&in_c(root, &setting.profile)?)?;
    let mut rows = Vec::new();
    if wants_any(setting, "c") {
        build_program(root, &setting.profile, false)?;
        let rust = run(Command::new(program(root, &setting.profile)).arg("calls"))?;
        rows.extend(compare("c", &c, "the call in Rust", &results(&rust)?)?);
    }
    for language in languages {
        if let Some(why) = (language.absent)()? {
            eprintln!("what calls cost in {} is left out: {why}", language.name);
            continue;
        }
        let printed = (language.measure)(root, &setting.profile)?;
        rows.extend(compare(
            language.name,
            &results(&printed)?,
            "the call in C",
            &c,
        )?);
    }
    rows.retain(|row| {
        let name = row["name"].as_str().unwrap_or_default();
        setting.wants(name)
            || MEASURES
                .iter()
                .any(|m| setting.wants(m) && belongs(name, m))
    });
    Ok(rows)
}

/// Whether a row is one of a measure: `call_trivial_c` of `call_trivial`.
fn belongs(row: &str, measure: &str) -> bool {
    row.strip_prefix(measure)
        .is_some_and(|rest| rest.starts_with('_'))
}

fn wants_any(setting: &Setting, language: &str) -> bool {
    MEASURES
        .iter()
        .any(|measure| setting.wants(measure) || setting.wants(&format!("{measure}_{language}")))
}

/// A row for each measure.
fn compare(language: &str, values: &Value, bound: &str, bounds: &Value) -> Outcome<Vec<Value>> {
    let row = |measure: &&str| {
        let ns = |of: &Value| of[*measure]["ns"].as_f64();
        let (Some(value), Some(bound_value)) = (ns(values), ns(bounds)) else {
            return Err(format!("the program in {language} says nothing of {measure}").into());
        };
        Ok(json!({
            "name": format!("{measure}_{language}"),
            "value": value,
            "unit": "ns",
            "bound": bound,
            "bound_value": bound_value,
            "ratio": value / bound_value,
            "runs": values[*measure]["runs"],
        }))
    };
    MEASURES.iter().map(row).collect()
}

/// The JSON object that stands in the last line of what a program printed.
fn results(printed: &str) -> Outcome<Value> {
    let last = printed.trim_end().lines().next_back().unwrap_or_default();
    Ok(serde_json::from_str(last).map_err(|e| format!("{last:?} is not JSON: {e}"))?)
}

fn in_c(root: &Path, profile: &str) -> Outcome<String> {
    let library = native::library(root, profile)?;
    let folder = target(root).join("calls");
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    // Under the names that linker and loader look for.
    fs::copy(&library, folder.join("libechodb.so"))?;
    fs::copy(&library, folder.join("libechodb.so.0"))?;
    let program = folder.join("calls");
    run(Command::new("gcc")
        .args([
            "-std=c99",
            "-O2",
            "-Wall",
            "-Wextra",
            "-Werror",
            "-pedantic",
            "-pthread",
        ])
        .arg(format!("-I{}", root.join("include").display()))
        .arg(root.join("benches/calls/calls.c"))
        .arg("-o")
        .arg(&program)
        .arg(format!("-L{}", folder.display()))
        .arg(format!("-Wl,-rpath,{}", folder.display()))
        .arg("-lechodb"))?;
    run(&mut Command::new(program))
}

/// Has another command of this program build something and run it.
fn by_command(root: &Path, words: &[&str]) -> Outcome<String> {
    run(Command::new(this_program()?).args(words).current_dir(root))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_name_the_language_and_its_bound() {
        let values =
            results("building\n{\"call_trivial\": {\"ns\": 30.0, \"runs\": 7}}\n").unwrap();
        let missing = compare("python", &values, "the call in C", &values);
        assert!(missing.unwrap_err().to_string().contains("call_record_1k"));
        let all = |ns: f64| {
            let entries = MEASURES.map(|m| (m.to_owned(), json!({"ns": ns, "runs": 7})));
            Value::Object(entries.into_iter().collect())
        };
        let rows = compare("python", &all(30.0), "the call in C", &all(10.0)).unwrap();
        assert_eq!(rows.len(), MEASURES.len());
        assert_eq!(rows[0]["name"], "call_trivial_python");
        assert_eq!(
            (rows[0]["ratio"].as_f64(), rows[0]["runs"].as_u64()),
            (Some(3.0), Some(7))
        );
        assert!(
            belongs("call_trivial_c", "call_trivial") && !belongs("call_trivial", "call_trivial")
        );
    }
}
