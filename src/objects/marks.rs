//! Marks on stretches of a text, after Peritext (Litt, Lim, Kleppmann, van Hardenberg, 2022), and
//! cursors, which name a place in a text and stay with it.

use super::Document;
use super::resolve::{self, failure};
use super::{project, text, value};
use crate::model::{Error, Expand, Path, Result, TextUnit, Value, limits};
use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::Transactable;
use automerge::{AutoCommit, Cursor, CursorPosition, ReadDoc};

/// A mark on a stretch of a text.
#[derive(Clone, Debug, PartialEq)]
pub struct TextMark {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: Value,
}

/// Marks a stretch, or clears a mark when the value is null.
pub(super) fn mark(
    document: &mut Document,
    path: &Path,
    (start, end, unit): (usize, usize, TextUnit),
    name: &str,
    mark: &Value,
    expand: Expand,
) -> Result<()> {
    if name.is_empty() || name.len() > limits::LABEL_BYTES {
        return Err(Error::invalid(format!(
            "a mark's name has 1 to {} bytes",
            limits::LABEL_BYTES
        )));
    }
    if start >= end {
        return Err(Error::invalid(format!(
            "{path}: a mark from {start} to {end} covers nothing"
        )));
    }
    let scalar = value::scalar(mark).ok_or_else(|| {
        Error::invalid("a mark's value is a scalar: no text, list, map or reference")
    })?;
    let id = resolve::text(&document.am, path)?;
    let (start, end) = text::code_points(document, &id, path, (start, end - start), unit)?;
    let expand = match expand {
        Expand::None => ExpandMark::None,
        Expand::Before => ExpandMark::Before,
        Expand::After => ExpandMark::After,
        Expand::Both => ExpandMark::Both,
    };
    // A beginning and an end.
    document.room(2)?;
    document
        .am
        .mark(&id, Mark::new(name.to_owned(), scalar, start, end), expand)
        .map_err(failure)
}

/// The marks of the text at `path`.
pub(super) fn of_text(am: &AutoCommit, path: &Path, unit: TextUnit) -> Result<Vec<TextMark>> {
    let id = resolve::text(am, path)?;
    let marks = am.marks(&id).map_err(failure)?;
    let text = am.text(&id).map_err(failure)?;
    let units = text::Units::new(&text, unit);
    let marks = marks.into_iter().filter(|mark| !mark.value.is_null());
    Ok(marks
        .map(|mark| TextMark {
            start: units.of_code_points(mark.start),
            end: units.of_code_points(mark.end),
            name: mark.name.to_string(),
            value: project::read_scalar(mark.value),
        })
        .collect())
}

impl Document {
    /// The marks of the text at `path`, in `unit`, by name and place.
    pub fn marks(&mut self, path: &Path, unit: TextUnit) -> Result<Vec<TextMark>> {
        self.contained(|document| of_text(&document.am, path, unit))
    }

    /// Names the place before the character at `position`; the text's length is the place at its
    /// end, whatever is added there.
    pub fn cursor(&mut self, path: &Path, position: usize, unit: TextUnit) -> Result<String> {
        self.contained(|document| {
            let id = resolve::text(&document.am, path)?;
            let (position, _) = text::code_points(document, &id, path, (position, 0), unit)?;
            let place = match position == document.am.length(&id) {
                true => CursorPosition::End,
                false => CursorPosition::Index(position),
            };
            let cursor = document.am.get_cursor(&id, place, None).map_err(failure)?;
            Ok(cursor.to_string())
        })
    }

    /// Where a cursor's place is now. If its character was deleted, that is where it stood.
    pub fn cursor_position(&mut self, path: &Path, cursor: &str, unit: TextUnit) -> Result<usize> {
        self.contained(|document| {
            let id = resolve::text(&document.am, path)?;
            let foreign = || {
                Error::invalid(format!(
                    "{:?} is no cursor of the text at {path}",
                    crate::model::id::clip(cursor)
                ))
            };
            let cursor = Cursor::try_from(cursor).map_err(|_| foreign())?;
            let position = document.am.get_cursor_position(&id, &cursor, None);
            let position = position.map_err(|_| foreign())?;
            let text = document.am.text(&id).map_err(failure)?;
            Ok(text::Units::new(&text, unit).of_code_points(position))
        })
    }
}
