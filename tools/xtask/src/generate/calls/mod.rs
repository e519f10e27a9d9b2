//! `docs/reference/calls.md`: what each call of the facade is named in each language. Made only if
//! every language declares every name, so that none can stay behind unnoticed.

mod api;
mod braces;
mod declared;
mod deviations;
mod names;
mod page;
mod python;
mod shapes;

use crate::run::Outcome;
use api::Api;
use declared::{Declared, Language};
use deviations::Deviation;
use std::fs;
use std::path::Path;

/// Where the page is checked in.
pub const PATH: &str = "docs/reference/calls.md";

/// What the languages of a workspace declare, those of them that it has.
type Languages = Vec<(Language, Declared)>;

/// One line of a table: what it is about, and its name in each language.
struct Row {
    item: String,
    names: Vec<String>,
}

/// The page as it should be; fails if a language lacks something.
pub fn text(root: &Path) -> Outcome<String> {
    let api = api::read(&root.join("src/api"))?;
    let mut languages = Languages::new();
    for language in Language::ALL {
        languages.push((language, Declared::read(root, language)?));
    }
    // Words that C and C++ get and give are in JSON, of answers and of options.
    let mut json = String::new();
    for name in [
        "records.rs",
        "blob_records.rs",
        "device_records.rs",
        "member_records.rs",
        "check_records.rs",
        "credential_records.rs",
        "space_why.rs",
        "import_options.rs",
    ] {
        json += &fs::read_to_string(root.join("src/ffi").join(name))?;
    }
    let mut lacking = Vec::new();
    let calls = calls(&api, &languages, deviations::DEVIATIONS, &mut lacking);
    let shapes = shapes::Tables::new(&api, &languages, &json, &mut lacking);
    match lacking.is_empty() {
        true => Ok(page::render(&languages, &calls, &shapes)),
        false => Err(lacking.join("\n").into()),
    }
}

/// The name of every call in every language; what is missing, and what is stale among the
/// deviations, is added to `lacking`.
fn calls(
    api: &Api,
    languages: &Languages,
    deviations: &[Deviation],
    lacking: &mut Vec<String>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for call in &api.calls {
        let path = call.path();
        let mut names = Vec::new();
        for (language, declared) in languages {
            let rule = names::of_call(call, *language);
            let deviation = deviations
                .iter()
                .find(|each| each.call == path && each.language == *language);
            if let Some(problem) = problem(&rule, deviation, declared) {
                lacking.push(format!("{path} in {}: {problem}", language.name()));
            }
            names.push(deviation.map_or(rule, |each| each.name.to_owned()));
        }
        rows.push(Row { item: path, names });
    }
    for each in deviations {
        if !rows.iter().any(|row| row.item == each.call) {
            let language = each.language.name();
            lacking.push(format!(
                "{} in {language}: there is no such call any more",
                each.call
            ));
        }
    }
    rows
}

/// What is wrong about a call's name, if anything is.
fn problem(rule: &str, deviation: Option<&Deviation>, declared: &Declared) -> Option<String> {
    let Some(deviation) = deviation else {
        return (!declared.has(rule)).then(|| format!("{rule} is not declared"));
    };
    if declared.has(rule) != deviation.taken {
        let taken = if deviation.taken {
            "not declared any more"
        } else {
            "declared"
        };
        return Some(format!("{rule} is {taken}, so the deviation is stale"));
    }
    let found = match deviation.inherited {
        Some(from) => declared.says(from),
        None => declared.has(deviation.name),
    };
    (!found).then(|| format!("{}, its deviation, is not declared", deviation.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lacking(python: &str, deviations: &[Deviation]) -> Vec<String> {
        let mut api = Api::default();
        api.add("impl Space { pub fn query(&self) {} pub fn flush(&self) {} }")
            .unwrap();
        let mut declared = Declared::default();
        declared.add(Language::Python, python);
        let mut lacking = Vec::new();
        let languages = vec![(Language::Python, declared)];
        calls(&api, &languages, deviations, &mut lacking);
        lacking
    }

    #[test]
    fn a_call_that_a_language_lacks_is_named() {
        let whole = "class Space:\n    def query(self):\n    def flush(self):\n";
        assert!(lacking(whole, &[]).is_empty());
        let partial = "class Space:\n    def query(self):\n    def _flush(self):\n";
        let [one] = &lacking(partial, &[])[..] else {
            panic!("one call is missing");
        };
        assert_eq!(one, "Space::flush in Python: Space.flush is not declared");
    }

    #[test]
    fn deviations_are_checked() {
        let deviation = |call, name| Deviation {
            call,
            language: Language::Python,
            name,
            inherited: None,
            taken: false,
            reason: "",
        };
        let text = "class Space:\n    def query(self):\n    def sync(self):\n";
        assert!(lacking(text, &[deviation("Space::flush", "Space.sync")]).is_empty());
        for (call, name, problem) in [
            ("Space::flush", "Space.barrier", "is not declared"),
            ("Space::query", "Space.sync", "is stale"),
            ("Space::gone", "Space.sync", "no such call"),
        ] {
            let found = lacking(text, &[deviation(call, name)]);
            assert!(found.iter().any(|each| each.contains(problem)), "{found:?}");
        }
    }
}
