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
    /// How long the text is, with what is gathered.
    length: usize,
    /// Edits that Automerge does not know yet.
    gathered: Option<Gathered>,
}

/// Edits of one stretch of a text, as the one edit that they come to: Automerge takes as long for a
/// character as for a sentence.
struct Gathered {
    /// Where the stretch begins.
    from: usize,
    /// How much of the text it takes the place of.
    delete: usize,
    /// What stands there now.
    insert: Rope,
}

impl Gathered {
    /// Adds an edit of the text as it is with those before; `false` if it is not at the stretch.
    fn add(&mut self, at: usize, delete: usize, insert: &str) -> bool {
        let end = self.from + self.insert.len_chars();
        if at > end || at + delete < self.from {
            return false;
        }
        let before = self.from.saturating_sub(at);
        let after = (at + delete).saturating_sub(end);
        let inner = at.max(self.from) - self.from;
        self.insert.remove(inner..inner + (delete - before - after));
        self.insert.insert(inner, insert);
        self.from -= before;
        self.delete += before + after;
        true
    }

    fn operations(&self) -> usize {
        self.delete + self.insert.len_chars()
    }
}

impl TextCache {
    /// How long the text is, with what is gathered.
    #[cfg(test)]
    pub(super) fn length(&self) -> usize {
        self.length
    }

    /// Whether edits are gathered that Automerge does not know yet.
    pub(super) fn is_gathering(&self) -> bool {
        self.gathered.is_some()
    }

    fn settle(&mut self, document: &mut Document) -> Result<()> {
        let Some(gathered) = self.gathered.take() else {
            return Ok(());
        };
        let insert = gathered.insert.to_string();
        replace(document, &self.id, gathered.from, gathered.delete, &insert)?;
        self.length = document.am.length(&self.id);
        Ok(())
    }

    /// Turns a position and a length in `unit` into a range of code points of the text as it is.
    fn range(
        &mut self,
        document: &mut Document,
        position: usize,
        delete: usize,
        unit: TextUnit,
    ) -> Result<(usize, usize)> {
        if unit == TextUnit::CodePoint {
            let end = position.checked_add(delete);
            let end = end.filter(|end| *end <= self.length);
            let path = &self.path;
            return match end {
                Some(end) => Ok((position, end)),
                None => Err(outside(path, position, delete, self.length, unit)),
            };
        }
        // A text that another program put things into that are no characters counts differently.
        if self
            .mirror
            .as_ref()
            .is_none_or(|m| m.len_chars() != self.length)
        {
            self.settle(document)?;
            let text = document.am.text(&self.id).map_err(failure)?;
            self.mirror = Some(Rope::from_str(&text));
        }
        let mirror = self.mirror.get_or_insert_default();
        range(mirror, &self.path, position, delete, unit)
    }

    /// Makes the same edit in the mirror.
    fn follow(&mut self, from: usize, to: usize, insert: &str) {
        let kept = self.mirror.as_mut().is_some_and(|mirror| {
            mirror.try_remove(from..to).is_ok() && mirror.try_insert(from, insert).is_ok()
        });
        if !kept {
            self.mirror = None;
        }
    }

    /// About how many bytes of memory it takes.
    pub(super) fn memory(&self) -> usize {
        let gathered = self.gathered.as_ref().map(|gathered| &gathered.insert);
        let ropes = [self.mirror.as_ref(), gathered];
        ropes.into_iter().flatten().map(Rope::len_bytes).sum()
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
    settle(document)?;
    let mut cache = cached(document, path)?;
    let (from, to) = cache.range(document, position, delete, unit)?;
    replace(document, &cache.id, from, to - from, insert)?;
    cache.length = document.am.length(&cache.id);
    cache.follow(from, to, insert);
    document.text = Some(cache);
    Ok(())
}

/// As [`splice`], but Automerge hears of it only when the document is [settled](settle), together with
/// the edits around it. An edit that is refused leaves those before it as they are.
pub(super) fn gather(
    document: &mut Document,
    path: &Path,
    position: usize,
    delete: usize,
    insert: &str,
    unit: TextUnit,
) -> Result<()> {
    if document
        .text
        .as_ref()
        .is_none_or(|cache| cache.path != *path)
    {
        settle(document)?;
        document.text = Some(cached(document, path)?);
    }
    let Some(mut cache) = document.text.take() else {
        return Err(Error::internal("a text that was just found is absent"));
    };
    let done = gather_into(document, &mut cache, (position, delete, unit), insert);
    document.text = Some(cache);
    done
}

fn gather_into(
    document: &mut Document,
    cache: &mut TextCache,
    (position, delete, unit): (usize, usize, TextUnit),
    insert: &str,
) -> Result<()> {
    let (from, to) = cache.range(document, position, delete, unit)?;
    let chars = insert.chars().count();
    let waiting = cache.gathered.as_ref().map_or(0, Gathered::operations);
    if cache
        .mirror
        .as_ref()
        .is_some_and(|m| m.len_chars() != cache.length)
    {
        // Of such a text Automerge alone can say what fits.
        replace(document, &cache.id, from, to - from, insert)?;
        cache.length = document.am.length(&cache.id);
        cache.mirror = None;
        return Ok(());
    }
    // Settling must not fail: what would not fit is refused now.
    document.budget(waiting + (to - from) + chars)?;
    let gathered = cache.gathered.as_mut();
    if !gathered.is_some_and(|gathered| gathered.add(from, to - from, insert)) {
        cache.settle(document)?;
        cache.gathered = Some(Gathered {
            from,
            delete: to - from,
            insert: Rope::from_str(insert),
        });
    }
    cache.length = cache.length - (to - from) + chars;
    cache.follow(from, to, insert);
    Ok(())
}

/// Has Automerge make the edits that were gathered.
pub(super) fn settle(document: &mut Document) -> Result<()> {
    let Some(mut cache) = document.text.take_if(|cache| cache.gathered.is_some()) else {
        return Ok(());
    };
    cache.settle(document)?;
    document.text = Some(cache);
    Ok(())
}

/// The text at a path, as that which is edited.
fn cached(document: &mut Document, path: &Path) -> Result<TextCache> {
    if let Some(cache) = document.text.take_if(|cache| cache.path == *path) {
        return Ok(cache);
    }
    let id = resolve::text(&document.am, path)?;
    Ok(TextCache {
        path: path.clone(),
        length: document.am.length(&id),
        id,
        mirror: None,
        gathered: None,
    })
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
