//! The steps from one state of an object to another: how changes that another program made are made
//! again here, under a name of our own.

use super::carried::{Carried, foreign_keys, set_mark};
use super::marks::TextMark;
use crate::model::{ObjectId, Operation, Path, Segment, TextUnit, Value};
use std::collections::{BTreeMap, BTreeSet};

/// The steps that lead from `old` to `new`; the type stays. Texts are rewritten where they differ, so
/// that what others write meanwhile merges, and counters are added to.
pub fn difference(object: ObjectId, old: &Carried, new: &Carried) -> Vec<Operation> {
    let marks = old.marks.iter().chain(&new.marks);
    let mut steps = Steps {
        object,
        marked: marks.map(|(path, _)| path.clone()).collect(),
        all: Vec::new(),
    };
    steps.entries(&mut Vec::new(), &old.fields, &new.fields);
    steps.system(old, new);
    steps.marks(old, new);
    steps.all
}

struct Steps {
    object: ObjectId,
    /// Paths of texts with marks.
    marked: Vec<Path>,
    all: Vec<Operation>,
}

impl Steps {
    fn entries(
        &mut self,
        path: &mut Vec<Segment>,
        old: &BTreeMap<String, Value>,
        new: &BTreeMap<String, Value>,
    ) {
        for name in old.keys().filter(|name| !new.contains_key(*name)) {
            path.push(Segment::Key(name.clone()));
            self.remove(path);
            path.pop();
        }
        for (name, value) in new {
            path.push(Segment::Key(name.clone()));
            match old.get(name) {
                Some(before) => self.value(path, before, value),
                None => self.set(path, value),
            }
            path.pop();
        }
    }

    // No deeper than values are, which is bounded.
    fn value(&mut self, path: &mut Vec<Segment>, old: &Value, new: &Value) {
        match (old, new) {
            (Value::Map(old), Value::Map(new)) => self.entries(path, old, new),
            (Value::List(old), Value::List(new)) => self.items(path, old, new),
            (Value::Counter(a), Value::Counter(b)) if a == b => {}
            (Value::Counter(a), Value::Counter(b)) => match b.checked_sub(*a) {
                Some(by) => self.all.push(Operation::Increment {
                    object: self.object,
                    path: Path(path.clone()),
                    by,
                }),
                None => self.set(path, new),
            },
            (Value::Float(a), Value::Float(b)) if a.to_bits() == b.to_bits() => {}
            _ if old == new => {}
            (Value::Text(before), Value::Text(after)) if self.is_marked(path) => {
                self.splice(path, before, after);
            }
            _ => self.set(path, new),
        }
    }

    /// Keeps what both begin and end with, changes what stands in the same place between, and adds
    /// or takes away the rest.
    fn items(&mut self, path: &mut Vec<Segment>, old: &[Value], new: &[Value]) {
        let begin = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let (old, new) = (
            old.get(begin..).unwrap_or_default(),
            new.get(begin..).unwrap_or_default(),
        );
        let ends = old.iter().rev().zip(new.iter().rev());
        let end = ends.take_while(|(a, b)| a == b).count();
        let old = old.get(..old.len() - end).unwrap_or_default();
        let new = new.get(..new.len() - end).unwrap_or_default();
        for (index, (before, value)) in old.iter().zip(new).enumerate() {
            path.push(Segment::Index(begin + index));
            self.value(path, before, value);
            path.pop();
        }
        for index in (new.len()..old.len()).rev() {
            path.push(Segment::Index(begin + index));
            self.remove(path);
            path.pop();
        }
        for (index, value) in new.iter().enumerate().skip(old.len()) {
            path.push(Segment::Index(begin + index));
            self.all.push(Operation::Insert {
                object: self.object,
                path: Path(path.clone()),
                value: value.clone(),
            });
            path.pop();
        }
    }

    fn is_marked(&self, path: &[Segment]) -> bool {
        self.marked.iter().any(|marked| marked.0 == path)
    }

    /// Rewrites a text as one stretch, so that it is known where its marks are then.
    fn splice(&mut self, path: &[Segment], before: &str, after: &str) {
        let shift = Shift::new(before, after);
        let insert = after.chars().skip(shift.begin);
        self.all.push(Operation::Splice {
            object: self.object,
            path: Path(path.to_vec()),
            position: shift.begin,
            delete: shift.old_end - shift.begin,
            insert: insert.take(shift.new_end - shift.begin).collect(),
            unit: TextUnit::CodePoint,
        });
    }

    fn set(&mut self, path: &[Segment], value: &Value) {
        self.all.push(Operation::Set {
            object: self.object,
            path: Path(path.to_vec()),
            value: value.clone(),
        });
    }

    fn remove(&mut self, path: &[Segment]) {
        self.all.push(Operation::Remove {
            object: self.object,
            path: Path(path.to_vec()),
        });
    }

    fn system(&mut self, old: &Carried, new: &Carried) {
        let object = self.object;
        if old.parent != new.parent {
            let parent = new.parent;
            self.all.push(Operation::SetParent { object, parent });
        }
        let ends = |of: &Carried| (of.system.source, of.system.target);
        if ends(old) != ends(new) {
            let (source, target) = ends(new);
            self.all.push(Operation::Relate {
                object,
                source,
                target,
            });
        }
        if old.system.schema_version != new.system.schema_version
            && let Some(version) = new.system.schema_version
        {
            self.all
                .push(Operation::SetSchemaVersion { object, version });
        }
        let (before, after) = (&old.system.tags, &new.system.tags);
        for tag in before.symmetric_difference(after) {
            let (tag, on) = (tag.clone(), after.contains(tag));
            self.all.push(Operation::Tag { object, tag, on });
        }
        self.keys(old, new);
        match (old.deleted, new.deleted) {
            (false, true) => self.all.push(Operation::Delete { object }),
            (true, false) => self.all.push(Operation::Restore { object }),
            _ => {}
        }
    }

    fn keys(&mut self, old: &Carried, new: &Carried) {
        let set = |source: &String, key: Option<&String>| Operation::SetKey {
            object: self.object,
            source: source.clone(),
            key: key.cloned(),
        };
        let gone = foreign_keys(&old.system)
            .filter(|(source, _)| !new.system.keys.contains_key(*source))
            .map(|(source, _)| set(source, None));
        let now = foreign_keys(&new.system)
            .filter(|(source, key)| old.system.keys.get(*source) != Some(*key))
            .map(|(source, key)| set(source, Some(key)));
        let steps: Vec<_> = gone.chain(now).collect();
        self.all.extend(steps);
    }

    /// Brings the marks of every text to what they are to be.
    fn marks(&mut self, old: &Carried, new: &Carried) {
        let paths: BTreeSet<String> = self.marked.iter().map(Path::to_string).collect();
        for path in paths.iter().filter_map(|path| Path::parse(path).ok()) {
            let of = |all: &[(Path, TextMark)]| -> Vec<TextMark> {
                let here = all.iter().filter(|(place, _)| *place == path);
                here.map(|(_, mark)| mark.clone()).collect()
            };
            let Some(after) = text_at(&new.fields, &path) else {
                continue;
            };
            let before = text_at(&old.fields, &path).unwrap_or_default();
            let (had, has) = (of(&old.marks), of(&new.marks));
            self.marks_of(&path, (before, had), (after, has));
        }
    }

    /// Marks move with their text. Where one ends at what was rewritten, it is not known what became
    /// of it: then all are set anew.
    fn marks_of(
        &mut self,
        path: &Path,
        (before, had): (&str, Vec<TextMark>),
        (after, has): (&str, Vec<TextMark>),
    ) {
        let shift = Shift::new(before, after);
        let moved: Option<Vec<TextMark>> = match before == after {
            true => Some(had.clone()),
            false => had.iter().map(|mark| shift.mark(mark)).collect(),
        };
        let Some(moved) = moved else {
            let names: BTreeSet<&String> = had.iter().chain(&has).map(|mark| &mark.name).collect();
            let end = after.chars().count();
            for name in names.into_iter().filter(|_| end > 0) {
                let whole = TextMark {
                    start: 0,
                    end,
                    name: name.clone(),
                    value: Value::Null,
                };
                self.mark(path, &whole, Value::Null);
            }
            has.iter()
                .for_each(|mark| self.mark(path, mark, mark.value.clone()));
            return;
        };
        for mark in moved.iter().filter(|mark| !has.contains(mark)) {
            self.mark(path, mark, Value::Null);
        }
        for mark in has.iter().filter(|mark| !moved.contains(mark)) {
            self.mark(path, mark, mark.value.clone());
        }
    }

    fn mark(&mut self, path: &Path, mark: &TextMark, value: Value) {
        self.all.push(set_mark(self.object, path, mark, value));
    }
}

fn text_at<'a>(fields: &'a BTreeMap<String, Value>, path: &Path) -> Option<&'a str> {
    let mut segments = path.0.iter();
    let Some(Segment::Key(field)) = segments.next() else {
        return None;
    };
    let mut value = fields.get(field)?;
    for segment in segments {
        value = match (value, segment) {
            (Value::Map(entries), Segment::Key(key)) => entries.get(key)?,
            (Value::List(items), Segment::Index(index)) => items.get(*index)?,
            _ => return None,
        };
    }
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}

/// Where places of a text are after it was rewritten, as one stretch that was replaced.
struct Shift {
    begin: usize,
    old_end: usize,
    new_end: usize,
}

impl Shift {
    fn new(before: &str, after: &str) -> Shift {
        let same = before.chars().zip(after.chars());
        let begin = same.take_while(|(a, b)| a == b).count();
        let (old_len, new_len) = (before.chars().count(), after.chars().count());
        let most = old_len.min(new_len) - begin;
        let ends = before.chars().rev().zip(after.chars().rev());
        let end = ends.take(most).take_while(|(a, b)| a == b).count();
        Shift {
            begin,
            old_end: old_len - end,
            new_end: new_len - end,
        }
    }

    /// The mark after the rewriting, if that is certain: it lies before or behind what was rewritten,
    /// or around it.
    fn mark(&self, mark: &TextMark) -> Option<TextMark> {
        let by = |at: usize| at - self.old_end + self.new_end;
        let (start, end) = if mark.end < self.begin {
            (mark.start, mark.end)
        } else if mark.start > self.old_end {
            (by(mark.start), by(mark.end))
        } else if mark.start < self.begin && mark.end > self.old_end {
            (mark.start, by(mark.end))
        } else {
            return None;
        };
        Some(TextMark {
            start,
            end,
            ..mark.clone()
        })
    }
}
