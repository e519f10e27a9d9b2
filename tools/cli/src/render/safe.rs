//! Keeps other people's text from steering the terminal. Names and fields come from peers.

use std::fmt::Write;

/// The text with everything escaped that is not plainly visible, line ends included.
pub fn line(text: &str) -> String {
    escape(text, |_| false)
}

/// As [`line()`], but lines stay lines and tabs tabs.
pub fn lines(text: &str) -> String {
    escape(text, |c| c == '\n' || c == '\t')
}

/// JSON text in which no control character is left. They can only be within strings, where an
/// escape means the same.
pub fn json(text: String) -> String {
    if !text.chars().any(is_harmful) {
        return text;
    }
    text.chars().fold(String::new(), |mut out, c| {
        match is_harmful(c) {
            // All of these are in the Basic Multilingual Plane: four digits are enough.
            true => write!(out, "\\u{:04x}", c as u32).expect("a string takes everything"),
            false => out.push(c),
        }
        out
    })
}

fn escape(text: &str, keep: impl Fn(char) -> bool) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match is_harmful(c) && !keep(c) {
            true => out.extend(c.escape_unicode()),
            false => out.push(c),
        }
        out
    })
}

/// Control characters, and those that reverse what is shown.
fn is_harmful(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_do_not_reach_the_terminal() {
        assert_eq!(line("a\x1b[2J\nb"), "a\\u{1b}[2J\\u{a}b");
        assert_eq!(lines("a\tb\nc\r"), "a\tb\nc\\u{d}");
        assert_eq!(line("grüße 🦀"), "grüße 🦀");
    }

    #[test]
    fn json_keeps_its_meaning() {
        let value = serde_json::json!({ "a": "x\u{9b}31m\u{202e}\n" });
        let text = json(value.to_string());
        assert!(text.is_ascii());
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}
