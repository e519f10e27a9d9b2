//! The steps from one state of an object to another: how changes that another program made are made
//! again here, under a name of our own.

use super::carried::{Carried, foreign_keys, set_mark};
use super::marks::TextMark;
use crate::model::{ObjectId, Operation, Path, Segment, Value};
use std::collections::BTreeMap;

/// The steps that lead from `old` to `new`; the type stays. Texts are rewritten where they differ, so
/// that what others write meanwhile merges, and counters are added to.
pub fn difference(object: ObjectId, old: &Carried, new: &Carried) -> Vec<Operation> {
    let mut steps = Steps {
        object,
        all: Vec::new(),
    };
    steps.entries(&mut Vec::new(), &old.fields, &new.fields);
    steps.system(old, new);
    steps.marks(old, new);
    steps.all
}

struct Steps {
    object: ObjectId,
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

    /// Marks move with their text, so that an old one is looked for where it stands by now.
    fn marks(&mut self, old: &Carried, new: &Carried) {
        let moved: Vec<(Path, TextMark)> = old
            .marks
            .iter()
            .filter_map(|(path, mark)| {
                let before = text_at(&old.fields, path)?;
                let after = text_at(&new.fields, path)?;
                Some((path.clone(), Shift::new(before, after).mark(mark)?))
            })
            .collect();
        for (path, mark) in moved.iter().filter(|mark| !new.marks.contains(mark)) {
            self.all
                .push(set_mark(self.object, path, mark, Value::Null));
        }
        for (path, mark) in new.marks.iter().filter(|mark| !moved.contains(mark)) {
            self.all
                .push(set_mark(self.object, path, mark, mark.value.clone()));
        }
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

    /// The mark after the rewriting; `None` if nothing of what it covered is left.
    fn mark(&self, mark: &TextMark) -> Option<TextMark> {
        let start = match mark.start {
            at if at < self.begin || at == self.begin && self.old_end > self.begin => at,
            at if at >= self.old_end => at - self.old_end + self.new_end,
            _ => self.begin,
        };
        let end = match mark.end {
            at if at <= self.begin => at,
            at if at >= self.old_end => at - self.old_end + self.new_end,
            _ => self.begin,
        };
        (start < end).then(|| TextMark {
            start,
            end,
            ..mark.clone()
        })
    }
}
