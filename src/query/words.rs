//! The words of a text, as searches see them: one reading for the index, for searches, for live
//! queries and for excerpts, so that these cannot disagree.
//!
//! A word is a run of letters and digits, in lower case, in compatibility form (NFKD, Unicode
//! Standard Annex 15) and without diacritics. Scripts that are written without spaces give one
//! word a character, so that a search for several characters is a search for a phrase.

use serde_json::Value as Json;
use std::ops::Range;
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// Characters of a word that count; what follows them is not looked at.
const WORD_CHARS: usize = 64;

/// Stands between the values of an object in the index, so that no phrase reaches from one into
/// another. It is no letter, so that no search can ask for it.
const BETWEEN: &str = "\u{E000}";

/// Calls `each` with every word of a text and the bytes it takes there.
pub(super) fn each_word(text: &str, mut each: impl FnMut(&str, Range<usize>)) {
    let mut reader = Reader::default();
    for (at, c) in text.char_indices() {
        let after = at + c.len_utf8();
        if c.is_ascii_alphanumeric() {
            reader.begin(at, &mut each);
            reader.push(c.to_ascii_lowercase());
            reader.range.end = after;
        } else if c.is_ascii() {
            reader.finish(&mut each);
        } else if is_combining_mark(c) {
            // A mark belongs to what it follows, and begins nothing.
            if !reader.word.is_empty() {
                reader.fold(c);
                reader.range.end = after;
            }
        } else if c.is_alphanumeric() {
            let alone = stands_alone(c);
            if alone {
                reader.finish(&mut each);
            }
            reader.begin(at, &mut each);
            reader.fold(c);
            reader.range.end = after;
            reader.closed = alone;
        } else {
            reader.finish(&mut each);
        }
    }
    reader.finish(&mut each);
}

/// A word that is being read.
#[derive(Default)]
struct Reader {
    word: String,
    chars: usize,
    range: Range<usize>,
    /// Takes nothing more but marks.
    closed: bool,
}

impl Reader {
    fn begin(&mut self, at: usize, each: &mut impl FnMut(&str, Range<usize>)) {
        if self.closed {
            self.finish(each);
        }
        if self.word.is_empty() {
            self.range.start = at;
        }
    }

    fn finish(&mut self, each: &mut impl FnMut(&str, Range<usize>)) {
        if !self.word.is_empty() {
            each(&self.word, self.range.clone());
        }
        self.word.clear();
        self.chars = 0;
        self.closed = false;
    }

    fn push(&mut self, c: char) {
        if self.chars < WORD_CHARS {
            self.word.push(c);
            self.chars += 1;
        }
    }

    fn fold(&mut self, c: char) {
        decompose_compatible(c, |part| {
            for c in part.to_lowercase() {
                match c {
                    'ς' => self.push('σ'),
                    c if is_diacritic(c) => {}
                    c if c.is_alphanumeric() || is_combining_mark(c) => self.push(c),
                    _ => {}
                }
            }
        });
    }
}

/// Marks that many leave out when they type: those of Latin, Greek and Cyrillic, and the vowel
/// signs of Hebrew and Arabic. The vowel signs of other scripts tell words apart and stay.
fn is_diacritic(c: char) -> bool {
    matches!(c,
        '\u{300}'..='\u{36F}' | '\u{591}'..='\u{5C7}' | '\u{610}'..='\u{61A}'
        | '\u{64B}'..='\u{65F}' | '\u{670}' | '\u{6D6}'..='\u{6ED}'
        | '\u{1AB0}'..='\u{1AFF}' | '\u{1DC0}'..='\u{1DFF}' | '\u{20D0}'..='\u{20FF}'
        | '\u{FE20}'..='\u{FE2F}')
        && is_combining_mark(c)
}

/// Scripts without spaces between words: Thai, Lao, Burmese, Khmer, Chinese, Japanese.
fn stands_alone(c: char) -> bool {
    matches!(c,
        '\u{E00}'..='\u{EFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}'
        | '\u{2E80}'..='\u{2FDF}' | '\u{3005}'..='\u{3007}' | '\u{3040}'..='\u{30FF}'
        | '\u{31F0}'..='\u{31FF}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{FF66}'..='\u{FF9D}' | '\u{20000}'..='\u{3FFFF}')
}

/// The words of a text.
pub(super) fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    each_word(text, |word, _| words.push(word.to_owned()));
    words
}

/// Calls `each` with every string within a value: in lists and maps too, names of fields not.
pub fn each_string<'a>(json: &'a Json, each: &mut impl FnMut(&'a str)) {
    match json {
        Json::String(text) => each(text),
        Json::Array(items) => items.iter().for_each(|item| each_string(item, each)),
        Json::Object(map) => map.values().for_each(|item| each_string(item, each)),
        _ => {}
    }
}

/// What stands for an object in the index: its words, with spaces between. `fields` is its plain
/// JSON.
pub fn indexed(fields: &Json) -> String {
    let mut out = String::new();
    each_string(fields, &mut |text| {
        if !out.is_empty() {
            out.push_str(BETWEEN);
            out.push(' ');
        }
        each_word(text, |word, _| {
            out.push_str(word);
            out.push(' ');
        });
    });
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_folded_and_know_their_place() {
        for (text, want) in [
            ("Hello, World!", vec!["hello", "world"]),
            ("Crème brûlée", vec!["creme", "brulee"]),
            ("cre\u{300}me", vec!["creme"]),
            ("don't e-mail a_b", vec!["don", "t", "e", "mail", "a", "b"]),
            ("ΣΊΣΥΦΟΣ σίσυφος", vec!["σισυφοσ", "σισυφοσ"]),
            ("İstanbul ﬁne", vec!["istanbul", "fine"]),
            ("東京tower", vec!["東", "京", "tower"]),
            ("が か\u{3099}", vec!["か\u{3099}", "か\u{3099}"]),
            ("हिन्दी", vec!["हिन्दी"]),
            ("\u{301} \u{E000} 😀 ½ ", vec!["12"]),
            ("x\0y\u{FFFF}", vec!["x", "y"]),
        ] {
            assert_eq!(words(text), want, "{text}");
            each_word(text, |_, range| assert!(!text[range].trim().is_empty()));
        }
        let mut places = Vec::new();
        each_word("né 東京!", |_, range| places.push(range));
        assert_eq!(places, [0..3, 4..7, 7..10]);
        assert_eq!(words(&"ab".repeat(100)), ["ab".repeat(32)]);
    }
}
