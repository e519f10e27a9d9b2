//! Making a document differ as two versions differ: how an earlier version comes back, and how a
//! branch's edits come into the original. Only what differs is written, so that the rest merges
//! with what others do.

use super::diff::root_key;
use super::resolve::{failure, get};
use super::undo::mark_of;
use super::value::Place;
use super::{Document, tree};
use crate::model::{Error, Result};
use automerge::marks::{ExpandMark, Mark};
use automerge::transaction::Transactable;
use automerge::{
    AutoCommit, ObjId, ObjType, Patch, PatchAction, Prop, ROOT, ReadDoc, Value as Stored,
};
use std::collections::{BTreeSet, HashMap, HashSet};

/// What an object is a branch of is not part of its versions: entries of the root that stay.
const BRANCH: &str = "@branch";

impl Document {
    /// Makes the object as it was at `heads`; joins the open transaction. Fails with `NotFound` for
    /// a version that is not held.
    pub fn go_back(&mut self, heads: &[[u8; 32]]) -> Result<()> {
        self.closed()?;
        let heads = self.known(heads)?;
        self.contained(|document| {
            document.text = None;
            document.projection = None;
            let now = document.am.base_heads();
            let patches = document.am.diff(&now, &heads);
            let past = document.am.fork_at(&heads).map_err(failure)?;
            let marked = |patch: &Patch| matches!(patch.action, PatchAction::Mark { .. });
            if !patches.iter().any(marked) && same_values(&past, &document.am)? {
                return Ok(());
            }
            let patches = patches
                .iter()
                .filter(|patch| root_key(patch) != Some(BRANCH));
            Patching::new(document, &past, None).apply(patches)
        })
    }

    /// Makes this empty document a copy of `source` as it was at `heads`, tombstone and branch left
    /// out; joins the open transaction.
    pub fn copy_of(&mut self, source: &mut Document, heads: &[[u8; 32]]) -> Result<()> {
        source.closed()?;
        let heads = source.known(heads)?;
        let past = source.contained(|source| source.am.fork_at(&heads).map_err(failure))?;
        self.contained(|document| {
            document.projection = None;
            for item in past.map_range(&ROOT, ..) {
                let key = item.key.to_string();
                if skipped(&key) {
                    continue;
                }
                let id = item.id();
                let tree = tree::read(&past, &item.value.into_value(), &id, 0)?;
                tree::write(document, &ROOT, Place::Put(Prop::Map(key)), &tree)?;
            }
            Ok(())
        })
    }

    /// Makes in this document, at its version `at`, the changes that lead from one version of
    /// another document to another, and returns them with the version they lead to. What was
    /// equal at `at` and `from` is so at the end. Fails with `InvalidArgument` if these are not
    /// equal. After an error this document must be thrown away.
    pub fn merge_from(
        &mut self,
        at: &[[u8; 32]],
        other: &mut Document,
        (from, to): (&[[u8; 32]], &[[u8; 32]]),
        now_ms: u64,
        message: Option<&str>,
    ) -> Result<super::document::Made> {
        other.closed()?;
        let (from, to) = (other.known(from)?, other.known(to)?);
        let (base, past, patches) = other.contained(|other| {
            let base = other.am.fork_at(&from).map_err(failure)?;
            let past = other.am.fork_at(&to).map_err(failure)?;
            Ok((base, past, other.am.diff(&from, &to)))
        })?;
        self.make_at(at, now_ms, message, |document| {
            let mut twins = HashMap::from([(ROOT, ROOT)]);
            same_parts(&base, &ROOT, &document.am, &ROOT, &mut twins, 0)?;
            let patches = patches
                .iter()
                .filter(|patch| !root_key(patch).is_some_and(skipped));
            Patching::new(document, &past, Some(twins)).apply(patches)
        })
    }
}

/// Whether two documents read the same; what was deleted and made again has other names.
fn same_values(a: &AutoCommit, b: &AutoCommit) -> Result<bool> {
    let mut values = [super::project::project(a)?, super::project::project(b)?];
    values.iter_mut().for_each(|seen| {
        seen.heads.clear();
        seen.system.branch = None;
    });
    Ok(values[0] == values[1])
}

/// Entries of the root that a branch and its original do not share.
fn skipped(key: &str) -> bool {
    key == BRANCH || key == super::project::DELETED
}

/// Matches the containers of two documents with equal contents.
fn same_parts(
    a: &AutoCommit,
    a_id: &ObjId,
    b: &AutoCommit,
    b_id: &ObjId,
    twins: &mut HashMap<ObjId, ObjId>,
    depth: usize,
) -> Result<()> {
    if depth > crate::model::limits::VALUE_DEPTH {
        return Ok(());
    }
    let kinds = (a.object_type(a_id), b.object_type(b_id));
    let (Ok(a_kind), Ok(b_kind)) = kinds else {
        return Err(differ());
    };
    if (a_kind == ObjType::Text) != (b_kind == ObjType::Text)
        || (a_kind == ObjType::List) != (b_kind == ObjType::List)
    {
        return Err(differ());
    }
    let names: Vec<Prop> = match a_kind {
        ObjType::Text => {
            let texts = (
                a.text(a_id).map_err(failure)?,
                b.text(b_id).map_err(failure)?,
            );
            return if texts.0 == texts.1 {
                Ok(())
            } else {
                Err(differ())
            };
        }
        ObjType::List => (0..a.length(a_id)).map(Prop::Seq).collect(),
        ObjType::Map | ObjType::Table => {
            let root = *a_id == ROOT;
            let shared = |key: &String| !(root && skipped(key));
            let keys: Vec<String> = a.keys(a_id).filter(shared).collect();
            if keys != b.keys(b_id).filter(shared).collect::<Vec<_>>() {
                return Err(differ());
            }
            keys.into_iter().map(Prop::Map).collect()
        }
    };
    if a_kind == ObjType::List && names.len() != b.length(b_id) {
        return Err(differ());
    }
    for name in names {
        let found = (get(a, a_id, name.clone())?, get(b, b_id, name)?);
        let (Some((a_value, a_part)), Some((b_value, b_part))) = found else {
            return Err(differ());
        };
        match (a_value.is_object(), b_value.is_object()) {
            (true, true) => {
                same_parts(a, &a_part, b, &b_part, twins, depth + 1)?;
                twins.insert(a_part, b_part);
            }
            (false, false) if tree::scalar(&a_value) == tree::scalar(&b_value) => {}
            _ => return Err(differ()),
        }
    }
    Ok(())
}

fn differ() -> Error {
    Error::invalid(
        "this is no branch of the object: what it says it began with is not what the object was then",
    )
}

struct Patching<'a> {
    document: &'a mut Document,
    /// The document that the patches lead to.
    past: &'a AutoCommit,
    /// What its containers are here; `None` if they are the same.
    twins: Option<HashMap<ObjId, ObjId>>,
    /// Containers that were written as a whole.
    fresh: HashSet<ObjId>,
    /// Texts whose marks may differ, there and here.
    texts: Vec<(ObjId, ObjId)>,
}

impl<'a> Patching<'a> {
    fn new(
        document: &'a mut Document,
        past: &'a AutoCommit,
        twins: Option<HashMap<ObjId, ObjId>>,
    ) -> Self {
        Patching {
            document,
            past,
            twins,
            fresh: HashSet::new(),
            texts: Vec::new(),
        }
    }

    fn apply<'p>(mut self, patches: impl Iterator<Item = &'p Patch>) -> Result<()> {
        for patch in patches {
            let within = |id: &ObjId| self.fresh.contains(id);
            if within(&patch.obj) || patch.path.iter().any(|(id, _)| within(id)) {
                self.note_fresh(&patch.action);
                continue;
            }
            let here = match &self.twins {
                None => patch.obj.clone(),
                Some(twins) => twins.get(&patch.obj).cloned().ok_or_else(differ)?,
            };
            self.patch(&here, patch)?;
        }
        let texts = std::mem::take(&mut self.texts);
        for (there, here) in texts {
            self.settle_marks(&there, &here)?;
        }
        Ok(())
    }

    fn note_fresh(&mut self, action: &PatchAction) {
        let values: Vec<&(Stored<'static>, ObjId)> = match action {
            PatchAction::PutMap { value, .. } | PatchAction::PutSeq { value, .. } => vec![value],
            PatchAction::Insert { values, .. } => {
                let made = values.iter().filter(|(value, _, _)| value.is_object());
                self.fresh.extend(made.map(|(_, id, _)| id.clone()));
                return;
            }
            _ => return,
        };
        let made = values.into_iter().filter(|(value, _)| value.is_object());
        self.fresh.extend(made.map(|(_, id)| id.clone()));
    }

    fn patch(&mut self, here: &ObjId, patch: &Patch) -> Result<()> {
        match &patch.action {
            PatchAction::PutMap { key, value, .. } => {
                self.put(here, Prop::Map(key.clone()), value)?;
            }
            PatchAction::PutSeq { index, value, .. } => {
                self.put(here, Prop::Seq(*index), value)?;
            }
            PatchAction::Insert { index, values } => {
                for (at, (value, id, _)) in (*index..).zip(values) {
                    let tree = tree::read(self.past, value, id, 0)?;
                    tree::write(self.document, here, Place::Insert(at), &tree)?;
                }
            }
            PatchAction::SpliceText { index, value, .. } => {
                let text = value.make_string();
                super::text::replace(self.document, here, *index, 0, &text)?;
                self.note_text(&patch.obj, here);
            }
            PatchAction::DeleteSeq { index, length } => {
                if self.document.am.object_type(here).map_err(failure)? == ObjType::Text {
                    super::text::replace(self.document, here, *index, *length, "")?;
                    self.note_text(&patch.obj, here);
                    return Ok(());
                }
                for _ in 0..*length {
                    self.document.room(1)?;
                    self.document.am.delete(here, *index).map_err(failure)?;
                }
            }
            PatchAction::DeleteMap { key } => {
                self.document.room(1)?;
                self.document
                    .am
                    .delete(here, key.as_str())
                    .map_err(failure)?;
            }
            PatchAction::Increment { prop, value } => {
                self.document.room(1)?;
                self.document
                    .am
                    .increment(here, prop.clone(), *value)
                    .map_err(failure)?;
            }
            PatchAction::Mark { .. } => self.note_text(&patch.obj, here),
            PatchAction::Conflict { .. } => return Ok(()),
        }
        self.note_fresh(&patch.action);
        Ok(())
    }

    fn put(&mut self, here: &ObjId, prop: Prop, value: &(Stored<'static>, ObjId)) -> Result<()> {
        let tree = tree::read(self.past, &value.0, &value.1, 0)?;
        tree::write(self.document, here, Place::Put(prop), &tree).map(drop)
    }

    fn note_text(&mut self, there: &ObjId, here: &ObjId) {
        if !self.texts.iter().any(|(known, _)| known == there) {
            self.texts.push((there.clone(), here.clone()));
        }
    }

    /// Gives a text, which reads as the other by now, the other's marks.
    fn settle_marks(&mut self, there: &ObjId, here: &ObjId) -> Result<()> {
        let want = tree::marks(self.past, there)?;
        let have = tree::marks(&self.document.am, here)?;
        let names: BTreeSet<String> = want
            .iter()
            .chain(&have)
            .map(|mark| mark.name().to_owned())
            .collect();
        let length = self.document.am.length(here);
        for name in names {
            let mut at = 0;
            while at < length {
                let value = mark_of(&want, at, &name);
                let differs = |at: usize| {
                    let wanted = mark_of(&want, at, &name);
                    wanted == value && wanted != mark_of(&have, at, &name)
                };
                let end = (at..length).find(|at| !differs(*at)).unwrap_or(length);
                if end == at {
                    at += 1;
                    continue;
                }
                self.document.room(2)?;
                self.document
                    .am
                    .mark(
                        here,
                        Mark::new(name.clone(), value, at, end),
                        ExpandMark::After,
                    )
                    .map_err(failure)?;
                at = end;
            }
        }
        Ok(())
    }
}
