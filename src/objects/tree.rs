//! Copying values within a document and between documents, with all that is in them: kinds that the
//! model has no name for, marks, and the names of the parts, by which copies are matched.

use super::Document;
use super::document::CHANGE_OPS;
use super::resolve::failure;
use super::value::Place;
use crate::model::{Result, limits};
use automerge::hydrate::{Text, Value as Hydrated};
use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::Transactable;
use automerge::{
    AutoCommit, ChangeHash, ObjId, ObjType, Prop, ReadDoc, ScalarValue, TextEncoding,
    Value as Stored,
};
use std::collections::HashMap;

/// A value and the names of its parts.
pub(super) enum Tree {
    Scalar(ScalarValue),
    Text {
        text: String,
        ids: Vec<ObjId>,
        marks: Vec<Mark>,
    },
    List(Vec<(ObjId, Tree)>),
    Map(Vec<(String, ObjId, Tree)>),
}

/// Reads a value as it is now. What is nested deeper than the model allows is null, as everywhere.
pub(super) fn read(am: &AutoCommit, value: &Stored<'_>, id: &ObjId, depth: usize) -> Result<Tree> {
    let Stored::Object(kind) = value else {
        return Ok(Tree::Scalar(scalar(value)));
    };
    match kind {
        ObjType::Text => Ok(Tree::Text {
            text: am.text(id).map_err(failure)?,
            ids: elements(am, id, None)
                .into_iter()
                .map(|(_, id)| id)
                .collect(),
            marks: marks(am, id)?,
        }),
        _ if depth >= limits::VALUE_DEPTH && am.length(id) > 0 => {
            Ok(Tree::Scalar(ScalarValue::Null))
        }
        ObjType::List => {
            let items = am.list_range(id, ..).map(|item| {
                let item_id = item.id();
                let tree = read(am, &item.value.into_value(), &item_id, depth + 1)?;
                Ok((item_id, tree))
            });
            Ok(Tree::List(items.collect::<Result<_>>()?))
        }
        ObjType::Map | ObjType::Table => {
            let entries = am.map_range(id, ..).map(|item| {
                let item_id = item.id();
                let key = item.key.into_owned();
                let tree = read(am, &item.value.into_value(), &item_id, depth + 1)?;
                Ok((key, item_id, tree))
            });
            Ok(Tree::Map(entries.collect::<Result<_>>()?))
        }
    }
}

/// The elements of a list or the characters of a text in order, as of now or of a version.
pub(super) fn elements(
    am: &AutoCommit,
    id: &ObjId,
    heads: Option<&[ChangeHash]>,
) -> Vec<(Stored<'static>, ObjId)> {
    let text = am.object_type(id).is_ok_and(|kind| kind == ObjType::Text);
    let range = match heads {
        None => am.list_range(id, ..),
        Some(heads) => am.list_range_at(id, .., heads),
    };
    let items = range.map(|item| {
        let id = item.id();
        (item.value.into_value(), id)
    });
    if !text {
        return items.collect();
    }
    // Automerge 0.12 counts the ends of marks among a text's elements here, and nowhere else.
    let found: Vec<_> = items.filter(|(value, _)| is_character(value)).collect();
    let length = match heads {
        None => am.length(id),
        Some(heads) => am.length_at(id, heads),
    };
    if found.len() == length {
        return found;
    }
    // A mark whose value is one character looks like one. Asking for each is slow.
    let one = |index: usize| match heads {
        None => am.get(id, index),
        Some(heads) => am.get_at(id, index, heads),
    };
    let all = (0..length).filter_map(|index| one(index).ok().flatten());
    all.map(|(value, id)| (value.into_owned(), id)).collect()
}

fn is_character(value: &Stored<'_>) -> bool {
    match value {
        Stored::Scalar(scalar) => match scalar.as_ref() {
            ScalarValue::Str(text) => text.chars().count() == 1,
            _ => false,
        },
        Stored::Object(_) => true,
    }
}

/// A scalar as it is written: a counter begins anew at what it has counted to.
pub(super) fn scalar(value: &Stored<'_>) -> ScalarValue {
    match value {
        Stored::Scalar(scalar) => match scalar.as_ref() {
            ScalarValue::Counter(counter) => ScalarValue::counter(i64::from(counter)),
            other => other.clone(),
        },
        Stored::Object(_) => ScalarValue::Null,
    }
}

/// A text's marks, cleared ones left out.
pub(super) fn marks(am: &AutoCommit, text: &ObjId) -> Result<Vec<Mark>> {
    let mut marks = am.marks(text).map_err(failure)?;
    marks.retain(|mark| !mark.value.is_null());
    Ok(marks)
}

/// Writes a copy; returns its name.
pub(super) fn write(
    document: &mut Document,
    parent: &ObjId,
    place: Place,
    tree: &Tree,
) -> Result<ObjId> {
    let (prop, insert) = match place {
        Place::Put(prop) => (prop, false),
        Place::Insert(index) => (Prop::Seq(index), true),
    };
    let ops = tree.ops();
    document.budget(ops)?;
    if let Tree::Scalar(scalar) = tree {
        return write_scalar(document, parent, prop, insert, scalar.clone());
    }
    if ops <= CHANGE_OPS {
        document.room(ops)?;
        let id = document
            .am
            .batch_create_object(parent, prop, &tree.hydrated(), insert)
            .map_err(failure)?;
        write_marks(document, &id, tree)?;
        return Ok(id);
    }
    write_parts(document, parent, prop, insert, tree)
}

fn write_scalar(
    document: &mut Document,
    parent: &ObjId,
    prop: Prop,
    insert: bool,
    scalar: ScalarValue,
) -> Result<ObjId> {
    document.room(1)?;
    match (&prop, insert) {
        (Prop::Seq(index), true) => document.am.insert(parent, *index, scalar),
        _ => document.am.put(parent, prop.clone(), scalar),
    }
    .map_err(failure)?;
    let made = super::resolve::get(&document.am, parent, prop)?;
    made.map(|(_, id)| id)
        .ok_or_else(|| crate::model::Error::internal("a value that was just written is absent"))
}

/// Writes what takes more than one change, part by part.
fn write_parts(
    document: &mut Document,
    parent: &ObjId,
    prop: Prop,
    insert: bool,
    tree: &Tree,
) -> Result<ObjId> {
    let kind = match tree {
        Tree::Text { .. } => ObjType::Text,
        Tree::List(_) => ObjType::List,
        _ => ObjType::Map,
    };
    document.room(1)?;
    let id = match (prop, insert) {
        (Prop::Seq(index), true) => document.am.insert_object(parent, index, kind),
        (prop, _) => document.am.put_object(parent, prop, kind),
    }
    .map_err(failure)?;
    match tree {
        Tree::Text { text, .. } => {
            super::text::replace(document, &id, 0, 0, text)?;
            write_marks(document, &id, tree)?;
        }
        Tree::List(items) => {
            for (index, (_, item)) in items.iter().enumerate() {
                write(document, &id, Place::Insert(index), item)?;
            }
        }
        Tree::Map(entries) => {
            for (key, _, entry) in entries {
                write(document, &id, Place::Put(Prop::Map(key.clone())), entry)?;
            }
        }
        Tree::Scalar(_) => {}
    }
    Ok(id)
}

fn write_marks(document: &mut Document, id: &ObjId, tree: &Tree) -> Result<()> {
    match tree {
        Tree::Text { marks, .. } => {
            for mark in marks {
                document.room(2)?;
                document
                    .am
                    .mark(id, mark.clone(), ExpandMark::After)
                    .map_err(failure)?;
            }
        }
        Tree::List(items) if items.iter().any(|(_, item)| item.marked()) => {
            for (index, (_, item)) in items.iter().enumerate() {
                if let Some((_, part)) = super::resolve::get(&document.am, id, index)? {
                    write_marks(document, &part, item)?;
                }
            }
        }
        Tree::Map(entries) => {
            for (key, _, entry) in entries.iter().filter(|(_, _, entry)| entry.marked()) {
                if let Some((_, part)) = super::resolve::get(&document.am, id, key.as_str())? {
                    write_marks(document, &part, entry)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

impl Tree {
    /// How many operations writing it takes, marks left aside.
    pub(super) fn ops(&self) -> usize {
        match self {
            Tree::Scalar(_) => 1,
            Tree::Text { ids, .. } => 1 + ids.len(),
            Tree::List(items) => items.iter().map(|(_, t)| t.ops()).fold(1, sum),
            Tree::Map(entries) => entries.iter().map(|(_, _, t)| t.ops()).fold(1, sum),
        }
    }

    fn marked(&self) -> bool {
        match self {
            Tree::Scalar(_) => false,
            Tree::Text { marks, .. } => !marks.is_empty(),
            Tree::List(items) => items.iter().any(|(_, t)| t.marked()),
            Tree::Map(entries) => entries.iter().any(|(_, _, t)| t.marked()),
        }
    }

    fn hydrated(&self) -> Hydrated {
        match self {
            Tree::Scalar(scalar) => Hydrated::Scalar(scalar.clone()),
            Tree::Text { text, .. } => {
                Hydrated::Text(Text::new(TextEncoding::UnicodeCodePoint, text))
            }
            Tree::List(items) => {
                Hydrated::from(items.iter().map(|(_, t)| t.hydrated()).collect::<Vec<_>>())
            }
            Tree::Map(entries) => Hydrated::from(
                entries
                    .iter()
                    .map(|(key, _, t)| (key.as_str(), t.hydrated()))
                    .collect::<HashMap<_, _>>(),
            ),
        }
    }
}

fn sum(a: usize, b: usize) -> usize {
    a.saturating_add(b)
}
