//! Units in which text positions are counted. Each language counts in its own, so the unit is an
//! argument of every call that takes a position, never a build option.

/// What a text position or length counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TextUnit {
    /// Bytes of UTF-8: C and C++.
    Utf8,
    /// UTF-16 code units: Kotlin, Java, JavaScript, Swift's `NSString`.
    Utf16,
    /// Unicode scalar values: Python, and Automerge itself.
    CodePoint,
}

impl TextUnit {
    /// The length of `text` in this unit.
    pub fn len(self, text: &str) -> usize {
        match self {
            TextUnit::Utf8 => text.len(),
            TextUnit::Utf16 => text.chars().map(char::len_utf16).sum(),
            TextUnit::CodePoint => text.chars().count(),
        }
    }

    /// Turns a position in this unit into one in scalar values. `None` when it lies past the end
    /// or inside a character.
    pub fn to_code_points(self, text: &str, position: usize) -> Option<usize> {
        let width = |c: char| match self {
            TextUnit::Utf8 => c.len_utf8(),
            TextUnit::Utf16 => c.len_utf16(),
            TextUnit::CodePoint => 1,
        };
        let mut at = 0;
        let mut points = 0;
        for c in text.chars() {
            if at >= position {
                break;
            }
            at += width(c);
            points += 1;
        }
        (at == position).then_some(points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_convert_and_refuse_the_middle_of_a_character() {
        let text = "a😀é";
        assert_eq!(TextUnit::Utf8.len(text), 7);
        assert_eq!(TextUnit::Utf16.len(text), 4);
        assert_eq!(TextUnit::CodePoint.len(text), 3);
        assert_eq!(TextUnit::Utf8.to_code_points(text, 5), Some(2));
        assert_eq!(TextUnit::Utf8.to_code_points(text, 3), None);
        assert_eq!(TextUnit::Utf16.to_code_points(text, 2), None);
        assert_eq!(TextUnit::Utf16.to_code_points(text, 3), Some(2));
        assert_eq!(TextUnit::Utf16.to_code_points(text, 4), Some(3));
        assert_eq!(TextUnit::CodePoint.to_code_points(text, 4), None);
    }
}
