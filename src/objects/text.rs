//! Editing texts.

use super::Document;
use super::document::CHANGE_OPS;
use super::resolve::{self, failure};
use crate::model::{Error, Path, Result, TextUnit};
use automerge::transaction::Transactable;
use automerge::{ObjId, ReadDoc};
use ropey::Rope;

/// Products of differing lengths up to which two versions of a text are compared character by
/// character: that takes time in proportion to it.
const DIFF_AREA: usize = 4_000_000;

/// The text that was edited last: typing goes to one place, and finding it again by its path, or
/// counting its characters in another unit, would take longer than the edit. Forgotten whenever
/// anything else happens to the document.
pub(super) struct TextCache {
    path: Path,
    id: ObjId,
    /// The text's contents, once a unit other than code points was used.
    mirror: Option<Rope>,
}

impl TextCache {
    /// About how many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        self.mirror.as_ref().map_or(0, Rope::len_bytes)
    }
}

/// Replaces `delete` units from `position` with `insert`.
pub(super) fn splice(
    document: &mut Document,
    path: &Path,
    position: usize,
    delete: usize,
    insert: &str,
    unit: TextUnit,
) -> Result<()> {
    let mut cache = match document.text.take() {
        Some(cache) if cache.path == *path => cache,
        _ => TextCache {
            path: path.clone(),
            id: resolve::text(&document.am, path)?,
            mirror: None,
        },
    };
    let length = document.am.length(&cache.id);
    let (from, to) = match unit {
        TextUnit::CodePoint => {
            let end = position
                .checked_add(delete)
                .filter(|end| *end <= length)
                .ok_or_else(|| outside(path, position, delete, length, unit))?;
            (position, end)
        }
        TextUnit::Utf8 | TextUnit::Utf16 => {
            if cache.mirror.is_none() {
                let text = document.am.text(&cache.id).map_err(failure)?;
                cache.mirror = Some(Rope::from_str(&text));
            }
            let mirror = cache.mirror.get_or_insert_default();
            range(mirror, path, position, delete, unit)?
        }
    };
    replace(document, &cache.id, from, to - from, insert)?;
    if let Some(mirror) = &mut cache.mirror {
        let kept = mirror.try_remove(from..to).is_ok() && mirror.try_insert(from, insert).is_ok();
        // A text that another program put things into that are no characters counts differently.
        if !kept || mirror.len_chars() != document.am.length(&cache.id) {
            cache.mirror = None;
        }
    }
    document.text = Some(cache);
    Ok(())
}

/// Turns a position and a length in `unit` into a range of code points of a text that is not being
/// typed into.
pub(super) fn code_points(
    document: &Document,
    id: &ObjId,
    path: &Path,
    (position, length): (usize, usize),
    unit: TextUnit,
) -> Result<(usize, usize)> {
    let text = document.am.text(id).map_err(failure)?;
    range(&Rope::from_str(&text), path, position, length, unit)
}

/// A text's positions in another unit than code points.
pub(super) struct Units {
    text: Rope,
    unit: TextUnit,
}

impl Units {
    pub(super) fn new(text: &str, unit: TextUnit) -> Units {
        let text = Rope::from_str(text);
        Units { text, unit }
    }

    /// Replaces `delete` code points from `at` by `insert`; what lies past the end is not there.
    pub(super) fn splice(&mut self, at: usize, delete: usize, insert: &str) {
        let from = at.min(self.text.len_chars());
        let to = from.saturating_add(delete).min(self.text.len_chars());
        self.text.remove(from..to);
        self.text.insert(from, insert);
    }

    /// A position counted in code points, in the unit; past the end, the end.
    pub(super) fn of_code_points(&self, position: usize) -> usize {
        let position = position.min(self.text.len_chars());
        match self.unit {
            TextUnit::CodePoint => position,
            TextUnit::Utf8 => self.text.char_to_byte(position),
            TextUnit::Utf16 => self.text.char_to_utf16_cu(position),
        }
    }
}

/// Turns a position and a length in `unit` into a range of code points.
fn range(
    mirror: &Rope,
    path: &Path,
    position: usize,
    delete: usize,
    unit: TextUnit,
) -> Result<(usize, usize)> {
    let length = match unit {
        TextUnit::Utf8 => mirror.len_bytes(),
        TextUnit::Utf16 => mirror.len_utf16_cu(),
        TextUnit::CodePoint => mirror.len_chars(),
    };
    let end = position
        .checked_add(delete)
        .filter(|end| *end <= length)
        .ok_or_else(|| outside(path, position, delete, length, unit))?;
    let point = |at: usize| {
        // Both ways: a position inside a character maps to the character's start.
        let (point, back) = match unit {
            TextUnit::Utf8 => {
                let point = mirror.try_byte_to_char(at).ok()?;
                (point, mirror.try_char_to_byte(point).ok()?)
            }
            TextUnit::Utf16 => {
                let point = mirror.try_utf16_cu_to_char(at).ok()?;
                (point, mirror.try_char_to_utf16_cu(point).ok()?)
            }
            TextUnit::CodePoint => (at, at),
        };
        (back == at).then_some(point)
    };
    let inside = |at: usize| {
        Error::invalid(format!(
            "{path}: position {at} in {} lies inside a character (the text has {length})",
            unit_name(unit)
        ))
    };
    let from = point(position).ok_or_else(|| inside(position))?;
    let to = point(end).ok_or_else(|| inside(end))?;
    Ok((from, to))
}

fn outside(path: &Path, position: usize, delete: usize, length: usize, unit: TextUnit) -> Error {
    let unit = unit_name(unit);
    if position > length {
        return Error::invalid(format!(
            "{path}: position {position} is past the end: the text has {length} {unit}"
        ));
    }
    Error::invalid(format!(
        "{path}: deleting {delete} from position {position} goes past the end: \
         the text has {length} {unit}"
    ))
}

fn unit_name(unit: TextUnit) -> &'static str {
    match unit {
        TextUnit::Utf8 => "UTF-8 bytes",
        TextUnit::Utf16 => "UTF-16 code units",
        TextUnit::CodePoint => "code points",
    }
}

/// Replaces `delete` code points from `from` with `insert`, in several changes if it must be. The
/// range lies within the text.
pub(super) fn replace(
    document: &mut Document,
    id: &ObjId,
    from: usize,
    delete: usize,
    insert: &str,
) -> Result<()> {
    let chars = insert.chars().count();
    let all = delete.saturating_add(chars);
    document.budget(all)?;
    if all <= CHANGE_OPS {
        document.room(all)?;
        return edit(document, id, from, delete, insert);
    }
    let mut left = delete;
    while left > 0 {
        let part = left.min(CHANGE_OPS);
        document.room(part)?;
        edit(document, id, from, part, "")?;
        left -= part;
    }
    let mut at = from;
    let mut rest = insert;
    while !rest.is_empty() {
        let end = rest
            .char_indices()
            .nth(CHANGE_OPS)
            .map_or(rest.len(), |(end, _)| end);
        let (part, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let count = part.chars().count();
        document.room(count)?;
        edit(document, id, at, 0, part)?;
        at += count;
        rest = after;
    }
    Ok(())
}

fn edit(
    document: &mut Document,
    id: &ObjId,
    from: usize,
    delete: usize,
    insert: &str,
) -> Result<()> {
    let delete = isize::try_from(delete)
        .map_err(|_| Error::invalid("the length to delete is out of range"))?;
    document
        .am
        .splice_text(id, from, delete, insert)
        .map_err(failure)
}

/// Turns the text into `new` by the edits that differ, so that it merges with concurrent edits.
pub(super) fn rewrite(document: &mut Document, id: &ObjId, new: &str) -> Result<()> {
    let old = document.am.text(id).map_err(failure)?;
    if old == new {
        return Ok(());
    }
    let before = old.chars().zip(new.chars()).take_while(|(a, b)| a == b);
    let before = before.count();
    let old_rest: Vec<char> = old.chars().skip(before).collect();
    let new_rest: Vec<char> = new.chars().skip(before).collect();
    let after = old_rest
        .iter()
        .rev()
        .zip(new_rest.iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let delete = old_rest.len() - after;
    let insert = new_rest.len() - after;
    let all = delete + insert;
    // A character-by-character comparison keeps more of the text alive for others' edits, but
    // takes quadratic time; large rewrites replace the stretch as a whole.
    if delete > 0 && insert > 0 && delete.saturating_mul(insert) <= DIFF_AREA {
        document.room(all)?;
        return document.am.update_text(id, new).map_err(failure);
    }
    let middle: String = new_rest.iter().take(insert).collect();
    replace(document, id, before, delete, &middle)
}
