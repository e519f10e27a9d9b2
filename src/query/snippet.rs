//! Excerpts: the stretch of an object's own text in which most of a search occurs. What was found
//! is told as ranges beside the text and never marked within it, so that no text can pretend.

use super::search::{Phrase, Search};
use super::words;
use crate::model::path::escaped;
use serde_json::Value as Json;
use std::ops::Range;

/// Occurrences looked at in one value: an excerpt from the first thousand is good enough.
const OCCURRENCES: usize = 1000;

/// An excerpt of one value. Positions are bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snippet<'a> {
    /// The value's place, a JSON Pointer.
    pub path: String,
    /// The whole value.
    pub value: &'a str,
    /// The excerpt in it.
    pub excerpt: Range<usize>,
    /// What was found, within the excerpt: rising, apart from each other, counted in the value.
    pub found: Vec<Range<usize>>,
}

/// An occurrence of a phrase.
struct Occurrence {
    range: Range<usize>,
    phrase: usize,
}

/// The best excerpt of about `chars` characters, at most; `None` when the search occurs nowhere.
pub fn snippet<'a>(search: &Search, plain: &'a Json, chars: usize) -> Option<Snippet<'a>> {
    let phrases: Vec<&Phrase> = search.shown().collect();
    let mut best: Option<(usize, Snippet<'a>)> = None;
    let mut look = |path: &str, value: &'a str| {
        let found = occurrences(&phrases, value);
        if let Some((score, window)) = densest(&found, value, chars)
            && best.as_ref().is_none_or(|(top, _)| score > *top)
        {
            let excerpt = around(value, window, chars);
            let snippet = Snippet {
                path: path.to_owned(),
                value,
                found: ranges(&found, &excerpt),
                excerpt,
            };
            best = Some((score, snippet));
        }
    };
    if search.paths.is_empty() {
        walk(plain, &mut String::new(), &mut look);
    }
    for path in &search.paths {
        if let Some(place) = super::fields::at(plain, path) {
            walk(place, &mut path.to_string(), &mut look);
        }
    }
    best.map(|(_, snippet)| snippet)
}

fn walk<'a>(json: &'a Json, path: &mut String, look: &mut impl FnMut(&str, &'a str)) {
    let length = path.len();
    let mut below = |step: &str, item: &'a Json| {
        path.push('/');
        path.push_str(step);
        walk(item, path, look);
        path.truncate(length);
    };
    match json {
        Json::String(text) => look(path, text),
        Json::Array(items) => {
            for (i, item) in items.iter().enumerate() {
                below(&i.to_string(), item);
            }
        }
        Json::Object(map) => map
            .iter()
            .for_each(|(key, item)| below(&escaped(key), item)),
        _ => {}
    }
}

fn occurrences(phrases: &[&Phrase], value: &str) -> Vec<Occurrence> {
    let mut all: Vec<(String, Range<usize>)> = Vec::new();
    words::each_word(value, |word, range| all.push((word.to_owned(), range)));
    let (texts, places): (Vec<String>, Vec<Range<usize>>) = all.into_iter().unzip();
    let mut found = Vec::new();
    for first in 0..texts.len() {
        for (phrase, wanted) in phrases.iter().enumerate() {
            let words = texts.get(first..first + wanted.len());
            let places = places.get(first..first + wanted.len());
            if let (Some(words), Some([from, ..]), Some([.., to])) = (words, places, places)
                && wanted.is(words)
            {
                let range = from.start..to.end;
                found.push(Occurrence { range, phrase });
            }
        }
        if found.len() >= OCCURRENCES {
            break;
        }
    }
    found
}

/// The stretch of at most `chars` characters, from an occurrence to an occurrence, in which most
/// different phrases occur, and then most occurrences; with how good it is.
fn densest(found: &[Occurrence], value: &str, chars: usize) -> Option<(usize, Range<usize>)> {
    let mut best: Option<(usize, Range<usize>)> = None;
    for (i, first) in found.iter().enumerate() {
        let end = forward(value, first.range.start, chars);
        let rest = found.get(i..).unwrap_or_default();
        let (mut seen, mut count, mut to) = (0u128, 0, first.range.end);
        for next in rest.iter().take_while(|next| next.range.start < end) {
            if count > 0 && next.range.end > end {
                continue;
            }
            // Searches have at most that many words, so that phrases have a bit each.
            seen |= 1u128.checked_shl(next.phrase as u32).unwrap_or_default();
            count += 1;
            to = to.max(next.range.end);
        }
        let score = seen.count_ones() as usize * (OCCURRENCES * 2) + count;
        if best.as_ref().is_none_or(|(top, _)| score > *top) {
            best = Some((score, first.range.start..to));
        }
    }
    best
}

/// Widens a stretch to about `chars` characters, from word to word.
fn around(value: &str, window: Range<usize>, chars: usize) -> Range<usize> {
    let inside = value.get(window.clone()).unwrap_or_default();
    let spare = chars.saturating_sub(inside.chars().count());
    let mut start = backward(value, window.start, spare / 2);
    let mut end = forward(value, start, chars);
    if end == value.len() {
        // What the end does not need, the beginning may have.
        start = backward(value, end, chars).min(window.start);
    }
    // A word that is cut is left out.
    if start > 0 && joins(value, start) {
        start = edge(value, start..window.start.min(end)).unwrap_or(start);
    }
    if end < value.len() && end > window.end && joins(value, end) {
        end = edge_back(value, window.end..end).unwrap_or(end);
    }
    start..end
}

/// Whether a word goes on at this place.
fn joins(value: &str, at: usize) -> bool {
    let (before, after) = value.split_at_checked(at).unwrap_or_default();
    before
        .chars()
        .next_back()
        .is_some_and(char::is_alphanumeric)
        && after.chars().next().is_some_and(char::is_alphanumeric)
}

/// Where the first gap between words in a stretch ends, within the stretch.
fn edge(value: &str, range: Range<usize>) -> Option<usize> {
    let text = value.get(range.clone())?;
    let gap = text.find(|c: char| !c.is_alphanumeric())?;
    let next = text.get(gap..)?.find(char::is_alphanumeric);
    Some(next.map_or(range.end, |skipped| range.start + gap + skipped))
}

/// Where the last gap between words in a stretch begins.
fn edge_back(value: &str, range: Range<usize>) -> Option<usize> {
    let text = value.get(range.clone())?;
    let gap = text.rfind(|c: char| !c.is_alphanumeric())?;
    let kept = text.get(..gap)?.trim_end();
    Some(range.start + kept.len())
}

fn ranges(found: &[Occurrence], excerpt: &Range<usize>) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = found
        .iter()
        .map(|o| o.range.start.max(excerpt.start)..o.range.end.min(excerpt.end))
        .filter(|range| range.start < range.end)
        .collect();
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut apart: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match apart.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => apart.push(range),
        }
    }
    apart
}

fn forward(value: &str, from: usize, chars: usize) -> usize {
    let after = value.get(from..).unwrap_or_default();
    after
        .char_indices()
        .nth(chars)
        .map_or(value.len(), |(at, _)| from + at)
}

fn backward(value: &str, from: usize, chars: usize) -> usize {
    let before = value.get(..from).unwrap_or_default();
    match chars {
        0 => from,
        n => before
            .char_indices()
            .rev()
            .nth(n - 1)
            .map_or(0, |(at, _)| at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown(search: &str, plain: &Json, chars: usize) -> Option<(String, String, Vec<String>)> {
        let search = Search::parse(search, Vec::new()).expect("a search");
        let found = snippet(&search, plain, chars)?;
        let words = found
            .found
            .iter()
            .map(|r| found.value[r.clone()].to_owned());
        let text = found.value[found.excerpt.clone()].to_owned();
        Some((found.path, text, words.collect()))
    }

    #[test]
    fn the_densest_stretch_is_shown() {
        let text = "one two three four five six seven eight nine ten five eleven twelve six five";
        let plain = json!({"a": ["no"], "b/c": {"d": text}});
        let (path, excerpt, words) = shown("five six", &plain, 30).expect("found");
        assert_eq!(path, "/b~1c/d");
        assert_eq!(words, ["five", "six", "five"]);
        assert_eq!(excerpt, "five eleven twelve six five");
        assert!(excerpt.chars().count() <= 30);
        assert!(
            !excerpt.starts_with(' ')
                && excerpt.split(' ').all(|w| text.split(' ').any(|t| t == w))
        );
        assert_eq!(shown("absent", &plain, 30), None);
        assert_eq!(shown("-five", &plain, 30), None);
    }

    #[test]
    fn any_text_and_length_can_be_cut() {
        let text = "né東京 \u{301}🎉🎉 x............................y <b>né</b> zé";
        let plain = json!({ "t": text });
        for search in ["ne", "東", "\"x y\"", "z* ne", "京 OR b", "\"東京 x\""] {
            for chars in 0..80 {
                let (_, excerpt, words) = shown(search, &plain, chars).expect(search);
                assert!(
                    excerpt.chars().count() <= chars.max(1),
                    "{search} {chars} {excerpt}"
                );
                assert!(chars < 2 || !words.is_empty(), "{search} {chars}");
            }
        }
    }
}
