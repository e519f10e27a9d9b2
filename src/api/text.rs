//! Units of text positions, as programs name them.

use crate::model;

/// What a text position or length counts. Each language has its own habit, so it is an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum TextUnit {
    /// Bytes of UTF-8: C and C++.
    Utf8 = 1,
    /// UTF-16 code units: Kotlin, Java, Swift's `NSString`.
    Utf16 = 2,
    /// Unicode scalar values: Python.
    CodePoint = 3,
}

impl From<TextUnit> for model::TextUnit {
    fn from(unit: TextUnit) -> Self {
        match unit {
            TextUnit::Utf8 => model::TextUnit::Utf8,
            TextUnit::Utf16 => model::TextUnit::Utf16,
            TextUnit::CodePoint => model::TextUnit::CodePoint,
        }
    }
}

/// Whether a mark grows when text is inserted at its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "bindings", derive(uniffi::Enum))]
#[repr(i32)]
pub enum MarkExpand {
    /// At neither end, as of a link.
    None = 1,
    /// At its start.
    Before = 2,
    /// At its end, as of bold text, which goes on when one types on.
    #[default]
    After = 3,
    /// At both.
    Both = 4,
}

impl From<MarkExpand> for model::Expand {
    fn from(expand: MarkExpand) -> Self {
        match expand {
            MarkExpand::None => model::Expand::None,
            MarkExpand::Before => model::Expand::Before,
            MarkExpand::After => model::Expand::After,
            MarkExpand::Both => model::Expand::Both,
        }
    }
}
