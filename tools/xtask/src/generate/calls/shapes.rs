//! Records, enumerations and statuses in each language.

use super::api::{Api, Enumeration, Record};
use super::declared::{Declared, Language};
use super::deviations::{SHAPES, Shape, TYPES};
use super::{Languages, Row, names};
use echodb::model::ErrorKind;

/// Types that are no type of their own in the languages, and what they are instead.
pub const ABSENT: &[(&str, &str)] = &[
    (
        "ClientOptions",
        "arguments of opening a client; an object of options in C and C++",
    ),
    (
        "InviteOptions",
        "arguments of an invitation; an object of options in C and C++",
    ),
    (
        "JoinOptions",
        "arguments of joining; an object of options in C and C++",
    ),
    (
        "RecoverOptions",
        "arguments of recovering; an object of options in C and C++",
    ),
    (
        "QrModules",
        "in C and C++ its bytes alone, as many rows as columns",
    ),
    ("SearchOptions", "arguments of a search; JSON in C and C++"),
    ("IceServer", "an argument of opening a client"),
    ("LiveOptions", "arguments of a live query"),
    ("CommittedObject", "an entry of the map in `Committed`"),
    ("LogLevel", "numbers of `logging` in Python"),
    (
        "LogRecord",
        "arguments of the callback in C and C++, a record of `logging` in Python",
    ),
    (
        "TextUnit",
        "not chosen: bytes in C and C++, code points in Python, UTF-16 units in Kotlin, both \
         these and `String.Index` in Swift",
    ),
];

/// The tables that follow that of the calls.
pub struct Tables {
    pub records: Vec<Row>,
    pub variants: Vec<Row>,
    pub statuses: Vec<Row>,
}

impl Tables {
    /// Looks everything up; what a language lacks, and which of [`SHAPES`] are stale, is added to
    /// `lacking`.
    pub fn new(api: &Api, languages: &Languages, json: &str, lacking: &mut Vec<String>) -> Tables {
        let present = |name: &str| !ABSENT.iter().any(|(absent, _)| *absent == name);
        let mut lookup = Lookup {
            languages,
            json,
            lacking,
        };
        let mut records = Vec::new();
        for record in api.records.iter().filter(|r| present(&r.name)) {
            records.extend(lookup.record(record));
        }
        let mut variants = Vec::new();
        for enumeration in api.enumerations.iter().filter(|e| present(&e.name)) {
            variants.extend(lookup.enumeration(enumeration));
        }
        let statuses = ErrorKind::ALL.map(|kind| lookup.status(kind)).into();
        let known = |item: &str| {
            records
                .iter()
                .chain(&variants)
                .any(|row: &Row| row.item == item)
        };
        for shape in SHAPES {
            let (owner, _) = shape.item.split_once("::").unwrap_or_default();
            if present(owner) && !known(shape.item) {
                lacking.push(format!("{}: there is no such thing any more", shape.item));
            }
        }
        let types = api.records.iter().map(|each| &each.name);
        let types: Vec<_> = types
            .chain(api.enumerations.iter().map(|each| &each.name))
            .collect();
        for (absent, _) in ABSENT {
            if !types.iter().any(|name| *name == absent) {
                lacking.push(format!("{absent}: there is no such type any more"));
            }
        }
        Tables {
            records,
            variants,
            statuses,
        }
    }
}

struct Lookup<'a> {
    languages: &'a Languages,
    /// Where C's records are written.
    json: &'a str,
    lacking: &'a mut Vec<String>,
}

impl Lookup<'_> {
    fn record(&mut self, record: &Record) -> Vec<Row> {
        let mut rows = Vec::new();
        for field in &record.fields {
            let item = format!("{}::{}", record.name, field.name);
            let mut names = Vec::new();
            for (language, declared) in self.languages {
                let name = match shape(&item, *language) {
                    Some(shape) => shape.name.to_owned(),
                    None => names::of_field(field, *language),
                };
                let name = match language {
                    // The key is all that there is.
                    Language::C | Language::Cpp => name,
                    _ => format!("{}.{name}", type_name(&record.name, *language)),
                };
                let found = match language {
                    Language::C | Language::Cpp => self.json.contains(&c_key(&item, &name)),
                    _ => declared.has(&name),
                };
                self.expect(found, &item, *language, &name);
                names.push(match language {
                    Language::C | Language::Cpp => c_key(&item, &name),
                    _ => name,
                });
            }
            rows.push(Row { item, names });
        }
        rows
    }

    fn enumeration(&mut self, enumeration: &Enumeration) -> Vec<Row> {
        let mut rows = Vec::new();
        for variant in &enumeration.variants {
            let item = format!("{}::{variant}", enumeration.name);
            let mut names = Vec::new();
            for (language, declared) in self.languages {
                let name = match shape(&item, *language) {
                    Some(shape) => format!("{}.{}", enumeration.name, shape.name),
                    None => names::of_variant(&enumeration.name, variant, *language),
                };
                let found = match name.starts_with('"') {
                    true => self.json.contains(&name),
                    false => declared.has(&name),
                };
                self.expect(found, &item, *language, &name);
                names.push(name);
            }
            rows.push(Row { item, names });
        }
        rows
    }

    /// A status: its name, and its number beside it in the sources.
    fn status(&mut self, kind: ErrorKind) -> Row {
        let number = kind.status();
        let thrown = thrown(kind);
        let word = kind.name().to_uppercase();
        let mut names = Vec::new();
        for (language, declared) in self.languages {
            let (name, definition) = match language {
                Language::C | Language::Cpp => (
                    format!("ECHODB_{word}"),
                    format!("ECHODB_{word} {number}\n"),
                ),
                Language::Python => (format!("Status.{word}"), format!("{word} = {number}\n")),
                Language::Kotlin => (format!("Status.{word}"), format!("{word}({number})")),
                Language::Swift => {
                    let definition = format!("Status(rawValue: {number})");
                    (format!("Status.{}", names::camel(kind.name())), definition)
                }
            };
            let found = declared.has(&name) && declared.says(&definition);
            self.expect(found, &format!("status {number}"), *language, &name);
            self.expect(
                has_thrown(&thrown, *language, declared),
                "errors",
                *language,
                &thrown,
            );
            names.push(name);
        }
        Row {
            item: format!("{number} {thrown}"),
            names,
        }
    }

    fn expect(&mut self, found: bool, item: &str, language: Language, name: &str) {
        if !found {
            let language = language.name();
            self.lacking
                .push(format!("{item} in {language}: {name} is not declared"));
        }
    }
}

fn shape(item: &str, language: Language) -> Option<&'static Shape> {
    SHAPES
        .iter()
        .find(|shape| shape.item == item && shape.languages.contains(&language))
}

fn type_name(name: &str, language: Language) -> &str {
    TYPES
        .iter()
        .find(|(of, in_language, _)| *of == name && *in_language == language)
        .map_or(name, |(_, _, instead)| instead)
}

/// The key in JSON, which has one short name of its own.
fn c_key(item: &str, name: &str) -> String {
    match item.ends_with("::type_name") {
        true => "\"type\"".to_owned(),
        false => format!("\"{name}\""),
    }
}

/// The class of exceptions that a call throws which fails so.
fn thrown(kind: ErrorKind) -> String {
    let error: echodb::EchoError = echodb::model::Error::new(kind, "").into();
    let text = format!("{error:?}");
    text.split([' ', '{']).next().unwrap_or_default().to_owned()
}

/// Whether a language has the class of exceptions.
fn has_thrown(name: &str, language: Language, declared: &Declared) -> bool {
    match language {
        Language::C | Language::Cpp => true,
        Language::Python => declared.has(name),
        Language::Kotlin => declared.has(&format!("EchoException.{name}")),
        Language::Swift => declared.has(&format!("Kind.{}", names::camel(&names::snake(name)))),
    }
}
