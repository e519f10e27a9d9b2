//! What a person types to search for: words, phrases, alternatives; read here into a form of our
//! own, evaluated in memory or written as an FTS5 expression. Nothing that was typed reaches
//! SQLite but words, quoted.

use super::words;
use crate::model::{Error, Path, Result, limits};
use serde_json::Value as Json;

/// A search: which words, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// What was typed.
    pub(super) text: String,
    /// One of these must hold; of none, nothing is found.
    alternatives: Vec<Alternative>,
    /// The places to look at, with what is below them; of none, everywhere.
    pub(super) paths: Vec<Path>,
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Alternative {
    with: Vec<Phrase>,
    without: Vec<Phrase>,
}

/// Words that follow each other in one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Phrase {
    words: Vec<String>,
    /// The last word may go on.
    prefix: bool,
}

impl Search {
    /// Reads a search. Words must all occur; `"a phrase"` in this order; `pre*` begins a word;
    /// `-word` must not occur; `OR` separates alternatives. Whatever else is typed separates words.
    /// An alternative without a word that must occur finds nothing.
    pub fn parse(text: &str, paths: Vec<Path>) -> Result<Search> {
        if text.len() > limits::SEARCH_BYTES {
            return Err(Error::limit(format!(
                "a search may have {} bytes, not {}",
                limits::SEARCH_BYTES,
                text.len()
            )));
        }
        let mut alternatives = vec![Alternative::default()];
        let mut count = 0;
        let mut rest = text.trim_start();
        while !rest.is_empty() {
            let item = Item::read(rest);
            rest = item.rest.trim_start();
            if item.is_or() {
                alternatives.push(Alternative::default());
                continue;
            }
            let words = words::words(item.text);
            count += words.len();
            if let (false, Some(last)) = (words.is_empty(), alternatives.last_mut()) {
                let phrase = Phrase {
                    words,
                    prefix: item.prefix,
                };
                match item.negated {
                    true => last.without.push(phrase),
                    false => last.with.push(phrase),
                }
            }
        }
        if count > limits::SEARCH_WORDS {
            return Err(Error::limit(format!(
                "a search may have {} words, not {count}",
                limits::SEARCH_WORDS
            )));
        }
        alternatives.retain(|alternative| !alternative.with.is_empty());
        Ok(Search {
            text: text.to_owned(),
            alternatives,
            paths,
        })
    }

    /// The search as an FTS5 expression over words with spaces between; `None` when it finds
    /// nothing. Without `exact`, what must not occur is left out, which finds more.
    pub(super) fn fts(&self, exact: bool) -> Option<String> {
        let alternatives: Vec<String> = self
            .alternatives
            .iter()
            .map(|alternative| {
                let with = joined(&alternative.with, " AND ");
                match alternative.without.as_slice() {
                    without if exact && !without.is_empty() => {
                        format!("(({with}) NOT ({}))", joined(without, " OR "))
                    }
                    _ => format!("({with})"),
                }
            })
            .collect();
        (!alternatives.is_empty()).then(|| alternatives.join(" OR "))
    }

    /// Whether the search finds an object with these strings.
    pub fn finds(&self, texts: &[&str]) -> bool {
        let values: Vec<Vec<String>> = texts.iter().map(|text| words::words(text)).collect();
        let occurs = |phrase: &Phrase| values.iter().any(|words| phrase.occurs(words));
        self.alternatives.iter().any(|alternative| {
            alternative.with.iter().all(occurs) && !alternative.without.iter().any(occurs)
        })
    }

    /// Whether the search finds an object with these fields, in plain form.
    pub(super) fn matches(&self, plain: &Json) -> bool {
        let mut texts = Vec::new();
        for place in self.places(plain) {
            words::each_string(place, &mut |text| texts.push(text));
        }
        self.finds(&texts)
    }

    /// The values that are looked at.
    pub(super) fn places<'a>(&self, plain: &'a Json) -> Vec<&'a Json> {
        if self.paths.is_empty() {
            return vec![plain];
        }
        let found = self.paths.iter();
        found
            .filter_map(|path| super::fields::at(plain, path))
            .collect()
    }

    /// The phrases that an excerpt shows.
    pub(super) fn shown(&self) -> impl Iterator<Item = &Phrase> {
        self.alternatives.iter().flat_map(|a| &a.with)
    }
}

impl Phrase {
    /// How many words it has; never none.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether these words are the phrase.
    pub(super) fn is<W: AsRef<str>>(&self, words: &[W]) -> bool {
        let last = self.words.len().saturating_sub(1);
        words.len() == self.words.len()
            && self.words.iter().zip(words).enumerate().all(|(i, pair)| {
                let (wanted, word) = (pair.0.as_str(), pair.1.as_ref());
                match self.prefix && i == last {
                    true => word.starts_with(wanted),
                    false => word == wanted,
                }
            })
    }

    fn occurs(&self, words: &[String]) -> bool {
        words.windows(self.len().max(1)).any(|some| self.is(some))
    }

    /// Words are letters and digits only, so that the quotes hold.
    fn fts(&self) -> String {
        let star = if self.prefix { " *" } else { "" };
        format!("\"{}\"{star}", self.words.join(" "))
    }
}

fn joined(phrases: &[Phrase], operator: &str) -> String {
    let all: Vec<String> = phrases.iter().map(Phrase::fts).collect();
    all.join(operator)
}

/// One item of what was typed.
struct Item<'a> {
    text: &'a str,
    quoted: bool,
    negated: bool,
    prefix: bool,
    rest: &'a str,
}

impl<'a> Item<'a> {
    /// Reads the item that `input` begins with; `input` is not empty.
    fn read(input: &'a str) -> Item<'a> {
        let (negated, input) = match input.strip_prefix('-') {
            Some(after) => (true, after),
            None => (false, input),
        };
        if let Some(inner) = input.strip_prefix('"') {
            let (text, rest) = inner.split_once('"').unwrap_or((inner, ""));
            let (prefix, rest) = match rest.strip_prefix('*') {
                Some(after) => (true, after),
                None => (false, rest),
            };
            return Item {
                text,
                quoted: true,
                negated,
                prefix,
                rest,
            };
        }
        let end = input.find(|c: char| c.is_whitespace() || c == '"');
        let (text, rest) = input.split_at(end.unwrap_or(input.len()));
        Item {
            text,
            quoted: false,
            negated,
            prefix: text.ends_with('*'),
            rest,
        }
    }

    fn is_or(&self) -> bool {
        self.text == "OR" && !self.quoted && !self.negated
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fts(text: &str) -> String {
        let search = Search::parse(text, Vec::new()).expect(text);
        search.fts(true).unwrap_or_default()
    }

    #[test]
    fn searches_become_safe_expressions() {
        for (text, want) in [
            ("Red Rose", r#"("red" AND "rose")"#),
            (r#""red rose" bush"#, r#"("red rose" AND "bush")"#),
            ("e-mail", r#"("e mail")"#),
            (r#"ro* "red ro"*"#, r#"("ro" * AND "red ro" *)"#),
            ("red -rose", r#"(("red") NOT ("rose"))"#),
            (r#"red -rose -"a b""#, r#"(("red") NOT ("rose" OR "a b"))"#),
            ("red rose OR tulip", r#"("red" AND "rose") OR ("tulip")"#),
            ("OR red OR OR -x OR", r#"("red")"#),
            (r#""OR" or"#, r#"("or" AND "or")"#),
            ("-rose", ""),
            (" \" * - \"\" -\"", ""),
            (
                "NEAR(a b) AND x:y ^z {c}",
                r#"("near a" AND "b" AND "and" AND "x y" AND "z" AND "c")"#,
            ),
            (
                "' ; DROP TABLE words --",
                r#"("drop" AND "table" AND "words")"#,
            ),
            ("unclosed \"quote here", r#"("unclosed" AND "quote here")"#),
        ] {
            assert_eq!(fts(text), want, "{text}");
        }
        assert!(Search::parse(&"a ".repeat(limits::SEARCH_WORDS + 1), vec![]).is_err());
        assert!(Search::parse(&" ".repeat(limits::SEARCH_BYTES + 1), vec![]).is_err());
    }

    #[test]
    fn phrases_stay_within_a_value() {
        let search = Search::parse("\"red rose\"", vec![]).expect("a search");
        assert!(search.finds(&["a Red, rose"]));
        assert!(!search.finds(&["red", "rose"]));
        let search = Search::parse("red ros* -thorn OR tulip", vec![]).expect("a search");
        assert!(search.finds(&["roses", "red"]));
        assert!(!search.finds(&["roses red", "thorn"]));
        assert!(search.finds(&["thorn tulip"]));
    }
}
